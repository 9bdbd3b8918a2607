r"""Worksheets as quizzes in Moodle XML: the table as a description, then an embedded-answers (Cloze) question a layer.

Source: Moodle documentation, "Moodle XML format" and "Embedded Answers (Cloze) question type". A number is a NUMERICAL
field without tolerance, a shape one for each side; together these weigh as much as a number does. A number that one
known mistake gives earns half its points, with the reason as feedback: the default of `archcalc grade --partial`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from archcalc.core import words
from archcalc.core.language import direction, say
from archcalc.core.markup import turned
from archcalc.teach.check.expected import expected
from archcalc.teach.check.explain import capital
from archcalc.teach.check.mistakes.counts import in_place, singles
from archcalc.teach.check.mistakes.sizes import sized
from archcalc.teach.check.mistakes.totals import total_singles
from archcalc.teach.check.model import TOTAL
from archcalc.teach.check.search import Tables
from archcalc.teach.exercise.contents import (
    READS,
    calculations,
    input_of,
    instructions,
    layer_name,
    number_columns,
    rows_of,
    title_of,
)
from archcalc.teach.exercise.worksheet import Worksheet

#: So many mistakes of a cell have feedback of their own, the most likely first, up to this cost.
_MOST, _COST = 6, 26


def moodle(sheet: Worksheet, student: str, key: bool) -> str:
    """The quiz; that of a `key` has the calculations as general feedback, shown after an attempt.

    Both hold the answers: Moodle needs them, and students see neither file.
    """
    title = title_of(sheet, student, False)
    steps = calculations(sheet) if key else {}
    tables = Tables(sheet.analysis)
    out = ['<?xml version="1.0" encoding="UTF-8"?>', "<quiz>"]
    out += ['<question type="category">', f"<category><text>{_text(_category(title))}</text></category>", "</question>"]
    out += _question("description", title, _described(sheet), "")
    heads = dict(zip(sheet.quantities, sheet.heads[-len(sheet.quantities) :], strict=True))
    for line in sheet.lines:
        asked = [quantity for quantity in sheet.quantities if sheet.is_blank(line.layer, quantity)]
        if not asked:
            continue
        body = f"<p><b>{escape(words.line(layer_name(line.layer)))}</b> {escape(words.line(line.operation))}</p>"
        if line.reads:
            body += f"<p>{escape(say(READS, layers=words.line(line.reads)))}</p>"
        points = _sides(sheet, line.layer) if "output_shape" in asked else 1
        for quantity in asked:
            body += f"<p>{escape(heads[quantity])}: {_fields(sheet, tables, line.layer, quantity, points)}</p>"
        feedback = "".join(f"<p>{escape(step)}</p>" for step in steps.get(line.layer, ()))
        out += _question("cloze", f"{title}: {layer_name(line.layer)}", body, feedback)
    return "\n".join([*out, "</quiz>", ""])


def _sides(sheet: Worksheet, layer: str) -> int:
    """How many fields the shape of a layer has."""
    return len(sheet.analysis[layer].output_shape) if layer in sheet.analysis.by_name else 1


def _category(title: str) -> str:
    """A category below the course's own; a slash would begin another one."""
    return f"$course$/top/archcalc/{words.line(title).replace('/', '//')}"


def _question(kind: str, name: str, body: str, feedback: str) -> Iterator[str]:
    yield f'<question type="{kind}">'
    yield f"<name><text>{_text(words.line(name))}</text></name>"
    yield f'<questiontext format="html"><text>{_text(turned(body))}</text></questiontext>'
    yield f'<generalfeedback format="html"><text>{_text(turned(feedback))}</text></generalfeedback>'
    if kind == "description":
        yield "<defaultgrade>0</defaultgrade>"
    yield f"<penalty>{'0' if kind == 'description' else '0.3333333'}</penalty>"
    yield "<hidden>0</hidden>"
    yield "</question>"


def _text(text: str) -> str:
    """A text in XML; characters that XML 1.0 cannot hold are left out."""
    return escape(re.sub(r"[^\t\n\r -\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "", text), quote=False)


def _described(sheet: Worksheet) -> str:
    """What students must know, and the table with its blanks; curly brackets in it are no fields."""
    notes = [
        *instructions(sheet)[1:],
        say("Write numbers with digits alone, without separators: {example}.", example="34944"),
    ]
    notes[0] = f"{input_of(sheet)} {notes[0]}"
    ltr = [' dir="ltr"' if number and direction() == "rtl" else "" for number in number_columns(sheet)]
    heads = "".join(f"<th>{escape(head)}</th>" for head in sheet.heads)
    rows = ""
    for row in rows_of(sheet, key=False):
        texts = ["?" if cell.blank else escape(words.line(cell.text)) for cell in row]
        rows += f"<tr>{''.join(f'<td{side}>{text}</td>' for side, text in zip(ltr, texts, strict=True))}</tr>"
    table = f'<table border="1"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return "".join(f"<p>{escape(note)}</p>" for note in notes) + table


def _fields(sheet: Worksheet, tables: Tables, layer: str, quantity: str, points: int) -> str:
    """The fields of one blank: a number, or one for each side, in the order height, width, channels.

    A receptive field that is a square is asked for by its side.
    """
    analysis = sheet.analysis
    value = expected(None if layer == TOTAL else analysis[layer], analysis, quantity)
    assert value is not None
    if isinstance(value, int):
        return _field(value, _mistakes(sheet, tables, layer, quantity), points)
    if quantity == "receptive_field" and len(set(value)) == 1:
        return _field(value[0], (), points)
    wrong: list[list[tuple[int, str]]] = [[] for _ in value]
    if quantity == "output_shape" and len(value) > 1:
        for one in sorted(sized(tables.network.context(analysis[layer])), key=lambda one: one.cost):
            for axis, size in enumerate(one.sizes if one.cost <= _COST else ()):
                wrong[axis].append((size, one.steps[0].reason))
        value = (*value[1:], value[0])
    return " × ".join(_field(side, found, 1) for side, found in zip(value, wrong, strict=True))


def _field(right: int, wrong: Sequence[tuple[int, str]], points: int) -> str:
    """A field for one number; each wrong one has its reason as feedback, the likeliest first."""
    reasons: dict[int, str] = {}
    for number, reason in wrong:
        if number > 0 and number != right:
            reasons.setdefault(number, reason)
    answers = [f"={right}:0"]
    answers += [f"%50%{number}:0#{_escaped(capital(reason))}" for number, reason in list(reasons.items())[:_MOST]]
    return f"{{{points}:NUMERICAL:{'~'.join(answers)}}}"


def _escaped(text: str) -> str:
    """A feedback inside a field, as HTML; what would end it is escaped by a backslash."""
    return re.sub(r"([}~#\\/\"])", r"\\\1", escape(words.line(text), quote=False))


def _mistakes(sheet: Worksheet, tables: Tables, layer: str, quantity: str) -> list[tuple[int, str]]:
    """Whole numbers that mistakes lead to, the likeliest first, each with its reason."""
    if layer == TOTAL:
        found = total_singles(tables.network, quantity)
    else:
        context = tables.network.context(sheet.analysis[layer])
        found = [*singles(context, quantity), *in_place(context, quantity)]
    likely = sorted((one for one in found if one.cost <= _COST), key=lambda one: one.cost)
    return [(int(one.value), one.steps[0].reason) for one in likely if one.value == int(one.value)]
