"""Which layers rows are about by their order: an alignment of all rows with the layers, or with what is left of them.

Names, kinds, numbers and what stands in the cells are the evidence. Where two layers explain a row equally well and
their values differ, the row is not judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from archcalc.core.language import say
from archcalc.ops import OPS
from archcalc.teach.check.alignment import align
from archcalc.teach.check.blocks import events
from archcalc.teach.check.by_values import between, has_no_weights
from archcalc.teach.check.costs import NAMED, NUMBER, REPEATED, UNMATCHED, WRONG, Costs, Table
from archcalc.teach.check.kinds import OTHER_KIND, UNKNOWN, is_minor
from archcalc.teach.check.labels import Label, read_label
from archcalc.teach.check.model import NAMELESS, Match
from archcalc.teach.check.names import Names, could_be_any, misplaced
from archcalc.teach.check.numbering import Numbering, families, numbered_by_kind
from archcalc.teach.check.paths import Paths, path_of

_IN_PLACE = ("activation", "regularisation")


class Ordered:
    """The layers and blocks of a network, for rows in their order."""

    def __init__(self, costs: Costs, by_name: Names) -> None:
        self.costs, self.by_name = costs, by_name
        self.rows, self.names, self.kinds = by_name.rows, by_name.names, costs.kinds
        self.paths = Paths(self.rows)
        #: What rows are aligned with: the layers, then three targets of each block.
        self.layers = [Match(name) for name in self.names]
        self.targets = list(self.layers)
        self.targets += [Match(block.name, is_block=True) for block in costs.blocks for _ in range(3)]
        sequence, self.spans = events(len(self.rows), costs.blocks)
        self.left_out = [costs.left_out(index) for index in sequence]

    def around(self, table: Table, values: Mapping[int, Match]) -> list[Match | None]:
        """Rows with a place by their values, and the others aligned with what is left between them."""
        table = table._replace(is_taken=True)
        free = between(table, self.costs, values)
        open_rows = [row for row in range(len(table.groups)) if row not in values]
        pairs = []
        for row in open_rows:
            costs = self.costs.pairs(table, row, NAMED) if free[row] else {}
            kinds = table.labels[row].kinds
            if has_no_weights(kinds):  # frameworks need other such layers
                end = self._end(table, row, values)
                costs = {at: cost for at, cost in costs.items() if at < end and self.rows[at].op.kind in kinds}
            pairs.append({target: cost for target, cost in costs.items() if target in free[row]})
        unmatched = [self.costs.unmatched(table.labels[row]) for row in open_rows]
        aligned = align(pairs, unmatched, self.left_out, self.spans)
        chosen: list[Match | None] = [values.get(row) for row in range(len(table.groups))]
        for row, at, equal in zip(open_rows, aligned.chosen, aligned.equal, strict=True):
            chosen[row] = self._chosen(table, row, at, equal)
            if chosen[row] is None and self.kinds & set(table.labels[row].kinds):
                is_idle = has_no_weights(table.labels[row].kinds)
                chosen[row] = Match(note=say("the network has no such layer at this place"), is_idle=is_idle)
        return chosen

    def _end(self, table: Table, row: int, values: Mapping[int, Match]) -> int:
        """Before which layer a row without weights must lie: in a part of a summary none with weights is passed by."""
        last = max(values, default=-1)
        if row < last:
            return len(self.rows)
        places = [self.costs.by_name.place(match) or 0 for match in values.values()]
        left = sum(not has_no_weights(label.kinds) for label in table.labels[last + 1 : row])
        after = [at for at in range(max(places, default=-1) + 1, len(self.rows)) if self.rows[at].params]
        return after[left] if left < len(after) else len(self.rows)

    def aligned(self, table: Table) -> list[Match | None]:
        """All rows aligned with all layers, from the input or from the output."""
        repeated = Counter(label.key for label in table.labels)
        pairs = [
            self.costs.pairs(table, row, REPEATED if repeated[label.key] > 1 or is_minor(label) else NAMED)
            for row, label in enumerate(table.labels)
        ]
        unmatched = [self.costs.unmatched(label) for label in table.labels]
        found = align(pairs, unmatched, self.left_out, self.spans)
        if found.cost >= UNMATCHED:  # some begin with the output
            turned = align(pairs[::-1], unmatched[::-1], self.left_out, self.spans)
            if turned.cost < found.cost:
                found = turned._replace(chosen=turned.chosen[::-1], equal=turned.equal[::-1])
        by_name = sum(
            WRONG * table.evidence.wrong(group, match) if match else cost
            for group, match, cost in zip(table.groups, table.named, unmatched, strict=True)
        )
        if by_name <= found.cost:
            return [match or self._nothing(label) for match, label in zip(table.named, table.labels, strict=True)]
        by_place = self._by_numbers(table) if found.cost >= WRONG else None
        table = table._replace(is_shuffled=self._is_shuffled(table, found.chosen))
        chosen = [
            (by_place or {}).get(row) or self._chosen(table, row, *choice)
            for row, choice in enumerate(zip(found.chosen, found.equal, strict=True))
        ]
        self._place_others(table, chosen)
        self._place_by_paths(table, chosen)
        return chosen

    def _place_by_paths(self, table: Table, chosen: list[Match | None]) -> None:
        """Rows that are wrong where their order puts them, by how their names count, or by the rows around them."""
        names = [(row, label.text) for row, label in enumerate(table.labels) if path_of(label.text)]
        counted = self.paths.settled(
            [(row, name) for row, name in names if table.named[row] is None],
            lambda row: [index for index, _ in self.costs.of_kinds(table.labels[row])],
            lambda row: table.evidence.wrong_by_layer(table.groups[row]),
        )
        of_frameworks = {row for row, _ in names}
        for row, match in enumerate(list(chosen)):
            if table.named[row] is not None:
                continue
            is_found = match is not None and bool(match.layer)
            is_wrong = match is not None and is_found and table.evidence.wrong(table.groups[row], match) > 0
            at = counted.get(row)
            if match is not None and is_found and not is_wrong:
                if at is not None and not match.is_block and table.evidence.wrong_by_layer(table.groups[row])[at]:
                    chosen[row] = misplaced(table.groups[row].label)
            elif (is_wrong and row in of_frameworks) or not is_found:
                if at is None and (match is None or is_wrong or match.is_misplaced):
                    at = self._only_between(table, chosen, row)
                if at is not None:
                    chosen[row] = Match(self.names[at])
                elif is_wrong:
                    chosen[row] = misplaced(table.groups[row].label)

    def _only_between(self, table: Table, chosen: Sequence[Match | None], row: int) -> int | None:
        """The only layer of the kind of a row between those of the rows before it and after it, which are right."""
        kinds = table.labels[row].kinds
        if table.is_shuffled or not (kinds or table.groups[row].label == NAMELESS):
            return None
        first = self._place_near(table, chosen, range(row - 1, -1, -1), -1)
        last = self._place_near(table, chosen, range(row + 1, len(chosen)), len(self.rows))
        if first is None or last is None:
            return None
        least = 0 if kinds else UNKNOWN
        found = [
            index for index, other in self.costs.of_kinds(table.labels[row]) if other == least and first < index < last
        ]
        return found[0] if len(found) == 1 else None

    def _place_near(self, table: Table, chosen: Sequence[Match | None], rows: Sequence[int], end: int) -> int | None:
        """Where the nearest row stands, if all of it is right there and nowhere else; without any row the end."""
        for row in rows:
            match = chosen[row]
            if match is None or not match.layer:
                if is_minor(table.labels[row]):
                    continue
                return None
            wrong = table.evidence.wrong_by_layer(table.groups[row])
            right = [index for index, _ in self.costs.of_kinds(table.labels[row]) if not wrong[index]]
            return right[0] if len(right) == 1 and self.names[right[0]] == match.layer else None
        return end

    def _is_shuffled(self, table: Table, chosen: Sequence[int | None]) -> bool:
        """Whether many rows have no place in the order of the network, or are right elsewhere."""
        lost = elsewhere = 0
        for row, target in enumerate(chosen):
            if table.named[row] is not None:
                continue
            if target is None:
                lost += self.costs.unmatched(table.labels[row]) == UNMATCHED
            elif table.evidence.wrong(table.groups[row], self.targets[target]):
                elsewhere += self._is_right_elsewhere(table, row)
        return (lost > 1 or elsewhere > 2) and 4 * (lost + elsewhere) >= len(chosen)

    def _is_right_elsewhere(self, table: Table, row: int) -> bool:
        """Whether a layer of the kinds of a row has all of its values."""
        wrong = table.evidence.wrong_by_layer(table.groups[row])
        of_kinds = self.costs.of_kinds(table.labels[row])
        return any(not wrong[index] and other != OTHER_KIND for index, other in of_kinds)

    def _place_others(self, table: Table, chosen: list[Match | None]) -> None:
        """Branches may stand in another order: rows that found no place are about layers of which all is right."""
        taken = {match.layer for match in chosen if match is not None}
        last = -1
        for row, (match, group, label) in enumerate(zip(chosen, table.groups, table.labels, strict=True)):
            if match is not None and match.layer:
                last = self.by_name.place(match) or last
            elif label.kinds and (match is None or match.is_misplaced):
                wrong = table.evidence.wrong_by_layer(group)
                of_kind = self.costs.of_very_kinds(label)
                right = [index for index in of_kind if not wrong[index]]
                # One cell is enough where no other layer of the kind has its value.
                is_only = len(of_kind) == 1 or (len(right) == 1 and not label.numbers)
                free = [index for index in right if self.names[index] not in taken]
                if free and (is_only or len(group.cells) > 1 or is_minor(label)):
                    own = min(free, key=lambda index: (abs(index - last), index))
                    chosen[row] = Match(self.names[own], note=say("matched by its values"))
                    taken.add(self.names[own])

    def _chosen(self, table: Table, row: int, target: int | None, equal: Sequence[int]) -> Match | None:
        """What a row is about by the alignment; nothing where layers with other values explain it as well."""
        group, label, named = table.groups[row], table.labels[row], table.named[row]
        if target is None:
            return self._nothing(label)
        match = self.targets[target]
        if named is not None and (named.layer == match.layer or named.layer in self.by_name.lists):
            return named
        has_number = bool(label.numbers) and self.costs.number(label, target, table.numbering) < NUMBER
        if named is None and self._is_misplaced(table, row, match, has_number):
            return misplaced(group.label)
        says_more = has_number and (match.is_block == label.is_block)
        if named is None and not label.kinds and not says_more and table.evidence.wrong(group, match):
            return None  # the order alone says too little of a name that means nothing
        others = [self.targets[other] for other in equal]
        is_right = any(table.evidence.wrong_by_layer(group)) and not any(
            table.evidence.wrong(group, other) for other in (match, *others)
        )
        if is_right or all(table.evidence.alike(group, match, other) for other in others):
            is_plain = (label.kinds or label.is_block) and (has_number or not label.numbers)
            return match if is_plain else match._replace(note=say("matched by the order of the rows"))
        if not label.kinds and not label.is_block:
            return None
        return could_be_any(group.label, list(dict.fromkeys(other.layer for other in others)))

    def _is_misplaced(self, table: Table, row: int, match: Match, has_number: bool) -> bool:
        """Whether a row whose cells are wrong where its order puts it may be about a layer elsewhere."""
        group, label = table.groups[row], table.labels[row]
        if table.is_taken or not table.evidence.wrong(group, match):
            return False
        if table.is_shuffled:
            return True
        if not label.kinds or has_number:
            return False
        if label.numbers and table.numbering is Numbering.BY_KIND:
            return True
        return self._is_right_elsewhere(table, row)

    def _by_numbers(self, table: Table) -> dict[int, Match] | None:
        """Rows in another order than the network's, by the places that they have among their kinds, or among all.

        None unless every row with a kind or a number has a place, and all of its cells are right there.
        """
        read = [read_label(group.label) for group in table.groups]
        every = [label.number or 0 for label in read]
        counted = [
            [index for index, place in enumerate(self.costs.places) if place.main],
            [index for index, place in enumerate(self.costs.places) if place.weighted],
        ]
        ways = [numbered_by_kind(read, self.costs.of_very_kinds)]
        if len(set(every)) == len(every) and min(every) > 0:
            ways += [
                dict(enumerate(layers[number - 1] for number in every))
                for layers in counted
                if max(every) <= len(layers)
            ]
        for way in filter(None, ways):
            is_of_kind = all(
                not read[row].kinds or at in self.costs.of_very_kinds(read[row]) for row, at in way.items()
            )
            if is_of_kind and not any(
                table.evidence.wrong(table.groups[row], self.layers[at]) for row, at in way.items()
            ):
                return {row: self.layers[at] for row, at in way.items()}
        return None

    def _nothing(self, label: Label) -> Match | None:
        """Why a row stands for no layer."""
        if not label.kinds:
            return None
        changes_nothing = families(label.kinds) <= set(_IN_PLACE)
        if self.kinds & set(label.kinds):
            return (
                Match(note=say("the network has no such layer at this place"), is_idle=True)
                if changes_nothing
                else None
            )
        # An adaptive pool to the size that a map has already is left out by many.
        is_idle = is_minor(label) or all("adaptive" in kind for kind in label.kinds)
        return Match(note=say("the network has no {noun} layer", noun=say(OPS[label.kinds[0]].noun)), is_idle=is_idle)
