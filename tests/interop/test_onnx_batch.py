"""The batch of an ONNX model: on the first axis or the second one, without a fixed size, or larger than one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from archcalc.core.errors import UsageError
from archcalc.interop.foreign import to_network
from archcalc.interop.onnx_read import from_onnx
from archcalc.passes.analysis import analyse
from tests.interop.onnx_models import model, network, outputs, weights

TIME, CHANNELS, HIDDEN = 7, 6, 5
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def recurrent(op: str, shape: tuple[Any, ...], ways: int = 1, wanted: str = "Y", **given: Any) -> onnx.ModelProto:
    """A recurrent layer that gives all steps (Y) or the last one (Y_h)."""
    rows = GATES[op] * HIDDEN
    arrays = {"w": weights(ways, rows, CHANNELS), "r": weights(ways, rows, HIDDEN, seed=1),
              "b": weights(ways, 2 * rows, seed=2)}  # fmt: skip
    if op == "GRU":
        given["linear_before_reset"] = given.get("linear_before_reset", 1)
    if ways == 2:
        given["direction"] = "bidirectional"
    results = ["y"] if wanted == "Y" else ["", "y"]
    node = helper.make_node(op, ["x", "w", "r", "b"], results, hidden_size=HIDDEN, **given)
    return model([node], shape, arrays)


@pytest.mark.parametrize("wanted", ["Y", "Y_h"])
@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("batch", [1, 3])
def test_recurrent_layers_read_time_first(op: str, ways: int, wanted: str, batch: int) -> None:
    """Layout 0 is (time, batch, channels): the steps are on the first axis, and one image is counted."""
    foreign = from_onnx(recurrent(op, (TIME, batch, CHANNELS), ways, wanted))
    assert foreign.inputs == {"x": (TIME, CHANNELS)}
    assert "opaque" not in [node.op for node in foreign.nodes]
    totals = analyse(to_network(foreign)).totals
    rows = ways * GATES[op] * HIDDEN
    assert totals.params == rows * (CHANNELS + HIDDEN + 2)
    assert totals.multiplications == TIME * rows * (CHANNELS + HIDDEN)
    assert any("batch of 3" in note for note in foreign.notes) == (batch == 3)


@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize("op", GATES)
def test_biases_of_the_state_that_are_zeros_are_none(op: str, ways: int) -> None:
    """Converters write zeros for the biases that a layer of Keras has not; where all are zeros, it has both."""
    rows = GATES[op] * HIDDEN
    proto = recurrent(op, (TIME, 1, CHANNELS), ways, "Y_h")
    stored = proto.graph.initializer[2]
    biases = numpy_helper.to_array(stored).copy()
    biases[:, rows:] = 0
    stored.CopyFrom(numpy_helper.from_array(biases, stored.name))
    foreign = from_onnx(proto)
    assert [node.fields.get("single_bias") for node in foreign.nodes if node.op == op.lower()] == [True]
    graph = to_network(foreign)
    assert analyse(graph).totals.params == ways * rows * (CHANNELS + HIDDEN + 1)
    assert any(
        f"{ways * rows} values instead of the {2 * ways * rows} that the file holds" in note for note in graph.notes
    )
    x = weights(TIME, 1, CHANNELS, seed=5)
    wanted = (
        np.asarray(next(iter(ReferenceEvaluator(proto).run(None, {"x": x})))) if ways == 1 and op != "GRU" else None
    )
    found = outputs(graph, x.reshape(1, TIME, CHANNELS))
    assert wanted is None or np.allclose(found.reshape(-1), wanted.reshape(-1), atol=1e-5)
    stored.CopyFrom(numpy_helper.from_array(0 * biases, stored.name))
    assert analyse(to_network(from_onnx(proto))).totals.params == ways * rows * (CHANNELS + HIDDEN + 2)


@pytest.mark.parametrize("op", ["LSTM", "RNN"])
def test_values_of_recurrent_layers_read_time_first(op: str) -> None:
    proto = recurrent(op, (TIME, 1, CHANNELS), wanted="Y_h")
    x = weights(TIME, 1, CHANNELS, seed=5)
    wanted = np.asarray(next(iter(ReferenceEvaluator(proto).run(None, {"x": x}))))
    found = outputs(network(proto), x.reshape(1, TIME, CHANNELS))
    assert np.allclose(found.reshape(-1), wanted.reshape(-1), atol=1e-5)


@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize("op", GATES)
def test_an_initial_state_of_zeros_is_none(op: str, ways: int) -> None:
    """PyTorch's exporters write one; a state with other values is a setting that the layers have not."""
    proto = recurrent(op, (TIME, 1, CHANNELS), ways)
    zeros = numpy_helper.from_array(np.zeros((ways, 1, HIDDEN), np.float32), "zeros")
    proto.graph.initializer.append(zeros)
    proto.graph.node[0].input.extend(["", *["zeros"] * (1 + (op == "LSTM"))])
    totals = analyse(network(proto)).totals
    rows = ways * GATES[op] * HIDDEN
    assert (totals.params, totals.multiplications) == (
        rows * (CHANNELS + HIDDEN + 2),
        TIME * rows * (CHANNELS + HIDDEN),
    )
    zeros = numpy_helper.from_array(np.ones((ways, 1, HIDDEN), np.float32), "zeros")
    proto.graph.initializer[-1].CopyFrom(zeros)
    totals = analyse(network(proto)).totals
    assert totals.multiplications == TIME * rows * (CHANNELS + HIDDEN)
    assert totals.not_counted == {}


@pytest.mark.parametrize(
    ("place", "name", "shape", "wanted"),
    [(1, "W", (1, 20, 4), "1×20×6"), (2, "R", (1, 16, 4), "1×20×5"), (3, "B", (1, 20), "1×40"),
     (5, "initial_h", (2, 1, 5), "1×batch×5"), (6, "initial_c", (1, 1, 4), "1×batch×5"),
     (6, "initial_c", (1, 5), "1×batch×5")],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(place: int, name: str, shape: tuple[int, ...], wanted: str) -> None:
    proto = recurrent("LSTM", (TIME, 1, CHANNELS), wanted="Y_h")
    (node,) = proto.graph.node
    node.input.extend([""] * (place + 1 - len(node.input)))
    node.input[place] = "wrong"
    proto.graph.initializer.append(numpy_helper.from_array(np.zeros(shape, np.float32), "wrong"))
    came = "×".join(map(str, shape))
    with pytest.raises(UsageError, match=f"its {name} is {came}; with hidden_size 5 it should be {wanted}"):
        from_onnx(proto)


@pytest.mark.parametrize("activation", ["Tanh", "Relu"])
def test_the_activation_of_an_rnn(activation: str) -> None:
    proto = recurrent("RNN", (TIME, 1, CHANNELS), activations=[activation])
    _, layer, *_ = from_onnx(proto).nodes
    assert (layer.op, layer.fields.get("nonlinearity", "tanh")) == ("rnn", activation.lower())


def test_the_state_of_the_cells_of_an_lstm_is_a_layer_without_multiplications() -> None:
    proto = recurrent("LSTM", (TIME, 1, CHANNELS), wanted="Y_h")
    proto.graph.node[0].output[:] = ["", "", "y"]
    analysis = analyse(network(proto))
    assert analysis.rows[-1].op.summary() == "opaque lstm cell state"
    assert analysis.totals.params == 4 * HIDDEN * (CHANNELS + HIDDEN + 2)
    assert analysis.totals.multiplications == TIME * 4 * HIDDEN * (CHANNELS + HIDDEN)
    assert analysis.totals.not_counted == {}


@pytest.mark.parametrize("op", GATES)
def test_recurrent_layers_read_batch_first(op: str) -> None:
    foreign = from_onnx(recurrent(op, (2, TIME, CHANNELS), layout=1))
    rows = GATES[op] * HIDDEN
    assert analyse(to_network(foreign)).totals.multiplications == TIME * rows * (CHANNELS + HIDDEN)


def test_time_without_a_fixed_size_is_asked_for() -> None:
    proto = recurrent("LSTM", ("time", 1, CHANNELS))
    with pytest.raises(UsageError, match="the input 'x' is time×1×6, without a fixed size; give one with --input"):
        from_onnx(proto)
    assert from_onnx(proto, (TIME, CHANNELS)).inputs == {"x": (TIME, CHANNELS)}
    assert from_onnx(recurrent("LSTM", (TIME, "batch", CHANNELS))).inputs == {"x": (TIME, CHANNELS)}
    assert from_onnx(recurrent("LSTM", (TIME, "any", CHANNELS)), (TIME, CHANNELS)).inputs == {"x": (TIME, CHANNELS)}


def test_an_opaque_layer_keeps_the_steps_of_time() -> None:
    """A GRU whose values are clipped is opaque; its map is (time, 1, 1, hidden)."""
    foreign = from_onnx(recurrent("GRU", (TIME, 1, CHANNELS), clip=2.0))
    (layer,) = foreign.nodes
    assert (layer.op, layer.fields["shape"], layer.fields["params"]) == ("opaque", "1x5x7", 3 * HIDDEN * 13)


@pytest.mark.parametrize("reset_after", [False, True])
def test_a_gru_resets_before_or_after_the_product(reset_after: bool) -> None:
    proto = recurrent("GRU", (TIME, 1, CHANNELS), wanted="Y_h", linear_before_reset=int(reset_after))
    graph = to_network(from_onnx(proto))
    totals = analyse(graph).totals
    assert (totals.params, totals.multiplications) == (3 * HIDDEN * (11 + 2), TIME * 3 * HIDDEN * 11)
    x = weights(TIME, 1, CHANNELS, seed=5)
    found = outputs(graph, x.reshape(1, TIME, CHANNELS)).reshape(-1)
    # The formulas of the ONNX standard, step by step; gates z, r, h.
    w, r, b = (numpy_helper.to_array(array).astype(float)[0] for array in proto.graph.initializer)
    (wz, wr, wh), (rz, rr, rh) = np.split(w, 3), np.split(r, 3)
    wbz, wbr, wbh, rbz, rbr, rbh = np.split(b, 6)
    state = np.zeros(HIDDEN)
    for step in x[:, 0].astype(float):
        update = 1 / (1 + np.exp(-(wz @ step + rz @ state + wbz + rbz)))
        reset = 1 / (1 + np.exp(-(wr @ step + rr @ state + wbr + rbr)))
        kept = reset * (rh @ state + rbh) if reset_after else rh @ (reset * state) + rbh
        state = (1 - update) * np.tanh(wh @ step + kept + wbh) + update * state
    assert np.abs(found - state).max() < 1e-5


# --- a fixed batch above 1


def _convolution(batch: int | str) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w"], ["y"], transB=1),
    ]
    return model(nodes, (batch, 3, 8, 8), {"k": weights(4, 3, 3, 3), "w": weights(10, 4)})


def test_one_image_of_a_fixed_batch_is_counted() -> None:
    one, eight = from_onnx(_convolution(1)), from_onnx(_convolution(8))
    assert eight.inputs == one.inputs == {"x": (3, 8, 8)}
    assert analyse(to_network(eight)).totals == analyse(to_network(one)).totals
    assert (eight.notes, one.notes) == (("x is a batch of 8; sizes and counts are those of one image of it",), ())


def test_the_output_of_a_batch_has_the_axes_of_the_file() -> None:
    """A layer over the last axis has it as its channels; its output lies as that of the model."""
    graph = to_network(from_onnx(model([helper.make_node("Softmax", ["x"], ["y"], axis=3)], (2, 3, 4, 5))))
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    wanted = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    assert np.allclose(outputs(graph, x), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("nodes", "name"),
    [
        ([helper.make_node("ReduceMean", ["x"], ["y"], axes=[0], keepdims=0)], "mean"),
        ([helper.make_node("Softmax", ["x"], ["y"], axis=0)], "softmax"),
        ([helper.make_node("Concat", ["x", "x"], ["y"], axis=0)], "cat"),
        (
            [helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0]), helper.make_node("MatMul", ["x", "t"], ["y"])],
            "matmul",
        ),
        ([helper.make_node("Gather", ["x", "i"], ["y"], axis=0)], "select"),
        ([helper.make_node("Add", ["x", "a"], ["y"])], "add"),
    ],
)  # fmt: skip
def test_what_mixes_the_images_of_a_batch_is_refused(nodes: list[onnx.NodeProto], name: str) -> None:
    proto = model(nodes, (8, 5), {"i": np.array(0), "a": weights(8, 5)})
    with pytest.raises(UsageError, match=rf"{name} computes across the batch of 8.*write the model with a batch of 1"):
        from_onnx(proto)


def test_an_opaque_layer_is_of_one_image() -> None:
    nodes = [helper.make_node("Mod", ["x", "x"], ["m"], fmod=1), helper.make_node("Relu", ["m"], ["y"])]
    foreign = from_onnx(model(nodes, (8, 3, 4, 4)))
    assert [node.fields.get("shape") for node in foreign.nodes] == ["4x4x3", None]
    to_network(foreign)
