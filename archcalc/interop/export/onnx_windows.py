"""How convolutions and pools are written in ONNX."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from archcalc.interop.export.onnx_graph import Builder, Writer
from archcalc.interop.export.onnx_pointwise import plain
from archcalc.interop.export.spelling import Case, Table, pools_padding
from archcalc.ops.reweighted import Reweighted

TABLE: Table[Writer] = Table()


@TABLE.of("convNd")
def _conv(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    window = {
        "kernel_shape": op.kernel_size, "strides": op.stride, "dilations": op.dilation,
        "pads": list(op.sides(case.inputs[0])),
    }  # fmt: skip
    bias = [g.weight("bias")] if op.bias else []
    weight = weight_of(g, op)
    if op.connections is not None:
        # The filters of the channels that the table has, among zeros.
        places = [
            place for row, channels in enumerate(op.connections) for channel in channels for place in (row, channel)
        ]
        whole = (op.out_channels, case.inputs[0][0], *op.kernel_size)
        zeros = g("ConstantOfShape", g.ints(whole))
        weight = g("ScatterND", zeros, g.ints(places, (len(places) // 2, 2)), weight)
    return str(g("Conv", inputs[0], weight, *bias, group=op.groups, **window))


def weight_of(g: Builder, op: Reweighted) -> str:
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


@TABLE.of("conv_transposeNd")
def _conv_transpose(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    bias = [g.weight("bias")] if op.bias else []
    sides, ends, extra, zeros = op.cut_off(), [], [], {}
    for axis, (end, more, stride) in enumerate(zip(sides.ends, op.output_padding, op.stride, strict=True), 2):
        # ONNX Runtime adds less than a stride, whatever the dilation. More is less that is cut off, or zeros after x.
        wide = more >= stride
        lacking = max(more - end, 0) if wide else more
        ends.append(max(end - more, 0) if wide else end)
        extra.append(lacking % stride)
        zeros[axis] = (0, lacking // stride)
    x = g.pad(inputs[0], zeros)
    return str(g(
        "ConvTranspose", x, weight_of(g, op), *bias, pads=[*sides.begins, *ends], kernel_shape=op.kernel_size,
        strides=op.stride, dilations=op.dilation, group=op.groups, output_padding=extra,
    ))  # fmt: skip


@TABLE.of("locally_connectedNd")
def _local(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    sides = op.sides(case.inputs[0])
    rank, sizes = case.rank, case.output[1:]
    x = g.pad(inputs[0], {2 + n: (sides.begins[n], sides.ends[n]) for n in range(rank)})
    taps = []
    for tap in indices(op.kernel_size):
        seen = x
        for axis, index in enumerate(tap):
            start = index * op.dilation[axis]
            stop = start + (sizes[axis] - 1) * op.stride[axis] + 1
            seen = g.slice(seen, 2 + axis, start, stop, op.stride[axis])
        taps.append(g("Unsqueeze", seen, g.ints([2])))
    kernel, places = "hij"[:rank], "xyz"[:rank]
    windows = g.reshape(g("Concat", *taps, axis=2), case.inputs[0][0], *op.kernel_size, *sizes)
    equation = f"nc{kernel}{places},k{places}c{kernel}->nk{places}"
    out = g("Einsum", windows, g.weight("weight"), equation=equation)
    return str(g("Add", out, g.weight("bias")) if op.bias else out)


def indices(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for size in sizes:
        found = [(*before, index) for before in found for index in range(size)]
    return found


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


@TABLE.of("max_poolNd")
def _max_pool(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    if not case.switches:
        return str(_pooled(g, case, inputs[0], "MaxPool", float("-inf")))
    out, places = _pooled(g, case, inputs[0], "MaxPool", float("-inf"), outputs=2)
    # Places in all of the batch become places in a channel.
    plane = math.prod(case.inputs[0][1:])
    g("Mod", places, g.ints([plane], ()))
    return str(out)


@TABLE.of("avg_poolNd")
def _avg_pool(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    sides, needed = op.sides(case.inputs[0]), pools_padding(case)
    borders = zip(needed.begins, needed.ends, op.kernel_size, strict=True)
    if not op.count_include_pad and all(max(begin, end) < size for begin, end, size in borders):
        return str(_pooled(g, case, inputs[0], "AveragePool", 0.0, count_include_pad=0))
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


@TABLE.of("lp_poolNd")
def _lp_pool(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    powers = inputs[0]
    powers = g("Abs", powers) if op.norm_type % 2 else powers
    powers = powers if op.norm_type == 1 else g("Pow", powers, g.number(op.norm_type))
    mean = _pooled(g, case, powers, "AveragePool", 0.0, count_include_pad=1)
    sums = g("Mul", mean, g.number(math.prod(op.kernel_size)))
    return str(sums if op.norm_type == 1 else g("Pow", sums, g.number(1 / op.norm_type)))


@TABLE.of("subsamplingNd")
def _subsampling(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    mean = _pooled(g, case, inputs[0], "AveragePool", 0.0, count_include_pad=1)
    sums = g("Mul", mean, g.number(math.prod(op.kernel_size)))
    scaled = g("Mul", sums, g.spread(g.weight("weight"), case.rank))
    return str(g("Add", scaled, g.spread(g.weight("bias"), case.rank)))


plain("global_avg_poolNd", "GlobalAveragePool")
plain("global_max_poolNd", "GlobalMaxPool")


@TABLE.of("mean", "amax")
def _reduced(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    axes = g.ints([1 + axis for axis in op.places(case.inputs[0])])
    return str(g("ReduceMean" if op.kind == "mean" else "ReduceMax", inputs[0], axes, keepdims=1))


@TABLE.of("adaptive_avg_poolNd", "adaptive_max_poolNd")
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


@TABLE.of("max_unpoolNd")
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
