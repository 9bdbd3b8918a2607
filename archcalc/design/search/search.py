"""A search: a space, a condition, objectives; its configurations in one order, evaluated range by range.

Any process that has the request can evaluate any range: ranges are what a run goes through, what a checkpoint counts
and what other machines are sent.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, lru_cache
from hashlib import sha256
from importlib import metadata
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.core.errors import ArchcalcError, UsageError
from archcalc.core.files import read_bytes
from archcalc.design.search.evaluate import Evaluated, FamilySearch, Wanted
from archcalc.design.search.front import Front
from archcalc.design.search.program import check_axes
from archcalc.design.search.query import (
    NETWORK,
    TOTALS,
    Condition,
    Names,
    Objective,
    parse_columns,
    parse_objectives,
)
from archcalc.design.search.space import Family, decimal, parse_space
from archcalc.spec.load import load_spec, spec_of
from archcalc.spec.source import LARGEST_FILE, parse_source
from archcalc.spec.spec import Spec

#: How many configurations of a run are compared with a report of each.
SAMPLE = 10
MOST_SAMPLES = 10_000


class MismatchError(ArchcalcError):
    """A configuration has other numbers than its own report: a fault of archcalc, not of its user."""


class Request(NamedTuple):
    """What is searched, as text; spec files with their content, so that it means the same on another machine."""

    space: str
    where: str | None = None
    pareto: str | None = None
    columns: str | None = None
    sample: int = SAMPLE
    files: tuple[tuple[str, str], ...] = ()

    @property
    def fingerprint(self) -> str:
        """The same for the same search by the same version."""
        return sha256(repr((version(), *self)).encode()).hexdigest()


@cache
def version() -> str:
    """The version of archcalc that is installed; empty where it is run without being installed."""
    try:
        return metadata.version("archcalc")
    except metadata.PackageNotFoundError:
        return ""


def request_of(
    space: str, where: str | None = None, pareto: str | None = None, columns: str | None = None, sample: int = SAMPLE
) -> Request:
    """A request with the spec files that its space names."""
    if not 0 <= sample <= MOST_SAMPLES:
        raise UsageError(f"the sample has 0 to {MOST_SAMPLES:,} configurations, not {sample}")
    files: dict[str, str] = {}

    def read(path: Path) -> Spec:
        files[str(path)] = read_bytes(path, LARGEST_FILE, "spec").decode("utf-8-sig", "replace")
        return load_spec(path)

    parse_space(space, read)
    return Request(space, where, pareto, columns, sample, tuple(files.items()))


@dataclass(frozen=True)
class Part:
    """What came out of a range: of each family in it, and how many configurations were compared with reports."""

    start: int
    stop: int
    found: tuple[tuple[int, Evaluated], ...]
    checked: int


class Search:
    """A request that has been read and checked."""

    def __init__(self, request: Request) -> None:
        self.request = request
        texts = dict(request.files)
        self.families: tuple[Family, ...] = parse_space(
            request.space, lambda path: spec_of(parse_source(texts[str(path)], str(path)))
        )
        self.names = _names(self.families)
        self.condition = None if request.where is None else Condition(request.where, self.names)
        self.objectives: tuple[Objective, ...] = parse_objectives(request.pareto, self.names)
        chosen = parse_columns(request.columns, self.names)
        asked = (*(self.condition.names if self.condition else ()), *(one.name for one in self.objectives))
        shown = dict.fromkeys((*chosen, *(key for key in asked if key not in self.names.parameters)))
        #: The quantities that a row shows, by key. Depth, a parameter of some families too, stands last: so who
        #: reads the file tells them apart.
        self.columns = tuple(sorted(shown, key=lambda key: key == "depth"))
        self._check_names(asked)
        keys = (*self.columns, *(one.name for one in self.objectives))
        self._searches = [FamilySearch(family, Wanted(self.condition, keys)) for family in self.families]
        for search in self._searches:
            check_axes(search.numbers)

    def _check_names(self, asked: Sequence[str]) -> None:
        for name in asked:
            for family in self.families:
                if name in self.names.parameters and name not in [axis.name for axis in family.axes]:
                    raise UsageError(
                        f"{family.network} does not vary {name}, which the query asks for; give it values in the "
                        "space, or search it by itself"
                    )

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(family.count for family in self.families))

    @property
    def count(self) -> int:
        """The configurations of all families."""
        return self._ends[-1]

    @property
    def front(self) -> Front:
        """An empty front of the objectives."""
        return Front([-1 if one.wants_more else 1 for one in self.objectives])

    @cached_property
    def sample(self) -> tuple[int, ...]:
        """The configurations that are compared with reports: a random sample, the same for the same search."""
        chance = random.Random(self.request.fingerprint)  # noqa: S311  # no secret
        return tuple(sorted(chance.sample(range(self.count), min(self.request.sample, self.count))))

    def place(self, index: int) -> tuple[int, int]:
        """Family and index there of a configuration."""
        family = next(number for number, end in enumerate(self._ends) if index < end)
        return family, index - self._start(family)

    def _start(self, family: int) -> int:
        return self._ends[family] - self.families[family].count

    def run(self, start: int, stop: int) -> Part:
        """The configurations from `start` to before `stop`.

        Raises `MismatchError` where one of the sample has other numbers than its report.
        """
        found, checked = [], 0
        for number, search in enumerate(self._searches):
            offset = self._start(number)
            first, last = max(start, offset), min(stop, self._ends[number])
            if first >= last:
                continue
            part = search.run(first - offset, last - offset)
            for index in self.sample:
                if first <= index < last:
                    self._compare(number, index - offset, part)
                    checked += 1
            found.append((number, self.front.reduced(part) if self.objectives else part))
        return Part(start, stop, tuple(found), checked)

    def _compare(self, number: int, index: int, part: Evaluated) -> None:
        """Compare a configuration with its report, which is made by itself. Raises `MismatchError`."""
        search = self._searches[number]
        values = search.family.values(index)
        report = search.single(values)
        place = part.indices.searchsorted(index)
        is_found = place < len(part.indices) and part.indices[place] == index
        mine = [column[place] for column in part.columns] if is_found else None
        expected = report if isinstance(report, list) else None
        if mine != expected:
            said = ", ".join(f"{name}={decimal(value)}" for name, value in values.items())
            raise MismatchError(
                f"internal error: {search.family.network} {said}: the search has {mine}, its report {expected}"
            )

    # --- rows

    @property
    def heading(self) -> tuple[str, ...]:
        """The columns of a row: the network, its parameters, its quantities."""
        return (NETWORK, *self.names.parameters, *self.columns)

    def row(self, family: int, index: int, numbers: Sequence[Any]) -> list[Any]:
        """A row: words, and numbers as they are; None for a parameter that the network does not vary."""
        values = self.families[family].values(index)
        return [
            self.families[family].network,
            *(values.get(name) for name in self.names.parameters),
            *numbers[: len(self.columns)],
        ]


def cell(value: Any) -> str:
    """A value of a row as text; a fraction that no decimal is, as a quotient."""
    if value is None:
        return ""
    if isinstance(value, Fraction) and set(_factors(value.denominator)) - {2, 5}:
        return f"{value.numerator}/{value.denominator}"
    return decimal(value)


def _factors(number: int) -> list[int]:
    found = []
    for prime in (2, 5):
        while number % prime == 0:
            number //= prime
            found.append(prime)
    return found if number == 1 else [*found, number]


def _names(families: Sequence[Family]) -> Names:
    varying: dict[str, bool] = {}
    for family in families:
        for axis in family.axes:
            varying[axis.name] = varying.get(axis.name, True) and axis.is_number
    others = {name for family in families for name in family.spec.document.parameters}
    clash = sorted(set(varying) & {NETWORK, *TOTALS} - {"depth"})
    if clash:
        raise UsageError(f"a parameter is called {clash[0]}, as a quantity is; call it something else in the spec")
    return Names(varying, others)


@lru_cache(maxsize=4)
def search_of(request: Request) -> Search:
    """The search of a request, read once in a process."""
    return Search(request)


def run_range(request: Request, start: int, stop: int) -> Part:
    """A range of a search; what another process is asked for."""
    return search_of(request).run(start, stop)
