"""Attention, and products of two maps. A row of T tokens with C features is the map (N, C, T)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from archcalc.execute.kernels.registry import Array, Sizes, kernel


def _matrix(x: Array, transposed: bool) -> Array:
    """A row of positions as a matrix of positions × channels, or of channels × positions."""
    return x if transposed else x.swapaxes(1, 2)


def _product(first: Array, _second: Array, out: Array, *, transpose_first: bool) -> int:
    return int(out[0].size * first.shape[2 if transpose_first else 1])


@kernel("matmul", products=_product)
def matmul(first: Array, second: Array, *, transpose_first: bool = False, transpose_second: bool = False) -> Array:
    """Two maps as matrices of positions × channels, multiplied."""
    out = _matrix(first, transpose_first) @ _matrix(second, transpose_second)
    return np.ascontiguousarray(out.swapaxes(1, 2))


def by_heads(x: Array, heads: int) -> Array:
    """(N, h·d, T) → (N, h, T, d)."""
    return x.reshape(len(x), heads, -1, x.shape[2]).swapaxes(2, 3)


def joined(x: Array) -> Array:
    """(N, h, T, d) → (N, h·d, T)."""
    return x.swapaxes(2, 3).reshape(len(x), -1, x.shape[2])


class Attended(NamedTuple):
    """Queries, keys and values by heads, and what each query takes of each value: (N, h, queries, keys)."""

    queries: Array
    keys: Array
    values: Array
    shares: Array
    scale: float

    @property
    def result(self) -> Array:
        """(N, h·d, queries)."""
        return np.ascontiguousarray(joined(self.shares @ self.values))


def attend(
    queries: Array,
    keys: Array,
    values: Array,
    heads: int,
    *,
    causal: bool = False,
    scale: float | None = None,
    offsets: Array | None = None,
) -> Attended:
    """softmax(QKᵀ·scale + offsets)·V, head by head; `scale` is 1/√d where none is given.

    Source: Vaswani et al. 2017, equation 1.
    """
    q, k, v = by_heads(queries, heads), by_heads(keys, heads), by_heads(values, heads)
    factor = 1 / math.sqrt(q.shape[3]) if scale is None else scale
    scores = (q * q.dtype.type(factor)) @ k.swapaxes(2, 3)
    if offsets is not None:
        scores = scores + offsets
    if causal:
        scores = np.where(np.tri(*scores.shape[2:]) > 0, scores, -np.inf)
    powers = np.exp(scores - scores.max(axis=3, keepdims=True))
    return Attended(q, k, v, (powers / powers.sum(axis=3, keepdims=True)).astype(q.dtype, copy=False), factor)


def _pairs(queries: Array, keys: Array, values: Array, _out: Array) -> int:
    return math.prod((queries.shape[2], keys.shape[2], queries.shape[1] + values.shape[1]))


@kernel("scaled_dot_product_attention", products=_pairs)
def scaled_dot_product_attention(
    queries: Array,
    keys: Array,
    values: Array,
    *,
    num_heads: int = 1,
    is_causal: bool = False,
    scale: float | None = None,
) -> Array:
    """softmax(QKᵀ/√d)·V for each head. Source: Vaswani et al. 2017, equation 1."""
    return attend(queries, keys, values, num_heads, causal=is_causal, scale=scale).result


def partition(x: Array, window: Sequence[int] | None) -> Array:
    """(N, C, positions…) → (N·windows, C, positions of a window); without windows the whole map is one."""
    sizes = x.shape[2:]
    if window is None:
        return x.reshape(*x.shape[:2], -1)
    sides = [size for pair in zip(sizes, window, strict=True) for size in (pair[0] // pair[1], pair[1])]
    blocks, inside = range(2, 2 + len(sides), 2), range(3, 3 + len(sides), 2)
    return x.reshape(*x.shape[:2], *sides).transpose(0, *blocks, 1, *inside).reshape(-1, x.shape[1], math.prod(window))


def assembled(parts: Array, shape: Sequence[int], window: Sequence[int] | None) -> Array:
    """The inverse: maps of this shape (N, C, positions…)."""
    if window is None:
        return parts.reshape(tuple(shape))
    counts = [size // side for size, side in zip(shape[2:], window, strict=True)]
    rank = len(counts)
    x = parts.reshape(shape[0], *counts, shape[1], *window)
    order = [axis for place in range(rank) for axis in (1 + place, 2 + rank + place)]
    return x.transpose(0, 1 + rank, *order).reshape(tuple(shape))


def offset_index(window: Sequence[int]) -> Array:
    """For each pair of positions of a window the row of the table that holds their offset: (positions, positions).

    Source: Liu et al. 2021, section 3.2, equation 4.
    """
    places = np.stack(np.meshgrid(*map(np.arange, window), indexing="ij")).reshape(len(window), -1)
    index = np.zeros((places.shape[1],) * 2, np.intp)
    for axis, side in zip(places, window, strict=True):
        index = index * (2 * side - 1) + (axis[:, None] - axis[None, :] + side - 1)
    return index


def sides_of(x: Array, window_size: Sequence[int] | None) -> tuple[int, ...]:
    """The sides of a window, the whole map where there are none."""
    if window_size is None:
        return x.shape[2:]
    return tuple(window_size) if len(window_size) == x.ndim - 2 else tuple(window_size) * (x.ndim - 2)


def _arrays(
    x: Array,
    *,
    embed_dim: int | None,
    kdim: int | None,
    vdim: int | None,
    num_heads: int,
    bias: bool,
    window_size: Sequence[int] | None,
    relative_position_bias: bool,
) -> Sizes:
    embed = embed_dim or x.shape[1]
    sizes = {"q": embed, "k": kdim or embed, "v": vdim or embed}
    if set(sizes.values()) == {embed}:
        arrays: dict[str, tuple[int, ...]] = {"in_proj_weight": (3 * embed, embed)}
    else:
        arrays = {f"{name}_proj_weight": (embed, size) for name, size in sizes.items()}
    if bias:
        arrays["in_proj_bias"] = (3 * embed,)
    arrays["out_proj_weight"] = (embed, embed)
    if bias:
        arrays["out_proj_bias"] = (embed,)
    if relative_position_bias:
        offsets = math.prod(2 * side - 1 for side in sides_of(x, window_size))
        arrays["relative_position_bias_table"] = (offsets, num_heads)
    return arrays


def _projected(queries: Array, *others: Array, window_size: Sequence[int] | None) -> int:
    """Each of the four projections, then each query with the keys and the values that it meets."""
    *maps, out = (queries, *others)
    embed = queries.shape[1]
    counts = [math.prod(each.shape[2:]) for each in (maps[0], maps[min(1, len(maps) - 1)], maps[-1])]
    depths = [each.shape[1] for each in (maps[0], maps[min(1, len(maps) - 1)], maps[-1])]
    met = counts[1] if window_size is None else math.prod(sides_of(queries, window_size))
    through = sum(count * depth * embed for count, depth in zip(counts, depths, strict=True))
    return int(through + out[0].size * embed + 2 * counts[0] * met * embed)


class Projections(NamedTuple):
    """The weights and the bias of queries, keys and values."""

    weights: Sequence[Array]
    biases: Sequence[Array | None]


def projections(arrays: Mapping[str, Array]) -> Projections:
    """Those of the three, out of one array where they are together."""
    together = arrays.get("in_proj_weight")
    weights = [arrays[f"{name}_proj_weight"] for name in "qkv"] if together is None else np.split(together, 3)
    return Projections(weights, np.split(arrays["in_proj_bias"], 3) if "in_proj_bias" in arrays else [None] * 3)


def project(x: Array, weight: Array, bias: Array | None) -> Array:
    """W·x + b at every position; the positions stay as they are."""
    out = weight @ x.reshape(*x.shape[:2], -1)
    return (out if bias is None else out + bias[:, None]).reshape(len(x), len(weight), *x.shape[2:])


@kernel("multi_head_attention", arrays=_arrays, products=_projected)
def multi_head_attention(
    queries: Array,
    *others: Array,
    num_heads: int,
    is_causal: bool = False,
    window_size: Sequence[int] | None = None,
    **arrays: Array,
) -> Array:
    """Projections, attention in every window (or in the whole map), and a last projection.

    Source: Vaswani et al. 2017, section 3.2.2; Liu et al. 2021, section 3.2.
    """
    attended = attend_in_windows(queries, others, arrays, num_heads, is_causal, window_size)
    window = None if window_size is None else sides_of(queries, window_size)
    mixed = assembled(attended.result, queries.shape, window)
    return project(mixed, arrays["out_proj_weight"], arrays.get("out_proj_bias"))


def attend_in_windows(
    queries: Array,
    others: Sequence[Array],
    arrays: Mapping[str, Array],
    heads: int,
    causal: bool,
    window_size: Sequence[int] | None,
) -> Attended:
    """The projected maps, cut into windows, and the attention in each."""
    window = None if window_size is None else sides_of(queries, window_size)
    maps = (queries, (others or (queries,))[0], (queries, *others)[-1])
    inner, table = projections(arrays), arrays.get("relative_position_bias_table")
    parts = [
        partition(project(x, weight, bias), window)
        for x, weight, bias in zip(maps, inner.weights, inner.biases, strict=True)
    ]
    offsets = None
    if table is not None:
        offsets = np.moveaxis(table[offset_index(sides_of(queries, window_size))], 2, 0)
    return attend(parts[0], parts[1], parts[2], heads, causal=causal, offsets=offsets)
