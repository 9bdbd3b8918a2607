"""Layers that treat every value on its own, on channels-last maps: blocks that fit the cache, shared among workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from archcalc.execute.quick.kernels.blocks import even_spans
from archcalc.execute.quick.kernels.workspace import Array, Workspace

#: Bytes of the result of one block.
BLOCK_BYTES = 1 << 18


def by_blocks(function: Callable[..., Any], maps: Sequence[Array], out: Array, workspace: Workspace) -> None:
    """`function(*blocks, out=block)` for every block of rows; the maps (N, H, W, C) or (N, D) are as large as `out`.

    `out` may be one of the maps.
    """
    if out.ndim != 4:
        function(*maps, out=out)
        return
    batch, rows = out.shape[:2]
    pieces = min(rows, -(-out[0].nbytes // BLOCK_BYTES))
    work = [(n, part) for n in range(batch) for part in even_spans(rows, pieces)]

    def block(_worker: int, item: tuple[int, slice]) -> None:
        function(*(each[item] for each in maps), out=out[item])

    workspace.each(block, work)


def add(maps: Sequence[Array], out: Array, workspace: Workspace, *, relu: bool = False) -> None:
    """The sum of maps of one shape, rectified where asked."""

    def total(first: Array, *others: Array, out: Array) -> None:
        for other in others:
            first = np.add(first, other, out=out)
        if relu:
            np.maximum(out, 0, out=out)

    by_blocks(total, maps, out, workspace)


def multiply(maps: Sequence[Array], factor: float, out: Array, workspace: Workspace) -> None:
    """The product of maps times `factor`; one of them may be (N, 1, 1, C), a value for each channel."""
    full = [each for each in maps if each.shape == out.shape]
    spread = [each for each in maps if each.shape != out.shape]
    scale = out.dtype.type(factor)

    def product(first: Array, *others: Array, out: Array) -> None:
        if factor != 1 or not others:
            first = np.multiply(first, scale, out=out)
        for other in others:
            first = np.multiply(first, other, out=out)

    by_blocks(product, full, out, workspace)
    for each in spread:
        for n in range(len(out)):
            # Along the rows, so that a block is a view of one image.
            by_blocks(partial(np.multiply, each[n]), [out[n : n + 1]], out[n : n + 1], workspace)


def scale_shift(x: Array, scale: Array, shift: Array, out: Array, workspace: Workspace, *, relu: bool = False) -> None:
    """`x`·scale + shift for each channel, rectified where asked: batch normalisation with its numbers in order."""
    columns = out.shape[2]
    # Repeated for every pixel of a row: one inner loop is then a row, not a pixel.
    whole = _rows_are_whole(x) and _rows_are_whole(out)
    if whole:
        scale, shift = np.tile(scale, columns), np.tile(shift, columns)

    def block(part: Array, *, out: Array) -> None:
        if whole:
            part, out = _as_rows(part), _as_rows(out)
        np.multiply(part, scale, out=out)
        np.add(out, shift, out=out)
        if relu:
            np.maximum(out, 0, out=out)

    by_blocks(block, [x], out, workspace)


def _rows_are_whole(x: Array) -> bool:
    return x.strides[3] == x.itemsize and x.strides[2] == x.shape[3] * x.itemsize


def _as_rows(block: Array) -> Array:
    """(R, W, C) as (R, W·C), without a copy."""
    rows, columns, channels = block.shape
    strides = (block.strides[0], block.itemsize)
    return np.lib.stride_tricks.as_strided(block, (rows, columns * channels), strides)
