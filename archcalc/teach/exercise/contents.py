"""What a worksheet says in every form: its title, what a student must know, and the cells of its table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from archcalc.core import words
from archcalc.core.language import all_of, apart, mark, say, say_many
from archcalc.core.shapes import axes_written
from archcalc.explain.derive.formats import lines
from archcalc.explain.derive.network import Sum
from archcalc.explain.derive.notation import TEXT
from archcalc.teach.check.model import TOTAL
from archcalc.teach.exercise.worksheet import Line, Worksheet

#: Where students write theirs.
NAME = mark("Name:")
#: Which layers a layer reads.
READS = mark("reads {layers}")
#: What the calculations of a key stand under.
SOLUTIONS = mark("Worked solutions")


class Cell(NamedTuple):
    """A cell as it is shown: its text, and whether it was asked for."""

    text: str
    blank: bool = False


def title_of(sheet: Worksheet, student: str, key: bool) -> str:
    """The network, the student, and whether this is the key."""
    parts = [words.line(sheet.title), words.line(student), say("answer key") if key else ""]
    return " · ".join(part for part in parts if part)


def instructions(sheet: Worksheet) -> list[str]:
    """What a student must know to fill in the table."""
    count = len(sheet.blanks)
    described = sheet.analysis.describe_conventions()
    ranks = dict.fromkeys(len(row.output_shape) - 1 for row in sheet.rows if len(row.output_shape) > 1)
    orders = ["×".join(map(say, axes_written(rank).split("×"))) for rank in ranks]
    order = all_of(orders) if orders else say("values")
    empty = say_many("{count} cell is empty: fill it in.", "{count} cells are empty: fill them in.", count)
    written = say(
        "Shapes are {order}; a calculation such as {example} is an answer too.",
        order=order,
        example="(5·5·3 + 1)·16",
    )
    notes = [
        f"{input_of(sheet)} {empty} {written}",
        say(
            "Convolution and dense layers and the projections of attention have a bias unless it says that they have "
            "none. Where windows do not tile the input, sizes are rounded down unless it says that they are rounded up."
        ),
    ]
    asked = set(sheet.quantities)
    if "params" in asked:
        notes.append(say("Params: {meaning}.", meaning=described["params"]))
    if "multiplications" in asked:
        notes.append(say("Multiplications: {meaning}.", meaning=described["multiplications"]))
    if asked & {"activations", "activation_bytes"}:
        notes.append(say("Activations and memory: {meaning}.", meaning=described["stored"]))
    if "receptive_field" in asked:
        notes.append(say("Receptive field: {meaning}.", meaning=described["receptive_field"]))
    return notes


def input_of(sheet: Worksheet) -> str:
    """The size of the network's input, as a sentence."""
    return say("Input {size}.", size=sheet.analysis.graph.inputs_in_words())


def layer_name(layer: str) -> str:
    """The name of a row for people: the sums have that of the language."""
    return say(TOTAL) if layer == TOTAL else layer


def _cells(sheet: Worksheet, line: Line, key: bool) -> Iterator[Cell]:
    yield Cell(layer_name(line.layer))
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


def _terms(total: Sum) -> str:
    return " + ".join(f"{term.derivation.value:,}" for term in total.terms)


def calculations(sheet: Worksheet) -> dict[str, list[str]]:
    """How each answer is calculated, a line of text for each, by layer; the sums under `total`."""
    found = {
        one.name: [f"{line.label}: {apart(' = '.join(line.parts))}" for line in lines(one, TEXT)]
        for one in sheet.solutions()
    }
    sums = [
        f"{say(total.quantity.replace('_', ' '))}: {apart(f'{_terms(total)} = {total.total:,}')}"
        for total in sheet.sums()
    ]
    return {**found, TOTAL: sums} if sums else found


def fill(
    sheet: Worksheet,
    student: str,
    key: bool,
    text: Callable[[str], object],
    table: Callable[[], object],
    heading: Callable[[str, int], object],
) -> None:
    """Write a worksheet or its key under its title: paragraphs, the table, headings of level 2 and 3."""
    if not key:
        if not student:
            text(f"{say(NAME)} {'_' * 40}")
        for note in instructions(sheet):
            text(note)
    table()
    if key:
        heading(say(SOLUTIONS), 2)
        for layer, steps in calculations(sheet).items():
            heading(layer_name(layer), 3)
            for step in steps:
                text(step)
