"""`archcalc export`."""

from __future__ import annotations

from pathlib import Path

import pytest

import archcalc as ac
from tests.cli.runner import Run


def test_code_to_a_file_and_to_stdout(archcalc: Run, tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    assert archcalc("export", "lenet5", "-o", str(file)) == (0, "", "")
    code = file.read_text(encoding="utf-8")
    assert code == ac.load("lenet5").to_torch_code()
    assert archcalc("export", "lenet5", "-o", "-", "--to", "torch") == (0, code, "")


@pytest.mark.parametrize(
    ("name", "begin"), [("n.yaml", "name: lenet5\n"), ("n.mmd", "flowchart"), ("n.dot", "digraph")]
)
def test_other_formats(archcalc: Run, tmp_path: Path, name: str, begin: str) -> None:
    file = tmp_path / name
    assert archcalc("export", "lenet5", "-o", str(file)).code == 0
    assert begin in file.read_text(encoding="utf-8")[:200]


def test_settings_and_inputs(archcalc: Run) -> None:
    code = archcalc("export", "mobilenet", "--set", "alpha=0.5", "--input", "160x160x3", "-o", "-", "--to", "torch").out
    assert "Input (N, 3, 160, 160); 1,331,592 parameters." in code


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("lenet5", "-o", "net.txt"), "no format ends in '.txt'"),
        (("lenet5", "-o", "-"), "-o - needs --to"),
        (("lenet5", "-o", "net.py", "--to", "torhc"), "did you mean torch"),
        (("lenet5", "-o", "net.py", "--to", "yaml"), "--to yaml does not end in .py"),
        (("lenet6", "-o", "net.py"), "lenet5"),
    ],
)
def test_bad_usage(refuses: Run, tmp_path: Path, arguments: tuple[str, ...], wanted: str) -> None:
    assert wanted in refuses("export", *arguments).err
