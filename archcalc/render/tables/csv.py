"""The table as CSV: plain numbers, one header line, the total last."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from archcalc.core.cells import harmless
from archcalc.render.tables.report import Report


def render(reports: Sequence[Report]) -> str:
    """Rows of all networks; with more than one, a first column names the network."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    several = len(reports) > 1
    for index, report in enumerate(reports):
        context = report.context
        label = [harmless(report.analysis.graph.name)] if several else []
        if index == 0:
            writer.writerow(["network"] * several + [column.key for column in report.columns])
        for row in report.rows:
            writer.writerow(label + [_cell(column.key, column.value(row, context)) for column in report.columns])
        totals = [column.total(context.totals) if column.total else "" for column in report.columns]
        totals[0] = totals[0] if totals[0] != "" else "total"
        writer.writerow(label + totals)
    return out.getvalue()


def _cell(key: str, value: object) -> object:
    """Shapes with a plain x; shares with six digits; texts that no spreadsheet takes for a formula."""
    if isinstance(value, float):
        return f"{value:.6f}"
    if not isinstance(value, str):
        return value
    return harmless(value if key in ("layer", "inputs") else value.replace("×", "x"))
