"""A thousand hostile requests: an answer to each, in JSON, within bounds, and never markup that they brought."""

from __future__ import annotations

import base64
import json
import re
import warnings
import xml.etree.ElementTree as ET
from random import Random
from typing import Any

import pytest

from archcalc.cli.serve.functions import FUNCTIONS, call
from archcalc.spec.catalogue import SPECS
from tests.cli.test_hostile import HOSTILE
from tests.fuzz.inputs import changed
from tests.steps import at_most_calls

#: Functions that one request may call, and characters of an answer.
MOST_CALLS, LONGEST = 60_000_000, 40_000_000
QUICK, SLOW, CHUNK = 4, 1_000, 50
MARK = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
TEXTS = (
    "", "alexnet", "lenet5", "resnet18", "unet", "alexnet@grouped", "../../etc/passwd", "py:os:system", "a.yaml",
    "8x8x3 -> conv3-4 -> relu -> fc10", "1x1x1 -> [upconv2-1/2]*600", "16x16x3 -> [[conv3-8 -> relu]*3 -> pool2]*2",
    "8x8x3 -> [conv3-4]*9000", "1x1x1 -> [conv3-1/1048576]*800", "->", "→ → →", "a: &a [*a]", "- " * 500, "{" * 3_000,
    "a: !!python/object/apply:os.system [ls]", "\ud800", "\x00", "\u202ename: x", "name: x\n" * 3_000,
    f"name: x\ntitle: {json.dumps(MARK)}\ninput: 8x8x3\nlayers:\n  - conv2d: {{out_channels: 4, kernel_size: 3}}\n",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 1 << 70, 1.5, "", "params", "x" * 5_000, MARK, "\ud800", [], {}, [[]], {"a": {}},
    "conv1", "C1", "Adam", "training", "9" * 5_000, "1e999", "224x224x3", "blocks", "towers", "json", "svg", "dark",
)  # fmt: skip
KEYS = (
    "layer", "quantity", "style", "depth", "theme", "colour", "highlight", "only", "expand", "convention", "columns",
    "table", "totals", "file", "filename", "data", "to", "kind", "policy", "level", "seed", "token", "cells", "line",
    "column", "text", "name", "lang", "counts",
)  # fmt: skip
FILES = (
    "a.onnx",
    "a.keras",
    "a.json",
    "a.h5",
    "a.cfg",
    "a.prototxt",
    "a.pt2",
    "a.pkl",
    "../x.cfg",
    "a.yaml",
    "\x00.cfg",
)
TABLES = (
    "layer,params\nconv1,3\nconv2,=2+3\n", "layer,output\nC1,28x28x6\n", '[{"layer": "C1", "params": "1e400"}]', ",,,",
    "|layer|params|\n|---|---|\n|C1|156|\n", f"layer,params\n{MARK},{MARK}\n", "layer,params\n" + "C1,156\n" * 2_000,
)  # fmt: skip


def a_text(random: Random) -> str:
    kind = random.randrange(4)
    if kind == 0:
        return random.choice(TEXTS)
    if kind == 1:
        return random.choice(sorted(HOSTILE.glob("*.yaml"))).read_bytes().decode("utf-8", "replace")
    text = (
        random.choice(sorted(SPECS.glob("*.yaml"))).read_text(encoding="utf-8") if kind == 2 else random.choice(TEXTS)
    )
    for _ in range(random.randrange(1, 4)):
        text = changed(text, random)
    return text


def a_source(random: Random) -> Any:
    if random.random() < 0.05:
        return random.choice(VALUES)
    source: dict[str, Any] = {"text": a_text(random)}
    if random.random() < 0.2:
        source["input"] = random.choice(
            ("224x224x3", "1x1x1", "0x0", "9" * 300, MARK, 5, "a=1x1x1, b=2x2x2", "3x224x224")
        )
    if random.random() < 0.2:
        source["parameters"] = {random.choice(("alpha", "classes", "width", MARK)): random.choice(VALUES)}
    return source


def a_request(number: int) -> tuple[str, Any]:
    random = Random(number)  # the same requests on every run
    name = random.choice([*FUNCTIONS, "analyse", "draw", "validate", "explain"])
    if name == "catalogue":
        name = "complete"  # it does not read its request
    if random.random() < 0.03:
        return random.choice((name, "nothing", "__class__", "")), random.choice(VALUES)
    request: dict[str, Any] = {"source": a_source(random), "other": a_source(random)}
    likely: dict[str, Any] = {
        "complete": {"text": a_text(random), "line": random.randrange(1, 40), "column": random.randrange(1, 60)},
        "hover": {"text": a_text(random), "line": random.randrange(1, 40), "column": random.randrange(1, 60)},
        "format": {"text": a_text(random)},
        "spec": {"name": a_text(random)[:150]},
        "check": {"table": changed(random.choice(TABLES), random)},
        "explain": {"layer": random.choice(("conv1", "C1", "conv2_x", MARK, "input"))},
        "import_file": {
            "filename": random.choice(FILES),
            "data": base64.b64encode(a_text(random).encode("utf-8", "replace")).decode(),
        },
        "mark": {"token": '["all of it", 3]', "cells": [{"row": 1, "key": "params", "text": a_text(random)[:100]}]},
        "export": {
            "to": random.choice(("yaml", "torch", "keras", "caffe", "csv", "markdown", "json", "svg", "mermaid"))
        },
    }
    request |= likely.get(name, {})
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        request[random.choice(KEYS)] = random.choice(VALUES)
    # Charts, pixels and pages are drawn by an engine of their own, which takes no more from a request.
    if name in ("chart", "memory") or request.get("to") in ("png", "pdf"):
        name = "lint"
    return name, request


def hold(number: int) -> None:
    name, request = a_request(number)
    with at_most_calls(MOST_CALLS), warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = call(name, request)
    text = json.dumps(answer, allow_nan=False)
    assert len(text) < LONGEST, number
    assert answer["ok"] is True or all(error["message"] for error in answer["errors"]), number
    assert "/tmp/" not in text or "/tmp/" in json.dumps(request), number
    for markup in (answer.get("svg"), *(item["html"] for item in answer.get("items", ()) if "html" in item)):
        if markup:
            for one in ET.fromstring(markup).iter():
                assert not re.search(r"script|foreignObject|iframe|img|image", one.tag), number
                assert not [key for key in one.attrib if key.lower().startswith("on") or "href" in key], number
    for error in answer.get("errors", ()):
        if "line" in error:
            assert 1 <= error["line"] <= error["end_line"], number
            assert 1 <= error["column"] <= error["end_column"], number


@pytest.mark.parametrize(
    "first",
    [0, *(pytest.param(first, marks=pytest.mark.slow) for first in range(CHUNK, SLOW, CHUNK))],
)
def test_every_request_is_answered(first: int) -> None:
    for number in range(first, first + (QUICK if first == 0 else CHUNK)):
        hold(number)
