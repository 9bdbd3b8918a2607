"""`draw`: an analysis and choices in, the bytes of a picture out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.arrange import arrange
from archcalc.render.diagrams.choices import (
    DRAWN,
    FORMATS,
    PAGED,
    PAPERS,
    SHAPED,
    SHEET,
    SOURCES,
    STYLES,
    Choices,
    check,
    default_style,
    is_sheet,
    parse_ratio,
)
from archcalc.render.diagrams.drawing import Drawing, Text
from archcalc.render.diagrams.from_analysis import diagram_of, drawing_of, small_texts
from archcalc.render.diagrams.only import only
from archcalc.render.diagrams.paint import page
from archcalc.render.diagrams.steps import reveal
from archcalc.render.diagrams.text import missing, shorten
from archcalc.render.diagrams.theme import theme_of

__all__ = ["FORMATS", "STYLES", "Choices", "Picture", "draw", "draw_steps"]


class Picture(NamedTuple):
    """The bytes of a file, and what there is to say about it."""

    data: bytes
    notes: tuple[str, ...] = ()


def draw(analysis: Analysis, form: str, choices: Choices | None = None, classes: bool = True) -> Picture:
    """A picture of a network in one of `FORMATS`. Raises `UsageError` for a choice that does not exist.

    Without `classes` every shape of an SVG has its look itself, for those who take no style sheet from others.
    """
    return draw_steps(analysis, form, choices or Choices(), classes=classes)[0]


def draw_steps(
    analysis: Analysis, form: str, choices: Choices, others: Sequence[Analysis] = (), classes: bool = True
) -> list[Picture]:
    """The pictures of a series, or the only one; `pdf` and `pptx` hold a series in one file.

    `others` are drawn next to the network, in a style that has several.
    """
    check(form, choices)
    if not choices.font:
        return _drawn(analysis, form, choices, others, classes)
    from archcalc.render.diagrams.fonts import drawn_in

    with drawn_in(choices.font):
        return _drawn(analysis, form, choices, others, classes)


def _drawn(analysis: Analysis, form: str, choices: Choices, others: Sequence[Analysis], classes: bool) -> list[Picture]:
    """The pictures, in the font that was chosen."""
    if choices.theme is None and form != "svg":
        choices = replace(choices, theme="light")
    shown = only(analysis, choices.only) if choices.only else analysis
    style = choices.style or default_style(shown)
    if choices.expand and (style != "blocks" or form in SOURCES):
        raise UsageError(f"--expand opens a block of the style blocks, in {', '.join(DRAWN)}")
    shaped = style == "volumes" or style in PAPERS
    if shaped and form not in SHAPED:
        raise UsageError(f"{form} shows the styles graph and blocks; {style} has {', '.join(SHAPED)}")
    if form in SOURCES and not shaped:
        return [_source(shown, form, choices)]
    drawing, notes = drawing_of(analysis, choices, form in ("pptx", "tex"), others)
    if form == "pptx":
        drawing = page(drawing, parse_ratio(choices.fit))
        if not choices.fit:  # a slide is shown as large as any other one, whatever its size in the file
            notes += small_texts(drawing, style)
    drawings = [drawing]
    if choices.steps:
        drawings, remarks = reveal(drawing)
        notes += remarks
    if form in PAGED:
        return [_with_notes(render(drawings, form, choices), notes)]
    return [_with_notes(render([drawing], form, choices, classes), notes) for drawing in drawings]


def _with_notes(picture: Picture, notes: tuple[str, ...]) -> Picture:
    return picture._replace(notes=notes + picture.notes)


def _source(analysis: Analysis, form: str, choices: Choices) -> Picture:
    """The formats that say what is connected."""
    diagram, layout = diagram_of(analysis, choices, form == "drawio")
    theme = theme_of(choices.theme)
    notes = diagram.notes
    direction = "LR" if choices.direction == "LR" else "TB"
    if form == "dot":
        from archcalc.render.diagrams.dot import dot

        text = dot(diagram, theme, direction)
    elif form == "mmd":
        from archcalc.render.diagrams.mermaid import limits, mermaid

        text = mermaid(diagram, theme, direction)
        notes += limits(text)
    else:
        from archcalc.render.diagrams.drawio import drawio

        text = drawio(diagram, layout or arrange(diagram, choices.direction), theme)
    return Picture(text.encode(), notes)


def render(drawings: list[Drawing], form: str, choices: Choices, classes: bool = True) -> Picture:
    """Drawings in a format; only `pdf` and `pptx` take several."""
    if form in ("png", "pdf"):
        return _converted(drawings, form, choices)
    if form == "pptx":
        from archcalc.render.diagrams.pptx import pptx

        return Picture(pptx(drawings))
    if form == "drawio":
        from archcalc.render.diagrams.drawio_figure import drawio_figure

        return Picture(drawio_figure(drawings[0]).encode())
    if form == "tex":
        from archcalc.render.diagrams.tikz import tikz

        return Picture(tikz(drawings[0]).encode())
    from archcalc.render.diagrams.classes import with_classes
    from archcalc.render.diagrams.svg import svg

    text = svg(drawings[0])
    return Picture((with_classes(text) if classes else text).encode())


def _converted(drawings: list[Drawing], form: str, choices: Choices) -> Picture:
    """PNG and PDF, made from SVG."""
    from archcalc.render.convert import MOST_PIXELS, POINT, to_pdf, to_png
    from archcalc.render.diagrams.svg import svg

    if choices.font:
        from archcalc.render.diagrams.fonts import make_known

        make_known()
    last = drawings[-1]
    absent = "".join(sorted(missing(shape.text for shape in last.shapes() if isinstance(shape, Text))))
    notes = [f"the shipped font lacks {shorten(absent, 100, 10)}; a font of the system is taken where it has them"]
    notes = notes if absent else []
    if form == "pdf":
        size = SHEET[0] / last.width if is_sheet(choices.fit) else POINT
        return Picture(to_pdf([svg(one) for one in drawings], last.title, last.description, size), tuple(notes))
    scale, largest = choices.scale, (MOST_PIXELS / (last.width * last.height)) ** 0.5
    if scale > largest:
        notes.append(f"the PNG is drawn at scale {largest:.2f}, not {scale:g}, to stay within {MOST_PIXELS // 10**6} "
                     "million pixels; SVG and PDF have no such limit")  # fmt: skip
    return Picture(to_png(svg(drawings[0]), min(scale, largest)), tuple(notes))
