"""Feature maps as boxes in perspective, and the windows that are read from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import log2, sqrt
from typing import NamedTuple, Protocol

from archcalc.core.language import mark, say
from archcalc.render.diagrams.drawing import Curve, Point, Shape, Text
from archcalc.render.diagrams.maps import Volume
from archcalc.render.diagrams.theme import Paint, Theme, mix

#: Height of the largest map, and how far the depth of a map goes to the right and up for each pixel of height.
TALLEST, SMALLEST = 190.0, 9.0
RIGHT, UP = 0.26, 0.22
#: Thickness of the box with most channels; of a vector.
THICKEST, THINNEST, VECTOR = 62.0, 4.0, 11.0
EDGE = 12.0
#: The most slabs of a map with depth, and how far each one lies from the one before it.
MOST_SLABS, SHIFT = 4, 3.5
#: The sides of windows of one value and of dilated ones at least; the shortest way through a box that is seen.
LEAST_ONE, LEAST_DILATED, LEAST_TUBE = 5.0, 16.0, 2.5
#: Values of a dilated window in a row.
MOST_TAPS = 5
#: Boxes up to this height have height and width in one text.
LOW = 44.0


class Box(NamedTuple):
    """The front of a map: its left upper corner and size, and the way to its back.

    A map with depth is a stack of slabs: the box is the one in front, the others lie behind it to the left.
    """

    x: float
    y: float
    width: float
    height: float
    right: float
    up: float
    slabs: int = 1

    def slab(self, number: int) -> Box:
        """One slab alone, by how many stand in front of it."""
        return self._replace(x=self.x - number * SHIFT, y=self.y - number * SHIFT, slabs=1)

    @property
    def stack(self) -> float:
        """How far the last slab lies to the left of the front one, and above it."""
        return (self.slabs - 1) * SHIFT

    @property
    def left(self) -> float:
        return self.x - self.stack

    @property
    def top(self) -> float:
        return self.y - self.up - self.stack


#: How lengths are called by their choice.
SCALES = {"linear": mark("linear scale"), "sqrt": mark("square-root scale"), "log": mark("logarithmic scale")}


def depth_note(shapes: Iterable[Sequence[int]]) -> str:
    """What the slabs are, with a space before it; nothing where no map has depth."""
    if not any(len(shape) == 4 for shape in shapes):
        return ""
    return " " + say(
        "Of three sizes the first is drawn as slabs, one for each position, at most {most}.", most=MOST_SLABS
    )


def slabs_of(positions: Sequence[int]) -> int:
    """How many slabs are drawn of a map with these positions: one for each position in depth, up to a limit."""
    return min(positions[0], MOST_SLABS) if len(positions) == 3 else 1


def scaled(value: int, largest: int, shortest: float, longest: float, how: str) -> float:
    """The length for a number: `longest` for the largest one."""
    if how == "sqrt":
        return max(longest * sqrt(value / largest), shortest)
    if how == "log":
        return shortest + (longest - shortest) * (log2(value + 1) - 1) / max(log2(largest + 1) - 1, 1)
    return max(longest * value / largest, shortest / 2)


class Shaped(Protocol):
    """What has the shape of a map."""

    @property
    def shape(self) -> tuple[int, ...]: ...


class Measure:
    """Lengths in the picture for sizes of maps and numbers of channels."""

    def __init__(
        self, volumes: Sequence[Shaped], sizes: str, factor: float = 1.0, thickness: float = 1.0, depth: float = 1.0
    ) -> None:
        self.tallest, self.thickest = TALLEST * factor, THICKEST * thickness
        self.right, self.up = RIGHT * depth, UP * depth
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
        slabs = slabs_of(positions)
        stack = (slabs - 1) * SHIFT
        return Box(x + stack, (stack - height) / 2, width, height, depth * self.right, depth * self.up, slabs)


def faces(box: Box, paint: Paint, theme: Theme) -> list[Shape]:
    """The three faces of each slab that are seen: its top, its side and its front; the last slab first."""
    slabs = map(box.slab, reversed(range(box.slabs)))
    return [shape for slab in slabs for shape in _faces(slab, paint, theme)]


def _faces(box: Box, paint: Paint, theme: Theme) -> list[Shape]:
    x, y, width, height, right, up, _ = box
    low, end = y + height, x + width
    seen = (
        (((x, y), (x + right, y - up), (end + right, y - up), (end, y)), mix(paint.fill, theme.background, 0.45)),
        (((end, y), (end + right, y - up), (end + right, low - up), (end, low)), mix(paint.fill, paint.line, 0.22)),
        (((x, y), (end, y), (end, low), (x, low)), paint.fill),
    )
    return [Curve(points, paint.line, 1.0, fill=colour, closed=True) for points, colour in seen]


def solid(
    volume: Volume, box: Box, window: tuple[Point, ...] | None, theme: Theme, reader: Volume | None = None
) -> list[Shape]:
    """The box of a map, and the window of the next layer on its side; with a `reader` as what it is.

    Dashed lines lead through the maps that it reads: all of them, those of a group, or none but the one in front.
    Of a dilated window the values are drawn that it reads.
    """
    shapes = faces(box, volume.paint, theme)
    if window:
        ink = mix(theme.ink, theme.background, 0.6) if volume.faded else theme.ink
        fill = mix(volume.paint.fill, ink, 0.28)
        if reader and goes_through(box, reader):
            shapes += _tube(window, box.width * reader.share, ink)
        if reader and max(reader.dilation, default=1) > 1:
            shapes.append(Curve(window, ink, 0.7, closed=True, dash=(2.0, 2.0)))
            shapes += [Curve(cell, None, 0, fill=ink, closed=True) for cell in _taps(window, reader)]
        else:
            shapes.append(Curve(window, ink, 0.9, fill=fill, closed=True))
    return shapes


def goes_through(box: Box, reader: Volume) -> bool:
    """Whether it is drawn which maps a window reads: in a box that is large enough for it."""
    return box.height > LOW and box.width * reader.share > LEAST_TUBE


def _tube(window: tuple[Point, ...], depth: float, ink: str) -> list[Shape]:
    """A window through a box: its outline on the first map that it reads, and its edges."""
    far = tuple((x - depth, y) for x, y in window)
    edges = [Curve(far, ink, 0.6, closed=True, dash=(1.5, 2.0))]
    return [*edges, *(Curve(pair, ink, 0.6, dash=(1.5, 2.0)) for pair in zip(far, window, strict=True))]


def _taps(window: tuple[Point, ...], reader: Volume) -> Iterator[tuple[Point, ...]]:
    """The values that a dilated window reads, on the side of a box: at most so many in a row as can be told apart."""
    origin, across, _, down = window
    counts = [
        min((size - 1) // step + 1, MOST_TAPS)
        for size, step in zip((((reader.kernel or (1,)) * 2)[-2:]), (reader.dilation * 2)[-2:], strict=True)
    ]

    def place(u: float, v: float) -> Point:
        (x, y), (a, b), (c, d) = origin, across, down
        return x + (a - x) * u + (c - x) * v, y + (b - y) * u + (d - y) * v

    rows, columns = counts
    for row in range(rows):
        for column in range(columns):
            # Cells and the gaps between them are about as wide.
            left, top = (2 * column) / (2 * columns - 1), (2 * row) / (2 * rows - 1)
            right, low = left + 1 / (2 * columns - 1), top + 1 / (2 * rows - 1)
            yield place(left, top), place(right, top), place(right, low), place(left, low)


def sizes_of(shape: tuple[int, ...], box: Box, theme: Theme) -> list[Text]:
    """Height at the left edge, width at the receding one, channels below; features right of a vector."""
    x, y, width, height, right, up, _ = box
    channels, *positions = shape
    below = Text(x + width / 2, y + height + EDGE + 3, str(channels), EDGE, theme.ink, True, "middle")
    if not positions:
        # Between the lines to the next layer, which start at both ends.
        return [below._replace(x=x + width + right + 3, y=EDGE * 0.36, anchor="start")]
    if height <= LOW or positions[2:]:
        size = "×".join(map(str, positions))
        return [Text((box.left + x + width + right) / 2, box.top - 4, size, EDGE, theme.quiet, anchor="middle"), below]
    low = y + height * 0.78 + EDGE * 0.36
    texts = [Text(x - 3, low, str(positions[0]), EDGE, theme.quiet, anchor="end"), below]
    if positions[1:]:
        texts.append(Text(x + right / 2 - 3, y - up / 2 - 3, str(positions[-1]), EDGE, theme.quiet, anchor="end"))
    return texts


def window_of(box: Box, reader: Volume, measure: Measure) -> tuple[Point, ...] | None:
    """The window of the next layer, on the side of a box on which a map is seen."""
    if reader.kernel is None or reader.spread or (max(reader.kernel) == 1 and reader.family != "convolution"):
        return None
    least = LEAST_DILATED if max(reader.dilation, default=1) > 1 else LEAST_ONE if max(reader.kernel) == 1 else 0.0
    parts = [max(_part(size, box.height, measure), least) for size in (reader.kernel * 2)[-2:]]
    if max(reader.kernel) == 1:
        parts = [least, least]
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
        goals = ((after.left, after.y), (after.left, after.y + after.height))
        if volume.kernel is not None:  # each value by itself
            middle = (x + before.right / 2, before.y + (before.height - before.up) / 2)
            tip = (after.left, after.y + after.height / 2)
            return [Curve((middle, tip), line, 1.1, dash=(3.0, 2.0), arrow=True)]
        return [Curve((a, b), line, 0.9, dash=(3.0, 2.5)) for a, b in zip(corners, goals, strict=True)]
    apex = (after.left, after.y + after.height * 0.3)
    shapes: list[Shape] = [Curve((window[1], apex, window[2]), None, 0, fill=line, closed=True, opacity=0.1)]
    shapes += [Curve((point, apex), line, 0.8) for point in window]
    return shapes


def _spread(before: Box, after: Box, kernel: int, measure: Measure, line: str) -> list[Shape]:
    """A pyramid from a value to the window that it is spread to."""
    half = min(_part(kernel, after.height, measure), after.height * 0.8) / 2
    middle = after.y + after.height * 0.3
    near, low, high = (after.left, middle), (after.left, middle + half), (after.left, middle - half)
    apex = (before.x + before.width + before.right * 0.5, before.y - before.up * 0.5 + before.height * 0.3)
    shapes: list[Shape] = [Curve((high, apex, low), None, 0, fill=line, closed=True, opacity=0.1)]
    return shapes + [Curve((apex, point), line, 0.8) for point in (high, near, low)]
