"""Where results go: stdout, or a file that is either whole or not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from archcalc.core.errors import UsageError


def check_target(path: str | None) -> None:
    """Raise `UsageError` where a file cannot be written, before any work is done."""
    if path is None or path == "-":
        return
    if not path:
        raise UsageError("-o needs the name of a file")
    target = Path(path)
    try:
        is_directory, has_directory = target.is_dir(), target.parent.is_dir()
    except OSError as error:  # a name that is too long, say
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
    if is_directory:
        raise UsageError(f"{path} is a directory; -o needs the name of a file")
    if not has_directory:
        raise UsageError(f"there is no directory {target.parent}")


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
    """Write to stdout (None or `-`) or to a file, through a temporary file beside it.

    A link is followed. What is no plain file (/dev/stdout, a named pipe) is written to, never replaced.
    """
    if path is None or path == "-":
        sys.stdout.write(text)
        return
    check_target(path)
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8", newline="\n")
            return
        temporary = target.with_name(f".{os.getpid()}.tmp")
        try:
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None


def write_bytes(data: bytes, path: str) -> None:
    """Write to stdout (`-`) or to a file, through a temporary file beside it."""
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    check_target(path)
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None


def write_files(files: Mapping[str, bytes]) -> None:
    """Write several files, or none where one cannot be written."""
    for path in files:
        check_target(path)
    made: list[tuple[Path, Path]] = []
    try:
        for path, data in files.items():
            target = Path(path)
            temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
            made.append((temporary, target))
            temporary.write_bytes(data)
        for temporary, target in made:
            temporary.replace(target)
    except OSError as error:
        raise UsageError(f"cannot write {made[-1][1]}: {error.strerror or error}") from None
    finally:
        for temporary, _ in made:
            temporary.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder and those above it. Raises `UsageError` where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {path}: {error.strerror or error}") from None


def colour() -> bool:
    """Colour only on a terminal, and not where NO_COLOR is set or the terminal is dumb."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int | None:
    """Columns of the terminal; None where the output is no terminal."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
