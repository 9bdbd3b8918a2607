"""The order in which a network is laid out: what leads to outputs alone directly follows the map that it reads."""

from __future__ import annotations

from dataclasses import replace

from archcalc.render.diagrams.frames import outermost
from archcalc.render.diagrams.model import Diagram


def with_heads_at_their_maps(diagram: Diagram) -> Diagram:
    """The same network with its heads next to the trunk; of branches that all end in outputs the longest goes on.

    Nothing comes before what it reads, and frames stay in one piece.
    """
    kept = {group.path for group in diagram.groups}
    item_of = {node.id: outermost(node.path, kept) or (node.id, "") for node in diagram.nodes}
    order = list(dict.fromkeys(item_of.values()))
    readers: dict[tuple[str, ...], set[tuple[str, ...]]] = {item: set() for item in order}
    read: dict[tuple[str, ...], set[tuple[str, ...]]] = {item: set() for item in order}
    for edge in (*diagram.edges, *diagram.sized):
        source, target = item_of[edge.source], item_of[edge.target]
        if source != target:
            readers[source].add(target)
            read[target].add(source)
    after: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for item in reversed(order):
        after[item] = {item}.union(*(after[reader] for reader in readers[item]))
    for source in order:
        branches = [after[reader] for reader in order if reader in readers[source]]
        heads = [branch for branch in branches if all(read[item] <= branch | {source} for item in branch)]
        if len(heads) == len(branches):
            heads = sorted(heads, key=len)[:-1]
        for head in heads:
            rest = [item for item in order if item not in head]
            place = rest.index(source) + 1
            order = [*rest[:place], *(item for item in order if item in head), *rest[place:]]
    place_of = {item: place for place, item in enumerate(order)}
    return replace(diagram, nodes=tuple(sorted(diagram.nodes, key=lambda node: place_of[item_of[node.id]])))
