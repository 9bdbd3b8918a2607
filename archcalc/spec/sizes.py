"""The sizes of maps in expressions: `in_channels` and `height` of what a step reads, `channels(stem)` of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from archcalc.core.numbers import product
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.suggest import did_you_mean
from archcalc.core.words import listed
from archcalc.graph.layer_graph import Layer
from archcalc.graph.shaping import KnownShapes
from archcalc.spec.evaluate import show
from archcalc.spec.expressions import IN_CHANNELS, ExpressionError
from archcalc.spec.faults import Faults
from archcalc.spec.names import Flow, Names

#: What a size is of (channels, *positions), for the numbers of position axes that have it.
_SIZES: dict[str, tuple[tuple[int, ...], Callable[[Shape], Any]]] = {
    "channels": ((0, 1, 2, 3), lambda shape: shape[0]),
    "positions": ((0, 1, 2, 3), lambda shape: product(shape[1:])),
    "length": ((1,), lambda shape: shape[1]),
    "height": ((2, 3), lambda shape: shape[-2]),
    "width": ((2, 3), lambda shape: shape[-1]),
    "depth": ((3,), lambda shape: shape[1]),
}

#: Families of ops that give maps with as many position axes as they read.
_KEEP_RANK = ("activation", "normalisation", "regularisation")


def size_of(name: str, shape: Shape) -> Any:
    """A size of a map by its name. Raises `ExpressionError` where the map has none of this name."""
    key = "channels" if name == IN_CHANNELS else name
    axes, read = _SIZES[key]
    if len(shape) - 1 not in axes:
        has = listed(list(sizes_of(shape)))
        raise ExpressionError(f"a map of {format_shape(shape)} has no {name}; it has {has}")
    return read(shape)


def sizes_of(shape: Shape) -> dict[str, Any]:
    """Every size that a map has, by its name."""
    return {name: read(shape) for name, (axes, read) in _SIZES.items() if len(shape) - 1 in axes}


class Sizes(Protocol):
    """Knows the shapes of layers."""

    def size(self, name: str, layer: str | None, flow: Flow, scope: str) -> Any:
        """A size of the named layer, seen from a scope; without a name of the layers of the flow."""
        ...


class Scope(dict[str, Any]):
    """The variables at a place of a spec, which knows what its step reads."""

    __slots__ = ("_flow", "_scope", "_sizes")

    def __init__(self, variables: Mapping[str, Any], sizes: Sizes, flow: Flow | Callable[[], Flow], scope: str) -> None:
        super().__init__(variables)
        self._sizes, self._flow, self._scope = sizes, flow, scope

    def with_values(self, change: Callable[[Any], Any]) -> Scope:
        """The same place, each value changed, those of sizes too."""
        return Scope(
            {name: change(value) for name, value in self.items()},
            _Changed(self._sizes, change),
            self._flow,
            self._scope,
        )

    def size(self, name: str, layer: str | None) -> Any:
        """A size of a layer, or of what the step here reads. Raises `ExpressionError` where there is none."""
        flow = self._flow() if callable(self._flow) else self._flow
        return self._sizes.size(name, layer, flow, self._scope)


class MapSizes:
    """Knows the shapes of all layers so far. `were_read`: whether any has been asked for."""

    def __init__(self, names: Names, faults: Faults, layers: Sequence[Layer]) -> None:
        self._names, self._faults, self._layers = names, faults, layers
        self.shapes = KnownShapes(layers)
        self.were_read = False
        self.know_input = True

    def rank(self, index: int) -> int:
        """How many position axes the map of a layer has; a shape is worked out only where no op tells."""
        while (rank := getattr(self._layers[index].op, "rank", None)) is None:
            _, op, inputs, *_ = self._layers[index]
            if not inputs or not (op.most_inputs is None or op.family in _KEEP_RANK):
                break
            index = inputs[0]
        else:
            return int(rank)
        shape = self.shapes.of(index)
        return 2 if shape is None else len(shape) - 1

    def size(self, name: str, layer: str | None, flow: Flow, scope: str) -> Any:
        """A size of the named layer, or else of the layers of a flow. Raises `ExpressionError`."""
        self.were_read = True
        if not self.know_input:
            raise ExpressionError("")
        if layer is not None:
            full = self._names.seen(layer, scope)
            if full is None:
                message = f"{name}: there is no layer {layer!r} above{did_you_mean(layer, self._names.known)}"
                raise ExpressionError(message)
            flow = self._names.known[full]
        shapes = [self.shapes.of(index) for index in flow]
        if None in shapes:
            new = [problem for problem in self.shapes.problems if problem not in self._faults.problems]
            self._faults.problems += new
            raise ExpressionError("")
        first, *others = [size_of(name, shape) for shape in shapes if shape is not None]
        for other in others:
            if other != first:
                what = "channels" if name == IN_CHANNELS else name
                message = f"{name} is not clear, {show(first)} or {show(other)}: name the layer, as in {what}(stem)"
                raise ExpressionError(message)
        return first


class InputSizes:
    """Knows only the shape of the network's input."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def size(self, name: str, layer: str | None, flow: Flow, scope: str) -> Any:
        if layer not in (None, "input"):
            raise ExpressionError(f"only the input is known here, not {layer!r}")
        return size_of(name, self._shape)


class _Changed:
    """The sizes that others know, changed."""

    def __init__(self, sizes: Sizes, change: Callable[[Any], Any]) -> None:
        self._inner, self._change = sizes, change

    def size(self, name: str, layer: str | None, flow: Flow, scope: str) -> Any:
        return self._change(self._inner.size(name, layer, flow, scope))
