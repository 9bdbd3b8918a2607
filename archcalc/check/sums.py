"""Sums: a total against the parts that it is made of, and a printed result against the calculation before it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from archcalc.check.model import TOTAL, Diagnosis, Stated
from archcalc.derive.notation import number


def diagnose_slip(layer: str, quantity: str, stated: Stated) -> tuple[Diagnosis, ...]:
    """A printed result that is not that of its own calculation."""
    calculation = stated.expression
    if calculation is None or stated.value is None or stated.holds(calculation.value):
        return ()
    value, printed = calculation.value, stated.value
    text = f"The calculation gives {number(value)}, not {shown(printed)}."
    if calculation.kind == "+":
        return (Diagnosis("sum_of_parts", layer, quantity, f"The printed sum is not that of its terms. {text}"),)
    slip = digit_slip(value, printed)
    return (Diagnosis("digit_slip", layer, quantity, f"{text} {slip}".rstrip()),)


def shown(value: Fraction) -> str:
    """34,944, or a decimal number."""
    return number(int(value)) if value.denominator == 1 else f"{float(value):,.10g}"


def digit_slip(right: int, written: Fraction) -> str:
    """How one slip of the pen turns a number into another: `2 digits are swapped`; nothing where none does."""
    if written.denominator != 1 or right < 0 or written < 0:
        return ""
    want, have = str(right), str(int(written))
    if len(want) == len(have):
        places = [place for place, (a, b) in enumerate(zip(want, have, strict=True)) if a != b]
        if len(places) == 1:
            return f"One digit is another: {have[places[0]]} for {want[places[0]]}."
        swapped = len(places) == 2 and places[1] == places[0] + 1
        if swapped and want[places[0]] == have[places[1]] and want[places[1]] == have[places[0]]:
            return f"Two digits are swapped: {have[places[0] : places[1] + 1]}."
        return ""
    longer, shorter = (want, have) if len(want) > len(have) else (have, want)
    if len(longer) - len(shorter) == 1:
        for place in range(len(longer)):
            if longer[:place] + longer[place + 1 :] == shorter:
                return f"A digit {'is missing' if longer is want else 'is too much'}: {longer[place]}."
    return ""


def diagnose_total(
    quantity: str, stated: Stated, own: Fraction, parts: Mapping[str, Fraction], written: Mapping[str, Stated]
) -> tuple[Diagnosis, ...]:
    """Why a total is not the sum of its column: `own` is the sum of the student's `parts`, `written` the cells."""
    found: list[Diagnosis] = []
    if stated.value is None:
        return ()

    def add(mistake: str, text: str) -> None:
        found.append(Diagnosis(mistake, TOTAL, quantity, text))

    if len(written) > 1 and any(one.low != one.high for one in written.values()):
        rounded = sum((one.value or Fraction(0) for one in written.values()), Fraction(0))
        rest = sum((value for name, value in parts.items() if name not in written), Fraction(0))
        if stated.value == rounded + rest and stated.low == stated.high:
            add("rounded_inputs", f"The sum of the rounded numbers, {shown(rounded + rest)}. Add before you round.")
    for name, value in parts.items():
        if value and stated.value == own - value:
            add("sum_of_parts", f"Exactly the sum of the column without {name}: {shown(own)} − {shown(value)}.")
        elif value and stated.value == own + value:
            add("sum_of_parts", f"Exactly the sum of the column with {name} twice: {shown(own)} + {shown(value)}.")
    answered = sum((parts[name] for name in written if name in parts), Fraction(0))
    if not found and written and stated.value == answered != own:
        add("sum_of_parts", f"The sum of the cells that are filled in. With the others it is {shown(own)}.")
    if not found and own.denominator == 1 and (slip := digit_slip(int(own), stated.value)):
        add("digit_slip", f"The column adds up to {shown(own)}. {slip}")
    return tuple(found)
