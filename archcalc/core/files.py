"""Files: the one way to read them, within bounds, and the one way to write them, whole or not at all.

Inside `one_command` every file that is read or written is noted, so that no command replaces what it reads or writes
two results to one place.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

from archcalc.core.errors import UsageError
from archcalc.core.language import say

#: A file that this process has open already: `/dev/fd/63` of a shell's `<(…)`.
_OPEN = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,9})")
_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}

#: What a path stands for: its real path, and the file where there is one; nothing for a device or a pipe.
_Identity = frozenset[str | tuple[int, int]]


class _FilesOfCommand:
    """The files of one command."""

    def __init__(self) -> None:
        self.read: dict[str | tuple[int, int], str] = {}
        self.targets: dict[str | tuple[int, int], tuple[str, str]] = {}


_noted: ContextVar[_FilesOfCommand | None] = ContextVar("files of the command", default=None)


@contextmanager
def one_command() -> Iterator[None]:
    """What is read and written inside belongs to one command: nothing that it reads may be replaced."""
    token = _noted.set(_FilesOfCommand())
    try:
        yield
    finally:
        _noted.reset(token)


# --- reading


def read_bytes(path: str | Path, largest: int, what: str = "file", shown: str | None = None) -> bytes:
    """The content of a file, or of stdin for `-`; `shown` is its name in errors.

    Raises `UsageError` where it cannot be read, and for more than `largest` bytes.
    """
    name = shown or str(path)
    try:
        if str(path) == "-":
            note_input(path)
            data = sys.stdin.buffer.read(largest + 1)
        else:
            with note_input(path, name).open("rb") as file:
                data = file.read(largest + 1)  # a device may have no end
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL, or stdin that is closed
        raise UsageError(f"cannot read {name}: {_reason(error)}") from None
    except AttributeError:  # without a stdin Python has None there
        raise UsageError(f"cannot read {name}: stdin is closed") from None
    if len(data) > largest:
        raise UsageError(f"{name} is larger than {_size(largest)}; no {what} is")
    return data


def note_input(path: str | Path, shown: str | None = None) -> Path:
    """The path of a file that is about to be read. Raises `UsageError` unless it can be read at all.

    A named pipe is refused, for reading it may wait for ever; one that the shell has opened (`/dev/fd/63`) is not.
    """
    name = shown or str(path)
    if str(path) == "-":
        with suppress(OSError, ValueError, AttributeError):
            _note_read(name, os.fstat(sys.stdin.fileno()))
        return Path(path)
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise UsageError(say("there is no file {name}", name=name)) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {name}: {_reason(error)}") from None
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(say("{name} is a directory, not a file", name=name))
    if stat.S_ISFIFO(found.st_mode) and _descriptor(str(path)) is None:
        raise UsageError(f"{name} is a named pipe, not a file")
    if stat.S_ISSOCK(found.st_mode):
        raise UsageError(f"{name} is a socket, not a file")
    _note_read(str(path), found)
    return Path(path)


def note_archive(path: str | Path, largest: int, what: str = "file") -> Path:
    """The path of a file that is about to be read here and there, of at most `largest` bytes.

    Raises `UsageError` for what is no regular file: a device may have no end, and a pipe only one direction.
    """
    file = note_input(path)
    if not file.is_file():
        raise UsageError(f"{path} is no regular file, and no {what}")
    if file.stat().st_size > largest:
        raise UsageError(f"{path} is larger than {_size(largest)}; no {what} is")
    return file


def _note_read(name: str, found: os.stat_result) -> None:
    noted = _noted.get()
    if noted is None or not stat.S_ISREG(found.st_mode):
        return
    for key in (os.path.realpath(name), (found.st_dev, found.st_ino)):
        if key in noted.targets:
            option, target = noted.targets[key]
            raise UsageError(f"{option} {target} would replace a file that is read; name another file")
        noted.read[key] = name


# --- what can be written


def check_target(path: str | Path | None, option: str = "-o") -> None:
    """Raise `UsageError` where a file cannot be written, before any work is done. None and `-` stand for stdout.

    `option` is what names the file: two options may not name the same one, nor one that the command reads.
    """
    if path is None or str(path) == "-":
        return
    name = str(path)
    if not name:
        raise UsageError(f"{option} needs the name of a file")
    found = _stat(name)
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{name} is a directory; {option} needs the name of a file")
    if found is None:
        folder = Path(os.path.realpath(name)).parent
        if not folder.is_dir():
            raise UsageError(f"there is no directory {Path(name).parent}")
    elif stat.S_ISREG(found.st_mode) and not (found.st_mode & 0o222 and os.access(name, os.W_OK)):
        raise UsageError(f"cannot write {name}: it is read-only")
    _check_not_read(name, found)
    noted = _noted.get()
    if noted is None:
        return
    for key in _identity(name, found):
        other, _ = noted.targets.setdefault(key, (option, name))
        if other != option:
            raise UsageError(f"{other} and {option} name the same file, {name}")


def check_folder(path: str | Path, option: str = "-o") -> Path:
    """The folder that results go to, made or not. Raises `UsageError` where a file has its name."""
    if not str(path):
        raise UsageError(f"{option} needs the name of a folder")
    found = _stat(str(path))
    if found is not None and not stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{path} is a file; {option} needs the name of a folder")
    return Path(path)


def make_folder(path: str | Path) -> Path:
    """Make a folder and those above it. Raises `UsageError` where that cannot be."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot make the folder {path}: {_reason(error)}") from None
    return Path(path)


def _stat(name: str) -> os.stat_result | None:
    """What is there; None for nothing. Raises `UsageError` for a name that cannot be."""
    try:
        return os.stat(name)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise UsageError(f"there is no directory {Path(name).parent}") from None
    except (OSError, ValueError) as error:  # a name that is too long, a link to itself
        raise UsageError(f"cannot write {name}: {_reason(error)}") from None


def _identity(name: str, found: os.stat_result | None) -> _Identity:
    if found is None:
        return frozenset({os.path.realpath(name)})
    if not stat.S_ISREG(found.st_mode):
        return frozenset()
    return frozenset({os.path.realpath(name), (found.st_dev, found.st_ino)})


def _check_not_read(name: str, found: os.stat_result | None) -> None:
    noted = _noted.get()
    for key in _identity(name, found) if noted else ():
        if noted and key in noted.read:
            raise UsageError(f"{name} would be replaced, but it is read; name another file")


# --- writing


def write_text(text: str, path: str | Path) -> None:
    """Write a text in UTF-8; what UTF-8 cannot hold (a file name in another encoding) is escaped."""
    write_bytes(text.encode("utf-8", "backslashreplace"), path)


def write_bytes(data: bytes, path: str | Path) -> None:
    """Write a file whole, or leave what was there."""
    write_files({str(path): data})


def write_files(files: Mapping[str, bytes]) -> None:
    """Write several files, or none where one cannot be written."""
    waiting: list[_PendingFile] = []
    current = ""
    try:
        seen: dict[str | tuple[int, int], str] = {}
        for current in files:
            found = _stat(current)
            if found is not None and stat.S_ISDIR(found.st_mode):
                raise UsageError(f"{current} is a directory, not a file")
            _check_not_read(current, found)
            for key in _identity(current, found):
                if seen.setdefault(key, current) != current:
                    raise UsageError(f"{seen[key]} and {current} are the same file")
        for current, data in files.items():
            waiting.append(_PendingFile(current))
            with waiting[-1].open() as file:
                file.write(data)
        for one in waiting:
            current = one.name
            one.finish()
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write {current}: {_reason(error)}") from None
    finally:
        for one in waiting:
            one.discard()


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A temporary file next to `path`, of the same ending, that takes its place in the end; none if anything fails."""
    _check_not_read(str(path), _stat(str(path)))
    waiting = None
    try:
        waiting = _PendingFile(str(path))
        yield waiting.path
        waiting.finish()
    except OSError as error:
        raise UsageError(f"cannot write {path}: {_reason(error)}") from None
    finally:
        if waiting is not None:
            waiting.discard()


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """A temporary folder next to `path`, which may not hold anything yet, that takes its place in the end."""
    import shutil
    import tempfile

    check_empty(path)
    target = Path(os.path.realpath(path))
    temporary = None
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", dir=target.parent))
        yield temporary
        temporary.chmod(0o777 & ~_mask())
        if target.is_dir():
            target.rmdir()
        temporary.rename(target)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {_reason(error)}") from None
    finally:
        if temporary is not None and temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)


def check_empty(path: str | Path, option: str = "-o") -> None:
    """Raise `UsageError` unless a new folder can be made here."""
    folder = check_folder(path, option)
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{path} exists already; give a folder that is new or empty")
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"there is no directory {folder.parent}")


class _PendingFile:
    """A file that is being written: under a temporary name until it is whole."""

    def __init__(self, name: str) -> None:
        import tempfile

        self.name = name
        self._found = _stat(name)
        #: A device, a pipe or an open file is written to; it is never replaced.
        self._is_place = self._found is None or stat.S_ISREG(self._found.st_mode)
        self._is_place = self._is_place and _descriptor(name) is None
        self._target = Path(os.path.realpath(name))
        if self._is_place and self._found is not None and not self._found.st_mode & 0o222:
            raise PermissionError(13, "it is read-only")
        folder = self._target.parent if self._is_place else None
        handle, temporary = tempfile.mkstemp(self._target.suffix[:20], ".archcalc-", folder)
        os.close(handle)
        self.path = Path(temporary)

    def open(self) -> BinaryIO:
        return self.path.open("wb")

    def finish(self) -> None:
        """Let the temporary file take the place of the target."""
        if not self._is_place:
            self._copy()
            return
        mode = 0o666 & ~_mask() if self._found is None else stat.S_IMODE(self._found.st_mode)
        if self._found is not None and hasattr(os, "chown"):
            with suppress(PermissionError):
                os.chown(self.path, self._found.st_uid, self._found.st_gid)
        self.path.chmod(mode)
        self.path.replace(self._target)

    def _copy(self) -> None:
        import shutil

        descriptor = _descriptor(self.name)
        if descriptor is not None:
            sys.stdout.flush()
            descriptor = os.dup(descriptor)
        with open(self.name if descriptor is None else descriptor, "wb") as out, self.path.open("rb") as data:
            shutil.copyfileobj(data, out)

    def discard(self) -> None:
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _descriptor(name: str) -> int | None:
    """The number of a file that this process has open, where a path means one."""
    match = _OPEN.fullmatch(name)
    return int(match[1]) if match else _STREAMS.get(name)


def _mask() -> int:
    """What new files may not be: the user's umask."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _size(largest: int) -> str:
    return f"{largest >> 20} MiB" if largest >= 1 << 20 else f"{largest:,} bytes"
