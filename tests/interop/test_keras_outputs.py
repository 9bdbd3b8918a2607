"""Models of Keras: nested models as outputs, recurrent layers with their states, and other sizes of maps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archcalc.interop.keras import read_keras
from archcalc.passes.analysis import Analysis
from tests.interop.keras_files import Model, sequential
from tests.interop.test_keras import analysed


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("uses", [1, 2])
def test_a_model_inside_may_be_the_output(version: int, uses: int) -> None:
    """Keras counts the use of a model inside that is its own: the output of the first other one is number 1."""
    inner = Model("in", 6, 6, 3, version=version)
    inner.add("Conv2D", "conv", filters=3, kernel_size=1)
    inner.add("ReLU", "relu")
    outer = Model("out", 6, 6, 3, version=version)
    reads: list[Any] = ["image", ("in", int(version == 2), 0)][:uses]
    nodes = [outer.node([one], {}) for one in reads]
    outer.layers.append({**inner.document("conv", "relu"), "name": "in", "inbound_nodes": nodes})
    document = outer.document("in")
    document["config"]["output_layers"] = [["in", uses, 1], ["in", uses, 0]]
    network = read_keras(json.dumps(document))
    last = "" if uses == 1 else "_2"
    assert list(network.outputs.values()) == [f"in/relu{last}", f"in/conv{last}"]
    assert analysed(network).totals.params == 12


def _row(kind: str, config: dict[str, Any], *outputs: int) -> Analysis:
    model = Model("row", 7, 6)
    model.add(kind, "x", **config)
    document = model.document()
    document["config"]["output_layers"] = [["x", 0, place] for place in outputs]
    network = read_keras(json.dumps(document))
    assert len(network.outputs) == len(set(network.outputs.values()))
    return analysed(network)


@pytest.mark.parametrize(
    ("kind", "config", "outputs", "shapes"),
    [("LSTM", {"return_sequences": True}, (0, 1, 2), {(4, 7), (4,)}),
     ("GRU", {"return_sequences": True}, (1,), {(4,)}), ("LSTM", {}, (2,), {(4,)})],
)  # fmt: skip
def test_states_are_maps(kind: str, config: dict[str, Any], outputs: tuple[int, ...], shapes: set[Any]) -> None:
    analysis = _row(kind, {"units": 4, "return_state": True, **config}, *outputs)
    ends = {analysis.graph.layers[one.layer].name for one in analysis.graph.outputs}
    assert {row.output_shape for row in analysis.rows if row.name in ends} == shapes
    assert analysis.totals.params == {"LSTM": 4 * 4 * 11, "GRU": 3 * 4 * 12}[kind]


@pytest.mark.parametrize(
    ("merge", "shape", "kinds"),
    [("concat", (8, 7), []), ("sum", (4, 7), ["add"]), ("mul", (4, 7), ["multiply"]),
     ("ave", (4, 7), ["add", "multiply"])],
)  # fmt: skip
def test_both_ways_are_merged(merge: str, shape: tuple[int, ...], kinds: list[str]) -> None:
    inner = {"class_name": "LSTM", "config": {"units": 4, "return_sequences": True}}
    analysis = _row("Bidirectional", {"layer": inner, "merge_mode": merge}, 0)
    assert analysis.rows[-1].output_shape == shape
    assert [row.op.kind for row in analysis.rows if row.op.kind in ("add", "multiply")] == kinds
    assert (analysis.totals.params, analysis.totals.not_counted) == (2 * 4 * 4 * 11, {})


def test_a_layer_around_a_cell_is_that_of_the_cell() -> None:
    cell = {"class_name": "LSTMCell", "config": {"units": 4}}
    analysis = _row("RNN", {"cell": cell, "return_sequences": True}, 0)
    assert [(row.op.kind, row.output_shape, row.params) for row in analysis.rows[1:]] == [("lstm", (4, 7), 176)]


@pytest.mark.parametrize(
    ("config", "kinds"),
    [({"pad_to_aspect_ratio": True}, ["zero_pad2d", "interpolate"]),
     ({"crop_to_aspect_ratio": True}, ["crop2d", "interpolate"]),
     ({"pad_to_aspect_ratio": True, "fill_value": 1.0}, ["opaque"]), ({"interpolation": "bicubic"}, ["opaque"]),
     ({"interpolation": "nearest"}, ["narrow", "narrow", "interpolate"]), ({}, ["interpolate"]),
     ({"interpolation": "nearest", "height": 5}, ["opaque"])],
)  # fmt: skip
def test_another_size_is_that_of_keras(config: dict[str, Any], kinds: list[str]) -> None:
    layer = ("Resizing", {"name": "x", "height": 4, "width": 4, **config})
    analysis = analysed(read_keras(json.dumps(sequential("m", layer, shape=[12, 8, 3]))))
    assert [row.op.kind for row in analysis.rows[1:]] == kinds
    assert analysis.rows[-1].output_shape == (3, config.get("height", 4), 4)


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        ([["seg", 0, 0], ["plain", 0, 0]], ["seg", "plain"]),
        ({"mask": ["seg", 0, 0], "more": ["plain", 0, 0]}, ["mask", "more"]),
        ([["seg", 0, 0], ["seg", 0, 0]], ["seg_sigmoid"]),
    ],
)
def test_outputs_have_the_names_of_keras(outputs: Any, names: list[str]) -> None:
    model = Model("names", 6, 6, 3)
    model.add("Conv2D", "seg", filters=2, kernel_size=1, activation="sigmoid")
    model.add("Conv2D", "plain", ["image"], filters=4, kernel_size=1)
    document = model.document()
    document["config"]["output_layers"] = outputs
    network = read_keras(json.dumps(document))
    assert list(network.outputs) == names
    assert list(network.outputs.values()) == ["seg_sigmoid", "plain"][: len(names)]
