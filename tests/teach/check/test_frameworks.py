"""Names of torchvision, timm and Keras: which layer is meant follows from the name, not from the value."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.frameworks import layer_of, names_of_frameworks
from archcalc.teach.check.model import Cell, Verdict
from tests.tables import read_catalogue, read_layers
from tests.teach.check.tables import analysis_of
from tests.tiers import slow_but


def cells(network: str, *rows: str, column: str = "params") -> list[Cell]:
    table = "\n".join([f"layer,{column}", *rows])
    return list(check_answers(analysis_of(network), parse_answers(table.encode(), "a.csv").answers).cells)


#: Names that two layers have, one here and one in a framework: either is right.
SHARED = [
    ("googlenet@torchvision", ["conv1,9536", "maxpool1,0", "conv2,4224", "conv3,110976"]),
    ("googlenet@torchvision", ["conv1,9536", "conv2,110976"]),
    ("googlenet", ["conv2.conv,110784"]),
    ("googlenet", ["conv2.conv,4160"]),
    ("googlenet@torchvision", ["conv2.conv,4096", "conv2.bn,128", "conv3.conv,110592", "conv3.bn,384"]),
    ("gpt2_small", ["h.0.mlp,4722432"]),
    ("gpt2_small", ["h0/mlp,4723968", "h.1.mlp,4723968", "h.2.mlp.c_fc,2362368"]),
]


@pytest.mark.parametrize(("network", "rows"), SHARED)
def test_names_that_are_another_layer_here(network: str, rows: list[str]) -> None:
    assert [cell.verdict for cell in cells(network, *rows)] == [Verdict.RIGHT] * len(rows)


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
    ("resnet18", "bn1", 4 * 64, 2 * 64),
    ("resnet20_cifar", "layer2.0.conv1", 9 * 32 * 32, 9 * 16 * 32),
    ("swin_t", "features.3.0.mlp.3", 96 * 384 + 384, 768 * 192 + 192),
    ("swin_t", "layers.1.downsample.reduction", 768 * 384, 384 * 192),
    ("convnext_tiny", "features.3.0.block.0", 49 * 96 + 96, 49 * 192 + 192),
    ("convnext_tiny", "stages.1.blocks.0.mlp.fc1", 96 * 384 + 384, 192 * 768 + 768),
    ("mnasnet1_0", "layers.8.0.layers.0", 24 * 72, 16 * 48),
    ("inception_v3", "Mixed_6e.branch7x7_1.conv", 768 * 128, 768 * 192),
    ("inception_v4", "features.7.branch1.0.conv", 1536 * 64, 384 * 64),
    ("inception_v4", "features.19.branch2_3b.conv", 3 * 512 * 512, 3 * 512 * 256),
    ("inception_v4", "features.18.branch1.2.conv", 7 * 256 * 256, 7 * 256 * 320),
    ("inception_v3", "Mixed_7b.branch3x3_2a.conv", 9 * 384 * 384, 3 * 384 * 384),
    ("regnet_x_400mf", "trunk_output.block2.block2-1.f.a.0", 32 * 64, 64 * 64),
    ("mixer_s_16", "blocks.0.mlp_tokens.fc1", 512 * 2048 + 2048, 196 * 256 + 256),
    ("shufflenet_v2_x1_0", "stage2.0.branch1.2", 58 * 58, 24 * 58),
    ("resnet50_v2", "stages.1.blocks.0.conv2", 9 * 64 * 64, 9 * 128 * 128),
    ("bert_base", "encoder.layer.3.output.dense", 768 * 3072 + 3072, 3072 * 768 + 768),
    ("hrnet_w18", "stage3.1.fuse_layers.2.0.0.0", 9 * 18 * 36, 9 * 18 * 18),
]


@pytest.mark.parametrize(
    "row", slow_but([], [row for row in read_catalogue() if not row["settings"] and not row["resized"]])
)
def test_every_name_is_that_of_its_layer(row: dict[str, str]) -> None:
    """By the tables of real implementations: the layer of a name has its parameters and its number of values."""
    analysis = analysis_of(row["network"])
    names, own = names_of_frameworks(analysis.rows), set(analysis.by_name)
    for layer in read_layers(row["layers"]):
        at = None if layer["layer"] in own else layer_of(layer["layer"], names)
        if at is not None:
            found = analysis.rows[at]
            values = prod(map(int, layer["output"].split("x")))
            assert (str(found.params), prod(found.output_shape)) == (layer["params"], values), layer["layer"]


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


@pytest.mark.parametrize(
    ("network", "rows"),
    [
        ("mobilenet@keras", ["conv1_bn,128", "conv_dw_1,288", "conv_dw_1_bn,128"]),
        ("mobilenet_v2", ["bn_Conv1,128", "block_1_expand_BN,384"]),
        ("resnet50", ["conv2_block1_1_bn (BatchNormalization),256"]),
        ("resnet50", ["conv2_block1_1_bn (BatchNormalization),128"]),
        ("vgg16@bn", ["conv2d,1792", "batch_normalization,256", "conv2d_1,36928", "batch_normalization_1,256"]),
    ],
)
def test_running_statistics_are_parameters_under_names_of_keras(network: str, rows: list[str]) -> None:
    found = cells(network, *rows)
    assert {cell.verdict for cell in found} == {Verdict.RIGHT}
    notes = {cell.answer.text: cell.note for cell in found if cell.expected != 128 and "_" in cell.answer.layer}
    assert all(("as Keras counts it" in note) == (int(text) % 256 in (0, 128)) for text, note in notes.items() if note)


def test_the_names_of_torch_have_no_running_statistics() -> None:
    (wrong,) = cells("resnet18", "bn1,256")
    assert (wrong.verdict, wrong.expected) == (Verdict.WRONG, 128)
    assert wrong.diagnoses[0].mistake == "counted_running_statistics"


@pytest.mark.parametrize(
    ("network", "rows", "wrong"),
    [
        # The names of modules that hold others: nothing is guessed of them.
        ("coatnet_0", ["another.1.blocks.0.se.fc2,37632", "head.fc,769000"], 0),
        ("zfnet", ["0,14208", "8,885120"], 0),
        # A branch that has the name of its last convolution.
        ("googlenet", ["inception_4b/5x5,38464"], 0),
        ("googlenet", ["inception_4c/1x1,65664", "inception_4d/5x5,51264", "inception_5a/5x5_reduce,26656"], 0),
        ("inception_v2", ["inception_3c_pool,0", "inception_4c_3x3,184480"], 0),
        ("resnet34", ["layer1,221952", "layer2,1116416"], 0),
        ("resnet34", ["layer1,221952", "layer2,1116417"], 1),
    ],
)
def test_what_a_name_does_not_say_is_not_wrong(network: str, rows: list[str], wrong: int) -> None:
    found = cells(network, *rows)
    assert [cell.verdict for cell in found].count(Verdict.WRONG) == wrong


def test_the_activation_in_a_normalisation_has_no_parameters() -> None:
    """Timm's BatchNormAct2d has its activation as `act`."""
    found = cells("inception_v4", "features.6.branch0.conv,36864", "features.6.branch0.bn.act,0",
                  "features.6.branch1.0.conv,24576", "features.6.branch1.0.bn.act,0")  # fmt: skip
    assert {cell.verdict for cell in found} == {Verdict.RIGHT}
