"""A layered layout, left to right: in which column each node stands and how high, so that few edges cross.

After Sugiyama, Tagawa & Toda 1981: edges that pass a column get a place of their own in it, and nodes are moved towards
their neighbours, from both sides in turn.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

SWEEPS = 24
#: Distances within a column: between two nodes, a node and an edge, two edges.
APART, NEAR, CLOSE = 1.0, 0.75, 0.4

Key = tuple[Hashable, ...]


class Layout(NamedTuple):
    """The height of each node, from 0, and the heights at which each edge passes the columns between its ends."""

    heights: Mapping[str, float]
    passes: Mapping[tuple[str, str], tuple[float, ...]]
    height: float


def arrange(columns: Sequence[Sequence[str]], edges: Sequence[tuple[str, str]]) -> Layout:
    """Heights for nodes in given columns; every edge leads to a later column."""
    column = {name: number for number, names in enumerate(columns) for name in names}
    places: list[list[Key]] = [[(name,) for name in names] for names in columns]
    neighbours: dict[Key, tuple[list[Key], list[Key]]] = {key: ([], []) for names in places for key in names}
    for source, target in edges:
        chain: list[Key] = [(source,)]
        for number in range(column[source] + 1, column[target]):
            key = (source, target, number)
            places[number].append(key)
            neighbours[key] = ([], [])
            chain.append(key)
        chain.append((target,))
        for first, second in itertools.pairwise(chain):
            neighbours[first][1].append(second)
            neighbours[second][0].append(first)
    heights = {key: float(place) for names in places for place, key in enumerate(names)}
    best: tuple[float, dict[Key, float]] | None = None
    for sweep in range(SWEEPS):
        side = sweep % 2
        for names in places if side == 0 else reversed(places):
            _settle(names, heights, neighbours, side)
        cost = _cost(places, heights, neighbours)
        if best is None or cost < best[0]:
            best = (cost, dict(heights))
    assert best is not None
    heights = best[1]
    lowest = min(heights.values())
    found = {key: height - lowest for key, height in heights.items()}
    return Layout(
        {name: found[(name,)] for names in columns for name in names},
        {
            (source, target): tuple(
                found[(source, target, number)] for number in range(column[source] + 1, column[target])
            )
            for source, target in edges
        },
        max(found.values()),
    )


def _settle(
    names: list[Key], heights: dict[Key, float], neighbours: Mapping[Key, tuple[list[Key], list[Key]]], side: int
) -> None:
    """Moves a column towards its neighbours on one side, and apart where they are too near."""

    def wanted(key: Key) -> float:
        near = neighbours[key][side] or neighbours[key][1 - side]
        return sum(heights[other] for other in near) / len(near) if near else heights[key]

    wishes = {key: wanted(key) for key in names}
    names.sort(key=lambda key: (wishes[key], [str(part) for part in key]))
    # Groups of nodes that touch move as one, to the mean of their wishes.
    groups: list[tuple[list[Key], float]] = []
    for key in names:
        groups.append(([key], wishes[key]))
        while len(groups) > 1 and _bottom(groups[-2]) + _gap(groups[-2][0][-1], groups[-1][0][0]) > _top(groups[-1]):
            (first, _), (second, _) = groups[-2:]
            merged = first + second
            offsets = _offsets(merged)
            middle = sum(wishes[key] - offset for key, offset in zip(merged, offsets, strict=True)) / len(merged)
            groups[-2:] = [(merged, middle)]
    for keys, start in groups:
        for key, offset in zip(keys, _offsets(keys), strict=True):
            heights[key] = start + offset


def _offsets(keys: Sequence[Key]) -> list[float]:
    """Heights within a group whose first node is at 0."""
    offsets = [0.0]
    for first, second in itertools.pairwise(keys):
        offsets.append(offsets[-1] + _gap(first, second))
    return offsets


def _top(group: tuple[list[Key], float]) -> float:
    return group[1]


def _bottom(group: tuple[list[Key], float]) -> float:
    return group[1] + _offsets(group[0])[-1]


def _gap(first: Key, second: Key) -> float:
    nodes = (len(first) == 1) + (len(second) == 1)
    return (CLOSE, NEAR, APART)[nodes]


def _cost(
    places: Sequence[Sequence[Key]], heights: Mapping[Key, float], neighbours: Mapping[Key, tuple[list[Key], list[Key]]]
) -> float:
    """Crossings above all, then how steep the edges are, then the whole height."""
    crossings, steep = 0, 0.0
    for names in places:
        lines = [(heights[key], heights[other]) for key in names for other in neighbours[key][1]]
        crossings += sum(
            (a[0] - b[0]) * (a[1] - b[1]) < 0 for index, a in enumerate(lines) for b in lines[index + 1 :]
        )  # fmt: skip
        steep += sum(abs(start - end) for start, end in lines)
    return crossings * 100 + steep + 3 * (max(heights.values()) - min(heights.values()))
