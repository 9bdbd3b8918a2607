"""An op and its shapes with a symbol in the place of every number, so that its own rules write the formulas.

Nothing here knows an op: fields are lifted by their names and by the form of their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.core.shapes import Shape
from archcalc.explain.derive.trace import Traced, symbol
from archcalc.ops.base import Op
from archcalc.ops.windowed import Sides

_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

#: The letter of a field, and what it means. Fields that are not named here stay plain numbers.
LETTERS = {
    "out_channels": ("K", "filters"),
    "out_features": ("K", "neurons"),
    "kernel_size": ("F", "window"),
    "stride": ("S", "stride"),
    "padding": ("P", "padding on one side"),
    "dilation": ("d", "dilation"),
    "groups": ("G", "groups"),
    "output_padding": ("A", "rows or columns added to the output"),
    "output_size": ("N", "output size"),
    "scale": ("S", "scale"),
    "step": ("S", "step"),
    "start": ("B", "first row or column taken"),
    "margins": ("M", "margin cut off"),
    "norm_type": ("p", "power"),
    "before": ("C_b", "channels before"),
    "after": ("C_a", "channels after"),
    "shape": ("N", "size"),
}
_AXES = (("h", "height"), ("w", "width"))
_SIDES = (("t", "top"), ("l", "left"), ("b", "bottom"), ("r", "right"))


class Lifted(NamedTuple):
    """An op, its inputs and its output as symbols."""

    op: Op
    inputs: tuple[Shape, ...]
    output: Shape


def lift(op: Op, inputs: Sequence[Shape], output: Shape) -> Lifted:
    """Symbols for the settings and shapes of a layer whose settings are all filled in."""
    fields = {name: _field(name, getattr(op, name)) for name in type(op).model_fields}
    lifted = op.model_copy(update=fields)
    several = len(inputs) != 1
    shapes = tuple([_input(shape, index + 1) for index, shape in enumerate(inputs)])
    made = lifted.output_shape(shapes) if shapes else output
    pairs = enumerate(zip(made, output, strict=True))
    named = tuple([_named(value, size, axis, len(output), several) for axis, (value, size) in pairs])
    return Lifted(lifted, shapes, named)


def indexed(letter: str, index: int | str, value: int, meaning: str) -> Traced:
    """H₁; an index that is no number stands behind an underscore: F_h."""
    if isinstance(index, int):
        latex = f"{letter}_{index}" if index < 10 else f"{letter}_{{{index}}}"
        return symbol(letter + str(index).translate(_DIGITS), value, latex, meaning)
    return symbol(f"{letter}_{index}", value, f"{letter}_{index}", meaning)


def _input(shape: Shape, index: int) -> Shape:
    which = "input" if index == 1 else f"input {index}"
    names = (("D", "depth"), ("H", "height"), ("W", "width")) if len(shape) == 3 else (("N", "values"),) * len(shape)
    named = zip(names, shape, strict=True)
    # A traced number stands where a shape has an int.
    return tuple([indexed(letter, index, size, f"{word} of {which}") for (letter, word), size in named])  # type: ignore[misc]


def _named(value: Any, size: int, axis: int, axes: int, several: bool) -> Any:
    """An axis of the output: what it is, where that is one symbol, else a symbol of its own."""
    if isinstance(value, Traced) and value.node.kind == "symbol":
        return value
    letter, word = (("D", "depth"), ("H", "height"), ("W", "width"))[axis] if axes == 3 else ("N", "values")
    if several:
        return symbol(letter, size, letter, f"{word} of the output")
    return indexed(letter, 2, size, f"{word} of the output")


def _field(name: str, value: Any) -> Any:
    if name not in LETTERS or isinstance(value, (bool, str)) or value is None:
        return value
    letter, meaning = LETTERS[name]
    if isinstance(value, Sides):
        return Sides(*_sides(letter, value, meaning))
    if isinstance(value, tuple) and len(value) == 2:
        return _pair(letter, value, meaning)
    if isinstance(value, int) and not (name in ("output_padding", "before", "after") and value == 0):
        return symbol(letter, value, letter, meaning)
    return value


def _pair(letter: str, pair: tuple[int, int], meaning: str) -> tuple[Any, Any]:
    """One symbol for both axes where they are alike; what is 0 or 1 by default and unused stays a number."""
    if letter == "A" and pair == (0, 0):
        return pair
    if pair[0] == pair[1]:
        both = symbol(letter, pair[0], letter, meaning)
        return both, both
    first, second = (
        indexed(letter, index, pair[axis], f"{meaning}, {word}") for axis, (index, word) in enumerate(_AXES)
    )
    return first, second


def _sides(letter: str, sides: Sides, meaning: str) -> tuple[Any, ...]:
    """The very same symbol for sides that are alike, by which rules know that a padding is symmetric."""
    if len(set(sides)) == 1:
        return (symbol(letter, sides[0], letter, meaning),) * 4
    made: list[Any] = [None] * 4
    for axis, (index, word) in enumerate(_AXES):
        before, after = sides[axis], sides[axis + 2]
        if before == after:
            made[axis] = made[axis + 2] = indexed(letter, index, before, f"{meaning}, {word}")
        else:
            for side in (axis, axis + 2):
                short, side_word = _SIDES[side]
                made[side] = indexed(letter, short, sides[side], f"{meaning.replace(' on one side', '')}, {side_word}")
    return tuple(made)
