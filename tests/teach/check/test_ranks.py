"""Hand calculations of networks over signals, volumes and flat inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.runner import Run

SIGNAL = "100x3 -> conv3-8p0 -> pool2 -> fc3"
VOLUME = "16x56x56x3 -> conv3-16 -> pool2 -> fc3"
FLAT = "784 -> fc100 -> relu -> fc10"

#: Network, cells; all are right.
RIGHT = [
    (SIGNAL, "layer,output,params,receptive field\nconv1,98x8,80,3\npool1,49x8,0,4\nfc1,3,1179,100\n"),
    (SIGNAL, 'layer,output\nconv1,"(8, 98)"\npool1,"(None, 49, 8)"\n'),
    (SIGNAL, "layer,output\nconv1,8x98\npool1,8x49\n"),
    (VOLUME, "layer,output,params,receptive field\nconv1,16x56x56x16,1312,3x3x3\npool1,8x28x28x16,0,4\n"),
    (VOLUME, 'layer,output\nconv1,"(16, 16, 56, 56)"\npool1,"(None, 8, 28, 28, 16)"\n'),
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
    (FLAT, "layer,params\nfc1,78400\n", "bias"),
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
