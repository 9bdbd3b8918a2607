"""The blocks of a network that a row may be about: by their words, their numbers and their place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from archcalc.passes.analysis import Row
from archcalc.teach.check.alignment import Span
from archcalc.teach.check.labels import Label, read_label
from archcalc.teach.check.model import Match
from archcalc.teach.check.numbering import is_depthwise


class Block(NamedTuple):
    """A block: its first and its last layer, what it is called, and the numbers that people give it."""

    name: str
    first: int
    last: int
    #: What its name means, as that of a label does: `encoder` of encoder1.
    words: frozenset[str]
    #: The same of the blocks around it and in it.
    near_words: frozenset[str]
    #: Its own, those of its path, its place among its equals; from 0 too, as frameworks count.
    numbers: frozenset[tuple[int, ...]]
    #: The kind of its layer that multiplies, where it has one only: a convolution with its normalisation. Of a stage
    #: that of all its layers that multiply.
    kind: str
    is_stage: bool = False
    #: Its layers that multiply.
    weighted: tuple[int, ...] = ()
    #: The stage that ends the network.
    is_head: bool = False

    def is_as_right(self, wrong: int, by_layer: Sequence[int]) -> bool:
        """Whether no more cells of a row are wrong for one of its layers than for all of it."""
        return min((by_layer[index] for index in self.weighted), default=wrong + 1) <= wrong


#: A convolution of a stage: conv3_2, conv5a.
_OF_STAGE = re.compile(r"(?P<stage>conv[a-z]*(?P<number>\d{1,2}))(?:_\d{1,2}|[a-h])(?:/.*)?")


def stages_of(rows: Sequence[Row]) -> dict[str, range]:
    """The layers that people put together without a block of the network, by a name.

    Where names say so, conv3_x is conv3_1 to pool3; of another chain the layers up to each pool are a stage.
    """
    return (_named_stages([row.name for row in rows]) or _stages_by_pools(rows)) | _head(rows)


def _head(rows: Sequence[Row]) -> dict[str, range]:
    """What a module for the classifier has: the dense layers at the end, or the last convolution and what follows."""
    weighted = [index for index, row in enumerate(rows) if row.multiplications]
    start = len(weighted) - 1
    while start > 0 and {rows[index].op.family for index in weighted[start - 1 :]} == {"dense"}:
        start -= 1
    if start < 1 or weighted[start] == len(rows) - 1:
        return {}
    head = range(weighted[start], len(rows))
    return {f"{rows[head[0]].name}…{rows[-1].name}": head}


def _named_stages(names: Sequence[str]) -> dict[str, range]:
    """A stage ends where the next one begins, the last one with the last layer of its number."""
    found: dict[str, list[int]] = {}
    numbers: list[str] = []
    for index, name in enumerate(names):
        if match := _OF_STAGE.fullmatch(name):
            if (stage := f"{match['stage']}_x") not in found:
                found[stage] = []
                numbers.append(match["number"])
            found[stage].append(index)
    firsts = [indices[0] for indices in found.values()]
    if len(found) < 2 or firsts != sorted(firsts):
        return {}
    stages = {}
    for (stage, indices), number, after in zip(found.items(), numbers, [*firsts[1:], len(names)], strict=True):
        last = indices[-1]
        while last + 1 < after and (after < len(names) or re.fullmatch(rf"[a-z]+{number}(?:_.*)?", names[last + 1])):
            last += 1
        stages[stage] = range(indices[0], last + 1)
    return stages


def _stages_by_pools(rows: Sequence[Row]) -> dict[str, range]:
    """Of a chain without blocks: its convolutions up to each pool."""
    if any("/" in row.name or len(row.inputs) > 1 for row in rows):
        return {}
    found: dict[str, range] = {}
    first: int | None = None
    for index, row in enumerate(rows):
        if row.op.family == "dense":
            break
        first = index if first is None and row.op.family == "convolution" else first
        if row.op.family == "pooling" and first is not None:
            found[f"{rows[first].name}…{row.name}"] = range(first, index + 1)
            first = None
    return found if len(found) > 1 else {}


def blocks_of(rows: Sequence[Row]) -> list[Block]:
    """Every block of a network, an outer one before those in it."""
    found = []
    for number, (name, stage) in enumerate(stages_of(rows).items(), 1):
        weighted = tuple([index for index in stage if rows[index].multiplications])
        kinds = {rows[index].op.kind for index in weighted}
        numbers = frozenset({read_label(name[:-2]).numbers if name.endswith("_x") else (number,)})
        is_head = stage[-1] == len(rows) - 1
        kind = kinds.pop() if len(kinds) == 1 else ""
        found.append(Block(name, stage[0], stage[-1], frozenset(), frozenset(), numbers, kind, True, weighted, is_head))
    return found + _nested_blocks(rows)


def _nested_blocks(rows: Sequence[Row]) -> list[Block]:
    inside: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        for at, character in enumerate(row.name):
            if character == "/":
                inside.setdefault(row.name[:at], []).append(index)
    counts: Counter[tuple[object, ...]] = Counter()
    path: dict[str, tuple[int, ...]] = {}
    words: dict[str, frozenset[str]] = {"": frozenset()}
    found = []
    for name, indices in inside.items():
        parent, _, last = name.rpartition("/")
        label = read_label(last)
        kinds = [rows[index].op.kind for index in indices if rows[index].multiplications]
        own = label.numbers
        path[name] = (*path.get(parent, ()), *own)
        words[name] = words[parent] | label.words
        numbers = {own, path[name], path[name][:3]}
        if len(kinds) > 1:
            depth = name.count("/")
            keys = (("all", depth), ("stem", depth, label.words), ("in", parent))
            counts.update(keys)
            place = counts["in", parent]
            of_parent = {path.get(parent, ())[-1:], *((counts["all", depth - 1],) for _ in range(depth > 0))}
            for key in keys:
                numbers |= {(counts[key],), (counts[key] - 1,)}
            numbers |= {(*one, place - by) for one in of_parent if one for by in (0, 1)}
        kind = kinds[0] if len(kinds) == 1 else ""
        weighted = tuple([index for index in indices if rows[index].multiplications])
        block = Block(
            name, indices[0], indices[-1], label.words, words[parent], frozenset(numbers), kind, False, weighted
        )
        found.append(block)
    inner: dict[str, frozenset[str]] = {}
    for block in reversed(found):
        inner[block.name] = inner.get(block.name, frozenset())
        parent = block.name.rpartition("/")[0]
        inner[parent] = inner.get(parent, frozenset()) | inner[block.name] | block.words
    return [block._replace(near_words=block.near_words | inner[block.name]) for block in found]


def events(count: int, blocks: Sequence[Block]) -> tuple[list[int], list[Span]]:
    """The sequence that rows are aligned with: the layers, and where blocks begin and end.

    For each place the index of its layer or −1, and the places of every target: of the layers, then three of each
    block. Its row may stand for all of its layers, before their rows, or after them.
    """
    starts: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for number, block in enumerate(blocks):
        starts.setdefault(block.first, []).append(number)
        ends.setdefault(block.last, []).insert(0, number)
    sequence: list[int] = []
    at_layer, at_start, at_end = [0] * count, [0] * len(blocks), [0] * len(blocks)
    for index in range(count):
        for number in starts.get(index, ()):
            at_start[number] = len(sequence)
            sequence.append(-1)
        at_layer[index] = len(sequence)
        sequence.append(index)
        for number in ends.get(index, ()):
            at_end[number] = len(sequence)
            sequence.append(-1)
    spans = [(place, place) for place in at_layer]
    for start, end in zip(at_start, at_end, strict=True):
        spans += [(start, end), (start, start), (end, end)]
    return sequence, spans


def unlike(label: Label, block: Block, known: frozenset[str], other_word: int) -> int:
    """How unlike a block is the words of a label; `known` are the words of all blocks of the network."""
    asked = label.words & known
    if not asked or asked & block.words:
        return 0
    return 1 if asked & block.near_words else other_word


def separable(rows: Sequence[Row]) -> Iterator[Match]:
    """Each convolution of all maps of one position that reads a depthwise one, together with that: one row of Keras."""
    for before, row in pairwise(rows):
        is_pointwise = row.op.family == "convolution" and set(getattr(row.op, "kernel_size", ())) == {1}
        if is_pointwise and is_depthwise(before) and list(row.inputs) == [before.name]:
            yield Match(row.name, first=before.name)
