"""A demonstration as drawings: its matrices, and for each step what is read, what is written and the calculation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archcalc.core.demonstration import Cell, Demonstration, Grid, written_number
from archcalc.core.language import say, say_many
from archcalc.render.diagrams.drawing import Cluster, Drawing, Rect, Shape, Text
from archcalc.render.diagrams.text import clean, shorten, text_width, wrap
from archcalc.render.diagrams.theme import Theme, mix

MARGIN, GAP, BELOW = 24.0, 34.0, 14.0
TITLE, SUBTITLE, HEAD, NAME, LINE = 18.0, 12.0, 13.0, 11.0, 13.0
#: The size of a number, and the sides of a cell: as wide as the longest number wants.
NUMBER, HEIGHT, NARROWEST = 12.0, 20.0, 20.0
#: Matrices of one group stand in one column up to this height; then a further column begins.
TALLEST = 620.0
#: Matrices of more numbers have smaller cells.
SMALL = 500


class Place(NamedTuple):
    """Where a matrix lies, and the sides of its cells."""

    x: float
    y: float
    width: float
    height: float


class Frames:
    """The drawings of a demonstration: `drawing(0)` before the first step, `drawing(k)` after step k."""

    def __init__(self, demonstration: Demonstration, theme: Theme) -> None:
        self.demonstration, self.theme = demonstration, theme
        self.grids = demonstration.grids()
        self.places: list[Place] = []
        self.heads: list[Cluster] = []
        self.bottom = 0.0
        self.right = self._lay_out()
        wanted = min(text_width(clean(demonstration.title), TITLE, True), 1200.0) + MARGIN
        self.width = max(self.right, wanted, 560.0) + MARGIN
        self.lines = max((len(self._lines(number)) for number in range(len(demonstration.steps) + 1)), default=0)
        notes = [line for note in demonstration.notes for line in wrap(clean(note), self.width - 2 * MARGIN, SUBTITLE)]
        self.notes = notes
        self.height = self.bottom + 20 + self.lines * LINE * 1.35 + 14 + len(notes) * SUBTITLE * 1.35 + MARGIN

    def __len__(self) -> int:
        return len(self.demonstration.steps)

    def _top(self) -> float:
        return MARGIN + TITLE + 8 + (SUBTITLE + 8 if self.demonstration.subtitle else 0) + 16

    def _lay_out(self) -> float:
        """Groups from left to right, their matrices below each other."""
        x, top, number = MARGIN, self._top(), 0
        for group in self.demonstration.groups:
            title = clean(group.title)
            self.heads.append(Cluster(title, (Text(x, top, title, HEAD, self.theme.ink, True),), "plain"))
            y, widest, column = top + 10, text_width(title, HEAD, True), x
            for grid in group.grids:
                width, height = _cell(grid, self.demonstration, number)
                rows, columns = len(grid.values), len(grid.values[0])
                if y > top + 10 and y + NAME + 6 + rows * height > top + TALLEST:
                    column, y, widest = column + widest + 12, top + 10, 0.0
                self.places.append(Place(column, y + NAME + 6, width, height))
                widest = max(widest, columns * width, text_width(clean(grid.name), NAME))
                y += NAME + 6 + rows * height + BELOW
                self.bottom = max(self.bottom, y)
                number += 1
            x = column + widest + GAP
        return x - GAP

    def base(self) -> list[Cluster]:
        """What no step changes: titles, matrices with their first numbers, notes."""
        shown, theme = self.demonstration, self.theme
        words = shorten(clean(shown.title), self.width - 2 * MARGIN, TITLE, True)
        title = Text(MARGIN, MARGIN + TITLE, words, TITLE, theme.ink, True)
        words = shorten(clean(shown.subtitle), self.width - 2 * MARGIN, SUBTITLE)
        head = [title, Text(MARGIN, MARGIN + TITLE + SUBTITLE + 8, words, SUBTITLE, theme.quiet)]
        items = [Cluster(title.text, tuple(head), "title"), *self.heads]
        written = {one.cell for step in shown.steps for one in step.written}
        for number, grid in enumerate(self.grids):
            items.append(Cluster(clean(grid.name), tuple(self._matrix(number, grid, written)), "plain"))
        y = self.height - MARGIN - len(self.notes) * SUBTITLE * 1.35
        notes = [
            Text(MARGIN, y + (at + 1) * SUBTITLE * 1.35, line, SUBTITLE, theme.quiet)
            for at, line in enumerate(self.notes)
        ]
        return [*items, Cluster(say("Notes"), tuple(notes), "plain")]

    def _matrix(self, number: int, grid: Grid, written: set[Cell]) -> Iterator[Shape]:
        place, theme = self.places[number], self.theme
        yield Text(place.x, place.y - 5, clean(grid.name), NAME, theme.quiet)
        top, left, rows, columns = grid.inner
        for i, row in enumerate(grid.values):
            for j, value in enumerate(row):
                inside = top <= i < top + rows and left <= j < left + columns
                fill = theme.background if inside else theme.frame.fill
                yield self._box(Cell(number, i, j), fill, theme.frame.line)
                if value is not None and Cell(number, i, j) not in written:
                    ink = theme.ink if inside and value else theme.quiet
                    yield self._number(Cell(number, i, j), value, ink)

    def _box(self, cell: Cell, fill: str, line: str, thickness: float = 0.8) -> Rect:
        place = self.places[cell.grid]
        return Rect(place.x + cell.column * place.width, place.y + cell.row * place.height, place.width, place.height,
                    fill, line, thickness)  # fmt: skip

    def _number(self, cell: Cell, value: float, ink: str, bold: bool = False) -> Text:
        place = self.places[cell.grid]
        size = min(NUMBER, place.height * 0.62)
        x = place.x + (cell.column + 0.5) * place.width
        y = place.y + (cell.row + 0.5) * place.height + size * 0.36
        return Text(x, y, written_number(value), size, ink, bold, "middle")

    def _lines(self, number: int) -> list[str]:
        """The calculation of a step; before the first one what there is to see."""
        width = self.width - 2 * MARGIN
        if number == 0:
            return []
        step = self.demonstration.steps[number - 1]
        return [
            line
            for text in (say("{number}. {title}", number=number, title=step.title), *step.lines)
            for line in wrap(clean(text), width, LINE)
        ]

    def overlay(self, number: int) -> list[Cluster]:
        """What is as it is after step `number`: numbers written so far, what this step reads and writes, its lines."""
        theme, steps = self.theme, self.demonstration.steps
        values: dict[Cell, float] = {}
        for grid_number, grid in enumerate(self.grids):
            for i, row in enumerate(grid.values):
                for j, value in enumerate(row):
                    if value is not None:
                        values[Cell(grid_number, i, j)] = value
        changed: dict[Cell, float] = {}
        touched = {one.cell for step in steps for one in step.written}
        for step in steps[:number]:
            changed |= {one.cell: one.value for one in step.written}
        shapes: list[Shape] = []
        now = steps[number - 1] if number else None
        marks: dict[Cell, str] = {}
        if now is not None:
            for cells, family in ((now.read, "convolution"), (now.weights, "pooling")):
                marks |= dict.fromkeys(cells, family)
            marks |= {one.cell: "normalisation" for one in now.written}
        for cell, family in marks.items():
            paint = theme.families[family]
            shapes.append(self._box(cell, mix(paint.fill, paint.line, 0.12), paint.line, 1.4))
        for cell in touched | set(marks):
            shown = changed.get(cell, values.get(cell))
            if shown is not None:
                shapes.append(self._number(cell, shown, theme.ink, cell in marks))
        shapes.sort(key=lambda shape: isinstance(shape, Text))
        y = self.bottom + 20
        lines = [
            Text(MARGIN, y + (at + 1) * LINE * 1.35, line, LINE, theme.ink, at == 0)
            for at, line in enumerate(self._lines(number))
        ]
        said = clean(now.title) if now else say("Before the first step")
        return [Cluster(said, tuple(shapes), "plain"), Cluster(say("Calculation"), tuple(lines), "plain")]

    def drawing(self, number: int) -> Drawing:
        """The picture after a step."""
        return self.drawn([*self.base(), *self.overlay(number)])

    def drawn(self, items: list[Cluster]) -> Drawing:
        """A picture of this size."""
        shown = self.demonstration
        steps = say_many("{count} step", "{count} steps", len(shown.steps))
        about = f"{shown.subtitle}. {steps}. {' '.join(shown.notes)}"
        return Drawing(self.width, self.height, self.theme.background, clean(shown.title), clean(about), tuple(items))


def _cell(grid: Grid, shown: Demonstration, number: int) -> tuple[float, float]:
    """The sides of a cell: wide enough for every number that will stand in it."""
    values = {value for row in grid.values for value in row if value is not None}
    values |= {one.value for step in shown.steps for one in step.written if one.cell.grid == number}
    count = len(grid.values) * len(grid.values[0])
    height = HEIGHT if count <= SMALL else 15.0
    size = min(NUMBER, height * 0.62)
    widest = max((text_width(written_number(value), size, True) for value in values), default=0.0)
    return max(widest + 7, height if count > SMALL else NARROWEST), height
