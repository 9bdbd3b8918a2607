"""Fast inference kernels in plain numpy: whole networks channels-last, (N, H, W, C), with weights prepared once.

A convolution becomes a matrix product (1×1, im2col in blocks), a Winograd convolution or, depthwise, multiply-adds of
whole rows. An executor holds one `Workspace` and enters it around a network.
"""

from archcalc.execute.quick.kernels import pointwise
from archcalc.execute.quick.kernels.blocks import Geometry
from archcalc.execute.quick.kernels.dense import dense
from archcalc.execute.quick.kernels.norm import batch_norm_factors, fold, local_response_norm
from archcalc.execute.quick.kernels.plan import Algorithm, Prepared, choose, prepare
from archcalc.execute.quick.kernels.pool import avg_pool, global_avg_pool, max_pool
from archcalc.execute.quick.kernels.transposed import TransposedConvolution
from archcalc.execute.quick.kernels.workspace import Workspace, blas_kernels

__all__ = [
    "Algorithm",
    "Geometry",
    "Prepared",
    "TransposedConvolution",
    "Workspace",
    "avg_pool",
    "batch_norm_factors",
    "blas_kernels",
    "choose",
    "dense",
    "fold",
    "global_avg_pool",
    "local_response_norm",
    "max_pool",
    "pointwise",
    "prepare",
]
