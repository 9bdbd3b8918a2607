"""A network in the form in which it slides over larger images: dense layers as convolutions.

A dense layer on a map is a convolution with a filter as large as the map. Source: CS231n, "Converting FC layers to CONV
layers"; Sermanet et al. 2013 (OverFeat), section 3.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape, format_shape
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops.base import EVERYTHING, Op, Window, Windows, elements
from archcalc.ops.windowed import Sides
from archcalc.passes.analysis import Analysis, Row, analyse


@dataclass(frozen=True)
class Converted:
    """A network without dense layers, as an analysis on its own input, where it gives one position.

    reshaped: layers whose arrays get a new shape, with the shapes that these arrays have in the network itself.
    padded: layers that read zeros around their map, so that its edges matter.
    """

    analysis: Analysis
    reshaped: Mapping[str, Mapping[str, Shape]]
    padded: tuple[str, ...]

    @property
    def filters(self) -> Mapping[str, Shape]:
        """The layers that became convolutions, and the shape (outputs, C, height, width) of their weights."""
        rows = (self.analysis[name] for name in self.reshaped)
        return {row.name: row.op.param_shapes(row.input_shapes)[0].shape for row in rows}

    @property
    def stride(self) -> tuple[int, int]:
        """Pixels from one position to the next."""
        field = self.analysis.rows[-1].receptive_field
        steps = [step for step in field.stride if isinstance(step, int)] if field else []
        if len(steps) != 2:
            raise UsageError("the positions of this network do not lie a whole number of pixels apart")
        return steps[0], steps[1]


def without_padding(graph: LayerGraph) -> LayerGraph:
    """The same layers with windows that never leave their map: no padding, and sizes rounded down."""
    changes = {"padding": Sides((0, 0, 0, 0)), "ceil_mode": False}
    layers = []
    for layer in graph.layers:
        update = {name: value for name, value in changes.items() if name in type(layer.op).model_fields}
        layers.append(layer._replace(op=layer.op.model_copy(update=update)))
    return replace(graph, layers=tuple(layers))


def convert(analysis: Analysis) -> Converted:
    """Dense layers as convolutions, global pooling as pooling by a window of the map's size.

    Only what the main output depends on is kept. Raises `UsageError` for a layer that cannot slide, and where there is
    nothing to convert.
    """
    graph = analysis.graph
    main = main_output(graph)
    kept = sorted(graph.read_by(main.layer))
    if not any(_reads_a_whole_map(analysis.rows[index]) for index in kept):
        raise UsageError(f"{graph.name} has no dense layer and no global pooling: it slides over any image as it is")
    place = {old: new for new, old in enumerate(kept)}
    maps: dict[int, Shape] = {}
    layers, padded = [], []
    reshaped: dict[str, Mapping[str, Shape]] = {}
    for index in kept:
        layer = graph.layers[index]
        inputs = [maps[source] for source in layer.inputs]
        op = _slid(layer, inputs).resolve(inputs)
        maps[index] = op.output_shape(inputs)
        own = {param.name: param.shape for param in layer.op.param_shapes(analysis.rows[index].input_shapes)}
        new = {param.name: param.shape for param in op.param_shapes(inputs)}
        if own != new:
            reshaped[layer.name] = {name: shape for name, shape in own.items() if new[name] != shape}
        if any(_reads_beyond(windows, shape, maps[index]) for windows, shape in _windows(op, inputs)):
            padded.append(layer.name)
        owner = None if layer.weights_of is None else place.get(layer.weights_of)
        if owner is None and layer.weights_of is not None:
            raise UsageError(
                f'layer "{layer.name}" uses the weights of "{graph.owner(layer).name}", which the main output '
                f"does not depend on; only what it depends on can slide"
            )
        layers.append(Layer(layer.name, op, tuple(place[source] for source in layer.inputs), owner, layer.location))
    ends = (Output(main.name, place[main.layer]),)
    slid = replace(graph, layers=tuple(layers), outputs=ends)
    return Converted(analyse(slid, analysis.batch, analysis.dtype), reshaped, tuple(padded))


def _reads_a_whole_map(row: Row) -> bool:
    """Whether the layer makes one position of a map with several, or has none."""
    return any(
        len(shape) == 3 and elements(shape[1:]) > elements(row.output_shape[1:]) == 1 for shape in row.input_shapes
    ) or (EVERYTHING in row.op.windows(row.input_shapes))


def _slid(layer: Layer, inputs: list[Shape]) -> Op:
    """The op that does the same on a map, (C, 1, 1) where the layer's own was flat. Raises `UsageError`."""
    same_size = all(shape[1:] == inputs[0][1:] for shape in inputs)
    op = layer.op.sliding(inputs) if same_size else None
    if op is None:
        raise UsageError(
            f'layer "{layer.name}" ({layer.op.kind}, {" and ".join(map(format_shape, inputs))}) cannot slide over a '
            f"larger image: it has no form as a window"
        )
    return op


def _windows(op: Op, inputs: list[Shape]) -> Iterator[tuple[Windows, Shape]]:
    """What the op reads of each input of which it reads windows."""
    for windows, shape in zip(op.windows(inputs), inputs, strict=False):
        if isinstance(windows, tuple):
            yield windows, shape


def _reads_beyond(windows: Windows, shape: Shape, output: Shape) -> bool:
    """Whether the first or the last window lies partly outside the map."""
    return any(
        isinstance(window, Window)
        and (window.before > 0 or (count - 1) * window.stride - window.before + window.size > size)
        for window, size, count in zip(windows, shape[1:], output[1:], strict=True)
    )


def main_output(graph: LayerGraph) -> Output:
    """The output that weighs most in the loss, of those that are there after the training too."""
    return max(graph.outputs, key=lambda output: (not output.training_only, output.loss_weight))
