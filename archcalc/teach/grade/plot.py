"""A class at a glance: how many students made each mistake, and how each of the hardest cells was answered."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.render.charts.figure import EDGE, Figure, Look
from archcalc.render.charts.render import svg
from archcalc.render.charts.theme import LABEL, SUBTITLE, style
from archcalc.render.diagrams.text import clean, shorten, text_width
from archcalc.teach.grade.marks import percent
from archcalc.teach.grade.overview import Overview

_MOST = 10
_BAR, _GAP, _HEAD = 16, 8, 30
#: Kinds of answers in a bar of cells, and the series whose colour each has; what is not answered is left empty.
_KINDS = (("right", 2), ("right given an earlier mistake", 0), ("wrong", 3), ("not answered", None))
_NAMES = 300.0


def draw_overview(overview: Overview) -> bytes:
    """The picture as SVG. Raises `UsageError` where the library that draws is missing."""
    mistakes = overview.mistakes()[:_MOST]
    cells = [cell for cell in overview.cells() if cell.solved < 1][:_MOST]
    rows = [*((one.name, [one.students]) for one in mistakes),
            *((f"{cell.layer} · {cell.quantity.replace('_', ' ')}", [cell.right, cell.carried, cell.wrong, cell.empty])
              for cell in cells)]  # fmt: skip
    bars = len(mistakes) + len(cells)
    height = 120 + bars * (_BAR + _GAP) + _HEAD * (bool(mistakes) + bool(cells))
    students = len(overview.graded)
    figure = Figure(
        "grades",
        Look(height=max(height, 200)),
        title=clean(overview.title),
        subtitle=f"{students} submission{'' if students == 1 else 's'} graded.",
        description=_description(overview),
        left=_NAMES,
        right=90,
        bottom=EDGE,
        heads=("what", "students"),
        rows=[(name, ", ".join(map(str, counts))) for name, counts in rows],
    )
    y = 0.0
    if mistakes:
        y = _heading(figure, y, "Students who made each mistake", ())
        for one in mistakes:
            y = _bar(figure, y, one.name.replace("_", " "), [one.students], (3,), students, str(one.students))
    if cells:
        y = _heading(figure, y + (_GAP if mistakes else 0), "The hardest cells", _KINDS)
        for cell in cells:
            name = f"{cell.layer} · {cell.quantity.replace('_', ' ')}"
            counts = [cell.right, cell.carried, cell.wrong, cell.empty]
            series = tuple(index for _, index in _KINDS)
            y = _bar(figure, y, name, counts, series, cell.asked, f"{percent(cell.solved)} solved")
    if not bars:
        figure.text(0, 20, "Everything was answered right.", fontSize=SUBTITLE)
    return svg(figure.spec()).encode()


def _description(overview: Overview) -> str:
    mistakes = overview.mistakes()[:3]
    listed = ", ".join(f"{one.name.replace('_', ' ')} ({one.students})" for one in mistakes)
    return f"Bars of a class of {len(overview.graded)}. Most common mistakes by students: {listed or 'none'}."


def _heading(figure: Figure, y: float, text: str, legend: Sequence[tuple[str, int | None]]) -> float:
    """A line above bars, with what their parts mean; where the bars begin."""
    figure.text(EDGE - _NAMES, y + 16, text, fontSize=SUBTITLE, fontWeight="bold")
    x = 0.0
    for name, index in legend:
        _rect(figure, x, y + 5, 12, 12, index)
        figure.text(x + 17, y + 16, name)
        x += 17 + text_width(name, LABEL) + 18
    return y + _HEAD


def _bar(
    figure: Figure, y: float, name: str, counts: Sequence[int], series: Sequence[int | None], whole: int, label: str
) -> float:
    """A bar whose parts are shares of `whole`; where the next one begins."""
    shown = shorten(clean(name), _NAMES - EDGE - 12, LABEL)
    figure.text(-10, y + 12.5, shown, align="right")
    x = 0.0
    for count, index in zip(counts, series, strict=True):
        width = figure.inner_width * count / whole
        if count:
            _rect(figure, x, y, width, _BAR, index)
            # A number in each part tells it without its colour.
            if len(counts) > 1 and width > text_width(str(count), LABEL) + 6:
                figure.text(x + width / 2, y + 12.5, str(count), align="center")
        x += width
    figure.text(x + 8, y + 12.5, label)
    return y + _BAR + _GAP


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
