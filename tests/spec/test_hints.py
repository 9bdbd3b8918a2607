"""Hints for ops, settings and words that do not exist: what other frameworks call them, and what stands in."""

from __future__ import annotations

import pytest

from archcalc.core.errors import Problem, SpecError
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source

HEAD = "name: n\ntitle: T\ninput: 8x8x4\nlayers:\n"


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        build(spec_of(parse_source(text, "a.yaml")))
    return caught.value.problems


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("batch_norm2d: {eps: 1.0e-3}", ["did you mean epsilon?"]),
        ("conv2d: {in_channels: 4, out_channels: 4, kernel_size: 1}", ["it follows from what the layer reads"]),
        ("linear: {in_features: 4, out_features: 4}", ["it follows from what the layer reads"]),
        ("conv2d: {out_channels: 4, kernel_size: 1, activation: relu}", ["a layer of its own", "relu", "conv_relu"]),
        ("conv2d: {filters: 4, kernel_size: 3}", ["did you mean out_channels?"]),
        ("conv2d: {out_channels: 4, kernel_size: 3, strides: 2}", ["did you mean stride?"]),
        ("linear: {units: 4}", ["did you mean out_features?"]),
        ("max_pool2d: {pool_size: 2}", ["did you mean kernel_size?"]),
        ("relu: {inplace: true}", ["changes no shape and no count"]),
        ("dropout: 0.5", ["for example dropout: {p: 0.5}"]),
        ("max_pool2d: 2", ["for example max_pool2d: {kernel_size: 2}"]),
        ("fc: 10", ["for example linear: {out_features: 10}"]),
        ("conv2d: {out_channels:4, kernel_size: 3}", ["did you mean out_channels: 4?"]),
        ("relu\n    - relu", ["the next item of the list is indented deeper than this one"]),
        ("dense", ["did you mean linear?"]),
        ("deformable_conv2d", ["did you mean separable_conv2d?"]),  # none of another rank
        ("dense: {units: 10}", ["did you mean linear?"]),
        ("lrn", ["did you mean local_response_norm?"]),
        ("quickswish", ["ops are relu, relu6, sigmoid", "a block named quickswish may stand in"]),
        ("divisive_norm", ["batch_norm2d", "a block named divisive_norm may stand in"]),
        ("conv9d", ["conv2d", "a block named conv9d may stand in"]),
        ("squash", ["a block named squash may stand in"]),
        ("frobnicate: 2", ["there is no op 'frobnicate'", "parameters of a block", "frobnicate: {name: value}"]),
        ("attention_head", ["a block named attention_head may stand in"]),
        ("reshape: {shape: [8, 8, 4]}", ["positions×channels, as in 7x7x512 or 49x512, or a number, not [8, 8, 4]"]),
    ],
)
def test_what_is_meant_is_message(layer: str, words: list[str]) -> None:
    text = "\n".join(map(str, problems(f"{HEAD}  - {layer}\n")))
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("layer", "wrong"),
    [("scales", "scaled_tanh"), ("frobnicate: 2", "for example frobnicate"), ("reshape: {shape: [8, 8, 4]}", "a list"),
      ("attention", "flatten"), ("conv2d: {in_channels: 4, kernel_size: 1}", "mean out_chan"),
     ("conv2d: {activation: relu}", "dilation?")],
)  # fmt: skip
def test_what_is_not_meant_is_not_message(layer: str, wrong: str) -> None:
    assert wrong not in "\n".join(map(str, problems(f"{HEAD}  - {layer}\n")))


def test_a_block_of_that_name_stands_in() -> None:
    text = "name: n\ntitle: T\ninput: 8x8x4\nblocks: {quickswish: {layers: [relu6]}}\nlayers: [quickswish]\n"
    assert [row.op.kind for row in analyse(build(spec_of(parse_source(text, "a.yaml")))).rows] == ["input", "relu6"]


def test_a_name_without_a_value_takes_the_variable_of_its_name() -> None:
    text = f"{HEAD}  - for_each: [name, k]\n    rows: [[one, 1], [two, 3]]\n    layers:\n"
    text += "      - conv2d: {name, out_channels: 4, kernel_size: k}\n      - relu\n"
    text += "  - for_each: [from]\n    rows: [[one], [two]]\n    layers: [relu: {from}]\n"
    graph = build(spec_of(parse_source(text, "a.yaml")))
    assert [layer.name for layer in graph][1:5] == ["one", "relu1", "two", "relu2"]
    assert [graph.layers[layer.inputs[0]].name for layer in graph.layers[5:]] == ["one", "two"]


@pytest.mark.parametrize(
    ("let", "good"), [("m: nearest", False), ("m: \"'nearest'\"", True), ("m: [1, bilinear]", False), ("m: max", False)]
)
def test_a_word_in_a_let_is_written_in_quotes(let: str, good: bool) -> None:
    text = f"name: n\ntitle: T\ninput: 8x8x4\nlet: {{{let}}}\nlayers: [upsample2d: {{mode: m}}]\n"
    if good:
        assert build(spec_of(parse_source(text, "a.yaml")))
        return
    message = "\n".join(map(str, problems(text)))
    assert "a word is written in quotes of its own: \"'" in message
    assert "did you mean nearest" not in message


FAMILY = """
name: fam
title: Fam
description: A family
input: 8x8x4
parameters: {version: {type: number, default: 1.0}, w: 4}
networks:
  fam_v1: {title: Fam 1.0, description: The first, set: {version: 1.0}}
  fam_v11: {title: Fam 1.1, description: The second, set: {version: 1.1}}
layers:
  - conv2d: {out_channels: w, kernel_size: 3}
"""


@pytest.mark.parametrize(
    ("settings", "title", "description"),
    [
        ({}, "Fam 1.0", "The first"),
        ({"w": 8}, "Fam 1.0", "The first"),
        ({"version": 1.0}, "Fam 1.0", "The first"),
        ({"version": 1.1}, "Fam 1.1", "The second"),
        ({"version": 2}, "Fam", "A family"),
    ],
)
def test_a_member_with_other_settings_has_no_title_of_the_member(
    settings: dict[str, float], title: str, description: str
) -> None:
    graph = build(spec_of(parse_source(FAMILY, "fam.yaml")), "fam_v1", None, settings)
    assert (graph.title, graph.description) == (title, description)


BLOCK = "blocks:\n  b: {layers: [conv2d: {%s, kernel_size: 3, padding: 1}]}\nlayers:\n"
#: What a block is told of a counter around it.
NOT_IN_A_BLOCK = "'i' is not known here: a block knows its own parameters and those of the network; give it i as a"
COUNTER = "'i' is not known here; as: i next to repeat makes it the counter"


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        (BLOCK % "out_channels: 4*i" + "  - {repeat: 2, as: i, layers: [b]}\n", "conv1", NOT_IN_A_BLOCK),
        (BLOCK % "out_channels: 4*i" + "  - b: {repeat: 2, as: i}\n", "conv1", NOT_IN_A_BLOCK),
        (BLOCK % "out_channels: 4, name: 'c{i}'" + "  - b: {repeat: 2, as: i}\n", None, NOT_IN_A_BLOCK),
        (BLOCK % "out_channels: 4, name: 'c{i}'" + "  - {for_each: [i], rows: [[1]], block: relu}\n", None,
         NOT_IN_A_BLOCK),
        ("layers:\n  - conv2d: {name: 'c{i}', out_channels: 4, kernel_size: 3, repeat: 2}\n", None, COUNTER),
        ("layers:\n  - conv2d: {out_channels: 4*i, kernel_size: 3, repeat: 2}\n", "conv1", COUNTER),
        ("layers:\n  - {repeat: 2, layers: [relu: {name: 'c{i}'}]}\n", None, COUNTER),
        ("layers:\n  - relu: {name: a, repeat: 2}\n", None, 'holds the counter: "a{i}" with as: i'),
        ("layers:\n  - {repeat: 2, as: i, layers: [relu: {name: a}]}\n", None, 'holds the counter: "a{i}" with as: i'),
    ],
)  # fmt: skip
def test_counters_that_are_not_there(text: str, at: str | None, message: str) -> None:
    found = problems(f"name: n\ntitle: T\ninput: 8x8x4\n{text}")[0]
    assert message in found.message
    assert at is None or at in str(found.layer)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layers:\n  - relu: {name: b}\n  - relu: {name: b}\n", "two layers are named 'b'"),
        ("layers:\n  - relu: {repeat: 2, as: i}\n  - relu: {name: 'c{i}'}\n", "'i' is not known here"),
    ],
)
def test_counters_are_named_where_they_help_alone(text: str, message: str) -> None:
    assert problems(f"name: n\ntitle: T\ninput: 8x8x4\n{text}")[0].message == message


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        ("conv2d: {out_channels: in_channels, kernel_size: 1}", "conv2d"),
        ("linear: {out_features: in_channels}", "linear"),
        ("linear: {out_features: nothing}", "linear"),
        ("max_pool2d: {kernel_size: height}", "max_pool2d"),
    ],
)
def test_a_layer_with_too_many_inputs_is_called_what_it_is(layer: str, kind: str) -> None:
    """Its settings ask for a size of what it reads, which is not clear; that is another fault."""
    branches = "  - branches:\n      - [conv2d: {out_channels: 8, kernel_size: 3}]\n      - []\n"
    found = [problem.message for problem in problems(f"{HEAD}{branches}  - {layer}\n")]
    assert f"{kind} takes one input, 2 reach it; say which with from" in found


@pytest.mark.parametrize(
    ("layer", "quoted"),
    [
        ("conv2d: {out_channels: 4, kernel_size: 3, padding: max(p, 0)}", 'padding: "max(p, 0)"'),
        ("conv2d: {out_channels: min(4, 8), kernel_size: 3}", 'out_channels: "min(4, 8)"'),
    ],
)
def test_a_comma_in_braces_needs_quotes(layer: str, quoted: str) -> None:
    text = HEAD.replace("input", "parameters: {p: 1}\ninput") + f"  - {layer}\n"
    hints = [detail for problem in problems(text) for detail in problem.details]
    assert f"in braces a value with a comma needs quotes: {quoted}" in hints


@pytest.mark.parametrize(("reference", "meant"), [("cl", "c1"), ("C1", "c1"), ("po", "p0"), ("fco", "fc0")])
def test_letters_that_look_like_digits_are_meant_as_digits(reference: str, meant: str) -> None:
    items = [f"conv2d: {{name: {name}, out_channels: 4, kernel_size: 1}}" for name in ("c1", "p0", "fc0")]
    last = f"conv2d: {{name: last, out_channels: 4, kernel_size: 1, weights: {reference}}}"
    text = HEAD + "".join(f"  - {item}\n" for item in (*items, last))
    assert [f"did you mean {meant}?" in str(problem) for problem in problems(text)] == [True]
