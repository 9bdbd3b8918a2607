"""Gradient norms along networks: a line for each network, from its first layer to its last, on a log scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Any, NamedTuple

from archcalc.core import words
from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.render.charts.axes import Scale
from archcalc.render.charts.figure import EDGE, Figure, Look, in_rows
from archcalc.render.charts.theme import LABEL, Style, style
from archcalc.render.diagrams.text import clean, shorten, text_width

#: More lines than this cannot be distinguished.
MOST_SERIES = 7
_NAME_WIDTH = 440.0
#: Height of a row of the legend, width of a sample in it.
ROW, SAMPLE = 20.0, 40.0
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Series(NamedTuple):
    """A network: its title, and the name and the norm of each layer in order."""

    title: str
    norms: tuple[tuple[str, float], ...]


class _Point(NamedTuple):
    """A layer at its place; `common`: every network has it, so the lines run through it."""

    place: int
    layer: str
    norm: float
    common: bool


def gradients(series: Sequence[Series], how: str, look: Look | None = None) -> dict[str, Any]:
    """The plot as a Vega-Lite specification. Raises `UsageError` where there is nothing to draw, or too much."""
    if len(series) > MOST_SERIES:
        raise UsageError(f"a plot shows {MOST_SERIES} networks at most, not {len(series)}")
    lines = [[point for point in line if point.norm > 0] for line in _placed(series)]
    drawn = [point for line in lines for point in line]
    if not drawn:
        raise UsageError("no layer of these networks has a gradient to draw")
    names = [shorten(clean(one.title), _NAME_WIDTH, LABEL) for one in series]
    figure = Figure(
        "gradients", look or Look(),
        title=say("Norm of the gradient with respect to the weights, layer by layer"),
        subtitle=how[:1].upper() + how[1:],
        description=_description(series),
        left=74, right=EDGE + 8, bottom=46,
        footnote=_footnote(drawn, sum(len(one.norms) for one in series) - len(drawn)),
        heads=(say("network"), say("layer"), say("norm of the gradient")),
        rows=[(one.title, layer, norm) for one in series for layer, norm in one.norms],
    )  # fmt: skip
    styles = [style(figure.theme, index) for index in range(len(series))]
    places = in_rows([SAMPLE + text_width(name, LABEL) for name in names], figure.inner_width - 22, 22)
    figure.top += ROW * (places[-1][1] + 1)
    x = _layers({point.place: point.layer for line in lines for point in line}, figure.inner_width)
    y = _decades([point.norm for point in drawn], figure.inner_height)
    across = say("convolution and dense layers, from the input to the output")
    figure.axes(x, y, across, say("{title} (log scale)", title="‖∂L/∂W‖"), grid=False)
    for name, line, look_of_line in zip(names, lines, styles, strict=True):
        _draw(figure, name, line, look_of_line, x, y)
    _legend(figure, places, names, styles)
    return figure.spec()


def _footnote(drawn: Sequence[_Point], left_out: int) -> list[str]:
    notes = []
    if not all(point.common for point in drawn):
        notes.append(say("Marks next to the lines: layers that not all of the networks have."))
    if left_out:
        notes.append(say("Layers whose gradient is 0 are not shown: {count}.", count=left_out))
    return notes


def _placed(series: Sequence[Series]) -> list[list[_Point]]:
    """Where each layer stands: layers of one name at one place where most names are shared, else by their number."""
    lists = [[layer for layer, _ in one.norms] for one in series]
    common = set(lists[0]).intersection(*lists)
    order = words.merged(lists) if 2 * len(common) >= max(map(len, lists)) else None
    return [
        [
            _Point(order.index(layer) + 1 if order else number, layer, norm, order is None or layer in common)
            for number, (layer, norm) in enumerate(one.norms, start=1)
        ]
        for one in series
    ]


def _description(series: Sequence[Series]) -> str:
    ends = "; ".join(
        say(
            "{network}: {first} in {start}, {last} in {end}",
            network=clean(one.title),
            first=f"{one.norms[0][1]:.3g}",
            start=clean(one.norms[0][0]),
            last=f"{one.norms[-1][1]:.3g}",
            end=clean(one.norms[-1][0]),
        )
        for one in series
        if one.norms
    )
    return say("Line chart of gradient norms on a log scale, from the first layer to the last. {ends}.", ends=ends)


def _layers(names: Mapping[int, str], width: float) -> Scale:
    """Ticks with the names of the layers where there is space, else with numbers."""
    count = max(names)
    labels = [shorten(clean(names.get(place, "")), _NAME_WIDTH, LABEL) for place in range(1, count + 1)]
    if max(text_width(label, LABEL) for label in labels) + 8 < width / count:
        return Scale(0.5, count + 0.5, 0, width, False, tuple(enumerate(labels, start=1)))
    step = next(step for step in (2, 5, 10, 20, 50, 100, 200) if count / step <= 20 or step == 200)
    numbers = [1, *range(step, count + 1, step)]
    return Scale(0.5, count + 0.5, 0, width, False, tuple((number, str(number)) for number in numbers))


def _decades(values: Sequence[float], height: float) -> Scale:
    """Whole powers of ten, at most about ten of them with a tick."""
    low, high = floor(log10(min(values)) - 1e-9), ceil(log10(max(values)) + 1e-9)
    step = max(ceil((high - low) / 10), 1)
    ticks = tuple((10.0**power, "10" + str(power).translate(_SUPERSCRIPTS)) for power in range(low, high + 1, step))
    return Scale(10.0**low, 10.0**high, height, 0, True, ticks)


def _draw(figure: Figure, name: str, line: Sequence[_Point], drawn: Style, x: Scale, y: Scale) -> None:
    values = [
        {"layer": clean(point.layer), "place": point.place, "norm": point.norm, "network": name,
         "text": f"{point.norm:.3g}"}
        for point in line
    ]  # fmt: skip
    along = [value for value, point in zip(values, line, strict=True) if point.common]
    places = {
        "x": {"field": "place", "type": "quantitative", "scale": x.vega(), "axis": None},
        "y": {"field": "norm", "type": "quantitative", "scale": y.vega(), "axis": None},
    }
    figure.add(_line(drawn), along, **places)
    figure.add(
        _mark(drawn), values, **places,
        tooltip=[{"field": "network"}, {"field": "layer"}, {"field": "text", "title": say("norm of the gradient")}],
    )  # fmt: skip


def _mark(drawn: Style) -> dict[str, Any]:
    return {"type": "point", "shape": drawn.shape, "filled": True, "size": 42, "opacity": 1, "fill": drawn.fill,
            "stroke": drawn.line, "strokeWidth": 1.2}  # fmt: skip


def _line(drawn: Style) -> dict[str, Any]:
    return {"type": "line", "color": drawn.line, "strokeWidth": 1.8, "strokeDash": drawn.dash}


def _legend(figure: Figure, places: Sequence[tuple[float, int]], names: Sequence[str], styles: Sequence[Style]) -> None:
    """A sample of each line with its name, above the plotting area."""
    for (left, row), name, drawn in zip(places, names, styles, strict=True):
        base = -8.0 - ROW * (places[-1][1] - row)
        middle = base - LABEL * 0.36
        figure.place(_line(drawn), [{"x": left, "y": middle}, {"x": left + SAMPLE - 6, "y": middle}])
        figure.add({**_mark(drawn), "x": left + (SAMPLE - 6) / 2, "y": middle})
        figure.text(left + SAMPLE, base, name, fontSize=LABEL)
