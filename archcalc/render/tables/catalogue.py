"""The list of networks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from archcalc.core.quantities import quantity
from archcalc.core.shapes import format_shape
from archcalc.core.text import align
from archcalc.passes.analysis import Analysis

FORMATS = ("table", "csv", "json")
_COUNTED = ("params", "multiplications")
HEADS = ["network", "title", "year", "input", "layers", *_COUNTED]


def as_dict(analysis: Analysis) -> dict[str, Any]:
    """One network in a line."""
    graph = analysis.graph
    facts = (graph.name, graph.title, graph.year, list(graph.input_shape), analysis.layer_count)
    return dict(zip(HEADS, (*facts, *(quantity(key).of(analysis.totals) for key in _COUNTED)), strict=True))


def render(analyses: Sequence[Analysis], form: str, colour: bool = False) -> str:
    """The list as a table, CSV or JSON."""
    rows = [as_dict(analysis) for analysis in analyses]
    if form == "json":
        return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    sizes = [format_shape(analysis.graph.input_shape) for analysis in analyses]
    if form == "csv":
        out = io.StringIO()
        writer = csv.DictWriter(out, HEADS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "input": size.replace("×", "x")} for row, size in zip(rows, sizes, strict=True))
        return out.getvalue()
    lines = [
        [size if key == "input" else _cell(key, cell) for key, cell in row.items()]
        for row, size in zip(rows, sizes, strict=True)
    ]
    return "\n".join(align([HEADS, *lines], [False, False, True, True, True, True, True], colour)) + "\n"


def _cell(key: str, value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and key != "year" else str(value or "")
