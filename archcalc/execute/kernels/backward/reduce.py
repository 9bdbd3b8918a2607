"""What became one value: how its gradient is shared among those that it was made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.reduce import places
from archcalc.execute.kernels.registry import Array


@backward("mean", nature="linear")
def mean(grad: Array, x: Array, *, axes: Sequence[str]) -> Gradients:
    """An equal share to every value."""
    count = np.prod([x.shape[axis] for axis in places(x, axes)], dtype=grad.dtype)
    return Gradients((np.broadcast_to(grad / count, x.shape),))


@backward("amax", nature="linear")
def amax(grad: Array, x: Array, *, axes: Sequence[str]) -> Gradients:
    """All of it to the maximum, in equal shares where several values are as large. Source: PyTorch, `amax`."""
    along = places(x, axes)
    largest = (x == x.max(axis=along, keepdims=True)).astype(grad.dtype)
    return Gradients((largest * (grad / largest.sum(axis=along, keepdims=True)),))
