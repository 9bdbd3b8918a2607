"""Trained values that a map is scaled by, that are added to it or put before it, and tables of embeddings."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array
from archcalc.execute.kernels.sample_norm import spread
from archcalc.execute.kernels.trained import places, rows_of


@backward("parameter", nature="linear")
def parameter(grad: Array, x: Array, weight: Array) -> Gradients:
    """The sum over the images, which all have the same values."""
    assert grad.shape == (len(x), *weight.shape)
    return Gradients((None,), {"weight": grad.sum(axis=0)})


@backward("scale", nature="linear")
def scale(grad: Array, x: Array, weight: Array, bias: Array | None = None) -> Gradients:
    """γ·g; for γ the sum of g·x, for β that of g, over images and positions."""
    axes = (0, *range(2, x.ndim))
    arrays = {"weight": (grad * x).sum(axis=axes)}
    if bias is not None:
        arrays["bias"] = grad.sum(axis=axes)
    return Gradients((grad * spread(weight, grad),), arrays)


@backward("position_embedding", nature="linear")
def position_embedding(grad: Array, x: Array, weight: Array) -> Gradients:
    """The gradient itself; for the values its sum over the images."""
    assert grad.shape[1:] == x.shape[1:] == weight.shape
    return Gradients((grad,), {"weight": grad.sum(axis=0)})


@backward("class_token", nature="linear")
def class_token(grad: Array, x: Array, weight: Array) -> Gradients:
    """What came to the row; for the tokens what came before it, summed over the images."""
    count = grad.shape[2] - x.shape[2]
    assert count == weight.shape[1]
    return Gradients((grad[:, :, count:],), {"weight": grad[:, :, :count].sum(axis=0)})


@backward("embedding")
def embedding(grad: Array, x: Array, weight: Array) -> Gradients:
    """Each row gets what came to its numbers; the numbers themselves have no gradient."""
    out = np.zeros_like(weight)
    np.add.at(out, rows_of(x, weight), np.moveaxis(grad, 1, -1))
    return Gradients((None,), {"weight": out})


@backward("index_select")
def index_select(grad: Array, x: Array, index: Array) -> Gradients:
    """Each position gets what came to its numbers; the numbers themselves have no gradient."""
    out = np.zeros_like(x)
    for one, came, each in zip(out, grad, places(index, x.shape[2]), strict=True):
        np.add.at(one.T, each, np.moveaxis(came, 0, -1))
    return Gradients((out, None))
