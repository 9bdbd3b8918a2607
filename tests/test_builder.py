"""Networks built in code are those that a spec gives, and what a spec refuses is refused when it is added."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archcalc as ac
from tests.tiers import examples


def start() -> ac.GraphBuilder:
    builder = ac.GraphBuilder("net", "32x32x3")
    builder.add("conv2d", "conv1", out_channels=16, kernel_size=3, padding=1)
    builder.add("relu", "relu1")
    return builder


def test_branches_and_merges_are_those_of_the_spec() -> None:
    builder = ac.GraphBuilder(
        "net", "32x32x3", title="A net", authors=["A. Author"], year=1998, paper={"title": "On nets"},
        reported=[{"quantity": "params", "value": 5, "source": "table 1"}], description="For tests.",
    )  # fmt: skip
    stem = builder.add("conv_bn_relu", "stem", out_channels=8, kernel_size=3, stride=2)
    with builder.block("unit"):
        left = builder.add("conv2d", "left", inputs=stem, out_channels=8, kernel_size=3, padding="same")
        right = builder.add("max_pool2d", inputs=stem, kernel_size=3, stride=1, padding=1)
        builder.add("concat", inputs=[left, right])
    builder.add("linear", out_features=10)
    text = """
name: net
title: A net
description: For tests.
authors: [A. Author]
year: 1998
paper: {title: On nets}
reported: [{quantity: params, value: 5, source: table 1}]
input: 32x32x3
layers:
  - conv_bn_relu: {name: stem, out_channels: 8, kernel_size: 3, stride: 2}
  - branches:
      - [conv2d: {name: left, out_channels: 8, kernel_size: 3, padding: same}]
      - [max_pool2d: {kernel_size: 3, stride: 1, padding: 1}]
    name: unit
    merge: concat
  - linear: {out_features: 10, from: unit}
"""
    spec = ac.from_yaml(text)
    built = builder.build()
    assert built == spec
    assert built == ac.from_yaml(built.to_yaml())


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("conv2", {}, "there is no op or block 'conv2'; did you mean conv2d"),
    ("input", {}, "there is no op or block 'input'"),
    ("relu", {"name": "conv1"}, "two layers are named 'conv1'"),
    ("relu", {"name": "input"}, "two layers are named 'input'"),
    ("relu", {"name": "a//b"}, "'a//b' cannot be a name"),
    ("relu", {"inputs": "conv2"}, "from: there is no layer 'conv2'; did you mean conv1"),
    ("add", {"inputs": ["conv1", "later"]}, "from: there is no layer 'later'"),
    ("relu", {"name": "own", "inputs": "own"}, "own"),
    ("relu", {"inputs": []}, "from must name layers"),
    ("relu", {"inputs": ["conv1", "relu1"]}, "relu takes one input, 2 reach it"),
    ("add", {}, "add takes at least 2 inputs, 1 reach it"),
    ("conv2d", {"kernel_size": 3}, "conv2d needs out_channels"),
    ("conv2d", {"out_channels": 8, "kernel": 3}, "conv2d has no setting 'kernel'; did you mean kernel_size"),
    ("conv2d", {"out_channels": 2.5, "kernel_size": 3}, r"out_channels: should be a whole number, not 2\.5"),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "padding": "smae"}, "'smae'.*did you mean same"),
    ("conv2d", {"out_channels": 8, "kernel_size": 33}, "the window is larger than its input"),
    ("conv2d", {"out_channels": 9, "kernel_size": 3, "groups": 2}, "groups"),
    ("add", {"inputs": ["input", "conv1"]}, "the maps to add differ in shape"),
    ("reshape", {"shape": "5x5x5"}, "the number of values changes"),
    ("conv_relu", {"out_channels": 8}, "block 'conv_relu' needs kernel_size"),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "weights": "conv9"}, "weights: there is no layer 'conv9'"),
    ("conv2d", {"out_channels": 16, "kernel_size": 3, "weights": "relu1"}, r"relu1 \(relu\) has none"),
    ("conv2d", {"out_channels": 16, "kernel_size": 3, "weights": "conv1"}, "their shapes differ"),
    ("conv_relu", {"out_channels": 16, "kernel_size": 3, "weights": "conv1"}, "there is no layer 'conv1/conv'"),
    ("batch_norm2d", {"weights": "conv1"}, "which is another kind: conv2d"),
]


@pytest.mark.parametrize(("op", "fields", "message"), REFUSED)
def test_what_does_not_fit_is_refused_and_leaves_nothing(op: str, fields: dict[str, Any], message: str) -> None:
    builder, untouched = start(), start()
    with pytest.raises(ac.SpecError, match=message) as refusal:
        builder.add(op, **fields)
    assert all(problem.location is None for problem in refusal.value.problems)
    assert len(builder) == 3
    for each in (builder, untouched):
        each.add("conv2d", out_channels=4, kernel_size=1)
        each.add("relu")
    assert builder.build() == untouched.build()


@pytest.mark.slow
@pytest.mark.parametrize(("op", "fields", "message"), REFUSED)
def test_a_spec_refuses_it_with_the_same_words(op: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ac.SpecError) as built:
        start().add(op, **fields)
    words = {"from" if key == "inputs" else key: value for key, value in fields.items()}
    flow = ", ".join(f"{key}: {value if not isinstance(value, str) else repr(value)}" for key, value in words.items())
    text = (
        "name: net\ntitle: net\ninput: 32x32x3\nlayers:\n"
        "  - conv2d: {name: conv1, out_channels: 16, kernel_size: 3, padding: 1}\n  - relu: {name: relu1}\n"
        f"  - {op}: {{{flow}}}\n"
    )
    with pytest.raises(ac.SpecError) as written:
        ac.from_yaml(text).analyse()
    expected = [(problem.message, problem.layer) for problem in written.value.problems]
    assert [(problem.message, problem.layer) for problem in built.value.problems] == expected


def test_a_block_and_its_name() -> None:
    builder = start()
    with builder.block("unit") as name:
        builder.add("relu", "last")
    assert name == "unit"
    assert builder.shape("unit") == (16, 32, 32)
    builder.add("relu", "after", inputs="unit")
    assert builder.build().layers[-1].inputs == (3,)
    with pytest.raises(ac.SpecError, match="two layers are named 'unit'"), builder.block("unit"):
        raise AssertionError
    with pytest.raises(ac.SpecError, match="'a/b' cannot be a name"), builder.block("a/b"):
        raise AssertionError
    builder.add("relu", "outside")
    assert builder.build().layers[-1].name == "outside"


def test_outputs() -> None:
    builder = start()
    assert [output[:3] for output in builder.build().outputs] == [("output", 2, 1.0)]
    builder.output("conv1", "early", 0.3)
    builder.output()
    assert [output[:3] for output in builder.build().outputs] == [("early", 1, 0.3), ("output", 2, 1.0)]
    for wrong, message in (
        (("conv1", "early"), "two outputs are named 'early'"),
        (("conv3", "new"), "there is no layer 'conv3'"),
        (("conv1", "new", -1), "loss_weight must be a number from 0 on, not -1"),
        (("conv1", "new", True), "not True"),
    ):
        with pytest.raises(ac.SpecError, match=message):
            builder.output(*wrong)
    assert len(builder.build().outputs) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input": "2x3x4x5x6"}, "input: '2x3x4x5x6' has 5 numbers"),
        ({}, "a network needs one input"),
        ({"input": "8x8x3", "input_shape": (3, 8, 8)}, "a network needs one input"),
        ({"input": "8x8x3", "yaer": 1998}, "unknown key 'yaer'; did you mean year"),
        ({"input": "8x8x3", "year": 12}, "year: should be at least 1900, not 12"),
    ],
)
def test_a_network_that_cannot_begin(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ac.SpecError, match=message):
        ac.GraphBuilder("net", **arguments)


def test_a_network_without_layers_cannot_be_built() -> None:
    builder = ac.GraphBuilder("net", input_shape=(3, 8, 8))
    assert repr(builder) == "<GraphBuilder net: 0 layers, output 8×8×3>"
    with pytest.raises(ac.SpecError, match="the network has no layers"):
        builder.build()


STEPS: list[tuple[str, dict[str, Any]]] = [
    ("conv2d", {"out_channels": 4, "kernel_size": 3, "padding": 1}),
    ("conv2d", {"out_channels": 4, "kernel_size": 5}),
    ("max_pool2d", {"kernel_size": 2}),
    ("relu", {}),
    ("add", {}),
    ("concat", {}),
]


@given(st.integers(0, 2**32))
@examples(100)
def test_any_network_that_is_built_is_the_network_that_is_written(seed: int) -> None:
    """A random walk: ops on random layers; what is refused changes nothing, the rest loads again as it is."""
    choice = random.Random(seed)  # chooses examples
    builder = ac.GraphBuilder("net", "16x16x4")
    names = ["input"]
    for _ in range(12):
        op, fields = choice.choice(STEPS)
        count = 2 if op in ("add", "concat") else 1
        try:
            names.append(builder.add(op, inputs=choice.sample(names, count) if len(names) > 1 else "input", **fields))
        except ac.SpecError as error:
            assert error.problems  # noqa: PT017 # refused is one of two good ends
    if len(builder) > 1:
        net = builder.build()
        assert [layer.name for layer in net] == names
        assert ac.from_yaml(net.to_yaml()) == net
        assert tuple(row.output_shape for row in net.analyse()) == tuple(builder.shape(name) for name in names)


def test_ten_thousand_layers() -> None:
    builder = ac.GraphBuilder("deep", "4x4x2")
    for _ in range(10_000):
        builder.add("relu")
    assert builder.build().layers[-1].name == "relu10000"


def test_shared_weights_are_those_of_the_spec() -> None:
    builder = ac.GraphBuilder("net", "32x32x3", title="net")
    builder.add("conv_bn_relu", "left", out_channels=8, kernel_size=3)
    builder.add("conv_bn_relu", "right", inputs="input", weights="left", out_channels=8, kernel_size=3)
    builder.add("conv2d", "a", out_channels=8, kernel_size=3, padding=1)
    builder.add("conv2d", "b", weights="a", out_channels=8, kernel_size=3, padding=1)
    builder.add("conv2d", "c", weights="b", out_channels=8, kernel_size=3, padding=1)
    text = """
name: net
title: net
input: 32x32x3
layers:
  - conv_bn_relu: {name: left, out_channels: 8, kernel_size: 3}
  - conv_bn_relu: {name: right, from: input, weights: left, out_channels: 8, kernel_size: 3}
  - conv2d: {name: a, out_channels: 8, kernel_size: 3, padding: 1}
  - conv2d: {name: b, out_channels: 8, kernel_size: 3, padding: 1, weights: a}
  - conv2d: {name: c, out_channels: 8, kernel_size: 3, padding: 1, weights: b}
"""
    built = builder.build()
    assert built == ac.from_yaml(text)
    assert built == ac.from_yaml(built.to_yaml())
    assert built.analyse().totals.params == 216 + 16 + 584
    assert [layer.weights_of for layer in built.layers[-3:]] == [None, 7, 7]
