"""Blocks one below the other in columns, or one after the other in rows, like the lines of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from typing import NamedTuple

from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.model import Edge
from archcalc.render.diagrams.section import Block, Stroke
from archcalc.render.diagrams.tracks import NEAR, Wire, ordered

GAP = 6.0
JOG = 24.0
GUTTER = 24.0
LANE = 6.0
#: How far beside its place a line comes down until that place is free.
ASIDE = 8.0
MOST_EVEN = 40
#: A step to the side that nobody sees.
STRAIGHT = 0.5
#: How much wider a column may get so that its axis is straight.
WIDENED = 2.0


class Spot(NamedTuple):
    """A segment, and where its axis starts."""

    segment: Block
    along: float
    across: float

    @property
    def end(self) -> float:
        return self.along + self.segment.length

    @property
    def low(self) -> float:
        return self.across - self.segment.left

    @property
    def high(self) -> float:
        return self.across + self.segment.right

    def shared(self, after: Spot, names: Set[str] | None = None) -> list[tuple[str, Point, Point]]:
        """The maps that leave this segment and enter another one, or those of some `names`, with both places."""
        return [
            (name, (self.end, self.across + self.segment.exits[name]), (after.along, after.across + entry))
            for name, entry in after.segment.entries.items()
            if name in self.segment.exits and (names is None or name in names)
        ]


class Plan(NamedTuple):
    """Where each segment goes, the lines between segments, and the size of all."""

    spots: tuple[Spot, ...]
    links: tuple[Stroke, ...]
    along: float
    across: float
    down: bool

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return (self.across, self.along) if self.down else (self.along, self.across)


def plan(segments: Sequence[Block], down: bool, count: int) -> Plan:
    """The segments in `count` columns (or rows, where they run from left to right) of about one length.

    Maps that nothing in a column reads run past it in front of it.
    """
    chunks = [[segments[index] for index in chunk] for chunk in balanced([s.length + GAP for s in segments], count)]
    passing = [_passing(chunk) if number else frozenset[str]() for number, chunk in enumerate(chunks)]
    lanes = max((len(segment.entries) for segment in segments), default=1)
    outer = list(dict.fromkeys(name for names in passing for name in sorted(names)))
    head = 10.0 + LANE * (lanes + len(outer)) if len(chunks) > 1 else 0.0
    columns: list[list[Spot]] = []
    gutters: list[float] = []
    offset = 0.0
    for chunk, names in zip(chunks, passing, strict=True):
        column = row_of([_without(segment, names) for segment in chunk], head)
        low, high = min(spot.low for spot in column), max(spot.high for spot in column)
        columns.append([spot._replace(across=spot.across + offset - low) for spot in column])
        offset += high - low + GUTTER + LANE * (lanes - 1)
        gutters.append(offset - GUTTER - LANE * (lanes - 1))
    links: list[Stroke] = []
    for number, column in enumerate(columns):
        links += [line for a, b in pairwise(column) for line in joints(a, b)]
        if number + 1 < len(columns):
            before = column[-1]
            ends = before.shared(columns[number + 1][0])
            for name in sorted(passing[number + 1] & before.segment.exits.keys()):
                goal = next(place for place in range(number + 1, len(columns)) if name not in passing[place])
                ends += before.shared(columns[goal][0], {name})
            far = {name: 9.0 + LANE * (lanes + place) for place, name in enumerate(outer)}
            links += _turn(ends, head, max(spot.end for spot in column), gutters[number], far)
    longest = max(spot.end for column in columns for spot in column)
    return Plan(tuple(spot for column in columns for spot in column), tuple(links), longest + head, gutters[-1], down)


def _passing(chunk: Sequence[Block]) -> frozenset[str]:
    """The maps that no segment of a column reads, though they come in and leave again."""
    read = {stroke.edge.source for segment in chunk for stroke in segment.strokes if stroke.edge.target}
    return frozenset(chunk[0].entries.keys() & chunk[-1].exits.keys() - read)


def _without(segment: Block, names: Set[str]) -> Block:
    """A segment without the lines of some maps that pass through it."""
    return segment._replace(
        strokes=tuple(stroke for stroke in segment.strokes if stroke.edge.source not in names),
        entries={name: across for name, across in segment.entries.items() if name not in names},
        exits={name: across for name, across in segment.exits.items() if name not in names},
    )


def balanced(sizes: Sequence[float], count: int) -> list[range]:
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


def row_of(segments: Sequence[Block], head: float, straight: bool = False) -> list[Spot]:
    """Segments one after the other, entry under exit; unless `straight`, only where the column gets little wider."""
    widest = max(segment.across for segment in segments)
    aligned = _aligned(segments, head, None)
    low, high = min(spot.low for spot in aligned), max(spot.high for spot in aligned)
    if straight or high - low <= WIDENED * widest:
        return aligned
    return _aligned(segments, head, widest / 2)


def _aligned(segments: Sequence[Block], head: float, half: float | None) -> list[Spot]:
    """Segments with entries under exits, at most `half` to both sides of the middle."""
    spots: list[Spot] = []
    along = head
    for segment in segments:
        spot = Spot(segment, along, (segment.left - segment.right) / 2)
        if spots:
            shared = spots[-1].shared(spot)
            if shared:
                _, start, goal = shared[-1]
                low = spot.low + start[1] - goal[1]
                low = low if half is None else min(max(low, -half), half - segment.across)
                spot = spot._replace(across=low + segment.left)
            bent = any(abs(start[1] - goal[1]) > STRAIGHT for _, start, goal in spots[-1].shared(spot))
            spot = spot._replace(along=along + (JOG if bent else GAP))
        spots.append(spot)
        along = spot.end
    return spots


def joints(before: Spot, after: Spot) -> list[Stroke]:
    """Lines from a segment to the next one of the same column; those that step aside turn at levels of their own.

    A line that would come to lie on one that still comes down there takes its place below the turn of that one.
    """
    ends = before.shared(after)
    wires = [Wire(name, name, start[1], goal[1]) for name, start, goal in ends if abs(start[1] - goal[1]) > STRAIGHT]
    order = ordered(wires)
    late = [wire for place, wire in enumerate(order) if any(abs(wire.end - o.start) < NEAR for o in order[place + 1 :])]
    turns = len(order) + len(late)
    lines = []
    for name, (low, left), (high, right) in ends:
        corners = [(low, left), (high, left)]
        wire = next((wire for wire in order if wire.source == name), None)
        if wire is not None:
            levels = [low + (high - low) * (turn + 1) / (turns + 1) for turn in range(turns)]
            level = levels[order.index(wire)]
            corners = [(low, left), (level, left), (level, right), (high, right)]
            if wire in late:
                beside = right - ASIDE if right > left else right + ASIDE
                last = levels[len(order) + late.index(wire)]
                corners[2:] = [(level, beside), (last, beside), (last, right), (high, right)]
        lines.append(joint(name, corners))
    return lines


def joint(name: str, corners: Sequence[Point]) -> Stroke:
    """A line between segments."""
    return Stroke(Edge(name, ""), tuple(corners), False, radius=6.0)


def _turn(
    ends: Sequence[tuple[str, Point, Point]], head: float, end: float, gutter: float, far: Mapping[str, float]
) -> list[Stroke]:
    """Lines from the end of a column round to the start of the next one, or past it so `far` before its front."""
    lines = []
    near = sum(name not in far for name, _, _ in ends)
    # The map that leaves nearest to the gutter takes the inner lane below, the outer one above: lines do not cross.
    for lane, (name, start, goal) in enumerate(sorted(ends, key=lambda each: each[1][1], reverse=True)):
        bottom = end + 9.0 + LANE * lane
        side = gutter + GUTTER / 2 + LANE * lane
        near -= name not in far
        top = head - far.get(name, 9.0 + LANE * near)
        corners = [start, (bottom, start[1]), (bottom, side), (top, side), (top, goal[1]), goal]
        lines.append(joint(name, corners))
    return lines
