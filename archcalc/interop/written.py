"""The nodes of a model file that each layer is: tools that read files count these, whatever pattern they are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from archcalc.graph.layer_graph import FileNode
from archcalc.interop.foreign import ForeignNetwork
from archcalc.interop.program import STEP, Program

#: Layers whose result is arranged in further layers.
_RECURRENT = ("rnn", "lstm", "gru")


def with_written(network: ForeignNetwork, program: Program) -> ForeignNetwork:
    """The network with the nodes of its layers.

    A node belongs to the first layer after it whose value it leads to, the layer of its own value before all; one
    that leads to none belongs to the layer before it. So every node has one layer.
    """
    layers = _by_value(network)
    #: The layer that a value leads to first.
    leads: dict[str, int] = {}
    owners: list[int | None] = []
    for one in reversed(program.written):
        own = [layers[name] for name in one.outputs if name in layers]
        first = min(own or [leads[name] for name in one.outputs if name in leads], default=None)
        owners.append(first)
        if first is not None:
            for name in one.inputs:
                leads[name] = min(first, leads.get(name, first))
    found: dict[str, list[FileNode]] = defaultdict(list)
    made: dict[str, int] = {}
    for one, after in zip(program.written, reversed(owners), strict=True):
        before = max((made[name] for name in one.inputs if name in made), default=len(network.nodes) - 1)
        owner = before if after is None else after
        made |= dict.fromkeys(one.outputs, owner)
        if network.nodes:
            found[network.nodes[owner].name].append(one.node)
    return replace(network, written={name: tuple(nodes) for name, nodes in found.items()})


def _by_value(network: ForeignNetwork) -> dict[str, int]:
    """The layer of each value of the file: of several the one that is recurrent, else the last."""
    found: dict[str, int] = {}
    for place, node in enumerate(network.nodes):
        value = node.value.partition(STEP)[0]
        if value and (value not in found or network.nodes[found[value]].op not in _RECURRENT):
            found[value] = place
    return found
