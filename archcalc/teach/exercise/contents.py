"""What a worksheet says in every form: its title, what a student must know, and the cells of its table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archcalc.core import words
from archcalc.core.shapes import axes_written
from archcalc.explain.derive.formats import lines
from archcalc.explain.derive.notation import TEXT
from archcalc.teach.check.model import TOTAL
from archcalc.teach.exercise.worksheet import Line, Worksheet


class Cell(NamedTuple):
    """A cell as it is shown: its text, and whether it was asked for."""

    text: str
    blank: bool = False


def title_of(sheet: Worksheet, student: str, key: bool) -> str:
    """The network, the student, and whether this is the key."""
    parts = [words.line(sheet.title), words.line(student), "answer key" if key else ""]
    return " · ".join(part for part in parts if part)


def instructions(sheet: Worksheet) -> list[str]:
    """What a student must know to fill in the table."""
    count = len(sheet.blanks)
    described = sheet.analysis.describe_conventions()
    order = axes_written(len(sheet.analysis.graph.input_shape) - 1)
    notes = [
        f"Input {sheet.analysis.graph.inputs_in_words()}. "
        f"{count} {'cell is' if count == 1 else 'cells are'} empty: fill {'it' if count == 1 else 'them'} in. "
        f"Shapes are {order}; a calculation such as (5·5·3 + 1)·16 is an answer too.",
        "Convolution and dense layers have a bias unless it says that they have none. "
        "Where windows do not tile the input, sizes are rounded down unless it says that they are rounded up.",
    ]
    asked = set(sheet.quantities)
    if "params" in asked:
        notes.append(f"Params: {described['params']}.")
    if "multiplications" in asked:
        notes.append(f"Multiplications: {described['multiplications']}.")
    if asked & {"activations", "activation_bytes"}:
        notes.append(f"Activations and memory: {described['stored']}.")
    if "receptive_field" in asked:
        notes.append(f"Receptive field: {described['receptive_field']}.")
    return notes


def _cells(sheet: Worksheet, line: Line, key: bool) -> Iterator[Cell]:
    yield Cell(line.layer)
    yield Cell(line.operation)
    if sheet.branches:
        yield Cell(line.reads)
    for quantity, text in zip(sheet.quantities, line.cells, strict=True):
        blank = sheet.is_blank(line.layer, quantity)
        yield Cell(text if key or not blank else "", blank)


def rows_of(sheet: Worksheet, key: bool) -> list[list[Cell]]:
    """The table, a row a layer and the total last; only the key has what is blank."""
    return [list(_cells(sheet, line, key)) for line in sheet.lines]


def number_columns(sheet: Worksheet) -> list[bool]:
    """Which columns hold numbers."""
    return [False, False, *([False] if sheet.branches else []), *(True for _ in sheet.quantities)]


def calculations(sheet: Worksheet) -> dict[str, list[str]]:
    """How each answer is calculated, a line of text for each, by layer; the sums under `total`."""
    found = {
        one.name: [f"{line.label}: {' = '.join(line.parts)}" for line in lines(one, TEXT)] for one in sheet.solutions()
    }
    sums = [
        f"{total.quantity}: {' + '.join(f'{term.derivation.value:,}' for term in total.terms)} = {total.total:,}"
        for total in sheet.sums()
    ]
    return {**found, TOTAL: sums} if sums else found
