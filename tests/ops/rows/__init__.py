"""Tables of ops, family by family, worked out by hand. Every test that goes over all ops reads them.

They are the reference for what an op means; figures that are printed in a paper are next to the small ones.
"""

from tests.ops.rows import activation, convolution, dense, merging, norm, pooling, shapes
from tests.ops.rows.row import Row, label

ROWS = [
    *convolution.ROWS,
    *dense.ROWS,
    *pooling.ROWS,
    *norm.ROWS,
    *activation.ROWS,
    *merging.ROWS,
    *shapes.ROWS,
]

__all__ = ["ROWS", "Row", "label"]
