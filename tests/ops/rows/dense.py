"""Dense layers, worked out by hand."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

EACH = {"per_position": True}
SMALL = [
    # 12 positions of 4 features each.
    Row("linear", {"out_features": 3, **EACH}, ((4, 3, 4),), (3, 3, 4), 15, 144, Operations(144, 144)),
    Row(
        "linear", {"out_features": 2, "per_position": True, "bias": False}, ((3, 5),), (2, 5), 6, 30, Operations(20, 30)
    ),
    Row("linear", {"out_features": 2, "per_position": True}, ((3,),), (2,), 8, 6, Operations(6, 6)),
    Row("linear", {"out_features": 2}, ((2, 3),), (2,), 14, 12, Operations(12, 12)),
]
ROWS = [
    Row("linear", {"out_features": 3}, ((4,),), (3,), 15, 12, Operations(12, 12)),
    Row("linear", {"out_features": 3, "bias": False}, ((4,),), (3,), 12, 12, Operations(9, 12)),
    Row("linear", {"out_features": 3, "weight_norm": True}, ((4,),), (3,), 18, 12, Operations(12, 12)),
    Row(
        "linear",
        {"out_features": 3, "spectral_norm": True, **EACH},
        ((4, 2),),
        (3, 2),
        15,
        24,
        Operations(24, 24),
        buffers=7,
    ),
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
