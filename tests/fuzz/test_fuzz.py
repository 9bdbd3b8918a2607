"""Thousands of hostile command lines: exit code 0, 1 or 2, no traceback, nothing half-written, no file lost."""

from __future__ import annotations

import os
import resource
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.runner import Run
from tests.fuzz.inputs import KINDS, Input, made
from tests.fuzz.seeds import COSTLY, seeds
from tests.steps import at_most_calls

#: Functions that one input may call, and bytes that it may ask for on top of what the process has.
MOST_CALLS = 40_000_000
MOST_BYTES = 2 << 30
#: Of each kind; nine kinds.
QUICK, SLOW = 7, 223
#: At most so many inputs in one test, so that they spread over the workers.
CHUNK = 25


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    """Memory beyond the budget is a fault, not a slow machine."""
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


def hold(archcalc: Run, folder: Path, one: Input) -> None:
    """Run one input in a folder of its own and look at what is left."""
    folder.mkdir()
    os.chdir(folder)
    for name, data in one.files.items():
        (folder / name).write_bytes(data)
    with at_most_calls(MOST_CALLS), warnings.catch_warnings():
        warnings.simplefilter("error")
        result = archcalc(*one.arguments)
    assert result.code in (0, 1, 2), one
    assert "Traceback" not in result.out + result.err, one
    assert "not enough memory" not in result.err, one
    assert result.err.strip() or result.code != 2, one
    assert not set(result.out + result.err) & {"\x1b", "\x07", "\x9b", "\u202e", "\x00"}, one
    left = {path.name: path for path in folder.rglob("*") if path.is_file()}
    assert not [name for name in left if name.startswith(".archcalc")], one
    written = {"out.txt", "out.dot", "out.svg", "out.html", "old.txt", "out.bin"}
    for name, data in one.files.items():
        # What a command reads is there afterwards as it was; a target is replaced whole, or not at all.
        if name not in written or result.code == 2:
            assert (folder / name).read_bytes() == data, f"{one}: {name} changed"
    if result.code == 2 and one.arguments[0] not in ("grade", "exercise"):
        assert set(left) <= set(one.files), one


@pytest.mark.parametrize("kind", KINDS)
def test_some(archcalc: Run, tmp_path: Path, kind: str) -> None:
    for number in range(QUICK):
        hold(archcalc, tmp_path / str(number), made(kind, number))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", range(0, SLOW, CHUNK))
def test_many(archcalc: Run, tmp_path: Path, kind: str, start: int) -> None:
    for number in range(start, min(start + CHUNK, SLOW)):
        hold(archcalc, tmp_path / str(number), made(kind, number))


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(one, marks=[pytest.mark.slow] * (not COSTLY.isdisjoint(one.arguments)), id=" ".join(one.arguments))
        for one in seeds()
    ],
)
def test_inputs_that_were_faults_once(archcalc: Run, tmp_path: Path, one: Input) -> None:
    hold(archcalc, tmp_path / "folder", one)


def test_an_input_is_the_same_every_time() -> None:
    for kind in KINDS:
        first, second = made(kind, 3), made(kind, 3)
        assert first.arguments == second.arguments
        if kind not in ("weights", "spreadsheet"):  # archives hold the time of day
            assert first.files == second.files
