"""Weights of a network: made from a seed, the same on every machine."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from archcalc.execute.calls import array_sizes, kernel_of, settings_of
from archcalc.execute.kernels import Array, Sizes
from archcalc.execute.kernels.moments import Moments
from archcalc.execute.kernels.registry import settings_of as names_of_settings
from archcalc.execute.kernels.reweighted import power_method
from archcalc.graph.layer_graph import Layer, LayerGraph

#: Scales and running variances lie this far around 1 and around the expected variance.
_JITTER = 0.25
#: The variance after batch normalisation: the mean of scale², times the mean of 1/variance.
_NORMALISED = Moments(0, (1 + _JITTER**2 / 3) * math.log((1 + _JITTER) / (1 - _JITTER)) / (2 * _JITTER))


class Weights(Protocol):
    """Where the executor takes the arrays of a layer from."""

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name, in these sizes."""
        ...


def arrays_of(graph: LayerGraph, layer: Layer, weights: Weights, *maps: Array) -> Mapping[str, Array]:
    """The arrays that a layer reads for its maps; those of another layer where it shares them."""
    sizes = array_sizes(layer, *maps)
    return weights.of(graph.owner(layer).name, sizes) if sizes else {}


class SeededWeights:
    """Weights drawn for each layer from a generator that is seeded with the layer's name.

    So a layer has the same weights whatever the layers next to it are. Uniform numbers are used, because they are made
    of random bits alone and are the same on every machine; float64 runs use the same values as float32 ones.
    Convolution and dense layers before a rectifier follow He et al. 2015, all others Glorot & Bengio 2010. The running
    variances of batch normalisation lie around the variance that its input can be expected to have, so that activations
    neither vanish nor explode.
    """

    def __init__(self, graph: LayerGraph, seed: int = 0, dtype: str = "float32", keep: bool = False) -> None:
        """`keep`: keep what was made, for later runs; what layers share is always kept for the next that uses it."""
        self.seed = seed
        self.dtype = np.dtype(dtype)
        self._index = graph.index
        self._layers = graph.layers
        self._gains = _gains(graph)
        self._expected = _expected(graph, self._gains)
        owners = graph if keep else [graph.owner(layer) for layer in graph if layer.weights_of is not None]
        self._keeps = {layer.name for layer in owners}
        self._kept: dict[str, dict[str, Array]] = {}

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name, in these sizes."""
        if layer in self._kept:
            return self._kept[layer]
        made = {name: self._make(layer, name, size) for name, size in sizes.items()}
        axis = kernel_of(self._layers[self._index[layer]]).output_axis
        if "original1" in sizes:
            # As long as random directions of these sizes are expected to be, give or take.
            _, end = self._range(self._index[layer], "original1", sizes["original1"])
            expected = end * math.sqrt(math.prod(sizes["original1"]) / math.prod(sizes["original0"]) / 3)
            made["original0"] *= self.dtype.type(expected)
        if "_u" in sizes:
            made["_u"], made["_v"] = power_method(made["weight"], made["_u"], axis)
        if layer in self._keeps:
            self._kept[layer] = made
        return made

    def kept(self, layer: str) -> Mapping[str, Array]:
        """The arrays of a layer that were made before and kept."""
        return self._kept.get(layer, {})

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
        layer = self._layers[index]
        if name == "centers":
            return -1.0, 1.0
        if name in ("running_mean", "running_var"):
            expected = self._expected[layer.inputs[0]]
            # Rounded, because the last digits of an error function differ from machine to machine.
            mean, variance = (float(f"{value:.6g}") for value in expected)
            if name == "running_var":
                return (1 - _JITTER) * variance, (1 + _JITTER) * variance
            off = 0.1 * math.sqrt(variance)
            return mean - off, mean + off
        if "bias" in name:
            return -0.1, 0.1
        if name in ("_u", "_v"):
            return -1.0, 1.0
        if name == "original0" or not kernel_of(layer).multiplies_weights:
            return 1 - _JITTER, 1 + _JITTER
        fan_in, fan_out = fans(layer, size)
        spread = 6 / fan_in if self._gains[index] == 2 else 6 / (fan_in + fan_out)
        return -math.sqrt(spread), math.sqrt(spread)


def generator(seed: int, layer: str, name: str) -> np.random.Generator:
    """A random generator that depends on nothing but these three."""
    digest = hashlib.sha256(f"{seed}\n{layer}\n{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def fans(layer: Layer, size: Sequence[int]) -> tuple[int, int]:
    """How many values a result is made of, and how many results a value goes into; `size` is that of the weight."""
    found = kernel_of(layer).fans
    if found is None:
        return math.prod(size[1:]), size[0] * math.prod(size[2:])
    return found(tuple(size), **settings_of(layer, names_of_settings(found)))


def _gains(graph: LayerGraph) -> list[int]:
    """2 for a convolution or dense layer whose results are rectified (which halves their mean square), else 1."""
    readers: list[list[int]] = [[] for _ in graph]
    for index, layer in enumerate(graph):
        for source in layer.inputs:
            readers[source].append(index)
    kernels = [kernel_of(layer) for layer in graph]
    rectified = [False] * len(kernels)
    for index in reversed(range(len(kernels))):
        rectified[index] = any(
            kernels[reader].is_rectifier or (kernels[reader].before_rectifier and rectified[reader])
            for reader in readers[index]
        )
    return [2 if kernel.multiplies_weights and below else 1 for kernel, below in zip(kernels, rectified, strict=True)]


def _expected(graph: LayerGraph, gains: Sequence[int]) -> list[Moments]:
    """The values of each layer, if those of the input are standard normal and all are independent."""
    found: list[Moments] = []
    for layer, gain in zip(graph, gains, strict=True):
        inputs = [found[source] for source in layer.inputs]
        kernel = kernel_of(layer)
        if not inputs:
            moments = Moments(0, 1)
        elif kernel.normalises:
            moments = _NORMALISED
        elif kernel.weight_uses is not None:
            moments = Moments(0, gain * inputs[0].power)
        elif kernel.moments is not None:
            moments = kernel.moments(inputs, **settings_of(layer, names_of_settings(kernel.moments)))
        else:
            moments = inputs[0]
        found.append(moments)
    return found
