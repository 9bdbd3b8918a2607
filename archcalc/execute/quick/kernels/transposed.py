"""Transposed convolution without overlap: its stride is its kernel, as in U-Net's up-convolutions.

Then every pixel of the result comes from one position of a filter, and the layer is one matrix product whose results
are put in place.
Source: Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archcalc.execute.quick.kernels.blocks import Pair, add_channels, even_spans
from archcalc.execute.quick.kernels.matmul import flat
from archcalc.execute.quick.kernels.workspace import Array, Workspace

#: Bytes of the products that are made at a time.
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class TransposedConvolution:
    """weight (C, kh·kw·K): what the channels of a pixel are multiplied by to become its block of the result."""

    weight: Array
    bias: Array | None
    kernel: Pair

    @classmethod
    def prepare(cls, weight: Array, bias: Array | None = None) -> TransposedConvolution:
        """`weight` (C, K, kh, kw), `bias` (K,)."""
        depth, _, high, wide = weight.shape
        return cls(np.ascontiguousarray(weight.transpose(0, 2, 3, 1)).reshape(depth, -1), bias, (high, wide))

    @property
    def nbytes(self) -> int:
        return self.weight.nbytes + (0 if self.bias is None else self.bias.nbytes)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """(N, kh·H, kw·W, K) for an input of (N, H, W, C): the blocks next to each other."""
        high, wide = self.kernel
        return shape[0], high * shape[1], wide * shape[2], self.weight.shape[1] // (high * wide)

    def run(self, x: Array, out: Array, workspace: Workspace) -> None:
        """`x` (N, H, W, C), `out` (N, kh·H, kw·W, K), which may be a slice along the channels of a wider map."""
        batch, rows, columns, _ = x.shape
        high, wide = self.kernel
        filters = out.shape[3]
        pieces = min(rows, max(-(-out[0].nbytes // BLOCK_BYTES), workspace.active))
        work = [(n, part) for n in range(batch) for part in even_spans(rows, pieces)]

        def block(worker: int, item: tuple[int, slice]) -> None:
            n, part = item
            count = part.stop - part.start
            products = workspace.array(worker, "product", (count * columns, high * wide * filters), x.dtype)
            np.matmul(flat(x[n, part], workspace, worker), self.weight, out=products)
            if self.bias is not None:
                add_channels(products.reshape(-1, filters), self.bias)
            each = products.reshape(count, columns, high, wide, filters)
            target = out[n, high * part.start : high * part.stop]
            for i in range(high):
                for j in range(wide):
                    np.copyto(target[i::high, j::wide], each[:, :, i, j])

        workspace.each(block, work)
