"""Runs: whole or stopped anywhere and continued, the rows are the same, each once."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archcalc.core.errors import UsageError
from archcalc.design.search import run as runs
from archcalc.design.search import sink as sinks
from archcalc.design.search.evaluate import FamilySearch
from archcalc.design.search.run import parts_here, run
from archcalc.design.search.search import MismatchError, Part, Search
from archcalc.design.search.sink import RowFile, Rows
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.design.search.spaces import search

SPACE = "mobilenet alpha=0.25..1.5 step 0.25, resolution=32..320; lenet5 classes=1..50"
WHERE = "multiplications <= 200M"


def in_parts(size: int) -> Any:
    """The parts of a search, so many configurations each."""

    def parts(one: Search, start: int) -> Iterator[Part]:
        while start < one.count:
            part = one.run(start, min(start + size, one.count))
            yield part
            start = part.stop

    return parts


def stopping_after(count: int, size: int = 100) -> Any:
    """The same, stopped by the user after some parts."""

    def parts(one: Search, start: int) -> Iterator[Part]:
        for number, part in enumerate(in_parts(size)(one, start)):
            if number == count:
                raise KeyboardInterrupt
            yield part

    return parts


def whole(path: Path, pareto: str | None = None) -> bytes:
    run(search(SPACE, WHERE, pareto), RowFile(search(SPACE, WHERE, pareto), str(path)), in_parts(300))
    return path.read_bytes()


def test_rows_are_those_of_the_search(tmp_path: Path) -> None:
    made = search(SPACE, WHERE)
    rows = Rows(made)
    outcome = run(made, rows)
    assert (outcome.count, outcome.unfit, outcome.found) == (6 * 289 + 50, 0, len(rows.rows))
    assert outcome.checked == 10
    assert made.heading == ("network", "alpha", "resolution", "classes", "params", "multiplications")
    whole(tmp_path / "found.csv")
    with (tmp_path / "found.csv").open() as file:
        read = list(csv.reader(file))
    assert read[0] == list(made.heading)
    first = analyse(load("mobilenet", {"alpha": 0.25}, (3, 32, 32))).totals
    assert read[1] == ["mobilenet", "0.25", "32", "", str(first.params), str(first.multiplications)]
    assert read[-1] == ["lenet5", "", "", "50", str(61_706 + 40 * 85), str(416_520 + 40 * 84)]
    assert len(read) == outcome.found + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found.csv"]


@pytest.mark.parametrize("pareto", [None, "multiplications,params:max"])
def test_a_stopped_search_continues(tmp_path: Path, pareto: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = whole(tmp_path / "whole.csv", pareto)
    monkeypatch.setattr(runs, "KEEP_EVERY", 0)
    path = tmp_path / "found.csv"
    done, stops = 0, 0
    while not path.exists():
        made = search(SPACE, WHERE, pareto)
        try:
            outcome = run(made, RowFile(made, str(path)), stopping_after(3))
        except KeyboardInterrupt:
            stops += 1
            done += 300
            assert json.loads((tmp_path / "found.csv.progress").read_text())["done"] == done
            # A run that was killed may have written more than it noted.
            with (tmp_path / "found.csv.partial").open("ab") as file:
                file.write(b"mobilenet,0.25")
    assert stops == 5
    assert path.read_bytes() == expected
    assert (outcome.continued, outcome.checked) == (done, 10)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["found.csv", "whole.csv"]


def test_another_search_does_not_continue(tmp_path: Path) -> None:
    path = str(tmp_path / "found.csv")
    with pytest.raises(KeyboardInterrupt):
        run(search(SPACE, WHERE), RowFile(search(SPACE, WHERE), path), stopping_after(2))
    other = search(SPACE, "multiplications <= 100M")
    with pytest.raises(UsageError, match="is that of another search; --restart"):
        RowFile(other, path).begin()
    assert run(other, RowFile(other, path, restart=True)).continued == 0


@pytest.mark.parametrize(
    "text", ["", "{}", '{"schema": 3}', "[1]", '{"schema":"archcalc.search.progress/1","search":""}']
)
def test_progress_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "found.csv.progress").write_text(text)
    with pytest.raises(UsageError, match=r"not what a search writes|another version"):
        RowFile(search(SPACE), str(tmp_path / "found.csv")).begin()


@pytest.mark.parametrize(
    "change",
    [
        {"done": -5}, {"done": 10**25}, {"done": float("inf")}, {"bytes": 0}, {"bytes": 37}, {"bytes": float("inf")},
        {"found": 301}, {"found": 1}, {"done": 1300}, {"checked": 7}, {"unfit": 3}, {"rows": "0"},
        {"problem": {}}, {"points": [["a", "b", ["x"], ["y"]]]}, {"points": [[9, 0, [1], [1]]]},
    ],
)  # fmt: skip
def test_progress_that_cannot_be_true_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = str(tmp_path / "found.csv")
    with pytest.raises(KeyboardInterrupt):
        run(search(SPACE, WHERE), RowFile(search(SPACE, WHERE), path), stopping_after(3))
    state = tmp_path / "found.csv.progress"
    state.write_text(json.dumps(json.loads(state.read_text()) | change))
    made = search(SPACE, WHERE)
    with pytest.raises(UsageError, match=r"cannot be continued: it was changed since it was written; --restart"):
        RowFile(made, path).begin()
    # Even with a digest of its own, what cannot be true is refused.
    data = json.loads(state.read_text())
    state.write_text(json.dumps(data | {"digest": sinks._digest(data)}))
    if not change.keys() & {"checked", "unfit"} and change not in ({"found": 1}, {"done": 1300}):
        with pytest.raises(UsageError, match="cannot be continued"):
            RowFile(made, path).begin()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.replace(b"mobilenet,0.25", b"mobilenet,0.75", 1), "has other rows than were written"),
        (lambda rows: rows[:-1] + b",", "has other rows than were written"),
        (lambda rows: rows[:-20], "has [0-9,]+ bytes, of which [0-9,]+ were written"),
        (lambda rows: None, "cannot be read: No such file"),
    ],
)
def test_rows_that_were_changed_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    path = str(tmp_path / "found.csv")
    with pytest.raises(KeyboardInterrupt):
        run(search(SPACE, WHERE), RowFile(search(SPACE, WHERE), path), stopping_after(3))
    rows = tmp_path / "found.csv.partial"
    changed = change(rows.read_bytes())
    if changed is None:
        rows.unlink()
    else:
        rows.write_bytes(changed)
    with pytest.raises(UsageError, match=message):
        RowFile(search(SPACE, WHERE), path).begin()


def _heading(rows: bytes) -> bytes:
    return rows.splitlines(keepends=True)[0]


@pytest.mark.parametrize(
    ("left", "is_refused"),
    [
        (lambda rows: rows, True),
        (lambda rows: _heading(rows) + b"m", True),
        (_heading, False),
        (lambda rows: b"", False),
    ],
)
def test_rows_without_progress_are_not_overwritten(tmp_path: Path, left: Any, is_refused: bool) -> None:
    expected = whole(tmp_path / "whole.csv")
    path = tmp_path / "found.csv"
    with pytest.raises(KeyboardInterrupt):
        run(search(SPACE, WHERE), RowFile(search(SPACE, WHERE), str(path)), stopping_after(3))
    (tmp_path / "found.csv.progress").unlink()
    rows = tmp_path / "found.csv.partial"
    rows.write_bytes(kept := left(rows.read_bytes()))
    if is_refused:
        with pytest.raises(UsageError, match=rf"has {len(kept):,} bytes.*\.progress, which .* is missing; --restart"):
            RowFile(search(SPACE, WHERE), str(path)).begin()
        assert rows.read_bytes() == kept
    run(search(SPACE, WHERE), RowFile(search(SPACE, WHERE), str(path), restart=is_refused))
    assert path.read_bytes() == expected


def test_a_search_that_is_killed_at_once_continues(tmp_path: Path) -> None:
    made = search(SPACE, WHERE)
    killed = RowFile(made, str(tmp_path / "found.csv"))
    killed.begin()
    killed.add(*made.run(0, 100).found[0])
    killed.close()
    assert (tmp_path / "found.csv.partial").stat().st_size > 1000
    run(made, RowFile(made, str(tmp_path / "found.csv")))
    assert (tmp_path / "found.csv").read_bytes() == whole(tmp_path / "whole.csv")


def test_state_is_never_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "found.csv.partial").symlink_to(tmp_path / "precious")
    with pytest.raises(UsageError, match="is in the way"):
        RowFile(search(SPACE), str(tmp_path / "found.csv"))
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_mismatch_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    right = FamilySearch.single

    def wrong(self: FamilySearch, values: Any) -> Any:
        found = right(self, values)
        return [found[0] + 1, *found[1:]] if isinstance(found, list) else found

    monkeypatch.setattr(FamilySearch, "single", wrong)
    made = search("lenet5 classes=1..50")
    with pytest.raises(MismatchError, match="internal error: lenet5 classes="):
        run(made, Rows(made))
    without = search("lenet5 classes=1..50", sample=0)
    assert run(without, Rows(without)).checked == 0


def test_nothing_that_fits() -> None:
    made = search("unet resolution=1..20")
    with pytest.raises(UsageError, match="none of the configurations fits"):
        run(made, Rows(made))


def test_more_rows_than_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "MOST_ROWS", 20)
    made = search("lenet5 classes=1..50")
    with pytest.raises(UsageError, match="write them to a file"):
        run(made, Rows(made))
    few = Rows(made, 3)
    assert (run(made, few).found, len(few.rows)) == (50, 3)


def test_the_size_of_parts_changes_nothing() -> None:
    made = search(SPACE, WHERE)
    everything = [Rows(made) for _ in range(3)]
    for rows, parts in zip(everything, (parts_here, in_parts(17), in_parts(5000)), strict=True):
        run(made, rows, parts)
    assert everything[0].rows == everything[1].rows == everything[2].rows


def test_the_sample_is_random_and_the_same_for_the_same_search() -> None:
    first, again, other = search(SPACE), search(SPACE), search(SPACE, WHERE)
    assert first.sample == again.sample != other.sample
    assert len(set(first.sample)) == 10
    assert search("lenet5 classes=1..3").sample == (0, 1, 2)


def test_names_that_a_network_does_not_vary() -> None:
    with pytest.raises(UsageError, match="lenet5 does not vary alpha"):
        search(SPACE, "alpha > 1")


def test_a_spec_file_is_part_of_the_request(tmp_path: Path) -> None:
    spec = tmp_path / "mine.yaml"
    text = "name: mine\ntitle: Mine\ninput: 8x8x3\nparameters: {k: 4}\nlayers:\n"
    spec.write_text(text + "  - conv2d: {out_channels: k, kernel_size: 3}\n")
    made = search(f"{spec} k=1..4")
    spec.unlink()
    again = Search(made.request)
    rows = Rows(again)
    run(search_without_reports(again), rows)
    assert [row[2] for row in rows.rows] == [28, 56, 84, 112]


def search_without_reports(one: Search) -> Search:
    return Search(one.request._replace(sample=0))
