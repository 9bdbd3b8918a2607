"""Parts of maps, and channels and positions in another order."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from archcalc.execute.kernels.registry import Array, kernel

#: The axes of an array (N, C, positions…) by name, by the number of its position axes.
_POSITIONS = {0: (), 1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def axis_of(x: Array, axis: str) -> int:
    """The axis of an array with this name."""
    return 1 if axis == "channels" else 2 + _POSITIONS[x.ndim - 2].index(axis)


def taken(x: Array, axis: str, part: slice) -> tuple[slice, ...]:
    """The index that takes a part along an axis."""
    return (*[slice(None)] * axis_of(x, axis), part)


def chunk_part(x: Array, chunks: int, index: int, axis: str) -> slice:
    """As many as ⌈size/chunks⌉, `index` times further on."""
    each = math.ceil(x.shape[axis_of(x, axis)] / chunks)
    return slice(index * each, (index + 1) * each)


def split_part(sizes: Sequence[int], index: int) -> slice:
    """The part with this index; one size is that of all parts."""
    ends = np.cumsum([0, *sizes]) if len(sizes) > 1 else np.arange(index + 2) * sizes[0]
    return slice(int(ends[index]), int(ends[index + 1]))


def narrow_part(start: int, length: int | None, step: int) -> slice:
    """`length` from `start` on, every `step`-th."""
    return slice(start, None if length is None else start + length * step, step)


def own(out: Array, x: Array) -> Array:
    """The result in memory of its own: where nothing moved it would be a view of what was read."""
    return out.copy() if np.may_share_memory(out, x) else out


@kernel("chunk")
def chunk(x: Array, *, chunks: int, index: int = 0, axis: str = "channels") -> Array:
    """One of `chunks` parts of one size; the last may be smaller. Source: PyTorch, `chunk`."""
    return x[taken(x, axis, chunk_part(x, chunks, index, axis))].copy()


@kernel("split")
def split(x: Array, *, sizes: Sequence[int], index: int = 0, axis: str = "channels") -> Array:
    """One of the parts of these sizes. Source: PyTorch, `split`."""
    return x[taken(x, axis, split_part(sizes, index))].copy()


@kernel("narrow")
def narrow(x: Array, *, start: int = 0, length: int | None = None, step: int = 1, axis: str = "channels") -> Array:
    """Part of an axis. Source: PyTorch, `narrow`."""
    return x[taken(x, axis, narrow_part(start, length, step))].copy()


@kernel("channel_shuffle")
def channel_shuffle(x: Array, *, groups: int) -> Array:
    """Channels in `groups` rows, read column by column. Source: Zhang et al. 2017, section 3.1."""
    return own(x.reshape(len(x), groups, -1, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape), x)


def order_of(x: Array, dims: Sequence[str]) -> tuple[int, ...]:
    """The old axis of an array for each new one."""
    return (0, *(axis_of(x, axis) for axis in dims))


@kernel("permute")
def permute(x: Array, *, dims: Sequence[str]) -> Array:
    """The axes in the order of their names."""
    return x.transpose(order_of(x, dims)).copy()


@kernel("transpose")
def transpose(x: Array, *, dims: Sequence[str]) -> Array:
    """Two axes change places."""
    return x.swapaxes(axis_of(x, dims[0]), axis_of(x, dims[1])).copy()


@kernel("pixel_shuffle")
def pixel_shuffle(x: Array, *, upscale_factor: int) -> Array:
    """Channel c·r^d + i becomes the place i of the blocks of channel c. Source: PyTorch, `pixel_shuffle`."""
    factor, sizes = upscale_factor, x.shape[2:]
    rank = len(sizes)
    blocks = x.reshape(len(x), -1, *[factor] * rank, *sizes)
    # (N, C, r, r, H, W) → (N, C, H, r, W, r)
    order = [axis for place in range(rank) for axis in (2 + rank + place, 2 + place)]
    return own(blocks.transpose(0, 1, *order).reshape(len(x), -1, *[size * factor for size in sizes]), x)


@kernel("pixel_unshuffle")
def pixel_unshuffle(x: Array, *, downscale_factor: int) -> Array:
    """Place i of the blocks of channel c becomes the channel c·r^d + i. Source: PyTorch, `pixel_unshuffle`."""
    factor, rank = downscale_factor, x.ndim - 2
    sizes = [size // factor for size in x.shape[2:]]
    blocks = x.reshape(*x.shape[:2], *[part for size in sizes for part in (size, factor)])
    inside, outside = range(3, 3 + 2 * rank, 2), range(2, 2 + 2 * rank, 2)
    return own(blocks.transpose(0, 1, *inside, *outside).reshape(len(x), -1, *sizes), x)


@kernel("tokens")
def tokens(x: Array) -> Array:
    """All positions in one row: (N, C, H, W) → (N, C, H·W)."""
    return x.reshape(*x.shape[:2], -1)


@kernel("grid")
def grid(x: Array, *, size: Sequence[int] | None = None) -> Array:
    """A row of tokens as a map; a square one where no size is given."""
    return x.reshape(*x.shape[:2], *(size or [math.isqrt(x.shape[2])] * 2))


def shifts_of(x: Array, shifts: Sequence[int]) -> dict[int, int]:
    """By how much each axis moves."""
    rank = x.ndim - 2
    return dict(zip(range(2, x.ndim), shifts if len(shifts) == rank else [shifts[0]] * rank, strict=True))


@kernel("roll")
def roll(x: Array, *, shifts: Sequence[int]) -> Array:
    """What leaves on one side comes in on the other. Source: PyTorch, `roll`."""
    moved = shifts_of(x, shifts)
    return np.roll(x, tuple(moved.values()), tuple(moved))
