"""Tables of ops, family by family. Every test that goes over all ops reads them."""

from tests.ops.rows import activation, norm
from tests.ops.rows.row import Row, label

ROWS = [*activation.ROWS, *norm.ROWS]

__all__ = ["ROWS", "Row", "label"]
