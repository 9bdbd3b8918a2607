"""Excel's XLSX, by openpyxl. Formulas are read as calculations, and never evaluated with cells."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from archcalc.core.errors import ArchcalcError
from archcalc.teach.check.answers.archive import check_archive
from archcalc.teach.check.answers.table import MOST_COLUMNS, MOST_ROWS, Answers, Item, fault, is_heading, read_table
from archcalc.teach.check.model import Place

#: A formula that is arithmetic alone.
_ARITHMETIC = re.compile(r"=[\d\s.,+\-*/^()]+")


def read_spreadsheet(data: bytes, file: str) -> Answers:
    """The answers of the first sheet that has columns to check."""
    import openpyxl

    check_archive(data, file, "XLSX file")
    try:
        sheets = list(_sheets(openpyxl, data, file))
    except ArchcalcError:
        raise
    except Exception as error:  # whatever a broken file makes of its reader
        raise fault(f"is no spreadsheet that can be read ({type(error).__name__})", Place(file, 1, 1)) from None
    for rows in sheets:
        if any(is_heading(row) for row in rows[:20]):
            return read_table(rows, file)
    return read_table(sheets[0] if sheets else [], file)


def _sheets(openpyxl: Any, data: bytes, file: str) -> Iterator[list[list[Item]]]:
    """The rows of each sheet: formulas that are plain arithmetic, else the values that were stored with them."""
    books = [
        openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=only, keep_links=False)
        for only in (True, False)
    ]
    for values, formulas in zip(books[0].worksheets[:20], books[1].worksheets[:20], strict=True):
        columns = min(values.max_column or MOST_COLUMNS, MOST_COLUMNS)
        bounds = {"max_row": min(values.max_row or MOST_ROWS, MOST_ROWS) + 1, "max_col": columns, "values_only": True}
        pairs = zip(values.iter_rows(**bounds), formulas.iter_rows(**bounds), strict=False)
        yield [
            [
                Item(_text(value, formula), Place(file, row, column))
                for column, (value, formula) in enumerate(zip(stored, written, strict=False), 1)
            ]
            for row, (stored, written) in enumerate(pairs, 1)
            if any(cell is not None for cell in written)
        ]
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
