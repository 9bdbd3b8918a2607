"""Normalisation: the response normalisation across channels, and batch normalisation as a scale and a shift."""

from __future__ import annotations

import numpy as np

from archcalc.execute.quick.kernels.blocks import even_spans
from archcalc.execute.quick.kernels.workspace import Array, Workspace


def local_response_norm(
    x: Array, out: Array, workspace: Workspace, *, size: int, alpha: float, beta: float, k: float
) -> None:
    """`x` / (k + alpha/size · Σ x²)^beta over `size` neighbouring channels: x and out (N, H, W, C).

    Source: Krizhevsky et al. 2012, section 3.3, with alpha divided by the size as in Caffe, PyTorch and ONNX.
    """
    batch, rows, columns, channels = x.shape
    before = size // 2

    def block(worker: int, item: tuple[int, slice]) -> None:
        n, part = item
        source = x[n, part]
        shape = (part.stop - part.start, columns, channels + size - 1)
        squares = workspace.array(worker, "padded", shape, x.dtype)
        squares[..., :before] = 0
        squares[..., before + channels :] = 0
        np.multiply(source, source, out=squares[..., before : before + channels])
        total = workspace.array(worker, "half", source.shape, x.dtype)
        np.add(squares[..., :channels], squares[..., 1 : 1 + channels] if size > 1 else 0, out=total)
        for offset in range(2, size):
            np.add(total, squares[..., offset : offset + channels], out=total)
        np.multiply(total, alpha / size, out=total)
        np.add(total, k, out=total)
        if beta == 0.75:  # t^0.75 = √t · √√t, some ten times the speed of a general power
            np.sqrt(total, out=total)
            root = np.sqrt(total, out=workspace.array(worker, "spare", total.shape, x.dtype))
            np.multiply(total, root, out=total)
        else:
            np.power(total, beta, out=total)
        np.divide(source, total, out=out[n, part])

    step = max(1, (1 << 17) // (columns * channels * x.itemsize))
    work = [(n, part) for n in range(batch) for part in even_spans(rows, -(-rows // step))]
    workspace.each(block, work)


def batch_norm_factors(
    gamma: Array | None, beta: Array | None, mean: Array, var: Array, epsilon: float
) -> tuple[Array, Array]:
    """Scale and shift of a batch normalisation with running statistics, in float64.

    Source: Ioffe & Szegedy 2015, algorithm 2 (inference).
    """
    scale = 1 / np.sqrt(var.astype(np.float64) + epsilon)
    if gamma is not None:
        scale = scale * gamma
    shift = -mean * scale
    return scale, shift if beta is None else shift + beta


def fold(weight: Array, bias: Array | None, scale: Array | float, shift: Array | float) -> tuple[Array, Array]:
    """One convolution that does what weight (K, …), bias (K,) do and then a scale and a shift of each of K channels.

    s·(w∗x + b) + t is (s·w)∗x + (s·b + t): computed in float64, returned in the type of the weights.
    Source: Ioffe & Szegedy 2015, algorithm 2 (inference).
    """
    factors = np.broadcast_to(np.asarray(scale, np.float64), len(weight))
    shifts = np.asarray(shift, np.float64) + (0 if bias is None else bias * factors)
    folded = weight * factors.reshape(-1, *(1,) * (weight.ndim - 1))
    return folded.astype(weight.dtype), np.broadcast_to(shifts, len(weight)).astype(weight.dtype)
