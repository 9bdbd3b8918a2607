"""The figure of U-Net: maps go down one arm of a U and up the other, and are copied across at every level."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from archcalc.core.language import mark, say
from archcalc.core.shapes import AXES, format_shape
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Point, Shape, Text
from archcalc.render.diagrams.legend import ARROW, Entry, arrow_sample, entries_of, entry_rows, legend_shapes
from archcalc.render.diagrams.maps import look
from archcalc.render.diagrams.model import Diagram, Node
from archcalc.render.diagrams.paint import MARGIN, heading
from archcalc.render.diagrams.solids import SCALES, SHIFT, Box, depth_note, faces, scaled, slabs_of
from archcalc.render.diagrams.text import text_width, wrap
from archcalc.render.diagrams.theme import Theme
from archcalc.render.diagrams.ushape import crops_of, find_copies
from archcalc.render.diagrams.wiring import Wiring

TALLEST, SMALLEST = 132.0, 20.0
THICKEST, THINNEST = 58.0, 5.0
DEEP = (9.0, 7.0)
STEP, LEVEL = 26.0, 56.0
#: Sides of boxes where the picture fills a page; from level to level there, with space for two texts and an arrow.
SMALLER, LEAST = 0.65, 53.0
SIZE, CHANNELS = 12.5, 13.0
#: On a slide a U with one box on each side of a level has its texts beside them: from level to level, between the
#: arms, and how much thicker boxes are.
LOW_LEVEL, ARMS, THICK = 26.0, 440.0, 2.5
#: The legend is as wide as the picture, and no narrower than this.
LEGEND = 560.0
DASH = (6.0, 3.5)
#: The families whose lines colour arrows across a level, down and up, one for each kind of layer.
_COLOURS = {
    0: ("convolution", "shape", "block"), 1: ("pooling", "recurrent", "parameter"),
    -1: ("normalisation", "dense", "attention"),
}  # fmt: skip
#: The thickness of arrows across, down and up: without colours lines across and down have one.
THICKNESS = {0: 1.8, 1: 3.0, -1: 1.8}
#: The dashes of arrows of one direction; in black and white they alone differ.
DASHES: tuple[tuple[float, ...], ...] = ((), (2.0, 2.0), (9.0, 2.5), (9.0, 2.5, 2.0, 2.5))
#: What the key says of the maps that are copied, by what joins them.
JOINED = {
    "concat": mark("{copied} (dashed part of a box)"), "add": mark("{copied}, to be added"),
    "multiply": mark("{copied}, to be multiplied"),
}  # fmt: skip


class Stop(NamedTuple):
    """A map on the way: its node, shape, level from the top, and the node whose map is copied to it."""

    node: Node
    family: str
    shape: tuple[int, ...]
    level: int
    across: str | None
    words: str
    names: tuple[str, ...]
    #: What joins it with what is copied, and which share of the box that is in a concatenation.
    joined: str = ""
    copied: float = 0.0


class Pen(NamedTuple):
    """How an arrow is drawn."""

    colour: str
    dash: tuple[float, ...]
    thickness: float = THICKNESS[0]


def find_stops(diagram: Diagram, wiring: Wiring) -> list[Stop] | None:
    """The maps of a network that goes down and up again with copies across; None for any other network."""
    rows = wiring.analysis.by_name
    copies, crops = find_copies(diagram), crops_of(diagram)
    across = {copy.target: copy.source for copy in copies}
    merges = all(diagram.by_id[target].parts[0].family == "merge" for target in across)
    if len(across) < len(copies) or not merges or any(node.parts[0].family == "output" for node in diagram.nodes):
        return None
    stops: list[Stop] = []
    same: dict[str, str] = {}
    read = {edge.target: edge.source for edge in diagram.edges if edge.target in crops}
    for node in diagram.nodes:
        before = stops[-1] if stops else None
        shape = rows[node.parts[-1].name].output_shape
        if not shape[1:]:
            return None
        if node.id in crops and (before is None or _level(before, shape) == before.level):
            continue
        if before and node.id in crops and same.get(read[node.id], read[node.id]) != before.node.id:
            return None  # a map that is enlarged on its way across
        names = tuple(part.name for part in node.parts)
        if before and node.parts[0].family == "regularisation":
            # The map stays as it is.
            same[node.id] = before.node.id
            stops[-1] = before._replace(names=before.names + names)
            continue
        level = _level(before, shape)
        main = next((part for part in node.parts if part.lines), node.parts[0])
        words = main.lines[0] if main.lines else ""
        source = across.get(node.id)
        if source and before and before.shape[1:] != shape[1:]:
            return None  # the merge itself spreads a small map: squeeze and excitation
        stop = Stop(node, main.family, shape, level, same.get(source, source) if source else None, words, names)
        if source:
            joined = rows[node.parts[0].name]
            share = rows[source].output_shape[0] / joined.output_shape[0]
            stop = stop._replace(
                joined=joined.op.kind, copied=share if joined.op.kind == "concat" and share < 1 else 0.0
            )
        if source and before and len(stops) > 1 and before.level < stops[-2].level:
            # What comes up and what comes across make one box.
            stop = stop._replace(family=before.family, words=before.words, names=before.names + names)
            stops.pop()
        stops.append(stop)
    level_of = {stop.node.id: stop.level for stop in stops}
    level = all(level_of.get(stop.across) == stop.level for stop in stops if stop.across)
    return stops if level and any(stop.across for stop in stops) and any(stop.level for stop in stops) else None


def _height(shape: tuple[int, ...]) -> int:
    """The size that is drawn upright: the height of a map, the length of a signal."""
    return shape[1:][-2:][0]


def _level(before: Stop | None, shape: tuple[int, ...]) -> int:
    """One further down where a map is at most 0.6 times as large as before, one up where it is at least 1.6 times."""
    if before is None:
        return 0
    change = _height(shape) / _height(before.shape)
    return max(before.level + (change <= 0.6) - (change >= 1.6), 0)


def unet_drawing(
    diagram: Diagram, stops: Sequence[Stop], theme: Theme, sizes: str, fill: bool = False, larger: float = 1.0
) -> Drawing:
    """The picture; with `fill` for a page, on which smaller boxes leave larger texts, and a narrow U is low.

    Boxes are smaller by the factor `larger`, by which all is enlarged.
    """
    sides = _sides(stops) if fill else [0] * len(stops)
    fronts = _fronts(stops, sizes, SMALLER if fill else 1.0, any(sides), larger)
    shapes = [
        _box(stop, front, side, diagram, theme)._replace(step=step)
        for step, (stop, front, side) in enumerate(zip(stops, fronts, sides, strict=True), 1)
    ]
    arrows_of, plain = _arrows(stops, theme), Pen(theme.edge, ())
    place = {stop.node.id: index for index, stop in enumerate(stops)}
    arrows: list[Cluster] = []
    for index in range(1, len(stops)):
        before, after = stops[index - 1 : index + 1]
        pen = arrows_of.get(_way(before, after), plain)
        arrow = _arrow(before, fronts[index - 1], after, fronts[index], pen, any(sides))
        arrows.append(arrow._replace(step=index + 1))
        source = stops[index].across
        if source is not None:
            copy = _copy(stops[place[source]], fronts[place[source]], stops[index], fronts[index], theme)
            arrows.append(copy._replace(step=index + 1))
    needed = [(front, _needed_width(stop)) for stop, front in zip(stops, fronts, strict=True)]
    left = min(min(front.left, front.x + front.width / 2 - width / 2) for front, width in needed)
    right = max(front.x + max(front.width + DEEP[0], (front.width + width) / 2) for front, width in needed)
    if any(sides):
        left = min(left, *(front.left - width - 4 for front, width in needed))
        right = max(right, *(front.x + front.width + DEEP[0] + width + 4 for front, width in needed))
    bottom = max(front.y + front.height for front in fronts) + 20
    axes, how = " × ".join(map(say, AXES[len(stops[0].shape) - 1])), say(SCALES[sizes])
    notes = say("Above a box its channels, below it {sides}; {how}.", sides=axes, how=how)
    if any(sides):
        notes = say("Beside a box its channels and {sides}; {how}.", sides=axes, how=how)
    notes += depth_note(stop.shape for stop in stops)
    # A narrow U stands in the middle of what the legend needs.
    inner = max(right - left, min(text_width(notes, SIZE), LEGEND))
    left -= (inner - (right - left)) / 2
    head, y = heading(diagram.title, diagram.subtitle, inner, MARGIN, theme) if diagram.title else ([], MARGIN)
    dx, dy = MARGIN - left, y + 16 + max(front.stack for front in fronts)
    items = [Cluster(diagram.title, tuple(head), "title")] if head else []
    items += [cluster.moved(dx, dy) for cluster in (*arrows, *shapes)]
    y = dy + bottom + 10
    families = {stop.family for stop in stops}
    swatches = [swatch for swatch in diagram.legend if swatch.family in families]
    key = [*entries_of(swatches, theme), *_key(stops, arrows_of, theme)]
    legend, height = legend_shapes((), diagram.scale, theme, MARGIN, y, inner)
    y += height
    rows, height = entry_rows(key, theme, MARGIN, y, inner, SIZE)
    y += height
    legend += rows
    for line in wrap(notes, inner, SIZE):
        legend.append(Text(MARGIN, y + 20, line, SIZE, theme.quiet))
        y += SIZE + 4
    items.append(Cluster("Legend", tuple(legend), "legend"))
    description = (
        diagram.description.split(". ")[0]
        + ". "
        + say("Maps shrink down the left arm of a U and grow up the right one.")
    )
    return Drawing(inner + 2 * MARGIN, y + 8 + MARGIN, theme.background, diagram.title, description, tuple(items))


def _sides(stops: Sequence[Stop]) -> list[int]:
    """Where the texts of each box stand: −1 left of the way down, 1 right of the way up; 0 above and below the box.

    They stand beside the boxes where each level has at most one on either way.
    """
    bottom = max(range(len(stops)), key=lambda index: stops[index].level)
    ways = Counter((stop.level, index > bottom) for index, stop in enumerate(stops))
    return [0 if max(ways.values()) > 1 else 1 if index > bottom else -1 for index in range(len(stops))]


def _fronts(stops: Sequence[Stop], sizes: str, factor: float, narrow: bool, larger: float) -> list[Box]:
    largest = max(_height(stop.shape) for stop in stops)
    channels = max(stop.shape[0] for stop in stops)
    heights = [scaled(_height(stop.shape), largest, SMALLEST, TALLEST * factor / larger, sizes) for stop in stops]
    thickest, between = (
        (THICKEST * THICK, LOW_LEVEL) if narrow else (THICKEST * factor, LEVEL if factor == 1 else LEAST)
    )
    widths = [scaled(stop.shape[0], channels, THINNEST, thickest / larger, sizes) for stop in stops]
    halves = [max(_needed_width(s), width + STEP * factor) / 2 for s, width in zip(stops, widths, strict=True)]
    slabs = [slabs_of(stop.shape[1:]) for stop in stops]
    stacks = [(count - 1) * SHIFT for count in slabs]
    between += max(stacks)
    tops = {0: 0.0}
    for level in range(max(stop.level for stop in stops)):
        tallest = max(height for stop, height in zip(stops, heights, strict=True) if stop.level == level)
        tops[level + 1] = tops[level] + tallest + between
    tallest_of = {level: max(h for s, h in zip(stops, heights, strict=True) if s.level == level) for level in tops}
    fronts: list[Box] = []
    ends: dict[int, float] = {}
    for index, stop in enumerate(stops):
        half, stack = halves[index], stacks[index]
        centre = stack + half
        if fronts:
            before = fronts[-1]
            centre = before.x + before.width / 2
            if stop.level == stops[index - 1].level:
                centre += halves[index - 1] + stack + half
        centre = max(centre, ends.get(stop.level, -1e9) + (ARMS if narrow else 0) + stack + half)
        ends[stop.level] = centre + half
        y = tops[stop.level] + (tallest_of[stop.level] - heights[index]) / 2
        fronts.append(Box(centre - widths[index] / 2, y, widths[index], heights[index], *DEEP, slabs[index]))
    return fronts


def _size(stop: Stop) -> str:
    return "×".join(map(str, stop.shape[1:]))


def _needed_width(stop: Stop) -> float:
    """What a box takes with its texts."""
    return max(text_width(_size(stop), SIZE), text_width(str(stop.shape[0]), CHANNELS, True)) + 8


def _box(stop: Stop, front: Box, side: int, diagram: Diagram, theme: Theme) -> Cluster:
    x, y, width, height, right, _, _ = front
    paint, _ = look(diagram, stop.node.parts, stop.family, theme)
    shapes = faces(front, paint, theme)
    if stop.copied:
        end = x + width * stop.copied
        other = ((x, y), (end, y), (end, y + height), (x, y + height))
        shapes.append(Curve(other, paint.line, 0.8, fill=theme.background, closed=True, dash=(2.5, 2.0)))
    centre = x + width / 2
    channels = Text(
        centre + (right - front.stack) / 2, front.top - 4, str(stop.shape[0]), CHANNELS, theme.ink, True, "middle"
    )
    size = Text(centre, y + height + SIZE + 3, _size(stop), SIZE, theme.quiet, False, "middle")
    if side < 0:
        channels = channels._replace(x=front.left - 6, y=y + height / 2 - 3, anchor="end")
        size = size._replace(x=front.left - 6, y=y + height / 2 + SIZE - 1, anchor="end")
    elif side > 0:
        channels = channels._replace(x=x + width + right + 6, y=y + height / 2 - 3, anchor="start")
        size = size._replace(x=x + width + right + 6, y=y + height / 2 + SIZE - 1, anchor="start")
    shapes += [channels, size]
    title = (
        f"{', '.join(stop.names)}: {stop.words or stop.family}; {say('output {size}', size=format_shape(stop.shape))}"
    )
    return Cluster(title, tuple(shapes), "node", stop.names[0], "", stop.names if len(stop.names) > 1 else ())


def _way(before: Stop, stop: Stop) -> str:
    """What an arrow does, as the key names it: the numbers of channels stand above the boxes."""
    words = re.sub(r", \u2066?\d+\u2069?(?=,|$)", "", stop.words)
    if not words or stop.level == before.level:
        return words
    return say("{layer} down", layer=words) if stop.level > before.level else say("{layer} up", layer=words)


def _arrows(stops: Sequence[Stop], theme: Theme) -> dict[str, Pen]:
    """Colours for each of the three directions, as in the figure; those of one direction differ in their dashes too.

    Across a level blue, down red, up green, the last convolution of 1×1 in a colour of its own: Ronneberger et al.
    2015, figure 1. Dashes cannot be seen on short arrows.
    """
    found: dict[str, Pen] = {}
    used: Counter[int] = Counter()
    for before, stop in pairwise(stops):
        words = _way(before, stop)
        if words and words not in found:
            way = (stop.level > before.level) - (stop.level < before.level)
            families, number = _COLOURS[way], used[way]
            colour = theme.families[families[number % len(families)]].line
            found[words] = Pen(colour, DASHES[number % len(DASHES)], THICKNESS[way])
            used[way] += 1
    return found


def _arrow(before: Stop, start: Box, after: Stop, end: Box, pen: Pen, beside: bool) -> Cluster:
    points: tuple[Point, ...]
    if after.level == before.level:
        y = start.y + start.height / 2
        points = ((start.x + start.width + 1, y), (end.left - 1, end.y + end.height / 2))
    else:
        down = after.level > before.level
        x = end.x + end.width / 2
        above, below = (3, 3) if beside else (CHANNELS + 6, SIZE + 6)
        first = start.y + start.height + below if down else start.top - above
        last = end.top - above if down else end.y + end.height + below
        points = ((start.x + start.width / 2, first), (x, last))
        if beside and not down and x > start.x + start.width + DEEP[0]:
            y = start.y + start.height / 2  # from the bottom to the way up
            points = ((start.x + start.width + DEEP[0] + 2, y), (x, y), (x, last))
    title = f"{before.names[-1]} → {after.names[0]}"
    return Cluster(title, (Curve(points, pen.colour, pen.thickness, arrow=True, dash=pen.dash),), "edge")


def _copy(source: Stop, start: Box, target: Stop, end: Box, theme: Theme) -> Cluster:
    """From the last map of the left arm across to the box that joins it."""
    y = end.y + end.height * 0.25
    points = ((start.x + start.width + DEEP[0] + 2, y), (end.left - 2, y))
    shapes: list[Shape] = [Curve(points, theme.quiet, 1.5, arrow=True, dash=DASH)]
    space = points[1][0] - points[0][0] - 20
    words = next((text for text in crop_words(source, target) if text_width(text, CHANNELS) < space), "")
    if words:
        shapes.append(Text((points[0][0] + points[1][0]) / 2, y - 5, words, CHANNELS, theme.quiet, anchor="middle"))
    title = say("{source} copied to {target}", source=source.names[-1], target=target.names[-1])
    return Cluster(title, tuple(shapes), "edge")


def crop_words(source: Stop, target: Stop) -> tuple[str, ...]:
    """What happens to a map on its way across, in more and in fewer words."""
    if source.shape[1:] == target.shape[1:]:
        return (say("copy"),)
    sizes = f"{_size(source)} → {_size(target)}"
    return say("copy and crop {sizes}", sizes=sizes), say("copy and crop")


def _key(stops: Sequence[Stop], arrows: Mapping[str, Pen], theme: Theme) -> list[Entry]:
    """What the arrows are."""
    cropped = say("copy and crop") if _crops(stops) else say("copy")
    kinds = dict.fromkeys(stop.joined for stop in stops if stop.across)
    copies = {say(JOINED.get(kind, "{copied}"), copied=cropped): Pen(theme.quiet, DASH) for kind in kinds}
    pens = {**copies, **arrows}
    return [Entry(label, arrow_sample(pen.colour, pen.thickness, pen.dash), ARROW) for label, pen in pens.items()]


def _crops(stops: Sequence[Stop]) -> bool:
    by_id = {stop.node.id: stop for stop in stops}
    return any(stop.across and by_id[stop.across].shape[1:] != stop.shape[1:] for stop in stops)
