"""The Pareto front: those that no other one beats, however they come in."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.design.search.evaluate import Evaluated, array_of
from archcalc.design.search.front import Front, unbeaten
from tests.tiers import examples


def plainly(points: list[tuple[Any, ...]]) -> list[int]:
    """The same by its definition: each compared with each."""

    def beats(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
        return all(a <= b for a, b in zip(one, other, strict=True)) and one != other

    return [place for place, point in enumerate(points) if not any(beats(other, point) for other in points)]


def points(objectives: int) -> st.SearchStrategy[list[tuple[int, ...]]]:
    return st.lists(st.tuples(*[st.integers(0, 6)] * objectives), min_size=1, max_size=40)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@given(data=st.data())
@examples(200)
def test_unbeaten_by_its_definition(objectives: int, data: st.DataObject) -> None:
    found = data.draw(points(objectives))
    columns = [np.array(column) for column in zip(*found, strict=True)]
    assert unbeaten(columns).tolist() == plainly(found)


@pytest.mark.parametrize("signs", [(1,), (1, -1), (-1, 1, 1)])
@given(data=st.data())
@examples(100)
def test_a_front_does_not_depend_on_how_points_come_in(signs: tuple[int, ...], data: st.DataObject) -> None:
    found = data.draw(points(len(signs)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(found)), max_size=3)))
    front = Front(signs)
    for start, stop in zip([0, *cuts], [*cuts, len(found)], strict=True):
        columns = tuple(array_of([point[i] for point in found[start:stop]]) for i in range(len(signs)))
        part = Evaluated(stop - start, 0, np.arange(start, stop), columns)
        front.add(0, front.reduced(part) if stop > start else part)
    signed = [tuple(sign * value for sign, value in zip(signs, point, strict=True)) for point in found]
    assert sorted(point.place for point in front.points) == plainly(signed)


def test_fractions_and_large_numbers() -> None:
    columns = [array_of([Fraction(1, 3), 1, 1]), array_of([1 << 80, 1 << 79, 1 << 81])]
    assert unbeaten(columns).tolist() == [0, 1]


def test_points_are_sorted_by_their_objectives() -> None:
    front = Front([-1])
    front.add(1, Evaluated(2, 0, np.array([4, 7]), (array_of([3, 3]),)))
    assert [(point.family, point.place, point.objectives) for point in front.sorted()] == [(1, 4, (-3,)), (1, 7, (-3,))]
