"""Runs networks in numpy and holds what happened against the analysis: the independent witness."""

from __future__ import annotations

from archcalc.executor.compare import Difference, compare
from archcalc.executor.execute import Execution, KernelError, Step, execute
from archcalc.executor.weights import SeededWeights, Weights

__all__ = [
    "Difference",
    "Execution",
    "KernelError",
    "SeededWeights",
    "Step",
    "Weights",
    "compare",
    "execute",
]
