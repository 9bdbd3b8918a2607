"""A table of answers held against a network: each cell right, wrong, or right given an earlier mistake."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence

from archcalc.passes.analysis import Analysis, Row
from archcalc.teach.check.calculation import StatementError
from archcalc.teach.check.carry import Network
from archcalc.teach.check.diagnose import Situation, diagnose
from archcalc.teach.check.expected import Value, expected, expected_total
from archcalc.teach.check.marking import Marking, Question
from archcalc.teach.check.match import Match, Matcher, rows_of
from archcalc.teach.check.model import TOTAL, Answer, Check, Diagnosis, Stated
from archcalc.teach.check.statements import is_empty, read_statement

_MOST_KEPT = 20_000


def check_answers(analysis: Analysis, answers: Iterable[Answer]) -> Check:
    """Judge every answer. What depends on the network alone is worked out once for each analysis."""
    return checker(analysis).check(tuple(answers))


def checker(analysis: Analysis) -> Checker:
    """The checker of an analysis; the same as long as the analysis lives."""
    key = id(analysis)
    if key not in _CHECKERS:
        _CHECKERS[key] = Checker(analysis)
        weakref.finalize(analysis, _CHECKERS.pop, key, None)
    return _CHECKERS[key]


class Checker:
    """A network, prepared for many tables of answers."""

    def __init__(self, analysis: Analysis) -> None:
        # Not the analysis that is asked for: the checker would keep it alive for ever.
        self.analysis = Analysis(**{name: getattr(analysis, name) for name in analysis.__dataclass_fields__})
        self.network = Network(self.analysis)
        self.matcher = Matcher(self.analysis)
        self.rows = self.analysis.rows
        self.ends = self.matcher.blocks
        self._diagnoses: dict[tuple[object, ...], tuple[Diagnosis, ...]] = {}

    def check(self, answers: Sequence[Answer]) -> Check:
        """The verdicts in the order of the answers."""
        questions = self._ask(answers)
        return Check(self.analysis.graph.name, tuple(Marking(self, questions).cells()))

    def right(self, match: Match, quantity: str) -> Value | None:
        """The right value: of a layer, of a block, of the whole network."""
        if match.layer == TOTAL:
            return expected_total(self.analysis, quantity)
        if not match.is_block:
            return expected(self.analysis[match.layer], self.analysis, quantity)
        if quantity in ("output_shape", "receptive_field"):
            return expected(self.rows[self.ends[match.layer]], self.analysis, quantity)
        values = [expected(row, self.analysis, quantity) for row in self.inside(match.layer)]
        return sum(value for value in values if isinstance(value, int))

    def inside(self, block: str) -> Iterator[Row]:
        return (row for row in self.rows if row.name.startswith(f"{block}/"))

    def place(self, match: Match) -> int:
        """The index of the layer whose output a match is about; of the total, behind all layers."""
        if match.layer == TOTAL:
            return len(self.rows)
        return self.ends[match.layer] if match.is_block else self.network.index[match.layer]

    def diagnosed(self, layer: str, quantity: str, rows: Sequence[Row | None], stated: Stated) -> tuple[Diagnosis, ...]:
        """The diagnosis on the first row, the student's or the right one, that has more to say than `unknown`."""
        found: tuple[Diagnosis, ...] = ()
        for row in rows:
            key = (layer, quantity, stated, row.input_shapes if row else None, row.output_shape if row else None)
            if key not in self._diagnoses:
                if len(self._diagnoses) >= _MOST_KEPT:
                    self._diagnoses.clear()
                self._diagnoses[key] = diagnose(Situation(self.analysis, layer, quantity, row), stated)
            latest = self._diagnoses[key]
            if not found or all(one.mistake == "unknown" for one in found):
                found = latest
            if any(one.mistake != "unknown" for one in found):
                break
        return found

    def _ask(self, answers: Sequence[Answer]) -> list[Question]:
        groups = rows_of(answers)
        matches: list[Match] = [Match()] * len(answers)
        for group, match in zip(groups, self.matcher.match(groups), strict=True):
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


_CHECKERS: dict[int, Checker] = {}
