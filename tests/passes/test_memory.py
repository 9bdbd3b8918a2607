"""Activation memory: what is stored, and the most that lives at one time, against a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.conventions import Conventions
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.passes.memory import Memory, measure_memory
from archcalc.passes.shapes import infer_shapes
from tests.networks import ALEXNET, VGG16, chain, graph, layers, op
from tests.tiers import examples

VIEWS = {"identity", "flatten", "reshape", "dropout"}
OVERWRITES = {"relu", "relu6", "tanh", "scaled_tanh", "sigmoid", "softmax"}


def measured(network: LayerGraph, in_place: bool = True) -> Memory:
    return measure_memory(network, infer_shapes(network).layers, in_place)


# --- stored values


def test_vgg_16_stores_what_the_lecture_adds_up() -> None:
    # CS231n, case studies, VGGNet in detail: 150K + 3.2M + 3.2M + 800K + … + 1000, here to the last digit.
    assert analyse(graph(VGG16)).totals.activations == 15_237_608


def test_alexnet_stores_each_map_once() -> None:
    analysis = analyse(graph(ALEXNET))
    maps = [
        227 * 227 * 3,
        *(55 * 55 * 96, 27 * 27 * 96),
        *(27 * 27 * 256, 13 * 13 * 256),
        *(13 * 13 * 384, 13 * 13 * 384, 13 * 13 * 256, 6 * 6 * 256),
        *(4096, 4096, 1000),
    ]
    assert [row.activations for row in analysis.rows if row.activations] == maps
    assert analysis.totals.activations == sum(maps)


@pytest.mark.parametrize("kind", sorted(VIEWS - {"reshape"} | OVERWRITES))
def test_ops_that_work_in_place_store_nothing(kind: str) -> None:
    network = layers(f"  - conv2d: {{out_channels: 2, kernel_size: 1}}\n  - {kind}\n")
    assert measured(network).stored == (256, 128, 0)
    assert measured(network, in_place=False).stored == (256, 128, 128)


def test_normalisation_stores_its_output() -> None:
    assert measured(layers("  - batch_norm2d\n  - local_response_norm\n")).stored == (256, 256, 256)


def test_bytes_are_for_the_whole_batch_in_the_dtype() -> None:
    network = layers("  - conv2d: {out_channels: 2, kernel_size: 1}\n")
    for dtype, size in {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}.items():
        analysis = analyse(network, batch=3, dtype=dtype)
        assert [row.activation_bytes for row in analysis.rows] == [256 * 3 * size, 128 * 3 * size]
        assert analysis.totals.activation_bytes == 384 * 3 * size
        assert analysis.totals.activations == 384, "counts are per image"
        assert analysis.totals.peak_activation_bytes == 384 * 3 * size


# --- live values, by hand


def test_a_chain_holds_two_maps_at_a_time() -> None:
    text = "".join(f"  - conv2d: {{out_channels: {count}, kernel_size: 1}}\n" for count in (2, 8, 1))
    # 256 | 256 + 128 | 128 + 512 | 512 + 64
    memory = measured(layers(text))
    assert memory.live == (256, 384, 640, 576)
    assert (memory.peak, memory.peak_layer) == (640, 2)


def test_a_shortcut_keeps_its_map_alive() -> None:
    text = """\
  - conv2d: {name: a, out_channels: 4, kernel_size: 1}
  - conv2d: {name: b, out_channels: 4, kernel_size: 1}
  - conv2d: {name: c, out_channels: 4, kernel_size: 1}
  - add: {from: [c, a]}
"""
    # Each map has 256 values: input | input a | a b | a b c | a c sum
    assert measured(layers(text)).live == (256, 512, 512, 768, 768)


def test_an_activation_overwrites_its_input_unless_another_layer_still_reads_it() -> None:
    alone = "  - conv2d: {name: a, out_channels: 4, kernel_size: 1}\n  - relu\n"
    assert measured(layers(alone)).live == (256, 512, 256)
    assert measured(layers(alone), in_place=False).live == (256, 512, 512)
    needed = alone + "  - add: {from: [relu1, a]}\n"
    assert measured(layers(needed)).live == (256, 512, 512, 768)


def test_an_output_of_the_network_is_not_overwritten_and_lives_to_the_end() -> None:
    text = """\
  - conv2d: {name: a, out_channels: 4, kernel_size: 1}
  - relu: {name: r}
  - conv2d: {name: b, out_channels: 4, kernel_size: 1}
  - conv2d: {name: c, out_channels: 4, kernel_size: 1}
"""
    # input | input a | a r | a r b | a b c
    assert measured(layers(text, top="outputs: {early: a, late: c}\n")).live == (256, 512, 512, 768, 768)


def test_a_view_needs_no_memory_and_keeps_what_it_shows() -> None:
    text = """\
  - conv2d: {name: a, out_channels: 4, kernel_size: 1}
  - flatten: {name: flat}
  - conv2d: {name: b, from: input, out_channels: 1, kernel_size: 1}
  - linear: {from: flat, out_features: 10}
"""
    # input | input a | input a | input a b | a fc: flat shows a, which lives as long.
    assert measured(layers(text)).live == (256, 512, 512, 576, 266)


def test_a_relu_of_a_view_does_not_overwrite_a_map_that_is_still_read() -> None:
    text = """\
  - conv2d: {name: a, out_channels: 4, kernel_size: 1}
  - identity: {name: view}
  - relu: {name: r}
  - add: {from: [r, a]}
"""
    assert measured(layers(text)).live == (256, 512, 256, 512, 768)


def test_a_map_that_nobody_reads_is_freed_at_once() -> None:
    text = "  - conv2d: {out_channels: 4, kernel_size: 1}\n  - relu: {from: input}\n"
    assert measured(layers(text)).live == (256, 512, 256)


def test_the_peak_is_named_where_it_is_first_reached() -> None:
    text = "  - batch_norm2d: {name: first}\n  - batch_norm2d: {name: second}\n"
    analysis = analyse(layers(text))
    assert analysis.totals.peak_layer == "first"
    assert analysis.totals.peak_activation_bytes == 2 * 256 * 4


def test_the_peak_follows_the_convention() -> None:
    network = layers("  - relu\n")
    assert analyse(network).totals.peak_activation_bytes == 256 * 4
    assert analyse(network, conventions=Conventions(in_place=False)).totals.peak_activation_bytes == 512 * 4


# --- live values, simulated


@st.composite
def networks(draw: st.DrawFn) -> LayerGraph:
    """A random graph of small ops with several readers, views and outputs."""
    parts: list[tuple[str, list[int]]] = [("input", [])]
    kinds = ["relu", "identity", "dropout", "sigmoid", "batch_norm2d", "conv2d", "add", "parameter"]
    for index in range(1, draw(st.integers(2, 14))):
        kind = draw(st.sampled_from(kinds))
        # Mostly the layer before, as in real networks; else any earlier one.
        sources = st.one_of(st.just(index - 1), st.integers(0, index - 1))
        parts.append((kind, [draw(sources) for _ in range({"add": 2, "parameter": 0}.get(kind, 1))]))
    fields: dict[str, dict[str, Any]] = {
        "input": {"shape": (1, 2, 2)},
        "parameter": {"shape": (1, 2, 2)},
        "conv2d": {"out_channels": 1, "kernel_size": 1},
    }
    outputs = draw(st.sets(st.integers(0, len(parts) - 1), max_size=2))
    made = [(op(kind, **fields.get(kind, {})), sources) for kind, sources in parts]
    return chain(*made, outputs=sorted(outputs | {len(parts) - 1}))


def simulate(network: LayerGraph, sizes: Sequence[int], in_place: bool) -> list[int]:
    """Values alive while each layer runs, found by looking at all layers again at every step."""
    count = len(network)
    readers = [[later for later in range(count) if index in network.layers[later].inputs] for index in range(count)]
    for output in network.outputs:
        readers[output.layer].append(count)  # whoever called the network reads its outputs at the end
    #: The layers whose values lie in the same place, by the place.
    places: list[list[int]] = []
    live = []
    for index, layer in enumerate(network.layers):
        own = None
        if layer.inputs:
            shared = next(place for place in places if layer.inputs[0] in place)
            still_read = any(reader > index for member in shared for reader in readers[member])
            is_parameter = network.layers[shared[0]].op.kind == "parameter"
            overwrites = in_place and layer.op.kind in OVERWRITES and not still_read and not is_parameter
            if layer.op.kind in VIEWS or overwrites:
                own = shared
        if own is None:
            own = []
            places.append(own)
        own.append(index)
        live.append(
            sum(
                sizes[place[0]]
                for place in places
                if network.layers[place[0]].op.kind != "parameter"
                if index in place or any(reader >= index for member in place for reader in readers[member])
            )
        )
    return live


@pytest.mark.parametrize("in_place", [True, False])
@examples(150)
@given(network=networks())
def test_liveness_is_that_of_a_simulation(in_place: bool, network: LayerGraph) -> None:
    shaped = infer_shapes(network).layers
    sizes = [prod(layer.output) for layer in shaped]
    memory = measured(network, in_place)
    assert list(memory.live) == simulate(network, sizes, in_place)
    assert memory.peak == max(memory.live)


@examples(50)
@given(network=networks())
def test_what_is_alive_was_stored(network: LayerGraph) -> None:
    memory = measured(network, in_place=False)
    assert memory.peak <= sum(memory.stored)
    assert measured(network).peak <= memory.peak


# --- parameters as maps

#: After a parameter of 100 values: further layers, and by hand the values that live at each layer.
PARAMETERS = {
    "  - add: {name: z, from: [p, input]}\n": (100, 100, 200),
    "  - concat: {name: z, from: [input, p]}\n": (100, 100, 300),
    "  - conv1d: {name: z, from: p, out_channels: 2, kernel_size: 1}\n": (100, 100, 140),
    # A view of it takes no memory either, and an activation function does not overwrite it.
    "  - identity: {from: p}\n  - relu\n  - tanh: {name: z}\n": (100, 100, 100, 200, 200),
    "  - relu: {from: p}\n  - add: {name: z, from: [relu1, p]}\n": (100, 100, 200, 300),
}


@pytest.mark.parametrize("text", PARAMETERS)
def test_a_parameter_as_a_map_takes_no_memory_besides_its_own(text: str) -> None:
    network = layers("  - parameter: {name: p, shape: 20x5}\n" + text, "20x5", "outputs: {first: input, last: z}\n")
    assert measured(network).live == PARAMETERS[text]
