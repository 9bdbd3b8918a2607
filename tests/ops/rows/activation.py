"""Activation functions, worked out by hand."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

MAP = (2, 3, 2)

FIRST = [
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
NEWER = [
    # Below 0 a product, and a comparison that tells where that is.
    Row("leaky_relu", {"negative_slope": 0.2}, (MAP,), MAP, counts=Operations(multiplications=12, comparisons=12)),
    Row("leaky_relu", {}, ((4, 3),), (4, 3), counts=Operations(multiplications=12, comparisons=12)),
    # One slope for all, one for each channel.
    Row("prelu", {}, (MAP,), MAP, 1, counts=Operations(multiplications=12, comparisons=12)),
    Row("prelu", {"num_parameters": "channels"}, (MAP,), MAP, 2, counts=Operations(0, 12, 12)),
    Row("prelu", {"num_parameters": 5}, ((5, 2),), (5, 2), 5, counts=Operations(0, 10, 10)),
    Row("prelu", {"num_parameters": "channels"}, ((7,),), (7,), 7, counts=Operations(0, 7, 7)),
    # α·(e^x − 1)
    Row("elu", {"alpha": 0.5}, (MAP,), MAP, counts=Operations(12, 12, 12, 0, 12)),
    # λ·α·(e^x − 1)
    Row("selu", {}, (MAP,), MAP, counts=Operations(12, 24, 12, 0, 12)),
    # x·½·(1 + erf(x/√2)), the error function as an exponential.
    Row("gelu", {}, (MAP,), MAP, counts=Operations(12, 36, 0, 0, 12)),
    # ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x·x·x))): two sums and six products besides the tanh.
    Row("gelu", {"approximate": "tanh"}, (MAP,), MAP, counts=Operations(48, 84, 0, 12, 12)),
    # x/(1 + e^−x)
    Row("silu", {}, (MAP,), MAP, counts=Operations(12, 12, 0, 12, 12)),
    # e^x, a logarithm, and the tanh: three exponentials.
    Row("mish", {}, (MAP,), MAP, counts=Operations(36, 24, 0, 12, 36)),
    Row("hardsigmoid", {}, (MAP,), MAP, counts=Operations(12, 0, 24, 12, 0)),
    Row("hardswish", {}, (MAP,), MAP, counts=Operations(12, 12, 24, 12, 0)),
    Row("hardtanh", {}, (MAP,), MAP, counts=Operations(comparisons=24)),
    Row("hardtanh", {"min_val": 0, "max_val": 0.6}, ((3, 2, 2, 2),), (3, 2, 2, 2), counts=Operations(comparisons=48)),
    Row("power", {"exponent": 2}, (MAP,), MAP, counts=Operations(multiplications=12)),
    Row("power", {"exponent": 3.0}, ((4,),), (4,), counts=Operations(multiplications=8)),
    Row("softplus", {}, (MAP,), MAP, counts=Operations(12, 0, 12, 0, 24)),
    Row("softplus", {"beta": 2, "threshold": 0.7}, (MAP,), MAP, counts=Operations(12, 12, 12, 12, 24)),
    # 9 sums, 10 differences; 10 powers and the logarithm of their sum.
    Row("log_softmax", {}, ((10,),), (10,), counts=Operations(additions=19, exponentials=11)),
    # At each of 4 positions.
    Row("log_softmax", {}, ((3, 2, 2),), (3, 2, 2), counts=Operations(additions=8 + 12, exponentials=12 + 4)),
    # A sigmoid and a product for each value that is left.
    Row("glu", {}, ((4, 3, 2),), MAP, counts=Operations(12, 12, 0, 12, 12)),
    Row("glu", {}, ((6,),), (3,), counts=Operations(3, 3, 0, 3, 3)),
]
