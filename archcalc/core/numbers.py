"""Arithmetic that every kind of number understands.

Rules are written once and called with Python ints, numpy integer arrays, sympy expressions or numbers that remember
their history. `//`, `+`, `*` work for all of them; these do not exist as operators, so they stand here. A number
type may give its own reading by a method of the same name with the prefix ``archcalc_``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

#: An int, or whatever a rule is evaluated with (numpy array, sympy expression, tracing number).
Number = Any


def ceil_div(numerator: Number, denominator: Number) -> Number:
    """⌈numerator / denominator⌉ without leaving the integers."""
    own = getattr(numerator, "archcalc_ceil_div", None)
    return own(denominator) if own else -(-numerator // denominator)


def maximum(first: Number, second: Number) -> Number:
    """The larger of two numbers."""
    if isinstance(first, int) and isinstance(second, int):
        return first if first >= second else second
    for one, other in ((first, second), (second, first)):
        own = getattr(one, "archcalc_maximum", None)
        if own:
            return own(other)
    return (first + second + abs(first - second)) // 2


def minimum(first: Number, second: Number) -> Number:
    """The smaller of two numbers."""
    if isinstance(first, int) and isinstance(second, int):
        return first if first <= second else second
    for one, other in ((first, second), (second, first)):
        own = getattr(one, "archcalc_minimum", None)
        if own:
            return own(other)
    return (first + second - abs(first - second)) // 2


def isqrt(number: Number) -> Number:
    """⌊√number⌋."""
    own = getattr(number, "archcalc_isqrt", None)
    return own() if own else math.isqrt(number)


def product(factors: Iterable[Number]) -> Number:
    """The product in the order given; 1 for no factors. Like `math.prod`, but it never starts with `1 *`."""
    result: Number = None
    for factor in factors:
        result = factor if result is None else result * factor
    return 1 if result is None else result
