"""Functions for hand calculations: a table checked, an exercise and its marks."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archcalc.cli.serve.requests import Request
from archcalc.cli.serve.tables import counted
from archcalc.core.errors import UsageError
from archcalc.core.language import say, without_isolates
from archcalc.core.quantities import QUANTITIES, quantity
from archcalc.design.conventions import tool_named
from archcalc.explain.derive.formats import Line
from archcalc.explain.derive.network import explain_layers
from archcalc.explain.derive.notation import TEXT
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.answers.heads import find_head
from archcalc.teach.check.asked import refuse_strangers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.findings import Finding, findings, name_in_words, summary, value_text, words_of
from archcalc.teach.check.formats import as_dict, render
from archcalc.teach.check.model import TOTAL, Answer, Cell, Check, Verdict
from archcalc.teach.exercise.worksheet import DEFAULT, Worksheet, make_worksheet
from archcalc.teaching import TOTALS, checked

#: Levels of an exercise, with the share of cells that are left blank.
LEVELS = {"some blanks": 0.3, "half of it": 0.5, "all of it": 1.0}
_LARGEST_TABLE = 1 << 20
_MOST_CELLS = 5_000
_LONGEST_CELL = 2_000
_LONGEST_SUM = 20_000
#: `params: 34944 + 614656`, or the sum alone: a total, perhaps with a unit, and no table.
_SUM = re.compile(r"(?:(?P<name>[^\W\d][^\d:=]{0,80})[:=]\s*)?(?P<sum>[(\d][\d\s.,'_+*·×^/()−–-]*[^\W\d_]{0,15})")
#: A sum over several lines goes on after a sign, or before one.
_GOES_ON = re.compile(r"(?<=[+*·×])\n|\n(?=[+*·×])")
#: Layers of an exercise.
_MOST_ROWS = 1_000


def check(request: Request) -> dict[str, Any]:
    """A table of answers, a file of one, or totals, compared with the network."""
    analysis = request.source().analyse()
    found, notes = _checked(request, analysis)
    if request.has("convention"):
        there, _ = _checked(request, counted(request, analysis))
        found = _or_counted(found, there, tool_named(request.text("convention")).name)
    reasons = _reasons(found, analysis)
    result = as_dict(found, analysis, notes)
    cells = [{**data, **_cell(cell, reasons)} for cell, data in zip(found.cells, result["cells"], strict=True)]
    return {
        "result": {**result, "cells": cells},
        "summary": summary(found),
        "text": render(found, analysis, "text", notes),
    }


def _or_counted(own: Check, there: Check, tool: str) -> Check:
    """The check, where what is right as a tool counts is right too, and what it does not count is not wrong."""
    good = (Verdict.RIGHT, Verdict.EMPTY)
    cells = list(own.cells)
    for place, other in enumerate(there.cells):
        if cells[place].verdict in good or other.verdict not in good:
            continue
        note = say("{parts}, as {tool} counts", parts=name_in_words(other.quantity), tool=tool)
        cells[place] = replace(other, note=note) if other.verdict is Verdict.RIGHT else other
    return replace(own, cells=tuple(cells))


def _checked(request: Request, analysis: Analysis) -> tuple[Check, Sequence[str]]:
    """What the answers of a request are, as an analysis has it, and notes on how they were read."""
    if request.has("totals"):
        given = Request.of(request.values["totals"])
        totals = {key: given.text(key, _LONGEST_CELL) for key in TOTALS if given.has(key)}
        if not totals or len(totals) != len(given.values):
            raise UsageError(f"'totals' holds some of {', '.join(TOTALS)}")
        found, notes = checked(analysis, None, totals)
    elif request.has("table") and (total := _total_in(request.text("table", _LARGEST_TABLE))):
        key, text = total
        each = [checked(analysis, None, {one: text}) for one in ((key,) if key else TOTALS)]
        # A sum without a name is the one that is right; else it is about the parameters.
        found, notes = next((one for one in each if one[0].cells[-1].verdict is Verdict.RIGHT), each[0])
    else:
        if request.has("table"):
            if not request.text("table", _LARGEST_TABLE).strip():
                raise UsageError("write a table with its headings, or a total")
            data, name = request.text("table", _LARGEST_TABLE).encode("utf-8", "backslashreplace"), "table"
        else:
            data, name = request.data("file", _LARGEST_TABLE * 4), request.text("filename")
        read = parse_answers(data, name)
        if len(read.answers) > _MOST_CELLS:
            raise UsageError(
                f"{name} has {len(read.answers):,} answers; the playground checks {_MOST_CELLS:,} at a time"
            )
        found = check_answers(analysis, read.answers)
        refuse_strangers(found, read)
        notes = read.notes
    return found, notes


def _total_in(text: str) -> tuple[str | None, str] | None:
    """The total that a text gives in place of a table, and which one it is where the text names it."""
    if len(text) > _LONGEST_SUM:
        return None
    lines = "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
    match = _SUM.fullmatch(_GOES_ON.sub(" ", lines))
    if match is None or "\n" in match["sum"]:
        return None
    if match["name"] is None:
        return None, match["sum"]
    head = find_head(match["name"].strip())
    keys = [key for key in TOTALS if head is not None and quantity(key).key == head.key]
    return (keys[0], match["sum"]) if keys else None


def _reasons(found: Check, analysis: Analysis) -> dict[int, str]:
    """What explains each cell that is not right, by the cell."""
    return {id(one.cell): " ".join(_words(one)) for one in findings(found, analysis)}


def _words(finding: Finding) -> list[str]:
    carried = [f"{finding.verdict}."] if finding.cell.verdict is not Verdict.WRONG else []
    return [*carried, *words_of(finding)]


def _cell(cell: Cell, reasons: dict[int, str]) -> dict[str, Any]:
    return {
        "layer": cell.layer or cell.answer.layer[:200],
        "heading": name_in_words(cell.quantity),
        "claimed": cell.answer.text[:_LONGEST_CELL],
        "verdict": str(cell.verdict),
        "expected": value_text(cell.expected, cell.quantity),
        "reason": reasons.get(id(cell), cell.note),
    }


def exercise(request: Request) -> dict[str, Any]:
    """A worksheet: the table of the network with blanks."""
    level = request.choice("level", tuple(LEVELS), next(iter(LEVELS)))
    seed = request.number("seed", 0, 1 << 53) if request.has("seed") else 0
    sheet = _sheet(request.source().analyse(), level, seed)
    given = {"operation": say("operation"), **({"reads": say("reads")} if sheet.branches else {})}
    columns = [{"key": key, "heading": heading, "align": "left"} for key, heading in given.items()] + [
        {"key": key, "heading": name_in_words(key), "align": "right" if QUANTITIES[key].adds_up else "left"}
        for key in sheet.quantities
    ]
    rows = [
        {
            "name": say("total") if line.layer == TOTAL else line.layer, "op": line.operation, "reads": line.reads,
            "cells": {key: {"operation": line.operation, "reads": line.reads}[key] for key in given} | {
                key: None if sheet.is_blank(line.layer, key) else text
                for key, text in zip(sheet.quantities, line.cells, strict=True)
            },
        }
        for line in sheet.lines
    ]  # fmt: skip
    return {"title": sheet.title, "columns": columns, "rows": rows, "token": json.dumps([level, seed])}


def _sheet(analysis: Analysis, level: str, seed: int) -> Worksheet:
    """The worksheet. Raises `UsageError` for a network that is too long for one."""
    if len(analysis.rows) > _MOST_ROWS:
        raise UsageError(
            f"{analysis.graph.name} has {len(analysis.rows):,} layers; an exercise has at most {_MOST_ROWS:,}"
        )
    return make_worksheet(analysis, DEFAULT, LEVELS[level], seed)


def mark(request: Request) -> dict[str, Any]:
    """The verdicts on what was filled in: the whole sheet is checked, so that a mistake that is carried is found.

    It is carried as far as the next cell that the sheet prints, and what is right given it counts as right. A cell that
    is not right has a `hint`, which never holds its right value, and an `answer`, line by line, which does.
    """
    analysis = request.source().analyse()
    sheet = _sheet(analysis, *_token(request))
    filled: dict[tuple[int, str], str] = {}
    for one in request.objects("cells", _MOST_CELLS):
        row, key = one.number("row", 0, len(sheet.lines) - 1), one.text("key")
        if not sheet.is_blank(sheet.lines[row].layer, key):
            raise UsageError(f"row {row} has no blank {key[:60]!r}")
        filled[row, key] = one.text("text", _LONGEST_CELL)
    places, answers = [], []
    for row, line in enumerate(sheet.lines):
        for key, printed in zip(sheet.quantities, line.cells, strict=True):
            is_blank = sheet.is_blank(line.layer, key)
            places.append((row, key, is_blank))
            # How people write a column is read from their own cells: some give the sides of a map alone.
            answers.append(
                Answer(line.layer, key, filled.get((row, key), ""))
                if is_blank
                else Answer(line.layer, key, printed, heading="sheet")
            )
    found = check_answers(analysis, answers)
    by_cell = {id(one.cell): one for one in findings(found, analysis)}
    verdicts = []
    for (row, key, is_blank), cell in zip(places, found.cells, strict=True):
        if not is_blank:
            continue
        finding = by_cell.get(id(cell))
        help_ = (
            {"hint": cell.note} if finding is None else {"hint": _hint(finding, analysis), "answer": _answer(finding)}
        )
        verdicts.append(
            {"row": row, "key": key, "verdict": str(cell.verdict)}
            | {name: text for name, text in help_.items() if text}
        )
    right = sum(one["verdict"] in (Verdict.RIGHT, Verdict.CARRIED) for one in verdicts)
    return {"verdicts": verdicts, "score": {"right": right, "of": len(verdicts)}}


def _hint(finding: Finding, analysis: Analysis) -> str:
    """What leads to the right value without it: the mistake where one is known, and the formula, else what is asked."""
    cell = finding.cell
    if cell.verdict is not Verdict.WRONG:
        return " ".join(text for text in _words(finding) if not _says(text, finding.right))
    formulas = [
        " = ".join(Line(one, TEXT).parts[: 2 if one.symbol else 1])
        for one in finding.derivations
        if any(node.symbol for node in one.tree.walk())
    ]
    told = [text for text in finding.explanations if not _says(text, finding.right)]
    return " ".join([*words_of(finding._replace(given="", explanations=tuple(told), note="")),
                     *(formulas or [_asked(finding, analysis)])])  # fmt: skip


def _asked(finding: Finding, analysis: Analysis) -> str:
    """What a cell asks for that has no formula: a number that is 0, an output that is the input, a sum."""
    layer, quantity = finding.cell.layer, finding.cell.quantity
    if layer == TOTAL:
        return say("Add up the column.")
    if quantity == "params":
        return say("Parameters are the weights and biases that a layer has of its own.")
    if quantity == "multiplications":
        return say("Multiplications are those of convolution and dense layers.")
    heading = explain_layers(analysis, [layer])[0].heading
    says_it = _says(heading, finding.right)
    return say("Does {layer} change the size or the depth of its input?", layer=layer) if says_it else heading


def _says(text: str, value: str) -> bool:
    """Whether a value stands in a text, however its digits are grouped."""
    plain, number = (without_isolates(one).replace(",", "") for one in (text, value))
    return re.search(rf"(?<![\d×]){re.escape(number)}(?![\d×])", plain) is not None


def _answer(finding: Finding) -> str:
    """The right value and how it is computed, line by line, without what the hint says already."""
    if finding.cell.verdict is not Verdict.WRONG:
        return finding.right
    chains = [" = ".join(Line(one, TEXT).parts) for one in finding.derivations]
    reasons = [] if chains else [text for text in finding.explanations if _says(text, finding.right)]
    lines = [*filter(None, [finding.given]), *(chains or reasons[:1])]
    said = any(_says(text, finding.right) for text in lines[-1:])
    return "\n".join(lines if said else [*lines, finding.right])


def _token(request: Request) -> tuple[str, int]:
    """Level and seed of a sheet that was given out."""
    try:
        level, seed = json.loads(request.text("token"))
    except (ValueError, TypeError, RecursionError):
        raise UsageError("'token' is none of an exercise") from None
    if level not in tuple(LEVELS) or not isinstance(seed, int) or not 0 <= seed <= 1 << 53:
        raise UsageError("'token' is none of an exercise")
    return level, seed
