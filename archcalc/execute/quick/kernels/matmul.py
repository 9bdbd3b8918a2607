"""Convolution as a matrix product: 1×1 directly, any other kernel through blocks of im2col.

im2col copies each window into a row, so that all windows times all filters are one product:
(OH·OW, kh·kw·C) @ (kh·kw·C, K). Source: Chellapilla, Puri & Simard 2006, section 3; CS231n, "Implementation as Matrix
Multiplication". The whole matrix would be kh·kw times the input; a block of it stays in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from archcalc.execute.quick.kernels.blocks import (
    Epilogue,
    Geometry,
    even_spans,
    padded_rows,
    rows_to_read,
    spans,
    split_columns,
)
from archcalc.execute.quick.kernels.workspace import Array, Workspace

#: Rows of a matrix product in one block: enough that the packing of the weights inside BLAS does not show, few enough
#: that the block's result is in the second-level cache for its bias and ReLU.
BLOCK_PIXELS = 784
#: Bytes of an im2col block; beyond it the gathered windows leave the second-level cache before BLAS has packed them.
BLOCK_BYTES = 1 << 21
#: With fewer pixels than this the filters are shared out among the workers, not the pixels: reading (and packing) the
#: weights is then the larger part, and each worker reads only its own.
FEW_PIXELS = 256


@dataclass(frozen=True)
class MatrixConvolution:
    """weight (groups, kh·kw·C/groups, K/groups)."""

    weight: Array
    geometry: Geometry
    channels: int
    planar: bool = False

    @classmethod
    def prepare(cls, weight: Array, geometry: Geometry, groups: int, planar: bool = False) -> MatrixConvolution:
        """`weight` (K, C/groups, kh, kw). `planar`: gather from (C, H, W) planes, for an input of very few channels."""
        filters, depth, height, width = weight.shape
        grouped = weight.reshape(groups, filters // groups, depth, height, width)
        order = (0, 2, 3, 4, 1) if planar else (0, 3, 4, 2, 1)
        matrix = grouped.transpose(order).reshape(groups, depth * height * width, filters // groups)
        return cls(np.ascontiguousarray(matrix), geometry, depth * groups, planar)

    @property
    def pointwise(self) -> bool:
        g = self.geometry
        return g.kernel == (1, 1) and g.stride == (1, 1) and not any(g.padding) and len(self.weight) == 1

    def run(self, x: Array, out: Array, epilogue: Epilogue, workspace: Workspace) -> None:
        """`x` (N, H, W, C), `out` (N, OH, OW, K)."""
        if self.planar:
            self._run_planar(x, out, epilogue, workspace)
            return
        batch, rows, columns = out.shape[:3]
        groups, depth, per_group = self.weight.shape
        few = rows * columns <= FEW_PIXELS and workspace.active > 1
        if few:
            row_blocks = [slice(0, rows)]
            filter_blocks = even_spans(per_group, workspace.active if groups == 1 else 1)
        else:
            step = BLOCK_PIXELS // columns
            if not self.pointwise:
                step = min(step, BLOCK_BYTES // (columns * depth * x.itemsize))
            # As many blocks as workers, or a multiple: the last round keeps all of them busy.
            pieces = -(-rows // max(step, 1))
            pieces = min(-(-pieces // workspace.active) * workspace.active, rows)
            row_blocks = even_spans(rows, pieces)
            filter_blocks = [slice(0, per_group)]
        work = [(n, g, r, f) for n in range(batch) for g in range(groups) for r in row_blocks for f in filter_blocks]

        def block(worker: int, item: tuple[int, int, slice, slice]) -> None:
            n, group, part, these = item
            channels = x[n] if groups == 1 else x[n, :, :, group * self._depth() : (group + 1) * self._depth()]
            windows = self._windows(channels, part, columns, workspace, worker)
            keep = slice(group * per_group + these.start, group * per_group + these.stop)
            target = out[n, part, :, keep]
            multiply(windows, self.weight[group][:, these], target, workspace, worker)
            epilogue.channels(keep).finish(target, n, part)

        workspace.each(block, work)

    def _depth(self) -> int:
        return self.channels // len(self.weight)

    def _windows(self, image: Array, rows: slice, columns: int, workspace: Workspace, worker: int) -> Array:
        """The windows of output rows `rows`, one in each row: (R·OW, kh·kw·C)."""
        geometry, channels = self.geometry, image.shape[2]
        if geometry.kernel == geometry.stride == (1, 1) and not any(geometry.padding):
            return flat(image[rows], workspace, worker)
        high, wide = geometry.kernel
        source = padded_rows(image, *rows_to_read(rows, geometry), geometry, workspace, worker)
        count = rows.stop - rows.start
        down, right, deep = source.strides
        view = as_strided(
            source,
            (count, columns, high, wide, channels),
            (
                down * geometry.stride[0],
                right * geometry.stride[1],
                down * geometry.dilation[0],
                right * geometry.dilation[1],
                deep,
            ),
            writeable=False,
        )
        matrix = workspace.array(worker, "windows", (count * columns, high * wide * channels), image.dtype)
        np.copyto(matrix.reshape(view.shape), view)
        return matrix

    def _run_planar(self, x: Array, out: Array, epilogue: Epilogue, workspace: Workspace) -> None:
        batch, rows, columns, _ = out.shape
        top, left, bottom, right = self.geometry.padding
        _, height, width, channels = x.shape
        high, wide = self.geometry.kernel
        depth = channels * high * wide
        # Column phases apart, so that the pixels of one tap are contiguous whatever the stride is.
        step = self.geometry.stride[1]
        length = -(-(left + width + right) // step)
        planes = workspace.array(0, "planes", (channels, top + height + bottom, step, length), x.dtype)
        for n in range(batch):
            split_columns(x[n], planes.transpose(1, 2, 3, 0), (0, 0), self.geometry)
            count = max(1, min(BLOCK_PIXELS // columns, BLOCK_BYTES // (columns * depth * x.itemsize)))

            def block(worker: int, part: slice, n: int = n) -> None:
                count = part.stop - part.start
                matrix = workspace.array(worker, "windows", (channels, high, wide, count, columns), x.dtype)
                first = part.start * self.geometry.stride[0]
                for i in range(high):
                    begin = first + i * self.geometry.dilation[0]
                    lines = slice(begin, begin + (count - 1) * self.geometry.stride[0] + 1, self.geometry.stride[0])
                    for j in range(wide):
                        offset, phase = divmod(j * self.geometry.dilation[1], step)
                        matrix[:, i, j] = planes[:, lines, phase, offset : offset + columns]
                target = out[n, part]
                multiply(matrix.reshape(depth, count * columns).T, self.weight[0], target, workspace, worker)
                epilogue.finish(target, n, part)

            workspace.each(block, spans(rows, count))


def flat(rows: Array, workspace: Workspace, worker: int) -> Array:
    """(R, W, C) as (R·W, C): a view where the strides allow it."""
    count, width, channels = rows.shape
    if rows.strides[0] == width * rows.strides[1] and rows.strides[2] == rows.itemsize:
        return as_strided(rows, (count * width, channels), rows.strides[1:], writeable=False)
    copy = workspace.array(worker, "flat", (count, width, channels), rows.dtype)
    np.copyto(copy, rows)
    return copy.reshape(count * width, channels)


def multiply(left: Array, right: Array, out: Array, workspace: Workspace, worker: int) -> None:
    """`out` (R, W, K) = left (R·W, D) @ right (D, K), straight into `out` where BLAS can write there."""
    count, width, filters = out.shape
    if out.strides[0] == width * out.strides[1] and out.strides[2] == out.itemsize:
        np.matmul(left, right, out=as_strided(out, (count * width, filters), out.strides[1:]))
    else:
        product = workspace.array(worker, "product", (count * width, filters), out.dtype)
        np.matmul(left, right, out=product)
        np.copyto(out, product.reshape(out.shape))
