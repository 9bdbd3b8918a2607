"""Running networks for the tests, and random networks to run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from archcalc.core.errors import ShapeError, SpecError
from archcalc.core.shapes import Shape
from archcalc.design.inputs import accepts
from archcalc.execute.kernels import KERNELS, Array
from archcalc.execute.runner import Execution, SeededWeights, execute
from archcalc.execute.runner.execute import Algorithm
from archcalc.execute.runner.inputs import random_inputs
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops import Op
from archcalc.passes.analysis import Analysis, analyse
from archcalc.passes.shapes import infer_shapes
from tests.networks import chain, op
from tests.ops.rows import SMALL
from tests.ranks import PLANE

#: Run whole; the others on the smallest of these sides that they accept, to save time.
QUICK = ("lenet5", "lenet5@1998", "resnet20_cifar", "mobilenet", "googlenet", "resnet18", "deconvnet")
SIDES = (32, 48, 64, 80, 92, 96, 112, 128, 140, 160, 188, 192, 224, 256)


def run(
    graph: LayerGraph,
    algorithm: Algorithm = "auto",
    count: bool = True,
    batch: int = 1,
    dtype: str = "float32",
    **more: Any,
) -> tuple[Execution, Analysis]:
    """The run and the analysis of a graph."""
    x = random_inputs(graph, batch, 0, dtype)
    execution = execute(graph, x, SeededWeights(graph, 0, dtype), algorithm, count, **more)
    return execution, analyse(graph, batch, dtype)


def outputs(execution: Execution) -> list[Array]:
    """The maps of the outputs in their order."""
    return list(execution.outputs.values())


def smaller(graph: LayerGraph) -> LayerGraph:
    """The same network on a small input that it accepts: the smallest of `SIDES` along each axis, if below its own.

    Else the smallest number of eighths of each axis: of clips, of flat inputs, and of several inputs together.
    """
    channels, *own = graph.input_shape
    if len(graph.inputs) == 1 and own:
        for side in SIDES:
            sides = (side,) * len(own)
            if side < min(own) and accepts(graph, sides):
                return graph.with_input((channels, *sides))
    for eighths in range(1, 8):
        with suppress(SpecError):  # the layers depend on the input, and there are none for this one
            found = graph.with_input({name: _share(shape, eighths) for name, shape in graph.inputs.items()})
            if not infer_shapes(found).problems:
                return found
    return graph


def _share(shape: Shape, eighths: int) -> Shape:
    """So many eighths of each position axis, or of the only axis."""
    kept = shape[:1] if len(shape) > 1 else ()
    return (*kept, *(max(1, size * eighths // 8) for size in shape[len(kept) :]))


def _pair(low: int, high: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(low, high), min_size=2, max_size=2)


def _fields(kind: str, draw: st.DrawFn, shape: Shape) -> dict[str, Any]:
    """Settings for an op on a map of this shape; they need not fit. Only what the op has is drawn."""
    channels = shape[0]
    padding = st.one_of(st.just("same"), st.integers(0, 2), st.lists(st.integers(0, 2), min_size=4, max_size=4))
    sides, flag, few = _pair(1, 3), st.booleans(), st.integers(1, 6)
    window = {"kernel_size": sides, "stride": sides, "padding": padding, "dilation": _pair(1, 2)}
    filters = {"out_channels": few, "bias": flag}
    pool = {**window, "ceil_mode": flag, "clip_last_window": flag}
    every: dict[str, dict[str, st.SearchStrategy[Any]]] = {
        "conv2d": {**window, **filters, "groups": st.sampled_from([1, 1, 2, channels])},
        "depthwise_conv2d": {**window, "depth_multiplier": st.integers(1, 2), "bias": flag},
        "locally_connected2d": {**window, **filters},
        "conv_transpose2d": {
            **filters,
            "kernel_size": sides,
            "stride": sides,
            "padding": st.integers(0, 1),
            "dilation": _pair(1, 2),
            "output_padding": st.integers(0, 1),
            "groups": st.sampled_from([1, 1, 2]),
        },
        "linear": {"out_features": few, "bias": flag, "per_position": flag},
        "rbf": {"out_features": few},
        "max_pool2d": pool,
        "avg_pool2d": {**pool, "count_include_pad": flag},
        "lp_pool2d": {**pool, "norm_type": st.integers(1, 3)},
        "subsampling2d": pool,
        "adaptive_avg_pool2d": {"output_size": _pair(1, 5)},
        "adaptive_max_pool2d": {"output_size": _pair(1, 5)},
        "batch_norm2d": {"scale": flag, "shift": flag},
        "local_response_norm": {"size": few},
        "multiply": {"factor": st.sampled_from([1.0, 0.5]), "broadcast": flag},
        "add": {"broadcast": flag},
        "reshape": {"shape": st.just(int(np.prod(shape)))},
        "crop2d": {"margins": st.integers(0, 2)},
        "split": {"sizes": st.integers(1, channels)},
        "slice2d": {"step": sides, "start": st.integers(0, 1)},
        "zero_pad2d": {"padding": padding, "kernel_size": sides, "stride": sides},
        "upsample2d": {"scale": sides, "mode": st.sampled_from(["nearest", "bilinear"])},
    }  # fmt: skip
    if kind in every:
        return {name: draw(values) for name, values in every[kind].items()}
    if kind == "pad_channels":
        return dict(draw(st.sampled_from([{"before": 1}, {"out_channels": channels + 3, "before": "half"}])))
    return dict(draw(st.sampled_from([row.fields for row in _PLAIN if row.kind == kind] or [{}])))


def _resolved(layer: Op, inputs: tuple[Shape, ...]) -> Shape | None:
    """The output shape, or None where the op does not fit."""
    if len(inputs) < layer.fewest_inputs:
        return None
    try:
        final = layer.resolve(inputs)
        final.check(inputs)
        return final.output_shape(inputs)
    except ShapeError:
        return None


#: Rows of flat maps and images, and the ops that have such maps: tokens have one position axis.
_PLAIN = [
    row
    for row in SMALL
    if all(len(each) in (1, 3) for each in (*row.inputs, row.output)) and row.kind != "matmul"  # it reads two maps
]
CHOICES = sorted(
    ({"input", "max_unpool2d", *(row.kind for row in SMALL)} ^ PLANE | {row.kind for row in _PLAIN}) & set(KERNELS)
)
#: What a plan may do together with the layer before it.
FOLLOWERS = ("batch_norm2d", "relu", "relu", "add", "multiply", "dropout", "identity")
#: What a plan may do together with the layers after it, and the pool that is undone.
HEADS = ("conv2d", "depthwise_conv2d", "linear", "batch_norm2d", "add", "max_pool2d")
LARGEST_MAP = 5000


def _sources(draw: st.DrawFn, kind: str, source: int, shapes: list[Shape]) -> tuple[int, ...]:
    """The layers that a layer reads, the first of them given."""
    if kind == "parameter":
        return ()
    if kind == "divide":
        # No value of the input is 0. By itself it would be a constant map, whose deviation is rounding alone.
        return (source, 0) if source else ()
    if kind not in ("add", "multiply", "subtract", "concat", "crop2d"):
        return (source,)
    if kind == "crop2d":
        return (source, *draw(st.lists(st.integers(0, len(shapes) - 1), max_size=1)))
    fits = [
        index
        for index, shape in enumerate(shapes)
        if (shape == shapes[source])
        or (kind == "multiply" and shape[0] == shapes[source][0] and int(np.prod(shape[1:])) == 1)
        or (kind == "concat" and shape[1:] == shapes[source][1:])
    ]
    if kind == "subtract":
        return (source, draw(st.sampled_from(fits)))
    others = draw(st.lists(st.sampled_from(fits), min_size=int(kind == "add"), max_size=2))
    together = [source, *others]
    return tuple(draw(st.permutations(together)))


def _residual(draw: st.DrawFn, source: int, shape: Shape) -> list[tuple[Op, tuple[int, ...]]]:
    """A unit whose convolution keeps the shape and is added to what it read."""
    fields = {"kernel_size": draw(st.sampled_from([1, 3])), "padding": "same"}
    first = op("depthwise_conv2d", **fields) if draw(st.booleans()) else op("conv2d", out_channels=shape[0], **fields)
    kinds = draw(st.lists(st.sampled_from(["batch_norm2d", "multiply", "dropout"]), max_size=2))
    unit: list[tuple[Op, tuple[int, ...]]] = [(first, (source,))]
    for kind in kinds:
        unit.append((op(kind), (source + len(unit),)))
    unit.append((op("add"), tuple(draw(st.permutations([source, source + len(unit)])))))
    if draw(st.booleans()):
        unit.append((op("relu"), (source + len(unit),)))
    return unit


@st.composite
def networks(draw: st.DrawFn, finite: bool = True) -> LayerGraph:
    """A legal network: random ops on random earlier maps, often what a plan does as one; pools are undone too.

    Maps are flat as often as they are not: some inputs have one pixel, and dense layers come early. Unless `finite`, a
    window of max pooling may hold nothing but padding, which is −∞.
    """
    channels = draw(st.integers(1, 4))
    first = (channels, *draw(st.sampled_from([(1, 1), (1, 4), (4, 4), (5, 3), (8, 10)])))
    nodes: list[tuple[Op, tuple[int, ...]]] = [(op("input", shape=first), ())]
    shapes: list[Shape] = [first]
    if draw(st.booleans()):
        nodes.append((op("linear", out_features=draw(st.integers(1, 6))), (0,)))
        shapes.append(nodes[-1][0].output_shape([first]))
    for _ in range(draw(st.integers(1, 9))):
        last = len(nodes) - 1
        if draw(st.integers(0, 5)) == 0 and len(shapes[last]) == 3:
            nodes += _residual(draw, last, shapes[last])
            shapes += [shapes[last]] * (len(nodes) - len(shapes))
            continue
        kind = draw(st.one_of(st.sampled_from(CHOICES), st.sampled_from(FOLLOWERS), st.sampled_from(HEADS)))
        source = last if kind in FOLLOWERS else draw(st.integers(max(last - 2, 0), last))
        sources = _sources(draw, kind, source, shapes)
        fields = _fields(kind, draw, shapes[source])
        if kind == "max_pool2d" and finite:
            fields["clip_last_window"] = True
        if kind == "crop2d" and len(sources) == 2 and draw(st.booleans()):
            del fields["margins"]
        layer = op(kind, **fields)
        found = _resolved(layer, tuple(shapes[each] for each in sources))
        if found is None or len(found) not in (1, 3) or int(np.prod(found)) > LARGEST_MAP:
            continue
        nodes.append((layer, sources))
        shapes.append(found)
        if kind == "max_pool2d" and isinstance(fields["padding"], int) and fields["clip_last_window"]:
            pool = len(nodes) - 1
            undo = op("max_unpool2d", kernel_size=fields["kernel_size"], stride=fields["stride"])
            # A dilated window reaches further than unpooling knows.
            if _resolved(undo, (found, found, shapes[source])) is not None:
                nodes.append((undo, (pool, pool, source)))
                shapes.append(shapes[source])
    more = draw(st.booleans()) and draw(st.lists(st.integers(0, len(nodes) - 1), max_size=2, unique=True))
    return chain(*nodes, outputs=more or (len(nodes) - 1,))


@st.composite
def sharing(draw: st.DrawFn) -> LayerGraph:
    """A random network of which some layers run again on the same map, with the weights of the first time."""
    graph = draw(networks())
    more = []
    for index, layer in enumerate(graph):
        if layer.op.may_have_arrays and draw(st.booleans()):
            more.append(Layer(f"again{index}", layer.op, layer.inputs, index))
    outputs = (*graph.outputs, *(Output(layer.name, len(graph) + index) for index, layer in enumerate(more)))
    return replace(graph, layers=(*graph.layers, *more), outputs=outputs)
