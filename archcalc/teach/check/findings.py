"""The feedback on a cell that is not right: the parts that every format shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from archcalc.core.language import mark, say
from archcalc.core.quantities import QUANTITIES
from archcalc.core.shapes import format_shape
from archcalc.core.words import line
from archcalc.explain.derive.formats import Line
from archcalc.explain.derive.layer import Derivation
from archcalc.explain.derive.lift import AXIS_NAMES
from archcalc.explain.derive.notation import MATHML, Notation
from archcalc.explain.derive.words import size
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.expected import Value
from archcalc.teach.check.model import TOTAL, Cell, Check, Verdict
from archcalc.teach.check.prepared import prepare

#: Characters of an answer that are shown.
_SHOWN = 60
#: The most alternative diagnoses that are shown.
MOST_ALTERNATIVES = 4


class Finding(NamedTuple):
    """A cell for people: who it is about, both values, the verdict in words, and what explains it."""

    cell: Cell
    where: str
    you: str
    right: str
    verdict: str
    derivations: tuple[Derivation, ...]
    given: str
    explanations: tuple[str, ...]
    note: str


def findings(check: Check, analysis: Analysis) -> list[Finding]:
    """The cells that are not right, in the order of the file; a row that belongs to no layer is there once.

    None of a table that was made for another network.
    """
    if check.fits:
        return []
    shown = (Verdict.WRONG, Verdict.CARRIED, Verdict.UNREADABLE)
    found: list[Finding] = []
    strangers: set[tuple[str, int | None]] = set()
    for cell in check.cells:
        row = (cell.answer.layer, cell.answer.place.row if cell.answer.place else None)
        if cell.verdict not in shown or (is_stranger(cell) and row in strangers):
            continue
        if is_stranger(cell):
            strangers.add(row)
        found.append(_finding(cell, analysis, check.cells))
    return found


def given_by(source: tuple[str, str], layer: str, quantity: str, others: Iterable[Cell]) -> str:
    """What a value follows from, in words: a cell, or the column where several make a sum what it is."""
    if layer == TOTAL:
        not_right = (Verdict.WRONG, Verdict.CARRIED)
        if sum(one.quantity == quantity and one.verdict in not_right for one in others) > 1:
            return say("column")
    return name_of(source)


def is_stranger(cell: Cell) -> bool:
    """Whether a row was matched with no layer."""
    return cell.verdict is Verdict.UNREADABLE and not cell.layer


def _finding(cell: Cell, analysis: Analysis, cells: Sequence[Cell]) -> Finding:
    is_wrong = cell.verdict is Verdict.WRONG
    given = source = ""
    if cell.carried_from is not None:
        source = given_by(cell.carried_from, cell.layer, cell.quantity, [one for one in cells if one is not cell])
    if is_wrong and cell.carried is not None and cell.carried_from is not None:
        given = say(
            "Given your column it would be {carried}."
            if source == say("column")
            else "Given your {source} it would be {carried}.",
            source=source,
            carried=value_text(cell.carried, cell.quantity),
        )
    # Two mistakes that belong together share their explanation; the verdict says what is carried forward.
    explanations = dict.fromkeys(
        found.explanation for found in cell.diagnoses if found.mistake != Verdict.CARRIED or is_wrong
    )
    place = f"{cell.answer.place}: " if cell.verdict is Verdict.UNREADABLE and cell.answer.place else ""
    return Finding(
        cell,
        shorten(cell.answer.layer) if is_stranger(cell) else where(cell),
        "" if is_stranger(cell) else shorten(cell.answer.text),
        value_text(cell.expected, cell.quantity) if cell.verdict is not Verdict.UNREADABLE else "",
        verdict_words(cell, source),
        tuple(steps(cell, analysis)) if is_wrong else (),
        given,
        tuple(explanations)[:MOST_ALTERNATIVES],
        f"{place}{cell.note}" if cell.note else "",
    )


def where(cell: Cell) -> str:
    """conv4 params; fc1 (fc6) params, where the table has another name."""
    label = shorten(cell.answer.layer)
    if cell.answer.of_input and cell.layer:
        return say("input of {label} (output of {layer})", label=label, layer=cell.layer)
    name = _in_words(cell.layer)
    name = name if cell.layer in ("", TOTAL) or label == cell.layer else f"{label} ({name})"
    return f"{name or label} {name_in_words(cell.quantity)}"


def _in_words(layer: str) -> str:
    return say(TOTAL) if layer == TOTAL else layer


def name_in_words(quantity: str) -> str:
    """params, multiplications, output, receptive field."""
    name = QUANTITIES[quantity].term if "_" in quantity else quantity
    return say(name)


def name_of(source: tuple[str, str]) -> str:
    """The cell that a mistake comes from, in a few words."""
    layer, quantity = source
    layer = _in_words(layer)
    return f"{layer} {name_in_words(quantity)}" if quantity != "output_shape" else say("output of {layer}", layer=layer)


def verdict_words(cell: Cell, source: str) -> str:
    """wrong, or: right, given your conv4 params"""
    if cell.verdict is Verdict.CARRIED:
        return say("right, given your {source}", source=source)
    if cell.verdict is Verdict.UNREADABLE:
        return say("cannot be read") if cell.layer else say("belongs to no layer")
    return say(str(cell.verdict))


def value_text(value: Value | None, quantity: str) -> str:
    """55×55×96, 34,944, 1,161,600 bytes (1.11 MiB), 3×4×4 of a receptive field."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "×".join(map(str, value)) if quantity == "receptive_field" else format_shape(value)
    if quantity == "activation_bytes":
        human = size(value)
        return say("{value:,} bytes", value=value) + (f" ({human})" if human else "")
    return f"{value:,}"


def steps(cell: Cell, analysis: Analysis) -> Iterator[Derivation]:
    """How the right value is computed; for a shape, only the sides that are wrong."""
    network = prepare(analysis)
    if cell.layer not in analysis.by_name and cell.layer not in network.ends:
        return
    found = network.derivations(cell.layer, cell.quantity)
    stated = cell.stated.shape if cell.stated else None
    right = cell.expected
    for derivation in found:
        if cell.quantity == "output_shape" and stated is not None and isinstance(right, tuple):
            names = [name.word for name in AXIS_NAMES[len(right) - 1]]
            axis = names.index(derivation.quantity)
            if len(stated) == len(right) > 1 and stated[axis] == right[axis]:
                continue
        if derivation.tree.is_atom:  # no more than the value
            continue
        if _is_likewise(derivation, found):
            continue
        yield derivation


def _is_likewise(derivation: Derivation, others: Sequence[Derivation]) -> bool:
    """Whether the width is computed as the height is, or the height of a volume's field as its depth is."""
    quantity = derivation.quantity
    twins = {quantity.replace("width", "height"), quantity.replace("_height", "_depth")} - {quantity}
    return any(other.quantity in twins and other.value == derivation.value for other in others)


def shorten(text: str) -> str:
    """A text of the file on one line."""
    plain = line(text[: 4 * _SHOWN])
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…"


def summary(check: Check) -> str:
    """10 of 12 right, 1 right after an earlier mistake, 1 wrong"""
    answered = len(check.cells) - check.count(Verdict.EMPTY)
    # A cell without a right answer, such as the output shape of the total, is no question.
    open_questions = [cell for cell in check.cells if cell.expected is not None or not cell.layer]
    empty = sum(cell.verdict is Verdict.EMPTY for cell in open_questions)
    counts = (
        (mark("{count} right after an earlier mistake"), check.count(Verdict.CARRIED)),
        (mark("{count} wrong"), check.count(Verdict.WRONG)),
        (mark("{count} not readable"), check.count(Verdict.UNREADABLE)),
        (mark("{count} empty"), empty),
    )
    if not answered:
        return say("nothing was checked: no cell has an answer that can be compared")
    more = [say(words, count=count) for words, count in counts if count]
    return ", ".join([say("{right} of {answered} right", right=check.count(Verdict.RIGHT), answered=answered), *more])


def remarks(check: Check) -> list[str]:
    """Notes on cells that are right or empty, each once."""
    known = {cell.note for cell in check.cells if is_stranger(cell)}
    quiet = [
        cell
        for cell in check.cells
        if cell.note and cell.note not in known and cell.verdict in (Verdict.RIGHT, Verdict.EMPTY)
    ]
    return list(dict.fromkeys(f"{shorten(cell.answer.layer)}: {cell.note}" for cell in quiet))


def words_of(finding: Finding) -> list[str]:
    """The feedback on a cell apart from the derivation: every alternative explanation, the most likely first."""
    alternatives = [
        text if not index else say("Or: {text}", text=text) for index, text in enumerate(finding.explanations)
    ]
    return [text for text in (finding.given, *alternatives, finding.note) if text]


def answer_and_right(you: str, right: str) -> tuple[str, str]:
    """The answer and the right value, each as a part of one line."""
    return say("You: {you}", you=you) if you else "", say("; it is {right}", right=right) if right else ""


def chain(finding: Finding, notation: Notation) -> list[str]:
    """The derivations of the right value, each on a line."""
    equals = "<mo>=</mo>" if notation is MATHML else " = "
    found = []
    for derivation in finding.derivations:
        line = Line(derivation, notation)
        found.append(equals.join(line.parts))
    return found
