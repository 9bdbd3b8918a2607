"""Mistakes that repeat down a table: what explains more cells of a column is the more likely reason in each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from archcalc.teach.check.mistakes import HABITS
from archcalc.teach.check.model import Cell, Diagnosis, Verdict


def with_habits_first(cells: Sequence[Cell]) -> list[Cell]:
    """The cells, the diagnoses of each in the order that the others of its column make likely."""
    explained: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        for mistake in {one for one in map(_single, _alternatives(cell)) if one}:
            explained[cell.quantity, mistake] += 1
    return [_reordered(cell, explained) for cell in cells]


def _alternatives(cell: Cell) -> list[list[Diagnosis]]:
    """The diagnoses of a wrong cell by their ranks; none where there is only one."""
    if cell.verdict is not Verdict.WRONG:
        return []
    ranks: dict[int, list[Diagnosis]] = {}
    for one in cell.diagnoses:
        ranks.setdefault(one.rank, []).append(one)
    return list(ranks.values())


def _single(steps: Iterable[Diagnosis]) -> str:
    """The mistake of an alternative; empty where it is two together."""
    first, *others = steps
    return "" if others else first.mistake


def _reordered(cell: Cell, explained: Counter[tuple[str, str]]) -> Cell:
    found = _alternatives(cell)
    if len(found) < 2:
        return cell

    def others(steps: list[Diagnosis]) -> int:
        return explained[cell.quantity, _single(steps)]

    best = max(
        (one for one in found if _single(one) in HABITS), key=others, default=found[0]
    )  # of equal ones the first
    if best is found[0] or others(best) <= max(1, others(found[0])):
        return cell
    ordered = [best, *(one for one in found if one is not best)]
    ranked = [one._replace(rank=rank) for rank, steps in enumerate(ordered) for one in steps]
    return replace(cell, diagnoses=tuple(ranked))
