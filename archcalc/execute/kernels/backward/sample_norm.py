"""Normalisation by the statistics of one image: what moves a mean or a variance as a whole is taken out again."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array
from archcalc.execute.kernels.sample_norm import Over, axes_of, grouped, lengths, response, spread, standardised


def _back(grad: Array, normal: Array, inverse: Array, axes: tuple[int, ...], centred: bool = True) -> Array:
    """The gradient of `standardised`. Source: Ioffe & Szegedy 2015, section 3, with these axes for those of a batch."""
    inner = grad - normal * (grad * normal).mean(axis=axes, keepdims=True)
    if centred:
        inner = inner - grad.mean(axis=axes, keepdims=True)
    return np.asarray(inner * inverse)


def _affine(grad: Array, normal: Array, weight: Array | None, bias: Array | None) -> tuple[Array, dict[str, Array]]:
    """The gradient before γ and β, and theirs."""
    arrays = {}
    for name, array, part in (("weight", weight, grad * normal), ("bias", bias, grad)):
        if array is not None:
            arrays[name] = part.sum(axis=(0, *range(1 + array.ndim, grad.ndim)))
    return grad if weight is None else grad * spread(weight, grad), arrays


@backward("layer_norm")
def layer_norm(
    grad: Array, x: Array, weight: Array | None = None, bias: Array | None = None,
    *, axes: Over = "channels", epsilon: float = 1e-5,
) -> Gradients:  # fmt: skip
    """That of a normalisation over these axes, after γ."""
    over = axes_of(x, axes)
    normal, inverse = standardised(x, over, epsilon)
    inner, arrays = _affine(grad, normal, weight, bias)
    return Gradients((_back(inner, normal, inverse, over),), arrays)


@backward("rms_norm")
def rms_norm(
    grad: Array, x: Array, weight: Array | None = None, bias: Array | None = None,
    *, axes: Over = "channels", epsilon: float = 1e-5,
) -> Gradients:  # fmt: skip
    """The same without a mean."""
    over = axes_of(x, axes)
    normal, inverse = standardised(x, over, epsilon, centred=False)
    inner, arrays = _affine(grad, normal, weight, bias)
    return Gradients((_back(inner, normal, inverse, over, centred=False),), arrays)


@backward("l2_norm")
def l2_norm(grad: Array, x: Array, *, epsilon: float = 1e-12) -> Gradients:
    """What is across the vector, divided by its length; below ε nothing holds the length."""
    length = lengths(x, epsilon)
    unit = x / length
    along = np.where(length > epsilon, (grad * unit).sum(axis=1, keepdims=True), 0)
    return Gradients(((grad - unit * along) / length,))


@backward("global_response_norm")
def global_response_norm(grad: Array, x: Array, weight: Array, bias: Array, *, epsilon: float = 1e-6) -> Gradients:
    """Through x, and through the norms and their mean; a channel of zeros has no norm that could move."""
    norms, mean = response(x, epsilon)
    axes = tuple(range(2, x.ndim))
    inner, arrays = _affine(grad, x * (norms / mean), weight, bias)
    to_share = (inner * x).sum(axis=axes, keepdims=True)
    to_norm = to_share / mean - (to_share * norms).sum(axis=1, keepdims=True) / (mean * mean * x.shape[1])
    directions = np.divide(x, norms, out=np.zeros_like(x), where=norms > 0)
    return Gradients((grad + inner * (norms / mean) + to_norm * directions,), arrays)


@backward("group_norm")
def group_norm(
    grad: Array, x: Array, weight: Array | None = None, bias: Array | None = None,
    *, num_groups: int, epsilon: float = 1e-5,
) -> Gradients:  # fmt: skip
    """Group by group."""
    normal, inverse = standardised(grouped(x, num_groups), (2,), epsilon)
    inner, arrays = _affine(grad, normal.reshape(x.shape), weight, bias)
    back = _back(grouped(inner, num_groups), normal, inverse, (2,))
    return Gradients((back.reshape(x.shape),), arrays)


@backward("instance_norm")
def instance_norm(
    grad: Array, x: Array, weight: Array | None = None, bias: Array | None = None, *, epsilon: float = 1e-5
) -> Gradients:
    """Channel by channel."""
    return group_norm(grad, x, weight, bias, num_groups=x.shape[1], epsilon=epsilon)
