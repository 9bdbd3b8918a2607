"""Rows of a table aligned with the layers of a network: both in their order, at the least cost.

A classic alignment of two sequences by dynamic programming (Needleman and Wunsch 1970): a row stands for a layer, or
belongs to none; layers may be left out. What a pair costs is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

#: Rows times layers.
MOST_PAIRS = 2_000_000
_NEVER = 1 << 60


class Aligned(NamedTuple):
    """For each row the index of its layer, or None; the cost of all; and the layers that would cost as little."""

    layers: tuple[int | None, ...]
    cost: int
    equal: tuple[tuple[int, ...], ...]


def align(pairs: Sequence[Mapping[int, int]], unmatched: Sequence[int], skipped: Sequence[int]) -> Aligned:
    """The alignment of least cost.

    `pairs[row][layer]` is what it costs that a row stands for a layer; a layer that is missing there is impossible.
    `unmatched[row]` is the cost of a row that stands for none, `skipped[layer]` that of a layer left out between two
    that are matched. Layers before the first row and after the last cost nothing.
    """
    before, cost = _ends(pairs, unmatched, skipped)
    mirrored = [{len(skipped) - 1 - layer: price for layer, price in row.items()} for row in reversed(pairs)]
    backwards = _ends(mirrored, unmatched[::-1], skipped[::-1])[0][::-1]
    after = [{len(skipped) - 1 - layer: price for layer, price in row.items()} for row in backwards]
    passed = _passed(skipped)
    chosen: list[int | None] = []
    spent, last = 0, -1
    for row, ends in enumerate(after):
        own = next((layer for layer, rest in sorted(ends.items())
                    if layer > last and spent + _between(passed, last, layer) + rest == cost), None)  # fmt: skip
        chosen.append(own)
        if own is None:
            spent += unmatched[row]
        else:
            spent += _between(passed, last, own) + pairs[row][own]
            last = own
    equal = [
        tuple(sorted(layer for layer in costs if before[row][layer] + after[row][layer] - costs[layer] == cost))
        for row, costs in enumerate(pairs)
    ]
    return Aligned(tuple(chosen), cost, tuple(equal))


def _passed(skipped: Sequence[int]) -> list[int]:
    """What it costs to leave out all layers before each."""
    passed = [0]
    for cost in skipped:
        passed.append(passed[-1] + cost)
    return passed


def _between(passed: Sequence[int], last: int, layer: int) -> int:
    """What it costs to leave out the layers between two; nothing before the first match."""
    return passed[layer] - passed[last + 1] if last >= 0 else 0


def _ends(
    pairs: Sequence[Mapping[int, int]], unmatched: Sequence[int], skipped: Sequence[int]
) -> tuple[list[dict[int, int]], int]:
    """For each row and layer the least cost of all rows up to it, where it stands for this layer; and that of all."""
    passed = _passed(skipped)
    found: list[dict[int, int]] = []
    first = 0  # while no row is matched
    reached = [_NEVER] * len(skipped)  # by the layer of the last match, less what was passed up to it
    for row, costs in enumerate(pairs):
        least = [_NEVER, *accumulate(reached, min)]
        ends = {layer: min(first, least[layer] + passed[layer]) + cost for layer, cost in costs.items()}
        found.append(ends)
        reached = [value + unmatched[row] for value in reached]
        first += unmatched[row]
        for layer, total in ends.items():
            reached[layer] = min(reached[layer], total - passed[layer + 1])
    return found, min([first, *(value + passed[layer + 1] for layer, value in enumerate(reached))])
