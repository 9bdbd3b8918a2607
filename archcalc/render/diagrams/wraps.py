"""A long chain inside a frame, in several columns: then a frame is as high as a page, and its texts can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from archcalc.render.diagrams.chains import Chains, NotSeriesParallel
from archcalc.render.diagrams.columns import GUTTER, LANE, balanced, joint
from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.model import Edge
from archcalc.render.diagrams.section import SAME, STEP, Block, Link

#: More maps than this never go from a column to the next one.
MOST_CROSSING = 3
#: The longest column against all of them: else nothing is gained.
SHORTER = 0.8
#: From columns to the first line above or below them.
HEAD = 9.0


def wrapped(
    items: Sequence[Block],
    links: Sequence[Link],
    auxiliary: Sequence[bool],
    order: Mapping[str, int],
    left: Set[str],
    most: float,
) -> Block | None:
    """A level in columns that are about as long as `most`; None where no chain goes through it.

    It starts on the axis of the first column, and ends below the last one.
    """
    if len({link.name for link in links if link.target is None and link.source is not None}) > 1:
        return None
    if any(link.source is None and link.target is None for link in links):
        return None
    trunk = _trunk(len(items), links)
    starts = [0, *(place for place in trunk if place and _may_end(place, len(items), links) and place - 1 in trunk)]
    sizes = [sum(item.length + STEP for item in items[low:high]) for low, high in pairwise([*starts, len(items)])]
    runs = balanced(sizes, min(ceil(sum(sizes) / most), len(sizes)))
    places = [starts[run.start] for run in runs]
    longest = max(sum(sizes[run.start : run.stop]) for run in runs)
    if longest > SHORTER * sum(sizes) or any(link.target is None and (link.source or 0) < places[-1] for link in links):
        return None
    try:
        columns = [
            Chains(items[low:high], _inside(links, low, high), auxiliary[low:high], order, left).block()
            for low, high in pairwise([*places, len(items)])
        ]
    except NotSeriesParallel:
        return None
    return _Columns(columns).block()


def _trunk(count: int, links: Sequence[Link]) -> list[int]:
    """The items that lead to the end of a level, in order: heads stay with what they read."""
    found = {count - 1, *(link.source for link in links if link.target is None)}
    for item in reversed(range(count)):
        if any(link.source == item and link.target in found for link in links):
            found.add(item)
    return sorted(item for item in found if item is not None)


def _may_end(place: int, count: int, links: Sequence[Link]) -> bool:
    """Whether a column may end before an item: it reads the item before it, and few maps run past it."""
    ends = [(link.name, -1 if link.source is None else link.source, count if link.target is None else link.target)
            for link in links]  # fmt: skip
    crossing = {name for name, source, target in ends if source < place <= target}
    follows = any(link.source == place - 1 and link.target == place for link in links)
    return follows and len(crossing) <= MOST_CROSSING


def _inside(links: Sequence[Link], low: int, high: int) -> list[Link]:
    """The links of some items that follow each other; what is before and after them is outside."""
    found: dict[tuple[int | None, int | None, str], Link] = {}
    for link in links:
        source = link.source - low if link.source is not None and low <= link.source < high else None
        target = link.target - low if link.target is not None and low <= link.target < high else None
        if source is not None or target is not None:
            edge = link.edge if target is not None else Edge(link.name, "")
            found.setdefault((source, target, link.name), Link(source, target, link.name, edge))
    return list(found.values())


class _Way(NamedTuple):
    """A map that later columns read: the column that gives it, or −1 where it comes from outside, and these columns."""

    name: str
    source: int
    targets: tuple[int, ...]


class _Columns:
    """Columns next to each other. Maps rise between them, and run above them to the columns that read them."""

    def __init__(self, columns: Sequence[Block]) -> None:
        self.columns = columns
        self.ways = self._ways()
        #: The lane of each map above the columns, from the lowest on.
        self.lanes: dict[_Way, int] = {}
        for way in sorted(self.ways, key=lambda way: (way.targets[-1] - way.source, -way.source)):
            above = [lane for other, lane in self.lanes.items() if self._meet(way, other)]
            self.lanes[way] = max(above, default=-1) + 1
        self.head = HEAD + LANE * (max(self.lanes.values(), default=0) + 1)
        #: How many maps rise behind each column; the axes of columns; and where these end across.
        self.rising = [[way for way in self.ways if way.source == number] for number in range(len(columns))]
        self.axes, self.ends, across = [], [], -columns[0].left
        for column, rising in zip(columns, self.rising, strict=True):
            self.axes.append(across + column.left)
            self.ends.append(across + column.left + column.right)
            across = self.ends[-1] + GUTTER + LANE * max(len(rising) - 1, 0)

    def _ways(self) -> list[_Way]:
        found = []
        for source in range(-1, len(self.columns)):
            names = self.columns[source].exits if source >= 0 else {
                name: 0 for column in self.columns for name in column.entries
                if not any(name in other.exits for other in self.columns)
            }  # fmt: skip
            for name in names:
                targets = [number for number in range(source + 1, len(self.columns))
                           if name in self.columns[number].entries]  # fmt: skip
                if targets and (source >= 0 or targets != [0]):
                    found.append(_Way(name, source, tuple(targets)))
        return found

    @staticmethod
    def _meet(way: _Way, other: _Way) -> bool:
        """Whether both run above one column, or into it, or rise next to each other."""
        return way.source < other.targets[-1] and other.source < way.targets[-1]

    def block(self) -> Block:
        """All columns as one block, whose axis is that of the first one."""
        first, last = self.columns[0], self.columns[-1]
        entries = dict(first.entries)
        for way in self.ways:
            if way.source < 0 and way.name not in entries:
                entries[way.name] = self.axes[way.targets[0]] + self.columns[way.targets[0]].entries[way.name]
        strokes = [joint(name, [(0.0, across), (self.head, across)]) for name, across in first.entries.items()]
        strokes += [joint(way.name, self._line(way, target, entries)) for way in self.ways for target in way.targets
                    if target or way.source >= 0]  # fmt: skip
        tail = max(len(rising) for rising in self.rising) * LANE
        length = self.head + max(column.length for column in self.columns) + tail + HEAD
        exits = {name: self.axes[-1] + across for name, across in last.exits.items()}
        strokes += [
            joint(name, [(self.head + last.length, across), (length, across)]) for name, across in exits.items()
        ]
        parts = [column.moved(self.head, axis) for column, axis in zip(self.columns, self.axes, strict=True)]
        return Block(
            length,
            first.left,
            self.ends[-1],
            tuple(node for part in parts for node in part.nodes),
            tuple(area for part in parts for area in part.areas),
            (*strokes, *(stroke for part in parts for stroke in part.strokes)),
            entries,
            exits,
        )

    def _line(self, way: _Way, target: int, entries: Mapping[str, float]) -> list[Point]:
        """The line of a map to the start of a column."""
        goal = self.head, self.axes[target] + self.columns[target].entries[way.name]
        lane = self.head - HEAD - LANE * self.lanes[way]
        if way.source < 0:
            start = 0.0, entries[way.name]
            return [start, (lane, start[1]), (lane, goal[1]), goal] if abs(start[1] - goal[1]) > SAME else [start, goal]
        column = self.columns[way.source]
        start = self.head + column.length, self.axes[way.source] + column.exits[way.name]
        # The higher a map runs above the columns, the nearer to its column it rises, and the higher it turns below it.
        place = sum(self.lanes[other] > self.lanes[way] for other in self.rising[way.source])
        below = start[0] + HEAD + LANE * place
        side = self.ends[way.source] + GUTTER / 2 + LANE * place
        return [start, (below, start[1]), (below, side), (lane, side), (lane, goal[1]), goal]
