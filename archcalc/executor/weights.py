"""Weights of a network: made from a seed, the same on every machine."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from archcalc.graph import LayerGraph
from archcalc.kernels import Array
from archcalc.kernels.registry import Sizes

#: What the mean square of a map becomes in layers that change it much; all others are taken to keep it.
_POWER = {"relu": 0.5, "relu6": 0.5, "sigmoid": 0.3, "softmax": 0.01}
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
        self._kinds = [layer.op.kind for layer in graph]
        self._gains = _gains(graph)
        self._powers = _powers(graph, self._gains)
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

    def _make(self, layer: str, name: str, size: tuple[int, ...]) -> Array:
        draw = np.random.Generator(np.random.Philox(_key(self.seed, layer, name)))
        values = draw.random(size, dtype=np.float32)
        index = self._index[layer]
        low, high = self._range(index, name, size)
        values *= np.float32(high - low)
        values += np.float32(low)
        if name == "centers":
            values = np.where(values < 0, np.float32(-1), np.float32(1))
        return values.astype(self.dtype, copy=False)

    def _range(self, index: int, name: str, size: tuple[int, ...]) -> tuple[float, float]:
        """Between which numbers the values of an array lie."""
        kind = self._kinds[index]
        if name == "centers":
            return -1.0, 1.0
        if name == "running_var":
            expected = self._powers[self._sources[index][0]]
            return 0.5 * expected, 1.5 * expected
        if name == "running_mean":
            expected = math.sqrt(self._powers[self._sources[index][0]])
            return -0.1 * expected, 0.1 * expected
        if name == "bias":
            return -0.1, 0.1
        if kind not in _MULTIPLYING:
            return 0.5, 1.5
        fan_in, fan_out = _fans(kind, size)
        spread = 6 / fan_in if self._gains[index] == 2 else 6 / (fan_in + fan_out)
        return -math.sqrt(spread), math.sqrt(spread)


def _key(seed: int, layer: str, name: str) -> int:
    digest = hashlib.sha256(f"{seed}\n{layer}\n{name}".encode()).digest()
    return int.from_bytes(digest[:16], "little")


def _fans(kind: str, size: Sequence[int]) -> tuple[int, int]:
    """How many values a result is made of, and how many results a value goes into."""
    if kind == "locally_connected2d":
        filters, _, _, *taps = size
    elif kind == "conv_transpose2d":
        # (C, K/groups, F, F): a pixel of the result lies under about one tap of each filter.
        return size[0], size[1] * math.prod(size[2:])
    else:
        filters, *taps = size
    return math.prod(taps), filters * math.prod(taps[1:])


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


def _powers(graph: LayerGraph, gains: Sequence[int]) -> list[float]:
    """The mean square that the values of each layer can be expected to have, roughly; the input's is 1."""
    powers: list[float] = []
    for index, layer in enumerate(graph):
        inputs = [powers[source] for source in layer.inputs]
        kind = layer.op.kind
        if not inputs or kind == "batch_norm2d":
            power = 1.0
        elif kind == "add":
            power = sum(inputs)
        elif kind == "concat":
            power = sum(inputs) / len(inputs)
        elif kind == "multiply":
            power = math.prod(inputs) * float(getattr(layer.op, "factor", 1.0)) ** 2
        else:
            power = inputs[0] * gains[index] * _POWER.get(kind, 1.0)
        powers.append(min(max(power, 1e-6), 1e6))
    return powers
