"""Positions inside one segment, from the innermost frame outwards: by structure, or in layers where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from functools import lru_cache

from archcalc.render.diagrams.chains import Chains, NotSeriesParallel
from archcalc.render.diagrams.drawing import Point, rounded
from archcalc.render.diagrams.frames import innermost
from archcalc.render.diagrams.layers import in_layers
from archcalc.render.diagrams.measure import NodeBox
from archcalc.render.diagrams.model import Edge, Group
from archcalc.render.diagrams.section import SAME, Block, Link, framed
from archcalc.render.diagrams.segments import SHADOW, Frame, Line, Placed, place_box, reserved
from archcalc.render.diagrams.text import FACE
from archcalc.render.diagrams.wraps import wrapped

Path = tuple[str, ...]


def structured(
    boxes: Sequence[NodeBox],
    groups: Sequence[Group],
    edges: Sequence[Edge],
    entries: Sequence[str],
    exits: Sequence[str],
    leaves: Iterable[str],
    down: bool,
    left: Set[str] = frozenset(),
    most: tuple[float, ...] = (),
) -> Block:
    """A segment. `entries` and `exits` are maps that come and go, `leaves` the nodes that are read.

    The lanes of maps in `left` run at the left where they can, or above. Chains that are longer than `most` stand in
    columns; a second number is for those in frames inside of them.
    """
    inside = frozenset(box.node.id for box in boxes)
    parts = tuple(boxes), tuple(groups), tuple(edges), tuple(entries), tuple(exits)
    face = FACE.get()
    return _structured(*parts, inside.intersection(leaves), down, frozenset(left), most, face.key if face else "")


@lru_cache(maxsize=256)
def _structured(
    boxes: tuple[NodeBox, ...],
    groups: tuple[Group, ...],
    edges: tuple[Edge, ...],
    entries: tuple[str, ...],
    exits: tuple[str, ...],
    leaves: frozenset[str],
    down: bool,
    left: frozenset[str],
    most: tuple[float, ...],
    _face: str,
) -> Block:
    """While somebody changes a network, most of its segments stay as they were."""
    block = _Level(boxes, groups, edges, entries, exits, leaves, down, left).block((), most)
    ports = ({name: found.get(name, 0.0) for name in names}
             for names, found in ((entries, block.entries), (exits, block.exits)))  # fmt: skip
    return block._replace(entries=next(ports), exits=next(ports))


class _Level:
    """The layout of a frame and of all that is in it, from the inside out."""

    def __init__(
        self,
        boxes: Sequence[NodeBox],
        groups: Sequence[Group],
        edges: Sequence[Edge],
        entries: Sequence[str],
        exits: Sequence[str],
        leaves: Set[str],
        down: bool,
        left: Set[str],
    ) -> None:
        self.boxes, self.edges, self.leaves, self.down, self.left = boxes, edges, leaves, down, left
        self.entries, self.exits = entries, exits
        self.order = {name: number - len(entries) for number, name in enumerate(entries)}
        self.order |= {box.node.id: number for number, box in enumerate(boxes)}
        inside = {group.path: group for group in groups}
        self.groups = {
            path: group for path, group in inside.items() if any(box.node.path[: len(path)] == path for box in boxes)
        }
        self.path_of = {box.node.id: innermost(box.node.path, self.groups.keys()) for box in boxes}

    def block(self, path: Path, most: tuple[float, ...] = ()) -> Block:
        """What is in a frame, or in the segment; `framed` adds the frame.

        A chain that is longer than the first number of `most` stands in columns, and what is in its frames by the next.
        """
        items, links, auxiliary = self._parts(path, ())
        block = self._whole(items, links, auxiliary)
        if not most or block.length <= most[0]:
            return block
        items = self._parts(path, most[1:])[0]
        found = wrapped(items, links, auxiliary, self.order, self.left, most[0])
        return found or self._whole(*self._parts(path, most))

    def _whole(self, items: Sequence[Block], links: Sequence[Link], auxiliary: Sequence[bool]) -> Block:
        """A level by its structure, or in layers."""
        try:
            return Chains(items, links, auxiliary, self.order, self.left).block()
        except NotSeriesParallel:
            return in_layers(items, links, self.order)

    def _parts(self, path: Path, most: tuple[float, ...]) -> tuple[list[Block], list[Link], list[bool]]:
        """The items of a level, and its links."""
        items: list[Block] = []
        item_of: dict[str, int] = {}
        auxiliary: list[bool] = []
        made: dict[Path, int] = {}
        for box in self.boxes:
            frame, name = self.path_of[box.node.id], box.node.id
            if frame[: len(path)] != path:
                continue
            if frame == path:
                item_of[name] = len(items)
                items.append(self._leaf(box))
                auxiliary.append(box.node.auxiliary)
                continue
            child = frame[: len(path) + 1]
            while child not in self.groups:
                child = frame[: len(child) + 1]
            if child not in made:
                made[child] = len(items)
                items.append(framed(self.block(child, most), self.groups[child], self.down))
                auxiliary.append(self.groups[child].auxiliary)
            item_of[name] = made[child]
        return items, self._links(item_of, path), auxiliary

    def _leaf(self, box: NodeBox) -> Block:
        width, height = reserved(box, box.node.id in self.leaves, self.down)
        length, across = (height, width) if self.down else (width, height)
        half = (box.width if self.down else box.height) / 2 + (2 * SHADOW if box.badge else 0.0)
        side = (box.parts[0].height / 2 if self.down else next(width for *_, width in box.places()) / 2, half)
        before = across / 2 if box.above is None else box.above
        node = ((box, length / 2, across / 2 - before),)
        return Block(length, before, across - before, node, side=None if box.closed else side)

    def _links(self, item_of: Mapping[str, int], path: Path) -> list[Link]:
        """The maps between the items, each once; what only passes by goes from outside to outside."""
        found: dict[tuple[int | None, int | None, str], Link] = {}
        for edge in self.edges:
            source, target = item_of.get(edge.source), item_of.get(edge.target)
            if target is None and source is None:
                continue
            if source == target:
                continue
            key = (source, target, edge.source)
            # One line leads to a frame, whoever reads it in there; its kind is that of the first reader.
            found.setdefault(key, Link(source, target, edge.source, edge))
        for name in self.exits:
            source = item_of.get(name)
            if source is not None or (not path and name in self.entries):
                found.setdefault((source, None, name), Link(source, None, name, Edge(name, "")))
        return list(found.values())


def placed(block: Block, leaves: Set[str], down: bool) -> tuple[list[Placed], list[Frame], list[Line]]:
    """The boxes, frames and lines of a block with positions in the picture."""

    def point(along: float, across: float) -> Point:
        return (across, along) if down else (along, across)

    nodes = [place_box(box, point(*at), box.node.id in leaves, down) for box, *at in block.nodes]
    frames = []
    for area in sorted(block.areas, key=lambda area: len(area.group.path)):
        (x0, y0), (x1, y1) = point(area.start, area.left), point(area.end, area.right)
        frames.append(Frame(area.group, x0, y0, x1 - x0, y1 - y0))
    lines = []
    for stroke in block.strokes:
        points = [point(*at) for at in _corners(stroke.points)]
        lines.append(Line(stroke.edge, rounded(points, stroke.radius), stroke.arrow))
    return nodes, frames, lines


def _corners(points: Sequence[Point]) -> list[Point]:
    """Without places that follow each other on one spot."""
    found = [points[0]]
    for point in points[1:]:
        if abs(point[0] - found[-1][0]) > SAME / 10 or abs(point[1] - found[-1][1]) > SAME / 10:
            found.append(point)
    return found if len(found) > 1 else [points[0], points[-1]]
