"""Every op on a small input: output shape, parameters, multiply-adds and every kind of operation, worked out by hand.

The table is the reference for what an op means; figures that are printed in a paper are next to the small ones.
"""

from __future__ import annotations

from math import prod
from typing import Any

import pytest

from archcalc.core.shapes import Shape
from archcalc.ops import OPS, Operations
from archcalc.passes.operations import count_operations
from archcalc.passes.params import ParamCount, count_params
from tests.networks import op, shape
from tests.ops.rows import ROWS as MORE
from tests.ops.rows import Row, label

# LeCun et al. 1998, table I: which maps of S2 each map of C3 reads.
LENET_TABLE = [
    *([i, (i + 1) % 6, (i + 2) % 6] for i in range(6)),
    *([i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6] for i in range(6)),
    *([i, (i + 1) % 6, (i + 3) % 6, (i + 4) % 6] for i in range(3)),
    [0, 1, 2, 3, 4, 5],
]

CONVOLUTIONS = [
    # 2 filters of 3·3·3 weights; 3·3·2 outputs, each a sum of 27 products and a bias: 27 additions.
    Row("conv2d", {"out_channels": 2, "kernel_size": 3}, ((3, 5, 5),), (2, 3, 3), 56, 486, Operations(486, 486)),
    # The same without bias: 26 additions an output.
    Row(
        "conv2d",
        {"out_channels": 2, "kernel_size": 3, "bias": False},
        ((3, 5, 5),),
        (2, 3, 3),
        54,
        486,
        Operations(468, 486),
    ),
    # (5 − 3 + 2·1)/2 + 1 = 3
    Row(
        "conv2d",
        {"out_channels": 2, "kernel_size": 3, "stride": 2, "padding": 1},
        ((3, 5, 5),),
        (2, 3, 3),
        56,
        486,
        Operations(486, 486),
    ),
    # AlexNet conv1: "(11·11·3 + 1)·96" and 55·55·96·11·11·3. Source: Krizhevsky et al. 2012; CS231n, case studies.
    Row(
        "conv2d",
        {"out_channels": 96, "kernel_size": 11, "stride": 4},
        ((3, 227, 227),),
        (96, 55, 55),
        34_944,
        105_415_200,
        Operations(105_415_200, 105_415_200),
    ),
    # AlexNet conv2 on two GPUs: "256 kernels of size 5 × 5 × 48".
    Row(
        "conv2d",
        {"out_channels": 256, "kernel_size": 5, "padding": 2, "groups": 2},
        ((96, 27, 27),),
        (256, 27, 27),
        256 * 5 * 5 * 48 + 256,
        223_948_800,
        Operations(223_948_800, 223_948_800),
    ),
    # Dilated by 2, three taps span 5 pixels; the weights stay 3·3.
    Row(
        "conv2d",
        {"out_channels": 1, "kernel_size": 3, "dilation": 2},
        ((1, 7, 7),),
        (1, 3, 3),
        10,
        81,
        Operations(81, 81),
    ),
    # 1×7, as in Inception-v3: [height, width] everywhere.
    Row(
        "conv2d",
        {"out_channels": 3, "kernel_size": [1, 7], "padding": [0, 3]},
        ((2, 4, 6),),
        (3, 4, 6),
        3 * 14 + 3,
        24 * 3 * 14,
        Operations(1008, 1008),
    ),
    Row(
        "conv2d",
        {"out_channels": 1, "kernel_size": [3, 1], "stride": [2, 3], "dilation": [2, 1]},
        ((1, 9, 7),),
        (1, 3, 3),
        4,
        27,
        Operations(27, 27),
    ),
    # Four sides: top, left, bottom, right. Height (4 − 3 + 0 + 1)/2 + 1, width the same.
    Row(
        "conv2d",
        {"out_channels": 1, "kernel_size": 3, "stride": 2, "padding": [0, 0, 1, 1]},
        ((1, 4, 4),),
        (1, 2, 2),
        10,
        36,
        Operations(36, 36),
    ),
    # Height 4 + 1 + 3, width 4 + 2 + 4; the kernel takes 2 off.
    Row(
        "conv2d",
        {"out_channels": 1, "kernel_size": 3, "padding": [1, 2, 3, 4], "bias": False},
        ((1, 4, 4),),
        (1, 6, 8),
        9,
        432,
        Operations(432 - 48, 432),
    ),
    # ⌈5/2⌉ × ⌈4/2⌉
    Row(
        "conv2d",
        {"out_channels": 1, "kernel_size": 3, "stride": 2, "padding": "same"},
        ((1, 5, 4),),
        (1, 3, 2),
        10,
        54,
        Operations(54, 54),
    ),
    Row(
        "conv2d",
        {"out_channels": 1, "kernel_size": 3, "padding": "valid"},
        ((1, 5, 4),),
        (1, 3, 2),
        10,
        54,
        Operations(54, 54),
    ),
    # LeNet-5's C3: "1,516 trainable parameters and 151,600 connections"; a connection a product, and 1,600 biases.
    Row(
        "conv2d",
        {"out_channels": 16, "kernel_size": 5, "connections": LENET_TABLE},
        ((6, 14, 14),),
        (16, 10, 10),
        1516,
        151_600 - 1600,
        Operations(150_000, 150_000),
    ),
    # Filters that read 1 and 2 of 2 channels, 1×1, without bias: 3 weights; at each of 4 positions 0 + 1 additions.
    Row(
        "conv2d",
        {"out_channels": 2, "kernel_size": 1, "bias": False, "connections": [[1], [0, 1]]},
        ((2, 2, 2),),
        (2, 2, 2),
        3,
        12,
        Operations(4, 12),
    ),
    # 2 filters a channel, each 3×3 deep 1: 54 weights, 6 biases; 9 positions · 6 · 9 products.
    Row(
        "depthwise_conv2d",
        {"kernel_size": 3, "depth_multiplier": 2},
        ((3, 5, 5),),
        (6, 3, 3),
        60,
        486,
        Operations(486, 486),
    ),
    # MobileNet, table 1: "Conv dw / s2, 3 × 3 × 64 dw" on 112 × 112 × 64.
    Row(
        "depthwise_conv2d",
        {"kernel_size": 3, "stride": 2, "padding": 1, "bias": False},
        ((64, 112, 112),),
        (64, 56, 56),
        576,
        56 * 56 * 64 * 9,
        Operations(56 * 56 * 64 * 8, 56 * 56 * 64 * 9),
    ),
    # Every one of 9·2 inputs meets 4·(2·2) weights. Each of 6·6·4 outputs is the sum of two products and a bias.
    Row(
        "conv_transpose2d",
        {"out_channels": 4, "kernel_size": 2, "stride": 2},
        ((2, 3, 3),),
        (4, 6, 6),
        36,
        288,
        Operations(288, 288),
    ),
    # 5 outputs along each axis, of which 2 and 3 products overlap: 1 2 3 2 1 → 81 products, 25 first ones.
    Row(
        "conv_transpose2d",
        {"out_channels": 1, "kernel_size": 3, "bias": False},
        ((1, 3, 3),),
        (1, 5, 5),
        9,
        81,
        Operations(81 - 25, 81),
    ),
    # U-Net's first up-convolution: 1024 → 512 channels, 28×28 → 56×56. Source: Ronneberger et al. 2015, figure 1.
    Row(
        "conv_transpose2d",
        {"out_channels": 512, "kernel_size": 2, "stride": 2},
        ((1024, 28, 28),),
        (512, 56, 56),
        1024 * 512 * 4 + 512,
        28 * 28 * 1024 * 512 * 4,
        Operations(56 * 56 * 512 * 1024, 28 * 28 * 1024 * 512 * 4),
    ),
    # Rectangular: height 3·2 + 1, width 2·4 + 3. A kernel as large as the stride, 1×1 deep: no two products meet.
    Row(
        "conv_transpose2d",
        {"out_channels": 1, "kernel_size": [2, 4], "stride": [2, 4], "bias": False},
        ((1, 3, 2),),
        (1, 6, 8),
        8,
        48,
        Operations(0, 48),
    ),
    # Two groups of 1 → 2 channels: 2·2·(1·1) weights.
    Row(
        "conv_transpose2d",
        {"out_channels": 4, "kernel_size": 1, "groups": 2},
        ((2, 2, 2),),
        (4, 2, 2),
        8,
        16,
        Operations(16, 16),
    ),
    # Filters of its own at each of 2·2 positions: 4·2·9 weights, 4·2 biases. Each output: 9 products and a bias.
    Row(
        "locally_connected2d",
        {"out_channels": 2, "kernel_size": 3},
        ((1, 4, 4),),
        (2, 2, 2),
        80,
        72,
        Operations(72, 72),
    ),
    # DeepFace L4: 16 filters 9×9 on 71×71×16, output 63×63×16. Source: Taigman et al. 2014, figure 2.
    Row(
        "locally_connected2d",
        {"out_channels": 16, "kernel_size": 9, "bias": False},
        ((16, 71, 71),),
        (16, 63, 63),
        63 * 63 * 16 * 81 * 16,
        63 * 63 * 16 * 81 * 16,
        Operations(63 * 63 * 16 * (81 * 16 - 1), 63 * 63 * 16 * 81 * 16),
    ),
]

DENSE = [
    Row("linear", {"out_features": 3}, ((4,),), (3,), 15, 12, Operations(12, 12)),
    Row("linear", {"out_features": 3, "bias": False}, ((4,),), (3,), 12, 12, Operations(9, 12)),
    # An image is flattened first.
    Row("linear", {"out_features": 5}, ((2, 3, 3),), (5,), 95, 90, Operations(90, 90)),
    # AlexNet fc6: 9,216 inputs.
    Row(
        "linear",
        {"out_features": 4096},
        ((256, 6, 6),),
        (4096,),
        37_752_832,
        37_748_736,
        Operations(37_748_736, 37_748_736),
    ),
    # LeNet-5's output: 84 differences and squares a class, 83 additions to sum them.
    Row(
        "rbf",
        {"out_features": 10},
        ((84,),),
        (10,),
        840,
        0,
        Operations(additions=840 + 830, multiplications=840),
        fixed=840,
    ),
]

POOLING = [
    # 8 windows of 4: three comparisons each.
    Row("max_pool2d", {"kernel_size": 2}, ((2, 4, 4),), (2, 2, 2), counts=Operations(comparisons=24)),
    # AlexNet pool1.
    Row(
        "max_pool2d",
        {"kernel_size": 3, "stride": 2},
        ((96, 55, 55),),
        (96, 27, 27),
        counts=Operations(comparisons=96 * 27 * 27 * 8),
    ),
    Row(
        "max_pool2d",
        {"kernel_size": [2, 3], "stride": [1, 2]},
        ((1, 4, 7),),
        (1, 3, 3),
        counts=Operations(comparisons=45),
    ),
    # What hangs over the edge is compared too, as zero padding is multiplied.
    Row(
        "max_pool2d",
        {"kernel_size": 3, "stride": 2, "ceil_mode": True},
        ((1, 6, 6),),
        (1, 3, 3),
        counts=Operations(comparisons=72),
    ),
    # GoogLeNet pool1: 112 → 56 needs the ceiling.
    Row(
        "max_pool2d",
        {"kernel_size": 3, "stride": 2, "ceil_mode": True},
        ((64, 112, 112),),
        (64, 56, 56),
        counts=Operations(comparisons=64 * 56 * 56 * 8),
    ),
    # ⌈(5 + 2 − 2)/2⌉ + 1 = 4 windows, the last of which starts after the image: dropped.
    Row(
        "max_pool2d",
        {"kernel_size": 2, "padding": 1, "ceil_mode": True},
        ((1, 5, 5),),
        (1, 3, 3),
        counts=Operations(comparisons=27),
    ),
    Row(
        "max_pool2d",
        {"kernel_size": 2, "padding": 1, "ceil_mode": True, "clip_last_window": False},
        ((1, 5, 5),),
        (1, 4, 4),
        counts=Operations(comparisons=48),
    ),
    # Three taps that span five.
    Row(
        "max_pool2d",
        {"kernel_size": 3, "stride": 1, "dilation": 2},
        ((1, 5, 5),),
        (1, 1, 1),
        counts=Operations(comparisons=8),
    ),
    Row(
        "max_pool2d",
        {"kernel_size": 3, "stride": 2, "padding": "same"},
        ((1, 5, 4),),
        (1, 3, 2),
        counts=Operations(comparisons=48),
    ),
    # Three additions and one division a window.
    Row("avg_pool2d", {"kernel_size": 2}, ((2, 4, 4),), (2, 2, 2), counts=Operations(additions=24, divisions=8)),
    Row(
        "avg_pool2d",
        {"kernel_size": 3, "stride": 1, "padding": 1, "count_include_pad": False},
        ((1, 2, 2),),
        (1, 2, 2),
        counts=Operations(additions=32, divisions=4),
    ),
    # L2: four squares, three additions and a root a window.
    Row(
        "lp_pool2d",
        {"kernel_size": 2},
        ((1, 4, 4),),
        (1, 2, 2),
        counts=Operations(additions=12, multiplications=16, exponentials=4),
    ),
    Row("lp_pool2d", {"kernel_size": 2, "norm_type": 1}, ((1, 4, 4),), (1, 2, 2), counts=Operations(additions=12)),
    # A cube is two products.
    Row(
        "lp_pool2d",
        {"kernel_size": 2, "norm_type": 3},
        ((1, 4, 4),),
        (1, 2, 2),
        counts=Operations(additions=12, multiplications=32, exponentials=4),
    ),
    # LeNet-5's S2: "12 trainable parameters and 5,880 connections"; four inputs and a bias are five connections.
    Row(
        "subsampling2d",
        {"kernel_size": 2},
        ((6, 28, 28),),
        (6, 14, 14),
        12,
        counts=Operations(additions=5880 - 1176, multiplications=1176),
    ),
    # Network in Network's end: the mean of 8·8 values for each of 10 classes.
    Row("global_avg_pool2d", {}, ((10, 8, 8),), (10, 1, 1), counts=Operations(additions=630, divisions=10)),
    # Windows [0, 3) and [2, 5): 6·6 values read in each of 2 channels for 8 means.
    Row(
        "adaptive_avg_pool2d",
        {"output_size": 2},
        ((2, 5, 5),),
        (2, 2, 2),
        counts=Operations(additions=64, divisions=8),
    ),
    Row(
        "adaptive_avg_pool2d",
        {"output_size": [2, 1]},
        ((1, 4, 6),),
        (1, 2, 1),
        counts=Operations(additions=22, divisions=2),
    ),
    # More windows than rows: [0, 1), [0, 2), [1, 2) read 4·4 values for 9 means.
    Row(
        "adaptive_avg_pool2d",
        {"output_size": 3},
        ((1, 2, 2),),
        (1, 3, 3),
        counts=Operations(additions=7, divisions=9),
    ),
    Row("max_unpool2d", {"kernel_size": 2}, ((1, 2, 2), (1, 2, 2)), (1, 4, 4)),
    Row("max_unpool2d", {"kernel_size": 3, "stride": 2, "padding": 1}, ((1, 3, 3), (1, 3, 3)), (1, 5, 5)),
    # The pool was not exact: the third input gives the size.
    Row("max_unpool2d", {"kernel_size": 2}, ((1, 2, 2), (1, 2, 2), (1, 5, 5)), (1, 5, 5)),
]

NORMALISATION = [
    # One scale and one shift a value; γ and β are parameters, running mean and variance buffers.
    Row("batch_norm2d", {}, ((3, 4, 4),), (3, 4, 4), 6, counts=Operations(48, 48), buffers=6),
    Row("batch_norm2d", {"scale": False}, ((3, 4, 4),), (3, 4, 4), 3, counts=Operations(48, 48), buffers=6),
    Row("batch_norm2d", {"shift": False}, ((3, 4, 4),), (3, 4, 4), 3, counts=Operations(48, 48), buffers=6),
    Row("batch_norm2d", {}, ((7,),), (7,), 14, counts=Operations(7, 7), buffers=14),
    # 4 channels, windows of 3 4 4 3 squares: 10 additions, and k four times; the square and α/n.
    Row(
        "local_response_norm",
        {"size": 5},
        ((4, 1, 1),),
        (4, 1, 1),
        counts=Operations(additions=14, multiplications=8, divisions=4, exponentials=4),
    ),
    # 3 channels, windows of 2 3 2: 4 additions at each of 4 positions.
    Row(
        "local_response_norm",
        {"size": 3},
        ((3, 2, 2),),
        (3, 2, 2),
        counts=Operations(additions=28, multiplications=24, divisions=12, exponentials=12),
    ),
    # An even window reads one channel more on one side: 1 2 2.
    Row(
        "local_response_norm",
        {"size": 2},
        ((3, 1, 1),),
        (3, 1, 1),
        counts=Operations(additions=2 + 3, multiplications=6, divisions=3, exponentials=3),
    ),
    # A window larger than all channels sees all of them.
    Row(
        "local_response_norm",
        {"size": 99},
        ((3, 1, 1),),
        (3, 1, 1),
        counts=Operations(additions=6 + 3, multiplications=6, divisions=3, exponentials=3),
    ),
    Row("dropout", {"p": 0.4}, ((3, 2, 2),), (3, 2, 2)),
]

ACTIVATIONS = [
    Row("relu", {}, ((2, 2, 2),), (2, 2, 2), counts=Operations(comparisons=8)),
    Row("relu6", {}, ((2, 2, 2),), (2, 2, 2), counts=Operations(comparisons=16)),
    # 1/(1 + e^−x)
    Row("sigmoid", {}, ((8,),), (8,), counts=Operations(additions=8, divisions=8, exponentials=8)),
    # (e^2x − 1)/(e^2x + 1)
    Row(
        "tanh",
        {},
        ((2, 2, 2),),
        (2, 2, 2),
        counts=Operations(additions=16, multiplications=8, divisions=8, exponentials=8),
    ),
    # 1.7159·tanh(2/3·x)
    Row(
        "scaled_tanh",
        {},
        ((2, 2, 2),),
        (2, 2, 2),
        counts=Operations(additions=16, multiplications=24, divisions=8, exponentials=8),
    ),
    Row("softmax", {}, ((10,),), (10,), counts=Operations(additions=9, divisions=10, exponentials=10)),
    # Over the channels at each of 4 positions.
    Row("softmax", {}, ((3, 2, 2),), (3, 2, 2), counts=Operations(additions=8, divisions=12, exponentials=12)),
]

MERGING = [
    Row("add", {}, ((2, 2, 2), (2, 2, 2)), (2, 2, 2), counts=Operations(additions=8)),
    Row("add", {}, ((5,), (5,), (5,)), (5,), counts=Operations(additions=10)),
    Row("multiply", {}, ((2, 2, 2), (2, 2, 2)), (2, 2, 2), counts=Operations(multiplications=8)),
    # Squeeze and excitation: one value a channel.
    Row("multiply", {}, ((3, 2, 2), (3, 1, 1)), (3, 2, 2), counts=Operations(multiplications=12)),
    Row("multiply", {}, ((3,), (3, 2, 2)), (3, 2, 2), counts=Operations(multiplications=12)),
    # Inception-ResNet: the residual scaled by a constant.
    Row("multiply", {"factor": 0.1}, ((3, 2, 2),), (3, 2, 2), counts=Operations(multiplications=12)),
    Row("multiply", {"factor": 0.1}, ((3, 2, 2), (3, 2, 2)), (3, 2, 2), counts=Operations(multiplications=24)),
    Row("multiply", {}, ((3, 2, 2),), (3, 2, 2)),
    Row("concat", {}, ((2, 4, 4), (3, 4, 4)), (5, 4, 4)),
    # GoogLeNet, inception (3a): 64 + 128 + 32 + 32 = 256. Source: Szegedy et al. 2014, table 1.
    Row("concat", {}, ((64, 28, 28), (128, 28, 28), (32, 28, 28), (32, 28, 28)), (256, 28, 28)),
    Row("concat", {}, ((2,), (3,)), (5,)),
    Row("concat", {}, ((2, 4, 4),), (2, 4, 4)),
]

SHAPES = [
    Row("input", {"shape": (3, 4, 5)}, (), (3, 4, 5)),
    Row("identity", {}, ((3, 4, 5),), (3, 4, 5)),
    Row("flatten", {}, ((2, 3, 4),), (24,)),
    Row("flatten", {}, ((24,),), (24,)),
    Row("reshape", {"shape": "3x4x2"}, ((24,),), (2, 3, 4)),
    Row("reshape", {"shape": 24}, ((2, 3, 4),), (24,)),
    # U-Net, first copy and crop: 64 → 56 rows, 4 from each side.
    Row("crop2d", {}, ((512, 64, 64), (512, 56, 56)), (512, 56, 56)),
    Row("crop2d", {}, ((1, 8, 8), (9, 5, 8)), (1, 5, 8)),
    Row("crop2d", {"margins": 1}, ((1, 5, 6),), (1, 3, 4)),
    Row("crop2d", {"margins": [0, 2]}, ((1, 5, 6),), (1, 5, 2)),
    Row("crop2d", {"margins": [1, 0, 2, 3]}, ((1, 5, 6),), (1, 2, 3)),
    Row("slice2d", {"step": 2}, ((1, 5, 4),), (1, 3, 2)),
    Row("slice2d", {"step": [1, 3], "start": [2, 1]}, ((1, 5, 6),), (1, 3, 2)),
    Row("zero_pad2d", {"padding": 1}, ((2, 3, 3),), (2, 5, 5)),
    Row("zero_pad2d", {"padding": [1, 2]}, ((2, 3, 3),), (2, 5, 7)),
    Row("zero_pad2d", {"padding": [0, 0, 1, 2]}, ((2, 3, 3),), (2, 4, 5)),
    # As much as a 3×3 window with stride 2 takes under TensorFlow's SAME: 1 for 4, 2 for 5; the odd one after.
    Row("zero_pad2d", {"padding": "same", "kernel_size": 3, "stride": 2}, ((2, 4, 5),), (2, 5, 7)),
    Row("pad_channels", {"before": 1, "after": 2}, ((3, 2, 2),), (6, 2, 2)),
    # ResNet, option A: from 16 to 32 channels.
    Row("pad_channels", {"out_channels": 32}, ((16, 2, 2),), (32, 2, 2)),
    Row("pad_channels", {"out_channels": 32, "before": "half"}, ((16, 2, 2),), (32, 2, 2)),
    Row("pad_channels", {"out_channels": 32, "before": 3}, ((16, 2, 2),), (32, 2, 2)),
    Row("pad_channels", {"out_channels": 16}, ((16, 2, 2),), (16, 2, 2)),
    Row("upsample2d", {}, ((2, 2, 3),), (2, 4, 6)),
    Row("upsample2d", {"scale": [1, 3]}, ((2, 2, 3),), (2, 2, 9)),
    # Four weighted neighbours a value: four products, three additions.
    Row("upsample2d", {"mode": "bilinear"}, ((2, 2, 3),), (2, 4, 6), counts=Operations(144, 192)),
]

ROWS = [*CONVOLUTIONS, *DENSE, *POOLING, *NORMALISATION, *ACTIVATIONS, *MERGING, *SHAPES, *MORE]


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_an_op_gives_what_was_worked_out_by_hand(row: Row) -> None:
    layer = shape(op(row.kind, **row.fields), *row.inputs)
    assert layer.output == row.output
    biases = sum(prod(array.shape) for array in layer.op.param_shapes(row.inputs) if array.name == "bias")
    assert count_params(layer) == ParamCount(row.params, row.params - row.fixed, row.buffers, biases)
    work = count_operations(layer)
    assert work.macs == row.macs
    assert work.operations == row.counts


def test_every_op_has_a_row() -> None:
    assert {row.kind for row in ROWS} == set(OPS)


def test_the_names_are_those_of_the_contract() -> None:
    contract = """input conv2d conv_transpose2d locally_connected2d linear max_pool2d avg_pool2d lp_pool2d
        global_avg_pool2d adaptive_avg_pool2d max_unpool2d subsampling2d batch_norm2d local_response_norm dropout relu
        relu6 tanh scaled_tanh sigmoid softmax flatten reshape identity add multiply concat crop2d slice2d zero_pad2d
        pad_channels upsample2d rbf"""
    assert set(contract.split()) <= set(OPS)


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_an_op_explains_itself_to_the_passes(row: Row) -> None:
    layer = shape(op(row.kind, **row.fields), *row.inputs)
    assert layer.op.summary() or row.kind == "input"
    assert len(layer.op.windows(layer.inputs)) == len(row.inputs)
    assert layer.op.fewest_inputs <= len(row.inputs) <= (layer.op.most_inputs or len(row.inputs))
    assert layer.op.stem
    assert layer.op.family


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_only_convolutions_and_dense_layers_have_multiply_adds(row: Row) -> None:
    layer = shape(op(row.kind, **row.fields), *row.inputs)
    # RBF layers are dense in form; their squares are counted apart.
    assert (row.macs > 0) == (layer.op.family in ("convolution", "dense") and row.kind != "rbf")
    assert row.macs <= row.counts.multiplications


@pytest.mark.parametrize(
    ("kind", "fields", "inputs", "arrays"),
    [
        (
            "conv2d",
            {"out_channels": 6, "kernel_size": [3, 5], "groups": 2},
            ((4, 9, 9),),
            {"weight": (6, 2, 3, 5), "bias": (6,)},
        ),
        (
            "conv_transpose2d",
            {"out_channels": 6, "kernel_size": [3, 5]},
            ((4, 9, 9),),
            {"weight": (4, 6, 3, 5), "bias": (6,)},
        ),
        (
            "locally_connected2d",
            {"out_channels": 2, "kernel_size": 3},
            ((1, 4, 5),),
            {"weight": (2, 2, 3, 1, 3, 3), "bias": (2, 2, 3)},
        ),
        ("linear", {"out_features": 3}, ((2, 3, 3),), {"weight": (3, 18), "bias": (3,)}),
        ("batch_norm2d", {}, ((3, 4, 4),), {"weight": (3,), "bias": (3,), "running_mean": (3,), "running_var": (3,)}),
        ("subsampling2d", {"kernel_size": 2}, ((6, 28, 28),), {"weight": (6,), "bias": (6,)}),
        ("rbf", {"out_features": 10}, ((84,),), {"centers": (10, 84)}),
        ("relu", {}, ((3, 4, 4),), {}),
    ],
)
def test_arrays_have_the_shapes_that_frameworks_give_them(
    kind: str, fields: dict[str, Any], inputs: tuple[Shape, ...], arrays: dict[str, Shape]
) -> None:
    layer = shape(op(kind, **fields), *inputs)
    assert {array.name: array.shape for array in layer.op.param_shapes(layer.inputs)} == arrays


def test_a_depthwise_convolution_becomes_a_grouped_one() -> None:
    layer = shape(op("depthwise_conv2d", kernel_size=3, padding=1, bias=False), (32, 8, 8))
    assert layer.op == op("conv2d", out_channels=32, kernel_size=3, padding=1, groups=32, bias=False)


def test_an_odd_pixel_is_cropped_at_the_bottom_and_right() -> None:
    layer = shape(op("crop2d"), (1, 8, 9), (1, 5, 5))
    assert layer.op == op("crop2d", margins=[1, 2, 2, 2])


def test_the_stride_of_a_pool_is_its_window_unless_given() -> None:
    assert op("max_pool2d", kernel_size=[2, 3]) == op("max_pool2d", kernel_size=[2, 3], stride=[2, 3])
    assert op("max_pool2d", kernel_size=2, stride=None) == op("max_pool2d", kernel_size=2, stride=2)
    assert op("max_pool2d", kernel_size=3, stride=1) != op("max_pool2d", kernel_size=3)


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        ("conv2d", {"out_channels": 96, "kernel_size": 11, "stride": 4}, "conv 11×11, 96, /4"),
        ("conv2d", {"out_channels": 8, "kernel_size": [1, 7]}, "conv 1×7, 8"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "stride": [2, 1]}, "conv 3×3, 8, /2×1"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "dilation": 2}, "conv 3×3, 8, dilation 2"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "groups": 2}, "conv 3×3, 8, 2 groups"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "groups": 8}, "conv 3×3, 8, 8 groups"),
        ("max_pool2d", {"kernel_size": 3, "stride": 2}, "max pool 3×3, /2"),
        ("lp_pool2d", {"kernel_size": 2}, "L2 pool 2×2, /2"),
        ("linear", {"out_features": 1000}, "dense 1000"),
        ("dropout", {}, "dropout 0.5"),
        ("multiply", {"factor": 0.17}, "multiply by 0.17"),
        ("zero_pad2d", {"padding": 3}, "zero pad 3"),
        ("crop2d", {"margins": [0, 1, 2, 3]}, "crop [0, 1, 2, 3]"),
        ("upsample2d", {}, "upsample ×2, nearest"),
        ("batch_norm2d", {}, "batch norm"),
    ],
)
def test_summaries_are_as_short_as_in_a_paper(kind: str, fields: dict[str, Any], text: str) -> None:
    assert op(kind, **fields).summary() == text


@pytest.mark.parametrize(
    ("kind", "fields", "channels", "text"),
    [
        # Depthwise is a group for every input channel, whatever the number of filters.
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "groups": 8}, 8, "conv 3×3, 8, depthwise"),
        ("conv2d", {"out_channels": 24, "kernel_size": 3, "groups": 8}, 8, "conv 3×3, 24, depthwise"),
        ("conv2d", {"out_channels": 12, "kernel_size": 3, "groups": 12}, 24, "conv 3×3, 12, 12 groups"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3}, 1, "conv 3×3, 8"),
        ("conv_transpose2d", {"out_channels": 8, "kernel_size": 2, "stride": 2, "groups": 4}, 8,
         "transposed conv 2×2, 8, ×2, 4 groups"),
        ("conv_transpose2d", {"out_channels": 8, "kernel_size": 2, "stride": [2, 1], "groups": 8}, 8,
         "transposed conv 2×2, 8, ×2×1, depthwise"),
    ],
)  # fmt: skip
def test_groups_are_named_by_the_input(kind: str, fields: dict[str, Any], channels: int, text: str) -> None:
    layer = op(kind, **fields)
    assert layer.summary([(channels, 8, 8)]) == text
    last = text.rpartition(", ")[2]
    assert (last in layer.details([(channels, 8, 8)])) == ("groups" in fields)


def test_ops_cannot_be_changed() -> None:
    layer = op("linear", out_features=3)
    with pytest.raises(ValueError, match="frozen"):
        layer.out_features = 4  # type: ignore[attr-defined]
    assert hash(layer) == hash(op("linear", out_features=3))
