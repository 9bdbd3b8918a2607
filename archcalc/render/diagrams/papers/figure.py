"""What the figures of papers have in common: a page with a title, a body, a key and notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.core.words import several
from archcalc.passes.analysis import Analysis, Row
from archcalc.render.diagrams import words
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Rect, Shape, Text
from archcalc.render.diagrams.paint import MARGIN, heading
from archcalc.render.diagrams.text import LEADING, clean, text_width, wrap
from archcalc.render.diagrams.theme import Paint, Theme

#: The size of texts, and of what stands back.
TEXT, NOTE = 14.0, 14.0


class Request(NamedTuple):
    """What a figure is drawn for: the networks, the look, and the shape of the page, width to height."""

    analyses: tuple[Analysis, ...]
    theme: Theme
    ratio: float
    labels: tuple[str, ...] | None = None
    names: str | None = None
    sizes: str | None = None
    #: Whether the page is filled to its whole width.
    fill: bool = False
    direction: str = "fit"
    #: In place of the names of the networks; an empty one for none.
    title: str | None = None
    #: Whether edges are wanted in one piece too, as slides glue them to boxes.
    links: bool = False
    #: How large texts are against boxes in perspective and maps; 1 is the size of the style.
    text: float = 1.0


class Body(NamedTuple):
    """What is drawn between title and key: clusters, and the rectangle that they take."""

    items: tuple[Cluster, ...]
    left: float
    top: float
    right: float
    bottom: float


class Key(NamedTuple):
    """A line of the key: a sample, drawn at a place that is given, its width, and what it means."""

    sample: Callable[[float, float], Sequence[Shape]]
    width: float
    label: str


def swatch(paint: Paint, label: str) -> Key:
    """A colour of boxes."""
    return Key(lambda x, y: [Rect(x, y - 7, 18, 14, paint.fill, paint.line, 1.2, 3)], 18, label)


def stroke(label: str, colour: str, thickness: float = 1.6, dash: tuple[float, ...] = ()) -> Key:
    """A kind of line."""
    return Key(lambda x, y: [Curve(((x, y), (x + 30, y)), colour, thickness, arrow=True, dash=dash)], 30, label)


def subtitle_of(analysis: Analysis) -> str:
    """Input, parameters and multiplications of a network."""
    totals = analysis.totals
    parts = [
        say("input {size}", size=analysis.graph.inputs_in_words()),
        several(totals.params, "parameter"),
        words.work(totals.multiplications, bool(totals.not_counted)),
    ]
    return " · ".join(parts)


def title_of(analysis: Analysis) -> str:
    return clean(analysis.graph.title or analysis.graph.name)


def finish(
    request: Request, body: Body, title: str, subtitle: str, description: str, keys: Sequence[Key], note: str
) -> Drawing:
    """The whole page: as wide as the body, the title or, where it is to be filled, the shape of the page."""
    theme = request.theme
    if request.title is not None:
        title = clean(request.title)
    inner = max(body.right - body.left, 420.0)
    if request.fill:
        inner = max(inner, (body.bottom - body.top + 140) * request.ratio - 2 * MARGIN)
    head, y = heading(title, subtitle, inner, MARGIN, theme) if title else ([], MARGIN)
    items = [Cluster(title, tuple(head), "title")] if head else []
    dx, dy = MARGIN - body.left + (inner - (body.right - body.left)) / 2, y - body.top
    items += [item.moved(dx, dy) for item in body.items]
    y += body.bottom - body.top + 24
    shapes: list[Shape] = []
    x = MARGIN
    for key in keys:
        needed = key.width + 8 + text_width(key.label, NOTE)
        if x > MARGIN and x + needed > MARGIN + inner:
            x, y = MARGIN, y + 20
        shapes += [*key.sample(x, y), Text(x + key.width + 8, y + NOTE * 0.36, key.label, NOTE, theme.ink)]
        x += needed + 20
    y += 10 if keys else -14
    for line in wrap(note, inner, NOTE):
        y += NOTE * LEADING
        shapes.append(Text(MARGIN, y, line, NOTE, theme.quiet))
    if shapes:
        items.append(Cluster("Legend", tuple(shapes), "legend"))
    return Drawing(inner + 2 * MARGIN, y + MARGIN, theme.background, title, description, tuple(items))


def stage_paints(count: int, theme: Theme) -> list[Paint]:
    """Colours that follow each other: neighbours differ."""
    order = ("block", "normalisation", "recurrent", "convolution", "activation", "dense", "pooling", "attention")
    return [theme.families[order[index % len(order)]] for index in range(count)]


def covers(rows: Sequence[Row]) -> tuple[str, ...]:
    """The names of layers that one box shows; none where it is one layer, which has its own attribute."""
    return tuple(row.name for row in rows) if len(rows) > 1 else ()
