"""What every algorithm shares: the sizes of a convolution, padded blocks of rows, and the end of a block.

All maps are channels-last: (N, H, W, C). A map may be a slice along its last axis of a wider one, so that the branches
of a concatenation write where the result is wanted.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from archcalc.execute.quick.kernels.workspace import Array, Workspace

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]


class Geometry(NamedTuple):
    """Sizes of a convolution: `padding` is (top, left, bottom, right)."""

    kernel: Pair
    stride: Pair = (1, 1)
    padding: Sides = (0, 0, 0, 0)
    dilation: Pair = (1, 1)

    def positions(self, height: int, width: int) -> Pair:
        """How many windows fit along each axis, counted by placing them."""
        top, left, bottom, right = self.padding
        counts = []
        for axis, size in enumerate((top + height + bottom, left + width + right)):
            reach = self.dilation[axis] * (self.kernel[axis] - 1)
            starts = range(0, size - reach, self.stride[axis])
            if not starts:
                raise ValueError(
                    f"no window of {self.kernel} fits a map of {height}×{width} with padding {self.padding}"
                )
            counts.append(len(starts))
        return counts[0], counts[1]


class Epilogue(NamedTuple):
    """What happens to a finished block while it is in the cache: add the bias, add a second map, rectify."""

    bias: Array | None = None
    residual: Array | None = None
    relu: bool = False

    def channels(self, part: slice) -> Epilogue:
        return Epilogue(
            None if self.bias is None else self.bias[part],
            None if self.residual is None else self.residual[..., part],
            self.relu,
        )

    def finish(self, block: Array, n: int, rows: slice) -> None:
        """`block` holds rows `rows` of image `n`: (R, OW, K)."""
        if self.bias is not None:
            add_channels(block, self.bias)
        if self.residual is not None:
            np.add(block, self.residual[n, rows], out=block)
        if self.relu:
            np.maximum(block, 0, out=block)


def add_channels(block: Array, vector: Array) -> None:
    """`block` (…, K) += `vector` (K,), in inner loops that are long enough to be worth starting."""
    channels = vector.shape[0]
    pixels = block.size // channels
    repeat = 1
    while channels * repeat < 1024 and pixels % (2 * repeat) == 0:
        repeat *= 2
    if repeat > 1 and block.flags.c_contiguous:
        wide = block.reshape(-1, channels * repeat)
        np.add(wide, np.tile(vector, repeat), out=wide)
    else:
        np.add(block, vector, out=block)


def spans(total: int, step: int) -> list[slice]:
    """0 … total in pieces of at most `step`."""
    return [slice(start, min(start + step, total)) for start in range(0, total, step)]


def even_spans(total: int, pieces: int) -> list[slice]:
    """0 … total in `pieces` of nearly equal length."""
    bounds = [total * index // pieces for index in range(pieces + 1)]
    return [slice(low, high) for low, high in pairwise(bounds) if high > low]


def rows_to_read(rows: slice, geometry: Geometry) -> tuple[int, int]:
    """First and last+1 input row, in padded coordinates, of output rows `rows`."""
    stride, reach = geometry.stride[0], geometry.dilation[0] * (geometry.kernel[0] - 1)
    return rows.start * stride, (rows.stop - 1) * stride + reach + 1


def padded_rows(image: Array, first: int, last: int, geometry: Geometry, workspace: Workspace, worker: int) -> Array:
    """Rows `first` … `last` of the padded image: (last−first, left+W+right, C). A view where nothing is padded.

    image (H, W, C).
    """
    top, left, _, right = geometry.padding
    height, width, channels = image.shape
    if left == right == 0 and first >= top and last <= top + height:
        return image[first - top : last - top]
    block = workspace.array(worker, "padded", (last - first, 1, left + width + right, channels), image.dtype)
    split_columns(image, block, (first, 0), geometry)
    return block[:, 0]


def split_columns(image: Array, target: Array, first: Pair, geometry: Geometry) -> None:
    """The padded image from row and column `first` on, its columns apart by their remainder modulo P.

    image (H, W, C), target (rows, P, columns/P, C·m): every channel m times over. A tap that moves by P columns then
    reads pixels that lie next to each other.
    """
    height, width, channels = image.shape
    rows, phases, length, depth = target.shape
    row, column = first[0] - geometry.padding[0], first[1] - geometry.padding[1]
    low = max(row, 0)
    high = max(low, min(row + rows, height))
    target[: low - row] = 0
    target[high - row :] = 0
    for phase in range(phases):
        # Columns origin + P·t of the image, those that exist.
        origin = column + phase
        start = max(0, -(origin // phases))
        stop = max(start, min(length, -(-(width - origin) // phases)))
        inner = target[low - row : high - row, phase]
        inner[:, :start] = 0
        inner[:, stop:] = 0
        if stop > start:
            begin = origin + phases * start
            columns = image[low:high, begin : begin + phases * (stop - start - 1) + 1 : phases]
            for m in range(depth // channels):
                np.copyto(inner[:, start:stop, m :: depth // channels], columns)
