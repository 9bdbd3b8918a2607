"""A drawing as SVG: text stays text, and every box has a title for screen readers and for hovering."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from json import dumps

from archcalc.core.language import direction, turned
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Point, Ramp, Rect, Shape, Text, arrow_head
from archcalc.render.diagrams.paint import ARROW
from archcalc.render.diagrams.text import FACE, MAQAF, clean
from archcalc.render.diagrams.theme import Tone

#: Fonts of one width: where one is missing, the next takes its place and every text still fits.
FONTS = "Arimo, Arial, Helvetica, 'Liberation Sans', sans-serif"


#: Letters that those lack, and the shipped font that has them, or another of that width.
ARMENIAN_LETTERS = re.compile("[\u0531-\u058a]+")
ARMENIAN = "Archcalc Armenian, DejaVu Sans, sans-serif"
_ROUND = ' stroke-linecap="round" stroke-linejoin="round"'


def number(value: float) -> str:
    """At most two decimals, without what is not needed."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def svg(drawing: Drawing, ids: str = "", steps: bool = False) -> str:
    """The drawing as an SVG document. Every `id` in it starts with `ids`: several drawings may stand in one page."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + svg_element(drawing, ids, steps=steps)


def svg_element(drawing: Drawing, ids: str = "", role: str = "img", steps: bool = False) -> str:
    """The element `svg` by itself, for a page; with `steps` each part says in `data-step` when it appears.

    Each layer is a `<g class="node" data-layer="NAME">`, each folded block a `<g class="node" data-block="NAME">`;
    one that stands for several layers has their names in `data-layers` too, as a JSON list.
    """
    return "\n".join(_lines(drawing, escape(ids), role, steps)) + "\n"


def left_to_right() -> str:
    """What a drawing says of itself, laid out from the left, for a page that runs from right to left."""
    return ' direction="ltr"' if direction() == "rtl" else ""


def families() -> str:
    """The fonts of a picture: the chosen one, then the shipped one and those of its widths."""
    face = FACE.get()
    return f"'{face.name}', {FONTS}" if face else FONTS


def _lines(drawing: Drawing, ids: str, role: str, steps: bool) -> Iterator[str]:
    width, height = number(drawing.width), number(drawing.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="{role}" aria-labelledby="{ids}title {ids}desc" font-family="{families()}"{left_to_right()}>'
    )
    yield f'<title id="{ids}title">{escape(clean(drawing.title))}</title>'
    yield f'<desc id="{ids}desc">{escape(clean(drawing.description))}</desc>'
    yield from _style(drawing)
    yield f'<rect width="{width}" height="{height}"{_colours(fill=drawing.background)}/>'
    ramps = 0
    for cluster in drawing.items:
        yield _open(cluster, steps)
        for shape in cluster.shapes:
            if isinstance(shape, Ramp):
                ramps += 1
                yield _ramp(shape, f"{ids}ramp{ramps}")
            else:
                yield from _shape(shape)
        yield "</g>"
    yield "</svg>"


def _open(cluster: Cluster, steps: bool) -> str:
    names = f' data-layer="{escape(cluster.layer)}"' if cluster.layer else ""
    names += f' data-block="{escape(cluster.block)}"' if cluster.block else ""
    if cluster.layers:
        names += f' data-layers="{escape(dumps(cluster.layers, ensure_ascii=False, separators=(",", ":")))}"'
    if steps and cluster.step:
        names += f' data-step="{cluster.step}"'
    title = "" if cluster.role in ("title", "legend", "key", "plain") else f"<title>{escape(cluster.title)}</title>"
    return f'<g class="{cluster.role}"{names}>{title}'


def _escaped(text: str) -> str:
    """A text; with quotes escaped none looks like an attribute."""
    return escape(text, quote=False).replace('"', "&quot;")


def _written(text: str) -> str:
    """A text of the drawing: from right to left where it is, Armenian letters in the font that has them."""
    return in_own_font(_escaped(turned(text).replace(MAQAF, "-")))


def in_own_font(text: str) -> str:
    """Text of an SVG, its Armenian letters in the font that has them."""
    return ARMENIAN_LETTERS.sub(rf'<tspan font-family="{ARMENIAN}">\g<0></tspan>', text)


def _shape(shape: Shape) -> Iterator[str]:
    if isinstance(shape, Rect):
        radius = f' rx="{number(shape.radius)}"' if shape.radius else ""
        yield (
            f'<rect x="{number(shape.x)}" y="{number(shape.y)}" width="{number(shape.width)}" '
            f'height="{number(shape.height)}"{radius}{_paint(shape.fill, shape.line, shape.thickness, shape.dash)}/>'
        )
    elif isinstance(shape, Text):
        bold = ' font-weight="bold"' if shape.bold else ""
        anchor = f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else ""
        # Several spaces, or one at an end, would not be drawn.
        spaces = "" if shape.text == " ".join(shape.text.split()) else ' xml:space="preserve"'
        turn = f' transform="rotate(-90 {number(shape.x)} {number(shape.y)})"' if shape.turned else ""
        yield (
            f'<text x="{number(shape.x)}" y="{number(shape.y)}" font-size="{number(shape.size)}" '
            f"{_colours(fill=shape.colour).lstrip()}{bold}{anchor}{turn}{spaces}>"
            f"{_written(shape.text)}</text>"
        )
    elif isinstance(shape, Curve):
        points, head = (shape.points, None)
        if shape.arrow:
            points, head = with_arrow(shape)
        opacity = f' opacity="{number(shape.opacity)}"' if shape.opacity != 1 else ""
        yield (
            f'<path d="{path_data(points, shape.bezier, shape.closed)}"'
            f"{_paint(shape.fill, shape.line, shape.thickness, shape.dash)}{opacity}{'' if shape.dash else _ROUND}/>"
        )
        if head:
            yield f'<path d="{path_data(head, False, True)}"{_colours(fill=shape.line)}/>'


def with_arrow(shape: Curve) -> tuple[tuple[Point, ...], tuple[Point, Point, Point]]:
    """The line without its last bit, and the head that takes its place."""
    size = ARROW + (shape.thickness - 1.2) * 1.5
    head = arrow_head(shape.points, size)
    tip, left, right = head
    base = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
    end = (base[0] + (tip[0] - base[0]) * 0.2, base[1] + (tip[1] - base[1]) * 0.2)
    return (*shape.points[:-1], end), head


def path_data(points: tuple[Point, ...], bezier: bool, closed: bool) -> str:
    """The `d` of a path; curves that are straight are written as lines."""

    def pair(point: Point) -> str:
        return f"{number(point[0])} {number(point[1])}"

    parts = [f"M{pair(points[0])}"]
    if bezier:
        for index in range(1, len(points), 3):
            first, second, end = points[index : index + 3]
            straight = first == points[index - 1] and second == end
            parts.append(f"L{pair(end)}" if straight else f"C{pair(first)} {pair(second)} {pair(end)}")
    else:
        parts += [f"L{pair(point)}" for point in points[1:]]
    return "".join(parts) + ("Z" if closed else "")


def _paint(fill: str | None, line: str | None, thickness: float, dash: tuple[float, ...]) -> str:
    result = _colours(fill=fill or "none", stroke=line)
    if line:
        result += f' stroke-width="{number(thickness)}"'
        if dash:
            result += f' stroke-dasharray="{" ".join(number(part) for part in dash)}"'
    return result


def _colours(**colours: str | None) -> str:
    """Attributes with colours, and the classes that change them on a dark page; the names say what they do."""
    given = {name.replace("_", "-"): colour for name, colour in colours.items() if colour}
    attributes = "".join(f' {name}="{colour}"' for name, colour in given.items())
    names = " ".join(_class(name, colour) for name, colour in given.items() if isinstance(colour, Tone))
    return f'{attributes} class="{names}"' if names else attributes


def _class(name: str, colour: Tone) -> str:
    return f"dark-{name}-{colour.dark[1:]}"


def _style(drawing: Drawing) -> Iterator[str]:
    """The colours on a dark page, where the drawing follows the page. A class means the same in every picture."""
    found: dict[str, str] = {}
    for name, colour in (("fill", drawing.background), *_coloured(drawing)):
        if isinstance(colour, Tone):
            found[_class(name, colour)] = f"{name}:{colour.dark}"
    if found:
        rules = "".join(f".{name}{{{rule}}}" for name, rule in sorted(found.items()))
        yield f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"


def _coloured(drawing: Drawing) -> Iterator[tuple[str, str | None]]:
    """Each attribute with a colour."""
    for shape in drawing.shapes():
        if isinstance(shape, Text):
            yield "fill", shape.colour
        elif isinstance(shape, Ramp):
            yield from (("stop-color", colour) for colour in shape.colours)
        else:
            yield from (("fill", shape.fill), ("stroke", shape.line))
            if isinstance(shape, Curve) and shape.arrow:
                yield "fill", shape.line


def _ramp(shape: Ramp, name: str) -> str:
    last = len(shape.colours) - 1
    stops = "".join(
        f'<stop offset="{number(index / last)}"{_colours(stop_color=colour)}/>'
        for index, colour in enumerate(shape.colours)
    )
    return (
        f'<linearGradient id="{name}">{stops}</linearGradient><rect x="{number(shape.x)}" y="{number(shape.y)}" '
        f'width="{number(shape.width)}" height="{number(shape.height)}" fill="url(#{name})"/>'
    )
