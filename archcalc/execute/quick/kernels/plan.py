"""Which algorithm a convolution gets, and its prepared form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from archcalc.execute.quick.kernels.blocks import Epilogue, Geometry, Pair
from archcalc.execute.quick.kernels.depthwise import DepthwiseConvolution
from archcalc.execute.quick.kernels.matmul import MatrixConvolution
from archcalc.execute.quick.kernels.winograd import WinogradConvolution
from archcalc.execute.quick.kernels.workspace import Array, Workspace

Algorithm = Literal["matrix", "planar", "depthwise", "winograd2", "winograd4"]


def choose(weight_shape: tuple[int, ...], geometry: Geometry, groups: int, map_size: Pair) -> Algorithm:
    """The algorithm that measured fastest on layers of this kind.

    `weight_shape` (K, C/groups, kh, kw); `map_size` is the output's (height, width).
    Measured on VGG-16, AlexNet, ResNet-50, GoogLeNet, Inception v3 and MobileNet, batch 1, one and two cores.
    """
    filters, depth, high, wide = weight_shape
    pixels = map_size[0] * map_size[1]
    if depth == 1 and groups > 1:
        # One multiply-add pass for each tap; a matrix product would have one row or column for each channel.
        return "depthwise"
    if groups > 1:
        return "matrix"
    if depth * wide < 16 and (high, wide) != (1, 1):
        # A row of a window is a handful of values, and copying them costs more in starting than in moving.
        return "planar"
    if geometry.stride != (1, 1) or geometry.dilation != (1, 1) or high != wide:
        return "matrix"
    work = pixels * filters * depth
    if high == 5 and work >= 2_000_000 and pixels >= 256:
        # 9 multiplications in place of 25, but each input becomes 36/4 times as large: few channels are not worth it.
        return "winograd2"
    if high != 3:
        return "matrix"
    if work < 2_000_000:
        # The dozens of calls of the transforms cost more than the multiplications that they save.
        return "matrix"
    if pixels <= 64:
        # Up to 8×8 the layer is bound by reading its weights, and transformed ones are 16/9 or 36/9 as many.
        return "matrix"
    if pixels < 256:
        # Up to 15×15 there are at most 16 tiles of 4×4, too few rows for a product, and many reach beyond the edge.
        return "winograd2"
    return "winograd4"


@dataclass(frozen=True)
class Prepared:
    """A convolution whose weights are laid out for its algorithm; it holds no reference to the weights it came from."""

    algorithm: Algorithm
    geometry: Geometry
    channels: int
    filters: int
    bias: Array | None
    kernel: MatrixConvolution | DepthwiseConvolution | WinogradConvolution

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.kernel.weight.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the prepared weights; Winograd's are 16/9, 36/9 or 36/25 of the plain ones."""
        return self.kernel.weight.nbytes + (0 if self.bias is None else self.bias.nbytes)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """(N, OH, OW, K) for an input of (N, H, W, C)."""
        return (shape[0], *self.geometry.positions(shape[1], shape[2]), self.filters)

    def run(
        self, x: Array, out: Array, workspace: Workspace, *, residual: Array | None = None, relu: bool = False
    ) -> None:
        """`x` (N, H, W, C) → `out` (N, OH, OW, K): bias, then `residual` (N, OH, OW, K), then ReLU, block by block.

        `x` may be a transposed view of an (N, C, H, W) array; `out` may be a slice along the channels of a wider map,
        never the memory of `x` or `residual`: a product overwrites it before they have been read.
        """
        if x.ndim != 4 or x.shape[3] != self.channels:
            raise ValueError(f"the input must be (N, H, W, {self.channels}), not {x.shape}")
        if x.dtype != self.dtype:
            raise TypeError(f"the input is {x.dtype}, the weights are {self.dtype}")
        shape = self.output_shape(x.shape)
        for name, given in (("out", out), ("residual", residual)):
            if given is not None and given.shape != shape:
                raise ValueError(f"{name} must be {shape}, not {given.shape}")
        for name, given in (("x", x), ("residual", residual)):
            if given is not None and out.size and given.ctypes.data == out.ctypes.data:
                raise ValueError(f"out must not be the memory of {name}")
        if out.size:
            self.kernel.run(x, out, Epilogue(self.bias, residual, relu), workspace)


def prepare(weight: Array, bias: Array | None, geometry: Geometry, groups: int, algorithm: Algorithm) -> Prepared:
    """Arrange the weights once, for many runs: `weight` (K, C/groups, kh, kw), `bias` (K,)."""
    filters, depth = weight.shape[:2]
    if groups < 1 or filters % groups:
        raise ValueError(f"{groups} groups do not divide {filters} filters")
    if bias is not None and bias.shape != (filters,):
        raise ValueError(f"{filters} filters need a bias of shape ({filters},), not {bias.shape}")
    kernel: MatrixConvolution | DepthwiseConvolution | WinogradConvolution
    if algorithm == "depthwise":
        kernel = DepthwiseConvolution.prepare(weight, geometry, groups)
    elif algorithm in ("winograd2", "winograd4"):
        kernel = WinogradConvolution.prepare(weight, geometry, 2 if algorithm == "winograd2" else 4)
    else:
        kernel = MatrixConvolution.prepare(weight, geometry, groups, planar=algorithm == "planar")
    own_bias = None if bias is None else np.array(bias, dtype=weight.dtype)
    return Prepared(algorithm, geometry, depth * groups, filters, own_bias, kernel)
