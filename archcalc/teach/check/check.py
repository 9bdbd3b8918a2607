"""A table of answers checked against a network: each cell right, wrong, or right given an earlier mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archcalc.core.language import say
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.evidence import CellEvidence
from archcalc.teach.check.marking import Marking, Question
from archcalc.teach.check.match import rows_of
from archcalc.teach.check.model import Answer, Check, Match
from archcalc.teach.check.prepared import PreparedNetwork, prepare
from archcalc.teach.reading.calculation import StatementError
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.statements import is_empty, read_statement


def check_answers(analysis: Analysis, answers: Iterable[Answer]) -> Check:
    """Check every answer, in their order. What depends on the network alone is worked out once for each analysis."""
    network = prepare(analysis)
    marking = Marking(network, list(_questions(network, tuple(answers))))
    return Check(analysis.graph.name, tuple(marking.cells()), marking.notes)


def _questions(network: PreparedNetwork, answers: Sequence[Answer]) -> Iterator[Question]:
    """The answers, read, with the layers that their rows are about."""
    read = [_read(answer) for answer in answers]
    groups = rows_of(answers)
    evidence = CellEvidence(network, answers, [readings for readings, _ in read])
    matches: list[Match] = [Match()] * len(answers)
    for group, match in zip(groups, network.matcher.match(groups, evidence), strict=True):
        for position in group.cells:
            matches[position] = match
    for position, (answer, match, (readings, note)) in enumerate(zip(answers, matches, read, strict=True)):
        if match.layer:
            yield Question(position, answer, match, readings, note)
        else:
            yield Question(position, answer, match, (), match.note)


def _read(answer: Answer) -> tuple[tuple[Stated, ...], str]:
    """The readings of an answer; without any a note says why, unless it is empty."""
    if is_empty(answer.text):
        return (), ""
    try:
        return read_statement(answer.text, answer.quantity), ""
    except StatementError as error:
        if not error.offset:
            return (), error.message
        return (), say("{message} (character {number})", message=error.message, number=error.offset + 1)
