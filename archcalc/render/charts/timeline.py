"""The line of development: families of networks by year, and which follows which."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations, groupby, pairwise
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.core.language import all_of, say
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.families import Family, line_of_development, ranks_of
from archcalc.render.charts.figure import EDGE, Figure, Look
from archcalc.render.charts.layered import Layout, arrange
from archcalc.render.charts.theme import AXIS, LABEL, SMALL
from archcalc.render.charts.titles import without_brackets
from archcalc.render.diagrams.text import clean, shorten, text_width
from archcalc.render.diagrams.words import figure as short_figure

#: Widths to which titles are wrapped, the widest that fits.
WRAPS = (180.0, 130.0, 104.0, 90.0, 76.0, 62.0)
MOST_LINES = 4
PAD, LINE = 7.0, LABEL + 3
LEAST_GAP = 26.0
YEARS = 30.0


def timeline(analyses: Sequence[Analysis], look: Look | None = None) -> dict[str, Any]:
    """Cards in columns by year, with arrows from what is followed. Raises `UsageError` where none has a year."""
    look = look or Look()
    families, _ = line_of_development(analyses)
    if not families:
        raise UsageError("none of these networks has a year in its spec")
    edges = [(source, family.key) for family in families for source in family.follows]
    figure = Figure(
        "timeline", look,
        title=say("The line of development"),
        subtitle=say("Families of networks by year of publication; an arrow leads from what a network follows; below "
                     "each name its parameters"),
        description=_description(families),
        left=EDGE, right=EDGE, bottom=4,
        heads=("family", "title", "year", "follows", "params", "what it brought"),
        rows=[
            [family.key, family.title, str(family.year), ", ".join(family.follows) or "–",
             _span(family.params), family.analysis.graph.description]
            for family in families
        ],
    )  # fmt: skip
    ranks = ranks_of(families)
    order = sorted(set(ranks.values()))
    columns = [[family for family in families if ranks[family.key] == rank] for rank in order]
    layout = arrange([[family.key for family in column] for column in columns], edges)
    short = without_brackets([family.title for family in families], [False] * len(families))
    names = dict(zip([family.key for family in families], short, strict=True))
    cards, widths = _cards(columns, names, figure.inner_width)
    places = _columns(widths, figure.inner_width)
    _years(figure, [rank[0] for rank in order], places, widths)
    boxes = _boxes(figure, columns, cards, layout, places, widths)
    _check_space(boxes, look)
    column = {family.key: number for number, members in enumerate(columns) for family in members}
    _edges(figure, edges, boxes, layout, places, widths, column)
    _draw(figure, families, cards, boxes)
    return figure.spec()


def _description(families: Sequence[Family]) -> str:
    titles = {family.key: family.title for family in families}
    parts = []
    for family in families:
        part = f"{family.title} ({family.year})"
        if family.follows:
            part = say("{network} follows {others}", network=part, others=all_of([titles[n] for n in family.follows]))
        parts.append(part)
    return say("Timeline of {count} families of networks. {steps}.", count=len(families), steps="; ".join(parts))


Card = tuple[tuple[str, ...], str]
Box = tuple[float, float, float, float]


def _cards(
    columns: Sequence[Sequence[Family]], names: Mapping[str, str], space: float
) -> tuple[dict[str, Card], list[float]]:
    """The lines of each card and the width of each column, wrapped as little as the space allows."""
    for limit in WRAPS:
        cards = {
            family.key: (_lines(names[family.key], limit), _span(family.params))
            for column in columns
            for family in column
        }
        widths = [max(_width(cards[family.key]) for family in column) for column in columns]
        if sum(widths) + LEAST_GAP * (len(columns) - 1) <= space:
            break
    return cards, widths


def _span(params: tuple[int, int]) -> str:
    """7.00 M, or 11.7–60.2 M for a family of several sizes."""
    least, most = (short_figure(number) for number in params)
    if least == most:
        return least
    unit = least.rpartition(" ")[2]
    return f"{least.removesuffix(' ' + unit) if most.endswith(' ' + unit) else least}–{most}"


def _lines(name: str, limit: float) -> tuple[str, ...]:
    """A name in lines, broken at spaces and after hyphens."""
    lines: list[str] = []
    for part in re.findall(r"[^ -]*-(?=\w{3})|[^ ]+", name):
        joined = lines[-1] + ("" if lines[-1].endswith("-") else " ") + part if lines else part
        if lines and text_width(joined, LABEL, True) <= limit:
            lines[-1] = joined
        else:
            lines.append(shorten(part, limit, LABEL, True))
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], shorten(" ".join(lines[MOST_LINES - 1 :]), limit, LABEL, True)]
    return tuple(lines)


def _width(card: Card) -> float:
    lines, below = card
    return max(*(text_width(line, LABEL, True) for line in lines), text_width(below, SMALL)) + 2 * PAD


def _height(card: Card) -> float:
    return len(card[0]) * LINE + SMALL + 2 * PAD


def _columns(widths: Sequence[float], space: float) -> list[float]:
    """The left side of each column."""
    gap = (space - sum(widths)) / max(len(widths) - 1, 1)
    gap = min(gap, 110.0) if len(widths) > 1 else 0.0
    start = (space - sum(widths) - gap * (len(widths) - 1)) / 2
    return [start + sum(widths[:number]) + gap * number for number in range(len(widths))]


def _boxes(
    figure: Figure,
    columns: Sequence[Sequence[Family]],
    cards: Mapping[str, Card],
    layout: Layout,
    places: Sequence[float],
    widths: Sequence[float],
) -> dict[str, Box]:
    found = {}
    for column, left, width in zip(columns, places, widths, strict=True):
        for family in column:
            height = _height(cards[family.key])
            middle = _y(figure, layout, layout.heights[family.key])
            found[family.key] = (left, middle - height / 2, left + width, middle + height / 2)
    return found


def _check_space(boxes: Mapping[str, Box], look: Look) -> None:
    """Cards may not meet, nor leave the picture. Raises `UsageError` that says which side is too short."""
    found = list(boxes.values())
    for (left, top, right, bottom), other in combinations(found, 2):
        if left < other[2] and other[0] < right and top < other[3] and other[1] < bottom:
            same = left == other[0]
            raise UsageError(
                f"{look.width}×{look.height} pixels are too few for {len(boxes)} families: a larger "
                f"{'--height' if same else '--width'}, or fewer networks"
            )


def _y(figure: Figure, layout: Layout, height: float) -> float:
    space = figure.inner_height - YEARS - 70.0
    step = min(space / layout.height, 140.0) if layout.height else 0.0
    return YEARS + 35.0 + (space - step * layout.height) / 2 + height * step


def _years(figure: Figure, years: Sequence[int], places: Sequence[float], widths: Sequence[float]) -> None:
    """A band for each year, every second one shaded."""
    start = 0
    for number, (year, group) in enumerate(groupby(years)):
        count = len(list(group))
        end = start + count - 1
        left = places[start] - 6 if start == 0 else (places[start - 1] + widths[start - 1] + places[start]) / 2
        last = end == len(places) - 1
        right = places[end] + widths[end] + 6 if last else (places[end] + widths[end] + places[end + 1]) / 2
        if number % 2 == 0:
            figure.rectangle(left, 0, right, figure.inner_height, color=figure.theme.frame.fill, opacity=1)
        figure.text((left + right) / 2, AXIS + 4, str(year), fontSize=AXIS, fontWeight="bold", align="center",
                    color=figure.theme.quiet)  # fmt: skip
        start += count


def _edges(
    figure: Figure,
    edges: Sequence[tuple[str, str]],
    boxes: Mapping[str, Box],
    layout: Layout,
    places: Sequence[float],
    widths: Sequence[float],
    column: Mapping[str, int],
) -> None:
    """Curves that leave a card on the right and enter one on the left, with an arrow at the end."""
    arrows = []
    incoming: dict[str, list[tuple[float, int]]] = {}
    for number, (source, target) in enumerate(edges):
        last = layout.passes[(source, target)][-1:] or (layout.heights[source],)
        incoming.setdefault(target, []).append((last[0], number))
    for number, (source, target) in enumerate(edges):
        ways = sorted(incoming[target])
        share = (ways.index(next(way for way in ways if way[1] == number)) + 1) / (len(ways) + 1)
        _left, top, right, bottom = boxes[source]
        x, y = right, (top + bottom) / 2
        end = (boxes[target][0] - 6, boxes[target][1] + (boxes[target][3] - boxes[target][1]) * share)
        points = [(x, y)]
        for at, height in enumerate(layout.passes[(source, target)], column[source] + 1):
            y = _y(figure, layout, height)
            points += [(places[at], y), (places[at] + widths[at], y)]
        points.append(end)
        figure.place(
            {"type": "line", "color": figure.theme.edge, "strokeWidth": 1.3},
            [{"x": x, "y": y, "order": order} for order, (x, y) in enumerate(_smooth(points))],
            order={"field": "order"},
        )
        arrows.append({"x": end[0] + 1, "y": end[1]})
    if arrows:
        mark = {"type": "point", "shape": "triangle-right", "filled": True, "size": 55, "opacity": 1,
                "color": figure.theme.edge}  # fmt: skip
        figure.place(mark, arrows)


def _smooth(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """S-shaped steps between points, level at each of them."""
    steps = 14
    found = [points[0]]
    for (x1, y1), (x2, y2) in pairwise(points):
        for step in range(1, steps + 1):
            t = step / steps
            ease = t * t * (3 - 2 * t)
            found.append((x1 + (x2 - x1) * t, y1 + (y2 - y1) * ease))
    return found


def _draw(figure: Figure, families: Sequence[Family], cards: Mapping[str, Card], boxes: Mapping[str, Box]) -> None:
    paint = figure.theme.families["block"]
    figure.place(
        {"type": "rect", "cornerRadius": 5, "fill": paint.fill, "stroke": paint.line, "strokeWidth": 1.3, "opacity": 1},
        [
            dict(zip(("x", "y", "x2", "y2"), boxes[family.key], strict=True))
            | {"title": family.title, "year": family.year, "params": _span(family.params),
               "brought": clean(say(family.analysis.graph.description)) or "–"}
            for family in families
        ],
        tooltip=[{"field": "title", "title": say("family")}, {"field": "year", "title": say("year")},
                 {"field": "params", "title": say("parameters")},
                 {"field": "brought", "title": say("what it brought")}],
    )  # fmt: skip
    for family in families:
        left, top, right, _ = boxes[family.key]
        middle, y = (left + right) / 2, top + PAD
        lines, below = cards[family.key]
        for line in lines:
            y += LINE
            figure.text(middle, y - 4, line, fontSize=LABEL, fontWeight="bold", align="center")
        figure.text(middle, y + SMALL, below, fontSize=SMALL, align="center", color=figure.theme.quiet)
