"""Fixtures that many tests share: the program run in this process, and snapshots of what it prints."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.cli.runner import Result, Run, check_message

SNAPSHOTS = Path(__file__).with_name("snapshots")

# Where a change is judged, the same code gets the same examples; everywhere else new ones are tried on every run.
# No test looks at a clock: on a busy machine anything can take long.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")

#: Compares a text with the snapshot of this name.
Snapshot = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write the files in tests/snapshots anew; read the difference then"
    )


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
def refuses(archcalc: Run) -> Run:
    """The program must refuse: exit 2, nothing on stdout, and one short message that is no Python."""

    def run(*arguments: object) -> Result:
        result = archcalc(*arguments)
        assert result.code == 2, result
        assert result.out == ""
        check_message(result.err)
        return result

    return run
