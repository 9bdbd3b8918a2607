"""The whole way of each edge through the lines that are drawn for it, from its source to its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from archcalc.render.diagrams.drawing import Link, Point
from archcalc.render.diagrams.model import Diagram, Edge, EdgeKind
from archcalc.render.diagrams.pack import Layout
from archcalc.render.diagrams.segments import Line, Placed
from archcalc.render.diagrams.strokes import Stroke, edge_colour, edge_title
from archcalc.render.diagrams.theme import Theme, pale

#: Ends of lines that meet are at most so far apart.
MEET = 0.6


class Way(NamedTuple):
    """An edge, its two boxes, and the numbers of the layout's lines on the way."""

    edge: Edge
    source: Placed
    target: Placed
    lines: tuple[int, ...]


def ways(diagram: Diagram, layout: Layout) -> list[Way]:
    """Every edge with its way. Lines of one map are shared by the edges that it takes."""
    placed = {node.box.node.id: node for node in layout.nodes}
    by_source: dict[str, list[int]] = {}
    last: dict[tuple[str, str], int] = {}
    for number, line in enumerate(layout.lines):
        if line.edge.target:
            last[line.edge.source, line.edge.target] = number
        else:
            by_source.setdefault(line.edge.source, []).append(number)
    found = []
    for edge in diagram.edges:
        end = last.get((edge.source, edge.target))
        if end is None:
            continue
        chain = [end]
        rest = set(by_source.get(edge.source, ()))
        while (before := _before(layout.lines, layout.lines[chain[0]].points[0], rest)) is not None:
            rest.discard(before)
            chain.insert(0, before)
        found.append(Way(edge, placed[edge.source], placed[edge.target], tuple(chain)))
    return found


def kinded(diagram: Diagram, layout: Layout) -> list[Line]:
    """The lines, each of the kind of all edges that it is a part of, a plain one where they are of several kinds."""
    kinds: dict[int, set[EdgeKind]] = {}
    for way in ways(diagram, layout):
        for number in way.lines:
            kinds.setdefault(number, set()).add(way.edge.kind)
    found = list(layout.lines)
    for number, of_edges in kinds.items():
        kind = of_edges.pop() if len(of_edges) == 1 else "flow"
        found[number] = found[number]._replace(edge=found[number].edge._replace(kind=kind))
    return found


def _before(lines: Sequence[Line], start: Point, candidates: set[int]) -> int | None:
    return next((number for number in sorted(candidates) if _meet(lines[number].points[-1], start)), None)


def _meet(first: Point, second: Point) -> bool:
    return abs(first[0] - second[0]) < MEET and abs(first[1] - second[1]) < MEET


def corners(layout: Layout, way: Way) -> list[Point]:
    """The way as a line with right angles from box to box."""
    points: list[Point] = [way.source.start, way.source.trunk]
    for number in way.lines:
        line = layout.lines[number].points
        points.append(line[0])
        for index in range(1, len(line), 3):
            first, second, end = line[index : index + 3]
            # Both handles of a round corner lie in it.
            points += [first, end] if first == second else [end]
    return simplified(points)


def simplified(points: Sequence[Point]) -> list[Point]:
    """Without points on the way between two corners."""
    result: list[Point] = [points[0]]
    axes: list[int] = []
    for point in points[1:]:
        dx, dy = point[0] - result[-1][0], point[1] - result[-1][1]
        if abs(dx) < MEET and abs(dy) < MEET:
            continue
        assert min(abs(dx), abs(dy)) < MEET, "a line of a layout is slanted"
        axis = 0 if abs(dx) > abs(dy) else 1
        straight = (point[0], result[-1][1]) if axis == 0 else (result[-1][0], point[1])
        if axes and axes[-1] == axis:
            result[-1] = straight
        else:
            result.append(straight)
            axes.append(axis)
    return result


def links_of(diagram: Diagram, layout: Layout, theme: Theme, steps: Mapping[str, int]) -> list[Link]:
    """Every edge in one piece, for formats that glue lines to boxes."""
    found = []
    for way in ways(diagram, layout):
        edge, source = way.edge, way.source
        points = corners(layout, way)
        (x, y), low = source.start, source.y + source.box.height
        # The shadow of repeated boxes lies between the box and the start of its line.
        points[0] = (x, min(y, low)) if layout.down else (min(x, source.x + source.width), y)
        step = max(steps.get(edge.source, 0), steps.get(edge.target, 0))
        ink = edge_colour(edge.kind, pale(theme) if diagram.marked and not edge.marked else theme)
        thickness, dash = Stroke.thickness[edge.kind], Stroke.dash[edge.kind]
        found.append(Link(edge.source, edge.target, edge_title(edge), tuple(points), ink, thickness, dash, step))
    return found
