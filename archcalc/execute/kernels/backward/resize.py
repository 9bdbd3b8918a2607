"""Maps of another size: every old position gets what came to its copies, weighted as it was."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archcalc.execute.kernels import resize
from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array


@backward("interpolate", nature="linear")
def interpolate(
    grad: Array,
    x: Array,
    like: Array | None = None,
    *,
    size: Sequence[int] | None = None,
    scale_factor: float | None = None,
    mode: str = "nearest",
    align_corners: bool = False,
    antialias: bool = False,
) -> Gradients:
    """Each position axis times its matrix, transposed; the map whose size was taken has no part in it."""
    matrices = resize.matrices_of(x, like, size, scale_factor, mode, align_corners, antialias)
    back = resize.along_axes(grad, [matrix.T for matrix in matrices])
    return Gradients((back,) if like is None else (back, None))


def _back(grad: Array, x: Array, padding: Sequence[int], mode: resize.Border) -> Gradients:
    """What came to the border is added to where it came from, axis by axis."""
    for axis, places in resize.sources(x, padding, mode):
        moved = np.moveaxis(grad, axis, 0)
        out = np.zeros((x.shape[axis], *moved.shape[1:]), grad.dtype)
        np.add.at(out, places, moved)
        grad = np.moveaxis(out, 0, axis)
    return Gradients((grad,))


@backward("reflection_pad", nature="linear")
def reflection_pad(grad: Array, x: Array, *, padding: Sequence[int]) -> Gradients:
    """Back to the reflected values."""
    return _back(grad, x, padding, "reflect")


@backward("replication_pad", nature="linear")
def replication_pad(grad: Array, x: Array, *, padding: Sequence[int]) -> Gradients:
    """Back to the edge."""
    return _back(grad, x, padding, "edge")


@backward("circular_pad", nature="linear")
def circular_pad(grad: Array, x: Array, *, padding: Sequence[int]) -> Gradients:
    """Back to the other side."""
    return _back(grad, x, padding, "wrap")
