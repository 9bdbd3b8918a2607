"""A check as text, Markdown, HTML and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from archcalc.core.language import say
from archcalc.core.markup import escape_markdown
from archcalc.core.text import bold, dim, wrap
from archcalc.explain.derive.formats import Line
from archcalc.explain.derive.notation import LATEX, TEXT
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.findings import (
    Finding,
    answer_and_right,
    chain,
    findings,
    remarks,
    shorten,
    steps,
    summary,
    words_of,
)
from archcalc.teach.check.model import Cell, Check, Diagnosis, Verdict
from archcalc.teach.check.page import page
from archcalc.teach.reading.statements import LONGEST_CELL

FORMATS = ("text", "markdown", "html", "json")
ENDINGS = {".txt": "text", ".md": "markdown", ".html": "html", ".htm": "html", ".json": "json"}
_WIDTH = 110
_COLOURS = {Verdict.WRONG: "31", Verdict.UNREADABLE: "31", Verdict.CARRIED: "33", Verdict.RIGHT: "32"}


def render(
    check: Check, analysis: Analysis, form: str = "text", notes: Sequence[str] = (), colour: bool = False,
    width: int | None = None,
) -> str:  # fmt: skip
    """A check in a format of `FORMATS`; `notes` are about the file that it was read from."""
    title = analysis.graph.title or analysis.graph.name
    notes = [*check.notes, *notes] if check.fits else [*notes, *check.notes]
    if form == "json":
        return json.dumps(as_dict(check, analysis, notes), ensure_ascii=False, indent=1) + "\n"
    every = findings(check, analysis)
    quiet = [*notes, *([] if check.fits else remarks(check))]
    if form == "html":
        return page(title, check, every, quiet)
    if form == "markdown":
        return _markdown(title, check, every, quiet)
    return _text(title, check, every, quiet, colour, width or _WIDTH)


# --- text


def _text(title: str, check: Check, every: Sequence[Finding], notes: Sequence[str], colour: bool, width: int) -> str:
    out = [f"{bold(title, colour)}: {summary(check)}"]
    before: Verdict | None = None
    for finding in every:
        lines = _text_of(finding, colour, width)
        # What is right after a mistake takes a line; such lines stand together.
        is_next = before is finding.cell.verdict is Verdict.CARRIED and len(lines) == 1
        out += lines if is_next else ["", *lines]
        before = finding.cell.verdict
    if notes:
        out += ["", *(dim(line, colour) for note in notes for line in wrap(note, width))]
    return "\n".join([*out, ""])


def _text_of(finding: Finding, colour: bool, width: int) -> list[str]:
    verdict = _coloured(finding.verdict, finding.cell.verdict, colour)
    right = "   " + say("it is: {right}", right=finding.right) if finding.right else ""
    you = "   " + say("you: {you}", you=finding.you) if finding.you else ""
    out = [f"{bold(finding.where, colour)}{you}{right}   {verdict}"]
    for text in [*chain(finding, TEXT), *words_of(finding)]:
        out += _indented(text, width)
    return out


def _indented(text: str, width: int) -> list[str]:
    return [f"    {line}" for line in wrap(text, max(width - 4, 30))]


def _coloured(text: str, verdict: Verdict, colour: bool) -> str:
    return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if colour and verdict in _COLOURS else text


# --- Markdown


def _markdown(title: str, check: Check, every: Sequence[Finding], notes: Sequence[str]) -> str:
    out = [f"## {escape_markdown(title)}", "", escape_markdown(summary(check))]
    before: Verdict | None = None
    for finding in every:
        verdict = finding.cell.verdict
        you, right = answer_and_right(escape_markdown(finding.you), escape_markdown(finding.right))
        if verdict is Verdict.CARRIED:
            words = f"- {escape_markdown(finding.where)}: {escape_markdown(finding.verdict)}. {you}{right}"
            out += [words] if before is verdict else ["", words]
        else:
            lines = [f"${line}$" for line in chain(finding, LATEX)]
            texts = [escape_markdown(text) for text in words_of(finding)]
            out += ["", f"### {escape_markdown(finding.where)}: {escape_markdown(finding.verdict)}"]
            out += [part for line in [f"{you}{right}", *lines, *texts] if line for part in ("", line)]
        before = verdict
    if notes:
        out += ["", *(f"- {escape_markdown(note)}" for note in notes)]
    return "\n".join([*out, ""])


# --- JSON


def as_dict(check: Check, analysis: Analysis, notes: Sequence[str] = ()) -> dict[str, Any]:
    """A check as plain data; shapes are [C, H, W] or [N], receptive fields [height, width], memory in bytes."""
    counts = {str(verdict): check.count(verdict) for verdict in Verdict}
    return {
        "schema": "archcalc.check/1",
        "network": check.network,
        "title": analysis.graph.title or analysis.graph.name,
        "summary": {"cells": len(check.cells), **counts},
        "cells": [_cell(cell, analysis) for cell in check.cells],
        "diagnoses": [_diagnosis(found) for found in check.diagnoses],
        "notes": list(notes),
    }


def _cell(cell: Cell, analysis: Analysis) -> dict[str, Any]:
    place = cell.answer.place
    return {
        "file": place.file if place else None,
        "row": place.row if place else None,
        "column": place.column if place else None,
        "label": shorten(cell.answer.layer),
        "layer": cell.layer or None,
        "quantity": cell.quantity,
        "text": cell.answer.text[:LONGEST_CELL],
        "verdict": str(cell.verdict),
        "expected": _plain(cell.expected),
        "carried": _plain(cell.carried),
        "carried_from": list(cell.carried_from) if cell.carried_from else None,
        "derivation": [" = ".join(Line(one, TEXT).parts) for one in steps(cell, analysis)]
        if cell.verdict is Verdict.WRONG
        else [],
        "diagnoses": [_diagnosis(found) for found in cell.diagnoses],
        "note": cell.note,
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _diagnosis(found: Diagnosis) -> dict[str, Any]:
    return {
        "mistake": found.mistake, "layer": found.layer, "quantity": found.quantity, "explanation": found.explanation,
        "rank": found.rank,
    }  # fmt: skip
