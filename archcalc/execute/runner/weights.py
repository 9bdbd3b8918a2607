"""Weights of a network: made from a seed, the same on every machine."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from archcalc.execute.kernels import Array
from archcalc.execute.kernels.registry import Sizes
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops.base import Op

#: Scales and running variances lie this far around 1 and around the expected variance.
_JITTER = 0.25
#: The variance behind batch normalisation: the mean of scale², times the mean of 1/variance.
_NORMALISED = (1 + _JITTER**2 / 3) * math.log((1 + _JITTER) / (1 - _JITTER)) / (2 * _JITTER)
#: Layers that a rectifier may follow without the He factor losing its sense.
_BETWEEN = {"batch_norm2d", "local_response_norm", "dropout", "identity", "add", "multiply", "max_pool2d"}
_RECTIFIERS = {"relu", "relu6"}
_MULTIPLYING = {"conv2d", "depthwise_conv2d", "conv_transpose2d", "locally_connected2d", "linear"}


class Weights(Protocol):
    """Where the executor takes the arrays of a layer from."""

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name, in these sizes."""
        ...


class SeededWeights:
    """Weights drawn anew for each layer from a generator that is seeded with its name.

    So a layer has the same weights wherever it stands, whatever stands beside it. Uniform numbers are used, because
    they are made of random bits alone and come out alike everywhere; float64 runs use the same values as float32 ones.
    Convolution and dense layers before a rectifier follow He et al. 2015, all others Glorot & Bengio 2010. The running
    variances of batch normalisation lie around the variance that its input can be expected to have, so that activations
    neither vanish nor explode.
    """

    def __init__(self, graph: LayerGraph, seed: int = 0, dtype: str = "float32", keep: bool = False) -> None:
        """`keep`: hold on to what was made, for runs that follow."""
        self.seed = seed
        self.dtype = np.dtype(dtype)
        self._index = graph.index
        self._ops = [layer.op for layer in graph]
        self._gains = _gains(graph)
        self._expected = _expected(graph, self._gains)
        self._sources = [layer.inputs for layer in graph]
        self._kept: dict[str, dict[str, Array]] | None = {} if keep else None

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name, in these sizes."""
        if self._kept is not None and layer in self._kept:
            return self._kept[layer]
        made = {name: self._make(layer, name, size) for name, size in sizes.items()}
        if self._kept is not None:
            self._kept[layer] = made
        return made

    def kept(self, layer: str) -> Mapping[str, Array]:
        """The arrays of a layer that were made before; none without `keep`."""
        return (self._kept or {}).get(layer, {})

    def _make(self, layer: str, name: str, size: tuple[int, ...]) -> Array:
        values = generator(self.seed, layer, name).random(size, dtype=np.float32)
        index = self._index[layer]
        low, high = self._range(index, name, size)
        values *= np.float32(high - low)
        values += np.float32(low)
        if name == "centers":
            values = np.where(values < 0, np.float32(-1), np.float32(1))
        return values.astype(self.dtype, copy=False)

    def _range(self, index: int, name: str, size: tuple[int, ...]) -> tuple[float, float]:
        """Between which numbers the values of an array lie."""
        op = self._ops[index]
        if name == "centers":
            return -1.0, 1.0
        if name in ("running_mean", "running_var"):
            expected = self._expected[self._sources[index][0]]
            # Rounded, because the last digits of an error function differ from machine to machine.
            mean, variance = (float(f"{value:.6g}") for value in expected)
            if name == "running_var":
                return (1 - _JITTER) * variance, (1 + _JITTER) * variance
            off = 0.1 * math.sqrt(variance)
            return mean - off, mean + off
        if name == "bias":
            return -0.1, 0.1
        if op.kind not in _MULTIPLYING:
            return 1 - _JITTER, 1 + _JITTER
        fan_in, fan_out = fans(op, size)
        spread = 6 / fan_in if self._gains[index] == 2 else 6 / (fan_in + fan_out)
        return -math.sqrt(spread), math.sqrt(spread)


def generator(seed: int, layer: str, name: str) -> np.random.Generator:
    """A random generator that depends on nothing but these three."""
    digest = hashlib.sha256(f"{seed}\n{layer}\n{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def fans(op: Op, size: Sequence[int]) -> tuple[int, int]:
    """How many values a result is made of, and how many results a value goes into."""
    if op.kind == "locally_connected2d":
        filters, _, _, *taps = size
    elif op.kind == "conv_transpose2d":
        # (C, K/groups, F, F): a pixel of the result lies under about one tap of each filter.
        return size[0] // getattr(op, "groups", 1), size[1] * math.prod(size[2:])
    else:
        filters, *taps = size
    filters_of_a_value = getattr(op, "depth_multiplier", None) or filters // getattr(op, "groups", 1)
    return math.prod(taps), filters_of_a_value * math.prod(taps[1:])


def _gains(graph: LayerGraph) -> list[int]:
    """2 for a convolution or dense layer whose results are rectified (which halves their mean square), else 1."""
    readers: list[list[int]] = [[] for _ in graph]
    for index, layer in enumerate(graph):
        for source in layer.inputs:
            readers[source].append(index)
    kinds = [layer.op.kind for layer in graph]
    rectified = [False] * len(kinds)
    for index in reversed(range(len(kinds))):
        rectified[index] = any(
            kinds[reader] in _RECTIFIERS or (kinds[reader] in _BETWEEN and rectified[reader])
            for reader in readers[index]
        )
    return [2 if kind in _MULTIPLYING and below else 1 for kind, below in zip(kinds, rectified, strict=True)]


class _Values(NamedTuple):
    """What the values of a map can be expected to be, roughly: their mean and variance."""

    mean: float
    variance: float

    @property
    def power(self) -> float:
        return self.mean**2 + self.variance


def _expected(graph: LayerGraph, gains: Sequence[int]) -> list[_Values]:
    """The values of each layer, if those of the input are standard normal and all are independent."""
    found: list[_Values] = []
    for index, layer in enumerate(graph):
        inputs = [found[source] for source in layer.inputs]
        kind = layer.op.kind
        if not inputs:
            values = _Values(0, 1)
        elif kind == "batch_norm2d":
            values = _Values(0, _NORMALISED)
        elif kind in _MULTIPLYING:
            values = _Values(0, gains[index] * inputs[0].power)
        elif kind in _RECTIFIERS:
            values = _rectified(inputs[0])
        elif kind == "add":
            values = _Values(sum(each.mean for each in inputs), sum(each.variance for each in inputs))
        elif kind == "concat":
            mean = sum(each.mean for each in inputs) / len(inputs)
            values = _Values(mean, sum(each.power for each in inputs) / len(inputs) - mean**2)
        elif kind == "multiply":
            factor = float(getattr(layer.op, "factor", 1.0))
            values = _Values(factor * inputs[0].mean, factor**2 * inputs[0].variance)
        else:
            values = inputs[0]
        found.append(values)
    return found


def _rectified(values: _Values) -> _Values:
    """Mean and variance of max(0, x) for a normal x."""
    deviation = math.sqrt(values.variance)
    if deviation == 0:
        return _Values(max(values.mean, 0), 0)
    ratio = values.mean / deviation
    below = math.erfc(-ratio / math.sqrt(2)) / 2
    density = math.exp(-(ratio**2) / 2) / math.sqrt(2 * math.pi)
    mean = values.mean * below + deviation * density
    power = values.power * below + values.mean * deviation * density
    return _Values(mean, max(power - mean**2, 0))
