"""Pooling and unpooling over one, two or three position axes. Two algorithms that agree: loops, and tap by tap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

import numpy as np

from archcalc.execute.kernels.registry import Algorithm, Array, Sizes, Switches, by_channel, kernel, positions
from archcalc.execute.kernels.windows import Frame, Index, PerAxis, Pooling, each, frame_of, pad, span


def _reduce(ufunc: np.ufunc, padded: Array, frame: Frame, algorithm: Algorithm) -> Array:
    """`ufunc` (a sum, a maximum) over each window of each channel."""
    if algorithm == "loops":
        out = np.empty((*padded.shape[:2], *map(len, frame.starts(padded))), padded.dtype)
        for position, window in frame.places(padded):
            out[:, :, *position] = ufunc.reduce(window, axis=positions(padded))
        return out
    first, *others = (values for _, values in frame.taps(padded))
    out = first.copy()
    for values in others:
        ufunc(out, values, out=out)
    return out


def max_pool_with_switches(x: Array, **window: Unpack[Pooling]) -> tuple[Array, Switches]:
    """Max pooling, and where in the map each maximum is; of equal ones the first, row by row.

    Raises `ValueError` where a window holds nothing but padding, so that it has no maximum in the map.
    """
    frame = frame_of(x, **window)
    view = frame.windows(frame.pad(x, -np.inf))
    x_col = view.reshape(*view.shape[: x.ndim], -1)
    tap = np.argmax(x_col, axis=-1)
    values = np.take_along_axis(x_col, tap[..., None], axis=-1)[..., 0]
    if np.isneginf(values).any():
        raise ValueError("a window holds nothing but padding, so its maximum is nowhere in the map")
    window_index = np.ix_(*map(np.arange, tap.shape[2:]))
    tap_index = coordinates(tap, frame.kernel_size)
    axes = zip(window_index, frame.stride, tap_index, frame.dilation, frame.begins, strict=True)
    pixel = tuple(index * stride + tap * dilation - begin for index, stride, tap, dilation, begin in axes)
    return values, Switches(np.ravel_multi_index(pixel, x.shape[2:]), x.shape[2:])


@kernel("max_poolNd", run_with_switches=max_pool_with_switches, before_rectifier=True)
def max_pool(x: Array, *, algorithm: Algorithm = "im2col", **window: Unpack[Pooling]) -> Array:
    """The largest value of each window; padding is −∞ and wins only alone. Source: CS231n, pooling layer."""
    frame = frame_of(x, **window)
    return _reduce(np.maximum, frame.pad(x, -np.inf), frame, algorithm)


@kernel("avg_poolNd")
def avg_pool(
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
    """1 for each pixel that counts in a mean, 0 elsewhere: a padded map with one channel."""
    values = pad(np.ones((1, 1, *x.shape[2:]), x.dtype), frame.sides, 1.0 if count_include_pad else 0.0)
    return pad(values, (*(0,) * len(frame.overhang), *frame.overhang))


@kernel("lp_poolNd")
def lp_pool(x: Array, *, norm_type: int = 2, algorithm: Algorithm = "im2col", **window: Unpack[Pooling]) -> Array:
    """(Σ |x|^p)^(1/p) of each window. Source: ONNX, LpPool."""
    frame = frame_of(x, **window)
    powers = np.abs(frame.pad(x)) ** norm_type
    sums = _reduce(np.add, powers, frame, algorithm)
    return np.asarray(sums ** (1.0 / norm_type))


def _subsampling_arrays(x: Array) -> Sizes:
    return {"weight": (x.shape[1],), "bias": (x.shape[1],)}


@kernel("subsamplingNd", arrays=_subsampling_arrays)
def subsampling(
    x: Array, weight: Array, bias: Array, *, algorithm: Algorithm = "im2col", **window: Unpack[Pooling]
) -> Array:
    """The sum of each window times a coefficient, plus a bias, one pair a channel.

    Source: LeCun et al. 1998, section II.B, layers S2 and S4.
    """
    frame = frame_of(x, **window)
    sums = _reduce(np.add, frame.pad(x), frame, algorithm)
    return np.asarray(sums * by_channel(weight, x) + by_channel(bias, x))


@kernel("global_avg_poolNd")
def global_avg_pool(x: Array) -> Array:
    """The mean of each channel, as (N, C, 1, …). Source: Lin et al. 2013, section 3.2."""
    return np.asarray(x.mean(axis=positions(x), keepdims=True))


@kernel("global_max_poolNd", before_rectifier=True)
def global_max_pool(x: Array) -> Array:
    """The largest value of each channel, as (N, C, 1, …)."""
    return np.asarray(x.max(axis=positions(x), keepdims=True))


@kernel("adaptive_avg_poolNd")
def adaptive_avg_pool(x: Array, *, output_size: PerAxis) -> Array:
    """Means over the rows ⌊i·H/n⌋ … ⌈(i + 1)·H/n⌉ and the columns likewise. Source: PyTorch, AdaptiveAvgPool2d."""
    out = np.empty((*x.shape[:2], *output_size), x.dtype)
    for position, window in shares(x, output_size):
        out[:, :, *position] = window.mean(axis=positions(x))
    return out


@kernel("adaptive_max_poolNd", before_rectifier=True)
def adaptive_max_pool(x: Array, *, output_size: PerAxis) -> Array:
    """The largest values of the same windows. Source: PyTorch, AdaptiveMaxPool2d."""
    out = np.empty((*x.shape[:2], *output_size), x.dtype)
    for position, window in shares(x, output_size):
        out[:, :, *position] = window.max(axis=positions(x))
    return out


def shares(x: Array, counts: PerAxis) -> Iterator[tuple[Index, Array]]:
    """Equal parts of a map, each widened to whole pixels: its position, and a view of it."""
    for position in np.ndindex(*counts):
        axes = zip(position, x.shape[2:], counts, strict=True)
        share: Index = (..., *(slice(i * size // n, ((i + 1) * size + n - 1) // n) for i, size, n in axes))
        yield position, x[share]


@kernel("max_unpoolNd", takes_switches_of=1)
def max_unpool(
    x: Array,
    pooled: Array,
    like: Array | None = None,
    *,
    switches: Switches,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: int | PerAxis = 0,
) -> Array:
    """Every value back where max pooling found it, zeros elsewhere; where two meet, the last in row order stays.

    The result is as large as the windows reach, or as the map `like`. Source: Zeiler & Fergus 2013, section 2.1.
    """
    if x.shape != pooled.shape or x.shape != switches.position.shape:
        raise ValueError(
            f"the maps are {x.shape}, the pooled ones {pooled.shape}, the switches {switches.position.shape}"
        )
    if like is None:
        axes = zip(x.shape[2:], stride or kernel_size, kernel_size, each(padding, x.ndim - 2), strict=True)
        size = tuple(range(0, n * step, step)[-1] + span(window) - 2 * margin for n, step, window, margin in axes)
    else:
        size = like.shape[2:]
    out = np.zeros((*x.shape[:2], *size), x.dtype)
    planes, index = by_plane(out), unpooled(switches, size)
    planes[np.arange(len(planes))[:, None], index] = x.reshape(index.shape)
    return out


def coordinates(numbers: Array, size: PerAxis) -> tuple[Array, ...]:
    """The position along each axis of places that are numbered row by row.

    The numbers are given to numpy in one row: numpy 2.4.6 gives wrong positions for more than 8,192 of them in an array
    whose last axis has one element.
    """
    return tuple(each.reshape(numbers.shape) for each in np.unravel_index(numbers.ravel(), size))


def by_plane(x: Array) -> Array:
    """All positions of a channel of an image in one row: (N·C, positions)."""
    return x.reshape(x.shape[0] * x.shape[1], -1)


def unpooled(switches: Switches, size: PerAxis) -> Array:
    """The positions of the switches in maps of another size, by plane."""
    pixel = coordinates(by_plane(switches.position), switches.size)
    if any(index.max() >= most for index, most in zip(pixel, size, strict=True)):
        raise ValueError(f"a switch lies outside the {'×'.join(map(str, size))} map; give the map that was pooled")
    return np.asarray(np.ravel_multi_index(pixel, size))
