"""Parameters: weights and biases, trained and fixed, and the buffers next to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from archcalc.core.conventions import Conventions
from archcalc.core.shapes import Shape
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops import OPS, Param
from archcalc.ops.reshape import Identity
from archcalc.passes.analysis import analyse
from archcalc.passes.blocks import fold
from archcalc.passes.params import ParamCount, count_params
from tests.execute.runner.runs import sharing
from tests.networks import ALEXNET, LENET5, VGG16, graph, numbers, op, shape
from tests.tiers import examples


@pytest.mark.parametrize(
    ("text", "params"),
    [
        # 156 + 2,416 + 48,120 + 10,164 + 850.
        (LENET5, 61_706),
        # 34,944 + 614,656 + 885,120 + 1,327,488 + 884,992 + 37,752,832 + 16,781,312 + 4,097,000.
        (ALEXNET, 62_378_344),
        # "138 million": Simonyan & Zisserman 2014, table 2.
        (VGG16, 138_357_544),
    ],
    ids=["LeNet-5", "AlexNet", "VGG-16"],
)
def test_totals_are_those_of_the_papers(text: str, params: int) -> None:
    totals = analyse(graph(text)).totals
    assert (totals.params, totals.trainable_params, totals.buffers) == (params, params, 0)
    assert totals.param_bytes == 4 * params


def test_every_layer_is_counted_once() -> None:
    analysis = analyse(graph(ALEXNET))
    counted = {row.name: row.params for row in analysis.rows if row.params}
    assert counted == {
        "c1/conv": 34_944,
        "c2/conv": 614_656,
        "c3/conv": 885_120,
        "c4/conv": 1_327_488,
        "c5/conv": 884_992,
        "fc1": 37_752_832,
        "fc2": 16_781_312,
        "fc3": 4_097_000,
    }


def test_running_statistics_are_buffers_by_default_and_parameters_on_request() -> None:
    text = "input: 8x8x4\nlayers: [conv_bn_relu: {name: c, out_channels: 16, kernel_size: 3}]"
    plain = analyse(graph(text))
    assert (plain["c/bn"].params, plain["c/bn"].trainable_params, plain["c/bn"].buffers) == (32, 32, 32)
    assert plain.totals.params == 16 * 4 * 9 + 32
    keras = analyse(graph(text), conventions=Conventions(running_statistics=True))
    assert (keras["c/bn"].params, keras["c/bn"].trainable_params, keras["c/bn"].buffers) == (64, 32, 0)
    assert keras.totals.params == plain.totals.params + 32
    assert keras.totals.trainable_params == plain.totals.trainable_params


def test_fixed_parameters_are_parameters_that_are_not_trained() -> None:
    totals = numbers("  - linear: {out_features: 84}\n  - rbf: {out_features: 10}\n").totals
    assert totals.params == 256 * 84 + 84 + 840
    assert totals.trainable_params == 256 * 84 + 84


def test_arrays_are_counted_by_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = (
        Param("weight", (2, 3)),
        Param("scalar", ()),
        Param("fixed", (5,), trainable=False),
        Param("running", (7, 2), trainable=False, buffer=True),
    )
    layer = shape(op("identity"), (3, 2, 2))
    monkeypatch.setattr(Identity, "param_shapes", lambda self, inputs: arrays)
    assert count_params(layer) == ParamCount(params=6 + 1 + 5, trainable=7, buffers=14, biases=0)


@pytest.mark.parametrize(("kind", "source"), [("relu", (3, 4, 4)), ("softmax", (10,)), ("flatten", (3, 4, 4))])
def test_most_ops_own_nothing(kind: str, source: Shape) -> None:
    assert count_params(shape(OPS[kind](), source)) == ParamCount(0, 0, 0, 0)


def test_counts_do_not_depend_on_the_dtype_but_bytes_do() -> None:
    network = graph(LENET5)
    whole, half = analyse(network).totals, analyse(network, dtype="float16").totals
    assert whole.params == half.params
    assert whole.param_bytes == 2 * half.param_bytes


# --- shared weights

TWICE = """\
blocks:
  tower:
    layers:
      - conv_bn_relu: {name: conv1, out_channels: 8, kernel_size: 3}
      - conv2d: {name: conv2, out_channels: 4, kernel_size: 3}
      - linear: {name: features, out_features: 16}
input: 12x12x3
layers:
  - tower: {name: left}
  - tower: {name: right, from: input%s}
  - add: {from: [left, right]}
"""


def test_a_tower_that_is_written_out_twice_counts_once() -> None:
    # 3·3·3·8, γ and β of 8 channels; 3·3·8·4 + 4; 8·8·4·16 + 16.
    tower = 216 + 16 + 292 + 4_112
    twice, shared = analyse(graph(TWICE % "")), analyse(graph(TWICE % ", weights: left"))
    assert (twice.totals.params, twice.totals.buffers) == (2 * tower, 32)
    assert (shared.totals.params, shared.totals.trainable_params, shared.totals.buffers) == (tower, tower, 16)
    assert shared.totals.param_bytes == 4 * tower
    assert shared.totals.multiplications == twice.totals.multiplications
    kept = analyse(graph(TWICE % ", weights: left"), conventions=Conventions(running_statistics=True)).totals
    assert (kept.params, kept.buffers) == (tower + 16, 0)
    sums = [(row.name, row.params, row.weights, row.biases) for row in fold(shared.rows, 1)]
    assert sums == [("input", 0, 0, 0), ("left", tower, tower - 28, 28), ("right", 0, 0, 0), ("add1", 0, 0, 0)]


def test_a_recurrent_layer_counts_once() -> None:
    text = "  - conv2d: {name: step, out_channels: 4, kernel_size: 3, padding: 1}\n"
    more = "  - repeat: 4\n    layers: [conv2d: {out_channels: 4, kernel_size: 3, padding: 1, weights: step}]\n"
    analysis = numbers(text + more)
    assert [row.params for row in analysis.rows] == [0, 148, 0, 0, 0, 0]
    assert [row.weights_of for row in analysis.rows] == [None, None, *["step"] * 4]
    assert analysis.totals.multiplications == 5 * 8 * 8 * 4 * 3 * 3 * 4


@given(sharing())
@examples(200)
def test_sharing_changes_the_parameters_alone(shared: LayerGraph) -> None:
    counts = ("params", "weights", "biases", "trainable_params", "buffers")
    own = analyse(replace(shared, layers=tuple(layer._replace(weights_of=None) for layer in shared)))
    analysis = analyse(shared)
    for layer, row, alone in zip(shared, analysis.rows, own.rows, strict=True):
        if layer.weights_of is not None:
            assert row.weights_of == shared.layers[layer.weights_of].name
            assert [getattr(row, name) for name in counts] == [0] * 5
            row = row._replace(weights_of=None, **{name: getattr(alone, name) for name in counts})  # noqa: PLW2901
        assert row == alone
    for name in ("params", "trainable_params", "buffers"):
        saved = sum(getattr(own.rows[i], name) for i, layer in enumerate(shared) if layer.weights_of is not None)
        assert getattr(analysis.totals, name) == getattr(own.totals, name) - saved
    assert analysis.depth == own.depth
    assert analysis.memory == own.memory


#: Two towers with the weights of one, in heads whose uses all have the weights of the first.
HEADS = """\
input: 8x8x4
blocks:
  tower:
    shared: true
    layers: [conv2d: {out_channels: 4, kernel_size: 1}, relu: {}]
  heads:
    shared: true
    layers:
      - tower: {name: classes}
      - tower: {name: boxes}
      - linear: {out_features: 2}
layers:
  - heads: {name: first}
  - heads: {name: second, from: input}
  - tower: {name: third, from: input}
  - conv2d: {name: other/conv1, from: input, out_channels: 4, kernel_size: 1, weights: first/classes/conv1}
  - linear: {name: other/fc1, out_features: 2}
outputs: [first, second, other/fc1]
"""


def test_a_folded_block_says_whose_weights_it_uses() -> None:
    rows = analyse(graph(HEADS)).rows
    assert {row.name: row.summary for row in fold(rows, 1)[1:]} == {
        "first": "5 layers, 1 with shared weights",
        "second": "5 layers, weights of first",
        "third": "2 layers, weights of first/classes",
        "other": "2 layers, 1 with shared weights",
    }
    inner = {row.name: row.summary for row in fold(rows, 2) if row.name.endswith("boxes")}
    assert set(inner.values()) == {"2 layers, weights of first/classes"}
