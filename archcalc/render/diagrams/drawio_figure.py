"""A drawing, of volumes or of a figure of papers, as a document of diagrams.net: shapes that can be changed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Point, Ramp, Rect, Shape, Text, main_box
from archcalc.render.diagrams.drawio import cell, texts
from archcalc.render.diagrams.svg import number

#: So many places of each bent part of a line are joined by straight lines.
PLACES = 8


def drawio_figure(drawing: Drawing) -> str:
    """The document: one cell a shape; a box and the texts in it are one cell."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<mxfile host="archcalc"><diagram name="{escape(drawing.title)}">',
        f'<mxGraphModel page="1" pageWidth="{number(drawing.width)}" pageHeight="{number(drawing.height)}" '
        f'background="{drawing.background}"><root><mxCell id="0"/><mxCell id="1" parent="0"/>',
        *(line for place, cluster in enumerate(drawing.items) for line in _cluster(cluster, f"c{place}")),
        "</root></mxGraphModel></diagram></mxfile>",
    ]
    return "\n".join(lines) + "\n"


def _cluster(cluster: Cluster, stem: str) -> Iterator[str]:
    box = main_box(cluster)
    inside = [
        shape for shape in cluster.shapes
        if isinstance(shape, Text) and box is not None and shape.anchor == "middle"
        and box.x <= shape.x <= box.x + box.width and box.y < shape.y < box.y + box.height
    ]  # fmt: skip
    for place, shape in enumerate(cluster.shapes):
        if shape is box and inside:
            yield _box(box, inside, f"{stem}-{place}")
        elif not any(shape is text for text in inside):
            yield from _shape(shape, f"{stem}-{place}")


def _look(fill: str | None, line: str | None, thickness: float, dash: Sequence[float]) -> str:
    dashed = f"dashed=1;dashPattern={' '.join(number(part) for part in dash)};" if dash else ""
    return f"fillColor={fill or 'none'};strokeColor={line or 'none'};strokeWidth={number(thickness)};{dashed}"


def _box(box: Rect, inside: Sequence[Text], name: str) -> str:
    # Labels are HTML inside of XML: what a name holds is escaped for both.
    lines = (f"<b>{escape(text.text)}</b>" if text.bold else escape(text.text) for text in inside)
    first = inside[0]
    style = (
        f"rounded={int(bool(box.radius))};html=1;whiteSpace=nowrap;fontSize={number(first.size)};"
        f"fontColor={first.colour};{_look(box.fill, box.line, box.thickness, box.dash)}"
    )
    return cell(name, "<br>".join(lines), style, box.x, box.y, box.width, box.height)


def _shape(shape: Shape, name: str) -> Iterator[str]:
    if isinstance(shape, Text):
        yield from texts([shape], name)
    elif isinstance(shape, Ramp):
        style = f"html=0;gradientDirection=east;fillColor={shape.colours[0]};gradientColor={shape.colours[-1]}"
        yield cell(name, "", f"{style};strokeColor=none", shape.x, shape.y, shape.width, shape.height)
    elif isinstance(shape, Rect):
        style = f"rounded={int(bool(shape.radius))};html=0;{_look(shape.fill, shape.line, shape.thickness, shape.dash)}"
        yield cell(name, "", style, shape.x, shape.y, shape.width, shape.height)
    elif shape.closed:
        yield _polygon(shape, name)
    else:
        yield _line(shape, name)


def _polygon(shape: Curve, name: str) -> str:
    """A face of a box: its corners as shares of the rectangle around it."""
    points = places(shape)
    left, top = (min(point[axis] for point in points) for axis in (0, 1))
    width, height = (max(point[axis] for point in points) - (left, top)[axis] for axis in (0, 1))
    shares = ",".join(f"[{(x - left) / (width or 1):.4f},{(y - top) / (height or 1):.4f}]" for x, y in points)
    opacity = f"opacity={round(100 * shape.opacity)};" if shape.opacity != 1 else ""
    style = f"shape=mxgraph.basic.polygon;polyCoords=[{shares}];polyline=0;html=0;{opacity}"
    return cell(name, "", style + _look(shape.fill, shape.line, shape.thickness, shape.dash), left, top, width, height)


def _line(shape: Curve, name: str) -> str:
    points = places(shape)
    head = "block;endFill=1;endSize=4" if shape.arrow else "none"
    style = f"html=0;rounded=0;endArrow={head};{_look(None, shape.line, shape.thickness, shape.dash)}"
    between = "".join(f'<mxPoint x="{number(x)}" y="{number(y)}"/>' for x, y in points[1:-1])
    way = f'<Array as="points">{between}</Array>' if between else ""
    ends = "".join(
        f'<mxPoint x="{number(x)}" y="{number(y)}" as="{end}Point"/>'
        for end, (x, y) in (("source", points[0]), ("target", points[-1]))
    )
    return (
        f'<mxCell id="{name}" value="" style="{escape(style)}" edge="1" parent="1">'
        f'<mxGeometry relative="1" as="geometry">{ends}{way}</mxGeometry></mxCell>'
    )


def places(shape: Curve) -> list[Point]:
    """The line as corners: of a bent part several places."""
    if not shape.bezier:
        return list(shape.points)
    found = [shape.points[0]]
    for index in range(1, len(shape.points), 3):
        start, first, second, end = found[-1], *shape.points[index : index + 3]
        straight = first == start and second == end
        for step in (PLACES,) if straight else range(1, PLACES + 1):
            t = step / PLACES
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            corners = (start, first, second, end)
            x, y = (sum(w * corner[axis] for w, corner in zip(weights, corners, strict=True)) for axis in (0, 1))
            if abs(x - found[-1][0]) + abs(y - found[-1][1]) > 0.01:
                found.append((x, y))
    return found if len(found) > 1 else [shape.points[0], shape.points[-1]]
