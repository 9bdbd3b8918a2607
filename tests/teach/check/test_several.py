"""Rows that list several layers, and rows for modules of PyTorch next to those of what is in them."""

from __future__ import annotations

import pytest

from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Answer, Check, Verdict
from tests.teach.check.tables import analysis_of

Rows = list[tuple[str, str, str]]


def checked(network: str, rows: Rows) -> Check:
    """A table of output shapes and parameters."""
    answers = [
        Answer(label, quantity, text)
        for label, *cells in rows
        for quantity, text in zip(("output_shape", "params"), cells, strict=True)
    ]
    return check_answers(analysis_of(network), answers)


#: AlexNet: (3·3·256 + 1)·384 = 885,120, (3·3·384 + 1)·384 = 1,327,488 and (3·3·384 + 1)·256 = 884,992.
LISTS = [
    ("conv3, conv4", "13x13x384", "2,212,608"),
    ("conv3 and conv4", "13x13x384", "2,212,608"),
    ("conv3, 4", "13x13x384", "2,212,608"),
    ("Conv 3 & 4", "13x13x384", "2,212,608"),
    ("conv3+conv4+conv5", "13x13x256", "3,097,600"),
    ("conv3, conv4 and conv5", "13x13x256", "3,097,600"),
    ("conv3-5", "13x13x256", "3,097,600"),
    ("conv3–conv5", "13x13x256", "3,097,600"),
    ("conv3…5", "13x13x256", "3,097,600"),
    ("conv3 to conv5", "13x13x256", "3,097,600"),
    ("conv3 bis conv5", "13x13x256", "3,097,600"),
]


@pytest.mark.parametrize(("label", "shape", "params"), LISTS)
def test_a_list_is_judged_by_the_last_layer_and_the_sum_of_all(label: str, shape: str, params: str) -> None:
    before = [("conv1", "55x55x96", "34,944"), ("conv2", "27x27x256", "614,656")]
    after = [("FC6-7", "4096", "54,534,144"), ("fc8", "1000", "4,097,000")]
    assert checked("alexnet", [*before, (label, shape, params), *after]).is_right
    for spoilt in [(label, "13x13x512", params), (label, shape, "885,120")]:
        found = checked("alexnet", [*before, spoilt, *after])
        assert found.count(Verdict.WRONG) == 1
        assert found.count(Verdict.RIGHT) == 9


def test_layers_that_are_counted_by_kind_are_listed_too() -> None:
    rows = [
        ("conv1, conv2", "224x224x64", "38,720"),  # 3·3·3·64 + 64 + 3·3·64·64 + 64
        ("conv 3 and 4", "112x112x128", "221,440"),
        ("conv5–conv7", "56x56x256", "1,475,328"),
        ("FC1, FC2", "4096", "119,545,856"),
    ]
    assert checked("vgg16", rows).is_right


def test_a_convolution_with_its_pool_gives_what_either_gives() -> None:
    for side in (55, 27):
        assert checked("alexnet", [("conv1 + pool1", f"{side}x{side}x96", "34,944")]).is_right


#: As `named_modules()` of torchvision 0.29 has them, shapes by hooks.
ALEXNET = [
    ("features", "(256, 6, 6)", "2,469,696"),
    ("features.0", "(64, 55, 55)", "23,296"),
    ("features.1", "(64, 55, 55)", "0"),
    ("features.2", "(64, 27, 27)", "0"),
    ("features.3", "(192, 27, 27)", "307,392"),
    ("features.4", "(192, 27, 27)", "0"),
    ("features.5", "(192, 13, 13)", "0"),
    ("features.6", "(384, 13, 13)", "663,936"),
    ("features.7", "(384, 13, 13)", "0"),
    ("features.8", "(256, 13, 13)", "884,992"),
    ("features.9", "(256, 13, 13)", "0"),
    ("features.10", "(256, 13, 13)", "590,080"),
    ("features.11", "(256, 13, 13)", "0"),
    ("features.12", "(256, 6, 6)", "0"),
    ("avgpool", "(256, 6, 6)", "0"),
    ("classifier", "(1000,)", "58,631,144"),
    ("classifier.0", "(9216,)", "0"),
    ("classifier.1", "(4096,)", "37,752,832"),
    ("classifier.2", "(4096,)", "0"),
    ("classifier.3", "(4096,)", "0"),
    ("classifier.4", "(4096,)", "16,781,312"),
    ("classifier.5", "(4096,)", "0"),
    ("classifier.6", "(1000,)", "4,097,000"),
]


def test_modules_of_pytorch_are_judged_each() -> None:
    assert checked("alexnet@torchvision", ALEXNET).is_right
    assert checked("alexnet@torchvision", [row for row in ALEXNET if "." in row[0]]).is_right


@pytest.mark.parametrize("row", [0, 1, 4, 7, 15, 17, 20, 22])
def test_a_wrong_number_of_a_module_is_found(row: int) -> None:
    name, shape, params = ALEXNET[row]
    rows = [*ALEXNET[:row], (name, shape, f"{params[:-1]}{9 - int(params[-1])}"), *ALEXNET[row + 1 :]]
    found = checked("alexnet@torchvision", rows)
    assert [(cell.answer.layer, cell.quantity) for cell in found.cells if cell.verdict is not Verdict.RIGHT] == [
        (name, "params")
    ]


FIRE = [
    ("features.0", "(64, 113, 113)", "1,792"),
    ("features.1", "(64, 113, 113)", "0"),
    ("features.2", "(64, 56, 56)", "0"),
    ("features.3", "(128, 56, 56)", "11,408"),
    ("features.3.squeeze", "(16, 56, 56)", "1,040"),
    ("features.3.squeeze_activation", "(16, 56, 56)", "0"),
    ("features.3.expand1x1", "(64, 56, 56)", "1,088"),
    ("features.3.expand1x1_activation", "(64, 56, 56)", "0"),
    ("features.3.expand3x3", "(64, 56, 56)", "9,280"),
    ("features.3.expand3x3_activation", "(64, 56, 56)", "0"),
]
SHORTCUT = [
    ("layer2.0", "(128, 28, 28)", "230,144"),
    ("layer2.0.conv1", "(128, 28, 28)", "73,728"),
    ("layer2.0.bn1", "(128, 28, 28)", "256"),
    ("layer2.0.relu", "(128, 28, 28)", "0"),
    ("layer2.0.conv2", "(128, 28, 28)", "147,456"),
    ("layer2.0.bn2", "(128, 28, 28)", "256"),
    ("layer2.0.downsample", "(128, 28, 28)", "8,448"),
    ("layer2.0.downsample.0", "(128, 28, 28)", "8,192"),
    ("layer2.0.downsample.1", "(128, 28, 28)", "256"),
]


@pytest.mark.parametrize(("network", "rows"), [("squeezenet1_1", FIRE), ("resnet18", SHORTCUT)])
def test_modules_with_branches_are_judged(network: str, rows: Rows) -> None:
    assert checked(network, rows).is_right


def test_layers_with_other_names_than_the_networks_are_found_by_their_place() -> None:
    """MobileNet: 3·3·32 + 2·32 + 32·64 + 2·64 with the normalisations; U-Net: (9 + 1)·64 + (9·64 + 1)·64."""
    assert checked("mobilenet", [("conv1", "112x112x32", "928"), ("dw1 + pw1", "112x112x64", "2,528")]).is_right
    rows = [
        ("conv1_1–conv1_2", "568×568×64", "37,568"),
        ("conv2_1–conv2_2", "280×280×128", "221,440"),
        ("conv3_1–conv3_2", "136×136×256", "885,248"),
    ]
    assert checked("unet", rows).is_right


def test_no_list_is_called_wrong_whose_layers_are_not_known() -> None:
    found = checked("mobilenet", [("conv1", "112x112x32", "928"), ("dw1 + pw1", "112x112x64", "2,529")])
    assert not found.count(Verdict.WRONG)


def test_a_sequential_is_judged_by_its_indices() -> None:
    rows = [(row[0].partition(".")[2], row[1], row[2]) for row in ALEXNET if row[0].startswith("features.")]
    assert checked("alexnet@torchvision", rows).is_right


def test_a_transition_and_a_classifier_are_known_in_other_languages() -> None:
    """DenseNet-121: 2·256 + 256·128 = 33,280, then 2·512 + 512·256 = 132,096, and (1024 + 1)·1000."""
    rows = [
        ("Übergang 1", "28x28x128", "33.280"),
        ("Übergang 2", "14x14x256", "132.099"),
        ("Klassifikator", "1000", "1.025.000"),
    ]
    found = checked("densenet121", rows)
    assert [cell.expected for cell in found.cells if cell.verdict is Verdict.WRONG] == [132_096]
    assert found.count(Verdict.RIGHT) == 5
