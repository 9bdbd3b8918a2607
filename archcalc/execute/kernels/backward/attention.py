"""Attention, and products of two maps: by the product rule, and through the softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from archcalc.execute.kernels import attention
from archcalc.execute.kernels.attention import Attended, Partition, by_heads, joined
from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array


@backward("matmul")
def matmul(
    grad: Array, first: Array, second: Array, *, transpose_first: bool = False, transpose_second: bool = False
) -> Gradients:
    """G·Bᵀ for the first, Aᵀ·G for the second."""
    g = attention.matrices(grad, False)
    a, b = attention.matrices(first, transpose_first), attention.matrices(second, transpose_second)
    to_first, to_second = g @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ g
    return Gradients((attention.as_map(to_first, transpose_first), attention.as_map(to_second, transpose_second)))


class _Attention(NamedTuple):
    """The gradients of queries, keys and values, and of the scores: (N, h, queries, keys)."""

    queries: Array
    keys: Array
    values: Array
    scores: Array


def _attention(grad: Array, attended: Attended) -> _Attention:
    """That of `attend`; grad is (N, h·d, queries)."""
    g = by_heads(grad, attended.shares.shape[1])
    to_shares = g @ attended.values.swapaxes(2, 3)
    shares = attended.shares
    scores = shares * (to_shares - (to_shares * shares).sum(axis=3, keepdims=True))
    return _Attention(
        joined(scores @ attended.keys * grad.dtype.type(attended.scale)),
        joined(scores.swapaxes(2, 3) @ attended.queries * grad.dtype.type(attended.scale)),
        joined(shares.swapaxes(2, 3) @ g),
        scores,
    )


@backward("scaled_dot_product_attention")
def scaled_dot_product_attention(
    grad: Array, queries: Array, keys: Array, values: Array,
    *, num_heads: int = 1, is_causal: bool = False, scale: float | None = None,
) -> Gradients:  # fmt: skip
    """Through AV, the softmax and QKᵀ."""
    attended = attention.attend(queries, keys, values, num_heads, causal=is_causal, scale=scale)
    return Gradients(_attention(grad, attended)[:3])


def _projection(grad: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """The gradients of the map, the weight and the bias of `project`."""
    g, flat = grad.reshape(*grad.shape[:2], -1), x.reshape(*x.shape[:2], -1)
    return (weight.T @ g).reshape(x.shape), (g @ flat.swapaxes(1, 2)).sum(axis=0), g.sum(axis=(0, 2))


@backward("multi_head_attention")
def multi_head_attention(
    grad: Array,
    queries: Array,
    *others: Array,
    num_heads: int,
    is_causal: bool = False,
    window_size: Sequence[int] | None = None,
    partition: Partition = "window",
    shift_size: Sequence[int] = (0,),
    **arrays: Array,
) -> Gradients:
    """Through the last projection, the attention and the three projections; a map that is read twice gets the sum."""
    parts = attention.parts_of(queries, window_size, partition, shift_size)
    attended = attention.attend_in_windows(queries, others, arrays, num_heads, is_causal, parts)
    out = arrays["out_proj_weight"]
    mixed = attention.assembled(attended.result, (len(queries), out.shape[1], *queries.shape[2:]), parts)
    to_mixed, to_out, to_out_bias = _projection(grad, mixed, out)
    found = {"out_proj_weight": to_out, "out_proj_bias": to_out_bias}
    inner = _attention(attention.partition(to_mixed, parts), attended)
    if (table := arrays.get("relative_position_bias_table")) is not None:
        found["relative_position_bias_table"] = np.zeros_like(table)
        index = attention.offset_index(parts.window or queries.shape[2:])
        np.add.at(found["relative_position_bias_table"], index, np.moveaxis(inner.scores.sum(axis=0), 0, 2))
    places = (0, min(1, len(others)), len(others))
    maps = (queries, *others)
    to_maps: list[Array | None] = [None] * len(maps)
    weights, biases = [], []
    for place, back, weight in zip(places, inner[:3], attention.projections(arrays).weights, strict=True):
        x = maps[place]
        whole = attention.assembled(back, (len(x), len(weight), *x.shape[2:]), parts)
        to_map, to_weight, to_bias = _projection(whole, x, weight)
        known = to_maps[place]
        to_maps[place] = to_map if known is None else known + to_map
        weights.append(to_weight)
        biases.append(to_bias)
    if "in_proj_weight" in arrays:
        found["in_proj_weight"] = np.concatenate(weights)
    found |= {f"{name}_proj_weight": weight for name, weight in zip("qkv", weights, strict=True)}
    found["in_proj_bias"] = np.concatenate(biases)
    return Gradients(tuple(to_maps), {name: found[name] for name in arrays})
