"""Output shapes, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.core.errors import Problem, ShapeError
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import listed
from archcalc.graph.layer_graph import Layer, LayerGraph
from archcalc.ops.base import Op, Param, elements

#: No layer may have more values: far above any network, and small enough to be written and added up.
LARGEST_OUTPUT = 10**15


class ShapedLayer(NamedTuple):
    """A layer whose shapes are known; `op` has every setting that depended on its input filled in.

    Layers with one op and the same input shapes have one `key`, those that share weights another: what follows from
    these is worked out once.
    """

    layer: Layer
    op: Op
    inputs: tuple[Shape, ...]
    output: Shape
    key: int


class Shapes(NamedTuple):
    """The layers that could be shaped, and what is wrong with the others."""

    layers: tuple[ShapedLayer, ...]
    problems: tuple[Problem, ...]


def infer_shapes(graph: LayerGraph, strict: bool = False) -> Shapes:
    """Shapes of every layer up to the first that fails, and the problems of all layers that fail by themselves.

    `strict`: a window that does not tile its input is a problem too. Layers that read a failed one are skipped.
    """
    outputs: list[Shape | None] = []
    shaped: list[ShapedLayer] = []
    problems: list[Problem] = []
    known: dict[tuple[int, tuple[Shape, ...], bool], tuple[Op, Shape, int]] = {}
    for layer in graph.layers:
        inputs: tuple[Any, ...] = tuple([outputs[source] for source in layer.inputs])
        if None in inputs:
            outputs.append(None)
            continue
        case = (id(layer.op), inputs, layer.weights_of is None)
        if case not in known:
            try:
                known[case] = (*shape_layer(layer, inputs, strict), len(known))
            except ShapeError as error:
                problems.append(problem_of(layer, error))
                outputs.append(None)
                continue
        op, output, key = known[case]
        try:
            check_shared(graph.layers, layer, op, inputs, outputs)
        except ShapeError as error:
            problems.append(problem_of(layer, error))
            outputs.append(None)
            continue
        outputs.append(output)
        if not problems:
            shaped.append(ShapedLayer(layer, op, inputs, output, key))
    return Shapes(tuple(shaped), tuple(problems))


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
    layers: Sequence[Layer], layer: Layer, op: Op, inputs: Sequence[Shape], outputs: Sequence[Shape | None]
) -> None:
    """Raise `ShapeError` where a layer cannot use the arrays of the layer that it names; `outputs` are those so far.

    Nothing is raised where the shapes of that layer are not known, because it failed itself.
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
        raise ShapeError(f'it cannot use the weights of "{owner.name}": {name} ({kind}) has none')
    details = f"{owner.name} has {_listed(theirs)}; {layer.name} needs {_listed(own)}"
    if other.family != op.family:
        raise ShapeError(f'it cannot use the weights of "{owner.name}", which is another kind: {other.kind}', details)
    if theirs != own:
        raise ShapeError(f'it cannot use the weights of "{owner.name}": their shapes differ', details)


def _listed(arrays: Sequence[Param]) -> str:
    """The arrays with their shapes: weight 64×3×7×7 and bias 64."""
    return listed([f"{array.name} {'×'.join(map(str, array.shape))}" for array in arrays])


def problem_of(layer: Layer, error: ShapeError) -> Problem:
    """What is wrong with a layer, and where."""
    return Problem(error.message, layer.location, f'"{layer.name}" ({layer.op.kind})', tuple(error.details))
