"""The Pareto front: configurations that no other one beats, kept while they come in.

One beats another where it is as good in every objective and better in one. Equal ones stay side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.design.search.evaluate import Evaluated
from archcalc.design.search.program import Array

#: Configurations of a front.
MOST = 100_000


class Point(NamedTuple):
    """A configuration of the front: its family, its index there, its objectives (less is better) and all it shows."""

    family: int
    place: int
    objectives: tuple[Any, ...]
    row: tuple[Any, ...]


def unbeaten(objectives: Sequence[Array]) -> Array:
    """The places of the points that no other one beats, in ascending order; less is better in every objective."""
    points = [np.asarray(column) for column in objectives]
    if not len(points[0]):
        return np.empty(0, np.int64)
    order = np.lexsort(points[::-1])
    columns = [column[order] for column in points]
    if len(columns) == 1:
        kept = columns[0] == columns[0][0]
    elif len(columns) == 2:
        first, second = columns
        best = np.minimum.accumulate(second)
        before = np.concatenate(([True], second[1:] < best[:-1]))
        # Equal to the one before in both objectives: as good as that.
        same = np.concatenate(([False], (first[1:] == first[:-1]) & (second[1:] == second[:-1])))
        starts = np.maximum.accumulate(np.where(~same, np.arange(len(first)), 0))
        kept = before[starts]
    else:
        kept = _unbeaten_one_by_one(columns)
    return np.sort(order[kept])


def _unbeaten_one_by_one(columns: Sequence[Array]) -> Array:
    """The same for sorted points: the first that is left is beaten by none, and those that it beats are left out."""
    count = len(columns[0])
    kept, left = np.zeros(count, bool), np.arange(count)
    while len(left):
        first = left[0]
        kept[first] = True
        worse_or_equal = np.ones(len(left), bool)
        worse = np.zeros(len(left), bool)
        for column in columns:
            worse_or_equal &= column[left] >= column[first]
            worse |= column[left] > column[first]
        stays = ~(worse_or_equal & worse)
        stays[0] = False
        left = left[stays]
    return kept


class Front:
    """The front of all configurations so far."""

    def __init__(self, signs: Sequence[int], points: Sequence[Point] = ()) -> None:
        """`signs`: of each objective 1 where less is better, −1 where more is."""
        self.signs = signs
        self.points = list(points)

    def reduced(self, found: Evaluated) -> Evaluated:
        """Those of some configurations that no other of them beats; the objectives are the last columns."""
        places = unbeaten(self._objectives(found.columns))
        return Evaluated(
            found.count, found.unfit, found.indices[places], tuple(column[places] for column in found.columns),
            found.problem,
        )  # fmt: skip

    def _objectives(self, columns: Sequence[Array]) -> list[Array]:
        last = columns[len(columns) - len(self.signs) :]
        return [column if sign > 0 else -column for sign, column in zip(self.signs, last, strict=True)]

    def add(self, family: int, found: Evaluated) -> None:
        """Take in configurations of a family, which are later than all so far."""
        if not len(found.indices):
            return
        objectives = [column.tolist() for column in self._objectives(found.columns)]
        rows = [column.tolist() for column in found.columns]
        new = [
            Point(family, index, values, row)
            for index, values, row in zip(
                found.indices.tolist(), zip(*objectives, strict=True), zip(*rows, strict=True), strict=True
            )
        ]
        both = [*self.points, *new]
        self.points = [both[place] for place in unbeaten([_column(both, i) for i in range(len(self.signs))]).tolist()]
        if len(self.points) > MOST:
            raise UsageError(f"the front has more than {MOST:,} configurations; name fewer objectives, or a condition")

    def sorted(self) -> list[Point]:
        """The points by their objectives."""
        return sorted(self.points, key=lambda point: (point.objectives, point.family, point.place))


def _column(points: Sequence[Point], objective: int) -> Array:
    values = [point.objectives[objective] for point in points]
    if all(type(value) is int and abs(value) < 1 << 62 for value in values):
        return np.array(values, dtype=np.int64)
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result
