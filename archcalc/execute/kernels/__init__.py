"""Every op in plain numpy, one function each, named as the op. `KERNELS` maps the names to them.

These functions are the witness for the analysis, so they share nothing with it: no output size is calculated from a
formula of `archcalc.ops`. A window is laid over the padded map wherever it fits, and the positions are counted.
"""

from __future__ import annotations

from archcalc.execute.kernels import activation, conv, dense, merge, norm, pool, reshape
from archcalc.execute.kernels.registry import ALGORITHMS, KERNELS, Algorithm, Array, Kernel, Matrices, Switches

__all__ = [
    "ALGORITHMS",
    "KERNELS",
    "Algorithm",
    "Array",
    "Kernel",
    "Matrices",
    "Switches",
    "activation",
    "conv",
    "dense",
    "merge",
    "norm",
    "pool",
    "reshape",
]
