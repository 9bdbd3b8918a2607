"""Rows for modules of PyTorch next to the rows of what is in them: features, layer1.0, features.3.

What is in a module says which layers it has. Its output may be that of layers without weights after them, such as an
addition, and of its own it may have arrays before them.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from itertools import chain

from archcalc.core.language import say
from archcalc.teach.check.costs import Evidence
from archcalc.teach.check.labels import read_label
from archcalc.teach.check.model import Group, Match
from archcalc.teach.check.names import Names
from archcalc.teach.check.numbering import families

#: How many layers without weights may follow those of the rows in a module, and how many arrays may stand before them.
_MOST_AFTER, _MOST_BEFORE = 12, 2
#: What frameworks call the products of an attention.
_PARTS_OF_ATTENTION = {
    "qkv",
    "to_qkv",
    "in_proj",
    "out_proj",
    "merge",
    "proj",
    "q",
    "k",
    "v",
    "query",
    "key",
    "value",
    "to_q",
    "to_k",
    "to_v",
    "to_out",
    "q_proj",
    "k_proj",
    "v_proj",
}


def inside_modules(labels: Sequence[str], without: Container[int] = ()) -> dict[int, list[int]]:
    """For each row of a module the rows of what is in it, `without` some.

    >>> inside_modules(["features", "features.0", "fc"])
    {0: [1]}
    """
    rows = {label.strip(" `*"): row for row, label in enumerate(labels)}
    found: dict[int, list[int]] = {}
    for label, row in rows.items():
        if row in without:
            continue
        parts = label.split(".")
        for count in range(1, len(parts)):
            outer = rows.get(".".join(parts[:count]))
            if outer is not None:
                found.setdefault(outer, []).append(row)
    return found


def layers_of_module(names: Names, inner: Sequence[Match | None]) -> Iterator[Match]:
    """What a module may be, the likeliest first, by what the rows in it are about."""
    rows = names.rows
    places = sorted({*chain.from_iterable(_places(names, match) for match in inner if match is not None)})
    # What changes nothing may stand for an equal layer of another module.
    for of_module in (places, [index for index in places if rows[index].params]):
        if not of_module:
            continue
        first, last = of_module[0], of_module[-1]
        ends = [last]
        while len(ends) <= _MOST_AFTER and ends[-1] + 1 < len(rows) and not rows[ends[-1] + 1].params:
            ends.append(ends[-1] + 1)
        starts = [first]
        while len(starts) <= _MOST_BEFORE and starts[-1] > 0 and not rows[starts[-1] - 1].multiplications:
            starts.append(starts[-1] - 1)
        for start in starts:
            for end in ends:
                yield names.of_range(start, end)
        if len(of_module) < last - first + 1:
            yield names.of_list(of_module)


def is_part_of_attention(label: str) -> bool:
    """Whether a row is about one of the products of an attention, which is one layer here.

    >>> is_part_of_attention("blocks.0.attn.qkv"), is_part_of_attention("blocks.0.mlp.fc1")
    (True, False)
    """
    *outer, last = label.strip(" `*").lower().split(".")
    return last in _PARTS_OF_ATTENTION and any("attn" in part or "attention" in part for part in outer)


def are_all(names: Names, inner: Sequence[Match | None]) -> bool:
    """Whether the rows in a module are about all layers with weights from its first to its last."""
    places = {*chain.from_iterable(_places(names, match) for match in inner if match is not None)}
    between = range(min(places), max(places) + 1) if places else ()
    return bool(places) and all(index in places or not names.rows[index].params for index in between)


def between_others(
    groups: Sequence[Group],
    found: Sequence[Match | None],
    others: Container[int],
    names: Names,
    evidence: Evidence,
) -> list[Match | None]:
    """What rows are about that have no place yet, by those with weights around them.

    A module that changes nothing is judged as a layer next to it, any other as the free layer of which most is right.
    One that only shapes a map is not judged where it gives another one.
    """
    chosen = list(found)
    taken = {match.layer for match in found if match is not None}
    if any(is_part_of_attention(group.label) for group in groups):
        taken |= {row.name for row in names.rows if row.op.family == "attention"}
    weighted = [(row, at) for row, at in enumerate(map(names.place_of_weights, found)) if at is not None]
    for row, match in enumerate(found):
        if (match is not None and match.layer) or row in others:
            continue
        before = max((at for other, at in weighted if other < row), default=0)
        after = min((at for other, at in weighted if other > row and at >= before), default=len(names.rows) - 1)
        wrong = evidence.wrong_by_layer(groups[row])
        near = range(before, after + 1)
        right = [index for index in near if not wrong[index]] if any(wrong) else []
        beyond = range(max(before - _MOST_AFTER, 0), min(after + _MOST_AFTER, len(wrong)))
        free = [index for index in near if names.names[index] not in taken and wrong[index] < len(groups[row].cells)]
        if right:
            chosen[row] = Match(names.names[right[-1]], is_like=True)
        elif free:
            own = min(free, key=lambda index: (wrong[index], not names.rows[index].params))
            chosen[row] = Match(names.names[own])
            taken.add(names.names[own])
        elif any(wrong) and (like := next((index for index in beyond if not wrong[index]), None)):
            chosen[row] = Match(names.names[like], is_like=True)
    absent = Match(note=say("the network has no such layer at this place"), is_idle=True)
    return [
        absent if match is not None and _is_other(group, match, evidence) else match
        for group, match in zip(groups, chosen, strict=True)
    ]


def _is_other(group: Group, match: Match, evidence: Evidence) -> bool:
    """Whether a row of what only shapes a map is wrong: code pads and crops in other steps."""
    is_shaping = families(read_label(group.label).kinds) == {"shape"}
    return is_shaping and bool(match.layer) and evidence.wrong(group, match) > 0


def _places(names: Names, match: Match) -> Sequence[int]:
    if match.is_like or match.layer not in names.blocks | names.index:
        return ()
    if match.is_block:
        return [names.index[row.name] for row in names.inside(match.layer)]
    return [names.index[name] for name in (match.first, match.layer) if name]
