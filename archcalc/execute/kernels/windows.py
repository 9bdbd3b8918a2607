"""Windows over the last two axes of a map: padding, and every position where a window fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, Required, TypedDict

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from archcalc.execute.kernels.registry import Array

Pair = tuple[int, int]
#: Pixels at the top, left, bottom and right.
Sides = tuple[int, int, int, int]
Padding = Sides | Literal["same"]
NO_PADDING: Sides = (0, 0, 0, 0)


class Steps(TypedDict, total=False):
    """How the filters of a convolution move over a map; the default is every position, without padding."""

    stride: Pair
    padding: Padding
    dilation: Pair


class Pooling(TypedDict, total=False):
    """The window of a pool, and how it moves."""

    kernel_size: Required[Pair]
    stride: Required[Pair]
    padding: Padding
    dilation: Pair
    ceil_mode: bool
    clip_last_window: bool


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


class Frame(NamedTuple):
    """A window over a map: its taps and steps, the padding, and how far the last windows reach beyond that."""

    kernel_size: Pair
    stride: Pair
    dilation: Pair
    sides: Sides
    overhang: Pair = (0, 0)

    @property
    def reach(self) -> Pair:
        """Pixels from the first tap to the last."""
        return spans(self.kernel_size, self.dilation)

    @property
    def margins(self) -> Sides:
        """The padding, and the overhang at the bottom and right."""
        top, left, bottom, right = self.sides
        return top, left, bottom + self.overhang[0], right + self.overhang[1]

    def pad(self, x: Array, value: float = 0.0) -> Array:
        """The map with everything around it that a window can read."""
        return pad(x, self.margins, value)

    def cut(self, padded: Array) -> Array:
        """The map within its margins, as a view."""
        top, left, bottom, right = self.margins
        return padded[:, :, top : padded.shape[2] - bottom, left : padded.shape[3] - right]

    def windows(self, padded: Array) -> Array:
        """Every window as a view: (N, C, positions down, positions across, kernel height, kernel width)."""
        everywhere = sliding_window_view(padded, self.reach, axis=(2, 3))
        view: Array = everywhere[:, :, :: self.stride[0], :: self.stride[1], :: self.dilation[0], :: self.dilation[1]]
        return view

    def starts(self, padded: Array) -> tuple[range, range]:
        """The rows and columns where windows begin: wherever one fits. Raises `ValueError` where none does."""
        down = range(0, padded.shape[2] - self.reach[0] + 1, self.stride[0])
        across = range(0, padded.shape[3] - self.reach[1] + 1, self.stride[1])
        if not down or not across:
            raise ValueError(f"a window of {self.reach} pixels does not fit a padded map of {padded.shape[2:]}")
        return down, across

    def positions(self, x: Array) -> Pair:
        """How many windows there are down and across a map without its margins."""
        rows, columns = self.starts(self.pad(x[:1, :1]))
        return len(rows), len(columns)

    def at(self, padded: Array, top: int, left: int) -> Array:
        """The window that begins there, as a view."""
        down = slice(top, top + self.reach[0], self.dilation[0])
        return padded[:, :, down, left : left + self.reach[1] : self.dilation[1]]

    def taps(self, padded: Array) -> Iterator[tuple[int, int, Array]]:
        """For each tap its row and column, and what it reads at all positions: a view (N, C, positions, positions)."""
        rows, columns = self.starts(padded)
        for row in range(self.kernel_size[0]):
            down = shifted(rows, row * self.dilation[0])
            for column in range(self.kernel_size[1]):
                yield row, column, padded[:, :, down, shifted(columns, column * self.dilation[1])]


def shifted(positions: range, by: int) -> slice:
    """The positions, all further by so many pixels."""
    return slice(positions[0] + by, positions[-1] + by + 1, positions.step)


def frame_of(
    x: Array,
    kernel_size: Pair,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
    clip_last_window: bool = True,
) -> Frame:
    """The window over this map: `same` and `ceil_mode` resolved."""
    reach = spans(kernel_size, dilation)
    sides = resolve_padding(x, padding, reach, stride)
    if not ceil_mode:
        return Frame(kernel_size, stride, dilation, sides)
    top, left, bottom, right = sides
    reached = (
        overhang(x.shape[2], top, bottom, reach[0], stride[0], clip_last_window),
        overhang(x.shape[3], left, right, reach[1], stride[1], clip_last_window),
    )
    return Frame(kernel_size, stride, dilation, sides, reached)


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
