"""Files are read within bounds and written whole: links, modes, devices, pipes, full disks, files of one command."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archcalc.core import files
from archcalc.core.errors import UsageError

#: Each way to write one file.
Writer = Callable[[bytes, Path], None]


def by_block(data: bytes, path: Path) -> None:
    with files.whole_file(path) as temporary:
        temporary.write_bytes(data)


WRITERS: dict[str, Writer] = {
    "bytes": files.write_bytes,
    "text": lambda data, path: files.write_text(data.decode(), path),
    "several": lambda data, path: files.write_files({str(path): data}),
    "block": by_block,
}
every_writer = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


@pytest.fixture
def command() -> Iterator[None]:
    with files.one_command():
        yield


# --- one file


@every_writer
@pytest.mark.parametrize("old", [None, "old"])
def test_a_file_is_written_and_nothing_else(tmp_path: Path, write: Writer, old: str | None) -> None:
    target = tmp_path / "a.txt"
    if old:
        target.write_text(old)
    write(b"new", target)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.txt": b"new"}


@every_writer
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_keeps_its_mode(tmp_path: Path, write: Writer, mode: int) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    target.chmod(mode)
    write(b"new", target)
    assert stat.S_IMODE(target.stat().st_mode) == mode


@every_writer
def test_a_new_file_has_the_mode_of_the_umask(tmp_path: Path, write: Writer) -> None:
    before = os.umask(0o027)
    try:
        write(b"new", tmp_path / "a.txt")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@every_writer
def test_a_read_only_file_is_left_alone(tmp_path: Path, write: Writer) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    target.chmod(0o444)
    with pytest.raises(UsageError, match="read-only"):
        files.check_target(target)
    with pytest.raises(UsageError, match="read-only"):
        write(b"new", target)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.txt": b"old"}


@every_writer
@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
def test_a_link_stays_a_link_and_what_it_names_is_written(tmp_path: Path, write: Writer, there: bool) -> None:
    (tmp_path / "folder").mkdir()
    real, link = tmp_path / "folder" / "real.txt", tmp_path / "link.txt"
    if there:
        real.write_text("old")
    link.symlink_to(real)
    write(b"new", link)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert [path.name for path in real.parent.iterdir()] == ["real.txt"]


@every_writer
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path, write: Writer) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(b"new", pipe)
        assert os.read(reader, 100) == b"new"
        assert stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reader)


@every_writer
def test_a_device_is_written_to_and_not_replaced(tmp_path: Path, write: Writer) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    files.check_target(link)
    write(b"new", link)
    assert link.is_symlink()
    assert stat.S_ISCHR(link.stat().st_mode)


@every_writer
def test_an_open_file_is_written_to_through_its_number(tmp_path: Path, write: Writer) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.write(b"begin ")
        file.flush()
        write(b"new", Path(f"/dev/fd/{file.fileno()}"))
    assert (tmp_path / "a.txt").read_bytes() == b"begin new"


@every_writer
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, write: Writer) -> None:
    # A process that may write files of 4 KiB at most meets the same error as one on a full disk.
    target = tmp_path / "a.txt"
    target.write_text("old")
    import resource
    import signal

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(UsageError, match=f"cannot write {target}: "):
            write(b"x" * 10_000, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.txt": b"old"}


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail() -> None:
        with files.whole_file(target) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.txt": b"old"}


def test_temporary_names_cannot_be_foreseen(tmp_path: Path) -> None:
    names = set()
    for _ in range(3):
        with files.whole_file(tmp_path / "a.svg") as temporary:
            names.add(temporary.name)
            assert temporary.parent == tmp_path
            assert temporary.suffix == ".svg"
            assert str(os.getpid()) not in temporary.name.strip(".svg")
    assert len(names) == 3


def test_a_text_that_utf8_cannot_hold_is_escaped(tmp_path: Path) -> None:
    files.write_text("name \udcff", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == rb"name \udcff"


def test_a_name_that_cannot_be(tmp_path: Path) -> None:
    for name in (f"{tmp_path}/a\0b", f"{tmp_path}/{'a' * 300}", f"{tmp_path}/no/such/a.txt"):
        with pytest.raises(UsageError):
            files.check_target(name)
        with pytest.raises(UsageError):
            files.write_text("new", name)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match="cannot write"):
        files.check_target(tmp_path / "loop")
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


# --- several files


def test_several_files_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    first, second = tmp_path / "1.svg", tmp_path / "2.svg"
    files.write_files({str(first): b"one", str(second): b"two"})
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")
    second.chmod(0o444)
    with pytest.raises(UsageError, match="2"):
        files.write_files({str(first): b"new", str(second): b"new"})
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")
    assert len(list(tmp_path.iterdir())) == 2


def test_several_files_may_not_be_the_same(tmp_path: Path) -> None:
    (tmp_path / "2.svg").symlink_to(tmp_path / "1.svg")
    with pytest.raises(UsageError, match="the same file"):
        files.write_files({str(tmp_path / "1.svg"): b"one", str(tmp_path / "2.svg"): b"two"})
    assert not (tmp_path / "1.svg").exists()


# --- folders


def test_a_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "maps"

    def fail() -> None:
        with files.whole_folder(target) as temporary:
            (temporary / "a").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with files.whole_folder(target) as temporary:
        (temporary / "a").write_text("whole")
    assert [path.name for path in target.iterdir()] == ["a"]
    with pytest.raises(UsageError, match="exists already"), files.whole_folder(target):
        pass


def test_a_folder_needs_a_name() -> None:
    with pytest.raises(UsageError, match="-o needs the name of a folder"):
        files.check_folder("")
    with pytest.raises(UsageError, match="is a file"):
        files.check_folder(__file__)


# --- reading


def test_reading_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert files.read_bytes(tmp_path / "a", 5) == b"12345"
    with pytest.raises(UsageError, match="larger than 4 bytes; no roster is"):
        files.read_bytes(tmp_path / "a", 4, "roster")
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        files.read_bytes("/dev/zero", 1 << 20)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, words in ((tmp_path / "none", "there is no file"), (tmp_path, "is a directory"),
                        (tmp_path / "pipe", "is a named pipe"), (f"{tmp_path}/a\0", "cannot read")):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            files.read_bytes(name, 10)


def test_a_pipe_of_the_shell_is_read() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"layer,params")
    os.close(theirs)
    try:
        assert files.read_bytes(f"/dev/fd/{ours}", 100) == b"layer,params"
    finally:
        os.close(ours)


# --- the files of one command


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize("how", ["same", "dotted", "link", "hard link"])
@pytest.mark.parametrize("first", ["read", "target"])
def test_a_file_that_is_read_is_not_replaced(tmp_path: Path, how: str, first: str) -> None:
    source = tmp_path / "a.yaml"
    source.write_text("old")
    target = tmp_path / "b.yaml"
    if how == "same":
        target = source
    elif how == "dotted":
        target = Path(f"{tmp_path}/../{tmp_path.name}/a.yaml")
    elif how == "link":
        target.symlink_to(source)
    else:
        target.hardlink_to(source)
    steps: list[Callable[[], object]] = [lambda: files.read_bytes(source, 100), lambda: files.check_target(target)]
    before, after = steps if first == "read" else reversed(steps)
    before()
    with pytest.raises(UsageError, match="replace"):
        after()
    assert source.read_text() == "old"


@pytest.mark.usefixtures("command")
@every_writer
def test_no_writer_replaces_what_was_read(tmp_path: Path, write: Writer) -> None:
    source = tmp_path / "a.yaml"
    source.write_text("old")
    files.read_bytes(source, 100)
    with pytest.raises(UsageError, match="it is read"):
        write(b"new", source)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.yaml": b"old"}


@pytest.mark.usefixtures("command")
def test_two_options_do_not_name_one_file(tmp_path: Path) -> None:
    files.check_target(tmp_path / "a.md", "-o")
    files.check_target(tmp_path / "a.md", "-o")
    with pytest.raises(UsageError, match="-o and --key name the same file"):
        files.check_target(Path(f"{tmp_path}/./a.md"), "--key")
    files.check_target("/dev/null", "-o")
    files.check_target("/dev/null", "--key")


def test_commands_do_not_know_of_each_other(tmp_path: Path) -> None:
    source = tmp_path / "a.yaml"
    source.write_text("old")
    with files.one_command():
        files.read_bytes(source, 100)
    with files.one_command():
        files.write_text("new", source)
    assert source.read_text() == "new"


@pytest.mark.slow
def test_an_answer_from_stdin_is_a_file_that_is_read(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("layer,params\nconv1,156\n")
    with target.open("rb") as stdin:
        done = subprocess.run(
            [sys.executable, "-m", "archcalc", "check", "lenet5", "-", "-f", "text", "-o", str(target)],
            stdin=stdin, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "replace" in done.stderr
    assert target.read_text().startswith("layer,params")
