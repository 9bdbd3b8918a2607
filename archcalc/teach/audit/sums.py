"""Printed sums over the layers of a network: each term against the layer that it is for."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from archcalc.core.quantities import QUANTITIES
from archcalc.passes.analysis import Analysis
from archcalc.spec.expressions import Expression
from archcalc.teach.audit.context import ClaimContext
from archcalc.teach.audit.networks import rows_of
from archcalc.teach.audit.trees import layer_of, network_of
from archcalc.teach.audit.verdicts import Part
from archcalc.teach.check.diagnose import Situation, diagnose
from archcalc.teach.check.model import CHECKED, Diagnosis
from archcalc.teach.check.terms import align, check_total, read_terms, split_terms
from archcalc.teach.reading.stated import Stated

#: Quantities of a table of answers that add up over the layers.
SUMMED = {key for key in CHECKED if QUANTITIES[key].adds_up}


def is_sum(context: ClaimContext) -> bool:
    """Whether a claim prints the sum of a quantity over a whole network."""
    claim = context.claim
    if claim.printed is None or claim.calculation is None:
        return False
    found = _layers(context, claim.calculation.tree)
    return found is not None and not found[2] and len(split_terms(claim.printed.text)) > 1


def of_terms(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """The wrong terms of a printed calculation, and what is wrong with their sum."""
    printed = context.claim.printed
    found = _layers(context, part.tree)
    if printed is None or found is None:
        return
    analysis, quantity, layers = found
    if not layers:
        if is_sum(context):
            # Of words, or yes and no, the terms alone can be checked.
            result = part.claimed.numbers[0] if context.claim.value and part.claimed.numbers else None
            yield from check_total(analysis, quantity, printed.text, result).diagnoses
        return
    rows = [analysis[layer] for layer in layers]
    terms = list(read_terms(printed.text))
    for pair in align(terms, rows, analysis, quantity):
        tree = pair.tree
        for row in pair.layers if tree is not None else ():
            assert tree is not None
            value = Fraction(tree.value)
            stated = Stated(part.claimed.text, value, value, value, expression=tree)
            situation = Situation(analysis, row.name, quantity)
            yield from (one for one in diagnose(situation, stated) if one.mistake != "unknown")


def _layers(context: ClaimContext, tree: Expression) -> tuple[Analysis, str, list[str]] | None:
    """The network, the quantity and the layers that a calculation adds up; no layers for the whole network."""
    calls = list(_addends(tree))
    networks = {network_of(call, context.variables) for call in calls if call.kind == "call"}
    quantities = {str(call.value) for call in calls}
    if len(networks) != 1 or len(quantities) != 1 or not quantities <= SUMMED:
        return None
    network = next(iter(networks))
    if network is None:
        return None
    analysis = context.networks.analysis(network)
    layers = [layer for call in calls if (layer := layer_of(call))]
    if not layers and len(calls) == 1:
        return analysis, quantities.pop(), []
    names = [row.name for layer in layers for row in rows_of(analysis, layer)]
    return (analysis, quantities.pop(), names) if len(layers) == len(calls) else None


def _addends(tree: Expression) -> Iterator[Expression]:
    if tree.kind == "binary" and tree.value == "+":
        for part in tree.parts:
            yield from _addends(part)
    else:
        yield tree
