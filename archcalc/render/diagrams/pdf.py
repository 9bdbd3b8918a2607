"""A drawing as PDF, by reportlab: vectors, and text in embedded fonts."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archcalc.render.diagrams.drawing import Curve, Drawing, Point, Ramp, Rect, Shape, Text
from archcalc.render.diagrams.fonts import FILES, missing, system_fonts
from archcalc.render.diagrams.svg import with_arrow
from archcalc.render.diagrams.text import covered, text_width

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

#: Pixels of 96 to the inch as points of 72.
POINT = 0.75
#: A page may have no longer side (ISO 32000, annex C); larger drawings are drawn smaller.
LONGEST = 14_400.0
_RIGHT_TO_LEFT = ("R", "AL")


def pdf(drawings: Sequence[Drawing]) -> tuple[bytes, tuple[str, ...]]:
    """The document, a page for each drawing, and what there is to say about it. All drawings are of one size."""
    from reportlab.pdfgen.canvas import Canvas

    drawing = drawings[-1]
    fonts, notes = _register(drawing)
    target = io.BytesIO()
    point = min(POINT, LONGEST / max(drawing.width, drawing.height))
    canvas = Canvas(target, pagesize=(drawing.width * point, drawing.height * point), invariant=1, pageCompression=1,
                    lang="en")  # fmt: skip
    canvas.setTitle(drawing.title)
    canvas.setSubject(drawing.description)
    canvas.setCreator("archcalc")
    canvas.setAuthor("archcalc")
    for drawing in drawings:
        # From here on as in the drawing: pixels, y downwards.
        canvas.translate(0, drawing.height * point)
        canvas.scale(point, -point)
        _fill(canvas, drawing.background)
        canvas.rect(0, 0, drawing.width, drawing.height, stroke=0, fill=1)
        for shape in drawing.shapes():
            _draw(canvas, shape, fonts)
        canvas.showPage()
    canvas.save()
    return target.getvalue(), notes


def _register(drawing: Drawing) -> tuple[dict[str, str], tuple[str, ...]]:
    """Make the fonts known; for each character that they lack the name of a font that has it, where there is one."""
    from reportlab import rl_config
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    rl_config.warnOnMissingFontGlyphs = 0
    for bold, file in FILES.items():
        pdfmetrics.registerFont(TTFont("Arimo-Bold" if bold else "Arimo", str(file)))
    lacking = missing(shape.text for shape in drawing.shapes() if isinstance(shape, Text))
    fonts: dict[str, str] = {}
    for path in system_fonts() if lacking else ():
        wanted = lacking - set(fonts)
        if not wanted:
            break
        try:
            font = TTFont(f"Other{len(set(fonts.values()))}", str(path))
        except Exception:  # noqa: S112  (fonts of a system may be of any kind, and broken)
            continue
        found = {c for c in wanted if ord(c) in font.face.charToGlyph}
        if found:
            pdfmetrics.registerFont(font)
            fonts.update(dict.fromkeys(found, font.fontName))
    absent = {c for c in lacking - set(fonts) if not unicodedata.category(c).startswith("C")}
    if absent:
        listed = "".join(sorted(absent)[:10])
        return fonts, (f"no font of this system has {listed}{'…' if len(absent) > 10 else ''}; the PDF shows □",)
    return fonts, ()


def _draw(canvas: Canvas, shape: Shape, fonts: dict[str, str]) -> None:
    if isinstance(shape, Rect):
        _pen(canvas, shape.fill, shape.line, shape.thickness, shape.dash)
        radius = min(shape.radius, shape.width / 2, shape.height / 2)
        fill, stroke = int(shape.fill is not None), int(shape.line is not None)
        if radius:
            canvas.roundRect(shape.x, shape.y, shape.width, shape.height, radius, stroke=stroke, fill=fill)
        else:
            canvas.rect(shape.x, shape.y, shape.width, shape.height, stroke=stroke, fill=fill)
    elif isinstance(shape, Text):
        _text(canvas, shape, fonts)
    elif isinstance(shape, Ramp):
        _ramp(canvas, shape)
    else:
        _curve(canvas, shape)


def _ramp(canvas: Canvas, shape: Ramp) -> None:
    from reportlab.lib.colors import HexColor

    canvas.saveState()
    area = canvas.beginPath()
    area.rect(shape.x, shape.y, shape.width, shape.height)
    canvas.clipPath(area, stroke=0, fill=0)
    canvas.linearGradient(shape.x, shape.y, shape.x + shape.width, shape.y, [HexColor(c) for c in shape.colours])
    canvas.restoreState()


def _curve(canvas: Canvas, shape: Curve) -> None:
    points: tuple[Point, ...] = shape.points
    head = None
    if shape.arrow:
        points, head = with_arrow(shape)
    canvas.saveState()
    if shape.opacity != 1:
        canvas.setFillAlpha(shape.opacity)
        canvas.setStrokeAlpha(shape.opacity)
    _pen(canvas, shape.fill, shape.line, shape.thickness, shape.dash)
    canvas.drawPath(_path(canvas, points, shape.bezier, shape.closed), stroke=int(shape.line is not None),
                    fill=int(shape.fill is not None))  # fmt: skip
    if head:
        _fill(canvas, shape.line or "#000000")
        canvas.drawPath(_path(canvas, head, False, True), stroke=0, fill=1)
    canvas.restoreState()


def _path(canvas: Canvas, points: tuple[Point, ...], bezier: bool, closed: bool) -> Any:
    path = canvas.beginPath()
    path.moveTo(*points[0])
    if bezier:
        for index in range(1, len(points), 3):
            first, second, end = points[index : index + 3]
            path.curveTo(*first, *second, *end)
    else:
        for point in points[1:]:
            path.lineTo(*point)
    if closed:
        path.close()
    return path


def _pen(canvas: Canvas, fill: str | None, line: str | None, thickness: float, dash: tuple[float, ...]) -> None:
    if fill:
        _fill(canvas, fill)
    if line:
        from reportlab.lib.colors import HexColor

        canvas.setStrokeColor(HexColor(line))
        canvas.setLineWidth(thickness)
        canvas.setDash(list(dash) if dash else [])
        canvas.setLineCap(0 if dash else 1)
        canvas.setLineJoin(1)


def _fill(canvas: Canvas, colour: str) -> None:
    from reportlab.lib.colors import HexColor

    canvas.setFillColor(HexColor(colour))


def _text(canvas: Canvas, shape: Text, fonts: dict[str, str]) -> None:
    from reportlab.pdfbase import pdfmetrics

    name = "Arimo-Bold" if shape.bold else "Arimo"
    runs = _runs(visual(shape.text), name, fonts)
    width = sum(pdfmetrics.stringWidth(text, font, shape.size) for text, font in runs)
    space = text_width(shape.text, shape.size, shape.bold)
    x = shape.x - {"start": 0.0, "middle": min(width, space) / 2, "end": min(width, space)}[shape.anchor]
    canvas.saveState()
    _fill(canvas, shape.colour)
    canvas.translate(x, shape.y)
    # What another font draws wider is squeezed into the space that was kept for it.
    canvas.scale(min(1.0, (space + 0.5) / width) if width else 1.0, -1)
    at = 0.0
    for text, font in runs:
        canvas.setFont(font, shape.size)
        canvas.drawString(at, 0, text)
        at += pdfmetrics.stringWidth(text, font, shape.size)
    canvas.restoreState()


def _runs(text: str, name: str, fonts: dict[str, str]) -> list[tuple[str, str]]:
    """Pieces of a text with the font of each."""
    runs: list[tuple[str, str]] = []
    for character in text:
        if unicodedata.category(character) == "Cf":
            continue
        font = name if covered(character) else fonts.get(character, name)
        shown = character if covered(character) or character in fonts else "□"
        if runs and runs[-1][1] == font:
            runs[-1] = (runs[-1][0] + shown, font)
        else:
            runs.append((shown, font))
    return runs


def visual(text: str) -> str:
    """Characters in the order in which they are drawn: runs of right-to-left letters turned round."""
    if not any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in text):
        return text
    result: list[str] = []
    run: list[str] = []
    for character in text + "\0":
        kind = unicodedata.bidirectional(character)
        if kind in _RIGHT_TO_LEFT or (run and kind in ("NSM", "WS", "CS")):
            run.append(character)
            continue
        tail = []
        while run and unicodedata.bidirectional(run[-1]) == "WS":
            tail.append(run.pop())
        result += [*reversed(run), *tail, character]
        run = []
    return "".join(result[:-1])
