"""Every op in plain numpy, one function each, named as the op. `KERNELS` maps the names to them.

These functions are the reference against which the analysis is checked, so they share nothing with it: no output size
is calculated from a formula of `archcalc.ops`. A window is placed on the padded map wherever it fits, and the positions
are counted. Speed is the business of `archcalc.execute.quick`.
"""

from __future__ import annotations

from archcalc.execute.kernels import (
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
    transposed,
)
from archcalc.execute.kernels.registry import (
    ALGORITHMS,
    KERNELS,
    Algorithm,
    Array,
    Kernel,
    Matrices,
    Sizes,
    Switches,
    kernel,
)

__all__ = [
    "ALGORITHMS",
    "KERNELS",
    "Algorithm",
    "Array",
    "Kernel",
    "Matrices",
    "Sizes",
    "Switches",
    "activation",
    "arithmetic",
    "arrange",
    "attention",
    "conv",
    "curves",
    "dense",
    "kernel",
    "merge",
    "norm",
    "pool",
    "recurrent",
    "reduce",
    "reshape",
    "resize",
    "sample_norm",
    "trained",
    "transposed",
]
