"""Which layers run as one: what follows a convolution or dense layer is done while its result is in the cache."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from archcalc.graph.layer_graph import Layer, LayerGraph

#: Convolutions with prepared weights; a table of connections has none.
CONVOLUTIONS = {"conv2d", "depthwise_conv2d"}
#: Linear in each channel, so their numbers can be multiplied into the weights.
FOLDED = {"batch_norm2d", "multiply"}
#: At inference they do nothing.
IDLE = {"dropout", "identity"}


class Group(NamedTuple):
    """Layers that run as one, by position: the first works, the others follow it in a chain.

    `inputs` are the maps that the first reads, then the one that an addition in the chain adds. All layers have the
    shape of the last; only its map is made.
    """

    layers: tuple[int, ...]
    inputs: tuple[int, ...]
    folded: tuple[int, ...] = ()
    residual: bool = False
    relu: bool = False

    @property
    def first(self) -> int:
        return self.layers[0]

    @property
    def last(self) -> int:
        return self.layers[-1]


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
    kind = head.op.kind
    convolution = kind in CONVOLUTIONS and getattr(head.op, "connections", None) is None
    group = Group((first,), head.inputs)
    if not (convolution or kind in ("linear", "batch_norm2d", "add")):
        return group
    while group.last in then and not group.relu:
        index = then[group.last]
        layer = graph.layers[index]
        kind = layer.op.kind
        added = group._replace(layers=(*group.layers, index))
        if kind in IDLE:
            group = added
        elif kind == "relu":
            group = added._replace(relu=True)
        elif not convolution or group.residual:
            break
        elif kind in FOLDED and len(layer.inputs) == 1:
            group = added._replace(folded=(*group.folded, index))
        elif kind == "add" and _comes_last(layer, group.last):
            (other,) = (source for source in layer.inputs if source != group.last)
            group = added._replace(inputs=(*group.inputs, other), residual=True)
        else:
            break
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
