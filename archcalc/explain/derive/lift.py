"""An op and its shapes with a symbol in the place of every number, so that its own rules write the formulas.

Nothing here knows an op: an op says which fields have a letter, and they are lifted by the form of their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.core.shapes import AXES, Shape
from archcalc.explain.derive.trace import Traced, symbol
from archcalc.ops.base import Letter, Op
from archcalc.ops.windowed import Sides, side_names

_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class AxisName(NamedTuple):
    """How derivations write an axis of a shape."""

    letter: str
    word: str
    unit: str


#: The axes of a shape by the number of its position axes, channels first. The channels of an image are its depth, as in
#: the notes of CS231n; where the depth is an axis to slide along, they are C, as in PyTorch.
AXIS_NAMES = (
    (AxisName("N", "size", "values"),),
    (AxisName("C", "channels", "channels"), AxisName("L", "length", "positions")),
    (AxisName("D", "depth", "channels"), AxisName("H", "height", "rows"), AxisName("W", "width", "columns")),
    (
        AxisName("C", "channels", "channels"),
        AxisName("D", "depth", "slices"),
        AxisName("H", "height", "rows"),
        AxisName("W", "width", "columns"),
    ),
)


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
    named = zip(AXIS_NAMES[len(shape) - 1], shape, strict=True)
    return tuple([indexed(name.letter, index, size, f"{_word(name)} of {which}") for name, size in named])


def _word(name: AxisName) -> str:
    return "values" if name.letter == "N" else name.word


def _named(value: Any, size: int, axis: int, axes: int, several: bool) -> Any:
    """An axis of the output: what it is, where that is one symbol, else a symbol of its own."""
    if isinstance(value, Traced) and value.node.kind == "symbol":
        return value
    name = AXIS_NAMES[axes - 1][axis]
    if several:
        return symbol(name.letter, size, name.letter, f"{_word(name)} of the output")
    return indexed(name.letter, 2, size, f"{_word(name)} of the output")


def _field(letter: Letter, value: Any) -> Any:
    if isinstance(value, (bool, str, float)) or value is None:
        return value
    if isinstance(value, Sides):
        return Sides(_sides(letter, value))
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
    return tuple([_symbol(letter, value, axis) for value, axis in zip(pair, _axes(len(pair)), strict=True)])


def _sides(letter: Letter, sides: Sides) -> tuple[Any, ...]:
    """The very same symbol for sides that are alike, by which rules know that a padding is symmetric."""
    if len(set(sides)) == 1:
        return (_symbol(letter, sides[0]),) * len(sides)
    one_side = letter.meaning.removesuffix(" on one side")
    rank = len(sides) // 2
    made: list[Any] = [None] * len(sides)
    for axis, name in enumerate(_axes(rank)):
        before, after = sides[axis], sides[axis + rank]
        if before == after:
            made[axis] = made[axis + rank] = _symbol(letter, before, name)
        else:
            for side in (axis, axis + rank):
                word = side_names(rank)[side]
                index = word[0] if rank == 2 else word[:2]  # back and bottom begin alike
                made[side] = _symbol(Letter(letter.text, one_side), sides[side], (index, word))
    return tuple(made)


def _axes(rank: int) -> tuple[tuple[str, str], ...]:
    """The index and the name of each position axis."""
    return tuple([(word[0], word) for word in AXES[rank]])
