"""Multiplications that another tool counted and printed, held to its rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.passes.analysis import Analysis
from archcalc.teach.check import explain
from archcalc.teach.check.agreement import fits
from archcalc.teach.check.expected import Value
from archcalc.teach.check.mistakes.elsewhere import tools_on_variants
from archcalc.teach.check.model import OF_TOOL, TOTAL, Answer, Diagnosis, Match, Verdict
from archcalc.teach.check.search import tables_of
from archcalc.teach.check.sums import shown
from archcalc.teach.check.totals import Outcome
from archcalc.teach.reading.stated import Stated


class Question(NamedTuple):
    """An answer, what it is about, and its readings; without any, `note` says why."""

    position: int
    answer: Answer
    match: Match
    readings: tuple[Stated, ...]
    note: str = ""


def judge_count(question: Question, values: Sequence[Value | None], alike: Iterable[Question]) -> Outcome | None:
    """The verdict on a count, of whose right `values` the last is the tool's own; None where that is not known.

    `alike` are all questions about what the tool printed.
    """
    right, quantity, layer = values[-1], question.answer.quantity, question.match.layer
    if not isinstance(right, int):
        return None
    idle = _of_idle(alike, quantity) if layer == TOTAL else 0
    more = [value + idle for value in values if idle and isinstance(value, int)]
    for stated in question.readings:
        if any(fits(stated, value, quantity) for value in (*values, *more)):
            return Outcome(Verdict.RIGHT, stated, right)
    tool = question.answer.heading.removeprefix(OF_TOOL)
    counted = explain.unknown(say("{tool} counts {right}.", tool=tool, right=shown(Fraction(right))))
    return Outcome(
        Verdict.WRONG, question.readings[0], right, diagnoses=(Diagnosis("unknown", layer, quantity, counted),)
    )


def on_variant(analysis: Analysis, question: Question) -> tuple[Diagnosis, ...]:
    """The variant of a network of which a tool counts just what it printed."""
    name, quantity = question.answer.heading.removeprefix(OF_TOOL), question.answer.quantity
    for tool, total, mistake in tools_on_variants(tables_of(analysis).network):
        if tool.name == name and any(fits(one, total, quantity) for one in question.readings):
            return (Diagnosis(mistake.mistake, TOTAL, quantity, explain.capital(mistake.reason)),)
    return ()


def _of_idle(questions: Iterable[Question], quantity: str) -> int:
    """What a tool counts of modules that this form of the network does not have, and that change nothing."""
    answers = [question.answer for question in questions if question.match.is_idle]
    return sum(int(answer.text) for answer in answers if answer.quantity == quantity and answer.text.isdecimal())
