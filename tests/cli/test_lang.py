"""`--lang`: the whole output of a command is in the language; names of layers and ops, units and formulas stay."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from archcalc.api import analyse
from archcalc.core.language import PARTIAL, language, use
from archcalc.core.text import cells
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
        text = text.replace(figure.source, "")
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


@pytest.mark.parametrize("name", TRANSLATED)
@pytest.mark.parametrize(
    ("network", "style"),
    [("alexnet@grouped", "towers"), ("vgg16", "bars"), ("vgg16", "slabs"), ("lenet5", "maps"), ("unet", "volumes")],
)
def test_titles_of_shapes(network: str, style: str, name: str, archcalc: Run) -> None:
    """What a screen reader says of a box or an arrow."""
    drawn = archcalc("draw", network, "--style", style, "-f", "svg", "-o", "-", "--lang", name)
    assert drawn.code == 0, drawn.err
    titles = " ".join(re.findall("<title[^>]*>([^<]*)</title>", drawn.out))
    assert english(titles, network, "two GPUs") == []


def test_letters_of_pictures_have_a_font() -> None:
    """No letter of a translation is drawn as a box: the shipped fonts have all but the Hebrew hyphen, drawn as one."""
    for name in TRANSLATED:
        texts = "".join(str(message.string) for message in messages(catalogue(name)))
        assert missing(texts) <= {"✓", "✗"}


@pytest.mark.parametrize("network", ["resnet18", "vit_b16", "googlenet", "unet", "crnn"])
def test_letters_of_formulas_have_a_font(network: str, archcalc: Run) -> None:
    """Floors, ceilings, indices and Greek letters, in decks and on sheets."""
    assert missing([archcalc("explain", network).out]) <= {"\n"}


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
def test_what_programs_read_is_english(archcalc: Run) -> None:
    for form in ("json", "csv"):
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


def test_errors_in_hebrew_set_names_apart(archcalc: Run) -> None:
    """Once the command has ended its language still says which signs may be printed."""
    said = archcalc("report", "alexnt", "--lang", "he").err
    assert "\u2066'alexnt'\u2069" in said
    assert "\u2066alexnet\u2069" in said


@pytest.mark.parametrize(("name", "kind"), [("en", "conv2d"), ("ru", "свёртка (conv2d)"), ("hy", "փաթույթ (conv2d)")])
def test_kinds_of_layers_have_their_names(name: str, kind: str, archcalc: Run) -> None:
    lines = archcalc("compare", "alexnet", "vgg16", "--lang", name).out.splitlines()
    assert sum(line.startswith(f"{kind} ") for line in lines) == 3


def test_a_language_that_is_not_there_is_an_error(archcalc: Run) -> None:
    result = archcalc("report", "alexnet", "--lang", "pt")
    assert (result.code, result.out) == (2, "")
    assert "'pt' is not one of 'en', 'ru', 'he', 'hy', 'es', 'fr', 'de', 'zh'" in result.err


#: What stays in pictures and slides: names of networks, data and contests.
IN_PICTURES = ("lenet5", "LeNet", "LRN", "two", "GPUs", "ZFNet", "ImageNet", "ILSVRC")


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSLATED)
def test_deck(name: str, archcalc: Run) -> None:
    """Every text of the slides, but the papers; paragraphs with Hebrew run from right to left, sizes do not."""
    from pptx import Presentation

    assert archcalc("deck", "lenet5", "alexnet", "-o", "deck.pptx", "--lang", name).code == 0
    *slides, _sources = Presentation("deck.pptx").slides
    lenet = [row.name for row in analyse("lenet5").rows]
    texts = [node.text for slide in slides for node in slide._element.iter("{*}t") if node.text]
    assert english(" ".join(texts).replace("\u200e", ""), "alexnet", *lenet, *IN_PICTURES) == []
    turned = [node for slide in slides for node in slide._element.iter("{*}pPr") if node.get("rtl")]
    assert bool(turned) == (name == "he")
    for properties in turned:
        paragraph = properties.getparent()
        assert re.search("[א-ת]", "".join(node.text or "" for node in paragraph.iter("{*}t")))


@pytest.mark.parametrize("name", TRANSLATED)
@pytest.mark.parametrize(
    "command",
    [
        "list zfnet",
        "compare alexnet zfnet",
        "compare vgg11 vgg13 --diff",
        "memory alexnet",
        "memory vgg11 --training",
        "fit alexnet --memory 8GB",
        "fit vgg11 --memory 8GiB --keep-all",
    ],
)
def test_tables_of_networks(command: str, name: str, archcalc: Run) -> None:
    done = archcalc(*command.split(), "--lang", name)
    assert done.code == 0, done.err
    rows = [row.name for network in ("alexnet", "vgg13") for row in analyse(network).rows]
    kinds = [row.op.kind for row in analyse("alexnet").rows]
    shown = re.sub(r"--[a-z-]+( [a-z0-9,-]+)?", "", done.out)  # options
    assert english(shown, "alexnet", "AlexNet", "zfnet", "ZFNet", "vgg11", "vgg13", "VGG", "GB", "GiB", "MiB", "KiB",
                   "float", "PyTorch", "autograd", "dropout", "activations", *rows, *kinds) == []  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSLATED)
@pytest.mark.parametrize(
    "command",
    ["draw alexnet", "draw alexnet --style volumes", "draw unet", "draw alexnet --style slabs",
     "draw alexnet@grouped --style towers", "draw lenet5 --style maps", "draw alexnet --style bars",
     "plot profile alexnet", "plot memory alexnet", "plot receptive-field alexnet", "plot timeline alexnet zfnet"],
)  # fmt: skip
def test_pictures(command: str, name: str, archcalc: Run) -> None:
    """Every text of a picture; each line that has Hebrew letters is one from right to left."""
    done = archcalc(*command.split(), "-o", "picture.svg", "--lang", name)
    assert done.code == 0, done.err
    texts = re.findall("<text[^>]*>(.*?)</text>", Path("picture.svg").read_text(), flags=re.DOTALL)
    plain = [re.sub("<[^>]*>|&[a-z]+;", "", text) for text in texts]
    network = "unet" if "unet" in command else "alexnet"
    rows = [row.name for row in analyse("lenet5").rows]
    assert english(" ".join(plain), network, *rows, *IN_PICTURES) == []
    for text in plain:
        assert not re.search("[א-ת]", text) or text.startswith("\u2067"), text


#: Answers to AlexNet's layers that were misread, or say one axis, and the words of the answer alone that stay.
ODD = """layer,output,params,multiplications
conv1,55 by,3*(4+5,1/0
conv2,13x12,5**99999,2+3 4
conv3,13x12x256,sqrt(4),"=1,2"
conv5,13x12x256,11*11**0.5,)
total,,5,
"""


@pytest.mark.parametrize("name", TRANSLATED)
def test_check_of_odd_answers(name: str, archcalc: Run) -> None:
    Path("a.csv").write_text(ODD, encoding="utf-8")
    found = archcalc("check", "alexnet", "a.csv", "--lang", name)
    assert found.code == 1
    assert english(found.out, "alexnet", "csv", "sqrt") == []


#: Words of the field that each command shows, by the language: a layer, a feature map's receptive field, a mistake.
PARTLY = {
    "es": ("capa", "campo receptivo", "falta el relleno", "parámetros"),
    "fr": ("couche", "champ récepteur", "le remplissage manque", "paramètres"),
    "de": ("Schicht", "rezeptives Feld", "das Padding fehlt", "Parameter"),
    "zh": ("层", "感受野", "缺少填充", "参数量"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PARTIAL)
def test_what_is_seen_most_is_in_a_partial_language(name: str, archcalc: Run) -> None:
    """Tables, derivations and worksheets of AlexNet are whole in it; names of matrices stay."""
    layer, field, mistake, params = PARTLY[name]
    Path("a.csv").write_text("layer,output\nconv2,23x23x256\n", encoding="utf-8")
    checked = archcalc("check", "alexnet", "a.csv", "--lang", name)
    assert (checked.code, mistake in checked.out) == (1, True)
    assert archcalc("exercise", "alexnet", "-o", "w.csv", "--lang", name).code == 0
    assert Path("w.csv").read_text(encoding="utf-8-sig").startswith(layer)
    report = archcalc("report", "alexnet", "--lang", name).out
    explained = archcalc("explain", "alexnet", "--lang", name).out
    assert params in report
    assert field in explained
    stays = NAMES | {"input", "conv", "pool", "norm", "fc", "prob", "relu", "drop", "alexnet", "row", "col"}
    english = set(re.findall("[A-Za-z]{3,}", archcalc("explain", "alexnet", "--lang", "en").out)) - stays
    same = {"additions", "bytes", "divisions", "dropout", "multiplications", "pixels", "place", "total"}
    assert english & set(re.findall("[A-Za-z]{3,}", explained)) <= same


@pytest.mark.parametrize("name", PARTIAL)
def test_a_worksheet_in_a_partial_language_is_read_back(name: str, archcalc: Run) -> None:
    """Its key is all right: 41 cells that were asked for, and three of the input."""
    assert archcalc("exercise", "alexnet", "-o", "w.csv", "--lang", name).code == 0
    result = archcalc("check", "alexnet", "w-key.csv")
    assert (result.code, "44 of 44 right" in result.out) == (0, True), result.out


def test_columns_of_a_derivation_in_chinese_start_in_one_cell(archcalc: Run) -> None:
    """A Chinese letter takes two cells of a terminal (UAX #11)."""
    lines = archcalc("explain", "alexnet", "conv2", "--lang", "zh").out.splitlines()
    starts = {
        cells(line[: line.index(sign)]) for sign in ("H₂ =", "D₂ =", "r₂ =", "j₂ =") for line in lines if sign in line
    }
    assert len(starts) == 1


@pytest.mark.parametrize(("name", "ending", "said"), [("zh", "pdf", True), ("zh", "md", False), ("de", "pdf", False)])
def test_where_chinese_characters_come_from(name: str, ending: str, said: bool, archcalc: Run) -> None:
    """A PDF holds its fonts, and none that is shipped has them."""
    result = archcalc("exercise", "lenet5", "-o", f"w.{ending}", "--lang", name)
    assert (result.code, "in a font of this system" in result.err) == (0, said)


def test_a_worksheet_for_latex_in_chinese(archcalc: Run) -> None:
    """With the package ctex (its manual, section 2): LuaLaTeX, and fonts that TeX Live has."""
    text = archcalc("exercise", "lenet5", "-f", "latex", "--lang", "zh").out
    assert text.startswith("% compile with lualatex")
    assert "[fontset=fandol]{ctex}" in text
    assert "fontenc" not in text
