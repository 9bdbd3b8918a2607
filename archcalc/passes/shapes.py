"""Output shapes, layer by layer."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.core.errors import Problem, ShapeError
from archcalc.core.shapes import Shape
from archcalc.graph.layer_graph import Layer, LayerGraph
from archcalc.graph.shaping import check_shared, problem_of, shape_layer
from archcalc.ops.base import Op


class ShapedLayer(NamedTuple):
    """A layer whose shapes are known; `op` has every setting that depended on its input filled in.

    Layers with one op and the same input shapes have one `key`, those that share weights or are frozen another: what
    follows from these is worked out once.
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
    known: dict[tuple[int, tuple[Shape, ...], bool, bool], tuple[Op, Shape, int]] = {}
    for layer in graph.layers:
        inputs: tuple[Any, ...] = tuple([outputs[source] for source in layer.inputs])
        if None in inputs:
            outputs.append(None)
            continue
        case = (id(layer.op), inputs, layer.weights_of is None, layer.frozen)
        found = known.get(case)
        if found is None:
            try:
                found = known[case] = (*shape_layer(layer, inputs, strict), len(known))
            except ShapeError as error:
                problems.append(problem_of(layer, error))
                outputs.append(None)
                continue
        op, output, key = found
        if layer.weights_of is not None:
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
