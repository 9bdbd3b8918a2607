"""Every op against the tables worked out by hand, and what an op says of itself."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest

from archcalc.core.shapes import Shape
from archcalc.ops import OPS
from archcalc.passes.operations import count_operations
from archcalc.passes.params import ParamCount, count_params
from tests.networks import op, shape
from tests.ops.rows import ROWS, Row, label
from tests.ranks import PLANE

#: Families whose ops multiply by weights, or maps by maps.
MULTIPLY = ("convolution", "dense", "attention", "recurrent")


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_an_op_gives_what_was_worked_out_by_hand(row: Row) -> None:
    layer = shape(op(row.kind, **row.fields), *row.inputs)
    assert layer.output == row.output
    biases = sum(prod(array.shape) for array in layer.op.param_shapes(row.inputs) if "bias" in array.name)
    assert count_params(layer) == ParamCount(row.params, row.params - row.fixed, row.buffers, biases)
    work = count_operations(layer)
    assert work.macs == row.macs
    assert work.operations == row.counts


def test_every_op_has_a_row() -> None:
    # What an opaque layer is, its settings say: tests/ops/test_opaque.py.
    assert {row.kind for row in ROWS} == PLANE - {"opaque"}, "tests/ops/test_ranks.py holds the others against these"


def test_the_names_are_those_of_the_contract() -> None:
    contract = """input conv2d conv_transpose2d locally_connected2d linear max_pool2d avg_pool2d lp_pool2d
        global_avg_pool2d adaptive_avg_pool2d max_unpool2d subsampling2d batch_norm2d local_response_norm dropout relu
        relu6 tanh scaled_tanh sigmoid softmax flatten reshape identity add multiply concat crop2d slice2d zero_pad2d
        pad_channels upsample2d rbf"""
    assert set(contract.split()) <= set(OPS)


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_an_op_explains_itself_to_the_passes(row: Row) -> None:
    layer = shape(op(row.kind, **row.fields), *row.inputs)
    assert layer.op.summary() or row.kind == "input"
    assert len(layer.op.windows(layer.inputs)) == len(row.inputs)
    assert layer.op.fewest_inputs <= len(row.inputs) <= (layer.op.most_inputs or len(row.inputs))
    assert layer.op.stem
    assert layer.op.family
    assert layer.op.may_have_arrays == bool(layer.op.param_shapes(row.inputs))


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_only_convolutions_and_dense_layers_have_multiply_adds(row: Row) -> None:
    layer = shape(op(row.kind, **row.fields), *row.inputs)
    # RBF layers are dense in form; their squares are counted apart.
    assert (row.macs > 0) == (layer.op.family in MULTIPLY and row.kind not in ("rbf", "embedding"))
    assert row.macs <= row.counts.multiplications


@pytest.mark.parametrize(
    ("kind", "fields", "inputs", "arrays"),
    [
        (
            "conv2d",
            {"out_channels": 6, "kernel_size": [3, 5], "groups": 2},
            ((4, 9, 9),),
            {"weight": (6, 2, 3, 5), "bias": (6,)},
        ),
        (
            "conv_transpose2d",
            {"out_channels": 6, "kernel_size": [3, 5]},
            ((4, 9, 9),),
            {"weight": (4, 6, 3, 5), "bias": (6,)},
        ),
        (
            "locally_connected2d",
            {"out_channels": 2, "kernel_size": 3},
            ((1, 4, 5),),
            {"weight": (2, 2, 3, 1, 3, 3), "bias": (2, 2, 3)},
        ),
        ("linear", {"out_features": 3}, ((2, 3, 3),), {"weight": (3, 18), "bias": (3,)}),
        ("batch_norm2d", {}, ((3, 4, 4),), {"weight": (3,), "bias": (3,), "running_mean": (3,), "running_var": (3,)}),
        ("subsampling2d", {"kernel_size": 2}, ((6, 28, 28),), {"weight": (6,), "bias": (6,)}),
        ("rbf", {"out_features": 10}, ((84,),), {"centers": (10, 84)}),
        ("relu", {}, ((3, 4, 4),), {}),
    ],
)
def test_arrays_have_the_shapes_that_frameworks_give_them(
    kind: str, fields: dict[str, Any], inputs: tuple[Shape, ...], arrays: dict[str, Shape]
) -> None:
    layer = shape(op(kind, **fields), *inputs)
    assert {array.name: array.shape for array in layer.op.param_shapes(layer.inputs)} == arrays


def test_a_depthwise_convolution_becomes_a_grouped_one() -> None:
    layer = shape(op("depthwise_conv2d", kernel_size=3, padding=1, bias=False), (32, 8, 8))
    assert layer.op == op("conv2d", out_channels=32, kernel_size=3, padding=1, groups=32, bias=False)


def test_an_odd_pixel_is_cropped_at_the_bottom_and_right() -> None:
    layer = shape(op("crop2d"), (1, 8, 9), (1, 5, 5))
    assert layer.op == op("crop2d", margins=[1, 2, 2, 2])


def test_the_stride_of_a_pool_is_its_window_unless_given() -> None:
    assert op("max_pool2d", kernel_size=[2, 3]) == op("max_pool2d", kernel_size=[2, 3], stride=[2, 3])
    assert op("max_pool2d", kernel_size=2, stride=None) == op("max_pool2d", kernel_size=2, stride=2)
    assert op("max_pool2d", kernel_size=3, stride=1) != op("max_pool2d", kernel_size=3)


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        ("conv2d", {"out_channels": 96, "kernel_size": 11, "stride": 4}, "conv 11×11, 96, /4"),
        ("conv2d", {"out_channels": 8, "kernel_size": [1, 7]}, "conv 1×7, 8"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "stride": [2, 1]}, "conv 3×3, 8, /2×1"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "dilation": 2}, "conv 3×3, 8, dilation 2"),
        (
            "conv_transpose2d",
            {"out_channels": 8, "kernel_size": 3, "stride": 2, "dilation": [1, 2], "groups": 2},
            "transposed conv 3×3, 8, ×2, dilation 1×2, 2 groups",
        ),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "groups": 2}, "conv 3×3, 8, 2 groups"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "groups": 8}, "conv 3×3, 8, 8 groups"),
        ("max_pool2d", {"kernel_size": 3, "stride": 2}, "max pool 3×3, /2"),
        ("lp_pool2d", {"kernel_size": 2}, "L2 pool 2×2, /2"),
        ("linear", {"out_features": 1000}, "dense 1000"),
        ("dropout", {}, "dropout 0.5"),
        ("multiply", {"factor": 0.17}, "multiply by 0.17"),
        ("zero_pad2d", {"padding": 3}, "zero pad 3"),
        ("crop2d", {"margins": [0, 1, 2, 3]}, "crop [0, 1, 2, 3]"),
        ("upsample2d", {}, "upsample ×2, nearest"),
        ("batch_norm2d", {}, "batch norm"),
    ],
)
def test_summaries_are_as_short_as_in_a_paper(kind: str, fields: dict[str, Any], text: str) -> None:
    assert op(kind, **fields).summary() == text


@pytest.mark.parametrize(
    ("kind", "fields", "channels", "text"),
    [
        # Depthwise is a group for every input channel, whatever the number of filters.
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "groups": 8}, 8, "conv 3×3, 8, depthwise"),
        ("conv2d", {"out_channels": 24, "kernel_size": 3, "groups": 8}, 8, "conv 3×3, 24, depthwise"),
        ("conv2d", {"out_channels": 12, "kernel_size": 3, "groups": 12}, 24, "conv 3×3, 12, 12 groups"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3}, 1, "conv 3×3, 8"),
        ("conv_transpose2d", {"out_channels": 8, "kernel_size": 2, "stride": 2, "groups": 4}, 8,
         "transposed conv 2×2, 8, ×2, 4 groups"),
        ("conv_transpose2d", {"out_channels": 8, "kernel_size": 2, "stride": [2, 1], "groups": 8}, 8,
         "transposed conv 2×2, 8, ×2×1, depthwise"),
    ],
)  # fmt: skip
def test_groups_are_named_by_the_input(kind: str, fields: dict[str, Any], channels: int, text: str) -> None:
    layer = op(kind, **fields)
    assert layer.summary([(channels, 8, 8)]) == text
    last = text.rpartition(", ")[2]
    assert (last in layer.details([(channels, 8, 8)])) == ("groups" in fields)


def test_ops_cannot_be_changed() -> None:
    layer = op("linear", out_features=3)
    with pytest.raises(ValueError, match="frozen"):
        layer.out_features = 4  # type: ignore[attr-defined]
    assert hash(layer) == hash(op("linear", out_features=3))
