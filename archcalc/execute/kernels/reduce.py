"""One value in place of all those along some axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archcalc.execute.kernels.arrange import axis_of
from archcalc.execute.kernels.registry import Array, kernel


def places(x: Array, axes: Sequence[str]) -> tuple[int, ...]:
    """The axes of an array with these names."""
    return tuple([axis_of(x, axis) for axis in axes])


@kernel("mean")
def mean(x: Array, *, axes: Sequence[str]) -> Array:
    """The mean along axes, which stay with a size of 1. Source: PyTorch, `mean`."""
    return np.asarray(x.mean(axis=places(x, axes), keepdims=True))


@kernel("amax", before_rectifier=True)
def amax(x: Array, *, axes: Sequence[str]) -> Array:
    """The largest value along axes, which stay with a size of 1. Source: PyTorch, `amax`."""
    return np.asarray(x.max(axis=places(x, axes), keepdims=True))
