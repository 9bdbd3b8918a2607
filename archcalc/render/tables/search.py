"""What a search found: as a table, as CSV, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from archcalc.core.quantities import quantity_of_network
from archcalc.core.text import align
from archcalc.core.words import several
from archcalc.design.search.run import Outcome
from archcalc.design.search.search import Search, cell
from archcalc.design.search.sink import quoted
from archcalc.design.search.space import RESOLUTION

FORMATS = ("text", "csv", "json", "parquet")
ENDINGS = {".txt": "text", ".csv": "csv", ".json": "json", ".parquet": "parquet"}
#: Rows of a table for a terminal.
SHOWN = 40


@dataclass(frozen=True)
class Found:
    """A search that has ended: its rows, of which a file may have them all, and its counts."""

    search: Search
    outcome: Outcome
    rows: Sequence[Sequence[Any]]

    @property
    def heading(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.search.heading

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows by the names of their columns, without parameters that a network does not vary."""
        return [
            {name: plain(value) for name, value in zip(self.heading, row, strict=True) if value is not None}
            for row in self.rows
        ]


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    return float(value) if isinstance(value, Fraction) else value


def render(found: Found, form: str, colour: bool = False, shown: int = SHOWN) -> str:
    """The rows, as text at most `shown` of them, and the counts."""
    if form == "json":
        return json.dumps(as_dict(found), ensure_ascii=False, indent=1) + "\n"
    if form == "csv":
        lines = [",".join(found.heading), *(",".join(quoted(cell(value)) for value in row) for row in found.rows)]
        return "\n".join(lines) + "\n"
    rows = found.rows[:shown]
    # A parameter that takes one value is not worth a column only where nothing else is shown.
    table = [[_title(name) for name in found.heading], *([_text(value) for value in row] for row in rows)]
    right = [any(isinstance(row[place], (int, Fraction)) for row in rows) for place in range(len(found.heading))]
    lines = align(table, right, colour) if rows else []
    left = found.outcome.found - len(rows)
    if left > 0:
        lines.append(f"… and {left:,} more; -o FILE.csv has them all")
    return "\n".join([*lines, *([""] if lines else []), *summary(found)]) + "\n"


def summary(found: Found) -> list[str]:
    """How many configurations there are, how many were found, and how many were compared with their reports."""
    outcome, request = found.outcome, found.search.request
    what = "on the Pareto front" if found.search.objectives else "found"
    where = f" with {request.where}" if request.where else ""
    lines = [f"{outcome.found:,} of {several(outcome.count, 'configuration')} {what}{where}."]
    if not outcome.found:
        keeps = f"keeps to {request.where}" if request.where else "has a network"
        lines = [f"Nothing found: none of {several(outcome.count, 'configuration')} {keeps}."]
    elif found.search.objectives:
        wanted = [f"{one.name} {'more' if one.wants_more else 'less'}" for one in found.search.objectives]
        lines.append(f"Better is: {', '.join(wanted)}.")
    if outcome.unfit:
        lines.append(f"{several(outcome.unfit, 'configuration')} without a network: {_first(outcome.problem)}")
    if outcome.checked:
        lines.append(f"{several(outcome.checked, 'configuration')}, chosen at random, compared with a report: equal.")
    lines.append("Bytes are those of float32 and one image.")
    return lines


def _first(problem: str | None) -> str:
    return (problem or "").splitlines()[0] if problem else ""


def _title(name: str) -> str:
    if name in ("network", RESOLUTION):
        return name
    try:
        return quantity_of_network(name).title
    except KeyError:
        return name


def _text(value: Any) -> str:
    return f"{value:,}" if type(value) is int and abs(value) >= 10_000 else cell(value)


def as_dict(found: Found) -> dict[str, Any]:
    """The search as data; a row is a mapping from the names of columns."""
    outcome, request = found.outcome, found.search.request
    return {
        "schema": "archcalc.search/1",
        "space": request.space,
        "where": request.where,
        "pareto": [str(one) for one in found.search.objectives] or None,
        "columns": list(found.heading),
        "configurations": outcome.count,
        "do_not_fit": outcome.unfit,
        "found": outcome.found,
        "compared_with_reports": outcome.checked,
        "rows": found.to_dicts(),
    }
