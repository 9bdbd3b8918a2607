"""The commands as functions: the same results, and clear errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc as ac
from tests.cli.runner import Run

ANSWERS = "layer,output,params\nconv1,55x55x96,34944\nconv2,27x27x256,614400\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text(ANSWERS, encoding="utf-8")
    return path


def test_a_check_is_that_of_the_command(file: Path, archcalc: Run) -> None:
    result = ac.check("alexnet", file)
    shown = archcalc("check", "alexnet", file)
    assert (str(result), shown.code) == (shown.out.rstrip("\n"), 1)
    assert result.to_dict() == json.loads(archcalc("check", "alexnet", file, "-f", "json").out)
    assert not result.is_right
    # 5·5·96·256 = 614,400 weights, and 256 biases that were forgotten.
    assert "614,656" in str(result)


def test_answers_can_be_rows_or_a_mapping() -> None:
    rows: list[dict[str, Any]] = [{"layer": "conv1", "params": 34944}, {"layer": "conv2", "params": "5*5*96*256 + 256"}]
    assert ac.check("alexnet", rows).is_right
    assert ac.check(ac.load("alexnet"), {row["layer"]: {"params": row["params"]} for row in rows}).is_right
    assert ac.check(ac.analyse("alexnet"), totals={"params": 62_378_344, "memory": "5.39 MiB"}).is_right
    assert not ac.check("alexnet", totals={"params": 62_378_345}).is_right


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give answers, or totals"),
        ({"answers": "missing.csv"}, "cannot read missing.csv|no file missing.csv"),
        ({"answers": {"nowhere": {"params": 5}}}, "nowhere"),
        ({"totals": {"parms": "5"}}, "there is no total 'parms'; there are params, multiplications"),
        ({"totals": {"params": "5+"}}, "cannot read params: expected a number"),
    ],
)
def test_what_cannot_be_checked(given: Any, message: str) -> None:
    with pytest.raises(ac.ArchcalcError, match=message):
        ac.check("alexnet", **given)


def test_a_worksheet_and_its_key_are_those_of_the_command(archcalc: Run, tmp_path: Path) -> None:
    made = ac.exercise("alexnet", ["params"], seed="7", blank=0.5)
    archcalc("exercise", "alexnet", "--quantities", "params", "--seed", "7", "--blank", "0.5", "-o", tmp_path / "a.md")
    assert made.sheet.render("markdown") == (tmp_path / "a.md").read_text(encoding="utf-8")
    assert made.key.render("markdown") == (tmp_path / "a-key.md").read_text(encoding="utf-8")
    made.key.save(tmp_path / "key.csv")
    assert ac.check("alexnet", tmp_path / "key.csv").is_right


def test_a_variant_of_an_exercise_is_checked_by_its_own_network(tmp_path: Path) -> None:
    made = ac.exercise("lenet5", vary=True, seed=3)
    made.key.save(tmp_path / "key.csv")
    assert made.network != ac.load("lenet5")
    assert ac.check(made.network, tmp_path / "key.csv").is_right
    assert not ac.check("lenet5", tmp_path / "key.csv").is_right


def test_grades_are_those_of_the_command(file: Path, tmp_path: Path, archcalc: Run) -> None:
    folder = tmp_path / "submissions"
    folder.mkdir()
    (folder / "ada.csv").write_bytes(file.read_bytes())
    archcalc("grade", "alexnet", folder, "--quantities", "params", "-o", tmp_path / "results")
    result = ac.grade("alexnet", folder, quantities=["params"])
    assert result.render("csv") == (tmp_path / "results" / "grades.csv").read_text(encoding="utf-8")
    with pytest.raises(ac.UsageError, match="one of worksheet, homework and quantities"):
        ac.grade("alexnet", folder, quantities=["params"], homework=tmp_path)


@pytest.mark.parametrize(
    ("call", "options"),
    [
        ({"what": "(227 - F + 2*0)/4 + 1 = 55"}, ["(227 - F + 2*0)/4 + 1 = 55"]),
        ({"what": "conv2d", "input": 224, "output": 55, "kernel_size": 11, "stride": 4},
         ["conv2d", "--input", "224", "--output", "55", "--kernel-size", "11", "--stride", "4"]),
        ({"what": "unet", "unknown": "input", "output": 388}, ["unet", "--for", "input", "--output", "388"]),
        ({"what": "mobilenet", "unknown": "alpha", "params": 2_000_000},
         ["mobilenet", "--for", "alpha", "--params", "2000000"]),
    ],
)  # fmt: skip
def test_solutions_are_those_of_the_command(call: Any, options: list[str], archcalc: Run) -> None:
    result = ac.solve(**call)
    assert f"{result}\n" == archcalc("solve", *options).out
    assert result.to_dict() == archcalc("solve", *options, "-f", "json").json


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"what": "x + 1 = 2", "input": 5}, "input is not for an equation; it has no numbers"),
        ({"what": "conv2d", "kernel": 5}, "kernel is not for a layer; it has input"),
        ({"what": "mobilenet", "params": 5}, "name the unknown of a network, and one of params"),
        ({"what": "mobilenet", "unknown": "alhpa", "params": 5}, "no parameter 'alhpa'; did you mean alpha"),
        ({"what": "mobilnet", "unknown": "alpha", "params": 5}, "did you mean mobilenet"),
    ],
)
def test_what_cannot_be_solved(call: Any, message: str) -> None:
    with pytest.raises(ac.UsageError, match=message):
        ac.solve(**call)


def test_a_formula_is_that_of_the_command(archcalc: Run) -> None:
    for form in ("text", "latex", "json"):
        shown = archcalc("formula", "mobilenet", "--params", "-f", form).out
        assert ac.formula("mobilenet").render(form) == shown
    form_ = ac.formula("alexnet", symbols=["classes"]).value
    (classes,) = form_.free_symbols()
    assert form_.expression.subs({classes: 1000}) == ac.analyse("alexnet").totals.params
    with pytest.raises(ac.UsageError, match="a formula is of params"):
        ac.formula("alexnet", "parms")


def test_a_run_differs_nowhere() -> None:
    ran = ac.run("lenet5", count=True)
    assert ran.differences == ()
    assert ran.outputs["output"].shape == (1, 10)
    images = np.zeros((3, 1, 32, 32), np.float32)
    assert ac.run(ac.load("lenet5"), images, algorithm="loops").outputs["output"].shape == (3, 10)
    tokens = "input: 5\ntitle: t\nname: t\nlayers:\n  - embedding: {num_embeddings: 9, embedding_dim: 3}\n"
    assert ac.run(ac.from_yaml(tokens), np.array([[0, 8, 1, 2, 3]])).differences == ()
    with pytest.raises(ac.UsageError, match=r"must have the shape \(N, 1, 32, 32\), not \(32, 32\)"):
        ac.run("lenet5", images[0, 0])
    with pytest.raises(ac.UsageError, match="no algorithm 'slow'; there are auto"):
        ac.run("lenet5", algorithm="slow")


def test_charts_are_those_of_the_command(archcalc: Run, tmp_path: Path) -> None:
    for kind, networks, options in (
        ("profile", ["lenet5"], []),
        ("compare", ["alexnet", "vgg16"], []),
        ("timeline", ["lenet5", "alexnet"], []),
        ("sweep", ["mobilenet"], ["--for", "alpha", "--values", "0.5,1"]),
    ):
        archcalc("plot", kind, *networks, *options, "-o", tmp_path / f"{kind}.json")
        more = {"over": "alpha", "values": [0.5, 1]} if kind == "sweep" else {}
        chart = ac.plot(kind, *networks, **more)  # type: ignore[arg-type]  # a sweep alone has more
        chart.save(tmp_path / "own.json")
        assert (tmp_path / "own.json").read_bytes() == (tmp_path / f"{kind}.json").read_bytes()
    assert ac.analyse("lenet5").plot("memory", theme="dark")._repr_svg_().startswith("<svg")


@pytest.mark.parametrize(
    ("kind", "networks", "choices", "message"),
    [
        ("profil", ["lenet5"], {}, "there is no chart 'profil'; did you mean profile"),
        ("profile", [], {}, "the chart profile is of one network, not 0"),
        ("profile", ["lenet5"], {"colour": 1}, "a chart has no choice 'colour'; it has theme"),
        ("profile", ["lenet5"], {"theme": "drak"}, "drak"),
        ("sweep", ["mobilenet"], {"values": [1]}, "a sweep needs"),
    ],
)
def test_a_chart_that_does_not_exist(kind: str, networks: list[str], choices: Any, message: str) -> None:
    with pytest.raises(ac.UsageError, match=message):
        ac.plot(kind, *networks, **choices)
