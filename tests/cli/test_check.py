"""`archcalc check`: every format, files and totals, exit codes, and what it refuses."""

from __future__ import annotations

import io
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from archcalc.core.language import language
from tests.cli.runner import Run, check_message, run_on_terminal, run_process
from tests.conftest import Snapshot

#: AlexNet by hand, with five mistakes and what follows from them; a row that belongs to no layer, and one unreadable.
TABLE = """\
layer,output,params,multiplications,kernel
conv1,55x55x96,11*11*3*96,105.4M,11
pool1,27x27x96,0,,3
conv2,23x23x256,"614,656",23*23*256 * 5*5*96,5
pool2,11x11x256,0,,3
conv3,11x11x384,(3*3*256 + 1)*384,107.1M,3
conv4,11x11x384,885120,160.6M,3
conv5,11x11x256,884992,3*3*384*256,3
pool3,5x5x256,0,,3
flatten,6400,0,,
fc1,4096,26.2M,26.2M,
fc2,4096,16781321,4096²,
fc3,1000,4097000,many,
<b>fc9</b>,1000,1,,
total,,50.4M,,
"""
RIGHT = "layer,output shape,params\nconv1,55x55x96,34944\npool1,27x27x96,0\ntotal,,62.4M\n"
SUM = "(5*5*1+1)*6+(5*5*6)*16+(5*5*16+1)*120+(120+1)*84+(84+1)*10"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a file in the working directory."""
    (tmp_path / "answers.csv").write_text(TABLE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "answers.csv"


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_snapshots(form: str, archcalc: Run, snapshot: Snapshot, table: str) -> None:
    endings = {"text": "txt", "markdown": "md", "html": "html", "json": "json"}
    result = archcalc("check", "alexnet", table, "-f", form)
    assert (result.code, result.err) == (1, "")
    snapshot(f"check_alexnet.{endings[form]}", result.out)


def test_five_planted_mistakes_are_named(archcalc: Run, table: str) -> None:
    report = json.loads(archcalc("check", "alexnet", table, "-f", "json").out)
    first = [cell["diagnoses"][0] for cell in report["cells"] if cell["verdict"] == "wrong"]
    assert [(found["layer"], found["mistake"]) for found in first] == [
        ("conv1", "forgot_bias"),
        ("conv2", "forgot_padding"),
        ("conv4", "wrong_input_channels"),
        ("conv5", "multiplications_without_positions"),
        ("fc7", "digit_slip"),
    ]
    carried = [cell["diagnoses"] for cell in report["cells"] if cell["verdict"] == "carried_forward"]
    assert carried
    assert {one["mistake"] for each in carried for one in each} == {"carried_forward"}
    assert report["schema"] == "archcalc.check/1"
    assert sum(report["summary"][verdict] for verdict in set(report["summary"]) - {"cells"}) == len(report["cells"])
    assert [cell["layer"] for cell in report["cells"] if cell["verdict"] == "unreadable"] == ["fc8", None, None]


def test_right_table(archcalc: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(RIGHT, encoding="utf-8")
    result = archcalc("check", "alexnet", tmp_path / "a.csv")
    assert result == (0, "AlexNet: 5 of 5 right\n", "")


def test_stdin(archcalc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(RIGHT.encode())))
    assert archcalc("check", "alexnet", "-").code == 0


def test_form_of_the_output_follows_from_its_name(archcalc: Run, table: str) -> None:
    for name, start in (("a.html", "<!doctype html>"), ("a.md", "## AlexNet"), ("a.json", "{"), ("a.txt", "AlexNet:")):
        assert archcalc("check", "alexnet", table, "-o", name) == (1, "", "")
        assert Path(name).read_text(encoding="utf-8").startswith(start)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {
            "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "table", "thead", "tbody", "tr",
            "th", "td", "a", "section", "span", "b", "ul", "li", "math", "mrow", "mi", "mo", "mn", "msub", "mfrac",
        }  # fmt: skip
        values = dict(attrs)
        self.ids |= {values["id"] or ""} if "id" in values else set()
        self.links |= {(values["href"] or "").removeprefix("#")} if "href" in values else set()
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_whole_and_safe(archcalc: Run, table: str) -> None:
    page = archcalc("check", "alexnet", table, "-f", "html").out
    assert "<b>fc9" not in page
    assert "&lt;b&gt;fc9" in page
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.links <= tags.ids
    assert len(tags.ids) == page.count("<section")


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_what_others_wrote_steers_nothing(form: str, archcalc: Run, tmp_path: Path) -> None:
    text = 'layer,params\nconv1,"\x1b[31m<script>alert(1)</script>|`$"\n"a\x1b]0;x\x07<img>",5\nconv2,1\n'
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    result = archcalc("check", "alexnet", tmp_path / "a.csv", "-f", form)
    assert result.code == 1
    assert not [letter for letter in result.out if letter < " " and letter != "\n"]
    if form != "text":
        assert "<script" not in result.out.replace("\\<", "")
        assert "<img" not in result.out.replace("\\<", "")


@pytest.mark.parametrize(
    ("network", "words", "code", "printed"),
    [
        ("lenet5", ("--params", "61,706"), 0, "1 of 1 right"),
        ("lenet5", ("--params", "50K"), 1, "it is: 61,706   wrong"),
        ("lenet5", ("--params", SUM), 1, "C3 params   you: 5·5·6·16   it is: 2416   wrong"),
        ("lenet5", ("--params", SUM), 1, "right, given your C3 params"),
        ("lenet5", ("--multiplications", "416,520", "--params", "61706"), 0, "2 of 2 right"),
        ("lenet5", ("--memory", "35.6 KiB"), 0, "1 of 1 right"),
        ("lenet5", ("--activations", "9118"), 0, "1 of 1 right"),
        ("vgg16@bn", ("--params", "138,374,440", "--running-statistics"), 0, "1 of 1 right"),
        ("32x32x3 -> conv3-8 -> pool2 -> fc10", ("--params", "3*3*3*8+8 + 16*16*8*10+10 = 20,714"), 0, "3 of 3 right"),
    ],
)
def test_totals(network: str, words: tuple[str, ...], code: int, printed: str, archcalc: Run) -> None:
    result = archcalc("check", network, *words)
    assert (result.code, result.err) == (code, "")
    assert printed in result.out.replace("2,416", "2416")


def test_options_of_the_network(archcalc: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("layer,output\nconv1,57x57x96\n", encoding="utf-8")
    assert archcalc("check", "alexnet", tmp_path / "a.csv").code == 1
    assert archcalc("check", "alexnet", tmp_path / "a.csv", "--input", "235x235x3").code == 0


@pytest.mark.slow
def test_colour_on_a_terminal_alone(table: str) -> None:
    arguments = ("check", "alexnet", table)
    assert "\x1b[31mwrong\x1b[0m" in run_on_terminal(*arguments, columns=100).out
    assert "\x1b" not in run_on_terminal(*arguments, columns=100, more={"NO_COLOR": "1"}).out
    assert "\x1b" not in run_process(*arguments).out


@pytest.mark.slow
def test_lines_fit_a_terminal(table: str) -> None:
    out = run_on_terminal("check", "alexnet", table, columns=60, more={"NO_COLOR": "1"}).out
    assert [line for line in out.splitlines() if len(line) > 60 and line.startswith("    ")] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give a file of ANSWERS"),
        (("answers.csv", "--params", "5"), "give a file of ANSWERS"),
        (("none.csv",), "there is no file none.csv"),
        (("names.csv",), "names.csv:2:2: the network has no layer 'convv1'; did you mean conv1"),
        (("only_head.csv",), "the table has no rows"),
        (("--params", "9**9**9 + 1"), "cannot read --params: an exponent"),
        (("--params", "(" * 5000), "cannot read --params: a calculation may be nested"),
        (("--params", "12 + 5 + foo"), "'foo' cannot stand in a calculation at '12 + 5 + foo', character 10"),
        (("--params", ""), "cannot read --params: nothing to read"),
        (("answers.csv", "-o", "none/a.html"), "there is no directory none"),
        (("answers.csv", "--from", "xlsx"), "is no XLSX file"),
        (("notes.csv", "--from", "markdown"), "holds no table of answers"),
    ],
)
def test_refusals(words: tuple[str, ...], message: str, refuses: Run, table: str) -> None:
    Path("names.csv").write_text("layer,params\nconvv1,5\nconv0,6\n", encoding="utf-8")
    Path("only_head.csv").write_text("layer,params\n", encoding="utf-8")
    Path("notes.csv").write_text("Nothing to see.\n", encoding="utf-8")
    assert message in refuses("check", "alexnet", *words).err


@pytest.mark.parametrize("text", ["9**9**9**9", "__import__('os').system('touch pwned')", "(" * 100_000, '=cmd|"x"!A1'])
def test_hostile_cells(text: str, archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(f"layer,params\nconv1,{text}\nconv2,614656\n", encoding="utf-8")
    result = archcalc("check", "alexnet", "a.csv")
    assert result.code == 1
    assert "1 of 2 right, 1 not readable" in result.out
    assert not Path("pwned").exists()
    check_message(result.out)


def test_start_imports_nothing_heavy(table: str) -> None:
    import subprocess

    code = (
        "import sys; from archcalc.cli.run import run; run(['check', 'alexnet', 'answers.csv'])\n"
        "print(*(m for m in ('numpy', 'sympy', 'networkx', 'openpyxl') if m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize(
    ("lang", "words", "direction"),
    [("ru", "неверно", "ltr"), ("he", "שגוי", "rtl"), ("hy", "սխալ", "ltr"), ("en", "wrong", "ltr")],
)
def test_the_language_of_the_feedback(lang: str, words: str, direction: str, archcalc: Run, table: str) -> None:
    """No English sentence is left; formulas, numbers and names stay as they are."""
    result = archcalc("check", "alexnet", table, "--lang", lang)
    assert result.code == 1
    assert words in result.out
    assert "(F·F·D₁ + 1)·K" in result.out
    if lang != "en":  # what is left are names of the file, and what it holds
        names = ("answers", "kernel", "alexnet", "conv", "pool", "flatten", "fc", "many", "total", "params", "you")
        left = [word for word in re.findall(r"[A-Za-z]{4,}", result.out) if not word.lower().startswith(names)]
        assert left == []
    page = archcalc("check", "alexnet", table, "--lang", lang, "-f", "html").out
    assert f'<html lang="{lang}" dir="{direction}">' in page


def test_the_language_comes_from_the_environment_and_stays_in_the_command(
    archcalc: Run, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ru_RU.UTF-8")
    assert "неверно" in archcalc("check", "alexnet", table).out
    assert "wrong" in archcalc("check", "alexnet", table, "--lang", "en").out
    assert language() == "en"


def test_a_complete_key_has_no_empty_cell(archcalc: Run, tmp_path: Path) -> None:
    """The shape of a total is no question; that of a layer is."""
    rows = "layer,output shape,params\nC1,28x28x6,156\nC3,{},2416\nC5,,48120\nF6,,10164\noutput,,850\ntotal,,61706\n"
    for shape, empty in (("10x10x16", "3 empty"), ("", "4 empty")):
        (tmp_path / "a.csv").write_text(rows.format(shape), encoding="utf-8")
        assert archcalc("check", "lenet5", tmp_path / "a.csv").out.rstrip().endswith(empty)
    (tmp_path / "a.csv").write_text("layer,output shape,params\nC1,28x28x6,156\ntotal,,61706\n", encoding="utf-8")
    assert archcalc("check", "lenet5", tmp_path / "a.csv").out == "LeNet-5: 3 of 3 right\n"
