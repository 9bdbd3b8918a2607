"""The roofline: operations per second over operations for each byte, with the layers of a network below the roof.

After Williams, Waterman & Patterson 2009, figure 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, sqrt
from typing import Any, NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import mark, say, say_many
from archcalc.core.words import AT_LEAST, duration, share
from archcalc.design.estimate import COMPUTE, MEMORY, Estimate
from archcalc.render.charts.axes import Scale, logarithmic
from archcalc.render.charts.figure import EDGE, Figure, Look
from archcalc.render.charts.labels import Box, Disc, Line, place
from archcalc.render.charts.theme import LABEL, SMALL, style
from archcalc.render.charts.titles import about, short_name, title_of
from archcalc.render.diagrams.text import text_width
from archcalc.render.tables.estimate import rate

#: Radius in pixels of the largest point, and the least of any.
LARGEST, LEAST = 22.0, 3.0
NAMED = 8
_WORDS = {COMPUTE: mark("bound by compute"), MEMORY: mark("bound by memory")}


class Point(NamedTuple):
    """Layers that ran as one, or one layer: seconds are those of the run, else of the bound."""

    name: str
    intensity: float
    attained: float
    seconds: float
    by: str


def roofline(estimate: Estimate, look: Look | None = None) -> dict[str, Any]:
    """The chart of the layers that calculate something. Raises `UsageError` where none does."""
    look = look or Look()
    points = sorted(_points(estimate), key=lambda point: (-point.seconds, point.name))
    if not points:
        raise UsageError("no layer of this network calculates anything that can be counted")
    figure = Figure(
        "roofline", look,
        title=say("{network} on {device}", network=title_of(estimate.analysis), device=estimate.device.title),
        subtitle=_subtitle(estimate),
        description=say(
            "Roofline of {network} on {device}: {count} points. The ridge is at {ridge} operations for each byte; "
            "layer after layer it takes at least {time}.",
            network=title_of(estimate.analysis), device=estimate.device.title, count=len(points),
            ridge=f"{estimate.ridge:.3g}", time=duration(estimate.seconds),
        ),
        left=118, right=EDGE + 8, bottom=46, footnote=_footnote(estimate),
        heads=[
            say("layer"), say("operations for each byte"), say("operations per second"), say("seconds"), say("bound"),
        ],
        rows=[[point.name, round(point.intensity, 4), round(point.attained), point.seconds, point.by]
              for point in points],
        strip=20.0,
    )  # fmt: skip
    x = logarithmic(min([estimate.ridge / 4, *(point.intensity for point in points)]),
                    max([estimate.ridge * 4, *(point.intensity for point in points)]), 0, figure.inner_width,
                    margin=0.06)  # fmt: skip
    low = min(x.low * estimate.device.bandwidth, *(point.attained for point in points), estimate.rate)
    high = max(estimate.rate, *(point.attained for point in points))
    y = logarithmic(low, high, figure.inner_height, 0, margin=0.09)
    y = y._replace(ticks=tuple((value, rate(value, "FLOP/s")) for value, _ in y.ticks))
    figure.axes(x, y, *_axes(), gridOpacity=0.3)
    most = points[0].seconds
    discs = [
        Disc(x(point.intensity), y(point.attained), max(LARGEST * sqrt(point.seconds / most), LEAST))
        for point in points
    ]
    lines, blocked = _roof(figure, estimate, x, y, discs)
    _draw(figure, points, discs, lines, blocked)
    marks = {
        say(text): {"shape": "circle", "size": 90, "color": style(figure.theme, index).fill,
               "stroke": style(figure.theme, index).line}
        for index, (by, text) in enumerate(_WORDS.items()) if any(point.by == by for point in points)
    }  # fmt: skip
    figure.legend(marks, -12)
    return figure.spec()


def _points(estimate: Estimate) -> list[Point]:
    rows, found = estimate.analysis.rows, []
    groups: Sequence[tuple[tuple[int, ...], float]] = [(part.layers, part.seconds) for part in estimate.run] or [
        ((bound.layer,), bound.seconds) for bound in estimate.bounds
    ]
    for layers, seconds in groups:
        operations = sum(estimate.bounds[layer].operations or 0 for layer in layers)
        moved = sum(estimate.bounds[layer].bytes or 0 for layer in layers)
        if operations and moved and seconds:
            intensity = operations / moved
            by = COMPUTE if intensity > estimate.ridge else MEMORY
            # A group is named for its layer that does most.
            main = max(layers, key=lambda layer: estimate.bounds[layer].operations or 0)
            found.append(Point(rows[main].name, intensity, operations / seconds, seconds, by))
    return found


def _subtitle(estimate: Estimate) -> str:
    more = AT_LEAST if estimate.not_counted else ""
    text = say(
        "{network}. Layer after layer at least {time}",
        network=about(estimate.analysis), time=f"{more}{duration(estimate.seconds)}",
    )  # fmt: skip
    if estimate.run_seconds is not None:
        text += say(", in numpy {time}", time=duration(estimate.run_seconds))
    if estimate.run:
        return say("{text}. The area of a point is the time of a run of a layer in numpy.", text=text)
    return say("{text}. The area of a point is the least time of a layer.", text=text)


def _axes() -> list[str]:
    """The titles of both axes."""
    return [
        say("{title} (log scale)", title=title)
        for title in (say("operations for each byte"), say("operations per second"))
    ]


def _footnote(estimate: Estimate) -> list[str]:
    idle = [bound for bound in estimate.bounds if bound.bytes and not bound.operations]
    notes = []
    if idle:
        seconds = sum(bound.seconds for bound in idle)
        part = share(round(seconds * 10**12), round(estimate.seconds * 10**12))
        notes.append(say_many(
            "{count} layer only moves bytes and has no point: {part} of the bound.",
            "{count} layers only move bytes and have no point: {part} of the bound.", len(idle), part=part,
        ))  # fmt: skip
    if estimate.not_counted:
        layers = ", ".join(estimate.not_counted[:5]) + (" …" if estimate.not_counted[5:] else "")
        notes.append(say("Not counted: {layers}.", layers=layers))
    notes.append(say("Source of the rates: {source}.", source=estimate.source))
    return [" ".join(notes)]


def _roof(
    figure: Figure, estimate: Estimate, x: Scale, y: Scale, discs: Sequence[Disc]
) -> tuple[list[Line], list[Box]]:
    """The two lines of the roof with their rates, and that of the ridge: the lines, and where their texts stand."""
    ridge, top = x(estimate.ridge), y(estimate.rate)
    start = max(x.low, y.low / estimate.device.bandwidth)
    lines = [
        (x(start), y(start * estimate.device.bandwidth), ridge, top), (ridge, top, figure.inner_width, top),
    ]  # fmt: skip
    figure.rules(lines, color=figure.theme.ink, strokeWidth=1.8)
    down = (ridge, top, ridge, figure.inner_height)
    figure.rules([down], color=figure.theme.quiet, strokeDash=[3, 3])
    flops, bandwidth = rate(estimate.rate, "FLOP/s"), rate(estimate.device.bandwidth, "B/s")
    width = text_width(flops, LABEL)
    figure.text(figure.inner_width - 4 - width, top - LARGEST - 6, flops, fontSize=LABEL)
    # Above the slope, as near to its middle as no point is in the way.
    places = []
    for step in sorted(range(2, 19), key=lambda step: abs(step - 10)):
        at = start * (estimate.ridge / start) ** (step / 20)
        left = max(x(at) - text_width(bandwidth, LABEL) - 12, 4)
        height = y(at * estimate.device.bandwidth) - 6
        places.append(Box(left, height - 14, left + text_width(bandwidth, LABEL), height + 4))
    stands = min(places, key=lambda box: sum(box.cuts(disc) for disc in discs))
    figure.text(stands.left, stands.bottom - 4, bandwidth, fontSize=LABEL)
    note = say("ridge {intensity}", intensity=f"{estimate.ridge:.3g}")
    figure.text(ridge + 5, figure.inner_height - 6, note, fontSize=SMALL, color=figure.theme.quiet)
    return [*lines, down], [
        Box(figure.inner_width - 8 - width, top - LARGEST - 22, figure.inner_width, top - LARGEST),
        stands,
        Box(ridge, figure.inner_height - 20, ridge + text_width(note, SMALL) + 8, figure.inner_height),
    ]


def _draw(
    figure: Figure, points: Sequence[Point], discs: Sequence[Disc], lines: Sequence[Line], blocked: Sequence[Box]
) -> None:
    values = []
    for point, disc in zip(points, discs, strict=True):
        drawn = style(figure.theme, list(_WORDS).index(point.by))
        values.append({
            "x": disc.x, "y": disc.y, "size": round((2 * disc.radius) ** 2, 2), "fill": drawn.fill, "line": drawn.line,
            "layer": short_name(point.name), "intensity": f"{point.intensity:.3g}",
            "attained": rate(round(point.attained), "FLOP/s"), "time": duration(point.seconds), "bound": point.by,
        })  # fmt: skip
    figure.place(
        {"type": "point", "shape": "circle", "filled": True, "opacity": 1, "fillOpacity": 0.6, "strokeWidth": 1.2},
        values,
        size={"field": "size", "type": "quantitative", "scale": None, "legend": None},
        fill={"field": "fill", "type": "nominal", "scale": None},
        stroke={"field": "line", "type": "nominal", "scale": None},
        tooltip=[
            {"field": field, "title": title}
            for field, title in (
                ("layer", say("layer")), ("intensity", say("operations for each byte")),
                ("attained", say("operations per second")), ("time", say("time")), ("bound", say("bound")),
            )
        ],
    )  # fmt: skip
    area = Box(2, 2, figure.inner_width - 2, figure.inner_height - 2)
    named = _apart(discs)
    names = [short_name(points[index].name, 24) for index in named]
    others = [disc for index, disc in enumerate(discs) if index not in named]
    labels = place(
        [discs[index] for index in named], names, LABEL, area, blocked, lines, others, of_line=60.0, behind=200.0
    )
    for name, label in zip(names, labels, strict=True):
        if label:
            if label.leader:
                figure.rules([label.leader], color=figure.theme.quiet, strokeWidth=0.8)
            figure.covering(label.x, label.y, name, LABEL)


def _apart(discs: Sequence[Disc]) -> list[int]:
    """The first discs that lie apart: of those on one place, only one is named."""
    found: list[int] = []
    for index, disc in enumerate(discs):
        if all(hypot(disc.x - discs[one].x, disc.y - discs[one].y) > LARGEST for one in found):
            found.append(index)
    return found[:NAMED]
