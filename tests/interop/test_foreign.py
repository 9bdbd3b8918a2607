"""Networks of other formats become layer graphs, checked as specs are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from archcalc.core.errors import SpecError, UsageError
from archcalc.core.shapes import Shape
from archcalc.interop.foreign import ForeignNetwork, ForeignNode, legal_name, to_network
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from archcalc.spec.write import write_graph


def node(name: str, op: str, *inputs: str, **fields: Any) -> ForeignNode:
    return ForeignNode(name, op, fields, inputs, place=f"net.txt:{name}")


def network(*nodes: ForeignNode, inputs: Mapping[str, Shape] | None = None, outputs: str = "") -> ForeignNetwork:
    names = outputs.split() or [nodes[-1].name]
    return ForeignNetwork("net", "Net", inputs or {"data": (3, 8, 8)}, nodes, {f"out{name}": name for name in names})


CONV = node("stage/conv", "conv2d", "data", out_channels=4, kernel_size=3, padding=1)


def test_a_network_is_that_of_the_same_spec() -> None:
    made = to_network(
        network(CONV, node("stage/relu", "relu", "stage/conv"), node("fc", "linear", "stage/relu", out_features=5))
    )
    written = """
name: net
title: Net
input: 8x8x3
layers:
  - conv2d: {name: stage/conv, out_channels: 4, kernel_size: 3, padding: 1}
  - relu: {name: stage/relu}
  - linear: {name: fc, out_features: 5}
"""
    assert made == build(spec_of(parse_source(written, "net.yaml")))
    # 4 filters of 3·3·3 weights and a bias; 5 neurons of 4·8·8 weights and a bias.
    assert analyse(made).totals.params == 4 * 28 + 5 * 257


def test_several_inputs_keep_their_names_and_outputs_theirs() -> None:
    made = to_network(
        network(
            node("a", "relu", "left"), node("b", "add", "a", "right"),
            inputs={"left": (2, 4, 4), "right": (2, 4, 4)}, outputs="a b",
        )
    )  # fmt: skip
    assert dict(made.inputs) == {"left": (2, 4, 4), "right": (2, 4, 4)}
    assert [(output.name, made.layers[output.layer].name) for output in made.outputs] == [("outa", "a"), ("outb", "b")]


@pytest.mark.parametrize(
    ("given", "legal"),
    [
        ("layer1/0/conv1", "layer1/0/conv1"), ("//a / b/", "a/b"), ("x\n\u200b", "x__"), ("{a}", "(a)"), ("///", ""),
        ("a" * 600, "a" * 500),
    ],
)  # fmt: skip
def test_names_become_legal(given: str, legal: str) -> None:
    assert legal_name(given) == legal


def test_names_become_unique_and_are_no_blocks() -> None:
    names = ["a/b", "a", "a//b", "a/b/", "{c}", "(c)", "", "input"]
    source, nodes = "data", []
    for name in names:
        nodes.append(node(name, "relu", source))
        source = name
    graph = to_network(network(*nodes))
    assert [layer.name for layer in graph] == [
        "input", "a/b", "a/relu", "a/b_2", "a/b_3", "(c)", "(c)_2", "relu", "input_2",
    ]  # fmt: skip


def test_inputs_are_in_no_block() -> None:
    nodes = [node("b/fc", "linear", "b", out_features=4), node("add", "add", "in/a", "b/fc")]
    made = to_network(network(*nodes, inputs={"in/a": (4,), "b": (4,)}))
    assert list(made.inputs) == ["in_a", "b_input"]
    assert build(spec_of(parse_source(write_graph(made), "again.yaml"))) == made


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (
            network(node("c", "conv2d", "data", out_channels=4)),
            'net.txt:c: layer "c" (conv2d): conv2d needs kernel_size',
        ),
        (network(node("c", "relux", "data")), "net.txt:c: layer \"c\": there is no op 'relux'; did you mean relu"),
        (network(node("c", "relu", "dat")), "net.txt:c: layer \"c\" (relu): it reads 'dat'; did you mean data?"),
        (
            network(node("c", "relu", "d"), node("d", "relu", "data")),
            "net.txt:c: layer \"c\" (relu): it reads 'd', which comes later",
        ),
        (network(node("c", "add", "data")), 'net.txt:c: layer "c" (add): add takes at least 2 inputs, 1 reach it'),
        (
            network(node("c", "conv2d", "data", out_channels=4, kernel_size=9)),
            'net.txt:c: layer "c" (conv2d): the window is larger than its input',
        ),
        (network(node("c", "relu", "data"), node("c", "relu", "data")), "net.txt:c: two layers are named 'c'"),
        (network(node("c", "relu", "data"), outputs="e"), "the output 'oute' is 'e', which is not there"),
        (network(node("c", "relu", "data"), inputs={"data": (3, 0, 8)}), "the input 'data' is 3×0×8 (channels first)"),
        (ForeignNetwork("net", "", {"data": (1,)}, (), {}), "net has no outputs"),
    ],
)  # fmt: skip
def test_faults_name_their_place(faulty: ForeignNetwork, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        to_network(faulty)
    assert str(caught.value).startswith(message)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        to_network(network(*(node(f"n{index}", "nothing", "data") for index in range(80))))
    assert len(caught.value.problems) == 50


def test_shared_weights_have_one_owner() -> None:
    first = node("a", "linear", "data", out_features=192)
    shared = ForeignNode("b", "linear", {"out_features": 192}, ("flat",), weights="a")
    flat = node("flat", "flatten", "data")
    other = ForeignNode("c", "linear", {"out_features": 192}, ("b",), weights="b")
    graph = to_network(network(first, flat, shared, other))
    assert [layer.weights_of for layer in graph] == [None, None, None, 1, 1]
    assert analyse(graph).totals.params == 192 * 193


def test_frozen_layers_and_arrays_are_kept() -> None:
    arrays = {"bias": lambda: np.ones(2)}
    frozen = ForeignNode("a//b", "linear", {"out_features": 2}, ("data",), arrays=arrays, frozen=True)
    graph = to_network(network(frozen))
    assert graph.layers[1].frozen
    assert graph.arrays["a/b"]["bias"]().tolist() == [1, 1]


def test_other_inputs_are_read_again() -> None:
    def read(shapes: Mapping[str, Shape]) -> ForeignNetwork:
        return network(CONV, node("flat", "reshape", "stage/conv", shape=4 * shapes["data"][1] ** 2), inputs=shapes)

    graph = to_network(read({"data": (3, 8, 8)}), read)
    assert graph.with_input((3, 8, 8)) == graph
    larger = graph.with_input((3, 10, 10))
    assert analyse(larger).rows[-1].output_shape == (400,)
    assert analyse(larger.with_input((3, 6, 6))).rows[-1].output_shape == (144,)


def test_without_a_reader_the_input_stays() -> None:
    graph = to_network(network(CONV))
    assert graph.with_input((3, 8, 8)) == graph
    with pytest.raises(UsageError, match="its input cannot be another"):
        graph.with_input((3, 10, 10))


def test_very_many_equal_names_take_no_long_time() -> None:
    nodes = [node("{" * count, "relu", "data") for count in range(1, 3000)]
    assert len({layer.name for layer in to_network(network(*nodes))}) == 3000
