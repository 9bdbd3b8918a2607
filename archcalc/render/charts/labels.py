"""Labels next to points, placed so that no two overlap and none covers a point.

Each label tries places around its point, near ones first; the point with the fewest free places goes first, and in
rounds afterwards each moves to a better place where one has come free. Sizes are measured as the diagrams measure them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, hypot, pi, sin
from typing import NamedTuple

from archcalc.render.diagrams.text import CAPITAL, text_width

ROUNDS = 12
#: Places of a label that are tried against the others.
BEST = 48
#: Distances from the edge of the point, in pixels, and directions around it.
GAPS = (3.0, 8.0, 14.0, 22.0, 32.0, 44.0, 58.0, 74.0, 92.0)
DIRECTIONS = 16
#: How far a label may reach into a point, in pixels.
COVERED = 3.0


#: From x, y to x, y.
Line = tuple[float, float, float, float]


class Disc(NamedTuple):
    """A point of the chart, in pixels."""

    x: float
    y: float
    radius: float


class Box(NamedTuple):
    """A rectangle, in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """The area that two rectangles share."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0

    def cuts(self, disc: Disc) -> float:
        """How deep a disc reaches into the rectangle."""
        x = min(max(disc.x, self.left), self.right)
        y = min(max(disc.y, self.top), self.bottom)
        return max(disc.radius - hypot(disc.x - x, disc.y - y), 0.0)

    def gap(self, disc: Disc) -> float:
        """The distance from the rectangle to the edge of a disc."""
        x = min(max(disc.x, self.left), self.right)
        y = min(max(disc.y, self.top), self.bottom)
        return max(hypot(disc.x - x, disc.y - y) - disc.radius, 0.0)


class Label(NamedTuple):
    """Where a text begins (its baseline), what it covers, and the line to its point where it stands away from it."""

    x: float
    y: float
    box: Box
    leader: Line | None
    #: What holds both.
    reach: Line


def place(
    discs: Sequence[Disc],
    texts: Sequence[str],
    size: float,
    area: Box,
    blocked: Sequence[Box] = (),
    lines: Sequence[Line] = (),
    others: Sequence[Disc] = (),
    of_line: float = 8.0,
    behind: float = 60.0,
) -> list[Label | None]:
    """A label for each disc, inside the area, outside the blocked rectangles, off the lines and others where it can be.

    `of_line` is what a label on a line costs, in pixels of distance from its disc, `behind` what a label on the line
    from another one to its disc does. None where there is no space: a label that would lie over another one.
    """
    candidates = [_candidates(disc, text, size, area) for disc, text in zip(discs, texts, strict=True)]
    ranked = [
        sorted(
            (_fixed_cost(label, own, discs, blocked) + _over(label, others, lines, of_line), number)
            for number, label in enumerate(labels)
        )[:BEST]
        for own, labels in enumerate(candidates)
    ]
    candidates = [[labels[number] for _, number in ranks] for labels, ranks in zip(candidates, ranked, strict=True)]
    fixed = [[cost for cost, _ in ranks] for ranks in ranked]
    order = sorted(range(len(discs)), key=lambda own: (sum(cost < 60 for cost in fixed[own]), own))
    chosen: dict[int, Label] = {}
    for round_ in range(ROUNDS):
        before = dict(chosen)
        for own in order:
            placed = [label for index, label in chosen.items() if index != own]
            costs = (
                (cost + _crowding(label, placed, behind), number)
                for number, (label, cost) in enumerate(zip(candidates[own], fixed[own], strict=True))
            )
            chosen[own] = candidates[own][min(costs)[1]]
        if round_ and before == chosen:
            break
    return _without_overlaps([chosen[own] for own in range(len(discs))], [*discs, *others], blocked)


def _without_overlaps(labels: Sequence[Label], discs: Sequence[Disc], blocked: Sequence[Box]) -> list[Label | None]:
    """Leaves out what lies on blocked places or on points; then what meets the most others, of small discs first."""
    kept = {
        own: label
        for own, label in enumerate(labels)
        if not any(label.box.overlap(box) for box in blocked)
        and not any(label.box.cuts(disc) > COVERED for index, disc in enumerate(discs) if index != own)
    }

    def meets(own: int) -> int:
        return sum(kept[own].box.overlap(other.box) > 0 for index, other in kept.items() if index != own)

    while kept:
        count, _, worst = max((meets(own), -discs[own].radius, own) for own in kept)
        if not count:
            break
        del kept[worst]
    return [kept.get(own) for own in range(len(labels))]


def _candidates(disc: Disc, text: str, size: float, area: Box) -> list[Label]:
    """Places around a disc; at least one, wherever it lies."""
    width, height = text_width(text, size), size * CAPITAL
    found = []
    for gap in GAPS:
        for step in range(DIRECTIONS):
            angle = 2 * pi * step / DIRECTIONS
            reach = disc.radius + gap
            # The middle of the label, pushed out so that the label clears the disc in this direction.
            x = disc.x + cos(angle) * reach + (cos(angle) * width / 2 if abs(cos(angle)) > 0.1 else 0.0)
            y = disc.y - sin(angle) * reach - sin(angle) * height / 2
            box = Box(x - width / 2 - 2, y - height / 2 - 2, x + width / 2 + 2, y + height / 2 + 3)
            if area.left <= box.left and box.right <= area.right and area.top <= box.top and box.bottom <= area.bottom:
                found.append(_label(x - width / 2, y + height / 2, box, _leader(disc, box, gap)))
    if not found:
        x = min(max(disc.x - width / 2, area.left), max(area.right - width, area.left))
        y = min(max(disc.y, area.top + height), area.bottom)
        found.append(_label(x, y, Box(x - 2, y - height - 2, x + width + 2, y + 3), None))
    return found


def _label(x: float, y: float, box: Box, leader: Line | None) -> Label:
    if leader is None:
        return Label(x, y, box, None, (box.left, box.top, box.right, box.bottom))
    xs, ys = (leader[0], leader[2], box.left, box.right), (leader[1], leader[3], box.top, box.bottom)
    return Label(x, y, box, leader, (min(xs), min(ys), max(xs), max(ys)))


def _leader(disc: Disc, box: Box, gap: float) -> Line | None:
    if gap < 10:
        return None
    x = min(max(disc.x, box.left), box.right)
    y = min(max(disc.y, box.top), box.bottom)
    distance = hypot(x - disc.x, y - disc.y)
    if distance <= disc.radius + 3:
        return None
    share = disc.radius / distance
    return disc.x + (x - disc.x) * share, disc.y + (y - disc.y) * share, x, y


def _fixed_cost(label: Label, own: int, discs: Sequence[Disc], blocked: Sequence[Box]) -> float:
    """What does not depend on the other labels: the distance from the point; discs and rectangles below it."""
    disc = discs[own]
    middle = (label.box.left + label.box.right) / 2
    x = min(max(disc.x, label.box.left), label.box.right)
    y = min(max(disc.y, label.box.top), label.box.bottom)
    cost = max(hypot(x - disc.x, y - disc.y) - disc.radius, 0.0)
    cost += 0.02 * abs(middle - disc.x) + (2.0 if middle < disc.x - 1 else 0.0)  # to the right rather
    cost += sum(40 * label.box.cuts(other) for other in discs)
    cost += sum(10 * label.box.overlap(box) for box in blocked)
    gap = max(hypot(x - disc.x, y - disc.y) - disc.radius, 0.0)
    for index, other in enumerate(discs):
        if index != own:
            # Near another point a label seems to be that one's.
            cost += 12.0 if label.box.gap(other) < gap + 3 else 0.0
            cost += 40.0 if label.leader and _hits(label.leader, other) else 0.0
    return cost + (4.0 if label.leader else 0.0)


def _over(label: Label, others: Sequence[Disc], lines: Sequence[Line], of_line: float) -> float:
    """Of discs without labels, and of lines."""
    cost = sum(40 * label.box.cuts(other) for other in others)
    cost += sum(4.0 for other in others if label.leader and _hits(label.leader, other))
    return cost + of_line * sum(_through(line, label.box) for line in lines)


def _crowding(label: Label, others: Sequence[Label], behind: float) -> float:
    cost = 0.0
    left, top, right, bottom = label.reach
    for other in others:
        reach = other.reach
        if right <= reach[0] or reach[2] <= left or bottom <= reach[1] or reach[3] <= top:
            continue
        shared = label.box.overlap(other.box)
        if shared:
            cost += 500 + 20 * shared
        if label.leader and other.leader and _cross(label.leader, other.leader):
            cost += 60
        for leader, box in ((label.leader, other.box), (other.leader, label.box)):
            if leader and _through(leader, box):
                cost += behind
    return cost


def _hits(leader: Line, disc: Disc) -> bool:
    ax, ay, bx, by = leader
    length = (bx - ax) ** 2 + (by - ay) ** 2
    share = min(max(((disc.x - ax) * (bx - ax) + (disc.y - ay) * (by - ay)) / length, 0.0), 1.0) if length else 0.0
    return hypot(ax + (bx - ax) * share - disc.x, ay + (by - ay) * share - disc.y) < disc.radius


def _through(line: Line, box: Box) -> bool:
    """Whether a part of a line lies inside a rectangle."""
    ax, ay, bx, by = line
    begin, end = 0.0, 1.0
    for start, stop, low, high in ((ax, bx, box.left, box.right), (ay, by, box.top, box.bottom)):
        if start == stop:
            if not low < start < high:
                return False
            continue
        first, last = sorted(((low - start) / (stop - start), (high - start) / (stop - start)))
        begin, end = max(begin, first), min(end, last)
    return begin < end


def _cross(first: Line, second: Line) -> bool:
    def side(line: Line, x: float, y: float) -> float:
        return (line[2] - line[0]) * (y - line[1]) - (line[3] - line[1]) * (x - line[0])

    return (
        side(first, *second[:2]) * side(first, *second[2:]) < 0
        and side(second, *first[:2]) * side(second, *first[2:]) < 0
    )
