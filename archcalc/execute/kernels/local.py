"""Locally connected layers: windows as in a convolution, with filters of their own at every position."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from archcalc.execute.kernels.registry import Algorithm, Array, Sizes, kernel
from archcalc.execute.kernels.windows import Pair, Steps, frame_of


def _arrays(x: Array, *, out_channels: int, kernel_size: Pair, bias: bool, **steps: Unpack[Steps]) -> Sizes:
    frame = frame_of(x, kernel_size, **steps)
    rows, columns = frame.starts(frame.pad(x[:1, :1]))
    out = (out_channels, len(rows), len(columns))
    return {"weight": (*out, x.shape[1], *kernel_size), **({"bias": out} if bias else {})}


def _once(_x: Array, _out: Array) -> int:
    return 1


def _fans(size: tuple[int, ...]) -> Pair:
    return int(np.prod(size[3:])), size[0] * int(np.prod(size[4:]))


@kernel("locally_connected2d", arrays=_arrays, weight_uses=_once, fans=_fans)
def locally_connected2d(
    x: Array, weight: Array, bias: Array | None = None, *, algorithm: Algorithm = "im2col", **steps: Unpack[Steps]
) -> Array:
    """Filters of its own for every position: weight (K, rows, columns, C, height, width), bias (K, rows, columns).

    Source: CS231n, parameter sharing.
    """
    windows = (frame := frame_of(x, (weight.shape[4], weight.shape[5]), **steps)).windows(frame.pad(x))
    images, _, height, width = windows.shape[:4]
    if (height, width) != weight.shape[1:3]:
        raise ValueError(f"weights for {weight.shape[1:3]} positions, but there are {(height, width)}")
    out = np.empty((images, len(weight), height, width), x.dtype)
    for i in range(height):
        for j in range(width):
            if algorithm == "loops":
                for k in range(len(weight)):
                    out[:, k, i, j] = np.sum(windows[:, :, i, j] * weight[k, i, j], axis=(1, 2, 3))
            else:
                w_row = weight[:, i, j].reshape(len(weight), -1)
                out[:, :, i, j] = (w_row @ windows[:, :, i, j].reshape(images, -1).T).T
    return out if bias is None else out + bias
