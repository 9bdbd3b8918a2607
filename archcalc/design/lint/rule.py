"""What a rule is, what it finds, and how the layers of a network are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from archcalc.core.errors import Location
from archcalc.core.shapes import Shape
from archcalc.ops.conv import Conv
from archcalc.passes.analysis import Analysis, Row
from archcalc.passes.params import count_values


class Finding(NamedTuple):
    """What is wrong with a layer, what it costs in numbers (by quantity), and the change that fixes it."""

    layer: int
    message: str
    costs: Mapping[str, int]
    change: str


class Rule(NamedTuple):
    """A rule: its id, what it says in a line, why, who says so, and the function that looks for it."""

    id: str
    title: str
    reason: str
    source: str
    find: Callable[[View], Iterator[Finding]]


class Found(NamedTuple):
    """A finding with its rule, its layer by name and its place in a spec."""

    rule: Rule
    finding: Finding
    layer: str
    location: Location | None


class Cost(NamedTuple):
    """What layers one after another have and do."""

    params: int
    multiplications: int


def cost_of(ops: Iterable[Conv], shape: Shape) -> Cost:
    """What convolutions one after another have and do on a map. Raises `ShapeError` where one does not fit."""
    params = multiplications = 0
    for op in ops:
        op.check([shape])
        output = op.output_shape([shape])
        params += count_values([array for array in op.param_shapes([shape]) if not array.buffer])
        multiplications += op.macs([shape], output)
        shape = output
    return Cost(params, multiplications)


def saved(costs: Mapping[str, int]) -> dict[str, int]:
    """The costs that a change saves, without those that it does not."""
    return {name: cost for name, cost in costs.items() if cost > 0}


class View:
    """An analysis with the neighbours of its layers; `seen`: how large an object in the input is, if that is known."""

    def __init__(self, analysis: Analysis, seen: Sequence[int] | None = None) -> None:
        self.analysis, self.graph, self.rows, self.seen = analysis, analysis.graph, analysis.rows, seen

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        return iter(enumerate(self.rows))

    def of(self, *kinds: Any) -> Iterator[tuple[int, Row]]:
        """The layers whose ops are of some classes, with their indices."""
        return ((index, row) for index, row in self if isinstance(row.op, kinds))

    @cached_property
    def readers(self) -> list[list[int]]:
        """For each layer those that read it."""
        found: list[list[int]] = [[] for _ in self.rows]
        for index, layer in enumerate(self.graph.layers[: len(self.rows)]):
            for source in layer.inputs:
                found[source].append(index)
        return found

    @cached_property
    def ends(self) -> frozenset[int]:
        """The layers that are outputs of the network."""
        return frozenset(output.layer for output in self.graph.outputs)

    def only_reader(self, index: int) -> int | None:
        """The layer that alone reads one which is no output."""
        readers = self.readers[index]
        return readers[0] if len(readers) == 1 and index not in self.ends else None

    def source(self, index: int) -> int | None:
        """The layer that a layer of one input reads."""
        inputs = self.graph.layers[index].inputs
        return inputs[0] if len(inputs) == 1 else None
