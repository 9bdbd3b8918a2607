"""How edges are drawn: never distinguished by colour alone."""

from __future__ import annotations

from archcalc.render.diagrams.model import Edge, EdgeKind
from archcalc.render.diagrams.text import clean
from archcalc.render.diagrams.theme import Theme


class Stroke:
    """Thickness and dashes of each kind of edge."""

    # Constants by kind of edge: nothing writes to them.
    thickness: dict[EdgeKind, float] = {  # noqa: RUF012
        "flow": 1.2, "identity": 2.1, "projection": 1.9, "auxiliary": 1.3, "size": 0.8
    }  # fmt: skip
    dash: dict[EdgeKind, tuple[float, ...]] = {  # noqa: RUF012
        "flow": (), "identity": (), "projection": (2.0, 3.6), "auxiliary": (6.0, 3.5), "size": (1.0, 3.0)
    }  # fmt: skip


def edge_colour(kind: EdgeKind, theme: Theme) -> str:
    """Shortcuts stand out, side branches stand back."""
    return {"flow": theme.edge, "auxiliary": theme.quiet, "size": theme.quiet}.get(kind, theme.accent)


def edge_title(edge: Edge) -> str:
    """What is read out for an edge."""
    return clean(f"{edge.source} → {edge.target}" if edge.target else edge.source)
