"""Windows over the last two axes of a map: padding, and every place where a window fits."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from archcalc.kernels.registry import Array

Pair = tuple[int, int]
#: Pixels at the top, left, bottom and right.
Sides = tuple[int, int, int, int]
Padding = Sides | Literal["same"]
NO_PADDING: Sides = (0, 0, 0, 0)


def span(kernel_size: int, dilation: int) -> int:
    """Pixels from the first tap of a dilated window to its last, both included."""
    return range(0, kernel_size * dilation, dilation)[-1] + 1


def spans(kernel_size: Pair, dilation: Pair) -> Pair:
    """The same along height and width."""
    return span(kernel_size[0], dilation[0]), span(kernel_size[1], dilation[1])


def same_padding(size: int, window: int, stride: int) -> Pair:
    """Padding before and after, as TensorFlow works it out for `SAME`: an odd pixel comes after.

    Source: tensorflow.org/api_docs/python/tf/nn, "Notes on padding".
    """
    total = max(window - stride, 0) if size % stride == 0 else max(window - size % stride, 0)
    return total // 2, total - total // 2


def resolve_padding(x: Array, padding: Padding, window: Pair, stride: Pair) -> Sides:
    """The four sides; `same` depends on the map."""
    if not isinstance(padding, str):
        top, left, bottom, right = padding
        return top, left, bottom, right
    top, bottom = same_padding(x.shape[2], window[0], stride[0])
    left, right = same_padding(x.shape[3], window[1], stride[1])
    return top, left, bottom, right


def pad(x: Array, sides: Sides, value: float = 0.0) -> Array:
    """The map with a margin around each channel; the map itself where there is none."""
    if not any(sides):
        return x
    top, left, bottom, right = sides
    height, width = x.shape[2:]
    padded = np.full((*x.shape[:2], top + height + bottom, left + width + right), value, x.dtype)
    padded[:, :, top : top + height, left : left + width] = x
    return padded


def starts(size: int, window: int, stride: int) -> range:
    """Where a window can stand along an axis without hanging over."""
    return range(0, size - window + 1, stride)


def windows(padded: Array, kernel_size: Pair, stride: Pair, dilation: Pair = (1, 1)) -> Array:
    """Every window as a view: (N, C, positions down, positions across, kernel height, kernel width)."""
    everywhere = sliding_window_view(padded, spans(kernel_size, dilation), axis=(2, 3))
    view: Array = everywhere[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    return view
