"""An op and its shapes with a symbol in the place of every number, so that its own rules write the formulas.

Nothing here knows an op: an op says which fields have a letter, and they are lifted by the form of their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.core.shapes import Shape
from archcalc.explain.derive.trace import Traced, symbol
from archcalc.ops.base import Letter, Op
from archcalc.ops.windowed import Sides

_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

_AXES = (("h", "height"), ("w", "width"))
_SIDES = (("t", "top"), ("l", "left"), ("b", "bottom"), ("r", "right"))


class SymbolicLayer(NamedTuple):
    """An op, its inputs and its output as symbols."""

    op: Op
    inputs: tuple[Shape, ...]
    output: Shape


def lift(op: Op, inputs: Sequence[Shape], output: Shape) -> SymbolicLayer:
    """Symbols for the settings and shapes of a layer whose settings are all filled in."""
    letters = type(op).letters()
    lifted = op.model_copy(update={name: _field(letter, getattr(op, name)) for name, letter in letters.items()})
    several = len(inputs) != 1
    shapes = tuple([_input(shape, index + 1) for index, shape in enumerate(inputs)])
    made = lifted.output_shape(shapes) if shapes else output
    pairs = enumerate(zip(made, output, strict=True))
    named = tuple([_named(value, size, axis, len(output), several) for axis, (value, size) in pairs])
    return SymbolicLayer(lifted, shapes, named)


def indexed(letter: str, index: int | str, value: int, meaning: str) -> Traced:
    """H₁; an index that is no number follows an underscore: F_h."""
    if isinstance(index, int):
        latex = f"{letter}_{index}" if index < 10 else f"{letter}_{{{index}}}"
        return symbol(letter + str(index).translate(_DIGITS), value, latex, meaning)
    return symbol(
        f"{letter}_{index}", value, f"{letter}_{index}" if len(index) == 1 else f"{letter}_{{{index}}}", meaning
    )


def _input(shape: Shape, index: int) -> tuple[Any, ...]:
    """The sides of an input: a traced number stands where a shape has an int."""
    which = "input" if index == 1 else f"input {index}"
    names = (("D", "depth"), ("H", "height"), ("W", "width")) if len(shape) == 3 else (("N", "values"),) * len(shape)
    named = zip(names, shape, strict=True)
    return tuple([indexed(letter, index, size, f"{word} of {which}") for (letter, word), size in named])


def _named(value: Any, size: int, axis: int, axes: int, several: bool) -> Any:
    """An axis of the output: what it is, where that is one symbol, else a symbol of its own."""
    if isinstance(value, Traced) and value.node.kind == "symbol":
        return value
    letter, word = (("D", "depth"), ("H", "height"), ("W", "width"))[axis] if axes == 3 else ("N", "values")
    if several:
        return symbol(letter, size, letter, f"{word} of the output")
    return indexed(letter, 2, size, f"{word} of the output")


def _field(letter: Letter, value: Any) -> Any:
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, Sides):
        return Sides(*_sides(letter, value))
    if isinstance(value, tuple):
        return _pair(letter, value)
    return _symbol(letter, value)


def _symbol(letter: Letter, value: int, axis: tuple[str, str] | None = None) -> Any:
    """A symbol, with the index and the name of an axis or side; a number that is not written stays one."""
    if value == letter.plain:
        return value
    if axis is None:
        return symbol(letter.text, value, letter.text, letter.meaning)
    index, word = axis
    return indexed(letter.text, index, value, f"{letter.meaning}, {word}")


def _pair(letter: Letter, pair: tuple[int, ...]) -> tuple[Any, ...]:
    """One symbol for all axes where they are alike, so that rules know that they are."""
    if len(set(pair)) == 1:
        return (_symbol(letter, pair[0]),) * len(pair)
    return tuple([_symbol(letter, value, axis) for value, axis in zip(pair, _AXES, strict=True)])


def _sides(letter: Letter, sides: Sides) -> tuple[Any, ...]:
    """The very same symbol for sides that are alike, by which rules know that a padding is symmetric."""
    if len(set(sides)) == 1:
        return (_symbol(letter, sides[0]),) * 4
    one_side = letter.meaning.removesuffix(" on one side")
    made: list[Any] = [None] * 4
    for axis, names in enumerate(_AXES):
        before, after = sides[axis], sides[axis + 2]
        if before == after:
            made[axis] = made[axis + 2] = _symbol(letter, before, names)
        else:
            for side in (axis, axis + 2):
                made[side] = _symbol(Letter(letter.text, one_side), sides[side], _SIDES[side])
    return tuple(made)
