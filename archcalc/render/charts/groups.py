"""The layers of a network as at most so many bars: every layer, its blocks, or runs of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import NamedTuple

from archcalc.core.language import mark, say, say_many
from archcalc.core.words import several
from archcalc.passes.analysis import Row
from archcalc.passes.blocks import fold, joined, neighbours
from archcalc.render.diagrams.words import span

COMFORTABLE = 24


class Grouping(NamedTuple):
    """A row for each bar, and how they came about in words."""

    rows: tuple[Row, ...]
    how: str


#: What stands for a group.
A_BAR, A_ROW = mark("a bar"), mark("a row")


def group(rows: Sequence[Row], most: int, each: str = A_BAR) -> Grouping:
    """The grouping of at most so many bars that comes nearest to a comfortable number; `each` is what stands for one.

    What has no parameters, multiplies and stores nothing has no bar.
    """
    levels = max(row.name.count("/") for row in rows) + 1
    layers = sum(not row.op.is_input for row in rows)
    found: list[tuple[float, Grouping]] = []
    for level in range(1, levels + 1):
        folded = list(rows) if level == levels else fold(rows, level)
        shown = tuple(row for row in folded if row.params or row.multiplications or row.activation_bytes)
        if level == 1:
            coarsest = shown
        if len(shown) <= most:
            how = _how(layers, level == levels, len(shown) < len(folded), each)
            found.append((abs(log(max(len(shown), 1) / COMFORTABLE)), Grouping(shown, how)))
    if found:
        return min(found, key=lambda pair: pair[0])[1]
    parts = neighbours(coarsest, most)
    bars = tuple(part[0] if len(part) == 1 else joined(part, span(part[0].name, part[-1].name)) for part in parts)
    how = say_many(
        "{layers}, {a_bar} for each neighbour", "{layers}, {a_bar} for each {count:,} neighbours", len(parts[0]),
        layers=several(layers, "layer"), a_bar=say(each),
    )  # fmt: skip
    return Grouping(bars, how)


def _how(layers: int, every: bool, left_out: bool, each: str) -> str:
    """How rows came about, in words."""
    values = {"layers": several(layers, "layer"), "a_bar": say(each)}
    if every and left_out:
        return say("{a_bar} for each layer that has parameters, multiplies or stores", **values)
    if every:
        return say("{a_bar} for each layer", **values)
    if left_out:
        return say("{layers}, {a_bar} for each block that has parameters, multiplies or stores", **values)
    return say("{layers}, {a_bar} for each block", **values)
