"""Windows over the position axes of a map, however many there are: padding, and every place where a window fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, Required, TypedDict

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from archcalc.execute.kernels.registry import Array

#: A number for each position axis.
PerAxis = tuple[int, ...]
#: The index of a part of a map, or of a position in it: slices and numbers, which the types of numpy do not know mixed.
Index = tuple[Any, ...]
#: Margins of a map: at the begin of each axis, then at the end of each axis.
Sides = tuple[int, ...]
#: One number stands for all axes or sides; `same` depends on the map.
Padding = int | Sides | Literal["same"]


class Sliding(TypedDict, total=False):
    """How the filters of a convolution move over a map; the default is every position, without padding."""

    stride: int | PerAxis
    padding: Padding
    dilation: int | PerAxis


class Pooling(TypedDict, total=False):
    """The window of a pool, and how it moves."""

    kernel_size: Required[PerAxis]
    stride: Required[PerAxis]
    padding: Padding
    dilation: int | PerAxis
    ceil_mode: bool
    clip_last_window: bool


def each(value: int | Sequence[int], count: int) -> PerAxis:
    """A number for each of so many axes or sides."""
    return (value,) * count if isinstance(value, int) else tuple(value)


def span(kernel_size: int, dilation: int = 1) -> int:
    """Pixels from the first tap of a dilated window to its last, both included."""
    return range(0, kernel_size * dilation, dilation)[-1] + 1


def same_padding(size: int, window: int, stride: int) -> tuple[int, int]:
    """Padding before and after, as TensorFlow works it out for `SAME`: an odd pixel comes after.

    Source: tensorflow.org/api_docs/python/tf/nn, "Notes on padding".
    """
    total = max(window - stride, 0) if size % stride == 0 else max(window - size % stride, 0)
    return total // 2, total - total // 2


def resolve_padding(x: Array, padding: Padding, window: PerAxis, stride: PerAxis) -> Sides:
    """The margins of all sides; `same` depends on the map."""
    if not isinstance(padding, str):
        return each(padding, 2 * len(window))
    begins, ends = zip(*map(same_padding, x.shape[2:], window, stride), strict=True)
    return (*begins, *ends)


def part(begins: Sequence[int], sizes: Sequence[int]) -> Index:
    """The index of a part of a map, by where it begins on each position axis and how long it is there."""
    return (..., *(slice(begin, begin + size) for begin, size in zip(begins, sizes, strict=True)))


def pad(x: Array, sides: Sides, value: float = 0.0) -> Array:
    """The map with a margin around each channel; the map itself where there is none."""
    if not any(sides):
        return x
    sizes, begins, ends = x.shape[2:], sides[: x.ndim - 2], sides[x.ndim - 2 :]
    wide = (size + begin + end for size, begin, end in zip(sizes, begins, ends, strict=True))
    padded = np.full((*x.shape[:2], *wide), value, x.dtype)
    padded[part(begins, sizes)] = x
    return padded


class Frame(NamedTuple):
    """A window over a map: its taps and strides, the padding, and how far the last windows reach beyond that."""

    kernel_size: PerAxis
    stride: PerAxis
    dilation: PerAxis
    sides: Sides
    overhang: PerAxis

    @property
    def reach(self) -> PerAxis:
        """Pixels from the first tap to the last, along each axis."""
        return tuple(map(span, self.kernel_size, self.dilation))

    @property
    def begins(self) -> PerAxis:
        """The padding at the begin of each axis."""
        return self.sides[: len(self.kernel_size)]

    def pad(self, x: Array, value: float = 0.0) -> Array:
        """The map with everything around it that a window can read: the padding, and the overhang at the ends."""
        ends = (end + more for end, more in zip(self.sides[len(self.kernel_size) :], self.overhang, strict=True))
        return pad(x, (*self.begins, *ends), value)

    def cut(self, padded: Array, x: Array) -> Array:
        """The part of a padded map in which the map x lies, as a view."""
        return padded[part(self.begins, x.shape[2:])]

    def starts(self, padded: Array) -> list[range]:
        """Where windows begin on each axis: wherever one fits. Raises `ValueError` where none does."""
        sizes = padded.shape[2:]
        axes = zip(sizes, self.reach, self.stride, strict=True)
        found = [range(0, size - reach + 1, stride) for size, reach, stride in axes]
        if not all(found):
            raise ValueError(f"a window of {self.reach} pixels does not fit a padded map of {sizes}")
        return found

    def positions(self, x: Array) -> PerAxis:
        """How many windows there are along each axis of a map without its margins."""
        return tuple(map(len, self.starts(self.pad(x[:1, :1]))))

    def places(self, padded: Array) -> Iterator[tuple[Index, Array]]:
        """Every position, and the window there: a view (N, C, *kernel_size)."""
        starts = self.starts(padded)
        for position in np.ndindex(*map(len, starts)):
            index = (start[i] for start, i in zip(starts, position, strict=True))
            axes = zip(index, self.reach, self.dilation, strict=True)
            window: Index = (..., *(slice(begin, begin + reach, step) for begin, reach, step in axes))
            yield position, padded[window]

    def taps(self, padded: Array) -> Iterator[tuple[Index, Array]]:
        """Every tap of the window, and what it reads at all positions: a view (N, C, *positions)."""
        starts = self.starts(padded)
        for tap in np.ndindex(*self.kernel_size):
            axes = ((start, i * dilation) for start, i, dilation in zip(starts, tap, self.dilation, strict=True))
            seen: Index = (..., *(slice(start[0] + by, start[-1] + by + 1, start.step) for start, by in axes))
            yield tap, padded[seen]

    def windows(self, padded: Array) -> Array:
        """Every window as a view: (N, C, *positions, *kernel_size)."""
        everywhere = sliding_window_view(padded, self.reach, axis=tuple(range(2, padded.ndim)))
        steps: Index = tuple(slice(None, None, step) for step in self.stride + self.dilation)
        view: Array = everywhere[:, :, *steps]
        return view


def frame_of(
    x: Array,
    kernel_size: PerAxis,
    stride: int | PerAxis = 1,
    padding: Padding = 0,
    dilation: int | PerAxis = 1,
    ceil_mode: bool = False,
    clip_last_window: bool = True,
) -> Frame:
    """The window over this map: `same` and `ceil_mode` resolved."""
    rank = len(kernel_size)
    frame = Frame(kernel_size, each(stride, rank), each(dilation, rank), (), (0,) * rank)
    frame = frame._replace(sides=resolve_padding(x, padding, frame.reach, frame.stride))
    if not ceil_mode:
        return frame
    axes = zip(x.shape[2:], frame.begins, frame.sides[rank:], frame.reach, frame.stride, strict=True)
    return frame._replace(overhang=tuple(overhang(*axis, clip_last_window) for axis in axes))


def overhang(size: int, before: int, after: int, window: int, stride: int, clip: bool) -> int:
    """Pixels by which the last window of `ceil_mode` reaches beyond the padded edge.

    Windows are placed one after the other until one reaches the end. With `clip` one that would start after the map
    itself, in the padding, is removed (PyTorch, MaxPool2d, ceil_mode). Without, it is kept and holds padding alone
    (OpenVINO, MaxPool, rounding_type "ceil"); one that would start after the padding too is an error.
    """
    padded = before + size + after
    begins = [0]
    while begins[-1] + window < padded:
        begins.append(begins[-1] + stride)
    if clip and begins[-1] >= before + size:
        begins.pop()
    if begins[-1] >= padded:
        raise ValueError(f"the last window starts at {begins[-1]}, after the {padded} pixels of the padded map")
    return max(begins[-1] + window - padded, 0)
