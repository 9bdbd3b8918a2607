"""A spec with blocks of a network whose names have none in them, as those that Keras makes: conv2d_14.

Where names begin with those of blocks (`conv2_block1_1_conv`), they say what belongs together. Where they only count,
equal parts are found: a network is cut where a single map is alive, which is before and after every residual unit, and
before every convolution of a chain. The layers get other names then, of which a note says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.structured import write_noted
from archcalc.ops.base import Pointwise
from archcalc.passes.analysis import analyse
from archcalc.spec.write import settings_of

#: A part of fewer layers is written out where it is.
_FEWEST = 3
#: So many different parts in a row may be a block together.
_LONGEST_PERIOD = 6
#: Where names say their blocks, those that are made for equal parts are taken only if the spec is so much shorter.
_WORSE = 1.5
#: So many layers that follow each of several equal parts go into them.
_MOST_FOLLOWING = 4
#: The end of a block's name within that of a layer.
_BLOCK = re.compile(r"(\d|\d[a-z](?=_[a-z]))_(?=.)")
_COUNT = re.compile(r"(?<=.)_?\d+(?=_|$)")


def write_regrouped(graph: LayerGraph) -> tuple[str, tuple[str, ...]]:
    """The shortest spec of a network with the names that it has, or with others; and what to say of it."""
    best, notes = write_noted(graph)
    worse = 1.0
    if 2 * sum("/" in layer.name for layer in graph.layers) > len(graph.layers):
        return best, notes
    for names in (_by_names(graph), _by_parts(graph)):
        if names:
            layers = tuple([layer._replace(name=names.get(layer.name, layer.name)) for layer in graph.layers])
            text, found = write_noted(replace(graph, layers=layers, recipe=None))
            if worse * text.count("\n") < best.count("\n"):
                first = next(layer.name for layer in graph.layers if layer.name in names)
                renamed = f"layers of blocks have the names of these blocks: {first} is {names[first]}"
                best, notes, worse = text, (renamed, *found), _WORSE
    return best, notes


def _by_names(graph: LayerGraph) -> dict[str, str]:
    """Other names for the layers whose names say their blocks; what would be a block and a layer is a layer."""
    layers = {layer.name for layer in graph.layers}
    paths = {_BLOCK.sub(r"\1/", name) for name in layers} | layers
    found = {}
    for name in layers:
        path, *parts = _BLOCK.sub(r"\1/", name).split("/")
        for part in parts:
            path += f"_{part}" if path in paths else f"/{part}"
        if path != name:
            found[name] = path
    return found if len({found.get(name, name) for name in layers}) == len(layers) else {}


def _by_parts(graph: LayerGraph) -> dict[str, str]:
    """Other names for the layers of equal parts: block1/conv2d."""
    parts = _Parts(graph).found()
    names: dict[str, str] = {}
    taken = {layer.name for layer in graph.layers}
    scopes = (f"block{number}" for number in range(1, len(taken) + len(parts) + 1))
    free = (scope for scope in scopes if scope not in taken)
    for part in parts:
        scope, counts = next(free), Counter[str]()
        for index in part:
            name = graph.layers[index].name
            leaf = _COUNT.sub("", name)
            counts[leaf] += 1
            names[name] = f"{scope}/{leaf}" if counts[leaf] == 1 else f"{scope}/{leaf}_{counts[leaf]}"
    return names


class _Parts:
    """Equal parts of a network, each a run of layers."""

    def __init__(self, graph: LayerGraph) -> None:
        self.layers = graph.layers
        self.outputs = {output.layer for output in graph.outputs}
        self.weighted = [row.is_weighted for row in analyse(graph).rows]
        self._labels: dict[range, int] = {}
        self._known: dict[Hashable, int] = {}

    def found(self) -> list[range]:
        """The parts that are there more than once, in order."""
        parts = self._periods(self._with_what_follows(list(self._chains(self._segments()))))
        counts = Counter(self._label(part) for part in parts if len(part) >= _FEWEST)
        return [part for part in parts if counts[self._label(part)] > 1]

    # --- cuts

    def _segments(self) -> list[range]:
        """The runs between the layers after which nothing else is alive than what they give."""
        first = sum(layer.op.kind == "input" for layer in self.layers)
        whole = self._cut(range(first, len(self.layers)))
        if max(map(len, whole), default=0) * 2 <= len(self.layers):
            return whole
        # The skips of a U hold it together.
        return [part for segment in whole for part in self._cut(segment, with_concat=False)]

    def _cut(self, run: range, *, with_concat: bool = True) -> list[range]:
        """The run cut, as if a concat read only the layer before it if it is said so."""
        last: dict[int, int] = {}
        for index in run:
            for source in self.layers[index].inputs:
                if with_concat or self.layers[index].op.kind != "concat" or index - source == 1:
                    last[source] = index
        found, start = [], run.start
        alive = max((last[source] for source in last if source < start), default=start)
        for index in run:
            if alive <= index:
                found.append(range(start, index + 1))
                start = index + 1
            alive = max(alive, last.get(index, index))
        return found if start == run.stop else [*found, range(start, run.stop)]

    def _chains(self, segments: Sequence[range]) -> Iterator[range]:
        """The segments, with single layers up to the next one with weights, or the next pool, as one."""
        start = None
        for segment in segments:
            index = segment.start
            goes_on = len(segment) == 1 and not self.weighted[index] and self._is_light(index)
            if start is not None and not goes_on:
                yield range(start, segment.start)
                start = None
            if len(segment) == 1 and self.weighted[index]:
                start = index
            elif start is None:
                yield segment
        if start is not None:
            yield range(start, segments[-1].stop)

    def _is_light(self, index: int) -> bool:
        """Whether a layer belongs to the one before it: a normalisation or an activation."""
        op = self.layers[index].op
        return isinstance(op, Pointwise) or op.family == "norm"

    def _with_what_follows(self, parts: list[range]) -> list[range]:
        """The parts; a single layer that follows each of several equal ones, as a ReLU after a sum, is in them."""
        for _ in range(_MOST_FOLLOWING):
            after: dict[int, set[int | None]] = {}
            for part, following in zip(parts, [*parts[1:], range(0)], strict=True):
                if len(part) >= _FEWEST:
                    is_single = len(following) == 1 and self._is_light(following.start)
                    after.setdefault(self._label(part), set()).add(self._label(following) if is_single else None)
            grown: list[range] = []
            for part in parts:
                before = grown[-1] if grown else range(0)
                is_last = self._label(part) in after.get(self._label(before), ()) if len(part) == 1 else False
                if len(before) >= _FEWEST and is_last and len(after[self._label(before)]) == 1:
                    grown[-1] = range(before.start, part.stop)
                else:
                    grown.append(part)
            parts = grown
        return parts

    # --- what is equal

    def _label(self, part: range) -> int:
        """A number that two parts have in common that are equal but for their numbers."""
        if part not in self._labels:
            self._labels[part] = self._known.setdefault(self._skeleton(part), len(self._known))
        return self._labels[part]

    def _skeleton(self, part: range) -> Hashable:
        entries: dict[int, int] = {}
        found = []
        for index in part:
            layer = self.layers[index]
            reads = tuple(
                [source - part.start if source in part else -1 - entries.setdefault(source, len(entries))
                 for source in layer.inputs]
            )  # fmt: skip
            fixed = {name: value for name, value in settings_of(layer.op).items() if not _is_number(value)}
            found.append((layer.op.kind, _COUNT.sub("", layer.name), reads, repr(sorted(fixed.items()))))
        return tuple(found)

    def _periods(self, parts: list[range]) -> list[range]:
        """The parts, with those that come in the same order again and again as one: attention and feed-forward."""
        labels = [self._label(part) for part in parts]
        often = Counter(labels)
        found, place, period = [], 0, 0
        while place < len(parts):
            if not period or labels[place : place + period] != labels[place - period : place]:
                sizes = range(1, _LONGEST_PERIOD + 1)
                period = next((size for size in sizes if self._repeats(parts, labels, often, place, size)), 1)
            found.append(range(parts[place].start, parts[place + period - 1].stop))
            place += period
        return found

    def _repeats(
        self, parts: Sequence[range], labels: Sequence[int], often: Mapping[int, int], place: int, size: int
    ) -> bool:
        """Whether so many parts come twice in a row, each of those that may be blocks once, and as often elsewhere."""
        run = parts[place : place + size]
        large = [label for part, label in zip(run, labels[place:], strict=False) if len(part) >= _FEWEST]
        is_even = len(large) == len(set(large)) and len({often[label] for label in large}) <= 1
        is_block = sum(map(len, run)) >= _FEWEST and is_even
        return is_block and labels[place : place + size] == labels[place + size : place + 2 * size]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
