"""Where several maps enter one box: each at a place of its own, so that their lines do not look like one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.segments import Line, Placed

#: From one map that enters a box to the next, and from the last one to its corner.
GAP, CORNER = 9.0, 8.0
SAME = 0.01


def apart(lines: Iterable[Line], nodes: Iterable[Placed], down: bool) -> tuple[Line, ...]:
    """The lines, of which those that end at one place of a layer that reads several maps end next to each other.

    Sums and concatenations join their lines: there it does not matter which one is which.
    """
    found = list(lines)
    for placed in nodes:
        if placed.box.node.parts[0].family == "merge":
            continue
        ends = _ends(found, placed.box.node.id)
        half = (placed.width if down else placed.box.height) / 2
        room = (half if placed.box.above is None else placed.box.front) - CORNER
        for indices in ends.values():
            moves = _moves([found[index].points[::3] for index in indices], down)
            if len(indices) > 1 and max(map(abs, moves)) <= room:
                for index, move in zip(indices, moves, strict=True):
                    found[index] = _moved(found[index], move, down)
    return tuple(found)


def joined(lines: Sequence[Line], nodes: Iterable[Placed]) -> set[str]:
    """The boxes that several lines enter at one place."""
    names = [placed.box.node.id for placed in nodes]
    return {name for name in names if any(indices[1:] for indices in _ends(lines, name).values())}


def _ends(lines: Sequence[Line], target: str) -> dict[Point, list[int]]:
    """The places at which lines end at a box, and which lines do."""
    ends: dict[Point, list[int]] = {}
    for index, line in enumerate(lines):
        if line.arrow and line.edge.target == target:
            x, y = line.points[-1]
            ends.setdefault((round(x, 2), round(y, 2)), []).append(index)
    return ends


def _moves(ways: Sequence[Sequence[Point]], down: bool) -> list[float]:
    """How far each line moves to the side from which it comes; what turns nearest to the box moves farthest.

    None moves where two of one side turn at one place, or where there is no space.
    """
    across, along = (0, 1) if down else (1, 0)
    sides = [_side(way, across, along) for way in ways]
    moves = [0.0] * len(ways)
    for side in (-1, 1):
        own = [index for index, one in enumerate(sides) if one == side]
        own.sort(key=lambda index: ways[index][-3][along])
        turns = {round(ways[index][-3][along], 1) for index in own}
        if len(turns) < len(own):
            return [0.0] * len(ways)
        first = 0.5 if 0 not in sides and len(own) < len(ways) else 1.0 if 0 in sides else 0.0
        for place, index in enumerate(own):
            moves[index] = side * (place + first) * GAP
            if abs(ways[index][-4][across] - ways[index][-3][across]) < abs(moves[index]):
                return [0.0] * len(ways)
    return moves


def _side(way: Sequence[Point], across: int, along: int) -> int:
    """The side from which a line comes at its last turn, which is a rounded corner; 0 where it comes straight."""
    if len(way) < 4 or any(abs(way[-3][axis] - way[-2][axis]) < SAME for axis in (across, along)):
        return 0
    return 1 if way[-3][across] > way[-2][across] else -1


def _moved(line: Line, move: float, down: bool) -> Line:
    """With its last corner, and what follows it, moved across."""
    if not move:
        return line
    dx, dy = (move, 0.0) if down else (0.0, move)
    return line._replace(points=(*line.points[:-8], *((x + dx, y + dy) for x, y in line.points[-8:])))
