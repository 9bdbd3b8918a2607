"""What it costs that a row of a table stands for a layer or a block: names, kinds, numbers, sizes and cells."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from difflib import get_close_matches
from fractions import Fraction
from typing import NamedTuple, Protocol

from archcalc.passes.analysis import Row
from archcalc.teach.check.blocks import Block, blocks_of, separable, unlike
from archcalc.teach.check.kinds import MINOR, OTHER_KIND, RELATED, UNKNOWN, is_minor, kind_cost
from archcalc.teach.check.labels import Label, is_output, parts_named, plain_label, read_label
from archcalc.teach.check.model import Group, Match
from archcalc.teach.check.names import Names
from archcalc.teach.check.numbering import Numbering, families, has_property, places

#: What speaks against a pair, from a number that does not fit to a cell that is wrong.
_OTHER_WORD, NUMBER, WRONG, _SIZE, NAMED, REPEATED = 5, 20, 60, 80, 130, 40
#: A row that stands for no layer, for one of no importance, and a layer that is left out between two others.
UNMATCHED, _MINOR_UNMATCHED, _LEFT_OUT, _MINOR_LEFT_OUT = 400, 200, 20, 1
#: A row for a module of a framework, whose layers have rows of their own.
_MODULE_UNMATCHED = 90
#: Convolutions with these properties have numbers of their own.
_COUNTED_ALONE = ("depthwise", "pointwise")
#: How alike a label and a name are where one is a typo of the other.
_TYPO = 0.8


class Evidence(Protocol):
    """What the cells of a row say of what it is about."""

    def wrong(self, group: Group, match: Match) -> int:
        """How many answers of a row are wrong where it is about this."""

    def stated(self, group: Group, quantity: str) -> Fraction | None: ...

    def distance(self, match: Match, params: Fraction | None) -> Fraction: ...

    def wrong_by_layer(self, group: Group) -> Sequence[int]:
        """The same for each layer of the network."""

    def wrong_by_block(self, group: Group) -> Sequence[int]:
        """The same for each block of the network, in the order of `Costs.blocks`."""

    def wrong_by_pair(self, group: Group) -> Sequence[int]:
        """The same for each pair of layers that one row may be about, in the order of `Costs.separable`."""

    def asked(self, group: Group) -> set[str]:
        """The quantities that a row has answers for."""

    def alike(self, group: Group, one: Match, other: Match) -> bool:
        """Whether all answers of a row have the same right values for two layers."""


class Table(NamedTuple):
    """The rows of a table that are about layers: what they say, and the layers of these very names."""

    groups: Sequence[Group]
    labels: Sequence[Label]
    named: Sequence[Match | None]
    numbering: Numbering
    evidence: Evidence
    #: Many rows find no place in the order of the network.
    is_shuffled: bool = False
    #: The layers that have the values of other rows are taken.
    is_taken: bool = False
    #: The rows whose names in a framework are those of one layer, whatever its values are.
    held: Container[int] = ()


class Costs:
    """The costs of the layers and blocks of a network, prepared once."""

    def __init__(self, rows: Sequence[Row], by_name: Names) -> None:
        self.rows, self.by_name, self.names = rows, by_name, by_name.names
        self.kinds = {row.op.kind for row in rows}
        self.numbers = [read_label(name.rpartition("/")[2]).numbers for name in self.names]
        self.places = list(places(rows))
        self.blocks: Sequence[Block] = blocks_of(rows)
        self.block_words = frozenset(word for block in self.blocks for word in block.words)
        self.separable = list(separable(rows))
        #: What a row with the name of a block may stand for: all of its layers, before their rows, or after them.
        self._targets = {
            (block.name, True): range(len(rows) + 3 * number, len(rows) + 3 * number + 3)
            for number, block in enumerate(self.blocks)
        }
        self._by_kinds: dict[tuple[tuple[str, ...], str, frozenset[str]], list[tuple[int, int]]] = {}
        #: The parts that the name of each layer says it is of.
        self._parts = [parts_named(re.findall(r"[^\W\d_]+", name.casefold())) for name in self.names]

    def left_out(self, index: int) -> int:
        if index < 0:
            return 0  # where a block begins or ends
        op = self.rows[index].op
        return _MINOR_LEFT_OUT if op.family in MINOR or op.in_place else _LEFT_OUT

    def pairs(self, table: Table, row: int, binding: int) -> Mapping[int, int]:
        """What it costs that a row stands for each of the layers that it can stand for."""
        group, label, named = table.groups[row], table.labels[row], table.named[row]
        own = self.by_name.place(named)
        if own is None and not label.kinds and get_close_matches(plain_label(group.label), self.names, 1, _TYPO):
            return {}  # a typo in a name, which is asked about
        if own is not None and named is not None and (row in table.held or named.layer in self.by_name.lists):
            cost = WRONG * table.evidence.wrong(group, named)
            return dict.fromkeys(self._targets.get(named.key, (own,)), cost)
        wrong = table.evidence.wrong_by_layer(group)
        if named is not None and named.is_block:
            binding = REPEATED
        found: dict[int, int] = {}
        for index, other_kind in self.of_kinds(label):
            # The network itself may call such a layer so: conv1 is a transposed convolution.
            is_called_so = own is not None and self.rows[index].op.kind == self.rows[own].op.kind
            if (label.times > 1 or (other_kind == OTHER_KIND and not is_called_so)) and wrong[index]:
                continue
            number = self.number(label, index, table.numbering)
            found[index] = self._size(label, index) + number + WRONG * wrong[index]
            found[index] += RELATED if label.is_block else 0
            found[index] += 0 if is_called_so else other_kind
            if own is not None:
                found[index] += self._binding(label, index, own, binding, table.numbering)
        if not label.is_block and own is not None and named is not None and not named.is_block:
            found[own] = WRONG * table.evidence.wrong(group, named)
        if self.blocks:
            found |= self._pairs_with_blocks(table, row, named)
        return found

    def _pairs_with_blocks(self, table: Table, row: int, named: Match | None) -> dict[int, int]:
        """What it costs that a row stands for each of the blocks that it can stand for."""
        group, label = table.groups[row], table.labels[row]
        found: dict[int, int] = {}
        wrong: Sequence[int] | None = None
        by_layer = table.evidence.wrong_by_layer(group)
        for number, block in enumerate(self.blocks):
            is_named = named is not None and named.is_block and named.layer == block.name
            first = len(self.rows) + 3 * number
            if is_named:
                cost = 0
            elif label.words and block.kind and not label.words & block.words:
                continue  # a residual block is no convolution with its normalisation
            elif label.parts and not label.parts & self._parts[block.last]:
                continue  # box conv 1 is no block conv1
            elif label.times not in (1, len(block.weighted)) or (block.is_stage and not label.is_of_layers):
                continue
            elif label.kinds:
                is_meant = block.kind in label.kinds or (block.is_head and label.is_output)
                if not is_meant or label.is_window:
                    continue
                # A convolution together with its normalisation.
                cost = _OTHER_WORD + self._size(label, block.last)
                cost += min(self.number(label, at, table.numbering) for at in range(block.first, block.last + 1)
                            if self.rows[at].op.kind == block.kind)  # fmt: skip
                cost += NAMED if named is not None else 0
            else:
                cost = unlike(label, block, self.block_words, RELATED)
                cost += 0 if label.is_block else UNKNOWN
                cost += self.number(label, first, table.numbering)
                cost += REPEATED if named is not None else 0
            wrong = table.evidence.wrong_by_block(group) if wrong is None else wrong
            is_one = block.is_stage and block.kind in label.kinds and label.times == 1
            if is_one and block.is_as_right(wrong[number], by_layer):
                continue  # conv3 is one layer, where the row is as right for one
            found |= dict.fromkeys(range(first, first + 3), cost + WRONG * wrong[number])
        return found

    def _binding(self, label: Label, index: int, own: int, binding: int, numbering: Numbering) -> int:
        """What it costs that a row with the name of a layer stands for another one: less where its number fits that."""
        if numbering is Numbering.WEIGHTED and label.numbers and self.number(label, index, numbering) == 0:
            return 0  # FC3 is fc3, or the dense layer after two convolutions
        is_place = label.number in self.places[index].of_kind and label.number not in self.places[own].of_kind
        return min(binding, REPEATED) if is_place else binding  # CONV2 is conv2, or the second convolution

    def of_kinds(self, label: Label) -> list[tuple[int, int]]:
        """The layers that a row may stand for by the kinds that its label means, and how unlike they are."""
        kinds, narrow = label.kinds, label.narrow
        key = kinds, narrow, label.parts
        if key not in self._by_kinds:
            costs = [kind_cost(kinds, row) for row in self.rows]
            if kinds and not self.kinds & set(kinds) and families(kinds) == {"dense"}:
                # fc6 and fc7 of a classifier that has become convolutions.
                costs = [OTHER_KIND if row.op.family == "convolution" else cost
                         for row, cost in zip(self.rows, costs, strict=True)]  # fmt: skip
            if is_output(kinds):  # what a network gives is no activation inside it
                inner = [row.op.family == "activation" and row.op.kind not in kinds for row in self.rows[:-1]]
                costs[:-1] = [None if out else cost for out, cost in zip(inner, costs[:-1], strict=True)]
            if narrow and (narrow == "depthwise" or any(has_property(narrow, row) for row in self.rows)):
                costs = [0 if has_property(narrow, row) else None for row in self.rows]
            if label.parts:
                costs = [cost if own & label.parts else None for own, cost in zip(self._parts, costs, strict=True)]
            self._by_kinds[key] = [(index, cost) for index, cost in enumerate(costs) if cost is not None]
        return self._by_kinds[key]

    def of_very_kinds(self, label: Label) -> list[int]:
        """The layers of one of the kinds that its label means."""
        return [index for index, other in self.of_kinds(label) if not other]

    def has_size(self, label: Label) -> bool:
        """Whether a layer has the sizes of a label: CONV3-64 of notes, not the convolutions 3 to 64."""
        return bool(label.kernel and label.filters) and any(
            not self._size(label, index) for index in self.of_very_kinds(label)
        )

    def fits(self, label: Label, index: int, numbering: Numbering) -> bool:
        """Whether the numbers and the sizes of a label are those of a layer."""
        return self.number(label, index, numbering) < NUMBER and not self._size(label, index)

    def _size(self, label: Label, index: int) -> int:
        """Whether the sizes of a label fit, or that it is the last of its kind."""
        row, cost = self.rows[index], 0
        if label.kernel and getattr(row.op, "kernel_size", None) not in (None, (label.kernel, label.kernel)):
            cost += _SIZE
        if label.filters and row.output_shape[0] != label.filters:
            cost += _SIZE
        if label.is_last and any(later.op.kind == row.op.kind for later in self.rows[index + 1 :]):
            cost += _SIZE
        return cost

    def number(self, label: Label, index: int, numbering: Numbering) -> int:
        """Whether the numbers of a label fit: its place among those of its kind, or those of the layer's own name."""
        if not label.numbers:
            return 0
        if index >= len(self.rows):
            block = self.blocks[(index - len(self.rows)) // 3]
            return 0 if label.numbers in block.numbers else NUMBER
        own = self.numbers[index]
        if own[:1] == label.numbers and len(own) > 1:
            return 0  # conv3 for any of conv3_1, conv3_2, …
        if numbering is not Numbering.ALL and label.number is not None:
            place = self.places[index]
            of_narrow = place.of_narrow.get(label.narrow, 0)
            own_place = place.of_kind if label.narrow not in _COUNTED_ALONE else {of_narrow}
            own_place = own_place | {of_narrow}
            if label.number in (own_place if label.kinds else (place.main, place.weighted)):
                return 0
            if numbering is Numbering.WEIGHTED and label.number == place.weighted:
                return 0
        return _OTHER_WORD if own == label.numbers else NUMBER

    def unmatched(self, label: Label) -> int:
        """What a row costs that stands for no layer: little where the network has no such layer, as for flatten."""
        if is_minor(label):
            return _MINOR_UNMATCHED if self.kinds & set(label.kinds) else 0
        return _MODULE_UNMATCHED if label.is_module and not label.is_block else UNMATCHED
