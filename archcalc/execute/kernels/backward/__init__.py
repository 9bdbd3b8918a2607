"""The gradients of every kernel in plain numpy, one function each, in a file named as that of the kernel.

`BACKWARD` maps the names of ops to them. Each takes the gradient of a loss with respect to the kernel's result, then
what the kernel took, and gives the gradients with respect to the maps and the arrays that it read.
"""

from __future__ import annotations

from archcalc.execute.kernels.backward import (
    activation,
    arithmetic,
    arrange,
    attention,
    conv,
    curves,
    dense,
    merge,
    norm,
    pool,
    recurrent,
    reduce,
    reshape,
    resize,
    sample_norm,
    trained,
)
from archcalc.execute.kernels.backward.registry import BACKWARD, Backward, Gradients, Nature, backward

__all__ = [
    "BACKWARD",
    "Backward",
    "Gradients",
    "Nature",
    "activation",
    "arithmetic",
    "arrange",
    "attention",
    "backward",
    "conv",
    "curves",
    "dense",
    "merge",
    "norm",
    "pool",
    "recurrent",
    "reduce",
    "reshape",
    "resize",
    "sample_norm",
    "trained",
]
