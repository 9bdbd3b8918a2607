"""`archcalc search`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import archcalc as ac
from archcalc import UsageError
from archcalc.cli.commands import search as command
from archcalc.design.search import run as runs
from archcalc.design.search import space as spaces
from archcalc.design.search.search import Part, Search
from tests.cli.runner import Run

SPACE = "mobilenet alpha=0.25..1.5 step 0.05, resolution=96..320 step 32; resnet depth=18,34,50"
WHERE = "multiplications <= 300M and params*4 <= 16MiB"


def test_the_networks_under_a_budget(archcalc: Run, tmp_path: Path) -> None:
    path = tmp_path / "found.csv"
    result = archcalc("search", SPACE, "--where", WHERE, "-o", str(path))
    assert (result.code, result.out) == (0, "")
    assert "87 of 211 configurations found with multiplications <= 300M and params*4 <= 16MiB." in result.err
    assert "10 configurations, chosen at random, compared with a report: equal." in result.err
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 87
    for row in (rows[0], rows[40], rows[-1]):
        side = row["resolution"]
        totals = ac.load("mobilenet", {"alpha": float(row["alpha"])}, input=f"{side}x{side}x3").analyse().totals
        assert (int(row["params"]), int(row["multiplications"])) == (totals.params, totals.multiplications)
        assert totals.multiplications <= 300_000_000
        assert totals.params * 4 <= 16 << 20


def test_a_front(archcalc: Run) -> None:
    result = archcalc("search", SPACE, "--where", WHERE, "--pareto", "multiplications,params", "-f", "json").json
    assert result["schema"] == "archcalc.search/1"
    assert (result["configurations"], result["found"], result["do_not_fit"]) == (211, 1, 0)
    # The smallest network in both is the whole front; with more parameters as the better it is a trade-off.
    assert result["rows"] == [
        {"network": "mobilenet", "alpha": 0.25, "resolution": 96, "params": 470_072, "multiplications": 7_745_152}
    ]
    result = archcalc("search", SPACE, "--where", WHERE, "--pareto", "macs,params:max", "-f", "json").json
    found = [(row["multiplications"], row["params"]) for row in result["rows"]]
    assert result["pareto"] == ["multiplications", "params:max"]
    assert found == sorted(found)
    assert [params for _, params in found] == sorted({params for _, params in found})
    assert len(found) > 5


def test_text_has_the_first_rows(archcalc: Run) -> None:
    result = archcalc("search", SPACE, "--limit", "2")
    lines = result.out.splitlines()
    assert lines[0].split() == ["network", "alpha", "resolution", "depth", "parameters", "multiplications"]
    assert lines[1].split() == ["mobilenet", "0.25", "96", "470,072", "7,745,152"]
    assert lines[3] == "… and 209 more; -o FILE.csv has them all"


def test_quantities_of_the_condition_are_shown(archcalc: Run) -> None:
    out = archcalc("search", "lenet5 classes=10,100", "--where", "depth == 5", "--columns", "memory", "-f", "csv").out
    assert out.splitlines() == [
        # 4 bytes for each of 1024 + 4704 + 1176 + 1600 + 400 + 120 + 84 values and the classes.
        "network,classes,activation_bytes,depth", "lenet5,10,36472,5", "lenet5,100,36832,5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([""], "the space is empty"),
        (["mobilenet alpha=0..inf step 1"], "a space is finite"),
        (["mobilenet alpha=1", "--where", "__import__('os').system('true')"], "cannot stand in an expression"),
        (["mobilenet alpha=1", "--where", "parms < 3"], "did you mean params"),
        (["mobilenet alfa=1"], "did you mean alpha"),
        (["mobilenet resolution=9999999"], "a whole number from 1 to 1,048,576"),
        (["mobilenet classes=1..100000000"], "may take 1,000,000"),
        (["mobilenet classes=1..32000, alpha=0.1..3.3 step 0.0001"], "1,024,032,000 configurations, more than 1,000"),
        (["mobilenet alpha=1", "--pareto", "speed"], "there is no quantity or parameter 'speed'"),
        (["mobilenet alpha=1", "--restart"], "--restart is for a search that writes its rows to a file"),
        (["mobilenet alpha=1", "-o", "/no/such/place.csv"], "there is no directory"),
        (["unet resolution=1..3"], "none of the configurations fits"),
    ],
)
def test_bad_input_is_one_message(archcalc: Run, arguments: list[str], message: str) -> None:
    result = archcalc("search", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_large_space_is_counted_before_it_is_searched(archcalc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "MOST_UNASKED", 2_000)
    monkeypatch.setattr(command, "MANY", 5_000)
    many = ["lenet5 classes=1..5000", "--where", "params < 100", "--sample", "0"]
    assert "5,000 configurations, more than 2,000" in archcalc("search", *many).err
    result = archcalc("search", *many, "--large")
    assert (result.code, result.err) == (0, "note: 5,000 configurations\n")
    assert result.out.startswith("Nothing found: none of 5,000 configurations keeps to ")


def test_in_python() -> None:
    found = ac.search("lenet5 classes=5,10", "params < 61.5k")
    assert found.value.to_dicts() == [{"network": "lenet5", "classes": 5, "params": 61_281, "multiplications": 416_100}]
    assert "1 of 2 configurations found with params < 61.5k." in str(found)
    assert json.loads(found.render("json"))["compared_with_reports"] == 2


def test_a_stopped_search_continues(archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command may write its own state again, which it has read."""
    path = tmp_path / "found.csv"
    monkeypatch.setattr(runs, "KEEP_EVERY", 0)
    monkeypatch.setattr(runs, "next_size", lambda *_: 10)
    monkeypatch.setattr(runs, "FIRST_PART", 10)
    whole, calls = Search.run, 0

    def run(self: Search, start: int, stop: int) -> Part:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise UsageError("stopped by the test")
        return whole(self, start, stop)

    monkeypatch.setattr(Search, "run", run)
    assert archcalc("search", SPACE, "-o", str(path)).code == 2
    result = archcalc("search", SPACE, "-o", str(path))
    assert (result.code, result.out) == (0, "")
    with path.open() as file:
        assert len(list(csv.DictReader(file))) == 211
    assert [one.name for one in tmp_path.iterdir()] == ["found.csv"]
