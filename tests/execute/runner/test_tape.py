"""The way back through a network: against finite differences along random directions, on random networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import UsageError
from archcalc.execute.kernels import Array
from archcalc.execute.kernels.registry import Sizes
from archcalc.execute.runner import SeededWeights
from archcalc.execute.runner.inputs import random_input
from archcalc.execute.runner.tape import record, rewind
from archcalc.graph.layer_graph import LayerGraph
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import networks, run, sharing
from tests.networks import chain, layers, op
from tests.tiers import examples

STEP = 1e-6


class Moved:
    """Weights that were moved along a direction."""

    def __init__(self, weights: SeededWeights, directions: Mapping[str, Mapping[str, Array]], by: float) -> None:
        self._weights, self._directions, self._by = weights, directions, by

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        made = self._weights.of(layer, sizes)
        move = self._directions[layer]
        return {name: made[name] + self._by * move[name] if name in move else made[name] for name in made}


def slopes(graph: LayerGraph, batch: int, training: bool, seed: int = 0) -> tuple[float, float, float]:
    """The slope of Σ r·output along a direction in inputs and weights: by gradients, by differences; and its scale."""
    draw = np.random.default_rng(seed)
    weights = SeededWeights(graph, seed, "float64", keep=True)
    x = random_input(graph.input_shape, batch, seed, "float64")
    tape = record(graph, x, weights, training)
    seeds = {each.layer: draw.standard_normal(tape.maps[each.layer].shape) for each in graph.outputs}
    moves = {
        graph.layers[index].name: {
            name: draw.standard_normal(array.shape) for name, array in arrays.items() if "running" not in name
        }
        for index, arrays in tape.arrays.items()
    }
    to_x = draw.standard_normal(x.shape)
    products = []
    for step in rewind(tape, seeds):
        name = graph.layers[step.layer].name
        products += [(step.arrays[array] * moves[name][array]).sum() for array in step.arrays]
        if step.layer == 0 and step.map is not None:
            products.append((step.map * to_x).sum())
    assert not tape.maps, "maps are freed on the way"

    def loss(by: float) -> float:
        moved = record(graph, x + by * to_x, Moved(weights, moves, by), training)
        return sum(float((moved.maps[layer] * seed).sum()) for layer, seed in seeds.items())

    scale = sum(abs(each) for each in products)
    return float(sum(products)), (loss(STEP) - loss(-STEP)) / (2 * STEP), max(float(scale), 1.0)


@examples(200)
@given(networks(), st.integers(1, 3), st.booleans())
def test_random_networks(graph: LayerGraph, batch: int, training: bool) -> None:
    try:
        slope, wanted, scale = slopes(graph, batch, training)
    except UsageError as error:
        # One value a channel: batch normalisation cannot be trained on that.
        assert "has no variance" in str(error)  # noqa: PT017
        assert training
        return
    assert slope == pytest.approx(wanted, rel=0, abs=1e-5 * scale)


def test_a_recorded_run_is_the_run() -> None:
    graph = load("lenet5")
    execution, _ = run(graph, "im2col", batch=2)
    x = random_input(graph.input_shape, 2, 0, "float32")
    tape = record(graph, x, SeededWeights(graph, 0, "float32"))
    np.testing.assert_allclose(tape.maps[len(graph) - 1], next(iter(execution.outputs.values())), rtol=1e-5)


def test_gradients_add_up_where_a_map_is_read_twice() -> None:
    graph = chain(
        (op("input", shape=(2, 3, 3)), ()), (op("relu"), (0,)), (op("add"), (1, 1)), (op("add"), (2, 0)),
    )  # fmt: skip
    x = np.ones((1, 2, 3, 3))
    steps = {step.layer: step.map for step in rewind(record(graph, x, SeededWeights(graph)), {3: np.ones_like(x)})}
    np.testing.assert_array_equal(steps[1], 2 * x)
    np.testing.assert_array_equal(steps[0], 3 * x)


def test_a_layer_without_part_in_the_loss_has_no_gradient() -> None:
    graph = chain((op("input", shape=(2, 3, 3)), ()), (op("relu"), (0,)), (op("tanh"), (0,)), outputs=(2,))
    x = np.ones((1, 2, 3, 3))
    steps = {step.layer: step.map for step in rewind(record(graph, x, SeededWeights(graph)), {2: x})}
    assert steps[1] is None
    assert steps[0] is not None


def test_a_maximum_of_padding_alone_has_no_gradient() -> None:
    pool = {"kernel_size": 2, "stride": 2, "padding": 1, "ceil_mode": True, "clip_last_window": False}
    graph = chain((op("input", shape=(2, 5, 5)), ()), (op("max_pool2d", **pool), (0,)))
    tape = record(graph, np.ones((1, 2, 5, 5)), SeededWeights(graph))
    with pytest.raises(UsageError, match=r'layer "1" \(max_pool2d\): a window holds nothing but padding'):
        list(rewind(tape, {1: np.ones((1, 2, 4, 4))}))


def test_a_batch_of_one_value_is_refused() -> None:
    graph = layers("  - global_avg_pool2d\n  - batch_norm2d: {name: bn}\n")
    x = random_input(graph.input_shape, 1, 0, "float32")
    with pytest.raises(UsageError, match=r'layer "bn" .*: one value a channel has no variance'):
        record(graph, x, SeededWeights(graph), training=True)


@examples(100)
@given(sharing(), st.booleans())
def test_gradients_of_shared_weights(graph: LayerGraph, training: bool) -> None:
    try:
        slope, wanted, scale = slopes(graph, 2, training)
    except UsageError as error:
        assert "has no variance" in str(error)  # noqa: PT017
        return
    assert slope == pytest.approx(wanted, rel=0, abs=1e-5 * scale)


def test_gradients_of_shared_weights_add_up() -> None:
    network = layers(
        "  - conv2d: {name: a, out_channels: 4, kernel_size: 3, padding: 1}\n"
        "  - conv2d: {name: b, out_channels: 4, kernel_size: 3, padding: 1, weights: a}\n"
    )
    alone = replace(network, layers=tuple(layer._replace(weights_of=None) for layer in network))
    weights = SeededWeights(network, 0, "float64", keep=True)
    x = random_input(network.input_shape, 2, 0, "float64")
    tape = record(network, x, weights)
    # The same arrays under both names, as if they were not shared.
    parted = replace(record(alone, x, weights), maps=dict(tape.maps), arrays=tape.arrays)
    seed = np.ones_like(tape.maps[2])
    shared = {step.layer: step.arrays for step in rewind(tape, {2: seed})}
    own = {step.layer: step.arrays for step in rewind(parted, {2: seed})}
    assert shared[2] == {}
    for name in ("weight", "bias"):
        np.testing.assert_allclose(shared[1][name], own[1][name] + own[2][name])
        assert np.abs(own[2][name]).max() > 0
