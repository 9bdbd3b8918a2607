"""`archcalc deck`: formats, lectures, and what it says to what it cannot do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.runner import Run
from tests.render.decks.presentations import corporate
from tests.tiers import slow_but

LECTURE = "title: T\nslides: [title, {cost: net.yaml}, {points: {title: P, points: [a]}}]\n"
NET = "name: net\ntitle: Own\ninput: 8x8x3\nlayers: [conv2d: {out_channels: 4, kernel_size: 3}]\n"


@pytest.mark.parametrize(
    ("form", "magic"),
    slow_but([("html", b"<!doctype html>")], [("html", b"<!doctype html>"), ("pdf", b"%PDF"), ("PPTX", b"PK")]),
)
def test_formats(archcalc: Run, tmp_path: Path, form: str, magic: bytes) -> None:
    target = tmp_path / f"a.{form}"
    result = archcalc("deck", "lenet5", "-o", target)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert target.read_bytes().startswith(magic)
    assert os.listdir(tmp_path) == [target.name]


def test_a_lecture_with_a_network_next_to_it_and_a_template(archcalc: Run, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(NET, encoding="utf-8")
    (tmp_path / "lecture.yaml").write_text(LECTURE, encoding="utf-8")
    (tmp_path / "corporate.pptx").write_bytes(corporate())
    target = tmp_path / "a.pptx"
    result = archcalc(
        "deck", tmp_path / "lecture.yaml", "--template", tmp_path / "corporate.pptx", "--steps", "-o", target
    )
    assert (result.code, result.err) == (0, "")
    assert target.read_bytes().startswith(b"PK")


def test_a_spec_is_a_network_and_no_lecture(archcalc: Run, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(NET, encoding="utf-8")
    assert archcalc("deck", tmp_path / "net.yaml", "-o", tmp_path / "a.html").code == 0
    assert "Own" in (tmp_path / "a.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["lenet5", "-o", "a.docx"], "no format ends in '.docx'; there are .pptx, .pdf, .html"),
        (["-o", "a.pdf"], "a deck needs a lecture (lecture.yaml), or networks"),
        (["lenet6", "-o", "a.pdf"], "there is no network 'lenet6'; did you mean lenet5"),
        (["lenet5", "--theme", "pink", "-o", "a.html"], "there is no theme 'pink'"),
        (["lenet5", "--template", "none.pptx", "-o", "a.pptx"], "there is no file none.pptx"),
        (["lenet5", "--template", "lecture.yaml", "-o", "a.pptx"], "lecture.yaml is no presentation"),
        (["lecture.yaml", "-o", "a.pptx"], "lecture.yaml:2:24: there is no file net.yaml"),
        (
            ["code.yaml", "-o", "a.html"],
            "code.yaml:3:11: py:evil:go would run code; a lecture names networks and files",
        ),
        (["lecture.yaml", "--title", "X", "-o", "a.pptx"], "lecture.yaml says its title, settings and inputs itself"),
    ],
)
def test_what_it_cannot_do(
    archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], wanted: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lecture.yaml").write_text(LECTURE, encoding="utf-8")
    Path("code.yaml").write_text("title: a\nslides:\n  - cost: 'py:evil:go'\n", encoding="utf-8")
    result = archcalc("deck", *arguments)
    assert (result.code, result.out) == (2, "")
    assert wanted in result.err
    assert "Traceback" not in result.err
    assert sorted(os.listdir()) == ["code.yaml", "lecture.yaml"]
