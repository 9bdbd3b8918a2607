"""Maps of another size: interpolation along one axis after the other, and borders made of the map itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from archcalc.execute.kernels.registry import Array, kernel

#: Of the cubic through four neighbours, as in PyTorch. Source: Keys 1981, equation 15.
_CUBIC = -0.75
#: By how much a quotient of floats may miss a whole number.
_ROUNDING = 1e-9
#: What numpy calls a border, by the op.
Border = Literal["reflect", "edge", "wrap"]


def new_sizes(x: Array, like: Array | None, size: Sequence[int] | None, scale_factor: float | None) -> list[int]:
    """The positions of the result, axis by axis. Source: PyTorch, `interpolate`: ⌊size · scale_factor⌋."""
    old = x.shape[2:]
    if size is not None:
        return list(size) if len(size) == len(old) else [size[0]] * len(old)
    if scale_factor is not None:
        return [int(count * scale_factor) for count in old]
    if like is None:
        raise ValueError("interpolate needs a size, a scale_factor or a map whose size it takes")
    return list(like.shape[2:])


def shares(
    old: int, new: int, mode: str, align_corners: bool, scale_factor: float | None = None, antialias: bool = False
) -> Array:
    """How much of each old position is in each new one: (new, old), float64. Source: PyTorch, `interpolate`.

    Positions are 1/scale_factor apart where there is one, else old/new; a side that keeps its size keeps its values
    then (not with `bicubic`), and one that doubles repeats them with `nearest`.
    """
    if antialias:
        return _filtered(old, new, mode)
    if (new == old and mode != "bicubic") or (new == 2 * old and mode == "nearest"):
        scale_factor = None
    matrix = np.zeros((new, old))
    rows = np.arange(new)
    if mode == "nearest":
        # A quotient that is whole but for rounding is whole.
        taken = rows * old // new if scale_factor is None else np.floor(rows / scale_factor + _ROUNDING).astype(int)
        matrix[rows, np.minimum(taken, old - 1)] = 1
        return matrix
    step = old / new if scale_factor is None else 1 / scale_factor
    places = rows * ((old - 1) / max(new - 1, 1)) if align_corners else (rows + 0.5) * step - 0.5
    if mode != "bicubic":
        places = np.maximum(places, 0)
    first = np.floor(places).astype(np.intp)
    rest = places - first
    taps = (
        {step: _cubic(np.abs(rest - step)) for step in (-1, 0, 1, 2)} if mode == "bicubic" else {0: 1 - rest, 1: rest}
    )
    for step, share in taps.items():
        np.add.at(matrix, (rows, np.clip(first + step, 0, old - 1)), share)
    return matrix


def _filtered(old: int, new: int, mode: str) -> Array:
    """The same with a filter that is as much wider as the map is smaller; what lies outside is left out."""
    step = old / new
    wide = max(step, 1.0)
    middles = step * (np.arange(new) + 0.5)
    distance = np.abs(np.arange(old) + 0.5 - middles[:, None]) / wide
    matrix: Array = (
        np.maximum(1 - distance, 0) if mode == "bilinear" else np.where(distance < 2, _cubic(distance, -0.5), 0)
    )
    matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix


def _cubic(distance: Array, a: float = _CUBIC) -> Array:
    """The share of a neighbour at this distance. Source: Keys 1981, equation 4, with a = −3/4."""
    near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    far = ((distance - 5) * distance + 8) * distance * a - 4 * a
    return np.where(distance <= 1, near, far)


def along_axes(x: Array, matrices: Sequence[Array]) -> Array:
    """Each position axis times its matrix."""
    for axis, matrix in enumerate(matrices, start=2):
        x = np.moveaxis(np.moveaxis(x, axis, -1) @ matrix.T.astype(x.dtype), -1, axis)
    return np.ascontiguousarray(x)


def matrices_of(
    x: Array,
    like: Array | None,
    size: Sequence[int] | None,
    scale_factor: float | None,
    mode: str,
    align_corners: bool,
    antialias: bool,
) -> list[Array]:
    """The matrix of each position axis."""
    sizes = new_sizes(x, like, size, scale_factor)
    pairs = zip(x.shape[2:], sizes, strict=True)
    return [shares(old, new, mode, align_corners, scale_factor, antialias) for old, new in pairs]


@kernel("interpolate")
def interpolate(
    x: Array,
    like: Array | None = None,
    *,
    size: Sequence[int] | None = None,
    scale_factor: float | None = None,
    mode: str = "nearest",
    align_corners: bool = False,
    antialias: bool = False,
) -> Array:
    """Another size, by repeating values or by weighting neighbours. Source: PyTorch, `interpolate`."""
    return along_axes(x, matrices_of(x, like, size, scale_factor, mode, align_corners, antialias))


def margins_of(x: Array, padding: Sequence[int]) -> list[tuple[int, int]]:
    """Positions before and after, for each axis of the array."""
    rank = x.ndim - 2
    before = list(padding[:rank]) if len(padding) > 1 else [padding[0]] * rank
    return [(0, 0), (0, 0), *zip(before, padding[rank:] or before, strict=True)]


@kernel("reflection_pad")
def reflection_pad(x: Array, *, padding: Sequence[int]) -> Array:
    """Reflected at the edge, which is not repeated."""
    return np.pad(x, margins_of(x, padding), mode="reflect")


@kernel("replication_pad")
def replication_pad(x: Array, *, padding: Sequence[int]) -> Array:
    """The edge repeated."""
    return np.pad(x, margins_of(x, padding), mode="edge")


@kernel("circular_pad")
def circular_pad(x: Array, *, padding: Sequence[int]) -> Array:
    """Goes on with the other side."""
    return np.pad(x, margins_of(x, padding), mode="wrap")


def sources(x: Array, padding: Sequence[int], mode: Border) -> Iterator[tuple[int, Array]]:
    """For each position axis, where each padded position comes from."""
    for axis, margins in enumerate(margins_of(x, padding)[2:], start=2):
        yield axis, np.pad(np.arange(x.shape[axis]), margins, mode=mode)
