"""What a student gets back: Markdown to read, and Gradescope's `results.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from archcalc.core import words
from archcalc.core.markup import escape_markdown
from archcalc.core.shapes import format_shape
from archcalc.explain.derive.notation import TEXT
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.expected import derivations
from archcalc.teach.check.model import TOTAL, Cell, Verdict
from archcalc.teach.grade.marks import UNKNOWN, Item, Marked, points

_SIGNS = {
    Verdict.RIGHT: "right",
    Verdict.CARRIED: "right given your earlier number",
    Verdict.WRONG: "wrong",
    Verdict.EMPTY: "not answered",
    Verdict.UNREADABLE: "cannot be read",
}
#: At most so many characters of what a student wrote are shown.
_SHOWN = 60


def render_feedback(marked: Marked, analysis: Analysis) -> str:
    """The points, every cell that is not right with the calculation and what went wrong, and the table of all cells."""
    title = words.line(analysis.graph.title or analysis.graph.name)
    out = [f"# {escape_markdown(words.line(marked.student))} · {escape_markdown(title)}", ""]
    if marked.problem:
        return "\n".join([*out, f"Your file could not be read: {escape_markdown(marked.problem)}", ""])
    out += [f"**{points(marked.score)} of {marked.most} points.** {_summary(marked)}", ""]
    out += [f"- {escape_markdown(note)}" for note in marked.notes] + ([""] if marked.notes else [])
    wrong = [item for item in marked.items if item.verdict in (Verdict.WRONG, Verdict.CARRIED, Verdict.UNREADABLE)]
    if wrong:
        out += ["## What went wrong", ""]
    for item in wrong:
        out += [f"### {escape_markdown(_name(item))}", "", *_feedback(item, analysis), ""]
    out += ["## Every cell", "", "| cell | you | points |", "| :--- | :--- | :--- |"]
    for item in marked.items:
        written = words.line(item.cell.answer.text)[:_SHOWN] if item.cell is not None else ""
        verdict = f"{points(item.score)}: {_SIGNS[item.verdict]}"
        out.append(f"| {escape_markdown(_name(item))} | {escape_markdown(written)} | {verdict} |")
    return "\n".join([*out, ""])


def _summary(marked: Marked) -> str:
    counted = [(verdict, marked.count(verdict)) for verdict in _SIGNS]
    return ", ".join(f"{count} {_SIGNS[verdict]}" for verdict, count in counted if count) + "."


def _name(item: Item) -> str:
    return f"{item.layer} · {item.quantity.replace('_', ' ')}"


def _feedback(item: Item, analysis: Analysis) -> Iterator[str]:
    """What is wrong with a cell, as lines of Markdown."""
    cell = item.cell
    assert cell is not None
    yield f"You wrote {_code(cell.answer.text)}; it is **{escape_markdown(_value(cell.expected, cell.quantity))}**."
    if cell.verdict is Verdict.CARRIED and cell.carried_from is not None:
        layer, quantity = cell.carried_from
        yield ""
        yield f"With your {escape_markdown(layer)} {quantity.replace('_', ' ')} your number is right."
        return
    for index, explanation in enumerate(_mistakes(cell)):
        yield ""
        yield f"{'Or: ' if index else ''}{escape_markdown(explanation)}"
    if cell.note:
        yield ""
        yield escape_markdown(cell.note)
    if cell.layer != TOTAL and cell.layer in analysis.by_name:
        yield ""
        for one in derivations(analysis[cell.layer], analysis, cell.quantity):
            left = f"{one.symbol.text} = " if one.symbol is not None else ""
            yield f"    {one.label}: {left}{' = '.join(TEXT.write(node) for node in one.chain())}"


def _code(text: str) -> str:
    """What a student wrote, to the letter, as far as it is shown."""
    written = words.line(text)
    shown = written[:_SHOWN] + ("…" if len(written) > _SHOWN else "")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{fence} {shown} {fence}" if len(fence) > 1 else f"`{shown}`"


def _value(value: Any, quantity: str) -> str:
    if isinstance(value, tuple):
        return "×".join(map(str, value)) if quantity == "receptive_field" else format_shape(value)
    if value is None:
        return "–"
    return f"{value:,} bytes ({words.size(value)})" if quantity == "activation_bytes" else f"{value:,}"


def render_gradescope(marked: Marked, visibility: str) -> str:
    """The submission in the form of an autograder's `results.json`.

    Source: Gradescope, Autograder Specifications, "Output format".
    """
    tests: list[dict[str, Any]] = [
        {
            "name": _name(item),
            "score": float(item.score),
            "max_score": 1.0,
            "status": "passed" if item.score == 1 else "failed",
            "output": _output(item),
            "visibility": visibility,
        }
        for item in marked.items
    ]
    output = f"Your file could not be read: {marked.problem}" if marked.problem else _summary(marked)
    result = {"score": float(marked.score), "output": output, "output_format": "text", "tests": tests}
    return json.dumps(result, ensure_ascii=False, indent=1) + "\n"


def _output(item: Item) -> str:
    cell = item.cell
    if cell is None or cell.verdict in (Verdict.RIGHT, Verdict.EMPTY):
        return _SIGNS[item.verdict]
    return "\n".join([_SIGNS[item.verdict], f"it is {_value(cell.expected, cell.quantity)}", *_mistakes(cell)])


def _mistakes(cell: Cell) -> list[str]:
    """What may have gone wrong; two mistakes that belong together share their explanation."""
    return list(dict.fromkeys(found.explanation for found in cell.diagnoses if found.mistake != UNKNOWN))
