"""`archcalc explain`: every format, layers by name, layers without a network, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.runner import Run
from tests.conftest import Snapshot

SINGLE = ("conv2d", "--input", "227x227x3", "--out-channels", "96", "--kernel-size", "11", "--stride", "4")


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html", "json"])
def test_snapshots(form: str, archcalc: Run, snapshot: Snapshot) -> None:
    endings = {"text": "txt", "markdown": "md", "latex": "tex", "html": "html", "json": "json"}
    result = archcalc("explain", "alexnet", "conv1", "-f", form)
    assert result.code == 0
    snapshot(f"explain_conv1.{endings[form]}", result.out)


def test_snapshot_of_a_sum(archcalc: Run, snapshot: Snapshot) -> None:
    snapshot("explain_vgg16_params.txt", archcalc("explain", "vgg16", "--quantity", "params").out)


def test_a_whole_network(archcalc: Run, snapshot: Snapshot) -> None:
    snapshot("explain_lenet5.txt", archcalc("explain", "lenet5@1998").out)


def test_conv1_reads_like_the_lecture(archcalc: Run) -> None:
    out = archcalc("explain", "alexnet", "conv1").out
    assert "H₂ = (H₁ − F + 2P)/S + 1 = (227 − 11 + 2·0)/4 + 1 = 216/4 + 1 = 55" in out
    assert "(F·F·D₁ + 1)·K = (11·11·3 + 1)·96 = 364·96 = 34,944" in out
    assert "H₂·W₂·K·F·F·D₁ = 55·55·96·11·11·3 = 290,400·363 = 105,415,200" in out
    assert out.startswith("conv1: 96 filters of 11×11×3, stride 4, no padding; input 227×227×3\n")


def test_a_single_layer_is_explained_like_one_of_a_network(archcalc: Run) -> None:
    alone, inside = archcalc("explain", *SINGLE).out, archcalc("explain", "alexnet", "conv1").out
    assert alone.replace("conv:", "conv1:") == inside


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("max_pool2d", "--input", "5x5x3", "--kernel-size", "2", "--ceil-mode"), "⌈3/2⌉ + 1"),
        (("conv2d", "--input=8x8x3", "--out-channels=4", "--kernel-size=3x5"), "F_w"),
        (("conv2d", "--input", "8x8x3", "--out-channels", "4", "--kernel-size", "3", "--no-bias"), "3·3·3·4 = 108"),
        (("conv2d", "--input", "8x8x3", "--out-channels", "4", "--kernel-size", "3", "--bias", "false"), "= 108"),
        (("conv2d", "--input", "8x8x3", "--out-channels", "4", "--kernel-size", "3", "--padding", "0,0,1,1"), "P_t"),
        (("conv2d", "--input", "8x8x3", "--out-channels", "4", "--kernel-size", "3", "--padding", "same"), "padding, "),
        (("linear", "--input", "9216", "--out-features", "4096"), "(9216 + 1)·4096"),
        (("concat", "--input", "4x4x2", "--input", "4x4x3"), "D₁ + D₂ = 2 + 3 = 5"),
        (("alexnet", "fc6", "--quantity", "params"), "9217·4096 = 37,752,832"),
        (("alexnet", "CONV1"), "conv1: "),
        (("alexnet", "conv1", "--input", "224x224x3"), "⌊213/4⌋ + 1 = 53 + 1 = 54"),
        (("alexnet", "conv1", "--batch", "2", "--quantity", "memory"), "B·V·b = 2·290,400·4"),
        (("resnet18", "--quantity", "receptive-field"), "j₁"),
    ],
)
def test_what_it_says(words: tuple[str, ...], expected: str, archcalc: Run) -> None:
    result = archcalc("explain", *words)
    assert result.code == 0, result.err
    assert expected in result.out


def test_latex_stands_in_align_environments_with_balanced_braces(archcalc: Run) -> None:
    out = archcalc("explain", "googlenet", "-f", "latex").out
    assert r"\frac{216}{4}" not in out
    assert r"\left\lfloor \frac{224 - 7 + 2 \cdot 3}{2} \right\rfloor" in out
    bare = re.sub(r"\\[{}]", "", out)
    assert bare.count("{") == bare.count("}")
    assert out.count(r"\begin{align*}") == out.count(r"\end{align*}") > 50
    assert out.count(r"\left") == out.count(r"\right")
    for block in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", out, re.DOTALL):
        assert "\n\n" not in block
        assert not block.endswith("\\\\")
        assert all(line.replace(r"\&", "").count("&") == 3 for line in block.split("\\\\\n"))
    assert out.isascii() or not re.search(r"[₁₂·−⌊⌋×]", out)


def test_html_is_well_formed(archcalc: Run) -> None:
    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag != "meta":
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    parser = Tags()
    parser.feed(archcalc("explain", "alexnet", "-f", "html").out)
    assert parser.open == []


def test_json_has_every_quantity(archcalc: Run) -> None:
    data = archcalc("explain", "alexnet", "conv1", "-f", "json").json
    assert data["schema"] == "archcalc.explanation/1"
    (layer,) = data["layers"]
    found = {one["quantity"]: one for one in layer["quantities"]}
    assert found["height"]["value"] == 55
    assert found["height"]["expression"] == "((227 - 11 + 2*0)//4) + 1" or "//4" in found["height"]["expression"]
    assert found["height"]["steps"] == ["216/4 + 1"]
    assert found["x_col"]["value"] == [363, 3025]
    assert {one["symbol"]: one["value"] for one in layer["symbols"]}["K"] == 96
    everything = archcalc("explain", "alexnet", "-f", "json").json
    assert len(everything["layers"]) == 24


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html", "json"])
def test_a_sum_in_every_format(form: str, archcalc: Run) -> None:
    result = archcalc("explain", "alexnet", "--quantity", "params", "-f", form)
    assert result.code == 0
    assert "62,378,344" in result.out.replace("{,}", ",") or json.loads(result.out)["total"] == 62_378_344


def test_a_file_takes_its_format_from_its_ending(archcalc: Run, tmp_path: Path) -> None:
    for name, expected in (
        ("a.md", "### conv1"),
        ("a.tex", r"\begin{align*}"),
        ("a.json", "{"),
        ("a.html", "<!doctype"),
    ):
        assert archcalc("explain", "alexnet", "conv1", "-o", tmp_path / name).out == ""
        assert expected in (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("alexnet", "conv9"), "did you mean conv1"),
        (("alexnet", "conv1", "conv2"), "one LAYER at a time"),
        (("alexnett",), "did you mean alexnet"),
        (("alexnet", "conv1", "--frob"), "No such option"),
        (("alexnet", "--quantity", "parms"), "did you mean params"),
        (("alexnet", "--quantity", "x_row"), "no quantity"),
        (("alexnet", "relu1", "--quantity", "x_col"), "no x_col to explain"),
        (("alexnet", "--input", "9x9x3", "--input", "9x9x3"), "one --input"),
        (("conv2d",), "which input"),
        (("conv2d", "--input", "9x9x3"), "conv2d needs "),
        (("conv2d", "--input", "9x9x3", "--out-chanels", "3"), "did you mean --out-channels"),
        (("conv2d", "--input", "9x9x3", "--set", "a=b"), "--set and --call are for networks"),
        (("conv2d", "--input", "9x9x3", "--out-channels", "3", "--kernel-size", "11"), "larger than its input"),
        (("conv2d", "--input", "9x9x3", "--out-channels", "3", "--kernel-size", "-1"), "kernel_size"),
        (("conv2d", "--input", "9x9x3", "--out-channels", "9**9**9", "--kernel-size", "1"), "out_channels"),
        (("conv2d", "--input", "9x9x3", "--out-channels", "(" * 100_000), "100,000"),
        (("linear", "--input", "0", "--out-features", "3"), "must lie between 1 and"),
        (("add", "--input", "9x9x3"), "takes 2 or more inputs"),
        (("max_pool2d", "--input", "9", "--kernel-size", "2"), "flat"),
        (("relu", "--input", "9x9x3", "stray"), "what is 'stray'"),
        (("lenet5", "--input", "3x3x1"), "larger than its input"),
    ],
)
def test_what_it_refuses(words: tuple[str, ...], message: str, refuses: Run) -> None:
    assert message in refuses("explain", *words).err


def test_it_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['archcalc', 'explain', 'alexnet', 'conv1']\n"
        "from archcalc.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*(n for n in ('numpy', 'sympy', 'networkx', 'matplotlib') if n in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    assert done.stderr.split() == []
