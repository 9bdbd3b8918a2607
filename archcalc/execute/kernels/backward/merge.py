"""Several maps into one."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.arrange import axis_of
from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array


@backward("add", nature="linear")
def add(grad: Array, *maps: Array) -> Gradients:
    """The gradient passes unchanged to every map: the shortcut of a residual unit. Source: He et al. 2016, eq. 5.

    What was spread over positions or channels gets its sum over them.
    """
    return Gradients(tuple([gathered(grad, each) for each in maps]))


def gathered(grad: Array, x: Array) -> Array:
    """The gradient of a map that was spread to the size of the gradient."""
    sizes = (*x.shape, *(1,) * (grad.ndim - x.ndim))
    axes = tuple([axis for axis, size in enumerate(sizes) if size == 1 < grad.shape[axis]])
    return grad.sum(axis=axes, keepdims=True).reshape(x.shape) if axes or x.ndim < grad.ndim else grad


@backward("multiply", nature_of_one="linear")
def multiply(grad: Array, *maps: Array, factor: float = 1.0) -> Gradients:
    """For each map the product of all others; what was spread over positions is summed up over them."""
    wide = [spread(each, grad.ndim) for each in maps]
    found = []
    for place, own in enumerate(wide):
        others = grad * grad.dtype.type(factor)
        for other, each in enumerate(wide):
            if other != place:
                others = others * each
        found.append(gathered(others, own).reshape(maps[place].shape))
    return Gradients(tuple(found))


def spread(x: Array, axes: int) -> Array:
    return x.reshape(*x.shape, *(1,) * (axes - x.ndim))


@backward("concat", nature="linear")
def concat(grad: Array, *maps: Array, axis: str = "channels") -> Gradients:
    """Each map gets its own part back."""
    place = axis_of(maps[0], axis)
    ends = np.cumsum([each.shape[place] for each in maps])
    return Gradients(tuple(np.split(grad, ends[:-1], axis=place)))
