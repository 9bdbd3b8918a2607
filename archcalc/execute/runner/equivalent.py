"""Two networks that are to give the same outputs, run on the same input with the same random weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from archcalc.core.shapes import Shape
from archcalc.execute.calls import in_use
from archcalc.execute.kernels import Array
from archcalc.execute.kernels.registry import Sizes
from archcalc.execute.runner.execute import execute
from archcalc.execute.runner.inputs import random_inputs
from archcalc.execute.runner.sliding import ReshapedWeights
from archcalc.execute.weights import SeededWeights, Weights
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops.conv import Conv, ConvTranspose
from archcalc.ops.norm import BatchNorm
from archcalc.passes.analysis import Analysis

#: The largest difference that rounding of float64 makes, as a share of the largest output.
TOLERANCE = 1e-9


class Change(NamedTuple):
    """How a network became the next: batch norms folded into layers, arrays with other shapes than before."""

    before: Analysis
    folded: Mapping[str, str]
    reshaped: Mapping[str, Mapping[str, Shape]]


class FoldedWeights:
    """The weights of a network whose batch norms are part of the layers before them.

    With s = γ/√(variance + ε): s·W and s·(b − mean) + β. W is the weight as it is used: normalised where the layer
    normalises it. Source: Jacob et al. 2018, section 3.2.
    """

    def __init__(self, weights: Weights, before: Analysis, folded: Mapping[str, str]) -> None:
        self._weights = weights
        self._before = before
        self._folded = folded

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name, in these sizes."""
        if layer not in self._folded:
            return self._weights.of(layer, sizes)
        own = in_use(self._before.graph.layers[self._before.graph.index[layer]], self._arrays(layer))
        row = self._before.by_name[self._folded[layer]]
        assert isinstance(row.op, BatchNorm)
        norm = self._arrays(row.name)
        mean, variance = norm["running_mean"], norm["running_var"]
        scale = norm.get("weight", np.ones_like(mean)) / np.sqrt(variance + row.op.epsilon)
        shift = norm.get("bias", np.zeros_like(mean)) - scale * mean
        before = own.get("bias", np.zeros(sizes["bias"], mean.dtype))  # of each filter, or of each of its positions
        axes = (-1, *(1,) * (before.ndim - 1))
        bias = scale.reshape(axes) * before + shift.reshape(axes)
        return {"weight": own["weight"] * self._spread(layer, scale, own["weight"]), "bias": bias}

    def _arrays(self, layer: str) -> Mapping[str, Array]:
        """The arrays of a layer as it was before."""
        row = self._before.by_name[layer]
        return self._weights.of(layer, {param.name: param.shape for param in row.op.param_shapes(row.input_shapes)})

    def _spread(self, layer: str, scale: Array, weight: Array) -> Array:
        """A number for each output channel, for the axes of a weight.

        They are its first axis, the second of transposed convolutions; with a connection table each filter has as many
        planes in the first as it reads channels.
        """
        op = self._before.by_name[layer].op
        if isinstance(op, Conv) and op.connections is not None:
            scale = np.repeat(scale, [len(channels) for channels in op.connections])
        if not isinstance(op, ConvTranspose):
            return scale.reshape(-1, *(1,) * (weight.ndim - 1))
        each = np.repeat(scale.reshape(op.groups, -1), weight.shape[0] // op.groups, axis=0)
        return each.reshape(*weight.shape[:2], *(1,) * (weight.ndim - 2))


def difference(first: Analysis, last: LayerGraph, changes: Sequence[Change], seed: int = 0) -> float:
    """The largest difference between the outputs that two networks both have, as a share of the largest value.

    Infinite where an output holds a number that is not finite.
    `changes` lead from the first to the last, whose weights are those of the first, changed.
    """
    x = random_inputs(first.graph, 1, seed, first.dtype)
    weights: Weights = SeededWeights(first.graph, seed, first.dtype)
    given = weights
    for change in changes:
        if change.folded:
            weights = FoldedWeights(weights, change.before, change.folded)
        if change.reshaped:
            weights = ReshapedWeights(weights, change.reshaped)
    expected = execute(first.graph, x, given).outputs
    found = execute(last, x, weights).outputs
    largest = 0.0
    for name, values in found.items():
        wanted = expected[name].reshape(values.shape)
        if not (np.isfinite(wanted).all() and np.isfinite(values).all()):
            return float("inf")
        largest = max(largest, float(np.abs(values - wanted).max()) / (float(np.abs(wanted).max()) or 1.0))
    return largest
