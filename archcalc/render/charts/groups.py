"""The layers of a network as at most so many bars: every layer, its blocks, or runs of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import NamedTuple

from archcalc.passes.analysis import Row
from archcalc.passes.blocks import FoldedBlock, fold
from archcalc.render.diagrams.words import span

COMFORTABLE = 24


class BarGroup(NamedTuple):
    """Layers that share a bar: counts per image, bytes for the batch."""

    label: str
    family: str
    layers: int
    params: int
    multiplications: int
    activation_bytes: int


class Groups(NamedTuple):
    """The bars, and how they came about in words."""

    bars: tuple[BarGroup, ...]
    how: str


def group(rows: Sequence[Row], most: int) -> Groups:
    """The grouping of at most so many bars that comes nearest to a comfortable number.

    What has no parameters, multiplies and stores nothing has no bar.
    """
    levels = max(row.name.count("/") for row in rows) + 1
    found: list[tuple[float, Groups]] = []
    for level in range(1, levels + 1):
        folded = list(rows) if level == levels else fold(rows, level)
        bars = [_group(row) for row in folded]
        shown = tuple(bar for bar in bars if bar.params or bar.multiplications or bar.activation_bytes)
        if level == 1:
            coarsest = shown
        if len(shown) <= most:
            how = "a bar for each layer" if level == levels else f"{len(rows):,} layers, a bar for each block"
            if len(shown) < len(bars):
                how += " that has parameters, multiplies or stores"
            found.append((abs(log(max(len(shown), 1) / COMFORTABLE)), Groups(shown, how)))
    if found:
        return min(found, key=lambda pair: pair[0])[1]
    each = -(-len(coarsest) // most)
    bars = [_joined(coarsest[start : start + each]) for start in range(0, len(coarsest), each)]
    what = "layers" if levels == 1 else "blocks"
    return Groups(tuple(bars), f"{len(rows):,} layers, a bar for each {each:,} {what} in a row")


def _group(row: Row) -> BarGroup:
    layers = row.op.layers if isinstance(row.op, FoldedBlock) else 1
    return BarGroup(row.name, row.op.family, layers, row.params, row.multiplications, row.activation_bytes)


def _joined(bars: Sequence[BarGroup]) -> BarGroup:
    return BarGroup(
        span(bars[0].label, bars[-1].label),
        bars[0].family if len(bars) == 1 else "block",
        sum(bar.layers for bar in bars),
        sum(bar.params for bar in bars),
        sum(bar.multiplications for bar in bars),
        sum(bar.activation_bytes for bar in bars),
    )
