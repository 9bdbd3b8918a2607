"""The list of networks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from archcalc.core.shapes import format_shape
from archcalc.core.text import align
from archcalc.passes.analysis import Analysis

FORMATS = ("table", "csv", "json")
HEADS = ["network", "title", "year", "input", "layers", "params", "multiplications"]


def as_dict(analysis: Analysis) -> dict[str, Any]:
    """One network in a line."""
    graph = analysis.graph
    return {
        "network": graph.name,
        "title": graph.title,
        "year": graph.year,
        "input": list(graph.input_shape),
        "layers": len(analysis.rows),
        "params": analysis.totals.params,
        "multiplications": analysis.totals.multiplications,
    }


def render(analyses: Sequence[Analysis], form: str, colour: bool = False) -> str:
    """The list as a table, CSV or JSON."""
    rows = [as_dict(analysis) for analysis in analyses]
    if form == "json":
        return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    if form == "csv":
        out = io.StringIO()
        writer = csv.DictWriter(out, HEADS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "input": format_shape(tuple(row["input"])).replace("×", "x")} for row in rows)
        return out.getvalue()
    lines = [[_cell(key, cell) for key, cell in row.items()] for row in rows]
    return "\n".join(align([HEADS, *lines], [False, False, True, True, True, True, True], colour)) + "\n"


def _cell(key: str, value: Any) -> str:
    if key == "input":
        return format_shape(tuple(value))
    return f"{value:,}" if isinstance(value, int) and key != "year" else str(value or "")
