"""The styles of papers: what each shows, and the error for a network that has no such figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.drawing import Drawing
from archcalc.render.diagrams.papers.bars import bars_drawing
from archcalc.render.diagrams.papers.detector import detector_drawing
from archcalc.render.diagrams.papers.figure import Request
from archcalc.render.diagrams.papers.maps import maps_drawing
from archcalc.render.diagrams.papers.slabs import slabs_drawing
from archcalc.render.diagrams.papers.tall import tall_drawing
from archcalc.render.diagrams.papers.towers import towers_drawing
from archcalc.render.diagrams.papers.trunk import Unsuited
from archcalc.render.diagrams.volumes import draws_volumes
from archcalc.render.diagrams.wiring import Wiring


class Style(NamedTuple):
    """How a figure is drawn, what it shows in a few words, and whether it takes several networks."""

    draw: Callable[[Request], Drawing]
    shows: str
    several: bool = False


PAPERS: Mapping[str, Style] = {
    "slabs": Style(slabs_drawing, "a chain of layers with shortcuts as touching slabs"),
    "maps": Style(maps_drawing, "a chain of layers as stacks of feature maps"),
    "towers": Style(towers_drawing, "convolutions in two to four groups as parallel towers"),
    "tall": Style(tall_drawing, "branches side by side, one module below the other"),
    "detector": Style(detector_drawing, "backbone, neck and heads of outputs on maps of several sizes"),
    "bars": Style(bars_drawing, "a chain of layers with shortcuts as bars", True),
}


def paper_drawing(style: str, request: Request) -> Drawing:
    """The figure of one or several networks. Raises `UsageError` that says why one has none, and what suits it."""
    figure = PAPERS[style]
    if len(request.analyses) > 1 and not figure.several:
        several = " and ".join(name for name, other in PAPERS.items() if other.several)
        raise UsageError(f"the style {style} draws one network; {several} draws several next to each other")
    try:
        return figure.draw(request)
    except Unsuited as reason:
        suited = ", ".join(suiting(request, style))
        raise UsageError(f"the style {style} shows {figure.shows}, but {reason}; styles that suit: {suited}") from None


def suiting(request: Request, style: str) -> list[str]:
    """The other styles that suit networks."""
    found = []
    for name, figure in PAPERS.items():
        if name == style or (len(request.analyses) > 1 and not figure.several):
            continue
        try:
            figure.draw(request)
        except Unsuited:
            continue
        found.append(name)
    if len(request.analyses) > 1:
        return found
    return [*found, *(["volumes"] if draws_volumes(Wiring(request.analyses[0])) else []), "graph", "blocks"]
