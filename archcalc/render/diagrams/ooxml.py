"""Shapes of a PowerPoint slide (ECMA-376, DrawingML): boxes with text, frames, lines, and connectors glued to boxes.

Lengths are in English Metric Units, 914,400 to the inch.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal, NamedTuple

from archcalc.core.language import direction, is_turned, language, with_marks
from archcalc.render.diagrams.drawing import Point

#: Connection sites of a rectangle.
TOP, LEFT, BOTTOM, RIGHT = 0, 1, 2, 3
FONT = "Arial"
NAMESPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
#: Names of shapes may not be longer; nor should what is read out.
LONGEST_NAME = 200
_ALIGN = {"start": "l", "middle": "ctr", "end": "r"}


class Run(NamedTuple):
    """A piece of a line of text; the size is in points."""

    text: str
    size: float
    colour: str
    bold: bool = False
    font: str = FONT


#: A line with two corners is glued where they lie in the middle, within this share of the way.
_MIDDLE = 0.02


class ConnectorEnd(NamedTuple):
    """An end of a connector: a shape and one of its sites."""

    shape: int
    site: int


class Pen(NamedTuple):
    """A line; its thickness is in EMU."""

    colour: str
    thickness: float
    dash: Literal["solid", "sysDot", "dash", "sysDash"] = "solid"
    arrow: bool = False
    opacity: float = 1.0


def emu(value: float) -> int:
    """A length as a whole number."""
    return round(value)


def _colour(colour: str, opacity: float = 1.0) -> str:
    alpha = f'<a:alpha val="{round(opacity * 100_000)}"/>' if opacity < 1 else ""
    return f'<a:solidFill><a:srgbClr val="{colour[1:].upper()}">{alpha}</a:srgbClr></a:solidFill>'


def _fill(colour: str | None, opacity: float = 1.0) -> str:
    return _colour(colour, opacity) if colour else "<a:noFill/>"


def _line(pen: Pen | None) -> str:
    if pen is None or not pen.thickness:
        return "<a:ln><a:noFill/></a:ln>"
    dash = "" if pen.dash == "solid" else f'<a:prstDash val="{pen.dash}"/>'
    arrow = '<a:tailEnd type="triangle" w="med" len="med"/>' if pen.arrow else ""
    width = max(emu(pen.thickness), 1)
    return f'<a:ln w="{width}">{_colour(pen.colour, pen.opacity)}{dash}<a:round/>{arrow}</a:ln>'


def _about(number: int, name: str) -> str:
    text = escape(name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…")
    return f'<p:cNvPr id="{number}" name="{text}" descr="{text}"/>'


def _frame(x: float, y: float, width: float, height: float) -> str:
    return f'<a:off x="{emu(x)}" y="{emu(y)}"/><a:ext cx="{emu(width)}" cy="{emu(height)}"/>'


def paragraphs(lines: Sequence[Sequence[Run]], align: str) -> str:
    """Lines of text, none of which is wrapped."""
    text = "".join(
        f'<a:p><a:pPr algn="{_ALIGN[align]}"{_direction(line)}><a:lnSpc><a:spcPct val="95000"/></a:lnSpc></a:pPr>'
        + "".join(_run(run) for run in line)
        + "</a:p>"
        for line in lines
    )
    body = '<a:bodyPr wrap="none" lIns="0" tIns="0" rIns="0" bIns="0" anchor="ctr"><a:noAutofit/></a:bodyPr>'
    return f"<p:txBody>{body}<a:lstStyle/>{text or '<a:p/>'}</p:txBody>"


def _direction(line: Sequence[Run]) -> str:
    """A paragraph with letters that are written from right to left runs so."""
    turned = any(is_turned(run.text) for run in line)
    return ' rtl="1"' if direction() == "rtl" and turned else ""


def _run(run: Run) -> str:
    size = min(max(round(run.size * 100), 100), 400_000)
    fonts = f'<a:latin typeface="{run.font}"/><a:cs typeface="{run.font.replace("-lt", "-cs")}"/>'
    return (
        f'<a:r><a:rPr lang="{language()}" sz="{size}" b="{int(run.bold)}" dirty="0">'
        f"{_colour(run.colour)}{fonts}</a:rPr>"
        f"<a:t>{escape(with_marks(run.text), quote=False)}</a:t></a:r>"
    )


def box(
    number: int,
    name: str,
    place: tuple[float, float, float, float],
    fill: str | None,
    pen: Pen | None,
    radius: float = 0.0,
    text: str = "",
    turned: bool = False,
) -> str:
    """A rectangle, with round corners and text in it if wanted; `place` is left, top, width, height.

    One that is `turned` is so by a right angle to the left, around its centre.
    """
    _, _, width, height = place
    share = round(min(radius / max(min(width, height), 1.0), 0.5) * 100_000)
    shape = "roundRect" if radius else "rect"
    guides = f'<a:avLst><a:gd name="adj" fmla="val {share}"/></a:avLst>' if radius else "<a:avLst/>"
    turn = ' rot="16200000"' if turned else ""
    return (
        f"<p:sp {NAMESPACES}><p:nvSpPr>{_about(number, name)}<p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr>"
        f'<a:xfrm{turn}>{_frame(*place)}</a:xfrm><a:prstGeom prst="{shape}">{guides}</a:prstGeom>'
        f"{_fill(fill)}{_line(pen)}</p:spPr>{text or paragraphs((), 'middle')}</p:sp>"
    )


def group(number: int, name: str, place: tuple[float, float, float, float], inside: Sequence[str]) -> str:
    """Shapes that move together; those inside keep the coordinates of the slide."""
    x, y, width, height = (emu(value) for value in place)
    return (
        f"<p:grpSp {NAMESPACES}><p:nvGrpSpPr>{_about(number, name)}<p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr>"
        f'<a:xfrm>{_frame(*place)}<a:chOff x="{x}" y="{y}"/><a:chExt cx="{width}" cy="{height}"/></a:xfrm></p:grpSpPr>'
        f"{''.join(inside)}</p:grpSp>"
    )


def _path(points: Sequence[Point], bezier: bool, closed: bool) -> tuple[tuple[float, float, float, float], str]:
    """A custom geometry and the place that it takes."""
    left, top = min(x for x, _ in points), min(y for _, y in points)
    width, height = max(x for x, _ in points) - left, max(y for _, y in points) - top

    def at(point: Point) -> str:
        return f'<a:pt x="{emu(point[0] - left)}" y="{emu(point[1] - top)}"/>'

    parts = [f"<a:moveTo>{at(points[0])}</a:moveTo>"]
    if bezier:
        parts += [
            f"<a:cubicBezTo>{''.join(at(point) for point in points[index : index + 3])}</a:cubicBezTo>"
            for index in range(1, len(points), 3)
        ]
    else:
        parts += [f"<a:lnTo>{at(point)}</a:lnTo>" for point in points[1:]]
    if closed:
        parts.append("<a:close/>")
    fill = "" if closed else ' fill="none"'
    geometry = (
        '<a:custGeom><a:avLst/><a:gdLst/><a:ahLst/><a:cxnLst/><a:rect l="0" t="0" r="r" b="b"/><a:pathLst>'
        f'<a:path w="{emu(width)}" h="{emu(height)}"{fill}>{"".join(parts)}</a:path></a:pathLst></a:custGeom>'
    )
    return (left, top, width, height), geometry


def freeform(
    number: int,
    name: str,
    points: Sequence[Point],
    fill: str | None,
    pen: Pen | None,
    bezier: bool = False,
    closed: bool = True,
    opacity: float = 1.0,
) -> str:
    """A line or an area of any form."""
    place, geometry = _path(points, bezier, closed)
    return (
        f"<p:sp {NAMESPACES}><p:nvSpPr>{_about(number, name)}<p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr>"
        f"<a:xfrm>{_frame(*place)}</a:xfrm>{geometry}{_fill(fill, opacity)}{_line(pen)}</p:spPr></p:sp>"
    )


def connector(
    number: int,
    name: str,
    points: Sequence[Point],
    pen: Pen,
    start: ConnectorEnd | None,
    end: ConnectorEnd | None,
) -> str:
    """A line glued to two shapes, or where it cannot be glued a shape that is a line."""
    if not can_be_glued(points):
        return freeform(number, name, points, None, pen, closed=False)
    transform, geometry = _straight(points[0], points[1]) if len(points) == 2 else _bent(points)
    glue = "".join(
        f'<a:{which} id="{end_.shape}" idx="{end_.site}"/>'
        for which, end_ in (("stCxn", start), ("endCxn", end))
        if end_ is not None
    )
    return (
        f"<p:cxnSp {NAMESPACES}><p:nvCxnSpPr>{_about(number, name)}<p:cNvCxnSpPr>{glue}</p:cNvCxnSpPr><p:nvPr/>"
        f"</p:nvCxnSpPr><p:spPr>{transform}{geometry}{_line(pen)}</p:spPr></p:cxnSp>"
    )


def can_be_glued(points: Sequence[Point]) -> bool:
    """Whether every program draws a connector through these points: LibreOffice finds another way for most corners."""
    if len(points) != 4:
        return len(points) < 4
    (x0, y0), (x1, y1), _, (x3, y3) = points
    way, corner = (x3 - x0, x1 - x0) if abs(y1 - y0) < abs(x1 - x0) else (y3 - y0, y1 - y0)
    return abs(corner - way / 2) <= abs(way) * _MIDDLE


def _flips(first: float, second: float) -> str:
    return (' flipH="1"' if first < 0 else "") + (' flipV="1"' if second < 0 else "")


def _straight(start: Point, end: Point) -> tuple[str, str]:
    dx, dy = end[0] - start[0], end[1] - start[1]
    place = _frame(min(start[0], end[0]), min(start[1], end[1]), abs(dx), abs(dy))
    return (
        f"<a:xfrm{_flips(dx, dy)}>{place}</a:xfrm>",
        '<a:prstGeom prst="straightConnector1"><a:avLst/></a:prstGeom>',
    )


def _bent(points: Sequence[Point]) -> tuple[str, str]:
    """The preset connectors start along their own x axis; one that starts downwards is turned by a right angle.

    Their corners are shares of the way from start to end along one axis and the other (ECMA-376, bentConnector2 and 3).
    """
    (x0, y0), (x1, y1) = points[0], points[-1]
    level = abs(points[1][1] - y0) < abs(points[1][0] - x0)
    dx, dy = x1 - x0, y1 - y0
    along, across = (dx, dy) if level else (dy, dx)
    # A share of nothing is no number: ends that lie in one line get a length that nobody sees.
    along, across = along or 100.0, across or 100.0
    shares = []
    for index, (x, y) in enumerate(points[1:-1]):
        first = index % 2 == 0
        value = (x - x0 if level else y - y0) / along if first else (y - y0 if level else x - x0) / across
        shares.append(round(value * 100_000))
    # The last corner of each lies where the end does.
    shares = shares[: len(points) - 3]
    guides = "".join(f'<a:gd name="adj{place}" fmla="val {share}"/>' for place, share in enumerate(shares, 1))
    geometry = f'<a:prstGeom prst="bentConnector{len(points) - 1}"><a:avLst>{guides}</a:avLst></a:prstGeom>'
    width, height = abs(along), abs(across)
    centre = (x0 + dx / 2, y0 + dy / 2)
    place = _frame(centre[0] - width / 2, centre[1] - height / 2, width, height)
    # Turned by a right angle, what ran down runs to the left.
    flips = _flips(along, across if level else -across)
    turn = "" if level else ' rot="5400000"'
    return f"<a:xfrm{turn}{flips}>{place}</a:xfrm>", geometry
