"""Texts, tables and pictures fitted into an area, as shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from archcalc.core.language import balanced, direction, say
from archcalc.passes.analysis import Analysis
from archcalc.render.decks.slides import Area, Table
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.drawing import Anchor, Cluster, Curve, Drawing, Link, Rect, Shape, Text, shifted_link
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.text import clean, shorten, text_width, wrap
from archcalc.render.diagrams.theme import Theme, mix

#: The sizes of fonts that are tried, the largest that fits.
TABLE_SIZES = (15.0, 14.0, 13.0, 12.0, 11.0, 10.5)
#: A row of a table is so many times as high as its text; what stands at the sides of a cell.
ROW, CELL = 1.72, 7.0
#: The same where a table has few rows, so that it fills its slide.
ROOMY = 2.3
#: A column of words is not made narrower than this, in points.
NARROWEST = 60.0
#: What a second row of a legend takes from a picture, in points.
LEGEND_ROW = 16.0
#: Rows that a table of one slide has.
MOST_ROWS = 17


class Grid(NamedTuple):
    """A table as it is shown: its texts, the size of its font, and the widths of its columns."""

    table: Table
    size: float
    widths: tuple[float, ...]
    #: Lines of the heads.
    lines: int = 1
    #: How many times as high as its text a row is.
    spacing: float = ROW

    @property
    def row(self) -> float:
        return self.size * self.spacing

    @property
    def width(self) -> float:
        return sum(self.widths)


def grid(table: Table, area: Area) -> Grid:
    """The largest font with which a table fits; where none does, the longest texts are shortened."""
    heads, size, widths = max(
        (_sized(heads, table, area) for heads in (table.heads, tuple(_in_two(clean(head)) for head in table.heads))),
        key=lambda found: found[1],
    )
    rows, lines = [heads, *table.rows], max(head.count("\n") for head in heads) + 1
    over = sum(widths) - area.width
    while over > 0.5:
        words = [at for at, right in enumerate(table.right) if not right and widths[at] > NARROWEST]
        at = max(words or range(len(widths)), key=lambda column: widths[column])
        cut = min(over, max(widths[at] * 0.1, 4.0))
        widths[at] -= cut
        over -= cut
    texts = [
        tuple(
            "\n".join(shorten(clean(line), width - 2 * CELL + 0.5, size, index == 0) for line in text.split("\n"))
            for text, width in zip(row, widths, strict=True)
        )
        for index, row in enumerate(rows)
    ]
    # A table of few columns is drawn apart a little, not across the whole slide.
    spare = min(area.width - sum(widths), 24.0 * len(widths)) / len(widths)
    shown = table._replace(heads=texts[0], rows=tuple(texts[1:]))
    spacing = max(min(area.height / ((len(rows) + lines - 1) * size), ROOMY), ROW)
    return Grid(shown, size, tuple(width + spare for width in widths), lines, spacing)


def _sized(heads: tuple[str, ...], table: Table, area: Area) -> tuple[tuple[str, ...], float, list[float]]:
    """The heads, the largest font with which a table with them fits, or the smallest, and the widths of its columns."""
    rows, lines = [heads, *table.rows], max(head.count("\n") for head in heads) + 1
    for size in TABLE_SIZES:
        widths = [max(_cell_width(row[at], size, row is heads) for row in rows) for at in range(len(heads))]
        if sum(widths) <= area.width and (len(rows) + lines - 1) * size * ROW <= area.height:
            break
    return heads, size, widths


def _cell_width(text: str, size: float, bold: bool) -> float:
    return max(text_width(clean(line), size, bold) for line in text.split("\n")) + 2 * CELL


def _in_two(head: str) -> str:
    """A head in two lines that are as short as its words allow; one word stays one line."""
    words = head.split(" ")
    cuts = (balanced([" ".join(words[:at]), " ".join(words[at:])]) for at in range(1, len(words)))
    return "\n".join(min(cuts, key=lambda parts: max(text_width(part, 1.0, True) for part in parts), default=[head]))


def table_shapes(shown: Grid, area: Area, theme: Theme) -> Cluster:
    """A table as shapes, for formats without tables of their own."""
    table, size = shown.table, shown.size
    shapes: list[Shape] = []
    y = area.y
    is_turned = direction() == "rtl"
    left = area.x + (area.width - shown.width if is_turned else 0.0)
    for index, row in enumerate([table.heads, *table.rows]):
        total = table.total and index == len(table.rows)
        height = shown.row * (shown.lines if index == 0 else 1)
        if index == 0 or total:
            shapes.append(Rect(left, y, shown.width, height, mix(theme.background, theme.frame.line, 0.45)))
        elif index % 2 == 0:
            shapes.append(Rect(left, y, shown.width, height, theme.frame.fill))
        x = left + shown.width if is_turned else left
        for text, width, right in zip(row, shown.widths, table.right, strict=True):
            x -= width if is_turned else 0.0
            at, anchor = (x + width - CELL, "end") if right or is_turned else (x + CELL, "start")
            bold = index == 0 or total
            lines = text.split("\n") if text else []
            for number, line in enumerate(lines):
                middle = y + height * 0.5 + (number - (len(lines) - 1) / 2) * size * 1.3
                shapes.append(Text(at, middle + size * 0.36, line, size, theme.ink, bold, anchor))  # type: ignore[arg-type]  # one of two words
            x += 0.0 if is_turned else width
        y += height
    return Cluster(say("Table"), tuple(shapes), "plain")


_ENDS: dict[Anchor, Anchor] = {"start": "end", "middle": "middle", "end": "start"}


def placed_for_reading(item: Cluster, width: float) -> Cluster:
    """What is laid out from the left; the other way round, within a width, in a language from right to left."""
    if direction() == "ltr":
        return item
    shapes: list[Shape] = []
    for shape in item.shapes:
        if isinstance(shape, Text):
            shapes.append(shape._replace(x=width - shape.x, anchor=_ENDS[shape.anchor]))
        elif isinstance(shape, Curve):
            shapes.append(shape._replace(points=tuple((width - x, y) for x, y in shape.points)))
        else:
            shapes.append(shape._replace(x=width - shape.x - shape.width))
    return item._replace(shapes=tuple(shapes))


class Fitted(NamedTuple):
    """A picture in the coordinates of a slide's contents, and what there is to say about it."""

    items: tuple[Cluster, ...]
    links: tuple[Link, ...]
    about: str
    smallest: float


def picture(analysis: Analysis, choices: Choices, area: Area) -> Fitted:
    """A drawing of a network, as large as the area allows."""
    fitted = replace(choices, fit=f"{area.width:g}:{area.height:g}", page_height=area.height - LEGEND_ROW, title="")
    drawing, _ = drawing_of(analysis, fitted, links=True)
    return placed(drawing, area)


def placed(drawing: Drawing, area: Area) -> Fitted:
    """A drawing in the middle of an area."""
    factor = min(area.width / drawing.width, area.height / drawing.height)
    dx = area.x + (area.width - drawing.width * factor) / 2
    dy = area.y + (area.height - drawing.height * factor) / 2
    items = tuple(item.moved(dx, dy, factor) for item in drawing.items)
    links = tuple(shifted_link(link, dx, dy, factor) for link in drawing.links)
    smallest = min((shape.size * factor for shape in drawing.shapes() if isinstance(shape, Text)), default=12.0)
    return Fitted(items, links, drawing.description, smallest)


def lines_of(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """A text in lines, without what no picture can hold."""
    return wrap(clean(text), width, size, bold)


def text_lines(
    lines: Sequence[str], x: float, y: float, size: float, colour: str, bold: bool = False, leading: float = 1.3
) -> tuple[list[Shape], float]:
    """Lines below each other, and where the next one begins; `y` is the top of the first."""
    shapes: list[Shape] = []
    for line in lines:
        shapes.append(Text(x, y + size * 0.92, line, size, colour, bold))
        y += size * leading
    return shapes, y
