"""Accuracy against work: top-1 accuracy over multiplications, parameters as the area of a bubble.

After Canziani, Paszke & Culurciello 2017, "An Analysis of Deep Neural Network Models for Practical Applications",
figure 2. Multiplications and parameters are those of the analyses; accuracies are reported ones, each with its source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, log10, sqrt
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.accuracy import Accuracy, Point, classes, comparable
from archcalc.render.charts.axes import Scale, inside, logarithmic, short
from archcalc.render.charts.figure import EDGE, Figure, Look
from archcalc.render.charts.labels import Box, Disc, Line, place
from archcalc.render.charts.theme import LABEL, SMALL, Style, style
from archcalc.render.charts.titles import short_titles
from archcalc.render.diagrams.text import clean, shorten, text_width
from archcalc.render.diagrams.theme import Theme, mix

#: Radius in pixels of the largest bubble of a picture of the usual size, and the least of any.
LARGEST, LEAST = 34.0, 2.5
NAME_WIDTH = 170.0
HEADS = ("network", "title", "year", "multiplications", "params", "top-1 accuracy (%)", "measured", "source", "note")


def compare(analyses: Sequence[Analysis], look: Look | None = None) -> dict[str, Any]:
    """The chart of the networks that have a reported top-1 accuracy. Raises `UsageError` where none has."""
    points = _sorted(comparable(analyses).points)
    if not points:
        raise UsageError("none of these networks has a top-1 accuracy in its spec")
    look = look or Look()
    figure = Figure(
        "compare", look,
        title="Top-1 accuracy over multiplications",
        subtitle=f"The area of a bubble is the number of parameters. {_counted(points)}; accuracies as reported.",
        description=_description(points),
        left=64, right=EDGE + 8, bottom=46, footnote=_footnote(points),
        heads=HEADS, rows=[_row(point) for point in points],
    )  # fmt: skip
    x, y = _scales(points, figure)
    most = max(point.analysis.totals.params for point in points)
    radius = _largest(figure)
    discs = [_disc(point, x, y, most, radius) for point in points]
    styles = _styles(points, figure.theme)
    _axes(figure, x, y)
    legend = _legend(figure, points, most, discs)
    lines = _lines(figure, _families(points, discs), styles)
    _bubbles(figure, points, discs, styles, x, y)
    _labels(figure, points, discs, [legend], lines)
    return figure.spec()


def _counted(points: Sequence[Point]) -> str:
    number = classes(points[0].analysis)
    return f"{len(points)} network{'s' if len(points) > 1 else ''} for {number:,} classes"


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
    return (
        f"Bubble chart of {len(points)} networks: reported top-1 accuracy against multiplications for one image, "
        f"parameters as area. Highest accuracy: {best.analysis.graph.title}, {best.accuracy.percent:g} %, with "
        f"{best.analysis.totals.multiplications:,} multiplications. Fewest multiplications: "
        f"{least.analysis.graph.title}, {least.analysis.totals.multiplications:,}, {least.accuracy.percent:g} %."
    )


def _footnote(points: Sequence[Point]) -> list[str]:
    """Each source with the networks that it is for."""
    by_source: dict[str, list[str]] = {}
    for point, name in sorted(zip(points, _names(points), strict=True), key=lambda pair: _age(pair[0])):
        by_source.setdefault(_shared(point.accuracy.source), []).append(name)
    listed = "; ".join(f"{source}: {', '.join(names)}" for source, names in by_source.items())
    return [f"Multiplications and parameters as calculated. Sources of the accuracies: {listed}."]


def _age(point: Point) -> tuple[int, int, str]:
    graph = point.analysis.graph
    return graph.year or 0, point.analysis.totals.multiplications, graph.name


def _shared(source: str) -> str:
    """Torchvision's weights as one source."""
    head, comma, rest = source.partition(", ")
    return head if comma and ("Weights" in rest or rest.startswith("weights ")) else source


def _names(points: Sequence[Point]) -> list[str]:
    """What stands beside each bubble."""
    return [shorten(name, NAME_WIDTH, LABEL) for name in short_titles([point.analysis.graph for point in points])]


def _scales(points: Sequence[Point], figure: Figure) -> tuple[Scale, Scale]:
    work = [max(point.analysis.totals.multiplications, 1) for point in points]
    percents = [point.accuracy.percent for point in points]
    # Bubbles near the edge stay inside: the margins are a share of the range.
    x = logarithmic(min(work), max(work), 0, figure.inner_width, margin=0.09)
    reach = max(percents) - min(percents)
    beside = max(0.14 * reach, 1.5)
    step = 5.0 if reach > 10 else 2.0 if reach > 4 else 1.0
    low, high = max(min(percents) - beside, 0.0), min(max(percents) + beside, 100.0)
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
    told = families if len(families) <= 7 else [family for family in families if counts[family] > 1][:7]
    return {family: style(theme, told.index(family)) if family in told else neutral for family in families}


def _axes(figure: Figure, x: Scale, y: Scale) -> None:
    blank = {"type": "point", "opacity": 0}
    figure.add(
        blank, [{"x": x.low, "y": y.low}],
        x={"field": "x", "type": "quantitative", "scale": x.vega(),
           "axis": x.axis("multiplications for one image (M million, B billion; log scale)", gridOpacity=0.3)},
        y={"field": "y", "type": "quantitative", "scale": y.vega(), "axis": y.axis("top-1 accuracy")},
    )  # fmt: skip


def _bubbles(
    figure: Figure, points: Sequence[Point], discs: Sequence[Disc], styles: Mapping[str, Style], x: Scale, y: Scale
) -> None:
    for kind in ("single crop", "several crops", "crops not stated"):
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
                if kind == "single crop" else {"value": figure.theme.background},
                stroke={"field": "line", "type": "nominal", "scale": None},
                tooltip=[{"field": name, "title": title} for name, title in TOOLTIP],
            )  # fmt: skip


TOOLTIP = (("title", "network"), ("accuracy", "top-1 accuracy"), ("measured", "measured with"), ("source", "source"),
           ("note", "note"), ("work", "multiplications"), ("weights", "parameters"), ("year", "year"))  # fmt: skip


def _kind(accuracy: Accuracy) -> str:
    return accuracy.protocol if accuracy.crops in (None, 1) else "several crops"


def _mark(kind: str) -> dict[str, Any]:
    dash = {"several crops": [6, 3], "crops not stated": [2, 2.5]}.get(kind, [])
    return {"type": "point", "shape": "circle", "filled": True, "strokeWidth": 1.6, "opacity": 1,
            "fillOpacity": 0.72 if kind == "single crop" else 0.6, "strokeDash": dash}  # fmt: skip


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
    pixel = {"type": "quantitative", "scale": None}
    for family, members in families.items():
        figure.add(
            {"type": "line", "color": styles[family].line, "strokeWidth": 1.3, "strokeDash": styles[family].dash},
            [{"x": round(disc.x, 2), "y": round(disc.y, 2)} for disc in members],
            x={"field": "x", **pixel}, y={"field": "y", **pixel}, order={"field": "x"},
        )  # fmt: skip
    return [
        (first.x, first.y, second.x, second.y) for members in families.values() for first, second in pairwise(members)
    ]


def _labels(
    figure: Figure, points: Sequence[Point], discs: Sequence[Disc], blocked: Sequence[Box], lines: Sequence[Line]
) -> None:
    area = Box(2, 0, figure.inner_width + figure.right - 6, figure.inner_height - 2)
    names = _names(points)
    labels = place(discs, names, LABEL, area, blocked, lines)
    leaders = [label.leader for label in labels if label and label.leader]
    if leaders:
        figure.rules(leaders, color=figure.theme.quiet, strokeWidth=0.8)
    for name, label in zip(names, labels, strict=True):
        if label:
            figure.text(label.x, label.y, name, fontSize=LABEL)
    unnamed = [name for name, label in zip(names, labels, strict=True) if not label]
    if unnamed:
        text = f"No room for the names of {len(unnamed)}: {', '.join(unnamed)}"
        figure.text(4, -3, shorten(text, figure.inner_width - 8, SMALL), fontSize=SMALL, color=figure.theme.quiet)


def _legend(figure: Figure, points: Sequence[Point], most: int, discs: Sequence[Disc]) -> Box:
    """Bubbles of round sizes, and what the outlines mean; in the corner that is the most free."""
    sizes = _round_sizes(most)
    radii = [_largest(figure) * sqrt(size / most) for size in sizes]
    texts = [
        f"{short(size)} parameters" if index == len(sizes) - 1 else short(size) for index, size in enumerate(sizes)
    ]
    kinds = [kind for kind in ("single crop", "several crops", "crops not stated")
             if any(_kind(point.accuracy) == kind for point in points)]  # fmt: skip
    gap = 16.0
    width = sum(2 * radius + 5 + text_width(text, SMALL) for radius, text in zip(radii, texts, strict=True))
    width += gap * (len(sizes) - 1)
    rows = 0 if kinds == ["single crop"] else len(kinds)
    height = 2 * max(radii) + rows * 18.0 + 10
    corners = [
        Box(left - 8, top, left + width + 8, top + height)
        for top in (figure.inner_height - height - 6, 4.0)
        for left in (figure.inner_width - width - 8, 14.0)
    ]
    corner = min(corners, key=lambda box: sum(box.cuts(disc) for disc in discs))
    left, bottom = corner.left + 8, corner.bottom - 4
    middle = bottom - max(radii)
    x = left
    for radius, text in zip(radii, texts, strict=True):
        figure.add({"type": "point", "shape": "circle", "x": x + radius, "y": middle, "size": (2 * radius) ** 2,
                    "filled": False, "stroke": figure.theme.quiet, "strokeWidth": 1.2, "opacity": 1})  # fmt: skip
        figure.text(x + 2 * radius + 5, middle + SMALL * 0.36, text, fontSize=SMALL, color=figure.theme.quiet)
        x += 2 * radius + 5 + text_width(text, SMALL) + gap
    for number, kind in enumerate(kinds if rows else ()):
        y = bottom - 2 * max(radii) - 10 - (rows - 1 - number) * 18.0
        fill = figure.theme.families["merge"].fill if kind == "single crop" else figure.theme.background
        figure.add({**_mark(kind), "x": left + 7, "y": y, "size": 150, "fill": fill,
                    "stroke": figure.theme.families["merge"].line})  # fmt: skip
        figure.text(left + 20, y + SMALL * 0.36, kind, fontSize=SMALL, color=figure.theme.quiet)
    return corner


def _round_sizes(most: int) -> list[int]:
    """Three round numbers of parameters: the largest not above the most, and two smaller ones."""
    decade = 10 ** max(ceil(log10(max(most, 1))) - 1, 0)
    largest = next(mark * decade for mark in (10, 5, 2, 1) if mark * decade <= max(most, 1))
    return [size for size in (largest // 20, largest // 5, largest) if size > 0]
