"""Feature maps as boxes in perspective, and the windows that are read from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import NamedTuple

from archcalc.render.diagrams.drawing import Curve, Point, Shape, Text
from archcalc.render.diagrams.maps import Volume
from archcalc.render.diagrams.theme import Theme, mix

#: Height of the largest map, and how far the depth of a map goes to the right and up for each pixel of height.
TALLEST, SMALLEST = 190.0, 9.0
RIGHT, UP = 0.26, 0.22
#: Thickness of the box with most channels; of a vector.
THICKEST, THINNEST, VECTOR = 62.0, 4.0, 11.0
EDGE = 12.0
#: Boxes up to this height have height and width in one text.
LOW = 44.0


class Box(NamedTuple):
    """The front of a volume: its left upper corner and size, and the way to its back."""

    x: float
    y: float
    width: float
    height: float
    right: float
    up: float


def scaled(value: int, largest: int, shortest: float, longest: float, logarithmic: bool) -> float:
    """The length for a number: `longest` for the largest one."""
    if logarithmic:
        return shortest + (longest - shortest) * (log2(value + 1) - 1) / max(log2(largest + 1) - 1, 1)
    return max(longest * value / largest, shortest / 2)


class Measure:
    """Lengths in the picture for sizes of maps and numbers of channels."""

    def __init__(self, volumes: Sequence[Volume], sizes: str, factor: float = 1.0) -> None:
        self.tallest = TALLEST * factor
        self.logarithmic = sizes == "log"
        images = [volume.shape for volume in volumes if len(volume.shape) == 3]
        self.size = max((max(shape[1:]) for shape in images), default=1)
        self.channels = max((shape[0] for shape in images), default=1)
        self.features = max((volume.shape[0] for volume in volumes if len(volume.shape) == 1), default=1)

    def _length(self, value: int, largest: int, shortest: float, longest: float) -> float:
        return scaled(value, largest, shortest, longest, self.logarithmic)

    def box(self, shape: tuple[int, ...], x: float) -> Box:
        """A box around the axis y = 0."""
        if len(shape) == 1:
            height = self._length(shape[0], self.features, SMALLEST * 2, self.tallest * 0.85)
            return Box(x, -height / 2, VECTOR, height, VECTOR * 0.5, VECTOR * 0.4)
        height = self._length(shape[1], self.size, SMALLEST, self.tallest)
        depth = self._length(shape[2], self.size, SMALLEST, self.tallest)
        width = self._length(shape[0], self.channels, THINNEST, THICKEST)
        return Box(x, -height / 2, width, height, depth * RIGHT, depth * UP)


def solid(volume: Volume, box: Box, window: tuple[Point, ...] | None, theme: Theme) -> list[Shape]:
    """The three faces that are seen, the sizes at the edges, and the window of the next layer."""
    x, y, width, height, right, up = box
    fill, line = volume.paint
    top = ((x, y), (x + right, y - up), (x + width + right, y - up), (x + width, y))
    side = ((x + width, y), (x + width + right, y - up), (x + width + right, y + height - up), (x + width, y + height))
    front = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    shapes: list[Shape] = []
    for points, colour in (
        (top, mix(fill, theme.background, 0.45)),
        (side, mix(fill, line, 0.22)),
        (front, fill),
    ):
        shapes.append(Curve(points, line, 1.0, fill=colour, closed=True))
    if window:
        ink = mix(theme.ink, theme.background, 0.6) if volume.faded else theme.ink
        shapes.append(Curve(window, ink, 0.9, fill=mix(fill, ink, 0.28), closed=True))
    shapes += _sizes(volume, box, theme)
    return shapes


def _sizes(volume: Volume, box: Box, theme: Theme) -> list[Shape]:
    """Height at the left edge, width at the receding one, channels below; features right of a vector."""
    x, y, width, height, right, up = box
    below = Text(x + width / 2, y + height + EDGE + 3, str(volume.shape[0]), EDGE, theme.ink, True, "middle")
    if len(volume.shape) == 1:
        # Between the lines to the next layer, which start at both ends.
        return [below._replace(x=x + width + right + 3, y=EDGE * 0.36, anchor="start")]
    if height <= LOW:
        size = f"{volume.shape[1]}×{volume.shape[2]}"
        return [Text(x + (width + right) / 2, y - up - 4, size, EDGE, theme.quiet, anchor="middle"), below]
    low = y + height * 0.78 + EDGE * 0.36
    return [
        Text(x - 3, low, str(volume.shape[1]), EDGE, theme.quiet, anchor="end"),
        Text(x + right / 2 - 3, y - up / 2 - 3, str(volume.shape[2]), EDGE, theme.quiet, anchor="end"),
        below,
    ]


def window_of(box: Box, reader: Volume, measure: Measure) -> tuple[Point, ...] | None:
    """The window of the next layer, on the side of a box on which a map is seen."""
    if reader.kernel is None or reader.kernel == (1, 1) or reader.spread:
        return None
    height = min(_part(reader.kernel[0], box.height, measure), box.height * 0.8)
    depth = min(_part(reader.kernel[1], box.height, measure) / box.height, 0.8)
    x, y = box.x + box.width, box.y
    start = (1 - depth) * 0.35
    top = box.height * 0.12
    near, far = start, start + depth
    return (
        (x + box.right * near, y - box.up * near + top),
        (x + box.right * far, y - box.up * far + top),
        (x + box.right * far, y - box.up * far + top + height),
        (x + box.right * near, y - box.up * near + top + height),
    )


def _part(kernel: int, height: float, measure: Measure) -> float:
    """How large a window is drawn: in proportion, but large enough to be seen."""
    return max(height * 0.14, measure.tallest * kernel / max(measure.size, 1), 5.0)


def joint(before: Box, after: Box, volume: Volume, measure: Measure) -> list[Shape]:
    """A pyramid from the window to the value that it gives, or the edges of a dense layer."""
    window = window_of(before, volume, measure)
    line = volume.paint.line
    if volume.spread and volume.kernel is not None:
        return _spread(before, after, volume.kernel[0], measure, line)
    if window is None:
        x = before.x + before.width
        corners = ((x, before.y), (x, before.y + before.height))
        goals = ((after.x, after.y), (after.x, after.y + after.height))
        if volume.kernel is not None:  # each value by itself, or a 1×1 convolution
            middle = (x + before.right / 2, -before.up / 2)
            return [Curve((middle, (after.x, 0.0)), line, 1.1, dash=(3.0, 2.0), arrow=True)]
        return [Curve((a, b), line, 0.9, dash=(3.0, 2.5)) for a, b in zip(corners, goals, strict=True)]
    apex = (after.x, after.y + after.height * 0.3)
    shapes: list[Shape] = [Curve((window[1], apex, window[2]), None, 0, fill=line, closed=True, opacity=0.1)]
    shapes += [Curve((point, apex), line, 0.8) for point in window]
    return shapes


def _spread(before: Box, after: Box, kernel: int, measure: Measure, line: str) -> list[Shape]:
    """A pyramid from a value to the window that it is spread to."""
    half = min(_part(kernel, after.height, measure), after.height * 0.8) / 2
    middle = after.y + after.height * 0.3
    near, low, high = (after.x, middle), (after.x, middle + half), (after.x, middle - half)
    apex = (before.x + before.width + before.right * 0.5, before.y - before.up * 0.5 + before.height * 0.3)
    shapes: list[Shape] = [Curve((high, apex, low), None, 0, fill=line, closed=True, opacity=0.1)]
    return shapes + [Curve((apex, point), line, 0.8) for point in (high, near, low)]
