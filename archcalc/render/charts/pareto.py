"""What a search found as points: two quantities or parameters against each other, the Pareto front, and limits.

The front is that of the two axes alone: a search with more objectives may have kept other configurations too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor, log10
from typing import Any, NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import all_of, say
from archcalc.core.quantities import quantity_of_network
from archcalc.core.words import several
from archcalc.design.search.found import FoundRows
from archcalc.design.search.query import NETWORK, TOTALS, Names, Objective, parse_objectives
from archcalc.render.charts.axes import Scale, inside, logarithmic, short, size, unit_of
from archcalc.render.charts.figure import EDGE, Figure, Look, in_rows
from archcalc.render.charts.labels import Box, Disc, Line, place
from archcalc.render.charts.theme import AXIS, LABEL, SMALL, Style, style, theme_of
from archcalc.render.charts.titles import short_name
from archcalc.render.diagrams.text import text_width
from archcalc.render.diagrams.theme import Theme

#: Points of the front that are labelled; of a small picture fewer.
NAMED = 12
#: Pixels within which dominated points of one network are drawn once, and rows of the table of the picture.
CELL = 3
MOST_IN_TABLE = 1000
#: Numbers whose largest is so many times the smallest have a logarithmic axis.
WIDE = 8
#: The height of a row of the legend.
ROW = 20.0


class _Axis(NamedTuple):
    """One of the two columns: what it is called, its numbers, and its limits as ≤ or ≥ and a number."""

    objective: Objective
    title: str
    is_bytes: bool
    values: list[int | float]
    limits: list[tuple[str, Fraction]]

    def scale(self, start: float, end: float) -> Scale:
        shown = [*self.values, *(float(limit) for _, limit in self.limits)]
        low, high = min(shown), max(shown)
        if self.objective.name in TOTALS and low > 0 and high >= WIDE * low:
            return logarithmic(low, high, start, end, self.is_bytes, margin=0.05)
        margin = 0.07 * (high - low) or max(abs(high), 1.0) * 0.5
        low, high = low - margin, high + margin
        unit = 1024 ** unit_of(high) if self.is_bytes else 1
        least = (high - low) / unit / 6
        decade = 10.0 ** floor(log10(least))
        step = next(mark * decade for mark in (1, 2, 2.5, 5, 10) if mark * decade >= least * (1 - 1e-9)) * unit
        found = inside(low, high, start, end, step)
        return found._replace(ticks=tuple((value, self.written(value)) for value, _ in found.ticks if value >= 0))

    def written(self, value: float) -> str:
        """A number on the axis or at a limit."""
        if self.is_bytes:
            return size(value, unit_of(value))
        return short(value) if self.objective.name in TOTALS else f"{value:g}"


def pareto(found: FoundRows, objectives: str, where: str | None = None, look: Look | None = None) -> dict[str, Any]:
    """The chart of two objectives, as in `multiplications,params:max`: the first across, the second upwards.

    `where`: rows that do not keep to it are drawn pale and are not on the front; its limits of the two are lines.
    Raises `SpecError` and `UsageError` for what the file does not have.
    """
    look = look or Look()
    chosen = parse_objectives(objectives, Names(found.parameters))
    if len(chosen) != 2:
        raise UsageError(f"--pareto of a chart names 2 quantities or parameters, one for each axis, not {len(chosen)}")
    condition = None if where is None else found.condition(where)
    kept = [True] * len(found.rows) if condition is None else found.kept(condition)
    first, second = (
        _Axis(one, _title(one), _is_bytes(one.name), found.numbers(one.name),
              condition.limits(one.name) if condition else [])
        for one in chosen
    )  # fmt: skip
    front = sorted(found.front(chosen, kept), key=lambda row: (first.values[row], second.values[row]))
    theme = theme_of(look.theme)
    networks = list(dict.fromkeys(found.column(NETWORK)))
    styles = {name: style(theme, number) for number, name in enumerate(networks)}
    varying = {name: _varying(found, name) for name in networks}
    legend = _legend(networks, styles, varying, bool(front), not all(kept), theme)
    places = in_rows([22 + text_width(text, SMALL) for text, _ in legend], look.width - 2 * EDGE, 16)
    named = [
        say("{quantity} more", quantity=one.name) if one.wants_more else say("{quantity} less", quantity=one.name)
        for one in chosen
    ]
    title = say("{title} over {name}", title=second.title, name=first.title)
    kept_ones = say(", {count:,} with {where}", count=sum(kept), where=where) if where else ""
    figure = Figure(
        "pareto", look,
        title=f"{title[:1].upper()}{title[1:]}",
        subtitle=say(
            "{configurations}. Better is: {quantities}; {count} on the front of the two.",
            configurations=several(len(found.rows), "configuration") + kept_ones, quantities=", ".join(named),
            count=_counted(front, first, second),
        ),
        description=_description(found, first, second, front, kept),
        left=96, right=EDGE + 8, bottom=46, strip=(places[-1][1] + 1) * ROW,
        heads=[*found.heading, "front"],
        rows=_table(found, front),
    )  # fmt: skip
    x, y = _apart(first.scale(0, figure.inner_width)), second.scale(figure.inner_height, 0)
    names = [
        say("{title} (log scale)", title=axis.title) if scale.log else axis.title
        for axis, scale in ((first, x), (second, y))
    ]
    if text_width(names[1], AXIS) > figure.inner_height:
        names[1] = second.objective.name
    figure.axes(x, y, *names, gridOpacity=0.3)
    for (text, mark), (left, row) in zip(legend, places, strict=True):
        across, down = EDGE - figure.left + left, -figure.strip - 6 + (row + 0.5) * ROW
        figure.add({"type": "point", "filled": True, "opacity": 1, **mark, "x": across + 8, "y": down})
        figure.text(across + 20, down + SMALL * 0.36, text, fontSize=SMALL, color=figure.theme.quiet)
    at = [(x(a), y(b)) for a, b in zip(first.values, second.values, strict=True)]
    blocked = _draw_limits(figure, first, x, True) + _draw_limits(figure, second, y, False)
    _draw_others(figure, found, at, kept, set(front), styles)
    steps = [line for one, other in pairwise(front) for line in _steps(at[one], at[other], not chosen[0].wants_more)]
    _draw_front(figure, found, at, front, styles, steps)
    _labels(figure, found, at, front, varying, blocked, steps)
    return figure.spec()


def _apart(scale: Scale) -> Scale:
    """A scale across without the ticks whose labels would touch the one before."""
    kept: list[tuple[float, str]] = []
    end = -float(EDGE)
    for value, label in scale.ticks:
        half = text_width(label, LABEL) / 2
        if scale(value) - half > end + 4:
            kept.append((value, label))
            end = scale(value) + half
    return scale._replace(ticks=tuple(kept))


def _title(objective: Objective) -> str:
    if objective.name in TOTALS and objective.name != "depth":
        return quantity_of_network(objective.name).name
    return objective.name


def _is_bytes(name: str) -> bool:
    return name in TOTALS and quantity_of_network(name).unit == "bytes"


def _varying(found: FoundRows, network: str) -> list[str]:
    """The parameters that take several values in the rows of a network."""
    rows = [row for row in found.rows if row[0] == network]
    return [name for name in found.parameters if len({row[found.heading.index(name)] for row in rows}) > 1]


def _legend(
    networks: Sequence[str],
    styles: Mapping[str, Style],
    varying: Mapping[str, Sequence[str]],
    has_front: bool,
    has_others: bool,
    theme: Theme,
) -> list[tuple[str, dict[str, Any]]]:
    """Networks, with the parameters whose values stand at their points; the front; what breaks a limit."""
    entries: list[tuple[str, dict[str, Any]]] = [
        (short_name(name, 40) + (f" ({', '.join(varying[name])})" if varying[name] else ""),
         {"shape": styles[name].shape, "size": 90, "fill": styles[name].fill, "stroke": styles[name].line})
        for name in networks
    ]  # fmt: skip
    if has_front:
        entries.append((say("Pareto front"), {"shape": "stroke", "size": 260, "strokeWidth": 2, "stroke": theme.ink}))
    if has_others:
        entries.append((say("does not keep to the condition"), {"shape": "circle", "size": 40, "fill": theme.background,
                                                           "stroke": theme.quiet, "opacity": 0.6}))  # fmt: skip
    return entries


def _counted(front: Sequence[int], first: _Axis, second: _Axis) -> str:
    places = len({(first.values[row], second.values[row]) for row in front})
    if places == len(front):
        return f"{len(front):,}"
    return say("{count:,} (at {places}, for some are equal)", count=len(front), places=several(places, "place"))


def _description(found: FoundRows, first: _Axis, second: _Axis, front: Sequence[int], kept: Sequence[bool]) -> str:
    text = say(
        "Points of {configurations}: {title}; {kept:,} keep to the condition, {count:,} are on the Pareto front",
        configurations=several(len(found.rows), "configuration"), kept=sum(kept), count=len(front),
        title=say("{title} over {name}", title=second.title, name=first.title),
    )  # fmt: skip
    if front:
        ends = [all_of([axis.written(axis.values[row]) for axis in (first, second)]) for row in (front[0], front[-1])]
        text += say(", from {first} to {last}", first=ends[0], last=ends[1])
    return f"{text}."


def _table(found: FoundRows, front: Sequence[int]) -> list[Sequence[Any]]:
    """Rows of the front first."""
    on_front = set(front)
    order = [*front, *(row for row in range(len(found.rows)) if row not in on_front)][:MOST_IN_TABLE]
    return [["–" if value is None else value for value in found.rows[row]] + ["yes" if row in on_front else "no"]
            for row in order]  # fmt: skip


def _draw_limits(figure: Figure, axis: _Axis, scale: Scale, across: bool) -> list[Box]:
    """Each limit as a dashed line with its number, and what lies beyond it a little darker; where the texts stand."""
    found = []
    for sign, limit in axis.limits:
        value = float(limit)
        if not scale.low < value < scale.high:
            continue
        pixel = scale(value)
        text = f"{sign} {axis.written(value)}"
        width = text_width(text, LABEL)
        to_end = (sign == "≤") == across  # towards larger pixels
        end = figure.inner_width if across else figure.inner_height
        low, high = (pixel, end) if to_end else (0.0, pixel)
        box = (low, 0.0, high, figure.inner_height) if across else (0.0, low, figure.inner_width, high)
        figure.rectangle(*box, color=figure.theme.quiet, opacity=0.12)
        line = (pixel, 0.0, pixel, figure.inner_height) if across else (0.0, pixel, figure.inner_width, pixel)
        figure.rules([line], color=figure.theme.ink, strokeDash=[6, 3], strokeWidth=1.2)
        if across:
            left = pixel + 4 if pixel + 8 + width < figure.inner_width else pixel - width - 4
            bottom = figure.inner_height - 6
        else:
            left, bottom = figure.inner_width - width - 4, pixel - 5 if pixel > 24 else pixel + 15
        figure.text(left, bottom, text, fontSize=LABEL, fontWeight="bold")
        found.append(Box(left - 2, bottom - LABEL - 2, left + width + 2, bottom + 4))
    return found


def _draw_others(
    figure: Figure,
    found: FoundRows,
    at: Sequence[tuple[float, float]],
    kept: Sequence[bool],
    front: set[int],
    styles: Mapping[str, Style],
) -> None:
    """Points that are not on the front, those that break the condition pale; of those on one place one is drawn."""
    for keep in (False, True):
        seen: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row, (left, top) in enumerate(at):
            if kept[row] == keep and row not in front:
                drawn = styles[found.rows[row][0]]
                seen.setdefault(
                    (found.rows[row][0], left // CELL, top // CELL),
                    {"x": left, "y": top, "shape": drawn.shape, "fill": drawn.fill if keep else figure.theme.background,
                     "line": drawn.line, **_words(found, row)},
                )  # fmt: skip
        if seen:
            _points(figure, list(seen.values()), found, 34 if keep else 20, 0.75 if keep else 0.45, 0.8)


def _words(found: FoundRows, row: int) -> dict[str, str]:
    return {
        f"c{place}": "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
        for place, value in enumerate(found.rows[row])
    }


def _points(
    figure: Figure, values: Sequence[dict[str, Any]], found: FoundRows, area: float, opacity: float, width: float
) -> None:
    figure.place(
        {"type": "point", "filled": True, "size": area, "opacity": opacity, "strokeWidth": width}, values,
        shape={"field": "shape", "type": "nominal", "scale": None},
        fill={"field": "fill", "type": "nominal", "scale": None},
        stroke={"field": "line", "type": "nominal", "scale": None},
        tooltip=[{"field": f"c{place}", "title": name} for place, name in enumerate(found.heading)],
    )  # fmt: skip


def _draw_front(
    figure: Figure,
    found: FoundRows,
    at: Sequence[tuple[float, float]],
    front: Sequence[int],
    styles: Mapping[str, Style],
    steps: Sequence[Line],
) -> None:
    """The points of the front, and the steps between them: the best that can be had for each value across."""
    figure.rules(steps, color=figure.theme.ink, strokeWidth=1.6)
    values = []
    for row in front:
        drawn = styles[found.rows[row][0]]
        values.append({"x": at[row][0], "y": at[row][1], "shape": drawn.shape, "fill": drawn.fill,
                       "line": figure.theme.ink, **_words(found, row)})  # fmt: skip
    if values:
        _points(figure, values, found, 90, 1, 1.4)


def _steps(first: tuple[float, float], second: tuple[float, float], holds_first: bool) -> list[Line]:
    """The two lines of a step: the height of the first point holds until the second, or the other way round."""
    corner = (second[0], first[1]) if holds_first else (first[0], second[1])
    return [(*first, *corner), (*corner, *second)]


def _labels(
    figure: Figure,
    found: FoundRows,
    at: Sequence[tuple[float, float]],
    front: Sequence[int],
    varying: Mapping[str, Sequence[str]],
    blocked: Sequence[Box],
    steps: Sequence[Line],
) -> None:
    """The varying parameters of points of the front, spread over it; of equal ones those of the first."""
    places = list({at[row]: row for row in reversed(front)}.values())[::-1]
    count = min(len(places), NAMED, max(int(figure.inner_width / 70), 2))
    chosen = [places[round(index * (len(places) - 1) / max(count - 1, 1))] for index in range(count)]
    texts = []
    for row in chosen:
        values = [found.rows[row][found.heading.index(name)] for name in varying[found.rows[row][0]]]
        texts.append(short_name(", ".join(str(value) for value in values) or str(found.rows[row][0]), 40))
    discs = [Disc(*at[row], 6.0) for row in chosen]
    is_chosen = set(chosen)
    others = [Disc(*at[row], 5.0) for row in places if row not in is_chosen]
    area = Box(2, 2, figure.inner_width + figure.right - 6, figure.inner_height - 2)
    labels = place([*discs, *others], [*texts, *([""] * len(others))], LABEL, area, blocked, steps)
    for text, label in zip(texts, labels, strict=False):
        if label:
            if label.leader:
                figure.rules([label.leader], color=figure.theme.quiet, strokeWidth=0.8)
            figure.covering(label.x, label.y, text, LABEL)
