"""Lines of different maps that would lie on one another are moved next to each other: they do not look like one.

Only parts between two corners move, and those that turn where their map leaves; the ends of a line stay where they are.
Where that does not help, the last part of a line runs next to the other line until that one has turned off.
Source of the idea: Wybrow, Marriott & Stuckey 2009, "Orthogonal connector routing", section 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.section import Stroke

#: Parallel lines that are nearer than this over more than LEAST look like one.
NEAR, LEAST = 2.5, 2.0
#: How far a line is moved, in order of preference; and what stays at least of the parts next to it.
MOVES = tuple(side * move for move in (7.0, 4.0, 11.0, 15.0, 20.0, 26.0) for side in (1, -1))
KEPT = 3.0
ROUND = 0.01

#: From and to along, from and to across.
Room = tuple[float, float, float, float]


class _Part(NamedTuple):
    """The part of a line from one corner to the next: which line, its number in it, and where it lies.

    `axis` is that in which it is fixed, `at` its place there; it goes from `low` to `high` in the other one.
    """

    line: int
    number: int
    axis: int
    at: float
    low: float
    high: float

    def covers(self, other: _Part) -> bool:
        """Whether both look like one line."""
        near = self.axis == other.axis and abs(self.at - other.at) < NEAR
        return near and min(self.high, other.high) - max(self.low, other.low) > LEAST


def nudged(strokes: Sequence[Stroke], rooms: Sequence[Room]) -> list[Stroke]:
    """The lines, of which those that cover lines of other maps are moved where there is space between the boxes.

    Lines that end at the same layer may meet in front of it.
    """
    lanes = _Lanes(strokes, rooms)
    for index in range(len(strokes)):
        lanes.move_apart(index)
    return lanes.strokes


class _Lanes:
    """All lines, with their parts by place."""

    def __init__(self, strokes: Sequence[Stroke], rooms: Sequence[Room]) -> None:
        self.strokes = [stroke._replace(points=_corners(stroke.points)) for stroke in strokes]
        self.rooms = rooms
        self.buckets: dict[tuple[int, int], set[_Part]] = {}
        for index in range(len(strokes)):
            for part in self._parts(index):
                self._bucket(part).add(part)

    def _bucket(self, part: _Part) -> set[_Part]:
        return self.buckets.setdefault((part.axis, int(part.at // NEAR)), set())

    def _parts(self, index: int) -> list[_Part]:
        found = []
        for number, (a, b) in enumerate(pairwise(self.strokes[index].points)):
            axis = 0 if abs(a[0] - b[0]) < ROUND else 1
            ends = sorted((a[1 - axis], b[1 - axis]))
            found.append(_Part(index, number, axis, a[axis], *ends))
        return found

    def _covered(self, part: _Part, all_of_them: bool = False) -> Iterator[_Part]:
        """The parts of lines of other maps that a part covers; with `all_of_them` those to the same layer too."""
        own, place = self.strokes[part.line].edge, int(part.at // NEAR)
        for near in (place - 1, place, place + 1):
            for other in self.buckets.get((part.axis, near), ()):
                edge = self.strokes[other.line].edge
                meets = bool(own.target) and own.target == edge.target and not all_of_them
                if edge.source != own.source and not meets and part.covers(other):
                    yield other

    def move_apart(self, index: int) -> None:
        """Move the parts of a line that cover others, or those others, or what is next to them."""
        number = 0
        while number < len(self.strokes[index].points) - 1:
            part = self._parts(index)[number]
            for other in sorted(self._covered(part)):
                places = [(each.line, each.number + beside) for beside in (0, 1, -1) for each in (part, other)]
                moved = any(self._move(*place) for place in places)
                if moved or self._step_in(part, other) or self._step_in(other, part):
                    break
            number += 1

    def _bad(self, line: int) -> int:
        """How many parts of other lines a line covers."""
        return sum(1 for part in self._parts(line) for _ in self._covered(part))

    def _put(self, line: int, points: tuple[Point, ...]) -> None:
        for old in self._parts(line):
            self._bucket(old).discard(old)
        self.strokes[line] = self.strokes[line]._replace(points=points)
        for new in self._parts(line):
            self._bucket(new).add(new)

    def _move(self, line: int, number: int) -> bool:
        """Move a part to the nearest place where its line covers less; whether there is one."""
        points = self.strokes[line].points
        if not 0 <= number < len(points) - 2 or self._is_joined(part := self._parts(line)[number]):
            return False
        before = self._bad(line)
        for move in MOVES:
            moved = _moved(points, part, move)
            if moved and self._is_free(part, move):
                self._put(line, moved)
                if self._bad(line) < before:
                    return True
                self._put(line, points)
        return False

    def _step_in(self, part: _Part, other: _Part) -> bool:
        """Move the last part of a line next to another one up to where that one turns off; whether there is space."""
        line, axis = part.line, part.axis
        points = self.strokes[line].points
        if not 0 < part.number == len(points) - 2 or self._is_joined(part):
            return False
        before, start, end = self._bad(line), points[-2][1 - axis], points[-1][1 - axis]
        turn = ((other.high if end > start else other.low) + end) / 2
        if abs(end - turn) < KEPT or not min(start, end) < turn < max(start, end):
            return False
        for move in MOVES:
            beside, last = (_shifted(point, axis, move) for point in points[-2:])
            step = _shifted(last, 1 - axis, turn - end)
            found = (*points[:-2], beside, step, _shifted(step, axis, -move), points[-1])
            room = part._replace(low=min(start, turn), high=max(start, turn))
            length = points[-2][axis] - points[-3][axis]
            if (length + move) * length > 0 and self._is_free(room, move):
                self._put(line, found)
                if self._bad(line) < before:
                    return True
                self._put(line, points)
        return False

    def _is_joined(self, part: _Part) -> bool:
        """Whether another line of the same map starts or ends on a part."""
        own = self.strokes[part.line]
        return any(
            abs(end[part.axis] - part.at) < ROUND and part.low - ROUND < end[1 - part.axis] < part.high + ROUND
            for index, other in enumerate(self.strokes)
            if index != part.line and other.edge.source == own.edge.source
            for end in (other.points[0], other.points[-1])
            if end not in (own.points[0], own.points[-1])
        )

    def _is_free(self, part: _Part, move: float) -> bool:
        there = part._replace(at=part.at + move)
        if any(self._covered(there, True)):
            return False
        return not any(
            room[2 * there.axis] - NEAR < there.at < room[2 * there.axis + 1] + NEAR
            and room[2 - 2 * there.axis] - NEAR < there.high
            and there.low < room[3 - 2 * there.axis] + NEAR
            for room in self.rooms
        )


def _corners(points: Sequence[Point]) -> tuple[Point, ...]:
    """Both ends of a line and the places where it turns."""
    found = [points[0]]
    for point in points[1:]:
        if max(abs(point[axis] - found[-1][axis]) for axis in (0, 1)) < ROUND:
            continue
        if len(found) > 1 and any(max(abs(each[axis] - point[axis]) for each in found[-2:]) < ROUND for axis in (0, 1)):
            found.pop()
        found.append(point)
    return tuple(found) if len(found) > 1 else (points[0], points[-1])


def _moved(points: tuple[Point, ...], part: _Part, move: float) -> tuple[Point, ...] | None:
    """A line with one part moved; None where a part next to it would be too short or turn round."""
    axis, number = part.axis, part.number
    before = points[number][axis] - points[number - 1][axis] if number else 0.0
    after = points[number + 2][axis] - points[number + 1][axis]
    for length, change in ((before, move), (after, -move)):
        if length and ((length + change) * length <= 0 or abs(length + change) < KEPT):
            return None
    if not number and after * move <= 0:  # it starts here, and must not go back into its box
        return None
    start, end = (_shifted(point, axis, move) for point in points[number : number + 2])
    return (*points[: max(number, 1)], start, end, *points[number + 2 :])


def _shifted(point: Point, axis: int, move: float) -> Point:
    return (point[0] + move, point[1]) if axis == 0 else (point[0], point[1] + move)
