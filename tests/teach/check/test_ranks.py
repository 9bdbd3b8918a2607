"""Hand calculations of networks over signals, volumes and flat inputs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import archcalc as ac
from archcalc.objects import Analysis
from archcalc.teach.check.agreement import ordered
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.diagnose import Situation, diagnose
from archcalc.teach.check.model import Answer, Verdict
from archcalc.teach.reading.statements import read_statement
from tests.cli.runner import Run


@cache
def analysed(pattern: str) -> Analysis:
    return ac.analyse(pattern)


SIGNAL = "100x3 -> conv3-8p0 -> pool2 -> fc3"
VOLUME = "16x56x56x3 -> conv3-16 -> pool2 -> fc3"
FLAT = "784 -> fc100 -> relu -> fc10"

#: Network, cells; all are right.
RIGHT = [
    (SIGNAL, "layer,output,params,receptive field\nconv1,98x8,80,3\npool1,49x8,0,4\nfc1,3,1179,100\n"),
    (SIGNAL, 'layer,output\nconv1,"(8, 98)"\npool1,"(None, 49, 8)"\n'),
    (SIGNAL, "layer,output\nconv1,8x98\npool1,8x49\n"),
    (SIGNAL, 'layer,output\nconv1,"L=98, C=8"\npool1,"C=8, L=49"\n'),
    (SIGNAL, 'layer,output\nconv1,"length 98, channels 8"\npool1,"(T = 49, C = 8)"\n'),
    (SIGNAL, "layer,output (C x L)\nconv1,8x98\npool1,8x49\n"),
    (SIGNAL, "layer,output (L×C)\nconv1,98x8\npool1,49x8\n"),
    (VOLUME, 'layer,output\nconv1,"D=16, H=56, W=56, C=16"\npool1,"C=16, D=8, H=28, W=28"\n'),
    (VOLUME, "layer,D×H×W×C\nconv1,16x56x56x16\npool1,8x28x28x16\n"),
    (VOLUME, "layer,output (C×D×H×W)\nconv1,16x16x56x56\npool1,16x8x28x28\n"),
    (VOLUME, "layer,output,params,receptive field\nconv1,16x56x56x16,1312,3x3x3\npool1,8x28x28x16,0,4\n"),
    (VOLUME, 'layer,output\nconv1,"(16, 16, 56, 56)"\npool1,"(None, 8, 28, 28, 16)"\n'),
    # The mean of each channel is a vector, as frameworks print it.
    ("100x3 -> conv3-8 -> gap", "layer,output\ngap1,8\n"),
    ("100x3 -> conv3-8 -> gap", 'layer,output\ngap1,"(None, 8)"\n'),
    ("16x56x56x3 -> conv3-16 -> gap", 'layer,output\ngap1,"(None, 16)"\n'),
    ("16x56x56x3 -> conv3-16 -> gap", "layer,output\ngap1,1x1x1x16\n"),
    (FLAT, "layer,output,params\nfc1,100,78500\nfc2,10,1010\n"),
]
#: Network, a cell, and what must be said of it.
WRONG = [
    (SIGNAL, "layer,output\nconv1,97x8\n", "it is: 98×8"),
    (SIGNAL, "layer,output\nconv1,98x9\n", "it is: 98×8"),
    (SIGNAL, "layer,params\nconv1,72\n", "bias"),
    (SIGNAL, "layer,receptive field\npool1,5\n", "it is: 4"),
    (VOLUME, "layer,params\nconv1,1296\n", "bias"),
    (VOLUME, "layer,receptive field\npool1,4x4x5\n", "it is: 4"),
    (VOLUME, "layer,output\npool1,8x28x29x16\n", "it is: 8×28×28×16"),
    # Sides and windows in the order depth, height, width, whatever was wrong.
    ("c3d", "layer,receptive field\npool1,4x4x3\n", "it is: 3×4×4"),
    ("c3d", "layer,receptive field\npool1,4x4x4\n", "it is: 3×4×4"),
    (
        "c3d",
        "layer,receptive field\nconv1a,3x3x5\npool1,3x3x6\n",
        "Given your conv1a/conv receptive field it would be 3×4×6",
    ),
    ("20x30x3 -> conv3x5-8 -> pool2", "layer,receptive field\nconv1,5x3\n", "it is: 3×5"),
    ("c3d", "layer,output\nconv1a,112x112x16x64\n", "112×112×16×64 should be 16×112×112×64"),
    (FLAT, "layer,params\nfc1,78400\n", "bias"),
    # 2·7 + 3·2 + 1 = 21 positions; 17 without the dilation.
    (
        "8x8x4 -> upconv3-3/2d3",
        "layer,output\nupconv1,17x17x3\n",
        "exactly 2·(8 − 1) + 3 − 2·0 = 17: the dilation is missing",
    ),
    ("8x4 -> upconv3-3/2d3", "layer,output\nupconv1,17x3\n", "the dilation is missing"),
]


@pytest.mark.parametrize(("network", "table"), RIGHT)
def test_right_answers_are_right(archcalc: Run, tmp_path: Path, network: str, table: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(table)
    result = archcalc("check", network, path)
    assert (result.code, " wrong" in result.out) == (0, False), result.out + result.err


@pytest.mark.parametrize(("network", "table", "words"), WRONG)
def test_wrong_answers_are_found_and_explained(
    archcalc: Run, tmp_path: Path, network: str, table: str, words: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(table)
    result = archcalc("check", network, path)
    assert result.code == 1, result.err
    assert words in result.out


@pytest.mark.parametrize("network", [SIGNAL, VOLUME, FLAT])
def test_an_exercise_and_its_key(archcalc: Run, tmp_path: Path, network: str) -> None:
    assert archcalc("exercise", network, "-o", tmp_path / "e.csv").code == 0
    result = archcalc("check", network, tmp_path / "e-key.csv")
    assert (result.code, " wrong" in result.out) == (0, False), result.out + result.err
    assert archcalc("exercise", network, "--vary", "-o", tmp_path / "v.csv").code == 0


@pytest.mark.parametrize("network", [SIGNAL, VOLUME])
def test_receptive_fields_are_plotted(archcalc: Run, tmp_path: Path, network: str) -> None:
    result = archcalc("plot", "receptive-field", network, "-o", tmp_path / "r.vl.json")
    assert result.code == 0, result.err


SIDES = "100x4 -> conv5-16/2p1 -> pool2 -> conv3-32p0 -> fc10"
BOXES = "12x20x20x4 -> conv3-16/2p0 -> pool2 -> conv3-32p1 -> fc10"
#: Network, layer, quantity, what is written, and the mistake; each number follows from the mistake by hand.
MADE = [
    (SIDES, "conv1", "output_shape", "48x16", "forgot_padding"),  # ⌊(100 − 5)/2⌋ + 1
    (SIDES, "conv1", "output_shape", "98x16", "forgot_stride"),  # 100 − 5 + 2 + 1
    (SIDES, "conv1", "output_shape", "48x16", "forgot_plus_one"),
    (SIDES, "conv2", "output_shape", "24x32", "added_padding"),  # 24 − 3 + 2 + 1
    (SIDES, "conv2", "output_shape", "22x16", "forgot_output_channels"),
    (SIDES, "conv2", "output_shape", "20x32", "wrong_kernel"),  # 24 − 5 + 1
    (SIDES, "pool1", "output_shape", "25x16", "floor_ceil"),  # ⌈49/2⌉
    (SIDES, "conv1", "params", "5*4*16", "forgot_bias"),
    (SIDES, "conv2", "params", "(3*4+1)*32", "wrong_input_channels"),
    (SIDES, "conv2", "params", "(3+1)*32", "forgot_input_channels"),
    (SIDES, "conv2", "params", "(5*16+1)*32", "wrong_kernel"),
    (SIDES, "conv2", "params", "(24*16+1)*32", "map_size_as_kernel"),
    (SIDES, "conv2", "multiplications", "3*16*32", "multiplications_without_positions"),
    (SIDES, "conv2", "multiplications", "24*3*16*32", "positions_of_input"),
    (SIDES, "conv2", "multiplications", "22*(3*16+1)*32", "added_bias"),
    (SIDES, "fc1", "params", "(32+1)*10", "wrong_input_channels"),
    (SIDES, "conv2", "receptive_field", "9", "forgot_stride"),  # 5 + 1 + 2, and 7 + 2·1
    (SIDES, "conv2", "receptive_field", "3", "sum_of_parts"),
    (SIDES, "conv2", "receptive_field", "19", "forgot_plus_one"),  # 7 + 3·4
    (BOXES, "conv1", "output_shape", "10x18x18x16", "forgot_stride"),
    (BOXES, "conv1", "output_shape", "6x10x10x16", "added_padding"),  # ⌊(12 − 3 + 2)/2⌋ + 1
    (BOXES, "conv1", "output_shape", "10x9x9x16", "forgot_stride"),  # along the depth only
    (BOXES, "conv1", "params", "(3*3*4+1)*16", "kernel_not_squared"),
    (BOXES, "conv1", "params", "(5*5*5*4+1)*16", "wrong_kernel"),
    (BOXES, "conv2", "params", "(3*3*3*4+1)*32", "wrong_input_channels"),
    (BOXES, "conv2", "multiplications", "3*3*3*16*32", "multiplications_without_positions"),
    (BOXES, "conv2", "receptive_field", "7x7x7", "forgot_stride"),  # 5 + 2·1
]  # fmt: skip


@pytest.mark.parametrize(("network", "layer", "quantity", "written", "mistake"), MADE)
def test_mistakes_of_every_rank(network: str, layer: str, quantity: str, written: str, mistake: str) -> None:
    analysis = analysed(network)
    stated = ordered(read_statement(written, quantity)[0], analysis[layer].output_shape, channels_first=False)
    found = diagnose(Situation(analysis, layer, quantity), stated)
    assert mistake in [one.mistake for one in found], found


def test_what_a_shape_lacks_is_named(archcalc: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('layer,output\nconv1,"16, 56, 56"\n')
    assert (
        "depth, height and width are right; the number of channels, 16, is missing"
        in archcalc("check", VOLUME, path).out
    )


@pytest.mark.parametrize(
    ("shapes", "right"),
    [
        (("128x96x55x55", "128x4096"), 2),
        (("128x55x55x96", "128x4096"), 2),
        (("128x96x55x55", "128x4095"), 1),
        (("64x96x55x55", "128x4096"), 1),
        (("55x55x96", "128x4096"), 1),  # no batch elsewhere
    ],
)
def test_a_batch_before_all_shapes_of_a_column(shapes: tuple[str, str], right: int) -> None:
    """AlexNet: conv1 gives 96 maps of 55×55, fc6 4096 values, each for a batch of 128 images."""
    answers = [Answer(layer, "output_shape", text) for layer, text in zip(("conv1", "fc6"), shapes, strict=True)]
    assert check_answers(analysed("alexnet"), answers).count(Verdict.RIGHT) == right
