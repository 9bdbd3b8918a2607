"""`archcalc compare`."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.cli.runner import Run


def test_totals_with_ratios(archcalc: Run) -> None:
    result = archcalc("compare", "resnet18", "resnet34")
    assert (result.code, result.err) == (0, "")
    line = next(line for line in result.out.splitlines() if line.startswith("parameters"))
    assert line.split() == ["parameters", "11,689,512", "21,797,672", "1.86"]


def test_json_holds_whole_numbers(archcalc: Run) -> None:
    found = json.loads(archcalc("compare", "alexnet", "alexnet@grouped", "--diff", "-f", "json").out)
    assert found["schema"] == "archcalc.compare/1"
    assert found["networks"] == ["alexnet", "alexnet@grouped"]
    assert found["totals"]["params"] == [62_378_344, 60_965_224]
    changed = {layer["first"]: layer["changes"] for layer in found["layers"] if layer["status"] == "changed"}
    assert changed == {name: {"groups": ["1", "2"]} for name in ("conv2", "conv4", "conv5")}
    assert len(found["layers"]) == 24


def test_csv(archcalc: Run) -> None:
    rows = list(csv.reader(io.StringIO(archcalc("compare", "lenet5", "alexnet", "-f", "csv").out)))
    assert rows[0] == ["quantity", "kind", "lenet5", "alexnet"]
    assert ["params", "", "61706", "62378344"] in rows
    rows = list(csv.reader(io.StringIO(archcalc("compare", "alexnet", "alexnet@grouped", "--diff", "-f", "csv").out)))
    assert ["changed", "conv2", "conv2", "groups", "1", "2"] in rows


def test_markdown(archcalc: Run) -> None:
    out = archcalc("compare", "alexnet", "alexnet@grouped", "--diff", "-f", "markdown").out
    assert "| \\~ | conv2 | conv 5×5, 256, 2 groups | 27×27×256 | 307,456 | groups 1 → 2 |" in out
    assert "20 layers the same, 3 changed" in out


def test_settings_are_for_the_networks_that_have_them(archcalc: Run) -> None:
    found = json.loads(archcalc("compare", "mobilenet", "resnet18", "--set", "alpha=0.5", "-f", "json").out)
    assert found["totals"]["params"] == [1_331_592, 11_689_512]
    # A heading says that the network is another one than its name.
    heading = archcalc("compare", "mobilenet", "resnet18", "--set", "alpha=0.5").out.splitlines()[1]
    assert heading.split() == ["mobilenet", "alpha=0.5", "resnet18", "×"]


def test_the_inputs_are_no_layers(archcalc: Run) -> None:
    out = archcalc("compare", "lenet5", "lenet5", "--diff").out
    assert next(line for line in out.splitlines() if line.startswith("layers")).split() == ["layers", "12", "12"]
    assert "12 layers the same, 0 changed" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alexnet"], "compare takes two networks or more"),
        ([], "compare takes two networks or more"),
        (["alexnet", "vgg16", "zfnet", "--diff"], "compare takes two networks;"),
        (["alexnet"] * 21, "at most 20"),
        (["alexnet", "alexnett"], "did you mean alexnet"),
        (["alexnet", "vgg16", "--set", "alpha=1"], "none of these networks has a parameter 'alpha'"),
    ],
)
def test_refused(refuses: Run, arguments: list[str], message: str) -> None:
    assert message in refuses("compare", *arguments).err
