"""What the editor of the page asks for: errors with their mends, completions, hover texts and a tidy text."""

from __future__ import annotations

from typing import Any

import pytest

from archcalc.cli.serve import requests
from archcalc.cli.serve.faults import as_error
from archcalc.core.errors import Location, Problem
from archcalc.spec import tidy
from tests.cli.serve.test_functions import TEXT, applied, errors, good


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (TEXT.replace("out_channels", "out_chanels"), TEXT),
        (TEXT.replace("linear", "linaer"), TEXT),
        (TEXT.replace("kernel_size: 3, padding: 1", "kernel: 3, padding: 1"), TEXT),
        (TEXT.replace("max_pool2d: {kernel_size: 2}", "maxpool: 2"), TEXT),
        (TEXT.replace("{out_features: 10}", "10  # classes"), TEXT.replace("10}", "10}  # classes")),
        (
            TEXT.replace("kernel_size: 2}", "kernel_size: 2, stride: 0}"),
            TEXT.replace("size: 2}", "size: 2, stride: 1}"),
        ),
        (
            TEXT.replace("linear: {out_features: 10}", "dropout: {p: 1.5}"),
            TEXT.replace("linear: {out_features: 10}", "dropout: {p: 1}"),
        ),
        (TEXT.replace("title: Small\n", ""), TEXT.replace("title: Small", "title: small")),
        (TEXT.replace("name: small\n", ""), TEXT.replace("name: small\ntitle: Small", "title: Small\nname: small")),
        (TEXT.replace("name: small\ntitle: Small", "title: 'My net, 2'  # of 3"), None),
        (TEXT.replace("title: Small\n", "").replace("name: small", 'name: "small" # new'), None),
        ("alexnt", "alexnet"),
        ("8x8x3 -> conv3-4 -> fcc10", "8x8x3 -> conv3-4 -> fc10"),
        (TEXT.replace("padding: 1", "padding: 1, padding_mode: zeros"), TEXT),
        (TEXT.replace("{out_channels", "{padding_mode: zeros, out_channels"), TEXT),
        (TEXT.replace("padding: 1", "padding: one"), TEXT),
        (TEXT.replace("padding: 1", "padding: 1, bias: flase"), TEXT.replace("padding: 1", "padding: 1, bias: false")),
        (
            TEXT.replace(", kernel_size: 3", ""),
            TEXT.replace("kernel_size: 3, padding: 1", "padding: 1, kernel_size: 1"),
        ),
        (TEXT.replace("linear: {out_features: 10}", "linear"), TEXT.replace("features: 10", "features: 1")),
        (
            TEXT.replace("linear: {out_features: 10}", "linear:  # classes"),
            TEXT.replace("features: 10}", "features: 1}  # classes"),
        ),
        (
            TEXT.replace("linear: {out_features: 10}", "linear:\n      bias: false"),
            TEXT.replace("linear: {out_features: 10}", "linear:\n      out_features: 1\n      bias: false"),
        ),
        (
            f"{TEXT}  - linear: {{out_features: 7}}\n  - linear: {{}}\n",
            f"{TEXT}  - linear: {{out_features: 7}}\n  - linear: {{out_features: 7}}\n",
        ),
        (TEXT.replace("kernel_size: 3, padding: 1", "kernel_size: 41"), None),
        (TEXT.replace("32x32x3", "[32, 32, 3]  # HWC"), TEXT.replace("32x32x3", "32x32x3  # HWC")),
        (TEXT.replace("kernel_size: 3, padding: 1", "kernel_size: 41, padding: 1"), None),
        # No YAML: the indentation, a bracket or quote that is not closed, a space or a comma that is missing.
        (
            f"{TEXT}- relu\n- linear:\n    out_features: 7\n\n- relu  # last\n",
            f"{TEXT}  - relu\n  - linear:\n      out_features: 7\n\n  - relu  # last\n",
        ),
        (f"{TEXT}     - relu\n     - relu\n", f"{TEXT}  - relu\n  - relu\n"),
        (
            f"{TEXT}  - linear:\n      out_features: 7\n       bias: false\n",
            f"{TEXT}  - linear:\n      out_features: 7\n      bias: false\n",
        ),
        (TEXT.replace("10}", "10"), TEXT),
        (TEXT.replace("10}", "10]"), TEXT),
        (TEXT.replace("Small", "'Small"), TEXT.replace("Small", "'Small'")),
        (TEXT.replace("name: ", "name:"), TEXT),
        (TEXT.replace("kernel_size: 3", "kernel_size:3"), TEXT),
        (f"{TEXT}  -relu\n  - relu\n", f"{TEXT}  - relu\n  - relu\n"),
        (TEXT.replace("3, padding", "3 padding"), TEXT),
    ],
)
def test_the_fix_of_an_error_mends_it(wrong: str, right: str | None) -> None:
    found = errors("validate", source={"text": wrong})
    (fix,) = [one["fix"] for one in found]
    mended = applied(wrong, fix)
    assert right is None or mended == right
    good("validate", source={"text": mended})


@pytest.mark.parametrize(
    "layer", ["permute: {}", "mean: {keepdim: true}", "conv2d: {kernel_size: {height: 3, width: 3}}", "nothing: {}"]
)
def test_what_no_number_mends_has_no_fix(layer: str) -> None:
    assert not any("fix" in one for one in errors("validate", source={"text": f"{TEXT}  - {layer}\n"}))


def test_errors_have_a_place_in_the_text() -> None:
    text = TEXT + "  - relu: {slope: 1}\n"
    (found,) = errors("analyse", source={"text": text})
    assert (found["line"], found["column"]) == (10, text.splitlines()[9].index("slope") + 1)
    assert (found["end_line"], found["end_column"]) == (10, found["column"] + len("slope"))
    (found,) = errors("draw", source={"text": "8x8x3 -> conv3-4 -> conv11-4p0"})
    assert (found["line"], found["layer"]) == (1, "conv2")
    (found,) = errors("validate", source={"text": "name: 1\ntitle: [\n"})
    assert (found["line"], found["column"]) == (2, 8)


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


@pytest.mark.parametrize(("size", "first"), [("8x8x3", "2d"), ("16x4", "1d"), ("4x8x8x3", "3d")])
def test_the_ops_of_the_rank_of_the_input_are_offered_first(size: str, first: str) -> None:
    text = f"name: a\ninput: {size}\nlayers:\n  - batch_norm"
    items = good("complete", text=text, line=4, column=15)["items"]
    boosts = {one["label"]: one["boost"] for one in items if "boost" in one}
    assert boosts.pop(f"batch_norm{first}") > max(boosts.values())


def test_hover() -> None:
    text = "layers:\n  - conv2d: {padding: 1}\n  - linear\nname: x\n"
    assert "Convolution" in good("hover", text=text, line=2, column=6)["text"]
    assert good("hover", text=text, line=2, column=15)["text"].startswith("conv2d.padding")
    assert good("hover", text=text, line=9, column=1)["text"] is None
    help_ = good("hover", text=text, line=3, column=6)["text"]
    assert "`" not in help_
    assert len(help_.splitlines()) == 4, "a line for the name, each paragraph and what it needs"


@pytest.mark.parametrize(
    ("word", "message"),
    [("n", "name: …"), ("title", "title: …"), ("lay", "layers: …"), ("zzzz", "there is no network 'zzzz'")],
)
def test_the_first_word_of_a_spec_is_no_wrong_network(word: str, message: str) -> None:
    (found,) = errors("validate", source={"text": word})
    assert message in found["message"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [\n", "the spec is not valid YAML: [ is not closed\nclose it with ]"),
        ("name: a\n---\nname: b\n", "the spec holds more than one YAML document"),
    ],
)
def test_what_is_said_of_a_whole_text_has_a_subject(text: str, message: str) -> None:
    assert errors("validate", source={"text": text})[0]["message"] == message


UNTIDY = """
name:   x
title :  'A  b'   # kept:  so
description: |
      a  {b,c}


        d
# about layers
layers:
# first
- conv2d:   {out_channels:  3,kernel_size: 3 }   # a,b
-   linear:
       # inner
       out_features:    10
       bias:  false
-   repeat:  2
    layers:
    -   relu
    -   branches:
        -   -   relu
            -   linear: {out_features: 3,
                         bias: false }
        - []
        merge: add



"""
TIDY = """name: x
title: 'A  b'   # kept:  so
description: |
      a  {b,c}


        d
# about layers
layers:
  # first
  - conv2d: {out_channels: 3, kernel_size: 3}   # a,b
  - linear:
      # inner
      out_features: 10
      bias: false
  - repeat: 2
    layers:
      - relu
      - branches:
          - - relu
            - linear: {out_features: 3,
                         bias: false}
          - []
        merge: add
"""


def test_a_text_is_put_in_order() -> None:
    assert good("format", text=UNTIDY)["text"] == TIDY
    assert good("format", text=TIDY)["text"] == TIDY
    assert ac_value(UNTIDY) == ac_value(TIDY)


@pytest.mark.parametrize("name", ["alexnet", "resnet50", "googlenet", "swin_t"])
def test_the_catalogue_is_in_order(name: str) -> None:
    text = good("spec", name=name)["text"]
    assert good("format", text=text)["text"] == text


def test_a_text_whose_meaning_would_change_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidy._Layout, "tidied", lambda _: "name: other\n")
    assert "its meaning would change" in errors("format", text="name: a\n")[0]["message"]


def ac_value(text: str) -> Any:
    from archcalc.spec.source import parse_source

    return parse_source(text, "text").value


@pytest.mark.parametrize(("line", "column"), [(5, 5), (99, 1), (2, 9), (1, 4)])
def test_a_place_in_another_text_has_no_mend(line: int, column: int) -> None:
    problem = Problem(
        "is not valid YAML: the indentation differs",
        Location(requests.TEXT, line, column),
        details=("begin it in column 1",),
    )
    assert "fix" not in as_error(problem, "name: x\n\ntitle: X")
