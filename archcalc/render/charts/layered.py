"""A layered layout, left to right, by Graphviz: how high each node of a column stands, so that few edges cross."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

#: Heights that a node and an edge take in their columns.
APART, CLOSE = 1.0, 0.4


class Layout(NamedTuple):
    """The height of each node, from 0, and the heights at which each edge passes the columns between its ends."""

    heights: Mapping[str, float]
    passes: Mapping[tuple[str, str], tuple[float, ...]]
    height: float


def arrange(columns: Sequence[Sequence[str]], edges: Sequence[tuple[str, str]]) -> Layout:
    """Heights for nodes in given columns; every edge leads to a later column."""
    from pygraphviz import AGraph

    graph = AGraph(directed=True, rankdir="LR", nodesep="0.02", ranksep="0.5")
    graph.node_attr.update(shape="box", fixedsize="true", label="", width="0.1")
    column = {name: number for number, names in enumerate(columns) for name in names}
    ids = {name: f"n{number}" for number, name in enumerate(column)}
    # A chain of dots, one a column, keeps the columns in their order where no edge does.
    members = [[f"c{number}", *(ids[name] for name in names)] for number, names in enumerate(columns)]
    for number, names in enumerate(columns):
        graph.add_node(f"c{number}", height="0.01", width="0.01")
        graph.add_nodes_from((ids[name] for name in names), height=str(APART))
    chains = {}
    for place, (source, target) in enumerate(edges):
        # Where an edge passes a column, it has a place of its own there.
        passed = [f"e{place}.{number}" for number in range(column[source] + 1, column[target])]
        for number, name in enumerate(passed, column[source] + 1):
            graph.add_node(name, height=str(CLOSE))
            members[number].append(name)
        chains[source, target] = passed
        for first, second in pairwise([ids[source], *passed, ids[target]]):
            graph.add_edge(first, second, weight="2")
    for names in members:
        graph.add_subgraph(names, rank="same")
    for (first, *_), (second, *_) in pairwise(members):
        graph.add_edge(first, second, weight="0")
    placed = json.loads(graph.draw(format="json", prog="dot"))["objects"]
    points = {item["name"]: -float(item["pos"].split(",")[1]) for item in placed if "pos" in item}
    wanted = {name: height / 72 for name, height in points.items() if not name.startswith("c")}
    lowest = min(wanted.values())
    heights = {name: height - lowest for name, height in wanted.items()}
    return Layout(
        {name: heights[ids[name]] for name in column},
        {edge: tuple(heights[name] for name in passed) for edge, passed in chains.items()},
        max(heights.values()),
    )
