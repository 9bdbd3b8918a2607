"""A layered layout, left to right, by Graphviz: how high each node of a column stands, so that few edges cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from archcalc.render.dot import Graph

#: Heights that a node and an edge take in their columns.
APART, CLOSE = 1.0, 0.4


class Layout(NamedTuple):
    """The height of each node, from 0, and the heights at which each edge passes the columns between its ends."""

    heights: Mapping[str, float]
    passes: Mapping[tuple[str, str], tuple[float, ...]]
    height: float


def arrange(columns: Sequence[Sequence[str]], edges: Sequence[tuple[str, str]]) -> Layout:
    """Heights for nodes in given columns; every edge leads to a later column."""
    graph = Graph({"rankdir": "LR", "nodesep": "0.02", "ranksep": "0.5"}, {"width": "0.1"})
    column = {name: number for number, names in enumerate(columns) for name in names}
    ids = {name: f"n{number}" for number, name in enumerate(column)}
    # A chain of dots, one a column, keeps the columns in their order where no edge does.
    members = [[f"c{number}", *(ids[name] for name in names)] for number, names in enumerate(columns)]
    for number, names in enumerate(columns):
        graph.node(f"c{number}", height="0.01", width="0.01")
        for name in names:
            graph.node(ids[name], height=str(APART))
    chains = {}
    for place, (source, target) in enumerate(edges):
        # Where an edge passes a column, it has a place of its own there.
        passed = [f"e{place}.{number}" for number in range(column[source] + 1, column[target])]
        for number, name in enumerate(passed, column[source] + 1):
            graph.node(name, height=str(CLOSE))
            members[number].append(name)
        chains[source, target] = passed
        for first, second in pairwise([ids[source], *passed, ids[target]]):
            graph.edge(first, second, weight="2")
    for names in members:
        graph.same_rank(names)
    for (first, *_), (second, *_) in pairwise(members):
        graph.edge(first, second, weight="0")
    wanted = {name: -y / 72 for name, (_, y) in graph.places().items() if not name.startswith("c")}
    lowest = min(wanted.values())
    heights = {name: height - lowest for name, height in wanted.items()}
    return Layout(
        {name: heights[ids[name]] for name in column},
        {edge: tuple(heights[name] for name in passed) for edge, passed in chains.items()},
        max(heights.values()),
    )
