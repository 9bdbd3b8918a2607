"""Normalisation, and dropout, which does nothing at inference."""

from __future__ import annotations

import numpy as np

from archcalc.kernels.registry import Array, Sizes, kernel


def _arrays(x: Array, *, scale: bool, shift: bool) -> Sizes:
    channels = (x.shape[1],)
    trained = {**({"weight": channels} if scale else {}), **({"bias": channels} if shift else {})}
    return {**trained, "running_mean": channels, "running_var": channels}


@kernel("batch_norm2d", arrays=_arrays)
def batch_norm2d(
    x: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    epsilon: float = 1e-5,
) -> Array:
    """(x − mean)/√(variance + ε)·γ + β with running statistics, as one scale and one shift a channel.

    Source: Ioffe & Szegedy 2015, algorithm 2.
    """
    scale = 1 / np.sqrt(running_var + x.dtype.type(epsilon))
    if weight is not None:
        scale = scale * weight
    shift = -running_mean * scale
    if bias is not None:
        shift = shift + bias
    spread = (-1,) + (1,) * (x.ndim - 2)
    out = x * scale.reshape(spread)
    out += shift.reshape(spread)
    return np.asarray(out)


@kernel("local_response_norm")
def local_response_norm(x: Array, *, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Array:
    """Each x / (k + α/n · Σ x²)^β over n neighbouring channels, fewer at the first and last.

    An even window reaches one channel further forward. Source: Krizhevsky et al. 2012, section 3.3, with α/n as in
    ONNX, LRN.
    """
    squares = x * x
    sums = np.zeros_like(x)
    channels = x.shape[1]
    for c in range(channels):
        first = c - (size - 1) // 2
        sums[:, c] = squares[:, max(first, 0) : first + size].sum(axis=1)
    sums *= alpha / size
    sums += k
    return np.asarray(x / sums**beta)


@kernel("dropout")
def dropout(x: Array) -> Array:
    """At inference nothing is dropped. Source: Hinton et al. 2012."""
    return x
