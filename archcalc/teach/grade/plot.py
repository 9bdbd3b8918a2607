"""A class at a glance: how many students made each mistake, and how each of the hardest cells was answered."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.core import words
from archcalc.core.language import say, say_many
from archcalc.render.charts.figure import EDGE, Figure, Look
from archcalc.render.charts.render import svg
from archcalc.render.charts.theme import LABEL, SUBTITLE, style
from archcalc.render.diagrams.text import clean, shorten, text_width, wrap
from archcalc.teach.grade.marks import percent
from archcalc.teach.grade.overview import ANSWERS, CellResults, Overview, cell_name

_MOST = 10
_BAR, _GAP, _HEAD, _LINE = 16, 8, 30, 14
#: Kinds of answers in a bar of cells, and the series whose colour each has; what is not answered is left empty.
_KINDS = tuple(zip(ANSWERS, (2, 0, 3, None), strict=True))
_NAMES = 300.0
#: The height of a further row of what colours mean.
_ROW = 18


def draw_overview(overview: Overview) -> bytes:
    """The picture as SVG. Raises `UsageError` where the library that draws is missing."""
    mistakes = overview.mistakes()[:_MOST]
    cells = [cell for cell in overview.cells() if cell.solved < 1][:_MOST]
    rows = [*((one.text, [one.students]) for one in mistakes),
            *((cell_name(cell.layer, cell.quantity), [cell.right, cell.carried, cell.wrong, cell.empty])
              for cell in cells)]  # fmt: skip
    height = 120 + sum(_height(name) + _GAP for name, _ in rows)
    height += _HEAD * (bool(mistakes) + bool(cells)) + (_ROW if cells else 0)
    students = len(overview.graded)
    figure = Figure(
        "grades",
        Look(height=max(height, 200)),
        title=clean(overview.title),
        subtitle=say_many("{count} submission graded.", "{count} submissions graded.", students),
        description=_description(overview),
        left=_NAMES,
        right=max([90.0, *(text_width(_solved(cell), LABEL) + EDGE + 12 for cell in cells)]),
        bottom=EDGE,
        heads=("what", "students"),
        rows=[(name, ", ".join(map(str, counts))) for name, counts in rows],
    )
    y = 0.0
    if mistakes:
        y = _heading(figure, y, say("Students who made each mistake"), ())
        for one in mistakes:
            y = _bar(figure, y, one.text, [one.students], (3,), students, str(one.students))
    if cells:
        y = _heading(figure, y + (_GAP if mistakes else 0), say("The hardest cells"), _KINDS)
        for cell in cells:
            name = cell_name(cell.layer, cell.quantity)
            counts = [cell.right, cell.carried, cell.wrong, cell.empty]
            series = tuple(index for _, index in _KINDS)
            y = _bar(figure, y, name, counts, series, cell.asked, _solved(cell))
    if not rows:
        figure.text(0, 20, say("Everything was answered right."), fontSize=SUBTITLE)
    return svg(figure.spec()).encode()


def _description(overview: Overview) -> str:
    mistakes = overview.mistakes()[:3]
    listed = ", ".join(f"{one.text} ({one.students})" for one in mistakes) or words.NONE
    return say(
        "Bars of a class of {count}. Most common mistakes by students: {mistakes}.",
        count=len(overview.graded), mistakes=listed,
    )  # fmt: skip


def _solved(cell: CellResults) -> str:
    return say("{share} solved", share=percent(cell.solved))


def _lines(name: str) -> list[str]:
    """What stands in front of a bar."""
    return [shorten(line, _NAMES - EDGE - 12, LABEL) for line in wrap(clean(name), _NAMES - EDGE - 12, LABEL)]


def _height(name: str) -> int:
    """The height that a bar has with its name."""
    return max(_BAR, len(_lines(name)) * _LINE)


def _heading(figure: Figure, y: float, text: str, legend: Sequence[tuple[str, int | None]]) -> float:
    """A line above bars, with what their parts mean; where the bars begin."""
    figure.text(EDGE - _NAMES, y + 16, text, fontSize=SUBTITLE, fontWeight="bold")
    start = text_width(text, SUBTITLE, True) + EDGE - _NAMES + 18
    x = max(start, 0.0)
    for name, index in legend:
        needed = 17 + text_width(say(name), LABEL)
        if x > EDGE - _NAMES and x + needed > figure.inner_width + figure.right - EDGE:
            x, y = EDGE - _NAMES, y + _ROW
        _rect(figure, x, y + 5, 12, 12, index)
        figure.text(x + 17, y + 16, say(name))
        x += needed + 18
    return y + _HEAD


def _bar(
    figure: Figure, y: float, name: str, counts: Sequence[int], series: Sequence[int | None], whole: int, label: str
) -> float:
    """A bar whose parts are shares of `whole`; where the next one begins."""
    lines, height = _lines(name), _height(name)
    top = y + (height - len(lines) * _LINE) / 2
    for number, line in enumerate(lines):
        figure.text(-10, top + number * _LINE + 11.5, line, align="right")
    end, y, x = y + height + _GAP, y + (height - _BAR) / 2, 0.0
    for count, index in zip(counts, series, strict=True):
        width = figure.inner_width * count / whole
        if count:
            _rect(figure, x, y, width, _BAR, index)
            # A number in each part tells it without its colour.
            if len(counts) > 1 and width > text_width(str(count), LABEL) + 6:
                figure.text(x + width / 2, y + 12.5, str(count), align="center")
        x += width
    figure.text(x + 8, y + 12.5, label)
    return end


def _rect(figure: Figure, x: float, y: float, width: float, height: float, index: int | None) -> None:
    paint = style(figure.theme, index) if index is not None else None
    place = {"x": round(x, 2), "x2": round(x + width, 2), "y": round(y, 2), "y2": round(y + height, 2)}
    figure.add(
        {
            "type": "rect",
            **place,
            "strokeWidth": 1,
            "fill": paint.fill if paint else figure.theme.background,
            "stroke": paint.line if paint else figure.theme.quiet,
        }
    )
