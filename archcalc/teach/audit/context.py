"""What the explanations of a wrong claim look at: the claim, its network, and evaluation that may fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.core.errors import ArchcalcError
from archcalc.spec.expressions import Expression, ExpressionError, evaluate
from archcalc.teach.audit.claims import Claim
from archcalc.teach.audit.functions import Reader
from archcalc.teach.audit.networks import Networks


class ClaimContext:
    """A claim with what evaluates its calculation, and the other claims of its file."""

    def __init__(self, reader: Reader, claim: Claim, claims: Sequence[Claim] = ()) -> None:
        self.claim = claim
        self.claims = claims
        self.reader = reader
        self.functions: Mapping[str, Callable[..., Any]] = reader.functions
        self.networks: Networks = reader.networks
        self.variables: Mapping[str, Any] = claim.calculation.variables if claim.calculation else {}

    def value(self, tree: Expression, functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
        """The value of a changed calculation; None where it has none (another network may lack the layer)."""
        try:
            return evaluate(tree, self.variables, functions or self.functions)
        except (ArchcalcError, ExpressionError):
            return None
