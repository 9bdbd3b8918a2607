"""PyTorch code without PyTorch: it is Python, it reads well, and nothing in a name or a title becomes code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.interop.export.code import WIDTH
from archcalc.interop.export.torch_code import state_keys, to_torch_code
from archcalc.interop.export.torch_ops import TABLE
from archcalc.ops import OPS
from archcalc.ops.pool import MaxPool
from archcalc.ops.reshape import Input
from archcalc.passes.analysis import analyse
from tests import networks
from tests.interop.export.cases import ALONE, of_row
from tests.ops.rows import Row, label

SNAPSHOTS = Path(__file__).parents[2] / "snapshots" / "export"
#: Small networks whose code is read: a chain, equal units in a loop, branches that meet.
READ = ("lenet5", "resnet20_cifar", "unet")


def code_of(text: str, size: str = "8x8x4", top: str = "") -> str:
    """The code of the items under `layers:`; it is Python."""
    code = to_torch_code(analyse(networks.layers(text, size, top)))
    ast.parse(code)
    return code


@pytest.mark.parametrize("name", READ)
def test_code_that_people_read(name: str) -> None:
    code = ac.load(name).to_torch_code()
    assert code == (SNAPSHOTS / f"{name}.py.txt").read_text(encoding="utf-8")
    assert max(map(len, code.splitlines())) <= WIDTH


def test_every_op_is_in_the_table() -> None:
    spelt = {re.sub("[123]d$", "Nd", kind) for kind in OPS}
    # The input is an argument; a depthwise convolution is a grouped one once its input is known.
    assert spelt - set(TABLE) - {"opaque"} == {"input", "depthwise_convNd"}


@pytest.mark.slow
@pytest.mark.parametrize("row", ALONE, ids=label)
def test_the_code_of_every_op_is_python(row: Row) -> None:
    tree = ast.parse(to_torch_code(analyse(of_row(row))))
    assert isinstance(tree.body[-1], ast.ClassDef)


def test_blocks_that_differ_in_numbers_are_one_class_and_equal_ones_a_loop() -> None:
    code = ac.load("resnet50").to_torch_code()
    classes = re.findall(r"^class (\w+)", code, re.MULTILINE)
    assert classes == ["ConvBn", "Bottleneck", "Shortcut", "UnitWithShortcut", "Unit", "ConvStage", "ResNet50"]
    assert 'for i in range(2, units + 1):\n            self.add_module(f"unit{i}", ' in code
    assert len(code.splitlines()) < 100


def test_numbers_that_grow_by_the_same_step_are_a_formula() -> None:
    builder = ac.GraphBuilder("grows", "8x8x4")
    for number in range(1, 5):
        with builder.block(f"layer{number}"):
            builder.add("conv2d", "conv", out_channels=4 + 4 * number, kernel_size=3, padding=1)
            builder.add("relu", "relu")
    code = builder.build().to_torch_code()
    assert 'self.add_module(f"layer{i}", ConvRelu(4 + 4 * (i - 1), 8 + 4 * (i - 1)))' in code


# --- what is not plain


def test_padding_on_one_side() -> None:
    code = code_of("  - conv2d: {name: c, out_channels: 2, kernel_size: 3, stride: 2, padding: same}")
    assert "self.c_pad = nn.ZeroPad2d((0, 1, 0, 1))" in code
    assert "self.c = nn.Conv2d(4, 2, 3, stride=2)" in code


def test_frozen_layers() -> None:
    code = code_of("  - conv2d: {name: c, out_channels: 2, kernel_size: 3, frozen: true}\n  - relu: {frozen: true}")
    assert "self.c = nn.Conv2d(4, 2, 3).requires_grad_(False)" in code
    assert code.count("requires_grad_") == 1


def test_a_layer_with_the_weights_of_another_is_called_again() -> None:
    code = code_of(
        "  - conv2d: {name: a, out_channels: 4, kernel_size: 3, padding: 1}\n"
        "  - conv2d: {name: b, out_channels: 4, kernel_size: 3, padding: 1, weights: a}"
    )
    assert "self.b" not in code
    assert code.count("self.a(") == 2


def test_weights_used_with_another_stride_are_tied() -> None:
    code = code_of(
        "  - conv2d: {name: a, out_channels: 4, kernel_size: 3, padding: 1}\n"
        "  - conv2d: {name: b, out_channels: 4, kernel_size: 3, stride: 2, weights: a}"
    )
    assert "self.b.weight = self.a.weight\n        self.b.bias = self.a.bias" in code


def test_several_inputs_and_outputs() -> None:
    graph = networks.graph(
        "inputs: {left: 8x8x4, right: 8x8x4}\noutputs: {sum: s, other: r}\nlayers:\n"
        "  - add: {name: s, from: [left, right]}\n  - relu: {name: r, from: right}\n"
    )
    code = to_torch_code(analyse(graph))
    assert "def forward(self, left, right):" in code
    assert 'return {"sum": ' in code


def test_maxima_that_are_put_back() -> None:
    code = code_of(
        "  - max_pool2d: {name: p, kernel_size: 2}\n  - relu: {name: r}\n"
        "  - max_unpool2d: {from: [r, p], kernel_size: 2}"
    )
    assert "self.p = nn.MaxPool2d(2, return_indices=True)" in code
    assert "p_indices = self.p(x)" in code


def test_blocks_that_read_one_another_are_written_part_by_part() -> None:
    layers = [
        Layer("input", Input(shape=(4, 8, 8)), ()),
        Layer("a/one", OPS["relu"](), (0,)),
        Layer("b/one", OPS["tanh"](), (1,)),
        Layer("a/two", OPS["sigmoid"](), (2,)),
    ]
    graph = LayerGraph("knot", tuple(layers), (Output("output", 3),))
    code = to_torch_code(analyse(graph))
    assert "self.a = nn.Module()\n" in code
    assert "self.a.one = nn.ReLU()" in code
    assert code.index("self.a.one(") < code.index("self.b.one(") < code.index("self.a.two(")


# --- what cannot be said


def test_what_pytorch_cannot_say() -> None:
    with pytest.raises(UsageError, match=re.escape('layer "mean" (avg_pool2d): a mean')):
        code_of("  - avg_pool2d: {name: mean, kernel_size: 2, dilation: 2}")


def test_an_unknown_op_is_named() -> None:
    class Own(MaxPool):
        kind = "own_pool"
        rank = 2

    graph = LayerGraph(
        "net", (Layer("input", Input(shape=(4, 8, 8)), ()), Layer("mine", Own(kernel_size=(2, 2)), (0,))),
        (Output("output", 1),),
    )  # fmt: skip
    with pytest.raises(UsageError, match=r'^archcalc writes no own_pool for PyTorch \(layer "mine"\)$'):
        to_torch_code(analyse(graph))


# --- names from anywhere

HOSTILE = [
    'x"""; import os; os.abort(); """',
    "'); import os  #",
    "a\nimport os",
    "{0.__class__}",
    "класс",
    "__class__",
    "forward",
    "lambda",
    "state_dict",
    "training",
    "",
    "\\",
    "self",
    "i",
]


def hostile_network() -> LayerGraph:
    """A network whose names and title want to be code."""
    layers = [Layer("input", Input(shape=(4, 8, 8)), ())]
    for number, name in enumerate(HOSTILE):
        block = name.replace("/", "|")
        layers += [Layer(f"{block}/{name or 'empty'}", OPS["relu"](), (number,))]
    outputs = tuple(Output(name, number + 1) for number, name in enumerate(HOSTILE))
    return LayerGraph(HOSTILE[0], tuple(layers), outputs, title=HOSTILE[2] + HOSTILE[0] + "\\")


def test_names_and_titles_cannot_be_code() -> None:
    tree = ast.parse(to_torch_code(analyse(hostile_network())))
    imported = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))}
    assert imported == {"from torch import nn"}
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not any("os" in name.split(".") for name in called)
    keys = [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    assert [ast.literal_eval(key) for node in keys for key in node.keys if key is not None] == HOSTILE


def test_two_names_that_become_one_identifier_stay_apart() -> None:
    code = code_of("  - relu: {name: a-b}\n  - relu: {name: a.b}\n  - relu: {name: a_b}")
    assert re.findall(r"self\.(\w+) = ", code) == ["a_b", "a_b_2", "a_b_3"]


# --- keys


def test_keys_of_the_state_dict() -> None:
    graph = ac.load("resnet18")
    keys = state_keys(graph.analyse())
    assert keys["conv2_x/unit1/basic/conv1/bn.running_var"] == "conv2_x.unit1.basic.conv1.bn.running_var"
    assert len(keys) == len(set(keys.values()))
    arrays = sum(len(row.op.param_shapes(row.input_shapes)) for row in graph.analyse())
    assert len(keys) == arrays


def test_keys_of_names_that_are_no_identifiers() -> None:
    keys = ac.load("googlenet").torch_keys()
    assert keys["inception_3a/3x3/reduce/conv.weight"] == "inception_3a._3x3.reduce.conv.weight"


#: A block that nothing reads.
UNREAD = """
  - conv2d: {name: stem, out_channels: 4, kernel_size: 1}
  - aux: {name: aux}
  - conv2d: {name: end, from: stem, out_channels: 3, kernel_size: 1}
"""
AUX = "blocks:\n  aux:\n    layers:\n      - conv2d: {name: one, out_channels: 2, kernel_size: 1}\n      - relu: {}\n"


def test_what_nothing_reads_is_called() -> None:
    code = code_of(UNREAD, top=AUX)
    assert "        x = self.stem(x)\n        self.aux(x)\n        x = self.end(x)\n" in code
    assert "        x = self.one(x)\n        self.relu1(x)\n" in code
