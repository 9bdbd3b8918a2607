"""What an op cannot take, and what it says then."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from archcalc.core.errors import ShapeError
from archcalc.core.shapes import Shape
from archcalc.ops import OPS
from tests.networks import op, shape

IMAGE = (4, 8, 8)


@pytest.mark.parametrize(
    ("kind", "fields", "inputs", "message", "detail"),
    [
        (
            "conv2d",
            {"out_channels": 1, "kernel_size": 11},
            [IMAGE],
            "the window is larger than its input",
            "fits with padding: 2, or kernel_size: 8",
        ),
        (
            "conv2d",
            {"out_channels": 1, "kernel_size": 5, "dilation": 3},
            [IMAGE],
            "the window is larger",
            "dilation 3, padding 0",
        ),
        (
            "avg_pool2d",
            {"kernel_size": 2, "stride": 1, "padding": 1, "dilation": 3},
            [(4, 2, 2)],
            "nothing but padding",
            "kernel_size 2, dilation 3, padding 1",
        ),
        # One axis is enough.
        ("max_pool2d", {"kernel_size": [1, 9]}, [IMAGE], "the window is larger than its input", "kernel_size [1, 9]"),
        (
            "conv2d",
            {"out_channels": 6, "kernel_size": 1, "groups": 3},
            [IMAGE],
            "groups does not divide the input channels",
            "4 input channels, groups 3; the remainder is 1",
        ),
        (
            "conv2d",
            {"out_channels": 6, "kernel_size": 1, "groups": 4},
            [IMAGE],
            "groups does not divide the out_channels",
            "6 out_channels, groups 4; the remainder is 2",
        ),
        (
            "conv_transpose2d",
            {"out_channels": 6, "kernel_size": [1, 1], "groups": 4},
            [IMAGE],
            "groups does not divide the out_channels",
            "6 out_channels, groups 4",
        ),
        (
            "conv_transpose2d",
            {"out_channels": 1, "kernel_size": [3, 3], "padding": 5},
            [IMAGE],
            "nothing is left of the output",
            "padding",
        ),
        (
            "conv2d",
            {"out_channels": 2, "kernel_size": 1, "connections": [[0]]},
            [IMAGE],
            "one row for each filter",
            "1 rows, out_channels 2",
        ),
        (
            "conv2d",
            {"out_channels": 1, "kernel_size": 1, "connections": [[0, 4]]},
            [IMAGE],
            "row 0 of the connection table",
            "it names [0, 4]",
        ),
        (
            "conv2d",
            {"out_channels": 2, "kernel_size": 1, "connections": [[0], [1, 1]]},
            [IMAGE],
            "row 1 of the connection table",
            "it names [1, 1]",
        ),
        (
            "conv2d",
            {"out_channels": 1, "kernel_size": 1, "connections": [[]]},
            [IMAGE],
            "row 0 of the connection table",
            "it names []",
        ),
        (
            "conv2d",
            {"out_channels": 2, "kernel_size": 1, "groups": 2, "connections": [[0], [1]]},
            [IMAGE],
            "cannot be combined",
            "",
        ),
        (
            "max_pool2d",
            {"kernel_size": 2, "padding": 2},
            [IMAGE],
            "the padding is as large as the window",
            "kernel_size 2, padding 2",
        ),
        ("add", {}, [IMAGE, (4, 8, 7)], "the maps to add differ in shape", "inputs 8×8×4, 8×7×4"),
        ("add", {}, [IMAGE, (256,)], "the maps to add differ in shape", "inputs 8×8×4, 256"),
        (
            "concat",
            {},
            [IMAGE, (9, 8, 8), (4, 7, 8)],
            "the maps to concatenate differ in height or width",
            "inputs 8×8×4, 8×8×9, 7×8×4",
        ),
        ("concat", {}, [IMAGE, (4,)], "the maps to concatenate differ", "inputs 8×8×4, 4"),
        ("multiply", {}, [IMAGE, (4, 2, 2)], "do not fit together", "inputs 8×8×4, 2×2×4"),
        ("multiply", {}, [IMAGE, (5,)], "do not fit together", "inputs 8×8×4, 5"),
        ("crop2d", {"margins": 4}, [IMAGE], "the margins leave nothing", "margins [4, 4, 4, 4]"),
        ("crop2d", {}, [IMAGE], "needs margins, or a second input", ""),
        ("crop2d", {}, [IMAGE, (1, 9, 8)], "the map to crop is smaller", "map 8×8×4, to fit 9×8×1"),
        ("slice2d", {"start": [0, 8]}, [IMAGE], "the slice starts after the last", "start [0, 8]"),
        (
            "reshape",
            {"shape": "16x16x2"},
            [IMAGE],
            "the number of values changes",
            "8×8×4 has 256 values, 16×16×2 has 512",
        ),
        ("max_unpool2d", {"kernel_size": 2}, [IMAGE, (4, 4, 4)], "differ", "maps 8×8×4, pooled 4×4×4"),
        ("max_unpool2d", {"kernel_size": 1, "padding": 4}, [IMAGE, IMAGE], "nothing is left", "padding"),
        # The map that gives the size must have the same channels, and be one that pools to the maps.
        ("max_unpool2d", {"kernel_size": 2}, [IMAGE, IMAGE, (5, 16, 16)], "channels", "8×8×4"),
        ("max_unpool2d", {"kernel_size": 2}, [IMAGE, IMAGE, (4, 99, 3)], "size", "99×3×4"),
        ("pad_channels", {"out_channels": 3}, [IMAGE], "out_channels is too small", "out_channels 3"),
        ("pad_channels", {"out_channels": 6, "before": 3}, [IMAGE], "out_channels is too small", "before 3"),
        ("pad_channels", {"out_channels": 6, "after": 1}, [IMAGE], "takes no `after`", ""),
        ("pad_channels", {"before": "half"}, [IMAGE], "out_channels", "before half"),
        ("rbf", {"out_features": 1}, [IMAGE], "needs a flat input", "put flatten or linear before it"),
    ],
)
def test_shapes_that_an_op_cannot_take(
    kind: str, fields: dict[str, Any], inputs: list[Shape], message: str, detail: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        shape(op(kind, **fields), *inputs)
    assert message in caught.value.message
    assert detail in " ".join(caught.value.details)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("conv2d", {"out_channels": 1, "kernel_size": 1}),
        ("depthwise_conv2d", {"kernel_size": 1}),
        ("conv_transpose2d", {"out_channels": 1, "kernel_size": [1, 1]}),
        ("locally_connected2d", {"out_channels": 1, "kernel_size": 1}),
        ("max_pool2d", {"kernel_size": 1}),
        ("avg_pool2d", {"kernel_size": 1}),
        ("lp_pool2d", {"kernel_size": 1}),
        ("subsampling2d", {"kernel_size": 1}),
        ("global_avg_pool2d", {}),
        ("adaptive_avg_pool2d", {"output_size": 1}),
        ("slice2d", {}),
        ("crop2d", {"margins": 1}),
        ("zero_pad2d", {"padding": 1}),
        ("upsample2d", {}),
    ],
)
def test_an_op_over_space_refuses_a_flat_input_and_says_how_to_shape_it(kind: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ShapeError) as caught:
        shape(op(kind, **fields), (100,))
    assert "needs height, width and channels, but its input is flat" in caught.value.message
    assert "reshape" in " ".join(caught.value.details)


@pytest.mark.parametrize(
    ("fields", "size", "words"),
    [
        # CS231n: 10 wide, filter 3, stride 2: (10 − 3)/2 + 1 = 4.5.
        (
            {"kernel_size": 3, "stride": 2},
            10,
            ["(10 − 3 + 0)/2 + 1 leaves 1 of 2 over", "floor gives 4, ceil 5, padding: same 5", "W = 9 or 11", "S = 1"],
        ),
        # AlexNet's 224: (224 − 11)/4 + 1 = 54.25; 223 and 227 are whole, and so are 3 pixels of padding.
        (
            {"kernel_size": 11, "stride": 4},
            224,
            ["floor gives 54, ceil 55, padding: same 56", "W = 223 or 227", "with 3 pixels of padding"],
        ),
        ({"kernel_size": 7, "stride": 2, "padding": 3}, 224, ["W = 223 or 225", "5 or 7 pixels of padding"]),
    ],
)
def test_strictly_a_window_must_tile(fields: dict[str, Any], size: int, words: list[str]) -> None:
    layer = op("conv2d", out_channels=1, **fields)
    inputs = [(1, size, size)]
    layer.check(inputs)
    with pytest.raises(ShapeError) as caught:
        layer.check(inputs, strict=True)
    assert "do not tile the height: (W − F + 2P)/S + 1 is not whole" in caught.value.message
    assert [word for word in words if word not in " ".join(caught.value.details)] == []
    with pytest.raises(ShapeError):
        op("conv2d", out_channels=1, exact=True, **fields).check(inputs)


@pytest.mark.parametrize(
    ("kind", "fields", "size"),
    [
        ("conv2d", {"out_channels": 1, "kernel_size": 11, "stride": 4}, 227),
        ("conv2d", {"out_channels": 1, "kernel_size": 3, "padding": 1}, 8),
        ("conv2d", {"out_channels": 1, "kernel_size": 3, "stride": 2, "padding": "same"}, 224),
        ("max_pool2d", {"kernel_size": 2}, 8),
        ("max_pool2d", {"kernel_size": 3, "stride": 2}, 55),
        ("relu", {}, 7),
    ],
)
def test_what_tiles_passes_strictly(kind: str, fields: dict[str, Any], size: int) -> None:
    layer = op(kind, **fields)
    layer.check([(1, size, size)], strict=True)
    assert layer.output_shape([(1, size, size)])[0] == 1


def test_strictly_the_width_must_tile_too() -> None:
    with pytest.raises(ShapeError, match="do not tile the width"):
        op("max_pool2d", kernel_size=2).check([(1, 8, 9)], strict=True)


@pytest.mark.parametrize("hint", [0, 1])
@pytest.mark.parametrize(("kernel_size", "padding", "size"), [(11, 0, 8), (9, 0, 4), (12, 1, 5)])
def test_the_hint_for_a_window_that_is_too_large_holds(hint: int, kernel_size: int, padding: int, size: int) -> None:
    with pytest.raises(ShapeError) as caught:
        shape(op("conv2d", out_channels=1, kernel_size=kernel_size, padding=padding), (1, size, size))
    words = caught.value.details[1].replace(",", "").split()
    proposed = {"padding": int(words[words.index("padding:") + 1])} if hint == 0 else {}
    proposed |= {"kernel_size": int(words[words.index("kernel_size:") + 1])} if hint == 1 else {}
    fields = {"kernel_size": kernel_size, "padding": padding, **proposed}
    assert min(shape(op("conv2d", out_channels=1, **fields), (1, size, size)).output) >= 1


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        ("conv2d", {"out_channels": 0, "kernel_size": 1}, "out_channels"),
        ("conv2d", {"out_channels": -1, "kernel_size": 1}, "out_channels"),
        ("conv2d", {"out_channels": 2**30 + 1, "kernel_size": 1}, "out_channels"),
        ("conv2d", {"out_channels": 1.0, "kernel_size": 1}, "out_channels"),
        ("conv2d", {"out_channels": True, "kernel_size": 1}, "out_channels"),
        ("conv2d", {"out_channels": "1", "kernel_size": 1}, "out_channels"),
        ("conv2d", {"out_channels": 1, "kernel_size": 0}, "kernel_size"),
        ("conv2d", {"out_channels": 1, "kernel_size": 2**20 + 1}, "kernel_size"),
        ("conv2d", {"out_channels": 1, "kernel_size": [1, 2, 3]}, "kernel_size"),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "padding": -1}, "padding"),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "padding": [1, 2, 3]}, "padding"),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "padding": "smae"}, "padding"),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "stride": 0}, "stride"),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "groups": 0}, "groups"),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "bias": 3}, "bias"),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "connections": [[-1]]}, "connections"),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "outchannels": 1}, "outchannels"),
        ("conv_transpose2d", {"out_channels": 1, "kernel_size": 0}, "kernel_size"),
        ("lp_pool2d", {"kernel_size": 2, "norm_type": 0}, "norm_type"),
        ("batch_norm2d", {"epsilon": 0}, "epsilon"),
        ("dropout", {"p": 1.5}, "p"),
        ("upsample2d", {"mode": "cubic"}, "mode"),
        ("upsample2d", {"scale": 0.5}, "scale"),
        ("reshape", {"shape": "2x2x2x2x2"}, "shape"),
        ("reshape", {"shape": [16, 16]}, "shape"),
        ("zero_pad2d", {"padding": "smae"}, "padding"),
        ("zero_pad2d", {"padding": "valid"}, "padding"),
        ("linear", {}, "out_features"),
    ],
)
def test_settings_that_an_op_cannot_have(kind: str, fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        op(kind, **fields)
    assert {fault["loc"][0] for fault in caught.value.errors()} == {wrong}


@pytest.mark.parametrize("kind", ["conv_transpose2d", "max_unpool2d", "conv2d", "max_pool2d", "lp_pool2d"])
def test_one_number_stands_for_both_axes_in_every_op_with_a_kernel(kind: str) -> None:
    fields = {"out_channels": 3} if "out_channels" in OPS[kind].model_fields else {}
    assert op(kind, kernel_size=2, stride=2, **fields) == op(kind, kernel_size=[2, 2], stride=[2, 2], **fields)
