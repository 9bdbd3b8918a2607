"""Rows whose numbers run through several kinds of layers: what stands in the cells decides between two readings."""

from __future__ import annotations

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.teach.check.tables import analysis_of

PATTERN = "32x32x3 -> conv5-6p0 -> pool2 -> conv5-16p0 -> pool2 -> fc120 -> fc84 -> fc10"
SAME = ["3211264", *["802816"] * 5, *["401408"] * 5]
TORCH = ["Conv2d-1", "MaxPool2d-2", *(f"Conv2d-{number}" for number in range(3, 12))]

#: Network, rows, values, heading, layers.
TABLES = [
    # Numbered through all rows, the last parts of the layers' names by unit; many values are equal.
    (
        "resnet18", TORCH, SAME, "memory",
        ["conv1/conv", "pool1", "conv2_x/unit1/basic/conv1/conv", "conv2_x/unit1/basic/conv2/conv"],
    ),
    # FC3 is a layer's name, and the third layer with weights is fc1.
    (PATTERN, ["CONV1", "CONV2", "FC3"], ["28x28x6", "10x10x16", "120"], "output", ["conv1", "conv2", "fc1"]),
    (PATTERN, ["CONV1", "CONV2", "FC3"], ["28x28x6", "10x10x16", "10"], "output", ["conv1", "conv2", "fc3"]),
    (PATTERN, ["CONV1", "POOL1", "CONV2", "FC3"], ["456", "0", "2416", "48120"], "params",
     ["conv1", "pool1", "conv2", "fc1"]),
    # CONV2 has the name of a layer, and is the second convolution, the one before that.
    ("googlenet", ["CONV1", "POOL1", "CONV2", "CONV3"], ["112x112x64", "56x56x64", "56x56x64", "56x56x192"], "output",
     ["conv1/conv", "pool1", "conv2_reduce/conv", "conv2/conv"]),
    # conv1 is a block of two convolutions, and the first of them.
    ("inception_v2@slim", ["CONV1", "CONV2", "POOL2", "CONV3"], ["112x112x24", "112x112x64", "56x56x64", "56x56x64"],
     "output", ["conv1/conv/depthwise", "conv1/conv/pointwise"]),
]  # fmt: skip


@pytest.mark.parametrize(("network", "rows", "values", "heading", "layers"), TABLES)
def test_cells_decide_what_a_number_counts(
    network: str, rows: list[str], values: list[str], heading: str, layers: list[str]
) -> None:
    lines = "".join(f"{row},{value}\n" for row, value in zip(rows, values, strict=True))
    check = check_answers(analysis_of(network), parse_answers(f"layer,{heading}\n{lines}".encode(), "a.csv").answers)
    assert {cell.verdict for cell in check.cells} == {Verdict.RIGHT}
    assert [cell.layer for cell in check.cells][: len(layers)] == layers


def test_a_wrong_number_is_still_wrong_where_numbers_run_through() -> None:
    text = "layer,output\nCONV1,28x28x6\nCONV2,10x10x16\nFC3,121\n"
    check = check_answers(analysis_of(PATTERN), parse_answers(text.encode(), "a.csv").answers)
    assert [cell.verdict for cell in check.cells][:2] == [Verdict.RIGHT, Verdict.RIGHT]
    assert check.cells[2].verdict in (Verdict.WRONG, Verdict.UNREADABLE)
