"""What colours and lines mean, below a diagram."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.render.diagrams.drawing import Curve, Ramp, Rect, Shape, Text
from archcalc.render.diagrams.model import EdgeKind, Scale, Swatch
from archcalc.render.diagrams.strokes import Stroke, edge_colour
from archcalc.render.diagrams.text import text_width
from archcalc.render.diagrams.theme import Theme

SIZE = 12.0
ROW = 20.0
SAMPLE = 18.0
BETWEEN = 18.0
RAMP = 220.0


def legend_shapes(
    swatches: Sequence[Swatch], scale: Scale | None, theme: Theme, x: float, y: float, width: float
) -> tuple[list[Shape], float]:
    """The shapes of a legend in rows of at most `width`, and their height."""
    shapes: list[Shape] = []
    start, top = x, y
    if scale is not None:
        shapes += _scale(scale, theme, x, y, min(RAMP, width))
        top += 46
    if not swatches and scale is None:
        return [], 0.0
    for swatch in swatches:
        needed = _needed(swatch)
        if x > start and x + needed > start + width:
            x, top = start, top + ROW
        shapes += _swatch(swatch, theme, x, top)
        x += needed + BETWEEN
    return shapes, top - y + (ROW - 4 if swatches else 0)


def legend_width(swatches: Sequence[Swatch]) -> float:
    """The width of a legend in one row."""
    return sum(_needed(swatch) + BETWEEN for swatch in swatches)


def _needed(swatch: Swatch) -> float:
    return _sample_width(swatch) + 6 + text_width(swatch.label, SIZE)


def _sample_width(swatch: Swatch) -> float:
    return 30.0 if swatch.edge else SAMPLE


def _swatch(swatch: Swatch, theme: Theme, x: float, y: float) -> list[Shape]:
    width = _sample_width(swatch)
    shape: Shape
    if swatch.edge:
        kind: EdgeKind = swatch.edge
        shape = Curve(((x, y + 7), (x + width, y + 7)), edge_colour(kind, theme), Stroke.thickness[kind],
                      arrow=True, dash=Stroke.dash[kind])  # fmt: skip
    else:
        paint = theme.families[swatch.family]
        dash = (3.0, 2.0) if swatch.family == "regularisation" else ()
        shape = Rect(
            x, y, width, 14, paint.fill, paint.line, 1.2, 7 if swatch.family in ("input", "output") else 4, dash
        )
    return [shape, Text(x + width + 6, y + 7 + SIZE * 0.36, swatch.label, SIZE, theme.ink)]


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
