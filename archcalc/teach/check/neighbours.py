"""What the other rows of a table say of a row: which layers have rows of their own, and whether any layer is known."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from itertools import pairwise

from archcalc.core.language import say
from archcalc.core.words import line
from archcalc.teach.check.costs import NUMBER, Costs, Evidence, Table
from archcalc.teach.check.kinds import MINOR
from archcalc.teach.check.labels import plain_label
from archcalc.teach.check.model import NAMELESS, TOTAL, Group, Match
from archcalc.teach.check.names import Names
from archcalc.teach.check.paths import is_module, path_of

#: A word and a number, as rows are counted; so many rows say that they are.
_COUNTED = re.compile(r"(?P<stem>[^\d]*[^\W\d_]{3}[^\d]*)(?P<number>\d{1,2})")
_FEWEST_COUNTED = 3
_MAIN = ("convolution", "dense", "pooling")
#: So many layers are named that have the values of a row.
_MOST_SHOWN = 3
#: Of so many rows the order and the values are hardly right by chance.
_SUMMARY = 8


def without_others(found: Sequence[Match | None], costs: Costs, wrong: Container[int]) -> list[Match | None]:
    """Blocks with layers that have rows of their own: 3x3 next to 3x3 reduce is the layer that is left.

    Only of rows that are `wrong` for the whole block.
    """
    names = costs.by_name
    named = {match.layer for match in found if match is not None and not match.is_block}
    chosen = list(found)
    for row, match in enumerate(found):
        if match is None or not match.is_block or row not in wrong or match.layer in {*names.stages, *names.lists}:
            continue
        inside = [one.name for one in names.inside(match.layer) if one.op.family in _MAIN]
        left = [name for name in inside if name not in named]
        if len(left) == 1 and len(left) < len(inside):
            chosen[row] = Match(left[0])
    return chosen


def as_stages(
    groups: Sequence[Group], found: Sequence[Match | None], names: Names, evidence: Evidence
) -> list[Match | None]:
    """The matches; conv2 is the stage conv2_x where most rows of such names are right so."""
    stages = {
        row: Match(names.short[name], is_block=True)
        for row, (group, match) in enumerate(zip(groups, found, strict=True))
        if match is None and (name := plain_label(group.label)) in names.short
    }
    right = sum(not evidence.wrong(groups[row], match) for row, match in stages.items())
    if not right or 2 * right < len(stages):
        return list(found)
    return [stages.get(row, match) for row, match in enumerate(found)]


def before_pools(
    groups: Sequence[Group], found: Sequence[Match | None], names: Names, evidence: Evidence
) -> list[Match | None]:
    """The matches; a block in two rows, of which the second has no name, is what is before its pool, then its pool."""
    chosen = list(found)
    for row, (match, (group, after)) in enumerate(zip(found[:-1], pairwise(groups), strict=True)):
        if match is None or not match.is_block or after.label != NAMELESS or not evidence.wrong(group, match):
            continue
        *before, last = names.inside(match.layer)
        if last.op.family == "pooling" and before and not evidence.wrong(group, Match(before[-1].name)):
            chosen[row : row + 2] = Match(before[-1].name), Match(last.name)
    return chosen


def with_skipped(
    groups: Sequence[Group], found: Sequence[Match | None], names: Names, evidence: Evidence
) -> list[Match | None]:
    """The matches; a row of which all is right with the layers that no row before it has is about all of these.

    A convolution of depth 2 in GoogLeNet's table is a reduction and a convolution.
    """
    chosen = list(found)
    last: int | None = None
    for row, (group, match) in enumerate(zip(groups, found, strict=True)):
        at = names.place(match) if match is not None and match.layer not in ("", TOTAL) else None
        if match is None or at is None:
            continue
        if last is not None and not match.is_block and evidence.wrong(group, match):
            skipped = [one.name for one in names.rows[last + 1 : at] if one.multiplications]
            several = names.of_range(last + 1, at) if skipped else match
            chosen[row] = match if evidence.wrong(group, several) else several
        last = at
    return chosen


def without_evidence(table: Table, chosen: Sequence[Match | None], costs: Costs) -> list[Match | None]:
    """The matches; of rows that values alone have placed, none where too few other rows say by name what they are.

    In a table of a few rows one is not wrong either where its name does not say what it is about.
    """
    main = sum(row.op.family in _MAIN for row in costs.rows)
    if len(table.groups) >= min(_SUMMARY, max(main // 2, 4)):
        return list(chosen)  # in a table of most layers their order says it
    placed = [row for row, match in enumerate(chosen) if match is not None and match.layer and match.layer != TOTAL]
    if _are_counted(table) and not any(
        table.evidence.wrong(table.groups[row], chosen[row] or Match()) for row in placed
    ):
        return list(chosen)
    alone = [row for row in placed if not _is_told(table, row, chosen[row], costs)]
    if 2 * len(alone) <= len(placed):
        alone = [row for row in alone if table.evidence.wrong(table.groups[row], chosen[row] or Match())]
    return [_open(table, row, costs) if row in alone else match for row, match in enumerate(chosen)]


def _are_counted(table: Table) -> bool:
    """Whether all rows have one word and numbers in order: a word that is not known, but counts the rows."""
    found = [_COUNTED.fullmatch(plain_label(label.text)) for label in table.labels]
    stems = {match["stem"] for match in found if match is not None}
    numbers = [int(match["number"]) for match in found if match is not None]
    if len(numbers) < max(_FEWEST_COUNTED, len(found)) or len(stems) > 1:
        return False
    return all(after == before + 1 for before, after in pairwise(numbers))


def _is_told(table: Table, row: int, match: Match | None, costs: Costs) -> bool:
    """Whether its name, its kind or its number says which layer a row is about."""
    label, place = table.labels[row], costs.by_name.place(match)
    if table.named[row] is not None or table.groups[row].label == NAMELESS:
        return True
    is_wrong = match is not None and table.evidence.wrong(table.groups[row], match) > 0
    if label.is_typed or label.is_block or (label.kinds and not path_of(label.text)):
        return not (is_module(label.text) and is_wrong)
    is_layer = match is not None and not match.is_block and place is not None
    if label.text.strip(" *`").isdecimal() and is_wrong:
        return False  # the number of a module, or of a row
    return is_layer and bool(label.numbers) and costs.number(label, place or 0, table.numbering) < NUMBER


def _open(table: Table, row: int, costs: Costs) -> Match:
    """That no layer has such a name, and which have the values of the row."""
    group = table.groups[row]
    wrong = table.evidence.wrong_by_layer(group)
    right = [one.name for one, count in zip(costs.rows, wrong, strict=True) if not count and one.op.family not in MINOR]
    if not right or not any(wrong):
        return costs.by_name.unknown(group.label)
    names = ", ".join(right[:_MOST_SHOWN]) + (", …" if len(right) > _MOST_SHOWN else "")
    shown = line(group.label[:40])
    return Match(
        note=say("the network has no layer {shown!r}; its values are those of {names}", shown=shown, names=names)
    )
