"""Arithmetic with fixed numbers, and differences and quotients of maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archcalc.execute.kernels.merge import wide
from archcalc.execute.kernels.moments import Moments
from archcalc.execute.kernels.registry import Array, kernel

Numbers = float | tuple[float, ...]


def numbers(given: Numbers, x: Array) -> Array:
    """One number, or one for each channel, in a shape that is spread over the positions of the map x."""
    found = np.asarray(given, dtype=x.dtype)
    return found.reshape(-1, *(1,) * (x.ndim - 2)) if found.ndim else found


def _rescaled(inputs: Sequence[Moments], *, factor: Numbers, offset: Numbers) -> Moments:
    """Those of all channels taken together, which have the moments of the input before."""
    given = inputs[0]
    factors, offsets = np.broadcast_arrays(np.atleast_1d(factor), np.atleast_1d(offset))
    means = factors * given.mean + offsets
    return Moments(float(means.mean()), float((factors**2).mean() * given.variance + means.var()))


@kernel("rescale", moments=_rescaled, before_rectifier=True)
def rescale(x: Array, *, factor: Numbers = 1.0, offset: Numbers = 0.0) -> Array:
    """x·factor + offset. Source: Keras, `Rescaling`."""
    return np.asarray(x * numbers(factor, x) + numbers(offset, x))


@kernel("power")
def power(x: Array, *, exponent: float) -> Array:
    """x^exponent; NaN where a negative number has no such power. Source: PyTorch, `pow`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.power(x, x.dtype.type(exponent)))


def _subtracted(inputs: Sequence[Moments]) -> Moments:
    """Those of a difference of independent values."""
    return Moments(inputs[0].mean - inputs[1].mean, inputs[0].variance + inputs[1].variance)


@kernel("subtract", moments=_subtracted, before_rectifier=True)
def subtract(first: Array, second: Array, *, broadcast: bool = False) -> Array:
    """The difference of maps of one shape, or of maps that are spread over one another. Source: Keras, `Subtract`."""
    first, second = wide((first, second)) if broadcast else (first, second)
    return np.asarray(first - second)


@kernel("divide")
def divide(first: Array, second: Array, *, broadcast: bool = False) -> Array:
    """The quotient of maps of one shape, or of maps that are spread over one another; infinite or NaN at zeros."""
    first, second = wide((first, second)) if broadcast else (first, second)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(first / second)
