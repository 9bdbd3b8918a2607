"""Values of claims as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from archcalc.core import words


def value_text(value: Any, is_bytes: bool = False) -> str:
    """34,944; 55×55×96; 9.65; yes; 553.4 MB (527.8 MiB)."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_bytes and isinstance(value, (int, Fraction)):
        return bytes_text(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, Fraction):
        return f"{float(value):,.4g}" if abs(value) < 10_000 else f"{round(value):,}"
    if isinstance(value, list):
        if is_bytes:
            return ", ".join(value_text(item, is_bytes) for item in value)
        return shape_text(value)
    return str(value)


def shape_text(sides: Sequence[Any]) -> str:
    """A shape with ×; what is no shape with commas."""
    is_shape = 2 <= len(sides) <= 4 and all(isinstance(side, int) and not isinstance(side, bool) for side in sides)
    return ("×" if is_shape else ", ").join(value_text(side) if not is_shape else str(side) for side in sides)


def bytes_text(number: int | Fraction) -> str:
    """Bytes in both units that are called MB."""
    for power, unit in ((3, "G"), (2, "M"), (1, "K")):
        if number >= 1000**power:
            decimal, binary = Fraction(number) / 1000**power, Fraction(number) / 1024**power
            return f"{float(decimal):.4g} {unit.replace('K', 'k')}B ({float(binary):.4g} {unit}iB)"
    return words.size(int(number))
