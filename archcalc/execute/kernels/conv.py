"""Convolutions over one, two or three position axes. Two algorithms that agree: loops over positions, and im2col.

A filter is not flipped: what networks call convolution is cross-correlation.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Unpack

import numpy as np

from archcalc.execute.kernels.registry import Algorithm, Array, Matrices, Sizes, by_channel, kernel
from archcalc.execute.kernels.reweighted import Normalised, stored
from archcalc.execute.kernels.windows import Frame, PerAxis, Sliding, frame_of

#: Bytes of X_col that are made at a time; more would leave the cache for nothing.
SLAB_BYTES = 4 << 20
Connections = Sequence[Sequence[int]]


def _arrays(
    x: Array,
    *,
    out_channels: int,
    kernel_size: PerAxis,
    groups: int,
    bias: bool,
    connections: Connections | None,
    **normalised: Unpack[Normalised],
) -> Sizes:
    if connections is None:
        weight: tuple[int, ...] = (out_channels, x.shape[1] // groups, *kernel_size)
    else:
        weight = (sum(len(row) for row in connections), *kernel_size)
    return {**stored(weight, **normalised), **({"bias": (out_channels,)} if bias else {})}


def _once_a_result(_x: Array, out: Array) -> int:
    """A filter is applied once for each position of the result."""
    return prod(out.shape[2:])


def _fans(size: tuple[int, ...], *, groups: int) -> tuple[int, int]:
    return prod(size[1:]), size[0] // groups * prod(size[2:])


def im2col_sizes(x: Array, weight: Array, *, groups: int = 1, **sliding: Unpack[Sliding]) -> Matrices:
    """The matrices that `im2col` multiplies. AlexNet's conv1: 96×363 · 363×3025 = 96×3025."""
    positions = prod(frame_of(x, weight.shape[2:], **sliding).positions(x))
    filters, taps = weight.shape[0] // groups, weight[0].size
    return Matrices((filters, taps), (taps, positions), (filters, positions), groups)


@kernel("convNd", arrays=_arrays, weight_uses=_once_a_result, matrices=im2col_sizes, fans=_fans)
def conv(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    groups: int = 1,
    connections: Connections | None = None,
    algorithm: Algorithm = "im2col",
    **sliding: Unpack[Sliding],
) -> Array:
    """Convolution. x (N, C, *positions), weight (K, C/groups, *kernel_size), bias (K,) → (N, K, *positions).

    Source: CS231n, convolutional layer. With a table of `connections` filter k reads the input channels that row k
    names, and weight is (number of connections, *kernel_size), row by row. Source: LeCun et al. 1998, table I.
    """
    if connections is not None:
        parts = _by_table(x, weight, connections)
    elif x.shape[1] == weight.shape[1] * groups and weight.shape[0] % groups == 0:
        parts = list(zip(np.split(x, groups, axis=1), np.split(weight, groups), strict=True))
    else:
        raise ValueError(f"weight {weight.shape} in {groups} groups does not fit a map of {x.shape[1]} channels")
    convolve = _loops if algorithm == "loops" else _im2col
    frame = frame_of(x, weight.shape[2 - x.ndim :], **sliding)
    out = np.concatenate([convolve(frame.pad(maps), filters, frame) for maps, filters in parts], axis=1)
    return out if bias is None else out + by_channel(bias, out)


def _loops(x: Array, weight: Array, frame: Frame) -> Array:
    """V[k, i, j] = np.sum(X[:, i·S : i·S + F, j·S : j·S + F] * W[k]) + b[k]. Source: CS231n, "as numpy examples"."""
    out = np.empty((len(x), len(weight), *map(len, frame.starts(x))), x.dtype)
    for position, window in frame.places(x):
        for k in range(len(weight)):
            out[:, k, *position] = np.sum(window * weight[k], axis=tuple(range(1, x.ndim)))
    return out


def _im2col(x: Array, weight: Array, frame: Frame) -> Array:
    """W_row @ X_col: each window a column, each filter a row.

    Source: CS231n, "implementation as matrix multiplication". X_col is made a few positions of the first axis at a
    time: whole it would hold every pixel as often as the filter has taps.
    """
    rank = len(frame.kernel_size)
    w_row = weight.reshape(len(weight), -1)
    windows = frame.windows(x)
    positions = windows.shape[2 : 2 + rank]
    out = np.empty((len(x), len(weight), *positions), x.dtype)
    step = max(SLAB_BYTES // (w_row.shape[1] * prod(positions[1:]) * x.itemsize), 1)
    # (C, *positions, *taps) → (C, *taps, *positions)
    order = (0, *range(1 + rank, 1 + 2 * rank), *range(1, 1 + rank))
    for image in range(len(x)):
        for first in range(0, positions[0], step):
            rows = slice(first, first + step)
            x_col = windows[image, :, rows].transpose(order).reshape(w_row.shape[1], -1)
            out[image, :, rows] = (w_row @ x_col).reshape(len(weight), -1, *positions[1:])
    return out


def _by_table(x: Array, weight: Array, connections: Connections) -> list[tuple[Array, Array]]:
    """For each filter the channels that its row names, and its weights as (1, channels, *kernel_size)."""
    if len(weight) != sum(len(row) for row in connections):
        raise ValueError(f"{len(weight)} weights for {sum(len(row) for row in connections)} connections")
    parts, first = [], 0
    for row in connections:
        parts.append((x[:, list(row)], weight[None, first : first + len(row)]))
        first += len(row)
    return parts


def _depthwise_arrays(
    x: Array, *, kernel_size: PerAxis, depth_multiplier: int, bias: bool, **normalised: Unpack[Normalised]
) -> Sizes:
    filters = x.shape[1] * depth_multiplier
    return {**stored((filters, 1, *kernel_size), **normalised), **({"bias": (filters,)} if bias else {})}


def _depthwise_sizes(x: Array, weight: Array, **sliding: Unpack[Sliding]) -> Matrices:
    return im2col_sizes(x, weight, groups=x.shape[1], **sliding)


def _depthwise_fans(size: tuple[int, ...], *, depth_multiplier: int) -> tuple[int, int]:
    return prod(size[1:]), depth_multiplier * prod(size[2:])


@kernel(
    "depthwise_convNd",
    arrays=_depthwise_arrays,
    weight_uses=_once_a_result,
    matrices=_depthwise_sizes,
    fans=_depthwise_fans,
)
def depthwise_conv(
    x: Array, weight: Array, bias: Array | None = None, *, algorithm: Algorithm = "im2col", **sliding: Unpack[Sliding]
) -> Array:
    """Each channel by itself: weight (C·multiplier, 1, *kernel_size). Source: Howard et al. 2017, section 3.1."""
    return conv(x, weight, bias, groups=x.shape[1], algorithm=algorithm, **sliding)


def _local_arrays(
    x: Array, *, out_channels: int, kernel_size: PerAxis, bias: bool, **sliding: Unpack[Sliding]
) -> Sizes:
    out = (out_channels, *frame_of(x, kernel_size, **sliding).positions(x))
    return {"weight": (*out, x.shape[1], *kernel_size), **({"bias": out} if bias else {})}


def _once(_x: Array, _out: Array) -> int:
    return 1


def _local_fans(size: tuple[int, ...]) -> tuple[int, int]:
    rank = len(size) // 2 - 1
    return prod(size[1 + rank :]), size[0] * prod(size[2 + rank :])


@kernel("locally_connectedNd", arrays=_local_arrays, weight_uses=_once, fans=_local_fans)
def locally_connected(
    x: Array, weight: Array, bias: Array | None = None, *, algorithm: Algorithm = "im2col", **sliding: Unpack[Sliding]
) -> Array:
    """Filters of its own for every position: weight (K, *positions, C, *kernel_size), bias (K, *positions).

    Source: CS231n, parameter sharing.
    """
    rank = x.ndim - 2
    frame = frame_of(x, weight.shape[2 + rank :], **sliding)
    positions = frame.positions(x)
    if positions != weight.shape[1 : 1 + rank]:
        raise ValueError(f"weights for {weight.shape[1 : 1 + rank]} positions, but there are {positions}")
    out = np.empty((len(x), len(weight), *positions), x.dtype)
    for position, window in frame.places(frame.pad(x)):
        filters = weight[:, *position]
        if algorithm == "loops":
            for k in range(len(weight)):
                out[:, k, *position] = np.sum(window * filters[k], axis=tuple(range(1, x.ndim)))
        else:
            out[:, :, *position] = (filters.reshape(len(weight), -1) @ window.reshape(len(x), -1).T).T
    return out if bias is None else out + bias
