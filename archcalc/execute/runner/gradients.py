"""How large the gradients of a network are, layer by layer: whether they vanish or explode in the backward pass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from archcalc.core.shapes import Shape
from archcalc.execute.calls import Inputs, check_gradients
from archcalc.execute.kernels import KERNELS, Array
from archcalc.execute.runner.loss import losses
from archcalc.execute.runner.tape import BackwardStep, Observer, record, rewind
from archcalc.execute.weights import Weights
from archcalc.ops.base import Op
from archcalc.passes.analysis import Analysis

#: Values of which squares are summed at a time.
_SLAB = 1 << 20


class LayerGradient(NamedTuple):
    """Euclidean norms of one layer's gradients.

    weights: of all its trained arrays together; relative: divided by the norm of those arrays; map: of its result, for
    the whole batch. None where there is no such gradient: nothing to train, weights of another layer (which has the sum
    of the gradients), or no part in the loss.
    """

    name: str
    op: Op
    output_shape: Shape
    params: int
    multiplies: bool
    weights: float | None
    relative: float | None
    map: float | None


@dataclass(frozen=True)
class Measured:
    """The gradients of a network, in the order of its layers, and the losses that they come from."""

    analysis: Analysis
    layers: tuple[LayerGradient, ...]
    #: Name, weight and value of the loss at each output.
    losses: tuple[tuple[str, float, float], ...]
    training: bool

    @property
    def loss(self) -> float:
        """The weighted sum over the outputs."""
        return sum(weight * value for _, weight, value in self.losses)

    @property
    def multiplying(self) -> list[LayerGradient]:
        """The convolution and dense layers that can be trained and have a part in the loss."""
        return [layer for layer in self.layers if layer.multiplies and layer.weights is not None]


def measure(
    analysis: Analysis,
    x: Inputs,
    weights: Weights,
    seed: int = 0,
    training: bool = True,
    observe: Observer | None = None,
) -> Measured:
    """Run a batch forward and backward.

    The loss is cross-entropy with labels at random from `seed`. With `training` batch normalisation takes the
    statistics of the batch, and its gradient runs through them; dropout drops nothing. `observe` is called with
    0 … 2·layers − 1 as the work goes on.
    """
    graph = analysis.graph
    check_gradients(graph)
    tape = record(graph, x, weights, training, observe)
    found = losses(graph, tape.maps, seed)
    seeds: dict[int, Array] = {}
    for loss in found:
        seeds[loss.layer] = seeds[loss.layer] + loss.gradient if loss.layer in seeds else loss.gradient
    layers = []
    for done, step in enumerate(rewind(tape, seeds)):
        layers.append(_norms(analysis, step, tape.arrays[step.layer]))
        if observe is not None:
            observe(len(graph) + done)
    kept = tuple((loss.output, loss.weight, loss.value) for loss in found)
    return Measured(analysis, tuple(reversed(layers)), kept, training)


def _norms(analysis: Analysis, step: BackwardStep, arrays: Mapping[str, Array]) -> LayerGradient:
    row = analysis.rows[step.layer]
    frozen = analysis.graph.layers[step.layer].frozen
    trained = [param.name for param in row.op.param_shapes(row.input_shapes) if param.trainable and not frozen]
    weights = relative = None
    if trained and step.arrays:
        weights = math.hypot(*(norm(step.arrays[name]) for name in trained))
        size = math.hypot(*(norm(arrays[name]) for name in trained))
        relative = weights / size if size else None
    return LayerGradient(
        row.name,
        row.op,
        row.output_shape,
        row.trainable_params,
        bool(row.multiplications),
        weights,
        relative,
        None if step.map is None else norm(step.map),
    )


def has_batch_statistics(op: Op) -> bool:
    """Whether the op takes other statistics in training than it does otherwise."""
    return op.kind in KERNELS and "training" in KERNELS[op.kind].options


def norm(array: Array) -> float:
    """√Σ x², summed in float64: squares of small float32 numbers would be 0."""
    flat = np.asarray(array).reshape(-1)
    parts = (flat[first : first + _SLAB].astype(np.float64) for first in range(0, flat.size, _SLAB))
    return math.sqrt(math.fsum(float(part @ part) for part in parts))
