"""Which layers run as one: what follows a convolution or dense layer is done while its result is in the cache."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from archcalc.execute.quick.registry import Group, form_of, role_of
from archcalc.graph.layer_graph import Layer, LayerGraph


def fuse(graph: LayerGraph, watched: Collection[int] | None) -> tuple[Group, ...]:
    """The groups in the order in which they can run: that of their last layers.

    The maps of `watched` layers are made, so these end a group; `None` watches every layer.
    """
    readers: list[list[int]] = [[] for _ in graph]
    for index, layer in enumerate(graph):
        for source in layer.inputs:
            readers[source].append(index)
    kept = set(range(len(graph))) if watched is None else set(watched)
    kept.update(output.layer for output in graph.outputs)
    #: The only reader of a map that nobody else sees.
    then = {index: each[0] for index, each in enumerate(readers) if len(each) == 1 and index not in kept}
    taken: set[int] = set()
    groups = []
    for index in range(len(graph)):
        if index not in taken:
            group = _chain(graph, index, then)
            taken.update(group.layers)
            groups.append(group)
    return tuple(sorted(groups, key=lambda group: group.last))


def _chain(graph: LayerGraph, first: int, then: dict[int, int]) -> Group:
    head = graph.layers[first]
    group = Group((first,), head.inputs)
    form = form_of(head.op)
    # After an addition only a rectifier can follow, and after that nothing.
    while form is not None and group.last in then and not group.relu:
        index = then[group.last]
        layer = graph.layers[index]
        role = role_of(layer)
        if role not in form.does or (group.residual and role in ("scale", "add")):
            break
        added = group._replace(layers=(*group.layers, index))
        if role == "rectify":
            added = added._replace(relu=True)
        elif role == "scale":
            added = added._replace(scaled=(*group.scaled, index))
        elif role == "add":
            if not _comes_last(layer, group.last):
                break
            (other,) = (source for source in layer.inputs if source != group.last)
            added = added._replace(inputs=(*group.inputs, other), residual=True)
        group = added
    return group


def _comes_last(layer: Layer, source: int) -> bool:
    """Whether the addition has two inputs, and the other one is there before this one."""
    return len(layer.inputs) == 2 and source == max(layer.inputs) and min(layer.inputs) < source


def reads(groups: Iterable[Group], graph: LayerGraph) -> list[int]:
    """How often each map is read by groups, or is a result of the network."""
    counts = [0] * len(graph)
    for group in groups:
        for source in group.inputs:
            counts[source] += 1
    for output in graph.outputs:
        counts[output.layer] += 1
    return counts
