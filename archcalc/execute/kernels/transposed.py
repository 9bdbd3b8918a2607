"""Transposed convolution over one, two or three position axes."""

from __future__ import annotations

from math import prod
from typing import Unpack

import numpy as np

from archcalc.execute.kernels.registry import Algorithm, Array, Sizes, by_channel, kernel
from archcalc.execute.kernels.reweighted import Normalised, stored
from archcalc.execute.kernels.windows import Frame, Index, Padding, PerAxis, each, part


def _arrays(
    x: Array, *, out_channels: int, kernel_size: PerAxis, groups: int, bias: bool, **normalised: Unpack[Normalised]
) -> Sizes:
    weight = (x.shape[1], out_channels // groups, *kernel_size)
    return {**stored(weight, output_axis=1, **normalised), **({"bias": (out_channels,)} if bias else {})}


def _once_a_pixel(x: Array, _out: Array) -> int:
    return prod(x.shape[2:])


def _fans(size: tuple[int, ...], *, groups: int) -> tuple[int, int]:
    """(C, K/groups, *kernel_size): a pixel of the result lies under about one tap of each filter."""
    return size[0] // groups, size[1] * prod(size[2:])


@kernel("conv_transposeNd", arrays=_arrays, weight_uses=_once_a_pixel, fans=_fans, output_axis=1)
def conv_transpose(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: int | PerAxis = 1,
    padding: Padding = 0,
    dilation: int | PerAxis = 1,
    output_padding: int | PerAxis = 0,
    groups: int = 1,
    algorithm: Algorithm = "im2col",
) -> Array:
    """Every input value times its filter is added to the output; where filters overlap, their values add up.

    weight (C, K/groups, *kernel_size). The padding is cut off the result; `output_padding` extends it at the ends.
    Source: Dumoulin & Visin 2016, chapter 4.
    """
    if x.shape[1] != weight.shape[0] or x.shape[1] % groups:
        raise ValueError(f"weight {weight.shape} in {groups} groups does not fit a map of {x.shape[1]} channels")
    frame, reached = placed(x, weight.shape[2:], stride, padding, dilation)
    # `same` says how large the result is.
    more = 0 if isinstance(padding, str) else output_padding
    axes = zip(reached, each(more, x.ndim - 2), frame.begins, frame.sides[x.ndim - 2 :], strict=True)
    sizes = [end + extra - first - last for end, extra, first, last in axes]
    whole = np.maximum(reached, np.add(frame.begins, sizes))
    out = np.zeros((len(x), groups * weight.shape[1], *whole), x.dtype)
    add = _add_by_position if algorithm == "loops" else _add_by_tap
    for target, maps, filters in zip(
        np.split(out, groups, axis=1), np.split(x, groups, axis=1), np.split(weight, groups), strict=True
    ):
        add(target, maps, filters, frame)
    kept = np.ascontiguousarray(out[part(frame.begins, sizes)])
    return kept if bias is None else kept + by_channel(bias, kept)


def placed(
    x: Array, kernel_size: PerAxis, stride: int | PerAxis, padding: Padding, dilation: int | PerAxis = 1
) -> tuple[Frame, PerAxis]:
    """How the filters of a transposed convolution lie on its result, and how far they reach along each axis.

    With `same` the result has stride times as many positions as x: an odd pixel more is cut off at the end, and what is
    missing is added there (less than nothing is cut off). Source: TensorFlow, Conv2DTranspose.
    """
    rank = len(kernel_size)
    frame = Frame(kernel_size, each(stride, rank), each(dilation, rank), (), (0,) * rank)
    axes = zip(x.shape[2:], frame.stride, frame.reach, strict=True)
    reached = tuple(range(0, size * step, step)[-1] + window for size, step, window in axes)
    if not isinstance(padding, str):
        return frame._replace(sides=each(padding, 2 * rank)), reached
    more = [end - size * step for end, size, step in zip(reached, x.shape[2:], frame.stride, strict=True)]
    begins = [max(total, 0) // 2 for total in more]
    ends = [total - begin for total, begin in zip(more, begins, strict=True)]
    return frame._replace(sides=(*begins, *ends)), reached


def _add_by_position(target: Array, maps: Array, filters: Array, frame: Frame) -> None:
    """Position by position: the whole filter at once."""
    position: Index
    for position in np.ndindex(*maps.shape[2:]):
        axes = zip(position, frame.stride, frame.reach, frame.dilation, strict=True)
        under: Index = (..., *(slice(i * step, i * step + reach, apart) for i, step, reach, apart in axes))
        values = maps[:, :, *position].reshape(*maps.shape[:2], *(1,) * (filters.ndim - 1)) * filters
        target[under] += np.sum(values, axis=1)


def _add_by_tap(target: Array, maps: Array, filters: Array, frame: Frame) -> None:
    """One matrix product for all positions; then its values are added tap by tap (col2im)."""
    channels, depth, *window = filters.shape
    w_row = filters.reshape(channels, -1).T
    for image, each_map in enumerate(maps):
        values = (w_row @ each_map.reshape(channels, -1)).reshape(depth, *window, *maps.shape[2:])
        for tap, under in frame.taps(target[image : image + 1]):
            under[0][part((0,) * len(tap), maps.shape[2:])] += values[:, *tap]
