"""Layers and blocks by the very names that rows have, and what to say of a name that is unknown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from itertools import chain

from archcalc.core.language import say
from archcalc.core.suggest import perhaps
from archcalc.core.words import line
from archcalc.passes.analysis import Row
from archcalc.teach.check.blocks import stages_of
from archcalc.teach.check.frameworks import layer_of, modules_of_frameworks, names_of_frameworks
from archcalc.teach.check.labels import Label, described, is_weightless, plain_label, read_label, squeezed
from archcalc.teach.check.listed import listed
from archcalc.teach.check.model import NAMELESS, TOTAL, Match
from archcalc.teach.check.vocabulary import words

#: How many names are compared with those of rows that stand for no layer; after these no name is suggested.
MOST_COMPARED = 5_000
#: Marks between a block and what is in it.
_INNER = (" - ", "–", "—")
#: What a name of a block may have and lack: Fire module 9, Inception block (3a), encoder layer 1.
_BLOCK_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(words('block') | {'layer'}))})\b")


_MOST_NAMED, _MOST_ADDED = 6, 16
#: What follows the name of a block, and words for its output.
_APART = re.compile(r"[\s/._-]+")
_ENDS = words("block end")


class Names:
    """The names of a network's layers and blocks."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.names = [row.name for row in rows]
        self.index = {name: index for index, name in enumerate(self.names)}
        self.plain = _unique((squeezed(name), name) for name in self.names)
        again, firsts = _used_again(rows)
        tails = ((tail, name) for name in self.names for tail in _tails(name) if "/" in tail or name not in again)
        #: The layers by the ends of their names: fc and tower1/fc of net/tower1/fc, tower/fc where the block is shared.
        self.lasts = _unique((squeezed(tail), name) for tail, name in (*tails, *firsts))
        #: The last layer of each block.
        self.blocks = {
            name[:at]: index for index, name in enumerate(self.names) for at in range(len(name)) if name[at] == "/"
        }
        self.stages = stages_of(rows)
        self.blocks |= {name: stage[-1] for name, stage in self.stages.items()}
        #: The layers that a row lists, by the name of their row; found in tables.
        self.lists: dict[str, list[int]] = {}
        self.of_frameworks = names_of_frameworks(rows)
        #: The layers in each module of a framework: features.2 of features.2.conv.0.
        self.in_modules: dict[str, list[int]] = {}
        for name, at in self.of_frameworks.items():
            for dot in (place for place, character in enumerate(name) if character == "."):
                self.in_modules.setdefault(name[:dot], []).append(at)
        #: What torchvision calls blocks: layer1.
        self.modules = modules_of_frameworks(rows)
        #: The stages by shorter names, which may mean a layer too: conv2 of conv2_x.
        short = {name[:-2]: name for name in self.blocks if name.endswith("_x") and name not in self.stages}
        self.short = {key: name for key, name in short.items() if key not in self.index}
        self._known = [*self.names, *self.blocks]
        self.squeezed = [squeezed(name) for name in self.names]
        self.squeezed_ends = [squeezed(name.rpartition("/")[2]) for name in self.names]
        self.plain_blocks = _unique((squeezed(block), block) for block in self.blocks)
        #: How many names have been compared with unknown ones.
        self._compared = 0

    def find(self, label: str, is_block: bool = False) -> Match | None:
        """The layer, block or total that a row names, also before what describes it: CONV1: 96 11x11 filters."""
        if name := described(label):
            return self.find(name)
        if found := self.find_whole(label):
            return found
        if len(parts := self.parts_of_block(label)) == 1:
            return parts[0]
        for mark in (":", ",", "(", " - ", "–", "—", "+"):
            head, has_mark, rest = label.partition(mark)
            if mark == "+" and not all(map(is_weightless, rest.split(mark))):
                continue  # a sum with what has no name here
            if has_mark and (found := self._by_name(head)):
                return self._in_block(found.layer, rest.split(mark)) if found.is_block and mark in _INNER else found
        block = self.plain_blocks.get(squeezed(_BLOCK_WORDS.sub("", plain_label(label)))) if is_block else None
        return self._of_block(block) if block is not None else None

    def find_whole(self, label: str) -> Match | None:
        """What all of a name means, or each name of a list."""
        return None if described(label) else self._by_name(label) or self._of_sum(label) or self._of_several(label)

    def parts_of_block(self, label: str) -> list[Match]:
        """What the name of a block with more behind it may mean: fire2 squeeze, inception_3a concat, fire2 expand."""
        name = label.strip(" *`")
        for end in [match.start() for match in _APART.finditer(name)][::-1]:
            block = self.plain_blocks.get(squeezed(name[:end]))
            if block is not None:
                rest = plain_label(name[end + 1 :])
                found = [self._by_name(part) for part in self._called_in(block, squeezed(rest))]
                return [part for part in found if part is not None] or [Match(block, is_block=True)] * (rest in _ENDS)
        return []

    def module(self, label: str) -> Match | None:
        """The layers in a module of a framework: features.2.conv.0."""
        inner = self.in_modules.get(label.strip(" *`").lower(), ())
        return self.of_list(sorted({*inner})) if inner else None

    def together(self, parts: Sequence[Match]) -> Match:
        """Several parts of a block as one: both kinds of windows of fire2 expand."""
        indices: list[int] = []
        for part in parts:
            inside = self.inside(part.layer) if part.is_block else [self.rows[self.index[part.layer]]]
            indices += [self.index[row.name] for row in inside]
        return self.of_list(sorted(indices), ", ".join(part.layer for part in parts))

    def _called_in(self, block: str, key: str) -> list[str]:
        """The layers and blocks in a block that have a name, or one that begins so: squeeze of squeeze1x1."""
        exact: dict[str, None] = {}
        begun: dict[str, None] = {}
        for row in self.inside(block):
            parts = row.name.removeprefix(f"{block}/").split("/")
            for at, part in enumerate(parts, 1):
                own = squeezed(part)
                if own.startswith(key):
                    whole = "/".join((block, *parts[:at]))
                    (exact if own == key else begun)[whole] = None
                    break
        return list(exact or begun) if key and not key.isdecimal() else []

    def is_end(self, label: str) -> bool:
        """Whether a row is about the output of a block, or about all of it."""
        return any(plain_label(label).endswith((f" {word}", f"/{word}", f"_{word}")) for word in _ENDS)

    def is_part(self, label: str) -> bool:
        """Whether it is the name of a layer or a block in a block: fire9/squeeze1x1, fire9 squeeze."""
        name = label.strip(" *`")
        is_path = "/" in name and (name in self.index or name in self.blocks)
        return is_path or bool(self.parts_of_block(label))

    def is_exact(self, label: str) -> bool:
        """Whether it is the very name of a layer or a block, apart from case, spaces and hyphens."""
        key = squeezed(label.strip(" *`"))
        return key in self.plain or key in self.plain_blocks

    def _in_block(self, block: str, parts: Sequence[str]) -> Match | None:
        """The block, or what a row names in it: Dense Block 1 - layer 2 - 3x3 conv. None where that is not sure."""
        for at, part in enumerate(parts):
            inner = f"{block}/{part.strip()}"
            if found := self._by_name(inner):
                if not found.is_block:
                    return found
                block = found.layer
                continue
            label = read_label(part)
            if not label.kinds and not label.is_block:
                continue  # what describes it
            of_kind = [row for row in self.inside(block) if row.op.kind in label.kinds]
            sized = [row for row in of_kind if getattr(row.op, "kernel_size", ()) == (label.kernel, label.kernel)]
            fitting = sized if label.kernel else of_kind
            return Match(fitting[0].name) if len(fitting) == 1 and at == len(parts) - 1 else None
        return Match(block, is_block=True)

    def parts_of_sum(self, label: str) -> list[Sequence[int]]:
        """The layers of each part of a sum of names: transition1/norm + ReLU. None where a part is not sure.

        A word for a kind is the next layer of it, after a layer of this name.
        """
        found: list[Sequence[int]] = []
        names = [name.strip() for name in label.strip(" *`").split("+")]
        for name in names if 1 < len(names) <= _MOST_ADDED else ():
            layers = self._part(name)[1] or self._part(".".join(name.split()))[1]
            if not layers and found:
                layers = self._next_of(read_label(name), found)
            if not layers:
                return []
            found.append(layers)
        return found

    def _next_of(self, label: Label, before: Sequence[Sequence[int]]) -> Sequence[int]:
        """The layer of a kind that reads the last of some layers, or is in the block that they are."""
        if not label.kinds or label.numbers[:1] not in ((), (6,)) or label.is_block:  # ReLU6
            return ()
        last = before[-1]
        inner = [at for at in last[1:] if len(last) > 1 and self.rows[at].op.kind in label.kinds]
        if inner:
            return inner[:1]
        after = last[-1] + 1
        is_next = after < len(self.rows) and self.rows[last[-1]].name in self.rows[after].inputs
        return (after,) if is_next and self.rows[after].op.kind in label.kinds else ()

    def _of_sum(self, label: str) -> Match | None:
        parts = self.parts_of_sum(label)
        indices = sorted({*chain.from_iterable(parts)})
        if not parts or len(indices) < max(map(len, parts)):
            return None
        is_weighted = all(self.rows[at].multiplications for at in indices)
        return self.of_list(indices, label.strip(" *`")) if is_weighted else self.of_these(indices)

    def _of_several(self, label: str) -> Match | None:
        """The layers of a list: conv1_1, conv1_2 · conv3–conv5."""
        listing = listed(label)
        if listing is None:
            return None
        found = [self._part(name) for name in listing.names]
        places = [indices for _, indices in found if indices]
        firsts = [indices[0] for indices in places]
        if len(firsts) < len(found) or firsts != sorted(set(firsts)):
            return None
        if listing.is_range:
            return self.of_range(firsts[0], places[-1][-1])
        return self.of_list(sorted({*chain.from_iterable(places)}), ", ".join(name for name, _ in found))

    def _part(self, name: str) -> tuple[str, Sequence[int]]:
        """What a part of a list names, a layer or a block, and its layers."""
        key = squeezed(name)
        if key in self.plain:
            return self.plain[key], (self.index[self.plain[key]],)
        if name in self.index:
            return name, (self.index[name],)
        at = layer_of(name, self.of_frameworks)
        if at is not None:
            return self.names[at], (at,)
        block = self.plain_blocks.get(key, "")
        return block, [self.index[row.name] for row in self.inside(block)] if block else ()

    def of_range(self, first: int, last: int) -> Match:
        """All layers from one to another."""
        return self.of_list(range(first, last + 1), f"{self.names[first]}…{self.names[last]}")

    def of_list(self, indices: Sequence[int], name: str = "") -> Match:
        """Several layers: the stage whose layers they are, or just these."""
        rows = [self.rows[index] for index in indices]
        multiplying = [row.name for row in rows if row.multiplications]
        for stage in self.stages:
            if [row.name for row in self.inside(stage) if row.multiplications] == multiplying:
                return Match(stage, is_block=True)
        return self.of_these(indices, name)

    def of_these(self, indices: Sequence[int], name: str = "") -> Match:
        """Just these layers: the one with weights, or a list with a name of its own."""
        rows = [self.rows[index] for index in indices]
        weighted = [row for row in rows if row.params]
        if len(weighted) == 1 and weighted[0].output_shape == rows[-1].output_shape:
            return Match(weighted[0].name)
        name = name or ", ".join(row.name for row in rows)
        if name in self.stages:
            return Match(name, is_block=True)
        self.lists[name] = list(indices)
        self.blocks[name] = indices[-1]
        return Match(name, is_block=True)

    def norm_after(self, at: int) -> list[int]:
        """The normalisation that reads a layer and is the next."""
        following = self.rows[at + 1 : at + 2]
        is_norm = bool(following) and following[0].op.family == "normalisation"
        return [at + 1] if is_norm and self.names[at] in following[0].inputs else []

    def inside(self, block: str) -> list[Row]:
        """The layers of a block."""
        if block in self.lists:
            return [self.rows[index] for index in self.lists[block]]
        if block in self.stages:
            return [self.rows[index] for index in self.stages[block]]
        return [row for row in self.rows if row.name.startswith(f"{block}/")]

    def of_same_name(self, block: str) -> list[str]:
        """The layers in a block that may have its name: the only one that says no more, and its pool: 5x5/conv."""
        inside = self.inside(block)
        plain = [row.name for row in inside if set(row.name.removeprefix(f"{block}/").split("/")) == {"conv"}]
        pools = [row.name for row in inside if row.op.family == "pooling"] if block.endswith("/pool") else []
        is_one = len(plain) == 1 and sum(bool(row.multiplications) for row in inside) > 1
        return [*(plain if is_one else ()), *pools]

    def unknown(self, label: str) -> Match:
        """What to say of a name that no layer has."""
        if squeezed(label) in self.plain:
            return misplaced(label)
        if label == NAMELESS:
            return Match(note=say("the row has no name, and its place does not say which layer it is about"))
        shown = line(label[:40])
        plain = plain_label(label)
        key = squeezed(plain)
        stage = [name for name, other in zip(self.names, self.squeezed, strict=True) if other.startswith(key)]
        if len(stage) > 1 and len(key) > 1:
            names = ", ".join(stage[:4]) + (", …" if len(stage) > 4 else "")
            return Match(note=say("{shown!r} could be any of {names}", shown=shown, names=names))
        self._compared += len(self._known)
        hint = perhaps(plain, self._known) if self._compared <= MOST_COMPARED else ""
        return Match(note=say("the network has no layer {shown!r}{hint}", shown=shown, hint=hint))

    def place(self, named: Match | None) -> int | None:
        """The index of a layer, of a block that of its last layer."""
        if named is None:
            return None
        return self.blocks[named.layer] if named.is_block else self.index[named.layer]

    def keep(self, known: Container[str]) -> None:
        """Forget all lists but these."""
        for name in [name for name in self.lists if name not in known]:
            del self.lists[name], self.blocks[name]

    def place_of_weights(self, match: Match | None) -> int | None:
        """The index of the layer with weights that a row is about."""
        at = self.index.get(match.layer) if match is not None else None
        return at if at is not None and self.rows[at].params else None

    def _by_name(self, label: str) -> Match | None:
        name = label.strip(" *`")
        if name in self.index:
            return Match(name)
        key = squeezed(name)
        if key == TOTAL:
            return Match(TOTAL)
        if key in self.plain:
            return Match(self.plain[key])
        block = self.block_called(name)
        if block is not None:
            return self._of_block(block)
        return Match(self.lasts[key]) if key in self.lasts else None

    def block_called(self, label: str) -> str | None:
        """The block of this name, also where its name stands for its only layer with weights."""
        name = label.strip(" *`")
        return name if name in self.blocks else self.modules.get(name, self.plain_blocks.get(squeezed(name)))

    def _of_block(self, block: str) -> Match:
        """A block with one layer that has weights is that layer to the reader: conv and relu."""
        inside = self.inside(block)
        weighted = [row for row in inside if row.params]
        if len(weighted) == 1 and weighted[0].output_shape == inside[-1].output_shape:
            return Match(weighted[0].name)
        return Match(block, is_block=True)


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Keys that belong to one name only."""
    found = dict.fromkeys(pairs)
    counts = Counter(key for key, _ in found)
    return {key: name for key, name in found if counts[key] == 1 and key}


def _tails(name: str) -> list[str]:
    """The ends of a name, the last part first: fc, tower1/fc of net/tower1/fc; of a name without blocks itself."""
    parts = name.split("/")
    return ["/".join(parts[at:]) for at in range(len(parts) - 1, min(len(parts) - 1, 1) - 1, -1)]


def _used_again(rows: Sequence[Row]) -> tuple[set[str], list[tuple[str, str]]]:
    """The layers of a block that runs again with the weights of its first use: tower2/fc, like tower1/fc.

    And what those of the first use are called without its number: tower/fc, with the layer.
    """
    by_name = {row.name: row for row in rows}
    uses: dict[str, str] = {}
    for row in rows:
        own, other = row.name.split("/"), (row.weights_of or "").split("/")
        same = 0
        while same < min(len(own), len(other)) - 1 and own[-same - 1] == other[-same - 1]:
            same += 1
        if same:
            uses.setdefault("/".join(own[:-same]), "/".join(other[:-same]))
    again: set[str] = set()
    firsts: dict[tuple[str, str], None] = {}
    for row in rows:
        for at in (place for place, character in enumerate(row.name) if character == "/"):
            block, inner = uses.get(row.name[:at]), row.name[at:]
            first = by_name.get(f"{block}{inner}")
            if block is not None and first is not None and (first.op, first.output_shape) == (row.op, row.output_shape):
                again.add(row.name)
                short = block.rstrip("0123456789")
                firsts |= {(tail + inner, first.name): None for tail in [short, *_tails(short)] if short != block}
    return again, list(firsts)


def could_be_any(label: str, names: Sequence[str]) -> Match:
    """What to say of a row that may be about several layers."""
    shown = ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
    text = say("{label!r} could be any of {shown}; write the name of the layer", label=line(label[:40]), shown=shown)
    return Match(note=text)


def misplaced(label: str) -> Match:
    """What to say of a row whose name and place mean different layers."""
    return Match(
        note=say(
            "{label!r} by its name is another layer than by the order of the rows; write the name of the layer",
            label=line(label[:40]),
        ),
        is_misplaced=True,
    )
