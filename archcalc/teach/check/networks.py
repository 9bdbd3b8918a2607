"""Tables that compare networks: the row of this one has its totals, the others are not judged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

from archcalc.core.language import say
from archcalc.graph.layer_graph import LayerGraph
from archcalc.spec.catalogue import aliases_of, names
from archcalc.teach.check.labels import read_label, squeezed
from archcalc.teach.check.model import TOTAL, Group, Match

_LETTER = re.compile(r"[A-Z]")


def names_of(graph: LayerGraph) -> frozenset[str]:
    """What a network is called: its name, its title, and the letter of the setting that makes it, as D of VGG-16."""
    known = set(names())
    own = [graph.name, graph.title or "", *(aliases_of(graph.name) if graph.name in known else ())]
    own = [name for name in own if not read_label(name).is_of_layers]
    values = [value for value in (graph.settings or {}).values() if isinstance(value, str)]
    return frozenset(key for name in (*own, *filter(_LETTER.fullmatch, values)) if (key := squeezed(name)))


def among_networks(
    groups: Sequence[Group], found: Sequence[Match], own: frozenset[str], is_layer: Callable[[str], bool]
) -> list[Match]:
    """The matches of rows of which one has the name of the network itself: rows that are no layers are others'."""
    counts = Counter(group.label for group in groups)
    is_own = [
        counts[group.label] == 1
        and not is_layer(group.label)
        and any(squeezed(part) in own for part in (group.label, *group.label.split(",")))
        for group in groups
    ]
    if not any(is_own):
        return list(found)
    other = Match(note=say("it is another network, or no layer of this one"), is_idle=True)
    return [
        Match(TOTAL) if named else match if is_layer(group.label) else other
        for named, group, match in zip(is_own, groups, found, strict=True)
    ]


def in_millions(text: str, right: int) -> bool:
    """Whether a number without a unit is a total in millions or thousands of millions, as captions have it: 138."""
    plain = text.strip(" *`~≈")
    if not re.fullmatch(r"\d{1,5}(?:\.\d{1,3})?", plain):
        return False
    half = Fraction(1, 2 * 10 ** len(plain.partition(".")[2]))
    return any(abs(Fraction(right, 10**power) - Fraction(plain)) <= half for power in (6, 9))
