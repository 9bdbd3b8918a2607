"""Activation functions since ReLU: the gradient of the result times the derivative at each place."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from archcalc.execute.kernels import curves
from archcalc.execute.kernels.activation import sigmoid
from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array


@backward("leaky_relu", nature="rescaled")
def leaky_relu(grad: Array, x: Array, *, negative_slope: float = 0.01) -> Gradients:
    """1 where x > 0, else the slope."""
    return Gradients((np.where(x > 0, grad, grad * grad.dtype.type(negative_slope)),))


@backward("prelu", nature="rescaled")
def prelu(grad: Array, x: Array, weight: Array) -> Gradients:
    """1 where x > 0, else the slope; a slope gets all that lies below 0, times x. Source: He et al. 2015, eq. 3."""
    slopes = weight.reshape(-1, *(1,) * (x.ndim - 2))
    pulls = np.where(x > 0, 0, grad * x)
    axes = (0, *range(2, x.ndim)) if weight.size == x.shape[1] else tuple(range(x.ndim))
    found = pulls.sum(axis=axes).reshape(weight.shape)
    return Gradients((np.where(x > 0, grad, grad * slopes),), {"weight": found})


@backward("elu", nature="rescaled")
def elu(grad: Array, x: Array, *, alpha: float = 1.0) -> Gradients:
    """1 where x > 0, else α·e^x."""
    return Gradients((grad * np.where(x > 0, 1, grad.dtype.type(alpha) * np.exp(np.minimum(x, 0))),))


@backward("selu", nature="rescaled")
def selu(grad: Array, x: Array) -> Gradients:
    """λ times that of an ELU with the same α."""
    (inner,) = elu(grad, x, alpha=curves.SELU_ALPHA).maps
    assert inner is not None
    return Gradients((grad.dtype.type(curves.SELU_SCALE) * inner,))


@backward("gelu", nature="rescaled")
def gelu(grad: Array, x: Array, *, approximate: Literal["none", "tanh"] = "none") -> Gradients:
    """Φ(x) + x·φ(x), with φ the density; of the approximation by the product rule."""
    if approximate == "none":
        density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        return Gradients(((grad * (curves.below(x) + x * density)).astype(grad.dtype, copy=False),))
    root = math.sqrt(2 / math.pi)
    inner = np.tanh(root * (x + curves.GELU_CUBE * x**3))
    slope = root * (1 + 3 * curves.GELU_CUBE * x * x)
    return Gradients((grad * (0.5 * (1 + inner) + 0.5 * x * (1 - inner**2) * slope),))


@backward("silu", nature="rescaled")
def silu(grad: Array, x: Array) -> Gradients:
    """σ + x·σ·(1 − σ)."""
    share = sigmoid(x)
    return Gradients((grad * share * (1 + x * (1 - share)),))


@backward("softplus", nature="rescaled")
def softplus(grad: Array, x: Array, *, beta: float = 1.0, threshold: float = 20.0) -> Gradients:
    """σ(β·x), and 1 above the threshold."""
    scaled = x * x.dtype.type(beta)
    return Gradients((grad * np.where(scaled > threshold, 1, sigmoid(scaled)),))


@backward("mish", nature="rescaled")
def mish(grad: Array, x: Array) -> Gradients:
    """Of a product: t + x·(1 − t²)·σ(x), with t = tanh(ln(1 + e^x))."""
    inner = np.tanh(np.logaddexp(x, x.dtype.type(0)))
    return Gradients((grad * (inner + x * (1 - inner**2) * sigmoid(x)),))


@backward("hardsigmoid", nature="rescaled")
def hardsigmoid(grad: Array, x: Array) -> Gradients:
    """A sixth between −3 and 3."""
    return Gradients((grad * ((x > -3) & (x < 3)) / 6,))


@backward("hardswish", nature="rescaled")
def hardswish(grad: Array, x: Array) -> Gradients:
    """0 up to −3, x/3 + ½ up to 3, then 1."""
    return Gradients((grad * np.where(x <= -3, 0, np.where(x < 3, x / 3 + 0.5, 1)).astype(grad.dtype, copy=False),))


@backward("hardtanh", nature="rescaled")
def hardtanh(grad: Array, x: Array, *, min_val: float = -1.0, max_val: float = 1.0) -> Gradients:
    """1 between the two ends."""
    return Gradients((grad * ((x > min_val) & (x < max_val)),))


@backward("log_softmax")
def log_softmax(grad: Array, x: Array) -> Gradients:
    """As g − y·Σ g over the classes, with y the softmax."""
    shares = np.exp(curves.log_softmax(x))
    return Gradients((grad - shares * grad.sum(axis=1, keepdims=True),))


@backward("glu")
def glu(grad: Array, x: Array) -> Gradients:
    """For the values σ of the gates; for the gates values·σ·(1 − σ)."""
    values, gates = np.split(x, 2, axis=1)
    share = sigmoid(gates)
    return Gradients((np.concatenate([grad * share, grad * values * share * (1 - share)], axis=1),))
