"""Sections: parts of a segment with positions of their own, put together from the inside out.

Positions are (along, across): along the direction of reading, across from the axis of a section.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from archcalc.render.diagrams.drawing import CORNER, Point
from archcalc.render.diagrams.measure import NodeBox
from archcalc.render.diagrams.model import Edge, Group
from archcalc.render.diagrams.segments import HEADER, SHADOW, label_size

#: From a box to the next one of a chain, from a box to branches, and from the line along which they meet to the box.
STEP, FORK, MERGE = 12.0, 21.0, 12.0
#: Between branches, between lanes, and inside a frame around what it holds.
BETWEEN, LANE, MARGIN = 16.0, 10.0, 10.0
#: A turn of a line this small looks like a mistake.
SAME = 0.5


class Stroke(NamedTuple):
    """A line by the corners that it takes."""

    edge: Edge
    points: tuple[Point, ...]
    arrow: bool
    radius: float = CORNER


class Area(NamedTuple):
    """A frame: from and to along, from and to across."""

    group: Group
    start: float
    end: float
    left: float
    right: float


class Block(NamedTuple):
    """Something with positions of its own: `left` and `right` are its extents on both sides of its axis."""

    length: float
    left: float
    right: float
    nodes: tuple[tuple[NodeBox, float, float], ...] = ()
    areas: tuple[Area, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    #: Where maps from outside enter at the front, and where maps leave at the end, across.
    entries: Mapping[str, float] = {}
    exits: Mapping[str, float] = {}
    #: Half the width of the box at the front, and half its height there: where a lane may enter from the side.
    side: Point | None = None

    @property
    def across(self) -> float:
        """The extent across."""
        return self.left + self.right

    def moved(self, along: float, across: float) -> Block:
        """The same at another place; `left`, `right` and ports stay relative to its own axis."""
        return self._replace(
            nodes=tuple((box, a + along, c + across) for box, a, c in self.nodes),
            areas=tuple(
                Area(area.group, area.start + along, area.end + along, area.left + across, area.right + across)
                for area in self.areas
            ),
            strokes=tuple(
                stroke._replace(points=tuple((a + along, c + across) for a, c in stroke.points))
                for stroke in self.strokes
            ),
        )


class Link(NamedTuple):
    """A map from an item to another of one level; `None` is outside: before the first item, or after the last."""

    source: int | None
    target: int | None
    name: str
    edge: Edge


def framed(inner: Block, group: Group, down: bool) -> Block:
    """A block with its frame, and with the shadow of one that repeats; the label stands in a strip above."""
    label, _ = label_size(group)
    if down:
        before, left, right = HEADER + 4, inner.left + MARGIN, inner.right + MARGIN
        lack = max(label + 14 - left - right, 0) / 2
        left, right, after = left + lack, right + lack, 0.0
    else:
        lack = max(label + 14 - inner.length - MARGIN, 0) / 2
        before, left, right, after = MARGIN + lack, inner.left + MARGIN + HEADER, inner.right + MARGIN, lack
    end = before + inner.length + after + MARGIN / 2
    shadow = 2 * SHADOW if group.times > 1 else 0.0
    length = end + shadow
    block = inner.moved(before, 0)
    strokes = list(block.strokes)
    for name, across in inner.entries.items():
        strokes.append(Stroke(Edge(name, ""), ((0.0, across), (before, across)), False))
    for name, across in inner.exits.items():
        strokes.append(Stroke(Edge(name, ""), ((before + inner.length, across), (length, across)), False))
    area = Area(group, 0.0, end, -left, right)
    return block._replace(
        length=length, left=left, right=right + shadow, areas=(area, *block.areas), strokes=tuple(strokes), side=None
    )
