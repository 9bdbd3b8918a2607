"""Excel's XLSX, by openpyxl. Formulas are read as calculations, and never evaluated with cells."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from archcalc.core.errors import ArchcalcError
from archcalc.core.language import say, say_many
from archcalc.core.words import line
from archcalc.teach.check.answers.archive import check_archive
from archcalc.teach.check.answers.table import MOST_COLUMNS, MOST_ROWS, Answers, Item, fault, is_heading, read_table
from archcalc.teach.check.model import Place

MOST_SHEETS = 50
_MOST_SHOWN = 5
#: A formula that is arithmetic alone.
_ARITHMETIC = re.compile(r"=[\d\s.,+\-*/^()]+")


class _Sheet(NamedTuple):
    """A sheet: its title, and its rows that are not empty."""

    title: str
    rows: list[list[Item]]


def read_spreadsheet(data: bytes, file: str) -> Answers:
    """The answers of every sheet that has columns to check, and a note on those that have none."""
    import openpyxl

    check_archive(data, file, "XLSX file")
    try:
        sheets = list(_sheets(openpyxl, data, file))
    except ArchcalcError:
        raise
    except Exception as error:  # whatever a broken file makes of its reader
        raise fault(
            say("is no spreadsheet that can be read ({reason})", reason=type(error).__name__), Place(file, 1, 1)
        ) from None
    tables = [sheet for sheet in sheets if any(is_heading(row) for row in sheet.rows[:20])]
    if not tables:
        return read_table(next((sheet.rows for sheet in sheets if sheet.rows), []), file)
    # With several tables the title of the sheet is a part of the place.
    found = [read_table(_placed(sheet, file) if len(tables) > 1 else sheet.rows, file) for sheet in tables]
    notes = dict.fromkeys(note for answers in found for note in answers.notes)
    unread = [line(sheet.title)[:40] for sheet in sheets if sheet.rows and sheet not in tables]
    if unread:
        names = ", ".join(unread[:_MOST_SHOWN]) + (", …" if len(unread) > _MOST_SHOWN else "")
        note = say_many(
            "not checked: sheet {names}, which names no columns to check",
            "not checked: {count} sheets that name no columns to check: {names}",
            len(unread),
            names=names,
        )
        notes[note] = None
    return Answers(tuple([answer for answers in found for answer in answers.answers]), tuple(notes))


def _placed(sheet: _Sheet, file: str) -> list[list[Item]]:
    """The rows of a sheet, its title in their places."""
    name = f"{file} ({line(sheet.title)[:40]})"
    return [[item._replace(place=item.place._replace(file=name)) for item in row] for row in sheet.rows]


def _sheets(openpyxl: Any, data: bytes, file: str) -> Iterator[_Sheet]:
    """The rows of each sheet: formulas that are plain arithmetic, else the values that were stored with them."""
    books = [
        openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=only, keep_links=False)
        for only in (True, False)
    ]
    if len(books[0].worksheets) > MOST_SHEETS:
        raise fault(say("holds more than {count} sheets", count=MOST_SHEETS), Place(file, 1, 1))
    for values, formulas in zip(books[0].worksheets, books[1].worksheets, strict=True):
        columns = min(values.max_column or MOST_COLUMNS, MOST_COLUMNS)
        bounds = {"max_row": min(values.max_row or MOST_ROWS, MOST_ROWS) + 1, "max_col": columns, "values_only": True}
        pairs = zip(values.iter_rows(**bounds), formulas.iter_rows(**bounds), strict=False)
        rows = [
            [
                Item(_text(value, formula), Place(file, row, column))
                for column, (value, formula) in enumerate(zip(stored, written, strict=False), 1)
            ]
            for row, (stored, written) in enumerate(pairs, 1)
            if any(cell is not None for cell in written)
        ]
        yield _Sheet(values.title, rows)
    for book in books:
        book.close()


def _text(value: Any, formula: Any) -> str:
    if isinstance(formula, str) and formula.startswith("=") and (value is None or _ARITHMETIC.fullmatch(formula)):
        return formula
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
