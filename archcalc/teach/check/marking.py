"""One table of answers on its way through a network, layer by layer: what is right, and what is carried forward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from itertools import chain, islice

from archcalc.core.language import say, say_many
from archcalc.core.shapes import Shape
from archcalc.passes.analysis import Row
from archcalc.teach.check.agreement import agrees, fits, missing, possible_factors, read_column, resembles, scaled
from archcalc.teach.check.answers.twice import counts_two
from archcalc.teach.check.by_tools import Question, judge_count, on_variant
from archcalc.teach.check.contradictions import without_contradictions
from archcalc.teach.check.diagnose import is_unknown
from archcalc.teach.check.expected import Value, expected
from archcalc.teach.check.explain import capital
from archcalc.teach.check.findings import given_by
from archcalc.teach.check.habits import with_habits_first
from archcalc.teach.check.labels import STATISTICS, read_label
from archcalc.teach.check.mistakes.sizes import by
from archcalc.teach.check.model import (
    CHECKED,
    OF_KERAS,
    OF_TOOL,
    PRINTED,
    TOTAL,
    Answer,
    Cell,
    Diagnosis,
    Match,
    Verdict,
)
from archcalc.teach.check.networks import in_millions
from archcalc.teach.check.prepared import PreparedNetwork
from archcalc.teach.check.student import Follows, StudentNetwork, Where
from archcalc.teach.check.students import Students, following
from archcalc.teach.check.sums import diagnose_slip, diagnose_total, shown
from archcalc.teach.check.totals import Column, Outcome, judge_total
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.statements import is_empty

#: Steps that go into explaining the wrong cells of a table: one for each, and more where a layer is met with sizes for
#: which its usual mistakes are not worked out yet. What is wrong after that is judged, not explained.
MOST_STEPS = 12_000
_STEPS_OF_A_LAYER = 20


class Marking:
    """One table, and what the student goes on with."""

    def __init__(self, network: PreparedNetwork, questions: Sequence[Question]) -> None:
        self.network = network
        self.questions = list(questions)
        self.students = Students(network.recounter)
        self.columns = {quantity: Column(quantity) for quantity in CHECKED}
        self.done: dict[int, Cell] = {}
        self.first: dict[Where, Question] = {}
        self.steps = 0
        self.unexplained = 0
        #: By the place of a cell: what the numbers of its column are multiplied by, and the cell as it was written.
        self.units: dict[int, tuple[Fraction, Answer, Stated]] = {}
        self._worked_out: set[tuple[object, ...]] = set()
        self._read_columns()
        self.has_fields = any(question.answer.quantity == "receptive_field" for question in questions)

    def cells(self) -> list[Cell]:
        """The verdicts in the order of the questions."""
        places: dict[int, list[Question]] = {}
        for question in self.questions:
            if question.match.layer:
                places.setdefault(self.network.place(question.match), []).append(question)
            else:
                self.done[question.position] = _without_layer(question)
        for index in range(len(self.network.rows)):
            self.students.enter(index, self.has_fields)
            for question in sorted(places.get(index, ()), key=lambda one: CHECKED.index(one.answer.quantity)):
                self._check(question, index)
        for question in places.get(len(self.network.rows), ()):
            if not question.readings:
                self._note(question, _unread(question, self._right(question)))
                continue
            if (other := self._other_total(question) or self._of_tool(question)) is not None:
                self._note(question, other)
                continue
            column = self.columns[question.answer.quantity]
            may_explain = partial(self._may_explain, TOTAL, column.quantity)
            self._note(question, judge_total(self.network, self.student, column, question.readings, may_explain))
        cells = with_habits_first([self.done[position] for position in range(len(self.questions))])
        return without_contradictions(self.network, cells)

    def _other_total(self, question: Question) -> Outcome | None:
        """The verdict on a sum that is right as its table counts: with running statistics, as Keras does."""
        values = self.network.values(question.match, question.answer)
        is_named = self.network.matcher.by_name.find(question.answer.layer) is None  # not total, but as the network
        if is_named and isinstance(values[0], int) and in_millions(question.answer.text, values[0]):
            return Outcome(Verdict.RIGHT, question.readings[0], values[0])
        more = self._of_the_data() if question.answer.quantity == "params" else 0
        for value in (*values[1:], *(value + more for value in values if more and isinstance(value, int))):
            for stated in question.readings:
                if fits(stated, value, question.answer.quantity):
                    return Outcome(Verdict.RIGHT, stated, value)
        return None

    def _of_tool(self, question: Question) -> Outcome | None:
        """The verdict on multiplications as another tool counts them; None of what it did not print."""
        answer = question.answer
        if answer.quantity != "multiplications" or not answer.heading.startswith(PRINTED):
            return None
        values = self.network.values(question.match, answer)
        is_right = any(fits(one, values[0], answer.quantity) for one in question.readings)
        if not answer.heading.startswith(OF_TOOL) and (is_right or values[-1] is not None):
            return None
        alike = [other for other in self.questions if other.answer.heading == answer.heading]
        outcome = judge_count(question, values, alike)
        if outcome is not None and outcome.verdict is Verdict.WRONG and question.match.layer == TOTAL:
            outcome = outcome._replace(diagnoses=on_variant(self.network.analysis, question) or outcome.diagnoses)
        return outcome or Outcome(Verdict.EMPTY, question.readings[0], None, note=self._unknown(question))

    def _of_the_data(self) -> int:
        """What rows of a printed summary keep of the data, its mean and its variance, where the network has none."""
        found = 0
        for question in self.questions:
            answer = question.answer
            is_kept = not question.match.layer and answer.quantity == "params" and answer.heading.startswith(PRINTED)
            if is_kept and read_label(answer.layer).kinds == STATISTICS:
                found += int(answer.text.replace(",", ""))
        return found

    @property
    def student(self) -> StudentNetwork:
        """The network that the student has, most likely."""
        return self.students.likeliest

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the table as a whole."""
        if not self.unexplained:
            return ()
        return (
            say_many(
                "1 wrong cell is judged, but why is not looked for: the budget of {most:,} steps is spent",
                "{count:,} wrong cells are judged, but why is not looked for: the budget of {most:,} steps is spent",
                self.unexplained,
                most=MOST_STEPS,
            ),
        )

    def _read_columns(self) -> None:
        """Settle how each column is meant, and read its answers so."""
        by_column: dict[tuple[str, str], list[Question]] = {}
        for question in self.questions:
            if question.readings and not (question.match.layer == TOTAL and question.answer.quantity == "output_shape"):
                by_column.setdefault((question.answer.quantity, question.answer.heading), []).append(question)
        for (quantity, _), asked in by_column.items():
            questions = self._as_params(asked) if quantity == "weights" else asked
            rights = [self._right(question) for question in questions]
            cells = [
                (question.answer, stated, right)
                for question, right in zip(questions, rights, strict=True)
                for stated in question.readings[:1]
            ]
            column = read_column(cells, self.network.bytes_of_value, self.network.features)
            for question, right in zip(questions, rights, strict=True):
                if question.readings:
                    self.units[question.position] = (column.factor, question.answer, question.readings[0])
                readings = [
                    column.arranged(question.answer, stated, right) if right is not None else stated
                    for stated in question.readings
                ]
                self.questions[question.position] = question._replace(readings=tuple(readings))

    def _right(self, question: Question) -> Value | None:
        """The right value; of several the one that was written."""
        values = self.network.values(question.match, question.answer)
        if question.answer.quantity == "weights":
            return values[0]
        quantity = question.answer.quantity
        written = [value for value in values for one in question.readings if fits(one, value, quantity)]
        if not written and quantity == "output_shape" and question.readings:  # 28 may be the sides of one of them
            written = [
                value for value in values if resembles(question.answer, question.readings, (value,), (Fraction(1),))
            ]
        return next(iter(written), values[0])

    def _unknown(self, question: Question) -> str:
        """That there is no right value for a cell, and why."""
        reason = self.network.why_unknown(question.match, question.answer.quantity)
        return say("the right value is not known: {question}", question=reason)

    def _as_params(self, questions: list[Question]) -> list[Question]:
        """A column of weights by which all parameters are meant, where it fits better and no other column has them."""
        if any(question.answer.quantity in ("params", "biases") for question in self.questions):
            return questions

        def fitting(quantity: str) -> int:
            return sum(
                any(fits(one, self.network.right(question.match, quantity), quantity) for one in question.readings)
                for question in questions
            )

        if fitting("weights") >= fitting("params"):
            return questions
        return [question._replace(answer=question.answer._replace(quantity="params")) for question in questions]

    def _check(self, question: Question, index: int) -> None:
        """The verdict on a layer or a block, and what the student goes on with."""
        right = self._right(question)
        if not question.readings:
            judged = _unread(question, right)
        elif (counted := self._of_tool(question)) is not None:
            self._note(question, counted)
            return
        elif right is None:
            judged = Outcome(
                Verdict.EMPTY,
                question.readings[0],
                None,
                note=self._unknown(question),
            )
        else:
            judged = self._outcome(question, index, right)
        self._note(question, judged)
        is_first = self.first[question.match.layer, question.answer.quantity] is question
        if is_first and judged.stated is not None and right is not None:
            self._go_on(question, index, judged)

    def _outcome(self, question: Question, index: int, right: Value) -> Outcome:
        quantity, match, readings = question.answer.quantity, question.match, question.readings
        if stated := next((one for one in readings if fits(one, right, quantity)), None):
            return Outcome(Verdict.RIGHT, stated, right, note=self._convention(question, right))
        follows, *besides = [following(self.network, student, match, index, quantity) for student in self.students.all]
        if match.is_source and (given := self.student.outputs.get(index)) is not None:
            follows = [Follows(given, self.student.shape_from[index]), *follows]
        else:
            # Of a cell that is there twice, the second does not follow from the first.
            follows = [one for one in follows if one.source != (match.layer, quantity)]
        for one in chain(follows, *besides):
            if stated := next((reading for reading in readings if fits(reading, one.value, quantity)), None):
                return Outcome(Verdict.CARRIED, stated, right, one)
        stated = _of_rank(readings, right)
        others = readings[1:] if quantity != "output_shape" else ()
        lacking = missing(stated, right) if quantity == "output_shape" else ""
        note = lacking
        diagnoses: tuple[Diagnosis, ...] = self._in_another_unit(question, right)
        if not diagnoses and (own := self._as_two(question, right)):
            note = say("the column counts each multiply-add as two operations: {own}", own=own)
        if diagnoses:
            pass
        elif match.is_block:
            if self._may_explain(match.layer, quantity):
                diagnoses = self._why_of_block(match, quantity, stated)
        elif not lacking:
            diagnoses = self._why(question, index, stated, right)
            # KB and MB are powers of 1000, or of 1024.
            for reading in others if is_unknown(diagnoses) else ():
                if not is_unknown(found := self._why(question, index, reading, right)):
                    diagnoses = found
                    break
        return Outcome(Verdict.WRONG, stated, right, follows[0] if follows else None, diagnoses, note)

    def _convention(self, question: Question, right: Value) -> str:
        """By which other way of counting a number of a hand calculation is right."""
        heading = question.answer.heading
        is_of_keras = heading.endswith(OF_KERAS) and not heading.startswith(PRINTED)
        if not is_of_keras or right == self.network.right(question.match, question.answer.quantity):
            return ""
        return say("as Keras counts it, with running mean and variance")

    def _note(self, question: Question, judged: Outcome) -> None:
        """Write the verdict down; a cell that is in the table twice is checked twice, and a note says so."""
        notes = [judged.note or question.note]
        first = self.first.setdefault((question.match.layer, question.answer.quantity), question)
        is_same = not any(one.match.is_like or one.match.is_source for one in (question, first))
        if first is not question and is_same:
            place = first.answer.place
            again = say("is in the table twice: also in row {row}", row=place.row) if place else ""
            notes.append(again or say("is in the table twice"))
        self.done[question.position] = Cell(
            question.answer,
            question.match.layer,
            question.answer.quantity,
            judged.verdict,
            judged.stated,
            judged.right,
            judged.follows.value if judged.follows else None,
            judged.follows.source if judged.follows else None,
            judged.diagnoses or self._carried(question, judged),
            "; ".join(filter(None, notes)),
        )

    def _carried(self, question: Question, judged: Outcome) -> tuple[Diagnosis, ...]:
        """What is right given an earlier mistake, as a diagnosis of its own."""
        if judged.verdict is not Verdict.CARRIED or judged.follows is None:
            return ()
        layer, quantity = question.match.layer, question.answer.quantity
        source = given_by(judged.follows.source, layer, quantity, self.done.values())
        return (Diagnosis("carried_forward", layer, quantity, say("Right, given your {source}.", source=source)),)

    def _why_of_block(self, match: Match, quantity: str, stated: Stated) -> tuple[Diagnosis, ...]:
        """What is wrong with a sum over a block; its shape is that of its last layer."""
        values = [
            (row.name, expected(row, self.network.analysis, quantity)) for row in self.network.inside(match.layer)
        ]
        parts = {name: Fraction(value) for name, value in values if isinstance(value, int) and value}
        if quantity in ("output_shape", "receptive_field"):
            own = self._without_strides(match, stated) if quantity == "output_shape" else ()
            last = self.network.rows[self.network.ends[match.layer]].name
            return own or self.network.diagnosed(last, quantity, [None], stated)
        slip = () if agrees(stated) else diagnose_slip(match.layer, quantity, stated)
        whole = sum(parts.values(), Fraction(0))
        if slip:
            if stated.expression is None or not all(map(agrees, stated.steps)):
                return slip
            if stated.expression.value == whole:
                return slip
            stated = _as_calculated(stated)
        found = self.network.diagnosed(match.layer, quantity, [None], stated)
        if all(one.mistake in ("unknown", "digit_slip") for one in found):
            found = diagnose_total(match.layer, quantity, stated, whole, parts, {}) or found
        return (*found, *slip)

    def _without_strides(self, match: Match, stated: Stated, layer: str = "") -> tuple[Diagnosis, ...]:
        """That a block keeps the size that it reads, where a layer in it does not."""
        inside = self.network.inside(match.layer)
        shapes = [inside[0].input_shapes[0] if inside[0].input_shapes else (), inside[-1].output_shape]
        if stated.shape is None or stated.shape != (*shapes[1][:1], *shapes[0][1:]) or shapes[0][1:] == shapes[1][1:]:
            return ()
        for row in inside:
            stride = getattr(row.op, "stride", None)
            if stride is not None and set(stride) != {1}:
                reason = say("the stride is missing. {name} moves by {stride}.", name=row.name, stride=by(stride))
                return (Diagnosis("forgot_stride", layer or match.layer, "output_shape", capital(reason)),)
        return ()

    def _go_on(self, question: Question, index: int, judged: Outcome) -> None:
        quantity, layer, stated = question.answer.quantity, question.match.layer, judged.stated
        assert stated is not None
        is_wrong = judged.verdict is Verdict.WRONG
        if quantity == "output_shape":
            if stated.shape is not None:
                source = judged.follows.source if judged.follows and not is_wrong else (layer, quantity)
                # What is right in another way, as before a pool, is the whole shape to what follows.
                shape = self.network.rows[index].output_shape if judged.verdict is Verdict.RIGHT else stated.shape
                self._write(judged, shape, lambda student, sides: student.write_shape(index, sides, source))
        elif quantity == "receptive_field":
            value = int(stated.value) if stated.value is not None and stated.value.denominator == 1 else 0
            rank = len(judged.right) if isinstance(judged.right, tuple) else 0
            sides = stated.sides[:rank] if stated.sides else (value,) * rank
            self._write(judged, sides, lambda student, sides: student.write_field(index, sides, is_wrong))
        elif stated.value is not None:
            assert isinstance(judged.right, int)
            carried = judged.follows.value if judged.follows and not is_wrong else judged.right
            assert isinstance(carried, int)
            self.columns[quantity].write(layer, stated, judged.right, None if is_wrong else carried)
            if judged.verdict is not Verdict.RIGHT:
                self.student.counts[layer, quantity] = stated.value if is_wrong else Fraction(carried)

    def _write(self, judged: Outcome, sides: Shape, write: Callable[[StudentNetwork, Shape], None]) -> None:
        if judged.verdict is Verdict.WRONG:
            self.students.write_wrong(sides, judged.right, judged.follows and judged.follows.value, write)
        else:
            self.students.write(sides, write)

    def _as_two(self, question: Question, right: Value) -> str:
        """The right number in a column that counts each multiply-add as two operations; else nothing."""
        factor = self.units[question.position][0] if question.position in self.units else Fraction(1)
        is_two = question.answer.quantity == "multiplications" and factor < 1
        return shown(right / factor) if is_two and isinstance(right, int) else ""

    def _in_another_unit(self, question: Question, right: Value) -> tuple[Diagnosis, ...]:
        """A cell that would be right in the unit that the other cells of its column do not have."""
        if question.position not in self.units or not isinstance(right, int):
            return ()
        factor, answer, written = self.units[question.position]
        own = shown(right / factor)
        if answer.quantity == "multiplications" and counts_two(answer.heading):
            text = say("Multiply-adds. The heading counts each as two operations: {own}.", own=own)
            is_one = fits(written, right, answer.quantity)
            return (Diagnosis("factor_two", question.match.layer, answer.quantity, text),) if is_one else ()
        others = possible_factors(answer, self.network.bytes_of_value)
        fitting = next(
            (one for one in others if one != factor and fits(scaled(written, one), right, answer.quantity)), None
        )
        alike = (
            one
            for one in self.units.values()
            if (one[1].quantity, one[1].heading) == (answer.quantity, answer.heading) and one[2] is not written
        )
        if fitting is None or len(list(islice(alike, 2))) < 2:
            return ()
        if answer.quantity == "multiplications":
            text = (
                say("Multiply-adds. The other cells of the column count each as two operations: {own}.", own=own)
                if factor < 1
                else say(
                    "Two operations for each multiply-add. The other cells of the column count one: {own}.", own=own
                )
            )
            return (Diagnosis("factor_two", question.match.layer, answer.quantity, text),)
        text = (
            say("Bytes. The other cells of the column count values: {own}.", own=own)
            if factor > 1
            else say("Values. The other cells of the column are in bytes: {own}.", own=own)
        )
        return (Diagnosis("unit", question.match.layer, answer.quantity, text),)

    def _why(self, question: Question, index: int, stated: Stated, right: Value | None) -> tuple[Diagnosis, ...]:
        quantity, layer = question.answer.quantity, question.match.layer
        block = Match(layer.rpartition("/")[0], is_block=True)
        is_end = quantity == "output_shape" and self.network.ends.get(block.layer) == index
        if is_end and (kept := self._without_strides(block, stated, layer)):
            return kept
        slip = () if agrees(stated) else diagnose_slip(layer, quantity, stated)
        if slip:
            if stated.expression is None or not all(map(agrees, stated.steps)):
                return slip
            if stated.expression.value == right:
                return slip
            stated = _as_calculated(stated)
        rows: list[Row | None] = [self.student.rows[index]] if index in self.student.rows else []
        own = self.student.outputs.get(index)
        if quantity not in ("output_shape", "receptive_field") and own is not None:
            inputs = tuple([self.student.output(source) for source in self.network.recounter.sources[index]])
            rows.insert(0, self.network.recounter.recount(index, inputs, own))
        field = self.student.fields.get(index)
        if quantity == "receptive_field" and field is not None:
            rows.insert(0, self.student.rows.get(index, self.network.rows[index])._replace(receptive_field=field))
        rows = [row for row in rows if row is not None]
        if not self._may_explain(layer, quantity, *[(row.input_shapes, row.output_shape) for row in rows if row]):
            return slip
        return (*self.network.diagnosed(layer, quantity, [*rows, None], stated), *slip)

    def _may_explain(self, layer: str, quantity: str, *sizes: object) -> bool:
        """Whether there are steps left for a wrong cell of a layer, and of the same layer with the student's sizes."""
        if self.steps >= MOST_STEPS:
            self.unexplained += 1
            return False
        own = {(layer, quantity, size) for size in (None, *sizes)} - self._worked_out
        self._worked_out |= own
        self.steps += 1 + _STEPS_OF_A_LAYER * len(own)
        return True


def _of_rank(readings: Sequence[Stated], right: Value) -> Stated:
    """The first reading; of shapes one with as many sides as the right one."""
    ranks = len(right) if isinstance(right, tuple) else 0
    return next((one for one in readings if len(one.with_batch or one.sides) == ranks), readings[0])


def _as_calculated(stated: Stated) -> Stated:
    """The result of a calculation that went wrong first, and was not copied right then."""
    assert stated.expression is not None
    value = Fraction(stated.expression.value)
    return stated._replace(value=value, low=value, high=value)


def _without_layer(question: Question) -> Cell:
    is_quiet = question.match.is_idle or is_empty(question.answer.text)
    verdict = Verdict.EMPTY if is_quiet else Verdict.UNREADABLE
    return Cell(question.answer, "", question.answer.quantity, verdict, None, None, note=question.match.note)


def _unread(question: Question, right: Value | None) -> Outcome:
    return Outcome(Verdict.EMPTY if is_empty(question.answer.text) else Verdict.UNREADABLE, None, right)
