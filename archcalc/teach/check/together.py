"""Rows that name several things at once: [CLS] + positional embedding, LN + MLP, 12 encoder layers, stage 2 total.

Such a row is judged as a whole: it is about the layers that its words may mean and of which all is right. Where its
words can mean one set of layers only, it is about these; else it is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence

from archcalc.core.language import say
from archcalc.core.words import line
from archcalc.teach.check.costs import Evidence
from archcalc.teach.check.labels import read_label
from archcalc.teach.check.meanings import DESCRIBED, NOTHING, Layers, Meaning, Meanings, chains, is_contiguous
from archcalc.teach.check.model import Group, Match
from archcalc.teach.check.names import Names
from archcalc.teach.check.vocabulary import words

_AND = "|".join(re.escape(word) for word in words("and"))
_MARK = re.compile(rf"\s*[+&,;/]\s*(?:(?:{_AND})\s+)?|\s+(?:{_AND})\s+", re.IGNORECASE)
_MOST_PARTS, _LONGEST = 8, 120
#: Families of layers that change neither sizes nor sums.
_LEFT_OUT = ("activation", "regularisation")
_SUMS = ("params", "weights", "multiplications")
#: So many sets of layers are compared with the rows of a table.
_MOST_COMPARED = 4000


class Together:
    """The layers of a network that rows name together."""

    def __init__(self, meanings: Meanings, by_name: Names) -> None:
        self.meanings, self.by_name, self.rows = meanings, by_name, by_name.rows

    def joined(self, groups: Sequence[Group], evidence: Evidence) -> dict[int, Match]:
        """What rows are about whose names say that they are about several layers."""
        several = {row: found for row, group in enumerate(groups) if (found := self._meaning(group.label)) is not None}
        several = {row: found for row, found in several.items() if found.is_several}
        chosen = self._right(groups, several, evidence)
        for row, meaning in several.items():
            if row not in chosen and meaning.is_sure:
                chosen[row] = self._match(meaning.sets[0])
            elif row not in chosen and not meaning.is_open:
                shown = line(groups[row].label[:40])
                note = say("{shown!r} are several layers; write their names as the network has them", shown=shown)
                chosen[row] = Match(note=note)
        return chosen

    def left(
        self, groups: Sequence[Group], found: Sequence[Match | None], without: Container[int], evidence: Evidence
    ) -> list[Match | None]:
        """The matches; a row that no layer has is about the layers that its name may mean and of which all is right."""
        rows = [
            row
            for row, (group, match) in enumerate(zip(groups, found, strict=True))
            if row not in without and (match is None or not match.is_idle) and self._is_open(group, match, evidence)
        ]
        perhaps = {row: own for row in rows if (own := self._meaning(groups[row].label)) is not None}
        right = self._right(groups, perhaps, evidence)
        return [right.get(row, match) for row, match in enumerate(found)]

    def _is_open(self, group: Group, match: Match | None, evidence: Evidence) -> bool:
        """Whether a row is about no layer yet, or about a wrong one by a number that may say how many there are."""
        if match is None or not match.layer:
            return True
        may_count = group.label[:1].isdecimal() and not evidence.asked(group).isdisjoint(_SUMS)
        return may_count and evidence.wrong(group, match) > 0

    def _right(self, groups: Sequence[Group], meanings: Mapping[int, Meaning], evidence: Evidence) -> dict[int, Match]:
        """The first layers of which all is right; of rows that are equally called each is about others."""
        chosen: dict[int, Match] = {}
        taken: set[Layers] = set()
        compared = 0
        for row, meaning in meanings.items():
            right: list[Layers] = []
            for layers in meaning.sets:
                compared += 1
                if compared > _MOST_COMPARED:
                    return chosen
                if layers and not evidence.wrong(groups[row], self._match(layers)):
                    right.append(layers)
                    if layers not in taken:
                        break
            if right:
                chosen[row] = self._match(right[-1])
                taken.add(right[-1])
        return chosen

    def _match(self, layers: Layers) -> Match:
        if is_contiguous(layers) and len(layers) > 1:
            return self.by_name.of_these(layers, f"{self.rows[layers[0]].name}…{self.rows[layers[-1]].name}")
        return self.by_name.of_these(layers)

    def _meaning(self, label: str) -> Meaning | None:
        """What a name means that joins several, says how many there are, or may be several."""
        if len(label) > _LONGEST or self.by_name.find_whole(label) is not None:
            return None
        read = read_label(label)
        found = self._joined(label) or self.meanings.of(label)
        said = DESCRIBED.fullmatch(label.strip(" *`"))
        if said is not None and (found is None or found is NOTHING or not found.is_sure):
            inner = self._joined(said["inside"] or said["after"])
            if inner is not None:
                others = found.sets if found is not None else ()
                found = Meaning(
                    (*inner.sets, *others),
                    is_several=found is not None and found.is_several,
                    is_open=found is not None and found.is_open,
                )
        is_open = read.is_block or self.meanings.costs.kinds.isdisjoint(read.kinds)
        if found is None or not (found.is_several or is_open):
            return None
        return found._replace(is_several=found.is_several and (found.is_sure or not read.is_total))

    def _joined(self, label: str) -> Meaning | None:
        """The sets that take something of each part."""
        whole = _MARK.split(label.strip(" *`"))
        parts = [part.strip(" *`()[]") for part in whole]
        is_whole = all(part.count("(") == part.count(")") for part in whole)
        if not 2 <= len(parts) <= _MOST_PARTS or not all(parts) or not is_whole:
            return None
        own = [self.meanings.of(part) or self.meanings.of(f"{part} {_noun(parts[-1])}") for part in parts]
        said = [meaning for meaning in own if meaning is not None and not self._is_nothing(meaning)]
        if len(said) < 2 or None in own:
            return None
        sets = list(dict.fromkeys(self._sets(said)))
        is_sure = len(sets) == 1 and all(meaning.is_sure for meaning in said)
        return Meaning(sets, is_sure, is_several=True)

    def _is_nothing(self, meaning: Meaning) -> bool:
        """Whether a part adds nothing: Conv+ReLU is the convolution."""
        rows = [self.rows[index] for layers in meaning.sets for index in layers]
        return all(row.op.family in _LEFT_OUT and not row.params for row in rows)

    def _sets(self, parts: Sequence[Meaning]) -> Iterator[Layers]:
        chosen = [part.sets for part in parts]
        yield from chains(chosen)
        wanted = [{index for one in sets for index in one} for sets in chosen]
        for inside in self.meanings.inside:  # a unit with its shortcut
            if all(not of_part.isdisjoint(inside) for of_part in wanted):
                yield inside


def _noun(text: str) -> str:
    """The last word: embeddings of token + position embeddings."""
    last = text.rpartition(" ")[2]
    return last if read_label(last).kinds else ""
