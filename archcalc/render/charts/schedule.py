"""The axis of everything that is drawn over the layers in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from archcalc.core.language import say
from archcalc.passes.analysis import Row
from archcalc.render.charts.axes import Scale, linear
from archcalc.render.charts.figure import Figure
from archcalc.render.charts.theme import AXIS, LABEL, SMALL
from archcalc.render.diagrams.text import clean, shorten, text_width

NAME_WIDTH = 168.0
#: Pixels that a name needs next to its neighbour.
NEEDED = SMALL + 3.0


class LayerSpan:
    """Layers whose names begin alike, drawn under one name: from `first` up to, not with, `last`."""

    def __init__(self, name: str, first: int, last: int) -> None:
        self.name = shorten(" ".join(clean(name).split()), NAME_WIDTH, SMALL)
        self.first, self.last = first, last

    @property
    def layers(self) -> int:
        return self.last - self.first


def layer_spans(rows: Sequence[Row], width: float) -> list[LayerSpan]:
    """Every layer where names have space, else the outermost blocks."""
    names = [row.name for row in rows]
    if len(rows) * NEEDED > width:
        names = [name.partition("/")[0] for name in names]
    found, at = [], 0
    for name, group in groupby(names):
        layers = len(list(group))
        found.append(LayerSpan(name, at, at + layers))
        at += layers
    return found


def names_height(found: Sequence[LayerSpan], step: float) -> float:
    """How much space the names need below the axis."""
    shown = [span for span in found if span.layers * step >= NEEDED]
    if not shown:
        return SMALL + 4.0
    if all(text_width(span.name, SMALL) + 6 <= span.layers * step for span in shown):
        return SMALL + 4.0
    return max(text_width(span.name, SMALL) for span in shown) + 4.0


def along(figure: Figure, count: int) -> dict[str, Any]:
    """The encoding of a field `step` as the index of a layer, of `count` of them."""
    scale = {"type": "linear", "domain": [0, count], "range": [0, figure.inner_width], "nice": False, "zero": False}
    return {"field": "step", "type": "quantitative", "scale": scale, "axis": None}


def upwards(figure: Figure, field: str, y: Scale, title: str) -> dict[str, Any]:
    """The encoding of a field along the scale on the left, with its axis."""
    more: dict[str, Any] = {}
    length, room = text_width(title, AXIS, True), figure.inner_height + figure.bottom - 8
    if length > figure.inner_height:
        # A title that is longer than its axis ends where that ends, and goes on below it, where no text is.
        more = {"titleAlign": "right", "titleY": 0, "titleFontSize": min(AXIS, AXIS * room / length)}
    axis = y.axis(title, orient="left", domain=False, ticks=False, labelPadding=6, titleX=18 - figure.left, **more)
    return {"field": field, "type": "quantitative", "scale": y.vega(), "axis": axis}


def draw_names(figure: Figure, found: Sequence[LayerSpan], count: int, below: float = 6.0) -> None:
    """Names below the spans that are wide enough for them, with ticks between; numbers where none is.

    What is along the axis is written so far above the lower edge of the picture.
    """
    figure.text(
        figure.inner_width / 2, figure.inner_height + figure.bottom - below,
        say("layers, in the order in which they run"),
        align="center", fontSize=LABEL,
    )  # fmt: skip
    step = figure.inner_width / count
    shown = [span for span in found if span.layers * step >= NEEDED]
    y = figure.inner_height
    if len(shown) * NEEDED < 2 * NEEDED or sum(span.layers for span in shown) < count / 2:
        scale: Scale = linear(count, 0, figure.inner_width)
        ticks = [(value / count * figure.inner_width, label) for value, label in scale.ticks if value <= count]
        for x, label in ticks:
            figure.text(x, y + SMALL + 6, label, fontSize=SMALL, align="center")
        _ticks(figure, [x for x, _ in ticks])
        return
    flat = all(text_width(span.name, SMALL) + 6 <= span.layers * step for span in shown)
    data = [
        {"x": (span.first + span.last) / 2 * step, "y": y + (8 + SMALL / 2 if flat else 8), "name": span.name}
        for span in shown
    ]
    mark = {"type": "text", "align": "center" if flat else "right", "baseline": "middle", "angle": 0 if flat else 270,
            "fontSize": SMALL}  # fmt: skip
    figure.place(mark, data, text={"field": "name"})
    ends = {span.first for span in shown} | {span.last for span in shown}
    _ticks(figure, [end * step for end in sorted(ends)])


def _ticks(figure: Figure, places: Sequence[float]) -> None:
    figure.rules([(x, figure.inner_height, x, figure.inner_height + 4) for x in places], color=figure.theme.quiet)
