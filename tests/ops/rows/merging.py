"""Merging, worked out by hand."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

SPREAD = {"broadcast": True}
SMALL = [
    # A row a column: 12 sums.
    Row("add", SPREAD, ((2, 3, 2), (1, 3, 2)), (2, 3, 2), counts=Operations(12)),
    Row("add", SPREAD, ((2, 3, 1), (2, 1, 2), (2,)), (2, 3, 2), counts=Operations(24)),
    Row("add", SPREAD, ((1,), (2, 4)), (2, 4), counts=Operations(8)),
    Row("add", {}, ((2, 3), (2, 3)), (2, 3), counts=Operations(6)),
    # A mask over all channels: the attention gate of attention U-Net.
    Row("multiply", SPREAD, ((1, 3, 2), (2, 3, 2)), (2, 3, 2), counts=Operations(0, 12)),
    Row("multiply", {**SPREAD, "factor": 0.5}, ((2, 1, 2), (2, 3, 1)), (2, 3, 2), counts=Operations(0, 24)),
    Row("multiply", {}, ((3, 4), (3,)), (3, 4), counts=Operations(0, 12)),
    # A class token before a row, and boxes of several maps one after another.
    Row("concat", {"axis": "length"}, ((4, 1), (4, 6), (4, 2)), (4, 9)),
    Row("concat", {"axis": "width"}, ((2, 3, 1), (2, 3, 2)), (2, 3, 3)),
    Row("concat", {}, ((2, 3), (1, 3)), (3, 3)),
    Row("subtract", {}, ((2, 3), (2, 3)), (2, 3), counts=Operations(6)),
    Row("subtract", SPREAD, ((2, 3, 1), (1, 3, 2)), (2, 3, 2), counts=Operations(12)),
    Row("divide", {}, ((5,), (5,)), (5,), counts=Operations(divisions=5)),
    Row("divide", SPREAD, ((2,), (2, 1, 2)), (2, 1, 2), counts=Operations(divisions=4)),
    Row("rescale", {"factor": 0.5, "offset": -1.0}, ((2, 3),), (2, 3), counts=Operations(6, 6)),
    # What is no change costs nothing.
    Row("rescale", {"offset": 2.0}, ((4,),), (4,), counts=Operations(4)),
    Row("rescale", {"factor": [2.0, 0.5], "offset": [0.0, 1.0]}, ((2, 3, 2),), (2, 3, 2), counts=Operations(12, 12)),
    Row("rescale", {}, ((2, 3),), (2, 3)),
]
ROWS = [
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
