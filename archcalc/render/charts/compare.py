"""Accuracy against work: top-1 accuracy over multiplications, parameters as the area of a bubble.

After Canziani, Paszke & Culurciello 2017, "An Analysis of Deep Neural Network Models for Practical Applications",
figure 2. Multiplications and parameters are those of the analyses; accuracies are reported ones, each with its source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, log10, sqrt
from typing import Any, NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import mark, say, say_many
from archcalc.core.quantities import quantity_of_network
from archcalc.core.words import several
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.accuracy import Accuracy, Point, classes, comparable
from archcalc.render.charts.axes import Scale, inside, logarithmic, short
from archcalc.render.charts.figure import EDGE, Figure, Look, in_rows
from archcalc.render.charts.labels import Box, Disc, Line, place
from archcalc.render.charts.theme import LABEL, SMALL, Style, style, theme_of
from archcalc.render.charts.titles import short_name, short_titles
from archcalc.render.diagrams.text import clean, shorten, text_width
from archcalc.render.diagrams.theme import Theme, mix

#: Radius in pixels of the largest bubble of a picture of the usual size, and the least of any.
LARGEST, LEAST = 34.0, 2.5
NAME_WIDTH = 170.0
#: The height of a row of the legend, and half of the width of a bubble in it.
ROW, SWATCH = 28.0, 13.0
WORK, SIZE, ACCURACY = (quantity_of_network(key) for key in ("multiplications", "params", "top1_accuracy"))
HEADS = ("network", "title", "year", WORK.key, SIZE.key, f"{ACCURACY.term} (%)", "measured", "source", "note")


def compare(analyses: Sequence[Analysis], look: Look | None = None) -> dict[str, Any]:
    """The chart of the networks that have a reported top-1 accuracy. Raises `UsageError` where none has."""
    points = _sorted(comparable(analyses).points)
    if not points:
        raise UsageError("none of these networks has a top-1 accuracy in its spec")
    look = look or Look()
    drawn = _styles(points, theme_of(look.theme))
    legend = _legend(points, drawn, theme_of(look.theme), look)
    figure = Figure(
        "compare", look,
        title=say("{accuracy} over {work}", accuracy=_capital(ACCURACY.title), work=WORK.title),
        subtitle=_subtitle(points),
        description=_description(points),
        left=64, right=EDGE + 8, bottom=46, footnote=_footnote(points),
        heads=HEADS, rows=[_row(point) for point in points], strip=legend[-1].y + ROW / 2 + 2,
    )  # fmt: skip
    x, y = _scales(points, figure)
    most = max(point.analysis.totals.params for point in points)
    radius = _largest(figure)
    discs = [_disc(point, x, y, most, radius) for point in points]
    figure.axes(x, y, say("{work} (M million, G billion; log scale)", work=WORK.name), ACCURACY.title, gridOpacity=0.3)
    _draw_legend(figure, legend, radius, most)
    lines = _lines(figure, _families(points, discs), drawn)
    _bubbles(figure, points, discs, drawn, x, y)
    _labels(figure, points, discs, lines)
    return figure.spec()


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _subtitle(points: Sequence[Point]) -> str:
    return say_many(
        "The area of a bubble is the number of parameters. {count} network for {classes:,} classes; accuracies as "
        "reported.",
        "The area of a bubble is the number of parameters. {count} networks for {classes:,} classes; accuracies as "
        "reported.",
        len(points), classes=classes(points[0].analysis),
    )  # fmt: skip


def _sorted(points: Sequence[Point]) -> list[Point]:
    """Large bubbles first, so that small ones lie on top of them."""
    return sorted(points, key=lambda point: (-point.analysis.totals.params, point.analysis.graph.name))


def _row(point: Point) -> list[Any]:
    graph, totals, accuracy = point.analysis.graph, point.analysis.totals, point.accuracy
    return [graph.name, graph.title, str(graph.year or "–"), totals.multiplications, totals.params, accuracy.percent,
            accuracy.protocol, accuracy.source, accuracy.note]  # fmt: skip


def _description(points: Sequence[Point]) -> str:
    best = max(points, key=lambda point: point.accuracy.percent)
    least = min(points, key=lambda point: point.analysis.totals.multiplications)
    return say(
        "Bubble chart of {networks}: reported top-1 accuracy against multiplications for one image, parameters as "
        "area. Highest accuracy: {best}, {percent:g} %, with {work:,} multiplications. Fewest multiplications: "
        "{least}, {fewest:,}, {other:g} %.",
        networks=several(len(points), "network"), best=best.analysis.graph.title, percent=best.accuracy.percent,
        work=best.analysis.totals.multiplications, least=least.analysis.graph.title,
        fewest=least.analysis.totals.multiplications, other=least.accuracy.percent,
    )  # fmt: skip


def _footnote(points: Sequence[Point]) -> list[str]:
    """Each source with the networks that it is for."""
    by_source: dict[str, list[str]] = {}
    for point, name in sorted(zip(points, _names(points), strict=True), key=lambda pair: _age(pair[0])):
        by_source.setdefault(_shared(point.accuracy.source), []).append(name)
    listed = "; ".join(f"{source}: {', '.join(names)}" for source, names in by_source.items())
    return [say("Multiplications and parameters as calculated. Sources of the accuracies: {listed}.", listed=listed)]


def _age(point: Point) -> tuple[int, int, str]:
    graph = point.analysis.graph
    return graph.year or 0, point.analysis.totals.multiplications, graph.name


def _shared(source: str) -> str:
    """Torchvision's weights as one source."""
    head, comma, rest = source.partition(", ")
    return head if comma and ("Weights" in rest or rest.startswith("weights ")) else source


def _names(points: Sequence[Point]) -> list[str]:
    """What stands next to each bubble."""
    return [shorten(name, NAME_WIDTH, LABEL) for name in short_titles([point.analysis.graph for point in points])]


def _scales(points: Sequence[Point], figure: Figure) -> tuple[Scale, Scale]:
    work = [max(point.analysis.totals.multiplications, 1) for point in points]
    percents = [point.accuracy.percent for point in points]
    # Bubbles near the edge stay inside: the margins are a share of the range.
    x = logarithmic(min(work), max(work), 0, figure.inner_width, margin=0.09)
    reach = max(percents) - min(percents)
    margin = max(0.14 * reach, 1.5)
    step = 5.0 if reach > 10 else 2.0 if reach > 4 else 1.0
    low, high = max(min(percents) - margin, 0.0), min(max(percents) + margin, 100.0)
    return x, inside(low, high, figure.inner_height, 0, step, " %")


def _largest(figure: Figure) -> float:
    """The radius of the largest bubble: in proportion to the picture."""
    return LARGEST * min(figure.inner_width / 872, figure.inner_height / 330, 2.0)


def _disc(point: Point, x: Scale, y: Scale, most: int, largest: float) -> Disc:
    radius = largest * sqrt(point.analysis.totals.params / most) if most else LEAST
    return Disc(x(max(point.analysis.totals.multiplications, 1)), y(point.accuracy.percent), max(radius, LEAST))


def _styles(points: Sequence[Point], theme: Theme) -> dict[str, Style]:
    """A style for each family; where there are many, only for those of which several are shown."""
    years = {point.analysis.graph.family: point.analysis.graph.year or 0 for point in points}
    families = sorted(years, key=lambda family: (years[family], family))
    counts = Counter(point.analysis.graph.family for point in points)
    neutral = Style(theme.families["merge"].fill, theme.families["merge"].line, "circle", [1, 0])
    named = families if len(families) <= 7 else [family for family in families if counts[family] > 1][:7]
    return {family: style(theme, named.index(family)) if family in named else neutral for family in families}


def _bubbles(
    figure: Figure, points: Sequence[Point], discs: Sequence[Disc], styles: Mapping[str, Style], x: Scale, y: Scale
) -> None:
    for kind in (SINGLE, SEVERAL, NOT_STATED):
        values = [
            _datum(point, disc, styles[point.analysis.graph.family])
            for point, disc in zip(points, discs, strict=True)
            if _kind(point.accuracy) == kind
        ]
        if values:
            figure.add(
                _mark(kind), values,
                x={"field": "multiplications", "type": "quantitative", "scale": x.vega(), "axis": None},
                y={"field": "top1", "type": "quantitative", "scale": y.vega(), "axis": None},
                size={"field": "size", "type": "quantitative", "scale": None, "legend": None},
                fill={"field": "fill", "type": "nominal", "scale": None}
                if kind == SINGLE else {"value": figure.theme.background},
                stroke={"field": "line", "type": "nominal", "scale": None},
                tooltip=[{"field": name, "title": title} for name, title in _tooltip()],
            )  # fmt: skip


#: What an outline says of how an accuracy was measured.
SINGLE, SEVERAL, NOT_STATED = "single crop", mark("several crops"), "crops not stated"


def _tooltip() -> tuple[tuple[str, str], ...]:
    """The fields of a bubble, and how each is named."""
    return (
        ("title", say("network")), ("accuracy", ACCURACY.title), ("measured", say("measured with")),
        ("source", say("source")), ("note", say("note")), ("work", WORK.title), ("weights", SIZE.title),
        ("year", say("year")),
    )  # fmt: skip


def _kind(accuracy: Accuracy) -> str:
    return NOT_STATED if accuracy.crops is None else SINGLE if accuracy.crops == 1 else SEVERAL


def _mark(kind: str) -> dict[str, Any]:
    dash = {SEVERAL: [6, 3], NOT_STATED: [2, 2.5]}.get(kind, [])
    return {"type": "point", "shape": "circle", "filled": True, "strokeWidth": 1.6, "opacity": 1,
            "fillOpacity": 0.72 if kind == SINGLE else 0.6, "strokeDash": dash}  # fmt: skip


def _datum(point: Point, disc: Disc, drawn: Style) -> dict[str, Any]:
    graph, totals, accuracy = point.analysis.graph, point.analysis.totals, point.accuracy
    return {
        "network": graph.name, "title": clean(graph.title or graph.name), "family": graph.family,
        "year": graph.year, "multiplications": totals.multiplications, "params": totals.params,
        "top1": accuracy.percent, "measured": accuracy.protocol, "source": clean(accuracy.source),
        "note": clean(accuracy.note) or "–", "accuracy": f"{accuracy.percent:g} %",
        "work": f"{totals.multiplications:,}", "weights": f"{totals.params:,}",
        # Vega's size of a circle is the square around it.
        "size": round((2 * disc.radius) ** 2, 2),
        "fill": mix(drawn.fill, drawn.line, 0.35), "line": drawn.line,
    }  # fmt: skip


def _families(points: Sequence[Point], discs: Sequence[Disc]) -> dict[str, list[Disc]]:
    """The points of each family of at least three, in the order of their work."""
    found: dict[str, list[Disc]] = {}
    for point, disc in zip(points, discs, strict=True):
        found.setdefault(point.analysis.graph.family, []).append(disc)
    return {family: sorted(members) for family, members in found.items() if len(members) > 2}


def _lines(figure: Figure, families: Mapping[str, Sequence[Disc]], styles: Mapping[str, Style]) -> list[Line]:
    """Draws the families as lines from member to member."""
    for family, members in families.items():
        figure.place(
            {"type": "line", "color": styles[family].line, "strokeWidth": 1.3, "strokeDash": styles[family].dash},
            [{"x": disc.x, "y": disc.y} for disc in members], order={"field": "x"},
        )  # fmt: skip
    return [
        (first.x, first.y, second.x, second.y) for members in families.values() for first, second in pairwise(members)
    ]


def _labels(figure: Figure, points: Sequence[Point], discs: Sequence[Disc], lines: Sequence[Line]) -> None:
    area = Box(2, 0, figure.inner_width + figure.right - 6, figure.inner_height - 2)
    names = _names(points)
    labels = place(discs, names, LABEL, area, (), lines)
    leaders = [label.leader for label in labels if label and label.leader]
    if leaders:
        figure.rules(leaders, color=figure.theme.quiet, strokeWidth=0.8)
    for name, label in zip(names, labels, strict=True):
        if label:
            figure.covering(label.x, label.y, name, LABEL)
    unnamed = [name for name, label in zip(names, labels, strict=True) if not label]
    if unnamed:
        text = say("Not named, for lack of space: {names}", names=", ".join(unnamed))
        figure.text(4, -3, shorten(text, figure.inner_width - 8, SMALL), fontSize=SMALL, color=figure.theme.quiet)


class Entry(NamedTuple):
    """An entry of the legend, at a place from the left upper corner of the strip; or a number of parameters."""

    text: str
    x: float
    y: float
    mark: Mapping[str, Any]
    size: int = 0


def _legend(points: Sequence[Point], drawn: Mapping[str, Style], theme: Theme, look: Look) -> list[Entry]:
    """Families, what the outlines mean, and bubbles of round sizes, in rows of the width of the picture."""
    neutral = theme.families["merge"]
    titles = {point.analysis.graph.family: _family(point) for point in points}
    named = [family for family in drawn if drawn[family].line != neutral.line]
    found: list[tuple[str, dict[str, Any], int]] = [
        (titles[family], {**_mark(SINGLE), "fill": mix(drawn[family].fill, drawn[family].line, 0.35),
                          "stroke": drawn[family].line}, 0)
        for family in named
    ]  # fmt: skip
    if named and len(named) < len(drawn):
        found.append((say("other"), {**_mark(SINGLE), "fill": mix(neutral.fill, neutral.line, 0.35),
                                "stroke": neutral.line}, 0))  # fmt: skip
    kinds = {_kind(point.accuracy) for point in points}
    found += [
        (say(kind), {**_mark(kind), "fill": theme.background, "stroke": neutral.line}, 0)
        for kind in (SEVERAL, NOT_STATED)
        if kind in kinds
    ]
    outline = {**_mark(SINGLE), "fill": theme.background, "stroke": theme.quiet}
    sizes = _round_sizes(max(point.analysis.totals.params for point in points))
    found += [(short(size), outline, size) for size in sizes[:-1]]
    found.append((say("{count} parameters", count=short(sizes[-1])), outline, sizes[-1]))
    widths = [2 * SWATCH + 5 + text_width(text, SMALL) for text, _, _ in found]
    places = in_rows(widths, look.width - 2 * EDGE, 16)
    return [
        Entry(text, x, (row + 0.5) * ROW, mark, size)
        for (text, mark, size), (x, row) in zip(found, places, strict=True)
    ]


def _family(point: Point) -> str:
    graph = point.analysis.graph
    return short_name(graph.family_title or graph.family or graph.title or graph.name, 24)


def _draw_legend(figure: Figure, entries: Sequence[Entry], radius: float, most: int) -> None:
    left, top = EDGE - figure.left, -figure.strip - 8
    for entry in entries:
        size = 2 * radius * sqrt(entry.size / most) if entry.size else 12.0
        figure.add({**entry.mark, "x": left + entry.x + SWATCH, "y": top + entry.y, "size": round(size**2, 2)})
        figure.text(left + entry.x + 2 * SWATCH + 5, top + entry.y + SMALL * 0.36, entry.text, fontSize=SMALL,
                    color=figure.theme.quiet)  # fmt: skip


def _round_sizes(most: int) -> list[int]:
    """Two round numbers of parameters whose bubbles are small enough for the legend."""
    decade = 10 ** max(ceil(log10(max(most, 1))) - 1, 0)
    largest = next(mark * decade for mark in (10, 5, 2, 1) if mark * decade <= max(most, 1))
    return [size for size in (largest // 20, largest // 5) if size > 0] or [largest]
