"""Maps of another size: interpolation along one axis after the other, and borders made of the map itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from archcalc.execute.kernels.registry import Array, kernel

#: Of the cubic through four neighbours, as in PyTorch. Source: Keys 1981, equation 15.
_CUBIC = -0.75
#: What numpy calls a border, by the op.
Border = Literal["reflect", "edge", "wrap"]


def new_sizes(x: Array, like: Array | None, size: Sequence[int] | None, scale_factor: int | None) -> list[int]:
    """The positions of the result, axis by axis."""
    old = x.shape[2:]
    if size is not None:
        return list(size) if len(size) == len(old) else [size[0]] * len(old)
    if scale_factor is not None:
        return [count * scale_factor for count in old]
    if like is None:
        raise ValueError("interpolate needs a size, a scale_factor or a map whose size it takes")
    return list(like.shape[2:])


def shares(old: int, new: int, mode: str, align_corners: bool) -> Array:
    """How much of each old position is in each new one: (new, old), float64. Source: PyTorch, `interpolate`."""
    matrix = np.zeros((new, old))
    rows = np.arange(new)
    if mode == "nearest":
        matrix[rows, rows * old // new] = 1
        return matrix
    places = rows * ((old - 1) / max(new - 1, 1)) if align_corners else (rows + 0.5) * old / new - 0.5
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


def _cubic(distance: Array) -> Array:
    """The share of a neighbour at this distance. Source: Keys 1981, equation 4, with a = −3/4."""
    near = ((_CUBIC + 2) * distance - (_CUBIC + 3)) * distance * distance + 1
    far = ((distance - 5) * distance + 8) * distance * _CUBIC - 4 * _CUBIC
    return np.where(distance <= 1, near, far)


def along_axes(x: Array, matrices: Sequence[Array]) -> Array:
    """Each position axis times its matrix."""
    for axis, matrix in enumerate(matrices, start=2):
        x = np.moveaxis(np.moveaxis(x, axis, -1) @ matrix.T.astype(x.dtype), -1, axis)
    return np.ascontiguousarray(x)


def matrices_of(
    x: Array, like: Array | None, size: Sequence[int] | None, scale_factor: int | None, mode: str, align_corners: bool
) -> list[Array]:
    """The matrix of each position axis."""
    sizes = new_sizes(x, like, size, scale_factor)
    return [shares(old, new, mode, align_corners) for old, new in zip(x.shape[2:], sizes, strict=True)]


@kernel("interpolate")
def interpolate(
    x: Array,
    like: Array | None = None,
    *,
    size: Sequence[int] | None = None,
    scale_factor: int | None = None,
    mode: str = "nearest",
    align_corners: bool = False,
) -> Array:
    """Another size, by repeating values or by weighting neighbours. Source: PyTorch, `interpolate`."""
    return along_axes(x, matrices_of(x, like, size, scale_factor, mode, align_corners))


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
