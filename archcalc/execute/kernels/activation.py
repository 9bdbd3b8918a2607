"""Activation functions. With `out` the result is put there, which may be the input itself."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.moments import rectified
from archcalc.execute.kernels.registry import Array, kernel


@kernel("relu", is_rectifier=True, moments=rectified)
def relu(x: Array, *, out: Array | None = None) -> Array:
    """max(0, x)."""
    return np.asarray(np.maximum(x, 0, out=out))


@kernel("relu6", is_rectifier=True, moments=rectified)
def relu6(x: Array, *, out: Array | None = None) -> Array:
    """min(max(0, x), 6). Source: Krizhevsky 2010, convolutional deep belief networks on CIFAR-10."""
    return np.asarray(np.clip(x, 0, 6, out=out))


@kernel("sigmoid")
def sigmoid(x: Array, *, out: Array | None = None) -> Array:
    """1/(1 + e^−x), as (1 + tanh(x/2))/2, which never overflows."""
    result = np.tanh(np.multiply(x, 0.5, out=out), out=out)
    result = np.add(result, 1, out=out)
    return np.asarray(np.multiply(result, 0.5, out=out))


@kernel("tanh")
def tanh(x: Array, *, out: Array | None = None) -> Array:
    """(e^2x − 1)/(e^2x + 1)."""
    return np.asarray(np.tanh(x, out=out))


@kernel("scaled_tanh")
def scaled_tanh(x: Array, *, out: Array | None = None) -> Array:
    """1.7159·tanh(2/3·x), so that f(1) = 1. Source: LeCun et al. 1998, appendix A."""
    result = np.tanh(np.multiply(x, 2 / 3, out=out), out=out)
    return np.asarray(np.multiply(result, 1.7159, out=out))


@kernel("softmax", gives="probabilities")
def softmax(x: Array, *, out: Array | None = None) -> Array:
    """e^x divided by the sum over the classes (axis 1), at each position; the largest is subtracted first."""
    result = np.exp(np.subtract(x, x.max(axis=1, keepdims=True), out=out), out=out)
    return np.asarray(np.divide(result, result.sum(axis=1, keepdims=True), out=out))
