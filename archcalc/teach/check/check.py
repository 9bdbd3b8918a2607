"""A table of answers checked against a network: each cell right, wrong, or right given an earlier mistake."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archcalc.passes.analysis import Analysis
from archcalc.teach.check.marking import Marking, Question
from archcalc.teach.check.match import Match, rows_of
from archcalc.teach.check.model import Answer, Check
from archcalc.teach.check.prepared import PreparedNetwork, prepare
from archcalc.teach.reading.calculation import StatementError
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.statements import is_empty, read_statement


def check_answers(analysis: Analysis, answers: Iterable[Answer]) -> Check:
    """Check every answer, in their order. What depends on the network alone is worked out once for each analysis."""
    network = prepare(analysis)
    questions = _questions(network, tuple(answers))
    return Check(analysis.graph.name, tuple(Marking(network, questions).cells()))


def _questions(network: PreparedNetwork, answers: Sequence[Answer]) -> list[Question]:
    groups = rows_of(answers)
    matches: list[Match] = [Match()] * len(answers)
    for group, match in zip(groups, network.matcher.match(groups), strict=True):
        for position in group.cells:
            matches[position] = match
    found = []
    for position, (answer, match) in enumerate(zip(answers, matches, strict=True)):
        readings: tuple[Stated, ...] = ()
        note = match.note
        if match.layer and not is_empty(answer.text):
            try:
                readings = read_statement(answer.text, answer.quantity)
            except StatementError as error:
                at = f" (character {error.offset + 1})" if error.offset else ""
                note = f"{error.message}{at}"
        found.append(Question(position, answer, match, readings, note))
    return found
