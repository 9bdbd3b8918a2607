"""A network as one chain of layers with ways past it: shortcuts, copies, gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from archcalc.ops.merge import Add, Concat, Multiply
from archcalc.passes.analysis import Row
from archcalc.render.diagrams.text import clean
from archcalc.render.diagrams.wiring import FOLLOWERS, Wiring

#: What passes by a chain: a map unchanged, one that is projected to another width or size, one that is copied to a
#: concatenation, one that scales channels (squeeze and excitation).
ArcKind = Literal["identity", "projection", "copy", "gate"]


class Unsuited(Exception):  # noqa: N818 - a reason, which the caller puts into an error
    """Why a network has no figure of a style."""


class Stop(NamedTuple):
    """A layer of the chain with those after it that only change its values, and those of its gate.

    `rows` are indices, the main one first.
    """

    main: Row
    rows: tuple[int, ...]
    name: str
    #: Whether squeeze and excitation scales its channels, and whether an activation follows.
    gated: bool = False
    activated: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.main.output_shape

    @property
    def size(self) -> tuple[int, ...]:
        """Its positions; none where it is a vector."""
        return self.main.output_shape[1:]


class Arc(NamedTuple):
    """A way past the chain: from the map that stop `source` gives to the one that stop `target` gives."""

    source: int
    target: int
    kind: ArcKind
    #: The layers on it.
    rows: tuple[int, ...] = ()


class Trunk(NamedTuple):
    """A chain of layers, the input first, and the ways past it."""

    stops: tuple[Stop, ...]
    arcs: tuple[Arc, ...]
    layers: tuple[Row, ...]

    def others(self, stop: Stop) -> list[Row]:
        """The layers of a stop without the main one."""
        return [self.layers[row] for row in stop.rows[1:]]

    def on(self, arc: Arc) -> list[Row]:
        """The layers of a way past the chain."""
        return [self.layers[row] for row in arc.rows]


def trunk_of(wiring: Wiring) -> Trunk:
    """The chain of a network. Raises `Unsuited` where a layer stands neither in it nor on a short way past it."""
    return _Finder(wiring).trunk()


class _Finder:
    def __init__(self, wiring: Wiring) -> None:
        self.wiring, self.rows, self.inputs = wiring, wiring.rows, wiring.inputs
        self.depths = self._depths()

    def _depths(self) -> list[int]:
        """How many layers that multiply lie on the longest way from an input to each layer."""
        depths: list[int] = []
        for index, sources in enumerate(self.inputs):
            before = max((depths[source] for source in sources), default=0)
            depths.append(before + (self.rows[index].op.family in ("convolution", "dense", "attention", "recurrent")))
        return depths

    def trunk(self) -> Trunk:
        network = self.wiring.analysis.graph.name
        if len(self.wiring.outputs) > 1:
            raise Unsuited(f"{network} has {len(self.wiring.outputs)} outputs")
        entries = [row for row in self.rows if row.op.family == "input"]
        if len(entries) != 1:
            raise Unsuited(f"{network} has {len(entries)} inputs")
        place = max(self.wiring.outputs)
        chain = [place]
        ways: list[tuple[int, int, list[int], ArcKind]] = []
        while self.inputs[place]:
            main, others = self._main(place)
            ways += [(place, *other) for other in others]
            place = main
            chain.append(place)
        chain.reverse()
        position = {row: index for index, row in enumerate(chain)}
        for target, source, _, _ in ways:
            if source not in position:
                raise Unsuited(f"{network} has branches side by side at {self.rows[target].name}")
        held = set(chain).union(*(way for _, _, way, _ in ways))
        lost = [row.name for index, row in enumerate(self.rows) if index not in held]
        if lost:
            raise Unsuited(f"{lost[0]} of {network} stands next to the chain of layers")
        stops, stop_of = self._stops(chain)
        arcs: set[Arc] = set()
        for target, source, way, kind in ways:
            start, end = stop_of[source], stop_of[target]
            if kind != "gate" and start < end:
                arcs.add(Arc(start, end, kind, tuple(way)))
                continue
            stop = stops[start]
            stops[start] = stop._replace(rows=(*stop.rows, *way), gated=stop.gated or kind == "gate")
        return Trunk(tuple(stops), tuple(sorted(arcs)), tuple(self.rows))

    def _main(self, place: int) -> tuple[int, list[tuple[int, list[int], ArcKind]]]:
        """The input by which the chain goes on, and of the others where they leave it, their layers and kind."""
        sources = self.inputs[place]
        if len(sources) == 1:
            return sources[0], []
        op = self.rows[place].op
        if isinstance(op, Multiply) and len(sources) == 2:
            for main, gate in (sources, sources[::-1]):
                way = self._way(gate, main)
                if way is not None:
                    return main, [(main, way, "gate")]
        if not isinstance(op, Add | Concat):
            raise Unsuited(f"{self.rows[place].name} of {self.wiring.analysis.graph.name} reads {len(sources)} maps")
        main = max(sources, key=lambda source: (self.depths[source], source))
        others: list[tuple[int, list[int], ArcKind]] = []
        for source in sources:
            if source == main:
                continue
            way = self._bypass(source, place)
            weighted = any(self.rows[member].params for member in way)
            kind: ArcKind = "copy" if isinstance(op, Concat) else "projection" if way else "identity"
            start = self.inputs[way[-1]][0] if way else source
            if kind == "copy" and (weighted or any(self.rows[member].op.family != "shape" for member in way)):
                raise Unsuited(
                    f"{self.wiring.analysis.graph.name} has branches side by side at {self.rows[place].name}"
                )
            others.append((start, way, kind))
        return main, others

    def _way(self, end: int, start: int) -> list[int] | None:
        """The layers from `start` (left out) to `end`, each reading one map; None where there is no such way."""
        way = []
        while end != start:
            way.append(end)
            if len(self.inputs[end]) != 1 or end < start:
                return None
            end = self.inputs[end][0]
        return way

    def _bypass(self, source: int, target: int) -> list[int]:
        """The layers of a shortcut, the last first: those that nothing else reads, with at most one that multiplies."""
        kinds = self.wiring.edge_kinds
        way: list[int] = []
        after = target
        while True:
            shortcut = kinds.get((source, after)) == "projection" or self.rows[source].op.family == "shape"
            alone = len(self.inputs[source]) == 1 and self.wiring.consumers[source] == [after]
            if not (shortcut and alone):
                return way
            way.append(source)
            after, source = source, self.inputs[source][0]
            if kinds.get((source, after)) != "projection" and self.rows[source].op.family != "shape":
                return way

    def _stops(self, chain: Sequence[int]) -> tuple[list[Stop], dict[int, int]]:
        """The chain cut into layers with their followers, and which stop holds a row."""
        groups: list[list[int]] = []
        for index in chain:
            row = self.rows[index]
            before = self.rows[self.inputs[index][0]].output_shape if self.inputs[index] else ()
            follows = row.op.family in FOLLOWERS or row.op.family == "merge"
            same = row.op.family == "shape" and _count(row.output_shape) == _count(before)
            if groups and (follows or same) and not row.is_weighted:
                groups[-1].append(index)
            else:
                groups.append([index])
        stops = [
            Stop(self.rows[group[0]], tuple(group), self._name(group),
                 activated=any(self.rows[index].op.family == "activation" for index in group[1:]))
            for group in groups
        ]  # fmt: skip
        return stops, {row: number for number, group in enumerate(groups) for row in group}

    def _name(self, group: Sequence[int]) -> str:
        """The name of a layer; a block that holds nothing else gives it its own."""
        path = self.wiring.paths[group[0]]
        names = [self.wiring.paths[row] for row in group]
        while len(path) > 1 and self.wiring.sizes[path[:-1]] <= sum(n[: len(path) - 1] == path[:-1] for n in names):
            path = path[:-1]
        return clean("/".join(path))


def _count(shape: Sequence[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
