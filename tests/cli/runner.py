"""Ways to run the program: in this process, as a process of its own, and on a terminal."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.steps import PATIENCE

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"
#: Works wherever the package can be imported, installed or not.
PROGRAM = (sys.executable, "-m", "archcalc")


class Result(NamedTuple):
    """The output, the errors and the exit code of a run."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


#: Runs `archcalc` with these arguments.
Run = Callable[..., Result]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of this process without those that change the output, and some of the test's own."""
    unwanted = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONUNBUFFERED")
    kept = {key: value for key, value in os.environ.items() if key not in unwanted}
    return {**kept, "TERM": "xterm", **(more or {})}


def run_process(
    *arguments: str,
    stdout: int = subprocess.PIPE,
    more: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Result:
    """Run the program as a process; what it writes comes back unless `stdout` goes elsewhere."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=environment(more),
        timeout=PATIENCE,
        cwd=cwd,
        check=False,
    )
    return Result(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())


def run_on_terminal(*arguments: str, columns: int, more: Mapping[str, str] | None = None) -> Result:
    """Run the program with its stdout on a terminal of so many columns."""
    fcntl, pty, termios = (
        pytest.importorskip(name, reason="terminals of Unix") for name in ("fcntl", "pty", "termios")
    )
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        stdout=theirs,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=environment(more),
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:  # Linux says so when the last writer is gone
                break
            if not part:
                break
            parts.append(part)
        os.close(ours)
        assert process.stderr is not None
        err = process.stderr.read().decode()
        code = process.wait(timeout=PATIENCE)
    return Result(code, b"".join(parts).decode().replace("\r\n", "\n"), err)


def check_message(err: str) -> None:
    """A message for people: there, short, and without the words of the implementation."""
    assert err.strip()
    assert err.endswith("\n")
    assert len(err) < 2500, err[:300]
    for word in ("Traceback", "Fraction", "NoneType", "does not work on", "Errno", "pydantic", "<class"):
        assert word not in err
    assert not [character for character in err if character < " " and character not in "\n\t"]
