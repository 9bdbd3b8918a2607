"""Scales and axes: round ticks, and numbers as the field writes them (25 M parameters, 3.9 G multiplications, MiB)."""

from __future__ import annotations

from math import ceil, floor, log2, log10
from typing import Any, NamedTuple

from archcalc import words


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
        kind = {"type": "log"} if self.log else {"type": "linear"}
        return {**kind, "domain": [self.low, self.high], "range": [self.start, self.end], "nice": False, "zero": False}

    def axis(self, title: str, **more: Any) -> dict[str, Any]:
        """The `axis` of an encoding: exactly these ticks, with these labels."""
        names = " : ".join(f"datum.value == {value!r} ? '{label}'" for value, label in self.ticks)
        return {
            "title": title, "values": [value for value, _ in self.ticks], "labelExpr": f"{names} : ''",
            "labelOverlap": False, **more,
        }  # fmt: skip


def si(number: float) -> str:
    """Three digits and k, M, G or T, as multiplications are written: 1.14 G, 724 M; whole where it is: 5 M."""
    value, unit = float(number), ""
    for larger in ("k", "M", "G", "T", "P"):
        if abs(value) < 999.5:
            break
        value, unit = value / 1000, larger
    text = f"{value:.2f}" if abs(value) < 9.995 else f"{value:.1f}" if abs(value) < 99.95 else f"{value:.0f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {unit}".strip()


def size(number: float) -> str:
    """Bytes of an axis, without the digits that are zero: 2 MiB, 0."""
    if not number:
        return "0"
    text, _, unit = words.size(round(number)).partition(" ")
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"


def linear(high: float, start: float, end: float, binary: bool = False, count: int = 5) -> Scale:
    """From zero to a round number above the highest; `binary` for bytes."""
    top = high or 1.0
    step = _step(top / count, binary)
    steps = max(ceil(top / step - 1e-9), 1)
    write = size if binary else si
    ticks = tuple((_whole(step * index), write(step * index)) for index in range(steps + 1))
    return Scale(0, _whole(step * steps), start, end, False, ticks)


def inside(low: float, high: float, start: float, end: float, step: float, unit: str = "") -> Scale:
    """From one number to another, with ticks at the multiples of a step between them."""
    marks = [_whole(step * index) for index in range(ceil(low / step), floor(high / step) + 1)]
    return Scale(low, high, start, end, False, tuple((mark, f"{mark:g}{unit}") for mark in marks))


def logarithmic(low: float, high: float, start: float, end: float, binary: bool = False, margin: float = 0.0) -> Scale:
    """From below the lowest to above the highest, in the steps 1, 2, 5 of each decade or in powers of 2."""
    span = log10(high / low) if high > low else 1.0
    bottom, top = low / 10 ** (margin * span + 0.02), high * 10 ** (margin * span + 0.02)
    if binary:
        values = [float(2**power) for power in range(ceil(log2(bottom)), floor(log2(top)) + 1)]
        values = values[:: max(len(values) // 8, 1)]
        write = size
    else:
        decades = range(floor(log10(bottom)), ceil(log10(top)) + 1)
        marks = (1, 2, 5) if log10(top / bottom) < 4 else (1,)
        values = [mark * 10.0**decade for decade in decades for mark in marks]
        write = si
    ticks = tuple((_whole(value), write(value)) for value in values if bottom <= value <= top)
    return Scale(bottom, top, start, end, True, ticks)


def _step(least: float, binary: bool) -> float:
    """The smallest round number that is at least so large."""
    if binary:
        unit = 1024.0 ** max(floor(log2(max(least, 1)) / 10), 0)
        return _step(least / unit, False) * unit if least / unit >= 1 else unit
    decade = 10.0 ** floor(log10(least))
    return next(mark * decade for mark in (1, 2, 2.5, 5, 10) if mark * decade >= least * (1 - 1e-9))


def _whole(value: float) -> float:
    """Without the noise of floating point, and an int where it is one."""
    value = round(value, 9)
    return int(value) if value == int(value) else value
