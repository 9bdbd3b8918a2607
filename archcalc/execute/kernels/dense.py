"""Layers in which every output reads every input."""

from __future__ import annotations

import math
from typing import Unpack

import numpy as np

from archcalc.execute.kernels.registry import Array, Sizes, kernel
from archcalc.execute.kernels.reweighted import Normalised, stored


def _arrays(x: Array, *, out_features: int, bias: bool, per_position: bool, **normalised: Unpack[Normalised]) -> Sizes:
    depth = x.shape[1] if per_position else x[0].size
    return {**stored((out_features, depth), **normalised), **({"bias": (out_features,)} if bias else {})}


def _once_a_position(_x: Array, out: Array) -> int:
    return math.prod(out.shape[2:])


@kernel("linear", arrays=_arrays, weight_uses=_once_a_position)
def linear(x: Array, weight: Array, bias: Array | None = None, *, per_position: bool = False) -> Array:
    """W·x + b; a map is flattened first. weight (out, in), x (N, …) → (N, out). Source: CS231n, fully-connected.

    `per_position`: the channels of each position by themselves, (N, in, …) → (N, out, …).
    """
    if per_position and x.ndim > 2:
        flat = weight @ x.reshape(*x.shape[:2], -1)
        return np.asarray(flat if bias is None else flat + bias[:, None]).reshape(len(x), -1, *x.shape[2:])
    out = np.asarray(x.reshape(len(x), -1) @ weight.T)
    return out if bias is None else out + bias


def _centers(x: Array, *, out_features: int) -> Sizes:
    return {"centers": (out_features, x.shape[1])}


@kernel("rbf", arrays=_centers, gives="distances")
def rbf(x: Array, centers: Array) -> Array:
    """Squared Euclidean distances to the rows of `centers`. Source: LeCun et al. 1998, section II.B, equation 7."""
    return np.asarray(((x[:, None, :] - centers) ** 2).sum(axis=2))
