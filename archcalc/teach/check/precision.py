"""Diagnoses of how a number is written: rounded, cut off, with another letter for its power, with a typo."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from archcalc.core.language import say
from archcalc.explain.derive.notation import number
from archcalc.teach.check import explain
from archcalc.teach.check.mistakes.base import LAST_RESORT, SLIP, Explanation, Mistake
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.typos import describe_typo

#: A mistyped digit is only seen in a rounded number that still has so many.
FEWEST_DIGITS = 1000


def no_digit(right: int, stated: Stated) -> Iterator[Explanation]:
    """0M, of which no digit is left."""
    if re.search(r"[^\W\d]", stated.text) and right:
        words = say("Rounded until no digit is left. An answer needs at least one: it is {right}.", right=number(right))
        yield Explanation(0, (Mistake("rounded_inputs", words),), words)


def is_precise(stated: Stated, digits: int) -> bool:
    """Whether a rounded number has so many digits that count."""
    if stated.value is None or stated.high is None:
        return False
    least: int = 2 * 10 ** (digits - 1)
    return least * (stated.high - stated.value) <= stated.value


def slips(right: int, stated: Stated, others: Sequence[Explanation]) -> Iterator[Explanation]:
    """A typo, where no usual mistake gives the number."""
    if stated.low is None or stated.high is None or any(one.cost < LAST_RESORT for one in others):
        return
    if stated.low == stated.high and stated.low.denominator != 1:
        return
    # A rounded number is compared at its own precision.
    quantum = stated.high - stated.low or Fraction(1)
    middle = (stated.low + stated.high) / 2 / quantum
    one, other = int(Fraction(right) / quantum + Fraction(1, 2)), int(middle + Fraction(1, 2))
    what = describe_typo(one, other)
    if what and (stated.low == stated.high or other >= FEWEST_DIGITS):
        yield Explanation(
            SLIP,
            (Mistake("digit_slip", what),),
            say("{what}: it is {right}.", what=explain.capital(what), right=number(right)),
        )


def cut_off(right: int, stated: Stated) -> Iterator[Explanation]:
    """A rounded number that was cut off, or rounded up, instead of to the nearest."""
    if stated.low is None or stated.high is None or stated.low == stated.high:
        return
    width, middle = stated.high - stated.low, (stated.low + stated.high) / 2
    if abs(right - middle) < width:
        reason = (
            say("cut off instead of rounded to the nearest. It is {right}.", right=number(right))
            if right > middle
            else say("rounded up instead of rounded to the nearest. It is {right}.", right=number(right))
        )
        yield Explanation(9, (Mistake("floor_ceil", reason),), explain.capital(reason))


def in_powers_of_1024(right: int, stated: Stated) -> Iterator[Explanation]:
    """A K of 1,024: 380K of 388,736."""
    match = re.fullmatch(r"\D*(\d+(?:[.,](\d+))?)\s?([KM])\b.*", stated.text, re.IGNORECASE)
    if match is None or stated.unit or stated.low == stated.high:
        return
    power = "KM".index(match[3].upper()) + 1
    value, half = Fraction(match[1].replace(",", ".")), Fraction(1, 2 * 10 ** len(match[2] or ""))
    if abs(Fraction(right, 1024**power) - value) <= half and value:
        reason = say(
            "{letter} is {binary:,} there. Here it is {decimal:,}: {right}.",
            letter=match[3].upper(),
            binary=1024**power,
            decimal=1000**power,
            right=number(right),
        )
        yield Explanation(8, (Mistake("unit", reason),), explain.capital(reason))


def by_thousands(right: int, stated: Stated) -> Iterator[Explanation]:
    """K for M: a rounded number with a letter that is thousand times too small or too large."""
    if (
        stated.low is None
        or stated.high is None
        or stated.low == stated.high
        or not re.search(r"[^\W\d_]", stated.text)
    ):
        return
    for factor in (1000, 1_000_000):
        is_small = stated.low * factor <= right <= stated.high * factor
        if is_small or stated.low <= right * factor <= stated.high:
            values = {"factor": factor, "right": number(right)}
            reason = (
                say("{factor:,} times too small, as with K for M. It is {right}.", **values)
                if is_small
                else say("{factor:,} times too large, as with M for K. It is {right}.", **values)
            )
            yield Explanation(10, (Mistake("unit", reason),), explain.capital(reason))
