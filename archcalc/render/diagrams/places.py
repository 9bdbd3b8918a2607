"""Named boxes of a drawing, and points that are said by their anchors, so that lines follow a box that is moved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, pairwise
from math import atan2, degrees, dist
from typing import NamedTuple

from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Point, Rect, Shape, Text, main_box
from archcalc.render.diagrams.svg import number
from archcalc.render.diagrams.text import text_width

#: How far from a box a line may end that belongs to it, and how far from its end it may bend with it.
REACH, BEND = 8.0, 60.0
#: What is so near to an anchor lies on it; what is less slanted is straight.
NEAR, STRAIGHT = 1.2, 0.05
#: A line of a drawing, in the pixels of it, as a length of TikZ.
POINT = 0.75


class Place(NamedTuple):
    """A box with its name: its face in front, and all that is drawn of it."""

    name: str
    face: Rect
    left: float
    top: float
    right: float
    bottom: float

    def away(self, point: Point) -> float:
        """How far a point lies from all that is drawn."""
        dx = max(self.left - point[0], 0.0, point[0] - self.right)
        return dx + max(self.top - point[1], 0.0, point[1] - self.bottom)

    def order(self, point: Point) -> tuple[float, float, float]:
        """How well a point belongs to it: by how far it is from the face, then the upper one and the left one."""
        face = self.face
        dx = max(face.x - point[0], 0.0, point[0] - face.x - face.width)
        dy = max(face.y - point[1], 0.0, point[1] - face.y - face.height)
        return round(dx + dy, 2), face.y, face.x

    def said(self, point: Point) -> str:
        """A point by the nearest anchor."""
        face = self.face
        anchors = {
            f"{row} {column}".strip() or "center": (face.x + face.width * right, face.y + face.height * down)
            for row, down in (("north", 0.0), ("", 0.5), ("south", 1.0))
            for column, right in (("west", 0.0), ("", 0.5), ("east", 1.0))
        }
        anchor, (x, y) = min(anchors.items(), key=lambda item: dist(item[1], point))
        if dist((x, y), point) < NEAR:
            return f"({self.name}.{anchor})"
        return f"([shift={{({number(point[0] - x)},{number(point[1] - y)})}}]{self.name}.{anchor})"


class Places:
    """The named boxes of a drawing, by the number of their cluster, and what was said by them."""

    def __init__(self, drawing: Drawing) -> None:
        self.of_item: dict[int, Place] = {}
        self.names: set[str] = set()
        self.used: set[str] = set()
        for index, item in enumerate(drawing.items):
            front = front_of(item) if item.role == "node" else None
            name = self.unique(item.layer or item.block) if front else ""
            if front and name:
                self.of_item[index] = Place(name, front[1], *_bounds(item))
        self.homes = self._homes(drawing)

    def _homes(self, drawing: Drawing) -> dict[Point, Place]:
        """The boxes of the ends of lines that lie at none: that to which another line leads straight on from there.

        Else the box from which the line comes.
        """
        curves = [shape for item in drawing.items if item.role == "edge"
                  for shape in item.shapes if isinstance(shape, Curve)]  # fmt: skip
        ends = [(_spot(curve.points[0]), _spot(curve.points[-1])) for curve in curves]
        homes: dict[Point, Place] = {}

        def place(point: Point) -> Place | None:
            return homes.get(point) or self.nearest(point)

        onward = [(end, start) for start, end in reversed(ends) if _is_straight(start, end)]
        for pairs in (onward, ends):
            before = -1
            while len(homes) > before:
                before = len(homes)
                for known, open_ in pairs:
                    found = place(known)
                    if found and not place(open_):
                        homes[open_] = found
        return homes

    def unique(self, layer: str) -> str:
        """A name for a node that TikZ takes: letters, digits and hyphens; nothing where there are none."""
        name = re.sub(r"[^A-Za-z0-9]+", "-", layer).strip("-")[:60]
        if not name:
            return ""
        numbered = chain([name], (f"{name}-{count}" for count in range(2, len(self.names) + 3)))
        free = next(one for one in numbered if one not in self.names)
        self.names.add(free)
        return free

    def nearest(self, point: Point, reach: float = REACH) -> Place | None:
        """The box to which a point belongs."""
        near = [place for place in self.of_item.values() if place.away(point) <= reach]
        return min(near, key=lambda place: place.order(point), default=None)

    def at(self, point: Point, place: Place | None = None) -> str:
        """A point by the box to which it belongs, or by its coordinates."""
        place = place or self.nearest(point) or self.homes.get(_spot(point))
        if place is None:
            return f"({number(point[0])},{number(point[1])})"
        self.used.add(place.name)
        return place.said(point)

    def way(self, corners: Sequence[Point], closed: bool = False) -> str:
        """A line through points; one with right angles keeps them when the boxes at its ends are moved."""
        corners = corners if closed else _turns(corners)
        start, end = self.at(corners[0]), self.at(corners[-1])
        upright = [abs(x - u) < STRAIGHT for (x, _), (u, _) in pairwise(corners)]
        square = all(
            abs(y - v) < STRAIGHT or up for up, ((_, y), (_, v)) in zip(upright, pairwise(corners), strict=True)
        )
        turns = all(first != second for first, second in pairwise(upright))
        if closed or len(corners) < 3 or not square or not turns:
            return " -- ".join([start, *(self.at(point) for point in corners[1:-1]), end])
        inner = list(corners[2:-2])
        if len(corners) == 4:
            inner = [((corners[1][0] + corners[2][0]) / 2, (corners[1][1] + corners[2][1]) / 2)]
        out, into = "|-" if upright[0] else "-|", "-|" if upright[-1] else "|-"
        if not inner:
            return f"{start} {out} {end}"
        return f"{start} {out} " + " -- ".join(f"({number(x)},{number(y)})" for x, y in inner) + f" {into} {end}"

    def bent(self, points: Sequence[Point]) -> str:
        """A curve: its straight parts, and its bends by their angles."""
        first, last = self.nearest(points[0]), self.nearest(points[-1])

        def at(index: int) -> str:
            place = first if index < len(points) / 2 else last
            return self.at(points[index], place if place and place.away(points[index]) <= BEND else None)

        path, here = at(0), points[0]
        for index in range(1, len(points), 3):
            before, after, end = points[index : index + 3]
            if before == here and after == end:
                path += f" -- {at(index + 2)}" if end != here else ""
            else:
                out, into = dist(here, before), dist(end, after)
                lengths = f"out distance={number(out * POINT)}bp, in distance={number(into * POINT)}bp"
                if abs(out - into) < NEAR / 2:
                    lengths = f"distance={number(out * POINT)}bp"
                path += f" to[out={_angle(here, before)}, in={_angle(end, after)}, {lengths}] {at(index + 2)}"
            here = end
        return path


def _is_straight(start: Point, end: Point) -> bool:
    return any(abs(a - b) < STRAIGHT for a, b in zip(start, end, strict=True))


def _spot(point: Point) -> Point:
    """A point at which ends of lines meet."""
    return round(point[0], 1), round(point[1], 1)


def _turns(points: Sequence[Point]) -> list[Point]:
    """A line without the points at which it does not turn."""
    found = [points[0]]
    for point, after in pairwise([*points[1:], points[-1]]):
        (x, y), (u, v), (s, t) = found[-1], point, after
        bend = (u - x) * (t - v) - (v - y) * (s - u)
        onward = (u - x) * (s - u) + (v - y) * (t - v)
        if abs(bend) > STRAIGHT or onward < 0:
            found.append(point)
    return [*found, points[-1]] if found[-1] != points[-1] or len(found) == 1 else found


def _angle(start: Point, end: Point) -> str:
    return number(degrees(atan2(start[1] - end[1], end[0] - start[0])) + 0.0)


def front_of(cluster: Cluster) -> tuple[Shape, Rect] | None:
    """The shape that is the face of a cluster: its box, or the largest upright side of what is drawn in perspective."""
    box = main_box(cluster)
    if box is not None:
        return box, box
    found = [(shape, rect) for shape in cluster.shapes if isinstance(shape, Curve) and (rect := _upright(shape))]
    found = found or [(shape, _round(shape)) for shape in cluster.shapes
                      if isinstance(shape, Curve) and shape.closed and shape.bezier]  # fmt: skip
    return max(reversed(found), key=lambda pair: pair[1].width * pair[1].height, default=None)


def _upright(shape: Curve) -> Rect | None:
    """A closed line as a rectangle, if it is one."""
    if not shape.closed or shape.bezier or len(shape.points) != 4 or not (shape.fill and shape.line):
        return None
    (x, y), _, (u, v), _ = shape.points
    if {(round(a, 2), round(b, 2)) for a, b in shape.points} != {
        (round(a, 2), round(b, 2)) for a in (x, u) for b in (y, v)
    }:
        return None
    left, top = min(x, u), min(y, v)
    return Rect(left, top, abs(u - x), abs(v - y), shape.fill, shape.line, shape.thickness, 0.0, shape.dash)


def _round(shape: Curve) -> Rect:
    """The box around a circle."""
    xs, ys = zip(*shape.points[::3], strict=True)
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    return Rect(min(xs), min(ys), width, height, shape.fill, shape.line, shape.thickness, width / 2, shape.dash)


def _bounds(cluster: Cluster) -> tuple[float, float, float, float]:
    points: list[Point] = []
    for shape in cluster.shapes:
        if isinstance(shape, Curve):
            points += shape.points
        elif isinstance(shape, Text):
            width = text_width(shape.text, shape.size, shape.bold)
            left = shape.x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[shape.anchor]
            points += [(left, shape.y - shape.size), (left + width, shape.y)]
        else:
            points += [(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
