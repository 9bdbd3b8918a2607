"""Several maps into one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archcalc.execute.kernels.arrange import axis_of
from archcalc.execute.kernels.moments import pooled, scaled, summed
from archcalc.execute.kernels.registry import Array, kernel


@kernel("add", moments=summed, before_rectifier=True)
def add(*maps: Array, broadcast: bool = False) -> Array:
    """The sum of maps of one shape, or of maps that are spread over one another. Source: He et al. 2015, equation 1."""
    first, second, *others = wide(maps) if broadcast else maps
    out = first + second
    for other in others:
        out = out + other
    return np.asarray(out)


def wide(maps: Sequence[Array]) -> list[Array]:
    """The maps with as many axes as the largest has: a flat one has a value for each channel."""
    axes = max(each.ndim for each in maps)
    return [each.reshape(*each.shape, *(1,) * (axes - each.ndim)) for each in maps]


@kernel("multiply", moments=scaled, before_rectifier=True)
def multiply(*maps: Array, factor: float = 1.0, broadcast: bool = False) -> Array:
    """The product of maps times `factor`; a value a channel, (N, C) or (N, C, 1, 1), is spread over the positions.

    Source: Hu et al. 2017; the factor: Szegedy et al. 2016, section 3.3.
    """
    if broadcast:
        spread = wide(maps)
        product = spread[0] * spread[0].dtype.type(factor)
        for other in spread[1:]:
            product = product * other
        return np.asarray(product)
    largest = max(range(len(maps)), key=lambda place: maps[place].size)
    out = maps[largest] * maps[largest].dtype.type(factor)
    for place, other in enumerate(maps):
        if place != largest:
            out *= other if other.ndim == out.ndim else other.reshape(*other.shape[:2], *(1,) * (out.ndim - 2))
    return np.asarray(out)


@kernel("concat", moments=pooled)
def concat(*maps: Array, axis: str = "channels") -> Array:
    """Maps of one height and width, one after another along the channels. Source: Szegedy et al. 2014, section 4."""
    return np.concatenate(maps, axis=axis_of(maps[0], axis))
