"""The search over a number with which a total grows, and which the network takes at some values only."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from archcalc.core.errors import UsageError

#: How far from a value that is refused the next accepted one is looked for: groups of up to this many channels.
WIDEST_GAP = 128
#: Values tried for one answer.
MOST_TRIED = 4000
#: Values with the same total that are all tried.
MOST_EQUAL = 1000


class Reached(NamedTuple):
    """Indices of accepted values: the last below the target, those that reach it exactly, the first above.

    `is_range`: `exact` holds only the first and the last. `gaps`: values between accepted ones were refused.
    """

    below: int | None
    exact: tuple[int, ...]
    above: int | None
    is_range: bool
    gaps: bool


class Climb:
    """Halves a range of whole numbers; `measure` gives the total at one, None where it is refused."""

    def __init__(self, measure: Callable[[int], int | None], name: str) -> None:
        self._measure, self._name = measure, name
        self.results: dict[int, int | None] = {}

    def result(self, index: int) -> int | None:
        """The total, calculated once. Raises `UsageError` where the budget is spent."""
        if index not in self.results:
            if len(self.results) >= MOST_TRIED:
                raise UsageError(f"{MOST_TRIED:,} values of {self._name} were tried, most of them refused")
            self.results[index] = self._measure(index)
        return self.results[index]

    def total(self, index: int) -> int:
        """The total at an accepted index."""
        found = self.result(index)
        assert found is not None
        return found

    def find(self, low: int, high: int, target: int) -> Reached:
        """All that reach the target from `low` to `high`. Raises `UsageError` where nothing there is accepted."""
        first = self._first(low, high)
        if first is None:
            raise UsageError(f"no value of {self._name} makes a network to search from")
        top = self._top(first, high, target)
        below = above = None
        if self.total(first) < target:
            below, reached = self._border(first, top, lambda total: total >= target)
        else:
            reached = first
        if reached is None:
            return Reached(below, (), None, False, self._gaps(first, top))
        if self.total(reached) > target:
            return Reached(below, (), reached, False, self._gaps(first, top))
        last, above = self._border(reached, top, lambda total: total > target)
        gaps = self._gaps(first, top)
        if not gaps or last - reached > MOST_EQUAL:
            return Reached(below, tuple(dict.fromkeys((reached, last))), above, last > reached + 1, gaps)
        equal = [index for index in range(reached, last + 1) if self.result(index) == target]
        return Reached(below, tuple(equal), above, False, gaps)

    def _gaps(self, first: int, top: int) -> bool:
        return any(first < index < top and total is None for index, total in self.results.items())

    def _border(self, low: int, high: int, after: Callable[[int], bool]) -> tuple[int, int | None]:
        """The last accepted before the border and the first after it, None where `high` is before it, as `low` is."""
        if low == high or not after(self.total(high)):
            return high, None
        while (middle := self._between(low, high)) is not None:
            low, high = (low, middle) if after(self.total(middle)) else (middle, high)
        return low, high

    def _between(self, low: int, high: int) -> int | None:
        """An accepted index between two, near their middle."""
        middle = (low + high) // 2
        steps = (at for step in range(WIDEST_GAP) for at in (middle + step, middle - step))
        return next((at for at in steps if low < at < high and self.result(at) is not None), None)

    def _first(self, low: int, high: int) -> int | None:
        """The first accepted one: by doubling, then by halving what was stepped over."""
        found, empty = self._near(low, high), low - 1
        while found is None and low < high:
            empty, low = low, min(2 * max(low, 1), high)
            found = self._near(low, high)
        while found is not None and (middle := self._between(empty, found)) is not None:
            found = middle
        return found

    def _near(self, low: int, high: int) -> int | None:
        return next(
            (at for at in range(low, min(low + WIDEST_GAP, high) + 1) if self.result(at) is not None),
            None,
        )

    def _top(self, low: int, high: int, target: int) -> int:
        """An accepted index whose total is above the target, or the last accepted one; not the first, if others are."""
        first = low
        while low < high and (low == first or self.total(low) <= target):
            wanted = min(2 * max(low, 1), high)
            found = self._near(wanted, high)
            if found is None:
                end = wanted
                while (middle := self._between(low, end)) is not None:
                    low = middle
                return low
            low = found
            if wanted == high:
                break
        return low
