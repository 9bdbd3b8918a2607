"""Winograd convolution F(m×m, r×r): m² outputs from p² = (m+r−1)² multiplications for each pair of channels.

Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, summed over the input channels, for tiles d of p² inputs that overlap by r−1. The sum over
channels of the element-wise products is p² matrix products (tiles, C) @ (C, K). F(4×4, 3×3) needs 36/16 = 2.25
multiplications an output in place of 9, F(2×2, 3×3) 16/4 = 4, and F(2×2, 5×5) 36/4 = 9 in place of 25. Source: Lavin &
Gray 2015, "Fast Algorithms for Convolutional Neural Networks", sections 4.1 to 4.3.

A tile is added and subtracted as a whole: one NaN or infinity in the input makes its whole tile NaN, where a direct
convolution would confine it to the windows that hold it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archcalc.execute.quick.kernels.blocks import Epilogue, Geometry, even_spans, spans, split_columns
from archcalc.execute.quick.kernels.transforms import filter_transform, input_4, input_6, output_transform
from archcalc.execute.quick.kernels.workspace import Array, Workspace

#: Tiles in one block: enough that BLAS's packing of the p² weight matrices does not show, and no more, so that a
#: block's tiles and products stay in the cache between the steps.
BLOCK_TILES = 128
#: Values of a block's tiles and products; deeper layers get fewer tiles, so that the buffers do not outgrow the maps.
BLOCK_VALUES = 5 << 19
#: Values of transformed weights that are made at a time.
PREPARED_VALUES = 1 << 20
#: With at most this many tiles in an image the filters, not the tiles, are shared out among the workers.
FEW_TILES = 64


@dataclass(frozen=True)
class WinogradConvolution:
    """weight (p², C, K), transformed; stride 1, no dilation, one group."""

    weight: Array
    geometry: Geometry
    tile: int

    @classmethod
    def prepare(cls, weight: Array, geometry: Geometry, tile: int) -> WinogradConvolution:
        """`weight` (K, C, r, r)."""
        filters, depth, size, _ = weight.shape
        points = tile + size - 1
        transform = filter_transform(tile, size)
        # G g Gᵀ of many filters is one product with the Kronecker square of G, in float64: it is done once.
        square = np.kron(transform, transform)
        transformed = np.empty((points * points, depth, filters), weight.dtype)
        for part in spans(depth, max(1, PREPARED_VALUES // (points * points * filters))):
            flat = weight[:, part].transpose(2, 3, 1, 0).reshape(size * size, -1).astype(np.float64)
            transformed[:, part] = (square @ flat).reshape(points * points, -1, filters)
        return cls(transformed, geometry, tile)

    @property
    def points(self) -> int:
        return self.tile + self.geometry.kernel[0] - 1

    def run(self, x: Array, out: Array, epilogue: Epilogue, workspace: Workspace) -> None:
        """`x` (N, H, W, C), `out` (N, OH, OW, K)."""
        batch, rows, columns, _ = out.shape
        down, across = -(-rows // self.tile), -(-columns // self.tile)
        if down * across <= FEW_TILES and workspace.active > 1:
            for n in range(batch):
                self._run_by_filters(x, out, n, down, across, epilogue, workspace)
            return
        points, depth, filters = self.weight.shape
        most = max(1, min(BLOCK_TILES, BLOCK_VALUES // (points * (depth + filters))))
        wide = -(-across // -(-across // most))
        pieces = -(-down // max(1, most // wide))
        # As many blocks as workers, or a multiple: the last round keeps all of them busy.
        pieces = min(-(-pieces // workspace.active) * workspace.active, down)
        work = [(n, t, u) for n in range(batch) for t in even_spans(down, pieces) for u in spans(across, wide)]

        def block(worker: int, item: tuple[int, slice, slice]) -> None:
            n, vertical, horizontal = item
            tiles = (vertical.stop - vertical.start) * (horizontal.stop - horizontal.start)
            given = workspace.array(worker, "tiles", (points, tiles, depth), x.dtype)
            self._transform_input(x[n], vertical, horizontal, given, workspace, worker)
            products = workspace.array(worker, "products", (points, tiles, filters), x.dtype)
            np.matmul(given, self.weight, out=products)
            self._finish(products, out, n, vertical, horizontal, epilogue, workspace, worker)

        workspace.each(block, work)

    def _run_by_filters(
        self, x: Array, out: Array, n: int, down: int, across: int, epilogue: Epilogue, workspace: Workspace
    ) -> None:
        points, depth, filters = self.weight.shape
        whole = slice(0, down), slice(0, across)
        given = workspace.array(0, "tiles", (points, down * across, depth), x.dtype)

        def transform(worker: int, part: slice) -> None:
            self._transform_input(x[n, :, :, part], *whole, given[:, :, part], workspace, worker)

        def share(worker: int, part: slice) -> None:
            shape = (points, down * across, part.stop - part.start)
            products = workspace.array(worker, "products", shape, x.dtype)
            np.matmul(given, self.weight[:, :, part], out=products)
            target = out[..., part]
            self._finish(products, target, n, *whole, epilogue.channels(part), workspace, worker)

        workspace.each(transform, even_spans(depth, workspace.active))
        workspace.each(share, even_spans(filters, workspace.active))

    def _transform_input(
        self, image: Array, vertical: slice, horizontal: slice, given: Array, workspace: Workspace, worker: int
    ) -> None:
        """Bᵀ d B of the tiles: image (H, W, C) → given (p², tiles, C)."""
        tile, points = self.tile, self.points
        beyond = (points - 1) // tile
        channels = image.shape[2]
        down, across = vertical.stop - vertical.start, horizontal.stop - horizontal.start
        shape = (tile * (down - 1) + points, tile, across + beyond, channels)
        padded = workspace.array(worker, "padded", shape, image.dtype)
        split_columns(image, padded, (tile * vertical.start, tile * horizontal.start), self.geometry)
        # Along the height: row r of every tile row; all columns at once.
        half = workspace.array(worker, "half", (points, down, tile, across + beyond, channels), image.dtype)
        lines = [padded[r : r + tile * (down - 1) + 1 : tile] for r in range(points)]
        transform = input_6 if points == 6 else input_4
        spare = workspace.array(worker, "spare", (3, *half.shape[1:]), image.dtype)
        transform(lines, [half[r] for r in range(points)], list(spare))
        # Along the width: column c of a tile is phase c mod m, one tile further for c ≥ m.
        taken = [half[:, :, c % tile, c // tile : c // tile + across] for c in range(points)]
        result = _split_tiles(given, points, down, across)
        spare = workspace.array(worker, "spare", (3, points, down, across, channels), image.dtype)
        transform(taken, [result[:, c] for c in range(points)], list(spare))

    def _finish(
        self,
        products: Array,
        out: Array,
        n: int,
        vertical: slice,
        horizontal: slice,
        epilogue: Epilogue,
        workspace: Workspace,
        worker: int,
    ) -> None:
        """Aᵀ m A of the products (p², tiles, K), and the epilogue, into image n of `out`."""
        tile, points = self.tile, self.points
        _, rows, columns, filters = out.shape
        down, across = vertical.stop - vertical.start, horizontal.stop - horizontal.start
        if epilogue.bias is not None:
            # Column 1 of Aᵀ is all ones, so what is added to product (1, 1) is added to every output.
            np.add(products[points + 1], epilogue.bias, out=products[points + 1])
            epilogue = epilogue._replace(bias=None)
        maps = products.reshape(points, points, down, across, filters)
        half = workspace.array(worker, "half", (tile, points, down, across, filters), out.dtype)
        spare = workspace.array(worker, "spare", (3, points, down, across, filters), out.dtype)
        output_transform([maps[r] for r in range(points)], [half[r] for r in range(tile)], list(spare))
        last_row, last_column = min(tile * vertical.stop, rows), min(tile * horizontal.stop, columns)
        part = slice(tile * vertical.start, last_row), slice(tile * horizontal.start, last_column)
        whole = last_row == tile * vertical.stop and last_column == tile * horizontal.stop
        if whole:
            target = out[n, part[0], part[1]]
        else:
            target = workspace.array(worker, "target", (tile * down, tile * across, filters), out.dtype)
        # (m·down, m·across, K) seen as (m, down, m, across, K), without a copy
        view = _tiled(target, tile)
        spare = workspace.array(worker, "spare", (3, tile, down, across, filters), out.dtype)
        output_transform([half[:, c] for c in range(points)], [view[:, :, c] for c in range(tile)], list(spare))
        if not whole:
            kept = out[n, part[0], part[1]]
            np.copyto(kept, target[: kept.shape[0], : kept.shape[1]])
            target = kept
        if epilogue.residual is not None:
            np.add(target, epilogue.residual[n, part[0], part[1]], out=target)
        if epilogue.relu:
            np.maximum(target, 0, out=target)


def _split_tiles(given: Array, points: int, down: int, across: int) -> Array:
    """(p², tiles, C) as (p, p, down, across, C), a view also of a slice of channels."""
    first, second, third = given.strides
    return np.lib.stride_tricks.as_strided(
        given,
        (points, points, down, across, given.shape[2]),
        (points * first, first, across * second, second, third),
    )


def _tiled(target: Array, tile: int) -> Array:
    """(m·down, m·across, K) as (row in tile, down, column in tile, across, K): a view."""
    rows, columns, filters = target.shape
    down, right, deep = target.strides
    return np.lib.stride_tricks.as_strided(
        target,
        (tile, rows // tile, tile, columns // tile, filters),
        (down, tile * down, right, tile * right, deep),
    )
