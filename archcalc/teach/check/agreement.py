"""Whether what is stated is a value: shapes in either order, numbers within their rounding, calculations with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from archcalc.core.shapes import Shape
from archcalc.teach.check.expected import Value
from archcalc.teach.reading.stated import Stated


def reads_channels_first(cells: Iterable[tuple[Stated, Shape]]) -> dict[bool, bool]:
    """For shapes in brackets and for others: whether a table writes channels first, judged by all its shapes.

    What fits in one order only decides; where nothing fits, the place of a right number of channels does.
    """
    votes = {True: 0, False: 0}
    for stated, right in cells:
        sides = stated.sides
        if len(sides) != 3 or len(right) != 3 or stated.shape == sides:
            continue
        first, last = right, (*right[1:], right[0])
        if first == last:
            continue
        style = is_bracketed(stated)
        if sides in (first, last):
            votes[style] += -1000 if sides == first else 1000
        else:
            votes[style] += (sides[2] == right[0]) - (sides[0] == right[0])
    return {style: count < 0 for style, count in votes.items()}


def is_bracketed(stated: Stated) -> bool:
    return stated.text.strip()[:1] in "([{"


def ordered(stated: Stated, right: Shape, channels_first: bool) -> Stated:
    """The statement with its shape in (C, H, W) order, and flat where the right one is: 1×1×4096 is 4096 values."""
    if stated.shape is None:
        return stated
    shape = stated.sides if channels_first and len(stated.sides) == 3 else stated.shape
    large = [side for side in stated.sides if side != 1]
    if len(right) == 1 and len(shape) > 1 and len(large) <= 1:
        shape = tuple(large) or (1,)
    elif len(right) == 3 and right[1:] == (1, 1) and len(shape) == 1:
        shape = (shape[0], 1, 1)
    return stated._replace(shape=shape)


def fits(stated: Stated, value: Value | None, quantity: str) -> bool:
    """Whether a value is what is stated; of a calculation with its result, both."""
    if value is None:
        return False
    if quantity == "output_shape":
        return stated.shape == value
    if quantity == "receptive_field":
        assert isinstance(value, tuple)
        if stated.sides:
            return stated.sides == value
        return value[0] == value[1] and stated.holds(value[0])
    assert isinstance(value, int)
    return stated.holds(value) and agrees(stated)


def agrees(stated: Stated) -> bool:
    """Whether a result is that of the calculation before it. In another unit of memory it is not held to it."""
    calculation = stated.expression
    return calculation is None or stated.value is None or bool(stated.unit) or stated.holds(calculation.value)


def missing(stated: Stated, right: Value | None) -> str:
    """What an incomplete shape lacks, where the rest of it is right."""
    if stated.shape is None or not isinstance(right, tuple) or len(right) != 3:
        return ""
    depth, height, width = right
    if stated.sides == (height, width):
        return f"height and width are right; the depth, {depth}, is missing"
    if len(stated.sides) == 1 and stated.sides[0] == height == width:
        return f"the side is right; write all of it: {height}×{width}×{depth}"
    if len(stated.sides) == 1 and stated.sides[0] == depth:
        return f"the depth is right; write all of it: {height}×{width}×{depth}"
    return ""


def interval(parts: Sequence[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    """The bounds of a sum."""
    return sum((low for low, _ in parts), Fraction(0)), sum((high for _, high in parts), Fraction(0))


def overlaps(stated: Stated, low: Fraction, high: Fraction) -> bool:
    """Whether some value between the bounds is stated."""
    return stated.low is not None and stated.high is not None and stated.low <= high and low <= stated.high
