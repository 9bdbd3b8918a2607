"""The right value of a cell, and the derivations that show how it comes about."""

from __future__ import annotations

from archcalc.core.shapes import Shape
from archcalc.explain.derive.layer import Derivation, explain_row
from archcalc.passes.analysis import Analysis, Row
from archcalc.teach.check.model import QUANTITIES

#: What is right for a cell: a shape (C, H, W) or (N,), a receptive field (height, width) in pixels, or a number.
Value = int | Shape | tuple[int, int]

#: The derivations that belong to a quantity, by their keys; of a flat output there is only `size`.
_DERIVATIONS = {
    "output_shape": ("height", "width", "depth", "size"),
    "params": ("params",),
    "multiplications": ("multiplications",),
    "activations": ("activations",),
    "memory": ("activation_bytes",),
    "receptive_field": ("receptive_field_height", "receptive_field_width"),
}
assert tuple(_DERIVATIONS) == QUANTITIES


def expected(row: Row | None, analysis: Analysis, quantity: str) -> Value | None:
    """The right value of a layer's cell, or without a row that of the total.

    The row may be one that was calculated anew from a student's input shapes. Counts are per image, memory is in
    bytes for the batch of the analysis, a receptive field in pixels. None where there is no receptive field to name,
    and for totals of what does not add up. Raises `KeyError` for a quantity that is none of `QUANTITIES`.
    """
    if row is None:
        return expected_total(analysis, quantity)
    if quantity == "receptive_field":
        field = row.receptive_field
        return (field.height.size, field.width.size) if field is not None else None
    if quantity == "output_shape":
        return row.output_shape
    return {
        "params": row.params,
        "multiplications": row.multiplications,
        "activations": row.activations,
        "memory": row.activation_bytes,
    }[quantity]


def expected_total(analysis: Analysis, quantity: str) -> int | None:
    """The sum of a column; None for shapes and receptive fields, which do not add up."""
    totals = analysis.totals
    return {
        "output_shape": None,
        "receptive_field": None,
        "params": totals.params,
        "multiplications": totals.multiplications,
        "activations": totals.activations,
        "memory": totals.activation_bytes,
    }[quantity]


def derivations(row: Row, analysis: Analysis, quantity: str) -> tuple[Derivation, ...]:
    """How the right value comes about; for a shape one derivation an axis: height, width, depth, or size once flat."""
    keys = _DERIVATIONS[quantity]
    return tuple(one for one in explain_row(analysis, row).derivations if one.quantity in keys)
