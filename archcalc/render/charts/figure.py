"""The frame that all plots share: title, subtitle, plotting area, footnote, at exactly the size that was asked for.

Margins are calculated from the widths of the texts, so that every plot says where each pixel of it lies. Vega lays out
nothing by itself (`autosize: none`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archcalc.core.language import direction, mark, say, turned
from archcalc.render.charts.axes import Scale
from archcalc.render.charts.theme import SMALL, SUBTITLE, TITLE, config, theme_of
from archcalc.render.diagrams.text import CAPITAL, clean, shorten, text_width, wrap
from archcalc.render.diagrams.theme import Theme

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH, HEIGHT = 960, 540
EDGE = 16
LEADING = SMALL + 4
#: The share of the picture that notes below it may take, and what the last line says where they would take more.
FOOTNOTE = 0.14
CUT = mark("… The whole note is in a larger picture.")
Layer = dict[str, Any]
#: How an encoding takes a field as pixels of the plotting area.
PIXEL = {"type": "quantitative", "scale": None}


@dataclass(frozen=True)
class Look:
    """What a user chooses about any plot: sizes in pixels of the SVG, a title in place of the made one."""

    theme: str = "light"
    width: int = WIDTH
    height: int = HEIGHT
    title: str | None = None


@dataclass
class Figure:
    """A plot in the making. `left`, `right` and `bottom` are what axes and labels need outside the plotting area."""

    kind: str
    look: Look
    title: str
    subtitle: str
    description: str
    left: float
    right: float
    bottom: float
    footnote: Sequence[str] = ()
    layers: list[Layer] = field(default_factory=list)
    heads: Sequence[str] = ()
    rows: list[Sequence[Any]] = field(default_factory=list)
    #: The height of a legend between the subtitle and the plotting area.
    strip: float = 0.0

    def __post_init__(self) -> None:
        space = self.look.width - 2 * EDGE
        title = clean(self.look.title if self.look.title is not None else self.title)
        #: What a screen reader says of a plot without a title.
        self.unseen = " ".join(clean(self.title).split()) or self.kind
        self.title = " ".join(title.split())
        self._shown = shorten(self.title, space, TITLE, True) if self.title else ""
        self._subtitle = wrap(clean(self.subtitle), space, SUBTITLE)
        lines = [line for text in self.footnote for line in wrap(clean(text), space, SMALL)]
        most = max(int(self.look.height * FOOTNOTE / LEADING), 1)
        if len(lines) > most:
            lines = [*lines[: most - 1], shorten(say(CUT), space, SMALL)]
        self._footnote = lines
        self.top = EDGE + (TITLE + 6 if self._shown else 0) + len(self._subtitle) * (SUBTITLE + 4) + 14.0 + self.strip

    @property
    def theme(self) -> Theme:
        return theme_of(self.look.theme)

    @property
    def inner_width(self) -> float:
        """Width of the plotting area."""
        return max(self.look.width - self.left - self.right, 40)

    @property
    def inner_height(self) -> float:
        """Height of the plotting area."""
        return max(self.look.height - self.top - self.bottom - self._below, 40)

    @property
    def _below(self) -> float:
        return len(self._footnote) * LEADING + (EDGE if self._footnote else 4.0)

    def add(self, mark: Mapping[str, Any], values: Sequence[Mapping[str, Any]] | None = None, **encoding: Any) -> None:
        """A layer: a mark, its data, and what it shows."""
        layer: Layer = {"mark": dict(mark), "encoding": encoding}
        layer["data"] = {"values": [{}] if values is None else list(values)}
        self.layers.append(layer)

    def place(self, mark: Mapping[str, Any], values: Sequence[Layer], **encoding: Any) -> None:
        """A layer of marks that lie at `x` and `y` of their data, in pixels, and reach to `x2` and `y2` if given."""
        placed = [{key: _px(value) if key in _PLACES else value for key, value in one.items()} for one in values]
        ends = {key: {"field": key} for key in ("x2", "y2") if values and key in values[0]}
        self.add(mark, placed, x={"field": "x", **PIXEL}, y={"field": "y", **PIXEL}, **ends, **encoding)

    def axes(self, x: Scale, y: Scale, x_title: str, y_title: str, **x_axis: Any) -> None:
        """Both axes, without any mark."""
        self.add(
            {"type": "point", "opacity": 0}, [{"x": x.low, "y": y.low}],
            x={"field": "x", "type": "quantitative", "scale": x.vega(), "axis": x.axis(x_title, **x_axis)},
            y={"field": "y", "type": "quantitative", "scale": y.vega(), "axis": y.axis(y_title)},
        )  # fmt: skip

    def legend(self, marks: Mapping[str, Layer], y: float) -> None:
        """Marks with their names in a row, at a height of the plotting area."""
        x = 0.0
        for name, look in marks.items():
            self.add({"type": "point", "filled": True, "opacity": 1, **look, "x": x + 6, "y": y - 4})
            self.text(x + 17, y, name, fontSize=SMALL, color=self.theme.quiet)
            x += 17 + text_width(name, SMALL) + 18

    def text(self, x: float, y: float, text: str | Sequence[str], **mark: Any) -> None:
        """Words at a place of the plotting area, in pixels."""
        place = {"x": _px(x), "y": _px(y), "align": "left", "baseline": "alphabetic"}
        shown = turned(text) if isinstance(text, str) else [turned(line) for line in text]
        self.add({"type": "text", "text": shown, **place, **mark})

    def covering(self, x: float, y: float, text: str, size: float, **mark: Any) -> None:
        """Words that cover the lines below them."""
        width = text_width(text, size)
        left = x - (width / 2 if mark.get("align") == "center" else 0.0)
        self.rectangle(left - 1, y - size * CAPITAL - 1, left + width + 1, y + 2, color=self.theme.background)
        self.text(x, y, text, fontSize=size, **mark)

    def rules(self, lines: Sequence[tuple[float, float, float, float]], **mark: Any) -> None:
        """Straight lines in pixels, each from x, y to x, y."""
        self.place({"type": "rule", **mark}, [dict(zip(("x", "y", "x2", "y2"), line, strict=True)) for line in lines])

    def rectangle(self, left: float, top: float, right: float, bottom: float, **mark: Any) -> None:
        """A filled rectangle, in pixels."""
        x, y, x2, y2 = ({"value": _px(value)} for value in (left, top, right, bottom))
        self.add({"type": "rect", **mark}, x=x, y=y, x2=x2, y2=y2)

    def spec(self) -> dict[str, Any]:
        """The whole specification."""
        x, y = EDGE - self.left, EDGE - self.top
        align: dict[str, Any] = {}
        if direction() == "rtl":
            x, align = self.look.width - EDGE - self.left, {"align": "right"}
        if self._shown:
            y += TITLE
            self.text(x, y - 3, self._shown, fontSize=TITLE, fontWeight="bold", **align)
            y += 6
        for line in self._subtitle:
            y += SUBTITLE + 4
            self.text(x, y - 3, line, fontSize=SUBTITLE, color=self.theme.quiet, **align)
        for number, line in enumerate(self._footnote):
            y = self.inner_height + self.bottom + EDGE / 2 + number * LEADING
            self.text(x, y, line, fontSize=SMALL, color=self.theme.quiet, **align)
        return {
            "$schema": SCHEMA,
            "description": clean(self.description),
            "usermeta": {
                "archcalc": {
                    "kind": self.kind,
                    "theme": self.look.theme,
                    "title": self.title or self.unseen,
                    "table": {"heads": list(self.heads), "rows": [list(row) for row in self.rows]},
                }
            },
            "width": _px(self.inner_width),
            "height": _px(self.inner_height),
            "padding": {
                "left": _px(self.left), "top": _px(self.top), "right": _px(self.right),
                "bottom": _px(self.look.height - self.top - self.inner_height),
            },
            "autosize": {"type": "none"},
            "background": self.theme.background,
            "config": config(self.theme),
            "resolve": {"scale": {"x": "independent", "y": "independent"}, "legend": {"size": "independent"}},
            "layer": self.layers,
        }  # fmt: skip


def in_rows(widths: Sequence[float], space: float, gap: float) -> list[tuple[float, int]]:
    """Where each of some things begins, and in which row, so that no row is wider than the space."""
    places: list[tuple[float, int]] = []
    x, row = 0.0, 0
    for width in widths:
        if x and x + width > space:
            x, row = 0.0, row + 1
        places.append((x, row))
        x += width + gap
    return places


_PLACES = frozenset({"x", "y", "x2", "y2"})


def _px(value: float) -> float:
    """Hundredths of a pixel are enough."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded
