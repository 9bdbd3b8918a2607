"""Which layer a row of a table is about: by its name, and by an alignment of all rows with the layers.

Where every row has the very name of a layer, that decides. Else the rows are aligned with the layers in their order,
at the least cost; names, kinds, numbers and what stands in the cells are the evidence. Where two layers explain a row
equally well and their values differ, the row is not judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple, Protocol

from archcalc.core.language import say
from archcalc.core.suggest import nearest
from archcalc.core.words import line
from archcalc.ops import OPS
from archcalc.passes.analysis import Analysis, Row
from archcalc.teach.check.alignment import MOST_PAIRS, align
from archcalc.teach.check.labels import Label, plain_label, read_label, squeezed
from archcalc.teach.check.model import TOTAL, Answer, Group, Match

#: Families that keep shapes and have few or no parameters: tables have a row for them or have not.
_MINOR = ("activation", "regularisation", "normalisation", "shape", "input")
#: Ops of these families do not stand for one another.
_DISTINCT = ("merge", "parameter", "shape", "normalisation")
_MAIN = ("convolution", "pooling", "dense")
_WEIGHTED = ("convolution", "dense")
#: What speaks against a pair, from a number that does not fit to a cell that is wrong.
_OTHER_WORD, _NUMBER, _RELATED, _UNKNOWN, _WRONG, _SIZE, _NAMED, _REPEATED = 5, 20, 50, 40, 60, 80, 130, 40
#: A row that stands for no layer, for one of no importance, and a layer that is left out between two others.
_UNMATCHED, _MINOR_UNMATCHED, _LEFT_OUT, _MINOR_LEFT_OUT = 400, 200, 20, 1
_MOST_NAMED = 6
#: How many names are compared with those of rows that stand for no layer; after these no name is suggested.
MOST_COMPARED = 5_000
#: How alike a label and a name are where one is a typo of the other.
_TYPO = 0.8


class Evidence(Protocol):
    """What the cells of a row say of what it is about."""

    def wrong(self, group: Group, match: Match) -> int:
        """How many answers of a row are wrong where it is about this."""

    def wrong_by_layer(self, group: Group) -> Sequence[int]:
        """The same for each layer of the network."""

    def alike(self, group: Group, one: Match, other: Match) -> bool:
        """Whether all answers of a row have the same right values for two layers."""


def rows_of(answers: Sequence[Answer]) -> list[Group]:
    """The answers by rows: those about one layer, as long as no quantity comes again."""
    groups: list[tuple[str, int | None, list[int]]] = []
    seen: set[str] = set()
    for index, answer in enumerate(answers):
        row = answer.place.row if answer.place else None
        if not groups or groups[-1][:2] != (answer.layer, row) or answer.quantity in seen:
            groups.append((answer.layer, row, []))
            seen = set()
        groups[-1][2].append(index)
        seen.add(answer.quantity)
    return [Group(label, tuple(cells)) for label, _, cells in groups]


class Numbering(Enum):
    """How the rows of a table are numbered."""

    #: Conv 1, conv 2, pool 1.
    BY_KIND = auto()
    #: Through the layers with weights: CONV1, POOL1, CONV2, FC3.
    WEIGHTED = auto()
    #: Through all rows: C1, S2, C3, or Conv2d-1, ReLU-2.
    ALL = auto()


class _Place(NamedTuple):
    """The numbers of a layer: among its kind and its family, and among all that people count (0: not counted)."""

    of_kind: set[int]
    main: int
    weighted: int


class _Table(NamedTuple):
    """The rows of a table that are about layers: what they say, and the layers of these very names."""

    groups: Sequence[Group]
    labels: Sequence[Label]
    named: Sequence[Match | None]
    numbering: Numbering
    evidence: Evidence


class Matcher:
    """The names of a network, prepared once."""

    def __init__(self, analysis: Analysis) -> None:
        self.rows = analysis.rows
        self.names = [row.name for row in analysis.rows]
        self.index = {name: index for index, name in enumerate(self.names)}
        self.plain = _unique((squeezed(name), name) for name in self.names)
        self.lasts = _unique((squeezed(name.rpartition("/")[2]), name) for name in self.names)
        #: The last layer of each block.
        self.blocks = {
            name[:at]: index for index, name in enumerate(self.names) for at in range(len(name)) if name[at] == "/"
        }
        self.squeezed = [squeezed(name) for name in self.names]
        self.plain_blocks = _unique((squeezed(block), block) for block in self.blocks)
        self.kinds = {row.op.kind for row in self.rows}
        #: How many names have been compared with unknown ones.
        self._compared = 0
        self._by_kinds: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        self.numbers = [read_label(name.rpartition("/")[2]).numbers for name in self.names]
        self.places = list(_places(self.rows))
        self.left_out = [
            _MINOR_LEFT_OUT if row.op.family in _MINOR or row.op.in_place else _LEFT_OUT for row in self.rows
        ]

    def match(self, groups: Sequence[Group], evidence: Evidence) -> list[Match]:
        """What each row is about."""
        read = _as_in_notes([read_label(group.label) for group in groups])
        labels = _renumbered(read, self.rows)
        found = [self._named(group, label, evidence) for group, label in zip(groups, read, strict=True)]
        rows = [index for index, match in enumerate(found) if match is None or match.layer != TOTAL]
        table = _Table(
            [groups[index] for index in rows],
            [labels[index] for index in rows],
            [found[index] for index in rows],
            _numbering(read),
            evidence,
        )
        if rows and not self._is_settled(table) and len(rows) * len(self.rows) <= MOST_PAIRS:
            for index, match in zip(rows, self._aligned(table), strict=True):
                found[index] = match
        return [match or self._unknown(group.label) for match, group in zip(found, groups, strict=True)]

    # --- by name

    def _named(self, group: Group, label: Label, evidence: Evidence) -> Match | None:
        """The layer, block or total of this very name."""
        if label.is_window:
            return None
        found = self._by_name(group.label) or self._by_head(group.label)
        if found is None and label.is_total:
            return Match(TOTAL)
        if found is not None and found.is_block:
            # A block with one layer that multiplies is that layer to many: its convolution without batch norm.
            own = [row for row in self.rows if row.name.startswith(f"{found.layer}/") and row.multiplications]
            one = Match(own[0].name) if len(own) == 1 else found
            return min((found, one), key=lambda match: evidence.wrong(group, match))
        return found

    def _by_name(self, label: str) -> Match | None:
        name = label.strip(" *`")
        if name in self.index:
            return Match(name)
        key = squeezed(name)
        if key == TOTAL:
            return Match(TOTAL)
        if key in self.plain:
            return Match(self.plain[key])
        block = name if name in self.blocks else self.plain_blocks.get(key)
        if block is not None:
            return self._of_block(block)
        return Match(self.lasts[key]) if key in self.lasts else None

    def _by_head(self, label: str) -> Match | None:
        """The name before what describes the layer: CONV1: 96 11x11 filters at stride 4."""
        for mark in (":", ",", "(", " - ", "–", "—", "+"):
            head, found, _ = label.partition(mark)
            if found and (match := self._by_name(head)):
                return match
        return None

    def _of_block(self, block: str) -> Match:
        """A block with one layer that has weights is that layer to the reader: conv and relu."""
        inside = [row for row in self.rows if row.name.startswith(f"{block}/")]
        weighted = [row for row in inside if row.params]
        if len(weighted) == 1 and weighted[0].output_shape == inside[-1].output_shape:
            return Match(weighted[0].name)
        return Match(block, is_block=True)

    def _is_settled(self, table: _Table) -> bool:
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

    # --- by alignment

    def _aligned(self, table: _Table) -> list[Match | None]:
        repeated = Counter(label.key for label in table.labels)
        pairs = [
            self._pairs(table, row, _REPEATED if repeated[label.key] > 1 or _is_minor(label) else _NAMED)
            for row, label in enumerate(table.labels)
        ]
        unmatched = [self._unmatched(label) for label in table.labels]
        found = align(pairs, unmatched, self.left_out)
        by_name = sum(
            _WRONG * table.evidence.wrong(group, match) if match else cost
            for group, match, cost in zip(table.groups, table.named, unmatched, strict=True)
        )
        if by_name <= found.cost:
            return [match or self._nothing(label) for match, label in zip(table.named, table.labels, strict=True)]
        return [
            self._chosen(table, row, *choice) for row, choice in enumerate(zip(found.layers, found.equal, strict=True))
        ]

    def _chosen(self, table: _Table, row: int, layer: int | None, equal: Sequence[int]) -> Match | None:
        """What a row is about by the alignment; nothing where layers with other values explain it as well."""
        group, label, named = table.groups[row], table.labels[row], table.named[row]
        if layer is None:
            return self._nothing(label)
        if named is not None and self._place(named) == layer:
            return named
        match = Match(self.names[layer])
        has_number = bool(label.numbers) and self._number_cost(label, layer, table.numbering) < _NUMBER
        if named is None and not label.kinds and not has_number and table.evidence.wrong(group, match):
            return None  # the order alone says too little of a name that means nothing
        if all(table.evidence.alike(group, match, Match(self.names[other])) for other in equal):
            is_plain = label.kinds and self._number_cost(label, layer, table.numbering) < _NUMBER
            return match if is_plain else match._replace(note=say("matched by the order of the rows"))
        if not label.kinds:
            return None
        shown = ", ".join(self.names[other] for other in equal[:_MOST_NAMED]) + (
            ", …" if len(equal) > _MOST_NAMED else ""
        )
        return Match(
            note=say(
                "{label!r} could be any of {shown}; write the name of the layer",
                label=line(group.label[:40]),
                shown=shown,
            )
        )

    def _pairs(self, table: _Table, row: int, binding: int) -> Mapping[int, int]:
        """What it costs that a row stands for each of the layers that it can stand for."""
        group, label, named = table.groups[row], table.labels[row], table.named[row]
        own = self._place(named)
        if own is None and not label.kinds and get_close_matches(plain_label(group.label), self.names, 1, _TYPO):
            return {}  # a typo in a name, which is asked about
        wrong = table.evidence.wrong_by_layer(group)
        if named is not None and named.is_block:
            binding = _REPEATED
        found = {}
        for index, unlike in self._of_kinds(label.kinds):
            # The network itself may call such a layer so: conv1 is a transposed convolution.
            is_called_so = own is not None and self.rows[index].op.kind == self.rows[own].op.kind
            number = self._number_cost(label, index, table.numbering)
            found[index] = self._size_cost(label, index) + number + _WRONG * wrong[index]
            found[index] += 0 if is_called_so else unlike
            if own is not None:
                found[index] += self._binding(label, index, own, binding, table.numbering)
        if named is not None and own is not None:
            found[own] = _WRONG * table.evidence.wrong(group, named)
        return found

    def _binding(self, label: Label, index: int, own: int, binding: int, numbering: Numbering) -> int:
        """What it costs that a row with the name of a layer stands for another one: less where its number fits that."""
        if numbering is Numbering.WEIGHTED and label.numbers and self._number_cost(label, index, numbering) == 0:
            return 0  # FC3 is fc3, or the dense layer after two convolutions
        is_place = label.number in self.places[index].of_kind and label.number not in self.places[own].of_kind
        return min(binding, _REPEATED) if is_place else binding  # CONV2 is conv2, or the second convolution

    def _place(self, named: Match | None) -> int | None:
        """The index of a layer, of a block that of its last layer."""
        if named is None:
            return None
        return self.blocks[named.layer] if named.is_block else self.index[named.layer]

    def _of_kinds(self, kinds: tuple[str, ...]) -> list[tuple[int, int]]:
        """The layers that a row may stand for whose label means these kinds, and how unlike they are."""
        if kinds not in self._by_kinds:
            costs = [_kind_cost(kinds, row) for row in self.rows]
            self._by_kinds[kinds] = [(index, cost) for index, cost in enumerate(costs) if cost is not None]
        return self._by_kinds[kinds]

    def _size_cost(self, label: Label, index: int) -> int:
        """Whether the sizes of a label fit, or that it is the last of its kind."""
        row, cost = self.rows[index], 0
        if label.kernel and getattr(row.op, "kernel_size", None) not in (None, (label.kernel, label.kernel)):
            cost += _SIZE
        if label.filters and row.output_shape[0] != label.filters:
            cost += _SIZE
        if label.is_last and any(later.op.kind == row.op.kind for later in self.rows[index + 1 :]):
            cost += _SIZE
        return cost

    def _number_cost(self, label: Label, index: int, numbering: Numbering) -> int:
        """Whether the numbers of a label fit: its place among those of its kind, or those of the layer's own name."""
        if not label.numbers:
            return 0
        own = self.numbers[index]
        if own[:1] == label.numbers and len(own) > 1:
            return 0  # conv3 for any of conv3_1, conv3_2, …
        if numbering is not Numbering.ALL and label.number is not None:
            place = self.places[index]
            if label.number in (place.of_kind if label.kinds else (place.main, place.weighted)):
                return 0
            if numbering is Numbering.WEIGHTED and label.number == place.weighted:
                return 0
        return _OTHER_WORD if own == label.numbers else _NUMBER

    def _unmatched(self, label: Label) -> int:
        """What a row costs that stands for no layer: little where the network has no such layer, as for flatten."""
        if _is_minor(label):
            return _MINOR_UNMATCHED if self.kinds & set(label.kinds) else 0
        return _UNMATCHED

    def _nothing(self, label: Label) -> Match | None:
        """Why a row stands for no layer."""
        if not label.kinds or self.kinds & set(label.kinds):
            return None
        return Match(
            note=say("the network has no {noun} layer", noun=say(OPS[label.kinds[0]].noun)), is_idle=_is_minor(label)
        )

    def _unknown(self, label: str) -> Match:
        shown = line(label[:40])
        plain = plain_label(label)
        key = squeezed(plain)
        stage = [name for name, other in zip(self.names, self.squeezed, strict=True) if other.startswith(key)]
        if len(stage) > 1 and len(key) > 1:
            names = ", ".join(stage[:4]) + (", …" if len(stage) > 4 else "")
            return Match(note=say("{shown!r} could be any of {names}", shown=shown, names=names))
        known = [*self.names, *self.blocks]
        self._compared += len(known)
        close = nearest(plain, known) if self._compared <= MOST_COMPARED else []
        hint = say("; did you mean {close}?", close=say(" or ").join(close)) if close else ""
        return Match(note=say("the network has no layer {shown!r}{hint}", shown=shown, hint=hint))


def _kind_cost(kinds: tuple[str, ...], row: Row) -> int | None:
    """How unlike a layer is the kinds of a label; None where they cannot be the same."""
    kind, family = row.op.kind, row.op.family
    if not kinds:
        if family == "input":
            return _UNKNOWN + _RELATED
        return None if family in _MINOR else _UNKNOWN
    families = _families(kinds)
    if kind in kinds:
        return 0
    if family not in _DISTINCT and family in families:
        return _RELATED
    if {family, *families} <= {"convolution", "dense"}:
        return 2 * _RELATED
    if "softmax" in kinds and family == "dense":
        return _RELATED  # the classifier before it, where a table has one row for both
    return None


def _as_in_notes(labels: list[Label]) -> list[Label]:
    """Of POOL2 next to CONV3-64 the number is that of the window."""
    if not any(label.kernel for label in labels):
        return labels
    return [
        label._replace(numbers=(), is_window=True)
        if label.number is not None and label.kinds and all(OPS[kind].family == "pooling" for kind in label.kinds)
        else label
        for label in labels
    ]


def _renumbered(labels: list[Label], rows: Sequence[Row]) -> list[Label]:
    """Numbers that run on from elsewhere say no more than the order does: conv2d, conv2d_1, …, or conv2d_14."""
    found = list(labels)
    by_kind: dict[tuple[str, ...], list[int]] = {}
    for index, label in enumerate(labels):
        if label.kinds and len(label.numbers) <= 1:
            by_kind.setdefault(label.kinds, []).append(index)
    for kinds, indices in by_kind.items():
        numbers = [labels[index].number or 0 for index in indices]
        runs = all(second == first + 1 for first, second in pairwise(numbers))
        is_from_zero = numbers[0] == 0 and len(numbers) > 1
        if runs and (is_from_zero or numbers[-1] > sum(row.op.kind in kinds for row in rows)):
            for index in indices:
                found[index] = labels[index]._replace(numbers=())
    return found


def _is_minor(label: Label) -> bool:
    """Whether a label means a layer that tables have a row for or have not."""
    return bool(label.kinds) and all(OPS[kind].family in _MINOR for kind in label.kinds)


def _numbering(labels: Sequence[Label]) -> Numbering:
    """How the rows are numbered."""
    numbered = [label for label in labels if label.number is not None]
    weighted = [label for label in numbered if _families(label.kinds) & set(_WEIGHTED)]
    if _is_rising(numbered) and len(weighted) < len(numbered):
        return Numbering.ALL
    return Numbering.WEIGHTED if _is_rising(weighted) else Numbering.BY_KIND


def _is_rising(labels: Sequence[Label]) -> bool:
    """Whether one numbering runs through labels of several kinds."""
    kinds = {label.kinds for label in labels}
    rising = all((one.number or 0) < (other.number or 0) for one, other in pairwise(labels))
    return len(kinds) > 1 and len(labels) > 2 and rising


def _families(kinds: Iterable[str]) -> set[str]:
    return {OPS[kind].family for kind in kinds}


def _places(rows: Sequence[Row]) -> Iterator[_Place]:
    counts: Counter[str] = Counter()
    for row in rows:
        is_main, is_weighted = row.op.family in _MAIN, bool(row.multiplications)
        counts.update({row.op.kind, row.op.family})
        counts.update({"main": is_main, "weighted": is_weighted})
        of_kind = {counts[row.op.kind], counts[row.op.family]}
        yield _Place(of_kind, counts["main"] * is_main, counts["weighted"] * is_weighted)


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Keys that belong to one name only."""
    found = list(pairs)
    counts = Counter(key for key, _ in found)
    return {key: name for key, name in found if counts[key] == 1 and key}
