"""Normalisation, and dropout, which does nothing at inference."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.registry import Array, Sizes, by_channel, kernel, positions


def _arrays(x: Array, *, scale: bool, shift: bool) -> Sizes:
    channels = (x.shape[1],)
    trained = {**({"weight": channels} if scale else {}), **({"bias": channels} if shift else {})}
    return {**trained, "running_mean": channels, "running_var": channels}


@kernel("batch_normNd", arrays=_arrays, normalises=True, before_rectifier=True)
def batch_norm(
    x: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    epsilon: float = 1e-5,
    training: bool = False,
) -> Array:
    """(x − mean)/√(variance + ε)·γ + β, as one scale and one shift a channel.

    With running statistics: Ioffe & Szegedy 2015, algorithm 2; in training with those of the batch: algorithm 1.
    """
    mean, variance = batch_statistics(x) if training else (running_mean, running_var)
    scale = 1 / np.sqrt(variance + x.dtype.type(epsilon))
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale
    if bias is not None:
        shift = shift + bias
    out = x * by_channel(scale, x)
    out += by_channel(shift, x)
    return np.asarray(out)


def batch_statistics(x: Array) -> tuple[Array, Array]:
    """Mean and variance (divided by the count) of each channel over images and positions.

    Raises `ValueError` where there is one value only, which would always come out as 0.
    """
    if x.size == x.shape[1]:
        raise ValueError("one value a channel has no variance; a batch of 2 or more has")
    axes = (0, *positions(x))
    return x.mean(axis=axes), x.var(axis=axes)


@kernel("local_response_norm", before_rectifier=True)
def local_response_norm(x: Array, *, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Array:
    """Each x / (k + α/n · Σ x²)^β over n neighbouring channels, fewer at the first and last.

    Source: Krizhevsky et al. 2012, section 3.3, with α/n and the window as in PyTorch, LocalResponseNorm.
    """
    return np.asarray(x / response_scale(x, size, alpha, k) ** beta)


def response_scale(x: Array, size: int, alpha: float, k: float) -> Array:
    """What a value is divided by, before the power β: k + α/n · Σ x² over its neighbours."""
    squares = x * x
    scale = np.empty_like(x)
    for c in range(x.shape[1]):
        scale[:, c] = squares[:, around(c, size)].sum(axis=1)
    scale *= alpha / size
    scale += k
    return scale


def around(channel: int, size: int) -> slice:
    """The channels of a window; an even one reaches one further backward, as in PyTorch."""
    first = channel - size // 2
    return slice(max(first, 0), first + size)


@kernel("dropout", before_rectifier=True)
@kernel("stochastic_depth", before_rectifier=True)
@kernel("drop_block", before_rectifier=True)
@kernel("feature_dropout", before_rectifier=True)
@kernel("alpha_dropout", before_rectifier=True)
@kernel("feature_alpha_dropout", before_rectifier=True)
def dropout(x: Array) -> Array:
    """At inference nothing is dropped. Source: Hinton et al. 2012."""
    return x
