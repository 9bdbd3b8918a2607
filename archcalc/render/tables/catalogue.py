"""The list of networks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from archcalc.core.language import mark, say
from archcalc.core.shapes import format_shape
from archcalc.core.text import align
from archcalc.render.tables.summaries import Summary

FORMATS = ("table", "csv", "json")
HEADS = list(Summary._fields[:-2])
#: The headings of a table.
TITLES = {"network": mark("network"), "title": mark("title"), "year": mark("year"), "input": mark("input"),
          "layers": mark("layers"), "params": mark("params"), "multiplications": mark("multiplications")}  # fmt: skip


def render(networks: Sequence[Summary], form: str, colour: bool = False) -> str:
    """The list as a table, CSV or JSON."""
    rows = [{head: getattr(network, head) for head in HEADS} for network in networks]
    if form == "json":
        return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    sizes = [format_shape(network.input) for network in networks]
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
    return (
        "\n".join(
            align([[say(TITLES[head]) for head in HEADS], *lines], [False, False, True, True, True, True, True], colour)
        )
        + "\n"
    )


def _cell(key: str, value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and key != "year" else str(value or "")
