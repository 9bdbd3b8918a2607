"""Sliding evaluation: a network as one convolution over a larger image, against its crops one by one.

A dense layer on a map is a convolution with a filter as large as the map, so the whole network slides over a larger
image in one pass. Source: CS231n, "Converting FC layers to CONV layers"; Sermanet et al. 2013 (OverFeat), section 3.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape, format_shape
from archcalc.execute.calls import only_image, reads
from archcalc.execute.kernels import Array
from archcalc.execute.kernels.registry import Sizes
from archcalc.execute.runner.execute import execute
from archcalc.execute.weights import Weights
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
        if field is None or field.stride[0] != int(field.stride[0]):
            raise UsageError("the positions of this network do not lie a whole number of pixels apart")
        return int(field.stride[0]), int(field.stride[1])


class ReshapedWeights:
    """The weights of a network, those of dense layers as filters (outputs, C, height, width)."""

    def __init__(self, weights: Weights, reshaped: Mapping[str, Mapping[str, Shape]]) -> None:
        self._weights = weights
        self._reshaped = reshaped

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name, in these sizes."""
        own = self._weights.of(layer, {**sizes, **self._reshaped.get(layer, {})})
        return {name: own[name].reshape(size) for name, size in sizes.items()}


class Slid(NamedTuple):
    """Scores (classes, rows, columns) of one pass over a large image, and of its crops one by one.

    multiplications: of the one pass, and of all crops.
    """

    scores: Array
    crops: Array
    stride: tuple[int, int]
    multiplications: tuple[int, int]
    converted: Converted

    @property
    def difference(self) -> float:
        """The largest difference between both, as a share of the largest score."""
        return float(np.abs(self.scores - self.crops).max()) / (float(np.abs(self.crops).max()) or 1.0)

    @property
    def same_class(self) -> int:
        """The number of crops for which both find the same class."""
        return int((self.scores.argmax(axis=0) == self.crops.argmax(axis=0)).sum())


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
    main = _main(graph)
    kept = sorted(reads(graph, main.layer))
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


def slide(
    analysis: Analysis, large: Array, weights: Weights, observe: Callable[[int, str], None] | None = None
) -> Slid:
    """Run a network over a large image (1, C, H, W) in one pass, and over each of its crops.

    A crop is as large as the network's own input, and starts where a position of the one pass does. Raises
    `UsageError` where the image is smaller, or larger by what is no multiple of the stride. `observe` is called with 1,
    2, … and a word as the runs are done.
    """
    only_image(analysis.graph, "sliding")
    converted = convert(analysis)
    stride = converted.stride
    rows, columns = crop_origins(analysis.graph.input_shape, (large.shape[2], large.shape[3]), stride)
    wide = analyse(converted.analysis.graph.with_input(large.shape[1:]), 1, analysis.dtype)
    filters = ReshapedWeights(weights, converted.reshaped)
    main = converted.analysis.graph.outputs[0].name
    scores = execute(wide.graph, large, filters).outputs[main][0]
    if scores.shape[1:] != (len(rows), len(columns)):
        raise UsageError(
            f"one pass gives {scores.shape[1]}×{scores.shape[2]} positions for {len(rows)}×{len(columns)} crops: the "
            f"padding of this network adds positions"
        )
    crops = np.empty_like(scores)
    height, width = analysis.graph.input_shape[1:]
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            if observe is not None:
                observe(1 + i * len(columns) + j, f"crop at {top}, {left}")
            crop = np.ascontiguousarray(large[:, :, top : top + height, left : left + width])
            crops[:, i, j] = execute(analysis.graph, crop, weights).outputs[main].reshape(-1)
    whole = wide.totals.multiplications
    each = sum(
        analysis.rows[index].multiplications or 0 for index in reads(analysis.graph, _main(analysis.graph).layer)
    )
    return Slid(scores, crops, stride, (whole, each * len(rows) * len(columns)), converted)


def _main(graph: LayerGraph) -> Output:
    """The output that is not auxiliary."""
    return max(graph.outputs, key=lambda output: output.loss_weight)


def crop_origins(own: Shape, large: tuple[int, int], stride: tuple[int, int]) -> tuple[range, range]:
    """Rows and columns where crops begin. Raises `UsageError` that names sizes which would do."""
    ranges = []
    for name, size, wanted, step in zip(("height", "width"), own[1:], large, stride, strict=True):
        if wanted < size or (wanted - size) % step:
            below = size + max(wanted - size, 0) // step * step
            raise UsageError(
                f"the {name} {wanted} is no {size} plus a multiple of the stride {step}: {below} or {below + step} are"
            )
        ranges.append(range(0, wanted - size + 1, step))
    return ranges[0], ranges[1]
