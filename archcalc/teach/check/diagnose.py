"""Which mistake gives a student's number: every usual mistake is tried, and those that reproduce it are named.

A diagnosis is given only where it reproduces exactly what was written (or, of a rounded number, rounds to it). All
readings of a cell are worked out once, then looked up, so a class of students costs little more than one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archcalc.passes.analysis import Analysis, Row
from archcalc.teach.check import numeric, shaped
from archcalc.teach.check.mistakes.base import MOST_ALTERNATIVES, Explanation
from archcalc.teach.check.model import TOTAL, Diagnosis
from archcalc.teach.check.search import tables_of
from archcalc.teach.reading.stated import Stated

__all__ = ["TOTAL", "Situation", "diagnose"]


class Situation(NamedTuple):
    """The cell that a number was written in.

    `layer` is a name of the analysis, or `TOTAL` for the sum of a column. `row` is the layer's row; where an earlier
    mistake is carried forward it is one that was calculated from the student's input shapes. None means the row of
    the analysis, or, for the total, none.
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
    tables = tables_of(situation.analysis)
    layer, quantity = situation.layer, situation.quantity
    if layer == TOTAL and situation.row is None:
        found = numeric.of_total(tables, quantity, stated)
    else:
        row = situation.row or situation.analysis[layer]
        search = {"output_shape": shaped.of_shape, "receptive_field": shaped.of_field}.get(quantity)
        found = search(tables, row, stated) if search else numeric.of_count(tables, row, quantity, stated)
    return tuple(_diagnoses(_best(found), layer, quantity))


def _best(found: Iterable[Explanation]) -> list[Explanation]:
    """The cheapest of each kind, then those of least cost."""
    kinds: dict[tuple[tuple[str, str], ...], Explanation] = {}
    for one in sorted(found, key=lambda one: one.cost):
        kinds.setdefault(tuple([(step.mistake, step.layer) for step in one.steps]), one)
    return list(kinds.values())[:MOST_ALTERNATIVES]


def _diagnoses(found: Iterable[Explanation], layer: str, quantity: str) -> Iterable[Diagnosis]:
    for rank, one in enumerate(found):
        for step in one.steps:
            where, what = step.layer or layer, step.quantity or quantity
            yield Diagnosis(step.mistake, where, what, one.explanation, one.tree, rank)
