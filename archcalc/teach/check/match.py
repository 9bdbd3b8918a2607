"""Which layer a row of a table is about: by its name, and by an alignment of all rows with the layers.

Where every row has the very name of a layer, that decides. Else the rows are aligned with the layers in their order,
at the least cost; names, kinds, numbers and what stands in the cells are the evidence. Where two layers explain a row
equally well and their values differ, the row is not judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from archcalc.core.language import say
from archcalc.core.words import line
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.alignment import MOST_PAIRS
from archcalc.teach.check.by_values import by_values
from archcalc.teach.check.costs import Costs, Evidence, Table
from archcalc.teach.check.frameworks import is_of_keras, layer_of
from archcalc.teach.check.gaps import in_gaps
from archcalc.teach.check.joined import Joined
from archcalc.teach.check.kinds import kind_cost
from archcalc.teach.check.labels import Label, described, read_label, squeezed
from archcalc.teach.check.listed import Listed, listed
from archcalc.teach.check.meanings import Meanings
from archcalc.teach.check.model import NAMELESS, TOTAL, Answer, Group, Match
from archcalc.teach.check.modules import are_all, between_others, inside_modules, is_part_of_attention, layers_of_module
from archcalc.teach.check.names import Names, could_be_any
from archcalc.teach.check.neighbours import as_stages, before_pools, with_skipped, without_evidence, without_others
from archcalc.teach.check.networks import among_networks, names_of
from archcalc.teach.check.numbering import (
    Numbering,
    as_in_notes,
    families,
    numbering,
    renumbered,
)
from archcalc.teach.check.ordered import Ordered
from archcalc.teach.check.paths import are_modules
from archcalc.teach.check.together import Together

#: So many rows with the names of a framework are not all wrong by chance: they are counted in another way.
_FEWEST_COUNTED = 8


def rows_of(answers: Sequence[Answer]) -> list[Group]:
    """The answers by rows: those about one layer, as long as no quantity comes again."""
    groups: list[tuple[str, list[int]]] = []
    seen: set[str] = set()
    for index, answer in enumerate(answers):
        asked = f"{answer.quantity} {answer.of_input}"
        if not groups or groups[-1][0] != answer.layer or asked in seen:
            groups.append((answer.layer, []))
            seen = set()
        groups[-1][1].append(index)
        seen.add(asked)
    return [Group(label, tuple(cells)) for label, cells in groups]


def _put(found: Sequence[Match | None], rows: Sequence[int], matches: Sequence[Match | None]) -> list[Match | None]:
    """All matches, those of some rows replaced."""
    own = dict(zip(rows, matches, strict=True))
    return [own.get(index, match) for index, match in enumerate(found)]


class Matcher:
    """The names of a network, prepared once."""

    def __init__(self, analysis: Analysis) -> None:
        self.rows = analysis.rows
        self.own_names = names_of(analysis.graph)
        self.by_name = Names(analysis.rows)
        self.names, self.index, self.blocks = self.by_name.names, self.by_name.index, self.by_name.blocks
        self.costs = Costs(analysis.rows, self.by_name)
        self.kinds, self.all_blocks = self.costs.kinds, self.costs.blocks
        self.of_frameworks = self.by_name.of_frameworks
        self.joined = Joined(self.costs, self.by_name)
        self.together = Together(Meanings(self.costs, self.by_name), self.by_name)
        self.ordered = Ordered(self.costs, self.by_name)
        self.layers, self.targets = self.ordered.layers, self.ordered.targets

    def match(self, groups: Sequence[Group], evidence: Evidence, *, is_printed: bool = False) -> list[Match]:
        """What each row is about; a framework may have printed them all."""
        return among_networks(
            groups, self._layers_of(groups, evidence, is_printed), self.own_names, self.by_name.is_exact
        )

    def _layers_of(self, groups: Sequence[Group], evidence: Evidence, is_printed: bool) -> list[Match]:
        held = self._held(groups, evidence)
        found = self._by_exact_names(groups, evidence, held, is_printed)
        if len(held) >= _FEWEST_COUNTED and 2 * self._faults(groups, found, evidence) > len(held):
            # The names of another form of the network, whose modules have other numbers.
            other = self._match(groups, evidence, {}, is_printed)
            if 10 * self._faults(groups, other, evidence) <= len(groups):
                return other
        return found

    def _by_exact_names(
        self, groups: Sequence[Group], evidence: Evidence, held: Mapping[int, Match], is_printed: bool
    ) -> list[Match]:
        """What each row is about where names of this network mean what they say, whatever the order of the rows.

        They do not where such rows are wrong, and most of them right as the table counts its layers: fc3 after two
        convolutions.
        """
        exact = {row: match for row, match in self._exact(groups, evidence).items() if row not in held}
        found = self._match(groups, evidence, {**held, **exact}, is_printed)
        wrong = [row for row, match in exact.items() if evidence.wrong(groups[row], match)]
        if not wrong:
            return found
        other = self._match(groups, evidence, held, is_printed)
        moved = [row for row, match in exact.items() if other[row].key != match.key]
        right = sum(bool(other[row].layer) and not evidence.wrong(groups[row], other[row]) for row in moved)
        is_better = self._faults(groups, other, evidence) < self._faults(groups, found, evidence)
        return other if moved and 2 * right >= len(moved) and is_better else found

    def _exact(self, groups: Sequence[Group], evidence: Evidence) -> dict[int, Match]:
        """What rows are about that have the very name of a layer or a block, which no other row has."""
        labels = [read_label(group.label) for group in groups]
        counts = Counter(label.key for label in labels)
        found: dict[int, Match] = {}
        for row, (group, label) in enumerate(zip(groups, labels, strict=True)):
            is_exact = self.by_name.is_exact(group.label) or bool(self.by_name.parts_of_sum(group.label))
            if counts[label.key] == 1 and not label.is_typed and is_exact:
                match = self._named(group, label, evidence)
                if match is None or match.layer in ("", TOTAL):
                    continue
                is_norm = families(label.kinds) == {"normalisation"}
                if not is_norm or not evidence.wrong(group, match):  # others have a norm after the pool
                    found[row] = match
        return found

    def _held(self, groups: Sequence[Group], evidence: Evidence) -> dict[int, Match]:
        """The layers of rows whose names, whole or in a framework, say which layer of this network they are."""
        found: dict[int, Match] = {}
        for row, group in enumerate(groups):
            at = None if described(group.label) else layer_of(group.label, self.of_frameworks)
            label = read_label(group.label)
            own = self._named(group, label, evidence) if self.by_name.is_exact(group.label) else None
            is_own = own is not None and not evidence.wrong(group, own)  # a module may have the name of another layer
            if at is not None and (not label.is_typed or self._has_kind(self.layers[at], label.kinds)):
                found[row] = own if own is not None and is_own else self.layers[at]
            elif not is_own and (module := self.by_name.module(group.label)) and not evidence.wrong(group, module):
                found[row] = module
            elif self.by_name.is_part(group.label) and (own := self._named(group, label, evidence)) is not None:
                found[row] = own
        return found

    def is_of_keras(self, name: str) -> bool:
        """Whether it is the name that Keras gives a normalisation of this network, or one that it makes."""
        label = read_label(name)
        if not label.kinds or families(label.kinds) != {"normalisation"} or not is_of_keras(name):
            return False
        return label.is_typed or label.is_made or layer_of(name, self.of_frameworks) is not None

    def _match(
        self, groups: Sequence[Group], evidence: Evidence, held: Mapping[int, Match], is_printed: bool
    ) -> list[Match]:
        known = set(self.by_name.lists)
        read = as_in_notes([read_label(group.label) for group in groups])
        labels = renumbered(read, self.rows)
        in_one_word = self.joined.in_one_word(groups, evidence)
        held = {row: match for row, match in held.items() if row not in in_one_word}
        joined = {**self.together.joined(groups, evidence), **self.joined.matches(groups, evidence), **in_one_word}
        found = [
            held.get(row) or joined.get(row) or self._named(group, label, evidence)
            for row, (group, label) in enumerate(zip(groups, read, strict=True))
        ]
        found = as_stages(groups, found, self.by_name, evidence)
        blocks = {row: match for row, match in enumerate(found) if match is not None and match.is_block}
        wrong = {row for row, match in blocks.items() if evidence.wrong(groups[row], match)}
        found = without_others(found, self.costs, wrong)
        if groups and groups[-1].label == NAMELESS and not evidence.wrong(groups[-1], Match(TOTAL)):
            found[-1] = Match(TOTAL, note=say("matched by its values"))  # the sums below the columns
        is_tree = are_modules([group.label for group in groups])
        parts = self._parts_of_attention(groups) if is_tree else set()
        modules = inside_modules([group.label for group in groups], parts) if is_tree else {}
        note = say("it is part of an attention, which is one layer here")
        found = [Match(note=note, is_idle=True) if row in parts else match for row, match in enumerate(found)]
        rows = [
            index
            for index, match in enumerate(found)
            if (match is None or match.layer not in (TOTAL, "")) and index not in modules and index not in parts
        ]
        table = Table(
            [groups[index] for index in rows],
            [labels[index] for index in rows],
            [found[index] for index in rows],
            numbering(read),
            evidence,
            held={at for at, index in enumerate(rows) if index in held},
        )
        if rows and not self._is_settled(table):
            values = {at: in_one_word[index] for at, index in enumerate(rows) if index in in_one_word} or None
            values = by_values(table, self.costs) if is_printed or is_tree else values
            placed = self.ordered.around(table, values) if values is not None else None
            if placed is not None and not is_tree:
                placed = in_gaps(table, placed, self.costs)
            is_small = len(rows) * len(self.targets) <= MOST_PAIRS
            if is_small and (placed is None or (is_tree and self._faults(table.groups, placed, evidence))):
                aligned = self.ordered.aligned(table)
                faults = self._faults(table.groups, aligned, evidence)
                if placed is None or faults <= self._faults(table.groups, placed, evidence):
                    placed = aligned
            found = _put(found, rows, placed) if placed is not None else found
            found = [held.get(row, match) for row, match in enumerate(found)]
        if parts:  # what stands next to the parts of an attention is not all of it
            whole = {row.name for row in self.rows if row.op.family == "attention"}
            found = [
                None if match is not None and match.layer in whole and evidence.wrong(group, match) else match
                for match, group in zip(found, groups, strict=True)
            ]
        if is_tree:
            found = between_others(groups, found, {*modules, *parts}, self.by_name, evidence)
        found = _put(found, rows, without_evidence(table, [found[row] for row in rows], self.costs))
        found = with_skipped(groups, before_pools(groups, found, self.by_name, evidence), self.by_name, evidence)
        for index, inner in reversed(modules.items()):
            found[index] = self._module(groups[index], found[index], [found[row] for row in inner], evidence)
        if is_printed:
            found = [
                Match(note=say("which layers are in it is not sure"), is_idle=True)
                if label.is_module and self._is_convolution(match) and match and evidence.wrong(group, match)
                else match  # the module around a convolution holds its normalisation too
                for group, label, match in zip(groups, labels, found, strict=True)
            ]
        found = self.together.left(groups, found, {*modules, *parts}, evidence)
        self.by_name.keep(known | {match.layer for match in found if match is not None})
        return [match or self.by_name.unknown(group.label) for match, group in zip(found, groups, strict=True)]

    # --- by name

    def _parts_of_attention(self, groups: Sequence[Group]) -> set[int]:
        """The rows that are about products of an attention, where that is one layer of the network."""
        if not any(row.op.family == "attention" for row in self.rows):
            return set()
        return {row for row, group in enumerate(groups) if is_part_of_attention(group.label)}

    def _faults(self, groups: Sequence[Group], matches: Sequence[Match | None], evidence: Evidence) -> int:
        """How many rows are about no layer, or have a wrong cell."""
        return sum(
            match is None or not match.layer or evidence.wrong(group, match) > 0
            for group, match in zip(groups, matches, strict=True)
        )

    def _is_convolution(self, match: Match | None) -> bool:
        at = self.index.get(match.layer) if match is not None and not match.first else None
        return at is not None and self.rows[at].op.family == "convolution"

    def _module(
        self, group: Group, named: Match | None, inner: Sequence[Match | None], evidence: Evidence
    ) -> Match | None:
        """What a row is about by the rows of what is in it."""
        if named is not None and not evidence.wrong(group, named):
            return named
        found = list(layers_of_module(self.by_name, inner))
        best = min(found, key=lambda match: evidence.wrong(group, match), default=None)
        if best is None or not evidence.wrong(group, best):
            return best
        blocks = zip(self.all_blocks, evidence.wrong_by_block(group), strict=True)
        if right := next((block for block, wrong in blocks if not wrong), None):
            return Match(right.name, is_block=True)
        is_sure = are_all(self.by_name, inner) and evidence.wrong(group, best) < len(group.cells)
        return best if is_sure else Match(note=say("which layers are in it is not sure"))

    def _named(self, group: Group, label: Label, evidence: Evidence) -> Match | None:
        """The layer, block or total of this very name."""
        if label.is_window:
            return None
        found = self.by_name.find(group.label, label.is_block)
        key = squeezed(group.label)
        is_whole = key in self.by_name.plain or key in self.by_name.lasts
        if found is not None and label.is_typed and not is_whole and not self._has_kind(found, label.kinds):
            found = None
        is_word = key in self.by_name.lasts and label.key not in self.by_name.plain and not label.numbers
        if found is not None and is_word and len(self.costs.of_very_kinds(label)) > 1 and evidence.wrong(group, found):
            found = None  # upsample is a layer of a block, or any of this kind
        if found is None and label.is_total:
            return Match(TOTAL)
        if found is None and len(parts := self.by_name.parts_of_block(group.label)) > 1:
            return self._of_parts(parts, group, evidence)
        if found is None and label.is_patch:
            found = self._of_patches(group, label, evidence)
        if found is None and not self.costs.has_size(label) and (several := listed(group.label)) is not None:
            return self._of_several(several, group, evidence)
        if found is not None and self._names_norm(group.label) and "weights" not in evidence.asked(group):
            return found
        if found is not None and not found.is_block and described(group.label):
            at = self.index[found.layer]
            norm = list(self.by_name.norm_after(at))
            return min(found, self.by_name.of_these([at, *norm]), key=lambda match: evidence.wrong(group, match))
        if found is not None and found.is_block:
            # A block with one layer that multiplies is that layer to many: its convolution without batch norm.
            inside = self.by_name.inside(found.layer)
            own = [row for row in inside if row.multiplications]
            # The sizes of a transition are those after its pool.
            is_sized = (
                bool(own)
                and evidence.asked(group) == {"output_shape"}
                and own[0].output_shape != inside[-1].output_shape
            )
            is_one = len(own) == 1 and not is_sized
            ones = [row.name for row in own if is_one] + self.by_name.of_same_name(found.layer)
            ones += [inside[-1].name] if self.by_name.is_end(group.label) else []
            return min((found, *map(Match, ones)), key=lambda match: evidence.wrong(group, match))
        whole = self.by_name.block_called(group.label) if key not in self.by_name.plain else None
        if found is not None and whole is not None:  # a convolution and its pool: what both store is counted too
            return min(found, Match(whole, is_block=True), key=lambda match: evidence.wrong(group, match))
        return found

    def _names_norm(self, label: str) -> bool:
        """Whether it is a sum of which a normalisation is a part: conv1 + bn1."""
        parts = self.by_name.parts_of_sum(label)
        return any(self.rows[at].op.family == "normalisation" for part in parts[1:] for at in part)

    def _of_parts(self, parts: Sequence[Match], group: Group, evidence: Evidence) -> Match:
        """The parts of a block that a row may be about: all together, or one of which all is right."""
        for match in (self.by_name.together(parts), *parts):
            if not evidence.wrong(group, match):
                return match
        return could_be_any(group.label, [part.layer for part in parts])

    def _of_patches(self, group: Group, label: Label, evidence: Evidence) -> Match | None:
        """The first layer that multiplies, alone or with its normalisation, or with all that is before the blocks."""
        at = next((index for index, row in enumerate(self.rows) if row.multiplications), None)
        if at is None or kind_cost(label.kinds, self.rows[at]) is None:
            return None
        end = at + 1
        while end < len(self.rows) and not self.rows[end].multiplications and "/" not in self.names[end]:
            end += 1
        with_norm = end > at + 1 and self.rows[at + 1].op.family == "normalisation"
        ends = [at + 1] * with_norm + [end - 1] * (end > at + 1)
        matches = [self.layers[at], *(self.by_name.of_range(at, last) for last in ends)]
        return min(matches, key=lambda match: evidence.wrong(group, match))

    def _of_several(self, several: Listed, group: Group, evidence: Evidence) -> Match | None:
        """The layers of a list by their numbers among their kind, or the only ones in a row of which all is right."""
        numbers, count = several.numbers(), several.length()
        if not count or not several.is_of_layers():
            return None
        kinds = read_label(several.names[0]).kinds if several.is_of_one_kind() else ()
        layers = [at for at, row in enumerate(self.rows) if row.op.kind in kinds or (row.multiplications and not kinds)]
        runs = [layers[start : start + count] for start in range(len(layers) - count + 1)]
        if numbers and numbers[-1] <= len(layers):
            runs.insert(0, [layers[number - 1] for number in numbers])
        lists = [self.by_name.of_list(run) for run in runs]
        ends = range(3)  # with a normalisation and an activation after the last
        lists += [
            self.by_name.of_range(run[0], run[-1] + end)
            for run in runs
            for end in ends
            if run[-1] + end < len(self.rows)
        ]
        right = [match for match in lists if not evidence.wrong(group, match)]
        firsts = {self.by_name.inside(match.layer)[0].name if match.is_block else match.layer for match in right}
        if right and (numbers or len(firsts) == 1):
            return right[0]
        if not several.is_spelt:
            return None
        shown = line(group.label[:40])
        return Match(note=say("{shown!r} are several layers; write their names as the network has them", shown=shown))

    def _has_kind(self, found: Match, kinds: tuple[str, ...]) -> bool:
        """Whether what has a name is of a kind that its row gives."""
        if found.is_block:
            kind = next((block.kind for block in self.all_blocks if block.name == found.layer), "")
            return kind in kinds
        return found.layer == TOTAL or kind_cost(kinds, self.rows[self.index[found.layer]]) is not None

    def _is_settled(self, table: Table) -> bool:
        """Whether the names decide: every row has that of a layer of its own, and most cells are right by them."""
        named = [match for match in table.named if match is not None]
        if len({match.layer for match in named}) < len(table.groups):
            return False
        numbered = sum(label.number is not None for label in table.labels)
        if 2 * numbered <= len(named) or len(named) < 2:
            return True
        cells = sum(len(group.cells) for group in table.groups)
        mistakes = sum(map(table.evidence.wrong, table.groups, named))
        if len(named) < 3:
            return mistakes < cells
        return not mistakes or (2 * mistakes <= cells and table.numbering is Numbering.BY_KIND)
