"""Where results go: stdout, or a file that is either whole or not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from pathlib import Path

from archcalc.core import files
from archcalc.core.errors import UsageError
from archcalc.core.text import printable


def ending(output: str, formats: Collection[str]) -> str:
    """The format that the name of a file asks for. Raises `UsageError` with those that there are."""
    known = f"there are {', '.join(f'.{form}' for form in formats)}"
    if output == "-":
        raise UsageError(f"which format? -o - needs -f; {known}")
    found = Path(output).suffix.lower().lstrip(".")
    if found not in formats:
        raise UsageError(f"no format ends in {'.' + found!r}; {known}" if found else f"{output} has no ending; {known}")
    return found


def write(text: str, path: str | None) -> None:
    """Write to stdout (None or `-`) or to a file, which is either whole or not there."""
    to_stdout = path is None or path == "-"
    text = printable(text, colour=to_stdout and colour())
    if to_stdout or path is None:
        sys.stdout.write(text)
        return
    files.write_text(text, path)


def note(text: str) -> None:
    """A line on stderr, next to the result."""
    sys.stdout.flush()
    sys.stderr.write(printable(text) + "\n")


def write_bytes(data: bytes, path: str) -> None:
    """The same for bytes."""
    if path != "-":
        files.write_bytes(data, path)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def colour() -> bool:
    """Colour only on a terminal, and not where NO_COLOR is set or the terminal is dumb."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int | None:
    """Columns of the terminal; None where the output is no terminal."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
