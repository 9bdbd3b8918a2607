"""Ranges of exact numbers, of which each is made when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any, overload


@dataclass(frozen=True)
class Steps(Sequence[Any]):
    """Numbers at equal distances: `numerators` over one denominator, in lowest terms for all of them together."""

    numerators: range
    under: int = 1

    @classmethod
    def of(cls, first: int | Fraction, step: int | Fraction, count: int) -> Steps:
        """So many numbers from `first` on."""
        first, step = Fraction(first), Fraction(step)
        if count == 1:
            return cls(range(first.numerator, first.numerator + 1), first.denominator)
        under = lcm(first.denominator, step.denominator)
        start, more = int(first * under), int(step * under)
        return cls(range(start, start + more * count, more), under)

    def __len__(self) -> int:
        return len(self.numerators)

    @overload
    def __getitem__(self, place: int) -> int | Fraction: ...
    @overload
    def __getitem__(self, place: slice) -> Steps: ...
    def __getitem__(self, place: int | slice) -> int | Fraction | Steps:
        if isinstance(place, slice):
            return Steps(self.numerators[place], self.under)
        return plain(Fraction(self.numerators[place], self.under))


def ends_of(values: Sequence[Any]) -> Sequence[Any]:
    """Of a range the first two and the last: limits, multiples and whole numbers hold for all if they do for these."""
    return (*values[:2], values[-1]) if isinstance(values, Steps) else values


def plain(value: Fraction | int) -> int | Fraction:
    """A number as an int where it is whole."""
    return int(value) if value.denominator == 1 else value
