"""Rows that name several kinds of layers in a row: their sums, and the output of the last."""

from __future__ import annotations

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.teach.check.tables import analysis_of

PAIR = "32x32x3 -> conv3-8 -> bn -> relu -> conv3-16 -> bn -> relu"
#: Network and rows of output and parameters; a wrong cell has a mark.
TABLES = [
    *((PAIR, f"{one},32x32x8,240\n{two},32x32x16,{value}\n")
      for one, two in [("Conv+BN+ReLU 1", "Conv+BN+ReLU 2"), ("Conv1+BN1+ReLU", "Conv2+BN2+ReLU"),
                       ("Conv+BN", "Conv+BN"), ("conv bn relu 1", "conv bn relu 2"),
                       ("Conv → BN → ReLU", "Conv → BN → ReLU"), ("ConvBNReLU 1", "ConvBNReLU 2"),
                       ("ConvBNReLU", "ConvBNReLU")]
      for value in ("1200", "!1168")),
    (PAIR, "Conv+BN 1,32x32x8,240\n"),
    (PAIR, "Conv+BN 2,32x32x16,!1184\n"),
    (PAIR, "conv + relu 1,32x32x8,224\nbn 1,32x32x8,16\n"),
    ("vgg16@bn", "Conv+BN+ReLU 1,224x224x64,1920\nConv+BN+ReLU 2,224x224x64,37056\nConv+BN+ReLU 3,!56x56x128,74112\n"),
    ("vgg16@bn", "Conv+BN+ReLU 1,224x224x64,1920\nConv+BN+ReLU 2,224x224x64,!36928\n"),
    ("alexnet", "conv1+relu+pool,27x27x96,34944\nconv2+relu+pool,13x13x256,614656\nconv3,13x13x384,885120\n"),
    ("alexnet", "conv1+relu+pool,!55x55x96,34944\n"),
    ("alexnet", "conv1+relu,55x55x96,34944\nconv2 & relu,27x27x256,614656\n"),
    ("alexnet", "conv1+relu,!27x27x96,34944\n"),
    *(("mobilenet", f"{name} 1,112x112x64,2336\n{name} 2,56x56x128,{value}\n")
      for name in ("depthwise separable conv", "Separable Conv", "dw-separable conv layer")
      for value in ("8768", "!8767")),
    ("mobilenet", "depthwise separable conv 1,112x112x64,2528\ndepthwise separable conv 2,56x56x128,9152\n"),
    ("mobilenet", "dw conv 1,112x112x32,288\npointwise conv 1,112x112x64,2048\n"),
    ("xception", "separable conv 1,147x147x128,8768\nseparable conv 2,147x147x128,17536\n"),
]  # fmt: skip


@pytest.mark.parametrize(("network", "rows"), TABLES)
def test_a_row_of_several_kinds_is_their_sum(network: str, rows: str) -> None:
    table = f"layer,output,params\n{rows}"
    check = check_answers(analysis_of(network), parse_answers(table.replace("!", "").encode(), "a.csv").answers)
    expected = [Verdict.WRONG if cell.startswith("!") else Verdict.RIGHT
                for row in rows.splitlines() for cell in row.split(",")[1:]]  # fmt: skip
    assert [cell.verdict for cell in check.cells] == expected


@pytest.mark.parametrize(
    "name", ["depthwise separable conv 1", "separable conv 1", "image conv 1", "box subnet conv 1", "score pool 1",
             "cls conv", "lateral conv", "box head"],
)  # fmt: skip
def test_what_a_network_lacks_is_not_judged(name: str) -> None:
    table = f"layer,params\n{name},2336\nconv2,614656\n"
    check = check_answers(analysis_of("alexnet"), parse_answers(table.encode(), "a.csv").answers)
    assert [cell.verdict for cell in check.cells] == [Verdict.UNREADABLE, Verdict.RIGHT]
