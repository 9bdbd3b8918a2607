"""Measuring with a timer of ours: no test looks at the clock."""

from __future__ import annotations

import json
from itertools import count as counter

import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.designing import measured
from archcalc.execute import measure
from archcalc.render.charts.roofline import roofline
from archcalc.render.tables.estimate import render


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "SIDE", 8)
    monkeypatch.setattr(measure, "COPIED", 64)


def ticking(step: float = 0.5) -> measure.Timer:
    """A timer on which every look takes as long."""
    return (number * step for number in counter()).__next__


def test_rates_are_work_by_time() -> None:
    # 8×8 results of 8 products and 7 additions, and 64 bytes read and written, in half a second.
    assert measure.measure_rates("float32", ticking()) == (64 * 15 * 2, 64 * 2 * 2)


@pytest.mark.parametrize(("dtype", "message"), [("float16", "float32 or float64"), ("float32", "too coarse")])
def test_what_cannot_be_measured(dtype: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        measure.measure_rates(dtype, ticking(0.0))


def test_every_layer_has_its_time_once() -> None:
    analysis = ac.analyse("lenet5")
    found = measure.time_layers(analysis, timer=ticking())
    assert sorted(layer for part in found for layer in part.layers) == list(range(len(analysis.rows)))
    assert {part.seconds for part in found} == {0.5}


def test_the_run_stands_next_to_the_bound() -> None:
    value, why = measured(ac.analyse("lenet5"), ticking())
    assert why == ""
    assert value.run_seconds == 0.5 * len(value.run)
    text = render(value, "table")
    assert " run" in text.splitlines()[3]
    assert f"The run in numpy took {value.run_seconds:.2f} s" in text
    assert roofline(value)["usermeta"]["archcalc"]["table"]["rows"]


@pytest.mark.parametrize(("pattern", "count"), [("56x56x32 -> conv3-32 -> conv3-32", 2), ("56x56x32 -> conv1-32", 0)])
def test_convolutions_that_multiply_less_than_is_counted_are_named(pattern: str, count: int) -> None:
    value, _ = measured(ac.analyse(pattern), ticking())
    assert value.transformed == count
    text = render(value, "table")
    assert ("Winograd's algorithm" in text) == bool(count)
    data = json.loads(render(value, "json"))
    assert sum(part["winograd"] for part in data["run"]) == count


def test_a_point_is_what_the_run_attained() -> None:
    value, _ = measured(ac.analyse("8x8x3 -> conv3-4"), ticking())
    # 8·8·4 results of 27 products and 27 additions, in half a second.
    (row,) = roofline(value)["usermeta"]["archcalc"]["table"]["rows"]
    assert row[:3] == ["conv1", round(256 * 54 / (4 * (192 + 256 + 112)), 4), 256 * 54 * 2]


def test_what_cannot_be_run_has_a_bound_only() -> None:
    text = "name: n\ntitle: N\ninput: 4x4x3\nlayers:\n  - relu\n  - opaque: {of: Mystery, shape: 4x4x3}\n"
    value, why = measured(ac.from_yaml(text).analyse(), ticking())
    assert value.run_seconds is None
    assert "Mystery cannot be executed" in why
