"""Blocks folded to one box each, and equal neighbours to one box with ×N."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from archcalc.render.diagrams.wiring import FOLLOWERS, Path, Wiring

#: The depth that opens every block.
EVERYTHING = 99
#: More units than this at the outermost level are put together, to so many.
MOST_UNITS, GATHERED = 150, 60


class Unit(NamedTuple):
    """What becomes a node: the layers of a stack, or those of a folded block, as often as it repeats."""

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
    """The units of a network, the layer that stands for each layer, and how often each open block repeats."""

    units: list[Unit]
    stands_for: list[int]
    repeats: dict[Path, tuple[int, str]]


def unfolded(wiring: Wiring) -> Folding:
    """Every stack of layers is a unit."""
    units = [Unit(stack, wiring.common(stack)) for stack in wiring.stacks]
    return Folding(units, list(range(len(wiring.rows))), {})


def fold(wiring: Wiring, depth: int) -> Folding:
    """Blocks below `depth` levels of names become one unit; equal neighbours, at every level, one with ×N.

    Where far too many units remain, neighbours are put together, unless `depth` opens everything.
    """
    runs = _runs(wiring, _children(wiring, wiring.stacks, 0))
    if len(runs) > MOST_UNITS and depth < EVERYTHING:
        return Folding(_gathered(wiring), list(range(len(wiring.rows))), {})
    stands_for = list(range(len(wiring.rows)))
    repeats: dict[Path, tuple[int, str]] = {}
    units: list[Unit] = []
    _fold(wiring, wiring.stacks, 0, depth, units, stands_for, repeats)
    units.sort(key=lambda unit: unit.rows[0])
    return Folding(units, stands_for, repeats)


def _gathered(wiring: Wiring) -> list[Unit]:
    """Neighbours put together in groups of one size."""
    children = _children(wiring, wiring.stacks, 0)
    size = -(-len(children) // GATHERED)
    units = []
    for start in range(0, len(children), size):
        group = children[start : start + size]
        rows = tuple(sorted(member for child in group for member in _flat(child)))
        first, last = (wiring.paths[child[0][0]][0] for child in (group[0], group[-1]))
        units.append(Unit(rows, (), (f"{first} … {last}",), 1, first, last))
    return units


def _fold(
    wiring: Wiring,
    stacks: Sequence[tuple[int, ...]],
    level: int,
    depth: int,
    units: list[Unit],
    stands_for: list[int],
    repeats: dict[Path, tuple[int, str]],
) -> None:
    for run in _runs(wiring, _children(wiring, stacks, level)):
        first, last = run[0], run[-1]
        for copy in run[1:]:
            for original, same in zip(_flat(first), _flat(copy), strict=True):
                stands_for[same] = original
        path = wiring.paths[first[0][0]][: level + 1]
        rows = tuple(sorted(_flat(first)))
        if len(first) == 1:
            units.append(_stack(wiring, first[0], last[0], len(run)))
        elif level + 1 >= depth:
            units.append(Unit(rows, path[:-1], path, len(run), path[-1], wiring.paths[last[0][0]][level]))
        else:
            if len(run) > 1:
                repeats[path] = (len(run), wiring.paths[last[0][0]][level])
            _fold(wiring, first, level + 1, depth, units, stands_for, repeats)


def _stack(wiring: Wiring, stack: tuple[int, ...], last: tuple[int, ...], times: int) -> Unit:
    """A stack that is all of a block stands for the block."""
    path = wiring.common(stack)
    if path and wiring.sizes[path] == len(stack):
        return Unit(stack, path[:-1], None, times, path[-1], wiring.common(last)[-1])
    return Unit(stack, path, None, times, stack_name(wiring, stack), stack_name(wiring, last))


def _flat(stacks: Sequence[tuple[int, ...]]) -> list[int]:
    return [member for stack in stacks for member in stack]


def _children(wiring: Wiring, stacks: Sequence[tuple[int, ...]], level: int) -> list[list[tuple[int, ...]]]:
    """The stacks of each block at a level, in order; a stack that lies in no block is a child of its own."""
    children: dict[Path, list[tuple[int, ...]]] = {}
    for stack in stacks:
        common = wiring.common(stack)
        key = common[: level + 1] if len(common) > level else ("", str(stack[0]))
        children.setdefault(key, []).append(stack)
    return list(children.values())


def _runs(wiring: Wiring, children: list[list[tuple[int, ...]]]) -> list[list[list[tuple[int, ...]]]]:
    """Neighbours that are equal and read what lies before them in the same way."""
    runs: list[list[list[tuple[int, ...]]]] = []
    previous: Hashable = None
    for child in children:
        key = signature(wiring, _flat(child))
        if runs and key is not None and key == previous:
            runs[-1].append(child)
        else:
            runs.append([child])
        previous = key
    return runs


def signature(wiring: Wiring, members: Sequence[int]) -> Hashable:
    """What two equal blocks have in common: ops, shapes and wiring, inside and to the blocks before. None: unique."""
    members = sorted(members)
    inside = {member: position for position, member in enumerate(members)}
    result: list[Hashable] = []
    for member in members:
        row = wiring.rows[member]
        # How far before the block a map comes from is the same for neighbours of one length that read each other.
        wires = tuple(
            ("inside", inside[source]) if source in inside else ("before", members[0] - source)
            for source in wiring.inputs[member]
        )
        result.append((row.op.kind, repr(row.op), row.output_shape, row.input_shapes, wires))
    auxiliary = any(member in wiring.auxiliary for member in members)
    return None if auxiliary else tuple(result)


def stack_name(wiring: Wiring, stack: Sequence[int]) -> str:
    """What a stack is called: its one block, or its main layer."""
    common = len(wiring.common(stack))
    return wiring.paths[main_layer(wiring, stack)][common]


def main_layer(wiring: Wiring, stack: Sequence[int]) -> int:
    """The layer of a stack that does more than change values in place."""
    return next((member for member in stack if wiring.rows[member].op.family not in FOLLOWERS), stack[0])
