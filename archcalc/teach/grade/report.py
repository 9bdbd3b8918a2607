"""The report of a class as one file: Markdown, a page, or a spreadsheet with a sheet for each part."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from archcalc.core import words
from archcalc.core.language import direction, without_isolates
from archcalc.core.markup import html_page
from archcalc.render.diagrams.pptx import DATE
from archcalc.teach.grade.overview import Overview, Section, heading, in_order, render_overview, spread
from archcalc.teach.grade.plot import draw_overview

ENDINGS = (".html", ".md", ".xlsx")
_WIDEST = 60


def report(overview: Overview, ending: str, more: Sequence[Section] = ()) -> bytes:
    """The report in the form of an ending of `ENDINGS`; the same grades give the same bytes."""
    if ending == ".xlsx":
        return _xlsx(overview, more)
    text = _html(overview, more) if ending == ".html" else render_overview(overview, None, more)
    return text.encode("utf-8", "backslashreplace")


def _html(overview: Overview, more: Sequence[Section]) -> str:
    """A page that needs nothing else, with the picture in it; all that students wrote is escaped."""
    title = heading(overview)
    out = [f"<h1>{escape(title)}</h1>"]
    if overview.graded:
        drawn = draw_overview(overview).decode()
        out += [f"<p>{escape(spread(overview.shares))}</p>", f'<div class="wide">{drawn[drawn.index("<svg") :]}</div>']
    for section in in_order(overview, more):
        out.append(f"<h2>{escape(section.title)}</h2>")
        out += [f"<p>{escape(note)}</p>" for note in section.notes]
        if section.heads:
            out.append(f'<div class="wide"><table class="sheet">\n{_rows(section)}\n</table></div>')
    style = files("archcalc.teach.exercise").joinpath("page.css").read_text(encoding="utf-8")
    return html_page(title, style, "\n".join(out))


def _rows(section: Section) -> str:
    def number(at: int) -> str:
        return ' class="number"' if at in section.numbers else ""

    heads = "".join(f'<th scope="col"{number(at)}>{escape(head)}</th>' for at, head in enumerate(section.heads))
    rows = [
        "<tr>"
        + "".join(f"<td{number(at)}>{escape(words.line(str(cell)))}</td>" for at, cell in enumerate(row))
        + "</tr>"
        for row in section.rows
    ]
    return "\n".join([f"<thead><tr>{heads}</tr></thead>", "<tbody>", *rows, "</tbody>"])


def _xlsx(overview: Overview, more: Sequence[Section]) -> bytes:
    import openpyxl

    book: Any = openpyxl.Workbook()
    book.remove(book.active)
    for section in reversed(in_order(overview, more)):  # the grades first
        sheet = book.create_sheet(without_isolates(section.title))
        for row in [section.heads or ("submission",), *(section.rows or [(note,) for note in section.notes])]:
            sheet.append([None] * len(row))
            for at, cell in enumerate(row, 1):
                _fill(sheet.cell(sheet.max_row, at), cell, at - 1 in section.numbers)
        sheet.sheet_view.rightToLeft = direction() == "rtl"
        for column in sheet.columns:
            longest = max(len(str(cell.value or "")) for cell in column)
            sheet.column_dimensions[column[0].column_letter].width = min(longest + 2, _WIDEST)
        sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return _undated(out.getvalue())


def _fill(place: Any, value: str | int, is_number: bool) -> None:
    """A number as a number; a text is never a formula."""
    if isinstance(value, int):
        place.value = value
    elif is_number and re.fullmatch(r"\d+(\.\d+)?", value):
        place.value = float(value)
    else:
        place.value = without_isolates(words.line(value))
        place.data_type = "s"


def _undated(data: bytes) -> bytes:
    """The file without the time at which it was written."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"(<dcterms:\w+[^>]*>)[^<]*", rb"\g<1>1980-01-01T00:00:00Z", part)
            new.writestr(zipfile.ZipInfo(name, DATE), part, zipfile.ZIP_DEFLATED)
    return target.getvalue()
