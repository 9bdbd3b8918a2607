"""Pooling, worked out by hand."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

#: Rows on maps so small that kernels are tried on them value by value.
SMALL = [
    # 20 means of 6: 5 additions and a division each.
    Row("mean", {"axes": "channels"}, ((6, 4, 5),), (1, 4, 5), counts=Operations(additions=100, divisions=20)),
    Row("mean", {"axes": ["height"]}, ((6, 4, 5),), (6, 1, 5), counts=Operations(additions=90, divisions=30)),
    Row("mean", {"axes": ["length", "channels"]}, ((2, 3),), (1, 1), counts=Operations(additions=5, divisions=1)),
    Row("mean", {"axes": ["depth", "width"]}, ((2, 2, 3, 4),), (2, 1, 3, 1), counts=Operations(42, 0, 0, 6)),
    Row("mean", {"axes": ["channels"]}, ((5,),), (1,), counts=Operations(additions=4, divisions=1)),
    # 20 maxima of 6 values: 5 comparisons each.
    Row("amax", {"axes": "channels"}, ((6, 4, 5),), (1, 4, 5), counts=Operations(comparisons=100)),
    Row("amax", {"axes": ["width"]}, ((6, 4, 5),), (6, 4, 1), counts=Operations(comparisons=96)),
    Row("amax", {"axes": ["channels", "depth"]}, ((2, 2, 3, 1),), (1, 1, 3, 1), counts=Operations(comparisons=9)),
]
ROWS = [
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
    # The largest of 3·4 values takes 11 comparisons.
    Row("global_max_pool2d", {}, ((2, 3, 4),), (2, 1, 1), counts=Operations(comparisons=22)),
    # 5 rows in 2 windows of 3, 3 columns in 2 windows of 2: every window of 6 values takes 5 comparisons.
    Row("adaptive_max_pool2d", {"output_size": 2}, ((1, 5, 3),), (1, 2, 2), counts=Operations(comparisons=20)),
]
