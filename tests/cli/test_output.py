"""Where results go: clean streams, files that are whole or not there, terminals, pipes."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests.cli.runner import DATA, PROGRAM, Run, check_message, environment, run_on_terminal, run_process
from tests.render.tables.tables import check_output, read_partial, read_text

MODULES, BREAKS = str(DATA / "modules.yaml"), str(DATA / "breaks.yaml")
#: With and without the buffer that Python puts before a pipe or file: a fault shows at another place.
BUFFERS = (pytest.param({}), pytest.param({"PYTHONUNBUFFERED": "1"}, marks=pytest.mark.slow))
ANSI = re.compile(r"\x1b\[[0-9;]*m")


# --- files


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.txt", "table"), ("a.md", "markdown"), ("a.csv", "csv"), ("a.json", "json"), ("a.tex", "latex"),
     ("a.html", "html"), pytest.param("A.HTM", "html", marks=pytest.mark.slow), ("plain", "table")],
)  # fmt: skip
def test_a_file_holds_what_stdout_would(archcalc: Run, tmp_path: Path, name: str, form: str) -> None:
    target = tmp_path / name
    assert archcalc("report", "lenet5", "-o", target) == (0, "", "")
    assert target.read_text(encoding="utf-8") == archcalc("report", "lenet5", "-f", form).out
    assert list(tmp_path.iterdir()) == [target]
    check_output(form, target.read_text(encoding="utf-8"))


def test_the_format_that_is_given_beats_the_ending(archcalc: Run, tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    archcalc("report", "lenet5", "-o", target, "-f", "json")
    assert json.loads(target.read_text(encoding="utf-8"))["network"] == "lenet5"


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.txt"])
def test_list_writes_the_format_of_the_ending(archcalc: Run, tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    assert archcalc("list", "lenet", "-o", target) == (0, "", "")
    form = {"a.json": "json", "a.csv": "csv", "a.txt": "table"}[name]
    assert target.read_text(encoding="utf-8") == archcalc("list", "lenet", "-f", form).out


@pytest.mark.parametrize("command", [["report", "lenet5"], ["list", "lenet"], ["schema"]], ids=lambda words: words[0])
def test_a_dash_is_stdout(archcalc: Run, command: list[str]) -> None:
    assert archcalc(*command, "-o", "-") == archcalc(*command)


def test_a_file_is_replaced(archcalc: Run, tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("old\n" * 10_000)
    archcalc("report", "lenet5", "-o", target)
    assert target.read_text(encoding="utf-8") == archcalc("report", "lenet5", "-f", "csv").out


def test_through_a_link_the_file_behind_it_is_written(archcalc: Run, tmp_path: Path) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)
    assert archcalc("report", "lenet5", "-o", link).code == 0
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8").startswith("layer,")


def test_a_pipe_is_written_to_and_not_replaced(archcalc: Run, tmp_path: Path) -> None:
    # What is no plain file (/dev/stdout, /dev/null, a named pipe) must stay what it is.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert archcalc("report", "lenet5", "-f", "csv", "-o", pipe) == (0, "", "")
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        assert os.read(reader, 1 << 16).decode() == archcalc("report", "lenet5", "-f", "csv").out
    finally:
        os.close(reader)


@pytest.mark.parametrize("command", [["report", "lenet5"], ["list", "lenet"], ["schema"]], ids=lambda words: words[0])
def test_a_target_that_cannot_be_is_refused(refuses: Run, tmp_path: Path, command: list[str]) -> None:
    assert f"{tmp_path} is a directory" in refuses(*command, "-o", tmp_path).err
    assert str(tmp_path / "no" / "such") in refuses(*command, "-o", tmp_path / "no" / "such" / "a.json").err
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refuses(*command, "-o", tmp_path / "file" / "a.json").err
    refuses(*command, "-o", tmp_path / ("a" * 300))
    refuses(*command, "-o", "")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_bad_target_is_found_before_the_work(refuses: Run, tmp_path: Path) -> None:
    # Both are wrong; the target is cheaper to check than the network.
    assert "directory" in refuses("report", BREAKS, "-o", tmp_path).err


@pytest.mark.parametrize("arguments", [["nowhere.yaml"], [BREAKS], ["lenet5", BREAKS], ["lenet5", "--set", "a=1"]])
def test_a_failure_leaves_no_file(refuses: Run, tmp_path: Path, arguments: list[str]) -> None:
    refuses("report", *arguments, "-o", tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file(refuses: Run, tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")
    refuses("report", BREAKS, "-o", target)
    assert target.read_text() == "old"


# --- streams


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json", "latex", "html"])
def test_stdout_holds_the_result_alone(archcalc: Run, form: str) -> None:
    result = archcalc("report", MODULES, "-f", form)
    assert (result.code, result.err) == (0, "")
    assert "\x1b" not in result.out
    assert result.out.endswith("\n")
    assert not result.out.endswith("\n\n")


@pytest.mark.parametrize("form", ["markdown", "csv", "json", "latex", "html"])
def test_a_failure_prints_nothing_for_programs(refuses: Run, form: str) -> None:
    assert "pool3" in refuses("report", BREAKS, "-f", form).err


@pytest.mark.parametrize("arguments", [[], ["-f", "table"], ["-o", "-"], ["--layout", "chw"]], ids=" ".join)
def test_a_failure_shows_people_the_layers_before_it(archcalc: Run, arguments: list[str]) -> None:
    result = archcalc("report", BREAKS, *arguments)
    assert result.code == 2
    check_message(result.err)
    table = read_partial(result.out)
    assert [row[0] for row in table.rows] == ["input", "conv1", "relu1", "pool1", "conv2", "relu2", "pool2"]
    assert "total" not in result.out
    for words in ("breaks.yaml:12:5", '"pool3"', "max_pool2d", "larger than its input", "14×14×1"):
        assert words in result.err


@pytest.mark.slow
@pytest.mark.parametrize("more", BUFFERS, ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("arguments", [["--help"], ["report", "lenet5"]], ids=" ".join)
def test_a_full_disk_is_told(arguments: list[str], more: dict[str, str]) -> None:
    with open("/dev/full", "wb") as full:
        result = run_process(*arguments, stdout=full.fileno(), more=more)
    assert result.code == 2
    check_message(result.err)
    assert "No space left on device" in result.err


@pytest.mark.parametrize("more", BUFFERS, ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["report", "lenet5"], ["completion", "zsh"]],
    ids=" ".join,
)
def test_a_pipe_that_nobody_reads_is_no_error(arguments: list[str], more: dict[str, str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    result = run_process(*arguments, stdout=theirs, more=more)
    os.close(theirs)
    assert (result.code, result.err) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("more", BUFFERS, ids=["buffered", "unbuffered"])
def test_a_pipe_that_is_closed_early_is_no_error(more: dict[str, str]) -> None:
    # Far more than the pipe holds, so that the program is still writing when `head` has gone.
    arguments = [*PROGRAM, "report", "googlenet", "googlenet", "-f", "json"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(more)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"{\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=600) == 0


@pytest.mark.slow
def test_output_is_utf8_whatever_the_locale() -> None:
    result = run_process("report", "lenet5", more={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert (result.code, result.err) == (0, "")
    assert "32×32×1" in result.out


# --- terminals


@pytest.mark.slow
def test_a_terminal_gets_colour() -> None:
    result = run_on_terminal("report", "lenet5", columns=120)
    assert (result.code, result.err) == (0, "")
    assert "\x1b[1mLeNet-5\x1b[0m" in result.out
    plain = ANSI.sub("", result.out)
    assert "\x1b" not in plain
    check_output("table", plain)


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=lambda more: next(iter(more)))
def test_a_terminal_without_colour(more: dict[str, str]) -> None:
    result = run_on_terminal("report", "lenet5", columns=120, more=more)
    assert result.code == 0
    assert "\x1b" not in result.out
    check_output("table", result.out)


def test_a_narrow_terminal_drops_columns_and_says_so() -> None:
    result = run_on_terminal("report", "lenet5", columns=64)
    assert result.code == 0
    plain = ANSI.sub("", result.out)
    (table,) = read_text(plain)
    assert table.heads == ["layer", "operation", "output", "params", "multiplications"]
    assert "too narrow for multiplications_share, params_share, receptive_field, stored" in plain.replace("\n  ", " ")
    lines = plain.splitlines()
    assert max(map(len, lines[2:])) <= 64


def test_the_width_does_not_matter_elsewhere(archcalc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = archcalc("report", "lenet5").out
    monkeypatch.setenv("COLUMNS", "40")
    assert archcalc("report", "lenet5").out == wide


@pytest.mark.slow
def test_a_dash_on_a_terminal_is_the_terminal() -> None:
    shown = run_on_terminal("report", "lenet5", columns=70)
    assert run_on_terminal("report", "lenet5", "-o", "-", columns=70) == shown


@pytest.mark.slow
def test_other_formats_look_the_same_on_a_terminal(archcalc: Run) -> None:
    assert (
        run_on_terminal("report", "lenet5", "-f", "csv", columns=40).out
        == archcalc("report", "lenet5", "-f", "csv").out
    )


@pytest.mark.slow
def test_list_on_a_terminal_has_a_bold_heading() -> None:
    first, *others = run_on_terminal("list", "lenet", columns=120).out.splitlines()
    assert first.startswith("\x1b[1mnetwork")
    assert "\x1b" not in "".join(others)


@pytest.mark.slow
def test_no_colour_in_a_file_from_a_terminal(tmp_path: Path) -> None:
    result = run_on_terminal("report", "lenet5", "-o", str(tmp_path / "a.txt"), columns=40)
    assert (result.code, result.out, result.err) == (0, "", "")
    text = (tmp_path / "a.txt").read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert len(read_text(text)[0].heads) == 9


# --- files of one command

ANSWERS = "layer,params\nconv1,156\n"
CLAIMS = "claims:\n  - {id: a, line: 1, text: t, formula: '1+1', equals: 2}\n"
SPEC = "name: n\ntitle: N\ninput: 8x8x1\nlayers: [relu]\n"


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        (ANSWERS, ["check", "lenet5", "FILE.csv", "-o", "FILE.csv"]),
        (SPEC, ["report", "FILE.yaml", "-f", "csv", "-o", "FILE.yaml"]),
        (SPEC, ["spec", "FILE.yaml", "-o", "FILE.yaml"]),
        (SPEC, ["explain", "FILE.yaml", "-o", "FILE.yaml"]),
        (SPEC, ["draw", "FILE.yaml", "-f", "dot", "-o", "FILE.yaml"]),
        (CLAIMS, ["audit", "FILE.yaml", "-o", "FILE.yaml"]),
        (ANSWERS, ["exercise", "lenet5", "-o", "FILE.csv", "--key", "FILE.csv"]),
        (ANSWERS, ["run", "lenet5", "--save-weights", "FILE.npz", "-o", "FILE.npz"]),
        (ANSWERS, ["gradients", "lenet5", "--plot", "FILE.svg", "-o", "FILE.svg"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_no_command_replaces_what_it_reads_or_writes_two_results_to_one_file(
    refuses: Run, tmp_path: Path, content: str, arguments: list[str]
) -> None:
    words = [word.replace("FILE", str(tmp_path / "a")) for word in arguments]
    file = Path(words[-1])
    file.write_text(content)
    refuses(*words)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {file.name: content}


@pytest.mark.parametrize("form", ["svg", "dot"])
def test_a_picture_goes_to_a_device_and_leaves_it_there(archcalc: Run, tmp_path: Path, form: str) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    assert archcalc("draw", "lenet5", "-f", form, "-o", link).code == 0
    assert stat.S_ISCHR(link.stat().st_mode)


@pytest.mark.slow
def test_a_picture_goes_to_an_open_file() -> None:
    result = run_process("draw", "lenet5", "-f", "svg", "-o", "/dev/fd/1")
    assert result.code == 0
    assert result.out == run_process("draw", "lenet5", "-f", "svg", "-o", "-").out
    assert result.out.endswith("</svg>\n")


@pytest.mark.parametrize(
    ("arguments", "endings"),
    [
        (("report", "lenet5", "-o", "a.docx"), ".txt, .md"),
        (("explain", "lenet5", "C1", "-o", "a.pdf"), ".txt, .md, .tex"),
        (("exercise", "lenet5", "-o", "a.xlsx"), ".txt, .md"),
        (("run", "lenet5", "-o", "a.docx"), ".txt, .json"),
        (("solve", "(7 - F) = 3", "-o", "a.docx"), ".txt, .json"),
        (("list", "-o", "a.docx"), ".txt, .csv, .json"),
    ],
)
@pytest.mark.usefixtures("own_folder")
def test_an_ending_of_another_format_is_refused(archcalc: Run, arguments: tuple[str, ...], endings: str) -> None:
    result = archcalc(*arguments)
    assert result.code == 2
    assert endings in result.err
    assert list(Path().iterdir()) == []


@pytest.mark.usefixtures("own_folder")
def test_a_format_that_is_given_goes_into_any_file(archcalc: Run) -> None:
    assert archcalc("solve", "(7 - F) = 3", "-f", "json", "-o", "a.data").code == 0
    assert json.loads(Path("a.data").read_text())["solutions"] == [4]
