"""How each op is spelt in ONNX, opset 21, with the operators that every runtime has. Maps are (N, C, …) as here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from archcalc.interop.export.onnx_graph import Builder
from archcalc.interop.export.spelling import Case, pools_padding
from archcalc.ops.axes import axis_of
from archcalc.ops.reweighted import Reweighted

#: Writes the nodes of a layer and gives the name of its value.
Writer = Callable[[Builder, Case, Sequence[str]], str]
TABLE: dict[str, Writer] = {}


def write(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    """The nodes of a layer. Raises `UsageError` that names the layer where there is no such thing."""
    found = TABLE.get(re.sub("[123]d$", "Nd", case.op.kind))
    if found is None:
        raise case.missing("ONNX")
    return found(g, case, inputs)


def written(*kinds: str) -> Callable[[Writer], Writer]:
    """Register how these kinds are written."""

    def register(function: Writer) -> Writer:
        TABLE.update(dict.fromkeys(kinds, function))
        return function

    return register


def _plain(kind: str, op: str, **attributes: Any) -> None:
    """An op that is one node; attributes that are texts name a field."""

    def make(g: Builder, case: Case, inputs: Sequence[str]) -> str:
        given = {
            name: getattr(case.op, value.removeprefix("op.")) if str(value).startswith("op.") else value
            for name, value in attributes.items()
        }
        return str(g(op, *inputs, **given))

    TABLE[kind] = make


_plain("relu", "Relu")
_plain("sigmoid", "Sigmoid")
_plain("tanh", "Tanh")
_plain("leaky_relu", "LeakyRelu", alpha="op.negative_slope")
_plain("elu", "Elu", alpha="op.alpha")
_plain("selu", "Selu")
_plain("gelu", "Gelu", approximate="op.approximate")
_plain("mish", "Mish")
_plain("hardsigmoid", "HardSigmoid", alpha=1 / 6, beta=0.5)
_plain("hardswish", "HardSwish")
_plain("softmax", "Softmax", axis=1)
_plain("log_softmax", "LogSoftmax", axis=1)
_plain("flatten", "Flatten", axis=1)
for _kind in ("identity", "stochastic_depth", "drop_block", "feature_dropout", "alpha_dropout"):
    _plain(_kind, "Identity")
_plain("feature_alpha_dropout", "Identity")


@written("concat")
def _concat(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    return str(g("Concat", *inputs, axis=1 + axis_of(op.axis, case.inputs[0])))


@written("parameter")
def _parameter(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    """The same map for every image; the input says how many there are."""
    count = g("Slice", g("Shape", inputs[0]), g.ints([0]), g.ints([1]))
    whole = g("Concat", count, g.ints(case.output), axis=0)
    return str(g("Expand", g("Unsqueeze", g.weight("weight"), g.ints([0])), whole))


@written("dropout")
def _dropout(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    return str(g("Dropout", inputs[0], g.number(op.p)))


# --- activation functions


@written("relu6", "hardtanh")
def _clip(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    low, high = (0.0, 6.0) if op.kind == "relu6" else (op.min_val, op.max_val)
    return str(g("Clip", inputs[0], g.number(low), g.number(high)))


@written("scaled_tanh")
def _scaled_tanh(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    # Source: LeCun et al. 1998, appendix A.
    inner = g("Tanh", g("Mul", inputs[0], g.number(2 / 3)))
    return str(g("Mul", inner, g.number(1.7159)))


@written("silu")
def _silu(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    return str(g("Mul", inputs[0], g("Sigmoid", inputs[0])))


@written("glu")
def _glu(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    first, second = g("Split", inputs[0], outputs=2, axis=1, num_outputs=2)
    return str(g("Mul", first, g("Sigmoid", second)))


@written("prelu")
def _prelu(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    return str(g("PRelu", inputs[0], g.spread(g.weight("weight"), case.rank)))


@written("softplus")
def _softplus(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    x = inputs[0] if op.beta == 1 else g("Mul", inputs[0], g.number(op.beta))
    soft = g("Softplus", x)
    soft = soft if op.beta == 1 else g("Div", soft, g.number(op.beta))
    return str(g("Where", g("Greater", x, g.number(op.threshold)), inputs[0], soft))


# --- convolutions


@written("convNd")
def _conv(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    window = {
        "kernel_shape": op.kernel_size, "strides": op.stride, "dilations": op.dilation,
        "pads": list(op.sides(case.inputs[0])),
    }  # fmt: skip
    bias = [g.weight("bias")] if op.bias else []
    if op.connections is None:
        return str(g("Conv", inputs[0], _weight(g, op), *bias, group=op.groups, **window))
    # Each filter reads the channels of its row.
    maps, first, weight = [], 0, g.weight("weight")
    for row in op.connections:
        filters = g("Unsqueeze", g.slice(weight, 0, first, first + len(row)), g.ints([0]))
        maps.append(g("Conv", g("Gather", inputs[0], g.ints(row), axis=1), filters, **window))
        first += len(row)
    out = g("Concat", *maps, axis=1)
    return str(g("Add", out, g.spread(bias[0], case.rank)) if bias else out)


def _weight(g: Builder, op: Reweighted) -> str:
    """The weight, made of the arrays of a normalised one."""
    if op.weight_norm:
        v = g.weight("original1")
        lengths = g("ReduceL2", v, g.ints(range(1, len(g.shape("original1")))), keepdims=1)
        return str(g("Mul", v, g("Div", g.weight("original0"), lengths)))
    weight = g.weight("weight")
    if not op.spectral_norm:
        return weight
    first = op.output_axis
    order = (first, *(axis for axis in range(len(g.shape("weight"))) if axis != first))
    matrix = g("Reshape", g.transpose(weight, *order), g.ints([*g.shape("_u"), -1]))
    sigma = g("MatMul", g("MatMul", g.weight("_u"), matrix), g.weight("_v"))
    return str(g("Div", weight, sigma))


@written("conv_transposeNd")
def _conv_transpose(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    bias = [g.weight("bias")] if op.bias else []
    sides = op.cut_off()
    return str(g(
        "ConvTranspose", inputs[0], _weight(g, op), *bias, pads=list(sides), kernel_shape=op.kernel_size,
        strides=op.stride, group=op.groups, output_padding=op.output_padding,
    ))  # fmt: skip


@written("locally_connectedNd")
def _local(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    sides = op.sides(case.inputs[0])
    rank, sizes = case.rank, case.output[1:]
    x = g.pad(inputs[0], {2 + n: (sides.begins[n], sides.ends[n]) for n in range(rank)})
    taps = []
    for tap in _indices(op.kernel_size):
        seen = x
        for axis, index in enumerate(tap):
            start = index * op.dilation[axis]
            stop = start + (sizes[axis] - 1) * op.stride[axis] + 1
            seen = g.slice(seen, 2 + axis, start, stop, op.stride[axis])
        taps.append(g("Unsqueeze", seen, g.ints([2])))
    # (N, C·taps, positions) times (K, positions, C·taps).
    windows = g.reshape(g("Concat", *taps, axis=2), -1, math.prod(sizes))
    weight = g("Reshape", g.weight("weight"), g.ints([op.out_channels, math.prod(sizes), -1]))
    out = g.reshape(g("Einsum", windows, weight, equation="nfp,kpf->nkp"), *case.output)
    return str(g("Add", out, g.weight("bias")) if op.bias else out)


def _indices(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for size in sizes:
        found = [(*before, index) for before in found for index in range(size)]
    return found


# --- pools


def _pooled(g: Builder, case: Case, x: str, op_type: str, value: float, outputs: int = 1, **more: Any) -> Any:
    """A pool with all padding that it needs: as an attribute where it is less than the window, else before it."""
    op: Any = case.op
    needed = pools_padding(case)
    window = {"kernel_shape": op.kernel_size, "strides": op.stride, **more}
    if any(step != 1 for step in op.dilation):
        window["dilations"] = op.dilation
    largest = [max(pair) for pair in zip(needed.begins, needed.ends, strict=True)]
    if all(side < size for side, size in zip(largest, op.kernel_size, strict=True)):
        return g(op_type, x, outputs=outputs, pads=list(needed), **window)
    if outputs > 1:
        raise case.cannot("a pool whose maxima are put back, with such padding,", "ONNX")
    axes = enumerate(zip(needed.begins, needed.ends, strict=True))
    return g(op_type, g.pad(x, {2 + axis: pair for axis, pair in axes}, value), **window)


@written("max_poolNd")
def _max_pool(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    if not case.switches:
        return str(_pooled(g, case, inputs[0], "MaxPool", float("-inf")))
    out, places = _pooled(g, case, inputs[0], "MaxPool", float("-inf"), outputs=2)
    # Places in all of the batch become places in a channel.
    plane = math.prod(case.inputs[0][1:])
    g("Mod", places, g.ints([plane], ()))
    return str(out)


@written("avg_poolNd")
def _avg_pool(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    sides = op.sides(case.inputs[0])
    mean = str(_pooled(g, case, inputs[0], "AveragePool", 0.0, count_include_pad=1))
    counts = []
    for index, axis in enumerate(op.axes(case.inputs[0])):
        low, high = (-axis.before, axis.size + sides.ends[index]) if op.count_include_pad else (0, axis.size)
        taps = range(0, op.kernel_size[index] * op.dilation[index], op.dilation[index])
        starts = [position * axis.stride - axis.before for position in range(case.output[1 + index])]
        counts.append([sum(low <= start + tap < high for tap in taps) for start in starts])
    # A mean over the whole window becomes one over what counts, axis by axis.
    for index, (size, column) in enumerate(zip(op.kernel_size, counts, strict=True)):
        if any(count != size for count in column):
            shape = [1] * (2 + case.rank)
            shape[2 + index] = len(column)
            mean = str(g("Mul", mean, g.floats([size / count for count in column], shape)))
    return mean


@written("lp_poolNd")
def _lp_pool(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    powers = inputs[0]
    powers = g("Abs", powers) if op.norm_type % 2 else powers
    powers = powers if op.norm_type == 1 else g("Pow", powers, g.number(op.norm_type))
    mean = _pooled(g, case, powers, "AveragePool", 0.0, count_include_pad=1)
    sums = g("Mul", mean, g.number(math.prod(op.kernel_size)))
    return str(sums if op.norm_type == 1 else g("Pow", sums, g.number(1 / op.norm_type)))


@written("subsamplingNd")
def _subsampling(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    mean = _pooled(g, case, inputs[0], "AveragePool", 0.0, count_include_pad=1)
    sums = g("Mul", mean, g.number(math.prod(op.kernel_size)))
    scaled = g("Mul", sums, g.spread(g.weight("weight"), case.rank))
    return str(g("Add", scaled, g.spread(g.weight("bias"), case.rank)))


_plain("global_avg_poolNd", "GlobalAveragePool")
_plain("global_max_poolNd", "GlobalMaxPool")


@written("adaptive_avg_poolNd", "adaptive_max_poolNd")
def _adaptive(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    """Windows that tile the map are a pool; else the means or maxima of parts, one axis after the other."""
    average = "avg" in case.op.kind
    sizes, counts = case.inputs[0][1:], case.output[1:]
    if all(size % count == 0 for size, count in zip(sizes, counts, strict=True)):
        window = [size // count for size, count in zip(sizes, counts, strict=True)]
        return str(g("AveragePool" if average else "MaxPool", inputs[0], kernel_shape=window, strides=window))
    x = inputs[0]
    for axis, (size, count) in enumerate(zip(sizes, counts, strict=True), 2):
        ends = [(n * size // count, -(-(n + 1) * size // count)) for n in range(count)]
        parts = [g.slice(x, axis, *each) for each in ends]
        reduce = "ReduceMean" if average else "ReduceMax"
        x = g("Concat", *(g(reduce, part, g.ints([axis]), keepdims=1) for part in parts), axis=axis)
    return x


@written("max_unpoolNd")
def _max_unpool(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    """Values put where they were found: a row for each channel, in which the last of two at one place stays."""
    x, places = inputs[0], inputs[1]
    if case.pooled is None or case.pooled[1:] != case.output[1:]:
        raise case.cannot("unpooling to another size than that of the map that was pooled", "ONNX")
    batch = g("Slice", g("Shape", x), g.ints([0]), g.ints([2]))
    row = math.prod(case.output[1:])
    zeros = g("ConstantOfShape", g("Concat", batch, g.ints([row]), axis=0))
    values, index = (g.reshape(each, case.inputs[0][0], -1) for each in (x, places))
    return g.reshape(g("ScatterElements", zeros, index, values, axis=2), *case.output)


# --- dense layers and trained values


@written("linear")
def _linear(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    bias = [g.weight("bias")] if op.bias else []
    if not op.per_position or not case.rank:
        x = g("Flatten", inputs[0], axis=1) if case.rank else inputs[0]
        return str(g("Gemm", x, _weight(g, op), *bias, transB=1))
    channels, *positions = case.inputs[0]
    rows = inputs[0] if case.rank == 1 else g.reshape(inputs[0], channels, -1)
    out = g("MatMul", _weight(g, op), rows)
    out = g("Add", out, g.spread(bias[0], 1)) if bias else out
    return str(out if case.rank == 1 else g.reshape(out, op.out_features, *positions))


@written("rbf")
def _rbf(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    away = g("Sub", g("Unsqueeze", inputs[0], g.ints([1])), g.weight("centers"))
    return str(g("ReduceSum", g("Mul", away, away), g.ints([2]), keepdims=0))


@written("scale")
def _scale(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    out = g("Mul", inputs[0], g.spread(g.weight("weight"), case.rank))
    return str(g("Add", out, g.spread(g.weight("bias"), case.rank)) if op.bias else out)


@written("position_embedding")
def _positions(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    return str(g("Add", inputs[0], g.weight("weight")))


@written("class_token")
def _class_token(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    count = g("Slice", g("Shape", inputs[0]), g.ints([0]), g.ints([1]))
    tokens = g("Expand", g("Unsqueeze", g.weight("weight"), g.ints([0])), g("Concat", count, g.ints([1, 1]), axis=0))
    return str(g("Concat", tokens, inputs[0], axis=2))


@written("embedding")
def _embedding(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    numbers = g("Cast", g("Round", inputs[0]), to=7)
    numbers = g("Mod", numbers, g.ints([op.num_embeddings], ()))
    numbers = g.reshape(numbers, *case.output[1:]) if case.rank else numbers
    rank = len(case.output) - 1
    return g.transpose(g("Gather", g.weight("weight"), numbers, axis=0), 0, 1 + rank, *range(1, 1 + rank))


# --- normalisation


def _filled(g: Builder, value: float, shape: Sequence[int]) -> str:
    """The same number in every place, for scales and shifts that a layer does not have."""
    return str(g("Expand", g.number(value), g.ints(shape)))


def _or(g: Builder, name: str, value: float, shape: Sequence[int]) -> str:
    return g.weight(name) if g.has(name) else _filled(g, value, shape)


@written("batch_normNd")
def _batch_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    size = case.inputs[0][:1]
    return str(g(
        "BatchNormalization", inputs[0], _or(g, "weight", 1.0, size), _or(g, "bias", 0.0, size),
        g.weight("running_mean"), g.weight("running_var"), epsilon=op.epsilon,
    ))  # fmt: skip


@written("local_response_norm")
def _lrn(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    channels, *positions = case.inputs[0]
    plane = case.rank == 2
    if op.size % 2:
        x = inputs[0] if plane else g.reshape(inputs[0], channels, -1, 1)
        out = g("LRN", x, size=op.size, alpha=op.alpha, beta=op.beta, bias=op.k)
        return str(out if plane else g.reshape(out, channels, *positions))
    # Runtimes take windows of an odd size alone: the mean of the squares is a pool over the channels.
    squares = g.reshape(g("Mul", inputs[0], inputs[0]), 1, channels, -1)
    padded = g.pad(squares, {2: (op.size // 2, (op.size - 1) // 2)})
    mean = g("AveragePool", padded, kernel_shape=[op.size, 1])
    scale = g("Add", g("Mul", mean, g.number(op.alpha)), g.number(op.k))
    powers = g.reshape(g("Pow", scale, g.number(op.beta)), channels, *positions)
    return str(g("Div", inputs[0], powers))


@written("layer_norm")
def _layer_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    size = case.inputs[0] if op.axes == "all" else case.inputs[0][:1]
    scale = _or(g, "weight", 1.0, size)
    bias = [g.weight("bias")] if g.has("bias") else []
    if op.axes == "all" or not case.rank:
        return str(g("LayerNormalization", inputs[0], scale, *bias, axis=1, epsilon=op.epsilon))
    last = g.transpose(inputs[0], 0, *range(2, 2 + case.rank), 1)
    out = g("LayerNormalization", last, scale, *bias, axis=-1, epsilon=op.epsilon)
    return g.transpose(out, 0, 1 + case.rank, *range(1, 1 + case.rank))


@written("rms_norm")
def _rms_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    axes = [1] if op.axes == "channels" else range(1, 2 + case.rank)
    mean = g("ReduceMean", g("Mul", inputs[0], inputs[0]), g.ints(axes), keepdims=1)
    out = g("Div", inputs[0], g("Sqrt", g("Add", mean, g.number(op.epsilon))))
    rank = case.rank if op.axes == "channels" else 0
    out = g("Mul", out, g.spread(g.weight("weight"), rank)) if g.has("weight") else out
    return str(g("Add", out, g.spread(g.weight("bias"), rank)) if g.has("bias") else out)


@written("l2_norm")
def _l2_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    length = g("Sqrt", g("ReduceSum", g("Mul", inputs[0], inputs[0]), g.ints([1]), keepdims=1))
    return str(g("Div", inputs[0], g("Max", length, g.number(op.epsilon))))


@written("global_response_norm")
def _global_response_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    squares = g("Mul", inputs[0], inputs[0])
    axes = range(2, 2 + case.rank)
    norms = g("Sqrt", g("ReduceSum", squares, g.ints(axes), keepdims=1) if case.rank else squares)
    mean = g("ReduceMean", norms, g.ints([1]), keepdims=1)
    share = g("Mul", g("Div", norms, g("Add", mean, g.number(op.epsilon))), g.spread(g.weight("weight"), case.rank))
    out = g("Add", g("Mul", inputs[0], share), g.spread(g.weight("bias"), case.rank))
    return str(g("Add", inputs[0], out))


@written("group_norm", "instance_norm")
def _group_norm(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    """Instance normalisation of rows in which a group is a channel; then each channel's scale and shift."""
    op: Any = case.op
    channels, *positions = case.inputs[0]
    groups = op.num_groups if op.kind == "group_norm" else channels
    rows = g.reshape(inputs[0], groups, -1)
    size = (groups,)
    out = g("InstanceNormalization", rows, _filled(g, 1.0, size), _filled(g, 0.0, size), epsilon=op.epsilon)
    out = g.reshape(out, channels, *positions)
    out = g("Mul", out, g.spread(g.weight("weight"), case.rank)) if g.has("weight") else out
    return str(g("Add", out, g.spread(g.weight("bias"), case.rank)) if g.has("bias") else out)


# --- shapes


@written("reshape", "tokens", "grid")
def _reshape(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    return g.reshape(inputs[0], *case.output)


@written("cropNd")
def _crop(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    x = inputs[0]
    for axis, (begin, kept) in enumerate(zip(op.margins.begins, case.output[1:], strict=True), 2):
        if kept != case.inputs[0][axis - 1]:
            x = g.slice(x, axis, begin, begin + kept)
    return x if x != inputs[0] else str(g("Identity", x))


@written("sliceNd")
def _slice(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    x = inputs[0]
    for axis, (start, step) in enumerate(zip(op.start, op.step, strict=True), 2):
        x = g.slice(x, axis, start, case.inputs[0][axis - 1], step)
    return x


@written("zero_padNd")
def _zero_pad(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    pairs = zip(op.sides().begins, op.sides().ends, strict=True)
    out = g.pad(inputs[0], {2 + axis: pair for axis, pair in enumerate(pairs)})
    return out if out != inputs[0] else str(g("Identity", out))


@written("reflection_pad", "replication_pad", "circular_pad")
def _border_pad(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    mode = {"reflection_pad": "reflect", "replication_pad": "edge", "circular_pad": "wrap"}[op.kind]
    margins = op.margins(case.inputs[0])
    out = g.pad(inputs[0], {2 + axis: pair for axis, pair in enumerate(margins)}, mode=mode)
    return out if out != inputs[0] else str(g("Identity", out))


@written("pad_channels")
def _pad_channels(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    out = g.pad(inputs[0], {1: (op.before, op.after or 0)})
    return out if out != inputs[0] else str(g("Identity", out))


@written("upsampleNd", "interpolate")
def _resize(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    old, new = case.inputs[0][1:], case.output[1:]
    if op.mode == "nearest":
        x = inputs[0]
        for axis, (size, wanted) in enumerate(zip(old, new, strict=True), 2):
            if wanted % size and wanted != size:
                # What runtimes calculate in floating point is exact as a table.
                x = g("Gather", x, g.ints([index * size // wanted for index in range(wanted)]), axis=axis)
        done = case.inputs[0][1:]
        scales = [wanted / size if wanted % size == 0 else 1.0 for size, wanted in zip(done, new, strict=True)]
        if any(scale != 1 for scale in scales):
            x = g(
                "Resize", x, "", g.floats([1, 1, *scales]), mode="nearest", nearest_mode="floor",
                coordinate_transformation_mode="asymmetric",
            )  # fmt: skip
        return x if x != inputs[0] else str(g("Identity", x))
    places = "align_corners" if getattr(op, "align_corners", False) else "half_pixel"
    mode = "cubic" if op.mode == "bicubic" else "linear"
    cubic: dict[str, Any] = {"cubic_coeff_a": -0.75} if mode == "cubic" else {}
    size = g("Concat", g("Slice", g("Shape", inputs[0]), g.ints([0]), g.ints([2])), g.ints(new), axis=0)
    return str(g("Resize", inputs[0], "", "", size, mode=mode, coordinate_transformation_mode=places, **cubic))


@written("chunk", "split", "narrow")
def _part(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    axis = axis_of(op.axis, case.inputs[0])
    start, length, step = op.run(case.inputs[0][axis])
    return g.slice(inputs[0], 1 + axis, start, start + (length - 1) * step + 1, step)


@written("channel_shuffle")
def _channel_shuffle(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    channels, *positions = case.inputs[0]
    rows = g.reshape(inputs[0], op.groups, channels // op.groups, -1)
    return g.reshape(g.transpose(rows, 0, 2, 1, 3), channels, *positions)


@written("permute", "transpose")
def _permute(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    return g.transpose(inputs[0], 0, *(1 + axis for axis in op.order(case.inputs[0])))


@written("pixel_shuffle")
def _pixel_shuffle(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    factor, rank = op.upscale_factor, case.rank
    if rank == 2:
        return str(g("DepthToSpace", inputs[0], blocksize=factor, mode="CRD"))
    blocks = g.reshape(inputs[0], case.output[0], *[factor] * rank, *case.inputs[0][1:])
    order = [axis for place in range(rank) for axis in (2 + rank + place, 2 + place)]
    return g.reshape(g.transpose(blocks, 0, 1, *order), *case.output)


@written("pixel_unshuffle")
def _pixel_unshuffle(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    factor, rank = op.downscale_factor, case.rank
    parts = [part for size in case.output[1:] for part in (size, factor)]
    blocks = g.reshape(inputs[0], case.inputs[0][0], *parts)
    order = (0, 1, *range(3, 3 + 2 * rank, 2), *range(2, 2 + 2 * rank, 2))
    return g.reshape(g.transpose(blocks, *order), *case.output)


@written("roll")
def _roll(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    x = inputs[0]
    shifts = op.shifts if len(op.shifts) == case.rank else op.shifts * case.rank
    for axis, (shift, size) in enumerate(zip(shifts, case.inputs[0][1:], strict=True), 2):
        moved = shift % size
        if moved:
            parts = [g.slice(x, axis, size - moved, size), g.slice(x, axis, 0, size - moved)]
            x = g("Concat", *parts, axis=axis)
    return x if x != inputs[0] else str(g("Identity", x))


# --- several maps into one


def _wide(g: Builder, case: Case, inputs: Sequence[str]) -> list[str]:
    """The maps, flat ones with an axis for each position axis of the largest."""
    axes = max(map(len, case.inputs))
    return [
        x if len(shape) == axes else g("Unsqueeze", x, g.ints(range(1 + len(shape), 1 + axes)))
        for x, shape in zip(inputs, case.inputs, strict=True)
    ]


@written("add")
def _add(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    maps = _wide(g, case, inputs)
    return str(g("Add" if len(maps) == 2 else "Sum", *maps))


@written("multiply")
def _multiply(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    first, *others = _wide(g, case, inputs)
    for other in others:
        first = g("Mul", first, other)
    return str(g("Mul", first, g.number(op.factor)) if op.factor != 1 or not others else first)


@written("subtract", "divide")
def _difference(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    return str(g("Sub" if case.op.kind == "subtract" else "Div", *_wide(g, case, inputs)))


@written("rescale")
def _rescale(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op

    def given(numbers: Any) -> str:
        return g.spread(g.floats(numbers), case.rank) if isinstance(numbers, tuple) else g.number(numbers)

    return str(g("Add", g("Mul", inputs[0], given(op.factor)), given(op.offset)))


@written("power")
def _power(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    return str(g("Pow", inputs[0], g.number(op.exponent)))


@written("matmul")
def _matmul(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    # Maps are (channels, positions), matrices positions × channels: (AB)ᵀ = BᵀAᵀ.
    rank = len(case.inputs[0]) - 1
    batch, back = range(2, rank + 1), (0, rank, *range(1, rank), rank + 1)
    first, second = (
        g.transpose(x, 0, *batch, *((rank + 1, 1) if turned else (1, rank + 1))) if turned or rank > 1 else x
        for x, turned in zip(inputs, (op.transpose_first, op.transpose_second), strict=True)
    )
    return str(g("MatMul", second, first)) if rank == 1 else str(g.transpose(g("MatMul", second, first), *back))


# --- attention


class _Parted(NamedTuple):
    """How many windows an image has, and what is added to the scores of each: (windows, 1, positions, positions)."""

    windows: int
    added: str


def _attended(
    g: Builder, maps: Sequence[str], shapes: Sequence[tuple[int, int]], heads: int, scale: float | None,
    offsets: str | None, causal: bool, parted: _Parted | None = None,
) -> str:  # fmt: skip
    """softmax(QKᵀ·scale + offsets)·V of rows (N, C, T), head by head: (N, C, T).

    `parted`: what is added to the scores of each window of an image: (windows, 1, T, T).
    """
    (embed, queries), (_, keys), (values, _) = shapes
    q, k, v = (g.reshape(x, heads, channels // heads, count) for x, (channels, count) in zip(maps, shapes, strict=True))
    factor = 1 / math.sqrt(embed // heads) if scale is None else scale
    q = g("Mul", g.transpose(q, 0, 1, 3, 2), g.number(factor))
    scores = g("MatMul", q, k)
    scores = scores if offsets is None else g("Add", scores, offsets)
    if parted is not None:
        whole = g("Reshape", scores, g.ints([-1, parted.windows, heads, queries, keys]))
        scores = g("Reshape", g("Add", whole, parted.added), g.ints([-1, heads, queries, keys]))
    if causal:
        hidden = [0.0 if key <= query else float("-inf") for query in range(queries) for key in range(keys)]
        scores = g("Add", scores, g.floats(hidden, (queries, keys)))
    shares = g("Softmax", scores, axis=-1)
    out = g("MatMul", shares, g.transpose(v, 0, 1, 3, 2))
    return g.reshape(g.transpose(out, 0, 1, 3, 2), values, queries)


@written("scaled_dot_product_attention")
def _sdpa(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    shapes = [(shape[0], shape[1]) for shape in case.inputs]
    return _attended(g, inputs, shapes, op.num_heads, op.scale, None, op.is_causal)


@written("multi_head_attention")
def _multi_head(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    embed = op.embed_dim
    places = (0, min(1, len(inputs) - 1), len(inputs) - 1)
    rows = {n: g.reshape(inputs[n], case.inputs[n][0], -1) for n in dict.fromkeys(places)}
    projected = []
    for number, (name, place) in enumerate(zip("qkv", places, strict=True)):
        part = (number * embed, (number + 1) * embed)
        together = g.has("in_proj_weight")
        weight = g.slice(g.weight("in_proj_weight"), 0, *part) if together else g.weight(f"{name}_proj_weight")
        out = g("MatMul", weight, rows[place])
        if op.bias:
            out = g("Add", out, g.spread(g.slice(g.weight("in_proj_bias"), 0, *part), 1))
        projected.append(out)
    counts = [math.prod(case.inputs[place][1:]) for place in places]
    window = op.window_size
    offsets = _offsets(g, case) if op.relative_position_bias else None
    grid = op.partition == "grid"
    if window is not None:
        projected = [_cut(g, x, embed, case.inputs[0][1:], window, grid) for x in projected]
        counts = [math.prod(window)] * 3
    shapes = [(embed, count) for count in counts]
    parted = _parted(g, case) if any(op.shift_size) else None
    mixed = _attended(g, projected, shapes, op.num_heads, None, offsets, op.is_causal, parted)
    if window is not None:
        mixed = _joined(g, mixed, embed, case.inputs[0][1:], window, grid)
    out = g("MatMul", g.weight("out_proj_weight"), g.reshape(mixed, embed, -1))
    out = g("Add", out, g.spread(g.weight("out_proj_bias"), 1)) if op.bias else out
    return g.reshape(out, *case.output)


def _parted(g: Builder, case: Case) -> _Parted:
    """What keeps positions of a window apart that come from both ends of a map that was rolled."""
    op: Any = case.op
    sizes = case.inputs[0][1:]
    inside = _indices(op.window_size)
    values: list[float] = []
    blocks = _indices([size // side for size, side in zip(sizes, op.window_size, strict=True)])
    for block in blocks:
        ends = [
            [
                b * side + i >= size - shift
                for b, i, side, size, shift in zip(block, one, op.window_size, sizes, op.shift_size, strict=True)
            ]
            for one in inside
        ]
        values += [0.0 if one == other else float("-inf") for one in ends for other in ends]
    return _Parted(len(blocks), g.floats(values, (len(blocks), 1, len(inside), len(inside))))


def _cut(g: Builder, x: str, embed: int, sizes: Sequence[int], window: Sequence[int], grid: bool) -> str:
    """(N, C, positions) as (N·windows, C, positions of a window)."""
    rank = len(sizes)
    pairs = [(size // side, side) for size, side in zip(sizes, window, strict=True)]
    parts = [part for pair in pairs for part in (pair[::-1] if grid else pair)]
    first, second = range(2, 2 + 2 * rank, 2), range(3, 3 + 2 * rank, 2)
    order = (0, *second, 1, *first) if grid else (0, *first, 1, *second)
    turned = g.transpose(g.reshape(x, embed, *parts), *order)
    return str(g("Reshape", turned, g.ints([-1, embed, math.prod(window)])))


def _joined(g: Builder, x: str, embed: int, sizes: Sequence[int], window: Sequence[int], grid: bool) -> str:
    """The inverse: (N, C, positions)."""
    rank = len(sizes)
    counts = [size // side for size, side in zip(sizes, window, strict=True)]
    parts = g("Reshape", x, g.ints([-1, *counts, embed, *window]))
    pairs = [(1 + place, 2 + rank + place) for place in range(rank)]
    order = (0, 1 + rank, *(axis for pair in pairs for axis in (pair[::-1] if grid else pair)))
    return g.reshape(g.transpose(parts, *order), embed, math.prod(sizes))


def _offsets(g: Builder, case: Case) -> str:
    """What each head adds to a pair of positions, by their offset: (heads, positions, positions)."""
    op: Any = case.op
    sides = op.window_size or case.inputs[0][1:]
    places = _indices(sides)
    rows = []
    for one in places:
        for other in places:
            row = 0
            for a, b, side in zip(one, other, sides, strict=True):
                row = row * (2 * side - 1) + a - b + side - 1
            rows.append(row)
    index = g.ints(rows, (len(places), len(places)))
    return g.transpose(g("Gather", g.weight("relative_position_bias_table"), index, axis=0), 2, 0, 1)


# --- recurrence

#: The gates in the order of ONNX, by their place in archcalc's (PyTorch's) order.
_GATES = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}


@written("rnn", "lstm", "gru")
def _recurrent(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    import numpy as np

    op: Any = case.op
    ways = ("", "_reverse")[: op.directions]

    def gates(name: str) -> Any:
        parts = np.split(g.array(name), len(_GATES[op.kind]))
        return np.concatenate([parts[place] for place in _GATES[op.kind]])

    more: dict[str, Any] = {"hidden_size": op.hidden_size}
    more["direction"] = "bidirectional" if op.bidirectional else "forward"
    if op.kind == "gru":
        more["linear_before_reset"] = 1
    if op.kind == "rnn":
        more["activations"] = [op.nonlinearity.capitalize()] * len(ways)
    x = g.transpose(inputs[0], 2, 0, 1)
    last = ""
    for layer in range(op.num_layers):
        arrays = [
            g.changed(f"weight_{kind}_l{layer}", np.stack([gates(f"weight_{kind}_l{layer}{way}") for way in ways]))
            for kind in ("ih", "hh")
        ]
        if op.bias:
            both = [np.concatenate([gates(f"bias_{kind}_l{layer}{way}") for kind in ("ih", "hh")]) for way in ways]
            arrays.append(g.changed(f"bias_l{layer}", np.stack(both)))
        # (T, directions, N, hidden) and (directions, N, hidden).
        states, last, *_ = g(op.kind.upper(), x, *arrays, outputs=3 if op.kind == "lstm" else 2, **more)
        flat = g.transpose(states, 0, 2, 1, 3)
        x = g("Reshape", flat, g.ints([0, 0, len(ways) * op.hidden_size]))
    if op.last:
        return g.reshape(g.transpose(last, 1, 0, 2), *case.output)
    return g.transpose(x, 1, 2, 0)
