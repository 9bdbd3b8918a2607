"""Closed forms of the whole catalogue: each has every number that changes its total, and the values of the analysis."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest

from archcalc.core.errors import ArchcalcError
from archcalc.explain.symbolic.closed import closed_form
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build
from archcalc.spec.catalogue import SPECS, find
from archcalc.spec.load import load_spec
from tests.design.search.catalogue import near_values
from tests.tiers import slow_but

#: Why a number may stay one.
REASONS = {
    "decides which layers there are", "only sets the side of the input", "feeds a layer that takes one size only",
    "has no sides", "is one of several",
}  # fmt: skip
TRIES = 2
#: Its multiplications in all parameters take minutes; the others are tried in both quantities.
LONG = {("nasnet_mobile", "multiplications")}


def families() -> list[str]:
    """A network of every file of specs."""
    documents = [load_spec(path).document for path in sorted(SPECS.glob("*.yaml"))]
    return [next(iter(document.networks), document.name) for document in documents]


def total(network: str, quantity: str, settings: dict[str, Any], more: int = 0) -> int | None:
    """What the analysis says; None where the network is refused. `more`: pixels that are added to each side."""
    try:
        graph = build(*find(network), settings)
        if more:
            graph = graph.with_input((graph.input_shape[0], *(side + more for side in graph.input_shape[1:])))
        return int(getattr(analyse(graph).totals, quantity))
    except ArchcalcError:
        return None


def others(graph: LayerGraph, network: str) -> dict[str, list[Any]]:
    """Other values of each number that a network declares."""
    declared = find(network)[0].document.parameters
    return {
        name: [value for value in near_values(graph, name, one) if value != graph.settings[name]][:2]
        for name, one in declared.items()
        if one.choices is None and name in graph.settings
    }


CASES = [(name, quantity) for name in families() for quantity in ("params", "multiplications")]


@pytest.mark.parametrize(
    ("network", "quantity"), slow_but([("lenet5", "params")], [one for one in CASES if one not in LONG])
)
def test_every_number_that_changes_a_total_is_in_its_closed_form(network: str, quantity: str) -> None:
    graph = build(*find(network))
    form = closed_form(network, quantity)
    fixed = dict(form.fixed)
    assert set(fixed.values()) <= REASONS
    own = total(network, quantity, {})
    near = others(graph, network)
    for name, values in near.items():
        found = {total(network, quantity, {name: value}) for value in values} - {None}
        assert found <= {own} or name in form.symbols or name in fixed, name
    sides = graph.input_shape[1:]
    if quantity != "params" and sides and len(graph.inputs) == 1:
        changes = {total(network, quantity, {}, more) for more in (1, 32)} - {None, own}
        assert not changes or "input" in fixed or len(form.symbols) > len(set(form.symbols) & set(graph.settings))

    # The same number at random settings of what is a symbol, the sides among them.
    chance = random.Random(f"{network} {quantity}")  # no secret
    compared = 0
    for number in range(TRIES):
        # First its own settings, then others.
        choices = {name: [graph.settings[name], *(near.get(name, []) if number else [])] for name in form.symbols
                   if name in graph.settings}  # fmt: skip
        settings = {name: chance.choice(values) for name, values in choices.items()}
        has_sides = len(form.symbols) > len(settings)
        more = chance.choice((0, 1, 7, 32)) if has_sides and number else 0
        expected = total(network, quantity, settings, more)
        if expected is None:
            continue
        free = [name for name in form.symbols if name not in settings]
        plain = build(*find(network), settings).input_shape[1:]
        given = {name: side + more for name, side in zip(free, plain, strict=False)}
        assert form.at(**{name: Fraction(value) for name, value in settings.items()}, **given) == expected
        compared += 1
    assert compared
