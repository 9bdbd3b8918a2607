"""Feature maps as boxes in perspective, and the windows that are read from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2, sqrt
from typing import NamedTuple

from archcalc.render.diagrams.drawing import Curve, Point, Shape, Text
from archcalc.render.diagrams.maps import Volume
from archcalc.render.diagrams.theme import Paint, Theme, mix

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


#: How lengths are called by their choice.
SCALES = {"linear": "linear scale", "sqrt": "square-root scale", "log": "logarithmic scale"}


def scaled(value: int, largest: int, shortest: float, longest: float, how: str) -> float:
    """The length for a number: `longest` for the largest one."""
    if how == "sqrt":
        return max(longest * sqrt(value / largest), shortest)
    if how == "log":
        return shortest + (longest - shortest) * (log2(value + 1) - 1) / max(log2(largest + 1) - 1, 1)
    return max(longest * value / largest, shortest / 2)


class Measure:
    """Lengths in the picture for sizes of maps and numbers of channels."""

    def __init__(self, volumes: Sequence[Volume], sizes: str, factor: float = 1.0, thickness: float = 1.0) -> None:
        self.tallest, self.thickest = TALLEST * factor, THICKEST * thickness
        self.sizes = sizes
        maps = [volume.shape for volume in volumes if volume.shape[1:]]
        self.size = max((max(shape[1:]) for shape in maps), default=1)
        self.channels = max((shape[0] for shape in maps), default=1)
        self.features = max((volume.shape[0] for volume in volumes if not volume.shape[1:]), default=1)

    def _length(self, value: int, largest: int, shortest: float, longest: float) -> float:
        return scaled(value, largest, shortest, longest, self.sizes)

    def box(self, shape: tuple[int, ...], x: float) -> Box:
        """A box around the axis y = 0."""
        channels, *positions = shape
        if not positions:
            height = self._length(channels, self.features, SMALLEST * 2, self.tallest * 0.85)
            return Box(x, -height / 2, VECTOR, height, VECTOR * 0.5, VECTOR * 0.4)
        height, depth = (self._length(size, self.size, SMALLEST, self.tallest) for size in (positions * 2)[-2:])
        depth = depth if positions[1:] else VECTOR
        width = self._length(channels, self.channels, THINNEST, self.thickest)
        return Box(x, -height / 2, width, height, depth * RIGHT, depth * UP)


def faces(box: Box, paint: Paint, theme: Theme) -> list[Shape]:
    """The three faces of a box that are seen: its top, its side and its front."""
    x, y, width, height, right, up = box
    low, end = y + height, x + width
    seen = (
        (((x, y), (x + right, y - up), (end + right, y - up), (end, y)), mix(paint.fill, theme.background, 0.45)),
        (((end, y), (end + right, y - up), (end + right, low - up), (end, low)), mix(paint.fill, paint.line, 0.22)),
        (((x, y), (end, y), (end, low), (x, low)), paint.fill),
    )
    return [Curve(points, paint.line, 1.0, fill=colour, closed=True) for points, colour in seen]


def solid(volume: Volume, box: Box, window: tuple[Point, ...] | None, theme: Theme) -> list[Shape]:
    """The box of a map, and the window of the next layer on its side."""
    shapes = faces(box, volume.paint, theme)
    if window:
        ink = mix(theme.ink, theme.background, 0.6) if volume.faded else theme.ink
        shapes.append(Curve(window, ink, 0.9, fill=mix(volume.paint.fill, ink, 0.28), closed=True))
    return shapes


def sizes_of(shape: tuple[int, ...], box: Box, theme: Theme) -> list[Text]:
    """Height at the left edge, width at the receding one, channels below; features right of a vector."""
    x, y, width, height, right, up = box
    channels, *positions = shape
    below = Text(x + width / 2, y + height + EDGE + 3, str(channels), EDGE, theme.ink, True, "middle")
    if not positions:
        # Between the lines to the next layer, which start at both ends.
        return [below._replace(x=x + width + right + 3, y=EDGE * 0.36, anchor="start")]
    if height <= LOW or positions[2:]:
        size = "×".join(map(str, positions))
        return [Text(x + (width + right) / 2, y - up - 4, size, EDGE, theme.quiet, anchor="middle"), below]
    low = y + height * 0.78 + EDGE * 0.36
    texts = [Text(x - 3, low, str(positions[0]), EDGE, theme.quiet, anchor="end"), below]
    if positions[1:]:
        texts.append(Text(x + right / 2 - 3, y - up / 2 - 3, str(positions[-1]), EDGE, theme.quiet, anchor="end"))
    return texts


def window_of(box: Box, reader: Volume, measure: Measure) -> tuple[Point, ...] | None:
    """The window of the next layer, on the side of a box on which a map is seen."""
    if reader.kernel is None or max(reader.kernel) == 1 or reader.spread:
        return None
    parts = [_part(size, box.height, measure) for size in (reader.kernel * 2)[-2:]]
    height, depth = min(parts[0], box.height * 0.8), min(parts[1] / box.height, 0.8)
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
