"""Where a network spends: parameters, multiplications and activation memory along its depth."""

from __future__ import annotations

from typing import Any

from archcalc.core import words
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.bars import Bar, Panel, bar_panels, most_bars
from archcalc.render.charts.figure import Look
from archcalc.render.charts.groups import group
from archcalc.render.charts.titles import about, title_of
from archcalc.render.diagrams.words import figure


def profile(analysis: Analysis, look: Look | None = None) -> dict[str, Any]:
    """Three panels of bars, one bar a layer or, in a deep network, a block."""
    look = look or Look()
    totals = analysis.totals
    rows, how = group(analysis.rows, most_bars(look))
    panels = [
        Panel(f"parameters: {totals.params:,} in all", "params", figure),
        Panel(f"multiplications for one image: {totals.multiplications:,} in all", "multiplications", figure),
        Panel(f"stored activations: {words.size(totals.activation_bytes)} in all", "activation_bytes",
              lambda number: words.size(round(number)), True),
    ]  # fmt: skip
    top = {name: max(rows, key=lambda row: getattr(row, name)) for name in ("params", "multiplications")}
    return bar_panels(
        "profile", look,
        title=f"{title_of(analysis)}: parameters, multiplications and memory",
        subtitle=f"{about(analysis)}; {how}.",
        description=f"Bar charts of {title_of(analysis)} along its depth: {totals.params:,} parameters, most in "
                    f"{top['params'].name}; {totals.multiplications:,} multiplications, most in "
                    f"{top['multiplications'].name}; {words.size(totals.activation_bytes)} of stored activations.",
        bars=[Bar(row.name, row.op.family, (row.params, row.multiplications, row.activation_bytes)) for row in rows],
        panels=panels,
    )  # fmt: skip
