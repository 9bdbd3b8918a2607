"""What the newer ops cannot take, and what they say then."""

from __future__ import annotations

import re
from typing import Any

import pytest

from archcalc.core.errors import ShapeError, SpecError
from archcalc.core.shapes import Shape
from tests.networks import layers, op, shape

IMAGE = (6, 4, 8)
ONE = {"num_heads": 1}
TABLE = {"num_embeddings": 5, "embedding_dim": 2}


@pytest.mark.parametrize(
    ("kind", "fields", "inputs", "message", "detail"),
    [
        ("prelu", {"num_parameters": 3}, [IMAGE], "neither 1 nor the number of channels", "num_parameters: channels"),
        ("grid", {"size": [2, 1]}, [(6, 1)], "another number of tokens", "1 token; size 2×1 has 2"),
        (
            "conv_transpose2d",
            {"out_channels": 2, "kernel_size": 3, "stride": 2, "output_padding": 2},
            [IMAGE],
            "output_padding must be smaller than the stride",
            "at most 1×1",
        ),
        (
            "conv_transpose2d",
            {"out_channels": 2, "kernel_size": 3, "output_padding": [0, 1]},
            [IMAGE],
            "output_padding must be smaller than the stride",
            "at most 0×0",
        ),
        (
            "conv_transpose2d",
            {"out_channels": 2, "kernel_size": 3, "dilation": [2, 1], "output_padding": 1},
            [IMAGE],
            "output_padding must be smaller than the stride or the dilation",
            "at most 1×0",
        ),
        (
            "conv_transpose2d",
            {"out_channels": 2, "kernel_size": 3, "dilation": 2, "padding": 20},
            [IMAGE],
            "nothing is left of the output",
            "kernel_size 3×3, dilation 2×2, padding",
        ),
        (
            "linear",
            {"out_features": 2, "weight_norm": True, "spectral_norm": True},
            [IMAGE],
            "weight_norm and spectral_norm cannot be combined",
            "",
        ),
        (
            "conv2d",
            {"out_channels": 1, "kernel_size": 1, "connections": [[0]], "weight_norm": True},
            [IMAGE],
            "the filters of a connection table cannot be normalised",
            "",
        ),
        ("batch_norm2d", {}, [(6, 8)], "needs height, width and channels, but its input has length", "batch_norm1d"),
        ("batch_norm2d", {}, [(6,)], "but its input is flat", "it fits with batch_norm1d"),
        ("batch_norm1d", {}, [IMAGE], "but its input has height, width", "it fits with batch_norm2d"),
        ("hardtanh", {"min_val": 2, "max_val": 1}, [IMAGE], "min_val is not below max_val", "min_val 2, max_val 1"),
        ("chunk", {"chunks": 2, "index": 2}, [IMAGE], "more along channels than the input has", "6 along channels"),
        ("chunk", {"chunks": 2, "axis": "length"}, [IMAGE], "the input has no length", "has channels, height, width"),
        # A list of one is no number that stands for all, as in PyTorch (interpolate, roll, pad, split).
        ("interpolate", {"size": [3]}, [IMAGE], "size needs a number for each position axis", "for all: size: 3"),
        ("roll", {"shifts": [1]}, [IMAGE], "shifts needs a number for each position axis", "for all: shifts: 1"),
        ("reflection_pad", {"padding": [1]}, [IMAGE], "padding needs a number for each position axis", "padding [1]"),
        ("split", {"sizes": [3]}, [IMAGE], "the sizes are not those of the channels", "add up to 3"),
        (
            "multi_head_attention",
            {"num_heads": 1, "window_size": [2]},
            [IMAGE],
            "window_size needs a number for each position axis",
            "for all: window_size: 2",
        ),
        (
            "multi_head_attention",
            {"num_heads": 1, "window_size": 2, "shift_size": [1]},
            [IMAGE],
            "shift_size needs a number for each position axis",
            "for all: shift_size: 1",
        ),
        ("split", {"sizes": [1, 2]}, [IMAGE], "the sizes are not those of the channels", "add up to 3"),
        (
            "split",
            {"sizes": [1, 2]},
            [IMAGE],
            "the sizes are not those of the channels",
            "they fit with sizes: [1, 2, 3]",
        ),
        ("split", {"sizes": [4, 4]}, [IMAGE], "the sizes are not those of the channels", "they fit with sizes: [4, 2]"),
        ("split", {"sizes": [2, 4], "index": 2}, [IMAGE], "there is no part of this index", "it fits with index: 1"),
        ("split", {"sizes": 4, "index": 2}, [IMAGE], "more along channels than the input has", "input 4×8×6"),
        ("narrow", {"axis": "width", "start": 6, "length": 3}, [IMAGE], "more along width", "taken are 6 to 8"),
        ("narrow", {"start": 6}, [IMAGE], "more along channels", "taken are from 6 on"),
        ("channel_shuffle", {"groups": 4}, [IMAGE], "groups does not divide the channels", "it fits with groups: 3"),
        ("permute", {"dims": ["channels", "height"]}, [IMAGE], "dims does not name every axis once", "height, width"),
        ("transpose", {"dims": ["channels", "depth"]}, [IMAGE], "the input has no depth", "input 4×8×6"),
        ("pixel_shuffle", {"upscale_factor": 2}, [IMAGE], "not whole blocks", "4 channels a block"),
        ("pixel_unshuffle", {"downscale_factor": 8}, [IMAGE], "does not divide the height", "the remainder is 4"),
        ("pixel_unshuffle", {"downscale_factor": 2}, [(6,)], "its input is flat", "input 6"),
        ("grid", {}, [(6, 50)], "the tokens are no square", "size: [5, 10]; 7×7 with a class token"),
        ("grid", {"size": [3, 4]}, [(6, 13)], "another number of tokens", "size 3×4 has 12"),
        ("grid", {}, [IMAGE], "needs a row of tokens", "input 4×8×6"),
        ("mean", {"axes": ["length"]}, [IMAGE], "the input has no length", "has channels, height, width"),
        ("amax", {"axes": ["width", "width"]}, [IMAGE], "axes names an axis twice", "axes [width, width]"),
        ("roll", {"shifts": [1, 2, 3]}, [IMAGE], "a number for each position axis", "shifts [1, 2, 3]"),
        ("interpolate", {}, [IMAGE], "needs one of size, scale_factor and a second input", "given: none"),
        ("interpolate", {"size": 3, "scale_factor": 2}, [IMAGE], "needs one of", "given: size and scale_factor"),
        ("interpolate", {"size": [1, 2, 3]}, [IMAGE], "a number for each position axis", "size [1, 2, 3]"),
        ("interpolate", {}, [IMAGE, (6, 9)], "has other axes", "to fit"),
        (
            "interpolate",
            {"scale_factor": 2, "mode": "linear"},
            [IMAGE],
            "linear is for maps with length",
            "mode: nearest or bilinear or bicubic",
        ),
        ("interpolate", {"scale_factor": 0.1}, [IMAGE], "nothing is left of a side", "is less than 1"),
        (
            "interpolate",
            {"scale_factor": 0.29},
            [(1, 100)],
            "the size is not clear",
            "PyTorch makes 28 of 100, exactly it is 29",
        ),
        ("interpolate", {"size": 3, "antialias": True}, [IMAGE], "antialias is for bilinear", "mode: nearest"),
        ("interpolate", {"scale_factor": 2, "align_corners": True}, [IMAGE], "nearest has no corners", ""),
        ("reflection_pad", {"padding": 4}, [IMAGE], "the height is too small for its padding", "at most 3"),
        ("circular_pad", {"padding": [1, 9]}, [IMAGE], "the width is too small for its padding", "at most 8"),
        ("replication_pad", {"padding": [1, 2, 3]}, [IMAGE], "a number for each position axis", "padding [1, 2, 3]"),
        ("class_token", {}, [IMAGE], "needs a row of tokens", "input 4×8×6"),
        (
            "embedding",
            {"num_embeddings": 5, "embedding_dim": 2},
            [IMAGE],
            "needs one number for each position",
            "4×8×6",
        ),
        ("matmul", {}, [(3, 2), (4, 2)], "not the rows of the second", "2×3 and 2×4"),
        ("matmul", {}, [(3, 2), (4, 2)], "not the rows of the second", "it fits with transpose_first: true"),
        ("matmul", {}, [(6, 5), (8, 7)], "not the rows of the second", "no transposition makes them fit"),
        (
            "matmul",
            {"transpose_second": True},
            [(3, 2), (4, 3)],
            "not the rows of the second",
            "it fits with transpose_second: false",
        ),
        ("add", {}, [(3, 16, 16), (3, 100)], "differ in shape", "they have 256 and 100 positions"),
        ("concat", {}, [(3, 16, 16), (3, 100)], "number of axes", "they have 256 and 100 positions"),
        ("add", {}, [(3, 10, 10), (3, 100)], "differ in shape", "tokens makes a row"),
        ("add", {}, [(256, 313), (256, 312)], "differ in shape", "compare padding and ceil_mode on both ways"),
        ("concat", {}, [(4, 7, 8), (9, 8, 8)], "differ in height", "compare padding and ceil_mode on both ways"),
        (
            "pixel_unshuffle",
            {"downscale_factor": 2},
            [(30, 15, 15)],
            "does not divide the height",
            "it fits with downscale_factor 3 or 5 or 15, or after zero_pad2d: {padding: [0, 0, 1, 1]}",
        ),
        ("embedding", TABLE, [(3, 20)], "one number for each position", "it fits with input: 20,"),
        ("embedding", TABLE, [IMAGE], "one number for each position", "it fits with input: 4x8x1,"),
        ("matmul", {}, [(4,), (4, 2)], "needs rows of positions", "input 4"),
        ("matmul", {}, [(3, 5, 2), (4, 6, 3)], "the axes before the rows differ", "those axes are a batch"),
        (
            "multi_head_attention",
            {"num_heads": 4},
            [IMAGE],
            "num_heads does not divide the channels",
            "the remainder is 2",
        ),
        ("multi_head_attention", {"num_heads": 1}, [(6,)], "needs positions", "inputs 6"),
        (
            "multi_head_attention",
            {"num_heads": 1, "kdim": 4},
            [(4, 2), (6, 3)],
            "not the channels of queries",
            "kdim 4",
        ),
        (
            "multi_head_attention",
            {**ONE, "embed_dim": 6},
            [(4, 2), (4, 3)],
            "not the channels of queries",
            "may be any",
        ),
        ("multi_head_attention", {"num_heads": 4, "embed_dim": 6}, [(4, 2)], "divide the embed_dim", "remainder is 2"),
        (
            "multi_head_attention",
            {"num_heads": 1},
            [(4, 2), (4, 3), (4, 5)],
            "keys and values differ in number",
            "keys",
        ),
        (
            "multi_head_attention",
            {"num_heads": 1, "window_size": 3},
            [IMAGE],
            "does not divide the height",
            "remainder is 1",
        ),
        (
            "multi_head_attention",
            {"num_heads": 1, "window_size": [1, 2, 4]},
            [IMAGE],
            "for each position axis",
            "[1, 2, 4]",
        ),
        ("multi_head_attention", {"num_heads": 1, "window_size": 2}, [(4, 2), (4, 2)], "one input", ""),
        ("multi_head_attention", {**ONE, "shift_size": 1}, [(4, 6)], "are for windows", "give window_size too"),
        ("multi_head_attention", {**ONE, "partition": "grid"}, [(4, 6)], "are for windows", "give window_size too"),
        (
            "multi_head_attention",
            {**ONE, "window_size": 2, "shift_size": 2},
            [(4, 6)],
            "within a window along the length",
            "it fits with shift_size: 1",
        ),
        (
            "multi_head_attention",
            {**ONE, "window_size": 6, "shift_size": 3},
            [(4, 6)],
            "within a window along the length",
            "it fits with shift_size: 0",
        ),
        (
            "multi_head_attention",
            {**ONE, "window_size": 2, "shift_size": 1, "partition": "grid"},
            [(4, 6)],
            "a grid has no neighbours",
            "",
        ),
        (
            "multi_head_attention",
            {**ONE, "window_size": 2, "shift_size": [1, 1]},
            [(4, 6)],
            "for each position axis",
            "shift_size [1, 1]",
        ),
        ("concat", {"axis": "length"}, [(4, 6), (3, 6)], "differ in channels", "6×4, 6×3"),
        ("concat", {"axis": "width"}, [(4, 6), (4, 6)], "the input has no width", "input 6×4"),
        ("multi_head_attention", {"num_heads": 1, "is_causal": True}, [IMAGE], "for rows of tokens", "input 4×8×6"),
        ("scaled_dot_product_attention", {}, [(4, 2), (3, 2), (3, 2)], "queries and keys differ in channels", "keys"),
        ("scaled_dot_product_attention", {}, [(4, 2), (4, 2), (3, 5)], "keys and values differ in number", "values"),
        (
            "scaled_dot_product_attention",
            {"num_heads": 3},
            [(4, 2)] * 3,
            "does not divide the channels of",
            "the remainder is 1",
        ),
        ("lstm", {"hidden_size": 3}, [IMAGE], "needs a row of positions, each a step", "input 4×8×6"),
        ("lstm", {"hidden_size": 3}, [IMAGE], "needs a row of positions", "per_row takes each row"),
        ("gru", {"hidden_size": 3, "per_row": True}, [(4, 9)], "two position axes or more", "input 9×4 is one row"),
        ("rnn", {"hidden_size": 3, "per_row": True, "last": True}, [IMAGE], "keeps every step", "last: true"),
        ("gru", {"hidden_size": 3, "bias": False, "single_bias": True}, [(4, 9)], "layers with a bias", "bias: false"),
        ("add", {}, [IMAGE, (1, 4, 8)], "differ in shape", "broadcast: true"),
        ("add", {"broadcast": True}, [IMAGE, (6, 4, 7)], "cannot be spread", "equal or 1"),
        ("multiply", {}, [IMAGE, (1, 4, 8)], "do not fit together", "broadcast: true"),
        ("multiply", {"broadcast": True}, [IMAGE, (6, 4)], "cannot be spread", "equal or 1"),
        ("glu", {}, [(5, 2, 2)], "an odd number of channels has no halves", "input 2×2×5"),
        ("glu", {}, [(5, 2, 2)], "an odd number of channels has no halves", "an even number of channels, as 4 or 6"),
        ("glu", {}, [(1, 2)], "an odd number of channels has no halves", "two channels for each"),
        ("concat", {}, [IMAGE, (6, 32)], "differ in their number of axes", "tokens makes a row"),
        ("concat", {}, [IMAGE, (6,)], "differ in their number of axes", "flatten makes a map flat"),
        ("add", {}, [IMAGE, (6, 32)], "differ in shape", "grid: {size: …} makes an image"),
        ("add", {}, [IMAGE, (7,)], "differ in shape", "flatten makes a map flat"),
        ("group_norm", {"num_groups": 4}, [IMAGE], "does not divide the channels", "it fits with num_groups: 3"),
        ("group_norm", {"num_groups": 6}, [(6,)], "one value by itself has no variance", "input 6"),
        ("instance_norm", {}, [(6, 1, 1)], "one value by itself has no variance", "input 1×1×6"),
    ],
)
def test_a_clear_error(kind: str, fields: dict[str, Any], inputs: list[Shape], message: str, detail: str) -> None:
    with pytest.raises(ShapeError) as caught:
        shape(op(kind, **fields), *inputs)
    assert message in caught.value.message
    assert detail in " ".join(caught.value.details)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("permute: {dims: [0, 2, 1]}", "[0, 2, 1] of PyTorch, where the batch comes first, is [length, channels]"),
        ("permute: {dims: [0, 2, 3, 1]}", "is [height, width, channels]"),
        ("transpose: {dims: [1, 2]}", "1 of PyTorch is channels"),
        ("attention: {num_heads: 2}", "did you mean multi_head_attention or scaled_dot_product_attention?"),
    ],
)
def test_the_form_of_pytorch_is_translated(step: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        layers(f"  - {step}\n", "20x16")
