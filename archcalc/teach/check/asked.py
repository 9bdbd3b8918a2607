"""Answers that cannot be checked at all: totals that cannot be read, tables of another network."""

from __future__ import annotations

from archcalc.core.errors import Location, Problem, SpecError, UsageError
from archcalc.core.language import say
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.answers import Answers
from archcalc.teach.check.model import Check, Verdict
from archcalc.teach.check.terms import check_total
from archcalc.teach.reading.calculation import StatementError


def read_total(analysis: Analysis, quantity: str, text: str, name: str) -> Check:
    """Check a total, or the sum that gives it. Raises `UsageError` where it cannot be read; `name` is what it is of."""
    try:
        return check_total(analysis, quantity, text)
    except StatementError as error:
        start = max(0, error.offset - 20)
        if error.offset:
            raise UsageError(
                say(
                    "cannot read {name}: {reason} at {part!r}, character {number}",
                    name=name,
                    reason=error.message,
                    part=text[start : error.offset + 20],
                    number=error.offset + 1,
                )
            ) from None
        raise UsageError(say("cannot read {name}: {reason}", name=name, reason=error.message)) from None


def refuse_strangers(check: Check, answers: Answers) -> None:
    """A table in which nothing belongs to the network, nor to another one, is bad input. Raises `SpecError`."""
    if not answers.answers:
        raise UsageError(say("the table has no rows"))
    if check.fits or any(cell.layer or cell.verdict is Verdict.EMPTY for cell in check.cells):
        return
    first: dict[str, Problem] = {}
    for cell in check.cells:
        place = cell.answer.place
        location = Location(*place) if place is not None else None
        first.setdefault(cell.answer.layer, Problem(cell.note, location))
    raise SpecError(list(first.values())[:5])
