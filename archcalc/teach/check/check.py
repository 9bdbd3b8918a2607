"""A table of answers checked against a network: each cell right, wrong, or right given an earlier mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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
    table = Table(network, tuple(answers))
    marking = Marking(network, list(table.questions()))
    return Check(analysis.graph.name, tuple(marking.cells()), marking.notes)


class Table:
    """Answers, read, and the layers that their rows are about."""

    def __init__(self, network: PreparedNetwork, answers: Sequence[Answer]) -> None:
        self.network = network
        self.answers = answers
        self.readings: list[tuple[Stated, ...]] = []
        self.notes: list[str] = []
        self.evidence = CellEvidence(network, answers, self.readings)
        for answer in answers:
            readings, note = _read(answer)
            self.readings.append(readings)
            self.notes.append(note)

    def questions(self) -> Iterator[Question]:
        """The answers with what they are about, in their order."""
        groups = rows_of(self.answers)
        matches: list[Match] = [Match()] * len(self.answers)
        for group, match in zip(groups, self.network.matcher.match(groups, self.evidence), strict=True):
            for position in group.cells:
                matches[position] = match
        for position, (answer, match) in enumerate(zip(self.answers, matches, strict=True)):
            readings = self.readings[position] if match.layer else ()
            yield Question(position, answer, match, readings, self.notes[position] if match.layer else match.note)


def _read(answer: Answer) -> tuple[tuple[Stated, ...], str]:
    """The readings of an answer; without any a note says why, unless it is empty."""
    if is_empty(answer.text):
        return (), ""
    try:
        return read_statement(answer.text, answer.quantity), ""
    except StatementError as error:
        at = f" (character {error.offset + 1})" if error.offset else ""
        return (), f"{error.message}{at}"
