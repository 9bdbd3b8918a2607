"""Arithmetic for every kind of number: ints, numpy arrays, sympy expressions, and types with a reading of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.numbers import Number, ceil_div, maximum, minimum, product
from tests.tiers import examples

integers = st.integers(-1000, 1000)
positive = st.integers(1, 100)
QUICK = examples(50)


class Traced:
    """A number that remembers what was done to it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __mul__(self, other: object) -> Traced:
        return Traced(f"{self.text}·{other}")

    def __rmul__(self, other: object) -> Traced:
        return Traced(f"{other}·{self.text}")

    def __str__(self) -> str:
        return self.text

    def archcalc_ceil_div(self, other: object) -> Traced:
        return Traced(f"⌈{self}/{other}⌉")

    def archcalc_maximum(self, other: object) -> Traced:
        return Traced(f"max({self}, {other})")

    def archcalc_minimum(self, other: object) -> Traced:
        return Traced(f"min({self}, {other})")


@QUICK
@given(integers, positive)
def test_ceil_div_is_the_ceiling_of_the_exact_quotient(numerator: int, denominator: int) -> None:
    assert ceil_div(numerator, denominator) == math.ceil(Fraction(numerator, denominator))


@pytest.mark.parametrize(
    ("numerator", "denominator", "result"),
    [(0, 3, 0), (1, 3, 1), (3, 3, 1), (4, 3, 2), (-1, 3, 0), (-3, 3, -1), (10**30 + 1, 10**29, 11)],
)
def test_ceil_div(numerator: int, denominator: int, result: int) -> None:
    assert ceil_div(numerator, denominator) == result


@QUICK
@given(integers, integers)
def test_maximum_and_minimum_are_those_of_python(first: int, second: int) -> None:
    assert (maximum(first, second), minimum(first, second)) == (max(first, second), min(first, second))


@pytest.mark.parametrize(
    ("rule", "python"),
    [(ceil_div, lambda a, b: -(-a // b)), (maximum, max), (minimum, min)],
    ids=["ceil_div", "maximum", "minimum"],
)
@QUICK
@given(st.lists(st.tuples(integers, positive), min_size=1, max_size=20))
def test_numpy_arrays_give_the_ints_elementwise(
    rule: Callable[[Number, Number], Number], python: Callable[[int, int], int], pairs: list[tuple[int, int]]
) -> None:
    first, second = np.array(pairs, dtype=np.int64).T
    wanted = [python(a, b) for a, b in pairs]
    assert rule(first, second).tolist() == wanted
    # One side an int, as where a rule compares with 0.
    assert rule(first, 7).tolist() == [python(a, 7) for a, _ in pairs]
    assert rule(7, second).tolist() == [python(7, b) for _, b in pairs]


@pytest.mark.parametrize("rule", [ceil_div, maximum, minimum])
@examples(20)
@given(integers, positive)
def test_sympy_symbols_give_the_ints_once_substituted(
    rule: Callable[[Number, Number], Number], first: int, second: int
) -> None:
    a, b = sympy.symbols("a b", integer=True)
    assert rule(a, b).subs({a: first, b: second}) == rule(first, second)


def test_a_type_may_give_its_own_reading() -> None:
    size = Traced("W")
    assert str(ceil_div(size, 2)) == "⌈W/2⌉"
    assert str(maximum(size, 0)) == "max(W, 0)"
    assert str(minimum(size, 0)) == "min(W, 0)"


@pytest.mark.parametrize(
    ("factors", "result"), [([], 1), ([7], 7), ([2, 3, 4], 24), ([2, 0], 0), ([2**40, 2**40], 2**80)]
)
def test_product(factors: list[int], result: int) -> None:
    assert product(factors) == result


def test_product_keeps_the_order_and_starts_with_the_first_factor() -> None:
    assert str(product([Traced("H"), Traced("W"), 3])) == "H·W·3"
    assert str(product(iter([Traced("H")]))) == "H"


def test_product_of_arrays() -> None:
    assert product([np.array([1, 2, 3]), 2, np.array([5, 6, 7])]).tolist() == [10, 24, 42]
