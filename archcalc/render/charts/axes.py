"""Scales and axes: round ticks, and numbers as the field writes them (25 M parameters, 3.86 G multiplications, MiB)."""

from __future__ import annotations

import json
from math import ceil, floor, log2, log10
from typing import Any, NamedTuple

from archcalc.core import words
from archcalc.core.language import turned
from archcalc.core.quantities import Quantity
from archcalc.render.diagrams.words import figure

#: Decades of a logarithmic axis.
LEAST_SPAN = 0.82
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class Scale(NamedTuple):
    """A scale along one axis, in pixels of the plotting area, with its ticks and their labels."""

    low: float
    high: float
    start: float
    end: float
    log: bool
    ticks: tuple[tuple[float, str], ...]

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        if self.log:
            share = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def vega(self) -> dict[str, Any]:
        """The `scale` of an encoding."""
        kind = {"type": "log"} if self.log else {"type": "linear", "zero": False}
        return {**kind, "domain": [self.low, self.high], "range": [self.start, self.end], "nice": False}

    def axis(self, title: str, **more: Any) -> dict[str, Any]:
        """The `axis` of an encoding: exactly these ticks, with these labels."""
        # A label is a string of JSON in the expression, so that nothing in it is read as more than text.
        names = "".join(f"datum.value == {value!r} ? {json.dumps(label)} : " for value, label in self.ticks)
        return {
            "title": turned(title), "values": [value for value, _ in self.ticks], "labelExpr": f"{names}''",
            "labelOverlap": False, **more,
        }  # fmt: skip


def short(number: float) -> str:
    """A count on an axis: three digits and K, M or G as in the diagrams, without zeros at the end: 2.5 M, 1 G."""
    text, space, unit = figure(number).partition(" ")
    return f"{_trimmed(text)}{space}{unit}"


def written(quantity: Quantity, number: float) -> str:
    """A value of a quantity next to its point or bar: 1.14 G, 5.39 MiB, 76.1 %."""
    if quantity.unit == "bytes":
        return words.size(round(number))
    return f"{number:.3g} %" if quantity.unit == "%" else figure(number)


def size(number: float, unit: int) -> str:
    """Bytes in a given unit (0 bytes, 1 KiB, 2 MiB, …), without zeros at the end: 0.5 MiB, 0."""
    if not number:
        return "0"
    return f"{_whole(number / 1024**unit):,g} {UNITS[unit]}"


def unit_of(number: float) -> int:
    """The unit in which a number of bytes is written: the largest that is not larger than it."""
    return min(max(floor(log2(max(number, 1)) / 10), 0), len(UNITS) - 1)


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def linear(high: float, start: float, end: float, binary: bool = False, count: int = 5) -> Scale:
    """From zero to a round number above the highest; `binary` for bytes."""
    top = high or 1.0
    unit = unit_of(top) if binary else 0
    step = _step(top / 1024**unit / count) * 1024**unit
    steps = max(ceil(top / step - 1e-9), 1)
    ticks = tuple(
        (_whole(step * index), size(step * index, unit) if binary else short(_whole(step * index)))
        for index in range(steps + 1)
    )
    return Scale(0, _whole(step * steps), start, end, False, ticks)


def inside(low: float, high: float, start: float, end: float, step: float, unit: str = "") -> Scale:
    """From one number to another, with ticks at the multiples of a step between them."""
    marks = [_whole(step * index) for index in range(ceil(low / step), floor(high / step) + 1)]
    return Scale(low, high, start, end, False, tuple((mark, f"{mark:g}{unit}") for mark in marks))


def logarithmic(low: float, high: float, start: float, end: float, binary: bool = False, margin: float = 0.0) -> Scale:
    """From below the lowest to above the highest, in the steps 1, 2, 5 of each decade, or in powers of two."""
    span = log10(high / low)
    # Two ticks at least: from 2 to 5 is the longest way between neighbours.
    around = max(margin * span + 0.02, (LEAST_SPAN - span) / 2)
    bottom, top = low / 10**around, high * 10**around
    if binary:
        values = [float(2**power) for power in range(ceil(log2(bottom)), floor(log2(top)) + 1)]
        values = values[:: max(len(values) // 8, 1)]
    else:
        decades = range(floor(log10(bottom)), ceil(log10(top)) + 1)
        marks = (1, 2, 5) if log10(top / bottom) < 4 else (1,)
        values = [mark * 10.0**decade for decade in decades for mark in marks]
    ticks = tuple((_whole(value), short(_whole(value))) for value in values if bottom <= value <= top)
    return Scale(bottom, top, start, end, True, ticks)


def _step(least: float) -> float:
    """The smallest round number that is at least so large."""
    decade = 10.0 ** floor(log10(least))
    return next(mark * decade for mark in (1, 2, 2.5, 5, 10) if mark * decade >= least * (1 - 1e-9))


def _whole(value: float) -> float:
    """Without the noise of floating point, and an int where it is one."""
    value = round(value, 9)
    return int(value) if value == int(value) else value
