"""Values that were moved are moved back; what was made from nothing is dropped."""

from __future__ import annotations

from typing import Literal

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array
from archcalc.execute.kernels.reshape import Mode, first_kept, margins_of, missing_channels, pixel_shares, taken
from archcalc.execute.kernels.windows import Padding, PerAxis, Sides, each, part


@backward("input", nature="linear")
@backward("identity", nature="linear")
@backward("flatten", nature="linear")
def same_values(grad: Array, x: Array) -> Gradients:
    """The same numbers under the shape that they had."""
    return Gradients((grad.reshape(x.shape),))


@backward("reshape", nature="linear")
def reshape(grad: Array, x: Array, *, shape: tuple[int, ...]) -> Gradients:
    """The same numbers under the shape that they had."""
    return Gradients((grad.reshape(len(x), *shape).reshape(x.shape),))


@backward("cropNd", nature="linear")
def crop(grad: Array, x: Array, like: Array | None = None, *, margins: Sides | None = None) -> Gradients:
    """Zeros for what was cut off."""
    out = np.zeros_like(x)
    out[part(first_kept(x, like, margins), grad.shape[2:])] = grad
    return Gradients((out,) if like is None else (out, None))


@backward("sliceNd", nature="linear")
def slice_(grad: Array, x: Array, *, step: int | PerAxis = 1, start: int | PerAxis = 0) -> Gradients:
    """Zeros for what was left out."""
    out = np.zeros_like(x)
    out[taken(x, step, start)] = grad
    return Gradients((out,))


@backward("zero_padNd", nature="linear")
def zero_pad(
    grad: Array, x: Array, *, padding: Padding = 0, kernel_size: int | PerAxis = 1, stride: int | PerAxis = 1
) -> Gradients:
    """The middle, without the margin."""
    margins = margins_of(x, padding, kernel_size, stride)
    return Gradients((grad[part(margins[: x.ndim - 2], x.shape[2:])],))


@backward("pad_channels", nature="linear")
def pad_channels(
    grad: Array,
    x: Array,
    *,
    before: int | Literal["half"] = 0,
    after: int | None = None,
    out_channels: int | None = None,
) -> Gradients:
    """The channels that were there before."""
    first, _ = missing_channels(x, before, after, out_channels)
    return Gradients((grad[:, first : first + x.shape[1]],))


@backward("upsampleNd", nature="linear")
def upsample(grad: Array, x: Array, *, scale: int | PerAxis = 2, mode: Mode = "nearest") -> Gradients:
    """Every pixel gets what came to its copies, weighted as it was."""
    for axis, factor in enumerate(each(scale, x.ndim - 2), 2):
        if mode == "nearest":
            grad = grad.reshape(*grad.shape[:axis], x.shape[axis], factor, *grad.shape[axis + 1 :]).sum(axis=axis + 1)
        else:
            grad = _gather(grad, factor, axis)
    return Gradients((grad,))


def _gather(grad: Array, factor: int, axis: int) -> Array:
    """The transpose of linear interpolation along an axis."""
    size = grad.shape[axis] // factor
    lower, upper, share = pixel_shares(size, factor, grad.dtype)
    moved = np.moveaxis(grad, axis, 0)
    out = np.zeros((size, *moved.shape[1:]), grad.dtype)
    share = share.reshape(-1, *(1,) * (moved.ndim - 1))
    np.add.at(out, lower, moved * (1 - share))
    np.add.at(out, upper, moved * share)
    return np.moveaxis(out, 0, axis)
