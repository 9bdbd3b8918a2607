"""Multiplications as papers count them, and every other operation in a column of its own."""

from __future__ import annotations

import pytest

from archcalc.ops import Operations
from archcalc.passes.analysis import analyse
from archcalc.passes.operations import Work, count_operations
from tests.networks import ALEXNET, LENET5, VGG16, graph, numbers, op, shape


@pytest.mark.parametrize(
    ("text", "multiplications"),
    [
        # 117,600 + 240,000 + 48,000 + 10,080 + 840.
        (LENET5, 416_520),
        # 105,415,200 + 447,897,600 + 149,520,384 + 224,280,576 + 149,520,384 + 37,748,736 + 16,777,216 + 4,096,000.
        (ALEXNET, 1_135_256_096),
        # "15.5 billion multiply-adds".
        (VGG16, 15_470_264_320),
    ],
    ids=["LeNet-5", "AlexNet", "VGG-16"],
)
def test_totals_are_those_of_the_papers(text: str, multiplications: int) -> None:
    assert analyse(graph(text)).totals.multiplications == multiplications


def test_only_convolutions_and_dense_layers_have_multiplications() -> None:
    analysis = analyse(graph(LENET5))
    assert {row.name: row.multiplications for row in analysis.rows if row.multiplications} == {
        "conv1": 28 * 28 * 6 * 25,
        "conv2": 10 * 10 * 16 * 25 * 6,
        "conv3": 120 * 400,
        "fc1": 10_080,
        "fc2": 840,
    }


def test_what_other_layers_do_is_counted_by_kind() -> None:
    analysis = analyse(graph(LENET5))
    # 28·28·6 values, and 14·14·6 means of four of them.
    assert analysis["tanh1"].operations == Operations(9408, 4704, 0, 4704, 4704)
    assert analysis["pool1"].operations == Operations(additions=3 * 1176, divisions=1176)
    assert analysis["softmax1"].operations == Operations(additions=9, divisions=10, exponentials=10)


def test_totals_are_column_sums() -> None:
    analysis = analyse(graph(LENET5))
    rows = [row.operations for row in analysis.rows]
    assert analysis.totals.operations == Operations(*(sum(column) for column in zip(*rows, strict=True)))
    # The headline figure leaves out the 2x of tanh: one multiplication a value.
    tanhs = 4704 + 1600 + 120 + 84
    assert analysis.totals.operations.multiplications == analysis.totals.multiplications + tanhs


def test_counts_are_per_image_whatever_the_batch() -> None:
    one, many = analyse(graph(LENET5)), analyse(graph(LENET5), batch=32)
    assert one.totals.multiplications == many.totals.multiplications
    assert one.totals.operations == many.totals.operations


def test_count_operations_gives_both_counts() -> None:
    assert count_operations(shape(op("linear", out_features=2), (3,))) == Work(6, Operations(6, 6))
    assert count_operations(shape(op("multiply", factor=0.5), (3,))) == Work(0, Operations(multiplications=3))


def test_a_separable_convolution_costs_what_the_paper_says() -> None:
    # Howard et al. 2017, section 3.1: D_K²·M·D_F² + M·N·D_F², a fraction 1/N + 1/D_K² of the full convolution.
    size, filters = 14, 512
    text = f"  - {{kind}}: {{{{out_channels: {filters}, kernel_size: 3, padding: 1, bias: false}}}}\n"
    image = f"{size}x{size}x{filters}"
    separable = numbers(text.format(kind="separable_conv2d"), image).totals.multiplications
    full = numbers(text.format(kind="conv2d"), image).totals.multiplications
    assert separable == 9 * filters * size**2 + filters * filters * size**2
    assert separable * 9 * filters == full * (9 + filters)


def test_counts_may_exceed_64_bits() -> None:
    text = f"  - conv2d: {{out_channels: {1 << 30}, kernel_size: 8, padding: same, bias: false}}\n"
    assert numbers(text, f"32x32x{1 << 20}").totals.multiplications == 1 << (5 + 5 + 30 + 3 + 3 + 20)
