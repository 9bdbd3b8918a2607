"""`archcalc transform`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import archcalc as ac
from tests.cli.runner import Run

SMALL = "16x16x3 -> conv3-8 -> bn -> relu -> pool2 -> fc10"


def test_before_and_after(archcalc: Run) -> None:
    result = archcalc("transform", SMALL, "--fold-batch-norm")
    assert (result.code, result.err) == (0, "")
    assert "1 batch norm folded into the layers before" in result.out
    assert "The function stays the same. --check runs both on random weights." in result.out
    line = next(line for line in result.out.splitlines() if line.startswith("parameters"))
    assert line.split()[1:3] == ["5,370", "5,354"]  # 3·9·8 + 8 + 16 + 512·10 + 10, and 16 fewer


def test_a_ratio_of_numbers_that_changed_is_not_1(archcalc: Run) -> None:
    lines = archcalc("transform", "resnet18", "--fold-batch-norm").out.splitlines()
    (params,) = [line.split() for line in lines if line.startswith("parameters ") and "11,684,712" in line]
    assert params[-3:] == ["11,689,512", "11,684,712", "0.9996"]


def test_a_spec_is_written(archcalc: Run, tmp_path: Path) -> None:
    target = tmp_path / "new.yaml"
    result = archcalc("transform", "vgg16", "--fc-to-conv", "--grow-input", "384x384", "-o", str(target))
    assert (result.code, result.err) == (0, "")
    assert "3 dense layers became convolutions" in result.out
    assert ac.load(target).analyse()["fc8"].output_shape == (1000, 6, 6)


def test_the_spec_alone_goes_to_stdout(archcalc: Run) -> None:
    result = archcalc("transform", SMALL, "--replace", "relu=silu", "-o", "-")
    assert "relu became silu" in result.err
    assert ac.from_yaml(result.out).analyse()["relu1"].op.kind == "silu"


def test_outputs_are_compared(archcalc: Run) -> None:
    result = archcalc("transform", SMALL, "--fold-batch-norm", "--fc-to-conv", "--check", "-f", "json")
    found = json.loads(result.out)
    assert result.code == 0
    assert found["schema"] == "archcalc.transform/1"
    assert found["same_function"] is True
    assert 0 <= found["difference"] < 1e-9
    assert found["totals"]["param_bytes"] == [4 * 5370, 4 * 5354]
    assert [one["name"] for one in found["rewrites"]] == ["fold-batch-norm", "fc-to-conv"]


def test_json_names_every_rewrite(archcalc: Run) -> None:
    found = json.loads(
        archcalc("transform", "alexnet", "--prune", "conv1", "32", "--bottleneck", "conv2", "--reduce", "16",
                 "-f", "json").out
    )  # fmt: skip
    assert [(one["name"], one["arguments"]) for one in found["rewrites"]] == [
        ("bottleneck", ["conv2", "16"]), ("prune", ["conv1", "32"]),
    ]  # fmt: skip
    assert found["networks"] == ["alexnet", "alexnet_bottleneck_prune"]
    assert found["same_function"] is False
    assert found["difference"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alexnet"], "which rewrite? There are --cut, --fold-batch-norm"),
        (["alexnet", "--stack", "conv3"], 'layer "conv3" (conv 3×3, 384) has a window of 3×3'),
        (["alexnet", "--bottleneck", "conv2"], "--bottleneck LAYER and --reduce N go together"),
        (["alexnet", "--fc-to-conv", "--reduce", "4"], "--bottleneck LAYER and --reduce N go together"),
        (["alexnet", "--stack", "conv2", "--check"], "--check compares networks of the same function"),
        (["alexnet", "--grow-input", "384x384", "--check"], "The function changes, so it must be trained again"),
        (["resnet18", "--grow-input", "384x384", "--check"], "on another input"),
        (["alexnet", "--cut", "pool5", "--check"], "after --cut the output is another layer's"),
        (["alexnet", "--prune", "input", "1"], 'layer "input" (input) has no filters'),
        (["alexnet", "--replace", "relu=relu"], "relu=relu changes nothing, for both are relu"),
        (["alexnet", "--replace", "conv=conv2d"], "changes nothing, for both are conv2d"),
        (["shufflenet_x1_0", "--width", "0.6"], "the remainder is 1; --width 0.5 fits"),
        (["alexnet", "--prune", "conv1", "-3"], "whole number of at least 1"),
        (["alexnet", "--cut", "x" * 3000], "no layer or block"),
    ],
)
def test_refused(refuses: Run, arguments: list[str], message: str) -> None:
    assert message in refuses("transform", *arguments).err


def test_nothing_is_written_where_it_is_refused(refuses: Run, tmp_path: Path) -> None:
    refuses("transform", "alexnet", "--cut", "nowhere", "-o", str(tmp_path / "new.yaml"))
    assert not list(tmp_path.iterdir())
