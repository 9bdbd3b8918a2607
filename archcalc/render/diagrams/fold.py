"""Blocks folded to one box each, and equal neighbours to one box with ×N."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from archcalc.passes.blocks import neighbours
from archcalc.render.diagrams.frames import crossings
from archcalc.render.diagrams.wiring import FOLLOWERS, Path, Wiring

#: The depth that opens every block.
EVERYTHING = 99
#: More units than this at the outermost level are put together, to so many.
MOST_UNITS, GATHERED = 150, 60
#: A cut between neighbours that do not read each other is worth so many crossing maps.
APART = 4.0

Stack = tuple[int, ...]


class Unit(NamedTuple):
    """What becomes a node: the layers of a stack, or those of a folded block, as often as it repeats.

    Others read its last layer, or, of a block that keeps several maps for them, others too.
    """

    rows: tuple[int, ...]
    #: The blocks around it.
    path: Path
    #: The folded block; None for a stack of layers.
    block: Path | None = None
    times: int = 1
    #: What the first and the last of the equal ones are called.
    first: str = ""
    last: str = ""


class Folding(NamedTuple):
    """The units of a network, the layer that stands for each layer, and how often each open block repeats.

    A repeated open block comes with the name of its last repetition.
    """

    units: list[Unit]
    stands_for: list[int]
    repeats: dict[Path, tuple[int, str]]

    def original(self, row: int) -> int:
        """The layer that is drawn for a layer."""
        while self.stands_for[row] != row:
            row = self.stands_for[row]
        return row


def unfolded(wiring: Wiring) -> Folding:
    """Every stack of layers is a unit."""
    units = [Unit(stack, wiring.common(stack)) for stack in wiring.stacks]
    return Folding(units, list(range(len(wiring.rows))), {})


@lru_cache(maxsize=4)  # one picture asks for the same folding more than once
def fold(wiring: Wiring, depth: int) -> Folding:
    """Blocks below `depth` levels of names become one unit; equal neighbours, at every level, one with ×N.

    A block that is read at several places and reads what comes after its first layer is opened. Where far too many
    units remain, neighbours are put together, unless `depth` opens everything.
    """
    folding = Folding([], list(range(len(wiring.rows))), {})
    children = _children(wiring, wiring.stacks, 0)
    if len(wiring.runs([_flat(child) for child in children])) > MOST_UNITS and depth < EVERYTHING:
        return folding._replace(units=_gathered(wiring, children))
    _fold(wiring, children, 0, depth, folding)
    # The last layer of a unit is the one that others read, or all that it reads comes before its first one: so this is
    # an order in which they run.
    folding.units.sort(key=lambda unit: unit.rows[-1 if len(wiring.exits(unit.rows)) == 1 else 0])
    return folding


def gathered(wiring: Wiring, folding: Folding, count: int) -> Folding:
    """The units in at most `count` runs of neighbours, each one unit, cut where few maps cross; inputs stay alone."""
    items: list[list[Unit]] = []
    for unit in folding.units:
        # What stands in one frame stays together.
        if items and unit.path and items[-1][0].path[:1] == unit.path[:1]:
            items[-1].append(unit)
        else:
            items.append([unit])
    stands_for = list(folding.stands_for)
    holder = {row: number for number, item in enumerate(items) for unit in item for row in unit.rows}
    held: list[list[int]] = [[] for _ in items]
    for row in range(len(stands_for)):
        held[holder[folding.original(row)]].append(row)
    owner = {row: number for number, rows in enumerate(held) for row in rows}
    edges = {(owner[source], owner[row]) for row in owner for source in wiring.inputs[row]}
    cutting = [float(len(maps)) for maps in crossings(len(items), sorted(edge for edge in edges if edge[0] < edge[1]))]
    # It costs to put together what is not connected.
    cutting = [cost if (place - 1, place) in edges else cost - APART for place, cost in enumerate(cutting)]
    inputs = sum(wiring.rows[rows[0]].op.family == "input" for rows in held)
    units: list[Unit] = []
    repeats = dict(folding.repeats)
    for run in (*(range(place, place + 1) for place in range(inputs)), *_runs(inputs, cutting, count - inputs)):
        if len(run) == 1:
            units += items[run.start]
            continue
        rows = sorted(row for place in run for row in held[place])
        for row in rows:
            stands_for[row] = row
        first, last = (wiring.paths[place][0] for place in (held[run.start][0], held[run.stop - 1][-1]))
        repeats = {path: times for path, times in repeats.items() if path[0] not in {wiring.paths[r][0] for r in rows}}
        units.append(Unit(tuple(rows), (), (f"{first} … {last}",), 1, first, last))
    return Folding(units, stands_for, repeats)


def _runs(start: int, cutting: Sequence[float], count: int) -> list[range]:
    """Neighbours from `start` on in `count` runs of about one length; `cutting` is what a cut before each costs."""
    stop = len(cutting)
    each = (stop - start) / count
    best: dict[int, tuple[float, tuple[int, ...]]] = {start: (0.0, (start,))}
    for _ in range(min(count, stop - start)):
        following: dict[int, tuple[float, tuple[int, ...]]] = {}
        for end in range(start + 1, stop + 1):
            for begin, (cost, places) in best.items():
                if begin < end:
                    total = cost + (end - begin) ** 2 + (each * cutting[end] if end < stop else 0)
                    if end not in following or total < following[end][0]:
                        following[end] = (total, (*places, end))
        best = following
    return [range(low, high) for low, high in pairwise(best[stop][1])]


def _is_closed(wiring: Wiring, members: Sequence[int]) -> bool:
    """Whether a block can be one box: it has one end, or reads nothing that comes after its first layer."""
    return len(wiring.exits(members)) == 1 or max(wiring.entries(members), default=-1) < min(members)


def _gathered(wiring: Wiring, children: Sequence[list[Stack]]) -> list[Unit]:
    """Neighbours put together in groups of one size."""
    units = []
    for group in neighbours(sorted(children, key=lambda child: _flat(child)[-1]), GATHERED):
        rows = tuple(sorted(member for child in group for member in _flat(child)))
        first, last = (wiring.paths[child[0][0]][0] for child in (group[0], group[-1]))
        units.append(Unit(rows, (), (f"{first} … {last}",), 1, first, last))
    return units


def _fold(wiring: Wiring, children: Sequence[list[Stack]], level: int, depth: int, folding: Folding) -> None:
    place = 0
    # What is opened is read where it stands; a folded box says that each reads the two before it.
    folded = level + 1 >= depth
    for run in wiring.runs([_flat(child) for child in children], 2 if folded else 1, folded):
        stacks, last_stacks = children[place], children[place + len(run) - 1]
        place += len(run)
        first, last = run[0], run[-1]
        for copy in run[1:]:
            for original, same in zip(first, copy, strict=True):
                folding.stands_for[same] = original
        name, last_name = wiring.paths[first[0]][level], wiring.paths[last[0]][level]
        path = wiring.paths[first[0]][: level + 1]
        if len(stacks) == 1:
            folding.units.append(_stack(wiring, stacks[0], last_stacks[0], len(run)))
        elif folded and _is_closed(wiring, first):
            folding.units.append(Unit(tuple(first), path[:-1], path, len(run), name, last_name))
        else:
            if len(run) > 1:
                folding.repeats[path] = (len(run), last_name)
            _fold(wiring, _children(wiring, stacks, level + 1), level + 1, depth, folding)


def _stack(wiring: Wiring, stack: Stack, last: Stack, times: int) -> Unit:
    """A stack that is all of a block stands for the block."""
    path = wiring.common(stack)
    if path and wiring.sizes[path] == len(stack):
        return Unit(stack, path[:-1], None, times, path[-1], wiring.common(last)[-1])
    return Unit(stack, path, None, times, stack_name(wiring, stack), stack_name(wiring, last))


def _flat(stacks: Sequence[Stack]) -> list[int]:
    return sorted(member for stack in stacks for member in stack)


def _children(wiring: Wiring, stacks: Sequence[Stack], level: int) -> list[list[Stack]]:
    """The stacks of each block at a level, in order; a stack that lies in no block is a child of its own."""
    children: dict[Path, list[Stack]] = {}
    for stack in stacks:
        common = wiring.common(stack)
        key = common[: level + 1] if len(common) > level else ("", str(stack[0]))
        children.setdefault(key, []).append(stack)
    return list(children.values())


def stack_name(wiring: Wiring, stack: Sequence[int]) -> str:
    """What a stack is called: its one block, or its main layer."""
    common = len(wiring.common(stack))
    return wiring.paths[main_layer(wiring, stack)][common]


def main_layer(wiring: Wiring, stack: Sequence[int]) -> int:
    """The layer of a stack that does more than change values in place."""
    return next((member for member in stack if wiring.rows[member].op.family not in FOLLOWERS), stack[0])
