"""Max and average pooling on channels-last maps: first along the height, whole rows at once, then along the width.

Padding is never written: a tap is applied to those windows in which it lies inside the map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from archcalc.execute.quick.kernels.blocks import Geometry, Pair, Sides, even_spans
from archcalc.execute.quick.kernels.workspace import Array, Workspace

#: Bytes of input of one block.
BLOCK_BYTES = 1 << 19

Combine = Callable[..., Any]


def max_pool(
    x: Array,
    kernel: Pair,
    *,
    stride: Pair = (1, 1),
    padding: Sides = (0, 0, 0, 0),
    dilation: Pair = (1, 1),
    output_size: Pair | None = None,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> Array:
    """Largest value of each window: x (N, H, W, C) → (N, OH, OW, C); NaN where the window holds one.

    `output_size` is for windows that reach beyond the edge (`ceil_mode`); a window that holds no value gives −∞.
    """
    geometry = Geometry(kernel, stride, padding, dilation)
    return _pool(x, geometry, np.maximum, -np.inf, None, output_size, out, workspace)


def avg_pool(
    x: Array,
    kernel: Pair,
    *,
    stride: Pair = (1, 1),
    padding: Sides = (0, 0, 0, 0),
    dilation: Pair = (1, 1),
    count_include_pad: bool = True,
    output_size: Pair | None = None,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> Array:
    """Mean of each window: x (N, H, W, C) → (N, OH, OW, C).

    The divisor counts the padding (what lies beyond the padded edge never counts) or, without `count_include_pad`, only
    the values inside the map.
    """
    geometry = Geometry(kernel, stride, padding, dilation)
    return _pool(x, geometry, np.add, 0.0, count_include_pad, output_size, out, workspace)


def global_avg_pool(x: Array, out: Array | None = None) -> Array:
    """Mean of each map: x (N, H, W, C) → (N, 1, 1, C), one product with a row of 1/(H·W)."""
    batch, height, width, channels = x.shape
    size = height * width
    if out is None:
        out = np.empty((batch, 1, 1, channels), x.dtype)
    weights = np.full((1, size), 1 / size, x.dtype)
    np.matmul(weights, x.reshape(batch, size, channels), out=out[:, 0])
    return out


def _pool(
    x: Array,
    geometry: Geometry,
    combine: Combine,
    empty: float,
    include_padding: bool | None,
    output_size: Pair | None,
    out: Array | None,
    workspace: Workspace | None,
) -> Array:
    workspace = workspace or Workspace(1)
    batch, height, width, channels = x.shape
    rows, columns = output_size or geometry.positions(height, width)
    if out is None:
        out = np.empty((batch, rows, columns, channels), x.dtype)
    result = out
    vertical = _taps(rows, height, 0, geometry)
    horizontal = _taps(columns, width, 1, geometry)
    scale = None
    if include_padding is not None:
        low = _counts(rows, height, 0, geometry, include_padding)
        across = _counts(columns, width, 1, geometry, include_padding)
        scale = (1 / np.maximum(np.outer(low, across), 1)).astype(x.dtype)[:, :, None]
    row_bytes = geometry.stride[0] * width * channels * x.itemsize
    pieces = min(rows, max(-(-rows * row_bytes // BLOCK_BYTES), workspace.active if batch == 1 else 1))
    work = [(n, part) for n in range(batch) for part in even_spans(rows, pieces)]

    def block(worker: int, item: tuple[int, slice]) -> None:
        n, part = item
        half = workspace.array(worker, "half", (part.stop - part.start, width, channels), x.dtype)
        _combine(half, x[n], _within(vertical, part), combine, empty)
        target = result[n, part]
        _combine(target.transpose(1, 0, 2), half.transpose(1, 0, 2), horizontal, combine, empty)
        if scale is not None:
            np.multiply(target, scale[part], out=target)

    workspace.each(block, work)
    return out


#: For one tap: the windows (low, high) in which it lies inside the map, and where it reads in the first of them.
Tap = tuple[int, int, int, int]


def _taps(count: int, size: int, axis: int, geometry: Geometry) -> list[Tap]:
    """(first window, last+1, first position read, stride), the tap inside most windows first."""
    stride, pad = geometry.stride[axis], geometry.padding[axis]
    taps = []
    for index in range(geometry.kernel[axis]):
        offset = index * geometry.dilation[axis] - pad
        low = max(0, -(offset // stride))
        high = min(count, (size - 1 - offset) // stride + 1)
        if high > low:
            taps.append((low, high, low * stride + offset, stride))
    return sorted(taps, key=lambda tap: tap[0] - tap[1])


def _within(taps: Sequence[Tap], part: slice) -> list[Tap]:
    """The taps of windows `part` only, counted from its first."""
    kept = []
    for low, high, position, stride in taps:
        first, last = max(low, part.start), min(high, part.stop)
        if last > first:
            kept.append((first - part.start, last - part.start, position + (first - low) * stride, stride))
    return sorted(kept, key=lambda tap: tap[0] - tap[1])


def _combine(target: Array, source: Array, taps: Sequence[Tap], combine: Combine, empty: float) -> None:
    """target[w] = combination of the values that the taps read for window w, along the first axis."""
    if not taps:
        target[:] = empty
        return
    views = [
        (slice(low, high), source[position : position + (high - low - 1) * stride + 1 : stride])
        for low, high, position, stride in taps
    ]
    first, values = views[0]
    target[: first.start] = empty
    target[first.stop :] = empty
    if len(views) > 1 and views[1][0] == first:
        combine(values, views[1][1], out=target[first])
        rest = views[2:]
    else:
        np.copyto(target[first], values)
        rest = views[1:]
    for windows, values in rest:
        combine(target[windows], values, out=target[windows])


def _counts(count: int, size: int, axis: int, geometry: Geometry, include_padding: bool) -> Array:
    """Along one axis, how many positions of each window the mean divides by."""
    before, after = geometry.padding[axis], geometry.padding[axis + 2]
    starts = np.arange(count)[:, None] * geometry.stride[axis] - before
    positions = starts + np.arange(geometry.kernel[axis]) * geometry.dilation[axis]
    low, high = (-before, size + after) if include_padding else (0, size)
    return np.asarray(((positions >= low) & (positions < high)).sum(axis=1))
