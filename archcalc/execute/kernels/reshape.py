"""Values moved, not calculated: shapes, cropping, slicing, padding, upsampling."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from archcalc.execute.kernels.registry import Array, kernel
from archcalc.execute.kernels.windows import NO_PADDING, Padding, Pair, Sides, pad, resolve_padding


@kernel("input")
def input_(x: Array) -> Array:
    """The batch as it came."""
    return x


@kernel("identity", before_rectifier=True)
def identity(x: Array) -> Array:
    """The input itself."""
    return x


@kernel("flatten")
def flatten(x: Array) -> Array:
    """All values of an image in one row, channel by channel."""
    return x.reshape(len(x), -1)


@kernel("reshape")
def reshape(x: Array, *, shape: tuple[int, ...]) -> Array:
    """The same values in the same order under another shape (C, H, W), or (N,) for a flat one."""
    return x.reshape(len(x), *shape)


@kernel("crop2d")
def crop2d(x: Array, like: Array | None = None, *, margins: Sides | None = None) -> Array:
    """Margins (top, left, bottom, right) cut off; without them, what the map `like` covers in the centre.

    An odd pixel more goes at the bottom and right. Source: Ronneberger et al. 2015, figure 1.
    """
    return cropped(x, like, margins).copy()


def cropped(x: Array, like: Array | None, margins: Sides | None) -> Array:
    """What `crop2d` keeps, as a view."""
    if margins is None:
        top, left = half_margins(x, like)
        assert like is not None
        height, width = like.shape[2:]
        return x[:, :, top : top + height, left : left + width]
    top, left, bottom, right = margins
    return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


def half_margins(x: Array, like: Array | None) -> Pair:
    """Rows and columns at the top and left that the map `like` leaves over."""
    if like is None:
        raise ValueError("crop2d needs margins, or a map whose size it takes")
    return (x.shape[2] - like.shape[2]) // 2, (x.shape[3] - like.shape[3]) // 2


@kernel("slice2d")
def slice2d(x: Array, *, step: Pair = (1, 1), start: Pair = (0, 0)) -> Array:
    """Every `step`-th row and column from `start` on."""
    return x[:, :, start[0] :: step[0], start[1] :: step[1]].copy()


@kernel("zero_pad2d")
def zero_pad2d(x: Array, *, padding: Padding = NO_PADDING, kernel_size: Pair = (1, 1), stride: Pair = (1, 1)) -> Array:
    """Rows and columns of zeros around each channel: (top, left, bottom, right).

    `same`: those that a window of this size and stride would take. Source: TensorFlow, `padding="SAME"`.
    """
    padded = pad(x, resolve_padding(x, padding, kernel_size, stride))
    return padded.copy() if padded is x else padded


@kernel("pad_channels")
def pad_channels(
    x: Array,
    *,
    before: int | Literal["half"] = 0,
    after: int | None = None,
    out_channels: int | None = None,
) -> Array:
    """Channels of zeros before and after; with `out_channels` as many as are missing, `half` of them before.

    Source: He et al. 2015, section 4.2, option A.
    """
    first, last = missing_channels(x, before, after, out_channels)
    out = np.zeros((x.shape[0], first + x.shape[1] + last, *x.shape[2:]), x.dtype)
    out[:, first : first + x.shape[1]] = x
    return out


def missing_channels(x: Array, before: int | Literal["half"], after: int | None, out_channels: int | None) -> Pair:
    """How many channels come before and after."""
    missing = 0 if out_channels is None else out_channels - x.shape[1]
    first = missing // 2 if before == "half" else before
    return first, (after or 0) if out_channels is None else missing - first


@kernel("upsample2d")
def upsample2d(x: Array, *, scale: Pair = (2, 2), mode: Literal["nearest", "bilinear"] = "nearest") -> Array:
    """Each channel enlarged by whole factors: values repeated, or weighted by the distance of pixel centres.

    Source: PyTorch, Upsample with align_corners=False; ONNX, Resize with half_pixel.
    """
    if mode == "nearest":
        return x.repeat(scale[0], axis=2).repeat(scale[1], axis=3)
    return _interpolate(_interpolate(x, scale[0], 2), scale[1], 3)


def _interpolate(x: Array, factor: int, axis: int) -> Array:
    """Linear interpolation along an axis."""
    lower, upper, share = pixel_shares(x.shape[axis], factor, x.dtype)
    share = share.reshape(-1, *(1,) * (3 - axis))
    return np.asarray(np.take(x, lower, axis) * (1 - share) + np.take(x, upper, axis) * share)


def pixel_shares(size: int, factor: int, dtype: Any) -> tuple[Array, Array, Array]:
    """For each new pixel the two old ones between which its centre lies, and the share of the second.

    The centre of pixel i lies at (i + ½)/factor − ½ in the old grid, but not before the first centre there.
    """
    centres = np.maximum((np.arange(size * factor) + 0.5) / factor - 0.5, 0)
    lower = centres.astype(np.intp)
    return lower, np.minimum(lower + 1, size - 1), (centres - lower).astype(dtype)
