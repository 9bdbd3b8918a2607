"""Fixtures that many tests share: the program run in this process, and snapshots of what it prints."""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import tiers
from tests.cli.runner import Result, Run, check_message

SNAPSHOTS = Path(__file__).with_name("snapshots")

# Every worker has one core; the libraries of linear algebra would otherwise start as many threads as there are cores.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

#: Compares a text with the snapshot of this name.
Snapshot = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write the files in tests/snapshots again; then read the difference"
    )


def pytest_configure(config: pytest.Config) -> None:
    """The tier is known before the tests are imported: they ask it for their number of examples."""
    if re.search(r"(?<!not )\bslow\b", config.option.markexpr):
        os.environ[tiers.VARIABLE] = "slow"
    if not config.getoption("hypothesis_profile", None):
        tiers.load_profile()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the slow tier every property is tried too, with more examples. What opens a browser is marked so."""
    for item in items:
        if tiers.slow() and hasattr(getattr(item, "obj", None), "hypothesis"):
            item.add_marker("slow")
        if "one_browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Snapshot:
    """A text must equal its file in tests/snapshots; with `--update` the file is written."""
    update = bool(request.config.getoption("--update"))

    def compare(name: str, text: str) -> None:
        path = SNAPSHOTS / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"there is no snapshot {name}; pytest --update writes it"
        # Compared as text first: pytest shows a difference of lines better than one of bytes.
        assert text == path.read_text(encoding="utf-8")
        assert text.encode() == path.read_bytes()

    return compare


@pytest.fixture
def archcalc(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """The program, run in this process: its exit code, stdout and stderr."""
    from archcalc.cli import main

    # What the program sets for itself ends with the test.
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "__all__")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("_ARCHCALC_COMPLETE", raising=False)
    # On a busy machine anything can take so long that progress would be shown.
    monkeypatch.setattr("archcalc.cli.progress.monotonic", lambda: 0.0)
    thresholds = gc.get_threshold()

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["archcalc", *map(str, arguments)])
        capsys.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        assert isinstance(code, int)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    yield run
    gc.set_threshold(*thresholds)


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refuses(archcalc: Run) -> Run:
    """The program must refuse: exit 2, nothing on stdout, and one short message that is no Python."""

    def run(*arguments: object) -> Result:
        result = archcalc(*arguments)
        assert result.code == 2, result
        assert result.out == ""
        check_message(result.err)
        return result

    return run
