"""Values that were moved are moved back; what was made from nothing is dropped."""

from __future__ import annotations

from typing import Literal

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array
from archcalc.execute.kernels.reshape import half_margins, missing_channels, pixel_shares
from archcalc.execute.kernels.windows import NO_PADDING, Padding, Pair, Sides, resolve_padding


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


@backward("crop2d", nature="linear")
def crop2d(grad: Array, x: Array, like: Array | None = None, *, margins: Sides | None = None) -> Gradients:
    """Zeros for what was cut off."""
    top, left = (margins[0], margins[1]) if margins is not None else half_margins(x, like)
    out = np.zeros_like(x)
    out[:, :, top : top + grad.shape[2], left : left + grad.shape[3]] = grad
    return Gradients((out,) if like is None else (out, None))


@backward("slice2d", nature="linear")
def slice2d(grad: Array, x: Array, *, step: Pair = (1, 1), start: Pair = (0, 0)) -> Gradients:
    """Zeros for what was left out."""
    out = np.zeros_like(x)
    out[:, :, start[0] :: step[0], start[1] :: step[1]] = grad
    return Gradients((out,))


@backward("zero_pad2d", nature="linear")
def zero_pad2d(
    grad: Array, x: Array, *, padding: Padding = NO_PADDING, kernel_size: Pair = (1, 1), stride: Pair = (1, 1)
) -> Gradients:
    """The middle, without the margin."""
    top, left, _, _ = resolve_padding(x, padding, kernel_size, stride)
    return Gradients((grad[:, :, top : top + x.shape[2], left : left + x.shape[3]],))


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


@backward("upsample2d", nature="linear")
def upsample2d(
    grad: Array, x: Array, *, scale: Pair = (2, 2), mode: Literal["nearest", "bilinear"] = "nearest"
) -> Gradients:
    """Every pixel gets what came to its copies, weighted as it was."""
    if mode == "nearest":
        height, width = x.shape[2:]
        blocks = grad.reshape(*x.shape[:2], height, scale[0], width, scale[1])
        return Gradients((blocks.sum(axis=(3, 5)),))
    return Gradients((_gather(_gather(grad, scale[1], 3), scale[0], 2),))


def _gather(grad: Array, factor: int, axis: int) -> Array:
    """The transpose of linear interpolation along an axis."""
    size = grad.shape[axis] // factor
    lower, upper, share = pixel_shares(size, factor, grad.dtype)
    moved = np.moveaxis(grad, axis, 0)
    out = np.zeros((size, *moved.shape[1:]), grad.dtype)
    share = share.reshape(-1, 1, 1, 1)
    np.add.at(out, lower, moved * (1 - share))
    np.add.at(out, upper, moved * share)
    return np.moveaxis(out, 0, axis)
