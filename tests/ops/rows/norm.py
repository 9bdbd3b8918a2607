"""Normalisation, and what is dropped in training only, worked out by hand."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

MAP = (4, 3, 2)

FIRST = [
    # One scale and one shift a value; γ and β are parameters, running mean and variance buffers.
    Row("batch_norm2d", {}, ((3, 4, 4),), (3, 4, 4), 6, counts=Operations(48, 48), buffers=6),
    Row("batch_norm2d", {"scale": False}, ((3, 4, 4),), (3, 4, 4), 3, counts=Operations(48, 48), buffers=6),
    Row("batch_norm2d", {"shift": False}, ((3, 4, 4),), (3, 4, 4), 3, counts=Operations(48, 48), buffers=6),
    Row("batch_norm2d", {}, ((7, 1, 1),), (7, 1, 1), 14, counts=Operations(7, 7), buffers=14),
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
]  # fmt: skip
NORMS = [
    # 6 groups of 4: 2·18 sums, 24 differences, 6 times ε, 24 times β; 24 squares, 24 factors, 24 times γ.
    Row("layer_norm", {}, (MAP,), MAP, 8, counts=Operations(36 + 24 + 6 + 24, 72, 0, 18, 6)),
    Row("layer_norm", {"bias": False}, (MAP,), MAP, 4, counts=Operations(66, 72, 0, 18, 6)),
    Row("layer_norm", {"elementwise_affine": False}, (MAP,), MAP, counts=Operations(66, 48, 0, 18, 6)),
    # One group of 24, and γ and β for each value: PyTorch's normalized_shape (C, H, W).
    Row("layer_norm", {"axes": "all"}, (MAP,), MAP, 48, counts=Operations(46 + 24 + 1 + 24, 72, 0, 3, 1)),
    # A row of 5 tokens, and a vector: one group.
    Row("layer_norm", {"epsilon": 0.1}, ((4, 5),), (4, 5), 8, counts=Operations(30 + 20 + 5 + 20, 60, 0, 15, 5)),
    Row("layer_norm", {}, ((6,),), (6,), 12, counts=Operations(10 + 6 + 1 + 6, 18, 0, 3, 1)),
    # No mean: 18 sums of squares and 6 times ε.
    Row("rms_norm", {}, (MAP,), MAP, 4, counts=Operations(24, 72, 0, 12, 6)),
    Row("rms_norm", {"axes": "all", "bias": True}, (MAP,), MAP, 48, counts=Operations(23 + 1 + 24, 72, 0, 2, 1)),
    Row("rms_norm", {"elementwise_affine": False}, ((4, 5),), (4, 5), counts=Operations(20, 40, 0, 10, 5)),
    # 2 groups of 2 channels and 6 positions.
    Row("group_norm", {"num_groups": 2}, (MAP,), MAP, 8, counts=Operations(44 + 24 + 2 + 24, 72, 0, 6, 2)),
    Row("group_norm", {"num_groups": 1, "affine": False}, (MAP,), MAP, counts=Operations(46 + 24 + 1, 48, 0, 3, 1)),
    Row("group_norm", {"num_groups": 2}, ((6,),), (6,), 12, counts=Operations(8 + 6 + 2 + 6, 18, 0, 6, 2)),
    Row("group_norm", {"num_groups": 3}, ((3, 2, 1, 2),), (3, 2, 1, 2), 6, counts=Operations(45, 36, 0, 9, 3)),
    # 6 sums of 4 squares; 24 squares and 24 factors.
    Row("l2_norm", {}, (MAP,), MAP, counts=Operations(18, 48, 6, 6, 6)),
    Row("l2_norm", {}, ((5,),), (5,), counts=Operations(4, 10, 1, 1, 1)),
    # 4 sums of 6 squares, their mean, ε, β and x; squares, N and γ; 4 norms divided by their mean.
    Row("global_response_norm", {}, (MAP,), MAP, 8, counts=Operations(20 + 3 + 1 + 48, 72, 0, 5, 4)),
    Row("global_response_norm", {}, ((3, 4),), (3, 4), 6, counts=Operations(9 + 2 + 1 + 24, 36, 0, 4, 3)),
    # 4 groups of 6 positions.
    Row("instance_norm", {}, (MAP,), MAP, counts=Operations(40 + 24 + 4, 48, 0, 12, 4)),
    Row("instance_norm", {"affine": True}, ((2, 5),), (2, 5), 4, counts=Operations(16 + 10 + 2 + 10, 30, 0, 6, 2)),
]  # fmt: skip
DROPS = [
    Row("stochastic_depth", {"p": 0.2, "mode": "batch"}, (MAP,), MAP),
    Row("drop_block", {"p": 0.1, "block_size": 3}, (MAP,), MAP),
    Row("feature_dropout", {}, ((4, 5),), (4, 5)),
    Row("alpha_dropout", {}, ((6,),), (6,)),
    Row("feature_alpha_dropout", {}, (MAP,), MAP),
]
NEWER = [*NORMS, *DROPS]
