"""A deck as a presentation: native shapes, tables and placeholders, notes for the speaker."""

from __future__ import annotations

import io
from copy import deepcopy
from typing import Any

from archcalc.core.language import apart, direction, is_turned, with_marks
from archcalc.core.words import document_property
from archcalc.render.decks.animation import Target, clicks, timing
from archcalc.render.decks.layout import grid, placed_for_reading, row_colours, text_lines
from archcalc.render.decks.slides import BELOW, BODY, Area, Deck, Slide
from archcalc.render.decks.template import POINT, Template, body, slide_number, title_size
from archcalc.render.diagrams.drawing import Cluster, Drawing
from archcalc.render.diagrams.ooxml import NAMESPACES
from archcalc.render.diagrams.pptx import SlideWriter, rgb, without_dates
from archcalc.render.diagrams.text import clean, shorten, text_width
from archcalc.render.diagrams.theme import LIGHT, THEMES

#: The size of a subtitle.
SUBTITLE = 14.0
#: A title is cut rather than written smaller than this, in points.
LEAST_TITLE = 20.0
#: The most that a text of points may have in letters before its font is made smaller, and the sizes.
_POINTS = ((360, 24.0), (700, 20.0), (1100, 17.0), (100_000, 14.0))


def powerpoint(deck: Deck, template: Template, steps: bool = False) -> bytes:
    """The bytes of a `.pptx`; the same deck gives the same bytes."""
    presentation = template.presentation
    properties = presentation.core_properties
    properties.title = document_property(clean(deck.title))
    properties.author = document_property(clean(deck.author)) or "archcalc"
    properties.last_modified_by, properties.revision = "archcalc", 1
    properties.comments = "Made by archcalc."
    for slide in deck.slides:
        _add(template, slide, steps)
    target = io.BytesIO()
    presentation.save(target)
    return without_dates(target.getvalue())


def _add(template: Template, slide: Slide, steps: bool) -> None:
    layout = template.layout(slide.kind)
    page = template.presentation.slides.add_slide(layout)
    tree: Any = page.shapes._spTree
    title = page.shapes.title
    assert title is not None, "a layout without a title is never chosen"
    _fill_title(title, layout, clean(slide.title))
    _turn(title.text_frame, slide.kind != "title")
    holder = body(page)
    appear: list[tuple[int, Target]] = []
    if slide.kind in ("title", "section"):
        if holder is not None and slide.subtitle:
            holder.text_frame.text = clean_lines(slide.subtitle)
            _turn(holder.text_frame, slide.kind == "section")
            holder = None
    elif slide.points:
        if holder is None:
            holder = page.shapes.add_textbox(*(round(value) for value in template.area(layout)))
            holder.text_frame.word_wrap = True
        _fill_points(holder, slide)
        appear = [(number, Target(holder.shape_id, number - 1)) for number in range(1, len(slide.points) + 1)]
        holder = None
    for shape in list(page.placeholders):
        is_empty = not shape.has_text_frame or not shape.text_frame.text
        if shape is not title and is_empty and shape.placeholder_format.idx != 0:
            tree.remove(shape._element)
    _add_number(page, layout)
    if slide.kind in ("picture", "table"):
        appear = _contents(template, page, layout, slide)
    if slide.notes:
        page.notes_slide.notes_text_frame.text = clean_lines("\n".join(slide.notes))
        _turn(page.notes_slide.notes_text_frame)
    groups = clicks(appear) if steps else []
    if groups:
        from pptx.oxml import parse_xml

        page._element.append(parse_xml(timing(groups)))


def _fill_title(title: Any, layout: Any, text: str) -> None:
    """A title on one line, in a smaller font where the layout's own is too large for it."""
    from pptx.util import Pt

    size, space = title_size(layout), title.width / POINT * 0.9
    text = shorten(text, space, min(size, LEAST_TITLE), True)
    title.text_frame.text = with_marks(text)
    width = text_width(text, size, True)
    if width > space and layout._element.get("type") not in ("title", "secHead"):
        for run in title.text_frame.paragraphs[0].runs:
            run.font.size = Pt(max(int(size * space / width), int(LEAST_TITLE)))


def _turn(frame: Any, to_the_right: bool = True, everything: bool = False) -> None:
    """Paragraphs from right to left, where the language is written so."""
    if direction() == "rtl":
        for paragraph in frame.paragraphs:
            properties = paragraph._p.get_or_add_pPr()
            if everything or is_turned(paragraph.text):
                properties.set("rtl", "1")
            if to_the_right:
                properties.set("algn", "r")


def clean_lines(text: str) -> str:
    """A text of several lines without what no document can hold."""
    return "\n".join(with_marks(clean(line)) for line in text.split("\n"))


def _fill_points(holder: Any, slide: Slide) -> None:
    from pptx.oxml import parse_xml
    from pptx.util import Pt

    frame = holder.text_frame
    letters = sum(map(len, slide.points)) + 40 * len(slide.points)
    size = next(size for most, size in _POINTS if letters <= most)
    frame.text = clean_lines("\n".join(apart(point) if direction() == "rtl" else point for point in slide.points))
    for paragraph in frame.paragraphs:
        paragraph.space_after = Pt(size * 0.4)
        if slide.kind == "quiz":
            numbers = parse_xml(f'<a:buAutoNum {NAMESPACES} type="arabicPeriod" startAt="{slide.first}"/>')
            paragraph._p.get_or_add_pPr().append(numbers)
        for run in paragraph.runs:
            run.font.size = Pt(size)
    _turn(frame, everything=True)


def _add_number(page: Any, layout: Any) -> None:
    """The number of the slide, where the layout has a place for it."""
    found = slide_number(layout)
    if found is None:
        return
    copy = deepcopy(found._element)
    copy.nvSpPr.cNvPr.set("id", str(max(shape.shape_id for shape in page.shapes) + 1))
    for inner in copy.spPr:
        copy.spPr.remove(inner)  # where it stands is the layout's business
    page.shapes._spTree.append(copy)


def _contents(template: Template, page: Any, layout: Any, slide: Slide) -> list[tuple[int, Target]]:
    """Subtitle, table and shapes of a slide; each shape with the step in which it appears."""
    from pptx.oxml import parse_xml

    area = template.area(layout)
    unit = min(area.width / BODY.width, area.height / BODY.height)
    left, top = area.x, area.y
    if not template.is_own:
        left += (area.width - BODY.width * unit) / 2
    theme = THEMES[template.theme]
    items, links = slide.items, slide.links
    if slide.subtitle:
        line = shorten(clean(slide.subtitle), BODY.width, SUBTITLE)
        shapes, _ = text_lines([line], 0, 0, SUBTITLE, theme.quiet)
        items = (placed_for_reading(Cluster(line, tuple(shapes), "title"), BODY.width), *items)
    if slide.table is not None:
        _add_table(template, page, slide, Area(left, top, area.width, area.height), unit)
    last = max(shape.shape_id for shape in page.shapes) + 1
    drawing = Drawing(BODY.width, BODY.height, theme.background, slide.title, slide.about, items, links)
    tree = page.shapes._spTree
    appear = []
    for step, text in SlideWriter(drawing, unit, template.font, (left, top), last, template.share).shapes():
        element = parse_xml(text)
        tree.append(element)
        number = next(element.iter("{http://schemas.openxmlformats.org/presentationml/2006/main}cNvPr")).get("id")
        appear.append((step, Target(int(number))))
    return appear


def _add_table(template: Template, page: Any, slide: Slide, area: Area, unit: float) -> None:
    """A table of PowerPoint: in the colours of the theme, or in the style of a template that is light."""
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.text.text import Font
    from pptx.util import Emu, Pt

    assert slide.table is not None
    below = BELOW if slide.subtitle else Area(0, 0, BODY.width, BODY.height)
    shown = grid(slide.table, below)
    from_right = direction() == "rtl"
    top = round(area.y + below.y * unit)
    left = area.x + (area.width - shown.width * unit if from_right else 0.0)
    frame = page.shapes.add_table(
        len(shown.rows), len(shown.widths), Emu(round(left)), Emu(top), Emu(round(shown.width * unit)),
        Emu(round(sum(shown.heights) * unit)),
    )  # fmt: skip
    frame.name = clean(slide.title)
    table = frame.table
    table.last_row = shown.table.total
    # The style of a table takes texts for dark and cells for light, whatever the theme calls so.
    theme = THEMES[template.theme]
    grounds = row_colours(shown, theme) if template.is_own or theme is not LIGHT else [None] * len(shown.rows)
    # Not every program knows tables from right to left: their columns are written so.
    order = -1 if from_right else 1
    for column, width in zip(table.columns, shown.widths[::order], strict=True):
        column.width = Emu(round(width * unit))
    bold = (0, len(shown.rows) - 1)[: 1 + shown.table.total]
    lines = zip(table.rows, shown.rows, shown.heights, grounds, strict=True)
    for place, (row, texts, height, ground) in enumerate(lines):
        row.height = Emu(round(height * unit))
        for cell, text, right in zip(row.cells, texts[::order], shown.table.right[::order], strict=True):
            cell.margin_left = cell.margin_right = Emu(round(5 * unit))
            cell.margin_top = cell.margin_bottom = Emu(0)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            inner = cell.text_frame
            inner.word_wrap = False
            inner.text = with_marks(text)
            if ground is not None:
                cell.fill.solid()
                cell.fill.fore_color.rgb = rgb(ground)
            for paragraph in inner.paragraphs:
                paragraph.alignment = PP_ALIGN.RIGHT if right or from_right else PP_ALIGN.LEFT
                # PowerPoint reads nothing of what a paragraph says of its runs; an empty one has the font of its end.
                fonts = [run.font for run in paragraph.runs] or [Font(paragraph._p.get_or_add_endParaRPr())]
                for font in fonts:
                    font.size = Pt(round(shown.size * template.share * unit / POINT, 1))
                    if ground is not None:
                        font.color.rgb, font.bold = rgb(theme.ink), place in bold
            _turn(inner)
