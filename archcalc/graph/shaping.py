"""The shape of one layer, by its op, on inputs whose shapes are known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import ClassVar

from archcalc.core.errors import Problem, ShapeError
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import listed, several
from archcalc.graph.layer_graph import Layer
from archcalc.ops.base import Op, Param, elements

#: No layer may have more values: far above any network, and small enough to be written and added up.
LARGEST_OUTPUT = 10**15


class KnownShapes:
    """The output shapes of layers that are added one by one, each worked out when it is first asked for.

    A layer that fails has none, nor have those that read it; `problems` says what is wrong with those that failed.
    """

    #: Whether sizes are plain numbers, which may be compared for a message at no cost.
    are_plain: ClassVar[bool] = True

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        self._outputs: list[Shape | None] = []
        self.problems: list[Problem] = []

    def of(self, index: int) -> Shape | None:
        """The shape of a layer."""
        for layer in self._layers[len(self._outputs) : index + 1]:
            self._outputs.append(self._next(layer))
        return self._outputs[index]

    def forget(self, count: int) -> None:
        """Keep the first layers only."""
        del self._outputs[count:]
        self.problems.clear()

    def _next(self, layer: Layer) -> Shape | None:
        inputs = [shape for source in layer.inputs if (shape := self._outputs[source]) is not None]
        if len(inputs) < len(layer.inputs):
            return None
        try:
            op, output = self.shape(layer, tuple(inputs))
            check_shared(self._layers, layer, op, inputs, self._outputs, self.are_plain)
        except ShapeError as error:
            self.problems.append(self.problem(layer, error))
            return None
        return output

    def problem(self, layer: Layer, error: ShapeError) -> Problem:
        """What is wrong with a layer."""
        return problem_of(layer, error)

    def shape(self, layer: Layer, inputs: tuple[Shape, ...]) -> tuple[Op, Shape]:
        """The op of a layer with what depends on its inputs filled in, and its output shape. Raises `ShapeError`."""
        return shape_layer(layer, inputs)


def shape_layer(layer: Layer, inputs: tuple[Shape, ...], strict: bool = False) -> tuple[Op, Shape]:
    """The op of a layer with what depends on its inputs filled in, and its output shape. Raises `ShapeError`."""
    op = layer.op.resolve(inputs)
    op.check(inputs, strict)
    output = op.output_shape(inputs)
    if elements(output) > LARGEST_OUTPUT:
        size = format_shape(output) if max(output) <= LARGEST_OUTPUT else f"more than {LARGEST_OUTPUT:,} on a side"
        raise ShapeError(f"its output has more than {LARGEST_OUTPUT:,} values", f"output {size}")
    return op, output


def check_shared(
    layers: Sequence[Layer],
    layer: Layer,
    op: Op,
    inputs: Sequence[Shape],
    outputs: Sequence[Shape | None],
    are_plain: bool = True,
) -> None:
    """Raise `ShapeError` where a layer cannot use the arrays of the layer that it names; `outputs` are those so far.

    Of sizes that `are_plain` numbers it says what would fit. Nothing is raised where the shapes of that layer are not
    known, because it failed itself.
    """
    if layer.weights_of is None:
        return
    owner = layers[layer.weights_of]
    shapes = tuple([shape for source in owner.inputs if (shape := outputs[source]) is not None])
    if outputs[layer.weights_of] is None or len(shapes) < len(owner.inputs):
        return
    other = owner.op.resolve(shapes)
    theirs, own = other.param_shapes(shapes), op.param_shapes(inputs)
    if not theirs and not own and op.may_have_arrays:
        return  # a block uses the weights of another, and this layer of it turns out to have none
    if not theirs or not own:
        name, kind = (owner.name, other.kind) if not theirs else (layer.name, op.kind)
        fix = _OWN if own else "leave weights out: it needs none"
        raise ShapeError(f'it cannot use the weights of "{owner.name}": {name} ({kind}) has none', fix)
    details = f"{owner.name} has {_listed(theirs)}; {layer.name} needs {_listed(own)}"
    if (other.shares_with or other.family) != (op.shares_with or op.family):
        message = f'it cannot use the weights of "{owner.name}", which is another kind: {other.kind}'
        raise ShapeError(message, details, _OWN)
    if theirs != own:
        message = f'it cannot use the weights of "{owner.name}": their shapes differ'
        fix = _fitting(op, tuple(inputs), other, shapes, tuple(theirs)) if are_plain else _OWN
        raise ShapeError(message, details, fix)


#: The way that is always open; the key is on the step, or on its block.
_OWN = "without weights (or shared on its block) it has its own"
#: No more settings than these are changed at once.
_MOST_CHANGED = 3


@lru_cache(maxsize=64)  # a block that is used very often is wrong as often
def _fitting(op: Op, inputs: tuple[Shape, ...], owner: Op, shapes: tuple[Shape, ...], theirs: tuple[Param, ...]) -> str:
    """The fewest settings with which an op has the arrays of another, or else the input with which it has."""
    changes = []
    for name in type(op).model_fields:
        now, wanted = getattr(op, name), getattr(owner, name, None)
        wanted = not now if isinstance(now, bool) else wanted
        if wanted is not None and wanted != now:
            changes.append((name, wanted))
    for count in range(1, _MOST_CHANGED + 1):
        for some in combinations(changes, count):
            changed = op.model_copy(update=dict(some))
            if _arrays(changed, inputs) == theirs:
                values = changed.model_dump()
                return f"it fits with {listed([f'{name}: {_written(values[name])}' for name, _ in some])}"
    if _arrays(op, [(other[0], *own[1:]) for own, other in zip(inputs, shapes, strict=False)]) == theirs:
        return f"it fits on an input of {several(shapes[0][0], 'channel')}; {_OWN}"
    fits = f"it fits on an input of {format_shape(shapes[0])}; " if _arrays(op, shapes) == theirs else ""
    return fits + _OWN


def _arrays(op: Op, inputs: Sequence[Shape]) -> tuple[Param, ...] | None:
    """The arrays of an op on these inputs; None where it does not take them."""
    try:
        op = op.resolve(inputs)
        op.check(inputs)
    except ShapeError:
        return None
    return op.param_shapes(inputs)


def _written(value: object) -> str:
    """A setting as in a spec: 3 of (3, 3)."""
    if isinstance(value, tuple):
        return _written(value[0]) if len(set(value)) == 1 else f"[{', '.join(map(_written, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(arrays: Sequence[Param]) -> str:
    """The arrays with their shapes: weight 64×3×7×7 and bias 64."""
    return listed([f"{array.name} {'×'.join(map(str, array.shape))}" for array in arrays])


def problem_of(layer: Layer, error: ShapeError) -> Problem:
    """What is wrong with a layer, and where."""
    return Problem(error.message, layer.location, f'"{layer.name}" ({layer.op.kind})', tuple(error.details))
