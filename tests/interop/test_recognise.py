"""Layers from programs: what each operation becomes, and that arrangements make no layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from archcalc.interop.recognise import recognise
from tests.interop.programs import Writer, ops

CONVOLUTION = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}


def _convolution(write: Writer, channels: int, depth: int, size: int, path: str) -> str:
    weight = write.weight(f"{path}/weight", channels, depth, 3, 3)
    made: str = write("conv2d", (1, channels, size, size), write.last, weight, None, path=path, **CONVOLUTION)
    return made


def test_a_convolution_has_its_settings_and_its_path() -> None:
    write = Writer(1, 3, 8, 8)
    _convolution(write, 4, 3, 8, "stem/conv")
    (layer,) = write.layers()
    assert (layer.name, layer.op) == ("stem/conv", "conv2d")
    assert layer.fields == {"out_channels": 4, "kernel_size": 3, "padding": 1, "bias": False}


def test_a_transposed_convolution_has_its_dilation() -> None:
    write = Writer(1, 4, 8, 8)
    settings: dict[str, Any] = {"stride": (2, 1), "padding": (1, 1), "dilation": (1, 3), "output_padding": (0, 2)}
    write("conv_transpose2d", (1, 6, 15, 14), write.last, write.weight("w", 4, 3, 3, 3), None, **settings, groups=2)
    (layer,) = write.layers()
    assert layer.fields == {
        "out_channels": 6, "kernel_size": 3, "stride": [2, 1], "padding": 1, "dilation": [1, 3],
        "output_padding": [0, 2], "groups": 2, "bias": False,
    }  # fmt: skip


def test_a_weight_that_is_used_again_is_shared() -> None:
    write = Writer(1, 4, 8, 8)
    _convolution(write, 4, 4, 8, "conv")
    write("conv2d", (1, 4, 8, 8), write.last, "conv/weight", None, path="conv", **CONVOLUTION)
    first, second = write.layers()
    assert second.weights == first.name


def test_a_permutation_and_back_is_no_layer() -> None:
    """The block of ConvNeXt: normalised and mixed channels last."""
    write = Writer(1, 4, 8, 8)
    write("permute", (1, 8, 8, 4), dims=(0, 2, 3, 1))
    norm, bias = write.weight("norm", 4), write.weight("norm_bias", 4)
    write("layer_norm", (1, 8, 8, 4), write.last, norm, bias, normalized_shape=(4,), eps=1e-5)
    write("linear", (1, 8, 8, 16), write.last, write.weight("w", 16, 4), None)
    write("permute", (1, 16, 8, 8), dims=(0, 3, 1, 2))
    layers = write.layers()
    assert ops(layers) == ["layer_norm", "linear"]
    assert layers[1].fields == {"out_features": 16, "bias": False, "per_position": True}


def test_patches_become_tokens() -> None:
    write = Writer(1, 4, 8, 8)
    write("reshape", (1, 4, 64))
    write("permute", (1, 64, 4), dims=(0, 2, 1))
    token = write.weight("token", 1, 1, 4)
    write("cat", (1, 65, 4), token, write.last, dim=1)
    positions = write.weight("positions", 1, 65, 4)
    write("add", (1, 65, 4), write.last, positions)
    write("select", (1, 4), dim=1, index=0)
    write("linear", (1, 10), write.last, write.weight("head", 10, 4), None)
    assert ops(write.layers()) == ["tokens", "class_token", "position_embedding", "narrow", "flatten", "linear"]


@pytest.mark.parametrize("groups", [2, 4])
def test_channels_that_are_shuffled(groups: int) -> None:
    write = Writer(1, 8, 5, 5)
    depth = 8 // groups
    write("reshape", (1, groups, depth, 5, 5))
    write("transpose", (1, depth, groups, 5, 5), dim0=1, dim1=2)
    write("reshape", (1, 8, 5, 5))
    write("relu", (1, 8, 5, 5))
    _, shuffle = write.layers()
    assert (shuffle.op, shuffle.fields) == ("channel_shuffle", {"groups": groups})


def test_a_gate_is_spread_over_the_positions() -> None:
    write = Writer(1, 4, 8, 8)
    write("mean", (1, 4, 1, 1), dim=(2, 3), keepdim=True)
    gate = write("sigmoid", (1, 4, 1, 1))
    write("mul", (1, 4, 8, 8), "x", gate)
    layers = write.layers()
    assert ops(layers) == ["global_avg_pool2d", "sigmoid", "multiply"]
    assert layers[2].inputs == ("x", layers[1].name)


def test_x_times_its_sigmoid_is_silu_and_clamped_is_hard_swish() -> None:
    write = Writer(1, 4, 8, 8)
    gate = write("sigmoid", (1, 4, 8, 8))
    x = write("mul", (1, 4, 8, 8), gate, "x")
    write("add", (1, 4, 8, 8), other=3)
    write("clamp", (1, 4, 8, 8), min=0, max=6)
    product = write("mul", (1, 4, 8, 8), x, write.last)
    write("div", (1, 4, 8, 8), product, other=6)
    assert ops(write.layers()) == ["silu", "hardswish"]


def test_attention_of_one_projection() -> None:
    """q, k and v come from one linear layer, cut into heads; the product is written out."""
    write = Writer(1, 7, 8)
    write("linear", (1, 7, 24), write.last, write.weight("qkv", 24, 8), None)
    write("reshape", (1, 7, 3, 2, 4))
    write("permute", (3, 1, 2, 7, 4), dims=(2, 0, 3, 1, 4))
    q, k, v = write("unbind", [(1, 2, 7, 4)] * 3, dim=0)
    turned = write("transpose", (1, 2, 4, 7), k, dim0=2, dim1=3)
    write("matmul", (1, 2, 7, 7), q, turned)
    write("mul", (1, 2, 7, 7), other=0.5)
    soft = write("softmax", (1, 2, 7, 7), dim=3)
    write("matmul", (1, 2, 7, 4), soft, v)
    write("transpose", (1, 7, 2, 4), dim0=1, dim1=2)
    write("reshape", (1, 7, 8))
    write("linear", (1, 7, 8), write.last, write.weight("proj", 8, 8), None)
    layers = write.layers()
    assert ops(layers) == ["transpose", "multi_head_attention", "transpose"]
    assert layers[1].fields == {"num_heads": 2, "bias": False}


def _tokens_of(write: Writer, projections: int) -> list[str]:
    """q, k and v of the places of a map, of one projection or of three."""
    write("reshape", (1, 8, 16), "x")
    row = write("permute", (1, 16, 8), dims=(0, 2, 1))
    if projections == 1:
        write("linear", (1, 16, 24), row, write.weight("qkv", 24, 8), None)
        made = list(write("split", [(1, 16, 8)] * 3, split_size=(8, 8, 8), dim=2))
    else:
        made = [write("linear", (1, 16, 8), row, write.weight(f"at/{name}", 8, 8), None, path="at") for name in "qkv"]
    return made


@pytest.mark.parametrize("projections", [1, 3])
def test_attention_of_a_map_is_that_of_its_tokens(projections: int) -> None:
    write = Writer(1, 8, 4, 4)
    made = _tokens_of(write, projections)
    heads = []
    for part in made:
        write("reshape", (1, 16, 2, 4), part)
        heads.append(write("transpose", (1, 2, 16, 4), dim0=1, dim1=2))
    write("scaled_dot_product_attention", (1, 2, 16, 4), *heads)
    write("transpose", (1, 16, 2, 4), dim0=1, dim1=2)
    write("reshape", (1, 16, 8))
    write("linear", (1, 16, 8), write.last, write.weight("at/proj", 8, 8), None, path="at")
    write("permute", (1, 8, 16), dims=(0, 2, 1))
    layers = write.layers()
    assert ops(layers) == ["tokens", "multi_head_attention"]
    assert (layers[0].inputs, layers[1].inputs) == (("x",), (layers[0].name,))
    assert layers[1].fields == {"num_heads": 2, "bias": False}


def test_what_archcalc_does_not_have_is_opaque_with_its_shape() -> None:
    write = Writer(1, 4, 8, 8)
    write("deform_conv2d", (1, 6, 8, 8), write.last, write.weight("w", 6, 4, 3, 3), path="offsets")
    (layer,) = recognise(write.program()).nodes
    assert (layer.op, layer.fields["of"], layer.fields["params"]) == ("opaque", "deform_conv2d", 216)


def test_images_of_a_batch_are_left_out() -> None:
    write = Writer(5, 4, 8, 8)
    write("mean", (5, 4), dim=(2, 3), keepdim=False)
    write("reshape", (5, 2, 2))
    write("reshape", (5, 4))
    write("linear", (5, 3), write.last, write.weight("w", 3, 4), None)
    assert ops(write.layers()) == ["global_avg_pool2d", "flatten", "linear"]


def test_products_of_heads_take_a_batch() -> None:
    """Two tensors multiplied head by head, not followed by a softmax."""
    write = Writer(1, 8, 7)
    write("reshape", (1, 2, 4, 7))
    x = write.last
    turned = write("transpose", (1, 2, 7, 4), x, dim0=2, dim1=3)
    write("matmul", (1, 2, 4, 4), x, turned)
    layers = write.layers()
    assert layers[-1].op == "matmul" or "matmul" in ops(layers)
    assert "opaque" not in ops(layers)


def test_a_stored_tensor_that_is_spread_is_a_parameter() -> None:
    write = Writer(1, 4, 8, 8)
    write("add", (1, 4, 8, 8), "x", write.weight("rows", 1, 4, 8, 1))
    parameter, add = write.layers()
    assert (parameter.name, parameter.op, parameter.fields) == ("rows", "parameter", {"shape": "8x1x4"})
    assert add.fields == {"broadcast": True}


def test_an_einsum_of_two_tensors_is_a_product() -> None:
    write = Writer(1, 8, 7)
    write("einsum", (1, 7, 7), "x", "x", equation="b c i, b c j -> b i j")
    assert "matmul" in ops(write.layers())


def test_windows_that_are_cut_by_hand_are_attention_in_windows() -> None:
    """Swin: windows of 2×2 of a map of 4×4, a table of relative positions, and the map put together again."""
    write = Writer(1, 8, 4, 4)
    write("permute", (1, 4, 4, 8), dims=(0, 2, 3, 1))
    write("reshape", (1, 2, 2, 2, 2, 8))
    write("permute", (1, 2, 2, 2, 2, 8), dims=(0, 1, 3, 2, 4, 5))
    write("reshape", (4, 4, 8))
    write("linear", (4, 4, 24), write.last, write.weight("qkv", 24, 8), write.weight("qkv_bias", 24))
    write("reshape", (4, 4, 3, 2, 4))
    write("permute", (3, 4, 2, 4, 4), dims=(2, 0, 3, 1, 4))
    q, k, v = write("unbind", [(4, 2, 4, 4)] * 3, dim=0)
    turned = write("transpose", (4, 2, 4, 4), k, dim0=2, dim1=3)
    q = write("mul", (4, 2, 4, 4), q, other=0.5)
    scores = write("matmul", (4, 2, 4, 4), q, turned)
    write("index", (16, 2), write.weight("table", 9, 2), write.weight("index", 16, role="buffer"))
    write("reshape", (4, 4, 2))
    write("permute", (2, 4, 4), dims=(2, 0, 1))
    bias = write("reshape", (1, 2, 4, 4))
    write("add", (4, 2, 4, 4), scores, bias)
    soft = write("softmax", (4, 2, 4, 4), dim=3)
    write("matmul", (4, 2, 4, 4), soft, v)
    write("transpose", (4, 4, 2, 4), dim0=1, dim1=2)
    write("reshape", (4, 4, 8))
    write("linear", (4, 4, 8), write.last, write.weight("proj", 8, 8), write.weight("proj_bias", 8))
    write("reshape", (1, 2, 2, 2, 2, 8))
    write("permute", (1, 2, 2, 2, 2, 8), dims=(0, 1, 3, 2, 4, 5))
    write("reshape", (1, 4, 4, 8))
    write("permute", (1, 8, 4, 4), dims=(0, 3, 1, 2))
    (attention,) = write.layers()
    assert attention.op == "multi_head_attention"
    assert attention.fields == {"num_heads": 2, "window_size": 2, "relative_position_bias": True}


_POOL = {"kernel_size": (2, 2), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1), "ceil_mode": False}


@pytest.mark.parametrize(("op", "given"), [("adaptive_max_pool2d", {"output_size": (2, 2)}), ("max_pool2d", _POOL)])
def test_a_second_output_counts_only_where_it_is_read(op: str, given: dict[str, Any]) -> None:
    write = Writer(1, 3, 4, 4)
    values, indices = write(op, [(1, 3, 2, 2), (1, 3, 2, 2)], "x", **given)
    assert ops(write.layers({"output": values})) == [op]
    both = write.layers({"values": values, "indices": indices})
    assert [(node.op, node.fields["of"]) for node in both] == [("opaque", op)] * 2


@pytest.mark.parametrize(("trained", "frozen", "notes"), [((False, False), True, 0), ((False, True), False, 1)])
def test_parameters_that_are_not_trained(trained: tuple[bool, bool], frozen: bool, notes: int) -> None:
    write = Writer(1, 3)
    for name, shape, is_trained in zip(("weight", "bias"), ((2, 3), (2,)), trained, strict=True):
        write.weight(name, *shape)
        write.constants[name] = replace(write.constants[name], trained=is_trained)
    write("linear", (1, 2), "x", "weight", "bias")
    found = recognise(write.program())
    assert (found.nodes[-1].frozen, len(found.notes)) == (frozen, notes)
    assert not notes or "6 of its 8 parameters are frozen" in found.notes[0]


@pytest.mark.parametrize(
    ("turned", "layers"), [("", "transpose, transpose_2"), ("x", "transpose"), ("y", "transpose"), ("xy", "")]
)
def test_a_note_names_the_maps_that_only_have_another_order(turned: str, layers: str) -> None:
    """The network of (batch, positions, features) has no operation that turns its input or output, or has one."""
    write = Writer(*((1, 4, 5) if "x" in turned else (1, 5, 4)))
    x = write("transpose", (1, 5, 4), "x", dim0=1, dim1=2) if "x" in turned else "x"
    write("linear", (1, 5, 4), x, write.weight("w", 4, 4), None)
    write("relu", (1, 5, 4), write.last)
    write("linear", (1, 5, 6), write.last, write.weight("v", 6, 4), None)
    if "y" in turned:
        write("transpose", (1, 6, 5), write.last, dim0=1, dim1=2)
    notes = [note.partition(":")[0] for note in recognise(write.program()).notes]
    assert notes == ([layers] if layers else [])
