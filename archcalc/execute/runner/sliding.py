"""Sliding evaluation: a network as one convolution over a larger image, against its crops one by one.

A dense layer on a map is a convolution with a filter as large as the map, so the whole network slides over a larger
image in one pass. Source: CS231n, "Converting FC layers to CONV layers"; Sermanet et al. 2013 (OverFeat), section 3.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape, format_shape
from archcalc.execute.calls import reads
from archcalc.execute.kernels import Array
from archcalc.execute.kernels.registry import Sizes
from archcalc.execute.runner.execute import execute
from archcalc.execute.weights import Weights
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops import OPS, rules
from archcalc.ops.base import Op
from archcalc.ops.pool import Pool2d
from archcalc.ops.windowed import NO_PADDING, Windowed
from archcalc.passes.analysis import Analysis, analyse

#: Ops that do at each position the same, whatever lies around: they slide as they are.
_AS_THEY_ARE = {
    "add", "avg_pool2d", "batch_norm2d", "concat", "conv2d", "crop2d", "depthwise_conv2d", "dropout", "identity",
    "input", "local_response_norm", "lp_pool2d", "max_pool2d", "multiply", "pad_channels", "relu", "relu6",
    "scaled_tanh", "sigmoid", "slice2d", "softmax", "subsampling2d", "tanh", "zero_pad2d",
}  # fmt: skip
#: Ops that are changed: what reads a whole map reads a window of its size.
_CHANGED = {"adaptive_avg_pool2d", "flatten", "global_avg_pool2d", "linear"}


@dataclass(frozen=True)
class Converted:
    """A network without dense layers, as an analysis on its own input, where it gives one position.

    reshaped: layers whose weights get a new shape: as they are, as filters. padded: layers that read zeros around
    their map, so that an edge is seen.
    """

    analysis: Analysis
    reshaped: Mapping[str, tuple[Shape, Shape]]
    padded: tuple[str, ...]

    @property
    def stride(self) -> tuple[int, int]:
        """Pixels from one position to the next."""
        field = self.analysis.rows[-1].receptive_field
        if field is None or field.height.stride != int(field.height.stride):
            raise UsageError("the positions of this network do not lie a whole number of pixels apart")
        return int(field.height.stride), int(field.width.stride)


class ReshapedWeights:
    """The weights of a network, those of dense layers as filters (outputs, C, height, width)."""

    def __init__(self, weights: Weights, reshaped: Mapping[str, tuple[Shape, Shape]]) -> None:
        self._weights = weights
        self._reshaped = reshaped

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name, in these sizes."""
        if layer not in self._reshaped:
            return self._weights.of(layer, sizes)
        flat, filters = self._reshaped[layer]
        made = self._weights.of(layer, {**sizes, "weight": flat})
        return {**made, "weight": made["weight"].reshape(filters)}


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
    changes = {"padding": NO_PADDING, "ceil_mode": False}
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
    if not any(graph.layers[index].op.kind in _CHANGED - {"flatten"} for index in kept):
        raise UsageError(f"{graph.name} has no dense layer and no global pooling: it slides over any image as it is")
    place = {old: new for new, old in enumerate(kept)}
    maps: dict[int, Shape] = {}
    layers, padded = [], []
    reshaped: dict[str, tuple[Shape, Shape]] = {}
    for index in kept:
        layer = graph.layers[index]
        inputs = [maps[source] for source in layer.inputs]
        op = _slid(layer, inputs).resolve(inputs)
        maps[index] = op.output_shape(inputs)
        if layer.op.kind == "linear":
            filters = op.param_shapes(inputs)[0].shape
            reshaped[layer.name] = ((filters[0], filters[1] * filters[2] * filters[3]), filters)
        if inputs and _sees_an_edge(op, inputs[0]):
            padded.append(layer.name)
        layers.append(Layer(layer.name, op, tuple(place[source] for source in layer.inputs), layer.location))
    ends = (Output(main.name, place[main.layer]),)
    slid = replace(graph, layers=tuple(layers), outputs=ends)
    return Converted(analyse(slid, analysis.batch, analysis.dtype), reshaped, tuple(padded))


def _slid(layer: Layer, inputs: list[Shape]) -> Op:
    """The op that does the same on a map, (C, 1, 1) where the layer's own was flat. Raises `UsageError`."""
    op = layer.op
    kind = op.kind
    whole = inputs[0][1:] if inputs else ()
    if kind == "linear":
        fields = op.model_dump()
        return _op("conv2d", out_channels=fields["out_features"], kernel_size=whole, bias=fields["bias"])
    if kind == "flatten":
        return _op("identity")
    if kind in ("global_avg_pool2d", "adaptive_avg_pool2d"):
        wanted = getattr(op, "output_size", (1, 1))
        if wanted == whole:
            return _op("identity")
        if wanted == (1, 1):
            return _op("avg_pool2d", kernel_size=whole, stride=1)
    elif (
        kind in _AS_THEY_ARE
        and not (kind == "crop2d" and len(inputs) > 1)
        and all(shape[1:] == whole for shape in inputs)
    ):
        return op
    raise UsageError(
        f'layer "{layer.name}" ({kind}, {" and ".join(map(format_shape, inputs))}) cannot slide over a larger image: '
        f"it has no form as a window"
    )


def _op(kind: str, **fields: object) -> Op:
    return OPS[kind].model_validate(fields)


def _sees_an_edge(op: Op, shape: Shape) -> bool:
    """Whether windows reach over the edge of the map."""
    if not isinstance(op, Windowed):
        padding = getattr(op, "padding", NO_PADDING) if op.kind == "zero_pad2d" else NO_PADDING
        return padding == "same" or any(padding)
    axes = [op.axis(shape, index) for index in (0, 1)]
    hangs = (
        isinstance(op, Pool2d)
        and op.ceil_mode
        and any(rules.leftover(axis.size, axis.window, axis.stride, axis.padding) for axis in axes)
    )
    return hangs or any(axis.padding for axis in axes)


def slide(
    analysis: Analysis, large: Array, weights: Weights, observe: Callable[[int, str], None] | None = None
) -> Slid:
    """Run a network over a large image (1, C, H, W) in one pass, and over each of its crops.

    A crop is as large as the network's own input, and starts where a position of the one pass does. Raises
    `UsageError` where the image is smaller, or larger by what is no multiple of the stride. `observe` is called with 1,
    2, … and a word as the runs are done.
    """
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
    each = sum(analysis.rows[index].multiplications for index in reads(analysis.graph, _main(analysis.graph).layer))
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
