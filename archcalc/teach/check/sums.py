"""Sums: a total against the parts that it is made of, and a printed result against the calculation before it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from archcalc.core.language import say
from archcalc.explain.derive.notation import number
from archcalc.teach.check.agreement import agrees
from archcalc.teach.check.explain import capital
from archcalc.teach.check.model import Diagnosis
from archcalc.teach.reading import typos
from archcalc.teach.reading.stated import Stated


def diagnose_slip(layer: str, quantity: str, stated: Stated) -> tuple[Diagnosis, ...]:
    """A printed result that is not that of its own calculation."""
    stated = next((step for step in stated.steps if not agrees(step)), stated)
    calculation = stated.expression
    if calculation is None or stated.value is None or agrees(stated._replace(unit="")):
        return ()
    value, printed = calculation.value, stated.value
    text = say("The calculation gives {value}, not {printed}.", value=number(value), printed=shown(printed))
    if calculation.kind == "+":
        return (
            Diagnosis(
                "sum_of_parts", layer, quantity, say("The printed sum is not that of its terms. {text}", text=text)
            ),
        )
    slip = describe_typo(value, printed)
    return (Diagnosis("digit_slip", layer, quantity, f"{text} {slip}".rstrip()),)


def shown(value: Fraction) -> str:
    """34,944, or a decimal number."""
    return number(int(value)) if value.denominator == 1 else f"{float(value):,.10g}"


def describe_typo(right: int, written: Fraction) -> str:
    """How one typo turns a number into another, in a sentence; empty where none does."""
    slip = typos.describe_typo(right, int(written)) if written.denominator == 1 else ""
    return f"{capital(slip)}." if slip else ""


def diagnose_total(
    layer: str,
    quantity: str,
    stated: Stated,
    own: Fraction,
    parts: Mapping[str, Fraction],
    written: Mapping[str, Stated],
) -> tuple[Diagnosis, ...]:
    """Why a sum is not that of its column: `own` is the sum of the student's `parts`, `written` the cells.

    `layer` is the total, or the block that is summed up.
    """
    found: list[Diagnosis] = []
    if stated.value is None:
        return ()

    def add(mistake: str, text: str) -> None:
        found.append(Diagnosis(mistake, layer, quantity, text))

    if len(written) > 1 and any(one.low != one.high for one in written.values()):
        rounded = sum((one.value or Fraction(0) for one in written.values()), Fraction(0))
        rest = sum((value for name, value in parts.items() if name not in written), Fraction(0))
        if stated.value == rounded + rest and stated.low == stated.high:
            add(
                "rounded_inputs",
                say("The sum of the rounded numbers, {value}. Add before you round.", value=shown(rounded + rest)),
            )
    for sign in (-1, 1):
        change = sign * (stated.value - own)
        names = [name for name, value in parts.items() if value and value == change]
        if names:
            which = names[0] if len(names) == 1 else say("one of {names}", names=", ".join(names[:8]))
            values = {"which": which, "own": shown(own), "change": shown(change)}
            text = (
                say("Exactly the sum of the column without {which}: {own} − {change}.", **values)
                if sign < 0
                else say("Exactly the sum of the column with {which} twice: {own} + {change}.", **values)
            )
            add("sum_of_parts", text)
            add("repeat_count", text)
    answered = sum((parts[name] for name in written if name in parts), Fraction(0))
    if not found and stated.value == answered != own:
        add(
            "sum_of_parts", say("The sum of the cells that are filled in. With the others it is {own}.", own=shown(own))
        )
    if not found and own.denominator == 1 and (slip := describe_typo(int(own), stated.value)):
        add("digit_slip", say("The column adds up to {own}. {slip}", own=shown(own), slip=slip))
    return tuple(found)
