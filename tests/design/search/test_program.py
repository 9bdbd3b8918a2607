"""Programs over arrays: the numbers of plain fractions, whatever their size."""

from __future__ import annotations

from fractions import Fraction
from math import floor, isqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.design.search.program import Axis, CannotVectoriseError, Number, Program
from archcalc.explain.symbolic.paths import Deciding, Path
from tests.tiers import examples

XS = (Fraction(1, 4), Fraction(1, 2), Fraction(7, 5), 3)
YS = (1, 2, 5, 1000)


def computed(make: Any, xs: Any = XS, ys: Any = YS) -> list[Fraction]:
    """What a program gives for an expression in x and y, for each x and each y."""
    path = Path()
    axes = {"x": Axis.of(xs), "y": Axis.of(ys)}
    program = Program(axes)
    found = make(path.symbol("x", Fraction(xs[0])), path.symbol("y", ys[0]))
    number = program.add(found.node) if isinstance(found, Deciding) else Number(found)
    over, under = program.compiled(number).run(
        {
            "x": np.array([int(x * axes["x"].under) for x in xs])[:, None],
            "y": np.array([int(y * axes["y"].under) for y in ys])[None, :],
        }
    )
    shape = (len(xs), len(ys))
    pairs = zip(
        np.broadcast_to(over, shape).ravel().tolist(), np.broadcast_to(under, shape).ravel().tolist(), strict=True
    )
    return [Fraction(a, b) for a, b in pairs]


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: x + y - 3,
        lambda x, y: 7 * x * y * x,
        lambda x, y: (x * 32).rounded("floor") * 3 if isinstance(x, Deciding) else floor(x * 32) * 3,
        lambda x, y: (y + 7) // 2,
        lambda x, y: (y * 11) % 7,
        lambda x, y: -y,
        lambda x, y: abs(y - 5),
        lambda x, y: x.divided_by(y) if isinstance(x, Deciding) else x / y,
        lambda x, y: (y * y).archcalc_isqrt() if isinstance(y, Deciding) else isqrt(y * y),
        lambda x, y: y.archcalc_maximum(4) if isinstance(y, Deciding) else max(y, 4),
        lambda x, y: x.archcalc_minimum(y) if isinstance(x, Deciding) else min(x, y),
    ],
)
def test_operations(make: Any) -> None:
    assert computed(make) == [Fraction(make(x, y)) for x in [Fraction(one) for one in XS] for y in YS]


def test_numbers_beyond_64_bits_are_exact() -> None:
    def power(x: Any, y: Any) -> Any:
        result = y
        for _ in range(9):
            result = result * (y + 1)
        return result // 7 // 10**20

    large = (1, 10**5, 2 * 10**6)
    assert computed(power, (Fraction(1), Fraction(2)), large) == [
        Fraction(power(1, y)) for _ in range(2) for y in large
    ]
    assert power(1, large[-1]) > 1 << 100


def test_what_is_certain_needs_no_instruction() -> None:
    program = Program({"x": Axis.of(range(10, 20))})
    x = program.number("x").over
    assert program.emit("<", x, 10) == 0
    assert program.emit("<=", 10, x) == 1
    assert program.emit("max", x, 5) is x
    assert program.emit("*", x, 0) == 0
    assert program.emit("+", x, 3) is program.emit("+", x, 3)
    assert len(program.compiled([program.emit("<", x, 15)])) == 1


def test_a_division_that_may_be_by_0_is_assumed_not_to_be() -> None:
    program = Program({"x": Axis.of((0, 1, 2))})
    quotient = program.emit("//", 10, program.number("x").over)
    (assumed,) = program.assumed
    values, good = program.compiled([quotient, assumed]).run({"x": np.array([0, 1, 2])})
    assert good.tolist() == [False, True, True]
    assert values[good].tolist() == [10, 5]
    with pytest.raises(CannotVectoriseError):
        program.emit("//", 10, 0)


@given(values=st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=6, unique=True), data=st.data())
@examples(100)
def test_limits_hold_all_values(values: list[int], data: st.DataObject) -> None:
    program = Program({"x": Axis.of(values)})
    x = program.number("x").over
    number, expected = x, list(values)
    for _ in range(data.draw(st.integers(1, 6))):
        operation = data.draw(st.sampled_from(["+", "-", "*", "//", "%", "min", "max"]))
        other = data.draw(st.integers(1, 10**6))
        number = program.emit(operation, number, other)
        plain: Any = {
            "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "//": lambda a, b: a // b,
            "%": lambda a, b: a % b, "min": min, "max": max,
        }[operation]  # fmt: skip
        expected = [plain(one, other) for one in expected]
    (found,) = program.compiled([number]).run({"x": np.array(values)})
    low, high = (number, number) if isinstance(number, int) else (number.low, number.high)
    assert np.broadcast_to(found, len(values)).tolist() == expected
    assert low <= min(expected)
    assert max(expected) <= high
