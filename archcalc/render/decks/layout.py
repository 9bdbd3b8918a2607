"""Texts, tables and pictures fitted into an area, as shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from archcalc.core.language import direction, say
from archcalc.passes.analysis import Analysis
from archcalc.render.decks.slides import Area, Table
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.drawing import Anchor, Cluster, Curve, Drawing, Link, Rect, Shape, Text, shifted_link
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.text import clean, shorten, text_width, wrap
from archcalc.render.diagrams.theme import Theme, mix

#: The sizes of fonts that are tried, the largest that fits; then smaller ones, which can be read still.
TABLE_SIZES, SMALL_SIZES = (15.0, 14.0, 13.0, 12.0, 11.0, 10.5), (10.0, 9.5, 9.0)
#: A row of a table is so many times as high as its text; each further line of it; what stands at the sides of a cell.
ROW, LINE, CELL = 1.72, 1.3, 7.0
#: The same where a table has few rows, so that it fills its slide.
ROOMY = 2.3
#: The most lines of a heading.
HEAD_LINES = 4
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
    #: How many times as high as its text a row of one line is.
    spacing: float = ROW

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The heads and the rows below them, all in lines."""
        return [self.table.heads, *self.table.rows]

    @property
    def heights(self) -> list[float]:
        return [self.size * (self.spacing + LINE * (_lines(row) - 1)) for row in self.rows]

    @property
    def width(self) -> float:
        return sum(self.widths)


def grid(table: Table, area: Area) -> Grid:
    """The largest font with which a table fits; where none does, the longest words are cut, but no number or shape."""
    shown = next(_fitting(table, area), None) or _cut(_sized(_arranged(table, HEAD_LINES, 2), SMALL_SIZES[-1]), area)
    count, further = len(shown.rows), sum(_lines(row) - 1 for row in shown.rows)
    # A table of few columns is drawn apart a little, not across the whole slide.
    spare = min(area.width - shown.width, 24.0 * len(shown.widths)) / len(shown.widths)
    spacing = max(min((area.height / shown.size - LINE * further) / count, ROOMY), ROW)
    return shown._replace(widths=tuple(width + spare for width in shown.widths), spacing=spacing)


def _fitting(table: Table, area: Area) -> Iterator[Grid]:
    """The ways in which a table fits, the best first: words in two lines are better than letters that are small."""
    for sizes, lines in product((TABLE_SIZES, SMALL_SIZES), (1, 2)):
        ways = [_arranged(table, heads, lines) for heads in range(1, HEAD_LINES + 1)]
        for size, way in product(sizes, ways):
            found = _sized(way, size)
            if found.width <= area.width and sum(found.heights) <= area.height:
                yield found


def _arranged(table: Table, heads: int, lines: int) -> Table:
    """A table with its heads and its words in up to so many lines."""
    rows = [
        tuple(_in_lines(text, lines if _has_words(table, text, at) else 1, False) for at, text in enumerate(row))
        for row in table.rows
    ]
    return table._replace(heads=tuple(_in_lines(head, heads, True) for head in table.heads), rows=tuple(rows))


def _sized(table: Table, size: float) -> Grid:
    """A table in a font, each column as wide as its widest text."""
    columns = zip(table.heads, *table.rows, strict=True)
    widths = [max(_cell_width(text, size, at == 0) for at, text in enumerate(column)) for column in columns]
    return Grid(table, size, tuple(widths))


def _cut(shown: Grid, area: Area) -> Grid:
    """A table that is too wide, its longest words and headings cut."""
    widths, table, size = list(shown.widths), shown.table, shown.size
    kept = []
    for at in range(len(widths)):
        whole = [row[at] for row in table.rows if not _has_words(table, row[at], at)]
        kept.append(max([NARROWEST, *(_cell_width(text, size, False) for text in whole)]))
    over = shown.width - area.width
    while over > 0.5:
        longest = [at for at, width in enumerate(widths) if width > kept[at]]
        at = max(longest or range(len(widths)), key=lambda column: widths[column])
        cut = min(over, max(widths[at] * 0.1, 4.0), widths[at] - kept[at] if longest else over)
        widths[at] -= cut
        over -= cut
    rows = [
        tuple(
            "\n".join(shorten(line, width - 2 * CELL + 0.5, size, index == 0) for line in text.split("\n"))
            for text, width in zip(row, widths, strict=True)
        )
        for index, row in enumerate(shown.rows)
    ]
    return shown._replace(table=table._replace(heads=rows[0], rows=tuple(rows[1:])), widths=tuple(widths))


def _has_words(table: Table, text: str, at: int) -> bool:
    """Whether a cell may be read in lines, or cut: a number or a shape may not."""
    return not table.right[at] and any(letter.isalpha() for letter in text)


def _lines(row: Sequence[str]) -> int:
    return max(text.count("\n") for text in row) + 1


def _cell_width(text: str, size: float, bold: bool) -> float:
    return max(text_width(line, size, bold) for line in text.split("\n")) + 2 * CELL


def _in_lines(text: str, most: int, bold: bool) -> str:
    """A text in at most so many lines, which are as short as its words allow."""
    text = clean(text)
    if most == 1 or " " not in text:
        return text
    low, high = max(text_width(word, 1.0, bold) for word in text.split()), text_width(text, 1.0, bold)
    for _ in range(10):  # to a thousandth of its width
        middle = (low + high) / 2
        low, high = (low, middle) if len(wrap(text, middle, 1.0, bold)) <= most else (middle, high)
    return "\n".join(wrap(text, high, 1.0, bold))


def row_colours(shown: Grid, theme: Theme) -> list[str]:
    """The ground of each row of a table: of its heading and total, and of every second one between."""
    found = [(theme.background, theme.frame.fill)[index % 2 == 0] for index in range(len(shown.rows))]
    for index in (0, -1)[: 1 + shown.table.total]:
        found[index] = mix(theme.background, theme.frame.line, 0.45)
    return found


def table_shapes(shown: Grid, area: Area, theme: Theme) -> Cluster:
    """A table as shapes, for formats without tables of their own."""
    table, size = shown.table, shown.size
    shapes: list[Shape] = []
    y = area.y
    is_turned = direction() == "rtl"
    left = area.x + (area.width - shown.width if is_turned else 0.0)
    grounds = row_colours(shown, theme)
    for index, (row, height) in enumerate(zip(shown.rows, shown.heights, strict=True)):
        total = table.total and index == len(table.rows)
        if (ground := grounds[index]) != theme.background:
            shapes.append(Rect(left, y, shown.width, height, ground))
        x = left + shown.width if is_turned else left
        for text, width, right in zip(row, shown.widths, table.right, strict=True):
            x -= width if is_turned else 0.0
            at, anchor = (x + width - CELL, "end") if right or is_turned else (x + CELL, "start")
            bold = index == 0 or total
            lines = text.split("\n") if text else []
            for number, line in enumerate(lines):
                middle = y + height * 0.5 + (number - (len(lines) - 1) / 2) * size * LINE
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
