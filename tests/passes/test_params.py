"""Parameters: weights and biases, trained and fixed, and the buffers next to them."""

from __future__ import annotations

import pytest

from archcalc.core.conventions import Conventions
from archcalc.core.shapes import Shape
from archcalc.ops import OPS, Param
from archcalc.ops.reshape import Identity
from archcalc.passes.analysis import analyse
from archcalc.passes.params import ParamCount, count_params
from tests.networks import ALEXNET, LENET5, VGG16, graph, numbers, op, shape


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
