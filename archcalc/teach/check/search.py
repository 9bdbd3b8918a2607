"""The table from numbers to mistakes: all readings of a cell are worked out once, then looked up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeVar

from archcalc.passes.analysis import Analysis
from archcalc.teach.check.mistakes.base import Alternative
from archcalc.teach.check.mistakes.context import NetworkContext

#: A pair of mistakes says something only where few pairs lie near the number: the chance that a number taken at random
#: would be explained may not be larger.
LARGEST_CHANCE = Fraction(1, 20)
#: How many numbers of the same precision to either side are looked at.
_NEAR = 8
#: A change is compared with at least so many others of its roundness.
_FEWEST_STEPS = 16
_MOST_NETWORKS = 8
_MOST_TABLES = 4096

T = TypeVar("T")


class Index:
    """Alternatives by their numbers."""

    def __init__(self, alternatives: Iterable[Alternative]) -> None:
        self._exact: dict[int | Fraction, list[Alternative]] = {}
        for one in alternatives:
            self._exact.setdefault(one.value, []).append(one)
        self._values = sorted(self._exact)
        self._cheapest = {value: min(one.cost for one in ones) for value, ones in self._exact.items()}

    def find(self, low: int | Fraction, high: int | Fraction) -> list[Alternative]:
        """All whose number lies between these, the cheapest first."""
        if low == high:
            found = list(self._exact.get(low, ()))
        else:
            values = self._values[bisect_left(self._values, low) : bisect_right(self._values, high)]
            found = [one for value in values for one in self._exact[value]]
        return sorted(found, key=lambda one: one.cost)

    def chance(self, low: int | Fraction, high: int | Fraction, most: int | None = None) -> Fraction:
        """How likely a number of this size and precision is explained by accident, by what costs less than `most`.

        The density of explanations is that between half and twice the number, or closer by where they crowd.
        """
        middle, width = Fraction(low + high, 2), Fraction(high - low + 1)
        if middle <= 0:
            return Fraction(1)
        found = Fraction(0)
        for start, end in ((middle / 2, 2 * middle), (middle - _NEAR * width, middle + _NEAR * width)):
            values = self._values[bisect_left(self._values, start) : bisect_right(self._values, end)]
            near = len(values) if most is None else sum(self._cheapest[value] < most for value in values)
            found = max(found, near * width / (end - start))
            if low == high:
                break
        return found

    def chance_of_change(self, total: int, change: Fraction, most: int) -> Fraction:
        """How likely a change of a sum, as round as this one, is met by accident by what costs no more than `most`.

        Changes are products of small numbers. Only as many numbers are counted as have its factors of 2 and 3.
        """
        if change.denominator != 1 or not change:
            return Fraction(0)
        size = abs(int(change))
        step, rest = 1, size
        for factor in (2, 3):
            while rest % factor == 0 and step * factor * _FEWEST_STEPS <= size:
                step, rest = step * factor, rest // factor
        near = {
            value
            for value, cost in self._cheapest.items()
            if isinstance(value, int)
            and cost <= most
            and size <= 2 * abs(value - total) <= 4 * size
            and (value - total) % step == 0
        }
        return Fraction(len(near) * step, 3 * size)


class Tables:
    """What was worked out for a network, kept for the next student."""

    def __init__(self, analysis: Analysis) -> None:
        self.network = NetworkContext(analysis)
        self._kept: OrderedDict[tuple[object, ...], object] = OrderedDict()

    def get(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """What is kept under this key, or else made and kept."""
        if key not in self._kept:
            self._kept[key] = make()
            if len(self._kept) > _MOST_TABLES:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return self._kept[key]  # type: ignore[return-value]  # a key is always used with the same kind of table


_tables: OrderedDict[int, Tables] = OrderedDict()


def tables_of(analysis: Analysis) -> Tables:
    """The tables of an analysis; those of the last few are kept."""
    # The tables hold the analysis, so its id stays its own as long as they are kept.
    key = id(analysis)
    if key not in _tables:
        _tables[key] = Tables(analysis)
        if len(_tables) > _MOST_NETWORKS:
            _tables.popitem(last=False)
    else:
        _tables.move_to_end(key)
    return _tables[key]
