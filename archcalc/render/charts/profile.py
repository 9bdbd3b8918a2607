"""Where a network spends: parameters, multiplications and activation memory along its depth."""

from __future__ import annotations

from typing import Any

from archcalc.core import words
from archcalc.core.language import say
from archcalc.core.quantities import quantity
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.bars import Bar, Panel, bar_panels, most_bars
from archcalc.render.charts.figure import Look
from archcalc.render.charts.groups import group
from archcalc.render.charts.titles import about, title_of

_SHOWN = tuple(quantity(key) for key in ("params", "multiplications", "activation_bytes"))


def profile(analysis: Analysis, look: Look | None = None) -> dict[str, Any]:
    """Three panels of bars, one bar a layer or, in a deep network, a block."""
    look = look or Look()
    totals = analysis.totals
    rows, how = group(analysis.rows, most_bars(look))
    panels = [
        Panel(say("{quantity}: {total} in all", quantity=one.name, total=one.total_text(totals)), one) for one in _SHOWN
    ]
    top = {name: max(rows, key=lambda row: getattr(row, name) or 0) for name in ("params", "multiplications")}
    return bar_panels(
        "profile", look,
        title=say("{network}: parameters, multiplications and memory", network=title_of(analysis)),
        subtitle=f"{about(analysis)}; {how}.",
        description=say(
            "Bar charts of {network} along its depth: {params:,} parameters, most in {layer}; {work} multiplications, "
            "most in {other}; {stored} of stored activations.",
            network=title_of(analysis), params=totals.params, layer=top["params"].name,
            work=quantity("multiplications").total_text(totals), other=top["multiplications"].name,
            stored=words.size(totals.activation_bytes),
        ),
        bars=[Bar(row.name, row.op.family, tuple(one.of(row) or 0 for one in _SHOWN)) for row in rows],
        panels=panels,
    )  # fmt: skip
