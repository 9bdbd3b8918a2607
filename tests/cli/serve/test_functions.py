"""The functions of the playground: what they answer is what the library says."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

import archcalc as ac
from archcalc.cli.serve.functions import FUNCTIONS, call, call_text
from archcalc.spec.catalogue import names

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


def errors(name: str, /, **request: Any) -> list[dict[str, Any]]:
    answer = call(name, request)
    assert answer["ok"] is False
    assert answer["errors"]
    found: list[dict[str, Any]] = answer["errors"]
    return found


def applied(text: str, fix: dict[str, Any]) -> str:
    """The text after an edit, as an editor makes it."""
    lines = text.split("\n")
    assert fix["line"] == fix["end_line"]
    line = lines[fix["line"] - 1]
    lines[fix["line"] - 1] = line[: fix["column"] - 1] + fix["text"] + line[fix["end_column"] - 1 :]
    return "\n".join(lines)


# --- the table


@pytest.mark.parametrize("text", ["lenet5", "8x8x3 -> conv3-4 -> relu -> fc10", TEXT])
def test_analyse_gives_the_numbers_of_the_library(text: str) -> None:
    answer = good("analyse", source={"text": text})
    network = ac.from_yaml(text) if "\n" in text else ac.load(text)
    analysis = network.analyse()
    assert json.loads(json.dumps(answer["report"])) == analysis.to_dict()
    assert {one["key"]: one["exact"] for one in answer["totals"]}["params"] == str(analysis.totals.params)
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
    assert answer["report"]["totals"]["params"] == 28 * 16 + (32 * 32 * 16 + 1) * 10
    other = good("analyse", source={"text": "resnet18"}, depth=1, columns="layer,params", convention="keras")
    assert [column["key"] for column in other["columns"]] == ["layer", "params"]
    assert {"conv2_x", "conv5_x"} <= {row.get("block") for row in other["rows"]}
    assert other["report"]["totals"]["params"] == 11_689_512 + 9_600 + 0  # running statistics are parameters there


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


def test_an_exercise_is_solved_by_its_answers_and_by_nothing_else() -> None:
    source = {"text": "lenet5"}
    sheet = good("exercise", source=source, level="all of it", seed=3)
    keys = [column["key"] for column in sheet["columns"]]
    answers = {row.name: row for row in ac.analyse("lenet5")}
    blanks = [(index, key) for index, row in enumerate(sheet["rows"]) for key in keys if row["cells"][key] is None]
    assert len(blanks) > 10
    totals = ac.analyse("lenet5").totals
    filled = []
    for index, key in blanks:
        layer = sheet["rows"][index]["name"]
        value = getattr(totals if layer == "total" else answers[layer], key)
        text = "x".join(map(str, (*value[1:], value[0]))) if key == "output_shape" else str(value)
        filled.append({"row": index, "key": key, "text": text})
    marked = good("mark", source=source, token=sheet["token"], cells=filled)
    assert marked["score"] == {"right": len(blanks), "of": len(blanks), "text": f"{len(blanks)} of {len(blanks)}"}
    first = next(one for one in filled if one["key"] == "params")
    other = good("mark", source=source, token=sheet["token"], cells=[{**first, "text": "7"}])
    verdicts = {(one["row"], one["key"]): one["verdict"] for one in other["verdicts"]}
    assert verdicts.pop((first["row"], "params")) == "wrong"
    assert set(verdicts.values()) == {"empty"}
    assert "none of an exercise" in errors("mark", source=source, token="[[]]", cells=[])[0]["message"]


# --- the editor


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (TEXT.replace("out_channels", "out_chanels"), TEXT),
        (TEXT.replace("linear", "linaer"), TEXT),
        (TEXT.replace("kernel_size: 3, padding: 1", "kernel: 3, padding: 1"), TEXT),
        ("alexnt", "alexnet"),
        ("8x8x3 -> conv3-4 -> fcc10", "8x8x3 -> conv3-4 -> fc10"),
        (TEXT.replace("kernel_size: 3, padding: 1", "kernel_size: 41"), None),
        (TEXT.replace("kernel_size: 3, padding: 1", "kernel_size: 41, padding: 1"), None),
    ],
)
def test_the_fix_of_an_error_mends_it(wrong: str, right: str | None) -> None:
    found = errors("validate", source={"text": wrong})
    (fix,) = [one["fix"] for one in found]
    mended = applied(wrong, fix)
    assert right is None or mended == right
    good("validate", source={"text": mended})


def test_errors_have_a_place_in_the_text() -> None:
    text = TEXT + "  - relu: {slope: 1}\n"
    (found,) = errors("analyse", source={"text": text})
    assert (found["line"], found["column"]) == (10, text.splitlines()[9].index("slope") + 1)
    assert (found["end_line"], found["end_column"]) == (10, found["column"] + len("slope"))
    (found,) = errors("draw", source={"text": "8x8x3 -> conv3-4 -> conv11-4p0"})
    assert (found["line"], found["layer"]) == (1, "conv2")
    (found,) = errors("validate", source={"text": "name: [\n"})
    assert found["line"] == 2


@pytest.mark.parametrize(
    ("text", "some", "start"),
    [
        ("na", {"name"}, 1),
        ("layers:\n  - con", {"conv2d", "conv_relu", "concat"}, 5),
        ("layers:\n- max", {"max_pool2d"}, 3),
        ("layers:\n  - conv2d: {out_channels: 3, ker", {"kernel_size"}, 31),
        ("layers:\n  - conv2d:\n      pad", {"padding"}, 7),
        ("layers:\n  - conv2d: {padding: ", {"same", "valid"}, 23),
        ("layers:\n  - repeat: 2\n    layers:\n      - bat", {"batch_norm2d"}, 9),
        ("layers:\n  - branches:\n      - - con", {"conv2d"}, 11),
        ("blocks:\n  twice:\n    parameters: {c: int}\n    layers: [relu]\nlayers:\n  - tw", {"twice"}, 5),
        ("parameters:\n  width:\n    def", {"default"}, 5),
        ("layers:\n  - branches: []\n    merge: co", {"concat"}, 12),
    ],
)
def test_complete(text: str, some: set[str], start: int) -> None:
    lines = text.split("\n")
    answer = good("complete", text=text, line=len(lines), column=len(lines[-1]) + 1)
    labels = [one["label"] for one in answer["items"]]
    assert some <= set(labels)
    assert answer["from"] == start
    word = lines[-1][start - 1 :]
    assert all(word.lower() in label.lower() for label in labels)


def test_hover_and_format() -> None:
    kept = "layers:\n  - conv2d: {padding: 1,stride:  2 }   # ,kept:  so\n"
    text = f"{kept}  - conv2d: {{padding: 1,stride:  2 }}  \n\n\n\nname: x"
    assert "Convolution" in good("hover", text=text, line=2, column=6)["text"]
    assert good("hover", text=text, line=2, column=15)["text"].startswith("conv2d.padding")
    assert good("hover", text=text, line=4, column=1)["text"] is None
    assert good("format", text=text)["text"] == f"{kept}  - conv2d: {{padding: 1, stride: 2}}\n\nname: x\n"
    folded = "name: x\ndescription: |\n  a  {b,c}   \n\n\n\n  d\n"
    assert ac_value(good("format", text=folded)["text"]) == ac_value(folded)


def ac_value(text: str) -> Any:
    from archcalc.spec.source import parse_source

    return parse_source(text, "text").value


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
    assert answer["filename"].startswith("small.")


@pytest.mark.slow
@pytest.mark.parametrize(("to", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_export_of_pixels_and_pages(to: str, begins: bytes) -> None:
    assert base64.b64decode(good("export", source={"text": "lenet5"}, to=to)["data"]).startswith(begins)


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
