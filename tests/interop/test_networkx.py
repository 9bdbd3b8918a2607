"""The networkx view: the same nodes and edges, and what algorithms on graphs make of it."""

from __future__ import annotations

import networkx

from archcalc.interop.networkx import to_networkx
from archcalc.spec.catalogue import load
from tests.graph.test_layer_graph import RESIDUAL
from tests.networks import layers, names


def test_the_view_has_the_same_nodes_and_edges() -> None:
    network = layers(RESIDUAL)
    view = to_networkx(network)
    assert view.name == "net"
    assert list(view) == ["input", *names(network)]
    assert set(view.edges) == {
        ("input", "conv"),
        ("conv", "inner"),
        ("inner", "add1"),
        ("conv", "add1"),
        ("add1", "last"),
    }
    assert view.nodes["conv"]["layer"] == network.layers[1]
    assert networkx.is_directed_acyclic_graph(view)
    assert list(networkx.topological_sort(view)) == ["input", *names(network)]


def test_a_residual_network_has_two_ways_through_each_unit() -> None:
    """ResNet-18 has eight units, each with a shortcut: 2^8 paths, and only the shortcuts' ends have two inputs."""
    view = to_networkx(load("resnet18"))
    assert sum(degree == 2 for _, degree in view.in_degree()) == 8
    ways = {"input": 1}
    for name in list(view)[1:]:
        ways[name] = sum(ways[source] for source in view.predecessors(name))
    assert ways[list(view)[-1]] == 2**8
