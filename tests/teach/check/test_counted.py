"""What fvcore and ptflops print of each module, pasted as it is: each count is held to what the tool counts."""

from __future__ import annotations

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Check, Verdict
from tests.teach.check.tables import analysis_of

#: flop_count_table of torchvision's alexnet.
FVCORE = """| module              | #parameters or shape   | #flops   |
|:--------------------|:-----------------------|:---------|
| model               | 61.101M                | 0.714G   |
| features            | 2.47M                  | 0.656G   |
| features.0          | 23.296K                | 70.277M  |
| features.0.weight   | (64, 3, 11, 11)        |          |
| features.0.bias     | (64,)                  |          |
| features.3          | 0.307M                 | 0.224G   |
| features.6          | 0.664M                 | 0.112G   |
| features.8          | 0.885M                 | 0.15G    |
| features.10         | 0.59M                  | 99.68M   |
| classifier          | 58.631M                | 58.622M  |
| classifier.1        | 37.753M                | 37.749M  |
| classifier.4        | 16.781M                | 16.777M  |
| classifier.6        | 4.097M                 | 4.096M   |
| avgpool             |                        | 9.216K   |
"""
#: The modules of a MobileNetV2 hold a convolution and its normalisation; those of GoogLeNet are counted on.
MODULES = """| module             | #parameters or shape   | #flops   |
|:-------------------|:-----------------------|:---------|
| model              | 3.505M                 | 0.314G   |
| features.15.conv.0 | 0.156M                 | 7.62M    |
| features.15.conv.1 | 10.56K                 | 0.517M   |
| features.16.conv.1 | 10.56K                 | 0.517M   |
| features.17.conv.3 | 0.64K                  | 31.36K   |
"""
COUNTED_ON = """| module     | #parameters or shape   | #flops   |
|:-----------|:-----------------------|:---------|
| model      | 6.625M                 | 1.505G   |
| conv2      | 4.224K                 | 13.246M  |
| conv2.conv | 4.096K                 | 12.845M  |
| conv2.bn   | 0.128K                 | 0.401M   |
| conv3.conv | 0.111M                 | 0.347G   |
"""
#: A pool to the size that its map has, which VGG-16 of the paper does not have.
IDLE = """| module     | #parameters or shape   | #flops   |
|:-----------|:-----------------------|:---------|
| model      | 138.358M               | 15.47G   |
| features.0 | 1.792K                 | 86.704M  |
| avgpool    |                        | 25.088K  |
"""
#: flop_count_str of the same library.
TREE = """ResNet(
  #params: 11.69M, #flops: 1.82G
  (conv1): Conv2d(
    3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False
    #params: 9.41K, #flops: 0.12G
  )
  (bn1): BatchNorm2d(
    64, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True
    #params: 0.13K, #flops: 1.61M
  )
  (relu): ReLU(inplace=True)
  (layer1): Sequential(
    #params: 0.15M, #flops: 0.46G
    (0): BasicBlock(
      #params: 73.98K, #flops: 0.23G
      (conv1): Conv2d(
        64, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False
        #params: 36.86K, #flops: 0.12G
      )
    )
  )
)
"""
PTFLOPS = """ResNet(
  11.69 M, 100.000% Params, 1.82 GMac, 99.828% MACs,
  (conv1): Conv2d(9.41 k, 0.080% Params, 118.01 MMac, 6.465% MACs, 3, 64, kernel_size=(7, 7), stride=(2, 2), bias=False)
  (bn1): BatchNorm2d(128, 0.001% Params, 1.61 MMac, 0.088% MACs, 64, eps=1e-05, momentum=0.1, affine=True)
  (relu): ReLU(0, 0.000% Params, 802.82 KMac, 0.044% MACs, inplace=True)
  (layer1): Sequential(
    147.97 k, 1.266% Params, 464.83 MMac, 25.466% MACs,
    (0): BasicBlock(
      73.98 k, 0.633% Params, 232.42 MMac, 12.733% MACs,
      (conv1): Conv2d(36.86 k, 0.315% Params, 115.61 MMac, 6.333% MACs, 64, 64, kernel_size=(3, 3), bias=False)
      (bn1): BatchNorm2d(128, 0.001% Params, 401.41 KMac, 0.022% MACs, 64, eps=1e-05, momentum=0.1, affine=True)
    )
  )
)
"""


def _check(network: str, text: str) -> Check:
    return check_answers(analysis_of(network), parse_answers(text.encode(), "table").answers)


@pytest.mark.parametrize(
    ("network", "text", "right"),
    [
        ("alexnet@torchvision", FVCORE, 23),
        ("mobilenet_v2", MODULES, 10),
        ("googlenet@torchvision", COUNTED_ON, 10),
        ("vgg16", IDLE, 4),
        ("resnet18", TREE, 12),
        ("resnet18", PTFLOPS, 12),
    ],
)
def test_what_tools_print_is_right(network: str, text: str, right: int) -> None:
    check = _check(network, text)
    assert check.is_right
    assert check.count(Verdict.RIGHT) == right


@pytest.mark.parametrize(
    ("network", "text", "printed", "wrong", "expected"),
    [
        ("alexnet@torchvision", FVCORE, "70.277M", "7.027M", 70_276_800),
        ("alexnet@torchvision", FVCORE, "2.47M ", "2.46M ", 2_469_696),
        ("resnet18", TREE, "1.61M", "1.51M", 1_605_632),
        ("resnet18", PTFLOPS, "1.61 MMac", "0.8 MMac", 1_605_632),
        ("resnet18", PTFLOPS, "36.86 k", "36.93 k", 36_864),
    ],
)
def test_a_wrong_count_is_held_to_the_tool(network: str, text: str, printed: str, wrong: str, expected: int) -> None:
    check = _check(network, text.replace(printed, wrong))
    assert [cell.expected for cell in check.cells if cell.verdict is Verdict.WRONG] == [expected]


def test_counts_that_are_not_checked_are_named() -> None:
    assert any("ptflops" in note for note in parse_answers(PTFLOPS.encode(), "table").notes)
