"""What is alive when a network runs or is trained, step by step, as stacked areas."""

from __future__ import annotations

from typing import Any

from archcalc.core import words
from archcalc.core.language import say
from archcalc.design.memory import BACKWARD, FORWARD, Timeline
from archcalc.render.charts.axes import Scale, linear
from archcalc.render.charts.figure import EDGE, Figure, Look
from archcalc.render.charts.memory import LEFT, MOST_STEPS
from archcalc.render.charts.schedule import along, upwards
from archcalc.render.charts.theme import LABEL, style
from archcalc.render.charts.titles import short_name, title_of
from archcalc.render.diagrams.text import text_width
from archcalc.render.tables.memory import FIXED, WHAT

#: What is stacked, from below.
PARTS = ("fixed", *WHAT)


def alive(timeline: Timeline, look: Look | None = None) -> dict[str, Any]:
    """Bytes over the steps of a run; the highest of neighbours where there are more than can be drawn."""
    look = look or Look()
    analysis, steps = timeline.analysis, timeline.steps
    every = [_parts(timeline, step) for step in _drawn(timeline)]
    parts = [part for part in PARTS if any(found[part] for _, found in every)]
    held = [say(FIXED[name]) for name, size in timeline.fixed._asdict().items() if size]
    names = {"fixed": ", ".join(held), **{part: say(name) for part, name in WHAT.items()}}
    training = timeline.policy.training
    title = say("{network}: memory of training" if training else "{network}: memory of inference",
                network=title_of(analysis))  # fmt: skip
    images = words.several(analysis.batch, "image")
    count = sum(not analysis.rows[step.layer].op.is_input for step in steps)
    peak = timeline.peak_step
    peak_name = analysis.rows[steps[peak].layer].name
    figure = Figure(
        "memory", look,
        title=title,
        subtitle=say(
            "{images} of {size}, {precision}, {count} steps. The peak is {peak}.",
            images=images, size=analysis.graph.inputs_in_words(), count=f"{count:,}",
            precision=say("mixed precision") if timeline.policy.mixed else analysis.dtype,
            peak=words.size(timeline.peak),
        ),
        description=say(
            "{title} over {count} steps. The peak is {bytes}, at {layer}.",
            title=title, count=f"{count:,}", bytes=words.several(timeline.peak, "byte"), layer=peak_name,
        ),
        left=LEFT, right=EDGE, bottom=56,
        heads=["step", "phase", "layer", "bytes"],
        rows=[[step, steps[step].phase, analysis.rows[steps[step].layer].name, timeline.bytes_at(step)]
              for step, _ in every],
    )  # fmt: skip
    y = linear(timeline.peak * 1.15, figure.inner_height, 0, binary=True)
    _areas(figure, timeline, every, {part: names[part] for part in parts}, y)
    _phases(figure, timeline)
    _peak(figure, timeline, y, short_name(peak_name))
    drawn = {part: style(figure.theme, PARTS.index(part)) for part in parts}
    marks = {
        names[part]: {"shape": "square", "size": 90, "color": one.fill, "stroke": one.line}
        for part, one in drawn.items()
    }
    figure.legend(marks, figure.inner_height + figure.bottom - 9)
    return figure.spec()


def _drawn(timeline: Timeline) -> list[int]:
    """The steps that are drawn."""
    count = len(timeline.steps)
    each = -(-count // MOST_STEPS)
    ranges = [range(first, min(first + each, count)) for first in range(0, count, each)]
    return [max(one, key=timeline.bytes_at) for one in ranges]


def _parts(timeline: Timeline, step: int) -> tuple[int, dict[str, int]]:
    return step, {"fixed": sum(timeline.fixed), **timeline.at(step)}


def _areas(
    figure: Figure, timeline: Timeline, every: list[tuple[int, dict[str, int]]], names: dict[str, str], y: Scale
) -> None:
    steps, rows, parts = timeline.steps, timeline.analysis.rows, list(names)
    for part in parts:
        drawn = style(figure.theme, PARTS.index(part))
        data = []
        for step, found in every:
            below = sum(found[other] for other in parts[: parts.index(part)])
            name = short_name(rows[steps[step].layer].name)
            data.append({"step": step, "from": below, "bytes": below + found[part], "layer": name,
                         "phase": steps[step].phase, "written": words.size(found[part])})  # fmt: skip
        data.append({**data[-1], "step": len(steps)})
        figure.add(
            {"type": "area", "interpolate": "step-after", "color": drawn.fill,
             "line": {"color": drawn.line, "strokeWidth": 1.2, "interpolate": "step-after"}}, data,
            x=along(figure, len(steps)), y=upwards(figure, "bytes", y, say("alive")), y2={"field": "from"},
            tooltip=[{"field": "phase"}, {"field": "layer"}, {"field": "written", "title": names[part]}],
        )  # fmt: skip


def _phases(figure: Figure, timeline: Timeline) -> None:
    """Where the passes begin, with their names below the axis."""
    steps = timeline.steps
    scale = figure.inner_width / len(steps)
    first = next((index for index, step in enumerate(steps) if step.phase != FORWARD), len(steps))
    spans = [(say("forward pass"), 0, first), (say("backward pass"), first, len(steps))]
    again = any(step.phase not in (FORWARD, BACKWARD) for step in steps)
    for name, begin, end in spans:
        if begin < end:
            text = say("{phase}, layers run again in between", phase=name) if again and begin else name
            figure.text((begin + end) / 2 * scale, figure.inner_height + 18, text, align="center", fontSize=LABEL)
    if 0 < first < len(steps):
        x = first * scale
        figure.rules([(x, 0, x, figure.inner_height + 6)], color=figure.theme.quiet, strokeDash=[3, 3])


def _peak(figure: Figure, timeline: Timeline, y: Scale, name: str) -> None:
    x = (timeline.peak_step + 0.5) / len(timeline.steps) * figure.inner_width
    text = say("peak {size} at {layer}", size=words.size(timeline.peak), layer=name)
    half = text_width(text, LABEL, True) / 2
    middle = min(max(x, half + 8), figure.inner_width - half)
    figure.add({"type": "point", "shape": "diamond", "filled": True, "size": 90, "opacity": 1, "x": round(x, 2),
                "y": round(y(timeline.peak), 2), "color": figure.theme.accent})  # fmt: skip
    figure.text(middle, y(timeline.peak) - 12, text, fontWeight="bold", fontSize=LABEL, align="center")
