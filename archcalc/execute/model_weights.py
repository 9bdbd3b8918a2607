"""The weights of a network where none are given: those that came with its model file, else random ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.execute.kernels import Array, Sizes
from archcalc.execute.weights import SeededWeights, Weights
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis


class ModelWeights:
    """Weights that came with a model file; each array is read when its layer asks for it."""

    def __init__(self, graph: LayerGraph, dtype: str = "float32") -> None:
        self._name = graph.name
        self._arrays = graph.arrays
        self._dtype = np.dtype(dtype)

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name. Raises `UsageError` where one has another size or is not finite."""
        return {name: self._read(layer, name, tuple(size)) for name, size in sizes.items()}

    def _read(self, layer: str, name: str, size: tuple[int, ...]) -> Array:
        found = np.asarray(self._arrays[layer][name]())
        if found.shape != size:
            raise UsageError(f"{self._name}: {layer}.{name} is {found.shape}, the layer wants {size}")
        if not np.isfinite(found).all():
            raise UsageError(f"{self._name}: {layer}.{name} holds values that are not finite (NaN or infinite)")
        return found.astype(self._dtype, copy=False)


def has_weights(analysis: Analysis) -> bool:
    """Whether the network came with all arrays that its layers read."""
    arrays = analysis.graph.arrays
    wanted = {
        (row.name, param.name)
        for row in analysis.rows
        if row.weights_of is None
        for param in row.op.param_shapes(row.input_shapes)
    }
    return bool(wanted) and all(name in arrays.get(layer, {}) for layer, name in wanted)


def own_weights(analysis: Analysis, seed: int = 0, keep: bool = False) -> Weights:
    """The weights that came with a network, where it has them all; else random ones, which `keep` keeps in memory."""
    if has_weights(analysis):
        return ModelWeights(analysis.graph, analysis.dtype)
    return SeededWeights(analysis.graph, seed, analysis.dtype, keep)
