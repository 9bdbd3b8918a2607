"""Transposed convolution."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.registry import Algorithm, Array, Sizes, kernel
from archcalc.execute.kernels.windows import NO_PADDING, Pair, Sides


def _arrays(x: Array, *, out_channels: int, kernel_size: Pair, groups: int, bias: bool) -> Sizes:
    weight = (x.shape[1], out_channels // groups, *kernel_size)
    return {"weight": weight, **({"bias": (out_channels,)} if bias else {})}


def _once_a_pixel(x: Array, _out: Array) -> int:
    return int(x.shape[2] * x.shape[3])


def _fans(size: tuple[int, ...], *, groups: int) -> Pair:
    """(C, K/groups, F, F): a pixel of the result lies under about one tap of each filter."""
    return size[0] // groups, size[1] * int(np.prod(size[2:]))


@kernel("conv_transpose2d", arrays=_arrays, weight_uses=_once_a_pixel, fans=_fans)
def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Sides = NO_PADDING,
    output_padding: Pair = (0, 0),
    groups: int = 1,
    algorithm: Algorithm = "im2col",
) -> Array:
    """Every input value times its filter is added to the output; where filters overlap, their values add up.

    weight (C, K/groups, height, width). The padding is cut off the result; `output_padding` extends it at the bottom
    and right. Source: Dumoulin & Visin 2016, chapter 4.
    """
    images, channels, height, width = x.shape
    if channels != weight.shape[0] or channels % groups:
        raise ValueError(f"weight {weight.shape} in {groups} groups does not fit a map of {channels} channels")
    tops = range(0, height * stride[0], stride[0])
    lefts = range(0, width * stride[1], stride[1])
    high = tops[-1] + weight.shape[2] + output_padding[0]
    wide = lefts[-1] + weight.shape[3] + output_padding[1]
    out = np.zeros((images, groups * weight.shape[1], high, wide), x.dtype)
    add = _add_by_position if algorithm == "loops" else _add_by_tap
    for target, maps, filters in zip(
        np.split(out, groups, axis=1), np.split(x, groups, axis=1), np.split(weight, groups), strict=True
    ):
        add(target, maps, filters, tops, lefts)
    top, left, bottom, right = padding
    kept = np.ascontiguousarray(out[:, :, top : high - bottom, left : wide - right])
    return kept if bias is None else kept + bias[:, None, None]


def _add_by_position(target: Array, maps: Array, filters: Array, tops: range, lefts: range) -> None:
    """Position by position: the whole filter at once."""
    rows, columns = filters.shape[2:]
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            values = np.sum(maps[:, :, None, None, None, i, j] * filters, axis=1)
            target[:, :, top : top + rows, left : left + columns] += values


def _add_by_tap(target: Array, maps: Array, filters: Array, tops: range, lefts: range) -> None:
    """One matrix product for all positions; then its values are added tap by tap (col2im)."""
    channels, depth, rows, columns = filters.shape
    w_row = filters.reshape(channels, -1).T
    for image, each in enumerate(maps):
        values = (w_row @ each.reshape(channels, -1)).reshape(depth, rows, columns, *each.shape[1:])
        for row in range(rows):
            for column in range(columns):
                down = slice(row, row + tops[-1] + 1, tops.step)
                across = slice(column, column + lefts[-1] + 1, lefts.step)
                target[image, :, down, across] += values[:, row, column]
