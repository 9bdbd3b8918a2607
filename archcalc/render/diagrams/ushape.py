"""Networks that go down and up again, with copies across: drawn level by level, the way up next to the way down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from typing import NamedTuple

from archcalc.render.diagrams.columns import Plan, Spot, joint, joints, row_of
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.pack import Layout, assemble, cut_segments
from archcalc.render.diagrams.section import Block, Stroke

#: Between the two arms; between two levels, where lines turn; and how far these lines lie from what they join.
ACROSS, BETWEEN, TURN = 44.0, 20.0, 12.0


class Copy(NamedTuple):
    """A map that goes across: from a node of the way down to one of the way up, which may get it by way of a crop."""

    source: str
    entry: str
    target: str


def crops_of(diagram: Diagram) -> set[str]:
    """The nodes that only cut, pad or reshape a map."""
    return {node.id for node in diagram.nodes if all(part.family == "shape" for part in node.parts)}


def find_copies(diagram: Diagram) -> list[Copy]:
    """The copies across a U: a chain of nodes, some of which read earlier maps too, one copy inside the other.

    On the way up a map may go past one node, as past the gates of an attention U-Net. Empty for any other network.
    """
    crops = crops_of(diagram)
    order = diagram.order
    reads: dict[str, list[str]] = {node.id: [] for node in diagram.nodes}
    for edge in diagram.edges:
        reads[edge.target].append(edge.source)
    copies: list[Copy] = []
    before: str | None = None
    for node in diagram.nodes:
        if node.id in crops:
            continue
        entries: dict[str, str] = {}
        for source in reads[node.id]:
            entries.update(dict.fromkeys(reads[source], source) if source in crops else {source: node.id})
        if before is not None and entries.pop(before, None) is None:
            return []
        nearest = sorted(entries, key=lambda name: -order[name])
        copies += [Copy(source, entries[source], node.id) for source in nearest]
        before = node.id
    copies = [copy for copy in copies if not _goes_past(copy, copies, order)]
    starts = [order[copy.source] for copy in copies]
    return copies if starts == sorted(set(starts), reverse=True) else []


def _goes_past(copy: Copy, copies: Sequence[Copy], order: Mapping[str, int]) -> bool:
    """Whether it goes past just the one node at which a copy arrives."""
    start, end = order[copy.source], order[copy.target]
    return end - start == 2 and any(order[other.source] < start and order[other.target] == end - 1 for other in copies)


class _Row(NamedTuple):
    """A level: its segments on the way down and on the way up, where they stand."""

    down: list[Spot]
    up: list[Spot]
    low: float
    high: float


def u_layout(diagram: Diagram) -> Layout | None:
    """The levels of a U one below the other; None for another network, and where several copies meet in one place."""
    order = diagram.order
    found = [(order[copy.source], order[copy.entry]) for copy in find_copies(diagram)]
    # Several maps that arrive at one node go across together, next to the last of them.
    last = {target: max(source for source, other in found if other == target) for _, target in found}
    copies = {(source, target): last[target] for source, target in found}
    if len(last) < 2:
        return None
    segments, place_of = cut_segments(diagram, False, None, copies)
    pairs = sorted({(place_of[source], place_of[target]) for target, source in last.items()})
    starts, goals = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if len(set(starts)) != len(pairs) or len(set(goals)) != len(pairs) or starts[-1] >= goals[-1]:
        return None
    turn = goals[-1]
    ways_down = [segments[low + 1 : high + 1] for low, high in pairwise([-1, *starts])]
    ways_up = [segments[low:high] for low, high in pairwise([*reversed(goals), len(segments)])][::-1]
    left = TURN + max(_length(way) for way in ways_down) + ACROSS
    right = left + max(_length(way) for way in ways_up)
    ways_down += _bottom(segments[starts[-1] + 1 : turn], right)
    rows: list[_Row] = []
    y = 0.0
    for number, way in enumerate(ways_down):
        row = _row(way, ways_up[number] if number < len(ways_up) else [], left, y)
        rows.append(row)
        y = row.high + BETWEEN
    lines = [line for row in rows for way in (row.down, row.up) for a, b in pairwise(way) for line in joints(a, b)]
    for above, below in pairwise(rows):
        lane = (above.high + below.low) / 2
        lines += _back(above.down[-1], below.down[0], lane)
        if below.up:
            lines += _back(below.up[-1], above.up[0], lane)
    names = {diagram.nodes[source].id for source, _ in copies}
    lowest = rows[len(pairs) - 1]
    beneath = [spot for row in rows[len(pairs) :] for spot in row.down]
    reach = max((spot.end for spot in beneath), default=0.0)
    lines += [line for line in _round(rows[-1].down[-1], lowest.up[0], reach, lowest.high)
              if line.edge.source not in names]  # fmt: skip
    lines += _copies(names, rows, left - TURN * 2)
    spots = tuple(spot for row in rows for spot in (*row.down, *row.up))
    whole = Plan(spots, tuple(lines), max(right, reach) + 2 * TURN, y - BETWEEN, False)
    return assemble(whole, diagram.leaving)._replace(shaped=True)


def _length(way: Sequence[Block]) -> float:
    return row_of(way, 0.0, True)[-1].end


def _row(way_down: Sequence[Block], way_up: Sequence[Block], left: float, top: float) -> _Row:
    """Both ways of a level next to each other, so that what is copied runs straight."""
    down = row_of(way_down, TURN, True)
    up = row_of(way_up, left, True) if way_up else []
    if up:
        (_, start, goal), *_ = down[-1].shared(up[0])
        up = [spot._replace(across=spot.across + start[1] - goal[1]) for spot in up]
    dy = top - min(spot.low for spot in (*down, *up))
    down, up = ([spot._replace(across=spot.across + dy) for spot in spots] for spots in (down, up))
    return _Row(down, up, top, max(spot.high for spot in (*down, *up)))


def _back(before: Spot, after: Spot, lane: float) -> list[Stroke]:
    """From the end of a level back to the start of the next one, below or above."""
    return [
        joint(name, [start, (start[0] + TURN, start[1]), (start[0] + TURN, lane), (goal[0] - TURN, lane),
                     (goal[0] - TURN, goal[1]), goal])
        for name, start, goal in before.shared(after)
    ]  # fmt: skip


def _bottom(segments: Sequence[Block], width: float) -> list[list[Block]]:
    """What lies below the last copy, in rows that are not wider than the rest."""
    found: list[list[Block]] = []
    for segment in segments:
        if found and _length([*found[-1], segment]) + TURN <= width:
            found[-1].append(segment)
        else:
            found.append([segment])
    return found


def _round(before: Spot, after: Spot, end: float, low: float) -> list[Stroke]:
    """From the bottom into the way up; `end` is how far to the right the bottom reaches, and it starts below `low`."""
    lines = []
    for name, start, goal in before.shared(after):
        side = goal[0] - TURN
        if end < side:
            points = [start, (side, start[1]), (side, goal[1]), goal]
        else:
            far, lane = end + TURN, low + BETWEEN / 2
            points = [start, (far, start[1]), (far, lane), (side, lane), (side, goal[1]), goal]
        lines.append(joint(name, points))
    return lines


def _copies(names: Set[str], rows: Sequence[_Row], side: float) -> list[Stroke]:
    """Straight across, or by a step before the way up."""
    lines = []
    for row in rows:
        if row.up:
            for lane, (name, start, goal) in enumerate(
                entry for entry in row.down[-1].shared(row.up[0]) if entry[0] in names
            ):
                x = side - 7 * lane
                lines.append(joint(name, [start, (x, start[1]), (x, goal[1]), goal]))
    return lines
