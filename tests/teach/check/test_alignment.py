"""Rows aligned with layers: the least cost, and all that costs as little, against trying everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from archcalc.teach.check.alignment import align

Choice = tuple[int | None, ...]


def every(
    pairs: Sequence[Mapping[int, int]], unmatched: Sequence[int], skipped: Sequence[int]
) -> tuple[int, list[Choice]]:
    """The least cost of all alignments, and those that have it."""
    costs: dict[Choice, int] = {}
    for choice in product(*[[None, *row] for row in pairs]):
        used = [layer for layer in choice if layer is not None]
        if all(first < second for first, second in pairwise(used)):
            rows = sum(unmatched[row] if layer is None else pairs[row][layer] for row, layer in enumerate(choice))
            costs[choice] = rows + sum(sum(skipped[first + 1 : second]) for first, second in pairwise(used))
    least = min(costs.values())
    return least, [choice for choice, cost in costs.items() if cost == least]


@given(st.data())
def test_alignment_costs_least(data: st.DataObject) -> None:
    small = st.integers(0, 4)
    layers = data.draw(st.integers(1, 5))
    rows = st.dictionaries(st.integers(0, layers - 1), small)
    pairs = data.draw(st.lists(rows, min_size=1, max_size=4))
    unmatched = data.draw(st.lists(st.integers(0, 6), min_size=len(pairs), max_size=len(pairs)))
    skipped = data.draw(st.lists(st.integers(0, 2), min_size=layers, max_size=layers))
    least, best = every(pairs, unmatched, skipped)
    found = align(pairs, unmatched, skipped)
    assert found.cost == least
    assert found.layers in best
    for row, same in enumerate(found.equal):
        assert same == tuple(sorted({choice[row] for choice in best if choice[row] is not None}))  # type: ignore[type-var]
