"""One level of a segment taken apart into chains and branches: nearly every one is series-parallel between its skips.

A chain runs straight down its axis. Branches stand next to each other in the order of the spec, centred between their
split and their merge. A map that skips layers runs in a lane at the side. All lines have right angles, and leave and
enter boxes in the middle.

Source of the decomposition: Valdes, Tarjan & Lawler 1982, "The recognition of series parallel digraphs".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, NamedTuple

from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.section import BETWEEN, FORK, LANE, MERGE, SAME, STEP, Block, Link, Stroke
from archcalc.render.diagrams.segments import LEAD
from archcalc.render.diagrams.tracks import Wire, turns_of

#: How far in front of a frame a skip turns towards it.
BACK = 8.0
#: Between the places at which two maps fork.
APART = 4.0

if TYPE_CHECKING:
    import networkx


class NotSeriesParallel(Exception):  # noqa: N818 - a result rather than an error: the caller then uses another layout for the segment
    """The segment has no such structure."""


class Place(NamedTuple):
    """Where an item stands in a chain: from and to along, its axis across."""

    start: float
    end: float
    across: float


class _Part(NamedTuple):
    """A laid-out chain, and where each of its items stands."""

    block: Block
    places: Mapping[int, Place]


class _Taken(NamedTuple):
    """What takes space: from and to along, from and to across; a lane may be crossed, a part may not."""

    start: float
    end: float
    left: float
    right: float
    lane: bool


class _Line:
    """A chain as it is laid out: its items on one axis, branches between them, lanes at the sides."""

    def __init__(self) -> None:
        self.places: dict[int, Place] = {}
        self.blocks: list[Block] = []
        self.taken: list[_Taken] = []
        self.length = self.left = self.right = 0.0

    def put(self, part: _Part, along: float, across: float) -> None:
        """A block with its items at a place."""
        self.blocks.append(part.block.moved(along, across))
        for item, place in part.places.items():
            self.places[item] = Place(place.start + along, place.end + along, place.across + across)
        block = part.block
        self.take(_Taken(along, along + block.length, across - block.left, across + block.right, lane=False))

    def take(self, taken: _Taken) -> None:
        """Note that a stretch is used."""
        self.taken.append(taken)
        self.right, self.left = max(self.right, taken.right), max(self.left, -taken.left)
        self.length = max(self.length, taken.end)

    def free(self, start: float, end: float, side: int = 1) -> float:
        """How far to the right (or, with `side` −1, to the left) something stands on a stretch."""
        near = [taken for taken in self.taken if taken.start < end and start < taken.end]
        return max((taken.right if side > 0 else -taken.left for taken in near), default=0.0)

    def is_open(self, along: float, first: float, second: float) -> bool:
        """Whether a line may run across from one place to another; what stands on the axis itself is no obstacle."""
        low, high = sorted((first, second))
        return not any(
            taken.start - SAME < along < taken.end + SAME and taken.left < high and low < taken.right
            for taken in self.taken
            if not taken.lane and not taken.left < 0 < taken.right
        )


class Chains:
    """The items of one level, taken apart into chains and branches."""

    def __init__(
        self,
        items: Sequence[Block],
        links: Sequence[Link],
        auxiliary: Sequence[bool],
        order: Mapping[str, int],
        left: Set[str],
    ) -> None:
        self.items, self.auxiliary, self.left = items, auxiliary, left
        self.start, self.end = -1, len(items)
        readers: dict[str, list[int]] = {}
        for link in links:
            if link.source is None and link.target is not None:
                readers.setdefault(link.name, []).append(link.target)
        leaving = {link.name for link in links if link.source is not None and link.target is None}

        def rank(name: str) -> tuple[float, ...]:
            """What the first item reads comes first, there on its axis; what all items read is rather no step."""
            first = min(readers[name])
            return -first, -abs(items[first].entries.get(name, 0.0)), -len(readers[name]), order[name]

        #: The maps that run down the axis; the others come and go in lanes.
        self.main_entry = max(readers, key=rank, default=None)
        self.main_exit = max(leaving, key=lambda name: order[name], default=None)
        if not leaving:  # what is here hangs at the side of the maps that pass by
            passing = {link.name for link in links if link.source is None and link.target is None}
            self.main_entry = self.main_exit = (
                self.main_entry
                if self.main_entry in passing
                else max(passing, key=lambda name: order[name], default=None)
            ) or self.main_entry
        self.graph, self.links, self.skips = self._reduced(links)
        self.dead = self._dead_ends()
        self.homeless = list(self.skips)
        self.strokes: list[Stroke] = []
        #: How far in front of a frame each line turns, where lines to different places of it would cover each other.
        self.turns: dict[Link, float] = {}
        #: How far after the start each map forks that comes from outside.
        self.forks: dict[str, float] = {}
        self.entries: dict[str, float] = {self.main_entry: 0.0} if self.main_entry else {}
        self.exits: dict[str, float] = {}

    def ends(self, link: Link) -> tuple[int, int]:
        """The items at both ends; the start and the end of the level stand for what is outside."""
        return (
            self.start if link.source is None else link.source,
            self.end if link.target is None else link.target,
        )

    def _reduced(self, links: Sequence[Link]) -> tuple[networkx.DiGraph[int], list[Link], list[Link]]:
        """The graph without what skips layers, its links, and the skips."""
        import networkx

        graph: networkx.DiGraph[int] = networkx.DiGraph()
        graph.add_nodes_from(range(self.start, self.end + 1))
        straight = [
            link
            for link in links
            if (link.source is not None or link.name == self.main_entry)
            and (link.target is not None or link.name == self.main_exit)
        ]
        graph.add_edges_from(self.ends(link) for link in straight)
        graph.add_edges_from((self.start, item) for item in range(self.end) if not graph.in_degree(item))
        if not graph.in_degree(self.end):  # the heads of the network stand next to each other
            heads = [item for item in range(self.end) if not graph.out_degree(item)]
            graph.add_edges_from(
                (item, self.end) for item in [item for item in heads if not self.auxiliary[item]] or heads
            )
        reduced: networkx.DiGraph[int] = networkx.transitive_reduction(graph)
        kept: dict[tuple[int, int], Link] = {}
        for link in straight:
            if reduced.has_edge(*self.ends(link)):
                kept.setdefault(self.ends(link), link)
        first = set(kept.values())
        chosen = [link for link in straight if link in first or self._goes_on(link, reduced)]
        return reduced, chosen, [link for link in links if link not in chosen]

    def _goes_on(self, link: Link, graph: networkx.DiGraph[int]) -> bool:
        """Whether a map goes to a frame that follows directly, next to the map that goes there down the axis."""
        first, last = self.ends(link)
        follows = graph.has_edge(first, last) and graph.out_degree(first) == 1 == graph.in_degree(last)
        return follows and self.start < first and last < self.end and bool(self.items[last].areas)

    def _dead_ends(self) -> dict[int, list[list[int]]]:
        """Branches that are not read at the end of the level, by the item that they leave; they leave the graph."""
        import networkx

        alive = networkx.ancestors(self.graph, self.end) | {self.end}
        dead = self.graph.subgraph(set(self.graph) - alive)
        found: dict[int, list[list[int]]] = {}
        for component in networkx.weakly_connected_components(dead):
            sources = {before for item in component for before in self.graph.predecessors(item)} - component
            if len(sources) != 1:
                raise NotSeriesParallel
            found.setdefault(sources.pop(), []).append(sorted(component))
        self.whole = self.graph
        self.graph = self.graph.subgraph(alive).copy()
        return found

    def block(self) -> Block:
        """The whole level: its entries in front, its exits at the end."""
        part = self._chain(self.graph, list(self.graph), self.start, self.end, outer=True)
        if self.homeless:
            raise NotSeriesParallel
        for link in self.links:
            self._connect(link, part)
        block = part.block
        inner = tuple(self.strokes)
        return block._replace(strokes=(*block.strokes, *inner), entries=dict(self.entries), exits=dict(self.exits))

    # -- chains ------------------------------------------------------------------------------------------------------

    def _chain(
        self, graph: networkx.DiGraph[int], members: Iterable[int], source: int, sink: int, outer: bool = False
    ) -> _Part:
        """What lies between two items: those that every way passes in a line, and branches between them."""
        import networkx

        inner = {*members} - {source, sink}
        ways = graph.subgraph({*inner, source, sink}).copy()
        if inner and ways.has_edge(source, sink):
            ways.remove_edge(source, sink)
        passed = _passed(networkx.immediate_dominators(ways, source), source, sink)
        order = [source, *passed, sink]
        rank = {item: place for place, item in enumerate(order)}
        regions: list[list[list[int]]] = [[] for _ in order[1:]]
        components = list(networkx.weakly_connected_components(ways.subgraph(inner - set(passed))))
        if len(components) == 1 and not passed:
            raise NotSeriesParallel
        for component in components:
            places = {rank[item] for each in component for item in ways.predecessors(each) if item in rank}
            regions[min(places)].append(sorted(component))
        line = _Line()
        along = 0.0
        if outer:
            line.places[source] = Place(0.0, 0.0, 0.0)
        for place, following in enumerate(order[1:]):
            region = sorted(regions[place])
            if region:
                branches = [self._chain(ways, each, order[place], following) for each in region]
                sides = [self._at_side(each) for each in region]
                # Ways from several inputs, or to several outputs, start on one line.
                level = self.start == order[place] or self.end == following
                along = self._fork(line, branches, sides, along + FORK, level) + FORK
                along += max(self._in_tracks(line, following) - FORK, 0.0)
            elif following != sink and (place or outer):
                along += max(STEP if place else LEAD, self._in_tracks(line, following))
                if self._is_aside(order[place], following):
                    along += STEP
            if following != sink:
                item = self.items[following]
                line.put(_Part(item, {following: Place(0.0, item.length, 0.0)}), along, 0.0)
                along += item.length
        for before in order[0 if outer else 1 : -1]:
            for each in self.dead.get(before, ()):
                self._float(line, before, each)
        if outer:
            line.length = max(line.length, along)
            line.places[sink] = Place(line.length, line.length, 0.0)
        self._lanes(line, {*order} if outer else {*passed})
        return _Part(_joined(line), line.places)

    def _at_side(self, component: Sequence[int]) -> bool:
        """Whether a branch stands at the side of the others: a projection past a residual."""
        inside = set(component)
        return any(link.source in inside and link.edge.kind == "projection" for link in self.links) or any(
            self.auxiliary[item] for item in component
        )

    @staticmethod
    def _fork(line: _Line, branches: Sequence[_Part], sides: Sequence[bool], along: float, level: bool) -> float:
        """Branches next to each other from one place on; the axis runs through the middle of theirs. Gives the end."""
        length = max(part.block.length for part in branches)
        ordered = [*(p for p, side in zip(branches, sides, strict=True) if not side),
                   *(p for p, side in zip(branches, sides, strict=True) if side)]  # fmt: skip
        axes, across = [], 0.0
        for part in ordered:
            axes.append(across + part.block.left)
            across += part.block.left + part.block.right + BETWEEN
        middle = [axis for axis, _ in zip(axes, range(sides.count(False) or len(axes)), strict=False)]
        axis = (middle[0] + middle[-1]) / 2
        for part, at in zip(ordered, axes, strict=True):
            line.put(part, along + (0.0 if level else (length - part.block.length) / 2), at - axis)
        return along + length

    def _is_aside(self, first: int, last: int) -> bool:
        """Whether the only map from an item to the next one leaves it beside the axis."""
        links = [link for link in self.links if self.ends(link)[1] == last]
        return len(links) == 1 and links[0].source == first and abs(self._port(first, links[0].name, True)) > SAME

    def _in_tracks(self, line: _Line, item: int) -> float:
        """Tracks for the lines that come to different places of a frame; gives the space that they need."""
        links = [link for link in self.links if self.ends(link)[1] == item and self.ends(link)[0] in line.places]
        goals = [self._port(item, link.name, exits=False) for link in links]
        if item not in range(self.end) or len(set(goals)) < 2:
            return 0.0
        wires = []
        for link, goal in zip(links, goals, strict=True):
            first = self.ends(link)[0]
            start = line.places[first].across + self._port(first, link.name, exits=True)
            wires.append(Wire(link.name, goal, start, goal))
        turns, height = turns_of(wires)
        self.turns.update(zip(links, (height - turn for turn in turns), strict=True))
        return height

    def _float(self, line: _Line, before: int, component: Sequence[int]) -> None:
        """A branch that nothing reads, at the side of what goes on."""
        inside = set(component)
        last = [item for item in component if not set(self.whole.successors(item)) & inside]
        if len(last) != 1:
            raise NotSeriesParallel
        graph = self.whole.subgraph({before, *component}).copy()
        sink = max(component) + self.end + 2
        graph.add_edge(last[0], sink)
        part = self._chain(graph, component, before, sink)
        start = line.places[before].end + FORK
        side = line.free(start - FORK, start + part.block.length) + BETWEEN + part.block.left
        line.put(part, start, side)

    # -- lines -------------------------------------------------------------------------------------------------------

    def _connect(self, link: Link, part: _Part) -> None:
        """The line of a map that skips nothing: apart near its source, together near its reader."""
        first, last = self.ends(link)
        source, target = part.places[first], part.places[last]
        start = (source.end, source.across + self._port(first, link.name, exits=True))
        goal = (target.start, target.across + self._port(last, link.name, exits=False))
        if last == self.end:
            self.exits[link.name] = start[1]
            goal = (target.start, start[1])
            if goal[0] - start[0] < SAME:
                return
        several = sum(self.ends(other)[1] == last for other in self.links) > 1
        side = self.items[last].side if last in range(self.end) else None
        if abs(start[1] - goal[1]) < SAME:
            points = [start, (goal[0], start[1])]
        elif several and side and link.edge.kind == "projection":
            level = goal[0] + side[0]
            points = [start, (level, start[1]), (level, goal[1] + (side[1] if start[1] > goal[1] else -side[1]))]
        elif several:
            turn = goal[0] - self.turns.get(link, MERGE)
            points = [start, (turn, start[1]), (turn, goal[1]), goal]
        else:
            turn = start[0] + (MERGE if abs(start[1] - source.across) > SAME else 0.0)
            points = [start, (turn, start[1]), (turn, goal[1]), goal]
        self.strokes.append(self._stroke(link, points))

    def _port(self, item: int, name: str, exits: bool) -> float:
        """Where a map enters or leaves an item, across from its axis."""
        if item not in range(self.end):
            return 0.0
        block = self.items[item]
        return (block.exits if exits else block.entries).get(name, 0.0)

    def _stroke(self, link: Link, points: Sequence[Point]) -> Stroke:
        """The line of a map; that to a frame ends there, and goes on inside."""
        real = link.target is not None and not self.items[link.target].areas
        edge = link.edge if real else link.edge._replace(target="")
        return Stroke(edge, tuple(points), link.target is not None)

    def _lanes(self, line: _Line, on_axis: set[int]) -> None:
        """The skips whose ends both stand on this chain, the shortest nearest to it."""
        own = [link for link in self.homeless if all(item in line.places for item in self.ends(link))]
        if any(item not in on_axis for link in own for item in self.ends(link)):
            raise NotSeriesParallel

        def span(link: Link) -> float:
            first, last = self.ends(link)
            return line.places[last].start - line.places[first].end

        for link in sorted(own, key=span):
            self._lane(line, link)
            self.homeless.remove(link)

    def _lane(self, line: _Line, link: Link) -> None:
        """A skip at the right, or at the left where something stands in its way there or its place is there."""
        first, last = self.ends(link)
        source, target = line.places[first], line.places[last]
        entry = self._port(last, link.name, exits=False)
        half = self.items[last].side if last in range(self.end) else None
        finish = target.start + (half[0] if half else 0.0)
        # A map that has come in, for a reader before, goes on from there.
        inside = first != self.start or link.name in self.entries
        begin = (source.end, self._port(first, link.name, exits=True))
        if first == self.start and inside:  # maps that fork right at the start do so at places of their own
            level = self.forks.setdefault(link.name, min(APART * len(self.forks), BACK))
            begin = (level, self.entries[link.name])
        turn = finish if half or last == self.end else finish - BACK
        for side in (-1, 1) if link.name in self.left else (1, -1):
            passed = finish + SAME if half or last == self.end else turn
            lane = side * (line.free(source.end - SAME, passed, side) + LANE)
            if last != self.end and not half:
                lane = max(lane, entry) if side > 0 else min(lane, entry)
            leaves = not inside or line.is_open(begin[0], begin[1], lane)
            if leaves and (last == self.end or line.is_open(turn, lane, entry)):
                break
        else:
            raise NotSeriesParallel
        # From the start on, where the line of the map from outside ends.
        start = min(source.end, begin[0])
        points: list[Point] = [(start, begin[1]), begin, (begin[0], lane)] if inside else [(0.0, lane)]
        if not inside:
            self.entries[link.name] = lane
        if last == self.end:
            self.exits[link.name] = lane
            points.append((target.start, lane))
        elif half:
            points += [(finish, lane), (finish, side * half[1])]
        elif abs(lane - entry) < SAME:
            points.append((finish, lane))
        else:
            points += [(turn, lane), (turn, entry), (finish, entry)]
        line.blocks.append(Block(0.0, 0.0, 0.0, strokes=(self._stroke(link, points),)))
        line.take(_Taken(source.end, finish, lane - 2, lane + 2, lane=True))


def _joined(line: _Line) -> Block:
    return Block(
        line.length,
        line.left,
        line.right,
        tuple(node for block in line.blocks for node in block.nodes),
        tuple(area for block in line.blocks for area in block.areas),
        tuple(stroke for block in line.blocks for stroke in block.strokes),
    )


def _passed(dominators: Mapping[int, int], source: int, sink: int) -> list[int]:
    """The items that every way from the source to the sink passes, in order."""
    if sink not in dominators:
        raise NotSeriesParallel
    found, item = [], dominators[sink]
    while item != source:
        found.append(item)
        item = dominators[item]
    return found[::-1]
