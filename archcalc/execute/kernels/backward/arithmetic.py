"""Gradients of arithmetic with fixed numbers, and of differences and quotients."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.arithmetic import Numbers, numbers
from archcalc.execute.kernels.backward.merge import gathered, spread
from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array


@backward("rescale", nature="linear")
def rescale(grad: Array, x: Array, *, factor: Numbers = 1.0) -> Gradients:
    """Times the factor."""
    return Gradients((np.asarray(grad * numbers(factor, x)),))


@backward("power", nature="rescaled")
def power(grad: Array, x: Array, *, exponent: float) -> Gradients:
    """p·x^(p − 1)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return Gradients((np.asarray(grad * x.dtype.type(exponent) * np.power(x, x.dtype.type(exponent - 1))),))


@backward("subtract", nature="linear")
def subtract(grad: Array, first: Array, second: Array) -> Gradients:
    """Unchanged to the first map, negated to the second; what was spread gets its sum."""
    return Gradients((gathered(grad, first), -gathered(grad, second)))


@backward("divide")
def divide(grad: Array, first: Array, second: Array) -> Gradients:
    """1/b for the first map and −a/b² for the second; what was spread gets its sum."""
    above, below = spread(first, grad.ndim), spread(second, grad.ndim)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.asarray(grad / below)
        other = np.asarray(-share * above / below)
    return Gradients((gathered(share, first), gathered(other, second)))
