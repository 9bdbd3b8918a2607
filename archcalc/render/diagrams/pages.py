"""Pictures for files that go with a report, and for pages of HTML, whose style sheet chooses their colours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.classes import with_classes
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.svg import svg, svg_element
from archcalc.render.diagrams.volumes import suits_volumes

#: More layers than this are no figure of volumes that a page can show.
MOST_VOLUMES = 60
#: A colour in an attribute; in texts quotes are escaped.
_COLOUR = re.compile(r'(?<==")(#[0-9a-f]{6})(?=")')
_VARIABLE = re.compile(r"var\(--c-([0-9a-f]{6})-([0-9a-f]{6})\)")


def standard_styles(analysis: Analysis) -> tuple[str, ...]:
    """The styles that suit a network."""
    volumes = len(analysis.rows) <= MOST_VOLUMES and suits_volumes(analysis)
    return ("blocks", "graph", "volumes") if volumes else ("blocks", "graph")


def standard_picture(analysis: Analysis, style: str) -> str:
    """A diagram as SVG, with nothing else chosen."""
    return with_classes(svg(drawing_of(analysis, Choices(style=style, theme="light"))[0]))


def page_picture(analysis: Analysis, choices: Choices, ids: str) -> str:
    """An element `svg` for a page: every `id` starts with `ids`, every colour is a variable of the style sheet.

    `colours` gives the values of the variables for the light and for the dark theme.
    """
    # What stands in a picture of role "img" is not read out by itself.
    light, dark = (
        svg_element(drawing_of(analysis, replace(choices, theme=theme))[0], ids, "group") for theme in ("light", "dark")
    )
    pieces, others = _COLOUR.split(light), _COLOUR.split(dark)
    assert pieces[::2] == others[::2]
    variables = (f"var(--c-{a[1:]}-{b[1:]})" for a, b in zip(pieces[1::2], others[1::2], strict=True))
    return "".join(piece + next(variables, "") for piece in pieces[::2])


def colours(pictures: Iterable[str]) -> tuple[str, str]:
    """The declarations of the variables in the pictures: for the light theme, and for the dark one."""
    pairs = sorted({(found[1], found[2]) for picture in pictures for found in _VARIABLE.finditer(picture)})
    # Two numbers give two texts.
    return tuple("".join(f"--c-{a}-{b}:#{(a, b)[which]};" for a, b in pairs) for which in (0, 1))  # type: ignore[return-value]
