"""Why a claim is wrong. Each diagnosis reproduces the claimed value; alternatives are listed together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.explain.derive.network import find_layers
from archcalc.teach.audit.arithmetic import of_addends, of_calculation, of_rounding, of_sides, of_unit
from archcalc.teach.audit.cells import is_cell, readings
from archcalc.teach.audit.context import ClaimContext
from archcalc.teach.audit.elsewhere import other_layers, other_networks
from archcalc.teach.audit.layers import of_other_setting, of_other_size, of_padding, of_several_settings, of_weights
from archcalc.teach.audit.sums import SUMMED, is_sum, of_terms
from archcalc.teach.audit.trees import calls, network_of
from archcalc.teach.audit.verdicts import Part
from archcalc.teach.check.diagnose import Situation, diagnose
from archcalc.teach.check.model import TOTAL, Diagnosis
from archcalc.teach.reading.claimed import Claimed

#: Mistakes that only texts make; the others are those of `archcalc.teach.check.mistakes`.
MISTAKES = {
    "other_network": "the value of another network",
    "other_layer": "the value of another layer",
    "other_quantity": "another quantity of the same layer, or another kind of layer counted",
    "mixed_layers": "sides of two layers in one shape",
    "arithmetic": "the printed calculation does not give the printed value",
    "incomplete": "only a part of what is to be calculated",
    "wrong_operator": "a formula with one operator lost or changed",
    "wrong_setting": "a setting that the layer does not have; what would follow from it",
}
#: More alternatives than this are not listed.
MOST = 4


#: In the order in which they are context: from the layer's own settings to other networks.
_EXPLAIN = (
    of_padding,
    of_weights,
    of_other_setting,
    of_sides,
    of_other_size,
    of_unit,
    of_rounding,
    other_layers,
    other_networks,
    of_several_settings,
)


class Diagnoser:
    """Explains the wrong parts of one claim."""

    def __init__(self, context: ClaimContext, printed: Any) -> None:
        self.context = context
        self.claim = context.claim
        self.printed = printed

    def of_printed(self, claimed: Claimed) -> list[Diagnosis]:
        """The printed calculation does not give what is claimed."""
        assert self.claim.printed is not None
        if is_sum(self.context):
            return []  # reported with its terms
        return list(of_calculation(self.claim.printed, claimed, self.printed))

    def of_addends(self, claimed: Claimed) -> list[Diagnosis]:
        """A total against the sum of the claims that it adds up."""
        return list(of_addends(self.claim, self.context.claims, claimed))

    def of_part(self, part: Part) -> list[Diagnosis]:
        """The best explanations of a part; those of the layers' own calculation come first."""
        for network in {network_of(call, self.context.variables) for call in calls(part.tree)}:
            if network is not None:
                self.context.networks.search(network)
        found = list(of_terms(self.context, part)) or list(self._of_cell(part))
        for explain in _EXPLAIN:
            found += [one for one in explain(self.context, part) if one not in found]
        # That a number is twice another one explains little, where something else explains it.
        found = [one for one in found if one.mistake != "factor_two"] or found
        if any(one.mistake == "other_variant" for one in found):  # the same network by another name
            found = [one for one in found if one.mistake != "other_network"]
        return found[:MOST]

    def _of_cell(self, part: Part) -> Iterator[Diagnosis]:
        """What `check` says of the same number in a table of answers."""
        asked = self.context.asked(part.tree) if is_cell(part.tree) and part.claimed.items is None else None
        if asked is None:
            return
        quantity, analysis = str(part.tree.value), asked.analysis
        layer = asked.layer or (analysis.rows[-1].name if asked.network.op is not None else None)
        if layer is None and quantity not in SUMMED:
            return
        names = [TOTAL] if layer is None else find_layers(analysis, layer)
        if (
            layer is not None
            and len(names) > 1
            and quantity in SUMMED
            and all(n.startswith(f"{layer}/") for n in names)
        ):
            names = [layer]  # the sum over a block
        if len(names) != 1 or (isinstance(part.value, list) and _is_far(part.claimed, part.value)):
            return
        situation = Situation(analysis, names[0], quantity)
        for stated in readings(part.tree, part.claimed, part.value):
            # Too much rounds to a rounded number: what explains it is no more than one of many. That it was cut off, or
            # rounded up, is the likeliest of them.
            found = diagnose(situation, stated)
            if stated.low == stated.high:
                yield from (one for one in found if one.mistake != "unknown")
            elif quantity in SUMMED and found and found[0].mistake == "floor_ceil" and found[0].tree is None:
                yield found[0]


def _is_far(claimed: Claimed, right: list[int]) -> bool:
    """Whether neither the place nor the depth of a shape is right: no single mistake explains both."""
    sides = claimed.sides
    return len(sides) == len(right) == 3 and sides[:2] != tuple(right[:2]) and sides[2] != right[2]
