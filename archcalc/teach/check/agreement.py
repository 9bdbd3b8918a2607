"""Whether what is stated is a value: shapes in any order, numbers within their rounding, calculations with them.

What may be meant in two ways is settled by a whole column: whether channels come first, whether sizes are given by
their sides alone, whether memory is in bytes or in values, whether a multiply-add counts as two operations.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from fractions import Fraction
from math import prod
from typing import NamedTuple

from archcalc.core.language import all_of, say
from archcalc.core.shapes import AXES, Shape, format_shape
from archcalc.teach.check.answers.twice import counts_two
from archcalc.teach.check.expected import Value
from archcalc.teach.check.model import PRINTED, Answer
from archcalc.teach.reading.stated import Stated

_LISTED = re.compile(r"\d+(?:\s*,\s*\d+)+")


#: Images of a batch, as people choose them.
_BATCHES = {2**power for power in range(1, 11)} | {10, 20, 50, 100, 200, 500, 1000}


class Column(NamedTuple):
    """How a column of a table is meant."""

    #: Channels before the sides, for shapes in brackets and for others.
    bracketed_first: bool = False
    plain_first: bool = False
    #: Sizes by their positions alone: no cell says how deep an output is.
    sides_alone: bool = False
    #: What a stated number is multiplied by to be in the unit of the right value.
    factor: Fraction = Fraction(1)
    #: The images of a batch, which stand before each shape; 0 where none do.
    batch: int = 0

    def arranged(self, answer: Answer, stated: Stated, right: Value | None) -> Stated:
        """The statement as it is meant, to be compared with a right value."""
        if answer.quantity == "receptive_field":
            return _field_ordered(stated, answer.axes)
        if answer.quantity != "output_shape":
            return scaled(stated, self.factor)
        assert isinstance(right, tuple)
        stated = _filled(stated, right)
        if stated.free or _is_split(stated, right):
            return stated if stated.free else stated._replace(shape=right)
        first = self.bracketed_first if is_bracketed(stated) else self.plain_first
        if is_bracketed(stated) and sides_of_rank(stated, right) in (right, (*right[1:], right[0])):
            return stated._replace(shape=right)  # one tool writes channels first, another one last
        if answer.heading == PRINTED and _is_of_windows(stated, right):
            return stated._replace(shape=right)
        if (
            len(right) == 1
            and len(stated.sides) == 2
            and stated.sides[0] == self.batch
            and prod(stated.sides) != right[0]
        ):
            stated = stated._replace(shape=stated.sides[1:], sides=stated.sides[1:])
        if (positions := _positions(stated, right, answer.axes)) is not None:
            return stated._replace(shape=(right[0], *positions) if len(right) > 1 else right)
        return self._arranged(ordered(stated, right, first, answer.axes), right, answer)

    def _arranged(self, stated: Stated, right: Shape, answer: Answer) -> Stated:
        if self.sides_alone and len(right) == 1 and stated.sides == (1, 1):
            return stated._replace(shape=right)  # a classifier has one position
        if not self.sides_alone or len(right) == 1 or stated.shape == right:
            return stated
        if stated.sides == right[:1] and _is_of_depth(answer):
            return stated._replace(shape=right)
        if len(right) != 3:
            return stated
        plane = (right[2], right[1]) if answer.axes.startswith("wh") else right[1:]
        is_plane = stated.sides in (plane, plane[:1] if plane[0] == plane[1] else ())
        return stated._replace(shape=right) if is_plane else stated


def _positions(stated: Stated, right: Shape, axes: str) -> tuple[int, ...] | None:
    """The sides along the axes of positions, where a heading names these alone: HxWxT of a volume, L of a signal.

    A length may be the number of all positions: 3025 of 55×55.
    """
    sides = stated.sides
    if axes == "l" and len(sides) == 1:
        if sides[0] in (prod(right[1:]), *right[1:2]) and len({*right[1:]}) < 2:
            return right[1:]
        return right[1:] if sides[0] == prod(right[1:]) else sides if len(right) == 2 else None
    if len(right) == 4 and len(sides) == 3 and not stated.with_batch and sorted(axes) == ["d", "h", "w"]:
        by_axis = dict(zip(axes, sides, strict=True))
        return tuple([by_axis[axis] for axis in "dhw"])
    return None


def _filled(stated: Stated, right: Shape) -> Stated:
    """The statement with the right sides where its own are free; its channels stand last, or else first."""
    free = stated.free
    if not free or len(free) != len(right):
        return stated
    order = right if free[-1] is None else (*right[1:], right[0])
    sides = tuple([side if side is not None else own for side, own in zip(free, order, strict=True)])
    return stated._replace(shape=sides if free[-1] is None else (sides[-1], *sides[:-1]), sides=sides)


def _is_split(stated: Stated, right: Shape) -> bool:
    """Whether the depth of a map is written as a product: 13×13×3×85 of the boxes of a detector."""
    sides = stated.with_batch
    return len(right) == 3 and sides[:2] == right[1:] and len(sides) == 4 and sides[2] * sides[3] == right[0]


def _field_ordered(stated: Stated, axes: str) -> Stated:
    """A receptive field in the order of its axes: T×H×W, where a heading has another one."""
    order = {"hw": "hw", "dhw": "dhw"}.get("".join(sorted(axes)), "")
    if not order or len(stated.sides) != len(order):
        return stated
    by_axis = dict(zip(axes, stated.sides, strict=True))
    return stated._replace(sides=tuple([by_axis[axis] for axis in order]))


def _is_of_windows(stated: Stated, right: Shape) -> bool:
    """Whether a framework has the positions of a map in windows: 64 of 49 positions, for one of 56×56."""
    return len(stated.sides) > 1 < len(right) and stated.sides[-1] == right[0] and prod(stated.sides) == prod(right)


def _is_of_depth(answer: Answer) -> bool:
    """Whether a column asks for the number of maps."""
    return answer.axes == "c" or any(word in answer.heading for word in ("maps", "channel", "depth", "outputs"))


def read_column(
    cells: Iterable[tuple[Answer, Stated, Value | None]], bytes_of_value: int, features: Container[int] = ()
) -> Column:
    """How the cells of a column are meant, judged by the right values; dense layers read so many `features`."""
    known = [(answer, stated, right) for answer, stated, right in cells if right is not None]
    shapes = [(stated, right) for answer, stated, right in known if answer.quantity == "output_shape"]
    first = reads_channels_first([(stated, right) for stated, right in shapes if isinstance(right, tuple)])
    deep = any(
        isinstance(right, tuple) and len(right) == len(stated.with_batch or stated.sides) > 1
        for stated, right in shapes
    )
    factors = possible_factors(known[0][0], bytes_of_value) if known else (Fraction(1),)

    def fitting(factor: Fraction) -> int:
        return sum(fits(scaled(stated, factor), right, answer.quantity) for answer, stated, right in known)

    factor = max(factors, key=fitting) if len(factors) > 1 else factors[0]
    return Column(first[True], first[False], not deep, factor, _batch(shapes, features))


def _batch(shapes: Sequence[tuple[Stated, Value]], features: Container[int]) -> int:
    """The number that stands before all shapes of a column: 128×96×55×55 and 128×4096; 0 where there is none.

    Of one cell alone it is such a number as people take, and not that of the features that are read: 9216×4096.
    """
    before: set[int] = set()
    flat = 0
    for stated, right in shapes:
        if isinstance(right, tuple) and len(right) == 1 and len(stated.sides) == 2:
            flat += stated.sides[1] == right[0]
            before.add(stated.sides[0])
        elif isinstance(right, tuple) and len(stated.with_batch or stated.sides) == len(right) + 1:
            flat += 2
            before.add((stated.with_batch or stated.sides)[0])
        elif isinstance(right, tuple) and len(stated.sides) > 1:
            return 0
    if len(before) != 1:
        return 0
    (batch,) = before
    is_usual = batch in _BATCHES and batch not in features
    return batch if flat > 1 or (flat and is_usual) else 0


def possible_factors(answer: Answer, bytes_of_value: int) -> tuple[Fraction, ...]:
    """What a number of this column may have to be multiplied by.

    Memory is in bytes or in values; a multiply-add counts as one operation or as two.
    """
    if answer.quantity == "activation_bytes" and "byte" not in answer.heading:
        return (Fraction(1), Fraction(bytes_of_value))
    if answer.quantity == "multiplications" and not answer.heading.startswith(PRINTED):
        is_two = counts_two(answer.heading)
        if is_two:
            return (Fraction(1, 2),)
        if (is_two is None and answer.heading) or _OPERATIONS.search(answer.text):
            return (Fraction(1), Fraction(1, 2))
    return (Fraction(1),)


#: Units of which a multiply-add may be two: 3.6 GFLOPs.
_OPERATIONS = re.compile(r"(?<![^\W\d_])[kmgtp]?(?:fl)?ops?\b", re.IGNORECASE)


def scaled(stated: Stated, factor: Fraction) -> Stated:
    """A number in another unit; one with a unit of memory stays as it is."""
    if factor == 1 or stated.unit or stated.value is None or stated.low is None or stated.high is None:
        return stated
    if not agrees(stated):
        return stated
    value, low, high = stated.value * factor, stated.low * factor, stated.high * factor
    return stated._replace(value=value, low=low, high=high, expression=None)


def reads_channels_first(cells: Iterable[tuple[Stated, Shape]]) -> dict[bool, bool]:
    """For shapes in brackets and for others: whether a table writes channels first, judged by all its shapes.

    What fits in one order only decides, and of wrong sides where the depth stands; else the numbers that are right in
    each order do.
    """
    votes = {True: 0, False: 0}
    for stated, right in cells:
        sides = sides_of_rank(stated, right)
        if len(sides) < 2 or stated.is_ordered:
            continue
        first, last = right, (*right[1:], right[0])
        if first == last:
            continue
        style = is_bracketed(stated)
        if sides in (first, last):
            votes[style] += -1000 if sides == first else 1000
            continue
        pairs = zip(sides, last, first, strict=True)
        count = sum((side == if_last) - (side == if_first) for side, if_last, if_first in pairs)
        if count > 0 and sides[-1] == right[0]:
            count = 900
        elif count < 0 and sides[0] == right[0]:
            count = -900
        votes[style] += count
    return {style: count < 0 for style, count in votes.items()}


def sides_of_rank(stated: Stated, right: Shape) -> tuple[int, ...]:
    """The sides as written, without a batch, where there are as many as the right shape has axes; else none."""
    for sides in (stated.with_batch, stated.sides, stated.sides[1:]):
        if len(sides) == len(right):
            return sides
    return ()


def is_bracketed(stated: Stated) -> bool:
    """Whether a shape stands in brackets, or is a list with commas."""
    return stated.text.strip()[:1] in "([{" or _LISTED.fullmatch(stated.text.strip()) is not None


def ordered(stated: Stated, right: Shape, channels_first: bool, axes: str = "") -> Stated:
    """The statement with its shape in (C, H, W) order, and flat where the right one is: 1×1×4096 is 4096 values.

    `axes` is the order that a heading gives. A shape is also given by the number of its values: 4·4·50 of a flat one
    of 800, 290,400 of 55×55×96.
    """
    if stated.shape is None:
        return stated
    shape = stated.shape
    sides = sides_of_rank(stated, right) if len(right) in (2, 4) else stated.sides
    axes = axes if "c" in axes else axes.replace("d", "c")  # the depth of an image
    if axes == "lc" and len(sides) == 2 and len(right) == 3 and set(right[1:]) == {sides[0]}:
        # The side of a square in a column of its own.
        return stated._replace(shape=(sides[1], *right[1:]), sides=(*right[1:], sides[1]))
    if len(sides) > 1 and len(sides) in (3, len(right)) and not stated.is_ordered:
        order = ("", "", "cl", "chw", "cdhw")[len(sides)]
        if sorted(axes) == sorted(order):
            by_axis = dict(zip(axes, sides, strict=True))
            shape = tuple([by_axis[axis] for axis in order])
        else:
            shape = sides if channels_first else (sides[-1], *sides[:-1])
    if len(right) in (2, 4):
        if len(stated.sides) == 1 and set(right[1:]) == {1}:
            shape = (*stated.sides, *right[1:])
        return stated._replace(shape=shape)
    if len(stated.sides) == 2 and is_bracketed(stated) and stated.sides[1] == prod(right):
        return stated._replace(shape=right)  # (4, 9216) of a batch of four
    large = [side for side in stated.sides if side != 1]
    if len(right) == 1 and len(shape) > 1 and (len(large) <= 1 or prod(large) == right[0]):
        shape = (prod(large),)
    elif len(right) == 3 and right[1:] == (1, 1) and len(shape) == 1:
        shape = (shape[0], 1, 1)
    elif len(right) == 3 and len(shape) == 1 and shape[0] == prod(right) and stated.expression is None:
        shape = right
    elif len(right) == 3 and stated.sides in ((1, prod(right)), (prod(right[1:]), right[0])):
        shape = right  # (1, 9216) of a batch of one, 196×768 of tokens
    return stated._replace(shape=shape)


def fits(stated: Stated, value: Value | None, quantity: str) -> bool:
    """Whether a value is what is stated; of a calculation with its result, both."""
    if value is None:
        return False
    if quantity == "output_shape":
        return stated.shape == value and stated.printed is None and all(map(agrees, stated.steps))
    if quantity == "receptive_field":
        assert isinstance(value, tuple)
        if stated.sides:
            return stated.sides == value
        return len(set(value)) == 1 and stated.holds(value[0])
    assert isinstance(value, int)
    return stated.holds(value) and agrees(stated)


def resembles(
    answer: Answer, readings: Sequence[Stated], values: Sequence[Value | None], factors: Sequence[Fraction]
) -> bool:
    """Whether a cell is right in any way that its column may be meant: evidence for what a row is about."""
    for value in values:
        if isinstance(value, tuple) and answer.heading == PRINTED:
            if any(_is_printed(_filled(stated, value), value) for stated in readings):
                return True
        elif isinstance(value, tuple) and answer.quantity == "output_shape":
            if any(_resembles_shape(_filled(stated, value), value) for stated in readings):
                return True
        elif any(fits(scaled(one, factor), value, answer.quantity) for one in readings for factor in factors):
            return True
    return False


def _is_printed(stated: Stated, right: Shape) -> bool:
    """Whether a shape that a framework printed, which is whole, has the sides of the right one in some order."""
    sides, own = (sorted(side for side in shape if side != 1) for shape in (stated.sides, right))
    is_flat = len(stated.sides) == 1 and stated.sides[0] == prod(right)
    return sides == own or is_flat or _is_of_windows(stated, right)


def _resembles_shape(stated: Stated, right: Shape) -> bool:
    sides, shape = stated.sides, stated.shape
    if len(stated.with_batch) == len(right):  # four sides of a volume are all its own
        sides = stated.with_batch
    large = sorted(side for side in sides if side != 1)
    if shape == right or large == sorted(side for side in right if side != 1):
        return True
    is_plane = len(right) == 3 and sides in (right[1:], right[:0:-1], right[1:2], right[:1])
    is_plane = is_plane or (len(right) in (2, 4) and (sorted(sides) == sorted(right[1:]) or sides == right[:1]))
    is_flat = 1 in (len(large), len(right)) or sides == (prod(right[1:]), right[0])
    is_batch = len(sides) == 2 and is_bracketed(stated) and sides[1] == prod(right)
    is_position = len(right) == 1 and sides == (1, 1)
    return is_plane or is_batch or is_position or (is_flat and prod(sides) == prod(right))


def agrees(stated: Stated) -> bool:
    """Whether a result is that of the calculation before it. In another unit of memory it is not held to it."""
    if not all(map(agrees, stated.steps)):
        return False
    calculation = stated.expression
    if calculation is None or stated.value is None or stated.unit:
        return True
    return overlaps(stated, *(stated.reach or (Fraction(calculation.value),) * 2))


def missing(stated: Stated, right: Value | None) -> str:
    """What an incomplete shape lacks, where the rest of it is right."""
    if stated.shape is None or not isinstance(right, tuple) or len(right) == 1:
        return ""
    depth, *sides = right
    whole = format_shape(right)
    name = say("depth") if len(sides) == 2 else say("number of channels")
    if stated.sides == tuple(sides):
        if len(sides) == 1:
            return say("length is right; the {name}, {depth}, is missing", name=name, depth=depth)
        axes = all_of([say(axis) for axis in AXES[len(sides)]])
        return say("{axes} are right; the {name}, {depth}, is missing", axes=axes, name=name, depth=depth)
    if len(stated.sides) == 1 and {stated.sides[0]} == set(sides):
        return say("the side is right; write all of it: {whole}", whole=whole)
    if len(stated.sides) == 1 and stated.sides[0] == depth:
        return say("the {name} is right; write all of it: {whole}", name=name, whole=whole)
    return ""


def overlaps(stated: Stated, low: Fraction, high: Fraction) -> bool:
    """Whether some value between the bounds is stated."""
    return stated.low is not None and stated.high is not None and stated.low <= high and low <= stated.high
