"""The axes of a map by name, and settings that have a value for each of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from archcalc.core.errors import ShapeError
from archcalc.core.shapes import Shape, format_shape
from archcalc.ops.base import POINT, AxisReads, Windows

AxisName = Literal["channels", "length", "depth", "height", "width"]
#: The position axes of a map, by their number.
_POSITIONS: tuple[tuple[AxisName, ...], ...] = ((), ("length",), ("height", "width"), ("depth", "height", "width"))


def axes_named(shape: Sequence[int]) -> tuple[AxisName, ...]:
    """The names of the axes of a shape, channels first."""
    return ("channels", *_POSITIONS[len(shape) - 1])


def axis_of(axis: AxisName, shape: Shape) -> int:
    """The index of an axis in a shape. Raises `ShapeError` where the shape has no such axis."""
    known = axes_named(shape)
    if axis not in known:
        raise ShapeError(f"the input has no {axis}", f"input {format_shape(shape)} has {', '.join(known)}")
    return known.index(axis)


def position_reads(shape: Shape, reads: Mapping[int, AxisReads]) -> Windows:
    """What is read along each position axis: as `reads` says by index in the shape, else the position itself."""
    return tuple([reads.get(axis, POINT) for axis in range(1, len(shape))])


def by_position(value: Any) -> Any:
    """A number as a list of one, which stands for every position axis."""
    return value if isinstance(value, (list, tuple)) else (value,)
