"""Values that are right, but of another network or another layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from archcalc.core import words
from archcalc.core.errors import ArchcalcError
from archcalc.core.words import listed
from archcalc.spec.catalogue import find, is_pattern, key_of, names
from archcalc.spec.expressions import Expression
from archcalc.teach.audit.context import ClaimContext
from archcalc.teach.audit.functions import COUNTS, FACTS, QUANTITIES, SETTINGS
from archcalc.teach.audit.numbers import shape_text
from archcalc.teach.audit.trees import calls, layer_of, network_of, rebuilt
from archcalc.teach.audit.verdicts import Part
from archcalc.teach.check.model import Diagnosis
from archcalc.teach.reading.claimed import Claimed, flat

#: Smaller numbers are alike by chance.
TELLING = 1000
MOST_LISTED = 4


class RelatedNetwork(NamedTuple):
    """A network of the catalogue: its family, the networks that it follows, its paper."""

    family: str
    follows: frozenset[str]
    paper: str


@lru_cache(maxsize=1)
def _catalogue() -> Mapping[str, RelatedNetwork]:
    found = {}
    for name in names():
        document = find(name)[0].document
        paper = document.paper.title if document.paper else ""
        found[name] = RelatedNetwork(document.name, frozenset(key_of(other) for other in document.follows), paper)
    return found


def relatives(name: str) -> tuple[list[str], list[str]]:
    """Networks of the same family; and those that it follows, that follow it, or that are of the same paper."""
    known = {name: entry for name, entry in _catalogue().items() if not name.startswith("blocks/")}
    own = next((other for other in known if key_of(other) == key_of(name)), None)
    if own is None:
        return [], []
    family, follows, paper = known[own]
    members = {key_of(other) for other, entry in known.items() if entry.family == family} | {key_of(family)}

    def is_near(other: str) -> bool:
        entry = known[other]
        ancestors = {key_of(entry.family), key_of(other.partition("@")[0])}
        return bool(ancestors & follows or entry.follows & members or (paper and entry.paper == paper))

    others = [other for other in known if other != own]
    same = [other for other in others if known[other].family == family]
    return same, [other for other in others if other not in same and is_near(other)]


def other_networks(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """The networks near this one for which the claim would be right."""
    found = calls(part.tree)
    networks = {network_of(call, context.variables) for call in found} - {None}
    if len(networks) != 1 or any(call.value in (*FACTS, *SETTINGS, "reported") for call in found):
        return
    if any(call.value in COUNTS for call in found) and not _is_precise(part.claimed):
        return
    network = next(iter(networks))
    if network is None or network.op is not None or is_pattern(network.name) or network.name.startswith("blocks/"):
        return
    for group in relatives(network.name):
        holding = [name for name in group if part.claimed.holds(_elsewhere(context, part.tree, name))]
        bases = [name for name in holding if name.partition("@")[0] not in holding or "@" not in name]
        if bases:
            titles = [_title(context, name) for name in bases[:MOST_LISTED]]
            more = ", among others" if len(bases) > MOST_LISTED else ""
            what = "That holds for" if part.claimed.truth is not None else f"{part.claimed.text} belongs to"
            layer = next((layer_of(call) for call in found if layer_of(call)), None) or ""
            text = f"{what} {listed(titles)}{more}."
            yield Diagnosis("other_network", layer, _quantity(part.tree), text)
            return


def _is_precise(claimed: Claimed) -> bool:
    """Whether a number has three digits that count, so that no other is alike by chance."""
    number = claimed.number
    if number is None:
        return True
    return len(str(number.numerator * number.denominator).strip("0")) >= 3


def _title(context: ClaimContext, name: str) -> str:
    return context.networks.analysis(name).graph.title or name


def _quantity(tree: Expression) -> str:
    found = calls(tree)
    return str(found[0].value) if found else ""


def _elsewhere(context: ClaimContext, tree: Expression, name: str) -> Any:
    """The same calculation for another network; a layer that it lacks is the first whose name ends alike."""
    try:
        analysis = context.networks.analysis(name)
    except ArchcalcError:
        return None

    def moved(node: Expression) -> Expression:
        if node.kind != "call" or network_of(node, context.variables) is None or node not in calls(node):
            return node
        rest = [_layer_there(part, analysis.by_name) if index or node.value in QUANTITIES else part
                for index, part in enumerate(node.parts[1:])]  # fmt: skip
        return node._replace(parts=(Expression("value", 0, name), *rest))

    return context.value(rebuilt(tree, moved))


def _layer_there(part: Expression, there: Mapping[str, Any]) -> Expression:
    if part.kind != "value" or not isinstance(part.value, str) or part.value in there:
        return part
    tail = "/".join(part.value.split("/")[-2:])
    return part._replace(value=next((name for name in there if name.endswith("/" + tail)), part.value))


# --- other layers


def other_layers(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """The layer whose value it is; of a shape also two layers that give its sides."""
    asked = context.asked(part.tree)
    if asked is None or asked.layer is None or not _tells(part.claimed):
        return
    call, analysis, layer = asked.call, asked.analysis, asked.layer
    row = analysis.by_name.get(layer)
    quantity = str(call.value)
    for name in analysis.by_name:
        if name != layer and part.claimed.holds(context.value(_at_layer(part.tree, name))):
            inputs = row.inputs if row else ()
            reads = f", which {layer} reads" if name in inputs else ""
            text = f"{part.claimed.text} is the {quantity.replace('_', ' ')} of {name}{reads}."
            yield Diagnosis("other_layer", layer, quantity, text)
            return
    if (
        part.tree is call
        and quantity == "output_shape"
        and row is not None
        and len(part.claimed.sides) == 3 == len(row.output_shape)
    ):
        yield from _mixed(part.claimed, layer, row.op.kind, part.value, analysis.rows)


def _tells(claimed: Claimed) -> bool:
    number = claimed.number
    return len(claimed.sides) > 1 or (number is not None and abs(number) >= TELLING)


def _at_layer(tree: Expression, layer: str) -> Expression:
    def moved(node: Expression) -> Expression:
        if node.kind != "call" or layer_of(node) is None:
            return node
        return node._replace(parts=(node.parts[0], Expression("value", 0, layer), *node.parts[2:]))

    return rebuilt(tree, moved)


def _mixed(claimed: Claimed, layer: str, kind: str, right: list[int], rows: Any) -> Iterator[Diagnosis]:
    """Height and width of this layer with the depth of another of its kind, or the other way round."""
    place, depth = flat(claimed.sides)[:2], claimed.sides[2]
    same_place, same_depth = tuple(right[:2]) == place, right[2] == depth
    if same_place == same_depth:
        return
    for row in rows:
        shape = row.output_shape
        if row.op.kind != kind or len(shape) != 3 or row.name == layer:
            continue
        if (shape[0] == depth) if same_place else (tuple(shape[1:]) == place):
            there = shape_text([*shape[1:], shape[0]])
            own = f"{right[0]}×{right[1]} is right" if same_place else f"the depth of {words.count(depth)} is right"
            other = f"{depth} maps" if same_place else f"{place[0]}×{place[1]}"
            yield Diagnosis("mixed_layers", layer, "output_shape", f"{own}; {other} are those of {row.name} ({there}).")
            return
