"""Networks whose maps come back to a size that they had: each size is a row, in which maps stand in their order.

So U-Net++ is a triangle, a feature pyramid stands upright, and the branches of HRNet run next to each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import NamedTuple

from archcalc.render.diagrams.columns import Plan, Spot, joint
from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.frames import outermost
from archcalc.render.diagrams.measure import NodeBox
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.rails import Cell, Rails, Wanted
from archcalc.render.diagrams.section import STEP
from archcalc.render.diagrams.structure import structured
from archcalc.render.diagrams.tracks import HEAD, TRACK

Size = tuple[int, ...]
#: A map that is so much smaller than the largest of a level is on the next one.
NEXT = 1.6
#: So many maps at least wait for smaller ones, and there are at least so many rows.
LEAST = 2, 3


class _Run(NamedTuple):
    """Nodes of one row that follow each other: maps come in at the first item alone, and leave after the last."""

    row: int
    nodes: list[str]


class Levels:
    """A network in rows by the `sizes` of the maps of its nodes."""

    def __init__(self, diagram: Diagram, sizes: Mapping[str, Size]) -> None:
        self.diagram = diagram
        kept = {group.path for group in diagram.groups}
        #: The outermost frame of each node, or the node.
        self.item_of = {node.id: outermost(node.path, kept) or (node.id, "") for node in diagram.nodes}
        self.read: dict[str, list[str]] = {node.id: [] for node in diagram.nodes}
        self.readers: dict[str, list[str]] = {node.id: [] for node in diagram.nodes}
        for edge in diagram.edges:
            self.read[edge.target].append(edge.source)
            self.readers[edge.source].append(edge.target)
        self.rows = self._rows(sizes)
        self.runs = self._runs()
        self.run_of = {name: number for number, run in enumerate(self.runs) for name in run.nodes}
        self.wanted = [Wanted(*each) for each in dict.fromkeys(
            (edge.source, self.run_of[edge.source], self.run_of[edge.target]) for edge in diagram.edges
        ) if each[1] != each[2]]  # fmt: skip

    @cached_property
    def suit(self) -> bool:
        """Whether maps are read again past smaller ones, and no two cells read each other."""
        import networkx

        past = [want for want in self.wanted if self.runs[want.source].row == self.runs[want.target].row
                and self._passes(want)]  # fmt: skip
        if len(past) < LEAST[0] or len(set(self.rows.values())) < LEAST[1]:
            return False
        return networkx.is_directed_acyclic_graph(networkx.DiGraph([want[1:] for want in self.wanted]))

    def _passes(self, want: Wanted) -> bool:
        """Whether maps of a smaller size are calculated while a map waits."""
        return any(run.row > self.runs[want.source].row for run in self.runs[want.source + 1 : want.target])

    def _rows(self, sizes: Mapping[str, Size]) -> dict[str, int]:
        """The row of each node: that of the size of its frame's last map."""
        own: dict[tuple[str, ...], Size] = {}
        for name, item in self.item_of.items():
            before = [own[self.item_of[source]] for source in self.read[name] if self.item_of[source] != item]
            own[item] = sizes[name] or own.get(item, ()) or (before[-1] if before else ())
        level: dict[Size, int] = {}
        largest: Size = ()
        for size in sorted(set(own.values()), key=prod, reverse=True):
            if not largest or not size or largest[0] >= NEXT * size[0]:
                largest = size
                level[size] = len(set(level.values()))
            level[size] = max(level.values())
        places: list[list[int]] = [[] for _ in set(level.values())]
        for place, size in enumerate(own.values()):
            places[level[size]].append(place)
        # The trunk before the first map that comes back, and what follows the last one, are no rows of their own.
        row_of = [0]
        for above, below in pairwise(places):
            row_of.append(row_of[-1] + (row_of[-1] > 0 or max(above) > min(below)))
        last = len(places) - 1
        while last and min(places[last]) == len(own) - sum(map(len, places[last:])):
            last -= 1
        return {name: row_of[min(level[own[item]], last)] for name, item in self.item_of.items()}

    def _runs(self) -> list[_Run]:
        """The nodes of each cell."""
        members: dict[tuple[str, ...], list[str]] = {}
        for name, item in self.item_of.items():
            members.setdefault(item, []).append(name)
        runs: list[_Run] = []
        run_of: dict[str, int] = {}
        for inside in members.values():
            row = self.rows[inside[0]]
            before = {source for name in inside for source in self.read[name]} - {*inside}
            beside = {reader for source in before for reader in self.readers[source]}
            places = {run_of[source] for source in before}
            place = min(places, default=0)
            # What reads these maps too is in the same cell, or will be.
            if len(places) == 1 and all(
                self.rows[name] == runs[place].row
                and {run_of.get(source, place) for source in self.read[name]} == places
                for name in (*inside, *beside)
            ):
                runs[place].nodes.extend(inside)
            else:
                place = len(runs)
                runs.append(_Run(row, list(inside)))
            run_of.update(dict.fromkeys(inside, place))
        return runs

    def grids(self, boxes: Mapping[str, NodeBox]) -> list[Grid]:
        """The cells behind what they read; and narrower, where each starts behind the start of the last box of that."""
        cells = [self._cell(number, boxes) for number in range(len(self.runs))]
        return [Grid(_placed(cells, self.wanted, over), self.wanted) for over in (False, True)]

    def _cell(self, number: int, boxes: Mapping[str, NodeBox]) -> Cell:
        """A run with positions of its own."""
        diagram, order, run = self.diagram, self.diagram.order, self.runs[number]
        into = [edge for edge in diagram.edges if self.run_of[edge.target] == number]
        entries = {edge.source for edge in into if self.run_of[edge.source] != number}
        exits = {want.name for want in self.wanted if want.source == number}
        # What comes from the left runs straight on, as the last one; what comes from above has its place there.
        straight = max((name for name in entries if self.rows[name] == run.row), key=order.__getitem__, default="")
        ordered = sorted(entries, key=lambda name: (name == straight, order[name]))
        top = {diagram.by_id[name].path[:1] for name in run.nodes} | {()}
        groups = [group for group in diagram.groups if group.path[:1] in top]
        above = {name for name in entries if self.rows[name] <= run.row}
        inside = [boxes[name] for name in run.nodes]
        leaving = sorted(exits, key=order.__getitem__)
        block = structured(inside, groups, into, ordered, leaving, diagram.leaving, False, above)
        return Cell(block, run.row, 0.0)


def _placed(cells: Sequence[Cell], wanted: Sequence[Wanted], over: bool) -> list[Cell]:
    """Each cell behind what it reads and behind the cell before it in its row, with tracks in front of both.

    Where cells may stand `over` one another, it is enough that one starts behind the start of the other's last box.
    """
    placed: list[Cell] = []
    last: dict[int, int] = {}
    for number, cell in enumerate(cells):
        before = last.get(cell.row)
        into = [want for want in wanted if want.target == number and want.source != before]
        start = 0.0
        for want in into:
            out = {other.name for other in wanted if other.source == want.source}
            tracks = 2 * HEAD + TRACK * max(len(into), len(out))
            start = max(start, _least(placed[want.source]) if over else placed[want.source].end + tracks)
        if before is not None:
            out = {want.name for want in wanted if want.source == before and want.target != number}
            turns = len(into) + len(out)
            start = max(start, placed[before].end + (2 * HEAD + TRACK * (turns - 1) if turns else STEP))
        placed.append(cell._replace(start=start))
        last[cell.row] = number
    for row in sorted(last)[1:] if over else ():  # each row half way between those whose maps it reads and its readers
        space = [placed[want.target].start - _least(placed[want.source]) for want in wanted
                 if cells[want.source].row >= row > cells[want.target].row]  # fmt: skip
        move = min(space, default=0.0) / 2
        placed = [cell._replace(start=cell.start + (move if cell.row >= row else 0.0)) for cell in placed]
    return placed


def _least(cell: Cell) -> float:
    """Where the last box of a cell starts."""
    return cell.end - cell.block.nodes[-1][0].width


class Grid:
    """Cells with their places in their rows."""

    def __init__(self, cells: Sequence[Cell], wanted: Sequence[Wanted]) -> None:
        self.cells, self.wanted = cells, wanted

    @cached_property
    def size(self) -> Point:
        """About how wide and high it will be: each map that passes by others in its row has a track."""
        rows = {cell.row for cell in self.cells}
        high = sum(
            max(getattr(cell.block, side) for cell in self.cells if cell.row == row)
            for row in rows
            for side in ("left", "right")
        )
        rising = {want.name for want in self.wanted if self.cells[want.source].row == self.cells[want.target].row
                  and want.target > want.source + 1}  # fmt: skip
        return max(cell.end for cell in self.cells), high + 2 * HEAD * len(rows) + TRACK * len(rising)

    def plan(self) -> Plan | None:
        """Everything with positions; None where there is no place for a line."""
        rails = Rails(self.cells, self.wanted)
        lines = rails.lines()
        if lines is None:
            return None
        spots = tuple(Spot(cell.block, cell.start, rails.axes[cell.row]) for cell in self.cells)
        return Plan(spots, tuple(joint(name, points) for name, points in lines), rails.width, rails.height, False)
