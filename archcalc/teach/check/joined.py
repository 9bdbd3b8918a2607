"""Rows that name several kinds of layers in a row: Conv+BN+ReLU 1, conv1, relu, pool. Each is judged as their sum."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product

from archcalc.teach.check.costs import Costs, Evidence
from archcalc.teach.check.labels import WEIGHTED, Label, read_label, squeezed
from archcalc.teach.check.model import Group, Match
from archcalc.teach.check.names import Names, could_be_any
from archcalc.teach.check.numbering import Numbering, families

_MARK = re.compile(r"\s*(?:[+&/,>→]|->)\s*")
_SPACE = re.compile(r"\s+(?!\d)")
#: Between words that may be one name as well: Conv-BN-ReLU, conv_1_bn_relu.
_HYPHEN = re.compile(r"[-_](?!\d)")
#: A kind, not the sixth of its kind.
_RELU6 = re.compile(r"relu[\s_-]?6", re.IGNORECASE)
#: The kinds in the name of a class: ConvBNReLU 1.
_KIND = (
    r"(?:Conv(?:[123][dD])?|BatchNorm|BN|Norm|LeakyReLU|ReLU6?|PReLU|SiLU|GELU|ELU|MaxPool|AvgPool|Pool|Dropout|Linear)"
)
_GLUED = re.compile(rf"(?P<kinds>{_KIND}{{2,}})[ _]?(?P<number>\d{{0,2}})")
#: A depthwise convolution and the one of 1×1 after it.
_SEPARABLE = re.compile(
    r"(?:(?:depth[\s-]?wise|dw)[\s_-]*)?separable(?:[\s_-]*conv(?:olution)?(?:[12]d)?)?(?:[\s_-]*(?:layer|block))?"
    r"[\s_#-]*(?P<number>\d{0,2})",
    re.IGNORECASE,
)
#: Families that people leave out of such a name.
_LEFT_OUT = ("activation", "regularisation")
_LONGEST = 80
#: The first word of a name and its number.
_BEGIN = re.compile(r"\D*\d+(?:\.\d+)*")
#: So many sets of layers are compared with the rows of a table.
_MOST_COMPARED = 200_000
#: What stands around a name in Markdown.
_MARKS = " *`"


class Joined:
    """The layers of a network that one row may name together."""

    def __init__(self, costs: Costs, by_name: Names) -> None:
        self.costs, self.by_name, self.rows = costs, by_name, by_name.rows

    def matches(self, groups: Sequence[Group], evidence: Evidence) -> dict[int, Match]:
        """What rows with such names are about: by their numbers or their order, as most of them are right."""
        by_kinds: dict[tuple[tuple[str, ...], ...], list[tuple[int, tuple[Label, ...]]]] = {}
        for row, group in enumerate(groups):
            if parts := self._parts(group.label):
                by_kinds.setdefault(tuple(part.kinds for part in parts), []).append((row, parts))
        found: dict[int, Match] = {}
        for rows in by_kinds.values():
            runs = list(self._runs(rows[0][1]))
            if not runs:
                plain = [row for row, _ in rows if _SEPARABLE.fullmatch(groups[row].label.strip(_MARKS))]
                found |= {row: self.by_name.unknown(groups[row].label) for row in plain}
                continue
            ways = list(self._ways(rows, runs))

            def faults(way: Mapping[int, int], whole: Mapping[int, Match]) -> int:
                return sum(evidence.wrong(groups[row], whole[at]) for row, at in way.items())

            wholes = [{at: self.by_name.of_these(run) for at, run in enumerate(each)} for each in self._extents(runs)]
            best, whole = min(product(ways or [{}], wholes), key=lambda chosen: faults(*chosen))
            for row, _ in rows:
                right = [match for match in whole.values() if not evidence.wrong(groups[row], match)]
                if row in best:
                    found[row] = whole[best[row]]
                elif len(right) == 1:
                    found[row] = right[0]
                else:
                    found[row] = could_be_any(groups[row].label, [match.layer for match in right or whole.values()])
        return found

    def _parts(self, label: str) -> tuple[Label, ...]:
        """The kinds that a name joins, of which one has weights; none of any other name.

        Conv+ReLU is no such name: it is about the convolution, as activations change neither sizes nor sums.
        """
        if (
            len(label) > _LONGEST
            or "(" in label
            or self.by_name.find_whole(label) is not None
            or (read_label(label).is_block and not _SEPARABLE.fullmatch(label.strip(_MARKS)))
        ):
            return ()
        plain = label.strip(_MARKS)
        if found := _SEPARABLE.fullmatch(plain):
            return tuple([read_label(f"{kind} conv {found['number']}") for kind in ("depthwise", "pointwise")])
        if found := _GLUED.fullmatch(plain):
            plain = f"{'+'.join(re.findall(_KIND, found['kinds']))} {found['number']}"
        for mark in (_MARK, _SPACE):
            parts = tuple(map(read_label, mark.split(plain)))
            if len(parts) < 2 or not all(part.kinds and not part.is_block for part in parts):
                continue
            own = [families(part.kinds[:1]) for part in parts]
            kinds = set().union(*own)
            is_sum = len(kinds.difference(_LEFT_OUT)) > 1 and "input" not in kinds
            if is_sum and len(kinds) == len(parts) and len(kinds & WEIGHTED) == 1:
                return parts
        return ()

    def in_one_word(self, groups: Sequence[Group], evidence: Evidence) -> dict[int, Match]:
        """What rows are about whose kinds hyphens join, where all is right so: the next such layers by their order.

        Their names may be those of one layer too, as Keras has them, where others begin so: conv1, conv1_bn. What
        comes after the convolution may not be there, or not count.
        """
        found: dict[int, Match] = {}
        after: dict[tuple[Label, ...], int] = {}
        wholes: dict[tuple[Label, ...], list[tuple[int, Match]]] = {}
        begun = Counter(_begin(group.label) for group in groups)
        compared = 0
        for row, group in enumerate(groups):
            parts = self._hyphened(group.label)
            own = self.by_name.find(group.label) if parts else None
            if not parts or (own is not None and not evidence.wrong(group, own)):
                continue
            if parts[0].numbers and begun[_begin(group.label)] > 1:
                continue
            kinds = tuple([part._replace(text="", key="", numbers=()) for part in parts])
            if kinds not in wholes:
                wholes[kinds] = list(self._wholes(parts))
            compared += len(wholes[kinds])
            if compared > _MOST_COMPARED:
                return found
            right = [whole for whole in wholes[kinds] if not evidence.wrong(group, whole[1])]
            if right:
                at, found[row] = min(right, key=partial(self._distance, parts[0], after.get(kinds, 0)))
                after[kinds] = at + 1
        return found

    def _wholes(self, parts: Sequence[Label]) -> Iterator[tuple[int, Match]]:
        """What such parts may mean, with the index of its first layer."""
        for kept in self._kept(parts):
            runs = list(self._runs(kept))
            if len(kept) == 1:
                runs += [[*run, *self.by_name.norm_after(run[0])] for run in runs]
            yield from ((run[0], self.by_name.of_these(run)) for run in runs)

    def _kept(self, parts: Sequence[Label]) -> Iterator[list[Label]]:
        """The parts; without activations; without normalisations; the layer with weights alone."""
        for left_out in ((), _LEFT_OUT, ("normalisation",), ("normalisation", *_LEFT_OUT)):
            yield [part for part in parts if families(part.kinds[:1]).isdisjoint(left_out)]

    def _distance(self, label: Label, first: int, whole: tuple[int, Match]) -> tuple[bool, bool, int]:
        """How far layers are from those of the number of a row, else from the next."""
        at = whole[0]
        return bool(label.numbers and self.costs.number(label, at, Numbering.BY_KIND)), at < first, at

    def _hyphened(self, label: str) -> tuple[Label, ...]:
        """The kinds that hyphens or underscores join, one with weights first."""
        plain = label.strip(_MARKS)
        parts = tuple(map(read_label, _HYPHEN.split(plain))) if len(plain) <= _LONGEST else ()
        own = [families(part.kinds[:1]) for part in parts if part.kinds and not part.is_block]
        is_named = len(own) == len(parts) > 1 and own[0] <= WEIGHTED
        return parts if is_named and all(one <= {"normalisation", "pooling", *_LEFT_OUT} for one in own[1:]) else ()

    def _runs(self, parts: Sequence[Label]) -> Iterator[list[int]]:
        """The layers of these kinds, each of which reads the one before it; what changes no size may lie between."""
        fitting = [set(self.costs.of_very_kinds(part)) for part in parts]
        # A separable convolution may have a normalisation in the middle.
        skipped = (
            (*_LEFT_OUT, "normalisation")
            if len(families(parts[0].kinds) | families(parts[-1].kinds)) == 1
            else _LEFT_OUT
        )
        for first in sorted(fitting[0]):
            run, at = [first], first
            for of_kind in fitting[1:]:
                while at + 1 < len(self.rows) and self.rows[at].name in self.rows[at + 1].inputs:
                    at += 1
                    if at in of_kind:
                        run.append(at)
                        break
                    if self.rows[at].op.family not in skipped and self.rows[at].params:
                        break
            if len(run) == len(parts):
                yield run

    def _extents(self, runs: Sequence[list[int]]) -> Iterator[Sequence[list[int]]]:
        """The runs; and with the normalisations between their layers and after them, where they leave such out."""
        yield runs
        if any(self._between(run) for run in runs):
            yield [[*range(run[0], run[-1] + 1), *self.by_name.norm_after(run[-1])] for run in runs]

    def _between(self, run: Sequence[int]) -> bool:
        return any(self.rows[at].params for at in range(run[0], run[-1]) if at not in run)

    def _ways(
        self, rows: Sequence[tuple[int, tuple[Label, ...]]], runs: Sequence[Sequence[int]]
    ) -> Iterator[dict[int, int]]:
        """The runs that rows may be about, by the numbers of their layers, by their own numbers, by their order."""
        by_layer: dict[int, int] = {}
        by_run: dict[int, int] = {}
        for row, parts in rows:
            weighted = next(at for at, part in enumerate(parts) if families(part.kinds[:1]) <= WEIGHTED)
            if parts[weighted].is_last:
                by_layer[row] = by_run[row] = len(runs) - 1
                continue
            numbered = next((part for part in parts if part.numbers and not _RELU6.fullmatch(part.text)), None)
            if numbered is None:
                continue
            label = parts[weighted]._replace(numbers=numbered.numbers)
            fitting = [
                at for at, run in enumerate(runs) if not self.costs.number(label, run[weighted], Numbering.BY_KIND)
            ]
            if len(fitting) == 1:
                by_layer[row] = fitting[0]
            if numbered.number and numbered.number <= len(runs):
                by_run[row] = numbered.number - 1
        for way in (by_layer, by_run):
            if len(way) == len(rows) == len({*way.values()}):
                yield way
        if len(rows) == len(runs):
            yield {row: at for at, (row, _) in enumerate(rows)}


def _begin(label: str) -> str:
    """The first word of a name with its number: conv1 of conv_1_bn."""
    begin = _BEGIN.match(squeezed(label))
    return begin[0] if begin else ""
