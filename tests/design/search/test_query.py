"""Conditions and objectives: what they mean, and every fault with its column."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import ArchcalcError, SpecError, UsageError
from archcalc.design.search.program import Program
from archcalc.design.search.query import TOTALS, Condition, Names, constant, parse_columns, parse_objectives, total_of
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load

NAMES = Names({"alpha": True, "activation": False, "resolution": True}, ["classes"])
VALUES: dict[str, Any] = {
    "network": "mobilenet", "alpha": constant(Fraction(1, 2)), "activation": "relu", "resolution": constant(160),
    "params": constant(1_331_592), "multiplications": constant(76_524_800), "param_bytes": constant(5_326_368),
}  # fmt: skip


def holds(text: str) -> bool:
    return bool(Condition(text, NAMES).build(Program({}), VALUES.__getitem__))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("multiplications <= 300M and params*4 <= 16MiB", True),
        ("macs <= 76.5248 M", True),
        ("macs < 76.5248 million", False),
        ("param_bytes <= 5.326368 MB", True),
        ("param_bytes <= 5 MiB", False),
        ("1M <= params < 2M", True),
        ("not params > 1M or alpha == 0.5", True),
        ("not (params > 1M or alpha == 0.5)", False),
        ("alpha in [0.25, 0.5]", True),
        ("activation not in ['relu6']", True),
        ("activation != 'relu'", False),
        ("network == 'mobilenet' and resolution == 160", True),
        ("multiplications / params > 57.4", True),
        ("multiplications // params == 57", True),
        ("multiplications % 100 == 0", True),
        ("params ** 2 < 1.8 T", True),
        ("max(params, 2M) == 2M and min(params, 2M) == params", True),
        ("abs(alpha - 1) == 0.5 and round(alpha) == 1 and floor(alpha) == 0 and ceil(alpha) == 1", True),
        ("-alpha < 0 and alpha != 1", True),
    ],
)
def test_what_a_condition_means(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("__import__('os').system('x')", 17, "'.' cannot stand"),
        ("open('x') < 3", 1, "there is no function 'open'"),
        ("(lambda: 1) < 3", 8, "':' cannot stand"),
        ("params[0] < 3", 7, "nothing to index"),
        ("1 if params else 2", 3, "has no if"),
        ("parms < 3", 1, "did you mean params"),
        ("classes == 3", 1, "does not vary in this space"),
        ("year > 2014", 1, "year cannot be searched"),
        ("params", 1, "a condition compares something"),
        ("params < 300Q", 13, "'Q' is no unit"),
        ("params <= 16MiB", 1, "params counts parameters, and the other side is bytes; write param_bytes"),
        ("16 MiB > activations", 10, "write activation_bytes"),
        ("activation < 3", 12, "compares numbers"),
        ("params ** 9 < 3", 11, "an exponent is a whole number from 0 to 8"),
        ("params ** alpha < 3", 11, "an exponent is a whole number"),
        ("params < 3 and", 15, "expected a number"),
        ("params and alpha < 1", 1, "connects comparisons"),
        ("params < " + "(" * 40 + "1" + ")" * 40, 39, "nested 30 deep"),
        ("params < 1" + "0" * 400, 10, "too large"),
    ],
)
def test_faults_have_a_column(text: str, column: int, message: str) -> None:
    with pytest.raises(SpecError, match=f"condition:1:{column}: ") as error:
        Condition(text, NAMES)
    assert message in str(error.value)


def test_a_condition_is_short() -> None:
    with pytest.raises(SpecError, match="500 characters"):
        Condition("params < 1 and " * 50 + "params < 1", NAMES)


@given(text=st.text(alphabet="params<>=!+-*/%() 0123456789.MiBandornot[],'", max_size=40))
def test_any_text_is_a_condition_or_one_error(text: str) -> None:
    try:
        found = Condition(text, NAMES)
    except ArchcalcError:
        return
    assert set(found.names) <= {*NAMES.parameters, *TOTALS}


def test_objectives() -> None:
    found = parse_objectives("macs, alpha:max", NAMES)
    assert [(one.name, one.wants_more) for one in found] == [("multiplications", False), ("alpha", True)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parms", "did you mean params"),
        ("params:more", "neither min nor max"),
        ("params,params:max", "named twice"),
        ("activation", "is no number"),
        ("", "1 to 6 quantities"),
    ],
)
def test_objectives_that_are_none(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_objectives(text, NAMES)


def test_columns() -> None:
    assert parse_columns(None, NAMES) == ("params", "multiplications")
    assert parse_columns("macs,memory", NAMES) == ("multiplications", "activation_bytes")
    with pytest.raises(UsageError, match="--columns: there is no quantity"):
        parse_columns("parms", NAMES)


def test_every_total_is_one_of_an_analysis() -> None:
    found = analyse(load("lenet5"))
    assert {key: total_of(key).of(found) for key in ("params", "depth", "param_bytes")} == {
        "params": 61_706, "depth": 5, "param_bytes": 246_824,
    }  # fmt: skip
    assert all(isinstance(total_of(key).of(found), int) for key in TOTALS)
