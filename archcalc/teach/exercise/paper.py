"""Worksheets as PDF: pages of A4 to print, whose blanks are also form fields that any reader of PDF fills in.

A field is called `layer|quantity`, so that `archcalc grade` reads what a student typed. Source: ISO 32000-1, section
12.7 (interactive forms).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from archcalc.core import words
from archcalc.core.language import direction
from archcalc.render.convert import document, written
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Rect, Shape, Text
from archcalc.render.diagrams.svg import svg
from archcalc.render.diagrams.text import clean, text_width, wrap
from archcalc.render.diagrams.theme import LIGHT
from archcalc.teach.exercise.contents import (
    Cell,
    fill,
    number_columns,
    rows_of,
    title_of,
)
from archcalc.teach.exercise.worksheet import Worksheet

if TYPE_CHECKING:
    from pypdf import PdfWriter

#: A landscape page of A4 and its margin, in points; sizes of fonts.
WIDTH, HEIGHT, MARGIN = 842.0, 595.0, 40.0
_TITLE, _HEAD, _TEXT, _FOOT = 17.0, 12.0, 9.0, 8.0
_LEADING, _PAD = 1.35, 4.0
#: The least width of a column of numbers; of what is left, columns of words share this.
_NUMBERS = 84.0
_SHARES, _READS = (3, 5), 3


class Field(NamedTuple):
    """A form field: its page, its rectangle from the top left corner, and what it asks for."""

    page: int
    x: float
    y: float
    width: float
    height: float
    name: str
    hint: str


def field_name(layer: str, quantity: str) -> str:
    """The name of the field of a blank. A full stop would begin a field inside another one."""
    return f"{layer}|{quantity}".replace("%", "%25").replace(".", "%2E")


def pdf(sheet: Worksheet, student: str, key: bool) -> bytes:
    """The pages; the same worksheet gives the same bytes."""
    paper = _Paper(title_of(sheet, student, key))
    paper.title()
    fill(sheet, student, key, paper.text, lambda: _table(paper, sheet, key), paper.heading)
    made = document([svg(page) for page in paper.drawings()], clean(paper.name), "Made by archcalc")
    if paper.fields:
        _add_fields(made, paper.fields)
    return written(made)


_MIRRORED: dict[str, Literal["start", "middle", "end"]] = {"start": "end", "middle": "middle", "end": "start"}


def mirrored(shape: Shape) -> Shape:
    """A shape of a page that runs from right to left."""
    if isinstance(shape, Text):
        return shape._replace(x=WIDTH - shape.x, anchor=_MIRRORED[shape.anchor])
    if isinstance(shape, Rect):
        return shape._replace(x=WIDTH - shape.x - shape.width)
    assert isinstance(shape, Curve)
    return shape._replace(points=tuple((WIDTH - x, y) for x, y in shape.points))


class _Paper:
    """Pages that are filled from the top to the bottom."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: list[Field] = []
        self._pages: list[list[Shape]] = []
        self._new_page()

    def _new_page(self) -> None:
        self._pages.append([])
        self.y = MARGIN

    def need(self, height: float) -> bool:
        """Whether a new page had to begin for so much height."""
        if self.y + height <= HEIGHT - MARGIN:
            return False
        self._new_page()
        return True

    def add(self, *shapes: Shape) -> None:
        self._pages[-1] += map(mirrored, shapes) if direction() == "rtl" else shapes

    @property
    def page(self) -> int:
        """The index of the current page."""
        return len(self._pages) - 1

    def title(self) -> None:
        self._lines(self.name, _TITLE, True)
        self.y += 4

    def heading(self, text: str, level: int) -> None:
        size = _HEAD if level == 2 else _TEXT
        self.y += size * 0.5
        self.need(size * _LEADING * 3)
        self._lines(words.line(text), size, True)

    def text(self, text: str) -> None:
        self._lines(words.line(text), _TEXT, False)
        self.y += 2

    def _lines(self, text: str, size: float, bold: bool) -> None:
        for line in wrap(clean(text), WIDTH - 2 * MARGIN, size, bold):
            self.need(size * _LEADING)
            self.add(Text(MARGIN, self.y + size, line, size, LIGHT.ink, bold))
            self.y += size * _LEADING

    def drawings(self) -> Iterator[Drawing]:
        count = len(self._pages)
        for number, shapes in enumerate(self._pages, 1):
            foot: Shape = Text(
                WIDTH - MARGIN, HEIGHT - MARGIN / 2, f"{number} / {count}", _FOOT, LIGHT.quiet, False, "end"
            )
            foot = mirrored(foot) if direction() == "rtl" else foot
            yield Drawing(WIDTH, HEIGHT, "#ffffff", self.name, "", (Cluster("", (*shapes, foot), "plain"),))


def _table(paper: _Paper, sheet: Worksheet, key: bool) -> None:
    right = number_columns(sheet)
    rows = rows_of(sheet, key)
    numbers = [
        max(_NUMBERS, *(text_width(clean(text), _TEXT, True) + 2 * _PAD for text in _texts(sheet, rows, at)))
        for at, is_number in enumerate(right)
        if is_number
    ]
    shares = [*_SHARES, *([_READS] if sheet.branches else [])]
    left = WIDTH - 2 * MARGIN - sum(numbers)
    widths = [*(left * share / sum(shares) for share in shares), *numbers]
    paper.y += 6
    _head(paper, sheet, widths, right)
    first = len(shares)
    for line, row in zip(sheet.lines, rows, strict=True):
        texts = [_lines(cell.text, widths[at] - 2 * _PAD, key and cell.blank) for at, cell in enumerate(row)]
        height = max(map(len, texts)) * _TEXT * _LEADING + 2 * _PAD
        if paper.need(height):
            _head(paper, sheet, widths, right)
        x = MARGIN
        for at, (lines, cell, width) in enumerate(zip(texts, row, widths, strict=True)):
            if cell.blank and not key:
                paper.add(Rect(x + 1, paper.y + 1, width - 2, height - 2, None, LIGHT.quiet, 0.6))
                quantity = sheet.quantities[at - first]
                hint = f"{line.layer}, {sheet.heads[at]}"
                name = field_name(line.layer, quantity)
                left = WIDTH - x - width if direction() == "rtl" else x
                paper.fields.append(Field(paper.page, left + 2, paper.y + 2, width - 4, height - 4, name, hint))
            _cell(paper, lines, x, width, right[at], key and cell.blank)
            x += width
        paper.y += height
        paper.add(Curve(((MARGIN, paper.y), (WIDTH - MARGIN, paper.y)), LIGHT.frame.line, 0.4))


def _texts(sheet: Worksheet, rows: Sequence[Sequence[Cell]], at: int) -> list[str]:
    """What a column of numbers must be wide enough for: its numbers, and each word of its heading."""
    return [*(row[at].text for row in rows), *sheet.heads[at].split()]


def _lines(text: str, width: float, bold: bool) -> list[str]:
    """A text in lines; the name of a layer that is too long is broken after a slash."""
    mark = "/\u200b"
    return [line.replace(f"{mark} ", "/").replace(mark, "/") for line in _wrapped(text, mark, width, bold)]


def _wrapped(text: str, mark: str, width: float, bold: bool) -> list[str]:
    plain = clean(text)
    if all(text_width(word, _TEXT, bold) <= width for word in plain.split()):
        return wrap(plain, width, _TEXT, bold)
    return wrap(plain.replace("/", f"{mark} "), width, _TEXT, bold)


def _head(paper: _Paper, sheet: Worksheet, widths: Sequence[float], right: Sequence[bool]) -> None:
    texts = [wrap(head, width - 2 * _PAD, _TEXT, True) for head, width in zip(sheet.heads, widths, strict=True)]
    x = MARGIN
    for lines, width, is_number in zip(texts, widths, right, strict=True):
        _cell(paper, lines, x, width, is_number, True)
        x += width
    paper.y += max(map(len, texts)) * _TEXT * _LEADING + 2 * _PAD
    paper.add(Curve(((MARGIN, paper.y), (WIDTH - MARGIN, paper.y)), LIGHT.ink, 0.8))


def _cell(paper: _Paper, lines: Sequence[str], x: float, width: float, right: bool, bold: bool) -> None:
    for number, line in enumerate(lines):
        y = paper.y + _PAD + _TEXT + number * _TEXT * _LEADING
        if right:
            paper.add(Text(x + width - _PAD, y, line, _TEXT, LIGHT.ink, bold, "end"))
        else:
            paper.add(Text(x + _PAD, y, line, _TEXT, LIGHT.ink, bold))


def _add_fields(writer: PdfWriter, fields: Sequence[Field]) -> None:
    """A text field over each blank; readers draw what is typed in Helvetica, which none lacks."""
    from pypdf.generic import (
        ArrayObject,
        BooleanObject,
        DictionaryObject,
        FloatObject,
        NameObject,
        NumberObject,
        TextStringObject,
    )  # fmt: skip

    def entries(**given: object) -> DictionaryObject:
        return DictionaryObject({NameObject(f"/{name}"): value for name, value in given.items()})

    added = ArrayObject()
    for field in fields:
        page = writer.pages[field.page]
        top = HEIGHT - field.y
        box = (field.x, top - field.height, field.x + field.width, top)
        widget = entries(
            Type=NameObject("/Annot"), Subtype=NameObject("/Widget"), FT=NameObject("/Tx"),
            T=TextStringObject(field.name), TU=TextStringObject(field.hint), V=TextStringObject(""),
            Rect=ArrayObject(FloatObject(round(side, 2)) for side in box), F=NumberObject(4), Q=NumberObject(2),
            DA=TextStringObject(f"/Helv {_TEXT:g} Tf 0 g"), P=page.indirect_reference,
        )  # fmt: skip
        reference = writer._add_object(widget)
        added.append(reference)
        annotations = page.setdefault(NameObject("/Annots"), ArrayObject())
        annotations.append(reference)
    font = entries(
        Type=NameObject("/Font"), Subtype=NameObject("/Type1"), BaseFont=NameObject("/Helvetica"),
        Encoding=NameObject("/WinAnsiEncoding"),
    )  # fmt: skip
    writer.root_object[NameObject("/AcroForm")] = entries(
        Fields=added, NeedAppearances=BooleanObject(True), DA=TextStringObject(f"/Helv {_TEXT:g} Tf 0 g"),
        DR=entries(Font=entries(Helv=writer._add_object(font))),
    )  # fmt: skip
