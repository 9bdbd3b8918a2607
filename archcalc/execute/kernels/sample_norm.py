"""Normalisation by the statistics of one image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from archcalc.execute.kernels.moments import Moments
from archcalc.execute.kernels.registry import Array, Sizes, kernel

#: The axes over which a mean is taken.
Over = Literal["channels", "all"]


def axes_of(x: Array, axes: Over) -> tuple[int, ...]:
    """The channels, or everything but the batch."""
    return (1,) if axes == "channels" else tuple(range(1, x.ndim))


def standardised(x: Array, axes: tuple[int, ...], epsilon: float, centred: bool = True) -> tuple[Array, Array]:
    """(x − mean)/√(variance + ε) over these axes, and 1/√(variance + ε); not `centred`: about 0."""
    moved = x - x.mean(axis=axes, keepdims=True) if centred else x
    inverse = 1 / np.sqrt((moved * moved).mean(axis=axes, keepdims=True) + x.dtype.type(epsilon))
    return moved * inverse, inverse


def spread(array: Array, x: Array) -> Array:
    """An array for each channel, spread over the positions; one for each value as it is."""
    return array.reshape(*array.shape, *(1,) * (x.ndim - 1 - array.ndim))


def affine(x: Array, weight: Array | None, bias: Array | None) -> Array:
    """x·γ + β."""
    out = x if weight is None else x * spread(weight, x)
    return out if bias is None else out + spread(bias, x)


def _layer_arrays(x: Array, *, axes: Over, elementwise_affine: bool, bias: bool) -> Sizes:
    size = x.shape[1:2] if axes == "channels" else x.shape[1:]
    kept = ("weight", "bias")[: 1 + bias] if elementwise_affine else ()
    return dict.fromkeys(kept, size)


@kernel("layer_norm", arrays=_layer_arrays, normalises=True, before_rectifier=True)
def layer_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, axes: Over = "channels", epsilon: float = 1e-5
) -> Array:
    """(x − mean)/√(variance + ε)·γ + β, at each position over the channels or over all. Source: Ba et al. 2016."""
    return affine(standardised(x, axes_of(x, axes), epsilon)[0], weight, bias)


@kernel("rms_norm", arrays=_layer_arrays, normalises=True, before_rectifier=True)
def rms_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, axes: Over = "channels", epsilon: float = 1e-5
) -> Array:
    """x/√(mean of x² + ε)·γ. Source: Zhang & Sennrich 2019, equation 4."""
    return affine(standardised(x, axes_of(x, axes), epsilon, centred=False)[0], weight, bias)


def _unit(inputs: Sequence[Moments]) -> Moments:
    """The squares of the channels add up to 1; how many there are is not known here."""
    power = inputs[0].power or 1.0
    return Moments(inputs[0].mean / power**0.5, inputs[0].variance / power)


@kernel("l2_norm", moments=_unit, before_rectifier=True)
def l2_norm(x: Array, *, epsilon: float = 1e-12) -> Array:
    """x/max(‖x‖, ε) for the channels at each position. Source: PyTorch, `normalize`."""
    return np.asarray(x / lengths(x, epsilon))


def lengths(x: Array, epsilon: float) -> Array:
    """The length of the channels at each position, at least ε."""
    return np.asarray(np.maximum(np.sqrt((x * x).sum(axis=1, keepdims=True)), x.dtype.type(epsilon)))


def grouped(x: Array, groups: int) -> Array:
    """The values of each group of channels in a row: (N, groups, values)."""
    return x.reshape(len(x), groups, -1)


def _channel_arrays(x: Array, *, affine: bool) -> Sizes:
    return dict.fromkeys(("weight", "bias"), x.shape[1:2]) if affine else {}


def response(x: Array, epsilon: float) -> tuple[Array, Array]:
    """The norm of each channel over its positions, and the mean norm of the channels plus ε."""
    norms = np.sqrt((x * x).sum(axis=tuple(range(2, x.ndim)), keepdims=True))
    return norms, norms.mean(axis=1, keepdims=True) + x.dtype.type(epsilon)


def _responded(inputs: Sequence[Moments]) -> Moments:
    """About twice the map: the norms are their mean, and γ is about 1."""
    return Moments(2 * inputs[0].mean, 4 * inputs[0].variance)


@kernel("global_response_norm", arrays=lambda x: dict.fromkeys(("weight", "bias"), x.shape[1:2]), moments=_responded)
def global_response_norm(x: Array, weight: Array, bias: Array, *, epsilon: float = 1e-6) -> Array:
    """The map plus γ·x·N + β. Source: Woo et al. 2023, algorithm 1."""
    norms, mean = response(x, epsilon)
    return np.asarray(x + affine(x * (norms / mean), weight, bias))


@kernel("group_norm", arrays=_channel_arrays, normalises=True, before_rectifier=True)
def group_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, num_groups: int, epsilon: float = 1e-5
) -> Array:
    """Each group of channels over all positions. Source: Wu & He 2018, equation 7."""
    return affine(standardised(grouped(x, num_groups), (2,), epsilon)[0].reshape(x.shape), weight, bias)


@kernel("instance_norm", arrays=_channel_arrays, normalises=True, before_rectifier=True)
def instance_norm(x: Array, weight: Array | None = None, bias: Array | None = None, *, epsilon: float = 1e-5) -> Array:
    """Each channel over all positions. Source: Ulyanov et al. 2016, equation 2."""
    return group_norm(x, weight, bias, num_groups=x.shape[1], epsilon=epsilon)
