"""The row of sums: right, right given the column above it, or not even the sum of its column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.core.quantities import QUANTITIES
from archcalc.teach.check.agreement import agrees, fits, overlaps
from archcalc.teach.check.diagnose import is_unknown
from archcalc.teach.check.expected import Value, expected, expected_total
from archcalc.teach.check.model import TOTAL, Diagnosis, Verdict
from archcalc.teach.check.prepared import PreparedNetwork
from archcalc.teach.check.student import Follows, StudentNetwork, Where
from archcalc.teach.check.sums import diagnose_slip, diagnose_total
from archcalc.teach.reading.stated import Stated


class Outcome(NamedTuple):
    """What becomes of a cell."""

    verdict: Verdict
    stated: Stated | None
    right: Value | None
    follows: Follows | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    note: str = ""


class Difference(NamedTuple):
    """A student's number less the right one: within its rounding, and as it is written."""

    low: Fraction
    high: Fraction
    written: Fraction


NO_DIFFERENCE = Difference(Fraction(0), Fraction(0), Fraction(0))


@dataclass
class Column:
    """What a student has for a quantity that adds up, by layers: all answers, and how wrong ones differ."""

    quantity: str
    written: dict[str, Stated] = field(default_factory=dict)
    differences: dict[str, Difference] = field(default_factory=dict)

    def write(self, layer: str, stated: Stated, right: int, now: int | None) -> None:
        """An answer; `now` is what it stands for, where that is known: the right value, or the one that follows."""
        self.written[layer] = stated
        if now is None:
            assert stated.value is not None
            assert stated.low is not None
            assert stated.high is not None
            self.differences[layer] = Difference(stated.low - right, stated.high - right, stated.value - right)
        elif now != right:
            exact = Fraction(now - right)
            self.differences[layer] = Difference(exact, exact, exact)


def judge_total(
    network: PreparedNetwork,
    student: StudentNetwork,
    column: Column,
    readings: Sequence[Stated],
    may_explain: Callable[[], bool],
) -> Outcome:
    """The verdict on a sum. Cells without an answer count as right, or as what follows from the student's shapes.

    `may_explain` is asked once where the sum is wrong; without its consent there are no diagnoses.
    """
    quantity = column.quantity
    right = expected_total(network.analysis, quantity)
    if right is None:
        if QUANTITIES[quantity].adds_up:
            kinds = ", ".join(f"{count} × {kind}" for kind, count in network.analysis.totals.not_counted.items())
            note = say("the right total is not known: archcalc cannot count {kinds}", kinds=kinds)
            return Outcome(Verdict.EMPTY, readings[0], None, note=note)
        return Outcome(Verdict.EMPTY, readings[0], None, note=say("this does not add up over the layers"))
    stated = next((one for one in readings if fits(one, right, quantity)), None)
    if stated is not None:
        return Outcome(Verdict.RIGHT, stated, right)
    if (of_rows := _of_rows(network, column)) is not None:
        stated = next((one for one in readings if fits(one, of_rows, quantity)), None)
        if stated is not None and column.differences:
            return Outcome(Verdict.CARRIED, stated, right, Follows(of_rows, (next(iter(column.differences)), quantity)))
        if stated is not None:
            note = say("the sum of the rows of this table; all layers have {right:,}", right=right)
            return Outcome(Verdict.RIGHT, stated, of_rows, note=note)
    sums = list(_sums(network, student, column, right))
    for one, source in sums:
        stated = next((reading for reading in readings if overlaps(reading, one.low, one.high)), None)
        if stated is not None and agrees(stated):
            value = int(one.written) if one.written.denominator == 1 else right
            return Outcome(Verdict.CARRIED, stated, right, Follows(value, source))
    stated = readings[0]
    own, follows = Fraction(right), None
    if sums:
        own = sums[0][0].written
        follows = Follows(int(own), sums[0][1]) if own.denominator == 1 else None
    if not may_explain():
        return Outcome(Verdict.WRONG, stated, right, follows)
    # Of a total without its column nothing is known of how it was added up.
    parts = dict(_parts(network, column)) if column.written else {}
    found = diagnose_total(TOTAL, quantity, stated, own, parts, column.written) if parts else ()
    slip = () if agrees(stated) else diagnose_slip(TOTAL, quantity, stated)
    others: tuple[Diagnosis, ...] = ()
    if not slip and all(one.mistake == "digit_slip" for one in found):
        for reading in readings:  # KB and MB are powers of 1000, or of 1024
            others = network.diagnosed(TOTAL, quantity, [None], reading)
            if not is_unknown(others):
                break
        # That a digit is mistyped is said where there is no other reason.
        if found and all(one.mistake in ("digit_slip", "unknown") for one in others):
            others = ()
        found = () if others else found
    return Outcome(Verdict.WRONG, stated, right, follows, (*found, *slip, *others))


def _of_rows(network: PreparedNetwork, column: Column) -> int | None:
    """The sum of a column of values that are stored, where its table has every layer with weights.

    Neurons, feature maps and their memory are counted by many for these layers alone.
    """
    if column.quantity not in ("activations", "activation_bytes"):
        return None
    if not all(row.name in column.written for row in network.rows if row.multiplications):
        return None
    values = [expected(row, network.analysis, column.quantity) for row in network.rows if row.name in column.written]
    own = Fraction(sum(value for value in values if isinstance(value, int)))
    own += sum(difference.written for difference in column.differences.values())
    return int(own) if own == int(own) else None


def _parts(network: PreparedNetwork, column: Column) -> Iterator[tuple[str, Fraction]]:
    """What the student adds up: the layers of the network, and blocks where the table has them."""
    for row in network.rows:
        right = expected(row, network.analysis, column.quantity)
        difference = column.differences.get(row.name, NO_DIFFERENCE).written
        if isinstance(right, int) and (right or difference):
            yield row.name, right + difference
    blocks = [name for name in column.differences if name not in network.recounter.index]
    yield from ((name, column.differences[name].written) for name in blocks)


def _sums(
    network: PreparedNetwork, student: StudentNetwork, column: Column, right: int
) -> Iterator[tuple[Difference, Where]]:
    """The sums that follow from the column, each with the first cell that makes it differ from the right one."""
    differences = column.differences.values()
    whole = Difference(*(right + sum(side, Fraction(0)) for side in zip(NO_DIFFERENCE, *differences, strict=True)))
    first = (next(iter(column.differences), ""), column.quantity)
    if column.differences:
        yield whole, first
    extra = 0
    for index, row in student.rows.items():
        if row.name not in column.written:
            now = expected(row, network.analysis, column.quantity)
            was = expected(network.rows[index], network.analysis, column.quantity)
            if isinstance(now, int) and isinstance(was, int):
                extra += now - was
    if extra:
        source = first if column.differences else next(iter(student.shape_from.values()), first)
        yield Difference(*(side + extra for side in whole)), source
