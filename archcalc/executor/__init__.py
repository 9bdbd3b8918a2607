"""Runs networks in numpy and holds what happened against the analysis: the independent witness."""

from __future__ import annotations

from archcalc.executor.compare import Difference, compare
from archcalc.executor.execute import execute
from archcalc.executor.plan import Plan
from archcalc.executor.steps import Execution, KernelError, Step
from archcalc.executor.weights import SeededWeights, Weights

__all__ = [
    "Difference",
    "Execution",
    "KernelError",
    "Plan",
    "SeededWeights",
    "Step",
    "Weights",
    "compare",
    "execute",
]
