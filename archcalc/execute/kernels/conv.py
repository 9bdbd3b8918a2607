"""Convolutions. Two algorithms that agree: loops over positions, and one matrix product (im2col).

A filter is not flipped: what networks call convolution is cross-correlation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from archcalc.execute.kernels.registry import Algorithm, Array, Matrices, Sizes, kernel
from archcalc.execute.kernels.windows import Frame, Pair, Steps, frame_of

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


def once_a_result(_x: Array, out: Array) -> int:
    """A filter is applied once for each position of the result."""
    return int(out.shape[2] * out.shape[3])


def _fans(size: tuple[int, ...], *, groups: int) -> Pair:
    return int(np.prod(size[1:])), size[0] // groups * int(np.prod(size[2:]))


def im2col_sizes(x: Array, weight: Array, *, groups: int = 1, **steps: Unpack[Steps]) -> Matrices:
    """The matrices that `im2col` multiplies. AlexNet's conv1: 96×363 · 363×3025 = 96×3025."""
    frame = frame_of(x, (weight.shape[2], weight.shape[3]), **steps)
    rows, columns = frame.starts(frame.pad(x[:1]))
    positions = len(rows) * len(columns)
    filters, taps = weight.shape[0] // groups, weight[0].size
    return Matrices((filters, taps), (taps, positions), (filters, positions), groups)


@kernel("conv2d", arrays=_arrays, weight_uses=once_a_result, matrices=im2col_sizes, fans=_fans)
def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    groups: int = 1,
    connections: Connections | None = None,
    algorithm: Algorithm = "im2col",
    **steps: Unpack[Steps],
) -> Array:
    """2-d convolution. x (N, C, H, W), weight (K, C/groups, kernel height, width), bias (K,) → (N, K, …, …).

    Source: CS231n, convolutional layer. With a table of `connections` filter k reads the input channels that row k
    names, and weight is (number of connections, height, width), row by row. Source: LeCun et al. 1998, table I.
    """
    if connections is not None:
        parts = _by_table(x, weight, connections)
    elif x.shape[1] == weight.shape[1] * groups and weight.shape[0] % groups == 0:
        parts = list(zip(np.split(x, groups, axis=1), np.split(weight, groups), strict=True))
    else:
        raise ValueError(f"weight {weight.shape} in {groups} groups does not fit a map of {x.shape[1]} channels")
    convolve = _loops if algorithm == "loops" else _im2col
    frame = frame_of(x, (weight.shape[-2], weight.shape[-1]), **steps)
    out = np.concatenate([convolve(frame.pad(maps), filters, frame) for maps, filters in parts], axis=1)
    return out if bias is None else out + bias[:, None, None]


def _loops(x: Array, weight: Array, frame: Frame) -> Array:
    """V[k, i, j] = np.sum(X[:, i·S : i·S + F, j·S : j·S + F] * W[k]) + b[k]. Source: CS231n, "as numpy examples"."""
    rows, columns = frame.starts(x)
    out = np.empty((len(x), len(weight), len(rows), len(columns)), x.dtype)
    for k in range(len(weight)):
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                out[:, k, i, j] = np.sum(frame.at(x, top, left) * weight[k], axis=(1, 2, 3))
    return out


def _im2col(x: Array, weight: Array, frame: Frame) -> Array:
    """W_row @ X_col: each window a column, each filter a row.

    Source: CS231n, "implementation as matrix multiplication". X_col is made a few output rows at a time: whole it
    would hold every pixel kernel height × width times.
    """
    w_row = weight.reshape(len(weight), -1)
    windows = frame.windows(x)
    images, _, height, width = windows.shape[:4]
    out = np.empty((images, len(weight), height, width), x.dtype)
    step = max(SLAB_BYTES // (w_row.shape[1] * width * x.itemsize), 1)
    for image in range(images):
        for first in range(0, height, step):
            rows = slice(first, first + step)
            # (C, rows, columns, F, F) → (C·F·F, positions)
            x_col = windows[image, :, rows].transpose(0, 3, 4, 1, 2).reshape(w_row.shape[1], -1)
            out[image, :, rows] = (w_row @ x_col).reshape(len(weight), -1, width)
    return out


def _by_table(x: Array, weight: Array, connections: Connections) -> list[tuple[Array, Array]]:
    """For each filter the channels that its row names, and its weights as (1, channels, height, width)."""
    if len(weight) != sum(len(row) for row in connections):
        raise ValueError(f"{len(weight)} weights for {sum(len(row) for row in connections)} connections")
    parts, first = [], 0
    for row in connections:
        parts.append((x[:, list(row)], weight[None, first : first + len(row)]))
        first += len(row)
    return parts


def _depthwise_arrays(x: Array, *, kernel_size: Pair, depth_multiplier: int, bias: bool) -> Sizes:
    filters = x.shape[1] * depth_multiplier
    return {"weight": (filters, 1, *kernel_size), **({"bias": (filters,)} if bias else {})}


def _depthwise_sizes(x: Array, weight: Array, **steps: Unpack[Steps]) -> Matrices:
    return im2col_sizes(x, weight, groups=x.shape[1], **steps)


def _depthwise_fans(size: tuple[int, ...], *, depth_multiplier: int) -> Pair:
    return int(np.prod(size[1:])), depth_multiplier * int(np.prod(size[2:]))


@kernel(
    "depthwise_conv2d",
    arrays=_depthwise_arrays,
    weight_uses=once_a_result,
    matrices=_depthwise_sizes,
    fans=_depthwise_fans,
)
def depthwise_conv2d(
    x: Array, weight: Array, bias: Array | None = None, *, algorithm: Algorithm = "im2col", **steps: Unpack[Steps]
) -> Array:
    """Each channel by itself: weight (C·multiplier, 1, height, width). Source: Howard et al. 2017, section 3.1."""
    return conv2d(x, weight, bias, groups=x.shape[1], algorithm=algorithm, **steps)
