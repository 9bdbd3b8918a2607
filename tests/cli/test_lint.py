"""`archcalc lint`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archcalc.design.lint.lint import RULES
from tests.cli.runner import Run

NET = "17x17x3 -> conv3-16 -> bn -> pool2 -> fc1 -> softmax"


def test_findings_are_exit_1(archcalc: Run) -> None:
    result = archcalc("lint", NET, "--select", "softmax-of-one")
    assert result.code == 1
    assert "softmax1: over one channel it is 1 whatever it reads [softmax-of-one]" in result.out
    assert "sigmoid, or two channels" in result.out


def test_nothing_found_is_exit_0(archcalc: Run) -> None:
    result = archcalc("lint", NET, "--select", "checkerboard")
    assert (result.code, result.out) == (0, f"{NET}: nothing found.\n")


def test_json(archcalc: Run) -> None:
    found = json.loads(archcalc("lint", NET, "-f", "json").out)
    assert found["schema"] == "archcalc.lint/1"
    (one,) = [one for one in found["findings"] if one["rule"] == "bias-before-norm"]
    assert (one["layer"], one["costs"]) == ("conv1", {"params": 16})


def test_annotations_of_github_stay_on_their_line(archcalc: Run, own_folder: Path) -> None:
    Path("a,b.yaml").write_text(
        "name: n\ntitle: N\ninput: 4x4x3\nlayers:\n  - linear: {out_features: 1}\n  - softmax\n"
    )
    result = archcalc("lint", "a,b.yaml", "--select", "softmax-of-one", "-f", "github")
    assert result.out == (
        "::warning file=a%2Cb.yaml,line=6,col=5,title=softmax-of-one::softmax1: over one channel it is 1 whatever it "
        "reads. sigmoid, or two channels; 1 value\n"
    )


def test_annotations_of_the_catalogue_name_no_file(archcalc: Run, own_folder: Path) -> None:
    found = archcalc("lint", "wavenet", "--select", "unused-layer", "-f", "github").out
    assert found.startswith("::warning title=unused-layer::stack5/layer10/out: ")


def test_every_rule_is_explained(archcalc: Run) -> None:
    result = archcalc("lint", "--explain", "all")
    assert result.code == 0
    for rule in RULES.values():
        assert f"{rule.id}: {rule.title}" in result.out
        assert f"Source: {rule.source}" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which network?"),
        (["--explain", "softmax"], "there is no rule 'softmax'"),
        ([NET, "--ignore", "checkerbord"], "did you mean checkerboard"),
        ([NET, "--select", ""], "--select names no rule"),
        ([NET, "--select", " , "], "--select names no rule"),
        (["alexnett"], "did you mean alexnet"),
    ],
)
def test_refused(refuses: Run, arguments: list[str], message: str) -> None:
    assert message in refuses("lint", *arguments).err
