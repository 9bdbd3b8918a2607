"""Several maps into one."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array


@backward("add", nature="linear")
def add(grad: Array, *maps: Array) -> Gradients:
    """The gradient passes unchanged to every map: the shortcut of a residual unit. Source: He et al. 2016, eq. 5."""
    return Gradients((grad,) * len(maps))


@backward("multiply", nature_of_one="linear")
def multiply(grad: Array, *maps: Array, factor: float = 1.0) -> Gradients:
    """For each map the product of all others; what was spread over positions is summed up over them."""
    wide = [_spread(each, grad.ndim) for each in maps]
    found = []
    for place, own in enumerate(wide):
        others = grad * grad.dtype.type(factor)
        for other, each in enumerate(wide):
            if other != place:
                others = others * each
        if own.shape != grad.shape:
            others = others.sum(axis=tuple(range(2, grad.ndim)))
        found.append(others.reshape(maps[place].shape))
    return Gradients(tuple(found))


def _spread(x: Array, axes: int) -> Array:
    return x if x.ndim == axes else x.reshape(*x.shape[:2], *(1,) * (axes - 2))


@backward("concat", nature="linear")
def concat(grad: Array, *maps: Array) -> Gradients:
    """Each map gets its own channels back."""
    ends = np.cumsum([each.shape[1] for each in maps])
    return Gradients(tuple(np.split(grad, ends[:-1], axis=1)))
