"""What a student gets back: Markdown to read, and Gradescope's `results.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from archcalc.core import words
from archcalc.core.language import mark, say
from archcalc.core.markup import escape_markdown
from archcalc.core.shapes import format_shape
from archcalc.explain.derive.notation import TEXT
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.expected import derivations
from archcalc.teach.check.model import TOTAL, Cell, Verdict
from archcalc.teach.grade.marks import UNKNOWN, Item, Marked, points

_SIGNS = {
    Verdict.RIGHT: mark("right"),
    Verdict.CARRIED: mark("right given your earlier number"),
    Verdict.WRONG: mark("wrong"),
    Verdict.EMPTY: mark("not answered"),
    Verdict.UNREADABLE: mark("cannot be read"),
}
#: At most so many characters of what a student wrote are shown.
_SHOWN = 60


def render_feedback(marked: Marked, analysis: Analysis) -> str:
    """The points, every cell that is not right with the calculation and what went wrong, and the table of all cells."""
    title = words.line(analysis.graph.title or analysis.graph.name)
    out = [f"# {escape_markdown(words.line(marked.student))} · {escape_markdown(title)}", ""]
    if marked.problem:
        return "\n".join(
            [*out, say("Your file could not be read: {problem}", problem=escape_markdown(marked.problem)), ""]
        )
    score = say("{score} of {most} points.", score=points(marked.score), most=marked.most)
    out += [f"**{score}** {_summary(marked)}", ""]
    out += [f"- {escape_markdown(note)}" for note in marked.notes] + ([""] if marked.notes else [])
    wrong = [item for item in marked.items if item.verdict in (Verdict.WRONG, Verdict.CARRIED, Verdict.UNREADABLE)]
    if wrong:
        out += ["## " + say("What went wrong"), ""]
    for item in wrong:
        out += [f"### {escape_markdown(_name(item))}", "", *_feedback(item, analysis), ""]
    heads = " | ".join((say("cell"), say("you"), say("points")))
    out += ["## " + say("Every cell"), "", f"| {heads} |", "| :--- | :--- | :--- |"]
    for item in marked.items:
        written = words.line(item.cell.answer.text)[:_SHOWN] if item.cell is not None else ""
        verdict = f"{points(item.score)}: {say(_SIGNS[item.verdict])}"
        out.append(f"| {escape_markdown(_name(item))} | {escape_markdown(written)} | {verdict} |")
    return "\n".join([*out, ""])


def _summary(marked: Marked) -> str:
    counted = [(verdict, marked.count(verdict)) for verdict in _SIGNS]
    return ", ".join(f"{count} {say(_SIGNS[verdict])}" for verdict, count in counted if count) + "."


def _name(item: Item) -> str:
    name = item.quantity.replace("_", " ")
    return f"{item.layer} · {say(name)}"


def _feedback(item: Item, analysis: Analysis) -> Iterator[str]:
    """What is wrong with a cell, as lines of Markdown."""
    cell = item.cell
    assert cell is not None
    right = escape_markdown(_value(cell.expected, cell.quantity))
    yield say("You wrote {you}; it is {right}.", you=_code(cell.answer.text), right=f"**{right}**")
    if cell.verdict is Verdict.CARRIED and cell.carried_from is not None:
        layer, quantity = cell.carried_from
        yield ""
        name = quantity.replace("_", " ")
        source = f"{escape_markdown(layer)} {say(name)}"
        yield say("With your {source} your number is right.", source=source)
        return
    for index, explanation in enumerate(_mistakes(cell)):
        yield ""
        text = escape_markdown(explanation)
        yield say("Or: {text}", text=text) if index else text
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
    if quantity == "activation_bytes":
        return say("{value:,} bytes", value=value) + f" ({words.size(value)})"
    return f"{value:,}"


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
    output = (
        say("Your file could not be read: {problem}", problem=marked.problem) if marked.problem else _summary(marked)
    )
    result = {"score": float(marked.score), "output": output, "output_format": "text", "tests": tests}
    return json.dumps(result, ensure_ascii=False, indent=1) + "\n"


def _output(item: Item) -> str:
    cell = item.cell
    if cell is None or cell.verdict in (Verdict.RIGHT, Verdict.EMPTY):
        return _SIGNS[item.verdict]
    return "\n".join(
        [say(_SIGNS[item.verdict]), say("it is {right}", right=_value(cell.expected, cell.quantity)), *_mistakes(cell)]
    )


def _mistakes(cell: Cell) -> list[str]:
    """What may have gone wrong; two mistakes that belong together share their explanation."""
    return list(dict.fromkeys(found.explanation for found in cell.diagnoses if found.mistake != UNKNOWN))
