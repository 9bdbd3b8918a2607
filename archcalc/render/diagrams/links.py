"""Every edge of a laid-out diagram in one piece, for formats in which lines are glued to boxes."""

from __future__ import annotations

from archcalc.render.diagrams.drawing import Link
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.pack import Layout
from archcalc.render.diagrams.steps import Steps
from archcalc.render.diagrams.strokes import Stroke, edge_colour, edge_title
from archcalc.render.diagrams.theme import Theme, pale
from archcalc.render.diagrams.trace import corners, curve_of, ways


def links_of(diagram: Diagram, layout: Layout, theme: Theme, marked: bool, steps: Steps | None) -> list[Link]:
    """The links of all edges; with right angles where the drawing has them."""
    found = []
    for way in ways(diagram, layout):
        edge, source = way.edge, way.source
        square = corners(layout, way)
        points = square or curve_of(layout, way)
        (x, y), low = source.start, source.y + source.box.height
        # The shadow of repeated boxes lies between the box and the start of its line.
        points[0] = (x, min(y, low)) if layout.down else (min(x, source.x + source.width), y)
        step = max(steps.of_node[edge.source], steps.of_node[edge.target]) if steps else 0
        ink = edge_colour(edge.kind, pale(theme) if marked and not edge.marked else theme)
        thickness, dash = Stroke.thickness[edge.kind], Stroke.dash[edge.kind]
        found.append(
            Link(edge.source, edge.target, edge_title(edge), tuple(points), square is None, ink, thickness, dash, step)
        )
    return found
