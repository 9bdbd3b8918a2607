"""Pooling and unpooling: how the gradient of a window is shared among the pixels that it read."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.pool import counted, max_pool2d_with_switches, shares
from archcalc.execute.kernels.registry import Array, Switches
from archcalc.execute.kernels.windows import Frame, Pair, Pooling, frame_of


@backward("max_pool2d", nature="linear")
def max_pool2d(
    grad: Array,
    x: Array,
    **window: Unpack[Pooling],
) -> Gradients:
    """Through the switches: all of a window's gradient goes to its maximum. Source: CS231n, pooling layer."""
    _, switches = max_pool2d_with_switches(x, **window)
    planes = np.zeros((grad.shape[0] * grad.shape[1], switches.size[0] * switches.size[1]), grad.dtype)
    plane = np.arange(len(planes))[:, None]
    # One pixel may be the maximum of several windows.
    np.add.at(planes, (plane, switches.position.reshape(len(planes), -1)), grad.reshape(len(planes), -1))
    return Gradients((planes.reshape(x.shape),))


def _to_every_tap(each: Array, x: Array, frame: Frame) -> Array:
    """The gradient that all pixels of a window share, added up where windows overlap."""
    padded = frame.pad(np.zeros_like(x))
    for _, _, seen in frame.taps(padded):
        seen[...] += each
    return frame.cut(padded)


@backward("avg_pool2d", nature="linear")
def avg_pool2d(
    grad: Array,
    x: Array,
    *,
    count_include_pad: bool = True,
    **window: Unpack[Pooling],
) -> Gradients:
    """An equal share to every pixel of a window."""
    frame = frame_of(x, **window)
    counts = frame.windows(counted(x, frame, count_include_pad)).sum(axis=(4, 5))
    return Gradients((_to_every_tap(grad / counts, x, frame),))


@backward("lp_pool2d")
def lp_pool2d(
    grad: Array,
    x: Array,
    *,
    norm_type: int = 2,
    **window: Unpack[Pooling],
) -> Gradients:
    """(|x|/y)^(p − 1) with the sign of x; nothing where the norm y is 0."""
    frame = frame_of(x, **window)
    padded = frame.pad(x)
    powers = frame.windows(np.abs(padded) ** norm_type).sum(axis=(4, 5))
    norm = np.where(powers > 0, powers, 1) ** (1.0 / norm_type)
    each = np.where(powers > 0, grad / norm ** (norm_type - 1), 0)
    out = np.zeros_like(padded)
    slopes = np.sign(padded) * np.abs(padded) ** (norm_type - 1)
    for (_, _, seen), (_, _, slope) in zip(frame.taps(out), frame.taps(slopes), strict=True):
        seen[...] += each * slope
    return Gradients((frame.cut(out),))


@backward("subsampling2d", nature="linear")
def subsampling2d(
    grad: Array,
    x: Array,
    weight: Array,
    bias: Array,
    **window: Unpack[Pooling],
) -> Gradients:
    """The coefficient to every pixel; the coefficient gets the sum of its windows."""
    frame = frame_of(x, **window)
    sums = frame.windows(frame.pad(x)).sum(axis=(4, 5))
    arrays = {"weight": (grad * sums).sum(axis=(0, 2, 3)), "bias": grad.sum(axis=(0, 2, 3)).reshape(bias.shape)}
    return Gradients((_to_every_tap(grad * weight[:, None, None], x, frame),), arrays)


@backward("global_avg_pool2d", nature="linear")
def global_avg_pool2d(grad: Array, x: Array) -> Gradients:
    """An equal share to every pixel."""
    return Gradients((np.broadcast_to(grad / (x.shape[2] * x.shape[3]), x.shape),))


@backward("adaptive_avg_pool2d", nature="linear")
def adaptive_avg_pool2d(grad: Array, x: Array, *, output_size: Pair) -> Gradients:
    """An equal share to every pixel of a window; windows may overlap by a pixel."""
    out = np.zeros_like(x)
    for i, rows in enumerate(shares(x.shape[2], output_size[0])):
        for j, columns in enumerate(shares(x.shape[3], output_size[1])):
            seen = out[:, :, rows, columns]
            seen += grad[:, :, i : i + 1, j : j + 1] / (seen.shape[2] * seen.shape[3])
    return Gradients((out,))


@backward("max_unpool2d", nature="linear")
def max_unpool2d(grad: Array, x: Array, _pooled: Array, like: Array | None = None, *, switches: Switches) -> Gradients:
    """Every value gets the gradient of where it was put, unless a later value overwrote it."""
    rows, columns = np.divmod(switches.position, switches.size[1])
    image = np.arange(x.shape[0])[:, None, None, None]
    channel = np.arange(x.shape[1])[:, None, None]
    numbers = np.arange(x[0, 0].size).reshape(x.shape[2:])
    last = np.full(grad.shape, -1)
    last[image, channel, rows, columns] = numbers
    stayed = last[image, channel, rows, columns] == numbers
    maps = (grad[image, channel, rows, columns] * stayed, None, None)
    return Gradients(maps[: 2 if like is None else 3])
