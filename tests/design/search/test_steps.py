"""Ranges have the numbers that are counted one by one, and none is made before it is asked for."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import SpecError
from archcalc.design.search.program import Axis
from archcalc.design.search.run import run
from archcalc.design.search.sink import RowFile
from archcalc.design.search.space import parse_space
from archcalc.design.search.steps import Steps, ends_of
from tests.design.search.spaces import family, search

_DECIMALS = st.decimals(-1000, 1000, places=3).map(Fraction)


@given(_DECIMALS, _DECIMALS.filter(lambda step: step > 0), st.integers(1, 30))
def test_numbers_and_arrays(first: Fraction, step: Fraction, count: int) -> None:
    steps = Steps.of(first, step, count)
    expected = [first + place * step for place in range(count)]
    assert list(steps) == list(steps[:]) == expected
    assert steps[-1] == expected[-1]
    assert len(steps) == count
    assert all(isinstance(value, int) == (value.denominator == 1) for value in steps)
    assert set(ends_of(steps)) == {*expected[:2], expected[-1]}
    axis = Axis.of(steps)
    assert axis == Axis.of(expected)
    assert axis.array(steps).tolist() == axis.array(expected).tolist()


def test_a_million_values_are_not_made() -> None:
    one = family("mobilenet alpha=0.000001..1 step 0.000001")
    assert isinstance(one.axes[0].values, Steps)
    assert one.count == 1_000_000
    assert one.values(249_999) == {"alpha": Fraction(1, 4)}
    assert one.axes[0].is_number
    assert not one.axes[0].is_whole


def test_a_sample_of_many_has_the_numbers_of_reports() -> None:
    made = search("mobilenet alpha=0.25..1.5 step 0.00005", "params < 1", sample=20)
    part = made.run(0, made.count)
    assert (made.count, part.checked) == (25_001, 20)


def test_rows_have_each_value_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "found.csv"
    made = search("mobilenet alpha=0.25..0.5 step 0.125, resolution=96..160 step 32")
    run(made, RowFile(made, str(path)))
    written = [line.split(",")[1:3] for line in path.read_text().splitlines()[1:]]
    assert written == [[alpha, side] for alpha in ("0.25", "0.375", "0.5") for side in ("96", "128", "160")]


_SPEC = """
name: mine
title: Mine
input: 8x8x3
parameters:
  any: {type: int, default: 8, minimum: 1, maximum: 1000}
  eight: {type: int, default: 8, multiple_of: 8}
  some: {type: int, default: 1, choices: [1, 2, 4]}
layers:
  - conv2d: {out_channels: any + eight + some, kernel_size: 3}
"""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("any=0..9", "any must be at least 1, not 0"),
        ("any=1..1001", "any must be at most 1000, not 1001"),
        ("any=1..3 step 0.5", "any must be a whole number, not 1.5"),
        ("eight=8..64 step 12", "eight must be a multiple of 8, not 20"),
        ("some=1..4", "some can be 1, 2, 4, not 3"),
        ("resolution=0..9", "resolution is a whole number from 1 to"),
        ("resolution=1..3 step 0.5", "resolution is a whole number from 1 to"),
    ],
)
def test_a_range_is_checked(tmp_path: Path, values: str, message: str) -> None:
    (tmp_path / "mine.yaml").write_text(_SPEC)
    with pytest.raises(SpecError, match=message):
        parse_space(f"'{tmp_path}/mine.yaml' {values}")


def test_a_range_within_all_limits(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(_SPEC)
    (one,) = parse_space(f"'{tmp_path}/mine.yaml' any=1..1000, eight=8..64 step 8, some=1..2")
    assert one.count == 1000 * 8 * 2
