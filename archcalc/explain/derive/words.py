"""What a derivation says in words: the heading of a layer, and what its numbers count."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import listed, several
from archcalc.ops.base import Op

_ARRAYS = {
    "running_mean": "running mean", "running_var": "running variance", "centers": "code value",
    "original0": "length", "original1": "weight",
}  # fmt: skip
FIELD_NOTES = ("positions differ in turn", "what its inputs see together")

#: Where the sides of an axis are.
PLACES = {
    "top": "on top", "left": "on the left", "bottom": "at the bottom", "right": "on the right", "front": "in front",
    "back": "at the back", "begin": "at the beginning", "end": "at the end",
}  # fmt: skip


def held(count: int, array: str) -> str:
    """What an array holds: 96 biases, 48 running means; of one of several weights 2,048 of weight_ih_l0."""
    if "_" in array and array not in _ARRAYS:
        return f"{count:,} of {array}"
    return several(count, _ARRAYS.get(array, array))


def size(count: int) -> str:
    """Bytes in KiB, MiB or GiB with three digits, where there are more than a thousand."""
    if count < 1000:
        return ""
    value, units = float(count) / 1024, ["GiB", "MiB", "KiB"]
    while value >= 1000 and len(units) > 1:
        value /= 1024
        units.pop()
    unit = units[-1]
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{digits}f} {unit}"


def times(part: int, whole: int) -> str:
    """7.1 times; exactly where it is whole. Rounded half up, without floats."""
    if part % whole == 0:
        return "as many as" if part == whole else f"{part // whole:,} times"
    tenths = (20 * part + whole) // (2 * whole)
    return f"about {tenths // 10:,}.{tenths % 10} times"


def heading(name: str, op: Op, inputs: Sequence[Shape], output: Shape) -> str:
    """conv1: 96 filters of 11×11×3, stride 4, no padding; input 227×227×3"""
    if not inputs:
        what = "the input" if op.is_input else op.describe(inputs)
        return f"{name}: {what}, {format_shape(output)}"
    parts = [op.describe(inputs), *op.details(inputs), *op.costs(inputs)]
    given = [format_shape(shape) for shape in inputs]
    word = "input" if len(inputs) == 1 else "inputs"
    if len(given) > 2 and len(set(given)) == 1:
        given = [f"{len(given)} of {given[0]}"]
    return f"{name}: {', '.join(part for part in parts if part)}; {word} {listed(given)}"
