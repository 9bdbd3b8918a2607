"""Which layer owns the arrays that another one uses, as `weights` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from archcalc.graph.layer_graph import Layer
from archcalc.ops import Op
from archcalc.spec.faults import Faults
from archcalc.spec.names import Names
from archcalc.spec.source import Mark

MOST_NAMES = 8


class Sharing:
    """Finds the owners of shared arrays among the layers so far."""

    def __init__(self, names: Names, faults: Faults, layers: Sequence[Layer]) -> None:
        self._names, self._faults, self._layers = names, faults, layers
        #: The open blocks that use the weights of another: both names, and where that is written.
        self._open: list[tuple[str, str, Mark]] = []
        #: The first use of each block whose uses share their weights.
        self._first: dict[str, str] = {}

    def first_use(self, block: str, name: str) -> str | None:
        """The name of the first use of a block, whose weights one of this name uses; None where it is the first."""
        first = self._first.setdefault(block, name)
        return None if first == name else first

    @contextmanager
    def block(self, name: str, other: str | None, at: Mark) -> Iterator[None]:
        """Inside, the layers of a block use the weights of those of another, if there is one."""
        if other is None:
            yield
            return
        self._open.append((name, other, at))
        try:
            yield
        finally:
            self._open.pop()

    def of(self, name: str, at: Mark, reader: str) -> int | None:
        """The index of the layer that owns the arrays of the named one; None where it is no layer, which is noted."""
        found = self._names.known.get(name, (0,))[0]
        layer = self._layers[found]
        if layer.name == name:
            return found if layer.weights_of is None else layer.weights_of
        inside = [one.name for one in self._layers if one.name.startswith(f"{name}/") and one.op.may_have_arrays]
        hint = f"; {name!r} is a block, its layers with weights are {', '.join(inside[:MOST_NAMES])}" if inside else ""
        self._faults.add(f"weights: there is no layer {name!r}{hint}", at, reader)
        return None

    def by_block(self, op: Op, name: str) -> int | None:
        """The same for a layer inside a block that uses the weights of another: the layer of the same name there."""
        if not self._open or not op.may_have_arrays:
            return None
        block, other, at = self._open[-1]
        return self.of(other + name.removeprefix(block), at, name)
