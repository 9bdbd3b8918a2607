"""The loss from which gradients flow: cross-entropy at every output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.execute.calls import kernel_of
from archcalc.execute.kernels import Array
from archcalc.execute.weights import generator
from archcalc.graph.layer_graph import LayerGraph, Output


class Loss(NamedTuple):
    """The loss of an output, how much it weighs, and its gradient with respect to the scores of a layer."""

    output: str
    weight: float
    value: float
    layer: int
    gradient: Array


def losses(graph: LayerGraph, maps: Mapping[int, Array], seed: int) -> list[Loss]:
    """Cross-entropy with labels at random at every output; auxiliary ones weigh as the network says.

    The scores are what a softmax at the output reads, or the output itself. An RBF layer gives distances, of which the
    smallest wins: its scores are their negatives (LeCun et al. 1998, equation 9, without the "rubbish" class).
    """
    return [_loss(graph, output, maps, seed) for output in graph.outputs]


def _loss(graph: LayerGraph, output: Output, maps: Mapping[int, Array], seed: int) -> Loss:
    layer = graph.layers[output.layer]
    gives = kernel_of(layer).gives
    place = layer.inputs[0] if gives == "probabilities" else output.layer
    scores = maps[place]
    classes = scores.shape[1]
    if classes < 2:
        raise UsageError(f'the output "{output.name}" has one class; cross-entropy needs two or more')
    labels = generator(seed, output.name, "labels").integers(0, classes, (len(scores), *scores.shape[2:]))
    sign = -1 if gives == "distances" else 1
    value, gradient = cross_entropy(sign * scores, labels)
    return Loss(output.name, output.loss_weight, value, place, sign * output.loss_weight * gradient)


def cross_entropy(scores: Array, labels: Array) -> tuple[float, Array]:
    """−log of the softmax of the right class, the mean over images and positions; and its gradient (p − y)/n.

    scores (N, classes, …), labels (N, …). Source: CS231n, softmax classifier.
    """
    shifted = scores - scores.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    right = np.expand_dims(labels, 1)
    value = float((np.log(sums) - np.take_along_axis(shifted, right, axis=1)).mean(dtype=np.float64))
    gradient = exponentials / sums
    np.put_along_axis(gradient, right, np.take_along_axis(gradient, right, axis=1) - 1, axis=1)
    return value, gradient / scores.dtype.type(labels.size)
