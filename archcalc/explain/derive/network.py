"""The derivations of a whole network: every layer, and sums over the layers term by term."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.core.quantities import adding_up
from archcalc.core.quantities import quantity as registered
from archcalc.core.shapes import AXIS_NAMES
from archcalc.core.suggest import did_you_mean, perhaps
from archcalc.explain.derive.layer import Derivation, Explanation, explain_row
from archcalc.passes.analysis import Analysis, not_counted

#: The derivations whose values add up over the layers.
SUMS = tuple(dict.fromkeys(key for one in adding_up() for key in one.derivations or (one.key,)))
#: Those of them that are not known of every layer.
_COSTS = tuple(key for one in adding_up() if one.is_cost for key in one.derivations or (one.key,))
#: Quantities with a derivation for each axis.
_BY_AXIS = ("padding", "receptive_field", "receptive_field_stride")
#: What can be asked for; the beginning of a name stands for several: receptive_field for all axes.
QUANTITIES = ("output", *registered("output_shape").derivations, *SUMS, *_BY_AXIS, "w_row", "x_col")
_OF_ONE_AXIS = {f"{key}_{axis}" for key in _BY_AXIS for axis in AXIS_NAMES}
_OTHER_NAMES = {
    "memory": "activation_bytes", "stored": "activations", "parameters": "params", "output_shape": "output",
}  # fmt: skip


class Term(NamedTuple):
    """What one layer adds to a sum."""

    layer: str
    derivation: Derivation


class Sum(NamedTuple):
    """A total of a network, with the layers that make it up."""

    quantity: str
    terms: tuple[Term, ...]
    total: int
    unit: str
    #: What cannot be counted and is left out, by kind; the total is then a lower bound.
    not_counted: Mapping[str, int] = MappingProxyType({})


def find_quantity(name: str) -> str:
    """The key of a quantity, however it is written. Raises `UsageError` with the nearest."""
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    key = _OTHER_NAMES.get(key, key)
    if key not in QUANTITIES and key not in _OF_ONE_AXIS:
        hint = did_you_mean(key, QUANTITIES)
        raise UsageError(f"there is no quantity {name[:60]!r}{hint}; there are {', '.join(QUANTITIES)}")
    return key


def find_layers(analysis: Analysis, layer: str | None) -> list[str]:
    """Names of the layers that are meant: all, one, or those of a block. Raises `UsageError` for none."""
    names = list(analysis.by_name)
    if layer is None:
        return names
    found = [name for name in names if name == layer] or [name for name in names if name.lower() == layer.lower()]
    if found:
        return found
    inside = [name for name in names if name.lower().startswith(layer.lower().rstrip("/") + "/")]
    if inside:
        return inside
    network = analysis.graph.name
    hint = perhaps(layer, names) or say("; `archcalc report {network}` shows all", network=network)
    raise UsageError(say("{network} has no layer {name!r}{hint}", network=network, name=layer[:80], hint=hint))


def explain_layers(analysis: Analysis, names: Iterable[str], quantity: str | None = None) -> list[Explanation]:
    """The explanations of some layers; with `quantity` only its derivations, and only layers that have one."""
    explained = [explain_row(analysis, analysis[name]) for name in names]
    return explained if quantity is None else [kept for one in explained if (kept := only(one, quantity)).derivations]


def only(explanation: Explanation, quantity: str) -> Explanation:
    """The explanation with nothing but one quantity."""
    made = {derivation.quantity for derivation in explanation.derivations}
    keys = {quantity, f"{quantity}_values", *(f"{quantity}_{axis}" for axis in AXIS_NAMES)}
    if quantity == "output":
        keys = set(registered("output_shape").derivations)
    elif quantity == "channels" and "channels" not in made:
        keys = {"depth"}  # the channels of an image are its depth
    kept = tuple(derivation for derivation in explanation.derivations if derivation.quantity in keys)
    return explanation._replace(derivations=kept)


def sum_up(analysis: Analysis, quantity: str, names: Iterable[str] | None = None) -> Sum:
    """A total term by term; layers that add nothing are left out. Raises `UsageError` for what does not add up."""
    if quantity not in SUMS:
        raise UsageError(f"{quantity} does not add up over layers; these do: {', '.join(SUMS)}")
    terms: list[Term] = []
    rows = analysis.rows if names is None else [analysis[name] for name in names]
    for row in rows:
        found = explain_row(analysis, row).derivations
        terms += [Term(row.name, one) for one in found if one.quantity == quantity and one.value]
    unit = terms[0].derivation.unit if terms else ""
    left_out = not_counted(rows) if quantity in _COSTS else {}
    return Sum(quantity, tuple(terms), sum(term.derivation.value for term in terms), unit, left_out)
