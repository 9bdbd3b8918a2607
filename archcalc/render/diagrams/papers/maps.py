"""Stacked feature maps with the window that moves between them: LeCun et al. 1998, "Gradient-Based Learning", figure 2.

A window is drawn as what it is: one that reads every map, one group of them, one map alone (depthwise), one value of
each (1×1), or values apart from each other (dilated).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.core.shapes import format_shape
from archcalc.ops.base import Window
from archcalc.passes.analysis import Row
from archcalc.render.diagrams.arrange import READABLE, page_height
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Rect, Shape, Text
from archcalc.render.diagrams.maps import groups_of, sheets_read
from archcalc.render.diagrams.paint import MARGIN, SUBTITLE
from archcalc.render.diagrams.papers.figure import (
    NOTE,
    TEXT,
    Body,
    Key,
    Request,
    covers,
    finish,
    subtitle_of,
    swatch,
    title_of,
)
from archcalc.render.diagrams.papers.labels import label_texts, name_text
from archcalc.render.diagrams.papers.trunk import Stop, Trunk, Unsuited, trunk_of
from archcalc.render.diagrams.solids import SCALES, scaled
from archcalc.render.diagrams.text import LEADING, text_width, wrap
from archcalc.render.diagrams.theme import Paint, Theme, family_name, mix
from archcalc.render.diagrams.wiring import Wiring
from archcalc.render.diagrams.words import lines_of

#: More maps in a row are no figure.
MOST = 24
#: The largest map, the smallest one; the most sheets of a stack, and how far each lies from the one before it.
LARGEST, SMALLEST, SHEETS, STEP = 150.0, 14.0, 16, 6.0
#: The longest and the thinnest bar of a vector.
LONGEST, BAR = 190.0, 13.0
GAP, WRAP, BETWEEN, LEAD = 30.0, 136.0, 30.0, 46.0
#: How far maps grow into an empty part of the page; margins, title and key; what a second row costs the reader.
GROWTH, AROUND, TURN = (0.6, 0.8, 1.0, 1.25, 1.5, 1.8, 2.2, 2.7), 170.0, 2.0


def positions_of(stop: Stop) -> tuple[int, ...]:
    """The sizes of the maps of a layer; none where it gives single values."""
    return stop.size if max(stop.size, default=1) > 1 else ()


class Stack(NamedTuple):
    """Equal maps, one in front of the other: the upper left corner of the last one, sizes, how many are drawn."""

    x: float
    y: float
    width: float
    height: float
    sheets: int
    step: float

    @property
    def right(self) -> float:
        return self.x + self.width + (self.sheets - 1) * self.step

    @property
    def low(self) -> float:
        return self.y + self.height + (self.sheets - 1) * self.step

    @property
    def middle(self) -> float:
        return (self.x + self.right) / 2

    def sheet(self, number: int) -> tuple[float, float]:
        """The upper left corner of a sheet; the last one lies in front."""
        return self.x + number * self.step, self.y + number * self.step


class Line(NamedTuple):
    """A row of the picture: its first stop, its stacks around the axis y = 0, and how far it reaches with its texts."""

    first: int
    stacks: tuple[Stack, ...]
    left: float
    right: float
    top: float
    low: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.low - self.top


def maps_drawing(request: Request) -> Drawing:
    """The picture. Raises `Unsuited` for a network that branches or has too many maps in a row."""
    analysis, theme = request.analyses[0], request.theme
    trunk = trunk_of(Wiring(analysis))
    _check(trunk, analysis.graph.name)
    stops = trunk.stops
    sizes = request.sizes or "sqrt"
    below = [_wrapped(_below(stop, trunk, request)) if index else [] for index, stop in enumerate(stops)]
    above = [_wrapped(_above(stop, request)) for stop in stops]
    lines = _best(stops, above, below, sizes, request.ratio, request.text)
    width = max(line.width for line in lines)
    items: list[Cluster] = []
    y = 0.0
    for line in lines:
        dx = (width - line.width) / 2 - line.left if len(lines) == 1 else -line.left
        items += [item.moved(dx, y - line.top) for item in _line(line, stops, above, below, theme)]
        y += line.height + BETWEEN
    body = Body(tuple(items), 0.0, 0.0, width, y - BETWEEN)
    more = any(positions_of(stop) and stop.shape[0] > SHEETS for stop in stops)
    note = say("Sides of maps: {scale}; vectors on a scale of their own.", scale=say(SCALES[sizes]))
    if more:
        note += " " + say("Of more than {most} maps {most} are drawn.", most=SHEETS)
        if _is_counted(request):
            note += " " + say("The number above counts all.")
    families = dict.fromkeys(stop.main.op.family for stop in stops[1:])
    keys: list[Key] = [swatch(theme.families[family], family_name(family)) for family in families]
    title = title_of(analysis)
    description = say("{title}: stacks of feature maps from left to right, with the window of each layer.", title=title)
    return finish(request, body, title, subtitle_of(analysis), description, keys, note)


def _best(
    stops: Sequence[Stop],
    above: Sequence[Sequence[str]],
    below: Sequence[Sequence[str]],
    sizes: str,
    ratio: float,
    text: float,
) -> list[Line]:
    """The rows, and the size of the maps in them, with which texts can be read and maps are large."""
    best: tuple[float, list[range], float] | None = None
    for count, factor in product(range(1, min(4, len(stops)) + 1), GROWTH):
        each = -(-len(stops) // count)
        spans = [range(start, min(start + each, len(stops))) for start in range(0, len(stops), each)]
        lines = [_placed(span, stops, above, below, sizes, factor) for span in spans]
        width = max(line.width for line in lines) + 2 * MARGIN
        height = sum(line.height + BETWEEN for line in lines) + AROUND
        points = SUBTITLE * page_height(ratio) * min(ratio / width, 1 / height)
        worth = (
            (100 if points >= READABLE else 0)
            + min(points, READABLE) * 3
            + 3 * factor
            - (TURN if len(lines) > 1 else 0)
        )
        if best is None or worth > best[0]:
            best = worth, spans, factor
    assert best is not None
    return [_placed(span, stops, above, below, sizes, best[2] / text) for span in best[1]]


def _placed(
    span: range, stops: Sequence[Stop], above: Sequence[Sequence[str]], below: Sequence[Sequence[str]], sizes: str,
    factor: float,
) -> Line:  # fmt: skip
    """A row of stacks with the space of their texts."""
    stacks = _stacks(span, stops, above, below, sizes, factor)
    tops = max(len(above[index]) for index in span) * NOTE * LEADING
    lows = max(len(below[index]) for index in span) * NOTE * LEADING
    ends = [stacks[0].x - (LEAD + _width(below[span.start]) if span.start else 0.0)]
    ends += [stacks[0].middle - _width(above[span.start]) / 2, stacks[-1].middle + _width(above[span.stop - 1]) / 2]
    ends.append(stacks[-1].right + (LEAD if span.stop < len(stops) else 0.0))
    top, low = min(stack.y for stack in stacks), max(stack.low for stack in stacks)
    return Line(span.start, tuple(stacks), min(ends), max(ends), top - tops - 16, low + lows + 16)


def _line(
    line: Line, stops: Sequence[Stop], above: Sequence[Sequence[str]], below: Sequence[Sequence[str]], theme: Theme
) -> list[Cluster]:
    """Stacks, links between them, and texts; an arrow where a row goes on from the one above, or in the one below."""
    span = range(line.first, line.first + len(line.stacks))
    of = dict(zip(span, line.stacks, strict=True))
    items = [_stack(stops[index], of[index], index, theme) for index in span]
    items += [_link(stops, of[index - 1], of[index], index, theme) for index in span[1:]]
    top, low = min(stack.y for stack in line.stacks) - 12, max(stack.low for stack in line.stacks) + 20
    for index in span:
        height = (len(above[index]) - 1) * NOTE * LEADING
        items.append(_texts(above[index], of[index].middle, top - height, True, index, theme))
        if index > line.first:
            items.append(
                _texts(below[index], (of[index - 1].middle + of[index].middle) / 2, low + NOTE, False, index, theme)
            )
    if line.first:
        x = of[line.first].x
        items.append(
            _texts(below[line.first], x - LEAD - _width(below[line.first]) / 2, NOTE / 3, False, line.first, theme)
        )
        arrow = Curve(((x - LEAD + 6, 0.0), (x - 3, 0.0)), theme.edge, 1.4, arrow=True)
        items.append(
            Cluster(f"{stops[line.first - 1].name} → {stops[line.first].name}", (arrow,), "edge", step=line.first + 1)
        )
    if span.stop < len(stops):
        x = line.stacks[-1].right
        arrow = Curve(((x + 3, 0.0), (x + LEAD - 6, 0.0)), theme.edge, 1.4, arrow=True)
        items.append(Cluster(f"{stops[span[-1]].name} →", (arrow,), "edge", step=span.stop))
    return items


def _check(trunk: Trunk, network: str) -> None:
    if trunk.arcs:
        raise Unsuited(f"{network} has ways past its layers")
    if len(trunk.stops) > MOST:
        raise Unsuited(f"{network} has {len(trunk.stops)} maps in a row, more than {MOST}")
    if not any(len(stop.size) == 2 for stop in trunk.stops):
        raise Unsuited(f"{network} has no maps of height and width alone")


# -- texts -----------------------------------------------------------------------------------------------------------


def counted(stop: Stop) -> str:
    """Number and size of maps as in the figure: 6@28×28; a vector by its length."""
    channels, positions = stop.shape[0], positions_of(stop)
    return f"{channels}@{'×'.join(map(str, positions))}" if positions else str(channels)


def _above(stop: Stop, request: Request) -> list[str]:
    name = name_text(stop.name, request.names or "paper")
    return [*([name] if name else []), *([counted(stop)] if _is_counted(request) else [])]


def _is_counted(request: Request) -> bool:
    """Whether numbers and sizes of maps stand above them."""
    return request.labels is None or "shape" in request.labels


def _below(stop: Stop, trunk: Trunk, request: Request) -> list[str]:
    labels = tuple(label for label in request.labels or ("kernel",) if label != "shape")
    texts = label_texts(stop.main, labels, trunk.others(stop))
    if stop.gated and "kernel" in labels:
        texts[0] += " + SE"
    return texts


def _wrapped(texts: Sequence[str]) -> list[str]:
    parts = [part for text in texts for part in lines_of(text.split(", "), ", ", WRAP, NOTE)]
    return [line for text in parts for line in wrap(text, WRAP, NOTE)]


def _texts(lines: Sequence[str], x: float, y: float, bold: bool, index: int, theme: Theme) -> Cluster:
    shapes = [
        Text(x, y + number * NOTE * LEADING, line, TEXT if bold else NOTE, theme.ink if bold else theme.quiet,
             bold and number == 0, "middle")
        for number, line in enumerate(lines)
    ]  # fmt: skip
    return Cluster(" ".join(lines), tuple(shapes), "plain", step=index + 1)


# -- maps ------------------------------------------------------------------------------------------------------------


def _stacks(
    span: range, stops: Sequence[Stop], above: Sequence[Sequence[str]], below: Sequence[Sequence[str]], sizes: str,
    factor: float,
) -> list[Stack]:  # fmt: skip
    """Stacks from left to right around the axis y = 0, so far apart that their texts do not meet."""
    largest = max((max(stop.size) for stop in stops if positions_of(stop)), default=1)
    features = max((stop.shape[0] for stop in stops if not positions_of(stop)), default=1)
    found: list[Stack] = []
    for index in span:
        stack = _sized(stops[index], largest, features, sizes, factor)
        x = 0.0
        if found:
            before = found[-1]
            apart = max(
                (_width(above[index - 1]) + _width(above[index])) / 2 + 14,
                (stack.right - stack.x + before.right - before.x) / 2 + GAP,
            )
            if len(found) > 1:  # texts below stand in the middle between two stacks
                apart = max(
                    apart, _width(below[index]) + _width(below[index - 1]) + 28 - (before.middle - found[-2].middle)
                )
            else:
                apart = max(apart, _width(below[index]) + 8)
            x = before.middle + apart - (stack.right - stack.x) / 2
        found.append(stack._replace(x=x))
    return found


def _width(lines: Sequence[str]) -> float:
    return max((text_width(line, TEXT, True) for line in lines), default=0.0)


def _sized(stop: Stop, largest: int, features: int, sizes: str, factor: float) -> Stack:
    channels, positions = stop.shape[0], positions_of(stop)
    if not positions:
        height = scaled(channels, features, 2 * SMALLEST, LONGEST * factor, sizes)
        return Stack(0.0, -height / 2, BAR, height, 1, 0.0)
    height, width = (scaled(size, largest, SMALLEST, LARGEST * factor, sizes) for size in (1, *positions)[-2:])
    sheets = min(channels, SHEETS)
    step = min(STEP * factor**0.5, max(width, 20.0) / 3)
    return Stack(0.0, -(height + (sheets - 1) * step) / 2, width, height, sheets, step)


def _stack(stop: Stop, stack: Stack, index: int, theme: Theme) -> Cluster:
    """The sheets of a stack, the first one at the back; groups differ in their shade."""
    paint = theme.families[stop.main.op.family]
    shapes: list[Shape] = []
    for number in range(stack.sheets):
        x, y = stack.sheet(number)
        shapes.append(Rect(x, y, stack.width, stack.height, _shade(stop, number, stack.sheets, paint), paint.line))
    text = f"{stop.name}: {stop.main.summary}; {say('output {size}', size=format_shape(stop.shape))}"
    return Cluster(text, tuple(shapes), "node", stop.main.name, "", covers([stop.main]), index + 1)


def _shade(stop: Stop, sheet: int, sheets: int, paint: Paint) -> str:
    """The fill of a sheet: every second group of a grouped convolution has a stronger colour."""
    groups = groups_of(stop.main)
    if groups == 1 or groups > sheets:
        return paint.fill
    return mix(paint.fill, paint.line, 0.25) if sheet * groups // sheets % 2 else paint.fill


# -- windows ---------------------------------------------------------------------------------------------------------


def window_of(row: Row) -> list[Window] | None:
    """The window of a layer along its axes; None where it reads all positions."""
    reads = row.op.windows(row.input_shapes)
    first = reads[0] if reads and isinstance(reads[0], tuple) else ()
    return [read for read in first if isinstance(read, Window)] or None


def _link(stops: Sequence[Stop], before: Stack, after: Stack, index: int, theme: Theme) -> Cluster:
    """From the window on the maps before to the value that it gives; from all values to a vector."""
    stop = stops[index]
    windows = window_of(stop.main) if positions_of(stops[index - 1]) else None
    title = f"{stops[index - 1].name} → {stop.name}"
    line = theme.families[stop.main.op.family].line
    # A row that is read of an image has its positions last.
    sizes = stops[index - 1].size[-len(windows or ()) :]
    whole = windows and all(int(w.size) >= size for w, size in zip(windows, sizes, strict=False))
    if windows is None or whole:
        return Cluster(title, _fan(before, after, theme), "edge", step=index + 1)
    spread = windows[0].transposed
    # A transposed layer spreads a value to a window; any other one computes a value from a window.
    here, there = (after, before) if spread else (before, after)
    place = _place(windows, stop if spread else stops[index - 1], here)
    read = range(here.sheets) if spread else sheets_read(stop.main, here.sheets)
    shapes = _tube(here, read, place, line) if len(read) > 1 else []
    x, y = here.sheet(here.sheets - 1)
    shapes += _cells(windows, x + place.x, y + place.y, place, line, theme)
    goal = there.sheet(there.sheets - 1)
    tip = (goal[0] + there.width * (0.75 if spread else 0.22), goal[1] + there.height * 0.24)
    side = x + place.x + (0.0 if spread else place.width)
    corners = ((side, y + place.y), (side, y + place.y + place.height))
    shapes.append(Curve((corners[0], tip, corners[1]), None, 0, fill=line, closed=True, opacity=0.1))
    shapes += [Curve((corner, tip), line, 0.9) for corner in corners]
    shapes.append(Rect(tip[0] - 2.2, tip[1] - 2.2, 4.4, 4.4, line, None))
    return Cluster(title, tuple(shapes), "edge", step=index + 1)


def _tube(stack: Stack, read: range, place: Place, line: str) -> list[Shape]:
    """The window through all maps that are read: its outline on the first of them, and its edges."""
    (x, y), (u, v) = stack.sheet(read[0]), stack.sheet(read[-1])
    far, near = (x + place.x, y + place.y), (u + place.x, v + place.y)
    corners = [(0.0, 0.0), (place.width, 0.0), (0.0, place.height)]
    edges = [((far[0] + a, far[1] + b), (near[0] + a, near[1] + b)) for a, b in corners]
    return [
        Rect(*far, place.width, place.height, None, line, 0.8, dash=(2.5, 2.0)),
        *(Curve(edge, line, 0.8, dash=(2.5, 2.0)) for edge in edges),
    ]


def _fan(before: Stack, after: Stack, theme: Theme) -> tuple[Shape, ...]:
    """From all values of the sheet in front to the one at the back."""
    starts = (before.low - before.height, before.low)
    return tuple(
        Curve(((before.right, start), (after.x, end)), theme.edge, 1.0)
        for start, end in zip(starts, (after.y, after.y + after.height), strict=True)
    )


class Place(NamedTuple):
    """A window on a sheet: its corner from that of the sheet, and its sizes."""

    x: float
    y: float
    width: float
    height: float


def _place(windows: Sequence[Window], before: Stop, stack: Stack) -> Place:
    """In proportion to the map, but large enough to be seen."""
    # A row is a strip: it is one value high.
    sides = [1, *(int(window.size) for window in windows)][-2:]
    sizes = [1, *before.size][-2:]
    least = 8.0 if max(window.dilation for window in windows) == 1 else 20.0
    height = min(max(stack.height * sides[0] / sizes[0], least), stack.height * 0.8)
    width = min(max(stack.width * sides[1] / sizes[1], least), stack.width * 0.8)
    return Place((stack.width - width) * 0.62, (stack.height - height) * 0.3, width, height)


def _cells(windows: Sequence[Window], x: float, y: float, place: Place, line: str, theme: Theme) -> list[Shape]:
    """The window on the sheet in front; of a dilated one, the values that it reads."""
    fill = mix(theme.background, line, 0.35)
    steps = [1, *(window.dilation for window in windows)][-2:]
    if max(steps) == 1:
        return [Rect(x, y, place.width, place.height, fill, line, 1.1)]
    counts = [1, *((int(window.size) - 1) // window.dilation + 1 for window in windows)][-2:]
    cell = max(min(place.width / (2 * counts[1]), 5.0), 2.0)
    shapes: list[Shape] = [Rect(x, y, place.width, place.height, None, line, 0.9, dash=(2.0, 2.0))]
    for down in range(min(counts[0], 9)):
        for right in range(min(counts[1], 9)):
            left = x + (place.width - cell) * (right / max(counts[1] - 1, 1))
            top = y + (place.height - cell) * (down / (counts[0] - 1) if counts[0] > 1 else 0.5)
            shapes.append(Rect(left, top, cell, cell, line, None))
    return shapes
