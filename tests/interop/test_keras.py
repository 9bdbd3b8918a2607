"""Models of Keras: the figures of its applications, both layouts, each class of layer, and faulty files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archcalc.core.errors import SpecError
from archcalc.interop.foreign import ForeignNetwork, to_network
from archcalc.interop.keras import read_keras
from archcalc.ops.arithmetic import Rescale
from archcalc.passes.analysis import Analysis, analyse
from tests.interop.keras_files import Model, mobilenet, resnet50, sequential, vgg16
from tests.tables import read_layers


def analysed(network: ForeignNetwork) -> Analysis:
    return analyse(to_network(network))


def rows(text: str) -> dict[str, tuple[tuple[int, ...], int]]:
    """The output shape and the stored numbers of every layer."""
    return {row.name: (row.output_shape, row.params + row.buffers) for row in analysed(read_keras(text)).rows}


def one(kind: str, *shape: int | None, **config: Any) -> tuple[tuple[int, ...], int]:
    """The output shape and the stored numbers of a layer by itself."""
    analysis = analysed(read_keras(json.dumps(sequential("m", (kind, {"name": "x", **config}), shape=[*shape]))))
    return analysis.rows[-1].output_shape, analysis.totals.params + analysis.totals.buffers


@pytest.mark.parametrize(
    ("text", "table", "stored"),
    [(vgg16(), "vgg16", 138_357_544), (vgg16(version=2), "vgg16", 138_357_544),
     (mobilenet(), "mobilenet_keras", 4_253_864), (resnet50(), "resnet50_keras", 25_636_712)],
)  # fmt: skip
def test_layers_are_those_of_the_applications(text: str, table: str, stored: int) -> None:
    """Convolutions, dense layers and batch norms, one by one; `stored` is `model.count_params()`."""
    analysis = analysed(read_keras(text))
    assert analysis.totals.params + analysis.totals.buffers == stored
    kinds = ("conv2d", "linear", "batch_norm2d")
    expected = sorted(
        (row["output"], int(row["params"]), int(row["multiplications"]))
        for row in read_layers(f"{table}.csv")
        if row["op"] in kinds
    )
    found = sorted(
        ("x".join(map(str, row.output_shape)), row.params, row.multiplications)
        for row in analysis.rows
        if row.op.kind in kinds
    )
    assert found == expected


#: A layer by itself: its class, the shape that reaches it, its settings; its output here and what it stores.
LAYERS: list[tuple[str, tuple[int, ...], dict[str, Any], tuple[int, ...], int]] = [
    ("Conv1D", (10, 3), {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, (4, 10), 40),
    ("Conv2D", (9, 9, 4), {"filters": 6, "kernel_size": [3, 2], "strides": 2, "padding": "same", "groups": 2},
     (6, 5, 5), 78),
    ("Conv3D", (4, 4, 4, 2), {"filters": 3, "kernel_size": 3, "use_bias": False}, (3, 2, 2, 2), 162),
    ("SeparableConv2D", (8, 8, 3), {"filters": 5, "kernel_size": 3, "depth_multiplier": 2}, (5, 6, 6), 54 + 35),
    ("DepthwiseConv2D", (8, 8, 3), {"kernel_size": 3, "depth_multiplier": 2}, (6, 6, 6), 60),
    ("Conv2DTranspose", (4, 4, 3), {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
     (2, 8, 8), 56),
    ("Conv2DTranspose", (4, 4, 3), {"filters": 2, "kernel_size": 3, "strides": 2}, (2, 9, 9), 56),
    ("Conv2DTranspose", (4, 4, 3), {"filters": 2, "kernel_size": 1, "strides": 2}, (2, 8, 8), 8),
    ("Conv2DTranspose", (4, 4, 3), {"filters": 2, "kernel_size": 3, "dilation_rate": [2, 3]}, (2, 8, 10), 56),
    ("Conv2DTranspose", (4, 4, 3), {"filters": 2, "kernel_size": 3, "dilation_rate": 2, "padding": "same"},
     (2, 4, 4), 56),
    ("Conv2DTranspose", (4, 4, 3), {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same",
                                    "output_padding": [0, 1]}, (2, 7, 8), 56),
    ("LocallyConnected2D", (4, 4, 2), {"filters": 3, "kernel_size": 3}, (3, 2, 2), 4 * 3 * 18 + 12),
    ("MaxPooling2D", (7, 7, 2), {"pool_size": [2, 2]}, (2, 3, 3), 0),
    ("AveragePooling2D", (7, 7, 2), {"pool_size": 3, "strides": 2, "padding": "same"}, (2, 4, 4), 0),
    ("GlobalAveragePooling2D", (7, 7, 2), {}, (2,), 0),
    ("GlobalMaxPooling1D", (7, 2), {"keepdims": True}, (2, 1), 0),
    ("AdaptiveAveragePooling2D", (7, 7, 2), {"output_size": [2, 3]}, (2, 2, 3), 0),
    ("Dense", (5,), {"units": 3}, (3,), 18),
    ("Dense", (7, 5), {"units": 3}, (3, 7), 18),
    ("BatchNormalization", (6, 5), {"scale": False}, (5, 6), 15),
    ("LayerNormalization", (6, 5), {"axis": [-1]}, (5, 6), 10),
    ("LayerNormalization", (6, 5), {"axis": [1, 2]}, (5, 6), 60),
    ("GroupNormalization", (6, 6, 4), {"groups": 2}, (4, 6, 6), 8),
    ("RMSNormalization", (6, 5), {}, (5, 6), 5),
    ("LayerScale", (6, 6, 4), {"projection_dim": 4}, (4, 6, 6), 4),
    ("Normalization", (6, 6, 4), {"axis": [-1]}, (4, 6, 6), 8),
    ("PReLU", (6, 6, 4), {"shared_axes": [1, 2]}, (4, 6, 6), 4),
    ("PReLU", (6, 6, 4), {}, (4, 6, 6), 144),
    ("ZeroPadding2D", (6, 6, 4), {"padding": [[1, 2], [3, 4]]}, (4, 9, 13), 0),
    ("ZeroPadding1D", (6, 4), {"padding": [1, 2]}, (4, 9), 0),
    ("Cropping2D", (6, 6, 4), {"cropping": [[1, 2], [0, 1]]}, (4, 3, 5), 0),
    ("UpSampling2D", (6, 6, 4), {"size": [2, 3]}, (4, 12, 18), 0),
    ("Resizing", (6, 6, 4), {"height": 4, "width": 9}, (4, 4, 9), 0),
    ("CenterCrop", (6, 6, 4), {"height": 3, "width": 4}, (4, 3, 4), 0),
    ("Flatten", (6, 5, 4), {}, (120,), 0),
    ("Reshape", (6, 5, 4), {"target_shape": [-1, 4]}, (4, 30), 0),
    ("Reshape", (12,), {"target_shape": [2, 3, 2]}, (2, 2, 3), 0),
    ("Reshape", (6, 5, 4), {"target_shape": [5, 24]}, (24, 5), 0),
    ("Permute", (6, 5, 4), {"dims": [3, 1, 2]}, (5, 4, 6), 0),
    ("RepeatVector", (5,), {"n": 3}, (5, 3), 0),
    ("Embedding", (7,), {"input_dim": 10, "output_dim": 4}, (4, 7), 40),
    ("GRU", (7, 5), {"units": 3}, (3,), 3 * (3 * (5 + 3) + 6)),
    ("GRU", (7, 5), {"units": 3, "reset_after": False, "return_sequences": True}, (3, 7), 3 * (3 * (5 + 3) + 3)),
    ("LSTM", (7, 5), {"units": 3, "return_sequences": True}, (3, 7), 4 * (3 * (5 + 3) + 3)),
    ("SimpleRNN", (7, 5), {"units": 3}, (3,), 27),
    ("GRU", (7, 5), {"units": 3}, (3,), 3 * (3 * (5 + 3) + 2 * 3)),
    ("SimpleRNN", (7, 5), {"units": 3, "use_bias": False}, (3,), 24),
    ("ConvLSTM2D", (3, 6, 6, 2), {"filters": 4, "kernel_size": 3, "padding": "same"},
     (4, 6, 6), 4 * 4 * (9 * 6 + 1)),
    ("Rescaling", (6, 6, 3), {"scale": 0.5}, (3, 6, 6), 0),
    ("Rescaling", (6, 6, 3), {"scale": 2, "offset": [1, 2, 3]}, (3, 6, 6), 0),
    ("Normalization", (6, 6, 3), {"axis": -1, "mean": [1, 2, 3], "variance": 4}, (3, 6, 6), 0),
    ("Activation", (6, 6, 3), {"activation": "softsign"}, (3, 6, 6), 0),
    ("Softmax", (6, 5, 3), {"axis": 1}, (3, 6, 5), 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "config", "factor", "offset"),
    [
        ("Rescaling", {"scale": 0.5, "offset": -1}, 0.5, -1),
        ("Rescaling", {"scale": 2, "offset": [1, 2, 3]}, 2, (1, 2, 3)),
        ("Normalization", {"mean": 3, "variance": 4}, 0.5, -1.5),
        ("Normalization", {"axis": -1, "mean": [[1, 2, 3]], "variance": 4}, (0.5,) * 3, (-0.5, -1, -1.5)),
        ("Normalization", {"mean": 3, "variance": 4, "invert": True}, 2, 3),
    ],
)
def test_fixed_numbers(kind: str, config: dict[str, Any], factor: Any, offset: Any) -> None:
    model = Model("fixed", 6, 6, 3)
    model.add(kind, "layer", ["image"], **config)
    (made,) = [row.op for row in analysed(read_keras(model.text("layer"))).rows if row.name == "layer"]
    assert isinstance(made, Rescale)
    assert (made.factor, made.offset) == (factor, offset)


@pytest.mark.parametrize(("kind", "shape", "config", "output", "stored"), LAYERS)
def test_each_layer(
    kind: str, shape: tuple[int, ...], config: dict[str, Any], output: tuple[int, ...], stored: int
) -> None:
    assert one(kind, *shape, **config) == (output, stored)


def test_names_are_kept_and_models_inside_are_blocks() -> None:
    model = Model("outer", 8, 8, 3)
    inner = sequential(
        "stem", ("Conv2D", {"name": "conv", "filters": 4, "kernel_size": 3, "activation": "relu"}), shape=[8, 8, 3]
    )
    model.layers.append({**inner, "name": "stem", "inbound_nodes": [model.node(["image"], {})]})
    model.add("SeparableConv2D", "sep", "stem", filters=2, kernel_size=3)
    network = read_keras(model.text())
    assert [node.name for node in network.nodes] == ["stem/conv", "stem/conv_relu", "sep/depthwise", "sep/pointwise"]
    assert network.name == "outer"


def test_a_layer_that_is_used_again_shares_its_weights() -> None:
    for version in (2, 3):
        model = Model("shared", 8, 8, 3, version=version)
        model.add("Conv2D", "conv", filters=3, kernel_size=3, padding="same", activation="relu")
        second = model.again("conv", "conv")
        model.add("Add", "add", ["conv", second])
        network = read_keras(model.text())
        assert [node.weights for node in network.nodes] == [None, None, "conv", None, None]
        assert analysed(network).totals.params == 84


def _at_two_levels(**marks: int) -> dict[str, Any]:
    """A model that is used by itself and in a model after it."""

    def inner() -> dict[str, Any]:
        model = Model("in", 15, 17, 4)
        model.add("Conv2D", "conv", filters=4, kernel_size=1)
        return {**model.document(), **marks}

    document = sequential("outer", shape=[15, 17, 4])
    second = sequential("second", ("ReLU", {"name": "relu6", "max_value": 6}), shape=[15, 17, 4])
    second["config"]["layers"].insert(1, inner())
    last = {"name": "up", "filters": 3, "kernel_size": 4, "strides": 2, "padding": "same"}
    document["config"]["layers"] += [inner(), second, {"class_name": "Conv2DTranspose", "config": last}]
    return document


@pytest.mark.parametrize(("marks", "params"), [({"shared_object_id": 7}, 20 + 195), ({}, 2 * 20 + 195)])
def test_a_model_at_two_levels_is_one_where_the_file_says_so(marks: dict[str, int], params: int) -> None:
    """Keras 3.15 counts 215 in the file of such a model, before and after it is loaded again."""
    network = read_keras(json.dumps(_at_two_levels(**marks)))
    assert analysed(network).totals.params == params
    assert [node.weights for node in network.nodes if node.weights] == (["in/conv"] if marks else [])


def test_one_number_for_two_kinds_of_layers_is_refused() -> None:
    document = sequential("m", ("ReLU", {"name": "a"}), ("Softmax", {"name": "b"}), shape=[4])
    for layer in document["config"]["layers"][1:]:
        layer["shared_object_id"] = 7
    with pytest.raises(SpecError, match="two layers have the shared_object_id 7: ReLU and Softmax"):
        read_keras(json.dumps(document))


def test_channels_first() -> None:
    model = Model("first", 3, 8, 6)
    model.add("Conv2D", "conv", filters=4, kernel_size=3, data_format="channels_first")
    model.add("BatchNormalization", "bn", axis=1)
    model.add("Flatten", "flat", data_format="channels_first")
    model.add("Dense", "fc", units=2)
    found = rows(model.text())
    assert found["conv"] == ((4, 6, 4), 112)
    assert found["bn"] == ((4, 6, 4), 16)
    assert found["fc"] == ((2,), 194)


def test_merging() -> None:
    model = Model("merge", 6, 6, 4)
    model.add("GlobalAveragePooling2D", "pool", keepdims=True)
    model.add("Dense", "gate", units=4, activation="sigmoid")
    model.add("Multiply", "scaled", ["image", "gate"])
    model.add("Subtract", "less", ["image", "scaled"])
    model.add("Average", "mean", ["image", "scaled", "less"])
    model.add("Concatenate", "deep", ["mean", "less"], axis=-1)
    model.add("Concatenate", "tall", ["mean", "less"], axis=1)
    model.add("Maximum", "most", ["mean", "less"])
    model.add("Minimum", "least", ["mean", "less", "image"])
    found = rows(model.text("deep", "tall", "most", "least"))
    assert found["scaled"] == ((4, 6, 6), 0)
    assert found["mean/mean"] == ((4, 6, 6), 0)
    assert found["deep"] == ((8, 6, 6), 0)
    assert found["tall/back"] == ((4, 12, 6), 0)
    assert found["most/add"] == found["least/2/add"] == ((4, 6, 6), 0)


def test_attention_with_heads_of_another_width_is_projected_layer_by_layer() -> None:
    model = Model("attention", 9, 8)
    model.add("MultiHeadAttention", "mha", ["image", "image"], num_heads=2, key_dim=4)
    model.add("MultiHeadAttention", "wide", ["mha", "mha"], num_heads=3, key_dim=5)
    found = rows(model.text())
    assert found["mha"] == ((8, 9), 4 * (64 + 8))
    assert sum(stored for name, (_, stored) in found.items() if name.startswith("wide/")) == 3 * 135 + 128
    assert found["wide/output"][0] == (8, 9)


def test_operations_of_keras_3_are_layers() -> None:
    model = Model("ops", 4, 4, 3)
    layer = {"module": "keras.src.ops.numpy", "class_name": "Add", "config": {"name": "plus"}, "name": "plus"}
    model.layers.append({**layer, "inbound_nodes": [{"args": [model.tensor(("image", 0, 0)), 3.0], "kwargs": {}}]})
    model.add("Activation", "relu", "plus", activation="relu")
    assert rows(model.text())["relu"] == ((3, 4, 4), 0)


def test_what_only_trains_is_left_out() -> None:
    layers: Any = [("GaussianNoise", {"name": "noise", "stddev": 0.1}), ("RandomFlip", {"name": "flip"})]
    document = sequential("m", *layers, ("Dense", {"name": "fc", "units": 2}), shape=[3])
    assert [node.name for node in read_keras(json.dumps(document)).nodes] == ["fc"]


def test_open_sizes_are_asked_for() -> None:
    model = Model("open", None, None, 3)
    model.add("Conv2D", "conv", filters=4, kernel_size=3)
    with pytest.raises(SpecError, match=r"the size of the input 'image' is \(None, None, 3\); give it with --input"):
        read_keras(model.text())
    assert analysed(read_keras(model.text(), shapes=(3, 8, 8))).rows[-1].output_shape == (4, 6, 6)


def _broken(text: str) -> str:
    return text[: len(text) // 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bad.json:1:1: it is no JSON"),
        (_broken(vgg16()), "it is no JSON"),
        ("[" * 200_000, "it is nested too deeply"),
        ("1" * 5000, "it has a number that is too long"),
        ("[]", "it is no model of Keras: a layer without class_name"),
        ('{"class_name": "Sequential", "config": {"layers": []}}', "a model without layers"),
        ('{"class_name": "MyModel", "config": {}}', "a model is Sequential or Functional, not 'MyModel'"),
        (
            json.dumps(sequential("m", ("Dense", {"name": "d", "units": 2**63}), shape=[3])),
            'layer "d": units should be',
        ),
        (
            json.dumps(sequential("m", ("Dense", {"name": "d", "units": True}), shape=[3])),
            "units should be a whole number",
        ),
        (json.dumps(sequential("m", ("Dense", {"name": "d"}), shape=[3])), "units should be a whole number"),
        (
            json.dumps(sequential("m", ("Dnse", {"name": "d"}), shape=[3])),
            "no layer 'Dnse' of Keras, and the shape of its output is not in the file; did you mean Dense",
        ),
        (json.dumps(sequential("m", ("Lambda", {"name": "d"}), shape=[3])), "archcalc cannot read 'Lambda'"),
        (json.dumps(sequential("m", ("Dense", {"name": "d", "units": 1}))), "the size of the input 'input' is not in"),
        (json.dumps(sequential("m", ("Flatten", {}), shape=[2**70])), "bad.json"),
        (
            json.dumps(sequential("m", ("Conv2D", {"name": "c", "filters": 1, "kernel_size": 9}), shape=[4, 4, 1])),
            'bad.json: layer "c" (conv2d): the window is larger than its input',
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_layer(text: str, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        to_network(read_keras(text, "bad.json"))
    assert message in str(raised.value)


def test_models_inside_themselves_are_refused() -> None:
    document = sequential("m", ("ReLU", {"name": "r"}), shape=[3])
    for _ in range(40):
        document = {"class_name": "Sequential", "config": {"name": "m", "layers": [document]}}
    with pytest.raises(SpecError, match="models lie inside one another more than 24 deep"):
        read_keras(json.dumps(document))


def test_layers_in_a_circle_are_refused() -> None:
    model = Model("circle", 3)
    model.add("Add", "a", ["image", "b"])
    model.add("Add", "b", ["image", "a"])
    with pytest.raises(SpecError, match="it reads 'b', which reads it in turn"):
        read_keras(model.text())


@pytest.mark.slow
def test_a_million_layers_are_refused() -> None:
    layers: Any = [("ReLU", {"name": "r"})] * 500_000
    with pytest.raises(SpecError, match=r"more than 50,000 layers"):
        read_keras(json.dumps(sequential("m", *layers, shape=[3])))


def test_a_layer_at_every_step() -> None:
    inner = {"class_name": "Conv2D", "config": {"name": "c", "filters": 4, "kernel_size": [3, 3], "padding": "same"}}
    assert one("TimeDistributed", 5, 8, 8, 3, layer=inner) == ((4, 5, 8, 8), 112)
    dense = {"class_name": "Dense", "config": {"name": "d", "units": 2}}
    assert one("TimeDistributed", 5, 3, layer=dense) == ((2, 5), 8)
    both = {"class_name": "GRU", "config": {"name": "g", "units": 2, "return_sequences": True}}
    assert one("Bidirectional", 5, 3, layer=both) == ((4, 5), 2 * 3 * (2 * (3 + 2) + 4))


@pytest.mark.parametrize(
    ("value", "kinds"),
    [(None, ["input", "zero_pad2d", "max_pool2d"]), (float("-inf"), ["input", "max_pool2d"]),
     (1.5, ["input", "opaque", "max_pool2d"])],
)  # fmt: skip
def test_what_is_around_a_map_before_a_pool(value: float | None, kinds: list[str]) -> None:
    model = Model("m", 7, 7, 3)
    model.add("Pad", "pad", kwargs={"constant_values": value}, pad_width=[[0, 0], [1, 1], [1, 1], [0, 0]])
    model.add("MaxPooling2D", "pool", pool_size=3, strides=2)
    found = analysed(read_keras(model.text()))
    assert [row.op.kind for row in found.rows] == kinds
    assert found.rows[-1].output_shape == (3, 4, 4)
