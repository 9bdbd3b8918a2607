"""Sizes of maps in expressions: in_channels, height, channels(stem), and the networks that follow from them."""

from __future__ import annotations

from typing import Literal

import pytest

from archcalc.core.errors import SpecError
from archcalc.ops import OPS
from archcalc.ops.reshape import Identity
from archcalc.passes.analysis import analyse
from archcalc.spec.sizes import size_of
from tests.networks import FILE, graph, layers, numbers, problems

STEM = "  - conv2d: {name: stem, out_channels: 16, kernel_size: 3, stride: 2, padding: 1}\n"


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((10,), {"in_channels": 10, "channels": 10, "positions": 1}),
        ((768, 197), {"in_channels": 768, "length": 197, "positions": 197}),
        ((3, 32, 64), {"in_channels": 3, "height": 32, "width": 64, "positions": 2048}),
        ((3, 16, 32, 64), {"channels": 3, "depth": 16, "height": 32, "width": 64, "positions": 32768}),
    ],
)
def test_sizes_of_every_rank(shape: tuple[int, ...], sizes: dict[str, int]) -> None:
    assert {name: size_of(name, shape) for name in sizes} == sizes


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("in_channels", 16),
        ("2*in_channels", 32),
        ("height * width", 16),
        ("positions", 16),
        ("channels(input)", 4),
        ("channels()", 16),
        ("height('input') // height(stem)", 2),
        ("channels(word)", 16),  # a variable whose value is the name of a layer
        ("channels('st{part}')", 16),
        ("width + n", 7),
        ("depth", 50),  # a parameter hides the size of its name
        ("in_channels if height > 100 else height", 4),
        ("max(positions(input), in_channels)", 64),
    ],
)
def test_an_expression_reads_sizes(expression: str, value: int) -> None:
    top = "parameters: {depth: 50, word: stem, part: em, n: 3}\n"
    text = STEM + f'  - conv2d: {{name: last, out_channels: "{expression}", kernel_size: 1}}\n'
    assert numbers(text, top=top)["last"].output_shape[0] == value


@pytest.mark.parametrize(
    "text",
    [
        "  - conv2d: {name: last, from: stem, out_channels: 2*in_channels, kernel_size: 1}\n",
        "  - conv2d: {name: last, from: stem, out_channels: 32, kernel_size: 1, when: in_channels == 16}\n",
        "  - repeat: 2*in_channels\n    as: i\n    layers:\n"
        "      - conv2d: {name: 'c{i}', from: stem, out_channels: 8*i, kernel_size: 1}\n"
        "  - identity: {name: last}\n",
        "  - double: {name: block, from: stem}\n  - identity: {name: last}\n",
        "  - branches:\n      - {when: in_channels == 2, layers: [conv2d: {out_channels: 32, kernel_size: 1}]}\n"
        "      - {when: in_channels == 4, layers: [relu]}\n    merge: add\n  - identity: {name: last}\n",
        "  - for_each: [name, c]\n    rows: [[first, in_channels], ['c{in_channels}', 16*in_channels]]\n"
        "    layers: [conv2d: {name, out_channels: c, kernel_size: 1}]\n  - identity: {name: last, from: c2}\n",
    ],
)
def test_the_sizes_are_those_of_what_the_step_reads(text: str) -> None:
    top = "blocks:\n  double:\n    let: {c: 2*in_channels}\n    layers: [conv2d: {out_channels: c, kernel_size: 1}]\n"
    narrow = "  - conv2d: {name: narrow, out_channels: 2, kernel_size: 1}\n"
    assert numbers(STEM + narrow + text, top=top)["last"].output_shape == (32, 4, 4)


def test_a_block_reads_the_sizes_of_its_inputs_by_name() -> None:
    top = """\
blocks:
  join:
    inputs: [wide, narrow]
    let: {c: channels(wide) + channels(narrow)}
    layers:
      - concat: {from: [wide, narrow]}
      - conv2d: {out_channels: c, kernel_size: 1}
"""
    found = numbers(STEM + "  - slice2d: {from: input, step: 2}\n  - join: {from: [stem, slice1]}\n", top=top)
    assert found["join1/conv1"].output_shape == (20, 4, 4)


def test_let_knows_the_input_and_the_input_does_not_know_let() -> None:
    text = "input: 8x8x4\nlet: {grid: height // 4}\nlayers: [adaptive_avg_pool2d: {output_size: grid}]\n"
    assert analyse(graph(text)).rows[-1].output_shape == (4, 2, 2)
    (problem,) = problems('input: "{grid}x8x4"\nlet: {grid: height // 4}\nlayers: [relu]\n')
    assert "'grid' is not known here" in problem.message


def test_a_reported_figure_may_depend_on_a_let_of_the_input() -> None:
    text = """\
input: 8x8x4
let: {grid: height // 4}
reported:
  - {quantity: params, value: 1, source: here, when: grid == 2}
  - {quantity: params, value: 2, source: here, when: grid == 4}
layers: [relu]
"""
    assert [figure.value for figure in graph(text).reported] == [1]
    assert [figure.value for figure in graph(text, input_shape=(4, 16, 16)).reported] == [2]


def test_another_input_gives_the_layers_that_it_has() -> None:
    text = "  - repeat: height // 4\n    layers: [conv2d: {out_channels: in_channels + 1, kernel_size: 1}]\n"
    network = layers(text)
    other = network.with_input((6, 16, 16))
    assert [len(network), len(other)] == [3, 5]
    assert other == graph(f"input: 8x8x4\nlayers:\n{text}", input_shape=(6, 16, 16))
    assert other.with_input((4, 8, 8)) == network


def test_an_input_without_layers_raises() -> None:
    network = layers('  - conv2d: {out_channels: "8 // (height - 4)", kernel_size: 1}\n')
    with pytest.raises(SpecError, match="division by zero"):
        network.with_input((4, 4, 4))


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("  - relu\n  - conv2d: {out_channels: length, kernel_size: 1}\n", 6, 28, "8×8×4 has no length; it has ch"),
        ("  - conv2d: {out_channels: channels(stme), kernel_size: 1}\n", 5, 28, "there is no layer 'stme' above"),
        ("  - conv2d: {out_channels: channels(c2), kernel_size: 1}\n  - relu: {name: c2}\n", 5, 28, "no layer 'c2'"),
        ("  - conv2d: {out_channels: height + heigth, kernel_size: 1}\n", 5, 37, "'heigth' is not known here"),
        ("  - conv2d: {out_channels: channels(1), kernel_size: 1}\n", 5, 28, "channels takes the name of one layer"),
        ('  - conv2d: {out_channels: "channels(a, b)", kernel_size: 1}\n', 5, 29, "takes the name of one layer"),
        (
            "  - conv2d: {name: a, out_channels: 2, kernel_size: 1}\n"
            "  - concat: {name: c, from: [a, input], when: in_channels == 2}\n",
            6, 47, "in_channels is not clear, 2 or 4: name the layer, as in channels(stem)",
        ),
        # The window does not fit, and no message is about what follows from its size.
        ("  - max_pool2d: {kernel_size: 9}\n  - conv2d: {out_channels: height, kernel_size: 1}\n", 5, 5, "is larger"),
    ],
)  # fmt: skip
def test_sizes_that_are_not_there(text: str, line: int, column: int, words: str) -> None:
    (problem,) = problems(f"input: 8x8x4\nlayers:\n{text}")
    assert words in problem.message
    assert problem.location is not None
    assert (problem.location.file, problem.location.line, problem.location.column) == (FILE, line, column)


def test_a_faulty_input_is_the_only_problem() -> None:
    (problem,) = problems(
        'input: "{1 - 1}x8x4"\nlayers:\n  - conv2d: {out_channels: 8 // (height - 1), kernel_size: 1}\n'
    )
    assert problem.message.startswith("input:")


class Over(Identity):
    kind = "over"
    stem = "over"

    axes: tuple[Literal["height", "width"] | int, ...] | Literal["depth"] = ()


def test_a_word_that_a_field_knows_is_no_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPS, "over", Over)
    given = ("[height, width]", "depth", "[height, 2*width]", "['\"height\"', 3]")
    found = layers("".join(f"  - over: {{axes: {axes}}}\n" for axes in given)).layers[1:]
    assert [getattr(layer.op, "axes", None) for layer in found] == [
        ("height", "width"), "depth", ("height", 16), ("height", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "shape"),
    [
        ("reshape: {shape: '{height*2}x{width}x{in_channels // 2}'}", (2, 16, 8)),
        ("reshape: {shape: '4x{positions//4}x{n}'}", (4, 4, 16)),
        ("reshape: {shape: '16*16'}", (16, 16)),  # 16×16, as `input: 16*16` is
        ("reshape: {shape: '{16*16}'}", (256,)),
        ("reshape: {shape: 1x256 hwc}", (256, 1)),  # which axes are meant, as in `input: 3x224x224 hwc`
        ("reshape: {shape: '4x64 CHW'}", (4, 64)),
        ("reshape: {shape: '1x{16*16} hwc'}", (256, 1)),
        ("as_row: {shape: '1x{height*width}x{in_channels}'}", (4, 1, 64)),
        ("as_row: {shape: '{size}'}", (4, 4, 16)),
    ],
)
def test_a_shape_with_expressions_inside(step: str, shape: tuple[int, ...]) -> None:
    top = "parameters: {n: 4, size: 4x16x4}\nblocks: {as_row: {parameters: {shape: str}, layers: [reshape: {shape}]}}\n"
    assert numbers(f"  - {step}\n", top=top).rows[-1].output_shape == shape


@pytest.mark.parametrize(
    ("step", "line", "column", "words"),
    [
        ("reshape: {shape: '{hight}x8x4'}", 5, 24, "'hight' is not known here; did you mean height?"),
        ("reshape: {shape: '{height/3}x8x4'}", 5, 22, "cannot read '2.66667x8x4' as a size"),
        ("reshape: {shape: '{length}x4'}", 5, 24, "a map of 8×8×4 has no length"),
        ("conv2d: {out_channels: '{height}', kernel_size: 1}", 5, 28, "should be a whole number, not '8'"),
    ],
)
def test_bad_shapes_with_expressions_inside(step: str, line: int, column: int, words: str) -> None:
    (problem,) = problems(f"input: 8x8x4\nlayers:\n  - {step}\n")
    assert words in problem.message
    assert problem.location is not None
    assert (problem.location.line, problem.location.column) == (line, column)


#: What comes before a step that takes the size of another layer.
SMALLER = """\
input: 9x9x3
layers:
  - conv2d: {name: small, out_channels: 4, kernel_size: 3, stride: 2, padding: 1}
"""


def test_a_function_takes_the_name_of_a_layer_with_a_counter() -> None:
    made = layers(
        """\
  - repeat: 3
    as: i
    layers:
      - conv2d: {name: "x{i}", out_channels: 4*i, kernel_size: 1}
      - conv2d:
          {name: "y{i}", out_channels: "channels('x{i}') + (channels('y{i - 1}') if i > 1 else 0)", kernel_size: 1}
"""
    )
    shapes = {row.name: row.output_shape[0] for row in analyse(made).rows}
    assert [shapes[f"y{index}"] for index in (1, 2, 3)] == [4, 4 + 8, 4 + 8 + 12]


@pytest.mark.parametrize(
    ("step", "reads", "shape"),
    [
        ("interpolate: {like: input}", ["small", "input"], (4, 9, 9)),
        ("interpolate: {from: input, like: small}", ["input", "small"], (3, 5, 5)),
        ('interpolate: {like: "{word}"}', ["small", "input"], (4, 9, 9)),
        ("crop2d: {from: input, like: small}", ["input", "small"], (3, 5, 5)),
    ],
)
def test_a_layer_takes_the_size_of_another(step: str, reads: list[str], shape: tuple[int, ...]) -> None:
    made = graph(f"parameters: {{word: {{default: input}}}}\n{SMALLER}  - {step}\n")
    assert [made.layers[index].name for index in made.layers[-1].inputs] == reads
    assert analyse(made).rows[-1].output_shape == shape


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("interpolate: {like: inpt}", "like: there is no layer 'inpt'; did you mean input?"),
        ("interpolate: {like: [input]}", "like must name one layer"),
        ("interpolate: {like: input, size: 3}", "needs one of size, scale_factor and a second input"),
        ("interpolate: {from: [input, input], like: input}", "interpolate takes 1 to 2 inputs, 3 reach it"),
        ("interpolate: {like: later}\n  - relu: {from: input, name: later}", "like: 'later' comes later"),
        ("relu: {like: input}", "relu has no setting 'like'"),
    ],
)
def test_a_size_that_cannot_be_taken(step: str, message: str) -> None:
    (problem, *_) = problems(f"{SMALLER}  - {step}\n")
    assert message in problem.message
