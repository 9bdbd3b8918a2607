"""The look of all plots: the colours and fonts of the diagrams, as a Vega-Lite configuration."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.svg import FONTS
from archcalc.render.diagrams.theme import THEMES, Theme

#: Font sizes in pixels on a picture of 960×540, which fills a slide: 12 pixels are 12 points there.
TITLE, SUBTITLE, AXIS, LABEL, SMALL = 20, 13, 13, 12, 11

#: The families of ops whose colours distinguish series, the most different ones first (Okabe and Ito's hues).
SERIES = ("convolution", "pooling", "normalisation", "dense", "block", "activation", "shape")
#: What distinguishes series without colour, in the same order.
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
DASHES = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [12, 4], [4, 4], [1, 3])


class Style(NamedTuple):
    """How one series is drawn."""

    fill: str
    line: str
    shape: str
    dash: list[int]


def theme_of(name: str) -> Theme:
    """A theme by its name. Raises `UsageError`."""
    if name not in THEMES:
        raise UsageError(f"there is no theme {name[:60]!r}; there are {', '.join(THEMES)}")
    return THEMES[name]


def style(theme: Theme, index: int) -> Style:
    """The style of a series; from the eighth on they repeat."""
    place = index % len(SERIES)
    paint = theme.families[SERIES[place]]
    return Style(paint.fill, paint.line, SHAPES[place], list(DASHES[place]))


def config(theme: Theme) -> dict[str, Any]:
    """The `config` of a specification."""
    return {
        "aria": False,
        "font": FONTS,
        "view": {"stroke": None},
        "axis": {
            "labelColor": theme.ink,
            "labelFontSize": LABEL,
            "titleColor": theme.ink,
            "titleFontSize": AXIS,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "gridColor": theme.frame.line,
            "gridOpacity": 0.45,
            "domainColor": theme.quiet,
            "tickColor": theme.quiet,
            "tickSize": 4,
            "labelLimit": 400,
        },
        "text": {"color": theme.ink, "font": FONTS, "fontSize": LABEL},
        "rule": {"color": theme.quiet},
    }
