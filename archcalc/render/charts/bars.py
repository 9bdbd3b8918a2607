"""Panels of bars that share their names along the bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.core.language import say
from archcalc.core.quantities import Quantity
from archcalc.render.charts.axes import linear, written
from archcalc.render.charts.figure import EDGE, Figure, Look
from archcalc.render.charts.theme import LABEL, SMALL
from archcalc.render.diagrams.text import clean, shorten, text_width, wrap
from archcalc.render.diagrams.theme import FAMILIES, Paint, family_name

NAME_WIDTH = 120.0
GAP = 36.0
LEFT = 74.0
WIDEST = 90.0
#: Lines of a name, from one to the next, and from tick to tick.
MOST_LINES, LINE, TICK = 3, 13.0, 22.0


class Bar(NamedTuple):
    """A bar of every panel: its name, its kind (a family of ops, for the colour), and a value for each panel."""

    name: str
    family: str
    values: tuple[int | float, ...]


class Panel(NamedTuple):
    """A panel: what it shows, in words and as a quantity."""

    title: str
    quantity: Quantity


def most_bars(look: Look) -> int:
    """How many bars have space for their names."""
    return max(int((look.width - LEFT - EDGE) / (SMALL + 3)), 4)


def bar_panels(
    kind: str,
    look: Look,
    title: str,
    subtitle: str,
    description: str,
    bars: Sequence[Bar],
    panels: Sequence[Panel],
    footnote: Sequence[str] = (),
) -> dict[str, Any]:
    """One panel below the other. The highest bars say their values."""
    plain = [" ".join(clean(bar.name).split()) for bar in bars]
    band = (look.width - LEFT - EDGE) / len(bars)
    # Names of several words stand in lines where each word has space, others upright.
    words = [word for name in plain for word in name.split()]
    upright = max(text_width(word, SMALL) for word in words) + 6 > band
    names = [[shorten(name, NAME_WIDTH, SMALL)] if upright else wrap(name, band - 6, SMALL) for name in plain]
    upright = upright or max(map(len, names)) > MOST_LINES
    names = [[shorten(name, NAME_WIDTH, SMALL)] for name in plain] if upright else names
    lines = max(map(len, names))
    high = max(text_width(name, SMALL) for name, *_ in names) if upright else SMALL + LINE * (lines - 1)
    figure = Figure(
        kind, look, title, subtitle, description,
        left=LEFT, right=EDGE, bottom=high + 14 + 26, footnote=footnote,
        heads=["layer", *(panel.quantity.key for panel in panels)],
        rows=[[bar.name, *bar.values] for bar in bars],
    )  # fmt: skip
    space = (figure.inner_height - GAP * len(panels) + 14) / len(panels)
    for number, panel in enumerate(panels):
        bottom = figure.inner_height - (len(panels) - 1 - number) * (space + GAP)
        _panel(figure, bars, panel, number, (bottom - space, bottom))
    _names(figure, names, upright)
    kinds = {bar.family: figure.theme.families[bar.family] for bar in bars}
    if len(kinds) > 1:
        _legend(figure, kinds)
    return figure.spec()


def _panel(figure: Figure, bars: Sequence[Bar], panel: Panel, number: int, place: tuple[float, float]) -> None:
    top, bottom = place
    values = [bar.values[number] for bar in bars]
    y = linear(
        max(values),
        bottom,
        top + 10,
        panel.quantity.unit == "bytes",
        count=max(min(int((bottom - top) / TICK), 4 if bottom - top > 120 else 3), 1),
    )
    gap = round(max(0.22, 1 - WIDEST * len(bars) / figure.inner_width), 4)
    x = {"type": "band", "domain": list(range(len(bars))), "range": [0, figure.inner_width],
         "paddingInner": gap, "paddingOuter": gap / 2}  # fmt: skip
    data = [
        {"index": index, "name": clean(bar.name), "kind": family_name(bar.family),
         panel.quantity.key: bar.values[number], "written": written(panel.quantity, bar.values[number]),
         "fill": figure.theme.families[bar.family].fill,
         "line": figure.theme.families[bar.family].line if bar.values[number] else "transparent"}
        for index, bar in enumerate(bars)
    ]  # fmt: skip
    figure.add(
        {"type": "bar", "strokeWidth": 1.2}, data,
        x={"field": "index", "type": "ordinal", "scale": x, "axis": None},
        y={"field": panel.quantity.key, "type": "quantitative", "scale": y.vega(),
           "axis": y.axis("", orient="left", offset=0, domain=False, ticks=False, labelPadding=6, grid=True)},
        fill={"field": "fill", "type": "nominal", "scale": None},
        stroke={"field": "line", "type": "nominal", "scale": None},
        tooltip=[{"field": "name", "title": say("layer")}, {"field": "kind", "title": say("kind")},
                 {"field": "written", "title": panel.quantity.title}],
    )  # fmt: skip
    figure.text(0, top - 4, panel.title, fontSize=LABEL, fontWeight="bold")
    band = figure.inner_width / len(bars)
    taken: list[tuple[float, float]] = []
    for index in sorted(range(len(bars)), key=lambda index: (-values[index], index))[:12]:
        text = written(panel.quantity, values[index])
        half = text_width(text, SMALL) / 2
        middle = min(max((index + 0.5) * band, half), figure.inner_width - half)
        span = (middle - half - 4, middle + half + 4)
        # Only where the label stands free of other labels and of higher bars next to it.
        near = [at for at in range(len(bars)) if span[0] < (at + 1) * band and at * band < span[1] and at != index]
        if values[index] and all(span[1] <= low or high <= span[0] for low, high in taken) and all(
            y(values[at]) > y(values[index]) - 2 for at in near
        ):  # fmt: skip
            taken.append(span)
            figure.text(middle, y(values[index]) - 4, text, fontSize=SMALL, align="center")


def _names(figure: Figure, names: Sequence[Sequence[str]], upright: bool) -> None:
    band = figure.inner_width / len(names)
    mark = {"type": "text", "align": "right" if upright else "center", "baseline": "middle",
            "angle": 270 if upright else 0, "fontSize": SMALL}  # fmt: skip
    y = figure.inner_height + (8 if upright else 8 + SMALL / 2)
    places = [
        {"x": (index + 0.5) * band, "y": y + LINE * number, "name": line}
        for index, lines in enumerate(names)
        for number, line in enumerate(lines)
    ]
    figure.place(mark, places, text={"field": "name"})


def _legend(figure: Figure, families: Mapping[str, Paint]) -> None:
    """The kinds of layers, in the order of the diagrams' legend, below the names."""
    marks = {
        family_name(family): {"shape": "square", "size": 130, "fill": families[family].fill,
                              "stroke": families[family].line, "strokeWidth": 1.2}
        for family in FAMILIES if family in families
    }  # fmt: skip
    figure.legend(marks, figure.inner_height + figure.bottom - 9)
