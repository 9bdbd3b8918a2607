"""`archcalc spec`: patterns and networks as YAML, and patterns wherever a network is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.runner import Run

PATTERN = "32x32x3 -> [conv3-64 -> relu]*2 -> pool2 -> fc10"
YAML = """\
name: pattern
title: "32x32x3 -> [conv3-64 -> relu]*2 -> pool2 -> fc10"
input: 32x32x3
layers:
  - repeat: 2
    layers:
      - conv2d: {out_channels: 64, kernel_size: 3, padding: same}
      - relu
  - max_pool2d: {kernel_size: 2}
  - linear: {out_features: 10}
"""


def test_a_pattern_as_yaml(archcalc: Run) -> None:
    assert archcalc("spec", PATTERN).out == YAML


def test_the_yaml_loads_back(archcalc: Run, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    assert archcalc("spec", PATTERN, "-o", file).out == ""
    assert archcalc("validate", file).code == 0
    direct, loaded = archcalc("report", PATTERN, "-f", "json").json, archcalc("report", file, "-f", "json").json
    assert "padded" in direct["conventions"].pop("notation")
    assert direct == loaded


def test_a_network_as_yaml(archcalc: Run, tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    archcalc("spec", "mobilenet", "--set", "alpha=0.5", "-o", file)
    first = archcalc("report", "mobilenet", "--set", "alpha=0.5", "-f", "json").json
    assert archcalc("report", file, "-f", "json").json == first
    assert first["totals"]["params"] == 1_331_592


def test_a_variant_as_yaml_keeps_its_name(archcalc: Run, tmp_path: Path) -> None:
    file = tmp_path / "v.yaml"
    archcalc("spec", "resnet50@v1", "-o", file)
    assert "good (resnet50@v1)" in archcalc("validate", file).out
    assert archcalc("report", file, "-f", "json").json == archcalc("report", "resnet50@v1", "-f", "json").json


def test_a_pattern_on_another_input(archcalc: Run) -> None:
    out = archcalc("spec", PATTERN, "--input", "28x28x1").out
    assert "input: 28x28x1" in out
    assert "name: conv2" in out


@pytest.mark.parametrize("command", ["report", "explain", "spec"])
def test_a_pattern_stands_for_a_network(command: str, archcalc: Run) -> None:
    result = archcalc(command, PATTERN)
    assert result.code == 0
    assert "64" in result.out


@pytest.mark.parametrize("command", ["report", "explain", "spec"])
def test_a_fault_is_pointed_at(command: str, refuses: Run) -> None:
    err = refuses(command, "32x32x3 -> conv3-64 -> frob").err
    assert err.splitlines()[:3] == [
        "pattern:1:24: cannot read 'frob' as a layer",
        "    32x32x3 -> conv3-64 -> frob",
        "                           ^",
    ]


def test_other_refusals(refuses: Run, tmp_path: Path) -> None:
    assert "did you mean alexnet" in refuses("spec", "alexnett").err
    assert "no parameter 'a'" in refuses("spec", PATTERN, "--set", "a=1").err
    assert "is a directory" in refuses("spec", PATTERN, "-o", tmp_path).err
