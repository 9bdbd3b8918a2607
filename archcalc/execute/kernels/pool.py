"""Pooling and unpooling. Two algorithms that agree: loops over positions, and tap by tap."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from archcalc.execute.kernels.registry import Algorithm, Array, Sizes, Switches, kernel
from archcalc.execute.kernels.windows import Frame, Pair, Pooling, frame_of, pad, span


def _reduce(ufunc: np.ufunc, padded: Array, frame: Frame, algorithm: Algorithm) -> Array:
    """`ufunc` (a sum, a maximum) over each window of each channel."""
    if algorithm == "loops":
        rows, columns = frame.starts(padded)
        out = np.empty((*padded.shape[:2], len(rows), len(columns)), padded.dtype)
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                out[:, :, i, j] = ufunc.reduce(frame.at(padded, top, left), axis=(2, 3))
        return out
    first, *others = (values for _, _, values in frame.taps(padded))
    out = first.copy()
    for values in others:
        ufunc(out, values, out=out)
    return out


def max_pool2d_with_switches(x: Array, **window: Unpack[Pooling]) -> tuple[Array, Switches]:
    """Max pooling, and where in the map each maximum is; of equal ones the first, row by row.

    Raises `ValueError` where a window holds nothing but padding, so that it has no maximum in the map.
    """
    frame = frame_of(x, **window)
    view = frame.windows(frame.pad(x, -np.inf))
    x_col = view.reshape(*view.shape[:4], -1)
    tap = np.argmax(x_col, axis=-1)
    values = np.take_along_axis(x_col, tap[..., None], axis=-1)[..., 0]
    down, across = np.divmod(tap, frame.kernel_size[1])
    rows = np.arange(view.shape[2])[:, None] * frame.stride[0] + down * frame.dilation[0] - frame.sides[0]
    columns = np.arange(view.shape[3]) * frame.stride[1] + across * frame.dilation[1] - frame.sides[1]
    if np.isneginf(values).any():
        raise ValueError("a window holds nothing but padding, so its maximum is nowhere in the map")
    return values, Switches(rows * x.shape[3] + columns, (x.shape[2], x.shape[3]))


@kernel("max_pool2d", run_with_switches=max_pool2d_with_switches, before_rectifier=True)
def max_pool2d(x: Array, *, algorithm: Algorithm = "im2col", **window: Unpack[Pooling]) -> Array:
    """The largest value of each window; padding is −∞ and wins only alone. Source: CS231n, pooling layer."""
    frame = frame_of(x, **window)
    return _reduce(np.maximum, frame.pad(x, -np.inf), frame, algorithm)


@kernel("avg_pool2d")
def avg_pool2d(
    x: Array, *, count_include_pad: bool = True, algorithm: Algorithm = "im2col", **window: Unpack[Pooling]
) -> Array:
    """The mean of each window. With `count_include_pad` padding zeros are values; the overhang never is.

    Source: PyTorch, AvgPool2d.
    """
    frame = frame_of(x, **window)
    sums = _reduce(np.add, frame.pad(x), frame, algorithm)
    sums /= _reduce(np.add, counted(x, frame, count_include_pad), frame, algorithm)
    return sums


def counted(x: Array, frame: Frame, count_include_pad: bool) -> Array:
    """1 for each pixel that counts in a mean, 0 elsewhere: (1, 1, padded height, padded width)."""
    values = pad(np.ones((1, 1, *x.shape[2:]), x.dtype), frame.sides, 1.0 if count_include_pad else 0.0)
    return pad(values, (0, 0, *frame.overhang))


@kernel("lp_pool2d")
def lp_pool2d(x: Array, *, norm_type: int = 2, algorithm: Algorithm = "im2col", **window: Unpack[Pooling]) -> Array:
    """(Σ |x|^p)^(1/p) of each window. Source: ONNX, LpPool."""
    frame = frame_of(x, **window)
    powers = np.abs(frame.pad(x)) ** norm_type
    sums = _reduce(np.add, powers, frame, algorithm)
    return np.asarray(sums ** (1.0 / norm_type))


def _subsampling_arrays(x: Array) -> Sizes:
    return {"weight": (x.shape[1],), "bias": (x.shape[1],)}


@kernel("subsampling2d", arrays=_subsampling_arrays)
def subsampling2d(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    algorithm: Algorithm = "im2col",
    **window: Unpack[Pooling],
) -> Array:
    """The sum of each window times a coefficient, plus a bias, one pair a channel.

    Source: LeCun et al. 1998, section II.B, layers S2 and S4.
    """
    frame = frame_of(x, **window)
    sums = _reduce(np.add, frame.pad(x), frame, algorithm)
    return np.asarray(sums * weight[:, None, None] + bias[:, None, None])


@kernel("global_avg_pool2d")
def global_avg_pool2d(x: Array) -> Array:
    """The mean of each channel, as (N, C, 1, 1). Source: Lin et al. 2013, section 3.2."""
    return np.asarray(x.mean(axis=(2, 3), keepdims=True))


@kernel("adaptive_avg_pool2d")
def adaptive_avg_pool2d(x: Array, *, output_size: Pair) -> Array:
    """Means over the rows ⌊i·H/n⌋ … ⌈(i + 1)·H/n⌉ and the columns likewise. Source: PyTorch, AdaptiveAvgPool2d."""
    height, width = x.shape[2:]
    out = np.empty((*x.shape[:2], *output_size), x.dtype)
    for i, rows in enumerate(shares(height, output_size[0])):
        for j, columns in enumerate(shares(width, output_size[1])):
            out[:, :, i, j] = x[:, :, rows, columns].mean(axis=(2, 3))
    return out


def shares(size: int, count: int) -> list[slice]:
    """Equal parts of an axis, each widened to whole pixels."""
    return [slice(i * size // count, ((i + 1) * size + count - 1) // count) for i in range(count)]


@kernel("max_unpool2d", takes_switches_of=1)
def max_unpool2d(
    x: Array,
    pooled: Array,
    like: Array | None = None,
    *,
    switches: Switches,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = (0, 0),
) -> Array:
    """Every value back where max pooling found it, zeros elsewhere; where two meet, the last in row order stays.

    The result is as large as the windows reach, or as the map `like`. Source: Zeiler & Fergus 2013, section 2.1.
    """
    if x.shape != pooled.shape or x.shape != switches.position.shape:
        raise ValueError(
            f"the maps are {x.shape}, the pooled ones {pooled.shape}, the switches {switches.position.shape}"
        )
    if like is None:
        steps = stride or kernel_size
        height, width = (
            range(0, x.shape[axis + 2] * steps[axis], steps[axis])[-1] + span(kernel_size[axis], 1) - 2 * padding[axis]
            for axis in (0, 1)
        )
    else:
        height, width = like.shape[2:]
    rows, columns = np.divmod(switches.position, switches.size[1])
    if rows.max() >= height or columns.max() >= width:
        raise ValueError(f"a switch lies outside the {height}×{width} map; give the map that was pooled")
    out = np.zeros((*x.shape[:2], height, width), x.dtype)
    image = np.arange(x.shape[0])[:, None, None, None]
    channel = np.arange(x.shape[1])[:, None, None]
    out[image, channel, rows, columns] = x
    return out
