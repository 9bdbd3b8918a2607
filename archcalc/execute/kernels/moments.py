"""What the values of a map can be expected to be, roughly: their mean and variance.

From these the weights before it are drawn, so that activations neither vanish nor explode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Moments(NamedTuple):
    """Mean and variance of the values of a map."""

    mean: float
    variance: float

    @property
    def power(self) -> float:
        """The mean square."""
        return self.mean**2 + self.variance


def rectified(inputs: Sequence[Moments]) -> Moments:
    """Those of max(0, x) for a normal x."""
    values = inputs[0]
    deviation = math.sqrt(values.variance)
    if deviation == 0:
        return Moments(max(values.mean, 0), 0)
    ratio = values.mean / deviation
    below = math.erfc(-ratio / math.sqrt(2)) / 2
    density = math.exp(-(ratio**2) / 2) / math.sqrt(2 * math.pi)
    mean = values.mean * below + deviation * density
    power = values.power * below + values.mean * deviation * density
    return Moments(mean, max(power - mean**2, 0))


def summed(inputs: Sequence[Moments]) -> Moments:
    """Those of a sum of independent values."""
    return Moments(sum(each.mean for each in inputs), sum(each.variance for each in inputs))


def pooled(inputs: Sequence[Moments]) -> Moments:
    """Those of all values of several maps taken together."""
    mean = sum(each.mean for each in inputs) / len(inputs)
    return Moments(mean, sum(each.power for each in inputs) / len(inputs) - mean**2)


def scaled(inputs: Sequence[Moments], *, factor: float) -> Moments:
    """Those of the first map times a factor."""
    return Moments(factor * inputs[0].mean, factor**2 * inputs[0].variance)


def through(function: Callable[[NDArray[Any]], NDArray[Any]], values: Moments) -> Moments:
    """Those of a function of normal values, by Gauss–Hermite quadrature."""
    points, weights = np.polynomial.hermite_e.hermegauss(64)
    found = function(values.mean + math.sqrt(values.variance) * points)
    total = weights.sum()
    mean = float(found @ weights / total)
    return Moments(mean, max(float(found**2 @ weights / total) - mean**2, 0))
