"""The file that a search has written, read again: its rows, those that keep to a condition, the front of columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from archcalc.core.cells import as_written
from archcalc.core.errors import UsageError
from archcalc.core.files import note_input, read_bytes
from archcalc.core.suggest import did_you_mean
from archcalc.design.search.front import unbeaten
from archcalc.design.search.parquet import is_parquet, read
from archcalc.design.search.query import NETWORK, TOTALS, Condition, Names, Objective
from archcalc.design.search.run import run
from archcalc.design.search.search import Search, request_of
from archcalc.design.search.sink import Rows
from archcalc.spec.expressions import ExpressionError

#: Rows and bytes of a file.
MOST_ROWS = 200_000
LARGEST = 1 << 26
_WHOLE = re.compile(r"-?\d{1,40}")
_DECIMAL = re.compile(r"-?\d{1,40}\.\d{1,40}")


@dataclass(frozen=True)
class FoundRows:
    """Configurations with their networks, parameters and quantities; None: a parameter that a network has not."""

    path: str
    heading: tuple[str, ...]
    rows: Sequence[Sequence[Any]]

    @cached_property
    def parameters(self) -> dict[str, bool]:
        """The parameters in the heading, and whether each takes numbers only."""
        names = [name for name in self.heading if name != NETWORK and (name not in TOTALS or self._is_parameter(name))]
        return {
            name: all(isinstance(value, (int, float)) for value in self.column(name) if value is not None)
            for name in names
        }

    def _is_parameter(self, name: str) -> bool:
        """Depth is a quantity, and a parameter of families: parameters stand before all quantities."""
        place = self.heading.index(name)
        return name == "depth" and any(one in TOTALS for one in self.heading[place + 1 :])

    def column(self, name: str) -> list[Any]:
        """The values of a column. Raises `UsageError` where there is none."""
        if name not in self.heading:
            known = ", ".join(self.heading)
            raise UsageError(f"{self.path} has no column {name[:60]!r}{did_you_mean(name, self.heading) or ''}; "
                             f"it has {known}")  # fmt: skip
        place = self.heading.index(name)
        return [row[place] for row in self.rows]

    def condition(self, text: str) -> Condition:
        """A condition on the rows. Raises `SpecError`, or `UsageError` where it asks for what no column has."""
        found = Condition(text, Names(self.parameters))
        for name in found.names:
            self.column(name)
        return found

    def kept(self, condition: Condition) -> list[bool]:
        """Whether each row keeps to a condition. Raises `UsageError` for a row without a number that it needs."""
        return [self._holds(condition, row) for row in self.rows]

    def _holds(self, condition: Condition, row: Sequence[Any]) -> bool:
        values = dict(zip(self.heading, row, strict=True))
        try:
            return condition.holds(values)
        except ExpressionError as error:
            missing = next((name for name in condition.names if values[name] is None), None)
            why = (
                error.message if missing is None else f"{row[0]} does not vary {missing}, which the condition asks for"
            )
            raise UsageError(f"{self.path}: {why}") from None

    def only(self, kept: Sequence[bool]) -> FoundRows:
        """Those rows alone."""
        return replace(self, rows=[row for row, keep in zip(self.rows, kept, strict=True) if keep])

    def numbers(self, name: str) -> list[int | float]:
        """A column of numbers. Raises `UsageError` for a row without one."""
        found = self.column(name)
        for row, value in zip(self.rows, found, strict=True):
            if not isinstance(value, (int, float)):
                what = f"{row[0]} does not vary {name}" if value is None else f"{name} is no number"
                raise UsageError(f"{self.path}: {what}, so it is no axis")
        return found

    def front(self, objectives: Sequence[Objective], kept: Sequence[bool]) -> list[int]:
        """The places of the rows that no other one beats, of those that are kept."""
        places = [place for place, keep in enumerate(kept) if keep]
        columns = []
        for one in objectives:
            numbers, sign = self.numbers(one.name), -1 if one.wants_more else 1
            columns.append(np.array([sign * numbers[place] for place in places], dtype=object))
        return [places[index] for index in unbeaten([_narrow(column) for column in columns]).tolist()]


def _narrow(column: Any) -> Any:
    """Numbers as an array that sorts fast; counts beyond 53 bits stay what they are."""
    return column.astype(float) if all(abs(value) < 1 << 53 for value in column) else column


def found_in(space: str) -> FoundRows:
    """Every configuration of a space, searched now. Raises what `Search` does."""
    made = Search(request_of(space))
    rows = Rows(made)
    run(made, rows)
    return FoundRows(
        "the search", made.heading,
        [[float(value) if isinstance(value, Fraction) else value for value in row] for row in rows.rows],
    )  # fmt: skip


def read_found(path: str) -> FoundRows:
    """The rows of a CSV or Parquet file of `archcalc search`. Raises `UsageError` where it is none."""
    heading, rows = read(note_input(path), MOST_ROWS) if is_parquet(path) else _read_csv(path)
    if heading[:1] != [NETWORK] or len(set(heading)) < len(heading):
        raise UsageError(f"{path} is no result of archcalc search: its first column is not {NETWORK}")
    if not rows:
        raise UsageError(f"{path} has no rows: nothing was found")
    return FoundRows(path, tuple(heading), rows)


def _read_csv(path: str) -> tuple[list[str], list[list[Any]]]:
    text = read_bytes(path, LARGEST, "result of a search").decode("utf-8-sig", "replace")
    rows: list[list[Any]] = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        heading = next(reader, [])
        for row in reader:
            if len(row) != len(heading):
                raise UsageError(f"{path}:{reader.line_num}: {len(row)} fields, and the heading has {len(heading)}")
            if len(rows) == MOST_ROWS:
                raise UsageError(f"{path} has more than {MOST_ROWS:,} rows; search with --pareto or a narrower --where")
            rows.append([as_written(row[0]), *map(_value, row[1:])])
    except csv.Error as error:
        raise UsageError(f"{path} is no CSV file: {error}") from None
    return heading, rows


def _value(text: str) -> Any:
    """A field as the search wrote it: a number, a word, or nothing."""
    if not text:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else as_written(text)
