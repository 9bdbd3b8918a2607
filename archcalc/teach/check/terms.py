"""A sum over the layers of a network, written on one line: each term compared with the layer that it is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.explain.derive.notation import TEXT
from archcalc.explain.derive.trace import Node
from archcalc.passes.analysis import Analysis, Row
from archcalc.teach.check.agreement import agrees, fits
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.expected import expected, expected_total
from archcalc.teach.check.misprint import explain_difference
from archcalc.teach.check.model import TOTAL, Answer, Cell, Check, Diagnosis, Verdict
from archcalc.teach.check.prepared import PreparedNetwork, prepare
from archcalc.teach.check.sums import shown
from archcalc.teach.reading.calculation import StatementError, bounds, calculate
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.statements import LONGEST_CELL, read_statement, split_result

#: Layers that a term followed by a factor may stand for: (3·3·512·512 + 512)·3.
_MOST_REPEATS = 64
#: Terms that may stand for one layer: weights + biases.
_MOST_JOINED = 3
_MISMATCH, _JOINED_MISMATCH, _SKIP = 100, 60, 140
#: Terms times layers that are aligned.
_MOST_CELLS = 200_000


class Term(NamedTuple):
    """A term of the sum; `each` is what it has for one layer, where it counts for `times` of them."""

    tree: Node
    each: Node
    times: int
    #: What it may come to, where its numbers are rounded.
    low: Fraction
    high: Fraction

    def holds(self, value: int) -> bool:
        """Whether this is the value of each layer that it is for."""
        return self.low <= value * self.times <= self.high


class Pair(NamedTuple):
    """Terms and the layers that they are for; there may be none of either."""

    terms: tuple[Term, ...]
    layers: tuple[Row, ...]

    @property
    def tree(self) -> Node | None:
        """What the terms have for each of the layers."""
        if not self.terms:
            return None
        if len(self.layers) > 1:
            return self.terms[0].each
        tree, *others = (term.tree for term in self.terms)
        for other in others:
            tree = Node("+", tree.value + other.value, (tree, other))
        return tree

    @property
    def name(self) -> str:
        return say(" and ").join(row.name for row in self.layers) or say("a term")

    def is_right(self, analysis: Analysis, quantity: str) -> bool:
        """Whether the terms give the number of one of their layers."""
        return any(self.stated("").holds(_number(row, analysis, quantity)) for row in self.layers)

    def stated(self, text: str) -> Stated:
        """What the terms say of each of the layers."""
        tree = self.tree
        if tree is None:
            return Stated(text)
        times = self.terms[0].times if len(self.layers) > 1 else 1
        low, high = (sum((getattr(one, side) for one in self.terms), Fraction(0)) / times for side in ("low", "high"))
        return Stated(text, Fraction(tree.value), low, high, expression=tree if tree.parts and low == high else None)


def check_total(analysis: Analysis, quantity: str, text: str, claimed: Stated | None = None) -> Check:
    """Check a total, or the sum that gives it with or without its result: `(3*11*11*96+96)+… = 61,910,632`.

    A result that stands elsewhere is `claimed`. Raises `StatementError` for what is neither a number nor a calculation.
    """
    calculation, result = split_result(text)
    if claimed is not None:
        text = f"{text} = {claimed.text}"
    elif result:
        claimed = read_statement(result, quantity)[0]
    if claimed is None and len(text) <= LONGEST_CELL and read_statement(text, quantity)[0].expression is None:
        return check_answers(analysis, [Answer(TOTAL, quantity, text)])
    terms = list(read_terms(calculation, text.find(calculation)))
    layers = [row for row in analysis.rows if expected(row, analysis, quantity)]
    pairs = (
        align(terms, layers, analysis, quantity) if len(terms) > 1 and len(terms) * len(layers) < _MOST_CELLS else []
    )
    total = Fraction(sum(term.tree.value for term in terms))
    low, high = (sum((getattr(term, side) for term in terms), Fraction(0)) for side in ("low", "high"))
    stated = Stated(text, total, low, high)
    if claimed is not None:
        stated = claimed._replace(expression=Node("+", int(total)), reach=(low, high))
    right = sum(pair.is_right(analysis, quantity) for pair in pairs)
    is_total = fits(stated, expected_total(analysis, quantity), quantity)
    # A sum in which next to nothing fits is one over other things than these layers; one that is right as a whole may
    # have its terms in another order, or several layers in a term.
    if 3 * right < max(len(pairs), 1) or (is_total and right < len(pairs) - (low < high)):
        short = text if len(text) <= LONGEST_CELL else result or shown(total)
        return check_answers(analysis, [Answer(TOTAL, quantity, short)])
    known = prepare(analysis)
    cells = [cell for pair in pairs for cell in _cells(pair, known, quantity)]
    cells.append(_total(stated, total, pairs, cells, analysis, quantity))
    return Check(analysis.graph.name, tuple(cells))


def read_terms(calculation: str, offset: int = 0) -> Iterator[Term]:
    """The terms of a sum that stands at a place in a text, for errors to point there."""
    for piece in split_terms(calculation):
        try:
            yield _term(calculate(piece), *bounds(piece))
        except StatementError as error:
            raise StatementError(error.message, offset + error.offset) from None
        offset += len(piece) + 1


def split_terms(text: str) -> list[str]:
    """The terms of a sum as they are written: parted at each + that stands in no brackets."""
    pieces, depth, start = [], 0, 0
    for place, character in enumerate(text):
        if character in "([{⌊⌈":
            depth += 1
        elif character in ")]}⌋⌉":
            depth -= 1
        elif character == "+" and not depth and text[start:place].strip() and text[place - 1] not in "eE":
            pieces.append(text[start:place])
            start = place + 1
    return [*pieces, text[start:]]


def _term(tree: Node, low: Fraction, high: Fraction) -> Term:
    if tree.kind == "*":
        for each, times in (tree.parts, tree.parts[::-1]):
            if times.kind == "number" and times.value in range(2, _MOST_REPEATS + 1):
                return Term(tree, each, times.value, low, high)
    return Term(tree, tree, 1, low, high)


# --- which term is for which layer


def align(terms: Sequence[Term], layers: Sequence[Row], analysis: Analysis, quantity: str) -> list[Pair]:
    """The alignment of terms and layers, both in their order, that costs least.

    Terms that give the number of their layer cost nothing, another number something, and what is left out more. A
    term times n may stand for n layers, and several terms for one: weights + biases.
    """
    values = [_number(row, analysis, quantity) for row in layers]
    best: dict[tuple[int, int], tuple[int, tuple[int, int] | None]] = {(0, 0): (0, None)}
    for done in range(len(terms) + 1):
        for read in range(len(layers) + 1):
            cost = best[done, read][0]
            for more_terms, more_layers, price in _steps(terms[done : done + _MOST_JOINED], values[read:]):
                to = (done + more_terms, read + more_layers)
                if to not in best or cost + price < best[to][0]:
                    best[to] = (cost + price, (done, read))
    pairs: list[Pair] = []
    at = (len(terms), len(layers))
    while (before := best[at][1]) is not None:
        pairs.append(Pair(tuple(terms[before[0] : at[0]]), tuple(layers[before[1] : at[1]])))
        at = before
    return pairs[::-1]


def _steps(terms: Sequence[Term], values: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Terms and layers that may be aligned next, and what that costs."""
    if values:
        yield 0, 1, _SKIP
    if not terms:
        return
    yield 1, 0, _SKIP
    first = terms[0]
    if first.times > 1 and first.times <= len(values):
        yield 1, first.times, _MISMATCH * sum(not first.holds(value) for value in values[: first.times])
    if values:
        for count in range(1, len(terms) + 1):
            some = terms[:count]
            is_right = sum(term.low for term in some) <= values[0] <= sum(term.high for term in some)
            yield count, 1, count - 1 if is_right else _MISMATCH + _JOINED_MISMATCH * (count - 1)


def _number(row: Row, analysis: Analysis, quantity: str) -> int:
    value = expected(row, analysis, quantity)
    assert isinstance(value, int)
    return value


# --- what becomes of the terms


def _cells(pair: Pair, known: PreparedNetwork, quantity: str) -> Iterator[Cell]:
    tree = pair.tree
    if tree is None:
        return
    text = TEXT.write(tree)
    if not pair.layers:
        note = say("this term belongs to no layer")
        yield Cell(Answer(text, quantity, text), "", quantity, Verdict.WRONG, pair.stated(text), None, note=note)
    for row in pair.layers:
        right = _number(row, known.analysis, quantity)
        stated = pair.stated(text)
        answer = Answer(row.name, quantity, text)
        if stated.holds(right):
            yield Cell(answer, row.name, quantity, Verdict.RIGHT, stated, right)
        else:
            diagnoses = known.diagnosed(row.name, quantity, [None], stated)
            yield Cell(answer, row.name, quantity, Verdict.WRONG, stated, right, diagnoses=diagnoses)


def _total(
    stated: Stated, total: Fraction, pairs: Sequence[Pair], cells: Sequence[Cell], analysis: Analysis, quantity: str
) -> Cell:
    """The sum itself: whether it is right, follows from its terms, or is not even the sum of its terms."""
    right = expected_total(analysis, quantity)
    assert isinstance(right, int)
    assert stated.value is not None
    answer = Answer(TOTAL, quantity, shown(stated.value))
    found: list[Diagnosis] = []
    if not agrees(stated):
        gap = say(
            "The terms add up to {total}, not to the {value} that is printed.",
            total=shown(total),
            value=shown(stated.value),
        )
        slips = explain_difference([(pair.name, pair.tree) for pair in pairs if pair.tree], stated.value - total)
        found.append(Diagnosis("sum_of_parts", TOTAL, quantity, " ".join([gap, *slips[:1]])))
        found += [Diagnosis("sum_of_parts", TOTAL, quantity, slip) for slip in slips[1:]]
    missing = [row for pair in pairs if pair.tree is None for row in pair.layers]
    if missing:
        names = ", ".join(f"{row.name} ({_number(row, analysis, quantity):,})" for row in missing[:8])
        more = say(" and {count} more", count=len(missing) - 8) if len(missing) > 8 else ""
        found.append(
            Diagnosis("repeat_count", TOTAL, quantity, say("The sum leaves out {names}{more}.", names=names, more=more))
        )
    wrong = [cell for cell in cells if cell.verdict is Verdict.WRONG]
    if not found and not wrong and stated.holds(right):
        return Cell(answer, TOTAL, quantity, Verdict.RIGHT, stated, right)
    verdict = Verdict.WRONG if found or not wrong else Verdict.CARRIED
    source = next((cell.layer for cell in wrong if cell.layer), None)
    carried = int(total) if source is not None and total.denominator == 1 else None
    origin = (source, quantity) if source is not None else None
    return Cell(answer, TOTAL, quantity, verdict, stated, right, carried, origin, tuple(found))
