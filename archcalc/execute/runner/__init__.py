"""Runs networks in numpy and compares what happened with the analysis: the independent reference."""

from __future__ import annotations

from archcalc.execute.execution import ExecutedLayer, Execution, KernelError
from archcalc.execute.quick.plan import Plan
from archcalc.execute.runner.compare import Difference, compare
from archcalc.execute.runner.execute import execute
from archcalc.execute.weights import SeededWeights, Weights

__all__ = [
    "Difference",
    "ExecutedLayer",
    "Execution",
    "KernelError",
    "Plan",
    "SeededWeights",
    "Weights",
    "compare",
    "execute",
]
