"""Rows of full names joined by a plus, and of a name with what follows its layer in brackets."""

from __future__ import annotations

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Cell, Verdict
from tests.teach.check.tables import analysis_of

#: A network, what a row is called, numbers that are right for it, and some that are wrong.
NAMED = [
    ("resnet18", "Conv 1 (BN, ReLU)", (9408, 9536), (9409, 128)),
    *((network, "conv1 (BN)", (9408, 9536), (128,)) for network in ("resnet18", "resnet50", "googlenet@torchvision")),
    ("mobilenet", "conv1 (BN + ReLU)", (864, 928), (64,)),
    ("crnn", "Conv3 (BN)", (295168, 295680), (512,)),
    ("vgg16@bn", "conv1_1 (BN, ReLU)", (1792, 1920), (128,)),
    ("vgg16", "conv1_1 (ReLU)", (1792,), (0,)),
    ("googlenet", "Conv 1 (ReLU)", (9472,), (0,)),
    ("mobilenet", "conv2_1/dw/conv + conv2_1/dw/bn + conv2_1/dw/relu", (352,), (288, 353)),
    ("resnet18", "conv2_x/unit1/basic/conv1/conv + conv2_x/unit1/basic/conv1/bn", (36992,), (36864,)),
    ("wrn_16_8", "conv1 + conv2/unit1/act1/bn + conv2/unit1/act1/relu", (464,), (432,)),
    ("densenet121", "transition1/norm+ReLU", (512,), (0,)),
    ("resnet18", "layer1.0 conv1 + bn", (36992,), (36864,)),
    ("resnet18", "conv1 + bn1", (9536,), (9408,)),
]  # fmt: skip


def only_cell(network: str, heading: str, name: str, text: str) -> Cell:
    answers = parse_answers(f'layer,{heading}\n"{name}",{text}\n'.encode(), "a.csv").answers
    (cell,) = check_answers(analysis_of(network), answers).cells
    return cell


@pytest.mark.parametrize(("network", "name", "right", "wrong"), NAMED)
def test_a_row_is_about_the_layers_that_its_name_lists(
    network: str, name: str, right: tuple[int, ...], wrong: tuple[int, ...]
) -> None:
    found = {number: only_cell(network, "params", name, str(number)).verdict for number in (*right, *wrong)}
    assert found == dict.fromkeys(right, Verdict.RIGHT) | dict.fromkeys(wrong, Verdict.WRONG)


def test_a_sum_has_the_shape_of_its_last_layer_and_all_multiplications() -> None:
    name = "conv2_1/dw/conv + conv2_1/dw/bn + conv2_1/sep/conv"
    assert only_cell("mobilenet", "output", name, "112x112x64").verdict is Verdict.RIGHT
    assert only_cell("mobilenet", "MACs", name, str(112 * 112 * (32 * 9 + 32 * 64))).verdict is Verdict.RIGHT


def test_a_sum_without_the_normalisation_that_it_names_is_a_mistake_except_of_weights() -> None:
    cell = only_cell("resnet18", "params", "conv1 + bn1", "9408")
    assert cell.verdict is Verdict.WRONG
    assert "normalisation layers are missing" in cell.diagnoses[0].explanation
    assert only_cell("resnet18", "weights", "conv1 + bn1", "9408").verdict is Verdict.RIGHT


def test_a_sum_with_a_part_of_no_name_is_not_judged() -> None:
    cell = only_cell("mobilenet", "params", "conv2_1/dw/conv + conv9/xyz/conv", "2336")
    assert cell.verdict is Verdict.UNREADABLE


@pytest.mark.parametrize(
    ("network", "block", "branch", "whole"),
    [("squeezenet1_1", "fire2", "56x56x64", "56x56x128"), ("googlenet", "inception_3a", "28x28x32", "28x28x256")],
)  # fmt: skip
def test_the_output_of_a_block_is_the_merged_map(network: str, block: str, branch: str, whole: str) -> None:
    assert only_cell(network, "output", block, whole).verdict is Verdict.RIGHT
    assert only_cell(network, "output", block, branch).verdict is Verdict.WRONG
