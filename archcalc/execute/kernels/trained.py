"""Trained values that a map is scaled by, that are added to it or put before it, and tables of embeddings."""

from __future__ import annotations

import numpy as np

from archcalc.execute.kernels.registry import Array, Sizes, kernel
from archcalc.execute.kernels.sample_norm import affine


@kernel("parameter", arrays=lambda _x, *, shape: {"weight": tuple(shape)})
def parameter(x: Array, weight: Array) -> Array:
    """The array itself, read for each image of x, of which nothing else is read."""
    return np.broadcast_to(weight, (len(x), *weight.shape))


def _scales(x: Array, *, bias: bool) -> Sizes:
    return dict.fromkeys(("weight", "bias")[: 1 + bias], x.shape[1:2])


@kernel("scale", arrays=_scales, before_rectifier=True)
def scale(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """x·γ + β for each channel. Source: Caffe, `Scale`."""
    return np.asarray(affine(x, weight, bias))


@kernel("position_embedding", arrays=lambda x: {"weight": x.shape[1:]})
def position_embedding(x: Array, weight: Array) -> Array:
    """A value added to each. Source: Dosovitskiy et al. 2020, equation 1."""
    return np.asarray(x + weight)


def _tokens(x: Array, *, num_tokens: int) -> Sizes:
    return {"weight": (x.shape[1], num_tokens)}


@kernel("class_token", arrays=_tokens)
def class_token(x: Array, weight: Array) -> Array:
    """Tokens before a row: (N, C, T) → (N, C, tokens + T)."""
    return np.concatenate([np.broadcast_to(weight, (len(x), *weight.shape)), x], axis=2)


def places(numbers: Array, count: int) -> Array:
    """Which of `count` places each number of (N, T) or (N, 1, positions…) means; beyond them it counts on."""
    flat = numbers if numbers.ndim == 2 else numbers[:, 0]
    return np.asarray(np.rint(flat).astype(np.intp) % count)


def rows_of(x: Array, weight: Array) -> Array:
    """Which row of the table each number means; one beyond it counts on from its start."""
    return places(x, len(weight))


def _table(_x: Array, *, num_embeddings: int, embedding_dim: int) -> Sizes:
    return {"weight": (num_embeddings, embedding_dim)}


@kernel("embedding", arrays=_table)
def embedding(x: Array, weight: Array) -> Array:
    """A row of the table for each number, its features as channels. Source: PyTorch, `Embedding`."""
    return np.ascontiguousarray(np.moveaxis(weight[rows_of(x, weight)], -1, 1))


@kernel("index_select")
def index_select(x: Array, index: Array) -> Array:
    """The columns of (N, C, R) by number: (N, C, positions…). Source: PyTorch, `index_select`."""
    return np.stack([row[:, each] for row, each in zip(x, places(index, x.shape[2]), strict=True)])
