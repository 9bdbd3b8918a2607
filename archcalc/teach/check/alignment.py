"""Rows of a table aligned with the layers of a network: both in their order, at the least cost.

A classic alignment of two sequences by dynamic programming (Needleman and Wunsch 1970): a row stands for a layer or a
block of layers, or belongs to none; layers may be left out. What a pair costs is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

#: Rows times layers.
MOST_PAIRS = 2_000_000
#: The most that leaving out layers between two rows costs: a table may hold a few rows of a deep network.
MOST_LEFT_OUT = 60
_NEVER = 1 << 60


#: The first and the last place of the sequence that a row takes up where it stands for something: one of a layer.
Span = tuple[int, int]


class Aligned(NamedTuple):
    """For each row what it stands for, or None; the cost of all; and everything that would cost as little."""

    chosen: tuple[int | None, ...]
    cost: int
    equal: tuple[tuple[int, ...], ...]


def align(
    pairs: Sequence[Mapping[int, int]],
    unmatched: Sequence[int],
    skipped: Sequence[int],
    spans: Sequence[Span] | None = None,
) -> Aligned:
    """The alignment of least cost.

    `pairs[row][target]` is what it costs that a row stands for a target; one that is missing there is impossible.
    `spans[target]` are its places; without spans a target is a place. Rows stand for targets that come one after
    another. `unmatched[row]` is the cost of a row that stands for none, `skipped[place]` that of a place left out
    between two that are matched, up to `MOST_LEFT_OUT` for all. Places before the first row and after the last cost
    nothing.
    """
    size = len(skipped)
    spans = [(place, place) for place in range(size)] if spans is None else spans
    before, cost = _ends(pairs, unmatched, skipped, spans)
    mirrored = [(size - 1 - last, size - 1 - first) for first, last in spans]
    after = _ends(pairs[::-1], unmatched[::-1], skipped[::-1], mirrored)[0][::-1]
    passed = _passed(skipped)
    chosen: list[int | None] = []
    spent, end = 0, -1
    for row, ends in enumerate(after):
        own = next((target for target, rest in sorted(ends.items())
                    if spans[target][0] > end and spent + _between(passed, end, spans[target][0]) + rest == cost),
                   None)  # fmt: skip
        chosen.append(own)
        if own is None:
            spent += unmatched[row]
        else:
            spent += _between(passed, end, spans[own][0]) + pairs[row][own]
            end = spans[own][1]
    equal = [
        tuple(sorted(target for target in costs if before[row][target] + after[row][target] - costs[target] == cost))
        for row, costs in enumerate(pairs)
    ]
    return Aligned(tuple(chosen), cost, tuple(equal))


def _passed(skipped: Sequence[int]) -> list[int]:
    """What it costs to leave out all places before each."""
    passed = [0]
    for cost in skipped:
        passed.append(passed[-1] + cost)
    return passed


def _between(passed: Sequence[int], last: int, place: int) -> int:
    """What it costs to leave out the places between two; nothing before the first match."""
    return min(passed[place] - passed[last + 1], MOST_LEFT_OUT) if last >= 0 else 0


def _ends(
    pairs: Sequence[Mapping[int, int]], unmatched: Sequence[int], skipped: Sequence[int], spans: Sequence[Span]
) -> tuple[list[dict[int, int]], int]:
    """For each row and target the least cost of all rows up to it, where it stands for this; and that of all."""
    passed = _passed(skipped)
    found: list[dict[int, int]] = []
    first = 0  # while no row is matched
    reached = [_NEVER] * len(skipped)  # by the last place of the last match
    for row, costs in enumerate(pairs):
        near = [_NEVER, *accumulate((value - passed[place + 1] for place, value in enumerate(reached)), min)]
        far = [_NEVER, *accumulate(reached, min)]
        ends = {}
        for target, cost in costs.items():
            start = spans[target][0]
            ends[target] = min(first, near[start] + passed[start], far[start] + MOST_LEFT_OUT) + cost
        found.append(ends)
        reached = [value + unmatched[row] for value in reached]
        first += unmatched[row]
        for target, total in ends.items():
            end = spans[target][1]
            reached[end] = min(reached[end], total)
    return found, min([first, *reached])
