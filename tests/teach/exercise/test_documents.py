"""Worksheets in the forms that people print, post and fill in: each is filled in by another program and read back."""

from __future__ import annotations

import io
import json
import linecache
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import pytest
from docx import Document
from docx.shared import Mm
from pypdf import PdfReader, PdfWriter

import archcalc as ac
from archcalc.core.errors import SpecError
from archcalc.core.language import use
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import TOTAL, Verdict
from archcalc.teach.exercise.formats import sheet_bytes
from archcalc.teach.exercise.worksheet import Worksheet, make_worksheet
from tests.tiers import slow_but

QUANTITIES = ("output_shape", "params", "multiplications", "receptive_field")
#: The answers of a student who fills in what the dictionary has; the rest stays blank.
Answers = dict[tuple[str, str], str]


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archcalc.teach.exercise.notebook.ROUNDS", 10)


@lru_cache
def analysed(name: str) -> Analysis:
    return analyse(load(name))


def sheet_of(name: str = "lenet5", blank: float = 1.0) -> Worksheet:
    return make_worksheet(analysed(name), QUANTITIES, blank, seed=4)


def right_answers(sheet: Worksheet) -> Answers:
    """What the table of a report says, which the tests of the passes hold against the literature."""
    cells = {line.layer: dict(zip(sheet.quantities, line.cells, strict=True)) for line in sheet.lines}
    return {(layer, quantity): cells[layer][quantity] for layer, quantity in sheet.blanks}


def fill_docx(data: bytes, sheet: Worksheet, answers: Answers) -> bytes:
    document = Document(io.BytesIO(data))
    table = document.tables[0]
    first = len(table.columns) - len(sheet.quantities)
    for row in table.rows[1:]:
        for at, quantity in enumerate(sheet.quantities):
            if (text := answers.get((row.cells[0].text, quantity))) is not None:
                row.cells[first + at].text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def fill_pdf(data: bytes, sheet: Worksheet, answers: Answers) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(data))
    names = {f"{layer}|{quantity}".replace(".", "%2E"): text for (layer, quantity), text in answers.items()}
    for page in writer.pages:
        if "/Annots" in page:
            writer.update_page_form_field_values(page, names, auto_regenerate=False)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def fill_notebook(data: bytes, sheet: Worksheet, answers: Answers) -> bytes:
    notebook = json.loads(data)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        match = re.match(r"check\(\n    '(.*)',\n", source)
        if match is not None:
            for quantity in sheet.quantities:
                text = answers.get((match[1], quantity))
                if text is not None:
                    source = source.replace(f"{quantity}=...", f"{quantity}={text!r}")
            cell["source"] = source
    return json.dumps(notebook).encode()


FILL: dict[str, Callable[[bytes, Worksheet, Answers], bytes]] = {
    "docx": fill_docx, "pdf": fill_pdf, "ipynb": fill_notebook,
}  # fmt: skip
FORM = {"docx": "docx", "pdf": "pdf", "ipynb": "notebook"}


@pytest.mark.parametrize("name", slow_but(["lenet5"], ["lenet5", "googlenet", "unet"]))
@pytest.mark.parametrize("ending", slow_but(["docx", "ipynb"], FILL))
def test_what_is_filled_in_is_read_back(ending: str, name: str) -> None:
    """Every right answer is right; an empty sheet asks for its blanks; a wrong number is wrong with its mistake."""
    sheet = sheet_of(name, 0.6)
    blank = sheet_bytes(sheet, FORM[ending])
    assert blank == sheet_bytes(sheet, FORM[ending])
    answers = right_answers(sheet)
    empty = check_answers(sheet.analysis, parse_answers(blank, f"a.{ending}").answers)
    asked = [cell for cell in empty.cells if cell.verdict is Verdict.EMPTY and cell.expected is not None]
    assert {(cell.layer, cell.quantity) for cell in asked} == answers.keys()
    read = parse_answers(FILL[ending](blank, sheet, answers), f"a.{ending}")
    check = check_answers(sheet.analysis, read.answers)
    judged = {(cell.layer, cell.quantity): cell.verdict for cell in check.cells}
    assert {judged[cell] for cell in answers} == {Verdict.RIGHT}
    layer = next(layer for layer, quantity in sorted(answers) if quantity == "params" and sheet.analysis[layer].biases)
    row = sheet.analysis[layer]
    wrong = {**answers, (layer, "params"): str(row.params - row.biases)}
    read = parse_answers(FILL[ending](blank, sheet, wrong), f"a.{ending}")
    found = [
        cell for cell in check_answers(sheet.analysis, read.answers).cells
        if (cell.layer, cell.quantity) == (layer, "params")
    ]  # fmt: skip
    assert [(cell.verdict, cell.diagnoses[0].mistake) for cell in found] == [(Verdict.WRONG, "forgot_bias")]


@pytest.mark.parametrize("form", slow_but(["docx"], ["docx", "pdf", "notebook", "moodle"]))
def test_the_sheet_has_no_answer_and_the_key_has_all(form: str) -> None:
    sheet = sheet_of()

    def text(data: bytes) -> str:
        if form == "docx":
            document = Document(io.BytesIO(data))
            cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
            return "\n".join([*cells, *(paragraph.text for paragraph in document.paragraphs)])
        if form == "pdf":
            return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
        return data.decode().replace("\\\\", "\\")

    hidden, shown = text(sheet_bytes(sheet, form)), text(sheet_bytes(sheet, form, key=True))
    assert "conv 5×5, 16 filters" in hidden
    for answer in ("61,706", "61706", "2,416", "2416", "10×10×16"):
        # Moodle must know the answers; what students see of the file is in its first question.
        visible = hidden.split('type="cloze"')[0] if form == "moodle" else hidden
        assert answer not in visible
    assert re.search("61,?706|61{,}706", shown)
    assert re.search(r"5·5·6 \+ 1|5 \\cdot 5 \\cdot 6 \+ 1", shown)


def test_a_document_is_a_page_of_a4_with_its_heading_on_every_page() -> None:
    document = Document(io.BytesIO(sheet_bytes(sheet_of(), "docx", "Ada")))
    section = document.sections[0]
    assert [round(side / Mm(1)) for side in (section.page_width or 0, section.page_height or 0)] == [297, 210]
    assert document.core_properties.title == "LeNet-5 · Ada"
    assert "tblHeader" in document.tables[0]._tbl.xml
    page = PdfReader(io.BytesIO(sheet_bytes(make_worksheet(analysed("lenet5"), layer="C1"), "pdf"))).pages[0]
    assert [float(side) for side in page.mediabox[2:]] == [842, 595]


def test_a_document_in_hebrew_runs_from_right_to_left() -> None:
    """Its heading too, which is a name in Latin letters; columns of numbers stand at the right as they are."""
    use("he")
    try:
        document = Document(io.BytesIO(sheet_bytes(sheet_of(), "docx")))
    finally:
        use("en")
    assert all(paragraph._p.get_or_add_pPr().find("{*}bidi") is not None for paragraph in document.paragraphs)
    for cell in (cell for row in document.tables[0].rows for cell in row.cells):
        properties = cell.paragraphs[0]._p.get_or_add_pPr()
        assert (properties.jc is None) == (properties.find("{*}bidi") is not None)


@pytest.mark.parametrize("language", ["he", "ru"])
def test_texts_in_pages_of_other_programs_say_their_direction(language: str) -> None:
    use(language)
    try:
        cells = json.loads(sheet_bytes(sheet_of(), "notebook"))["cells"]
        quiz = ElementTree.fromstring(sheet_bytes(sheet_of(), "moodle"))
    finally:
        use("en")
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    texts += [found.text or "" for found in quiz.iterfind("question/questiontext/text")]
    assert len(texts) > 8
    assert {text.startswith('<div dir="rtl">') and text.endswith("</div>") for text in texts} == {language == "he"}


# --- the notebook


def run(notebook: bytes) -> list[str]:
    """What the cells print, run one after another in one namespace, with nothing of archcalc in it."""
    printed: list[str] = []
    names: dict[str, Any] = {"print": printed.append}
    for cell in json.loads(notebook)["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    return printed


def test_a_notebook_is_valid_and_checks_itself() -> None:
    import nbformat

    sheet = make_worksheet(analysed("lenet5"), QUANTITIES, 0.4, seed=4)
    blank = sheet_bytes(sheet, "notebook")
    for data in (blank, sheet_bytes(sheet, "notebook", key=True)):
        nbformat.validate(json.loads(data))
    assert "archcalc" not in blank.decode()
    assert {line.rpartition(" | ")[2] for line in run(blank)} == {"not answered"}
    assert {line.rpartition(" | ")[2] for line in run(sheet_bytes(sheet, "notebook", key=True))} == {"right"}
    right = fill_notebook(blank, sheet, right_answers(sheet))
    assert {line.rpartition(" | ")[2] for line in run(right)} == {"right"}
    wrong = fill_notebook(blank, sheet, dict.fromkeys(sheet.blanks, "7"))
    assert {line.rpartition(" | ")[2] for line in run(wrong)} == {"not right yet"}


@pytest.mark.parametrize(
    ("quantity", "answer", "is_right"),
    [
        # Layer C1 of LeNet-5: 28×28×6, (5·5·1 + 1)·6 = 156 parameters, 28·28·6·25 = 117,600 multiplications.
        ("multiplications", "28*28*150", True),
        ("multiplications", "'28*28*6*25 = 117600'", True),
        ("multiplications", "'28²·150'", True),
        ("multiplications", "'117,600'", True),
        ("multiplications", "117_600.0", True),
        ("multiplications", "'117.6K'", True),
        ("multiplications", "'117,6 k'", True),
        ("multiplications", "'0.1176M MACs'", True),
        ("multiplications", "'11.76K'", False),
        ("multiplications", "'28*28*150 mults'", True),
        ("multiplications", "'28*28 = 117600'", False),
        ("multiplications", "H*H*150", False),
        ("multiplications", "round(117600.0)", False),
        ("multiplications", "sum([117600])", False),
        ("multiplications", "pow(28, 2)*150", False),
        ("multiplications", "True*117600", False),
        ("multiplications", "117600 % 10**9", False),
        ("multiplications", "f'{117600}'", False),
        ("multiplications", "'117' + '600'", False),
        ("params", "(5*5*1 + 1)*6", True),
        ("params", "'(5*5*1 + 1)*6'", True),
        ("params", "'1,56'", False),
        ("params", "'156 params'", True),
        ("params", "'(5*5*1 + 1)*6 parameters.'", True),
        ("params", "'156 параметров'", True),
        ("params", "'156 bananas'", False),
        ("params", "'157 params'", False),
        ("params", "~-157", False),
        ("params", "b'156'", False),
        ("params", "[*(156,)]", False),
        ("output_shape", "(28, 28, 6)", True),
        ("output_shape", "(6, 28, 28)", True),
        ("output_shape", "(None, 28, 28, 6)", True),
        ("output_shape", "'6@28x28'", True),
        ("output_shape", "((32 - 5)//1 + 1, 28, 6)", True),
        ("output_shape", "28*28*6", True),
        ("output_shape", "(28, 6, 28)", False),
        ("output_shape", "(H, H, 6)", False),
        ("output_shape", "tuple([28, 28, 6])", False),
        ("receptive_field", "2 + 3", True),
        ("receptive_field", "(5, 5)", True),
        ("receptive_field", "25", False),
    ],
)
def test_a_notebook_says_right_where_the_grader_does(quantity: str, answer: str, is_right: bool) -> None:
    sheet = make_worksheet(analysed("lenet5"), [quantity])
    program = "".join(json.loads(sheet_bytes(sheet, "notebook"))["cells"][1]["source"])
    source = f"H = 28\ncheck(\n    'C1',\n    {quantity}={answer},\n)\n"
    printed: list[str] = []
    names: dict[str, Any] = {"print": printed.append}
    exec(program, names)
    # IPython keeps the text of a cell so, for its tracebacks.
    linecache.cache["<cell>"] = (len(source), None, source.splitlines(keepends=True), "<cell>")
    exec(compile(source, "<cell>", "exec"), names)
    graded = check_answers(sheet.analysis, parse_answers(cells(source), "a.ipynb").answers).cells[0].verdict
    assert (printed[0].endswith(" | right"), graded is Verdict.RIGHT) == (is_right, is_right), printed


def test_a_notebook_calls_no_rounded_number_wrong() -> None:
    """Grading takes 118K for 117,600; the hash that the notebook holds is of the exact number."""
    sheet = make_worksheet(analysed("lenet5"), ["multiplications"])
    blank = sheet_bytes(sheet, "notebook")
    (line,) = [line for line in run(fill_notebook(blank, sheet, {("C1", "multiplications"): "118K"})) if "118K" in line]
    assert line.endswith("cannot be read: a rounded number cannot be checked here: write all of its digits")


def cells(*sources: str, outputs: str = "") -> bytes:
    made = [{"cell_type": "code", "source": source, "outputs": [{"text": outputs}]} for source in sources]
    return json.dumps({"cells": made, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode()


@pytest.mark.parametrize(
    ("source", "outputs", "text"),
    [
        ("check('C1', params=156)", "", "156"),
        ("check('C1', params=(5*5*1 + 1)*6)", "", "(5 * 5 * 1 + 1) * 6"),
        ("%matplotlib inline\n!ls\ncheck('C1', params='156')", "", "156"),
        ("check('C1', output_shape=((32 - 5)//1 + 1, 28, 6))", "", "28x28x6"),
        ("n = 6\ncheck('C1', params=26*n)", "C1 | params | 156 | right\n", "156"),
        ("n = 6\ncheck('C1', params=26*n)", "", "26 * n"),
        ("check('C1', params=1)\ncheck('C1', params=156)", "", "156"),
        ("check('C1', params=156)\ncheck('C1', params=...)", "", "156"),
        ("check('C1', params=None)", "", ""),
    ],
)
def test_answers_are_read_from_cells_that_are_never_run(source: str, outputs: str, text: str) -> None:
    read = parse_answers(cells(source, outputs=outputs), "a.ipynb")
    assert [(answer.layer, answer.text) for answer in read.answers] == [("C1", text)]


def test_what_a_notebook_does_is_not_done() -> None:
    source = "check('C1', params=__import__('os').abort())"
    assert parse_answers(cells(source), "a.ipynb").answers[0].text == "__import__('os').abort()"


# --- Word


def word(*tables: str) -> bytes:
    """A document with these tables as XML, as a program other than python-docx might write them."""
    document = Document()
    body = document.element.body
    from docx.oxml import parse_xml

    spaces = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    )
    for table in tables:
        body.insert(0, parse_xml(f"<w:tbl {spaces}>{table}</w:tbl>"))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def row(*cells: str) -> str:
    return "<w:tr>" + "".join(f"<w:tc><w:p>{cell}</w:p></w:tc>" for cell in cells) + "</w:tr>"


def run_of(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


HEAD = row(run_of("layer"), run_of("params"))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (run_of("15") + run_of("6"), "156"),
        (f"<w:ins>{run_of('156')}</w:ins><w:del><w:r><w:delText>150</w:delText></w:r></w:del>", "156"),
        (run_of("(5") + '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>2</w:t></w:r>' + run_of(" + 1)·6"),
         "(5^2 + 1)·6"),
        ("<m:oMath><m:f><m:num><m:r><m:t>312</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>",
         "(312)/(2)"),
        ("<m:oMath><m:d><m:e><m:sSup><m:e><m:r><m:t>5</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
         "<m:r><m:t>+1</m:t></m:r></m:e></m:d><m:r><m:t>∙6</m:t></m:r></m:oMath>", "(5^2+1)∙6"),
        (f"<w:sdt><w:sdtContent>{run_of('156')}</w:sdtContent></w:sdt>", "156"),
    ],
)  # fmt: skip
def test_cells_as_word_has_them(cell: str, text: str) -> None:
    read = parse_answers(word(HEAD + row(run_of("C1"), cell)), "a.docx")
    assert [(answer.layer, answer.text) for answer in read.answers] == [("C1", text)]
    check = check_answers(analysed("lenet5"), read.answers)
    assert [each.verdict for each in check.cells] == [Verdict.RIGHT]


def test_a_document_is_known_by_its_content() -> None:
    data = word(row(run_of("my homework")), HEAD + row(run_of("C1"), run_of("156")))
    assert [answer.text for answer in parse_answers(data, "answers").answers] == ["156"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.docx", b"no archive", "is no Word document"),
        ("a.docx", word(row(run_of("nothing"))), "holds no table of answers"),
        ("a.pdf", b"%PDF-1.7 broken", "is no PDF that can be read"),
        ("a.ipynb", b"{", "is no notebook: it is not JSON"),
        ("a.ipynb", b"[" * 100_000, "is no notebook: it is not JSON"),
        ("a.ipynb", b"[]", "is no notebook: it has no cells"),
        ("a.ipynb", b'{"cells": [1, {"cell_type": "code", "source": 3}]}', "holds no answers"),
        ("a.ipynb", cells("check(" + "(" * 5000), "holds no answers"),
    ],
)
def test_what_cannot_be_read(name: str, data: bytes, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_answers(data, name)


def test_a_pdf_without_fields_says_what_to_do() -> None:
    with pytest.raises(SpecError, match="has no fields to fill in") as caught:
        parse_answers(
            sheet_bytes(make_worksheet(analysed("lenet5"), ["params"], layer="C1"), "pdf", key=True), "scan.pdf"
        )
    assert "or hand in DOCX" in str(caught.value)


# --- Moodle


def fields(text: str) -> list[tuple[int, list[tuple[float, int, str]]]]:
    """The fields of a Cloze question, read by its documented grammar: weight, then fraction, answer and feedback."""
    found = []
    for match in re.finditer(r"\{(\d+):NUMERICAL:((?:\\.|[^\\}])*)\}", text):
        answers = []
        for part in re.split(r"(?<!\\)~", match[2]):
            answer = re.fullmatch(r"(?:(=)|%(\d+)%)(-?\d+):0(?:#((?:\\.|[^\\#}])*))?", part)
            assert answer is not None, part
            answers.append((100.0 if answer[1] else float(answer[2]), int(answer[3]), answer[4] or ""))
        found.append((int(match[1]), answers))
    rest = re.sub(r"\{(\d+):NUMERICAL:((?:\\.|[^\\}])*)\}", "", text)
    assert "{" not in rest
    return found


@pytest.mark.parametrize("name", slow_but(["lenet5"], ["lenet5", "googlenet", "resnet18"]))
def test_a_quiz_asks_for_every_blank_and_knows_the_mistakes(name: str) -> None:
    sheet = make_worksheet(analysed(name), QUANTITIES, 0.6, seed=4)
    root = ElementTree.fromstring(sheet_bytes(sheet, "moodle", key=True))
    assert root.tag == "quiz"
    kinds = [question.attrib["type"] for question in root]
    layers = [line.layer for line in sheet.lines if any(layer == line.layer for layer, _ in sheet.blanks)]
    assert kinds == ["category", "description", *("cloze" for _ in layers)]
    for question in list(root)[1:]:
        assert [child.tag for child in question if child.tag in ("name", "questiontext", "generalfeedback")] == [
            "name", "questiontext", "generalfeedback",
        ]  # fmt: skip
        assert question.find("questiontext").attrib == {"format": "html"}  # type: ignore[union-attr]
    for layer, question in zip(layers, list(root)[2:], strict=True):
        asked = [quantity for quantity in sheet.quantities if (layer, quantity) in sheet.blanks]
        shown = question.findtext("questiontext/text") or ""
        values: list[int] = []
        for quantity in asked:
            if layer == TOTAL:
                values.append(getattr(sheet.analysis.totals, quantity))
            elif quantity == "output_shape":
                shape = sheet.analysis[layer].output_shape
                values += [*shape[1:], shape[0]]
            elif quantity == "receptive_field":
                field = sheet.analysis[layer].receptive_field
                assert field is not None
                values += field.size[:1]
            else:
                values.append(getattr(sheet.analysis[layer], quantity))
        found = fields(shown)
        assert [answers[0][:2] for _, answers in found] == [(100, value) for value in values]
        for _, answers in found:
            assert len({value for _, value, _ in answers}) == len(answers)
            assert all(fraction == 50 and feedback for fraction, _, feedback in answers[1:])
    if name == "lenet5":
        text = sheet_bytes(make_worksheet(analysed(name), ["params"]), "moodle", key=True).decode()
        assert re.search(r"=156:0~%50%150:0#The bias is missing\.", text)


def test_signs_of_the_language_are_escaped_in_a_quiz() -> None:
    from archcalc.teach.exercise.moodle import _escaped

    assert _escaped('a } ~ # / " <b>') == r"a \} \~ \# \/ \" &lt;b&gt;"


def test_python_saves_them_by_the_ending(tmp_path: Any) -> None:
    made = ac.exercise("lenet5", layer="C1")
    for ending, start in (
        (".docx", b"PK"),
        (".pdf", b"%PDF"),
        (".ipynb", b"{"),
        (".xml", b"<?xml"),
        (".csv", b"layer"),
    ):
        made.sheet.save(tmp_path / f"a{ending}")
        assert (tmp_path / f"a{ending}").read_bytes().startswith(start)
