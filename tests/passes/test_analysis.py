"""All numbers of a network: rows, totals, conventions, and what is refused."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from archcalc.core.conventions import BYTES, Conventions
from archcalc.core.errors import ShapeError, UsageError
from archcalc.core.shapes import LARGEST_BATCH
from archcalc.ops.base import NO_OPERATIONS
from archcalc.passes import axis_field
from archcalc.passes.analysis import analyse, row_of
from archcalc.passes.axis_field import AxisField
from archcalc.passes.receptive_field import ReceptiveField
from archcalc.spec.catalogue import load
from tests.networks import ALEXNET, LENET5, chain, graph, layers, numbers, op
from tests.steps import at_most_calls


def test_a_row_holds_all_numbers_of_a_layer() -> None:
    row = analyse(graph(ALEXNET))["c1/conv"]
    assert (row.name, row.op.kind, row.inputs) == ("c1/conv", "conv2d", ("input",))
    assert (row.input_shapes, row.output_shape) == (((3, 227, 227),), (96, 55, 55))
    assert (row.params, row.trainable_params, row.buffers) == (34_944, 34_944, 0)
    assert row.multiplications == 105_415_200
    assert row.operations is not None
    assert row.operations.multiplications == 105_415_200
    assert (row.activations, row.activation_bytes) == (290_400, 1_161_600)
    assert row.receptive_field == ReceptiveField((AxisField(4, ((0, 10),), 55),) * 2)


def test_the_first_row_is_the_input_and_stores_the_image() -> None:
    row = analyse(graph(ALEXNET)).rows[0]
    assert (row.name, row.op.kind, row.inputs, row.input_shapes) == ("input", "input", (), ())
    assert row.activations == 227 * 227 * 3
    assert (row.params, row.multiplications, row.operations) == (0, 0, NO_OPERATIONS)


def test_rows_stand_in_the_order_of_the_layers() -> None:
    network = graph(ALEXNET)
    assert [row.name for row in analyse(network).rows] == [layer.name for layer in network]


@pytest.mark.parametrize("text", [ALEXNET, LENET5], ids=["AlexNet", "LeNet-5"])
@pytest.mark.parametrize("choices", [{}, {"batch": 16, "dtype": "float16"}, {"conventions": Conventions(True, False)}])
def test_totals_are_the_sums_of_the_columns(text: str, choices: dict[str, Any]) -> None:
    analysis = analyse(graph(text), **choices)
    for column in (
        "params",
        "trainable_params",
        "buffers",
        "multiplications",
        "activations",
        "activation_bytes",
    ):
        assert getattr(analysis.totals, column) == sum(getattr(row, column) for row in analysis.rows)
    assert analysis.totals.param_bytes == analysis.totals.params * BYTES[analysis.dtype]
    assert analysis.totals.peak_layer in analysis.by_name


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="conv9"):
        _ = analyse(graph(LENET5))["conv9"]


def test_the_same_input_gives_the_same_analysis() -> None:
    assert analyse(graph(ALEXNET)).rows == analyse(graph(ALEXNET)).rows


def test_a_resolved_op_stands_in_its_row() -> None:
    row = numbers("  - depthwise_conv2d: {name: dw, kernel_size: 3}\n")["dw"]
    assert (row.op.kind, row.summary) == ("conv2d", "conv 3×3, 4, depthwise")


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"dtype": "float8"}, "there is no dtype 'float8'; there are float64, float32"),
        ({"batch": 0}, "the batch must lie between 1 and 1,048,576, not 0"),
        ({"batch": -1}, "not -1"),
        ({"batch": LARGEST_BATCH + 1}, "not 1048577"),
    ],
)
def test_choices_that_do_not_exist_are_wrong_arguments(choices: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        analyse(layers("  - relu\n"), **choices)
    assert words in str(caught.value)


def test_an_analysis_without_faults_has_no_problems() -> None:
    assert analyse(layers("  - relu\n"), partial=True).problems == ()


@pytest.mark.parametrize(
    ("conventions", "key", "words"),
    [
        (Conventions(), "params", "running statistics of batch normalisation are buffers"),
        (Conventions(running_statistics=True), "params", "count as parameters that are not trained"),
        (Conventions(), "stored", "float16 (2 bytes each), 8 images; activation functions work in place"),
        (Conventions(in_place=False), "stored", "activation functions keep their output too"),
        (Conventions(), "multiplications", "bias additions not counted; per image"),
    ],
)
def test_conventions_describe_themselves(conventions: Conventions, key: str, words: str) -> None:
    assert words in conventions.describe(batch=8, dtype="float16")[key]


def test_one_image_is_not_mentioned() -> None:
    assert "images" not in Conventions().describe()["stored"]


@pytest.mark.parametrize("conventions", [Conventions(), Conventions(running_statistics=True, in_place=False)])
def test_the_row_of_a_layer_on_its_own_inputs_is_the_row(conventions: Conventions) -> None:
    analysis = analyse(load("mobilenet"), 2, "float16", conventions)
    for index, row in enumerate(analysis.rows[:8]):
        assert row_of(analysis, index, row.input_shapes) == row


def test_the_row_of_a_layer_on_other_inputs() -> None:
    analysis = analyse(load("alexnet"))
    index = analysis.graph.index["conv2"]
    row = row_of(analysis, index, [(96, 20, 30)])
    assert row.output_shape == (256, 20, 30)
    assert row.multiplications == 20 * 30 * 256 * 5 * 5 * 96
    assert row.activation_bytes == 4 * 20 * 30 * 256
    with pytest.raises(ShapeError):
        row_of(analysis, analysis.graph.index["conv1"], [(3, 5, 5)])


def test_weights_and_biases_are_the_parameters() -> None:
    analysis = analyse(load("alexnet"))
    assert (analysis["conv1"].weights, analysis["conv1"].biases) == (11 * 11 * 3 * 96, 96)
    # Krizhevsky et al. 2012: 96 + 256 + 384 + 384 + 256 filters, 4096 + 4096 + 1000 neurons.
    assert sum(row.biases for row in analysis.rows) == 96 + 256 + 384 + 384 + 256 + 4096 + 4096 + 1000
    assert sum(row.weights + row.biases for row in analysis.rows) == analysis.totals.params


def test_the_convention_names_what_else_is_counted() -> None:
    """Attention and recurrent layers by name, where a network has them."""
    attention = numbers("  - conv2d: {out_channels: 4, kernel_size: 1}\n  - multi_head_attention: {num_heads: 2}\n")
    assert attention.describe_conventions()["multiplications"].startswith(
        "of convolution and dense layers and of attention (projections, QKᵀ and AV), one for each multiply-add"
    )
    assert (
        numbers("  - tokens\n  - gru: {hidden_size: 5}\n")
        .describe_conventions()["multiplications"]
        .startswith("of recurrent layers, one for each multiply-add")
    )
    assert (
        numbers("  - relu\n")
        .describe_conventions()["multiplications"]
        .startswith("of convolution and dense layers, one for each multiply-add")
    )


@pytest.mark.parametrize(("pattern", "unit"), [("9x9x3 -> conv3-4", "pixels"), ("90x3 -> conv3-4", "positions")])
def test_a_receptive_field_is_in_pixels_of_an_image_alone(pattern: str, unit: str) -> None:
    assert analyse(load(pattern)).describe_conventions()["receptive_field"].startswith(f"input {unit} that")


def test_a_chain_costs_a_few_steps_a_layer() -> None:
    """The sides of a square are followed once, and nothing of a plain layer is remembered for another network.

    Warm, 10,001 convolutions with their totals take less than 0.1 s of CPU so; both are counted here.
    """
    conv = op("conv2d", out_channels=8, kernel_size=3, padding=1)
    network = chain((op("input", shape=(8, 64, 64)), []), *((conv, [index]) for index in range(1000)))
    analyse(network)
    remembered = axis_field._followed.cache_info()
    with at_most_calls(66_000):
        assert analyse(network).totals.params == 1000 * (8 * 8 * 9 + 8)
    assert axis_field._followed.cache_info() == remembered


def test_the_sides_of_a_map_are_followed_by_themselves_where_they_differ() -> None:
    conv = op("conv2d", out_channels=8, kernel_size=[3, 5], stride=[1, 2])
    network = chain((op("input", shape=(8, 64, 64)), []), (conv, [0]), (conv, [1]))
    field = analyse(network).rows[-1].receptive_field
    assert field is not None
    assert (field.size, field.stride) == ((5, 13), (1, 4))


@pytest.mark.parametrize("is_on", [True, False])
def test_the_garbage_collector_is_after_an_analysis_as_before_it(is_on: bool) -> None:
    was_on = gc.isenabled()
    try:
        (gc.enable if is_on else gc.disable)()
        analyse(load("lenet5"))
        assert gc.isenabled() == is_on
        with pytest.raises(UsageError):
            analyse(load("lenet5"), batch=0)
        assert gc.isenabled() == is_on
    finally:
        (gc.enable if was_on else gc.disable)()
