"""Tables in Word documents, DOCX: of any program that writes them.

Only the text of cells is read. What was deleted while changes were tracked is left out, a raised number is a power, and
fractions and powers of the equation editor are read as calculations. Source: ECMA-376, part 1, sections 17.4 (tables)
and 22.1 (mathematics).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from archcalc.core.language import say
from archcalc.teach.check.answers.archive import check_archive
from archcalc.teach.check.answers.table import MOST_COLUMNS, MOST_ROWS, Answers, Item, fault, is_heading, read_table
from archcalc.teach.check.model import Place

PART = "word/document.xml"
#: The namespaces of ECMA-376, transitional and strict.
_WORDS = (
    "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}",
    "{http://purl.oclc.org/ooxml/wordprocessingml/main}",
)
_MATHS = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/math}",
    "{http://purl.oclc.org/ooxml/officeDocument/math}",
)
#: Elements that may stand in one another.
_DEEPEST = 100


def is_word(data: bytes) -> bool:
    """Whether a zip archive is a Word document."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return PART in archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False


def read_word(data: bytes, file: str) -> Answers:
    """The answers of every table of a document that has columns to check.

    The place of an answer is its row, counted over all tables, and its column. Raises `SpecError` for a file that is no
    document or holds no table of answers.
    """
    check_archive(data, file, "Word document")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if PART not in archive.namelist():
            raise fault(say("is no Word document: it has no text"), Place(file, 1, 1))
        # Without a document type there are no entities: the archive was checked.
        root = ElementTree.fromstring(archive.read(PART))  # noqa: S314
    found = []
    row = 0
    for table in _named(root, "tbl", _WORDS):
        rows = []
        for line in _children(table, "tr"):
            row += 1
            if row > MOST_ROWS:
                raise fault(say("holds more than {count:,} rows", count=MOST_ROWS), Place(file, row, 1))
            rows.append(_row(line, file, row))
        # The heading of a table, or nothing: a table for the layout of a page is no table of answers.
        if any(is_heading(line) for line in rows[:20]):
            found.append(read_table(rows, file))
    if not found:
        raise fault(
            say("holds no table of answers"),
            Place(file, 1, 1),
            say("its first row names the columns: {names}", names="layer, params, …"),
        )
    notes = dict.fromkeys(note for answers in found for note in answers.notes)
    return Answers(tuple(answer for answers in found for answer in answers.answers), tuple(notes))


def _named(element: ElementTree.Element, name: str, spaces: tuple[str, ...]) -> Iterator[ElementTree.Element]:
    return (one for one in element.iter() if one.tag in tuple(f"{space}{name}" for space in spaces))


def _local(element: ElementTree.Element) -> str:
    """The name of an element of Word or of its mathematics, `m:` before the latter; nothing for others."""
    for space in _WORDS:
        if element.tag.startswith(space):
            return element.tag[len(space) :]
    for space in _MATHS:
        if element.tag.startswith(space):
            return f"m:{element.tag[len(space) :]}"
    return ""


def _children(element: ElementTree.Element, name: str, depth: int = 0) -> Iterator[ElementTree.Element]:
    """Rows of a table or cells of a row, in content controls too; those of a table inside it are its own."""
    for child in element:
        local = _local(child)
        if local == name:
            yield child
        elif local in ("sdt", "sdtContent", "ins", "customXml", "smartTag") and depth < _DEEPEST:
            yield from _children(child, name, depth + 1)


def _row(line: ElementTree.Element, file: str, row: int) -> list[Item]:
    cells: list[Item] = []
    for cell in _children(line, "tc"):
        cells.append(Item(" ".join(_text(cell, 0).split()), Place(file, row, len(cells) + 1)))
        cells += [Item("", Place(file, row, len(cells) + 1)) for _ in range(_span(cell) - 1)]
        if len(cells) > MOST_COLUMNS:
            raise fault(
                say("holds more than {count:,} columns", count=MOST_COLUMNS), Place(file, row, MOST_COLUMNS + 1)
            )
    return cells


def _span(cell: ElementTree.Element) -> int:
    """How many columns a cell takes."""
    for properties in cell:
        for one in properties if _local(properties) == "tcPr" else ():
            if _local(one) == "gridSpan":
                value = next((text for name, text in one.attrib.items() if name.endswith("}val")), "1")
                return min(int(value), MOST_COLUMNS) if value.isdecimal() and value.isascii() else 1
    return 1


def _text(element: ElementTree.Element, depth: int) -> str:
    """The text of a cell, as a calculation would be typed."""
    if depth > _DEEPEST:
        return ""
    name = _local(element)
    if name in ("t", "m:t"):
        return element.text or ""
    if name in ("br", "cr", "tab"):
        return " "
    if name in ("del", "moveFrom", "tbl"):
        return ""
    if name == "m:f":
        parts = {_local(child): _text(child, depth + 1) for child in element}
        return f"({parts.get('m:num', '')})/({parts.get('m:den', '')})"
    if name == "m:sSup":
        parts = {_local(child): _text(child, depth + 1) for child in element}
        return f"{parts.get('m:e', '')}^{parts.get('m:sup', '')}"
    inner = "".join(_text(child, depth + 1) for child in element)
    if name == "p":
        return f"{inner} "
    if name == "r" and inner.strip() and _is_raised(element):
        return f"^{inner}"
    if name == "m:d":
        return f"({inner})"
    return inner


def _is_raised(run: ElementTree.Element) -> bool:
    for properties in run:
        for one in properties if _local(properties) == "rPr" else ():
            if _local(one) == "vertAlign":
                return any(value == "superscript" for value in one.attrib.values())
    return False
