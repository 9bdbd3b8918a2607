"""Pictures for files that go with a report, and for pages of HTML, whose style sheet chooses their colours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.drawing import Curve, Drawing, Ramp, Rect, Shape, Text
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.svg import svg, svg_element
from archcalc.render.diagrams.volumes import suits_volumes

#: More layers than this are no figure of volumes that a page can show.
MOST_VOLUMES = 60
_VARIABLE = re.compile(r"var\(--c-([0-9a-f]{6})-([0-9a-f]{6})\)")


def standard_styles(analysis: Analysis) -> tuple[str, ...]:
    """The styles that suit a network."""
    volumes = len(analysis.rows) <= MOST_VOLUMES and suits_volumes(analysis)
    return ("blocks", "graph", "volumes") if volumes else ("blocks", "graph")


def standard_picture(analysis: Analysis, style: str) -> str:
    """A diagram as SVG, with nothing else chosen."""
    return svg(drawing_of(analysis, Choices(style=style))[0])


def page_picture(analysis: Analysis, choices: Choices, ids: str) -> str:
    """An element `svg` for a page: every `id` starts with `ids`, every colour is a variable of the style sheet.

    `colours` gives the values of the variables for the light and for the dark theme.
    """
    light = drawing_of(analysis, replace(choices, theme="light"))[0]
    dark = drawing_of(analysis, replace(choices, theme="dark"))[0]
    # What stands in a picture of role "img" is not read out by itself.
    return svg_element(_both(light, dark), ids, "group")


def colours(pictures: Iterable[str]) -> tuple[str, str]:
    """The declarations of the variables in the pictures: for the light theme, and for the dark one."""
    pairs = sorted({(found[1], found[2]) for picture in pictures for found in _VARIABLE.finditer(picture)})
    # Two numbers give two texts.
    return tuple("".join(f"--c-{a}-{b}:#{(a, b)[which]};" for a, b in pairs) for which in (0, 1))  # type: ignore[return-value]


def _both(light: Drawing, dark: Drawing) -> Drawing:
    """A drawing whose colours are variables, named after the two that they stand for."""
    items = tuple(
        one._replace(shapes=tuple(_shape(a, b) for a, b in zip(one.shapes, other.shapes, strict=True)))
        for one, other in zip(light.items, dark.items, strict=True)
    )
    return light._replace(background=str(_variable(light.background, dark.background)), items=items)


def _variable(light: str | None, dark: str | None) -> str | None:
    return f"var(--c-{light[1:]}-{dark[1:]})" if light and dark else None


def _shape(light: Shape, dark: Shape) -> Shape:
    if isinstance(light, Text) and isinstance(dark, Text):
        return light._replace(colour=str(_variable(light.colour, dark.colour)))
    if isinstance(light, Ramp) and isinstance(dark, Ramp):
        pairs = zip(light.colours, dark.colours, strict=True)
        return light._replace(colours=tuple(str(_variable(a, b)) for a, b in pairs))
    assert isinstance(light, Rect | Curve)
    assert isinstance(dark, Rect | Curve)
    return light._replace(fill=_variable(light.fill, dark.fill), line=_variable(light.line, dark.line))
