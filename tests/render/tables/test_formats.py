"""Formats: the numbers are those of the textbook in each, and nothing that a spec says can break one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archcalc.render.tables.formats import FORMATS
from tests.cli.runner import DATA, Run
from tests.render.tables.tables import READERS, Page, read_csv, read_html, read_latex, read_markdown, read_text

SPECIAL = DATA / "special.yaml"
MODULES = DATA / "modules.yaml"
every_format = pytest.mark.parametrize("form", FORMATS)
every_table = pytest.mark.parametrize("form", list(READERS))

#: LeNet-5 by hand: filters of 5·5·depth weights and a bias, one product for each weight and position; dense layers.
LENET = {
    "C1": ("28×28×6", (5 * 5 * 1 + 1) * 6, 28 * 28 * 6 * 25),
    "S2": ("14×14×6", 0, 0),
    "C3": ("10×10×16", (5 * 5 * 6 + 1) * 16, 10 * 10 * 16 * 25 * 6),
    "S4": ("5×5×16", 0, 0),
    "C5": ("120", (400 + 1) * 120, 400 * 120),
    "F6": ("84", (120 + 1) * 84, 120 * 84),
    "output": ("10", (84 + 1) * 10, 84 * 10),
}


def _count(number: int, form: str) -> str:
    if form == "csv":
        return str(number)
    return f"{number:,}" if number else "–"


@every_table
def test_every_table_of_lenet_holds_the_numbers_by_hand(archcalc: Run, form: str) -> None:
    (table,) = READERS[form](archcalc("report", "lenet5", "-f", form).out)
    rows = {row[0]: dict(zip(table.heads, row, strict=True)) for row in table.rows}
    for name, (output, params, multiplications) in LENET.items():
        shape = output.replace("×", "x") if form == "csv" else output
        found = (rows[name]["output"], rows[name]["params"], rows[name]["multiplications"])
        assert found == (shape, _count(params, form), _count(multiplications, form)), name
    total = dict(zip(table.heads, table.total, strict=True))
    assert (total["params"], total["multiplications"]) == (_count(61706, form), _count(416520, form))


@pytest.mark.slow
@pytest.mark.parametrize("path", [MODULES, SPECIAL], ids=lambda path: path.stem)
def test_the_formats_for_people_show_the_same_cells(archcalc: Run, path: Path) -> None:
    wanted = read_text(archcalc("report", path, "-f", "table").out)
    for form, read in (("markdown", read_markdown), ("latex", read_latex), ("html", read_html)):
        assert read(archcalc("report", path, "-f", form).out) == wanted


def test_csv_holds_plain_values(archcalc: Run) -> None:
    (table,) = read_csv(archcalc("report", MODULES, "-f", "csv", "--columns", "all").out)
    (shown,) = read_text(archcalc("report", MODULES, "-f", "table", "--columns", "all").out)
    assert len(table.rows) == len(shown.rows) == 23
    for index, (key, head) in enumerate(zip(table.heads, shown.heads, strict=True)):
        for value, text in zip((row[index] for row in table.rows), (row[index] for row in shown.rows), strict=True):
            if key.endswith("_share"):
                assert 0 <= float(value) <= 1
            elif key == "stored":
                assert value.isdigit()
            elif "," in text and text.replace(",", "").isdigit():
                assert value == text.replace(",", "")
            else:
                assert value == ("0" if text == "–" else text.replace("×", "x")), head


def test_csv_of_several_networks_names_them(archcalc: Run) -> None:
    text = archcalc("report", "lenet5", "lenet5@1998", MODULES, "-f", "csv").out
    assert [line.split(",")[0] for line in text.splitlines()] == (
        ["network"] + ["lenet5"] * 14 + ["lenet5@1998"] * 15 + ["modules"] * 24
    )
    assert text.count("total") == 3


# --- what a spec says is text, whatever it looks like

NAMES = ["input", "c<&\">'|_$%#~^\\`x`", "[5] *x*", "* - <script>alert(1)", "3×3, größer", "=1+1"]
TITLE = 'A <b>"bold"</b> & it\'s | 100 % $x_1^2$ #1 {a} ~ \\ `code` *star* [link](url)'


@every_table
def test_names_come_back_as_they_were(archcalc: Run, form: str) -> None:
    (table,) = READERS[form](archcalc("report", SPECIAL, "-f", form).out)
    assert [row[0] for row in table.rows] == NAMES


def test_json_holds_names_and_title(archcalc: Run) -> None:
    report = archcalc("report", SPECIAL, "-f", "json").json
    assert report["title"] == TITLE
    assert [layer["name"] for layer in report["layers"]] == NAMES
    assert report["reported"][0]["note"] == "50 % \\ $ # ~ ^"


def test_html_escapes_what_a_spec_says(archcalc: Run) -> None:
    text = archcalc("report", SPECIAL, "-f", "html").out
    page = Page(text)
    assert page.texts["title"][0] == page.texts["h1"][0] == TITLE
    assert "input 8×8×3 · Söhne & O'Neil_|_ 2001" in page.texts["p"]
    assert {"<448> & 5 %", "A_b | c [1]", "50 % \\ $ # ~ ^."} <= set(page.texts["td"])
    body = text[text.index("<body>") : text.rindex("<script>")]
    assert "<b>" not in body
    assert "<script>" not in body
    assert re.findall(r"&(?!amp;|lt;|gt;|quot;|#x27;)", body) == []


def test_markdown_escapes_what_a_spec_says(archcalc: Run) -> None:
    text = archcalc("report", SPECIAL, "-f", "markdown").out
    lines = text.splitlines()
    assert re.sub(r"\\(.)", r"\1", lines[0]) == f"## {TITLE}"
    # No mark of HTML, code, emphasis or a link is left bare; ours are the bold total and the bars of the table.
    bare = re.sub(r"\\.", "", text.replace("**", ""))
    assert not set("<>`*[]{}") & set(bare)
    table = [line for line in lines if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", line))) for line in table} == {10}


@pytest.mark.parametrize("networks", [["lenet5"], [str(SPECIAL)], [str(SPECIAL), str(MODULES)]], ids=len)
def test_latex_is_balanced_and_escaped(archcalc: Run, networks: list[str]) -> None:
    text = archcalc("report", *networks, "-f", "latex").out
    source = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    open_environments = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", source):
        if kind == "begin":
            open_environments.append(name)
        else:
            assert open_environments.pop() == name
    assert open_environments == []
    # What is left without our commands, tables and escaped signs is text without any special sign.
    words = "caption|toprule|midrule|bottomrule|endfirsthead|endhead|item"
    commands = rf"\\(begin\{{longtable\}}\{{[lr]+\}}|(begin|end)\{{\w+\}}|{words})"
    bare = re.sub(r"\\text[a-z]+\{\}|\\dots\{\}|\$\\[a-z]+\$|\$-\$|\$\^2\$|\\\\\n|\\[&%$#_{}]", "", source)
    bare = re.sub(commands, "", bare)
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth in (0, 1)
    assert depth == 0
    assert not set("\\%$#_~^") & set(bare)
    columns = 9
    for line in source.splitlines():
        if line.endswith(r"\\") and not line.startswith(r"\caption"):
            assert len(re.findall(r"(?<!\\)&", line)) == columns - 1
            # After the \\ of the row before, a bracket would be its length and a star its option.
            assert line[0] not in "[*", line


CONTROLS = """\
name: controls
title: "Clear \\e[2J and\\rback\\a \\u0085 \\u009b31m \\u2028 \\u202e"
authors: ["Red \\e[31mHerring"]
input: 8x8x3
reported: [{quantity: params, value: "1\\e[0m", source: "tab\\there", note: "\\b\\b"}]
layers: [relu]
"""


@every_format
def test_control_characters_reach_no_terminal(archcalc: Run, tmp_path: Path, form: str) -> None:
    (tmp_path / "controls.yaml").write_text(CONTROLS)
    result = archcalc("report", tmp_path / "controls.yaml", "-f", form)
    # Refused or left out, but never passed on.
    assert result.code in (0, 2)
    shown = result.out + result.err
    if form == "json":  # data: as escapes, or as the letters that they are
        shown = shown.replace("\x85", "").replace("\x9b", "").replace("\u2028", "").replace("\u202e", "")
    assert [c for c in shown if not c.isprintable() and c not in "\n\t"] == []


@pytest.mark.parametrize("form", ["table", "markdown", "latex"])
def test_a_title_is_one_line(archcalc: Run, tmp_path: Path, form: str) -> None:
    path = tmp_path / "lines.yaml"
    path.write_text('name: lines\ntitle: "One\\n\\n- two\\n"\ninput: 8x8x3\nlayers: [relu]\n')
    result = archcalc("report", path, "-f", form)
    assert result.code in (0, 2)
    assert "One\n" not in result.out
    assert result.code == 2 or "One" in result.out
