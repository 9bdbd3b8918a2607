"""Boxes, frames and lines with positions, and the space that they take."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.measure import BADGE, LABEL, NodeBox
from archcalc.render.diagrams.model import Edge, Group
from archcalc.render.diagrams.text import text_width

#: Below a box, or right of it: space for the line that leaves it and the size of the map it carries.
TRUNK = 15.0
#: Between a place where a map enters a segment and the box that it reaches.
LEAD = 10.0
SHADOW = 4.0
CLEAR = 14.0
#: The strip of a frame in which its label stands.
HEADER = 22.0


class Placed(NamedTuple):
    """A box and its upper left corner."""

    box: NodeBox
    x: float
    y: float
    width: float
    #: Where its map leaves the box, and where the line to its readers starts.
    start: Point
    trunk: Point


class Frame(NamedTuple):
    """A block's frame."""

    group: Group
    x: float
    y: float
    width: float
    height: float


class Line(NamedTuple):
    """An edge: a start and triples of two handles and an end."""

    edge: Edge
    points: tuple[Point, ...]
    arrow: bool


def reserved(box: NodeBox, leaves: bool, down: bool) -> tuple[float, float]:
    """Width and height that a node takes: the box, its shadow and the space of its output."""
    shadow = 2 * SHADOW if box.badge else 0.0
    width, height = box.width + shadow, box.height + shadow
    if box.above is not None:
        return width, height
    if not leaves:  # other lines keep clear of it
        return (width + CLEAR, height) if down else (width, height + CLEAR)
    if down:
        return max(width, 2 * (box.output_width + 9)), height + TRUNK
    return width + box.output_width + 12, max(height, 34.0)


def place_box(box: NodeBox, centre: Point, leaves: bool, down: bool) -> Placed:
    """The box inside the space that it takes, whose centre is given."""
    width, height = reserved(box, leaves, down)
    x, y = centre
    shadow = 2 * SHADOW if box.badge else 0.0
    if down:
        left, top = x - box.width / 2, y - height / 2
        start, end = (x, top + box.height + shadow), (x, y + height / 2)
    else:
        left, top = x - width / 2, y - box.height / 2
        axis = y if box.above is None else top + box.above
        start, end = (left + box.width + shadow, axis), (x + width / 2, axis)
    return Placed(box, left, top, box.width, start, end if leaves else start)


def straight(start: Point, end: Point) -> tuple[Point, ...]:
    return (start, start, end, end)


def label_size(group: Group) -> tuple[float, float]:
    """Space for the label of a frame, with its note and the sign that it repeats."""
    width = text_width(group.label, LABEL, True) + 8
    if group.times > 1:
        width += text_width(f"×{group.times}", BADGE, True) + 16
    if group.note:
        width += text_width(group.note, 10.5) + 12
    return width, 16.0
