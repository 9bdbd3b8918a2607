"""What a claim asks, for the explanations of a wrong one: evaluation that may fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import ArchcalcError
from archcalc.spec.expressions import Expression, ExpressionError, evaluate

if TYPE_CHECKING:
    from archcalc.teach.audit.claims import Claim
    from archcalc.teach.audit.judge import Judge
    from archcalc.teach.audit.networks import Networks


class Asked:
    """A claim with what evaluates its calculation."""

    def __init__(self, judge: Judge, claim: Claim) -> None:
        self.claim = claim
        self.judge = judge
        self.functions: Mapping[str, Callable[..., Any]] = judge.reader.functions
        self.networks: Networks = judge.reader.networks
        self.variables: Mapping[str, Any] = claim.calculation.variables if claim.calculation else {}

    def value(self, tree: Expression, functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
        """The value of a changed calculation; None where it has none (another network may lack the layer)."""
        try:
            return evaluate(tree, self.variables, functions or self.functions)
        except (ArchcalcError, ExpressionError):
            return None
