"""Positions inside one segment of a diagram, from Graphviz's layered layout; a single node needs none."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.measure import BADGE, LABEL, NodeBox
from archcalc.render.diagrams.model import Edge, Group
from archcalc.render.diagrams.text import text_width

if TYPE_CHECKING:
    import pygraphviz

#: Below a box, or right of it: space for the line that leaves it and the size of the map it carries.
TRUNK = 20.0
#: Between a place where a map enters a segment and the box that it reaches.
LEAD = 12.0
SHADOW = 4.0
CLEAR = 14.0
#: The strip of a frame in which its label stands.
HEADER = 22.0


class Placed(NamedTuple):
    """A box and its upper left corner."""

    box: NodeBox
    x: float
    y: float
    width: float
    #: Where its map leaves the box, and where the line to its readers starts.
    start: Point
    trunk: Point


class Frame(NamedTuple):
    """A block's frame."""

    group: Group
    x: float
    y: float
    width: float
    height: float


class Line(NamedTuple):
    """An edge: a start and triples of two handles and an end."""

    edge: Edge
    points: tuple[Point, ...]
    arrow: bool


class Segment(NamedTuple):
    """A part of the diagram with positions of its own; maps enter and leave at the ports."""

    nodes: tuple[Placed, ...]
    frames: tuple[Frame, ...]
    lines: tuple[Line, ...]
    entries: Mapping[str, Point]
    exits: Mapping[str, Point]
    width: float
    height: float


def reserved(box: NodeBox, leaves: bool, down: bool) -> tuple[float, float]:
    """Width and height that a node takes: the box, its shadow and the space of its output."""
    shadow = 2 * SHADOW if box.badge else 0.0
    width, height = box.width + shadow, box.height + shadow
    if not leaves:  # other lines keep clear of it
        return (width + CLEAR, height) if down else (width, height + CLEAR)
    if down:
        return max(width, 2 * (box.output_width + 9)), height + TRUNK
    return width + box.output_width + 18, max(height, 34.0)


def place_box(box: NodeBox, centre: Point, leaves: bool, down: bool) -> Placed:
    """The box inside the space that it takes, whose centre is given."""
    width, height = reserved(box, leaves, down)
    x, y = centre
    shadow = 2 * SHADOW if box.badge else 0.0
    if down:
        left, top = x - box.width / 2, y - height / 2
        start, end = (x, top + box.height + shadow), (x, y + height / 2)
    else:
        left, top = x - width / 2, y - box.height / 2
        start, end = (left + box.width + shadow, y), (x + width / 2, y)
    return Placed(box, left, top, box.width, start, end if leaves else start)


def single(box: NodeBox, entries: Sequence[str], leaves: bool, down: bool, edges: Sequence[Edge]) -> Segment:
    """One node: maps enter above it and leave below it."""
    width, height = reserved(box, leaves, down)
    lead = LEAD
    centre = (width / 2, lead + height / 2) if down else (lead + width / 2, height / 2)
    placed = place_box(box, centre, leaves, down)
    entry = (width / 2, 0.0) if down else (0.0, height / 2)
    lines = tuple(
        Line(edge, _straight(entry, (entry[0], placed.y) if down else (placed.x, entry[1])), True) for edge in edges
    )
    size = (width, height + lead) if down else (width + lead, height)
    exits = {box.node.id: placed.trunk} if leaves else {}
    return Segment((placed,), (), lines, dict.fromkeys(entries, entry), exits, *size)


def _straight(start: Point, end: Point) -> tuple[Point, ...]:
    return (start, start, end, end)


def layered(
    boxes: Sequence[NodeBox],
    groups: Sequence[Group],
    edges: Sequence[Edge],
    entries: Sequence[str],
    exits: Sequence[str],
    leaves: Iterable[str],
    down: bool,
) -> Segment:
    """Several nodes, laid out by Graphviz. `entries` and `exits` are maps of nodes before and after the segment."""
    from pygraphviz import AGraph

    leaving = set(leaves)
    names = {box.node.id: f"n{number}" for number, box in enumerate(boxes)}
    ports = {name: f"i{number}" for number, name in enumerate(entries)}
    ends = {name: f"o{number}" for number, name in enumerate(exits)}
    graph = AGraph(directed=True, strict=False)
    graph.graph_attr.update(
        rankdir="TB" if down else "LR", nodesep="0.2", ranksep="0.3", splines="true", newrank="false"
    )
    graph.node_attr.update(shape="box", fixedsize="true", label="")
    graph.edge_attr.update(arrowhead="none", headport="n" if down else "w", tailport="s" if down else "e")
    for name in [*ports.values(), *ends.values()]:
        graph.add_node(name, shape="point", width="0.01", height="0.01")
    for box in boxes:
        width, height = reserved(box, box.node.id in leaving, down)
        graph.add_node(names[box.node.id], width=f"{width / 72:.4f}", height=f"{height / 72:.4f}")
    # A map that only passes by stays outside of a frame.
    passing = set(entries) & set(exits)
    shown, around = _add_groups(graph, boxes, groups, names, [] if passing else [*ports.values(), *ends.values()])
    for rank, dots in (("min", list(ports.values())), ("max", list(ends.values()))):
        if dots:
            around.add_subgraph(dots, rank=rank)
    # Maps come in the order in which they left the segment before.
    for left, right in pairwise(ports.values()):
        graph.add_edge(left, right, style="invis", headport="c", tailport="c", weight="0")
    made = _add_edges(graph, edges, {**ports, **names}, names, ports, ends)
    answer = json.loads(graph.draw(format="json", prog="dot"))
    return _read(answer, boxes, shown, made, names, ports, ends, leaving, down)


def _add_groups(
    graph: pygraphviz.AGraph,
    boxes: Sequence[NodeBox],
    groups: Sequence[Group],
    names: Mapping[str, str],
    ports: Sequence[str],
) -> tuple[dict[str, Group], pygraphviz.AGraph]:
    """Nested clusters, each with space for its label; ports lie inside a frame around all nodes, or in the graph."""
    around = graph
    shown: dict[str, Group] = {}
    handles: dict[tuple[str, ...], Any] = {}
    for group in groups:
        inside = [names[box.node.id] for box in boxes if box.node.path[: len(group.path)] == group.path]
        if not inside:
            continue
        whole = len(inside) == len(boxes) and not shown and bool(ports)
        inside += ports if whole else []
        parent = next((handles[group.path[:n]] for n in range(len(group.path) - 1, 0, -1) if group.path[:n] in handles),
                      graph)  # fmt: skip
        name = f"cluster_{len(shown)}"
        width, height = label_size(group)
        label = (
            f'<<TABLE BORDER="0" FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"><TR><TD></TD></TR></TABLE>>'
        )
        handles[group.path] = parent.add_subgraph(inside, name=name, label=label, labeljust="l", margin="9")
        around = handles[group.path] if whole else around
        shown[name] = group
    return shown, around


def label_size(group: Group) -> tuple[float, float]:
    """Space for the label of a frame, with its note and the sign that it repeats."""
    width = text_width(group.label, LABEL, True) + 8
    if group.times > 1:
        width += text_width(f"×{group.times}", BADGE, True) + 16
    if group.note:
        width += text_width(group.note, 10.5) + 12
    return width, 16.0


def _add_edges(
    graph: pygraphviz.AGraph,
    edges: Sequence[Edge],
    sources: Mapping[str, str],
    names: Mapping[str, str],
    ports: Mapping[str, str],
    ends: Mapping[str, str],
) -> dict[str, Edge]:
    made: dict[str, Edge] = {}
    incoming = Counter(edge.target for edge in edges)

    def add(edge: Edge, tail: str, head: str, **more: str) -> None:
        key = f"e{len(made)}"
        made[key] = edge
        graph.add_edge(tail, head, key=key, id=key, **more)

    for edge in edges:
        if edge.source in sources and edge.target in names:
            tail = sources[edge.source]
            weight = {"flow": "4", "identity": "1", "projection": "1", "auxiliary": "1"}[edge.kind]
            more = {"tailport": "c"} if edge.source in ports else {}
            weight = "6" if more and edge.kind == "flow" else weight
            if incoming[edge.target] > 2:  # many lines meet at the rim rather than in one point
                more["headport"] = "_"
            add(edge, tail, names[edge.target], weight=weight, **more)
    for name, end in ends.items():
        add(
            Edge(name, ""), sources[name], end, weight="6", headport="c", **({"tailport": "c"} if name in ports else {})
        )
    return made


def _read(
    answer: dict[str, Any],
    boxes: Sequence[NodeBox],
    shown: Mapping[str, Group],
    made: Mapping[str, Edge],
    names: Mapping[str, str],
    ports: Mapping[str, str],
    ends: Mapping[str, str],
    leaving: set[str],
    down: bool,
) -> Segment:
    """Graphviz's answer with y running downwards."""
    box_of_all = [float(part) for part in answer["bb"].split(",")]
    width, height = box_of_all[2], box_of_all[3]

    def point(text: str) -> Point:
        x, y = text.split(",")
        return float(x), height - float(y)

    spots: dict[str, Point] = {}
    frames: list[Frame] = []
    for item in answer.get("objects", ()):
        if item["name"] in shown:
            x0, y0, x1, y1 = (float(part) for part in item["bb"].split(","))
            frames.append(Frame(shown[item["name"]], x0, height - y1, x1 - x0, y1 - y0))
        elif "pos" in item:
            spots[item["name"]] = point(item["pos"])
    frames.sort(key=lambda frame: len(frame.group.path))
    nodes = tuple(place_box(box, spots[names[box.node.id]], box.node.id in leaving, down) for box in boxes)
    placed = {node.box.node.id: node for node in nodes}
    lines = []
    for item in answer.get("edges", ()):
        if "id" not in item:
            continue
        edge = made[item["id"]]
        points = [point(part) for part in item["pos"].split()]
        # Graphviz stops at the rim of the dots that stand for ports.
        points[0] = spots[ports[edge.source]] if edge.source in ports else placed[edge.source].trunk
        points[-1] = _on_rim(points[-1], placed[edge.target]) if edge.target else spots[ends[edge.source]]
        lines.append(Line(edge, tuple(points), bool(edge.target)))
    entries = {name: spots[port] for name, port in ports.items()}
    exits = {name: spots[end] for name, end in ends.items()}
    return Segment(nodes, tuple(frames), tuple(lines), entries, exits, width, height)


def _on_rim(point: Point, placed: Placed) -> Point:
    """The point of a box that is nearest to where a line reaches the space around it."""
    x, y = point
    return (
        min(max(x, placed.x), placed.x + placed.width),
        min(max(y, placed.y), placed.y + placed.box.height),
    )
