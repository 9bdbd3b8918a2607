"""Convolutions, worked out by hand."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

# LeCun et al. 1998, table I: which maps of S2 each map of C3 reads.
LENET_TABLE = [
    *([i, (i + 1) % 6, (i + 2) % 6] for i in range(6)),
    *([i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6] for i in range(6)),
    *([i, (i + 1) % 6, (i + 3) % 6, (i + 4) % 6] for i in range(3)),
    [0, 1, 2, 3, 4, 5],
]

ROWS = [
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
    # Weight norm: a length more for each filter.
    Row(
        "conv2d",
        {"out_channels": 2, "kernel_size": 3, "weight_norm": True},
        ((3, 5, 5),),
        (2, 3, 3),
        58,
        486,
        Operations(486, 486),
    ),
    # Spectral norm: a vector of 2 and one of 3·3·3 as buffers.
    Row(
        "conv2d",
        {"out_channels": 2, "kernel_size": 3, "spectral_norm": True},
        ((3, 5, 5),),
        (2, 3, 3),
        56,
        486,
        Operations(486, 486),
        buffers=29,
    ),
    Row(
        "depthwise_conv2d",
        {"kernel_size": 3, "depth_multiplier": 2, "weight_norm": True},
        ((3, 5, 5),),
        (6, 3, 3),
        66,
        486,
        Operations(486, 486),
    ),
    # Of a transposed convolution the lengths are of the 2 input channels; the matrix has a row for each of 4 outputs.
    Row(
        "conv_transpose2d",
        {"out_channels": 4, "kernel_size": 2, "stride": 2, "weight_norm": True},
        ((2, 3, 3),),
        (4, 6, 6),
        38,
        288,
        Operations(288, 288),
    ),
    Row(
        "conv_transpose2d",
        {"out_channels": 4, "kernel_size": 2, "stride": 2, "spectral_norm": True},
        ((2, 3, 3),),
        (4, 6, 6),
        36,
        288,
        Operations(288, 288),
        buffers=4 + 2 * 4,
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
    # TensorFlow's SAME: 2·5 positions; of the 3 that a filter covers, one is cut off at the end.
    Row(
        "conv_transpose2d",
        {"out_channels": 1, "kernel_size": 3, "stride": 2, "padding": "same"},
        ((1, 5, 4),),
        (1, 10, 8),
        10,
        5 * 4 * 9,
        Operations(180, 180),
    ),
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
    # Dilated by 2, three taps span 5: 7 rows and 6 columns, and some product lies on each of them.
    Row(
        "conv_transpose2d",
        {"out_channels": 1, "kernel_size": 3, "dilation": 2, "bias": False},
        ((1, 3, 2),),
        (1, 7, 6),
        9,
        54,
        Operations(54 - 42, 54),
    ),
    # Stride and dilation 2 leave each second row and column out: products lie on rows 0, 2, 4, 6 and columns 0, 2, 4.
    Row(
        "conv_transpose2d",
        {"out_channels": 2, "kernel_size": 2, "stride": 2, "dilation": 2, "output_padding": 1, "bias": False},
        ((1, 3, 2),),
        (2, 8, 6),
        8,
        48,
        Operations(48 - 2 * 4 * 3, 48),
    ),
    # Taps further apart than the map is long never meet: rows 0, 4 and 3, 7; columns 0, 5, 1, 6 and 2, 7.
    Row(
        "conv_transpose2d",
        {"out_channels": 1, "kernel_size": 2, "stride": [3, 1], "dilation": [4, 5], "padding": [1, 0], "bias": False},
        ((1, 2, 3),),
        (1, 6, 8),
        4,
        24,
        Operations(0, 24),
    ),
    # The output padding is smaller than the dilation: 1 + 3 + 1 + 2 positions along an axis, 4 with products.
    Row(
        "conv_transpose2d",
        {"out_channels": 1, "kernel_size": 2, "dilation": 3, "output_padding": 2},
        ((1, 2, 2),),
        (1, 7, 7),
        5,
        16,
        Operations(16, 16),
    ),
    # `same` at stride 1 keeps the size; of the 4 positions more, 2 are cut off on each side.
    Row(
        "conv_transpose2d",
        {"out_channels": 2, "kernel_size": 3, "dilation": 2, "padding": "same", "groups": 2},
        ((2, 5, 4),),
        (2, 5, 4),
        2 * 9 + 2,
        5 * 4 * 2 * 9,
        Operations(360, 360),
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
