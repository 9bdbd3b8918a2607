"""Segments one below the other in columns, or one after the other in rows, like the lines of a text."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import pairwise
from typing import NamedTuple

from archcalc.render.diagrams.drawing import Point, rounded
from archcalc.render.diagrams.frames import LONGEST_PIECE, cut, outermost
from archcalc.render.diagrams.measure import NodeBox, level, measure
from archcalc.render.diagrams.model import Diagram, Edge
from archcalc.render.diagrams.segments import Frame, Line, Placed, Segment, moved, single
from archcalc.render.diagrams.structure import structured

GAP = 6.0
JOG = 24.0
GUTTER = 34.0
LANE = 7.0
MOST_LINES = 40
MOST_EVEN = 40
#: A step to the side that nobody sees.
_STRAIGHT = 0.5
#: How much wider a column may get so that its axis is straight.
WIDENED = 2.0


class Layout(NamedTuple):
    """A diagram with positions, from (0, 0) to (width, height)."""

    nodes: tuple[Placed, ...]
    frames: tuple[Frame, ...]
    lines: tuple[Line, ...]
    width: float
    height: float
    down: bool


def make_segments(diagram: Diagram, down: bool, longest: int = LONGEST_PIECE) -> list[Segment]:
    """The diagram cut where few maps cross, each segment with positions of its own."""
    return cut_segments(diagram, down, longest)[0]


def cut_segments(
    diagram: Diagram, down: bool, longest: int | None, apart: Set[tuple[int, int]] = frozenset()
) -> tuple[list[Segment], dict[int, int]]:
    """The segments, and the number of that of each node. Edges `apart` pass by the segments between their ends."""
    boxes = measure(diagram, even=not apart)
    order = diagram.order
    kept = {group.path for group in diagram.groups}
    links = [link for edge in diagram.edges if (link := (order[edge.source], order[edge.target])) not in apart]
    outer = [outermost(node.path, kept) for node in diagram.nodes]
    ranges = cut(outer, links, None if diagram.whole else longest)
    alone = [diagram.nodes[span.start] for span in ranges if len(span) == 1]
    if not apart:
        boxes = level(boxes, [node.id for node in alone if not node.path and not node.auxiliary])
    number_of = {place: number for number, span in enumerate(ranges) for place in span}
    into: list[list[Edge]] = [[] for _ in ranges]
    first_use: list[dict[str, None]] = [{} for _ in ranges]
    leaving: list[dict[str, None]] = [{} for _ in ranges]
    # The size of a map stands at the line that leaves its box, in the last box too.
    sources = {node.id for node in diagram.nodes if node.output}
    for edge in sorted(diagram.edges, key=lambda edge: (order[edge.source], order[edge.target])):
        start, end = number_of[order[edge.source]], number_of[order[edge.target]]
        into[end].append(edge)
        if (order[edge.source], order[edge.target]) in apart:
            leaving[start][edge.source] = None
            first_use[end][edge.source] = None
            continue
        for number in range(start, end):
            leaving[number][edge.source] = None
            first_use[number + 1][edge.source] = None
    segments: list[Segment] = []
    for number, span in enumerate(ranges):
        inside = [boxes[diagram.nodes[place].id] for place in span]
        entries = list(first_use[number])
        if segments:
            exits = segments[-1].exits
            # What comes from afar comes first.
            entries.sort(key=lambda name: _flip(exits[name], down)[1] if name in exits else -1.0)
        segments.append(_segment(diagram, inside, into[number], entries, list(leaving[number]), sources, down))
    return segments, number_of


def _segment(
    diagram: Diagram,
    inside: Sequence[NodeBox],
    edges: Sequence[Edge],
    entries: Sequence[str],
    exits: Sequence[str],
    sources: set[str],
    down: bool,
) -> Segment:
    if len(inside) == 1 and len(entries) <= 1 and (not exits or list(exits) == [inside[0].node.id]):
        return single(inside[0], entries, inside[0].node.id in sources, down, edges)
    top = {inside[0].node.path[:1]} | {box.node.path[:1] for box in inside}
    groups = [group for group in diagram.groups if group.path[:1] in top]
    return structured(inside, groups, edges, entries, exits, sources, down)


class Spot(NamedTuple):
    segment: Segment
    along: float
    across: float


class Plan(NamedTuple):
    """Where each segment goes, the lines between segments, and the size of all."""

    spots: tuple[Spot, ...]
    links: tuple[Line, ...]
    along: float
    across: float
    down: bool

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return (self.across, self.along) if self.down else (self.along, self.across)


def plan(segments: Sequence[Segment], down: bool, count: int) -> Plan:
    """The segments in `count` columns (or rows, where they run from left to right) of about one length."""
    chunks = _balanced([_along(segment, down) + GAP for segment in segments], count)
    spots: list[Spot] = []
    links: list[Line] = []
    offset = 0.0
    lanes = max((len(segment.entries) for segment in segments), default=1)
    head = 10.0 + LANE * lanes if len(chunks) > 1 else 0.0
    previous_end = 0.0
    longest = 0.0
    for number, chunk in enumerate(chunks):
        column = row_of([segments[index] for index in chunk], down, head)
        low = min(spot.across for spot in column)
        high = max(spot.across + _across(spot.segment, down) for spot in column)
        shift = offset - low
        column = [spot._replace(across=spot.across + shift) for spot in column]
        if number:
            links += _turn(spots[-1], column[0], down, head, previous_end, offset - GUTTER - LANE * (lanes - 1))
        links += [line for a, b in pairwise(column) for line in joints(a, b, down)]
        spots += column
        previous_end = max(spot.along + _along(spot.segment, down) for spot in column)
        longest = max(longest, previous_end)
        offset += high - low + GUTTER + LANE * (lanes - 1)
    return Plan(tuple(spots), tuple(links), longest + head, offset - GUTTER - LANE * (lanes - 1), down)


def _along(segment: Segment, down: bool) -> float:
    return segment.height if down else segment.width


def _across(segment: Segment, down: bool) -> float:
    return segment.width if down else segment.height


def _flip(point: Point, down: bool) -> tuple[float, float]:
    """Position along and across the direction of reading."""
    return (point[1], point[0]) if down else point


def _balanced(sizes: Sequence[float], count: int) -> list[range]:
    """Split into `count` runs of about one length; among equally long ones, into the most even."""
    low, high = max(sizes), sum(sizes)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if len(_runs(sizes, middle)) <= count else (middle, high)
    if len(sizes) > MOST_EVEN:
        return _runs(sizes, high)
    return _even(sizes, len(_runs(sizes, high)), high)


def _even(sizes: Sequence[float], count: int, limit: float) -> list[range]:
    """Exactly `count` runs, none longer than `limit`, with the least sum of squares."""
    ends = [0.0]
    for size in sizes:
        ends.append(ends[-1] + size)
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, (0,))}
    for _ in range(count):
        following: dict[int, tuple[float, tuple[int, ...]]] = {}
        for end in range(1, len(ends)):
            for start, (cost, places) in best.items():
                length = ends[end] - ends[start]
                if start < end and length <= limit + 1e-5:  # wider than in `_runs`, whose limit may be met exactly
                    total = cost + length * length
                    if end not in following or total < following[end][0]:
                        following[end] = (total, (*places, end))
        best = following
    places = best[len(sizes)][1]
    return [range(low, high) for low, high in pairwise(places)]


def _runs(sizes: Sequence[float], limit: float) -> list[range]:
    runs, start, total = [], 0, 0.0
    for index, size in enumerate(sizes):
        if total and total + size > limit + 1e-6:
            runs.append(range(start, index))
            start, total = index, 0.0
        total += size
    return [*runs, range(start, len(sizes))]


def row_of(segments: Sequence[Segment], down: bool, head: float, straight: bool = False) -> list[Spot]:
    """Segments one after the other, entry under exit; unless `straight`, only where the column gets little wider."""
    widest = max(_across(segment, down) for segment in segments)
    aligned = _aligned(segments, down, head, None)
    low = min(spot.across for spot in aligned)
    high = max(spot.across + _across(spot.segment, down) for spot in aligned)
    if straight or high - low <= WIDENED * widest:
        return aligned
    return _aligned(segments, down, head, widest / 2)


def _aligned(segments: Sequence[Segment], down: bool, head: float, half: float | None) -> list[Spot]:
    """Segments with entries under exits, at most `half` to both sides of the middle."""
    spots: list[Spot] = []
    along = head
    for segment in segments:
        size = _across(segment, down)
        across = -size / 2
        if spots:
            before = spots[-1]
            shared = [name for name in segment.entries if name in before.segment.exits]
            if shared:
                exit_at = before.across + _flip(before.segment.exits[shared[-1]], down)[1]
                across = exit_at - _flip(segment.entries[shared[-1]], down)[1]
                across = across if half is None else min(max(across, -half), half - size)
            along += JOG if _bent(before, segment, across, down) else GAP
        spots.append(Spot(segment, along, across))
        along += _along(segment, down)
    return spots


def _bent(before: Spot, segment: Segment, across: float, down: bool) -> bool:
    return any(
        abs(before.across + _flip(before.segment.exits[name], down)[1] - across - _flip(at, down)[1]) > _STRAIGHT
        for name, at in segment.entries.items()
        if name in before.segment.exits
    )


def _place(spot: Spot, point: Point, down: bool) -> Point:
    along, across = _flip(point, down)
    along, across = along + spot.along, across + spot.across
    return (across, along) if down else (along, across)


def joints(before: Spot, after: Spot, down: bool) -> list[Line]:
    """Lines from a segment to the next one of the same column; those that step aside turn at levels of their own."""
    ends = [
        (name, _place(before, before.segment.exits[name], down), _place(after, entry, down))
        for name, entry in after.segment.entries.items()
        if name in before.segment.exits
    ]
    steps = [name for name, start, end in ends if abs(_flip(start, down)[1] - _flip(end, down)[1]) > _STRAIGHT]
    lines = []
    for name, start, end in ends:
        (low, left), (high, right) = _flip(start, down), _flip(end, down)
        if name in steps:
            # What steps to the right turns the earlier, the farther to the right it is.
            aside = sorted(
                steps, key=lambda step: -_flip(before.segment.exits[step], down)[1] * (1 if right > left else -1)
            )
            level = low + (high - low) * (aside.index(name) + 1) / (len(aside) + 1)
            corners = [(low, left), (level, left), (level, right), (high, right)]
        else:
            corners = [(low, left), (high, left)]
        lines.append(Line(Edge(name, ""), rounded([_flip(corner, down) for corner in corners], 6.0), False))
    return lines


def _turn(before: Spot, after: Spot, down: bool, head: float, end: float, gutter: float) -> list[Line]:
    """Lines from the end of a column round to the start of the next one."""
    lines = []
    last = len(after.segment.entries) - 1
    # The map that leaves nearest to the gutter takes the inner lane below, the outer one above: lines do not cross.
    for lane, (name, entry) in enumerate(reversed(list(after.segment.entries.items()))):
        start = _flip(_place(before, before.segment.exits[name], down), down)
        goal = _flip(_place(after, entry, down), down)
        bottom = end + 9.0 + LANE * lane
        side = gutter + GUTTER / 2 + LANE * lane
        top = head - 9.0 - LANE * (last - lane)
        corners = [start, (bottom, start[1]), (bottom, side), (top, side), (top, goal[1]), goal]
        points = [(across, along) if down else (along, across) for along, across in corners]
        lines.append(Line(Edge(name, ""), rounded(points, 6.0), False))
    return lines


def assemble(plan: Plan) -> Layout:
    """The positions of everything in one system."""
    down = plan.down
    segments = [moved(spot.segment, *((spot.across, spot.along) if down else (spot.along, spot.across)))
              for spot in plan.spots]  # fmt: skip
    return Layout(
        tuple(node for segment in segments for node in segment.nodes),
        tuple(frame for segment in segments for frame in segment.frames),
        (*plan.links, *(line for segment in segments for line in segment.lines)),
        *plan.size,
        down,
    )
