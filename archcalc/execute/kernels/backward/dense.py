"""Dense layers."""

from __future__ import annotations

from archcalc.execute.kernels.backward.registry import Gradients, backward, with_bias
from archcalc.execute.kernels.registry import Array


@backward("linear", nature="linear")
def linear(grad: Array, x: Array, weight: Array, bias: Array | None = None, *, per_position: bool = False) -> Gradients:
    """∂L/∂x = Wᵀ·g, ∂L/∂W = g·xᵀ summed over the batch (and over positions), ∂L/∂b = Σ g.

    Source: CS231n, backpropagation, "Gradients for vectorized operations".
    """
    if per_position and x.ndim > 2:
        g, wide = grad.reshape(*grad.shape[:2], -1), x.reshape(*x.shape[:2], -1)
        to_weight = (g @ wide.swapaxes(1, 2)).sum(axis=0)
        return Gradients(((weight.T @ g).reshape(x.shape),), with_bias(to_weight, bias, g, (0, 2)))
    flat = x.reshape(len(x), -1)
    return Gradients(((grad @ weight).reshape(x.shape),), with_bias(grad.T @ flat, bias, grad, (0,)))


@backward("rbf")
def rbf(grad: Array, x: Array, centers: Array) -> Gradients:
    """2·(x − c) for each code, weighted by its gradient; the code gets the opposite."""
    # Of each image to each code, feature by feature.
    pulls = 2 * grad[:, :, None] * (x[:, None, :] - centers)
    return Gradients((pulls.sum(axis=1),), {"centers": -pulls.sum(axis=0)})
