"""`archcalc memory` and `archcalc fit`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.runner import Run


def test_the_peak_and_what_is_alive_there(archcalc: Run) -> None:
    result = archcalc("memory", "vgg16")
    assert (result.code, result.err) == (0, "")
    assert "maps          25,690,112  24.5 MiB   4.4 %" in result.out
    assert "The peak is in the forward pass, at conv1_2." in result.out


def test_json_adds_up(archcalc: Run) -> None:
    found = json.loads(
        archcalc("memory", "resnet18", "--training", "--optimizer", "adam", "--batch", 4, "-f", "json").out
    )
    assert found["schema"] == "archcalc.memory/1"
    peak = found["peak"]
    assert sum(found["fixed"].values()) + sum(peak[key] for key in ("map", "saved", "gradient", "workspace")) == max(
        step["bytes"] for step in found["steps"]
    )
    assert found["peak_bytes"] == sum(found["fixed"].values()) + sum(one["bytes"] for one in found["alive_at_peak"])
    assert found["fixed"]["optimiser"] == 8 * 11_689_512


def test_csv_has_every_step(archcalc: Run) -> None:
    rows = list(csv.reader(io.StringIO(archcalc("memory", "lenet5", "--training", "-f", "csv").out)))
    assert rows[0] == ["step", "phase", "layer", "bytes"]
    assert {row[1] for row in rows[1:]} == {"forward", "backward"}


@pytest.mark.parametrize(
    ("ending", "magic"), [("svg", b"<svg"), pytest.param("png", b"\x89PNG", marks=pytest.mark.slow)]
)
def test_a_picture(archcalc: Run, tmp_path: Path, ending: str, magic: bytes) -> None:
    target = tmp_path / f"a.{ending}"
    assert archcalc("memory", "alexnet", "--training", "-o", target).code == 0
    data = target.read_bytes()
    assert data.startswith(magic)
    assert ending != "svg" or "backward pass" in data.decode()


def test_the_largest_batch(archcalc: Run) -> None:
    result = archcalc("fit", "vgg16", "--memory", "12GiB", "--training", "--optimizer", "momentum")
    assert result.code == 0
    assert "the largest batch in 12.00 GiB is 152, which takes 11.97 GiB" in result.out
    found = json.loads(archcalc("fit", "vgg16", "--memory", "12GiB", "--training", "--mixed", "-f", "json").out)
    assert found["used_bytes"] <= found["memory_bytes"] < found["needed_for_one_more_bytes"]


@pytest.mark.parametrize(
    ("memory", "options", "wanted"),
    [
        ("999TB", [], "is 1,048,576, which takes 23.0 GiB.\nMore would fit: 1,048,576 is the largest batch"),
        ("999TB", [], "The largest batch of training is 1,048,576, the limit (--training)."),
        ("35GiB", ["--dtype", "float64"], "--dtype float32  1,048,576, the limit"),
    ],
)
def test_the_limit_of_a_batch(archcalc: Run, memory: str, options: list[str], wanted: str) -> None:
    assert wanted in archcalc("fit", "lenet5", "--memory", memory, *options).out


def test_the_batch_that_fits_is_one_that_memory_takes(archcalc: Run) -> None:
    found = archcalc("fit", "lenet5", "--memory", "999TB", "-f", "json").json
    assert found["is_at_limit"]
    taken = archcalc("memory", "lenet5", "--batch", found["batch"], "-f", "json").json
    assert taken["peak_bytes"] == found["used_bytes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["memory", "alexnet", "--in-place", "activation"], "did you mean activations"),
        (
            ["memory", "alexnet", "--in-place", ""],
            "--in-place takes activations, batch-norm, additions or none, not ''",
        ),
        (["memory", "alexnet", "--in-place", " , "], "--in-place takes activations, batch-norm, additions or none"),
        (["memory", "alexnet", "--optimizer", "adam"], "add --training"),
        (["memory", "alexnet", "-f", "png"], "needs -o FILE"),
        (["fit", "alexnet", "--memory", "12"], "takes bytes"),
        (["fit", "alexnet", "--memory", "much"], "--memory takes a number"),
        (["fit", "alexnet"], "--memory"),
    ],
)
def test_refused(refuses: Run, arguments: list[str], message: str) -> None:
    assert message in refuses(*arguments).err


@pytest.mark.parametrize("form", ["text", "json"])
def test_not_even_one_image(refuses: Run, form: str) -> None:
    assert "not even one image fits into 100 MiB; it takes 552 MiB" in refuses(
        "fit", "vgg16", "--memory", "100MiB", "-f", form
    ).err  # fmt: skip
    training = ["fit", "unet", "--memory", "1.2GB", "--training", "--optimizer", "adam", "-f", form]
    assert "the batch with --dtype bfloat16 2 or --mixed 1 or --optimizer momentum 1" in refuses(*training).err


def test_inference_says_what_training_takes(archcalc: Run) -> None:
    wanted = archcalc("fit", "vgg16", "--memory", "12GiB", "--training", "-f", "json").json["batch"]
    assert archcalc("fit", "vgg16", "--memory", "12GiB", "-f", "json").json["training_batch"] == wanted
    assert f"of training is {wanted} (--training)" in archcalc("fit", "vgg16", "--memory", "12GiB").out
    assert "of training is not known" in archcalc("fit", "swin_t", "--memory", "12GiB").out
    assert "of training is not known" in archcalc("fit", "lenet5", "--memory", "1GiB", "--dtype", "int8").out
