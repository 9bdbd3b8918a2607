"""A chart as shapes of a drawing, so that slides hold it as shapes that can be edited.

Vega lays a chart out and writes it as SVG of few kinds: groups that are moved, paths, lines and texts. These are read
here; anything else is an error, never left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import pi, tan
from typing import Any
from xml.etree.ElementTree import Element

from archcalc.render.diagrams.drawing import Anchor, Cluster, Curve, Point, Shape, Text, shifted

_SVG = "{http://www.w3.org/2000/svg}"
_MOVE = re.compile(r"(translate|rotate)\(([^)]*)\)")
_COMMAND = re.compile(r"([A-DF-Za-df-z])([^A-DF-Za-df-z]*)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
#: What has no look of its own, or does not appear.
_SILENT = (f"{_SVG}title", f"{_SVG}desc", f"{_SVG}defs")
_ANCHORS: dict[str, Anchor] = {"start": "start", "middle": "middle", "end": "end"}


def chart_shapes(spec: Mapping[str, Any]) -> Cluster:
    """The marks, axes and texts of a plot in the pixels of its picture; the ground of the picture is left out.

    Raises `ValueError` for an element that Vega has not written so far.
    """
    from archcalc.render.charts.render import svg

    return Cluster(str(spec["usermeta"]["archcalc"]["title"]), tuple(read_shapes(svg(spec))), "chart")


def read_shapes(drawn: str) -> list[Shape]:
    """The shapes of an SVG that Vega has written."""
    from xml.etree.ElementTree import fromstring

    # Made by Vega a moment ago: no file of a user.
    root = fromstring(drawn)  # noqa: S314
    found = list(_shapes(root, {}))
    ground = root.find(f"{_SVG}rect")
    return found if ground is None else found[1:]


def _shapes(node: Element, look: Mapping[str, str]) -> Iterator[Shape]:
    if node.tag in _SILENT or node.get("display") == "none":
        return
    look = {**look, **{name: value for name, value in node.attrib.items() if name not in ("opacity", "transform")}}
    opacity = float(node.get("opacity", 1))
    if opacity == 0:
        return
    dx, dy, angle = _moved(node.get("transform", ""))
    if angle not in (0, 90):
        raise ValueError(f"a chart holds something that is turned by {angle:g} degrees")
    if node.tag == f"{_SVG}text":
        found: Iterator[Shape] = iter([_text(node, look, angle == 90)])
    elif angle:
        raise ValueError("a chart holds something turned that is no text")
    elif node.tag in (f"{_SVG}g", f"{_SVG}svg"):
        found = (shape for child in node for shape in _shapes(child, look))
    elif node.tag == f"{_SVG}path":
        found = _path(node.get("d", ""), look, opacity)
    elif node.tag == f"{_SVG}line":
        ends = ((0.0, 0.0), (float(node.get("x2", 0)), float(node.get("y2", 0))))
        found = _curve(ends, False, look, opacity, closed=False)
    elif node.tag == f"{_SVG}rect":
        width, height = float(node.get("width", 0)), float(node.get("height", 0))
        found = _curve(((0, 0), (width, 0), (width, height), (0, height)), False, look, opacity, closed=True)
    else:
        raise ValueError(f"a chart holds an element {node.tag!r}")
    for shape in found:
        yield shifted(shape, dx, dy)


def _moved(text: str) -> tuple[float, float, float]:
    """Where a transform moves the origin to, and by how much it turns to the left: 0 or 90 degrees in Vega's charts."""
    x = y = angle = 0.0
    for kind, values in _MOVE.findall(text):
        numbers = [float(value) for value in _NUMBER.findall(values)]
        if kind == "rotate":
            angle = -numbers[0] % 360
        else:
            dx, dy = (*numbers, 0.0)[:2]
            # Moved along axes that are turned already.
            x, y = (x + dy, y - dx) if angle == 90 else (x + dx, y + dy)
    return x, y, angle


def _text(node: Element, look: Mapping[str, str], turned: bool) -> Text:
    size = float(look.get("font-size", "12px").removesuffix("px"))
    words = "".join(node.itertext())
    bold = look.get("font-weight") in ("bold", "700")
    return Text(
        0, 0, words, size, look.get("fill", "#000000"), bold, _ANCHORS[look.get("text-anchor", "start")], turned
    )


def _curve(
    points: tuple[Point, ...], bezier: bool, look: Mapping[str, str], opacity: float, closed: bool
) -> Iterator[Shape]:
    """The area, its line, or both: each has an opacity of its own."""
    fill = look.get("fill", "#000000") if closed else "none"
    line, width = look.get("stroke", "none"), float(look.get("stroke-width") or 1)
    if "transparent" in (fill, line):
        raise ValueError("a chart holds a transparent shape")
    dash = tuple(float(part) for part in _NUMBER.findall(look.get("stroke-dasharray", "")))
    if fill != "none":
        share = opacity * float(look.get("fill-opacity", 1))
        yield Curve(points, None, fill=fill, closed=True, bezier=bezier, opacity=share)
    if line != "none" and width:
        share = opacity * float(look.get("stroke-opacity", 1))
        yield Curve(points, line, width, bezier, dash=dash, closed=closed, opacity=share)


def _path(data: str, look: Mapping[str, str], opacity: float) -> Iterator[Shape]:
    """Each subpath; all its pieces as curves if one is."""
    for points, closed in _subpaths(data):
        across = max(x for x, _ in points) - min(x for x, _ in points)
        down = max(y for _, y in points) - min(y for _, y in points)
        if across or down:
            plain = all(
                points[at] == points[at - 1] and points[at + 1] == points[at + 2] for at in range(1, len(points), 3)
            )
            kept = points[:1] + points[3::3] if plain else points
            yield from _curve(tuple(kept), not plain, look, opacity, closed)


def _subpaths(data: str) -> Iterator[tuple[list[Point], bool]]:
    """A start and triples of two handles and an end, and whether it is closed."""
    points: list[Point] = []
    closed = False
    for command, values in _COMMAND.findall(data):
        numbers = [float(value) for value in _NUMBER.findall(values)]
        if command in "Mm" and points:
            yield points, closed
            points, closed = [], False
        if command in "Zz":
            closed = True
        elif command == "A":
            for at in range(0, len(numbers), 7):
                radius, _, _, _, sweep, x, y = numbers[at : at + 7]
                points += _half_circle(points[-1], (x, y), radius, sweep)
        elif command in "MLC":
            pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
            if command == "C":
                points += pairs
            else:
                for pair in pairs:
                    points += [pair] if not points else [points[-1], pair, pair]
        elif command in "hvHV":
            for number in numbers:
                x, y = points[-1]
                relative = command.islower()
                end = (number + x * relative, y) if command in "hH" else (x, number + y * relative)
                points += [points[-1], end, end]
        elif command == "l":
            for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
                x, y = points[-1]
                points += [points[-1], (x + dx, y + dy), (x + dx, y + dy)]
        else:
            raise ValueError(f"a chart holds a path with the command {command}")
    if points:
        yield points, closed


def _half_circle(start: Point, end: Point, radius: float, sweep: float) -> list[Point]:
    """Two quarters of a circle; Vega draws its round points as two halves. Raises `ValueError` for another arc."""
    centre = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    across = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    if abs(across - 2 * radius) > 0.02:
        raise ValueError("a chart holds an arc that is no half circle")
    turn = 1 if sweep else -1
    handle = 4 / 3 * tan(pi / 8)
    ux, uy = start[0] - centre[0], start[1] - centre[1]
    found: list[Point] = []
    for _ in range(2):
        # The radius turned by a right angle, in the direction of the arc.
        vx, vy = -uy * turn, ux * turn
        found += [
            (centre[0] + ux + handle * vx, centre[1] + uy + handle * vy),
            (centre[0] + vx + handle * ux, centre[1] + vy + handle * uy),
            (centre[0] + vx, centre[1] + vy),
        ]
        ux, uy = vx, vy
    return found
