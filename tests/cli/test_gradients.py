"""`archcalc gradients`: tables and pictures of gradient norms, and bad input."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import pytest

from tests.cli.runner import Run

FOUR = "16x16x3 -> [conv3-4 -> relu]*2 -> fc5"


pytestmark = pytest.mark.usefixtures("own_folder")


def table(text: str, head: str) -> list[list[str]]:
    """The cells of the rows under a heading, up to the next empty line."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(head))
    rows = []
    for line in lines[start + 1 :]:
        if not line:
            break
        rows.append(line.split())
    return rows


def test_a_row_for_each_layer_that_multiplies(archcalc: Run) -> None:
    result = archcalc("gradients", "lenet5")
    assert result.code == 0, result.err
    assert result.out.startswith("LeNet-5 · input 32×32×1 · batch 4 · float32\n")
    rows = table(result.out, "layer ")
    assert [row[0] for row in rows] == ["C1", "C3", "C5", "F6", "output"]
    # Sigmoids let less and less through on the way back.
    norms = [float(row[-3]) for row in rows]
    assert norms == sorted(norms)
    assert norms[0] < norms[-1] / 100
    (summary,) = table(result.out, "network ")
    assert summary[0] == "lenet5"
    assert float(summary[2]) == 5
    assert float(summary[3]) == norms[0]
    assert float(summary[4]) == norms[-1]
    assert float(summary[5]) == pytest.approx(norms[0] / norms[-1], rel=2e-3)
    assert float(summary[7]) == sorted(norms)[2]


def test_every_layer(archcalc: Run) -> None:
    rows = table(archcalc("gradients", "lenet5", "--all").out, "layer ")
    assert len(rows) == 13
    assert rows[0][-3:-1] == ["–", "–"]
    assert rows[-1][-3:] == ["–", "–", "–"], "the loss reads the scores before the softmax"


def test_the_same_input_gives_the_same_bytes(archcalc: Run) -> None:
    first, second = (archcalc("gradients", FOUR, "-f", "json").out for _ in range(2))
    assert first == second
    assert archcalc("gradients", FOUR, "-f", "json", "--seed", 1).out != first


def test_data_for_programs(archcalc: Run) -> None:
    document = archcalc("gradients", FOUR, "-f", "json", "--dtype", "float64").json
    assert document["schema"] == "archcalc.gradients/1"
    (network,) = document["networks"]
    assert network["input"] == {"shape": [3, 16, 16], "batch": 4, "dtype": "float64"}
    assert network["loss"] == pytest.approx(network["losses"][0]["value"])
    assert [layer["op"] for layer in network["layers"]].count("conv2d") == 2
    for layer in network["layers"]:
        trained = layer["trainable_params"] > 0
        assert (layer["weight_gradient"] is not None) == trained, layer
    # Without BatchNorm there is nothing that the choice could change.
    other = archcalc("gradients", FOUR, "-f", "json", "--dtype", "float64", "--batch-norm", "running").json
    assert other["networks"][0]["layers"] == network["layers"]
    assert other["networks"][0]["batch_statistics"] is False


def test_csv_and_markdown_say_the_same(archcalc: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(archcalc("gradients", "lenet5", "-f", "csv").out)))
    marked = [line for line in archcalc("gradients", "lenet5", "-f", "markdown").out.splitlines() if "conv 5×5" in line]
    assert [row["layer"] for row in rows] == ["C1", "C3", "C5", "F6", "output"]
    for row, line in zip(rows, marked, strict=False):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert float(cells[4]) == pytest.approx(float(row["weight_gradient"]), rel=1e-3)
        assert float(cells[6]) == pytest.approx(float(row["map_gradient"]), rel=1e-3)


def test_the_format_follows_the_ending(archcalc: Run) -> None:
    for name, start in (("a.md", "## "), ("a.csv", "network,layer"), ("a.json", "{"), ("a.txt", "16x16x3")):
        assert archcalc("gradients", FOUR, "-o", name).out == ""
        assert Path(name).read_text(encoding="utf-8").startswith(start)


@pytest.mark.slow
@pytest.mark.slow
def test_several_networks_stand_side_by_side(archcalc: Run) -> None:
    out = archcalc("gradients", "googlenet", "googlenet@aux", "--input", "224x224x3", "--batch", 2).out
    rows = table(out, "‖∂L/∂W‖ of")
    alone = [row for row in rows if len(row) == 2]
    assert [row[0].split("/")[0] for row in alone] == ["aux1"] * 3 + ["aux2"] * 3
    before = {row[0]: (float(row[1]), float(row[2])) for row in rows if len(row) == 3}
    assert before["classifier"][0] == before["classifier"][1]
    assert before["conv1/conv"][0] != before["conv1/conv"][1]
    assert "weighted output 1, aux1 0.3, aux2 0.3" in " ".join(out.split())


def test_patterns_are_numbered(archcalc: Run) -> None:
    out = archcalc("gradients", FOUR, FOUR.replace("relu", "tanh")).out
    assert out.startswith("pattern 1 · pattern 2 · input")
    assert "pattern 2: 16x16x3 -> [conv3-4 -> tanh]*2 -> fc5" in out


def test_what_is_too_small_says_so(archcalc: Run) -> None:
    deep = "8x8x3 -> [conv3-4 -> sigmoid]*30 -> fc5"
    single = archcalc("gradients", deep, "--init", "1e-4").out
    assert "0: smaller than float32 can hold. --dtype float64 holds it." in single
    double = archcalc("gradients", deep, "--init", "1e-4", "--dtype", "float64").out
    assert float(table(double, "layer ")[0][-3]) > 0
    assert "smaller than" not in double


def test_trained_weights(archcalc: Run) -> None:
    archcalc("run", "lenet5", "--save-weights", "w.npz")
    out = archcalc("gradients", "lenet5", "--weights", "w.npz").out
    assert "weights from w.npz" in " ".join(out.split())
    assert table(out, "layer ") != table(archcalc("gradients", "lenet5").out, "layer ")


@pytest.mark.parametrize(
    ("ending", "start"),
    [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), pytest.param("html", b"<!", marks=pytest.mark.slow)],
)
def test_a_picture(archcalc: Run, ending: str, start: bytes) -> None:
    result = archcalc("gradients", FOUR, "lenet5", "--plot", f"p.{ending}", "--input", "32x32x1")
    assert result.code == 0, result.err
    assert Path(f"p.{ending}").read_bytes().startswith(start)
    assert result.out.startswith("16x16x3") or "LeNet-5" in result.out


BAD: list[tuple[tuple[Any, ...], str]] = [
    ((), "Missing argument"),
    (("lenet6",), "lenet5"),
    (("lenet5", "--batch", 0), "0 is not in the range"),
    (("lenet5", "--init", "xavier"), "--init takes auto, he, glorot or a standard deviation"),
    (("lenet5", "--plot", "p.gif"), "the name of a plot ends in .svg, .png, .pdf, .html"),
    (("lenet5", "--plot", "no/p.svg"), "there is no directory no"),
    (("lenet5", "-o", "no/p.md"), "there is no directory no"),
    (("lenet5", "-f", "yaml"), "'yaml' is not one of"),
    (("lenet5", "--weights", "w.npz"), "there is no file w.npz"),
    (("lenet5", "alexnet", "--weights", "w.npz"), "--weights are those of one network"),
    (("lenet5", "--weights", "w.npz", "--init", "he"), "take the place of --init"),
    (("vgg16", "--batch", 65536), "GiB of memory for a batch of 65536"),
    (("lenet5", "--input", "3x3x1"), "window"),
    (("resnet18", "--batch", 1, "--input", "32x32x3"), "has no variance"),
    (("8x8x3 -> fc1",), "cross-entropy needs two or more"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=lambda value: " ".join(map(str, value))[:40])
def test_bad_input(archcalc: Run, arguments: tuple[Any, ...], message: str) -> None:
    result = archcalc("gradients", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert not list(Path().iterdir())


@pytest.mark.slow
def test_norms_are_finite(archcalc: Run) -> None:
    document = archcalc("gradients", "resnet20_cifar", "plain18", "--input", "32x32x3", "-f", "json").json
    values = [layer["map_gradient"] for network in document["networks"] for layer in network["layers"]]
    assert all(math.isfinite(value) for value in values if value is not None)
