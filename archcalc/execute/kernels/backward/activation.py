"""Activation functions: the gradient of the result times the derivative at each place."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels import activation
from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array


@backward("relu", nature="rectifier")
def relu(grad: Array, x: Array) -> Gradients:
    """1 where x > 0; 0 elsewhere, at 0 too."""
    return Gradients((grad * (x > 0),))


@backward("relu6", nature="rectifier")
def relu6(grad: Array, x: Array) -> Gradients:
    """1 between 0 and 6."""
    return Gradients((grad * ((x > 0) & (x < 6)),))


@backward("sigmoid", nature="rescaled")
def sigmoid(grad: Array, x: Array) -> Gradients:
    """y·(1 − y), at most ¼."""
    y = activation.sigmoid(x)
    return Gradients((grad * y * (1 - y),))


@backward("tanh", nature="rescaled")
def tanh(grad: Array, x: Array) -> Gradients:
    """1 − y²."""
    return Gradients((grad * (1 - np.tanh(x) ** 2),))


@backward("scaled_tanh", nature="rescaled")
def scaled_tanh(grad: Array, x: Array) -> Gradients:
    """A·S·(1 − tanh(S·x)²) with A = 1.7159 and S = 2/3."""
    inner = np.tanh(x * (2 / 3))
    return Gradients((grad * (1.7159 * 2 / 3) * (1 - inner**2),))


@backward("softmax")
def softmax(grad: Array, x: Array) -> Gradients:
    """y·(g − Σ g·y) over the classes: each class also takes from all others."""
    y = activation.softmax(x)
    return Gradients((y * (grad - (grad * y).sum(axis=1, keepdims=True)),))
