"""Activation functions since ReLU. With `out` the result is put there, which may be the input itself."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from archcalc.execute.kernels.activation import sigmoid
from archcalc.execute.kernels.moments import Moments, through
from archcalc.execute.kernels.registry import Array, Sizes, kernel

#: Source: Klambauer et al. 2017, equation 14.
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
#: Of the approximation by a tanh. Source: Hendrycks & Gimpel 2016, section 2.
GELU_CUBE = 0.044715
#: erf(x) by its series below 2.5, by 1 − e^(−x²)·continued fraction above: terms for 16 digits.
_SERIES, _FRACTION = 60, 60

Curve = Callable[..., Array]


def curve(kind: str, **facts: Any) -> Callable[[Curve], Curve]:
    """Register a function of one value, with the moments that it gives for normal values."""

    def register(function: Curve) -> Curve:
        @functools.wraps(function)  # the settings are those of the function
        def moments(inputs: Sequence[Moments], **settings: Any) -> Moments:
            return through(lambda values: function(values, **settings), inputs[0])

        return kernel(kind, moments=moments, **facts)(function)

    return register


def into(out: Array | None, values: Array) -> Array:
    """The values, in `out` where it is given."""
    if out is None:
        return values
    np.copyto(out, values)
    return out


@curve("leaky_relu")
def leaky_relu(x: Array, *, negative_slope: float = 0.01, out: Array | None = None) -> Array:
    """X above 0; below it x times the slope. Source: Maas et al. 2013."""
    return into(out, np.where(x > 0, x, x * x.dtype.type(negative_slope)))


def _slopes(x: Array, *, num_parameters: int | Literal["channels"]) -> Sizes:
    return {"weight": (1,) if num_parameters == 1 else (x.shape[1],)}


@kernel("prelu", arrays=_slopes)
def prelu(x: Array, weight: Array, *, out: Array | None = None) -> Array:
    """X above 0; below it x times the slope of its channel, or of all. Source: He et al. 2015, equation 1."""
    return into(out, np.where(x > 0, x, x * weight.reshape(-1, *(1,) * (x.ndim - 2))))


@curve("elu")
def elu(x: Array, *, alpha: float = 1.0, out: Array | None = None) -> Array:
    """X above 0; below it α·(e^x − 1). Source: Clevert et al. 2015, equation 15."""
    return into(out, np.where(x > 0, x, x.dtype.type(alpha) * np.expm1(np.minimum(x, 0))))


@curve("selu")
def selu(x: Array, *, out: Array | None = None) -> Array:
    """λ·x above 0, below it λ·α·(e^x − 1). Source: Klambauer et al. 2017, equation 2."""
    scale = x.dtype.type(SELU_SCALE)
    return into(out, scale * elu(x, alpha=SELU_ALPHA))


@curve("gelu")
def gelu(x: Array, *, approximate: Literal["none", "tanh"] = "none", out: Array | None = None) -> Array:
    """Each x times the share of normal values below x. Source: Hendrycks & Gimpel 2016, section 2."""
    if approximate == "none":
        return into(out, x * below(x))
    inner = x.dtype.type(math.sqrt(2 / math.pi)) * (x + x.dtype.type(GELU_CUBE) * x * x * x)
    return into(out, x.dtype.type(0.5) * x * (1 + np.tanh(inner)))


def below(x: Array) -> Array:
    """The share of normal values below each x: ½·(1 + erf(x/√2))."""
    return np.asarray(x.dtype.type(0.5) * (1 + erf(x / x.dtype.type(math.sqrt(2)))))


def erf(x: Array) -> Array:
    """The error function, to the last digits of the type. Source: Abramowitz & Stegun 1964, 7.1.6 and 7.1.14."""
    size = np.abs(x.astype(np.float64))
    small = np.minimum(size, 2.5)
    term = total = small
    for n in range(1, _SERIES):
        term = term * (2 * small * small / (2 * n + 1))
        total = total + term
    series = 2 / math.sqrt(math.pi) * np.exp(-small * small) * total
    large = np.clip(size, 2.5, 30)
    fraction = large
    for n in range(_FRACTION, 0, -1):
        fraction = large + (n / 2) / fraction
    tail = 1 - np.exp(-large * large) / (math.sqrt(math.pi) * fraction)
    return np.asarray((np.sign(x) * np.where(size < 2.5, series, tail)).astype(x.dtype))


@curve("silu")
def silu(x: Array, *, out: Array | None = None) -> Array:
    """x·σ(x). Source: Elfwing et al. 2017, equation 5."""
    return into(out, x * sigmoid(x))


@curve("softplus")
def softplus(x: Array, *, beta: float = 1.0, threshold: float = 20.0, out: Array | None = None) -> Array:
    """ln(1 + e^(β·x))/β, and x where β·x is above the threshold. Source: Dugas et al. 2001; PyTorch, Softplus."""
    scaled = x * x.dtype.type(beta)
    smooth = np.logaddexp(scaled, x.dtype.type(0)) / x.dtype.type(beta)
    return into(out, np.where(scaled > threshold, x, smooth))


@curve("mish")
def mish(x: Array, *, out: Array | None = None) -> Array:
    """x·tanh(ln(1 + e^x)). Source: Misra 2019, equation 1."""
    return into(out, x * np.tanh(np.logaddexp(x, x.dtype.type(0))))


@curve("hardsigmoid")
def hardsigmoid(x: Array, *, out: Array | None = None) -> Array:
    """min(max(0, x + 3), 6)/6. Source: Howard et al. 2019, section 5.2."""
    return into(out, np.clip(x + 3, 0, 6) / 6)


@curve("hardswish")
def hardswish(x: Array, *, out: Array | None = None) -> Array:
    """x·min(max(0, x + 3), 6)/6. Source: Howard et al. 2019, section 5.2."""
    return into(out, x * np.clip(x + 3, 0, 6) / 6)


@curve("hardtanh")
def hardtanh(x: Array, *, min_val: float = -1.0, max_val: float = 1.0, out: Array | None = None) -> Array:
    """x, but no less than `min_val` and no more than `max_val`."""
    return np.asarray(np.clip(x, x.dtype.type(min_val), x.dtype.type(max_val), out=out))


@kernel("log_softmax", gives="probabilities")
def log_softmax(x: Array, *, out: Array | None = None) -> Array:
    """Each x − ln Σ e^x over the classes (axis 1), at each position; the largest is subtracted first."""
    centred = x - x.max(axis=1, keepdims=True)
    return into(out, centred - np.log(np.exp(centred).sum(axis=1, keepdims=True)))


@kernel("glu")
def glu(x: Array) -> Array:
    """The first half of the channels times the sigmoid of the second. Source: Dauphin et al. 2017, equation 1."""
    first, second = np.split(x, 2, axis=1)
    return np.asarray(first * sigmoid(second))
