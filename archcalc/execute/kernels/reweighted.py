"""Weights that are made of other arrays before a kernel reads them: weight and spectral normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TypedDict, Unpack

import numpy as np

from archcalc.execute.kernels.registry import Array, Sizes


class Normalised(TypedDict, total=False):
    """The settings of an op that say how its weight is made; left out, both are false."""

    weight_norm: bool
    spectral_norm: bool


def stored(weight: tuple[int, ...], output_axis: int = 0, **normalised: Unpack[Normalised]) -> Sizes:
    """Names and sizes of the arrays that stand for a weight of this size."""
    if normalised.get("weight_norm"):
        return {"original0": (weight[0],) + (1,) * (len(weight) - 1), "original1": weight}
    if normalised.get("spectral_norm"):
        outputs = weight[output_axis]
        return {"weight": weight, "_u": (outputs,), "_v": (prod(weight) // outputs,)}
    return {"weight": weight}


def size_of_weight(sizes: Sizes) -> tuple[int, ...]:
    """The size of the weight that a kernel reads, from those of the stored arrays."""
    return sizes["original1" if "original1" in sizes else "weight"]


def made(arrays: Mapping[str, Array], output_axis: int = 0) -> Mapping[str, Array]:
    """The arrays as a kernel reads them, from those that are stored.

    g·v/‖v‖ (Salimans & Kingma 2016, equation 2), or W/σ with σ = uᵀ·W·v (Miyato et al. 2018, algorithm 1).
    """
    if "original1" in arrays:
        g, v = arrays["original0"], arrays["original1"]
        weight = v * (g / _lengths(v))
    elif "_u" in arrays:
        weight = arrays["weight"] / _sigma(arrays, output_axis)
    else:
        return arrays
    return {"weight": weight, **({"bias": arrays["bias"]} if "bias" in arrays else {})}


def gradients(found: Mapping[str, Array], arrays: Mapping[str, Array], output_axis: int = 0) -> Mapping[str, Array]:
    """Gradients of the stored arrays from that of the weight; u and v stay as they are, as in PyTorch.

    Of g: G·v/‖v‖, and of v: g/‖v‖·(G − v·(G·v)/‖v‖²) (Salimans & Kingma 2016, equation 3). Of W: G/σ, less uvᵀ times
    G·W/σ² (Miyato et al. 2018, equation 9).
    """
    others = {name: array for name, array in found.items() if name != "weight"}
    if "original1" in arrays:
        grad = found["weight"]
        g, v = arrays["original0"], arrays["original1"]
        lengths, axes = _lengths(v), tuple(range(1, v.ndim))
        to_g = np.sum(grad * v, axis=axes, keepdims=True) / lengths
        return {"original0": to_g, "original1": g / lengths * (grad - v * (to_g / lengths)), **others}
    if "_u" in arrays:
        grad = found["weight"]
        weight, sigma = arrays["weight"], _sigma(arrays, output_axis)
        moved = np.moveaxis(weight, output_axis, 0).shape
        outer = np.moveaxis(np.outer(arrays["_u"], arrays["_v"]).reshape(moved), 0, output_axis)
        return {"weight": grad / sigma - np.sum(grad * weight) / sigma**2 * outer, **others}
    return found


def power_method(weight: Array, u: Array, output_axis: int = 0, steps: int = 15) -> tuple[Array, Array]:
    """Unit vectors u and v with uᵀ·W·v near the largest singular value, after as many steps as PyTorch begins with."""
    matrix, u = _matrix(weight, output_axis).astype(np.float64), u.astype(np.float64)
    v = np.empty(0)
    for _ in range(steps):
        v = matrix.T @ u
        v = v / max(float(np.linalg.norm(v)), 1e-12)
        u = matrix @ v
        u = u / max(float(np.linalg.norm(u)), 1e-12)
    return u.astype(weight.dtype), v.astype(weight.dtype)


def _lengths(v: Array) -> Array:
    return np.asarray(np.sqrt(np.sum(np.square(v), axis=tuple(range(1, v.ndim)), keepdims=True)))


def _matrix(weight: Array, output_axis: int) -> Array:
    return np.moveaxis(weight, output_axis, 0).reshape(weight.shape[output_axis], -1)


def _sigma(arrays: Mapping[str, Array], output_axis: int) -> Array:
    return np.asarray(arrays["_u"] @ _matrix(arrays["weight"], output_axis) @ arrays["_v"])
