"""Keras code without Keras: it is Python, it reads well, and nothing in a name or a title becomes code."""

from __future__ import annotations

import ast
import re

import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.interop.export.code import WIDTH, parts_of
from archcalc.interop.export.keras_code import MODULES, keras_weights, to_keras_code
from archcalc.interop.export.keras_ops import NONE, TABLE
from archcalc.interop.keras_classes import CLASSES
from archcalc.ops import OPS
from archcalc.passes.analysis import analyse
from tests import networks
from tests.interop.export.cases import ALONE, of_row
from tests.interop.export.test_torch_code import AUX, SNAPSHOTS, UNREAD, hostile_network
from tests.ops.rows import Row, label


def code_of(text: str, size: str = "8x8x4") -> str:
    """The code of the items under `layers:`; it is Python."""
    code = to_keras_code(analyse(networks.layers(text, size)))
    ast.parse(code)
    return code


@pytest.mark.parametrize("name", ["lenet5", "resnet20_cifar"])
def test_code_that_people_read(name: str) -> None:
    code = ac.load(name).to_keras_code()
    assert code == (SNAPSHOTS / f"{name}_keras.py.txt").read_text(encoding="utf-8")
    assert max(map(len, code.splitlines())) <= WIDTH


def test_every_op_is_in_the_table_or_named_as_having_no_counterpart() -> None:
    kinds = {re.sub("[123]d$", "Nd", kind) for kind in OPS}
    assert kinds - set(TABLE) - NONE - {"opaque"} == {"input", "depthwise_convNd"}
    assert not set(TABLE) & NONE
    assert kinds >= NONE


def test_every_class_of_the_code_is_read_again() -> None:
    layers = {name for name in parts_of(MODULES) if not name.endswith("Cell")} - {"Windowed"}
    assert layers <= set(CLASSES)


@pytest.mark.slow
@pytest.mark.parametrize("row", ALONE, ids=label)
def test_the_code_of_every_op_is_python_or_the_layer_is_named(row: Row) -> None:
    if re.sub("[123]d$", "Nd", row.kind) in NONE:
        with pytest.raises(UsageError, match=rf'^archcalc writes no {row.kind} for Keras \(layer "layer"\)$'):
            to_keras_code(analyse(of_row(row)))
        return
    analysis = analyse(of_row(row))
    try:
        code = to_keras_code(analysis)
    except UsageError as error:
        assert str(error).startswith(f'layer "layer" ({analysis.rows[-1].op.kind}): ')  # noqa: PT017 # either is right
    else:
        assert isinstance(ast.parse(code).body[-1], ast.FunctionDef)


def test_padding_as_keras_says_it_or_before_the_layer() -> None:
    code = code_of(
        "  - conv2d: {name: a, out_channels: 2, kernel_size: 3, stride: 2, padding: same}\n"
        "  - conv2d: {name: b, out_channels: 2, kernel_size: 3, padding: [0, 0, 1, 1]}"
    )
    assert 'layers.Conv2D(2, 3, strides=2, padding="same", name="a")' in code
    assert 'layers.ZeroPadding2D(((0, 1), (0, 1)), name="b_pad")' in code


@pytest.mark.parametrize(
    ("size", "call"), [("8x8x2", "PaddedAveragePooling((3, 3)"), ("7x7x2", "layers.AveragePooling2D(3")]
)
def test_a_mean_with_uneven_padding_is_no_layer_of_keras(size: str, call: str) -> None:
    """Keras's torch backend repeats the last value there: 14.67 instead of 14.5 as the mean of 14 and 15."""
    code = code_of(
        "  - avg_pool2d: {name: p, kernel_size: 3, stride: 2, padding: same, count_include_pad: false}", size
    )
    assert f"{call}, " in code


def test_shared_weights_are_a_layer_that_is_called_again() -> None:
    code = code_of(
        "  - conv2d: {name: a, out_channels: 4, kernel_size: 3, padding: 1}\n"
        "  - conv2d: {name: b, out_channels: 4, kernel_size: 3, padding: 1, weights: a}"
    )
    assert code.count("layers.Conv2D(") == 1
    assert code.count("a_layer(") == 2


def test_statistics_of_a_keras_normalization() -> None:
    """`Normalization` holds besides the mean and the variance how many values it saw; batch norm does not."""
    item = "  - batch_norm2d: {name: own, scale: false, shift: false, epsilon: %s}"
    assert 'x = layers.Normalization(name="own")(x)' in code_of(item % "1.0e-14")
    assert "layers.BatchNormalization(" in code_of(item % "1.0e-3")


def test_weights_with_other_settings_are_refused() -> None:
    with pytest.raises(UsageError, match=r'layer "b" .* cannot be written for Keras'):
        code_of(
            "  - conv2d: {name: a, out_channels: 4, kernel_size: 3, padding: 1}\n"
            "  - conv2d: {name: b, out_channels: 4, kernel_size: 3, stride: 2, weights: a}"
        )


def test_frozen_layers() -> None:
    code = code_of("  - conv2d: {name: c, out_channels: 2, kernel_size: 3, frozen: true}")
    assert 'layers.Conv2D(2, 3, trainable=False, name="c")' in code


def test_where_weights_go() -> None:
    found = keras_weights(ac.load("resnet18").analyse())
    path, layout = found["conv2_x/unit1/basic/conv1/conv.weight"]
    assert (path, layout.variable, layout.axes) == ("conv2_x-unit1-basic-conv1-conv", "kernel", (2, 3, 1, 0))
    assert found["fc.weight"][1].axes == (1, 0)


def test_names_and_titles_cannot_be_code() -> None:
    tree = ast.parse(to_keras_code(analyse(hostile_network())))
    imported = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))}
    assert imported == {"import keras", "from keras import layers"}
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not any("os" in name.split(".") for name in called)


def test_no_layer_has_the_name_that_keras_gives_to_an_operation() -> None:
    """The attention calls `ops.transpose`, which Keras names `transpose`, `transpose_1` …"""
    code = code_of(
        "  - transpose: {name: transpose, dims: [height, channels]}\n"
        "  - transpose: {name: transpose_2, dims: [height, channels]}\n  - tokens: {name: t}\n"
        "  - scaled_dot_product_attention: {name: a, num_heads: 2, from: [t, t, t]}\n"
    )
    assert re.findall(r'"(trans[^"]*)"', code) == ["transpose_", "transpose_2_"]


def test_what_nothing_reads_is_left_out() -> None:
    code = to_keras_code(analyse(networks.layers(UNREAD, top=AUX)))
    assert "channels last. 10 parameters of layers that no output needs are left out." in code
    assert "one" not in code
