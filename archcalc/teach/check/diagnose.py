"""Which mistake gives a student's number: every usual mistake is tried, and those that reproduce it are named.

A diagnosis is given only where it reproduces exactly what was written (or, of a rounded number, rounds to it). All
readings of a cell are worked out once, then looked up, so a class of students costs little more than one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archcalc.passes.analysis import Analysis, Row
from archcalc.teach.check import numeric, shaped
from archcalc.teach.check.mistakes.base import LAST_RESORT, MOST_ALTERNATIVES, Explanation
from archcalc.teach.check.model import TOTAL, Diagnosis
from archcalc.teach.check.search import tables_of
from archcalc.teach.reading.stated import Stated

__all__ = ["TOTAL", "Situation", "diagnose"]


#: What mistakes cost that are not made every day.
_RARE = 20
#: What many numbers are by chance: no reason next to a mistake of at most this cost.
_BY_CHANCE = {"factor_two": 10, "kernel_not_squared": LAST_RESORT}


def is_unknown(diagnoses: Iterable[Diagnosis]) -> bool:
    """Whether no mistake gives the number."""
    return all(one.mistake == "unknown" for one in diagnoses)


class Situation(NamedTuple):
    """The cell that a number was written in.

    `layer` is a name of the analysis, a block for its sum, or `TOTAL` for that of a column. `row` is the layer's row;
    where an earlier mistake is carried forward it is one that was calculated from the student's input shapes. None
    means the row of the analysis, or, for the total, none.
    """

    analysis: Analysis
    layer: str
    quantity: str
    row: Row | None = None


def diagnose(situation: Situation, stated: Stated) -> tuple[Diagnosis, ...]:
    """The mistakes that give what is stated, best first; all alternatives are listed.

    Two mistakes that only together give the number are listed one after the other and share `rank` and explanation.
    Of a right answer there is nothing to say: an empty tuple. Where nothing fits, one diagnosis `unknown`, which
    accuses nobody. Raises `KeyError` for a layer that the analysis does not have.
    """
    return explained(situation, stated).diagnoses


class Explained(NamedTuple):
    """Diagnoses with the cost of the best: the lower, the more likely. `UNEXPLAINED` where nothing fits."""

    cost: int
    diagnoses: tuple[Diagnosis, ...]


#: More than any explanation costs.
UNEXPLAINED = 1_000_000


def explained(situation: Situation, stated: Stated) -> Explained:
    """The same as `diagnose`, to be compared with the diagnoses of the same number in another situation."""
    tables = tables_of(situation.analysis)
    layer, quantity = situation.layer, situation.quantity
    if situation.row is None and layer not in situation.analysis.by_name:
        found = numeric.of_sum(tables, quantity, stated, "" if layer == TOTAL else layer)
    else:
        row = situation.row or situation.analysis[layer]
        search = {"output_shape": shaped.of_shape, "receptive_field": shaped.of_field}.get(quantity)
        found = search(tables, row, stated) if search else numeric.of_count(tables, row, quantity, stated)
    best = _best(found)
    is_known = bool(best) and best[0].steps[0].mistake != "unknown"
    return Explained(best[0].cost if is_known else UNEXPLAINED, tuple(_diagnoses(best, layer, quantity)))


def _best(found: Iterable[Explanation]) -> list[Explanation]:
    """The cheapest of each kind and of each wording, then those of least cost.

    That a number is twice or half the right one is no reason next to one of the most usual mistakes, nor is 2F for F·F.
    """
    kinds: dict[tuple[tuple[str, str], ...], Explanation] = {}
    words: set[str] = set()
    for one in sorted(found, key=lambda one: one.cost):
        usual = _BY_CHANCE.get(one.steps[0].mistake, 0) if one.cost >= _RARE else 0
        is_explained = any(better.cost <= usual for better in kinds.values())
        if one.explanation not in words and not is_explained:
            kinds.setdefault(tuple([(step.mistake, step.layer) for step in one.steps]), one)
            words.add(one.explanation)
    return list(kinds.values())[:MOST_ALTERNATIVES]


def _diagnoses(found: Iterable[Explanation], layer: str, quantity: str) -> Iterable[Diagnosis]:
    for rank, one in enumerate(found):
        for step in one.steps:
            where, what = step.layer or layer, step.quantity or quantity
            yield Diagnosis(step.mistake, where, what, one.explanation, one.tree, rank)
