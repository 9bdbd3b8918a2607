"""Attention, and products of two maps. A row of T tokens with C features is the map (N, C, T)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from archcalc.execute.kernels.registry import Array, Sizes, kernel

#: Windows next to each other, or grids that are spread over the map.
Partition = Literal["window", "grid"]


def matrices(x: Array, transposed: bool) -> Array:
    """(N, C, …, T) as matrices of positions × channels, or of channels × positions: (N, …, T, C) or (N, …, C, T)."""
    x = np.moveaxis(x, 1, -2)
    return x if transposed else x.swapaxes(-1, -2)


def as_map(x: Array, transposed: bool) -> Array:
    """The inverse of `matrices`: (N, C, …, T)."""
    return np.moveaxis(x if transposed else x.swapaxes(-1, -2), -2, 1)


def _product(first: Array, _second: Array, out: Array, *, transpose_first: bool) -> int:
    return int(out[0].size * first.shape[-1 if transpose_first else 1])


@kernel("matmul", products=_product)
def matmul(first: Array, second: Array, *, transpose_first: bool = False, transpose_second: bool = False) -> Array:
    """Two maps as matrices of positions × channels, multiplied."""
    out = matrices(first, transpose_first) @ matrices(second, transpose_second)
    return np.ascontiguousarray(as_map(out, False))


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


class Parts(NamedTuple):
    """How a map is cut: the sides of a window (None: it is whole), windows or grids, and how far it was rolled back."""

    window: Sequence[int] | None
    kind: Partition = "window"
    shift: Sequence[int] = (0,)


def parts_of(x: Array, window_size: Sequence[int] | None, kind: Partition, shift_size: Sequence[int]) -> Parts:
    """The parts of a map x; a single number stands for every position axis."""
    if window_size is None:
        return Parts(None)
    return Parts(sides_of(x, window_size), kind, sides_of(x, shift_size))


def partition(x: Array, parts: Parts) -> Array:
    """(N, C, positions…) → (N·windows, C, positions of a window); without windows the whole map is one."""
    window, sizes = parts.window, x.shape[2:]
    if window is None:
        return x.reshape(*x.shape[:2], -1)
    pairs = [(size // side, side) for size, side in zip(sizes, window, strict=True)]
    sides = [size for pair in pairs for size in (pair if parts.kind == "window" else pair[::-1])]
    first, second = range(2, 2 + len(sides), 2), range(3, 3 + len(sides), 2)
    blocks, inside = (first, second) if parts.kind == "window" else (second, first)
    return x.reshape(*x.shape[:2], *sides).transpose(0, *blocks, 1, *inside).reshape(-1, x.shape[1], math.prod(window))


def assembled(x: Array, shape: Sequence[int], parts: Parts) -> Array:
    """The inverse: maps of this shape (N, C, positions…)."""
    window = parts.window
    if window is None:
        return x.reshape(tuple(shape))
    counts = [size // side for size, side in zip(shape[2:], window, strict=True)]
    rank = len(counts)
    x = x.reshape(shape[0], *counts, shape[1], *window)
    pairs = [(1 + place, 2 + rank + place) for place in range(rank)]
    order = [axis for pair in pairs for axis in (pair if parts.kind == "window" else pair[::-1])]
    return x.transpose(0, 1 + rank, *order).reshape(tuple(shape))


def parted(sizes: Sequence[int], parts: Parts) -> Array | None:
    """What is added to the scores of each window of a map with these sides: (windows, positions, positions).

    In the last windows along an axis there are positions from both ends of the map, which do not see one another. The
    authors' code adds −100, of which a softmax leaves e^−100. Source: Liu et al. 2021, figure 4.
    """
    if parts.window is None or not any(parts.shift):
        return None
    region = np.zeros((1, 1, *sizes))
    for axis, (size, shift) in enumerate(zip(sizes, parts.shift, strict=True)):
        ends = np.arange(size) >= size - shift
        region += 2**axis * ends.reshape(-1, *(1,) * (len(sizes) - 1 - axis))
    places = partition(region, parts)[:, 0]
    return np.where(places[:, :, None] == places[:, None, :], 0.0, -np.inf)


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
    keys: Array | None = None,
    values: Array | None = None,
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
    channels = x.shape[1]
    keys = x if keys is None else keys
    values = keys if values is None else values
    sizes = {"q": channels, "k": kdim or keys.shape[1], "v": vdim or values.shape[1]}
    if set(sizes.values()) == {channels}:
        arrays: dict[str, tuple[int, ...]] = {"in_proj_weight": (3 * embed, channels)}
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
    embed = out.shape[1]
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
    partition: Partition = "window",
    shift_size: Sequence[int] = (0,),
    **arrays: Array,
) -> Array:
    """Projections, attention in every window (or in the whole map), and a last projection.

    Source: Vaswani et al. 2017, section 3.2.2; Liu et al. 2021, section 3.2.
    """
    parts = parts_of(queries, window_size, partition, shift_size)
    attended = attend_in_windows(queries, others, arrays, num_heads, is_causal, parts)
    embed = arrays["out_proj_weight"].shape[1]
    mixed = assembled(attended.result, (len(queries), embed, *queries.shape[2:]), parts)
    return project(mixed, arrays["out_proj_weight"], arrays.get("out_proj_bias"))


def attend_in_windows(
    queries: Array,
    others: Sequence[Array],
    arrays: Mapping[str, Array],
    heads: int,
    causal: bool,
    parts: Parts,
) -> Attended:
    """The projected maps, cut into windows, and the attention in each."""
    maps = (queries, (others or (queries,))[0], (queries, *others)[-1])
    inner, table = projections(arrays), arrays.get("relative_position_bias_table")
    q, k, v = (
        partition(project(x, weight, bias), parts)
        for x, weight, bias in zip(maps, inner.weights, inner.biases, strict=True)
    )
    offsets = None
    if table is not None:
        offsets = np.moveaxis(table[offset_index(parts.window or queries.shape[2:])], 2, 0)
    if (apart := parted(queries.shape[2:], parts)) is not None:
        # For each window of each image, the same for all heads.
        each = np.tile(apart.astype(queries.dtype), (len(queries), 1, 1))[:, None]
        offsets = each if offsets is None else offsets + each
    return attend(q, k, v, heads, causal=causal, offsets=offsets)
