"""Searches for tests."""

from __future__ import annotations

from typing import Any

from archcalc.design.search.evaluate import Evaluated, FamilySearch, Wanted
from archcalc.design.search.query import Condition, Names
from archcalc.design.search.search import Search, request_of
from archcalc.design.search.space import Family, parse_space


def family(text: str) -> Family:
    """The only family of a space."""
    (found,) = parse_space(text)
    return found


def names_of(one: Family) -> Names:
    return Names({axis.name: axis.is_number for axis in one.axes}, one.spec.document.parameters)


def evaluate(text: str, where: str | None = None, keys: str = "params,multiplications") -> tuple[Family, Evaluated]:
    """All configurations of a family, evaluated."""
    one = family(text)
    condition = None if where is None else Condition(where, names_of(one))
    return one, FamilySearch(one, Wanted(condition, tuple(keys.split(",")))).run(0, one.count)


def rows(found: Evaluated) -> dict[int, list[Any]]:
    """What was found, by index."""
    return {int(index): [column[i] for column in found.columns] for i, index in enumerate(found.indices)}


def search(space: str, where: str | None = None, pareto: str | None = None, **more: Any) -> Search:
    return Search(request_of(space, where, pareto, **more))
