"""`archcalc estimate`, and the devices of `archcalc fit`."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tests.cli.runner import Run

RATES = ("--flops", "500G", "--bandwidth", "40GB/s")


def test_the_table(archcalc: Run) -> None:
    result = archcalc("estimate", "alexnet", *RATES)
    assert (result.code, result.err) == (0, "")
    # 105,415,200 multiply-adds and 34,944 parameters.
    assert "conv1       211 M  1.83 MiB      110  compute    422 µs" in result.out
    assert "5 layers bound by compute" in result.out


def test_json_and_csv_agree(archcalc: Run) -> None:
    found = json.loads(archcalc("estimate", "resnet18", "--device", "t4", "-f", "json").out)
    assert found["schema"] == "archcalc.estimate/1"
    assert found["device"]["flops_per_second"] == 8_100_000_000_000
    rows = list(csv.DictReader(io.StringIO(archcalc("estimate", "resnet18", "--device", "t4", "-f", "csv").out)))
    assert [int(row["bytes"]) for row in rows] == [layer["bytes"] for layer in found["layers"]]
    assert sum(float(row["seconds_at_least"]) for row in rows) == pytest.approx(found["totals"]["seconds_at_least"])


@pytest.mark.parametrize(
    ("ending", "magic"), [("svg", b"<svg"), pytest.param("png", b"\x89PNG", marks=pytest.mark.slow)]
)
def test_a_picture(archcalc: Run, tmp_path: Path, ending: str, magic: bytes) -> None:
    target = tmp_path / f"roofline.{ending}"
    assert archcalc("estimate", "alexnet", *RATES, "-o", target).code == 0
    data = target.read_bytes()
    assert data.startswith(magic)
    assert ending != "svg" or "ridge 12.5" in data.decode()


def test_the_devices(archcalc: Run) -> None:
    assert "a100-40gb" in archcalc("estimate", "--devices").out
    found = json.loads(archcalc("estimate", "--devices", "-f", "json").out)["devices"]
    assert all(one["source"] for one in found)


def test_fit_takes_the_memory_of_a_device(archcalc: Run) -> None:
    given, named = (archcalc("fit", "resnet18", *choice).out for choice in (("--memory", "16GB"), ("--device", "t4")))
    assert given == named
    assert "the largest batch" in given


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["estimate"], "which network"),
        (["estimate", "lenet5"], "which device"),
        (["estimate", "lenet5", "--flops", "0", "--bandwidth", "1GB/s"], "more than nothing"),
        (["estimate", "lenet5", "--flops", "-1", "--bandwidth", "1GB/s"], "--flops cannot be negative"),
        (["estimate", "lenet5", "--flops", "inf", "--bandwidth", "1GB/s"], "--flops takes a number"),
        (
            ["estimate", "lenet5", "--flops", "1G", "--bandwidth", "1e400"],
            "--bandwidth takes numbers without an exponent",
        ),
        (["estimate", "lenet5", "--device", "rtx4090"], "did you mean rtx-4090"),
        (["estimate", "lenet5", "--device", "t4", "--dtype", "float64"], "in float64"),
        (["estimate", "lenet5", "--device", "this", "--dtype", "int8"], "float32 or float64"),
        (["estimate", "lenet5", *RATES, "-f", "svg"], "needs -o FILE"),
        (["estimate", "--devices", "-f", "svg"], "has the formats"),
        (["estimate", "4x4x2 -> flatten", *RATES, "-o", "none.svg"], "calculates anything"),
        (["fit", "lenet5"], "either --memory"),
        (["fit", "lenet5", "--memory", "1GiB", "--device", "t4"], "by --memory or by --device, not by both"),
        (["fit", "lenet5", "--memory", "1000000PB"], "there is no unit 'PB'"),
        (["fit", "lenet5", "--memory", "3bananas"], "there is no unit 'bananas'"),
        (["fit", "lenet5", "--memory", "-3GB"], "--memory cannot be negative: '-3GB'"),
        (["fit", "lenet5", "--memory", "2000000TB"], "is more than 1,152,921,504,606,846,976"),
        (["estimate", "lenet5", "--flops", "5G"], "--flops needs --bandwidth too"),
        (["estimate", "lenet5", "--bandwidth", "5GB/s"], "--bandwidth needs --flops too"),
        (["estimate", "lenet5", "--flops", "-5G", "--bandwidth", "5GB/s"], "--flops cannot be negative: '-5G'"),
        (["estimate", "lenet5", "--flops", "1e400", "--bandwidth", "5GB/s"], "without an exponent, as in 500G"),
        (["estimate", "lenet5", "--flops", "16 MB", "--bandwidth", "5GB/s"], "takes operations per second, as in 500G"),
        (["estimate", "lenet5", "--device", "t4", "--flops", ""], "not by both"),
        (["fit", "lenet5", "--device", "toaster"], "no device"),
    ],
)
def test_refused(refuses: Run, arguments: list[str], message: str) -> None:
    assert message in refuses(*arguments).err


#: English words that stand in the results of `estimate` and `gradients`.
ENGLISH = "operations?|layers?|bytes|log scale|bound|least|ridge|loss|first|median|largest|weights|batch"


@pytest.mark.parametrize("name", ["ru", "he", "hy"])
def test_roofline_and_table_are_in_the_language(archcalc: Run, tmp_path: Path, name: str) -> None:
    target = tmp_path / "roof.svg"
    how = ["estimate", "resnet18", "--device", "t4", "--lang", name]
    assert archcalc(*how, "-o", str(target)).code == 0
    picture = target.read_text(encoding="utf-8").replace("NVIDIA T4 data sheet", "").partition("8.1 TFLOPS")[0]
    assert not re.findall("operations|layer after|log scale|bound by|least|ridge", picture)
    table = archcalc(*how).out.partition("NVIDIA T4 data sheet")[0]
    assert not re.findall(rf"\b({ENGLISH})\b", re.sub(r"\S*/\S*", "", table))
    assert archcalc(*how, "-f", "json").out == archcalc(*how[:-2], "-f", "json").out


@pytest.mark.parametrize("name", ["ru", "he", "hy"])
def test_the_table_of_gradients_is_in_the_language(archcalc: Run, name: str) -> None:
    result = archcalc("gradients", "8x8x1 -> conv3-2 -> bn -> fc3", "--lang", name)
    assert result.code == 0
    assert not re.findall(rf"\b({ENGLISH})\b", result.out)


@pytest.mark.parametrize(("name", "letters"), [("ru", "[а-я]"), ("he", "[א-ת]"), ("hy", "[ա-և]")])
@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "alexnt"],
        ["explain", "lenet5", "c11"],
        ["check", "lenet5", "nothing.csv"],
        ["check", "lenet5", "answers.csv"],
        ["check", "lenet5"],
        ["draw", "lenet5", "-o", "a.foo"],
        ["grade", "lenet5", "nothing", "-o", "marks"],
    ],
)
def test_errors_that_a_class_meets_are_in_the_language(
    refuses: Run, arguments: list[str], name: str, letters: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers.csv").write_text("a\n1\n")
    for line in refuses(*arguments, "--lang", name).err.splitlines():
        assert re.search(letters, line)
