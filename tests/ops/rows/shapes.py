"""Changes of shape, worked out by hand."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

ROWS = [
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
