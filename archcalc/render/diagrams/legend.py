"""What colours and lines mean, below a diagram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.render.diagrams.drawing import Curve, Ramp, Rect, Shape, Text, shifted
from archcalc.render.diagrams.model import EdgeKind, Scale, Swatch
from archcalc.render.diagrams.strokes import Stroke, edge_colour
from archcalc.render.diagrams.text import text_width
from archcalc.render.diagrams.theme import Theme

SIZE = 12.0
ROW = 20.0
SAMPLE, ARROW = 18.0, 30.0
BETWEEN = 18.0
RAMP = 220.0


def legend_shapes(
    swatches: Sequence[Swatch], scale: Scale | None, theme: Theme, x: float, y: float, width: float
) -> tuple[list[Shape], float]:
    """The shapes of a legend in rows of at most `width`, and their height."""
    shapes: list[Shape] = []
    top = y
    if scale is not None:
        shapes += _scale(scale, theme, x, y, min(RAMP, width))
        top += 46
    rows, height = entry_rows(entries_of(swatches, theme), theme, x, top, width)
    return shapes + rows, top - y + height


class Entry(NamedTuple):
    """What a colour or a line means: a sample of it, as it stands at the origin, and words."""

    label: str
    sample: Shape
    #: What the sample takes.
    width: float


def entries_of(swatches: Sequence[Swatch], theme: Theme) -> list[Entry]:
    """The entries of a legend."""
    return [Entry(swatch.label, _sample(swatch, theme), _sample_width(swatch)) for swatch in swatches]


def entry_rows(
    entries: Sequence[Entry], theme: Theme, x: float, y: float, width: float, size: float = SIZE
) -> tuple[list[Shape], float]:
    """Entries in rows of at most `width`, and their height."""
    shapes: list[Shape] = []
    start, top = x, y
    for entry in entries:
        needed = entry.width + 6 + text_width(entry.label, size)
        if x > start and x + needed > start + width:
            x, top = start, top + ROW
        shapes.append(shifted(entry.sample, x, top))
        shapes.append(Text(x + entry.width + 6, top + 7 + size * 0.36, entry.label, size, theme.ink))
        x += needed + BETWEEN
    return shapes, top - y + (ROW - 4 if entries else 0)


def legend_width(swatches: Sequence[Swatch]) -> float:
    """The width of a legend in one row."""
    return sum(_sample_width(swatch) + 6 + text_width(swatch.label, SIZE) + BETWEEN for swatch in swatches)


def arrow_sample(colour: str, thickness: float, dash: tuple[float, ...]) -> Curve:
    """An arrow of a legend."""
    return Curve(((0, 7), (ARROW, 7)), colour, thickness, arrow=True, dash=dash)


def _sample_width(swatch: Swatch) -> float:
    return ARROW if swatch.edge else SAMPLE


def _sample(swatch: Swatch, theme: Theme) -> Shape:
    if swatch.edge:
        kind: EdgeKind = swatch.edge
        return arrow_sample(edge_colour(kind, theme), Stroke.thickness[kind], Stroke.dash[kind])
    paint = theme.families[swatch.family]
    dash = (3.0, 2.0) if swatch.family == "regularisation" else ()
    return Rect(0, 0, SAMPLE, 14, paint.fill, paint.line, 1.2, 7 if swatch.family in ("input", "output") else 4, dash)


def _scale(scale: Scale, theme: Theme, x: float, y: float, width: float) -> list[Shape]:
    shapes: list[Shape] = [
        Text(x, y + 9, scale.title, SIZE, theme.ink, True),
        Ramp(x, y + 15, width, 11, theme.scale),
        Rect(x, y + 15, width, 11, None, theme.frame.line, 1.0),
    ]
    for place, label in scale.ticks:
        anchor = "start" if place < 0.01 else "end" if place > 0.99 else "middle"
        # One of three words that `Text` takes; to mypy it is any word.
        shapes.append(Text(x + place * width, y + 38, label, SIZE, theme.quiet, anchor=anchor))  # type: ignore[arg-type]
    return shapes
