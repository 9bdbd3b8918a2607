"""Layers in which every output reads every input."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.registry import Array, Sizes, kernel


def _arrays(x: Array, *, out_features: int, bias: bool) -> Sizes:
    return {"weight": (out_features, x[0].size), **({"bias": (out_features,)} if bias else {})}


def _once(_x: Array, _out: Array) -> int:
    return 1


@kernel("linear", arrays=_arrays, weight_uses=_once)
def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """W·x + b; a map is flattened first. weight (out, in), x (N, …) → (N, out). Source: CS231n, fully-connected."""
    out = np.asarray(x.reshape(len(x), -1) @ weight.T)
    return out if bias is None else out + bias


def _centers(x: Array, *, out_features: int) -> Sizes:
    return {"centers": (out_features, x.shape[1])}


@kernel("rbf", arrays=_centers, gives="distances")
def rbf(x: Array, centers: Array) -> Array:
    """Squared Euclidean distances to the rows of `centers`. Source: LeCun et al. 1998, section II.B, equation 7."""
    return np.asarray(((x[:, None, :] - centers) ** 2).sum(axis=2))
