"""Rows aligned with layers and blocks: the least cost, and all that costs as little, against trying everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from archcalc.teach.check.alignment import MOST_LEFT_OUT, Span, align

Choice = tuple[int | None, ...]


def every(
    pairs: Sequence[Mapping[int, int]], unmatched: Sequence[int], skipped: Sequence[int], spans: Sequence[Span]
) -> tuple[int, list[Choice]]:
    """The least cost of all alignments, and those that have it."""
    costs: dict[Choice, int] = {}
    for choice in product(*[[None, *row] for row in pairs]):
        used = [spans[target] for target in choice if target is not None]
        if all(first[1] < second[0] for first, second in pairwise(used)):
            rows = sum(unmatched[row] if target is None else pairs[row][target] for row, target in enumerate(choice))
            costs[choice] = rows + sum(
                min(sum(skipped[first[1] + 1 : second[0]]), MOST_LEFT_OUT) for first, second in pairwise(used)
            )
    least = min(costs.values())
    return least, [choice for choice, cost in costs.items() if cost == least]


@given(st.data())
def test_alignment_costs_least(data: st.DataObject) -> None:
    small = st.integers(0, 4)
    layers = data.draw(st.integers(1, 5))
    places = st.integers(0, layers - 1)
    spans = [(place, place) for place in range(layers)]
    spans += data.draw(st.lists(st.tuples(places, places).map(lambda ends: (min(ends), max(ends))), max_size=3))
    rows = st.dictionaries(st.integers(0, len(spans) - 1), small)
    pairs = data.draw(st.lists(rows, min_size=1, max_size=4))
    unmatched = data.draw(st.lists(st.integers(0, 6), min_size=len(pairs), max_size=len(pairs)))
    skipped = data.draw(st.lists(st.sampled_from([0, 1, 2, 40]), min_size=layers, max_size=layers))
    least, best = every(pairs, unmatched, skipped, spans)
    found = align(pairs, unmatched, skipped, spans)
    assert found.cost == least
    assert found.chosen in best
    for row, same in enumerate(found.equal):
        assert same == tuple(sorted({choice[row] for choice in best if choice[row] is not None}))  # type: ignore[type-var]
