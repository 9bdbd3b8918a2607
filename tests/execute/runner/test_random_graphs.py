"""Random graphs over all ops and ranks: what the analysis says of them against a run that counts."""

from __future__ import annotations

import pytest

from archcalc.execute.runner import SeededWeights, compare, execute
from archcalc.execute.runner.execute import Algorithm
from archcalc.execute.runner.inputs import random_inputs
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from tests.networks import chain, op
from tests.random_graphs import KINDS, in_words, random_graph

#: Graphs of one test; a seed of its own for each.
PART = 500
parts = pytest.mark.parametrize(
    "start", [pytest.param(start, marks=pytest.mark.slow) for start in range(0, 10_000, PART)]
)  # fmt: skip


def check(graph: LayerGraph, algorithm: Algorithm = "im2col") -> None:
    """Shapes, arrays, bytes of live maps and totals; counted multiplications, except by the quick algorithms."""
    count = algorithm in ("im2col", "loops")
    execution = execute(
        graph, random_inputs(graph, 2, 0, "float64"), SeededWeights(graph, 0, "float64"), algorithm, count
    )
    assert compare(execution, analyse(graph, 2, "float64"), memory=count) == [], in_words(graph)


def test_a_few_graphs_agree() -> None:
    for seed in range(24):
        check(random_graph(seed))


def test_trained_arrays_as_maps_are_not_counted_twice() -> None:
    """What an activation and a dense layer do with a parameter: only the dense layer's own products count."""
    dense = op("linear", out_features=3)
    given, trained = (op("input", shape=(4,)), ()), (op("parameter", shape=(4,)), ())
    check(chain(given, trained, (op("tanh"), (1,)), (dense, (1,)), (dense, (2,)), outputs=(3, 4)))


def test_a_table_of_connections_over_a_volume() -> None:
    table = op("conv3d", out_channels=2, kernel_size=2, connections=[[0], [0, 1]])
    check(chain((op("input", shape=(2, 3, 3, 3)), ()), (table, (0,))))


@parts
def test_graphs_agree(start: int) -> None:
    for seed in range(start, start + PART):
        check(random_graph(seed))


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["loops", "auto"])
def test_graphs_agree_by_other_algorithms(algorithm: Algorithm) -> None:
    for seed in range(300):
        check(random_graph(seed), algorithm)


def test_no_op_and_no_form_of_graph_is_missed() -> None:
    graphs = [random_graph(seed) for seed in range(600)]
    layers = [layer for graph in graphs for layer in graph]
    assert {layer.op.kind for layer in layers} == {*KINDS, "input"}
    assert {len(graph.input_shape) - 1 for graph in graphs} == {0, 1, 2, 3}
    assert sum(layer.weights_of is not None for layer in layers) > 50
    assert sum(len(graph.inputs) > 1 for graph in graphs) > 50
    assert sum(len(graph.outputs) > 1 for graph in graphs) > 50
    assert random_graph(7) == random_graph(7)
