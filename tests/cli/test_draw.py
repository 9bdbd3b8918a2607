"""`archcalc draw`: formats by ending, choices, and what it says to what it cannot do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.cli.runner import Run, check_message, run_process

DEEP = """\
name: deep
title: Deep
input: 8x8x4
layers:
  - for_each: [c, k]
    rows:
"""


@pytest.mark.parametrize(
    ("ending", "magic"),
    [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"digraph"), ("tex", b"\\documentclass"),
     ("mmd", b"flowchart"), ("drawio", b"<mxfile"), ("pptx", b"PK"), ("SVG", b"<svg")],
)  # fmt: skip
def test_formats_by_ending(archcalc: Run, tmp_path: Path, ending: str, magic: bytes) -> None:
    target = tmp_path / f"a.{ending}"
    result = archcalc("draw", "alexnet", "-o", target)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert magic in target.read_bytes()[:400]
    assert os.listdir(tmp_path) == [target.name]


@pytest.mark.slow
def test_stdout_and_format() -> None:
    done = run_process("draw", "lenet5", "-f", "dot", "-o", "-")
    assert done.code == 0
    assert done.out.startswith("digraph")


def test_deep_networks_are_folded_by_default(archcalc: Run, tmp_path: Path) -> None:
    for name, folded in (("alexnet", False), ("resnet50", True)):
        archcalc("draw", name, "-o", tmp_path / "a.svg")
        assert ("folded to" in (tmp_path / "a.svg").read_text()) == folded


@pytest.mark.parametrize("style", ["graph", "slabs"])
def test_a_sheet_has_its_size(archcalc: Run, tmp_path: Path, style: str) -> None:
    target = tmp_path / "a.pdf"
    assert archcalc("draw", "alexnet", "--style", style, "--fit", "a4", "-o", target).code == 0
    box = PdfReader(target).pages[0].mediabox
    assert (float(box.width), float(box.height)) == pytest.approx((595, 842), abs=0.5)


def test_options_of_the_network(archcalc: Run, tmp_path: Path) -> None:
    target = tmp_path / "a.svg"
    assert archcalc("draw", "mobilenet", "--set", "alpha=0.5", "--input", "160x160x3", "-o", target).code == 0
    text = target.read_text()
    assert "160×160×3" in text
    assert "conv 3×3, 16, /2" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "a.xyz"], [".svg", ".png", ".pdf", ".dot", ".tex", ".mmd", ".drawio"]),
        (["-o", "a"], ["no ending", ".svg"]),
        (["-o", "-"], ["-f", ".svg"]),
        (["-o", "a.svg", "-f", "gif"], ["'gif'", "svg, png"]),
        (["-o", "a.svg", "--style", "cubes"], ["'cubes'", "graph, blocks, volumes"]),
        (["-o", "a.svg", "--theme", "pink"], ["'pink'", "light, dark, print"]),
        (["-o", "a.svg", "--direction", "UP"], ["'UP'", "TB", "LR"]),
        (["-o", "a.svg", "--color-by", "age"], ["'age'", "multiplications"]),
        (["-o", "a.svg", "--fit", "wide"], ["16:9", "A4", "'wide'"]),
        (["-o", "a.svg", "--fit", "1:9999"], ["too narrow"]),
        (["-o", "a.svg", "--depth", "deep"], ["all", "'deep'"]),
        (["-o", "a.svg", "--depth", "0"], ["1 to 99"]),
        (["-o", "a.svg", "--only", "inception_3z"], ["inception_3z", "inception_3"]),
        (["-o", "a.svg", "--highlight", "nothing"], ["nothing"]),
        (["-o", "a.dot", "--style", "volumes", "--only", "aux"], ["no block"]),
        (["-o", "no/such/a.svg"], ["no directory", "no/such"]),
        (["-o", "no/such/a.svg", "--steps"], ["no directory", "no/such"]),
        (["-o", "-", "-f", "svg", "--steps"], ["several files", "pdf and pptx"]),
        (["-o", "a.dot", "--steps"], ["no steps", "pptx"]),
        (["-o", "a.svg", "--expand", "inception_9"], ["inception_9", "inception_3a"]),
        (["-o", "a.svg", "--style", "graph", "--expand", "inception_3a"], ["--expand", "blocks"]),
        (["-o", "."], ["directory"]),
        (["-o", "a.svg", "--font-size", "1"], ["font-size"]),
        (["-o", "a.svg", "--expandd", "x"], ["--expandd"]),
        ([], ["-o"]),
    ],
)
def test_refusals(
    refuses: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = refuses("draw", "googlenet", *arguments)
    for word in words:
        assert word in result.err
    assert os.listdir(tmp_path) == []


def test_volumes_have_no_source_format(refuses: Run, tmp_path: Path) -> None:
    assert "svg, png, pdf, tex" in refuses("draw", "alexnet", "--style", "volumes", "-o", tmp_path / "a.dot").err


def test_a_file_that_cannot_be_written(refuses: Run, tmp_path: Path) -> None:
    assert "cannot write" in refuses("draw", "lenet5", "-o", tmp_path / f"{'x' * 300}.svg").err
    assert os.listdir(tmp_path) == []


def test_steps_are_numbered_files(archcalc: Run, tmp_path: Path) -> None:
    result = archcalc("draw", "lenet5", "--steps", "-o", tmp_path / "a.svg")
    assert (result.code, result.out) == (0, "")
    assert "8 files" in result.err
    assert sorted(os.listdir(tmp_path)) == [f"a-{number:02}.svg" for number in range(1, 9)]


def test_a_series_is_written_whole_or_not_at_all(refuses: Run, tmp_path: Path) -> None:
    (tmp_path / "a-05.svg").mkdir()
    assert "directory" in refuses("draw", "lenet5", "--steps", "-o", tmp_path / "a.svg").err
    assert os.listdir(tmp_path) == ["a-05.svg"]


def test_a_series_in_one_file(archcalc: Run, tmp_path: Path) -> None:
    assert archcalc("draw", "lenet5", "--steps", "-o", tmp_path / "a.pptx").code == 0
    assert os.listdir(tmp_path) == ["a.pptx"]


def test_a_folder_that_cannot_be_written_to(refuses: Run, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    assert "cannot write" in refuses("draw", "lenet5", "-o", tmp_path / "a.svg").err


def test_a_block_of_a_gathered_network_is_not_opened_next_to_it(refuses: Run, tmp_path: Path) -> None:
    spec = tmp_path / "deep.yaml"
    layers = "".join(f"  - conv_relu: {{out_channels: {4 + i % 7}, kernel_size: {1 + 2 * (i % 2)}, padding: same}}\n"
                     for i in range(300))  # fmt: skip
    spec.write_text("name: deep\ntitle: Deep\ninput: 8x8x4\nlayers:\n" + layers)
    target = tmp_path / "a.svg"
    result = refuses("draw", spec, "--style", "blocks", "--expand", "conv_relu150", "-o", target)
    assert "--only" in result.err


def test_what_was_there_stays_where_drawing_fails(refuses: Run, tmp_path: Path) -> None:
    target = tmp_path / "a.svg"
    target.write_text("old")
    refuses("draw", "alexnet", "--style", "nothing", "-o", target)
    assert target.read_text() == "old"


@pytest.mark.slow
def test_five_thousand_layers_are_folded_and_it_says_so(archcalc: Run, tmp_path: Path) -> None:
    spec = tmp_path / "deep.yaml"
    rows = "".join(f"      - [{4 + i % 7}, {1 + 2 * (i % 2)}]\n" for i in range(2500))
    spec.write_text(DEEP + rows + "    layers:\n      - conv_relu: {out_channels: c, kernel_size: k, padding: same}\n")
    target = tmp_path / "a.svg"
    for style in (["--style", "graph"], []):
        result = archcalc("draw", spec, *style, "-o", target)
        assert result.code == 0
        check_message(result.err)
        assert "5,000 layers" in result.err
        assert "--depth all" in result.err
        assert target.stat().st_size < 400_000
    refused = archcalc("draw", spec, "--style", "volumes", "-o", target)
    assert refused.code == 2
    assert "too many" in refused.err
    assert archcalc("draw", spec, "--style", "graph", "--depth", "all", "-o", target).err == ""
    assert target.read_text().count('class="node"') == 5001


@pytest.mark.parametrize("form", ["svg", "dot", "tex", "mmd", "drawio"])
def test_chains_need_no_extra(archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    for module in ("pygraphviz", "pypdf", "vl_convert"):
        monkeypatch.setitem(sys.modules, module, None)
    assert archcalc("draw", "alexnet", "-o", tmp_path / f"a.{form}").code == 0


@pytest.mark.parametrize("form", ["dot", "mmd"])
def test_sources_need_no_extra(archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert archcalc("draw", "googlenet", "--style", "graph", "-o", tmp_path / f"a.{form}").code == 0


def test_help_shows_every_format_and_style(archcalc: Run) -> None:
    text = archcalc("draw", "--help").out
    for word in ("svg, png, pdf, dot, tex, mmd, drawio, pptx", "graph, blocks, volumes", "light, dark, print"):
        assert word in " ".join(text.split())
