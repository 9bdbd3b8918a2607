"""Networks of several inputs: in specs and the builder, on other sizes, through reports, runs and closed forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc as ac
from archcalc.core.errors import SpecError, UsageError
from archcalc.core.shapes import Shape
from archcalc.execute.runner.execute import execute
from archcalc.execute.runner.inputs import random_inputs
from archcalc.execute.weights import SeededWeights
from archcalc.explain.symbolic.closed import closed_form
from archcalc.graph.inputs import InputShapes, parse_inputs
from archcalc.passes.analysis import analyse
from archcalc.passes.shapes import infer_shapes
from archcalc.render.tables.json import as_dict
from archcalc.spec.build import build
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from archcalc.spec.write import write_graph
from tests.networks import HEAD, graph, inputs_of, problems

TWO = """\
parameters: {n: 8}
inputs: {image: 8x8x3, mask: "{n}x8x1"}
layers:
  - conv2d: {name: first, out_channels: 4, kernel_size: 3, padding: 1}
  - conv2d: {name: gate, from: mask, out_channels: channels(image) + 1, kernel_size: 1}
  - sigmoid
  - multiply: {from: [first, sigmoid1]}
  - linear: {out_features: 10}
"""


def test_the_inputs_are_layers_that_are_read_by_name() -> None:
    network = graph(TWO)
    assert network.inputs == {"image": (3, 8, 8), "mask": (1, 8, 8)}
    assert inputs_of(network, "first") == ["image"]
    assert inputs_of(network, "gate") == ["mask"]
    analysis = analyse(network)
    # Both images are stored: 192 + 64, with 256 + 256 + 256 + 10 that the layers make.
    assert [row.activations for row in analysis.rows[:2]] == [192, 64]
    assert analysis.totals.activations == 192 + 64 + 3 * 256 + 10
    assert analysis.totals.params == (27 * 4 + 4) + (4 + 4) + (2560 + 10)


def test_json_names_several_inputs_and_keeps_the_first() -> None:
    found = as_dict(analyse(graph(TWO)))
    assert found["input"]["shape"] == [3, 8, 8]
    assert found["inputs"] == {"image": {"shape": [3, 8, 8]}, "mask": {"shape": [1, 8, 8]}}
    assert "inputs" not in as_dict(ac.analyse("lenet5"))


@pytest.mark.parametrize("algorithm", ["fast", "im2col", "loops"])
def test_a_run_agrees_with_numpy(algorithm: Any) -> None:
    network = graph(TWO)
    x = random_inputs(network, 2, 0, "float64")
    assert isinstance(x, dict)
    assert not np.array_equal(x["image"][:, :1], x["mask"])
    weights = SeededWeights(network, 0, "float64", keep=True)
    (found,) = execute(network, x, weights, algorithm).outputs.values()
    first, gate, dense = (
        weights.of(name, {"weight": shape, "bias": shape[:1]})
        for name, shape in (("first", (4, 3, 3, 3)), ("gate", (4, 1, 1, 1)), ("fc1", (10, 256)))
    )
    padded = np.pad(x["image"], ((0, 0), (0, 0), (1, 1), (1, 1)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    maps = np.einsum("nchwij,kcij->nkhw", seen, first["weight"]) + first["bias"][:, None, None]
    open_ = x["mask"] * gate["weight"][None, :, 0] + gate["bias"][:, None, None]
    expected = (maps / (1 + np.exp(-open_))).reshape(2, -1) @ dense["weight"].T + dense["bias"]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_run_wants_every_input() -> None:
    network = graph(TWO)
    x = random_inputs(network, 1, 0, "float32")
    assert isinstance(x, dict)
    with pytest.raises(UsageError, match="net has the inputs image and mask, here are image"):
        execute(network, {"image": x["image"]}, SeededWeights(network, 0, "float32"))
    assert not ac.run(ac.from_yaml(HEAD + TWO)).differences


@pytest.mark.parametrize(
    ("given", "image", "mask"),
    [
        ((3, 16, 16), (3, 16, 16), (1, 16, 16)),
        ((4, 8, 8), (4, 8, 8), (1, 8, 8)),
        ({"mask": (1, 4, 4)}, (3, 8, 8), (1, 4, 4)),
    ],
)
def test_on_other_inputs(given: InputShapes, image: Shape, mask: Shape) -> None:
    assert graph(TWO).with_input(given).inputs == {"image": image, "mask": mask}


def test_the_inputs_of_a_network_can_be_given_by_name() -> None:
    network = graph(TWO, input_shape={"mask": (1, 4, 4)}, settings={"n": 6})
    assert network.inputs == {"image": (3, 8, 8), "mask": (1, 4, 4)}
    assert graph(TWO, settings={"n": 6}).inputs["mask"] == (1, 6, 8)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((3, 8, 8), "net has the inputs image and mask: say which, as in image=224x224x3"),
        ({"msk": (1, 8, 8)}, "net has no input 'msk'; did you mean mask?"),
    ],
)
def test_inputs_that_are_not_there(given: InputShapes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        graph(TWO, input_shape=given)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8x4x3", (3, 8, 4)),
        ("mask=8x8x1", {"mask": (1, 8, 8)}),
        ("image = 8x8x3, mask=8x8x1", {"image": (3, 8, 8), "mask": (1, 8, 8)}),
    ],
)
def test_inputs_are_read_from_text(text: str, found: InputShapes) -> None:
    assert parse_inputs(text) == found


@pytest.mark.parametrize("text", ["a=8x8x3,a=8x8x3", "a=", "=8x8x3", "a=8x8x3 b=8x8x3", "a=b=8x8x3", ",a=8x8x3"])
def test_what_is_no_list_of_inputs(text: str) -> None:
    with pytest.raises(UsageError):
        parse_inputs(text)


def test_what_is_written_loads_again() -> None:
    network = graph(TWO)
    assert build(spec_of(parse_source(write_graph(network), "written.yaml"))) == network


def test_a_closed_form_has_the_parameters_of_every_input(tmp_path: Path) -> None:
    text = TWO.replace("8x8x3", '"{n}x8x3"')
    path = tmp_path / "net.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    form = closed_form(str(path), "activations")
    for n in (4, 8, 11):
        assert form.at(n=n) == analyse(graph(text, settings={"n": n})).totals.activations
    with pytest.raises(UsageError, match="net has several inputs"):
        closed_form(str(path), "activations", names=["input"])


def test_fields_of_inputs_of_another_size_are_not_in_pixels_of_the_first() -> None:
    text = """\
inputs: {a: 8x8x3, b: 4x4x3}
layers:
  - max_pool2d: {name: p, kernel_size: 2}
  - relu: {name: r, from: b}
  - add: {name: s, from: [p, r]}
"""
    rows = analyse(graph(text)).rows
    assert [row.name for row in rows if row.receptive_field is None] == ["b", "r", "s"]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("inputs: {a: 8x8x3, b: 8x8x3}\nlayers: [relu]\n", 3, 20, "no layer reads the input 'b'"),
        ("inputs: {a: 8x8x3, b: 8y8}\nlayers: [add: {from: [a, b]}]\n", 3, 23, "b: cannot read '8y8'"),
        ("inputs: {a: 8x8x3, b: 4x4x3}\nlayers: [add: {from: [a, b]}]\n", 4, 10, "the maps to add differ in shape"),
        ("inputs: {a: 8x8x3, b: 8x8x3}\nlayers: [add: {from: [a, input]}]\n", 4, 26, "there is no layer 'input'"),
        ("inputs: {}\nlayers: [relu]\n", 3, 9, "inputs must name at least one"),
        ("input: 8x8x3\ninputs: {a: 8x8x3}\nlayers: [relu]\n", 4, 1, "input and inputs are two ways"),
        ("layers: [relu]\n", 1, 1, "needs 'input', or 'inputs'"),
        ("inputs: {a/b: 8x8x3, b: 8x8x3}\nlayers: [add: {from: [b]}]\n", 3, 15, "'a/b' cannot be the name"),
        ('inputs: {a: "{m}x8x3", b: 8x8x3}\nlayers: [add: {from: [a, b]}]\n', 3, 15, "a: 'm' is not known here"),
        ("inputs: {a: 8x8x3, a2: 8x8x3}\nlayers: [relu: {name: a}, add: {from: [a, a2]}]\n", 4, 23, "two layers"),
    ],
)  # fmt: skip
def test_bad_inputs(text: str, line: int, column: int, words: str) -> None:
    found = problems(text)
    assert [words in problem.message for problem in found[:1]] == [True]
    location = found[0].location
    assert location is not None
    assert (location.line, location.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ('input: "8x8x{channels(a)}"\n', 14, "input: channels is not known here: an input comes before all layers"),
        ('input: "8x{height}x3"\n', 12, "input: height is not known here: an input comes before all layers"),
        ('inputs: {input: 8x8x3, b: "8x8x{channels(a)}"}\n', 33, "b: channels is not known here: an input comes"),
        ('inputs: {input: 8x8x3, b: "8x8x{m}"}\n', 33, "b: 'm' is not known here"),
    ],
)
def test_a_faulty_input_is_the_only_error(text: str, column: int, words: str) -> None:
    # Nothing is made of a size that is not known: no window is too large, no input is missing.
    reads_both = "  - concat: {from: [a, b]}\n" if "inputs" in text else ""
    layers = (
        "layers:\n  - conv2d: {name: a, from: input, out_channels: 8, kernel_size: 3}\n"
        "  - conv2d: {out_channels: in_channels, kernel_size: 3}\n"
    )
    (found,) = problems(text + layers + reads_both)
    assert words in found.message
    assert found.location is not None
    assert (found.location.line, found.location.column) == (3, column)


def test_the_builder_takes_several_inputs() -> None:
    builder = ac.GraphBuilder("net", inputs={"image": "8x8x3", "mask": "8x8x1"})
    first = builder.add("conv2d", "first", out_channels=1, kernel_size=1)
    with pytest.raises(SpecError, match="no layer reads the input 'mask'"):
        builder.build()
    builder.add("multiply", inputs=[first, "mask"])
    network = builder.build()
    assert network.inputs == {"image": (3, 8, 8), "mask": (1, 8, 8)}
    assert infer_shapes(network).layers[-1].output == (1, 8, 8)
    assert "2 layers" in repr(builder)
    with pytest.raises(SpecError, match="needs one input"):
        ac.GraphBuilder("net", "8x8x3", inputs={"a": "8x8x3"})


@pytest.mark.parametrize(
    ("size", "shape"),
    [("16000x1", (1, 16000)), ("16x112x112x3", (3, 16, 112, 112)), ("197x768", (768, 197)), ("3072", (3072,))],
)
def test_an_input_of_any_rank(size: str, shape: Shape) -> None:
    text = f"input: {size}\nlayers:\n  - relu\n  - linear: {{out_features: 10}}\n"
    network = graph(text)
    assert network.input_shape == shape
    values = 1
    for count in shape:
        values *= count
    assert analyse(network).totals.params == 10 * values + 10
    assert build(spec_of(parse_source(write_graph(network), "written.yaml"))) == network
    assert ac.load(f"{size} -> relu -> fc10").input_shape == shape
    assert ac.from_yaml(HEAD + text, input=size).input_shape == ac.from_yaml(HEAD + text, input_shape=shape).input_shape


def test_a_pattern_has_the_ops_of_its_rank() -> None:
    signal = ac.load("16000x1 -> conv9-8/2 -> bn -> maxpool4 -> gap -> fc10")
    assert [layer.op.kind for layer in signal][1:4] == ["conv1d", "batch_norm1d", "max_pool1d"]
    volume = ac.load("16x32x32x3 -> conv3-8 -> maxpool2 -> fc10")
    assert [layer.op.kind for layer in volume][1:3] == ["conv3d", "max_pool3d"]
    assert build(spec_of(parse_source(write_graph(volume), "written.yaml"))).layers == volume.layers


@pytest.mark.parametrize(
    ("name", "shape", "last"),
    [
        ("blocks/mbconv", (24, 100), (24, 100)),
        ("blocks/squeeze_excitation", (32, 8, 14, 14), (32, 8, 14, 14)),
        ("blocks/conv3x3_x3", (256, 50), (256, 50)),
    ],
)
def test_blocks_of_any_rank_take_inputs_of_other_ranks(name: str, shape: Shape, last: Shape) -> None:
    assert ac.analyse(ac.load(name, input_shape=shape)).rows[-1].output_shape == last


@pytest.mark.parametrize(
    ("name", "shape", "reason"),
    [
        (
            "blocks/conv_nxn",
            (24, 100),
            r"blocks/conv_nxn reads height×width×channels, .* 2 numbers, and conv is a conv2d",
        ),
        ("blocks/inception_naive", (24, 100), r"2 numbers, and pool/pool is a max_pool2d"),
        ("c3d", (3, 112, 112), r"c3d reads depth×height×width×channels, .* 3 numbers, and conv1a/conv is a conv3d"),
        ("blocks/squeeze_excitation", (32,), r"reads height×width×channels, as 56×56×256; 32 has 1 number"),
        ("gpt2_small", (1, 64), r"64×1 has 2 numbers"),
    ],
)
def test_a_layer_of_one_rank_is_named_where_an_input_has_another(name: str, shape: Shape, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        ac.load(name, input_shape=shape)
