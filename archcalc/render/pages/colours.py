"""One picture for light and dark: the colours of two drawings of the same thing as variables of the style sheet.

The names of the variables are those of `archcalc.render.diagrams.pages`, whose `colours` declares them.
"""

from __future__ import annotations

import re

#: In a drawing no `<`, `>` or quote of a text stands bare, so that nothing a spec says looks like this.
_TAG = re.compile(r"<[^<>]*>")
_COLOUR = re.compile(r'(?<= )((?:fill|stroke|stop-color)=")#([0-9a-f]{6})(?=")')


def merge(light: str, dark: str) -> str:
    """A drawing whose colours are variables, from one in light and one in dark colours.

    Raises `ValueError` where they differ in more than colours.
    """
    if _without_colours(light) != _without_colours(dark):
        raise ValueError("the drawings differ in more than their colours")
    found = iter([colour for tag in _TAG.findall(dark) for _, colour in _COLOUR.findall(tag)])

    def variable(match: re.Match[str]) -> str:
        return f"{match[1]}var(--c-{match[2]}-{next(found)})"

    return _TAG.sub(lambda tag: _COLOUR.sub(variable, tag[0]), light)


def _without_colours(drawing: str) -> str:
    return _TAG.sub(lambda tag: _COLOUR.sub(r"\1", tag[0]), drawing)
