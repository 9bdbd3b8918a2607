"""Lines with right angles and round corners."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.render.diagrams.drawing import Point

CORNER = 8.0


def rounded(points: Sequence[Point], radius: float) -> tuple[Point, ...]:
    """A line with right angles as curves with round corners: a start and triples of two handles and an end."""
    result: list[Point] = [points[0]]
    for index in range(1, len(points)):
        x, y = points[index]
        if index == len(points) - 1:
            result += [result[-1], (x, y), (x, y)]
            continue
        (px, py), (nx, ny) = points[index - 1], points[index + 1]
        before, after = abs(x - px) + abs(y - py), abs(nx - x) + abs(ny - y)
        r = min(radius, before / 2, after / 2)
        if r < 0.01:
            result += [result[-1], (x, y), (x, y)]
            continue
        near = (x - (x - px) / before * r, y - (y - py) / before * r)
        far = (x + (nx - x) / after * r, y + (ny - y) / after * r)
        result += [result[-1], near, near, (x, y), (x, y), far]
    return tuple(result)
