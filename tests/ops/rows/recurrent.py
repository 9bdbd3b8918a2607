"""Recurrent layers, worked out by hand: four steps of three features."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

STEPS = (3, 4)

ROWS = [
    # 2·3 + 2·2 weights and two biases; a step sums 2·3, 2·2 and both, then two times tanh.
    Row("rnn", {"hidden_size": 2}, (STEPS,), (2, 4), 14, 40, Operations(48 + 16, 40 + 8, 0, 8, 8)),
    Row(
        "rnn", {"hidden_size": 2, "nonlinearity": "relu", "bias": False, "last": True}, (STEPS,), (2,), 10, 40,
        Operations(32, 40, 8),
    ),
    # Four gates of two units: 8 rows. For each unit three sigmoids, two times tanh, three products and a sum.
    Row("lstm", {"hidden_size": 2}, (STEPS,), (2, 4), 56, 160, Operations(192 + 64, 160 + 40, 0, 40, 40)),
    # One bias of eight rows less, and as many sums less in each of four steps.
    Row(
        "lstm", {"hidden_size": 2, "single_bias": True}, (STEPS,), (2, 4), 48, 160,
        Operations(192 - 32 + 64, 160 + 40, 0, 40, 40),
    ),
    # Forward and backward, and a second layer that reads both.
    Row(
        "lstm", {"hidden_size": 2, "num_layers": 2, "bidirectional": True}, (STEPS,), (4, 4), 2 * 56 + 2 * 64, 704,
        Operations(832 + 256, 704 + 160, 0, 160, 160),
    ),
    Row(
        "lstm", {"hidden_size": 1, "last": True, "bias": False}, ((1, 2),), (1,), 8, 16,
        Operations(8 + 16, 16 + 10, 0, 10, 10),
    ),
    # Five rows of four steps: the weights of one, five times the work.
    Row(
        "lstm", {"hidden_size": 2, "per_row": True}, ((3, 5, 4),), (2, 5, 4), 56, 5 * 160,
        Operations(5 * 256, 5 * 200, 0, 5 * 40, 5 * 40),
    ),
    Row("gru", {"hidden_size": 2}, (STEPS,), (2, 4), 42, 120, Operations(144 + 48, 120 + 32, 0, 24, 24)),
    # The products are of other numbers, and as many.
    Row(
        "gru", {"hidden_size": 2, "reset_after": False}, (STEPS,), (2, 4), 42, 120,
        Operations(144 + 48, 120 + 32, 0, 24, 24),
    ),
    Row(
        "gru", {"hidden_size": 2, "bidirectional": True, "last": True}, (STEPS,), (4,), 84, 240,
        Operations(288 + 96, 240 + 64, 0, 48, 48),
    ),
]  # fmt: skip
