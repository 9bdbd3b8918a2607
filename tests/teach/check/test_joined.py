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


def joined_by_hyphens(network: str, name: str, *, with_norm: bool) -> str:
    """A table in which each convolution has one row, with its normalisation or without it; pools and dense layers."""
    rows, found, numbers = analysis_of(network).rows, ["layer,output,params,MACs"], dict.fromkeys(("conv", "fc"), 0)
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        params = row.params
        if row.op.family == "convolution":
            numbers["conv"] += 1
            label = name.format(number=numbers["conv"])
            params += after.params if with_norm and after and after.op.family == "normalisation" else 0
        elif row.op.family == "dense":
            numbers["fc"] += 1
            label = f"fc {numbers['fc']}"
        elif row.op.family == "pooling":
            label = "pool"
        else:
            continue
        shape = "x".join(map(str, (*row.output_shape[1:], row.output_shape[0])))
        found.append(f"{label},{shape},{params},{row.multiplications}")
    return "\n".join(found)


@pytest.mark.parametrize("network", ["alexnet", "vgg16@bn", "googlenet", "resnet34", "mobilenet_v2"])
@pytest.mark.parametrize(
    "name", ["conv_{number}_bn_relu", "conv_{number}_relu", "Conv-BN-ReLU", "Conv-BN-ReLU6", "Conv-BN-ReLU {number}"]
)
@pytest.mark.parametrize("with_norm", [True, False])
def test_kinds_that_hyphens_join_are_the_convolution_and_what_follows(
    network: str, name: str, *, with_norm: bool
) -> None:
    table = joined_by_hyphens(network, name, with_norm=with_norm)
    check = check_answers(analysis_of(network), parse_answers(table.encode(), "a.csv").answers)
    assert {cell.verdict for cell in check.cells} == {Verdict.RIGHT}


def test_a_name_of_keras_is_that_layer_next_to_others_that_begin_so() -> None:
    table = "layer,params\nconv_1,34944\nconv_1_relu,34944\n"
    check = check_answers(analysis_of("alexnet"), parse_answers(table.encode(), "a.csv").answers)
    assert check.cells[1].verdict is not Verdict.RIGHT


@pytest.mark.parametrize(("number", "verdict"), [(412160, Verdict.RIGHT), (1584, Verdict.WRONG)])
def test_the_last_convolution_with_an_activation_whose_name_has_a_number(number: int, verdict: Verdict) -> None:
    table = f"layer,params\nLast conv + BN + ReLU6,{number}\n"
    check = check_answers(analysis_of("mobilenet_v2"), parse_answers(table.encode(), "a.csv").answers)
    assert [cell.verdict for cell in check.cells] == [verdict]


@pytest.mark.parametrize(
    "name", ["depthwise separable conv 1", "separable conv 1", "image conv 1", "box subnet conv 1", "score pool 1",
             "cls conv", "lateral conv", "box head"],
)  # fmt: skip
def test_what_a_network_lacks_is_not_judged(name: str) -> None:
    table = f"layer,params\n{name},2336\nconv2,614656\n"
    check = check_answers(analysis_of("alexnet"), parse_answers(table.encode(), "a.csv").answers)
    assert [cell.verdict for cell in check.cells] == [Verdict.UNREADABLE, Verdict.RIGHT]
