"""One slim bar a layer, coloured by stage, shortcuts as arcs: He et al. 2016, "Deep Residual Learning", figure 3.

Networks stand next to each other, and their layers that give maps of one size are level.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from archcalc.core.language import mark, say
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Point, Rect, Shape, Text
from archcalc.render.diagrams.papers.figure import (
    Body,
    Key,
    Request,
    covers,
    finish,
    stage_paints,
    stroke,
    subtitle_of,
    title_of,
)
from archcalc.render.diagrams.papers.labels import COUNTS, count_text, label_texts, name_text
from archcalc.render.diagrams.papers.trunk import Arc, ArcKind, Stop, Trunk, Unsuited, trunk_of
from archcalc.render.diagrams.text import text_width
from archcalc.render.diagrams.theme import Paint, Theme
from archcalc.render.diagrams.wiring import Wiring
from archcalc.render.diagrams.words import AND

#: More layers than this in one network cannot be read as bars.
MOST = 220
HEIGHT, GAP = 21.0, 10.0
PITCH = HEIGHT + GAP
TEXT, NOTE = 15.0, 14.0
#: How far an arc goes out from its bars, and further for each arc that it goes around.
BULGE, NESTED = 26.0, 9.0
BETWEEN, COLUMN, HEAD = 26.0, 44.0, 34.0
#: What a break inside a stage costs, in rows.
INSIDE = 2.5
DASHES: dict[ArcKind, tuple[float, ...]] = {"identity": (), "projection": (2.0, 3.6), "copy": (7.0, 3.5)}
MEANING: dict[ArcKind, str] = {
    "identity": mark("identity shortcut"),
    "projection": mark("shortcut that changes width or size"),
    "copy": mark("copied to a concatenation"),
}

Size = tuple[int, ...]


class Lane(NamedTuple):
    """A network: its chain, the row of each layer, and its bars' texts and width."""

    title: str
    trunk: Trunk
    rows: tuple[int, ...]
    texts: tuple[str, ...]
    width: float
    #: How far its arcs reach to the right of its bars, and what stands next to each one.
    bulge: float
    labels: tuple[str, ...]

    @property
    def reach(self) -> float:
        """How far arcs reach with their texts."""
        widest = max((text_width(text, NOTE) for text in self.labels), default=0.0)
        return self.bulge + (widest + 6 if widest else 0.0)


class Column(NamedTuple):
    """A run of rows that is drawn as one column of the page."""

    first: int
    end: int


def bars_drawing(request: Request) -> Drawing:
    """The picture. Raises `Unsuited` for a network that is no chain with shortcuts, or has too many layers."""
    trunks = [trunk_of(Wiring(analysis)) for analysis in request.analyses]
    for trunk, analysis in zip(trunks, request.analyses, strict=True):
        if len(trunk.stops) > MOST:
            raise Unsuited(f"{analysis.graph.name} has {len(trunk.stops)} layers, more than {MOST} bars")
    stages = align([[stage_of(stop) for stop in trunk.stops] for trunk in trunks])
    lanes = _lanes(request, trunks, stages)
    starts = _starts(lanes, stages)
    columns = _columns(lanes, starts, request.ratio if request.direction != "TB" else 0.0)
    paints = stage_paints(len(stages), request.theme)
    items: list[Cluster] = []
    x = bottom = 0.0
    margin = _margin(stages)
    for column in columns:
        items += _sizes(column, stages, starts, x, _width(lanes, margin), request.theme)
        place = x + margin
        for lane in lanes:
            items += _lane(lane, column, place, stages, paints, request.theme)
            place += lane.width + lane.reach + BETWEEN
        x += _width(lanes, margin) + COLUMN
        bottom = max(bottom, (column.end - column.first) * PITCH)
    body = Body(tuple(items), 0.0, -HEAD, x - COLUMN, bottom)
    kinds = {arc.kind for trunk in trunks for arc in trunk.arcs}
    keys: list[Key] = [
        stroke(say(MEANING[kind]), request.theme.accent, 1.8, DASHES[kind]) for kind in MEANING if kind in kinds
    ]
    single = len(lanes) == 1
    title = title_of(request.analyses[0]) if single else " · ".join(lane.title for lane in lanes)
    note = say(
        "One bar a layer; activation and normalisation belong to it. "
        "Colours: layers with weights, by the size of their maps."
    )
    if any(stop.gated for trunk in trunks for stop in trunk.stops):
        note += " " + say("SE: channels are scaled by squeeze and excitation.")
    description = say(
        "{title}: layers as bars from the top to the bottom, by the size of the map that they give.", title=title
    )
    return finish(request, body, title, subtitle_of(request.analyses[0]) if single else "", description, keys, note)


def stage_of(stop: Stop) -> Size:
    """The size of its map; none for a vector, and for a map of one position."""
    return stop.size if max(stop.size, default=1) > 1 else ()


def _is_coloured(stop: Stop) -> bool:
    """Whether it is a convolution, or another layer with weights on a map of several positions."""
    return stop.main.op.family == "convolution" or (stop.main.params > 0 and max(stop.size, default=1) > 1)


def align(networks: Sequence[Sequence[Size]]) -> list[Size]:
    """The sizes of maps in the order in which all networks go through them, from large to small.

    Raises `Unsuited` where several networks do not go through their sizes in one order.
    """
    runs = [[size for size, _ in groupby(sizes)] for sizes in networks]
    if len(runs) == 1:
        return runs[0]
    found = sorted({size for run in runs for size in run}, key=lambda size: (not size, [-part for part in size]))
    for run in runs:
        if [size for size in found if size in run] != run:
            raise Unsuited("networks next to each other need maps that only shrink, or stages cannot be level")
    return found


def _lanes(request: Request, trunks: Sequence[Trunk], stages: Sequence[Size]) -> list[Lane]:
    """The networks with the rows of their layers: in each stage from its first row."""
    labels, names = request.labels or ("kernel",), request.names or "none"
    numbers = [_numbers(trunk, stages) for trunk in trunks]
    counts = [max(number.count(stage) for number in numbers) for stage in range(len(stages))]
    firsts = [sum(counts[:stage]) for stage in range(len(stages))]
    lanes = []
    for trunk, number, analysis in zip(trunks, numbers, request.analyses, strict=True):
        rows = [firsts[stage] + number[:index].count(stage) for index, stage in enumerate(number)]
        texts = [_label(stop, trunk, labels, names) for stop in trunk.stops]
        counted = [[count_text(trunk.on(arc), label) for label in labels if label in COUNTS] for arc in trunk.arcs]
        beside = tuple(AND.join(filter(None, parts)) for parts in counted)
        width = max(text_width(text, TEXT) for text in texts) + 18
        title = title_of(analysis) if len(trunks) > 1 else ""
        bulge = max((BULGE + NESTED * _level(arc, trunk.arcs) for arc in trunk.arcs), default=0.0)
        lanes.append(
            Lane(title, trunk, tuple(rows), tuple(texts), max(width, text_width(title, TEXT, True)), bulge, beside)
        )
    return lanes


def _numbers(trunk: Trunk, stages: Sequence[Size]) -> list[int]:
    """The stage of each layer: the next one of its size."""
    found: list[int] = []
    for stop in trunk.stops:
        found.append(stages.index(stage_of(stop), found[-1] if found else 0))
    return found


def _label(stop: Stop, trunk: Trunk, labels: tuple[str, ...], names: str) -> str:
    if stop.main.op.family == "input":
        return say("input {size}", size="×".join(map(str, (*stop.size, stop.shape[0]))))
    texts = label_texts(stop.main, labels, trunk.others(stop))
    parts = [part for part in (name_text(stop.name, names), *texts) if part]
    return AND.join(parts or [say(stop.main.op.noun)]) + (" + SE" if stop.gated else "")


def _level(arc: Arc, arcs: Sequence[Arc]) -> int:
    """How many arcs lie inside of an arc, one in the other."""
    inside = [a for a in arcs if a != arc and arc.source <= a.source and a.target <= arc.target]
    ends = sorted(a.target - a.source for a in inside)
    return min(len(set(ends)), 6)


def _starts(lanes: Sequence[Lane], stages: Sequence[Size]) -> list[int]:
    """The first row of each stage."""
    total = max(lane.rows[-1] for lane in lanes) + 1
    first: dict[int, int] = {}
    for lane in lanes:
        for row, stage in zip(lane.rows, _numbers(lane.trunk, stages), strict=True):
            first[stage] = min(first.get(stage, row), row)
    return [first[stage] for stage in range(len(stages))] + [total]


def _margin(stages: Sequence[Size]) -> float:
    return max(text_width(size, TEXT, True) for size in [say("output size"), *map(_size, stages)]) + 14


def _size(size: Size) -> str:
    return "×".join(map(str, size)) or "1"


def _width(lanes: Sequence[Lane], margin: float) -> float:
    return margin + sum(lane.width + lane.reach + BETWEEN for lane in lanes) - BETWEEN


def _columns(lanes: Sequence[Lane], starts: Sequence[int], ratio: float) -> list[Column]:
    """The rows in as many columns as make the picture largest on a page; one where no ratio is given."""
    total = starts[-1]
    crossed = {
        row for lane in lanes for arc in lane.trunk.arcs
        for row in range(lane.rows[arc.source + 1] + 1, lane.rows[arc.target] + 1)
    }  # fmt: skip
    places = [row for row in range(1, total) if row not in crossed]
    width = _width(lanes, 100.0)
    best: tuple[float, list[Column]] | None = None
    for count in range(1, 9 if ratio else 2):
        cuts = [0]
        for number in range(1, count):
            ideal = number * total / count
            later = [row for row in places if row > cuts[-1]]
            if later:
                cuts.append(min(later, key=lambda row: abs(row - ideal) + (0 if row in starts else INSIDE)))
        columns = [Column(first, end) for first, end in pairwise([*cuts, total])]
        wide = len(columns) * (width + COLUMN) + 40
        high = max(column.end - column.first for column in columns) * PITCH + HEAD + 130
        worth = min(ratio / wide, 1 / high) if ratio else 1.0
        if best is None or worth > best[0]:
            best = worth, columns
    assert best is not None
    return best[1]


def _sizes(
    column: Column, stages: Sequence[Size], starts: Sequence[int], x: float, width: float, theme: Theme
) -> list[Cluster]:
    """The size of the maps of each stage, and a line above each one."""
    shapes: list[Shape] = [Text(x, -15, say("output size"), NOTE, theme.quiet)]
    for stage, (first, end) in enumerate(pairwise(starts)):
        if end <= column.first or first >= column.end:
            continue
        y = (max(first, column.first) - column.first) * PITCH
        line = theme.frame.line
        shapes.append(Curve(((x, y - GAP / 2), (x + width, y - GAP / 2)), line, 1.0, dash=(3.0, 3.0)))
        shapes.append(Text(x, y + HEIGHT / 2 + TEXT * 0.36, _size(stages[stage]), TEXT, theme.ink, True))
    return [Cluster("Sizes", tuple(shapes), "plain")]


def _lane(
    lane: Lane, column: Column, x: float, stages: Sequence[Size], paints: Sequence[Paint], theme: Theme
) -> list[Cluster]:
    """The bars of a network in a column, the arrows between them and its arcs."""
    inside = [index for index, row in enumerate(lane.rows) if column.first <= row < column.end]
    if not inside:
        return []
    middle = x + lane.width / 2
    of_stop = _numbers(lane.trunk, stages)
    title = Text(middle, -15, lane.title, TEXT, theme.ink, True, "middle")
    items = [Cluster(lane.title, (title,), "plain")] if lane.title else []

    def top(index: int) -> float:
        return (lane.rows[index] - column.first) * PITCH

    for index in inside:
        start = top(index - 1) + HEIGHT if index - 1 in inside else -GAP / 2 if index else None
        if start is not None:
            arrow = Curve(((middle, start), (middle, top(index) - 0.5)), theme.edge, 1.2, arrow=True)
            items.append(Cluster(_between(lane, index - 1, index), (arrow,), "edge", step=index + 1))
    if inside[-1] + 1 < len(lane.rows):
        low = top(inside[-1]) + HEIGHT
        arrow = Curve(((middle, low), (middle, low + GAP)), theme.edge, 1.2, arrow=True)
        items.append(Cluster(_between(lane, inside[-1], inside[-1] + 1), (arrow,), "edge", step=inside[-1] + 2))
    for index in inside:
        stop = lane.trunk.stops[index]
        paint = paints[of_stop[index]] if _is_coloured(stop) else theme.families["input"]
        round_ = HEIGHT / 2 if stop.main.op.family == "input" else 4.0
        bar = Rect(x, top(index), lane.width, HEIGHT, paint.fill, paint.line, 1.2, round_)
        text = Text(middle, top(index) + HEIGHT / 2 + TEXT * 0.36, lane.texts[index], TEXT, theme.ink, False, "middle")
        rows = [stop.main]
        label = f"{stop.name}: {lane.texts[index]}; {say('output {size}', size=_size(stop.size))}"
        items.append(Cluster(label, (bar, text), "node", stop.main.name, "", covers(rows), index + 1))
    for arc, label in zip(lane.trunk.arcs, lane.labels, strict=True):
        if arc.target in inside:
            start, end = top(arc.source + 1) - GAP / 2, top(arc.target) + HEIGHT + GAP / 2
            way = _arc(x + lane.width, middle, start, end, BULGE + NESTED * _level(arc, lane.trunk.arcs))
            shapes: list[Shape] = [Curve(way, theme.accent, 1.8, True, True, DASHES[arc.kind])]
            if label:
                beyond, level = x + lane.width + lane.bulge + 6, (start + end) / 2 + NOTE * 0.36
                shapes.append(Text(beyond, level, label, NOTE, theme.accent))
            name = f"{_between(lane, arc.source, arc.target)}, {say(MEANING[arc.kind])}"
            items.append(Cluster(name, tuple(shapes), "edge", step=arc.target + 1))
    return items


def _arc(right: float, middle: float, start: float, end: float, bulge: float) -> tuple[Point, ...]:
    """Out of the line between two bars, around the bars, and back into the line; the widest place is `bulge` out."""
    out, handle = right + 4, right + bulge * 1.3
    return (
        (middle, start), (middle, start), (out, start), (out, start),
        (handle, start), (handle, end), (out, end),
        (out, end), (middle + 1, end), (middle + 1, end),
    )  # fmt: skip


def _between(lane: Lane, source: int, target: int) -> str:
    return f"{lane.trunk.stops[source].name} → {lane.trunk.stops[target].name}"
