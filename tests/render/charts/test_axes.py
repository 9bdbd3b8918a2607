"""Scales, ticks and labels."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.render.charts.axes import inside, linear, logarithmic, short, size
from archcalc.render.charts.labels import Box, Disc, place


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (20, "20"), (1_000, "1 K"), (2_500_000, "2.5 M"), (10**9, "1 G"), (5 * 10**8, "500 M")],
)
def test_counts_of_an_axis(number: int, text: str) -> None:
    assert short(number) == text


@pytest.mark.parametrize(("number", "unit", "text"), [(0, 2, "0"), (512 * 1024, 2, "0.5 MiB"), (20480, 1, "20 KiB")])
def test_bytes_of_an_axis(number: int, unit: int, text: str) -> None:
    assert size(number, unit) == text


@given(st.integers(1, 10**15), st.booleans())
def test_a_linear_axis_reaches_its_value_in_few_round_steps(high: int, binary: bool) -> None:
    scale = linear(high, 100, 0, binary)
    assert scale.ticks[0][0] == 0
    assert scale.low == 0
    assert scale.high >= high * (1 - 1e-9)
    assert 2 <= len(scale.ticks) <= 7
    assert len({label for _, label in scale.ticks}) == len(scale.ticks)
    assert scale(scale.low) == 100
    assert scale(scale.high) == pytest.approx(0)


@given(st.floats(1, 1e12), st.floats(1, 1e4))
def test_a_logarithmic_axis_holds_its_values(low: float, factor: float) -> None:
    scale = logarithmic(low, low * factor, 0, 800, margin=0.1)
    assert 0 <= scale(low) <= scale(low * factor) <= 800
    assert all(0 <= scale(tick) <= 800 for tick, _ in scale.ticks)


def test_ticks_lie_inside() -> None:
    assert inside(54.2, 86.1, 100, 0, 5, " %").ticks[0] == (55, "55 %")
    assert inside(54.2, 86.1, 100, 0, 5, " %").ticks[-1] == (85, "85 %")


points = st.lists(
    st.builds(Disc, st.floats(80, 820), st.floats(40, 460), st.floats(2, 30)), min_size=1, max_size=14,
    unique_by=lambda disc: (round(disc.x / 90), round(disc.y / 40)),
)  # fmt: skip


@given(points)
def test_labels_do_not_overlap_where_there_is_space(discs: list[Disc]) -> None:
    area = Box(0, 0, 900, 500)
    names = [f"Network {number}" for number in range(len(discs))]
    labels = place(discs, names, 12, area)
    assert None not in labels
    kept = [label for label in labels if label]
    for index, label in enumerate(kept):
        assert area.left <= label.box.left
        assert label.box.right <= area.right
        assert area.top <= label.box.top
        assert label.box.bottom <= area.bottom
        assert all(label.box.overlap(other.box) == 0 for other in kept[:index])


def test_blocked_places_stay_free() -> None:
    blocked = Box(90, 0, 300, 200)
    (label,) = place([Disc(80, 100, 10)], ["Network"], 12, Box(0, 0, 300, 200), [blocked])
    assert label
    assert label.box.overlap(blocked) == 0


def test_labels_that_cannot_but_overlap_are_left_out() -> None:
    discs = [Disc(50, 10, 4 + number) for number in range(6)]
    labels = place(discs, ["the same place"] * 6, 12, Box(0, 0, 160, 40))
    kept = [label for label in labels if label]
    assert 0 < len(kept) < 6
    assert all(a.box.overlap(b.box) == 0 for a, b in combinations(kept, 2))
    # The largest keeps its name.
    assert labels[-1]


def test_a_label_without_space_is_still_inside() -> None:
    (label,) = place([Disc(5, 5, 4)], ["a very long name indeed"], 12, Box(0, 0, 60, 20))
    assert label
    assert label.x >= 0
    assert 0 <= label.y <= 20
