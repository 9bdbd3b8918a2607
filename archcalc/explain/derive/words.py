"""What a derivation says in words: the heading of a layer, and what its numbers count."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.core.language import all_of, apart, mark, say, say_many
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import several
from archcalc.ops.base import Op

_ARRAYS = {
    "running_mean": "running mean", "running_var": "running variance", "centers": "code value",
    "original0": "length", "original1": "weight",
}  # fmt: skip
FIELD_NOTES = (
    mark("positions differ in turn"),
    mark("the most of any position; the step differs"),
    mark("what its inputs see together"),
)

#: Where the sides of an axis are.
PLACES = {
    "top": mark("{count} on top"),
    "left": mark("{count} on the left"),
    "bottom": mark("{count} at the bottom"),
    "right": mark("{count} on the right"),
    "front": mark("{count} in front"),
    "back": mark("{count} at the back"),
    "begin": mark("{count} at the beginning"),
    "end": mark("{count} at the end"),
}  # fmt: skip


def held(count: int, array: str) -> str:
    """What an array holds: 96 biases, 48 running means; of one of several weights 2,048 of weight_ih_l0."""
    if "_" in array and array not in _ARRAYS:
        return say("{count:,} of {array}", count=count, array=array)
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


def times(part: int, whole: int, unit: str) -> str:
    """About 7.1 times the 60 values; exactly where it is whole. Rounded half up, without floats."""
    if part == whole:
        return say("as many as {whole}", whole=unit)
    if part % whole == 0:
        return say_many("{count:,} time {whole}", "{count:,} times {whole}", part // whole, whole=unit)
    tenths = (20 * part + whole) // (2 * whole)
    return say("about {times} times {whole}", times=f"{tenths // 10:,}.{tenths % 10}", whole=unit)


def describe(op: Op, inputs: Sequence[Shape], output: Shape) -> str:
    """96 filters of 11×11×3, stride 4, no padding; input 227×227×3"""
    if not inputs:
        what = say("the input") if op.is_input else op.describe(inputs)
        return f"{what}, {apart(format_shape(output))}"
    parts = [op.describe(inputs), *op.details(inputs), *op.costs(inputs)]
    given = [format_shape(shape) for shape in inputs]
    if len(given) > 2 and len(set(given)) == 1:
        given = [say("{count} of {size}", count=len(given), size=given[0])]
    read = say("input {size}", size=given[0]) if len(inputs) == 1 else say("inputs {sizes}", sizes=all_of(given))
    return f"{', '.join(part for part in parts if part)}; {read}"
