"""Normalisation, and dropout, which is left out."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.norm import around, batch_statistics, response_scale
from archcalc.execute.kernels.registry import Array, by_channel, positions


@backward("batch_normNd", nature="linear")
def batch_norm(
    grad: Array,
    x: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    epsilon: float = 1e-5,
    training: bool = False,
) -> Gradients:
    """γ/√(variance + ε) times the gradient; in training the statistics of the batch depend on x too.

    Source: Ioffe & Szegedy 2015, section 3, gradients after algorithm 1.
    """
    axes = (0, *positions(x))
    mean, variance = batch_statistics(x) if training else (running_mean, running_var)
    inverse = by_channel(1 / np.sqrt(variance + x.dtype.type(epsilon)), x)
    normalised = (x - by_channel(mean, x)) * inverse
    arrays = {}
    if weight is not None:
        arrays["weight"] = (grad * normalised).sum(axis=axes)
    if bias is not None:
        arrays["bias"] = grad.sum(axis=axes)
    inner = grad if weight is None else grad * by_channel(weight, x)
    if training:
        # What moves the mean and the variance of the batch as a whole is taken out again.
        common = inner.mean(axis=axes, keepdims=True)
        inner = inner - common - normalised * (inner * normalised).mean(axis=axes, keepdims=True)
    return Gradients((inner * inverse,), arrays)


@backward("local_response_norm", nature="rescaled")
def local_response_norm(
    grad: Array, x: Array, *, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Gradients:
    """g·s^−β, less what each value does to the scale s of its neighbours: 2·α·β/n · x · Σ g·x·s^−(β + 1)."""
    scale = response_scale(x, size, alpha, k)
    pulls = grad * x / scale ** (beta + 1)
    sums = np.zeros_like(x)
    for c in range(x.shape[1]):
        sums[:, around(c, size)] += pulls[:, c : c + 1]
    return Gradients((grad / scale**beta - (2 * alpha * beta / size) * x * sums,))


@backward("dropout", nature="linear")
@backward("stochastic_depth", nature="linear")
@backward("drop_block", nature="linear")
@backward("feature_dropout", nature="linear")
@backward("alpha_dropout", nature="linear")
@backward("feature_alpha_dropout", nature="linear")
def dropout(grad: Array, x: Array) -> Gradients:
    """Nothing was dropped."""
    return Gradients((grad.reshape(x.shape),))
