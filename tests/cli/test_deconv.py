"""`archcalc deconv`: the list, the picture, the array, and bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from PIL import Image

from archcalc.cli.commands.deconv import command
from archcalc.execute.runner.deconv import RULES
from tests.cli.runner import Run


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    Image.fromarray(draw.integers(0, 256, (50, 60, 3), np.uint8)).save("a.png")
    Image.fromarray(draw.integers(0, 256, (40, 40, 3), np.uint8)).save("b.jpg")
    Path("text.png").write_text("no image")


@pytest.mark.slow
def test_a_list_and_a_picture(archcalc: Run) -> None:
    result = archcalc("deconv", "alexnet", "--layer", "conv3", "--input", "a.png", "-o", "f.png")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0] == "AlexNet: conv3, 13×13×384; deconvnet, random weights, seed 0"
    assert len(lines) == 14
    assert lines[-1] == "The signal passes norm1, norm2 unchanged."
    with Image.open("f.png") as picture:
        assert picture.mode == "RGB"
        # 3 by 3 fields of 99 pixels, twice.
        assert picture.size == (2 * (3 * (99 + 4) + 4) + 24, 3 * (99 + 4) + 4)
    first = archcalc("deconv", "alexnet", "--layer", "conv3", "--input", "a.png", "-o", "g.png")
    assert first.out == result.out
    assert Path("f.png").read_bytes() == Path("g.png").read_bytes()


def test_an_array(archcalc: Run) -> None:
    document = archcalc("deconv", "lenet5", "--layer", "C3", "--top", 4, "-o", "f.npy", "-f", "json").json
    pixels = np.load("f.npy", allow_pickle=False)
    found = document["activations"]
    assert pixels.shape == (len(found), 1, 32, 32)
    assert [each["activation"] for each in found] == sorted((each["activation"] for each in found), reverse=True)
    assert document["schema"] == "archcalc.deconv/1"


@pytest.mark.slow
def test_one_channel_over_several_images(archcalc: Run) -> None:
    document = archcalc(
        "deconv", "alexnet", "--input-size", "99x99x3", "--layer", "conv2", "--channel", 7, "--top", 30,
        "--input", "a.png", "--input", "b.jpg", "-f", "json",
    ).json  # fmt: skip
    assert {each["channel"] for each in document["activations"]} == {7}
    assert {each["image"] for each in document["activations"]} == {0, 1}


def test_trained_weights(archcalc: Run) -> None:
    archcalc("run", "lenet5", "--seed", 5, "--save-weights", "w.npz")
    trained = archcalc("deconv", "lenet5", "--layer", "C3", "--weights", "w.npz").out.splitlines()
    seeded = archcalc("deconv", "lenet5", "--layer", "C3", "--seed", 5, "--input", "x.npy")
    assert seeded.code == 2
    assert "w.npz" in trained[0]
    assert trained[2:] != archcalc("deconv", "lenet5", "--layer", "C3").out.splitlines()[2:]


BAD: list[tuple[tuple[Any, ...], str]] = [
    (("alexnet",), "Missing option '--layer'"),
    (("alexnet", "--layer", "conv33"), "did you mean conv3"),
    (("alexnet", "--layer", "prob"), "no way back through"),
    (("alexnet", "--layer", "input"), "is the input itself"),
    (("alexnet", "--layer", "conv3", "--input", "text.png"), "text.png is no readable image"),
    (("alexnet", "--layer", "conv3", "--input", "gone.png"), "there is no file gone.png"),
    (("alexnet", "--layer", "conv3", "--channel", 384), "there is no channel 384; the layer has 0 to 383"),
    (("alexnet", "--layer", "conv3", "--channel", -1), "-1 is not in the range"),
    (("alexnet", "--layer", "conv3", "--top", 0), "0 is not in the range"),
    (("alexnet", "--layer", "conv3", "--rule", "magic"), "'magic' is not one of"),
    (("alexnet", "--layer", "conv3", "--preset", "unit"), "give one with --input"),
    (("alexnet", "--layer", "conv3", "-o", "f.xyz"), "a picture's name ends in .png, .jpg"),
    (("alexnet", "--layer", "conv3", "-o", "no/f.png"), "there is no directory no"),
    (("alexnet", "--layer", "conv3", "-o", "-"), "-o needs the name of a file"),
    (("alexnet", "--layer", "conv3", "--weights", "w.npz"), "there is no file w.npz"),
    (("alexnet", "--layer", "conv3", "--input-size", "999999x999999x3"), "GiB of memory"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=lambda value: " ".join(map(str, value))[:60])
def test_bad_input(archcalc: Run, arguments: tuple[Any, ...], message: str) -> None:
    before = sorted(Path().iterdir())
    result = archcalc("deconv", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert sorted(Path().iterdir()) == before


def test_the_rules_are_those_of_the_library() -> None:
    (rule,) = (each for each in command.params if each.name == "rule")
    assert isinstance(rule.type, click.Choice)
    assert tuple(rule.type.choices) == RULES
