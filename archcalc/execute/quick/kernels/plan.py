"""Which algorithm a convolution gets, its prepared form, and the plain function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from archcalc.execute.quick.kernels.blocks import Epilogue, Geometry, Pair, Sides
from archcalc.execute.quick.kernels.depthwise import DepthwiseConvolution
from archcalc.execute.quick.kernels.matmul import MatrixConvolution
from archcalc.execute.quick.kernels.winograd import WinogradConvolution
from archcalc.execute.quick.kernels.workspace import Array, Workspace

Algorithm = Literal["matrix", "planar", "depthwise", "winograd2", "winograd4"]

_UNKNOWN_MAP = (56, 56)


def choose(
    weight_shape: tuple[int, ...], geometry: Geometry, groups: int = 1, map_size: Pair | None = None
) -> Algorithm:
    """The algorithm that measured fastest on layers of this kind.

    `weight_shape` (K, C/groups, kh, kw); `map_size` is the output's (height, width), a middling map where unknown.
    Measured on VGG-16, AlexNet, ResNet-50, GoogLeNet, Inception v3 and MobileNet, batch 1, one and two cores.
    """
    filters, depth, high, wide = weight_shape
    rows, columns = map_size or _UNKNOWN_MAP
    pixels = rows * columns
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


def prepare(
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Sides = (0, 0, 0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
    map_size: Pair | None = None,
    algorithm: Algorithm | None = None,
) -> Prepared:
    """Arrange the weights once, for many runs.

    `weight` (K, C/groups, kh, kw), `bias` (K,), `padding` (top, left, bottom, right); `map_size`, the output's
    (height, width) where it is known, only guides the choice of the algorithm.
    """
    if weight.ndim != 4:
        raise ValueError(f"a convolution's weight has 4 axes (K, C/groups, kh, kw), not {weight.ndim}")
    filters, depth, high, wide = weight.shape
    if groups < 1 or filters % groups:
        raise ValueError(f"{groups} groups do not divide {filters} filters")
    if bias is not None and bias.shape != (filters,):
        raise ValueError(f"{filters} filters need a bias of shape ({filters},), not {bias.shape}")
    geometry = Geometry((high, wide), stride, padding, dilation)
    name = algorithm or choose(weight.shape, geometry, groups, map_size)
    kernel: MatrixConvolution | DepthwiseConvolution | WinogradConvolution
    if name == "depthwise":
        kernel = DepthwiseConvolution.prepare(weight, geometry, groups)
    elif name == "winograd2":
        kernel = WinogradConvolution.prepare(weight, geometry, 2)
    elif name == "winograd4":
        kernel = WinogradConvolution.prepare(weight, geometry, 4)
    else:
        kernel = MatrixConvolution.prepare(weight, geometry, groups, planar=name == "planar")
    own_bias = None if bias is None else np.array(bias, dtype=weight.dtype)
    return Prepared(name, geometry, depth * groups, filters, own_bias, kernel)


def run(
    prepared: Prepared,
    x: Array,
    out: Array | None = None,
    workspace: Workspace | None = None,
    *,
    residual: Array | None = None,
    relu: bool = False,
) -> Array:
    """`x` (N, H, W, C) → (N, OH, OW, K): bias, then `residual` (N, OH, OW, K) added, then ReLU, block by block.

    `x` may be a transposed view of an (N, C, H, W) array; `out` may be a slice along the channels of a wider map, never
    the memory of `x` or `residual`: a product overwrites it before they have been read.
    """
    if x.ndim != 4 or x.shape[3] != prepared.channels:
        raise ValueError(f"the input must be (N, H, W, {prepared.channels}), not {x.shape}")
    if x.dtype != prepared.dtype:
        raise TypeError(f"the input is {x.dtype}, the weights are {prepared.dtype}")
    shape = prepared.output_shape(x.shape)
    if out is None:
        out = np.empty(shape, x.dtype)
    for name, given in (("out", out), ("residual", residual)):
        if given is not None and given.shape != shape:
            raise ValueError(f"{name} must be {shape}, not {given.shape}")
    for name, given in (("x", x), ("residual", residual)):
        if given is not None and out.size and given.ctypes.data == out.ctypes.data:
            raise ValueError(f"out must not be the memory of {name}")
    if out.size:
        prepared.kernel.run(x, out, Epilogue(prepared.bias, residual, relu), workspace or Workspace(1))
    return out


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Sides = (0, 0, 0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
    workspace: Workspace | None = None,
    algorithm: Algorithm | None = None,
) -> Array:
    """2-d cross-correlation, channels first: x (N, C, H, W), weight (K, C/groups, kh, kw) → contiguous (N, K, OH, OW).

    `padding` is (top, left, bottom, right). One layer by itself: a network is better kept channels-last, with weights
    that are prepared once (`prepare`, `run`).
    """
    geometry = Geometry((weight.shape[2], weight.shape[3]), stride, padding, dilation)
    size = geometry.positions(x.shape[2], x.shape[3])
    prepared = prepare(
        weight,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        map_size=size,
        algorithm=algorithm,
    )
    result = run(prepared, np.ascontiguousarray(x.transpose(0, 2, 3, 1)), workspace=workspace)
    return np.ascontiguousarray(result.transpose(0, 3, 1, 2))
