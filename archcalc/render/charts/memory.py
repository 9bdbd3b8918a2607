"""What is alive while a network runs, layer by layer, with its peak."""

from __future__ import annotations

from typing import Any

from archcalc.core import words
from archcalc.core.conventions import BYTES
from archcalc.core.language import chain, say
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.axes import linear
from archcalc.render.charts.figure import EDGE, Figure, Look
from archcalc.render.charts.schedule import along, draw_names, layer_spans, names_height, upwards
from archcalc.render.charts.theme import LABEL
from archcalc.render.charts.titles import about, short_name, title_of
from archcalc.render.diagrams.text import text_width

LEFT = 84.0
#: More steps than this are drawn as the highest of their neighbours.
MOST_STEPS = 1500


def memory(analysis: Analysis, look: Look | None = None) -> dict[str, Any]:
    """Live bytes of activations over the layers in order, at inference."""
    look = look or Look()
    rows, totals = analysis.rows, analysis.totals
    found = layer_spans(rows, look.width - LEFT - EDGE)
    step = (look.width - LEFT - EDGE) / len(rows)
    size = BYTES[analysis.dtype] * analysis.batch
    live = [values * size for values in analysis.memory.live]
    peak = analysis.memory.peak_layer
    each = -(-len(rows) // MOST_STEPS)
    figure = Figure(
        "memory", look,
        title=say("{network}: live activations", network=title_of(analysis)),
        subtitle=_subtitle(analysis, each),
        description=say(
            "Live activation memory of {network} over its {layers}. The peak is {peak:,} bytes, at {layer}.",
            network=title_of(analysis), layers=words.several(analysis.layer_count, "layer"),
            peak=totals.peak_activation_bytes, layer=totals.peak_layer,
        ),
        left=LEFT, right=EDGE, bottom=names_height(found, step) + 34,
        heads=["step", "layer", "live bytes"],
        rows=[[index, row.name, live[index]] for index, row in enumerate(rows)],
    )  # fmt: skip
    y = linear(max(live) * 1.12, figure.inner_height, 0, binary=True)
    data = []
    for first in range(0, len(rows), each):
        at = max(range(first, min(first + each, len(rows))), key=lambda index: live[index])
        data.append({"step": first, "layer": short_name(rows[at].name), "live_bytes": live[at],
                     "written": words.size(live[at]), "output": format_shape(rows[at].output_shape)})  # fmt: skip
    data.append({**data[-1], "step": len(rows)})
    paint = figure.theme.families["convolution"]
    figure.add(
        {"type": "area", "interpolate": "step-after", "color": paint.fill,
         "line": {"color": paint.line, "strokeWidth": 1.6, "interpolate": "step-after"}}, data,
        x=along(figure, len(rows)), y=upwards(figure, "live_bytes", y, say("live activations")),
        tooltip=[{"field": "layer", "title": say("layer")}, {"field": "output", "title": say("output")},
                 {"field": "written", "title": say("live")}],
    )  # fmt: skip
    draw_names(figure, found, len(rows))
    _peak(figure, analysis, (peak + 0.5) / len(rows) * figure.inner_width, y(live[peak]), live[peak])
    return figure.spec()


def _subtitle(analysis: Analysis, each: int) -> str:
    size = words.size(analysis.totals.param_bytes)
    if each > 1:
        return say(
            "{input}, inference; a map is freed after its last reader; the highest of each {each} layers. The "
            "parameters take another {size}.",
            input=about(analysis), each=each, size=size,
        )  # fmt: skip
    return say(
        "{input}, inference; a map is freed after its last reader. The parameters take another {size}.",
        input=about(analysis), size=size,
    )  # fmt: skip


def _peak(figure: Figure, analysis: Analysis, x: float, y: float, value: int) -> None:
    row = analysis.rows[analysis.memory.peak_layer]
    text = say("peak {size} at {layer}", size=words.size(value), layer=short_name(row.name))
    more = chain([*([row.summary] if row.inputs else []), format_shape(row.output_shape)])
    half = max(text_width(text, LABEL, True), text_width(more, LABEL)) / 2
    middle = min(max(x, half + 8), figure.inner_width - half)
    figure.add({"type": "point", "shape": "diamond", "filled": True, "size": 90, "opacity": 1, "x": round(x, 2),
                "y": round(y, 2), "color": figure.theme.accent})  # fmt: skip
    figure.text(middle, y - 26, text, fontWeight="bold", fontSize=LABEL, align="center")
    figure.text(middle, y - 11, more, fontSize=LABEL, align="center", color=figure.theme.quiet)
