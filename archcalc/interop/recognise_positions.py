"""Biases of relative positions that a file stores for every pair of places, and the tables that they come from."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from archcalc.interop.program import Constant

#: No window has more pairs of places, times heads.
_MOST_VALUES = 1 << 22


def table_of_pairs(stored: Constant, heads: int, window: Sequence[int]) -> Constant | None:
    """The table (offsets, heads) of a bias (heads, places, places); None where a bias is not the same at equal offsets.

    Exporters look the table up once and store the result: of a window of 7×7 places 2,401 values a head for the 169
    of the table. The bias of the places i and j is the entry i − j of the table. Source: Liu et al. 2021, equation 4.
    """
    places = math.prod(window)
    if stored.load is None or stored.size != heads * places**2 or stored.size > _MOST_VALUES:
        return None
    if tuple(size for size in stored.shape if size > 1) != tuple(size for size in (heads, places, places) if size > 1):
        return None
    from archcalc.interop.arrays import np

    pairs = np.asarray(stored.load()).reshape(heads, places * places)
    offsets = _offsets(window)
    table = np.empty((math.prod([2 * side - 1 for side in window]), heads), pairs.dtype)
    table[offsets] = pairs.T
    if not np.array_equal(np.take(table, offsets, axis=0), pairs.T):
        return None
    name = f"{stored.name}#table"
    return replace(stored, name=name, shape=table.shape, role="parameter", load=lambda: table, values=None)


def _offsets(window: Sequence[int]) -> list[int]:
    """The entry of the table for each pair of places."""
    steps = [math.prod([2 * side - 1 for side in window[axis + 1 :]]) for axis in range(len(window))]
    places = [sum(map(operator.mul, place, steps)) for place in product(*map(range, window))]
    middle = sum((side - 1) * step for side, step in zip(window, steps, strict=True))
    return [first - second + middle for first in places for second in places]
