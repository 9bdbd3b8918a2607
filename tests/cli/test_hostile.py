"""Hostile input on the command line: one message, exit code 2, no traceback, nothing that steers a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.runner import DATA, PROGRAM, Run, check_message, environment
from tests.steps import PATIENCE, at_most_calls

HOSTILE = DATA / "hostile"
CLOSED = (["list", "lenet"], ["check", "lenet5", "--params", "3"], ["schema"])
NAMES = {path.name for path in HOSTILE.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "spec-multiple_of-0.yaml"], "multiple_of"),
        (["report", "spec-outputs-loss_weight-1over0.yaml"], "division by zero"),
        (["report", "spec-above-1e999.yaml"], "above"),
        (["report", "spec-upsample-520.yaml", "-f", "csv"], "has more than 1,000,000,000,000,000 values"),
        (["plot", "profile", "spec-upsample-520.yaml", "-o", "a.svg"], "has more than 1,000,000,000,000,000 values"),
        (["report", "1x1x1 -> [upconv2-1/2]*600", "-f", "csv"], '"upconv25"'),
        (["report", "1x1x1 -> [conv3-1/1048576]*800"], "its receptive field is larger than"),
        (["plot", "profile", "1x1x1 -> [conv3-1/1048576]*800", "-o", "a.svg"], "its receptive field is larger than"),
        pytest.param(
            ["plot", "profile", "1x1x1 -> [conv3-1/1048576]*49999", "-o", "a.svg"],
            "its receptive field is larger than",
            marks=pytest.mark.slow,
        ),
        (["formula", "formula-recursion.yaml"], "more than 500 operations"),
        (["solve", "conv2d", "--same", "--input", "0", "--stride", "0"], "at least 1"),
        (["draw", "lenet5", "--scale", "nan", "-o", "a.png"], "nan is not"),
        (["draw", "lenet5", "--font-size", "nan", "-o", "a.svg"], "nan is not"),
        (["plot", "profile", "lenet5", "--scale", "nan", "-o", "a.png"], "nan is not"),
        (["draw", "lenet5", "--sizes", "foo", "-o", "a.svg"], "foo"),
        (["exercise", "lenet5", "--students", "/dev/zero", "-o", "x"], "larger than"),
        (["run", "lenet5", "--classes", "/dev/zero"], "larger than"),
        (["audit", "audit-for-1e999.yaml"], "too large"),
        (["solve", f"x = {'9' * 390}"], "too large"),
        (["report", "lenet5", "--set", "classes=1e999"], "finite"),
        (["report", "alex\x1b]0;pwned\x07net"], "there is no network"),
        (["report", "lenet5", "--\x1b[31mred"], "o such option"),
        (["ex\x1b[31mplain"], "did you mean explain"),
        (["report", "a\x00b.yaml"], "a?b.yaml"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_refused(refuses: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    words = [str(HOSTILE / word) if word in NAMES else word for word in arguments if "\0" not in word]
    words = words if len(words) == len(arguments) else arguments
    words = [str(tmp_path / word) if word in ("a.png", "a.svg", "x") else word for word in words]
    with at_most_calls(20_000_000):
        assert message in refuses(*words).err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["onnx", "pt2", "keras", "h5", "json", "prototxt", "cfg"])
@pytest.mark.parametrize("content", [b"", b"\0" * 99, b"PK\x03\x04" + b"\xff" * 60], ids=["empty", "zeros", "noise"])
def test_faults_in_model_files_are_said_in_one_form(refuses: Run, tmp_path: Path, ending: str, content: bytes) -> None:
    package = {"onnx": "onnx", "pt2": "torch", "h5": "h5py"}.get(ending)
    if package:
        pytest.importorskip(package, reason=f"without it .{ending} files are not opened")
    file = tmp_path / f"net.{ending}"
    file.write_bytes(content)
    (line,) = refuses("report", file).err.splitlines()
    assert re.match(rf"{re.escape(str(file))}(:\d+:\d+)?: (?!archcalc)\S", line)


@pytest.mark.parametrize("weight", ["-1", "-0.5", "1/0", "1e300"])
@pytest.mark.parametrize("form", ["outputs", "output"])
def test_the_weight_of_a_loss_is_a_number_from_0_on(refuses: Run, tmp_path: Path, weight: str, form: str) -> None:
    head = "name: n\ntitle: T\ninput: 8x8x3\n"
    own = f"layers: [relu]\noutputs: {{a: {{layer: input, loss_weight: {weight}}}}}\n"
    if form == "output":
        own = f"layers:\n  - output: a\n    loss_weight: {weight}\n    layers: [relu]\n  - relu\n"
    (tmp_path / "a.yaml").write_text(head + own)
    refuses("report", tmp_path / "a.yaml")


@pytest.mark.parametrize("form", ["text", "csv", "markdown"])
def test_nothing_that_steers_a_terminal_is_written(archcalc: Run, tmp_path: Path, form: str) -> None:
    for arguments in (
        ["check", "lenet5", HOSTILE / "check-esc-heading.csv"],
        ["report", "lenet5", "--columns", "layer"],
    ):
        result = archcalc(*arguments)
        assert not set(result.out + result.err) & {"\x1b", "\x07", "\r", "\x9b", "\u202e"}
    spec = tmp_path / "a.yaml"
    spec.write_text('name: n\ntitle: "T\\e]0;pwned\\a\\u202etxt\\r"\ninput: 8x8x3\nlayers: [relu]\n')
    kind = "table" if form == "text" else form
    result = archcalc("report", spec, "-f", kind, "-o", tmp_path / "out")
    assert result.code == 0
    assert not set((tmp_path / "out").read_text(encoding="utf-8")) & {"\x1b", "\x07", "\r", "\x9b", "\u202e"}


@pytest.mark.parametrize(
    "arguments",
    [["report", "lenet5"], ["--help"], *(pytest.param(one, marks=pytest.mark.slow) for one in CLOSED)],
    ids=lambda words: words[0],
)  # fmt: skip
def test_a_closed_stdout_is_an_error_and_no_traceback(arguments: list[str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *PROGRAM, *arguments],
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment(), timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    check_message(done.stderr.decode())
    assert "cannot write to stdout" in done.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "closed", ["<&- >&- 2>&-", *(pytest.param(one, marks=pytest.mark.slow) for one in ("<&-", "2>&-", ">&-"))]
)
def test_a_file_is_written_with_streams_closed(tmp_path: Path, closed: str) -> None:
    target = tmp_path / "a.svg"
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *PROGRAM, "plot", "profile", "lenet5", "-o", str(target)],
        capture_output=True, env=environment(), timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert target.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["archcalc.cli.run.run", "archcalc.render.tables.summaries.summaries"])
def test_an_interrupt_ends_a_run_without_a_traceback(where: str) -> None:
    """Before the command starts, and while it works."""
    module, _, name = where.rpartition(".")
    code = (
        f"import sys, archcalc.cli, {module}\n"
        "def stop(*_, **__): raise KeyboardInterrupt\n"
        f"{module}.{name} = stop\n"
        "sys.argv = ['archcalc', 'list']\n"
        "archcalc.cli.program()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment(), timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, b"", b"stopped")


def test_a_file_name_in_another_encoding(archcalc: Run, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(str(tmp_path)) + b"/n\xff.yaml")
    Path(name).write_text("name: n\ntitle: T\ninput: 8x8x3\nlayers: [rleu]\n")
    result = archcalc("report", name, "-f", "json", "-o", tmp_path / "q.json")
    assert result.code == 2
    assert archcalc("report", "lenet5", "-o", os.fsdecode(os.fsencode(str(tmp_path)) + b"/q\xff.json")).code == 0


def test_the_work_of_checking_a_file_is_bounded(refuses: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archcalc.cli.commands import validate

    monkeypatch.setattr(validate, "MOST_LAYERS", 2_000)
    variants = "".join(f"  v{number}: {{set: {{a: {number}}}}}\n" for number in range(40))
    spec = tmp_path / "a.yaml"
    spec.write_text(
        "name: n\ntitle: T\ninput: 8x8x4\nparameters: {a: 1}\nlayers:\n  - repeat: 900\n    layers: [relu]\n"
        f"variants:\n{variants}"
    )
    assert "after 2,703 layers 38 of 41 networks were not checked" in refuses("validate", spec).err
