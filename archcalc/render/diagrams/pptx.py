"""Drawings as slides of PowerPoint: shapes that can be edited, with connectors that are glued to them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from archcalc.core.language import apart, is_turned
from archcalc.core.words import document_property
from archcalc.render.diagrams import ooxml
from archcalc.render.diagrams.drawing import (
    Cluster,
    Curve,
    Drawing,
    Link,
    Point,
    Ramp,
    Rect,
    Shape,
    Text,
    main_box,
    shifted_link,
)
from archcalc.render.diagrams.ooxml import ConnectorEnd, Pen, Run
from archcalc.render.diagrams.svg import with_arrow
from archcalc.render.diagrams.text import FACE, text_width

if TYPE_CHECKING:
    from pptx.slide import Slide

#: The width of a slide, and the largest that PowerPoint takes; EMU to the point.
WIDTH, LARGEST, POINT = 12_192_000, 51_206_400, 12_700
#: Smaller text than this many points makes the slides larger.
SMALLEST = 6.0
#: Every file of the package gets this date, so that the same input gives the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)


def pptx(drawings: Sequence[Drawing]) -> bytes:
    """A presentation with a slide for each drawing; all are of one size."""
    from pptx import Presentation
    from pptx.util import Emu

    first = drawings[0]
    sizes = [shape.size for shape in first.shapes() if isinstance(shape, Text)]
    width = WIDTH * max(1.0, SMALLEST * POINT * first.width / (WIDTH * min(sizes, default=12.0)))
    longest = max(first.width, first.height) / first.width
    width = min(width, LARGEST / longest)
    presentation = Presentation()
    presentation.slide_width = Emu(round(width))
    presentation.slide_height = Emu(round(width * first.height / first.width))
    properties = presentation.core_properties
    properties.title, properties.subject = map(document_property, (first.title, first.description))
    properties.author, properties.last_modified_by, properties.revision = "archcalc", "archcalc", 1
    layouts = {layout.name: layout for layout in presentation.slide_layouts}
    for drawing in drawings:
        slide = presentation.slides.add_slide(layouts["Title Only" if _titles(drawing) else "Blank"])
        _fill_slide(slide, drawing, width / first.width)
    target = io.BytesIO()
    presentation.save(target)
    return without_dates(target.getvalue())


def without_dates(data: bytes) -> bytes:
    """A package whose files all have one date, so that the same input gives the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, DATE), old.read(name), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def rgb(colour: str) -> Any:
    """A colour as python-pptx takes it."""
    from pptx.dml.color import RGBColor

    # python-pptx has no types here.
    return RGBColor(*(int(colour[place : place + 2], 16) for place in (1, 3, 5)))  # type: ignore[no-untyped-call]


def _titles(drawing: Drawing) -> list[Text]:
    return [shape for item in drawing.items if item.role == "title" for shape in item.shapes if isinstance(shape, Text)]


def _fill_slide(slide: Slide, drawing: Drawing, unit: float) -> None:
    """Everything of a drawing on a slide; `unit` is EMU to a pixel."""
    from pptx.oxml import parse_xml

    slide.background.fill.solid()
    slide.background.fill.fore_color.rgb = rgb(drawing.background)
    _fill_title(slide, drawing, unit)
    tree: Any = slide.shapes._spTree
    for _, shape in SlideWriter(drawing, unit).shapes():
        tree.append(parse_xml(shape))


def _fill_title(slide: Slide, drawing: Drawing, unit: float) -> None:
    """The title where a presentation's outline finds it."""
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Emu, Pt

    lines = [text for text in _titles(drawing) if text.bold]
    title = slide.shapes.title
    if title is None or not lines:
        return
    size = lines[0].size
    title.left, title.top = Emu(round(lines[0].x * unit)), Emu(round((lines[0].y - size) * unit))
    title.width = Emu(round((drawing.width - 2 * lines[0].x) * unit))
    title.height = Emu(round((lines[-1].y - lines[0].y + size * 1.3) * unit))
    frame = title.text_frame
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = Emu(0)
    frame.vertical_anchor, frame.word_wrap = MSO_ANCHOR.TOP, False
    frame.text = "\v".join(line.text for line in lines)
    paragraph = frame.paragraphs[0]
    paragraph.alignment, paragraph.line_spacing = PP_ALIGN.LEFT, Pt(size * unit / POINT)
    for run in paragraph.runs:
        run.font.size, run.font.bold, run.font.name = Pt(size * unit / POINT), True, _font()
        run.font.color.rgb = rgb(lines[0].colour)


def _font() -> str:
    """The chosen font, or the usual one."""
    face = FACE.get()
    return face.name if face else ooxml.FONT


class SlideWriter:
    """The shapes of a slide in their order, with numbers of their own that begin after `last`.

    `unit` is EMU to a pixel of the drawing, whose left upper corner lies at `at`, in EMU. Texts are `share` times as
    large as in the drawing.
    """

    def __init__(
        self,
        drawing: Drawing,
        unit: float,
        font: str | None = None,
        at: Point = (0.0, 0.0),
        last: int = 10,
        share: float = 1.0,
    ) -> None:
        self.unit, self.font, self.share = unit, font or _font(), share
        dx, dy = at[0] / unit, at[1] / unit
        self.drawing = drawing._replace(
            items=tuple(item.moved(dx, dy) for item in drawing.items),
            links=tuple(shifted_link(link, dx, dy) for link in drawing.links),
        )
        #: The title placeholder and the tree itself have the first numbers.
        self.last = last
        #: Boxes to which connectors are glued: those of each node, and one around all of them where they are several.
        self.boxes: dict[str, list[tuple[int, Rect]]] = {}
        self.numbers: dict[int, int] = {}
        for place, item in enumerate(self.drawing.items):
            if item.role == "node" and item.owner and (rect := main_box(item)):
                self.numbers[place] = self._next()
                self.boxes.setdefault(item.owner, []).append((self.numbers[place], rect))
        self.around = {owner: self._next() for owner, boxes in self.boxes.items() if len(boxes) > 1}
        for owner, number in self.around.items():
            rects = [rect for _, rect in self.boxes[owner]]
            x, y = min(rect.x for rect in rects), min(rect.y for rect in rects)
            right, bottom = max(rect.x + rect.width for rect in rects), max(rect.y + rect.height for rect in rects)
            self.boxes[owner].insert(0, (number, Rect(x, y, right - x, bottom - y)))

    def _next(self) -> int:
        self.last += 1
        return self.last

    def shapes(self) -> Iterator[tuple[int, str]]:
        """Each shape with the step in which it appears: nodes are groups of boxes and texts, above connectors."""
        drawn: set[int] = set()
        for owner, members in groupby(
            range(len(self.drawing.items)), key=lambda place: self.drawing.items[place].owner
        ):
            if owner:
                places = list(members)
                yield self.drawing.items[places[0]].step, self._node(owner, places)
                continue
            for place in members:
                item = self.drawing.items[place]
                if item.linked:
                    if item.linked not in drawn:
                        drawn.add(item.linked)
                        found = (link for link in self.drawing.links if link.layer == item.linked)
                        yield from ((link.step, self._link(link)) for link in found)
                    continue
                shapes = [
                    shape
                    for shape in item.shapes
                    if not (item.role == "title" and isinstance(shape, Text) and shape.bold)
                ]
                written = list(self._written(item, shapes, None))
                if len(written) > 1 and item.role != "title":
                    yield item.step, ooxml.group(self._next(), item.title, self._around(shapes), written)
                else:
                    yield from ((item.step, one) for one in written)

    def _node(self, owner: str, places: Sequence[int]) -> str:
        written: list[str] = []
        shapes: list[Shape] = []
        if owner in self.around:
            number, rect = self.boxes[owner][0]
            written.append(self._box(number, owner, rect, ""))
        for place in places:
            item = self.drawing.items[place]
            # The line that leaves a node is part of its connectors.
            kept = [shape for shape in item.shapes if not item.linked or isinstance(shape, Text)]
            shapes += kept
            written += self._written(item, kept, self.numbers.get(place))
        return ooxml.group(self._next(), owner, self._around(shapes), written)

    def _around(self, shapes: Sequence[Shape]) -> tuple[float, float, float, float]:
        points: list[Point] = []
        for shape in shapes:
            if isinstance(shape, Curve):
                points += shape.points
            elif isinstance(shape, Text):
                points += [(shape.x, shape.y)]
            else:
                points += [(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]
        left, top = min(x for x, _ in points), min(y for _, y in points)
        width, height = max(x for x, _ in points) - left, max(y for _, y in points) - top
        return left * self.unit, top * self.unit, width * self.unit, height * self.unit

    def _written(self, item: Cluster, shapes: Sequence[Shape], number: int | None) -> Iterator[str]:
        main = main_box(item) if number else None
        inside = [shape for shape in shapes if isinstance(shape, Text) and main and _holds(main, shape, shapes)]
        for shape in shapes:
            if shape is main and main is not None:
                text = ooxml.paragraphs(self._lines(inside), "middle")
                yield self._box(number or self._next(), item.title, main, text)
            elif isinstance(shape, Rect):
                yield self._box(self._next(), item.title, shape, "")
            elif isinstance(shape, Text):
                if shape not in inside:
                    yield self._label(shape)
            elif isinstance(shape, Ramp):
                yield from self._ramp(item, shape)
            else:
                yield from self._curve(item, shape)

    def _box(self, number: int, name: str, rect: Rect, text: str) -> str:
        place = (rect.x * self.unit, rect.y * self.unit, rect.width * self.unit, rect.height * self.unit)
        pen = self._pen(rect.line, rect.thickness, rect.dash)
        return ooxml.box(number, name, place, rect.fill, pen, rect.radius * self.unit, text)

    def _pen(
        self, line: str | None, thickness: float, dash: Sequence[float] = (), arrow: bool = False, opacity: float = 1.0
    ) -> Pen | None:
        if line is None:
            return None
        kind = "solid" if not dash else "sysDot" if dash[0] < 2.5 else "sysDash" if dash[0] < 5 else "dash"
        return Pen(line, thickness * self.unit, kind, arrow, opacity)  # type: ignore[arg-type]  # one of four words

    def _lines(self, texts: Sequence[Text]) -> list[list[Run]]:
        """Texts of one height are runs of one line."""
        lines: dict[float, list[Text]] = {}
        for text in texts:
            lines.setdefault(round(text.y, 1), []).append(text)
        found = []
        for _, line in sorted(lines.items()):
            size = self.share * self.unit / POINT
            # In a line from right to left the name must not take the number after it along.
            written = [one.text if is_turned(one.text) or not line[1:] else apart(one.text) for one in line]
            runs = [
                Run(text, one.size * size, one.colour, one.bold, self.font)
                for one, text in zip(line, written, strict=True)
            ]
            found.append([run._replace(text=("  " if place else "") + run.text) for place, run in enumerate(runs)])
        return found

    def _label(self, text: Text) -> str:
        width = text_width(text.text, text.size, text.bold)
        left = text.x - {"start": 0.0, "middle": width / 2, "end": width}[text.anchor]
        top, height = text.y - text.size * 0.98, text.size * 1.25
        if text.turned:  # around the place of the text, not around the centre of its box
            across, down = left + width / 2 - text.x, top + height / 2 - text.y
            left, top = text.x + down - width / 2, text.y - across - height / 2
        unit = self.unit
        place = (left * unit, top * unit, width * unit, height * unit)
        body = ooxml.paragraphs(self._lines([text]), text.anchor)
        return ooxml.box(self._next(), text.text, place, None, None, 0.0, body, text.turned)

    def _points(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.unit, y * self.unit) for x, y in points]

    def _curve(self, item: Cluster, curve: Curve) -> Iterator[str]:
        pen = self._pen(curve.line, curve.thickness, curve.dash, False, curve.opacity)
        points = curve.points
        if curve.arrow:
            points, head = with_arrow(curve)
            yield ooxml.freeform(self._next(), item.title, self._points(head), curve.line, None)
        at = self._points(points)
        yield ooxml.freeform(self._next(), item.title, at, curve.fill, pen, curve.bezier, curve.closed, curve.opacity)

    def _ramp(self, item: Cluster, ramp: Ramp) -> Iterator[str]:
        from archcalc.render.diagrams.theme import mix

        count = 48
        for step in range(count):
            place = (step + 0.5) / count * (len(ramp.colours) - 1)
            low = min(int(place), len(ramp.colours) - 2)
            colour = mix(ramp.colours[low], ramp.colours[low + 1], place - low)
            x = ramp.x + ramp.width * step / count
            yield self._box(self._next(), item.title, Rect(x, ramp.y, ramp.width / count, ramp.height, colour), "")

    def _link(self, link: Link) -> str:
        pen = self._pen(link.line, link.thickness, link.dash, True)
        assert pen is not None
        start, end = self._connector_end(link.source, link.points[0]), self._connector_end(link.target, link.points[-1])
        return ooxml.connector(self._next(), link.title, self._points(link.points), pen, start, end)

    def _connector_end(self, node: str, point: Point) -> ConnectorEnd | None:
        """The site of a node's boxes that is nearest to where a line ends."""
        sites = []
        for number, rect in self.boxes.get(node, ()):
            x, y, right, bottom = rect.x, rect.y, rect.x + rect.width, rect.y + rect.height
            middle, centre = (x + right) / 2, (y + bottom) / 2
            places = {ooxml.TOP: (middle, y), ooxml.LEFT: (x, centre), ooxml.BOTTOM: (middle, bottom),
                      ooxml.RIGHT: (right, centre)}  # fmt: skip
            sites += [(abs(a - point[0]) + abs(b - point[1]), number, site) for site, (a, b) in places.items()]
        return ConnectorEnd(*min(sites)[1:]) if sites else None


def _holds(rect: Rect, text: Text, shapes: Sequence[Shape]) -> bool:
    """Whether a text belongs into a box: it lies there, and no smaller box, as that of ×N, is below it."""
    if not (rect.x <= text.x <= rect.x + rect.width and rect.y <= text.y <= rect.y + rect.height):
        return False
    smaller = [
        shape for shape in shapes
        if isinstance(shape, Rect) and shape.width < rect.width / 1.2 and shape.x <= text.x <= shape.x + shape.width
        and shape.y <= text.y <= shape.y + shape.height
    ]  # fmt: skip
    return not smaller
