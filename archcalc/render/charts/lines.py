"""Panels of points and lines: quantities over the values of one parameter."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.core.quantities import Quantity
from archcalc.render.charts.axes import Scale, inside, linear, written
from archcalc.render.charts.figure import EDGE, PIXEL, Figure, Layer, Look, in_rows
from archcalc.render.charts.theme import AXIS, LABEL, SMALL, Style, style
from archcalc.render.diagrams.text import clean, text_width

GAP = 62.0
LEFT = 80.0
#: The width of a panel of which three stand in a row.
NARROWEST = 300.0
#: The height of a row of the legend.
ROW = 20.0


#: Values at the steps; None: not known.
Values = Sequence[int | float | None]


class Panel(NamedTuple):
    """A quantity and the values of each of its lines; `field` is its name in the data."""

    field: str
    quantity: Quantity
    lines: Sequence[Values]


def line_panels(
    kind: str,
    look: Look,
    title: str,
    subtitle: str,
    description: str,
    over: str,
    steps: Sequence[str],
    panels: Sequence[Panel],
    footnote: Sequence[str] = (),
    names: Sequence[str] = (),
) -> dict[str, Any]:
    """Panels side by side: up to three in a row, more in two columns.

    `steps` are the values of the parameter `over`, as text, in order; `names` are those of the lines, where there are
    several.

    Numbers stand at their distances, other values one after the other.
    """
    columns = len(panels) if len(panels) < 4 and look.width >= len(panels) * NARROWEST else min(len(panels), 2)
    rows = -(-len(panels) // columns)
    legend = in_rows([22 + text_width(name, SMALL) for name in names], look.width - 2 * EDGE, 16)
    figure = Figure(
        kind, look, title, subtitle, description, left=LEFT, right=EDGE + 14, bottom=48, footnote=footnote,
        heads=[*(["line"] if names else []), over, *(panel.field for panel in panels)],
        rows=[
            [*names[line : line + 1], step, *(panel.lines[line][index] for panel in panels)]
            for line in range(max(len(names), 1)) for index, step in enumerate(steps)
        ],
        strip=(legend[-1][1] + 1) * ROW if legend else 0.0,
    )  # fmt: skip
    for number, (name, (left, row)) in enumerate(zip(names, legend, strict=True)):
        drawn = style(figure.theme, number)
        across, down = EDGE - LEFT + left, -figure.strip - 6 + (row + 0.5) * ROW
        figure.add({"type": "point", "filled": True, "opacity": 1, "shape": drawn.shape, "size": 80, "fill": drawn.fill,
                    "stroke": drawn.line, "x": across + 8, "y": down})  # fmt: skip
        figure.text(across + 20, down + SMALL * 0.36, name, fontSize=SMALL, color=figure.theme.quiet)
    width = (figure.inner_width - (columns - 1) * (GAP + 18)) / columns
    height = (figure.inner_height - (rows - 1) * GAP) / rows - 18
    for number, panel in enumerate(panels):
        left = number % columns * (width + GAP + 18)
        bottom = number // columns * (height + 18 + GAP) + height + 18
        _panel(figure, panel, over, steps, 0 if names else number, (left, bottom - height, left + width, bottom))
    return figure.spec()


def _panel(
    figure: Figure,
    panel: Panel,
    over: str,
    steps: Sequence[str],
    first: int,
    place: tuple[float, float, float, float],
) -> None:
    """`first` is the number of the style of its first line."""
    left, top, right, bottom = place
    known = [value for line in panel.lines for value in line if value is not None]
    y = _scale(panel, known, bottom, top + 8)
    places = _places(steps, left + 22, right - 22)
    figure.text(left, top - 6, panel.quantity.name, fontSize=LABEL, fontWeight="bold")
    figure.rules([(left, y(tick), right, y(tick)) for tick, _ in y.ticks], color=figure.theme.frame.line, opacity=0.45)
    for tick, label in y.ticks:
        figure.text(left - 8, y(tick) + SMALL * 0.36, label, fontSize=SMALL, align="right")
    _spread(figure, [(x, bottom + SMALL + 8, step) for x, step in zip(places, steps, strict=True)], left - 30)
    figure.rules([(left, bottom, right, bottom)], color=figure.theme.quiet)
    figure.text((left + right) / 2, bottom + SMALL + AXIS + 14, clean(over), fontSize=AXIS, align="center")
    for number, values in enumerate(panel.lines, first):
        data: list[Layer] = [
            {"x": round(x, 2), "step": step, panel.field: value, "written": written(panel.quantity, value)}
            for x, step, value in zip(places, steps, values, strict=True)
            if value is not None
        ]
        _line(figure, panel, over, data, y, style(figure.theme, number))
        if len(panel.lines) == 1:
            _numbers(figure, [(row["x"], y(row[panel.field]), row["written"]) for row in data], bottom)


def _line(figure: Figure, panel: Panel, over: str, data: Sequence[Layer], y: Scale, drawn: Style) -> None:
    both: dict[str, Any] = {
        "x": {"field": "x", **PIXEL, "axis": None},
        "y": {"field": panel.field, "type": "quantitative", "scale": y.vega(), "axis": None},
    }
    figure.add({"type": "line", "color": drawn.line, "strokeWidth": 1.8, "strokeDash": drawn.dash}, data, **both)
    figure.add(
        {"type": "point", "shape": drawn.shape, "filled": True, "size": 80, "opacity": 1, "fill": drawn.fill,
         "stroke": drawn.line, "strokeWidth": 1.5}, data, **both,
        tooltip=[{"field": "step", "title": over}, {"field": "written", "title": panel.field}],
    )  # fmt: skip


def _spread(figure: Figure, labels: Sequence[tuple[float, float, str]], taken: float) -> None:
    """Labels from left to right; one that would touch the one before is left out."""
    for x, y, text in sorted(labels):
        half = text_width(text, SMALL) / 2
        if x - half > taken:
            figure.text(x, y, text, fontSize=SMALL, align="center")
            taken = x + half + 4


def _numbers(figure: Figure, labels: Sequence[tuple[float, float, str]], low: float) -> None:
    """The number of each point above it, or below it where it would touch the one before."""
    taken: list[tuple[float, float, float]] = []
    for x, y, text in sorted(labels):
        half = text_width(text, SMALL) / 2
        for at in (y - 10, y + 10 + SMALL):
            free = all(x - half > right or abs(at - other) > SMALL + 2 for _, right, other in taken)
            if free and at < low:
                figure.covering(x, at, text, SMALL, align="center")
                taken.append((x - half, x + half + 4, at))
                break


def _scale(panel: Panel, known: Sequence[float], bottom: float, top: float) -> Scale:
    if panel.quantity.unit != "%":
        return linear(max(known) * 1.1, bottom, top, panel.quantity.unit == "bytes", count=4)
    reach = max(max(known) - min(known), 1.0)
    step = next(step for step in (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0) if reach / step <= 6)
    return inside(min(known) - 0.15 * reach, max(known) + 0.25 * reach, bottom, top, step, " %")


def _places(steps: Sequence[str], low: float, high: float) -> list[float]:
    """Where the steps stand: numbers at their distances if none comes too near to its neighbour."""
    even = [low + (high - low) * (index + 0.5) / len(steps) for index in range(len(steps))]
    try:
        numbers = [float(step) for step in steps]
    except ValueError:
        return even
    least, most = min(numbers), max(numbers)
    if least == most:
        return even
    places = [low + (high - low) * (number - least) / (most - least) for number in numbers]
    ordered = sorted(zip(places, steps, strict=True))
    for (first, one), (second, other) in itertools.pairwise(ordered):
        if second - first < (text_width(one, SMALL) + text_width(other, SMALL)) / 2 + 6:
            return even
    return places
