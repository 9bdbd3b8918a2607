"""Pooling and unpooling: how the gradient of a window is shared among the pixels that it read."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.pool import by_plane, counted, max_pool_with_switches, shares, unpooled
from archcalc.execute.kernels.registry import Array, Switches, by_channel, positions
from archcalc.execute.kernels.windows import Frame, PerAxis, Pooling, frame_of


@backward("max_poolNd", nature="linear")
def max_pool(grad: Array, x: Array, **window: Unpack[Pooling]) -> Gradients:
    """Through the switches: all of a window's gradient goes to its maximum. Source: CS231n, pooling layer."""
    _, switches = max_pool_with_switches(x, **window)
    out = np.zeros(x.shape, grad.dtype)
    planes = by_plane(out)
    # One pixel may be the maximum of several windows.
    np.add.at(planes, (np.arange(len(planes))[:, None], by_plane(switches.position)), by_plane(grad))
    return Gradients((out,))


def _to_every_tap(each: Array, x: Array, frame: Frame) -> Array:
    """The gradient that all pixels of a window share, added up where windows overlap."""
    padded = frame.pad(np.zeros_like(x))
    for _, seen in frame.taps(padded):
        seen[...] += each
    return frame.cut(padded, x)


def _sums(padded: Array, frame: Frame) -> Array:
    windows = frame.windows(padded)
    return np.asarray(windows.sum(axis=tuple(range(padded.ndim, windows.ndim))))


@backward("avg_poolNd", nature="linear")
def avg_pool(grad: Array, x: Array, *, count_include_pad: bool = True, **window: Unpack[Pooling]) -> Gradients:
    """An equal share to every pixel of a window."""
    frame = frame_of(x, **window)
    counts = _sums(counted(x, frame, count_include_pad), frame)
    return Gradients((_to_every_tap(grad / counts, x, frame),))


@backward("lp_poolNd")
def lp_pool(grad: Array, x: Array, *, norm_type: int = 2, **window: Unpack[Pooling]) -> Gradients:
    """(|x|/y)^(p − 1) with the sign of x; nothing where the norm y is 0."""
    frame = frame_of(x, **window)
    padded = frame.pad(x)
    powers = _sums(np.abs(padded) ** norm_type, frame)
    norm = np.where(powers > 0, powers, 1) ** (1.0 / norm_type)
    each = np.where(powers > 0, grad / norm ** (norm_type - 1), 0)
    slopes = np.sign(x) * np.abs(x) ** (norm_type - 1)
    return Gradients((_to_every_tap(each, x, frame) * slopes,))


@backward("subsamplingNd", nature="linear")
def subsampling(grad: Array, x: Array, weight: Array, bias: Array, **window: Unpack[Pooling]) -> Gradients:
    """The coefficient to every pixel; the coefficient gets the sum of its windows."""
    frame = frame_of(x, **window)
    axes = (0, *positions(x))
    arrays = {
        "weight": (grad * _sums(frame.pad(x), frame)).sum(axis=axes),
        "bias": grad.sum(axis=axes).reshape(bias.shape),
    }
    return Gradients((_to_every_tap(grad * by_channel(weight, x), x, frame),), arrays)


@backward("global_avg_poolNd", nature="linear")
def global_avg_pool(grad: Array, x: Array) -> Gradients:
    """An equal share to every pixel."""
    return Gradients((np.broadcast_to(grad / x[0, 0].size, x.shape),))


@backward("global_max_poolNd", nature="linear")
def global_max_pool(grad: Array, x: Array) -> Gradients:
    """All of it to the maximum, the first of equal ones."""
    return adaptive_max_pool(grad, x, output_size=(1,) * (x.ndim - 2))


@backward("adaptive_avg_poolNd", nature="linear")
def adaptive_avg_pool(grad: Array, x: Array, *, output_size: PerAxis) -> Gradients:
    """An equal share to every pixel of a window; windows may overlap by a pixel."""
    out = np.zeros_like(x)
    for position, seen in shares(out, output_size):
        seen[...] += np.expand_dims(grad[:, :, *position], positions(x)) / seen[0, 0].size
    return Gradients((out,))


@backward("adaptive_max_poolNd", nature="linear")
def adaptive_max_pool(grad: Array, x: Array, *, output_size: PerAxis) -> Gradients:
    """All of a window's gradient to its maximum, the first of equal ones."""
    out = np.zeros_like(x)
    for (position, seen), (_, window) in zip(shares(out, output_size), shares(x, output_size), strict=True):
        best = np.unravel_index(by_plane(window).argmax(axis=1), window.shape[2:])
        image, channel = np.divmod(np.arange(x.shape[0] * x.shape[1]), x.shape[1])
        seen[(image, channel, *best)] += grad[:, :, *position].reshape(-1)
    return Gradients((out,))


@backward("max_unpoolNd", nature="linear")
def max_unpool(grad: Array, x: Array, _pooled: Array, like: Array | None = None, *, switches: Switches) -> Gradients:
    """Every value gets the gradient of where it was put, unless a later value overwrote it."""
    index = unpooled(switches, grad.shape[2:])
    plane = np.arange(len(index))[:, None]
    number = np.arange(index.shape[1])
    last = np.full(by_plane(grad).shape, -1)
    last[plane, index] = number
    stayed = last[plane, index] == number
    maps = ((by_plane(grad)[plane, index] * stayed).reshape(x.shape), None, None)
    return Gradients(maps[: 2 if like is None else 3])
