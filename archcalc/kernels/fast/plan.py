"""Which algorithm a convolution gets, its prepared form, and the plain function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from archcalc.kernels.fast.blocks import Epilogue, Geometry, Pair, Sides
from archcalc.kernels.fast.depthwise import DepthwiseConvolution
from archcalc.kernels.fast.matmul import MatrixConvolution
from archcalc.kernels.fast.winograd import WinogradConvolution
from archcalc.kernels.fast.workspace import Array, Workspace

Algorithm = Literal["matrix", "planar", "depthwise", "winograd2", "winograd4"]


def choose(weight_shape: tuple[int, ...], geometry: Geometry, groups: int, map_size: Pair | None = None) -> Algorithm:
    filters, depth = weight_shape[:2]
    if depth == 1 and groups > 1:
        return "depthwise"
    if depth <= 4 and groups == 1 and geometry.kernel != (1, 1):
        return "planar"
    plain = geometry.kernel == (3, 3) and geometry.stride == geometry.dilation == (1, 1) and groups == 1
    if plain and depth >= 16 and filters >= 16:
        return "winograd4"
    return "matrix"


@dataclass(frozen=True)
class Prepared:
    algorithm: Algorithm
    geometry: Geometry
    filters: int
    bias: Array | None
    dtype: np.dtype
    kernel: MatrixConvolution | DepthwiseConvolution | WinogradConvolution


def prepare(
    weight, bias=None, *, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), groups=1, map_size=None, algorithm=None
):
    geometry = Geometry((weight.shape[2], weight.shape[3]), stride, padding, dilation)
    name = algorithm or choose(weight.shape, geometry, groups, map_size)
    if name == "depthwise":
        kernel = DepthwiseConvolution.prepare(weight, geometry, groups)
    elif name in ("winograd2", "winograd4"):
        kernel = WinogradConvolution.prepare(weight, geometry, int(name[-1]))
    else:
        kernel = MatrixConvolution.prepare(weight, geometry, groups, planar=name == "planar")
    return Prepared(name, geometry, weight.shape[0], bias, weight.dtype, kernel)


def run(prepared, x, out=None, workspace=None, *, residual=None, relu=False):
    workspace = workspace or Workspace(1)
    if out is None:
        out = np.empty((x.shape[0], *prepared.geometry.positions(x.shape[1], x.shape[2]), prepared.filters), x.dtype)
    prepared.kernel.run(x, out, Epilogue(prepared.bias, residual, relu), workspace)
    return out
