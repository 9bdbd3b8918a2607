"""The weights of a network where none are given: those that came with its model file, and random ones elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.core.words import several
from archcalc.execute.kernels import Array, Sizes
from archcalc.execute.weights import SeededWeights, Weights
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis

#: So many layers are named.
_NAMED = 3


class ModelWeights:
    """Weights that came with a model file; each array is read when its layer asks for it."""

    def __init__(self, graph: LayerGraph, dtype: str = "float32") -> None:
        self._name = graph.name
        self._arrays = graph.arrays
        self._dtype = np.dtype(dtype)
        #: The maps that are kept and not trained: those that hide scores hold −∞.
        self._kept = {layer.name for layer in graph if getattr(layer.op, "buffer", False)}

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name. Raises `UsageError` where one has another size or is not finite.

        A map that is kept and not trained, as a mask of scores, may hold −∞.
        """
        return {name: self._read(layer, name, tuple(size)) for name, size in sizes.items()}

    def _read(self, layer: str, name: str, size: tuple[int, ...]) -> Array:
        found = np.asarray(self._arrays[layer][name]())
        if found.shape != size:
            raise UsageError(f"{self._name}: {layer}.{name} is {found.shape}, the layer wants {size}")
        if not np.isfinite(found).all() and (
            layer not in self._kept or np.isnan(found).any() or (found == np.inf).any()
        ):
            raise UsageError(f"{self._name}: {layer}.{name} holds values that are not finite (NaN or infinite)")
        return found.astype(self._dtype, copy=False)


class MixedWeights:
    """The weights that came with a model file, and random ones for the layers that it has not all arrays of."""

    def __init__(self, model: ModelWeights, random: SeededWeights, layers: Iterable[str]) -> None:
        """`layers` are those with random weights."""
        self._model, self._random, self._layers = model, random, frozenset(layers)

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name. Raises `UsageError` as `ModelWeights`."""
        return (self._random if layer in self._layers else self._model).of(layer, sizes)


def has_weights(analysis: Analysis) -> bool:
    """Whether the network came with all arrays that its layers read."""
    return bool(analysis.graph.arrays) and not without_weights(analysis)


def without_weights(analysis: Analysis) -> list[str]:
    """The layers whose arrays did not all come with the network; none where it came with no arrays at all."""
    arrays = analysis.graph.arrays
    if not arrays:
        return []
    return [
        row.name
        for row in analysis.rows
        if row.weights_of is None
        and any(param.name not in arrays.get(row.name, {}) for param in row.op.param_shapes(row.input_shapes))
    ]


def random_in(layers: Sequence[str]) -> str:
    """In words, which layers have random weights; the first of many are named."""
    shown = ", ".join(layers[:_NAMED])
    more = f" and {len(layers) - _NAMED:,} more" if len(layers) > _NAMED else ""
    return f"random ones in {several(len(layers), 'layer')}: {shown}{more}"


def not_its_own(analysis: Analysis) -> str:
    """In words, which weights of a network are random because it came without them; nothing where it came with all."""
    if missing := without_weights(analysis):
        return f"the network came without all weights: {random_in(missing)}"
    if analysis.graph.arrays or not analysis.totals.params:
        return ""
    return 'the network came without weights: all are random (weights="random" asks for them)'


def own_weights(analysis: Analysis, seed: int = 0, keep: bool = False) -> Weights:
    """The weights that came with a network; random ones, which `keep` keeps in memory, where layers have none."""
    missing = without_weights(analysis)
    model = ModelWeights(analysis.graph, analysis.dtype)
    if analysis.graph.arrays and not missing:
        return model
    random = SeededWeights(analysis.graph, seed, analysis.dtype, keep)
    return MixedWeights(model, random, missing) if missing else random
