"""`archcalc demo`: formats, numbers of a file, and what it says to what it cannot do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.runner import Run
from tests.tiers import slow_but

NUMBERS = "input: [[1, 2, -1, 1, -3]]\nweight: [[[1, 0, -1]]]\nbias: [0]\n"
MAGIC = {"html": b"<!doctype html>", "svg": b"<?xml", "gif": b"GIF89a", "PPTX": b"PK"}


@pytest.mark.parametrize("form", slow_but(["html"], MAGIC))
def test_formats(archcalc: Run, tmp_path: Path, form: str) -> None:
    target = tmp_path / f"a.{form}"
    result = archcalc("demo", "conv", "alexnet", "conv5", "-o", target)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert target.read_bytes().startswith(MAGIC[form])
    assert os.listdir(tmp_path) == [target.name]


def test_numbers_of_a_file(archcalc: Run, tmp_path: Path) -> None:
    (tmp_path / "numbers.yaml").write_text(NUMBERS, encoding="utf-8")
    target = tmp_path / "a.html"
    result = archcalc("demo", "conv", "5x1 -> conv3-1/2p1", "--numbers", tmp_path / "numbers.yaml", "-o", target)
    assert (result.code, result.err) == (0, "")
    assert '"lines":["x[:,0]: 0·1 + 1·0 + 2·(−1) = −2"' in target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["conv", "alexnet", "-o", "a.png"], "no format ends in '.png'; there are .html, .svg, .gif, .pptx"),
        (["cnv", "alexnet", "-o", "a.svg"], "there is no demonstration 'cnv'; did you mean conv?"),
        (["conv", "alexnet", "nine", "-o", "a.svg"], "alexnet has no layer 'nine'"),
        (["conv", "1x1x1 -> conv99999-1", "-o", "a.svg"], "the window of conv1 spans 99,999 pixels; at most 24"),
        (["conv", "alexnt", "-o", "a.svg"], "there is no network 'alexnt'"),
        (["conv", "5x1 -> conv3-1", "--numbers", "none.yaml", "-o", "a.svg"], "there is no file none.yaml"),
        (
            ["conv", "6x1 -> conv3-1", "--numbers", "numbers.yaml", "-o", "a.svg"],
            "numbers.yaml:1:8: input has the shape (1, 5)",
        ),
        (
            ["conv", "5x1 -> conv3-1", "--numbers", "bad.yaml", "-o", "a.svg"],
            "bad.yaml:1:8: input is no array of numbers: its rows must be of one length",
        ),
        (
            ["conv", "5x1 -> conv3-1", "--numbers", "word.yaml", "-o", "a.svg"],
            "word.yaml:1:8: input is no array of numbers: 'abc' is no finite number",
        ),
        (
            ["conv", "5x1 -> conv3-1", "--numbers", "infinite.yaml", "-o", "a.svg"],
            "infinite.yaml:1:8: input is no array of numbers: '.inf' is no finite number",
        ),
        (
            ["conv", "5x1 -> conv3-1", "--numbers", "huge.yaml", "-o", "a.svg"],
            "huge.yaml:2:8: input must hold finite numbers",
        ),
        (["conv", "5x1 -> conv3-1", "--numbers", "other.yaml", "-o", "a.svg"], "other.yaml:1:6: conv1 has no 'pad'"),
        (["conv", "5x1 -> conv3-1", "--numbers", "list.yaml", "-o", "a.svg"], "list.yaml:1:1: must be a mapping"),
    ],
)
def test_what_it_cannot_do(
    archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], wanted: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("numbers.yaml").write_text(NUMBERS, encoding="utf-8")
    Path("bad.yaml").write_text("input: [[1, 2], [3]]\n", encoding="utf-8")
    Path("word.yaml").write_text("input: abc\n", encoding="utf-8")
    Path("infinite.yaml").write_text("input: [[1, .inf]]\n", encoding="utf-8")
    Path("huge.yaml").write_text("# large\ninput: [[1e99]]\n", encoding="utf-8")
    Path("other.yaml").write_text("pad: 1\n", encoding="utf-8")
    Path("list.yaml").write_text("[1, 2]\n", encoding="utf-8")
    before = sorted(os.listdir())
    result = archcalc("demo", *arguments)
    assert (result.code, result.out) == (2, "")
    assert wanted in result.err
    assert "Traceback" not in result.err
    assert sorted(os.listdir()) == before
