"""The Graphviz graph: equal layers and edges, read back by another parser of DOT, whatever the names hold."""

from __future__ import annotations

from dataclasses import replace

import pygraphviz
import pytest

from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.graphviz import to_graphviz
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load


def read(graph: LayerGraph) -> pygraphviz.AGraph:
    return pygraphviz.AGraph(string=to_graphviz(analyse(graph)).source)


@pytest.mark.parametrize("name", ["alexnet", "googlenet@aux", "resnet18", "unet"])
def test_layers_and_edges_are_those_of_the_network(name: str) -> None:
    graph = load(name)
    dot = read(graph)
    assert dot.is_directed()
    assert sorted(dot.nodes()) == sorted(layer.name for layer in graph)
    pairs = {(graph.layers[source].name, layer.name) for layer in graph for source in layer.inputs}
    assert {tuple(edge) for edge in dot.edges()} == pairs


def test_a_label_says_what_a_layer_is() -> None:
    dot = read(load("alexnet"))
    assert dot.get_node("conv1").attr["label"] == r"conv1\nconv 11×11, 96, /4\n55×55×96"


HOSTILE = [
    'a"b',
    "a:b",
    "a&#58;b",
    "<b>x</b>",
    "back\\slash\\",
    "a\\n",
    "node",
    "digraph",
    "-1",
    "a&amp;b",
    "->",
    "ключ",
]


def test_no_name_is_taken_for_something_else() -> None:
    graph = load(f"8x8x3 -> [relu]*{len(HOSTILE)}")
    layers = [layer._replace(name=name) for layer, name in zip(graph.layers[1:], HOSTILE, strict=True)]
    dot = read(replace(graph, layers=(graph.layers[0], *layers)))
    assert len(dot.nodes()) == len(graph)
    # A chain: every node but the last has one successor, and no edge has a port.
    assert len(dot.edges()) == len(HOSTILE)
    ends = [node for node in dot.nodes() if dot.out_degree(node) == 0]
    assert ends == ["ключ"]
    assert not any(edge.attr["tailport"] or edge.attr["headport"] for edge in dot.edges())
