"""Operations on maps in models of Keras: places in brackets, maps in five axes, norms, functions of TensorFlow."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archcalc.core.errors import SpecError
from archcalc.interop.keras import read_keras
from archcalc.passes.analysis import Analysis
from tests.interop.keras_files import Model, sequential
from tests.interop.test_keras import analysed, one

_ALL, _DOTS = [None, None, None], {"class_name": "__ellipsis__", "config": {}}


def part(*index: Any) -> Analysis:
    """A map of 7×6×4 and what stands in brackets after it; three numbers are a slice."""
    model = Model("m", 7, 6, 4)
    model.add("GetItem", "part")
    node = model.layers[-1]["inbound_nodes"][0]
    written = [
        {"class_name": "__slice__", "config": dict(zip(("start", "stop", "step"), one, strict=True))}
        if isinstance(one, list) else one
        for one in index
    ]  # fmt: skip
    node["args"].append(written)
    return analysed(read_keras(model.text()))


@pytest.mark.parametrize(
    ("index", "shape", "layers"),
    [
        ((_ALL, [None, None, 2], [1, None, 2]), (4, 4, 3), 2),
        ((_ALL, [-3, None, None]), (4, 3, 6), 1),
        ((_ALL, _ALL, _ALL, [1, 3, 1]), (2, 7, 6), 1),
        ((_DOTS, [2, 99, None]), (2, 7, 6), 1),
    ],
)
def test_places_in_brackets(index: tuple[Any, ...], shape: tuple[int, ...], layers: int) -> None:
    found = part(*index)
    assert found.rows[-1].output_shape == shape
    assert [row.op.kind for row in found.rows[1:]] == ["narrow"] * layers


@pytest.mark.parametrize(
    ("index", "says"),
    [((_ALL, [7, None, None]), "has no places"), ((_ALL, [None, None, -1]), "has no places"),
     (([1, None, None],), "whole numbers"), ((_ALL,) * 5, "whole numbers")],
)  # fmt: skip
def test_places_that_are_not_read(index: tuple[Any, ...], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        part(*index)


def test_new_axes_in_brackets() -> None:
    found = part(_ALL, None, [None, None, 2], 3)
    assert [row.op.kind for row in found.rows[1:3]] == ["narrow", "narrow"]
    assert found.rows[-1].output_shape == (4, 1, 4)


def test_a_flat_output_lies_as_in_keras() -> None:
    model = Model("flat", 2, 3, 4)
    model.add("Flatten", "flat")
    found = read_keras(json.dumps(model.document()))
    assert [node.op for node in found.nodes] == ["permute", "flatten"]


def test_one_position_needs_no_padding_to_be_the_same() -> None:
    model = Model("point", 9, 9, 4)
    model.add("Conv2D", "point", filters=2, kernel_size=1, strides=2, padding="same")
    (node,) = read_keras(json.dumps(model.document())).nodes
    assert node.fields["padding"] == 0
    assert analysed(read_keras(json.dumps(model.document()))).rows[-1].output_shape == (2, 5, 5)


def test_one_place_in_brackets() -> None:
    found = part(_ALL, 3)
    assert [row.op.kind for row in found.rows[1:]] == ["narrow", "tokens"]
    assert len(found.rows[-1].output_shape) == len(found.rows[0].output_shape) - 1


def test_channels_of_zeros() -> None:
    assert one("Pad", 4, 4, 3, pad_width=[[0, 0], [0, 0], [0, 0], [2, 1]]) == ((6, 4, 4), 0)
    with pytest.raises(SpecError, match="a pair for each axis"):
        one("Pad", 4, 4, 3, pad_width=[[0, 0], [1, -1], [0, 0], [0, 0]])


def test_layers_that_archcalc_writes_as_classes_of_its_own() -> None:
    response = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}
    assert one("LocalResponseNormalization", 4, 4, 3, **response) == ((3, 4, 4), 0)
    assert one("Scale", 4, 4, 3, use_bias=True) == ((3, 4, 4), 6)
    for kind in ("LocalResponseNormalization", "Scale"):
        with pytest.raises(SpecError, match="another class"):
            one(kind, 4, 4, 3)


def _shuffled(blocks: list[int], dims: list[int], target: list[int], *more: str) -> dict[str, Any]:
    layers = [
        ("Reshape", {"name": "blocks", "target_shape": blocks}),
        ("Permute", {"name": "turn", "dims": dims}),
        ("Reshape", {"name": "joined", "target_shape": target}),
    ]
    taken: list[tuple[str, dict[str, Any]]] = [layer for layer in layers if layer[1]["name"] not in more]
    return sequential("m", *taken, *[(kind, {"name": "next"}) for kind in more if kind[0].isupper()], shape=[4, 6, 8])


@pytest.mark.parametrize(
    ("blocks", "dims", "target", "op"),
    [
        ([4, 6, 2, 2, 2], [1, 4, 2, 5, 3], [8, 12, 2], "pixel_shuffle"),
        ([2, 2, 3, 2, 8], [1, 3, 5, 2, 4], [2, 3, 32], "pixel_unshuffle"),
    ],
)
def test_a_map_in_five_axes_is_a_pixel_shuffle(blocks: list[int], dims: list[int], target: list[int], op: str) -> None:
    found = read_keras(json.dumps(_shuffled(blocks, dims, target)))
    assert [(node.name, node.op) for node in found.nodes] == [("joined", op)]
    assert analysed(found).rows[-1].output_shape == (target[-1], *target[:-1])


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (_shuffled([4, 6, 2, 2, 2], [1, 5, 2, 4, 3], [8, 12, 2]), r'"joined": it joins 5 axes.*than a pixel shuffle'),
        (_shuffled([4, 6, 2, 2, 2], [1, 4, 2, 5, 3], [12, 8, 2]), r'"joined": it joins 5 axes'),
        (_shuffled([4, 6, 2, 2, 2], [1, 4, 2, 5, 3], [8, 12, 3]), r"\(4, 6, 2, 2, 2\) cannot have the shape"),
        (_shuffled([4, 6, 2, 2, 2], [1, 4, 2, 5, 3], [], "joined"), r"shape \(4, 6, 2, 2, 2\) has more axes"),
        (
            _shuffled([4, 6, 2, 2, 2], [], [], "turn", "joined", "ReLU"),
            r'"next": shape \(4, 6, 2, 2, 2\) has more axes',
        ),
        (_shuffled([2, 2, 3, 2, 2, 2, 2, 1], [], [], "turn", "joined"), r"has more axes than archcalc can have"),
    ],
)
def test_other_maps_in_five_axes_are_refused(document: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        read_keras(json.dumps(document))


@pytest.mark.parametrize(
    ("kind", "config", "op"),
    [
        ("UnitNormalization", {"axis": -1}, "l2_norm"),
        ("UnitNormalization", {"axis": 3}, "l2_norm"),
        ("UnitNormalization", {"axis": 1}, "opaque"),
        ("Normalize", {"axis": -1, "order": 1}, "opaque"),
        ("LayerNormalization", {"axis": -1}, "layer_norm"),
        ("RMSNormalization", {"axis": -1}, "rms_norm"),
        ("LayerNormalization", {"axis": -1, "rms_scaling": True}, "opaque"),
    ],
)
def test_norms_of_channels(kind: str, config: dict[str, Any], op: str) -> None:
    found = read_keras(json.dumps(sequential("m", (kind, {"name": "x", **config}), shape=[4, 6, 8])))
    assert [node.op for node in found.nodes] == [op]


def test_layers_of_the_code_that_archcalc_writes() -> None:
    """Trained tokens before a row, a trained value for each place; a class of that name from elsewhere is refused."""
    model = Model("vit", 5, 8)
    model.add("ClassToken", "token", num_tokens=2)
    model.add("PositionEmbedding", "place", activity_regularizer=None, autocast=True)
    analysis = analysed(read_keras(json.dumps(model.document())))
    assert [row.op.kind for row in analysis.rows] == ["input", "class_token", "position_embedding"]
    assert analysis.rows[-1].output_shape == (8, 7)
    assert analysis.totals.params == 2 * 8 + 7 * 8
    model = Model("hub", 5, 8)
    model.add("PositionEmbedding", "place", sequence_length=5)
    with pytest.raises(SpecError, match="another class than the PositionEmbedding that archcalc writes"):
        read_keras(json.dumps(model.document()))


@pytest.mark.parametrize(
    ("kind", "config", "op", "fields"),
    [("Gelu", {"approximate": True}, "gelu", {"approximate": "tanh"}), ("Gelu", {"approximate": False}, "gelu", {}),
     ("Silu", {}, "silu", {}), ("LeakyRelu", {"negative_slope": 0.1}, "leaky_relu", {"negative_slope": 0.1}),
     ("Clip", {"x_min": 0, "x_max": 6}, "hardtanh", {"min_val": 0.0, "max_val": 6.0}),
     ("Square", {}, "power", {"exponent": 2.0})],
)  # fmt: skip
def test_operations_on_a_map(kind: str, config: dict[str, Any], op: str, fields: dict[str, Any]) -> None:
    model = Model("ops", 6, 5, 3)
    model.add(kind, "own", **config)
    document = model.document()
    document["config"]["layers"][-1]["module"] = "keras.src.ops.nn"
    (node,) = read_keras(json.dumps(document)).nodes
    assert (node.op, dict(node.fields)) == (op, fields)


@pytest.mark.parametrize(
    ("function", "given", "ops"),
    [("math.reduce_mean", {"axis": [1, 2]}, ["global_avg_pool2d", "flatten"]),
     ("math.reduce_max", {"axis": -1, "keepdims": True}, ["amax"]),
     ("__operators__.add", {"y": 1.0}, ["rescale"]), ("math.subtract", {"y": ["image", 0, 0]}, ["subtract"]),
     ("math.truediv", {"y": 2.0}, ["multiply"]), ("nn.relu", {"name": None}, ["relu"]), ("math.abs", {}, ["opaque"])],
)  # fmt: skip
def test_functions_of_tensorflow_in_files_of_keras_2(function: str, given: dict[str, Any], ops: list[str]) -> None:
    shape = {"name": "image", "batch_input_shape": [None, 6, 5, 3]}
    layers = [
        {"class_name": "InputLayer", "name": "image", "config": shape, "inbound_nodes": []},
        {"class_name": "TFOpLambda", "name": "tf", "config": {"name": "tf", "trainable": True, "function": function},
         "inbound_nodes": [["image", 0, 0, given]]},
    ]  # fmt: skip
    config = {"name": "m", "layers": layers, "input_layers": [["image", 0, 0]], "output_layers": [["tf", 0, 0]]}
    net = read_keras(json.dumps({"class_name": "Functional", "config": config}))
    assert [node.op for node in net.nodes] == ops
