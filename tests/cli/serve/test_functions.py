"""The functions of the playground: what they answer is what the library says."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

import archcalc as ac
from archcalc.cli.serve.functions import FUNCTIONS, call, call_text
from archcalc.cli.serve.tables import slider
from archcalc.spec.catalogue import names
from archcalc.spec.document import Parameters
from archcalc.teach.check.model import Verdict
from tests.cli.runner import Run

PAGE = Path(__file__).parents[3] / "docs" / "playground"
TEXT = """\
name: small
title: Small
input: 32x32x3
parameters: {width: {type: int, default: 8, minimum: 1, maximum: 64}}
layers:
  - conv2d: {out_channels: width, kernel_size: 3, padding: 1}
  - relu
  - max_pool2d: {kernel_size: 2}
  - linear: {out_features: 10}
"""


def good(name: str, /, **request: Any) -> dict[str, Any]:
    answer = call(name, request)
    assert answer["ok"], answer
    json.dumps(answer, allow_nan=False)
    return answer


def totals(answer: dict[str, Any]) -> dict[str, str]:
    return {one["key"]: one["exact"] for one in answer["totals"]}


def errors(name: str, /, **request: Any) -> list[dict[str, Any]]:
    answer = call(name, request)
    assert answer["ok"] is False
    assert answer["errors"]
    found: list[dict[str, Any]] = answer["errors"]
    return found


def applied(text: str, fix: dict[str, Any]) -> str:
    """The text after an edit, as an editor makes it."""
    lines = text.split("\n")
    first, last = fix["line"] - 1, fix["end_line"] - 1
    lines[first : last + 1] = [lines[first][: fix["column"] - 1] + fix["text"] + lines[last][fix["end_column"] - 1 :]]
    return "\n".join(lines)


# --- the table


@pytest.mark.parametrize("text", ["lenet5", "8x8x3 -> conv3-4 -> relu -> fc10", TEXT])
def test_analyse_gives_the_numbers_of_the_library(text: str) -> None:
    answer = good("analyse", source={"text": text})
    network = ac.from_yaml(text) if "\n" in text else ac.load(text)
    analysis = network.analyse()
    report = json.loads(base64.b64decode(good("export", source={"text": text}, to="json")["data"]))
    assert report == json.loads(analysis.to_json())
    assert totals(answer)["params"] == str(analysis.totals.params)
    assert [row["name"] for row in answer["rows"]] == [row.name for row in analysis]
    for row, shown in zip(analysis, answer["rows"], strict=True):
        assert shown["values"]["params"] == row.params
        assert set(shown["cells"]) == {column["key"] for column in answer["columns"]}
    assert {one["key"]: one["exact"] for one in answer["totals"]}["multiplications"] == str(
        analysis.totals.multiplications
    )


def test_rows_have_the_line_of_the_text_and_parameters_can_be_set() -> None:
    answer = good("analyse", source={"text": TEXT, "parameters": {"width": 16}, "input": "64x64x3"})
    assert [row.get("line") for row in answer["rows"]] == [3, 6, 7, 8, 9]
    assert answer["input"] == "64x64x3"
    assert answer["parameters"] == [{"name": "width", "type": "int", "value": 16, "min": 1, "max": 64, "step": 1}]
    # 3·3·3 weights and a bias for each of 16 filters; 32·32·16 values and a bias for each of 10 outputs.
    assert totals(answer)["params"] == str(28 * 16 + (32 * 32 * 16 + 1) * 10)
    other = good("analyse", source={"text": "resnet18"}, depth=1, columns="layer,params", convention="keras")
    assert [column["key"] for column in other["columns"]] == ["layer", "params"]
    assert {"conv2_x", "conv5_x"} <= {row.get("block") for row in other["rows"]}
    assert totals(other)["params"] == str(11_689_512 + 9_600)  # running statistics are parameters there


@pytest.mark.parametrize(
    ("declared", "ends"),
    [
        ({"default": 8, "minimum": 1, "maximum": 64}, (1, 64, 1)),
        ({"default": 100, "minimum": 0, "maximum": 1000}, (0, 1000, 10)),
        ({"type": "number", "default": 1, "above": 0, "maximum": 2}, (0.05, 2, 0.05)),
        ({"type": "number", "default": 0.2, "minimum": 0, "maximum": 1}, (0, 1, 0.025)),
        ({"default": 16, "multiple_of": 8}, (8, 80, 8)),
        ({"default": 16, "multiple_of": 8, "above": 8, "maximum": 64}, (16, 64, 8)),
        (1000, (50, 2000, 50)),
        ({"default": 2, "minimum": 1}, (1, 10, 1)),
        ({"default": 1056, "minimum": 96}, (106, 2112, 53)),
        ({"type": "number", "default": 2.54, "above": 1}, (1.016, 5.08, 0.127)),
        ({"type": "number", "default": 1, "above": 0}, (0.05, 2, 0.05)),
        (0, None),
        (True, None),
        ("relu", None),
        ({"default": 1, "choices": [1, 2]}, None),
    ],
)
def test_a_slider_goes_by_what_is_declared_and_else_by_the_default(declared: Any, ends: Any) -> None:
    parameter = TypeAdapter(Parameters).validate_python({"p": declared})["p"]
    assert slider(parameter) == (dict(zip(("min", "max", "step"), ends, strict=True)) if ends else {})


def test_compare_pairs_layers() -> None:
    answer = good("compare", source={"text": TEXT}, other={"text": TEXT, "parameters": {"width": 9}})
    assert answer["titles"] == ["Small", "Small"]
    assert [row["side"] for row in answer["rows"]] == ["both", "changed", "changed", "changed", "changed"]
    assert answer["rows"][1]["cells"]["params"] == ["224", "252"]
    totals = {one["label"]: one for one in answer["totals"]}
    assert totals["parameters"]["left"] == f"{224 + 2049 * 10:,}"
    assert totals["parameters"]["ratio"] == f"{(252 + 2305 * 10) / (224 + 2049 * 10):.3g}"


@pytest.mark.slow
def test_memory_is_that_of_the_library() -> None:
    answer = good("memory", source={"text": TEXT}, policy="training, Adam")
    timeline = ac.memory(ac.from_yaml(TEXT), training=True, optimiser="adam").value
    assert answer["data"]["peak_bytes"] == timeline.peak
    assert f"{timeline.peak:,} bytes" in answer["facts"][0]["value"]
    assert "<svg" in answer["svg"]


def test_lint_is_that_of_the_library() -> None:
    found = good("lint", source={"text": "vgg16"})["findings"]
    assert [one["id"] for one in found] == [one.rule.id for one in ac.lint("vgg16").value]


# --- pictures and derivations


@pytest.mark.parametrize("look", [{}, {"style": "blocks", "depth": 1, "theme": "dark"}, {"colour": "params"}])
def test_draw_gives_svg_that_parses(look: dict[str, Any]) -> None:
    answer = good("draw", source={"text": "lenet5"}, **look)
    picture = ET.fromstring(answer["svg"])
    layers = {one.get("data-layer") for one in picture.iter() if one.get("data-layer")}
    assert {"C1", "S4"} <= layers or look.get("depth")
    assert not [one for one in picture.iter() if one.tag.endswith("script")]


def test_explain_a_layer_and_a_sum() -> None:
    answer = good("explain", source={"text": "alexnet"}, layer="conv1", quantity="params")
    (item,) = answer["items"]
    assert item["result"] == "34,944"
    assert item["text"].startswith("(F·F·D₁ + 1)·K = (11·11·3 + 1)·96 = 364·96 = 34,944")
    assert "".join(ET.fromstring(item["html"]).itertext()).endswith("=34,944")
    whole = good("explain", source={"text": "alexnet"}, quantity="params")
    assert sum(int(one["result"].replace(",", "")) for one in whole["items"]) == 62_378_344


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["profile", "memory", "receptive_field"])
def test_chart(kind: str) -> None:
    assert "<svg" in good("chart", source={"text": "lenet5"}, kind=kind, theme="dark")["svg"]


# --- hand calculations


def test_check_names_the_mistake() -> None:
    answer = good("check", source={"text": "alexnet"}, table="layer,params\nconv1,34848\nconv2,614656\n")
    wrong, right = answer["result"]["cells"]
    assert (wrong["verdict"], wrong["expected"], wrong["claimed"]) == ("wrong", "34,944", "34848")
    assert "the bias is missing" in wrong["reason"]
    assert right["verdict"] == "right"
    assert answer["summary"] == "1 of 2 right, 1 wrong"
    data = base64.b64encode(b"layer,params\nconv1,34944\n").decode()
    assert good("check", source={"text": "alexnet"}, file=data, filename="a.csv")["summary"].startswith("1 of 1 right")
    assert good("check", source={"text": "alexnet"}, totals={"params": "62,378,344"})["summary"].startswith("1 of 1")


_PARAMS = "34,944 + 614,656 + 885,120 + 1,327,488 + 884,992 + 37,752,832 + 16,781,312 + 4,097,000"


@pytest.mark.parametrize("tool", ["keras", "fvcore", "ptflops", "torchinfo"])
@pytest.mark.parametrize("text", ["resnet18", "alexnet"])
def test_a_table_of_a_convention_is_right_in_it(text: str, tool: str) -> None:
    """Every cell of the table that is exported under it."""
    source = {"text": text}
    table = base64.b64decode(good("export", source=source, to="csv", convention=tool)["data"]).decode()
    answer = good("check", source=source, table=table, convention=tool)
    assert {cell["verdict"] for cell in answer["result"]["cells"]} <= {"right", "empty"}


@pytest.mark.parametrize(
    ("table", "verdicts", "reason"),
    [
        ("layer,params\nconv1/bn,256", ["right"], "params, as keras counts"),
        ("layer,params\nconv1/bn,128", ["right"], ""),
        ("layer,params\nconv1/bn,64\nconv1/conv,9408", ["wrong", "right"], "γ"),
        ("25610152", ["right"], "params, as keras counts"),
    ],
)
def test_answers_are_right_in_either_convention(table: str, verdicts: list[str], reason: str) -> None:
    cells = good("check", source={"text": "resnet50"}, table=table, convention="keras")["result"]["cells"]
    assert [cell["verdict"] for cell in cells] == verdicts
    assert reason in cells[0]["reason"]


@pytest.mark.parametrize(
    ("text", "summary", "total"),
    [
        (_PARAMS, "9 of 9 right", "62,378,344"),
        (_PARAMS.replace(" + ", "\n  + "), "9 of 9 right", "62,378,344"),
        (f"total params = {_PARAMS}", "9 of 9 right", "62,378,344"),
        ("62,378,344", "1 of 1 right", "62,378,344"),
        ("Parameters: 62.4 M", "1 of 1 right", "62.4 M"),
        ("1,135,256,096", "1 of 1 right", "1,135,256,096"),
        ("MACs: 1.14 G", "1 of 1 right", "1.14 G"),
        ("96·(11·11·3 + 1)", "0 of 1 right, 1 wrong", "96·(11·11·3 + 1)"),
    ],
)
def test_a_sum_is_checked_as_a_total(text: str, summary: str, total: str) -> None:
    found = good("check", source={"text": "alexnet"}, table=text)
    assert found["summary"] == summary
    last = found["result"]["cells"][-1]
    assert (last["label"], last["text"]) == ("total", total)


@pytest.mark.parametrize(
    "text",
    ["conv1: 34944", "34944\n614656", "", "= 3", "nothing = 3", "(" * 30_000, "1 +" * 6000],
    ids=lambda text: text[:12],
)
def test_what_is_neither_a_table_nor_a_sum_is_refused(text: str) -> None:
    assert errors("check", source={"text": "alexnet"}, table=text)[0]["message"]


def test_a_name_has_the_warnings_of_its_spec() -> None:
    spec = good("spec", name="alexnet")["text"]
    by_name, by_spec = (good("validate", source={"text": text})["warnings"] for text in ("alexnet", spec))
    assert len(by_name) == 3
    assert [(one["message"], one["layer"]) for one in by_name] == [(one["message"], one["layer"]) for one in by_spec]
    assert not any("line" in one for one in by_name)


# --- files


@pytest.mark.parametrize("to", ["yaml", "torch", "csv", "markdown", "json", "svg", "mermaid"])
def test_export(to: str) -> None:
    answer = good("export", source={"text": TEXT}, to=to)
    data = base64.b64decode(answer["data"])
    analysis = ac.from_yaml(TEXT).analyse()
    wanted = {
        "yaml": TEXT, "torch": analysis.network.to_torch_code(), "csv": analysis.to_csv(), "json": analysis.to_json(),
        "markdown": analysis.to_markdown(), "svg": analysis.draw(theme="light").svg,
    }  # fmt: skip
    assert data.decode() == wanted.get(to, data.decode())
    assert answer["filename"] == {"torch": "small_torch.py", "mermaid": "small.mmd", "markdown": "small.md"}.get(
        to, f"small.{to}"
    )


@pytest.mark.parametrize(("to", "named"), [("csv", False), ("markdown", True), ("json", True)])
def test_an_exported_table_is_the_one_that_is_shown(archcalc: Run, to: str, named: bool) -> None:
    """With its columns, its depth and its convention, as `report` writes it."""
    choices = {"columns": "layer,params,multiplications", "convention": "keras"}
    exported = good("export", source={"text": "resnet18"}, to=to, depth=1, **choices)
    data = base64.b64decode(exported["data"]).decode()
    options = [word for key, value in choices.items() for word in (f"--{key}", value)]
    assert data == archcalc("report", "resnet18", *options, "--depth", "1", "-f", to).out
    assert str(11_689_512 + 9_600) in data.replace(",", "")
    assert ("keras" in data) == named


def test_a_comparison_counts_in_the_convention() -> None:
    one = {"text": "resnet18"}
    answer = good("compare", source=one, other=one, convention="keras")
    assert {total["left"] for total in answer["totals"] if total["label"] == "parameters"} == {"11,699,112"}


@pytest.mark.slow
@pytest.mark.parametrize(("to", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_export_of_pixels_and_pages(to: str, begins: bytes) -> None:
    assert base64.b64decode(good("export", source={"text": "lenet5"}, to=to)["data"]).startswith(begins)


SIZELESS = {
    "a.json": json.dumps(
        {"class_name": "Sequential", "config": {"name": "small", "layers": [
            {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, None, None, 3]}},
            {"class_name": "Conv2D", "config": {"name": "first", "filters": 8, "kernel_size": [3, 3]}},
        ]}}
    ),
    "a.prototxt": """name: "small"
layer { name: "in" type: "Input" top: "data" }
layer { name: "c" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 8 kernel_size: 3 } }""",
}  # fmt: skip


@pytest.mark.parametrize("name", SIZELESS)
def test_a_model_file_without_the_size_of_its_input_asks_for_it(name: str) -> None:
    """No message names an option of the command line."""
    data = base64.b64encode(SIZELESS[name].encode()).decode()
    answer = call("import_file", {"filename": name, "data": data})
    assert (answer["ok"], answer["needs"]) == (False, "input")
    (error,) = answer["errors"]
    assert "the size of the input" in error["message"]
    assert "--" not in error["message"]
    text = good("import_file", filename=name, data=data, input="32x32x3")["text"]
    assert ac.from_yaml(text).analyse().totals.params == 224
    assert "needs" not in call("import_file", {"filename": name, "data": data, "input": "32"})


def test_a_model_file_becomes_a_spec() -> None:
    cfg = "[net]\nwidth=32\nheight=32\nchannels=3\n[convolutional]\nfilters=8\nsize=3\nstride=1\npad=1\n"
    data = base64.b64encode(cfg.encode()).decode()
    text = good("import_file", filename="C:\\dir\\..\\net one.cfg", data=data)["text"]
    assert ac.from_yaml(text).analyse().totals.params == 8 * (27 + 1)
    assert good("import_file", filename="a.yaml", data=base64.b64encode(TEXT.encode()).decode())["text"] == TEXT
    (error,) = errors("import_file", filename="a.onnx", data=base64.b64encode(b"nothing").decode())
    assert "/tmp" not in error["message"]
    assert "is no model file" in errors("import_file", filename="py:os:getcwd", data=data)[0]["message"]


@pytest.mark.parametrize(
    "name", ["lenet5", "alexnet@grouped", "resnet50", *(pytest.param(one, marks=pytest.mark.slow) for one in names())]
)
def test_the_spec_of_a_network_is_that_network(name: str) -> None:
    text = good("spec", name=name)["text"]
    mine, own = ac.from_yaml(text).analyse(), ac.analyse(name)
    assert mine.totals == own.totals
    assert [row.output_shape for row in mine] == [row.output_shape for row in own]


@pytest.mark.slow
def test_the_catalogue_has_every_network_and_its_examples_are_good() -> None:
    answer = good("catalogue", counts=True)
    assert [one["name"] for one in answer["networks"]] == list(names())
    alexnet = next(one for one in answer["networks"] if one["name"] == "alexnet")
    assert (alexnet["params"], alexnet["multiplications"]) == (62_378_344, 1_135_256_096)
    assert [one["title"] for one in answer["networks"]] == [ac.load(name).title for name in names()]
    at_once = good("catalogue")
    assert at_once["networks"] == [
        {**{key: value for key, value in one.items() if key != "layers"}, "params": None, "multiplications": None}
        for one in answer["networks"]
    ]
    for example in answer["examples"]:
        good("analyse", source={"text": example["text"]})
    for convention in answer["conventions"]:
        good("analyse", source={"text": "alexnet"}, convention=convention)


# --- what is wrong


@pytest.mark.parametrize(
    ("name", "request_", "message"),
    [
        ("analyze", {}, "did you mean analyse"),
        ("analyse", {}, "needs 'source'"),
        ("analyse", [], "is a JSON object"),
        ("analyse", {"source": "alexnet"}, "'source' is an object"),
        ("analyse", {"source": {"text": 7}}, "'text' is a text"),
        ("analyse", {"source": {"text": ""}}, "write a network"),
        ("analyse", {"source": {"text": "x" * (2 << 20)}}, "at most 1,048,576"),
        ("analyse", {"source": {"text": "lenet5"}, "depth": True}, "whole number"),
        ("analyse", {"source": {"text": "lenet5"}, "depth": 10**30}, "from 1 to 99"),
        ("analyse", {"source": {"text": "lenet5", "parameters": {"classes": {"a": [1]}}}}, "classes"),
        ("analyse", {"source": {"text": "lenet5", "input": "3x3"}}, "3×3"),
        ("analyse", {"source": {"text": "/etc/passwd"}}, "there is no network"),
        ("analyse", {"source": {"text": "./specs/lenet5.yaml"}}, "there is no network"),
        ("analyse", {"source": {"text": "alexnet@../x.yaml"}}, "there is no network"),
        ("analyse", {"source": {"text": "py:os:getcwd"}}, ""),
        ("analyse", {"source": {"text": "8x8x3 -> [relu]*10001"}}, "the playground takes 10,000"),
        ("analyse", {"source": {"text": "a: " + "[" * 5_000}}, "nested"),
        ("draw", {"source": {"text": "lenet5"}, "style": "grpah"}, "did you mean graph"),
        ("explain", {"source": {"text": "lenet5"}, "layer": "C9"}, "has no layer 'C9'"),
        ("check", {"source": {"text": "lenet5"}, "file": "!", "filename": "a.csv"}, "no base64"),
        ("check", {"source": {"text": "lenet5"}, "totals": {"parms": "3"}}, "holds some of"),
        ("mark", {"source": {"text": "lenet5"}, "token": '["all of it", 1]', "cells": [{"row": 0}]}, "needs 'key'"),
        ("spec", {"name": "8x8x3 -> relu"}, "of the catalogue"),
        ("export", {"source": {"text": "lenet5"}, "to": "exe"}, "there is no to 'exe'"),
        ("complete", {"text": "", "line": 9, "column": 1}, "'line' is a line of the text"),
    ],
)
def test_refused(name: str, request_: Any, message: str) -> None:
    answer = call(name, request_)
    assert answer["ok"] is False
    assert message in answer["errors"][0]["message"]


@pytest.mark.parametrize("text", ["", "{", "nul", "[" * 100_000, '"a"'])
def test_what_is_no_request_is_refused(text: str) -> None:
    assert json.loads(call_text("analyse", text))["ok"] is False


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a\"><img src=x onerror='alert(1)'>", "a]]>b", "&lt;"])
def test_a_name_is_text_in_every_picture_and_derivation(name: str) -> None:
    quoted = json.dumps(name)
    layer = f"conv2d: {{name: {quoted}, out_channels: 4, kernel_size: 3}}"
    text = f"name: x\ntitle: {quoted}\ninput: 8x8x3\nlayers:\n  - {layer}\n"
    answer = call("draw", {"source": {"text": text}})
    if not answer["ok"]:
        text = text.replace(f"name: {quoted}", "name: conv1")
        answer = good("draw", source={"text": text})
    tags = {one.tag.rpartition("}")[2] for one in ET.fromstring(answer["svg"]).iter()}
    assert tags <= {"svg", "title", "desc", "rect", "g", "text", "path", "style", "tspan"}
    for item in good("explain", source={"text": text})["items"]:
        assert {one.tag for one in ET.fromstring(item["html"]).iter()} <= {
            "math", "mrow", "mi", "mn", "mo", "mfrac", "msub", "msup", "msubsup", "mtext", "munder", "mover",
        }  # fmt: skip


def test_messages_are_in_the_language_that_is_asked_for() -> None:
    table = "layer,params\nconv1,34848\n"
    english = good("check", source={"text": "alexnet"}, table=table)["summary"]
    russian = good("check", source={"text": "alexnet"}, table=table, lang="ru")["summary"]
    assert english != russian
    assert good("check", source={"text": "alexnet"}, table=table, lang="xx")["summary"] == english


def test_every_function_is_described() -> None:
    from tests.cli.runner import ROOT

    page = (ROOT / "docs" / "how-to" / "playground.md").read_text(encoding="utf-8")
    assert [name for name in FUNCTIONS if f"`{name}`" not in page] == []


@pytest.mark.parametrize("style", ["graph", "blocks", "volumes"])
def test_every_shape_has_its_look_itself(style: str) -> None:
    """The page lets no style sheet in, which would leave shapes black."""
    root = ET.fromstring(good("draw", source={"text": "lenet5"}, style=style)["svg"])
    space = "{http://www.w3.org/2000/svg}"
    assert list(root.iter(f"{space}style")) == []
    shapes = [*root.iter(f"{space}rect"), *root.iter(f"{space}text"), *root.iter(f"{space}path")]
    assert len(shapes) > 10
    assert all("fill" in shape.attrib for shape in shapes)


def test_what_the_catalogue_offers_to_choose_has_words_of_the_page() -> None:
    found = good("catalogue")
    offered = {*found["levels"], *found["policies"], *found["styles"], *(one["title"] for one in found["exports"])}
    offered |= {one["title"] for name in ("charts", "examples") for one in found[name]}
    offered |= {str(one).replace("_", " ") for one in Verdict}
    assert offered == set(json.loads((PAGE / "test" / "choices.json").read_text(encoding="utf-8")))


def test_an_error_names_its_layer_and_the_limit_of_the_playground() -> None:
    answer = call("analyse", {"source": {"text": "alexnet", "parameters": {"classes": 99_999_999_999}}})
    assert [one["layer"] for one in answer["errors"]] == ["fc8"]
    text = "name: long\ntitle: Long\ninput: 8x8x3\nlayers:\n  - repeat: 60000\n    layers: [relu]\n"
    for name in ("analyse", "validate"):
        found = call(name, {"source": {"text": text}})["errors"]
        assert [one["message"] for one in found] == [
            "repeat: 60000 is more than the 10,000 layers that the playground takes"
        ]


@pytest.mark.parametrize("written", ["{width: 8}", "{width: {default: 8, minimum: 1}}  # as in the paper"])
def test_the_spec_that_is_exported_keeps_its_parameters(written: str) -> None:
    text = re.sub(r"parameters: .*", f"parameters: {written}", TEXT)
    source = {"text": text, "parameters": {"width": 9}, "input": "48x48x3"}
    found = base64.b64decode(good("export", source=source, to="yaml")["data"]).decode()
    assert found == text.replace("8", "9", 1).replace("32x32x3", "48x48x3")


def test_the_spec_that_is_exported_is_the_network_where_a_default_says_less() -> None:
    text = TEXT.replace("layers:", "networks: {small: {set: {width: 5}}}\nlayers:")
    source = {"text": text, "parameters": {"width": 9}}
    found = base64.b64decode(good("export", source=source, to="yaml")["data"]).decode()
    assert totals(good("analyse", source={"text": found})) == totals(good("analyse", source=source))


def test_lines_between_two_numbers_are_no_sum_and_are_read_in_few_steps() -> None:
    table = "params: 1" + "\n" * 19_000 + "1"
    assert not call("check", {"source": {"text": "alexnet"}, "table": table})["ok"]


def test_an_empty_table_is_asked_for() -> None:
    assert call("check", {"source": {"text": "alexnet"}, "table": " \n"})["errors"] == [
        {"message": "write a table with its headings, or a total", "severity": "error"}
    ]
