"""Names of torchvision, timm and Keras: which layer is meant follows from the name, not from the value."""

from __future__ import annotations

from itertools import pairwise

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.frameworks import names_of_frameworks
from archcalc.teach.check.model import Cell, Verdict
from tests.teach.check.tables import analysis_of
from tests.tiers import slow_but


def cells(network: str, *rows: str, column: str = "params") -> list[Cell]:
    table = "\n".join([f"layer,{column}", *rows])
    return list(check_answers(analysis_of(network), parse_answers(table.encode(), "a.csv").answers).cells)


#: A value of another layer, and the right one: window · maps that are read · filters, and a bias for each filter.
OTHERS = [
    ("resnet18", "layer2.0.conv1", 9 * 128 * 128, 9 * 64 * 128),
    ("resnet18", "layer2.0.conv1", 9 * 64 * 64, 9 * 64 * 128),
    ("resnet18", "model.layer2.0.downsample.0", 9 * 64 * 128, 64 * 128),
    ("resnet18", "conv3_block1_0_bn (BatchNormalization)", 128, 2 * 128),
    ("vgg16", "features.7", 9 * 64 * 64 + 64, 9 * 128 * 128 + 128),
    ("vgg16", "classifier.3", 4096 * 1000 + 1000, 4096 * 4096 + 4096),
    ("vgg16", "block2_conv1", 9 * 64 * 64 + 64, 9 * 64 * 128 + 128),
    ("vgg16@bn", "features.7", 9 * 64 * 64 + 64, 9 * 64 * 128 + 128),
    ("alexnet@torchvision", "features.8", 9 * 192 * 384 + 384, 9 * 384 * 256 + 256),
    ("squeezenet1_1", "features.4.expand1x1", 32 * 128 + 128, 16 * 64 + 64),
    ("googlenet@torchvision", "inception3a.branch2.1.conv", 192 * 96, 9 * 96 * 128),
    ("inception_v3", "Mixed_5b.branch5x5_2.conv", 192 * 64, 25 * 48 * 64),
    ("densenet121", "features.denseblock1.denselayer2.conv1", 64 * 128, 96 * 128),
    ("densenet121", "pool2_conv (Conv2D)", 512 * 256, 256 * 128),
    ("mobilenet_v2", "features.2.conv.0.0", 16 * 32, 16 * 96),
    ("mobilenet_v2", "features.18.0", 16 * 96, 320 * 1280),
    ("mobilenet_v2", "block_2_depthwise", 9 * 96, 9 * 144),
    ("mobilenet@keras", "conv_dw_4", 9 * 64, 9 * 128),
    ("efficientnet_b0", "blocks.1.0.conv_pwl", 32 * 16, 96 * 24),
    ("efficientnet_b0", "block2a_expand_conv", 32 * 16, 16 * 96),
    ("vit_b_16", "blocks.3.mlp.fc2", 768 * 3072 + 3072, 3072 * 768 + 768),
]


@pytest.mark.parametrize(("network", "name", "other", "right"), slow_but(OTHERS[1:10], OTHERS))
def test_a_name_is_held_to_its_layer(network: str, name: str, other: int, right: int) -> None:
    (wrong,), (fine,) = cells(network, f"{name},{other}"), cells(network, f"{name},{right}")
    assert (wrong.verdict, wrong.expected) == (Verdict.WRONG, right)
    assert fine.verdict is Verdict.RIGHT


def test_the_size_of_a_stride_tells_layers_apart() -> None:
    (wrong,) = cells("resnet50", "layer3.0.conv1,14x14x256", column="output")
    assert (wrong.verdict, wrong.expected) == (Verdict.WRONG, (256, 28, 28))


def test_one_wrong_cell_of_a_table_has_a_reason() -> None:
    found = cells("vgg16", "features.0,1792", "features.2,36928", "features.5,73728", "features.7,147584")
    assert [cell.verdict for cell in found] == [Verdict.RIGHT, Verdict.RIGHT, Verdict.WRONG, Verdict.RIGHT]
    assert (found[2].expected, found[2].diagnoses[0].mistake) == (9 * 64 * 128 + 128, "forgot_bias")


def test_names_of_another_form_of_the_network_are_matched_by_all_rows() -> None:
    """VGG-16 with batch normalisation has other numbers for the same convolutions."""
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    places = [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40]
    params = [9 * before * after + after for before, after in pairwise(widths)]
    rows = [f"features.{place},{count}" for place, count in zip(places, params, strict=True)]
    assert {cell.verdict for cell in cells("vgg16", *rows)} == {Verdict.RIGHT}


def test_a_chain_with_other_layers_has_no_such_names() -> None:
    """The AlexNet of the paper has local response normalisation, which torchvision leaves out and does not count."""
    assert not names_of_frameworks(analysis_of("alexnet").rows)


@pytest.mark.parametrize(
    "rows", [["banana,36864"], ["banana,36864", "mango,73728"], ["model.9.7.banana,36864"], ["layer9.7.conv3,36864"]]
)
def test_a_value_alone_says_nothing_of_a_name_that_no_layer_has(rows: list[str]) -> None:
    found = cells("resnet18", *rows)
    assert {cell.verdict for cell in found} == {Verdict.UNREADABLE}
    assert "its values are those of conv2_x/unit1/basic/conv1/conv" in found[0].note


def test_a_name_that_says_nothing_is_matched_between_rows_that_do() -> None:
    found = cells("lenet5", "C1,156", "banana,0", "C3,2416")
    assert [cell.layer for cell in found] == ["C1", "S2", "C3"]
