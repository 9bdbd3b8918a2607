"""Output shapes, layer by layer."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.errors import Problem, ShapeError
from archcalc.graph import Layer, LayerGraph
from archcalc.ops.base import Op
from archcalc.shapes import Shape


class ShapedLayer(NamedTuple):
    """A layer whose shapes are known; `op` has every setting that depended on its input filled in."""

    layer: Layer
    op: Op
    inputs: tuple[Shape, ...]
    output: Shape


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
    for layer in graph.layers:
        inputs = [outputs[source] for source in layer.inputs]
        if None in inputs:
            outputs.append(None)
            continue
        try:
            entry = _shape(layer, tuple(inputs), strict)  # type: ignore[arg-type]
        except ShapeError as error:
            problems.append(_problem(layer, error))
            outputs.append(None)
            continue
        outputs.append(entry.output)
        if not problems:
            shaped.append(entry)
    return Shapes(tuple(shaped), tuple(problems))


def _shape(layer: Layer, inputs: tuple[Shape, ...], strict: bool) -> ShapedLayer:
    op = layer.op.resolve(inputs)
    op.check(inputs, strict)
    return ShapedLayer(layer, op, inputs, op.output_shape(inputs))


def _problem(layer: Layer, error: ShapeError) -> Problem:
    return Problem(error.message, layer.location, f'"{layer.name}" ({layer.op.kind})', tuple(error.details))
