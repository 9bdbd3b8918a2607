"""The pictures of a network in a page: diagrams, each with what it is called."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import mark, say
from archcalc.passes.analysis import Analysis
from archcalc.render.pages.markup import Drawn, Html

_LABELS = {"graph": mark("Every layer"), "blocks": mark("Blocks"), "volumes": mark("Volumes")}


class Picture(NamedTuple):
    """A drawing as an element `svg`, and its name on the page."""

    key: str
    label: str
    svg: Html


def diagrams(analysis: Analysis, ids: str, whole: bool = True) -> Drawn[Picture]:
    """The styles that suit a network, the best one for a first look first; only that one unless `whole`."""
    from archcalc.render.diagrams.choices import MOST_LAYERS, Choices, default_style
    from archcalc.render.diagrams.pages import page_picture, standard_styles

    first = default_style(analysis)
    styles = sorted(standard_styles(analysis), key=lambda style: style != first)
    if len(analysis.rows) > MOST_LAYERS:
        styles = ["blocks"]
    drawn, missing = [], []
    for style in styles if whole else styles[:1]:
        try:
            svg = page_picture(analysis, Choices(style=style, title=""), f"{ids}{style}-")
        except UsageError as error:
            missing.append(str(error))
            continue
        drawn.append(Picture(style, say(_LABELS[style]), Html(svg)))
    return Drawn(tuple(drawn), tuple(dict.fromkeys(missing)))
