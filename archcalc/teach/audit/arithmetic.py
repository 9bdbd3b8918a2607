"""Slips in the arithmetic of a text: digits, units, rounded terms, parts that were left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

from archcalc.explain.derive.trace import Node
from archcalc.teach.audit.claims import Claim, Printed
from archcalc.teach.audit.context import ClaimContext
from archcalc.teach.audit.functions import COUNTS
from archcalc.teach.audit.numbers import bytes_text, value_text
from archcalc.teach.audit.trees import calls, layer_of, walk, written
from archcalc.teach.audit.verdicts import Part
from archcalc.teach.check.model import Diagnosis
from archcalc.teach.reading.claimed import Claimed, read_claimed
from archcalc.teach.reading.typos import describe_typo

_OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "*": lambda a, b: a * b,
    "//": lambda a, b: Fraction(a) / b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
}


def _of(part: Part) -> tuple[str, str]:
    found = calls(part.tree)
    return (layer_of(found[0]) or "", str(found[0].value)) if found else ("", "")


# --- the printed calculation


def of_calculation(printed: Printed, claimed: Claimed, value: Any) -> Iterator[Diagnosis]:
    """A printed calculation that gives another number than the one next to it."""
    text = f"The printed calculation gives {value_text(value, claimed.in_bytes)}, not {claimed.text}."
    yield Diagnosis("arithmetic", "", "", text)
    tree = printed.tree
    if len(tree.parts) != 2 or tree.kind not in _OPERATIONS:
        return
    last = tree.parts[1].value
    if last and claimed.holds(_whole(_OPERATIONS[tree.kind](value, last))):
        times, sign = _chain(tree), tree.kind[:1]
        text = f"{times} times {sign}{last} gives {value_text(value)}; once more gives {claimed.text}."
        yield Diagnosis("repeat_count", "", "", text)


def _chain(tree: Node) -> int:
    """How often the last step was made in a row."""
    first, last = tree.parts
    same = first.kind == tree.kind and len(first.parts) == 2 and first.parts[1].value == last.value
    return 1 + (_chain(first) if same else 0)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Fraction) and value.denominator == 1 else value


def of_addends(claim: Claim, claims: Sequence[Claim], claimed: Claimed) -> Iterator[Diagnosis]:
    """A total that is not the sum of the values that the text itself gives for its parts."""
    parts = [one.value for one in claims if one is not claim and fnmatchcase(one.id, claim.adds) and one.value]
    numbers = [one.numbers[0] for one in parts if one.numbers]
    if not numbers:
        return
    low, high = (sum(getattr(one, bound) or Fraction(0) for one in numbers) for bound in ("low", "high"))
    if claimed.numbers and not any((one.low or 0) <= high and low <= (one.high or 0) for one in claimed.numbers):
        total = sum((one.value or Fraction(0)) for one in numbers)
        text = (
            f"The text's own {len(numbers)} parts add up to {value_text(_whole(Fraction(total)))}, not {claimed.text}."
        )
        yield Diagnosis("sum_of_parts", "", "", text)


# --- digits and factors


def of_sides(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """A digit lost, doubled, changed or swapped in a side of a shape; a number that is twice the right one."""
    layer, quantity = _of(part)
    claimed, value = part.claimed, part.value
    if claimed.sides and isinstance(value, list) and len(claimed.sides) == len(value):
        pairs = [(a, b) for a, b in zip(claimed.sides, value, strict=True) if a != b]
        if all(_is_slip(a, b) for a, b in pairs):
            slips = ", ".join(f"{a} for {b}" for a, b in pairs)
            yield Diagnosis("digit_slip", layer, quantity, f"Mistyped digits: {slips}.")
    number = claimed.number
    if number is None or isinstance(value, bool) or not isinstance(value, (int, Fraction)) or not value:
        return
    if claimed.holds(2 * value) or claimed.holds(Fraction(value) / 2):
        yield Diagnosis(
            "factor_two",
            layer,
            quantity,
            f"{claimed.text} is {'twice' if number > value else 'half'} the right number.",
        )
    for node in walk(part.tree):
        if node is not part.tree and node.parts and node.kind != "list" and claimed.holds(context.value(node)):
            text = f"{claimed.text} is only {written(node, context.variables)}."
            if part.tree.value == "**" and node is part.tree.parts[0]:
                text = f"{claimed.text} counts one axis; over both it is squared."
            yield Diagnosis("incomplete", layer, quantity, text)
            return


def _is_slip(claimed: int, right: int) -> bool:
    """Whether one slip makes a number of several digits of another."""
    return max(claimed, right) >= 100 and bool(describe_typo(right, claimed))


# --- units


def of_unit(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """Millions of parameters or values that were written as megabytes."""
    number = part.claimed.number
    names = {"param_bytes": "params", "activation_bytes": "activations"}
    if not part.claimed.in_bytes or number is None or part.tree.kind != "call" or part.tree.value not in names:
        return
    count = context.value(part.tree._replace(value=names[part.tree.value]))
    layer, quantity = _of(part)
    millions = number / 10**6
    written_millions = f"{float(millions):g}M"
    if isinstance(count, int) and read_claimed(f"about {written_millions}").holds(count):
        what = "parameters" if names[part.tree.value] == "params" else "values"
        text = f"{count:,} {what} are about {float(millions):g} million; in float32 they take {bytes_text(part.value)}."
        yield Diagnosis("unit", layer, quantity, text)


# --- rounding


def of_rounding(context: ClaimContext, part: Part) -> Iterator[Diagnosis]:
    """A calculation with terms that were rounded or cut off before."""
    found = calls(part.tree)
    if part.claimed.number is None or len(found) < 2 or any(call.value not in COUNTS for call in found):
        return
    layer, quantity = _of(part)
    for unit, name in ((10**6, "million"), (10**3, "thousand"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if (unit in (1 << 20, 1 << 10)) != part.claimed.in_bytes:
            continue
        for cut, how in ((False, "rounded"), (True, "cut off")):
            functions = {**context.functions, **{key: _rounded(context.functions[key], unit, cut) for key in COUNTS}}
            value = context.value(part.tree, functions)
            if value != part.value and part.claimed.holds(value):
                pairs = [(context.value(call), context.value(call, functions)) for call in found]
                terms = ", ".join(
                    f"{float(Fraction(right, unit)):,.4g} {name} as {used // unit:,}"
                    for right, used in dict.fromkeys(pairs)
                )
                text = f"The terms were {how} to whole {name if name[-1] == 'B' else name + 's'} before: {terms}."
                yield Diagnosis("rounded_inputs", layer, quantity, text)
                return


def _rounded(function: Callable[..., Any], unit: int, cut: bool) -> Callable[..., Any]:
    def rounded(*arguments: Any) -> Any:
        return (function(*arguments) + (0 if cut else unit // 2)) // unit * unit

    return rounded
