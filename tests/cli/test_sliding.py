"""`archcalc sliding`: what it says, its exit code, and bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.runner import Run

pytestmark = pytest.mark.usefixtures("own_folder")


def test_equal_without_padding(archcalc: Run) -> None:
    result = archcalc("sliding", "lenet5", "--input", "48x40x1")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == "LeNet-5: 48×40×1, float32, random weights, seed 0"
    assert lines[1].split() == ["scores", "5×3×10,", "every", "4", "pixels"]
    assert lines[2].split(maxsplit=2)[2] == "C5 5×5, F6 1×1, output 1×1"
    assert lines[-2].split() == ["same", "class", "15", "of", "15"]
    assert lines[-1] == "one pass and the crops are equal"


def test_with_padding_the_difference_is_shown(archcalc: Run) -> None:
    pattern = "16x16x3 -> conv3-4 -> pool2 -> fc5"
    result = archcalc("sliding", pattern, "--input", "20x20x3")
    assert result.code == 0
    assert "Not equal: conv1 read zeros around their map." in result.out
    document = archcalc("sliding", pattern, "--input", "20x20x3", "-f", "json").json
    assert document["padded"] == ["conv1"]
    assert document["equal"] is False
    assert document["difference"] > 1e-3
    bare = archcalc(
        "sliding", pattern, "--input", "20x20x3", "--without-padding", "-f", "json", "--dtype", "float64"
    ).json
    assert bare["padded"] == []
    assert bare["equal"] is True
    assert bare["scores"] == [5, 3, 3]
    assert bare["converted"] == {"fc1": [5, 4, 7, 7]}
    assert bare["multiplications"]["crops"] == 9 * (14 * 14 * 4 * 27 + 7 * 7 * 4 * 5)


def test_files(archcalc: Run) -> None:
    np.save("x.npy", np.zeros((1, 36, 36), np.float32))
    archcalc("run", "lenet5", "--save-weights", "w.npz")
    result = archcalc(
        "sliding", "lenet5", "--input-size", "36x36x1", "--input", "x.npy", "--weights", "w.npz", "-o", "out.txt"
    )
    assert (result.code, result.out) == (0, "")
    assert "w.npz" in Path("out.txt").read_text(encoding="utf-8")


BAD: list[tuple[tuple[Any, ...], str]] = [
    (("lenet5",), "how large is the image?"),
    (("lenet5", "--input", "50x48x1"), "the height 50 is no 32 plus a multiple of the stride 4: 48 or 52 are"),
    (("lenet5", "--input", "48x48x3"), "the image has 3 channels, the network reads 32×32×1"),
    (("lenet5", "--input-size", "big"), "big"),
    (("unet", "--input", "700x700x1"), "no dense layer and no global pooling"),
    (("lenet5@1998", "--input", "48x48x1"), "cannot slide over a larger image"),
    (("lenet5", "--input-size", "48x48x1", "--input", "x.npy"), "there is no file x.npy"),
    (("lenet5", "--input", "48x48x1", "--preset", "unit"), "give one with --input"),
    (("lenet5", "--input", "48x48x1", "--weights", "w.npz"), "there is no file w.npz"),
    (("lenet5", "--input", "48x48x1", "-o", "no/out.txt"), "there is no directory no"),
    (("vgg16", "--input", "320000x320000x3"), "GiB of memory"),
    (("resnet18", "--input", "256x256x3", "--without-padding"), "add"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=lambda value: " ".join(map(str, value))[:60])
def test_bad_input(archcalc: Run, arguments: tuple[Any, ...], message: str) -> None:
    result = archcalc("sliding", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert not list(Path().iterdir())
