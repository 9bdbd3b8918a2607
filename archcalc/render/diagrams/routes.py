"""Ways of lines: right angles with round corners, and shortcuts that run next to what they skip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archcalc.render.diagrams.drawing import Point

#: Left, top, right, bottom.
Area = tuple[float, float, float, float]
CORNER = 8.0
#: How near a line may come to a box.
NEAR = 4.0
#: A step to the side that is smaller than this looks like a mistake.
SMALL_STEP = 7.0


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


def course(points: Sequence[Point]) -> list[Point]:
    """Places along curves: their handles may lie far off the line itself."""
    found = [points[0]]
    for index in range(1, len(points) - 2, 3):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[index - 1 : index + 3]
        for share in (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0):
            a, b, c, d = (1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3
            found.append((a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy))
    return found


def flipped(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points with x and y exchanged."""
    return tuple((y, x) for x, y in points)


def bracket(curve: Sequence[Point], goal: Area, down: bool) -> list[Point]:
    """A way past a residual: across, along next to it, and back into the side of the box that adds."""
    if not down:
        left, top, right, bottom = goal
        return list(flipped(bracket(flipped(curve), (top, left, bottom, right), True)))
    left, top, right, bottom = goal
    start = curve[0]
    far, near = max(x for x, _ in curve), min(x for x, _ in curve)
    high, low = max(start[0], right), min(start[0], left)
    middle = (top + bottom) / 2
    if far - high >= low - near:
        side, end = far, right
    else:
        side, end = near, left
    return [start, (side, start[1]), (side, middle), (end, middle)]


def elbow_in(start: Point, goal: Area, down: bool) -> list[Point]:
    """Across, and then into the front of a box."""
    if not down:
        left, top, right, bottom = goal
        return list(flipped(elbow_in((start[1], start[0]), (top, left, bottom, right), True)))
    x, y = start
    left, top, right, _ = goal
    middle = (left + right) / 2
    if abs(x - middle) < SMALL_STEP:  # straight, if not quite into the middle
        return [start, (x, top)]
    return [start, (middle, y), (middle, top)]


def elbow_out(start: Point, goal: Area, down: bool) -> list[Point]:
    """Along, and then into the side of a box."""
    x, y = start
    left, top, right, bottom = goal
    if down:
        middle = (top + bottom) / 2
        return [start, (x, middle), (right if x > right else left, middle)]
    middle = (left + right) / 2
    return [start, (middle, y), (middle, bottom if y > bottom else top)]


def runs_on(points: Sequence[Point], down: bool) -> bool:
    """Whether a way never turns back against the direction of reading."""
    axis = 1 if down else 0
    return all(b[axis] >= a[axis] - 0.01 for a, b in pairwise(points))


def free(points: Sequence[Point], areas: Sequence[Area]) -> bool:
    """Whether a way of straight lines stays clear of boxes."""
    for (x0, y0), (x1, y1) in pairwise(points):
        left, right = min(x0, x1) - NEAR, max(x0, x1) + NEAR
        top, bottom = min(y0, y1) - NEAR, max(y0, y1) + NEAR
        for a, b, c, d in areas:
            if left < c and a < right and top < d and b < bottom:
                return False
    return True
