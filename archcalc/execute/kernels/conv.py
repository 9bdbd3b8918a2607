"""Convolutions, each in forms that agree: loops over positions, one matrix product (im2col), and a fast one.

A filter is not turned over: what networks call convolution is cross-correlation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from archcalc.execute.kernels.registry import Algorithm, Array, Matrices, Sizes, kernel
from archcalc.execute.kernels.windows import NO_PADDING, Frame, Padding, Pair, Sides, lay
from archcalc.execute.quick import kernels as fast

#: Bytes of X_col that are made at a time; more would leave the cache for nothing.
SLAB_BYTES = 4 << 20
Connections = Sequence[Sequence[int]]


def _arrays(
    x: Array, *, out_channels: int, kernel_size: Pair, groups: int, bias: bool, connections: Connections | None
) -> Sizes:
    if connections is None:
        weight: tuple[int, ...] = (out_channels, x.shape[1] // groups, *kernel_size)
    else:
        weight = (sum(len(row) for row in connections), *kernel_size)
    return {"weight": weight, **({"bias": (out_channels,)} if bias else {})}


def _once_a_result(_x: Array, out: Array) -> int:
    return int(out.shape[2] * out.shape[3])


def im2col_sizes(
    x: Array,
    weight: Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Matrices:
    """The matrices that `im2col` multiplies. AlexNet's conv1: 96×363 · 363×3025 = 96×3025."""
    frame = lay(x, (weight.shape[2], weight.shape[3]), stride, padding, dilation)
    view = frame.windows(frame.pad(x[:1]))
    positions = view.shape[2] * view.shape[3]
    filters, taps = weight.shape[0] // groups, weight[0].size
    return Matrices((filters, taps), (taps, positions), (filters, positions), groups)


@kernel("conv2d", arrays=_arrays, weight_uses=_once_a_result, matrices=im2col_sizes)
def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    connections: Connections | None = None,
    algorithm: Algorithm = "auto",
) -> Array:
    """2-d convolution. x (N, C, H, W), weight (K, C/groups, kernel height, width), bias (K,) → (N, K, …, …).

    Source: CS231n, convolutional layer. With a table of `connections` filter k reads the input channels that row k
    names, and weight is (number of connections, height, width), row by row. Source: LeCun et al. 1998, table I.
    """
    if connections is not None:
        how = {"stride": stride, "padding": padding, "dilation": dilation, "algorithm": algorithm}
        return _by_table(x, weight, bias, connections, **how)
    if x.shape[1] != weight.shape[1] * groups or weight.shape[0] % groups:
        raise ValueError(f"weight {weight.shape} in {groups} groups does not fit a map of {x.shape[1]} channels")
    frame = lay(x, (weight.shape[2], weight.shape[3]), stride, padding, dilation)
    if algorithm == "fast":
        return fast.conv2d(x, weight, bias, stride=stride, padding=frame.sides, dilation=dilation, groups=groups)
    form = _loops if algorithm == "loops" else _im2col
    out = form(frame.pad(x), weight, frame, groups)
    return out if bias is None else _add_bias(out, bias)


def _loops(padded: Array, weight: Array, frame: Frame, groups: int) -> Array:
    """V[k, i, j] = np.sum(X[:, i·S : i·S + F, j·S : j·S + F] * W[k]) + b[k]. Source: CS231n, "as numpy examples"."""
    filters, depth = weight.shape[:2]
    rows, columns = frame.places(padded)
    out = np.empty((len(padded), filters, len(rows), len(columns)), padded.dtype)
    for k in range(filters):
        first = k // (filters // groups) * depth
        x = padded[:, first : first + depth]
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                out[:, k, i, j] = np.sum(frame.at(x, top, left) * weight[k], axis=(1, 2, 3))
    return out


def _im2col(padded: Array, weight: Array, frame: Frame, groups: int) -> Array:
    """W_row @ X_col: each window a column, each filter a row.

    Source: CS231n, "implementation as matrix multiplication". X_col is made a few output rows at a time: whole it
    would hold every pixel kernel height × width times.
    """
    filters = len(weight)
    view = frame.windows(padded)
    images, channels, height, width = view.shape[:4]
    w_row = weight.reshape(groups, filters // groups, -1)
    out = np.empty((images, groups, filters // groups, height, width), padded.dtype)
    for image in range(images):
        for rows in _slabs(height, channels * width * weight[0, 0].size * padded.itemsize):
            # (C, rows, columns, F, F) → (groups, C/groups·F·F, positions)
            x_col = view[image, :, rows].transpose(0, 3, 4, 1, 2).reshape(groups, w_row.shape[2], -1)
            out[image, :, :, rows] = (w_row @ x_col).reshape(groups, filters // groups, -1, width)
    return out.reshape(images, filters, height, width)


def _slabs(rows: int, row_bytes: int) -> Iterator[slice]:
    step = max(SLAB_BYTES // row_bytes, 1)
    for first in range(0, rows, step):
        yield slice(first, min(first + step, rows))


def _add_bias(out: Array, bias: Array) -> Array:
    out += bias[:, None, None]
    return out


def _by_table(
    x: Array,
    weight: Array,
    bias: Array | None,
    connections: Connections,
    **how: Any,
) -> Array:
    """Each filter on the channels that its row names; `how`: settings of `conv2d`."""
    if len(weight) != sum(len(row) for row in connections):
        raise ValueError(f"{len(weight)} weights for {sum(len(row) for row in connections)} connections")
    planes = []
    first = 0
    for row in connections:
        one_filter = weight[None, first : first + len(row)]
        first += len(row)
        planes.append(conv2d(x[:, list(row)], one_filter, **how))
    out = np.concatenate(planes, axis=1)
    return out if bias is None else _add_bias(out, bias)


def _depthwise_arrays(x: Array, *, kernel_size: Pair, depth_multiplier: int, bias: bool) -> Sizes:
    filters = x.shape[1] * depth_multiplier
    return {"weight": (filters, 1, *kernel_size), **({"bias": (filters,)} if bias else {})}


def _depthwise_sizes(x: Array, weight: Array, *, stride: Pair, padding: Padding, dilation: Pair) -> Matrices:
    return im2col_sizes(x, weight, stride=stride, padding=padding, dilation=dilation, groups=x.shape[1])


@kernel("depthwise_conv2d", arrays=_depthwise_arrays, weight_uses=_once_a_result, matrices=_depthwise_sizes)
def depthwise_conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    algorithm: Algorithm = "auto",
) -> Array:
    """Each channel by itself: weight (C·multiplier, 1, height, width). Source: Howard et al. 2017, section 3.1."""
    return conv2d(
        x,
        weight,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=x.shape[1],
        algorithm=algorithm,
    )


def _transpose_arrays(x: Array, *, out_channels: int, kernel_size: Pair, groups: int, bias: bool) -> Sizes:
    weight = (x.shape[1], out_channels // groups, *kernel_size)
    return {"weight": weight, **({"bias": (out_channels,)} if bias else {})}


def _once_a_pixel(x: Array, _out: Array) -> int:
    return int(x.shape[2] * x.shape[3])


@kernel("conv_transpose2d", arrays=_transpose_arrays, weight_uses=_once_a_pixel)
def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Sides = NO_PADDING,
    output_padding: Pair = (0, 0),
    groups: int = 1,
    algorithm: Algorithm = "auto",
) -> Array:
    """Every input value stamps its filter on the output, scaled by the value; stamps that overlap add up.

    weight (C, K/groups, height, width). The padding is cut off the result; `output_padding` lets it reach further
    at the bottom and right. Source: Dumoulin & Visin 2016, chapter 4.
    """
    images, channels, height, width = x.shape
    depth, *window = weight.shape[1:]
    if channels != weight.shape[0] or channels % groups:
        raise ValueError(f"weight {weight.shape} in {groups} groups does not fit a map of {channels} channels")
    tops = range(0, height * stride[0], stride[0])
    lefts = range(0, width * stride[1], stride[1])
    canvas = np.zeros(
        (
            images,
            groups * depth,
            tops[-1] + window[0] + output_padding[0],
            lefts[-1] + window[1] + output_padding[1],
        ),
        x.dtype,
    )
    inner = channels // groups
    for group in range(groups):
        maps = x[:, group * inner : (group + 1) * inner]
        filters = weight[group * inner : (group + 1) * inner]
        target = canvas[:, group * depth : (group + 1) * depth]
        if algorithm == "loops":
            _stamp_one_by_one(target, maps, filters, tops, lefts)
        else:
            _stamp_by_tap(target, maps, filters, tops, lefts)
    top, left, bottom, right = padding
    out = np.ascontiguousarray(canvas[:, :, top : canvas.shape[2] - bottom, left : canvas.shape[3] - right])
    return out if bias is None else _add_bias(out, bias)


def _stamp_one_by_one(target: Array, maps: Array, filters: Array, tops: range, lefts: range) -> None:
    """Position by position: the whole stamp at once."""
    rows, columns = filters.shape[2:]
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            stamp = np.sum(maps[:, :, None, None, None, i, j] * filters, axis=1)
            target[:, :, top : top + rows, left : left + columns] += stamp


def _stamp_by_tap(target: Array, maps: Array, filters: Array, tops: range, lefts: range) -> None:
    """One matrix product makes all stamps; then tap after tap of them is added (col2im)."""
    images, channels, height, width = maps.shape
    _, depth, rows, columns = filters.shape
    w_row = filters.reshape(channels, -1).T
    for image in range(images):
        stamps = (w_row @ maps[image].reshape(channels, -1)).reshape(depth, rows, columns, height, width)
        for row in range(rows):
            for column in range(columns):
                down = slice(row, row + tops[-1] + 1, tops.step)
                across = slice(column, column + lefts[-1] + 1, lefts.step)
                target[image, :, down, across] += stamps[:, row, column]


def _local_arrays(
    x: Array,
    *,
    out_channels: int,
    kernel_size: Pair,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    bias: bool,
) -> Sizes:
    frame = lay(x, kernel_size, stride, padding, dilation)
    positions = frame.windows(frame.pad(x[:1, :1])).shape[2:4]
    out = (out_channels, *positions)
    return {"weight": (*out, x.shape[1], *kernel_size), **({"bias": out} if bias else {})}


def _once(_x: Array, _out: Array) -> int:
    return 1


@kernel("locally_connected2d", arrays=_local_arrays, weight_uses=_once)
def locally_connected2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    algorithm: Algorithm = "auto",
) -> Array:
    """Filters of its own for every position: weight (K, rows, columns, C, height, width), bias (K, rows, columns).

    Source: CS231n, parameter sharing.
    """
    frame = lay(x, (weight.shape[4], weight.shape[5]), stride, padding, dilation)
    view = frame.windows(frame.pad(x))
    images, _, height, width = view.shape[:4]
    if (height, width) != weight.shape[1:3]:
        raise ValueError(f"weights for {weight.shape[1:3]} positions, but there are {(height, width)}")
    out = np.empty((images, len(weight), height, width), x.dtype)
    for i in range(height):
        for j in range(width):
            if algorithm == "loops":
                for k in range(len(weight)):
                    out[:, k, i, j] = np.sum(view[:, :, i, j] * weight[k, i, j], axis=(1, 2, 3))
            else:
                w_row = weight[:, i, j].reshape(len(weight), -1)
                out[:, :, i, j] = (w_row @ view[:, :, i, j].reshape(images, -1).T).T
    if bias is not None:
        out += bias
    return out
