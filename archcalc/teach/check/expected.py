"""The right value of a cell, and the derivations that show how it is calculated."""

from __future__ import annotations

from archcalc.core.quantities import QUANTITIES
from archcalc.core.shapes import Shape
from archcalc.explain.derive.layer import Derivation, explain_row
from archcalc.passes.analysis import Analysis, Row

#: What is right for a cell: a shape (C, H, W) or (N,), a receptive field (height, width) in pixels, or a number.
Value = int | Shape | tuple[int, int]


def expected(row: Row | None, analysis: Analysis, quantity: str) -> Value | None:
    """The right value of a layer's cell, or without a row that of the total.

    The row may be one that was calculated again from a student's input shapes. Counts are per image, memory is in
    bytes for the batch of the analysis, a receptive field in pixels. None where there is no receptive field to name,
    for the cost of what cannot be counted, and for totals of what does not add up.

    Raises `KeyError` for an unknown quantity.
    """
    if row is None:
        return expected_total(analysis, quantity)
    if quantity == "receptive_field":
        field = row.receptive_field
        return (field.size or None) if field is not None else None  # a flat input has no axes
    value: Value | None = QUANTITIES[quantity].of(row)
    return value


def expected_total(analysis: Analysis, quantity: str) -> int | None:
    """The sum of a column; None for shapes and receptive fields, which do not add up, and where a part is unknown."""
    found = QUANTITIES[quantity]
    if not found.adds_up or found.is_lower_bound(analysis.totals):
        return None
    return found.sum_of(analysis.rows)


def derivations(row: Row, analysis: Analysis, quantity: str) -> tuple[Derivation, ...]:
    """How the right value is calculated; for a shape one derivation an axis, or `size` once flat."""
    keys = QUANTITIES[quantity].derivations
    return tuple(one for one in explain_row(analysis, row).derivations if one.quantity in keys)
