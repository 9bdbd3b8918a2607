"""Attention and products of two maps, worked out by hand. A row of T tokens with C features is (C, T)."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

TOKENS = (4, 3)

ROWS = [
    # 2×3 times 3×4: 8 sums of 3 products.
    Row("matmul", {}, ((3, 2), (4, 3)), (4, 2), 0, 24, Operations(16, 24)),
    # 2×3 times the transposed 5×3: queries and keys.
    Row("matmul", {"transpose_second": True}, ((3, 2), (3, 5)), (5, 2), 0, 30, Operations(20, 30)),
    Row("matmul", {"transpose_first": True}, ((2, 3), (4, 3)), (4, 2), 0, 24, Operations(16, 24)),
    # Six times 2×3 times 3×4: the first position axis is a batch.
    Row("matmul", {}, ((3, 6, 2), (4, 6, 3)), (4, 6, 2), 0, 144, Operations(96, 144)),
    Row("matmul", {"transpose_second": True}, ((3, 2, 2, 2), (3, 2, 2, 5)), (5, 2, 2, 2), 0, 120, Operations(80, 120)),
    # 15 pairs of 4 and of 6 features: 30 scores of two products, 6 softmaxes of 5, 18 sums of 5; 12 values scaled.
    Row(
        "scaled_dot_product_attention", {"num_heads": 2}, (TOKENS, (4, 5), (6, 5)), (6, 3), 0, 60 + 90,
        Operations(30 + 24 + 72, 150 + 12, 0, 30, 30),
    ),
    # What the mask hides is calculated too.
    Row(
        "scaled_dot_product_attention", {"is_causal": True, "scale": 0.3}, ((2, 3),) * 3, (2, 3), 0, 36,
        Operations(9 + 6 + 12, 36 + 6, 0, 9, 9),
    ),
    # Four projections of 3·4·4; 9 pairs twice.
    Row(
        "multi_head_attention", {"num_heads": 2}, (TOKENS,), TOKENS, 3 * 16 + 12 + 16 + 4, 192 + 36 + 36,
        Operations(192 + 18 + 12 + 24, 264 + 12, 0, 18, 18),
    ),
    Row(
        "multi_head_attention", {"num_heads": 1, "bias": False, "is_causal": True}, (TOKENS,), TOKENS, 64, 264,
        Operations(144 + 27 + 6 + 24, 264 + 12, 0, 9, 9),
    ),
    # 2 queries; 3 keys and values of 6 features: projections of 32, 72, 72 and 32, then 6 pairs.
    Row(
        "multi_head_attention", {"num_heads": 1, "kdim": 6, "vdim": 6}, ((4, 2), (6, 3)), (4, 2),
        16 + 24 + 24 + 12 + 16 + 4, 208 + 24 + 24, Operations(208 + 18 + 4 + 16, 256 + 8, 0, 6, 6),
    ),
    Row(
        "multi_head_attention", {"num_heads": 1}, ((4, 2), (6, 3)), (4, 2),
        16 + 24 + 24 + 12 + 16 + 4, 208 + 24 + 24, Operations(208 + 18 + 4 + 16, 256 + 8, 0, 6, 6),
    ),
    Row(
        "multi_head_attention", {"num_heads": 4}, ((4, 2), TOKENS, TOKENS), (4, 2), 80, 160 + 24 + 24,
        Operations(160 + 0 + 16 + 16, 208 + 8, 0, 24, 24),
    ),
    # 3 positions of 4 channels, projected to 6: 3·3·4·6, and the last 3·6·6; 9 pairs twice.
    Row(
        "multi_head_attention", {"num_heads": 2, "embed_dim": 6}, (TOKENS,), (6, 3), 72 + 18 + 36 + 6,
        216 + 108 + 54 + 54, Operations(216 + 108 + 36 + 12 + 36, 432 + 18, 0, 18, 18),
    ),
    # The same in windows: 24 positions of 4 channels, projected to 2; each meets 6.
    Row(
        "multi_head_attention",
        {"num_heads": 2, "embed_dim": 2, "window_size": [2, 3], "relative_position_bias": True, "bias": False},
        ((4, 4, 6),), (2, 4, 6), 24 + 4 + 30, 576 + 96 + 288 + 288,
        Operations(432 + 48 + 0 + 240 + 240 + 288, 672 + 576 + 48, 0, 288, 288),
    ),
    # All positions of a map.
    Row(
        "multi_head_attention", {"num_heads": 1}, ((2, 2, 3),), (2, 2, 3), 24, 96 + 144,
        Operations(96 + 36 + 30 + 60, 240 + 12, 0, 36, 36),
    ),
    # Swin: each of 24 positions meets 6; 3·5 offsets for each of two heads.
    Row(
        "multi_head_attention", {"num_heads": 2, "window_size": [2, 3], "relative_position_bias": True}, ((4, 4, 6),),
        (4, 4, 6), 80 + 30, 1536 + 576 + 576, Operations(1536 + 288 + 240 + 480 + 288, 2688 + 96, 0, 288, 288),
    ),
    # Shifted windows and grids of as many positions: the same counts, other values.
    Row(
        "multi_head_attention",
        {"num_heads": 2, "window_size": [2, 3], "shift_size": [1, 1], "relative_position_bias": True}, ((4, 4, 6),),
        (4, 4, 6), 80 + 30, 1536 + 576 + 576, Operations(1536 + 288 + 240 + 480 + 288, 2688 + 96, 0, 288, 288),
    ),
    Row(
        "multi_head_attention",
        {"num_heads": 2, "window_size": [2, 3], "partition": "grid", "relative_position_bias": True}, ((4, 4, 6),),
        (4, 4, 6), 80 + 30, 1536 + 576 + 576, Operations(1536 + 288 + 240 + 480 + 288, 2688 + 96, 0, 288, 288),
    ),
    Row(
        "multi_head_attention", {"num_heads": 1, "window_size": 2, "shift_size": 1}, ((2, 4),), (2, 4), 24,
        64 + 16 + 16, Operations(64 + 8 + 4 + 8, 96 + 8, 0, 8, 8),
    ),
    Row(
        "multi_head_attention", {"num_heads": 1, "window_size": 2}, ((2, 4),), (2, 4), 24, 64 + 16 + 16,
        Operations(64 + 8 + 4 + 8, 96 + 8, 0, 8, 8),
    ),
]  # fmt: skip
