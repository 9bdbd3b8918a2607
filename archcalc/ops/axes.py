"""The axes of a map by name, and settings that have a value for each of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import WrapValidator

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


class ForAll(tuple[int, ...]):
    """A number that was given in place of a list: it stands for every position axis, which a list of one does not."""

    __slots__ = ()


def by_position(number: Any) -> WrapValidator:
    """The validator of a setting that is a number for each position axis, or one for all of them."""
    return WrapValidator(_number_or_list, json_schema_input_type=number | tuple[number, ...])


def _number_or_list(value: Any, validate: Callable[[Any], Any]) -> Any:
    is_list = isinstance(value, (list, tuple)) and not isinstance(value, ForAll)
    return validate(value) if is_list else ForAll(validate(value if isinstance(value, ForAll) else (value,)))


def want_each_axis(name: str, values: tuple[int, ...], shape: Shape) -> None:
    """Raise `ShapeError` unless a setting of this type has a number for each position axis of a shape."""
    if for_each_axis(values, len(shape) - 1) is None:
        given = f"{name} {list(values)}, input {format_shape(shape)}"
        fits = [f"one number stands for all: {name}: {values[0]}"] if len(values) == 1 else []
        raise ShapeError(f"{name} needs a number for each position axis", given, *fits)


def for_each_axis(values: tuple[int, ...], rank: int) -> tuple[int, ...] | None:
    """A setting of this type as a number for each of so many axes; None where it has another number of them."""
    if isinstance(values, ForAll):
        return (*values,) * rank
    return values if len(values) == rank else None
