"""Values moved, not calculated: shapes, cropping, slicing, padding, upsampling."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from archcalc.execute.kernels.registry import Array, kernel
from archcalc.execute.kernels.windows import Index, Padding, PerAxis, Sides, each, pad, part, resolve_padding

#: Values are repeated, or interpolated along each axis: called linear, bilinear or trilinear by the number of axes.
Mode = Literal["nearest", "linear", "bilinear", "trilinear"]


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
    """The same values in the same order under another shape (C, *positions), or (N,) for a flat one."""
    return x.reshape(len(x), *shape)


@kernel("cropNd")
def crop(x: Array, like: Array | None = None, *, margins: Sides | None = None) -> Array:
    """Margins (begins, ends) cut off; without them, what the map `like` covers in the centre.

    An odd pixel more goes at the end of an axis. Source: Ronneberger et al. 2015, figure 1.
    """
    return cropped(x, like, margins).copy()


def cropped(x: Array, like: Array | None, margins: Sides | None) -> Array:
    """What `crop` keeps, as a view."""
    begins = first_kept(x, like, margins)
    if margins is None and like is not None:
        return x[part(begins, like.shape[2:])]
    axes = zip(x.shape[2:], begins, (margins or ())[len(begins) :], strict=True)
    return x[part(begins, [size - begin - end for size, begin, end in axes])]


def first_kept(x: Array, like: Array | None, margins: Sides | None) -> PerAxis:
    """Positions at the begin of each axis that are cut off: half of what the map `like` leaves over."""
    if margins is not None:
        return margins[: x.ndim - 2]
    if like is None:
        raise ValueError("a crop needs margins, or a map whose size it takes")
    return tuple((size - kept) // 2 for size, kept in zip(x.shape[2:], like.shape[2:], strict=True))


@kernel("sliceNd")
def slice_(x: Array, *, step: int | PerAxis = 1, start: int | PerAxis = 0) -> Array:
    """Every `step`-th position of each axis from `start` on."""
    return x[taken(x, step, start)].copy()


def taken(x: Array, step: int | PerAxis, start: int | PerAxis) -> Index:
    """The index of what `slice_` takes."""
    rank = x.ndim - 2
    return (..., *(slice(first, None, by) for first, by in zip(each(start, rank), each(step, rank), strict=True)))


@kernel("zero_padNd")
def zero_pad(x: Array, *, padding: Padding = 0, kernel_size: int | PerAxis = 1, stride: int | PerAxis = 1) -> Array:
    """Zeros around each channel: at the begin of each axis, then at the end of each.

    `same`: those that a window of this size and stride would take. Source: TensorFlow, `padding="SAME"`.
    """
    padded = pad(x, margins_of(x, padding, kernel_size, stride))
    return padded.copy() if padded is x else padded


def margins_of(x: Array, padding: Padding, kernel_size: int | PerAxis, stride: int | PerAxis) -> Sides:
    """The margins of `zero_pad`."""
    return resolve_padding(x, padding, each(kernel_size, x.ndim - 2), each(stride, x.ndim - 2))


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


def missing_channels(
    x: Array, before: int | Literal["half"], after: int | None, out_channels: int | None
) -> tuple[int, int]:
    """How many channels come before and after."""
    missing = 0 if out_channels is None else out_channels - x.shape[1]
    first = missing // 2 if before == "half" else before
    return first, (after or 0) if out_channels is None else missing - first


@kernel("upsampleNd")
def upsample(x: Array, *, scale: int | PerAxis = 2, mode: Mode = "nearest") -> Array:
    """Each channel enlarged by whole factors: values repeated, or weighted by the distance of pixel centres.

    Source: PyTorch, Upsample with align_corners=False; ONNX, Resize with half_pixel.
    """
    for axis, factor in enumerate(each(scale, x.ndim - 2), 2):
        x = x.repeat(factor, axis) if mode == "nearest" else _interpolate(x, factor, axis)
    return x


def _interpolate(x: Array, factor: int, axis: int) -> Array:
    """Linear interpolation along an axis."""
    lower, upper, share = pixel_shares(x.shape[axis], factor, x.dtype)
    share = share.reshape(-1, *(1,) * (x.ndim - 1 - axis))
    return np.asarray(np.take(x, lower, axis) * (1 - share) + np.take(x, upper, axis) * share)


def pixel_shares(size: int, factor: int, dtype: Any) -> tuple[Array, Array, Array]:
    """For each new pixel the two old ones between which its centre lies, and the share of the second.

    The centre of pixel i lies at (i + ½)/factor − ½ in the old grid, but not before the first centre there.
    """
    centres = np.maximum((np.arange(size * factor) + 0.5) / factor - 0.5, 0)
    lower = centres.astype(np.intp)
    return lower, np.minimum(lower + 1, size - 1), (centres - lower).astype(dtype)
