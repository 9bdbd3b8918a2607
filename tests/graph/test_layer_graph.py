"""The layer graph: plain nodes in topological order, and its networkx view."""

from __future__ import annotations

import pytest

from archcalc.graph.layer_graph import LayerGraph, Output
from archcalc.passes.analysis import analyse
from tests.networks import graph, layers

RESIDUAL = """\
  - conv2d: {name: conv, out_channels: 4, kernel_size: 3, padding: same}
  - branches:
      - - conv2d: {name: inner, out_channels: 4, kernel_size: 3, padding: same}
      - []
    merge: add
  - relu: {name: last}
"""


def test_the_input_is_the_first_layer() -> None:
    network = layers(RESIDUAL, size="5x6x3")
    assert (network.layers[0].name, network.layers[0].op.kind, network.layers[0].inputs) == ("input", "input", ())
    assert network.input_shape == (3, 5, 6)


def test_every_layer_reads_only_earlier_ones() -> None:
    network = layers(RESIDUAL)
    assert [layer.inputs for layer in network] == [(), (0,), (1,), (2, 1), (3,)]
    assert len(network) == 5


def test_layers_are_found_by_name() -> None:
    network = layers(RESIDUAL)
    assert {name: network.layers[position].name for name, position in network.index.items()} == {
        name: name for name in ("input", "conv", "inner", "add1", "last")
    }


def test_the_last_layer_is_the_output_unless_the_spec_says_otherwise() -> None:
    assert layers(RESIDUAL).outputs == (Output("output", 4, 1.0),)


def test_with_input_changes_nothing_but_the_input() -> None:
    network = layers(RESIDUAL, size="5x6x3")
    other = network.with_input((1, 28, 30))
    assert other.input_shape == (1, 28, 30)
    assert network.input_shape == (3, 5, 6), "the graph itself stays as it was"
    assert other.layers[1:] == network.layers[1:]
    assert (other.name, other.title, other.outputs) == (network.name, network.title, network.outputs)
    assert analyse(other)["last"].output_shape == (4, 28, 30)


def test_the_facts_of_the_spec_travel_with_the_graph() -> None:
    network = graph(
        """\
authors: [A. Author, B. Author]
year: 1998
description: For the tests.
paper: {title: On tests, venue: Proceedings, url: "https://example.org"}
reported: [{quantity: params, value: 60000, source: section 2}]
parameters: {classes: 10}
input: 8x8x1
layers: [linear: {out_features: classes}]
"""
    )
    assert (network.name, network.title, network.description) == ("net", "A network", "For the tests.")
    assert (network.authors, network.year) == (("A. Author", "B. Author"), 1998)
    assert network.paper is not None
    assert (network.paper.title, network.paper.venue, network.paper.url) == (
        "On tests",
        "Proceedings",
        "https://example.org",
    )
    assert [(figure.quantity, figure.value, figure.source) for figure in network.reported] == [
        ("params", 60000, "section 2")
    ]
    assert network.settings == {"classes": 10}


def test_a_graph_cannot_be_changed() -> None:
    network = layers(RESIDUAL)
    with pytest.raises(AttributeError):
        network.name = "other"  # type: ignore[misc]  # frozen, as the type checker says too


def test_graphs_of_the_same_spec_are_equal() -> None:
    first, second = layers(RESIDUAL), layers(RESIDUAL)
    assert isinstance(first, LayerGraph)
    assert first == second
    assert first != layers(RESIDUAL, size="5x6x3")
