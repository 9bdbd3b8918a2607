"""Tables of ops, family by family, worked out by hand. Every test that goes over all ops reads them.

They are the reference for what an op means; figures that are printed in a paper are next to the small ones.
"""

from tests.ops.rows import (
    activation,
    arrange,
    attention,
    convolution,
    dense,
    merging,
    norm,
    pooling,
    recurrent,
    resize,
    shapes,
    trained,
)
from tests.ops.rows.row import Row, label

#: Rows on maps so small that kernels are tried on them value by value. An op that has one needs no other table.
SMALL = [
    *activation.NEWER,
    *norm.NEWER,
    *arrange.ROWS,
    *resize.ROWS,
    *pooling.SMALL,
    *trained.ROWS,
    *attention.ROWS,
    *recurrent.ROWS,
    *dense.SMALL,
    *merging.SMALL,
]
ROWS = [
    *convolution.ROWS,
    *dense.ROWS,
    *pooling.ROWS,
    *norm.FIRST,
    *activation.FIRST,
    *merging.ROWS,
    *shapes.ROWS,
    *SMALL,
]

__all__ = ["ROWS", "SMALL", "Row", "label"]
