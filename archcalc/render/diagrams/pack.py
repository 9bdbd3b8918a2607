"""A diagram cut into segments, and the positions of all of them in one system."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence, Set
from math import inf
from typing import NamedTuple

from archcalc.render.diagrams.columns import STRAIGHT, Plan
from archcalc.render.diagrams.frames import LONGEST_PIECE, cut, outermost
from archcalc.render.diagrams.measure import NodeBox, level, measure
from archcalc.render.diagrams.model import Diagram, Edge
from archcalc.render.diagrams.nudge import nudged
from archcalc.render.diagrams.ports import apart
from archcalc.render.diagrams.section import Block
from archcalc.render.diagrams.segments import Frame, Line, Placed
from archcalc.render.diagrams.structure import placed, structured

MOST_LINES = 40
#: Segments are put together so often where a branch stands beside them.
MOST_BESIDE = 30


class Layout(NamedTuple):
    """A diagram with positions, from (0, 0) to (width, height)."""

    nodes: tuple[Placed, ...]
    frames: tuple[Frame, ...]
    lines: tuple[Line, ...]
    width: float
    height: float
    down: bool
    #: Whether it has the shape of the network, as a U.
    shaped: bool = False


def make_segments(
    diagram: Diagram,
    down: bool,
    longest: int = LONGEST_PIECE,
    boxes: Mapping[str, NodeBox] | None = None,
    most: tuple[float, ...] = (),
) -> list[Block]:
    """The diagram cut where few maps cross, each segment with positions of its own.

    Nodes are as large as their texts unless `boxes` says otherwise. Chains longer than `most` stand in columns.
    """
    if boxes is None:
        return cut_segments(diagram, down, longest, most=most)[0]
    ranges = cut_ranges(diagram, longest)
    return _beside(diagram, ranges, _segments(diagram, ranges, boxes, {}, down, most), boxes, down, most)[1]


def cut_ranges(
    diagram: Diagram, longest: int | None = LONGEST_PIECE, apart: Container[tuple[int, int]] = ()
) -> list[range]:
    """The nodes of each segment; an output stands in that of its layer, next to the others."""
    order = diagram.order
    kept = {group.path for group in diagram.groups}
    links = [link for edge in diagram.edges if (link := (order[edge.source], order[edge.target])) not in apart]
    outer = [outermost(node.path, kept) for node in diagram.nodes]
    ranges: list[range] = []
    for span in cut(outer, links, None if diagram.whole else longest):
        is_output = bool(ranges) and diagram.nodes[span.start].parts[0].family == "output"
        ranges.append(range(ranges.pop().start, span.stop) if is_output else span)
    return ranges


def cut_segments(
    diagram: Diagram,
    down: bool,
    longest: int | None,
    apart: Mapping[tuple[int, int], int] | None = None,
    most: tuple[float, ...] = (),
) -> tuple[list[Block], dict[int, int]]:
    """The segments, and the number of that of each node.

    Edges `apart` pass by the segments between a node, which each is given with, and their ends.
    """
    apart = apart or {}
    even = not apart and not diagram.slim
    boxes = measure(diagram, even, down)
    ranges = cut_ranges(diagram, longest, apart)
    alone = [diagram.nodes[span.start] for span in ranges if len(span) == 1]
    if even:
        boxes = level(boxes, [node.id for node in alone if not node.path and not node.auxiliary])
    made = _segments(diagram, ranges, boxes, apart, down, most)
    if not apart:
        ranges, made = _beside(diagram, ranges, made, boxes, down, most)
    return made, {place: number for number, span in enumerate(ranges) for place in span}


def _beside(
    diagram: Diagram,
    ranges: list[range],
    made: list[Block],
    boxes: Mapping[str, NodeBox],
    down: bool,
    most: tuple[float, ...],
) -> tuple[list[range], list[Block]]:
    """Segments put together where a branch that nothing reads is longer than what goes on next to it.

    Then more of the network stands next to the branch, and there is no gap below.
    """
    number = tries = 0
    while number < len(ranges) - 1 and tries < MOST_BESIDE:
        if all(diagram.nodes[place].id in diagram.read for place in ranges[number]):
            number += 1
            continue
        tries += 1
        joined = [*ranges[:number], range(ranges[number].start, ranges[number + 1].stop), *ranges[number + 2 :]]
        found = _segments(diagram, joined, boxes, {}, down, most)
        both = made[number : number + 2]
        shorter = found[number].length < sum(block.length for block in both)
        if shorter and found[number].across <= max(block.across for block in both) + STRAIGHT:
            ranges, made = joined, found
        else:
            number += 1
    return ranges, made


def _segments(
    diagram: Diagram,
    ranges: Sequence[range],
    boxes: Mapping[str, NodeBox],
    apart: Mapping[tuple[int, int], int],
    down: bool,
    most: tuple[float, ...],
) -> list[Block]:
    """Each range of nodes with positions of its own."""
    order = diagram.order
    number_of = {place: number for number, span in enumerate(ranges) for place in span}
    into: list[list[Edge]] = [[] for _ in ranges]
    first_use: list[dict[str, None]] = [{} for _ in ranges]
    leaving: list[dict[str, None]] = [{} for _ in ranges]
    for edge in sorted(diagram.edges, key=lambda edge: (order[edge.source], order[edge.target])):
        start, end = number_of[order[edge.source]], number_of[order[edge.target]]
        into[end].append(edge)
        across = apart.get((order[edge.source], order[edge.target]))
        for number in range(start, end if across is None else number_of[across]):
            leaving[number][edge.source] = None
            first_use[number + 1][edge.source] = None
        if across is not None:
            leaving[number_of[across]][edge.source] = None
            first_use[end][edge.source] = None
    segments: list[Block] = []
    for number, span in enumerate(ranges):
        inside = [boxes[diagram.nodes[place].id] for place in span]
        entries = list(first_use[number])
        if segments:
            exits = segments[-1].exits
            # What comes from afar comes first; what passes by other segments runs straight on, as the last one.
            entries.sort(key=lambda name: exits.get(name, inf if apart else -inf))
        top = {()} | {box.node.path[:1] for box in inside}
        groups = [group for group in diagram.groups if group.path[:1] in top]
        segments.append(
            structured(inside, groups, into[number], entries, list(leaving[number]), diagram.leaving, down, most=most)
        )
    return segments


def assemble(plan: Plan, leaves: Set[str]) -> Layout:
    """The positions of everything in one system; the maps of `leaves` leave their boxes."""
    blocks = [spot.segment.moved(spot.along, spot.across) for spot in plan.spots]
    found = [placed(block._replace(strokes=()), leaves, plan.down) for block in blocks]
    nodes = tuple(node for part in found for node in part[0])
    frames = tuple(frame for part in found for frame in part[1])
    strokes = nudged([*plan.links, *(stroke for block in blocks for stroke in block.strokes)],
                     [_room(node, plan.down) for node in nodes])  # fmt: skip
    _, _, lines = placed(Block(0.0, 0.0, 0.0, strokes=tuple(strokes)), leaves, plan.down)
    return Layout(nodes, frames, apart(lines, nodes, plan.down), *plan.size, plan.down)


def _room(placed: Placed, down: bool) -> tuple[float, float, float, float]:
    """From and to along, from and to across of a box."""
    across, along = (placed.x, placed.x + placed.width), (placed.y, placed.y + placed.box.height)
    return (*along, *across) if down else (*across, *along)
