"""The layers of a network as at most so many bars: every layer, its blocks, or runs of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import NamedTuple

from archcalc.passes.analysis import Row
from archcalc.passes.blocks import fold, joined, neighbours
from archcalc.render.diagrams.words import span

COMFORTABLE = 24


class Grouping(NamedTuple):
    """A row for each bar, and how they came about in words."""

    rows: tuple[Row, ...]
    how: str


def group(rows: Sequence[Row], most: int) -> Grouping:
    """The grouping of at most so many bars that comes nearest to a comfortable number.

    What has no parameters, multiplies and stores nothing has no bar.
    """
    levels = max(row.name.count("/") for row in rows) + 1
    found: list[tuple[float, Grouping]] = []
    for level in range(1, levels + 1):
        folded = list(rows) if level == levels else fold(rows, level)
        shown = tuple(row for row in folded if row.params or row.multiplications or row.activation_bytes)
        if level == 1:
            coarsest = shown
        if len(shown) <= most:
            how = "a bar for each layer" if level == levels else f"{len(rows):,} layers, a bar for each block"
            if len(shown) < len(folded):
                how += " that has parameters, multiplies or stores"
            found.append((abs(log(max(len(shown), 1) / COMFORTABLE)), Grouping(shown, how)))
    if found:
        return min(found, key=lambda pair: pair[0])[1]
    parts = neighbours(coarsest, most)
    bars = tuple(part[0] if len(part) == 1 else joined(part, span(part[0].name, part[-1].name)) for part in parts)
    what = "layers" if levels == 1 else "blocks"
    return Grouping(bars, f"{len(rows):,} layers, a bar for each {len(parts[0]):,} {what} in a row")
