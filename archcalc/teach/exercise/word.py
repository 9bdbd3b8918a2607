"""Worksheets as Word documents: to be printed, or filled in and handed in again."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any
from unicodedata import bidirectional

from archcalc.core import words
from archcalc.core.language import direction
from archcalc.render.diagrams.pptx import DATE, without_dates
from archcalc.teach.exercise.contents import fill, number_columns, rows_of, title_of
from archcalc.teach.exercise.worksheet import Worksheet

#: The sides of a landscape page of A4 and its margins, in millimetres; the size of the table's text in points.
_WIDTH, _HEIGHT, _MARGIN = 297, 210, 15
_TEXT = 9
#: Shares of the width: of the columns of words, and of each column of numbers.
_WORDS, _READS, _NUMBER = (3, 5), 3, 3
#: What a cell to fill in is shaded with.
_SHADE = "FFF8E1"


def docx(sheet: Worksheet, student: str, key: bool) -> bytes:
    """A document with the table; the same worksheet gives the same bytes."""
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    document = Document()
    title = title_of(sheet, student, key)
    properties = document.core_properties
    properties.title, properties.author, properties.last_modified_by = (
        words.document_property(title),
        "archcalc",
        "archcalc",
    )
    properties.comments = ""
    properties.created = properties.modified = datetime(*DATE, tzinfo=UTC)
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(_WIDTH), Mm(_HEIGHT)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(_MARGIN)
    document.add_heading(title, 1)
    fill(
        sheet,
        student,
        key,
        document.add_paragraph,
        lambda: _table(document, sheet, key),
        lambda text, level: document.add_heading(words.line(text), level),
    )
    if direction() == "rtl":
        _turn(document)
    target = io.BytesIO()
    document.save(target)
    return without_dates(target.getvalue())


def _table(document: Any, sheet: Worksheet, key: bool) -> None:
    """The table, its heading again on every page. Rows are written as XML: one by one they take a square of time."""
    from docx.shared import Mm

    rows = rows_of(sheet, key)
    right = number_columns(sheet)
    table = document.add_table(rows=1 + len(rows), cols=len(right), style="Table Grid")
    table.autofit = False
    shares = [*_WORDS, *([_READS] if sheet.branches else []), *(_NUMBER for _ in sheet.quantities)]
    widths = [Mm((_WIDTH - 2 * _MARGIN) * share / sum(shares)) for share in shares]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    for index, row in enumerate(table._tbl.tr_lst):
        shown = [(head, False) for head in sheet.heads] if index == 0 else rows[index - 1]
        for at, (cell, (text, blank)) in enumerate(zip(row.tc_lst, shown, strict=True)):
            cell.width = widths[at]
            _fill(cell, words.line(text), bold=index == 0 or (key and blank), right=right[at])
            if blank and not key:
                _shade(cell)
    _repeat(table._tbl.tr_lst[0])


def _fill(cell: Any, text: str, bold: bool, right: bool) -> None:
    """The text of a cell, in the size of the table."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt
    from docx.text.paragraph import Paragraph

    paragraph = Paragraph(cell.p_lst[0], cell)
    run = paragraph.add_run(text)
    run.font.size, run.font.bold = Pt(_TEXT), bold
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _turn(document: Any) -> None:
    """Paragraphs, runs and the columns of tables from right to left."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for table in document.tables:
        table._tbl.tblPr.insert(1, OxmlElement("w:bidiVisual"))  # after its style
    for paragraph in document.element.body.iter(qn("w:p")):
        if paragraph.pPr is not None and paragraph.pPr.jc is not None:
            continue  # of a column of numbers, which stand at the right as they are
        paragraph.get_or_add_pPr().insert_element_before(
            OxmlElement("w:bidi"), "w:adjustRightInd", "w:spacing", "w:ind", "w:jc", "w:rPr"
        )  # fmt: skip
    for run in document.element.body.iter(qn("w:r")):
        if any(bidirectional(sign) == "R" for text in run.t_lst for sign in text.text or ""):
            run.get_or_add_rPr().append(OxmlElement("w:rtl"))


def _shade(cell: Any) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shade = OxmlElement("w:shd")
    for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", _SHADE)):
        shade.set(qn(name), value)
    cell.get_or_add_tcPr().append(shade)


def _repeat(row: Any) -> None:
    """A row that stands at the top of every page of its table."""
    from docx.oxml import OxmlElement

    row.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
