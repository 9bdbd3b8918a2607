"""Worksheets as Jupyter notebooks whose cells check themselves, without the answers in clear text.

The notebook holds a salted PBKDF2 hash of each answer, so it needs nothing but Python and tells nobody the answer that
does not calculate it. Numbers can be guessed by trying many; with 5,000 rounds a million guesses take about an hour.
Source: Jupyter, "The notebook file format", version 4.5; RFC 8018 (PBKDF2).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import pbkdf2_hmac, sha256
from math import prod
from pathlib import Path
from typing import Any

from archcalc.core import words
from archcalc.core.language import mark, say
from archcalc.core.markup import escape_markdown, turned
from archcalc.explain.derive.formats import sections, sum_section
from archcalc.teach.check.expected import Value, expected
from archcalc.teach.check.model import TOTAL
from archcalc.teach.exercise.contents import READS, instructions, layer_name, number_columns, rows_of, title_of
from archcalc.teach.exercise.worksheet import Line, Worksheet
from archcalc.teach.reading.words import any_of

ROUNDS = 5_000
#: Grading reads the cells and never runs them, so the notebook refuses what is read from no cell.
WHY_NOT = mark(
    "write numbers and + - * / // ** alone, as in 28*28*150 or (28, 28, 6). Your notebook is graded as it is written "
    "and not run, so names and functions cannot be read"
)
#: Only the exact answer has the hash that the notebook holds; grading takes what is rounded well.
WHY_ROUNDED = mark("a rounded number cannot be checked here: write all of its digits")
#: The name of the function that students call, and the quantities that a tuple answers.
CHECK = "check"


def notebook(sheet: Worksheet, student: str, key: bool) -> str:
    """The notebook as JSON; that of a `key` has the answers and their calculations."""
    title = title_of(sheet, student, key)
    cells = [_markdown("\n".join(_page(sheet, title, key))), _code(_program(sheet, student))]
    explained = {one.name: one for one in sheet.solutions()} if key else {}
    for line in sheet.lines:
        asked = [quantity for quantity in sheet.quantities if sheet.is_blank(line.layer, quantity)]
        if not asked:
            continue
        cells.append(_markdown(_heading(line)))
        cells.append(_code(_call(sheet, line.layer, asked, key)))
        if line.layer in explained:
            cells.append(_markdown(sections([explained[line.layer]], "markdown")))
    if key:
        cells += [_markdown(sum_section(total, "markdown", sheet.title)) for total in sheet.sums()]
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number}"
    whole = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": title,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _markdown(text: str) -> dict[str, Any]:
    source = turned(text.rstrip("\n"), "\n\n").splitlines(keepends=True)
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(text: str) -> dict[str, Any]:
    source = text.rstrip("\n").splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def _page(sheet: Worksheet, title: str, key: bool) -> list[str]:
    """The first cell: title, what must be known, and the table with its blanks."""
    rules = ["---:" if right else ":---" for right in number_columns(sheet)]
    rows = [[escape_markdown(cell.text or ("?" if cell.blank else "")) for cell in row] for row in rows_of(sheet, key)]
    hint = say(
        "Run the next cell first. Then write a number, a calculation or, for a shape, a tuple in the place of {dots} "
        "and run the cell: it says whether your answer is right. A shape is written like {shape}.",
        dots="`...`",
        shape="(55, 55, 96)",
    )
    notes = [] if key else [*(escape_markdown(note) for note in instructions(sheet)), hint]
    table = ["| " + " | ".join(row) + " |" for row in [list(sheet.heads), rules, *rows]]
    return [f"# {escape_markdown(title)}", "", *(part for note in notes for part in (note, "")), *table]


def _heading(line: Line) -> str:
    what = f": {escape_markdown(words.line(line.operation))}" if line.operation else ""
    reads = f", {escape_markdown(say(READS, layers=words.line(line.reads)))}" if line.reads else ""
    return f"**{escape_markdown(words.line(layer_name(line.layer)))}**{what}{reads}"


def _call(sheet: Worksheet, layer: str, asked: list[str], key: bool) -> str:
    """The cell that a student fills in; that of the key has the answers."""
    arguments = [f"    {quantity}={_written(_right(sheet, layer, quantity)) if key else '...'}," for quantity in asked]
    return "\n".join([f"{CHECK}(", f"    {layer!r},", *arguments, ")"])


def _right(sheet: Worksheet, layer: str, quantity: str) -> tuple[int, ...]:
    """The answer as numbers: the sides of a shape with its channels last."""
    row = None if layer == TOTAL else sheet.analysis[layer]
    value: Value | None = expected(row, sheet.analysis, quantity)
    assert value is not None
    if isinstance(value, int):
        return (value,)
    return (*value[1:], value[0]) if quantity == "output_shape" else value


def _written(sides: tuple[int, ...]) -> str:
    return str(sides[0]) if len(sides) == 1 else repr(sides)


def _plain(sides: tuple[int, ...], quantity: str) -> str:
    """The text that is hashed. 1×1×1000 is 1000, and 11×11 of a receptive field is 11: both are right answers."""
    if quantity == "receptive_field" and len(set(sides)) == 1:
        sides = sides[:1]
    if quantity == "output_shape" and len(sides) > 1 and set(sides[:-1]) == {1}:
        sides = sides[-1:]
    return "x".join(map(str, sides))


def _ways(sides: tuple[int, ...], quantity: str) -> Iterable[str]:
    """The texts that `check` calls right: of a shape in either order, as area and maps, its plane, its values."""
    ways = [sides]
    if quantity == "output_shape" and len(sides) == 3 and sides[:2] != (1, 1):
        *plane, maps = sides
        ways += [(maps, *plane), (prod(plane), maps), tuple(plane), (prod(sides),)]
    return dict.fromkeys(_plain(way, quantity) for way in ways)


def _program(sheet: Worksheet, student: str) -> str:
    """The function that checks, with the hashes of the answers."""
    salt = sha256("\0".join([sheet.title, student, *sorted(map(repr, sheet.blanks))]).encode()).hexdigest()[:32]
    hashes: dict[str, dict[str, list[str]]] = {}
    for line in sheet.lines:
        for quantity in sheet.quantities:
            if sheet.is_blank(line.layer, quantity):
                ways = [
                    f"{line.layer}|{quantity}|{way}" for way in _ways(_right(sheet, line.layer, quantity), quantity)
                ]
                found = [pbkdf2_hmac("sha256", way.encode(), bytes.fromhex(salt), ROUNDS, 16).hex() for way in ways]
                hashes.setdefault(line.layer, {})[quantity] = found
    body = Path(__file__).with_name("check.py.txt").read_text(encoding="utf-8")
    listed = json.dumps(hashes, ensure_ascii=True, indent=1)
    body = body.replace('"WHY_NOT_OF_SHEET"', repr(say(WHY_NOT))).replace("SALT_OF_SHEET", salt)
    body = body.replace('"WHY_ROUNDED_OF_SHEET"', repr(say(WHY_ROUNDED))).replace("COUNTED_OF_SHEET", any_of("counted"))
    return body.replace("ROUNDS_OF_SHEET", str(ROUNDS)).replace("{}  # HASHES", listed)
