"""A level without a structure of chains and branches, laid out in layers by Graphviz; what is in its frames is not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.section import Block, Link, Stroke

#: Graphviz measures nodes in inches.
POINTS = 72


def in_layers(items: Sequence[Block], links: Sequence[Link], order: Mapping[str, int], down: bool) -> Block:
    """The items as boxes of fixed sizes, the maps as curves between the middles of their sides."""
    entering = sorted({link.name for link in links if link.source is None}, key=lambda name: order[name])
    leaving = sorted({link.name for link in links if link.target is None}, key=lambda name: order[name])
    answer = json.loads(_graph(items, links, entering, leaving, down).draw(format="json", prog="dot"))
    _, _, width, height = (float(part) for part in answer["bb"].split(","))

    def place(text: str) -> Point:
        x, y = (float(part) for part in text.split(","))
        return (height - y, x) if down else (x, height - y)

    spots = {item["name"]: place(item["pos"]) for item in answer["objects"] if "pos" in item}
    front = min((spots[f"i{number}"][0] for number in range(len(entering))), default=0.0)
    back = max((spots[f"o{number}"][0] for number in range(len(leaving))), default=height if down else width)
    axis = spots[f"i{len(entering) - 1}"][1] if entering else (width if down else height) / 2
    blocks = [
        item.moved(spots[f"n{number}"][0] - item.length / 2 - front, spots[f"n{number}"][1] - axis)
        for number, item in enumerate(items)
    ]
    strokes = []
    for item in answer.get("edges", ()):
        if "id" in item:
            link = links[int(item["id"])]
            points = [place(part) for part in item["pos"].split()]
            points[0], points[-1] = _ends(link, items, spots, entering, leaving)
            real = link.target is not None and items[link.target].side is not None
            edge = link.edge if real else link.edge._replace(target="")
            moved = tuple((along - front, across - axis) for along, across in points)
            strokes.append(Stroke(edge, moved, link.target is not None, bezier=True))
    return Block(
        back - front,
        axis,
        (width if down else height) - axis,
        tuple(node for block in blocks for node in block.nodes),
        tuple(area for block in blocks for area in block.areas),
        (*(stroke for block in blocks for stroke in block.strokes), *strokes),
        {name: spots[f"i{number}"][1] - axis for number, name in enumerate(entering)},
        {name: spots[f"o{number}"][1] - axis for number, name in enumerate(leaving)},
    )


def _graph(
    items: Sequence[Block], links: Sequence[Link], entering: Sequence[str], leaving: Sequence[str], down: bool
) -> Any:
    from pygraphviz import AGraph

    graph = AGraph(directed=True, strict=False)
    graph.graph_attr.update(rankdir="TB" if down else "LR", nodesep="0.25", ranksep="0.35", splines="true")
    graph.node_attr.update(shape="box", fixedsize="true", label="")
    graph.edge_attr.update(arrowhead="none", headport="n" if down else "w", tailport="s" if down else "e")
    for letter, names, rank in (("i", entering, "min"), ("o", leaving, "max")):
        dots = [f"{letter}{number}" for number in range(len(names))]
        for dot in dots:
            graph.add_node(dot, shape="point", width="0.01", height="0.01")
        if dots:
            graph.add_subgraph(dots, rank=rank)
        for left, right in pairwise(dots):  # maps come in the order in which they left the segment before
            graph.add_edge(left, right, style="invis", headport="c", tailport="c", weight="0")
    for number, item in enumerate(items):
        length, across = item.length / POINTS, 2 * max(item.left, item.right) / POINTS
        width, height = (across, length) if down else (length, across)
        graph.add_node(f"n{number}", width=f"{width:.4f}", height=f"{height:.4f}")
    for number, link in enumerate(links):
        tail = f"i{entering.index(link.name)}" if link.source is None else f"n{link.source}"
        head = f"o{leaving.index(link.name)}" if link.target is None else f"n{link.target}"
        ports = {"tailport": "c"} if link.source is None else {}
        ports |= {"headport": "c"} if link.target is None else {}
        # A block stands near what it reads, rather than near what reads it.
        block = link.target is not None and bool(items[link.target].areas)
        weight = "1" if link.edge.kind in ("identity", "projection") else "8" if block else "4"
        graph.add_edge(tail, head, key=str(number), id=str(number), weight=weight, **ports)
    return graph


def _ends(
    link: Link, items: Sequence[Block], spots: Mapping[str, Point], entering: Sequence[str], leaving: Sequence[str]
) -> tuple[Point, Point]:
    """Where a line starts and ends: at the port of a frame, which need not be in its middle, or at a dot."""
    if link.source is None:
        start = spots[f"i{entering.index(link.name)}"]
    else:
        along, across = spots[f"n{link.source}"]
        item = items[link.source]
        start = (along + item.length / 2, across + item.exits.get(link.name, 0.0))
    if link.target is None:
        return start, spots[f"o{leaving.index(link.name)}"]
    along, across = spots[f"n{link.target}"]
    item = items[link.target]
    return start, (along - item.length / 2, across + item.entries.get(link.name, 0.0))
