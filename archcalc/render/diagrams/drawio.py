"""A laid-out diagram as a document of diagrams.net (draw.io), to be changed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from archcalc.render.diagrams.dot import edge_text, ending, repeated, short
from archcalc.render.diagrams.drawing import Rect, Shape, Text
from archcalc.render.diagrams.legend import legend_shapes
from archcalc.render.diagrams.model import Diagram, EdgeKind
from archcalc.render.diagrams.pack import Layout
from archcalc.render.diagrams.paint import MARGIN, heading
from archcalc.render.diagrams.segments import Placed
from archcalc.render.diagrams.strokes import Stroke, edge_colour
from archcalc.render.diagrams.svg import number
from archcalc.render.diagrams.text import text_width
from archcalc.render.diagrams.theme import Theme, heat, readable


def drawio(diagram: Diagram, layout: Layout, theme: Theme) -> str:
    """The document: one cell a layer, connected where layers are."""
    head, top = heading(diagram.title, diagram.subtitle, max(layout.width, 300.0), MARGIN, theme)
    legend, height = legend_shapes(diagram.legend, diagram.scale, theme, MARGIN, top + layout.height + 20, layout.width)
    width, depth = layout.width + 2 * MARGIN, top + layout.height + height + 20 + MARGIN
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<mxfile host="archcalc"><diagram name="{escape(diagram.title)}">',
        f'<mxGraphModel page="1" pageWidth="{number(width)}" pageHeight="{number(depth)}" '
        f'background="{theme.background}"><root><mxCell id="0"/><mxCell id="1" parent="0"/>',
        *texts([*head, *legend], "t"),
        *_frames(layout, top, theme),
        *(line for placed in layout.nodes for line in _node(diagram, placed, top, theme)),
        *_edges(diagram, layout, theme),
        "</root></mxGraphModel></diagram></mxfile>",
    ]
    return "\n".join(lines) + "\n"


def cell(name: str, value: str, style: str, x: float, y: float, width: float, height: float) -> str:
    """A box."""
    return (
        f'<mxCell id="{escape(name)}" value="{escape(value)}" style="{escape(style)}" vertex="1" parent="1">'
        f'<mxGeometry x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        'as="geometry"/></mxCell>'
    )


def texts(shapes: list[Shape], stem: str) -> Iterator[str]:
    """Texts, and rectangles next to them."""
    for index, shape in enumerate(shapes):
        if isinstance(shape, Text):
            width = text_width(shape.text, shape.size, shape.bold)
            left = shape.x - {"start": 0.0, "middle": width / 2, "end": width}[shape.anchor]
            style = (
                f"text;html=0;align=left;verticalAlign=middle;spacing=0;fontSize={number(shape.size)};"
                f"fontColor={shape.colour};fontStyle={int(shape.bold)}"
            )
            style += ";rotation=-90" if shape.turned else ""
            yield cell(f"{stem}{index}", shape.text, style, left, shape.y - shape.size, width + 2, shape.size * 1.3)
        elif isinstance(shape, Rect) and shape.fill:
            style = f"rounded=1;fillColor={shape.fill};strokeColor={shape.line or 'none'}"
            yield cell(f"{stem}{index}", "", style, shape.x, shape.y, shape.width, shape.height)


def _frames(layout: Layout, top: float, theme: Theme) -> Iterator[str]:
    for index, frame in enumerate(layout.frames):
        group = frame.group
        label = f"{repeated(group.label, group.times)}  {group.note}".rstrip()
        style = (
            f"rounded=1;arcSize=2;html=0;fillColor={theme.frame.fill};strokeColor={theme.frame.line};align=left;"
            f"verticalAlign=top;spacingLeft=6;fontStyle=1;fontSize=12;fontColor={theme.quiet}"
        )
        yield cell(f"f{index}", label, style, frame.x + MARGIN, frame.y + top, frame.width, frame.height)


def _node(diagram: Diagram, placed: Placed, top: float, theme: Theme) -> Iterator[str]:
    node = placed.box.node
    for index, (box, x, y, width) in enumerate(placed.box.places()):
        part = box.part
        paint = theme.families["input" if diagram.scale and part.heat is None else part.family]
        fill, ink = paint.fill, theme.ink
        if part.heat is not None:
            fill = heat(theme, part.heat)
            ink = readable(fill)
        label = repeated(short(part.label), node.times)
        lines = (*part.lines, *(ending(diagram, node) if part is node.parts[-1] else ()))
        rest = "".join(f"<br>{escape(line)}" for line in lines)
        suffix = f" {escape(part.suffix)}" if part.suffix else ""
        style = (
            f"rounded=1;html=1;whiteSpace=wrap;fillColor={fill};strokeColor={paint.line};fontColor={ink};fontSize=11;"
            f"dashed={int(node.auxiliary)}"
        )
        # Labels are HTML inside of XML: what a name holds is escaped for both.
        text = f"<b>{escape(label)}</b>{suffix}{rest}"
        yield cell(_part_id(node.id, index), text, style, placed.x + x + MARGIN, placed.y + y + top, width, box.height)


def _part_id(node: str, index: int) -> str:
    return f"n:{node}:{index}"


def _edges(diagram: Diagram, layout: Layout, theme: Theme) -> Iterator[str]:
    last = {placed.box.node.id: len(placed.box.parts) - 1 for placed in layout.nodes}
    ports = "exitX=0.5;exitY=1;entryX=0.5;entryY=0" if layout.down else "exitX=1;exitY=0.5;entryX=0;entryY=0.5"
    for index, edge in enumerate((*diagram.edges, *diagram.sized)):
        kind: EdgeKind = edge.kind
        dash = f"dashed=1;dashPattern={' '.join(number(p) for p in Stroke.dash[kind])};" if Stroke.dash[kind] else ""
        style = (
            f"edgeStyle=orthogonalEdgeStyle;rounded=1;html=0;endArrow=block;endFill=1;endSize=4;fontSize=10;{dash}"
            f"strokeColor={edge_colour(kind, theme)};strokeWidth={number(Stroke.thickness[kind])};"
            f"fontColor={theme.quiet};labelBackgroundColor={theme.background};{ports}"
        )
        source, target = _part_id(edge.source, last[edge.source]), _part_id(edge.target, 0)
        shape = escape(edge_text(diagram, edge))
        yield (
            f'<mxCell id="e{index}" value="{shape}" style="{escape(style)}" edge="1" '
            f'parent="1" source="{escape(source)}" target="{escape(target)}"><mxGeometry relative="1" as="geometry"/>'
            "</mxCell>"
        )
