"""Rows of a printed summary that have no place by their values: each is what the rows around it leave of the network.

The rows of a summary are modules in the order of the network, and together they have all of its weights. One that is
between two others is about the layers with weights between theirs: one of them, or all as one module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archcalc.teach.check.by_values import has_no_weights
from archcalc.teach.check.costs import Costs, Table
from archcalc.teach.check.model import TOTAL, Match

_NUMBERS = re.compile(r"\d+")
#: At most so many rows may have no place, or this share of all.
_FEW, _SHARE = 3, 10


def in_gaps(table: Table, found: Sequence[Match | None], costs: Costs) -> list[Match | None]:
    """The matches, with those of rows that are alone in a gap."""
    stated = [table.evidence.stated(group, "params") for group in table.groups]
    counted = [row for row, count in enumerate(stated) if count]  # not modules before the rows of what is in them
    spans = [_span(table, row, match, costs) if stated[row] else None for row, match in enumerate(found)]
    lacking = [row for row in counted if spans[row] is None and not has_no_weights(table.labels[row].kinds)]
    chosen = list(found)
    if len(lacking) > max(_FEW, len(counted) // _SHARE):
        return chosen
    weighted = [bool(costs.rows[at].params) for at in range(len(costs.rows))]
    for row in lacking:
        before, after = _around(spans, row, weighted)
        is_alone = not any(before[0] < other < after[0] for other in lacking if other != row)
        gap = [at for at in range(before[1] + 1, after[1]) if weighted[at]] if is_alone else []
        candidates = list(_candidates(table, row, gap, after[1], costs))
        evidence, group, count = table.evidence, table.groups[row], stated[row]
        near = sorted((evidence.wrong(group, one), evidence.distance(one, count), at, one)
                      for at, one in enumerate(candidates))  # fmt: skip
        moved = _moved(table, found, spans, row, costs)
        if moved and (not near or evidence.distance(moved[row], count) < near[0][1]):
            chosen = [moved.get(at, match) for at, match in enumerate(chosen)]
        elif near and (len(near) == 1 or near[0][0] < len(group.cells)):
            chosen[row] = near[0][-1]
    return chosen


def _moved(
    table: Table, found: Sequence[Match | None], spans: Sequence[tuple[int, int] | None], row: int, costs: Costs
) -> dict[int, Match] | None:
    """Rows of equal layers after one that has no place, each about the next of these: the first is what it is about.

    As many rows as there are equal layers have been placed from the first on, though it is this row that differs.
    """
    taken = {at for span in spans if span and span[0] == span[1] for at in span}
    blocks = {match.layer for match in found if match is not None and match.is_block}
    words = [_NUMBERS.sub("", label.text) for label in table.labels]
    equal = [
        (at, match)
        for at in range(row + 1, len(found))
        if words[at] == words[row] and (match := found[at]) is not None and spans[at]
    ]
    # Those of which all is right at a layer that no row is about.
    for other in _left(taken, blocks, costs):
        alike = [
            (at, match)
            for at, match in equal
            if match.is_block == other.is_block
            and not table.evidence.wrong(table.groups[at], other)
            and (costs.by_name.place(match) or 0) < (costs.by_name.place(other) or 0)
        ]
        first = alike[0][1] if alike else None
        if first is not None and table.evidence.wrong(table.groups[row], first) < len(table.groups[row].cells):
            matches = [match for _, match in alike[1:]] + [other]
            return {row: first} | {at: match for (at, _), match in zip(alike, matches, strict=True)}
    return None


def _left(taken: set[int], blocks: set[str], costs: Costs) -> Iterator[Match]:
    """The layers with weights, and the blocks, that no row is about."""
    for at, one in enumerate(costs.rows):
        if one.params and at not in taken:
            yield Match(one.name)
    yield from (Match(block.name, is_block=True) for block in costs.blocks if block.name not in blocks)


def _span(table: Table, row: int, match: Match | None, costs: Costs) -> tuple[int, int] | None:
    """The first and the last layer with weights that a row is about, where all of it is right."""
    if match is None or match.layer in ("", TOTAL) or table.evidence.wrong(table.groups[row], match):
        return None
    names = costs.by_name
    inside = [one.name for one in names.inside(match.layer)] if match.is_block else [match.first, match.layer]
    places = sorted(names.index[name] for name in inside if name)
    return places[0], places[-1]


def _around(
    spans: Sequence[tuple[int, int] | None], row: int, weighted: Sequence[bool]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The nearest rows with weights before and after one, each with the layer at which it ends or begins."""
    known = [(at, span) for at, span in enumerate(spans) if span and any(weighted[span[0] : span[1] + 1])]
    after = next(((at, span[0]) for at, span in known if at > row), (len(spans), len(weighted)))
    before = next(((at, span) for at, span in reversed(known) if at < row), None)
    if before is None:
        return (-1, -1), after
    at, (first, last) = before
    # A module before the rows of what is in it has no layers of its own.
    return (at, first - 1 if first <= after[1] <= last else last), after


def _candidates(table: Table, row: int, gap: Sequence[int], after: int, costs: Costs) -> Iterator[Match]:
    """What a row in a gap may be about: a layer of its kind, or without a kind a layer, or all of them as a module."""
    kinds = table.labels[row].kinds
    yield from (Match(costs.names[at]) for at in gap if not kinds or costs.rows[at].op.kind in kinds)
    if kinds or len(gap) < 2:
        return
    for block in costs.blocks:
        if (
            next((at for at in range(block.first, block.last) if costs.rows[at].params), None)
            == gap[0]
            < block.last
            < after
        ):
            yield Match(block.name, is_block=True)
    ends = range(gap[-1], max(after, gap[-1] + 1))
    yield from (costs.by_name.of_range(gap[0], end) for end in ends)
