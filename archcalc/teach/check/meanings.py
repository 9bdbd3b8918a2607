"""What words may mean in a network: sets of layers. MLP, 12 encoder layers, positional embedding, layers 1-4."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise, product
from typing import NamedTuple

from archcalc.teach.check.blocks import unlike
from archcalc.teach.check.costs import Costs
from archcalc.teach.check.kinds import RELATED
from archcalc.teach.check.labels import Label, plain_label, read_label, squeezed, words_of_block
from archcalc.teach.check.listed import listed
from archcalc.teach.check.model import TOTAL
from archcalc.teach.check.names import Names
from archcalc.teach.check.numbering import Numbering, families
from archcalc.teach.check.vocabulary import words

#: The layers that a name may stand for.
Layers = tuple[int, ...]
#: So many sets of layers are tried for a name.
MOST_SETS = 256
_LONGEST = 80
_SHORTEST_START = 3
_MOST_OF_STEM = 40
#: Families of which a name speaks that adds nothing to sums and changes no sizes: Conv+ReLU.
_NOTHING = {"activation", "regularisation", "shape", "input"}
_INSIDE = {"activation", "regularisation"}
_SUM = "|".join(map(re.escape, words("sum of layers")))
_OF_ALL = re.compile(rf"(?:{_SUM})(?:\s+of|\s+the)*[\s:]+(?P<after>.+)|(?P<before>.+?)[\s,(:–-]+(?:{_SUM})\)?")
#: A sign for times after a number, and before one.
_TIMES, _BY = r"(?:\s*[×*·]\s*|\s*[xх]\s+|[xх]\s*)", r"(?:\s*[(\[,]?\s*[×*·]|(?:\s+|\s*[(\[,]\s*)[xх])\s*"
_COUNTED = (
    re.compile(rf"(?P<count>\d{{1,3}})(?:(?P<times>{_TIMES})|\s*个|\s+)(?P<name>[^\W\d].*|\(.+)"),
    re.compile(rf"(?P<name>[^\W\d].*?)(?P<times>{_BY})(?P<count>\d{{1,3}})[)\]]?"),
    re.compile(
        rf"(?P<name>[^\W\d].*?)[\s,:–([-]+(?P<count>\d{{1,3}})(?P<times>{_TIMES})?\s*(?P<unit>[^\W\d][^\d()]*?)[)\]]?"
    ),
)
#: A name and what describes it.
DESCRIBED = re.compile(r"(?P<name>[^():]*[^():\s])\s*(?:\((?P<inside>[^()]+)\)|:\s*(?P<after>[^()]+))")
#: Before a number of blocks: last 5 blocks.
_WHICH = re.compile(
    rf"^(?:{'|'.join(map(re.escape, words('ordinal 1') | words('last') | words('other')))})\s+(?=\d+\s)"
)
#: After a kind: convolutional part.
_PART = re.compile(rf"\s(?:{'|'.join(map(re.escape, words('part')))})$")
_PLURAL = re.compile(r"[^\W\d_]{3,}s(?![^\W\d_])")


class Meaning(NamedTuple):
    """The sets of layers that words may stand for, the likeliest first."""

    sets: Sequence[Layers]
    #: They can stand for nothing else.
    is_sure: bool = False
    #: They say that there are several layers.
    is_several: bool = False
    #: They may be about one of these too: 5 × conv3-512.
    is_open: bool = False


#: Of what the network has not, or what adds nothing.
NOTHING = Meaning(((),), is_sure=True)


class Meanings:
    """The meanings of words in one network."""

    def __init__(self, costs: Costs, by_name: Names) -> None:
        self.costs, self.by_name, self.rows = costs, by_name, by_name.rows
        self.blocks = [block for block in costs.blocks if not block.is_stage or block.name.endswith("_x")]
        self.inside = [tuple([by_name.index[row.name] for row in by_name.inside(block.name)]) for block in self.blocks]
        self._found: dict[str, Meaning | None] = {}

    def of(self, text: str) -> Meaning | None:
        """What words may mean; None where they mean nothing."""
        plain = _WHICH.sub("", plain_label(text))
        if not plain or len(plain) > _LONGEST:
            return None
        if plain not in self._found:
            self._found[plain] = None  # until it is known
            ways: tuple[Callable[[str], Meaning | None], ...] = (
                self._of_all,
                self._by_name,
                self._counted,
                self._of_range,
                self._described,
                self._by_words,
            )
            self._found[plain] = next((found for way in ways if (found := way(plain)) is not None), None)
        return self._found[plain]

    def _by_name(self, plain: str) -> Meaning | None:
        """The layer or the block of this very name; a word for a kind may mean any of it."""
        match = self.by_name.find_whole(plain)
        if match is None or match.layer == TOTAL:
            return None
        own = self._inside(match.layer) if match.is_block else (self.by_name.index[match.layer],)
        label = read_label(plain)
        others = () if label.numbers or not label.kinds else tuple(self._of_kinds(label))
        return Meaning((own, *others), is_sure=len(others) < 2)

    def _inside(self, block: str) -> Layers:
        return tuple([self.by_name.index[row.name] for row in self.by_name.inside(block)])

    def _of_all(self, plain: str) -> Meaning | None:
        """Stage 2 total, sum of layer1, all encoder blocks."""
        said = _OF_ALL.fullmatch(plain)
        found = self.of(said["after"] or said["before"]) if said else None
        return found._replace(is_several=True) if found is not None and found is not NOTHING else None

    def _of_range(self, plain: str) -> Meaning | None:
        """Layers 1-4, encoder blocks 0–11, layer1 to layer4."""
        several = None if read_label(plain).kernel else listed(plain)
        if several is None or not several.is_range or not several.is_of_one_kind():
            return None
        ends = [self.of(name) for name in several.names]
        first, last = ends
        if first is None or last is None:
            return None
        sets = [
            tuple(range(one[0], other[-1] + 1))
            for one, other in product(first.sets[:16], last.sets[:16])
            if one and other and one[0] < other[0]
        ]
        return Meaning(sets, first.is_sure and last.is_sure, is_several=True) if sets else None

    def _counted(self, plain: str) -> Meaning | None:
        """12 encoder layers, residual block (×3), layer1 (3 blocks), 13 conv layers."""
        for form in _COUNTED:
            said = form.fullmatch(plain)
            if said is None or int(said["count"]) < 2:
                continue
            inner, count, unit = said["name"].strip(" ,:–-"), int(said["count"]), said.groupdict().get("unit", "")
            if unit and not (_is_plural(unit) or words_of_block(unit) is not None):
                continue
            own, label = self._by_name(inner), read_label(inner)
            if own is not None and (block := own.sets[0])[1:]:
                return Meaning((block,), is_several=True)
            if not unit and said["times"] and families(label.kinds[:1]) & {"shape", "pooling"}:
                continue  # upsample x2
            if form is _COUNTED[1] and inner[-1].isdigit():
                continue  # conv 3×3
            sets = list(islice(self._runs(count, inner, unit), MOST_SETS))
            described = self.of(inner) if unit else None
            sets += described.sets if described is not None else ()
            if sets:
                is_several = bool(unit or said["times"]) or _is_plural(inner)
                return Meaning(sets, is_several=is_several, is_open=bool(label.kinds))
        return None

    def _runs(self, count: int, inner: str, unit: str) -> Iterator[Layers]:
        """So many blocks or layers of a kind next to each other."""
        label = read_label(inner)
        if label.kinds and not label.kernel:
            of_kind = self.costs.of_very_kinds(label)
            yield from (tuple(of_kind[at : at + count]) for at in range(len(of_kind) - count + 1))
        asked = (words_of_block(inner) or frozenset()) | (words_of_block(unit) or frozenset())
        is_open = words_of_block(inner) is not None or words_of_block(unit) is not None or inner.startswith("(")
        for family in self._families(asked) if is_open or not label.kinds else ():
            runs = [family[at : at + count] for at in range(len(family) - count + 1)]
            yield from (_joined(run) for run in runs)
            # With what stands between them.
            yield from (tuple(range(run[0][0], run[-1][-1] + 1)) for run in runs)
        if is_open:
            yield from (one for family in self._families(asked) if len(family) >= count for one in family)

    def _families(self, asked: frozenset[str]) -> list[list[Layers]]:
        """The blocks of each depth and each word, the outer ones first, which may be called by these words."""
        found: dict[tuple[int, frozenset[str]], list[Layers]] = {}
        label = Label("", "", words=asked, is_block=True)
        for block, inside in zip(self.blocks, self.inside, strict=True):
            if not unlike(label, block, self.costs.block_words, RELATED):
                found.setdefault((block.name.count("/"), block.words), []).append(inside)
        return [found[key] for key in sorted(found, key=_depth)]

    def _described(self, plain: str) -> Meaning | None:
        """Encoder (768), MLP: 768-3072-768: what is before the description."""
        said = DESCRIBED.fullmatch(plain)
        return self.of(said["name"]) if said is not None else None

    def _by_words(self, plain: str) -> Meaning | None:
        """Blocks and kinds, by their words and numbers; layers of which the name begins so."""
        is_several = _is_plural(plain) or _PART.search(plain) is not None
        plain = _PLURAL.sub(_singular, _PART.sub("", plain)) if is_several else plain
        label = read_label(plain)
        own = words_of_block(plain)
        sets: list[Layers] = []
        if own is not None and (not label.kinds or label.is_block):
            sets += self._of_blocks(label, own, is_several)
        if own and "mlp" in own:
            sets += self._of_dense()
        if squeezed(plain) in words("stem"):
            sets += self._of_stem()
        sets += self._ending(squeezed(plain))
        if label.kinds and not label.is_block:
            of_kinds = list(self._of_kinds(label))
            is_idle = families(label.kinds[:1]) <= _NOTHING and not any(self.rows[at].params for (at,) in of_kinds)
            if is_idle or not (of_kinds or sets):
                return NOTHING
            sets += of_kinds
            if squeezed(plain) in words("embedding"):
                sets, is_several = [*self._of_embeddings(), *sets], True
            if is_several and not label.numbers:
                sets.insert(0, _joined(of_kinds))
        if not sets:
            sets += self._begun(squeezed(plain))
        sets = list(dict.fromkeys(sets))
        return Meaning(sets[:MOST_SETS], len(sets) == 1, is_several) if sets else None

    def _of_stem(self) -> Iterator[Layers]:
        """The first layers, from the first with weights."""
        first = next((index for index, row in enumerate(self.rows) if row.params), 0)
        yield from (tuple(range(first, end)) for end in range(first + 1, min(first + _MOST_OF_STEM, len(self.rows))))

    def _of_embeddings(self) -> Iterator[Layers]:
        """All tables of vectors, also with the normalisation after them."""
        tables = [index for index, row in enumerate(self.rows) if row.op.family == "parameter"]
        if not tables:
            return
        yield tuple(tables)
        norm = next(
            (at for at in range(tables[-1], len(self.rows)) if self.rows[at].op.family == "normalisation"), None
        )
        if norm is not None:
            yield (*tables, norm)

    def _ending(self, key: str) -> Iterator[Layers]:
        """The layers and blocks inside of others that have this very name."""
        for at, name in enumerate(self.by_name.squeezed_ends):
            if name == key:
                yield (at,)
        for block, inside in zip(self.blocks, self.inside, strict=True):
            if squeezed(block.name.rpartition("/")[2]) == key:
                yield inside

    def _of_blocks(self, label: Label, asked: frozenset[str], is_several: bool) -> Iterator[Layers]:
        """The blocks with the number of a label, or each and all of them."""
        if label.numbers:
            for block, inside in zip(self.blocks, self.inside, strict=True):
                is_called_so = not unlike(label._replace(words=asked), block, self.costs.block_words, RELATED)
                if is_called_so and label.numbers in block.numbers:
                    yield inside
            return
        every = self._families(asked)
        together = [layers for family in every for layers in (_joined(family), range(family[0][0], family[-1][-1] + 1))]
        yield from map(tuple, together)
        if not is_several:
            yield from (one for family in every for one in family)

    def _of_kinds(self, label: Label) -> Iterator[Layers]:
        """The layers of the kinds of a label, with its numbers and its sizes."""
        for index in self.costs.of_very_kinds(label):
            if self.costs.fits(label, index, Numbering.BY_KIND):
                yield (index,)

    def _of_dense(self) -> Iterator[Layers]:
        """Dense layers one after another, with their activations."""
        run: list[int] = []
        for index, row in enumerate([*self.rows, None]):
            if row is not None and (row.op.family == "dense" or (run and row.op.family in _INSIDE)):
                run.append(index)
                continue
            while run and self.rows[run[-1]].op.family != "dense":
                run.pop()
            if sum(self.rows[at].op.family == "dense" for at in run) > 1:
                yield tuple(run)
            run = []

    def _begun(self, key: str) -> Iterator[Layers]:
        """Layers with weights, and blocks, whose names begin with a word: pos of position_embedding."""
        if len(key) < _SHORTEST_START or not key.isalpha():
            return
        for at, name in enumerate(self.by_name.squeezed_ends):
            if name.startswith(key) and self.rows[at].params:
                yield (at,)
        for block, inside in zip(self.blocks, self.inside, strict=True):
            if squeezed(block.name.rpartition("/")[2]).startswith(key):
                yield inside


def _depth(key: tuple[int, frozenset[str]]) -> int:
    return key[0]


def _joined(sets: Sequence[Layers]) -> Layers:
    return tuple([index for one in sets for index in one])


def _singular(match: re.Match[str]) -> str:
    one = match[0][:-1]
    return one if words_of_block(one) is not None or read_label(one).kinds else match[0]


def _is_plural(plain: str) -> bool:
    return any(_singular(match) != match[0] for match in _PLURAL.finditer(plain))


def chains(parts: Sequence[Sequence[Layers]]) -> Iterator[Layers]:
    """Sets that take one of each part, without a layer twice: all of a few, else for each of the first the nearest."""
    size = 1
    for part in parts:
        size *= len(part)
    ways: Iterator[Sequence[Layers]] = iter(product(*parts)) if size <= MOST_SETS else _nearest(parts)
    for way in ways:
        together = _joined(way)
        if len(set(together)) == len(together):
            yield tuple(sorted(together))


def _nearest(parts: Sequence[Sequence[Layers]]) -> Iterator[Sequence[Layers]]:
    for first in parts[0]:
        way = [first]
        for part in parts[1:]:
            taken = set(_joined(way))
            free = [one for one in part if taken.isdisjoint(one)]
            if not free:
                break
            way.append(min(free, key=lambda one: _distance(way[-1], one)))
        if len(way) == len(parts):
            yield way


def _distance(one: Layers, other: Layers) -> int:
    if not one or not other:
        return 0
    return other[0] - one[-1] if other[0] > one[-1] else 2 * abs(one[0] - other[-1])


def is_contiguous(layers: Layers) -> bool:
    """Whether no layer lies between them that is none of them."""
    return all(after == before + 1 for before, after in pairwise(layers))
