"""Figures of papers read back: the clusters of a drawing by their role."""

from __future__ import annotations

from functools import cache

from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Text
from archcalc.render.diagrams.from_analysis import drawing_of
from tests.render.diagrams.pictures import analysis_of


@cache
def figure(style: str, *networks: str, fit: str | None = "16:9", theme: str = "light") -> Drawing:
    first, *others = map(analysis_of, networks)
    return drawing_of(first, Choices(style=style, fit=fit, theme=theme), others=others)[0]


def nodes(drawing: Drawing) -> list[Cluster]:
    return [item for item in drawing.items if item.role == "node"]


def edges(drawing: Drawing) -> list[Cluster]:
    return [item for item in drawing.items if item.role == "edge"]


def texts(items: list[Cluster]) -> list[str]:
    return [shape.text for item in items for shape in item.shapes if isinstance(shape, Text)]


def curves(items: list[Cluster]) -> list[Curve]:
    return [shape for item in items for shape in item.shapes if isinstance(shape, Curve)]
