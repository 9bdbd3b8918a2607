"""Files of answers: what is read from every form, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archcalc as ac
from archcalc.core.errors import ArchcalcError, SpecError, UsageError
from archcalc.teach.check import check_answers
from archcalc.teach.check.answers import parse_answers, read_answers
from archcalc.teach.check.answers.heads import find_head
from archcalc.teach.check.model import Answer
from tests.steps import at_most_calls

Triple = tuple[str, str, str]
WANTED: list[Triple] = [
    ("conv1", "output_shape", "55x55x96"),
    ("conv1", "params", "34,944"),
    ("pool1", "output_shape", "27x27x96"),
    ("pool1", "params", ""),
]


def triples(data: str | bytes, file: str = "a.csv") -> list[Triple]:
    answers = parse_answers(data if isinstance(data, bytes) else data.encode(), file).answers
    return [(answer.layer, answer.quantity, answer.text) for answer in answers]


def places(data: str | bytes, file: str = "a.csv") -> list[str]:
    return [
        str(answer.place) for answer in parse_answers(data if isinstance(data, bytes) else data.encode(), file).answers
    ]


CSV = 'layer,output,params\nconv1,55x55x96,"34,944"\npool1,27x27x96,\n'
FORMS: list[tuple[str, str | bytes]] = [
    ("a.csv", CSV),
    ("bom.csv", "\ufeff" + CSV),
    ("crlf.csv", CSV.replace("\n", "\r\n")),
    ("empty_lines.csv", "\n\n" + CSV.replace("\n", "\n\n")),
    ("semicolon.csv", 'layer;output;params\nconv1;55x55x96;34,944\npool1;27x27x96;\n'),
    ("tab.csv", 'layer\toutput\tparams\nconv1\t55x55x96\t34,944\npool1\t27x27x96\t\n'),
    ("bar.txt", "layer | output | params\nconv1 | 55x55x96 | 34,944\npool1 | 27x27x96 |\n"),
    ("sep.csv", "sep=;\nlayer;output;params\nconv1;55x55x96;34,944\npool1;27x27x96;\n"),
    ("without_quotes.csv", "layer,output,params\nconv1,55x55x96,34,944\npool1,27x27x96,\n"),
    ("order.csv", 'params,layer,note,output\n"34,944",conv1,x,55x55x96\n,pool1,,27x27x96\n'),
    ("title.csv", "Homework 3,,\nMy name,,\n" + CSV),
    ("utf16.csv", CSV.encode("utf-16")),
    ("utf16be.csv", b"\xfe\xff" + CSV.encode("utf-16-be")),
    (
        "a.md",
        "# Mine\n\n| layer | output | params |\n| :-- | :-: | --: |\n"
        "| conv1 | `55x55x96` | **34,944** |\n| pool1 | 27x27x96 | |\n\nDone.\n",
    ),
    ("bare.md", "layer | output | params\n--- | --- | ---\nconv1 | 55x55x96 | 34,944\npool1 | 27x27x96 | \n"),
    (
        "rows.yaml",
        "- {layer: conv1, output: 55x55x96, params: '34,944'}\n- layer: pool1\n  output: 27x27x96\n  params:\n",
    ),
    ("by_layer.yaml", "conv1: {output: 55x55x96, params: '34,944'}\npool1: {output: 27x27x96, params: }\n"),
    (
        "answers.yaml",
        "student: me\nanswers:\n- {name: conv1, shape: 55x55x96, parameters: '34,944'}\n"
        "- {name: pool1, size: 27x27x96, params: ~}\n",
    ),
    ("table.yaml", "- [layer, output, params]\n- [conv1, 55x55x96, '34,944']\n- [pool1, 27x27x96, '']\n"),
    (
        "a.json",
        '[{"layer": "conv1", "output": "55x55x96", "params": "34,944"},\n'
        '\t{"layer": "pool1", "output": "27x27x96", "params": null}]',
    ),
    (
        "by_layer.json",
        '{"conv1": {"output": "55x55x96", "params": "34,944"}, "pool1": {"output": "27x27x96", "params": ""}}',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("file", "data"), FORMS, ids=[file for file, _ in FORMS])
def test_form(file: str, data: str | bytes) -> None:
    empty = ("", "~", "null", "-")
    got = sorted((layer, quantity, "" if text in empty else text) for layer, quantity, text in triples(data, file))
    assert got == sorted(WANTED)


@pytest.mark.parametrize(("file", "data"), FORMS, ids=[file for file, _ in FORMS])
def test_form_is_found_by_content(file: str, data: str | bytes) -> None:
    """From stdin there is no name."""
    assert sorted(triples(data, "stdin")) == sorted(triples(data, file))


def test_by_quantity() -> None:
    assert triples("params:\n  conv1: 34944\n  fc6: 37.75M\n", "a.yaml") == [
        ("conv1", "params", "34944"),
        ("fc6", "params", "37.75M"),
    ]


def test_numbers_are_kept_as_they_are_written() -> None:
    assert triples("- {layer: c, params: 1.20}\n- {layer: d, params: 1e6}\n- {layer: e, params: 007}\n", "a.yaml") == [
        ("c", "params", "1.20"), ("d", "params", "1e6"), ("e", "params", "007"),
    ]  # fmt: skip


def test_lists_are_shapes() -> None:
    assert triples("- {layer: conv1, output: [96, 55, 55]}\n", "a.yaml") == [("conv1", "output_shape", "[96, 55, 55]")]


def test_report_as_json_is_a_table_of_answers() -> None:
    row = '{"name": "conv1", "op": "conv2d", "output_shape": [96, 55, 55], "params": 34944, "activation_bytes": 4}'
    text = f'{{"schema": "archcalc.report/1", "layers": [{row}]}}'
    assert triples(text, "r.json") == [
        ("conv1", "output_shape", "[96, 55, 55]"),
        ("conv1", "params", "34944"),
        ("conv1", "activation_bytes", "4"),
    ]


def test_sides_in_columns_of_their_own() -> None:
    assert triples("layer,H,W,C,params\nconv1,55,54,96,5\nfc,,,1000,\n") == [
        ("conv1", "output_shape", "55x54x96"), ("conv1", "params", "5"),
        ("fc", "output_shape", "1000"), ("fc", "params", ""),
    ]  # fmt: skip


def test_units_in_headings() -> None:
    text = "layer,params (K),memory [MiB],MACs (M)\nconv1,34.9,1.11,105\nconv2,615K,729 KiB,\n"
    assert triples(text) == [
        ("conv1", "params", "34.9 K"), ("conv1", "activation_bytes", "1.11 MiB"), ("conv1", "multiplications", "105 M"),
        ("conv2", "params", "615K"), ("conv2", "activation_bytes", "729 KiB"), ("conv2", "multiplications", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("layer", ("layer", "")), ("Layer (type)", ("layer", "")), ("Name", ("layer", "")), ("Слой", ("layer", "")),
        ("Output Shape", ("output_shape", "")), ("output (HxWxC)", ("output_shape", "")),
        ("size", ("output_shape", "")),
        ("Param #", ("params", "")), ("# params", ("params", "")), ("Params, K", ("params", "K")),
        ("number of parameters", ("params", "")), ("weights", ("weights", "")), ("Параметры", ("params", "")),
        ("MACs", ("multiplications", "")), ("Mult-Adds (M)", ("multiplications", "M")),
        ("GMACs", ("multiplications", "G")),
        ("memory", ("activation_bytes", "")), ("memory (MB)", ("activation_bytes", "MB")),
        ("Memory in KiB", ("activation_bytes", "KiB")),
        ("memory (values)", ("activations", "")), ("activations", ("activations", "")),
        ("RF", ("receptive_field", "")), ("receptive field", ("receptive_field", "")), ("kernel", None), ("", None),
        ("x" * 5000, None),
    ],
)  # fmt: skip
def test_heading(text: str, head: tuple[str, str] | None) -> None:
    found = find_head(text)
    assert (None if found is None else (found.key, found.unit)) == head


@pytest.mark.parametrize(
    ("headings", "head"),
    [
        ("GFLOPs|GMACs|FLOPs (G)|FLOPs (×10⁹)|FLOPs (10^9)|Giga FLOPs|умножения, млрд|Operationen (Mrd.)|GOPs"
         "|операции (млрд)|פעולות (מיליארד)|բազմապատկումներ (մլրդ)", ("multiplications", "G")),
        ("MFLOPs|MMACs|MACs [M]|Mult-Adds (M)|FLOPs/10^6|Million Mult-Adds", ("multiplications", "M")),
        ("Params (×10^6)|params, 10^6|MParams|параметров, млн|Parameter (Mio.)|Anzahl Parameter in Millionen"
         "|paramètres (en millions)|parámetros (millones)|parâmetros (milhões)|参数量(百万)|פרמטרים במיליונים"
         "|պարամետրեր (մլն)|# of Params (Millions)|Parameters (in M)", ("params", "M")),
        ("params (10³)|Params in thousands|#params (K)|параметры, тыс.|число параметров, тыс. шт.|Parameter (Tsd.)"
         "|paramètres (milliers)|parámetros (en miles)|parâmetros (mil)|פרמטרים (אלפים)|פרמטרים באלפים"
         "|պարամետրեր (հազար)|params/1000|Params [×10³]|params x 1000", ("params", "K")),
        ("参数量（万）|パラメータ数（万）", ("params", "万")), ("参数量(亿)|パラメータ数（億）", ("params", "億")),
        ("Ելքի չափը|Ելքային չափը|גודל הפלט|תפוקה", ("output_shape", "")),
        ("סה״כ פרמטרים|Պարամետրերի թիվը", ("params", "")),
    ],
)  # fmt: skip
def test_units_in_headings_of_many_languages(headings: str, head: tuple[str, str]) -> None:
    for text in headings.split("|"):
        found = find_head(text)
        assert found is not None, text
        assert (found.key, found.unit) == head, text


HEADINGS = Path(__file__).with_name("headings.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", HEADINGS, ids=[line.partition(":")[0] for line in HEADINGS])
def test_headings_in_ten_languages(line: str) -> None:
    """Size of feature map, N.º de parámetros, forma de saída, 乘加次数: every line is a quantity in one language."""
    names, _, headings = line.partition(": ")
    key = names.split()[0]
    for text in headings.split("|"):
        found = find_head(text)
        assert found is not None, text
        assert found.key == key, text


@pytest.mark.parametrize(
    "headings",
    [
        "kernel size|filter size|input channels|operation|activation function|calculation|Param %|trainable",
        "размер ядра|шаг|число фильтров|функция активации|операция|выходной слой|память параметров",
        "Größe des Kernels|Ausgabekanäle|tamaño del filtro|operación|capa de salida",
        "couche de sortie|taille du noyau|卷积核大小|步长|输出层|カーネルサイズ|層数|פעולה",
        "גודל גרעין",
        "depth multiplier|params size|memory of weights|weights shape|number of additions|value|quantity|batch size",
    ],
)
def test_headings_of_what_is_not_checked(headings: str) -> None:
    for text in headings.split("|"):
        assert find_head(text) is None, text


def test_maps_and_sizes_in_columns_of_their_own() -> None:
    """As in tables of LeNet: a column of activations has names, and the type says what a layer is."""
    text = (
        "Layer;Type;Maps;Size;Kernel size;Activation\nOut;Fully connected;–;10;–;RBF\n"
        "S2;Avg pooling;6;14 × 14;2 × 2;tanh\nC1;Convolution;6;28 × 28;5 × 5;tanh\n"
    )
    assert triples(text) == [
        ("Out (Fully connected)", "output_shape", "10"),
        ("S2 (Avg pooling)", "output_shape", "14 × 14x6"),
        ("C1 (Convolution)", "output_shape", "28 × 28x6"),
    ]


def test_places_count_from_one() -> None:
    assert places(CSV) == ["a.csv:2:2", "a.csv:2:3", "a.csv:3:2", "a.csv:3:3"]
    assert places('layer,params\n"two\nlines",5\nconv1,6\n') == ["a.csv:2:2", "a.csv:4:2"]
    assert places("- layer: conv1\n  params: 5\n", "a.yaml") == ["a.yaml:2:11"]
    assert places("| layer | params |\n|---|---|\n| conv1 | 5 |\n", "a.md") == ["a.md:3:2"]


def test_unchecked_answers_are_reported() -> None:
    assert parse_answers(b"layer,kernel,stride,params\nconv1,11,4,5\n", "a.csv").notes == (
        "not checked: columns kernel, stride",
    )


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        ("слой;выход;параметры\nконв1;55x55x96;34944\nвход, изображение;227x227x3;0\n", "cp1251", "Windows-1251"),
        ("layer;params\ncouche première;34\u00a0944\nfenêtre;5\n", "cp1252", "Windows-1252"),
    ],
)
def test_other_encodings_are_read_with_a_note(text: str, encoding: str, named: str) -> None:
    found = parse_answers(text.encode(encoding), "a.csv")
    assert [note.partition(": ")[2] for note in found.notes] == [f"not UTF-8; read as {named}"]
    assert found.answers == parse_answers(text.encode(), "a.csv").answers


# --- spreadsheets


def spreadsheet(*rows: list[Any], title: str | None = None) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if title is not None:
        sheet["A1"] = title
        sheet = book.create_sheet("answers")
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_spreadsheet() -> None:
    data = spreadsheet(
        ["Layer", "Output", "Params"], ["conv1", "55x55x96", 34944], [None, None, None],
        ["conv2", "27x27x256", "=(5*5*96+1)*256"], ["conv3", None, 885120.0], ["total", None, "=SUM(C2:C5)"],
    )  # fmt: skip
    assert triples(data, "a.xlsx") == [
        ("conv1", "output_shape", "55x55x96"), ("conv1", "params", "34944"),
        ("conv2", "output_shape", "27x27x256"), ("conv2", "params", "=(5*5*96+1)*256"),
        ("conv3", "output_shape", ""), ("conv3", "params", "885120"),
        ("total", "output_shape", ""), ("total", "params", "=SUM(C2:C5)"),
    ]  # fmt: skip
    assert places(data, "a.xlsx")[:2] == ["a.xlsx:2:2", "a.xlsx:2:3"]
    assert triples(data, "stdin") == triples(data, "a.xlsx")


def test_stored_value_of_a_formula_over_cells() -> None:
    """What Excel stores with a formula is read; the formula itself is never evaluated."""
    data = spreadsheet(["layer", "params"], ["conv1", "=A1+1"])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"<v></v>", b"<v>34944</v>").replace(b"<v />", b"<v>34944</v>")
    assert b"34944" in parts[sheet]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert triples(stream.getvalue(), "a.xlsx") == [("conv1", "params", "34944")]


def test_the_sheet_with_answers_is_found() -> None:
    data = spreadsheet(["layer", "params"], ["conv1", 5], title="Read me first")
    assert triples(data, "a.xlsx") == [("conv1", "params", "5")]
    assert parse_answers(data, "a.xlsx").notes == ("not checked: sheet Sheet, which names no columns to check",)


def test_every_sheet_is_read() -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for name, row in (("conv", ["conv1", 5]), ("fc", ["fc1", 7])):
        sheet = book.create_sheet(name)
        sheet.append(["layer", "params"])
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    data = stream.getvalue()
    assert triples(data, "a.xlsx") == [("conv1", "params", "5"), ("fc1", "params", "7")]
    assert places(data, "a.xlsx") == ["a.xlsx (conv):2:2", "a.xlsx (fc):2:2"]
    assert not parse_answers(data, "a.xlsx").notes
    for _ in range(60):
        book.create_sheet()
    book.save(stream := io.BytesIO())
    with pytest.raises(SpecError, match="more than 50 sheets"):
        parse_answers(stream.getvalue(), "a.xlsx")


def archive_of(**parts: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return stream.getvalue()


def with_entities(before: bytes = b"") -> bytes:
    laughs = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    return archive_of(xl__workbook=b'<?xml version="1.0"?>' + before + laughs)


def with_a_cell_of(characters: int) -> bytes:
    return archive_of(xl__sharedStrings=b"<sst><si><t>" + b"x" * characters + b"</t></si></sst>")


# --- what is refused

#: File, content, a part of the message.
REFUSED: list[tuple[str, str | bytes, str]] = [
    ("a.csv", "", "a.csv:1:1: holds no table"),
    ("a.csv", "\n \n", "a.csv:1:1: holds no table"),
    ("a.csv", "foo,bar\n1,2\n", "a.csv:1:1: the first row must name the columns"),
    ("a.csv", "params\n5\n", "the first row must name the columns"),
    ("a.csv", "layer\nconv1\n", "the first row must name the columns"),
    ("a.csv", "layer,params,parameters\nconv1,1,2\n", "a.csv:1:3: two columns are about the params"),
    ("a.csv", "layer,params\nconv1,1,2,3\n", "a.csv:2:3: this row has 4 cells, the first one 2"),
    ("a.csv", "layer,params\nconv1," + "(" * 200_000 + "\n", "a.csv:2:1: a cell has more than 131,072 characters"),
    ("a.csv", "layer,params\n" + "conv1,5\n" * 10_001, "more than 10,000 rows"),
    ("a.csv", "\n" * 100_000, "more than 10,000 rows"),
    ("a.csv", "layer,params" + "," * 100_000, "more than 200 columns"),
    ("a.csv", "layer,params\nconv1,\x005\n", "a.csv:2:1: is not a text file"),
    ("a.csv", b"\xff\xfe\x00", "begins like UTF-16 and is not"),
    ("a.csv", "x" * 5_000_001, "a.csv is larger than 4 MiB"),
    ("a.md", "no table here\n", "holds no table of answers"),
    ("a.md", "| a | b |\n|---|---|\n| 1 | 2 |\n", "holds no table of answers"),
    ("a.yaml", "", "is empty"),
    ("a.yaml", "5\n", "holds no answers"),
    ("a.yaml", "- 5\n", "a.yaml:1:3: each item must be a row"),
    ("a.yaml", "- {params: 5}\n", "a.yaml:1:3: this row names no layer"),
    ("a.yaml", "conv1: 5\n", "a.yaml:1:8: 'conv1' should hold its answers"),
    ("a.yaml", "- {layer: a, layer: b}\n", "given twice"),
    ("a.yaml", "a: !!python/object:os.system {}\n", "tag"),
    ("a.yaml", "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10) if i else 1}]\n" for i in range(9)), "200,000"),
    ("a.yaml", "- {layer: " + "[" * 5000, "nest"),
    ("a.json", "[" * 100_000, "nest"),
    ("a.json", '{"a": 1', "is not valid JSON"),
    ("a.xlsx", "no archive", "is no XLSX file"),
    ("a.xlsx", archive_of(a=b"<x/>"), "is no spreadsheet that can be read"),
    ("a.xlsx", archive_of(a=b" " * 50_000_001), "unpacks to more than 50 MB"),
    ("a.xlsx", with_entities(), "document type"),
    ("a.xlsx", with_entities(b"<!-- " + b" " * 1_000_000 + b" -->"), "document type"),
    ("a.xlsx", with_a_cell_of(200_000), "a cell has more than 131,072 characters"),
    ("a.xlsx", archive_of(a=b"<x"), "a part is not well-formed"),
    ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file"),
    (
        "a.xml",
        '<?xml version="1.0"?>\n<quiz><question type="category">' + "a," * 300,
        "is a quiz for Moodle, which grades it",
    ),
    ("a.xml", '<?xml version="1.0"?>\n<Workbook/>', "is XML; answers are read from .csv, .docx"),
]


@pytest.mark.parametrize(("file", "data", "message"), REFUSED, ids=[row[2][:40] for row in REFUSED])
def test_refused(file: str, data: str | bytes, message: str) -> None:
    with pytest.raises(ArchcalcError) as refusal, at_most_calls(5_000_000):
        parse_answers(data if isinstance(data, bytes) else data.encode(), file)
    assert message in str(refusal.value)
    assert len(str(refusal.value)) < 600
    if not isinstance(refusal.value, UsageError):
        assert isinstance(refusal.value, SpecError)
        assert all(problem.location is not None for problem in refusal.value.problems)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none.csv", "there is no file"), (tmp_path, "is a directory")):
        with pytest.raises(UsageError, match=message):
            read_answers(path)


def test_a_file_that_never_ends() -> None:
    with pytest.raises(UsageError, match="larger than 4 MiB"):
        read_answers("/dev/zero")


@given(data=st.binary(max_size=400), ending=st.sampled_from(["csv", "yaml", "json", "md", "txt"]))
def test_any_bytes_are_read_or_refused(data: bytes, ending: str) -> None:
    with suppress(ArchcalcError):
        found = parse_answers(data, f"a.{ending}")
        assert all(isinstance(answer, Answer) for answer in found.answers)


@given(
    rows=st.lists(st.lists(st.text(",;\t|\"' \n:-x5()=aé", max_size=12), min_size=1, max_size=5), max_size=8),
    delimiter=st.sampled_from(",;\t|"),
)
def test_any_table_is_read_or_refused(rows: list[list[str]], delimiter: str) -> None:
    text = "layer,params\n".replace(",", delimiter) + "\n".join(delimiter.join(row) for row in rows)
    with suppress(ArchcalcError):
        found = parse_answers(text.encode(), "a.csv")
        assert all(answer.layer for answer in found.answers)


#: Characters without a width that editors, word processors and web pages put into a text: Unicode 16, general
#: category Cf, "General Punctuation" and neighbours.
UNSEEN = "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"


def _sheet(rows: list[list[str]]) -> bytes:
    import openpyxl

    book, data = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize("sign", UNSEEN, ids=lambda sign: f"{ord(sign):04X}")
def test_what_cannot_be_seen_is_not_read(sign: str) -> None:
    def marked(text: str) -> str:
        return sign + sign.join(text) + sign

    lenet = ac.analyse("lenet5")
    rows = [[marked(text) for text in row] for row in (("layer", "params", "output shape"),
            ("C1", "156", "28x28x6"), ("C3", "5*5*6*16+16 = 2416", "(10, 10, 16)"))]  # fmt: skip
    escaped = json.dumps([dict(zip(("layer", "params", "output_shape"), row, strict=True)) for row in rows[1:]])
    cell = marked('check("C1", params=156, output_shape="28x28x6")')
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": [cell], "outputs": []}], "nbformat": 4})
    page = "".join("<tr>" + "".join(f"<td>{text}</td>" for text in row) + "</tr>" for row in rows)
    for file, data, right in (
        ("a.csv", "\n".join(";".join(row) for row in rows).encode(), 4),
        ("a.json", escaped.encode(), 4),
        ("a.html", f"<table>{page}</table>".encode(), 4),
        ("a.ipynb", notebook.encode(), 2),
        ("a.xlsx", _sheet(rows), 4),
    ):
        checked = check_answers(lenet, parse_answers(data, file).answers)
        assert [cell.verdict.value for cell in checked.cells] == ["right"] * right, file


def test_joiners_between_letters_that_need_them_stay() -> None:
    persian = "\u0644\u0627\u06cc\u0647\u200c\u0647\u0627"
    assert triples(f"layer,params\n{persian},1")[0][0] == persian
