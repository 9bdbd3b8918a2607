"""Max and average pooling on channels-last maps: first along the height, whole rows at once, then along the width.

Padding is never written: a tap is applied to those windows in which it lies inside the map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from archcalc.execute.quick.kernels.blocks import Geometry, even_spans
from archcalc.execute.quick.kernels.workspace import Array, Workspace

#: Bytes of input of one block.
BLOCK_BYTES = 1 << 19

Combine = Callable[..., Any]


def max_pool(x: Array, geometry: Geometry, out: Array, workspace: Workspace) -> None:
    """Largest value of each window: x (N, H, W, C), out (N, OH, OW, C); NaN where the window holds one.

    The last windows may reach beyond the edge (`ceil_mode`); one that holds no value gives −∞.
    """
    _pool(x, geometry, np.maximum, -np.inf, None, out, workspace)


def avg_pool(x: Array, geometry: Geometry, out: Array, workspace: Workspace, *, count_include_pad: bool = True) -> None:
    """Mean of each window: x (N, H, W, C), out (N, OH, OW, C).

    The divisor counts the padding (what lies beyond the padded edge never counts) or, without `count_include_pad`, only
    the values inside the map.
    """
    (_, height, width, _), (_, rows, columns, _) = x.shape, out.shape
    down = _counts(rows, height, 0, geometry, count_include_pad)
    across = _counts(columns, width, 1, geometry, count_include_pad)
    scale = (1 / np.maximum(np.outer(down, across), 1)).astype(x.dtype)[:, :, None]
    _pool(x, geometry, np.add, 0.0, scale, out, workspace)


def global_avg_pool(x: Array, out: Array) -> None:
    """Mean of each map: x (N, H, W, C), out (N, 1, 1, C), one product with a row of 1/(H·W)."""
    batch, height, width, channels = x.shape
    weights = np.full((1, height * width), 1 / (height * width), x.dtype)
    np.matmul(weights, x.reshape(batch, height * width, channels), out=out[:, 0])


def _pool(
    x: Array,
    geometry: Geometry,
    combine: Combine,
    empty: float,
    scale: Array | None,
    out: Array,
    workspace: Workspace,
) -> None:
    (batch, height, width, channels), (_, rows, columns, _) = x.shape, out.shape
    vertical = _taps(rows, height, 0, geometry)
    horizontal = _taps(columns, width, 1, geometry)
    row_bytes = geometry.stride[0] * width * channels * x.itemsize
    pieces = min(rows, max(-(-rows * row_bytes // BLOCK_BYTES), workspace.active if batch == 1 else 1))
    work = [(n, part) for n in range(batch) for part in even_spans(rows, pieces)]

    def block(worker: int, item: tuple[int, slice]) -> None:
        n, part = item
        half = workspace.array(worker, "half", (part.stop - part.start, width, channels), x.dtype)
        _combine(half, x[n], _within(vertical, part), combine, empty)
        target = out[n, part]
        _combine(target.transpose(1, 0, 2), half.transpose(1, 0, 2), horizontal, combine, empty)
        if scale is not None:
            np.multiply(target, scale[part], out=target)

    workspace.each(block, work)


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
