"""What is printed, to the byte; and that its columns add up, so that a wrong snapshot cannot slip in by an update."""

from __future__ import annotations

import pytest

from tests.cli.runner import DATA, Run
from tests.conftest import SNAPSHOTS, Snapshot
from tests.render.tables.tables import check_output, read_partial

MODULES, SPECIAL, BREAKS = (str(DATA / f"{name}.yaml") for name in ("modules", "special", "breaks"))
ENDINGS = {"table": "txt", "markdown": "md", "csv": "csv", "json": "json", "latex": "tex"}
FORMATS = tuple(ENDINGS)

#: A name for the snapshot, the arguments after `report`, the formats, and how many tables there are.
REPORTS: list[tuple[str, list[str], tuple[str, ...], int]] = [
    ("lenet5", ["lenet5"], FORMATS, 1),
    ("lenet5_1998", ["lenet5@1998"], ("table",), 1),
    ("alexnet", ["alexnet"], ("table", "csv"), 1),
    ("modules", [MODULES], FORMATS, 1),
    ("modules_depth_1", [MODULES, "--depth", "1"], ("table", "json"), 1),
    ("modules_depth_2", [MODULES, "--depth", "2"], ("table",), 1),
    ("modules_all_columns", [MODULES, "--columns", "all"], ("table", "markdown", "csv", "latex"), 1),
    ("modules_chw", [MODULES, "--layout", "chw"], ("table", "csv"), 1),
    ("modules_set", [MODULES, "--set", "width=2", "--set", "classes=3", "--input", "9x12x1"], ("table",), 1),
    ("modules_batch", [MODULES, "--batch", "32", "--dtype", "float16"], ("table",), 1),
    ("modules_counted", [MODULES, "--count-in-place", "--running-statistics"], ("table",), 1),
    ("modules_columns", [MODULES, "--columns", "layer,op,inputs,input,params,trainable,buffers"], ("table",), 1),
    ("special", [SPECIAL], FORMATS, 1),
    ("two", ["lenet5", MODULES], FORMATS, 2),
]
CASES = [(name, form, rest, count) for name, rest, forms, count in REPORTS for form in forms]
LISTS = [("table", "list.txt"), ("csv", "list.csv"), ("json", "list.json")]
FAILURE = "failure.txt"
#: Below tests/snapshots, where other tests keep theirs.
FOLDER = SNAPSHOTS / "report"


def _file(name: str, form: str) -> str:
    return f"{name}.{ENDINGS[form]}"


@pytest.mark.parametrize(("name", "form", "arguments", "count"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_report(
    archcalc: Run, snapshot: Snapshot, name: str, form: str, arguments: list[str], count: int
) -> None:  # fmt: skip
    result = archcalc("report", *arguments, "-f", form)
    assert (result.code, result.err) == (0, "")
    check_output(form, result.out, count)
    snapshot(f"report/{_file(name, form)}", result.out)


@pytest.mark.parametrize(("form", "name"), LISTS)
def test_list(archcalc: Run, snapshot: Snapshot, form: str, name: str) -> None:
    result = archcalc("list", "lenet5", "alexnet", "-f", form)
    assert (result.code, result.err) == (0, "")
    for number in ("62378344", "1135256096", "60965224", "61706", "416520"):
        assert number in result.out.replace(",", "")
    snapshot(f"report/{name}", result.out)


def test_a_network_that_fails_is_shown_up_to_there(archcalc: Run, snapshot: Snapshot) -> None:
    result = archcalc("report", BREAKS)
    assert result.code == 2
    table = read_partial(result.out)
    assert table.column("layer") == ["input", "conv1", "relu1", "pool1", "conv2", "relu2", "pool2"]
    # The spec lies somewhere else on every machine.
    snapshot(f"report/{FAILURE}", f"{result.out}--- stderr\n{result.err.replace(BREAKS, 'breaks.yaml')}")


def test_every_snapshot_has_a_test() -> None:
    wanted = {_file(name, form) for name, form, _, _ in CASES} | {name for _, name in LISTS} | {FAILURE}
    assert {path.name for path in FOLDER.iterdir()} == wanted


def test_snapshots_are_plain_text() -> None:
    for path in FOLDER.iterdir():
        text = path.read_bytes().decode("utf-8")
        assert not set("\x1b\r\t") & set(text), path.name
        assert text.endswith("\n"), path.name
        assert [line for line in text.splitlines() if line != line.rstrip()] == [], path.name
