"""Claims about a quantity of a table of answers, read and judged as `archcalc check` reads and judges a cell."""

from __future__ import annotations

from typing import Any

from archcalc.spec.expressions import Expression
from archcalc.teach.audit.functions import SETTINGS
from archcalc.teach.check.agreement import fits, read_column
from archcalc.teach.check.expected import Value
from archcalc.teach.check.model import CHECKED, Answer
from archcalc.teach.reading.calculation import StatementError
from archcalc.teach.reading.claimed import Claimed
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.statements import read_statement

#: Quantities that are written as a shape; of the other end of a layer `check` has no column.
SHAPES = {"output_shape": "output_shape", "input_shape": "output_shape"}
#: Sizes along all axes, for which a text may give the one number or each.
_ALONG_AXES = ("receptive_field", "receptive_field_stride", *SETTINGS)


def is_cell(tree: Expression) -> bool:
    """Whether a tree is a call for a quantity of a table of answers."""
    return tree.kind == "call" and tree.value in CHECKED


def _is_shape(tree: Expression) -> bool:
    return tree.kind == "call" and tree.value in SHAPES


def readings(tree: Expression, claimed: Claimed, value: Any) -> tuple[Stated, ...]:
    """The claim as a cell of a table with this right value; nothing where it cannot be read so."""
    if not (is_cell(tree) or _is_shape(tree)) or claimed.truth is not None:
        return ()
    quantity = SHAPES.get(str(tree.value), str(tree.value))
    try:
        found = read_statement(claimed.written, quantity)
    except StatementError:
        return ()
    answer = Answer("", quantity, claimed.written, heading=quantity)
    right = _as_in_check(quantity, value)
    column = read_column([(answer, stated, right) for stated in found[:1]], 1)
    return tuple([column.arranged(answer, stated, right) for stated in found])


def as_shape(tree: Expression, claimed: Claimed, value: Any) -> Claimed:
    """The claim with its sides in the order of the page. Raises `StatementError` for what is no shape."""
    if not _is_shape(tree) or claimed.truth is not None:
        return claimed
    first = next((one.shape for one in readings(tree, claimed, value) if one.shape), None)
    if first is None:
        read_statement(claimed.written, "output_shape")
        return claimed
    return claimed._replace(sides=(*first[1:], first[0]), items=None, numbers=() if len(first) > 1 else claimed.numbers)


def holds(tree: Expression, claimed: Claimed, value: Any) -> bool:
    """Whether a calculated value is the claimed one, in any way that `check` would read it."""
    if claimed.holds(value):
        return True
    sides: tuple[Any, ...] = claimed.sides or tuple([item.number for item in claimed.items or ()])
    if tree.kind == "call" and tree.value in _ALONG_AXES and not isinstance(value, list):
        return len(sides) > 1 and set(sides) == {value}
    if tree.kind == "call" and tree.value == "weights_shape" and isinstance(value, list):
        # (filters, depth, height, width); a norm has one number for each channel.
        return len(value) > 1 and sides == (value[-1], value[-2], *value[:-2])
    quantity = SHAPES.get(str(tree.value), str(tree.value))
    return any(fits(one, _as_in_check(quantity, value), quantity) for one in readings(tree, claimed, value))


def _as_in_check(quantity: str, value: Any) -> Value:
    """Channels first, as `check` has shapes; a receptive field along each axis."""
    if quantity == "output_shape":
        return (value[-1], *value[:-1])
    if quantity == "receptive_field":
        return tuple(value) if isinstance(value, list) else (value, value)
    whole: int = value
    return whole
