"""A network as a networkx graph, for algorithms on graphs."""

from __future__ import annotations

import networkx

from archcalc.graph.layer_graph import LayerGraph


def to_networkx(graph: LayerGraph) -> networkx.DiGraph[str]:
    """A directed graph: a node for each layer by its name, in order, with the `Layer` as the attribute `layer`.

    >>> from archcalc.spec.catalogue import load
    >>> graph = to_networkx(load("alexnet"))
    >>> list(graph.successors("conv1"))
    ['relu1']
    >>> graph.nodes["conv1"]["layer"].op.out_channels
    96
    """
    result: networkx.DiGraph[str] = networkx.DiGraph(name=graph.name)
    for layer in graph.layers:
        result.add_node(layer.name, layer=layer)
    for layer in graph.layers:
        result.add_edges_from((graph.layers[source].name, layer.name) for source in layer.inputs)
    return result
