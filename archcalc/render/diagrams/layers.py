"""A level without a structure of chains and branches, in layers: lines have right angles and run between boxes.

Every map that skips layers gets a place in each of them, so that no line runs through a box. Graphviz chooses the order
in each layer and the places across; between layers each line has a track of its own.

Source: Sugiyama, Tagawa & Toda 1981, "Methods for visual understanding of hierarchical system structures".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil

from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.section import SAME, STEP, Block, Link, Stroke
from archcalc.render.diagrams.segments import LEAD
from archcalc.render.diagrams.tracks import Wire, turns_of
from archcalc.render.dot import Graph

#: Graphviz measures nodes in inches; between neighbours of a layer, and the space of a line that passes by.
POINTS, APART, PASSING = 72, 16.0, 4.0
#: A line that steps to the side by less than this is straightened, as long as neighbours stay so far apart.
KINK, NEAREST = 14.0, 6.0

#: A place in a layer: an item, a map that enters or leaves, or one that passes by.
Place = tuple[str, int]
#: Two places of neighbouring layers, and the map that goes from one to the other.
Step = tuple[Place, Place, str]


def in_layers(items: Sequence[Block], links: Sequence[Link], order: Mapping[str, int]) -> Block:
    """The items in layers, the maps as lines with right angles between the middles of their sides."""
    return _Layers(items, links, order).block()


class _Layers:
    """A level: which layer each item is in, and what passes by."""

    def __init__(self, items: Sequence[Block], links: Sequence[Link], order: Mapping[str, int]) -> None:
        self.items, self.links = items, links
        self.entering = sorted({link.name for link in links if link.source is None}, key=lambda name: order[name])
        self.leaving = sorted({link.name for link in links if link.target is None}, key=lambda name: order[name])
        self.rank = self._ranks()
        self.layers: list[list[Place]] = [[] for _ in range(max(self.rank.values()) + 1)]
        for place, rank in self.rank.items():
            self.layers[rank].append(place)
        #: The places that each link passes, its ends included; links of one map share them.
        self.ways = self._ways()
        self.spots = self._spots()
        self._straighten()

    def ends(self, link: Link) -> tuple[Place, Place]:
        """Where a link starts and ends."""
        start = ("i", self.entering.index(link.name)) if link.source is None else ("n", link.source)
        end = ("o", self.leaving.index(link.name)) if link.target is None else ("n", link.target)
        return start, end

    def _ranks(self) -> dict[Place, int]:
        """Each item one layer after the last one that it reads; what is read late and reads little stands near."""
        import networkx

        graph: networkx.DiGraph[Place] = networkx.DiGraph()
        graph.add_nodes_from([("i", number) for number in range(len(self.entering))])
        graph.add_nodes_from([("n", number) for number in range(len(self.items))])
        graph.add_edges_from(self.ends(link) for link in self.links)
        ordered = list(networkx.lexicographical_topological_sort(graph))
        first = 1 if self.entering else 0
        rank: dict[Place, int] = {}
        for place in ordered:
            start = 0 if place[0] == "i" else first
            rank[place] = max((rank[before] + 1 for before in graph.predecessors(place)), default=start)
        for place in reversed(ordered):
            readers = [rank[after] for after in graph.successors(place)]
            if place[0] == "n" and readers and len(readers) > graph.in_degree(place):
                rank[place] = min(readers) - 1
        if self.leaving:
            last = max(max(rank[place] for place in ordered if place[0] != "o") + 1, first)
            rank.update(dict.fromkeys([("o", number) for number in range(len(self.leaving))], last))
        return rank

    def _ways(self) -> list[list[Place]]:
        passing: dict[tuple[object, ...], Place] = {}
        ways = []
        for link in self.links:
            start, end = self.ends(link)
            way = [start]
            for rank in range(self.rank[start] + 1, self.rank[end]):
                key = (start, link.name, link.edge.kind, rank)
                if key not in passing:
                    passing[key] = ("p", len(passing))
                    self.rank[passing[key]] = rank
                    self.layers[rank].append(passing[key])
                way.append(passing[key])
            ways.append([*way, end])
        return ways

    def _spots(self) -> dict[Place, float]:
        """The place of everything across its layer, by Graphviz."""
        graph = Graph({"nodesep": str(APART / POINTS), "ranksep": "0.3", "splines": "false"}, {"height": "0.1"})
        for layer in self.layers:
            for place in layer:
                graph.node(_name(place), width=f"{self._width(place) / POINTS:.6f}")
            if layer:
                graph.same_rank(_name(place) for place in layer)
        for letter, names in (("i", self.entering), ("o", self.leaving)):
            # Maps come in the order in which they left the segment before.
            for number in range(1, len(names)):
                graph.edge(f"{letter}{number - 1}", f"{letter}{number}", style="invis", weight="0")
        for link, way in zip(self.links, self.ways, strict=True):
            short = link.edge.kind in ("identity", "projection")
            for before, after in pairwise(way):
                weight = "1" if short else "8" if after[0] == before[0] == "p" else "4"
                graph.edge(_name(before), _name(after), weight=weight)
        return {(name[0], int(name[1:])): x for name, (x, _) in graph.places().items()}

    def _straighten(self) -> None:
        """Places moved to the side by a little where that makes more lines straight."""
        at: dict[Place, list[tuple[Place, Place, float]]] = {place: [] for place in self.spots}
        for link, way in zip(self.links, self.ways, strict=True):
            for before, after in pairwise(way):
                apart = self._port(after, link.name, False) - self._port(before, link.name, True)
                at[before].append((before, after, apart))
                at[after].append((before, after, apart))
        neighbours: dict[Place, list[tuple[Place, Place]]] = {place: [] for place in self.spots}
        for layer in self.layers:
            for pair in pairwise(sorted(layer, key=self.spots.__getitem__)):
                for place in pair:
                    neighbours[place].append(pair)
        moved = dict.fromkeys(self.spots, 0.0)

        def offset(step: tuple[Place, Place, float]) -> float:
            return step[2] + moved[step[1]] - moved[step[0]]

        def joined_to(place: Place) -> set[Place]:
            """The places that straight lines join to one, itself included."""
            group, queue = {place}, [place]
            while queue:
                for step in at[queue.pop()]:
                    found = {*step[:2]} - group if abs(offset(step)) < SAME else set()
                    group |= found
                    queue += found
            return group

        def kinks(group: set[Place]) -> int:
            return sum(SAME <= abs(offset(step)) < KINK for place in group for step in at[place])

        def fits(group: set[Place]) -> bool:
            """Whether these places keep their distance from their neighbours."""
            return all(
                self.spots[b] + moved[b] - self.spots[a] - moved[a] >= (self._width(a) + self._width(b)) / 2 + NEAREST
                for place in group
                for a, b in neighbours[place]
            )

        for step in [step for steps in at.values() for step in steps]:
            if not SAME <= abs(offset(step)) < KINK:
                continue
            for place, sign in ((step[1], -1), (step[0], 1)):
                group, shift = joined_to(place), sign * offset(step)
                count = kinks(group)
                moved |= {member: moved[member] + shift for member in group}
                if kinks(group) < count and fits(group):
                    break
                moved |= {member: moved[member] - shift for member in group}
        self.spots = {place: spot + moved[place] for place, spot in self.spots.items()}

    def _width(self, place: Place) -> int:
        """The space across, a whole even number: places are whole numbers then, and straight lines stay straight."""
        if place[0] != "n":
            return 2 * ceil(PASSING / 2)
        item = self.items[place[1]]
        return 2 * ceil(max(item.left, item.right))

    def _port(self, place: Place, name: str, exits: bool) -> float:
        """Where a map leaves or enters, across."""
        if place[0] != "n":
            return self.spots[place]
        item = self.items[place[1]]
        return self.spots[place] + (item.exits if exits else item.entries).get(name, 0.0)

    def block(self) -> Block:
        """Everything with positions."""
        axis = self.spots["i", len(self.entering) - 1] if self.entering else self.spots[self.layers[0][0]]
        wires: list[dict[Step, Wire]] = [{} for _ in self.layers]
        for link, way in zip(self.links, self.ways, strict=True):
            for before, after in pairwise(way):
                start, end = self._port(before, link.name, True), self._port(after, link.name, False)
                wires[self.rank[before]][before, after, link.name] = Wire((way[0], link.name), (after, end), start, end)
        blocks: list[Block] = []
        turns: dict[Step, float] = {}
        ends: dict[Place, tuple[float, float]] = {}
        along = 0.0
        for rank, layer in enumerate(self.layers):
            inside = [(place, self.items[place[1]]) for place in layer if place[0] == "n"]
            length = max((item.length for _, item in inside), default=0.0)
            for place, item in inside:
                start = along + (length - item.length) / 2
                ends[place] = (start, start + item.length)
                blocks.append(item.moved(start, self.spots[place] - axis))
            ends.update({place: (along, along + length) for place in layer if place[0] != "n"})
            along += length
            found, height = turns_of(list(wires[rank].values()))
            turns.update(zip(wires[rank], (along + turn for turn in found), strict=True))
            if rank + 1 < len(self.layers):
                along += height or (STEP if rank else LEAD)
        strokes = [self._stroke(link, way, ends, turns, axis) for link, way in zip(self.links, self.ways, strict=True)]
        halves = [(self.spots[place], self._width(place) / 2) for layer in self.layers for place in layer]
        return Block(
            along,
            axis - min(spot - half for spot, half in halves),
            max(spot + half for spot, half in halves) - axis,
            tuple(node for block in blocks for node in block.nodes),
            tuple(area for block in blocks for area in block.areas),
            (*(stroke for block in blocks for stroke in block.strokes), *strokes),
            {name: self.spots["i", number] - axis for number, name in enumerate(self.entering)},
            {name: self.spots["o", number] - axis for number, name in enumerate(self.leaving)},
        )

    def _stroke(
        self,
        link: Link,
        way: Sequence[Place],
        ends: Mapping[Place, tuple[float, float]],
        turns: Mapping[Step, float],
        axis: float,
    ) -> Stroke:
        """The line of a map from place to place; that to a frame ends there, and goes on inside."""
        points: list[Point] = [(ends[way[0]][1], self._port(way[0], link.name, True) - axis)]
        for before, after in pairwise(way):
            goal = self._port(after, link.name, False) - axis
            if abs(goal - points[-1][1]) >= SAME:
                turn = turns[before, after, link.name]
                points += [(turn, points[-1][1]), (turn, goal)]
            points.append((ends[after][0], points[-1][1]))
        real = link.target is not None and not self.items[link.target].areas
        edge = link.edge if real else link.edge._replace(target="")
        return Stroke(edge, tuple(points), link.target is not None)


def _name(place: Place) -> str:
    return f"{place[0]}{place[1]}"
