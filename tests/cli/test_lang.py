"""`--lang`: the whole output of a command is in the language; names of layers and ops, units and formulas stay."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from archcalc.api import analyse
from archcalc.core.language import language, use
from archcalc.ops import OPS
from archcalc.render.diagrams.text import missing
from archcalc.teach.exercise.worksheet import ASKED
from tests.cli.runner import Run
from tests.core.messages import TRANSLATED, catalogue, messages

#: Names that are the same in every language, and units.
NAMES = {
    "archcalc",
    "alexnet",
    "AlexNet",
    "KiB",
    "MiB",
    "GiB",
    "ReLU",
    "LRN",
    "ELU",
    "GELU",
    "RBF",
    "max",
    "softmax",
    "swish",
    "tanh",
    "float",
    "top",
    "Lp",
    "Krizhevsky",
    "Sutskever",
    "Hinton",
    "GPU",
    "grouped",
}


@pytest.fixture(autouse=True)
def in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert language() == "en"
    use("en")


def english(text: str, network: str, *names: str) -> list[str]:
    """The Latin words of a text but names of layers, what papers print, and what stays in every language."""
    analysis = analyse(network)
    text = " ".join(re.sub("[\u2066-\u2069]", "", text).split())
    for figure in analysis.graph.reported:
        text = text.replace(figure.source, "").replace(str(figure.value), "")
    known = [row.name for row in analysis.rows] + [analysis.graph.title, *analysis.graph.authors]
    kept = NAMES | {word for name in (*known, *names) for word in re.findall("[A-Za-z]+", name)}
    return [word for word in re.findall("[A-Za-z]{3,}", text) if word not in kept]


@pytest.mark.parametrize("name", TRANSLATED)
def test_report(name: str, archcalc: Run) -> None:
    table = archcalc("report", "alexnet", "--columns", "all", "--lang", name)
    assert table.code == 0
    assert english(table.out, "alexnet", *OPS) == []
    assert "62,378,344" in table.out


@pytest.mark.parametrize("name", TRANSLATED)
def test_explain(name: str, archcalc: Run) -> None:
    """Every layer of AlexNet, with all words between formulas; symbols with an index have no three letters."""
    found = archcalc("explain", "alexnet", "--lang", name)
    assert found.code == 0
    assert english(found.out, "alexnet", "row", "col") == []
    assert "(F·F·D₁ + 1)·K = (11·11·3 + 1)·96 = 364·96 = 34,944" in found.out
    page = archcalc("explain", "alexnet", "conv2", "--lang", name, "-f", "html").out
    assert page.count('<math dir="ltr">') == (13 if name == "he" else 0)


@pytest.mark.parametrize("name", TRANSLATED)
def test_exercise(name: str, archcalc: Run) -> None:
    """The sheet is whole in the language, and the key is read back as right by `check`, in any language."""
    sheet = archcalc("exercise", "alexnet", "-o", "-", "--lang", name)
    assert sheet.code == 0
    assert english(sheet.out, "alexnet") == []
    assert archcalc("exercise", "alexnet", "-o", "sheet.csv", "--lang", name, "--quantities", ",".join(ASKED)).code == 0
    checked = archcalc("check", "alexnet", "sheet-key.csv", "-f", "json").json["summary"]
    assert checked["right"] + checked["empty"] == checked["cells"] >= 75
    assert checked["wrong"] == checked["unreadable"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSLATED)
def test_exercise_in_every_form(name: str, archcalc: Run) -> None:
    """Word documents and PDFs are read back; pages have the direction of the language."""
    for form in ("docx", "pdf", "ipynb", "xml", "html", "tex"):
        done = archcalc("exercise", "alexnet", "--blank", "0.3", "-o", f"sheet.{form}", "--lang", name)
        assert done.code == 0, done.err
    page = re.sub("<style>.*?</style>|<[^>]*>|&[a-z]+;", " ", Path("sheet.html").read_text(), flags=re.DOTALL)
    assert english(page, "alexnet") == []
    assert f'dir="{"rtl" if name == "he" else "ltr"}"' in Path("sheet.html").read_text()
    for form in ("docx", "pdf"):
        blank = archcalc("check", "alexnet", f"sheet.{form}", "-f", "json")
        assert blank.code in (0, 1), blank.err
    with zipfile.ZipFile("sheet.docx") as document:
        body = document.read("word/document.xml").decode()
    assert ("<w:bidi/>" in body) == ("<w:bidiVisual/>" in body) == ("<w:rtl/>" in body) == (name == "he")


def test_letters_of_pictures_have_a_font() -> None:
    """No letter of a translation is drawn as a box: the shipped fonts have all but the Hebrew hyphen, drawn as one."""
    for name in TRANSLATED:
        texts = "".join(str(message.string) for message in messages(catalogue(name)))
        assert missing(texts) <= {"\u05be", "ᵀ", "✓", "✗"}


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSLATED)
@pytest.mark.parametrize(
    "network", ["googlenet", "mobilenet_v3_large", "vit_b16", "unet", "shufflenet_v2", "wide_resnet50_2"]
)
def test_explain_others(name: str, network: str, archcalc: Run) -> None:
    for command in ("report", "explain"):
        found = archcalc(command, network, "--lang", name)
        assert found.code == 0, found.err
        assert (
            english(
                found.out, network, "row", "col", "in_proj_weight", "out_proj_bias", "Inception", "ResNet", "ImageNet"
            )
            == []
        )


@pytest.mark.slow
def test_what_programs_read_is_english_and_so_are_pages(archcalc: Run) -> None:
    for form in ("json", "csv", "html"):
        assert (
            archcalc("report", "alexnet", "-f", form, "--lang", "he").out
            == archcalc("report", "alexnet", "-f", form).out
        )


def test_columns_of_a_table_in_hebrew_start_in_one_cell(archcalc: Run) -> None:
    """Isolates take no space, so that columns stay aligned; each cell is set apart."""
    lines = archcalc("report", "alexnet", "--lang", "he").out.splitlines()
    plain = [re.sub("[\u2066-\u2069]", "", line) for line in lines[2:29] if line]
    english_lines = archcalc("report", "alexnet").out.splitlines()[2:29]
    assert len({len(line) for line in plain[1:-2]}) == 1 == len({len(line) for line in english_lines[1:-2]})
    assert all(line.count("\u2066") + line.count("\u2067") == line.count("\u2069") for line in lines[2:29])


def test_a_language_that_is_not_there_is_an_error(archcalc: Run) -> None:
    result = archcalc("report", "alexnet", "--lang", "es")
    assert (result.code, result.out) == (2, "")
    assert "'es' is not one of 'en', 'ru', 'he', 'hy'" in result.err
