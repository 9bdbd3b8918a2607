"""What the explanations of a wrong claim look at: the claim, its network, and evaluation that may fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.core.errors import ArchcalcError
from archcalc.passes.analysis import Analysis
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import Expression, ExpressionError
from archcalc.teach.audit.claims import Claim
from archcalc.teach.audit.functions import Reader
from archcalc.teach.audit.networks import NetworkReference, Networks
from archcalc.teach.audit.trees import calls, layer_of, network_of


class AskedLayer(NamedTuple):
    """What the only call of a calculation asks: of a network, and of a layer or a block in it."""

    call: Expression
    network: NetworkReference
    analysis: Analysis
    layer: str | None


class ClaimContext:
    """A claim with what evaluates its calculation, and the other claims of its file."""

    def __init__(self, reader: Reader, claim: Claim, claims: Sequence[Claim] = ()) -> None:
        self.claim = claim
        self.claims = claims
        self.reader = reader
        self.functions: Mapping[str, Callable[..., Any]] = reader.functions
        self.networks: Networks = reader.networks
        self.variables: Mapping[str, Any] = claim.calculation.variables if claim.calculation else {}

    def asked(self, tree: Expression) -> AskedLayer | None:
        """What a calculation with a single call asks; None of any other."""
        found = calls(tree)
        network = network_of(found[0], self.variables) if len(found) == 1 else None
        if network is None:
            return None
        return AskedLayer(found[0], network, self.networks.analysis(network), layer_of(found[0]))

    def value(self, tree: Expression, functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
        """The value of a changed calculation; None where it has none (another network may lack the layer)."""
        try:
            return evaluate(tree, self.variables, functions or self.functions)
        except (ArchcalcError, ExpressionError):
            return None
