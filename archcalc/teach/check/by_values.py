"""Rows of a summary that a framework printed, placed by their values.

A framework prints what it computed, in an order of its own: layers of branches stand between one another, and made
names count all models of a session. Rows of one kind with the same values are interchangeable with the layers of this
kind that have these values. What is left over stands between the rows around it.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence

from archcalc.teach.check.costs import Costs, Table
from archcalc.teach.check.kinds import MINOR, OTHER_KIND, is_minor
from archcalc.teach.check.model import Match
from archcalc.teach.check.numbering import families

#: Of fewer rows no order is known, and so many of a hundred rows with weights must have a place.
_FEWEST, _SHARE = 4, 75
#: A dense layer is a convolution of one position.
_WEIGHTED = {"convolution", "dense"}


def by_values(table: Table, costs: Costs) -> dict[int, Match] | None:
    """What rows are about of which all cells are right there, each once; None where too few rows have such a place."""
    found: dict[int, Match] = {}
    rows_by_matches: dict[tuple[Match, ...], list[int]] = {}
    for row, named in enumerate(table.named):
        if named is not None and (row in table.held or not table.evidence.wrong(table.groups[row], named)):
            found[row] = named
        elif right := tuple(_right(table, costs, row)):
            rows_by_matches.setdefault(right, []).append(row)
    taken = {match.key for match in found.values()}
    few = []
    for matches, rows in sorted(rows_by_matches.items(), key=lambda one: len(one[0])):
        free = [match for match in matches if match.key not in taken]
        if len(free) > len(rows):
            few.append((matches, rows))
            continue
        found |= dict(zip(rows, free, strict=False))
        taken |= {match.key for match in free}
    for matches, rows in few:
        places = _between_known(rows, [match for match in matches if match.key not in taken], costs, dict(found))
        found |= places
        taken |= {match.key for match in places.values()}
    main = {row for row, label in enumerate(table.labels) if not is_minor(label) and not label.is_module}
    if len(main) < _FEWEST:  # of a summary that ends with modules
        main = {row for row, label in enumerate(table.labels) if not is_minor(label)}
    is_known = len(main) >= _FEWEST and 100 * len(found.keys() & main) >= _SHARE * len(main)
    return found if is_known else None


def _between_known(
    rows: Sequence[int], free: Sequence[Match], costs: Costs, known: Mapping[int, Match]
) -> dict[int, Match]:
    """Rows and more layers with their values: each is one between those of the rows around it, if there is one."""
    place, left = costs.by_name.place, list(free)
    at = {row: place(match) or 0 for row, match in known.items()}
    order = sorted(at)
    found: dict[int, Match] = {}
    for row in rows:
        after = bisect(order, row)
        first = at[order[after - 1]] if after else -1
        last = at[order[after]] if after < len(order) else len(costs.rows)
        own = next((match for match in left if first < (place(match) or 0) < last), None)
        if own is not None:
            found[row] = own
            left.remove(own)
    return found | dict(zip((row for row in rows if row not in found), left, strict=False))


def _right(table: Table, costs: Costs, row: int) -> Iterator[Match]:
    """What a row may be about of which all its cells are right: layers of its very kind, or of one that is related."""
    group, label, evidence = table.groups[row], table.labels[row], table.evidence
    wrong = evidence.wrong_by_layer(group)
    if not any(wrong):
        return  # nothing is said
    of_kind = [one for one in costs.of_kinds(label) if not wrong[one[0]]] if label.kinds else []
    layers = [index for index, other in of_kind if not other]
    layers = layers or [index for index, other in of_kind if other != OTHER_KIND]
    if not layers and (not label.is_typed or (label.kinds and families(label.kinds) <= _WEIGHTED)):
        is_open = not label.is_typed
        layers = [
            index
            for index, one in enumerate(costs.rows)
            if not wrong[index] and (is_open or one.op.family in _WEIGHTED)
        ]
    yield from (Match(costs.names[index]) for index in layers)
    if label.is_separable or not (layers or label.is_typed):
        yield from (
            pair for pair, count in zip(costs.separable, evidence.wrong_by_pair(group), strict=True) if not count
        )
    if not label.kinds and not label.is_separable:
        of_blocks = zip(costs.blocks, evidence.wrong_by_block(group), strict=True)
        yield from (Match(block.name, is_block=True) for block, count in of_blocks if not count)


def between(table: Table, costs: Costs, found: Mapping[int, Match]) -> list[set[int]]:
    """For each row the layers that it may be about where it has no place by its values.

    They lie between those of the rows around it, and no other row is about them; or they have its very name.
    """
    place = costs.by_name.place
    taken = {place(match) for match in found.values() if not match.is_block}
    taken |= {place(Match(match.first)) for match in found.values() if match.first}
    count = len(table.groups)
    after = [len(costs.rows)] * (count + 1)
    for row in reversed(range(count)):
        after[row] = (place(found.get(row)) or 0) if row in found else after[row + 1]
    last = -1
    free: list[set[int]] = []
    for row, named in enumerate(table.named):
        own = place(named)
        free.append(set() if row in found else ({own} if own else set()) | set(range(last + 1, after[row])) - taken)
        last = (place(found[row]) or 0) if row in found else last
    return free


def has_no_weights(kinds: Sequence[str]) -> bool:
    """Whether a row of these kinds stores nothing, so that a framework may need it where another does not."""
    return bool(kinds) and families(kinds) <= {*MINOR, "merge"} - {"normalisation"}
