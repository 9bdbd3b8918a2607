"""Excel's XLSX, by openpyxl. Formulas are read as calculations, and never evaluated with cells."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import IO, Any
from xml.parsers import expat

from archcalc.core.archives import DAMAGED
from archcalc.core.errors import ArchcalcError
from archcalc.teach.check.answers.table import MOST_COLUMNS, MOST_ROWS, Answers, Item, fault, is_heading, read_table
from archcalc.teach.check.model import Place

#: Bytes of all parts of the file, unpacked.
LARGEST_UNPACKED = 50_000_000
#: Characters of a cell; Excel takes 32,767.
LONGEST_TEXT = 131_072
#: A formula that is arithmetic alone.
_ARITHMETIC = re.compile(r"=[\d\s.,+\-*/^()]+")


def read_spreadsheet(data: bytes, file: str) -> Answers:
    """The answers of the first sheet that has columns to check."""
    import openpyxl

    _check_archive(data, file)
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


def _check_archive(data: bytes, file: str) -> None:
    """Refuse what unpacks to far more than a table, and XML that defines entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > 1000 or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise fault(
                    f"unpacks to more than {LARGEST_UNPACKED // 1_000_000} MB; no table of answers does",
                    Place(file, 1, 1),
                )
            for part in parts:
                with archive.open(part) as stream:
                    _check_part(stream, part.filename, file)
    except DAMAGED as error:
        raise fault(f"is no XLSX file: {str(error)[:80]}", Place(file, 1, 1)) from None


def _check_part(stream: IO[bytes], name: str, file: str) -> None:
    """Read a part to its end without keeping it: no document type may define entities, and no text may be endless.

    A picture is no XML and ends at its first bytes, where the reader of the spreadsheet would end too.
    """
    parser = expat.ParserCreate()
    length = 0

    def document_type(*_: Any) -> None:
        raise fault("holds XML with a document type, as no spreadsheet does", Place(file, 1, 1))

    def element(*_: Any) -> None:
        nonlocal length
        length = 0

    def text(characters: str) -> None:
        nonlocal length
        length += len(characters)
        if length > LONGEST_TEXT:
            raise fault(f"has a cell of more than {LONGEST_TEXT:,} characters", Place(file, 1, 1))

    parser.StartDoctypeDeclHandler = document_type
    parser.StartElementHandler = element
    parser.EndElementHandler = element
    parser.CharacterDataHandler = text
    try:
        while chunk := stream.read(1 << 16):
            parser.Parse(chunk)
        parser.Parse(b"", True)
    except expat.ExpatError:
        if name.endswith((".xml", ".rels")):
            raise fault("is no spreadsheet that can be read (a part is not well-formed)", Place(file, 1, 1)) from None


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
