"""Typos: one digit changed, dropped, doubled, or two swapped."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.core.language import say


def describe_typo(right: int, wrong: int) -> str:
    """What happened to a digit, in words; empty where more than one typo would be needed."""
    # A typo changes the number of digits by one at the most; what is far larger is not even written out.
    if right < 0 or wrong < 0 or right == wrong or wrong > 100 * (right + 1):
        return ""
    one, other = str(right), str(wrong)
    if len(one) == len(other):
        differ = [index for index, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(differ) == 1 and len(one) > 1:
            return say("one digit is mistyped, {other} for {one}", other=other[differ[0]], one=one[differ[0]])
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1
        if swapped and one[differ[0]] == other[differ[1]] and one[differ[1]] == other[differ[0]]:
            part = slice(differ[0], differ[1] + 1)
            return say("two digits have changed places, {other} for {one}", other=other[part], one=one[part])
        return ""
    if len(other) == len(one) - 1:
        dropped = next((i for i in range(len(one)) if one[:i] + one[i + 1 :] == other), None)
        return say("a digit is missing, the {one}", one=one[dropped]) if dropped is not None else ""
    if other == one + "0" and one[-1:] != "0":
        return say("a 0 too many at the end")
    if len(other) == len(one) + 1:
        doubled = next((i for i in range(len(one)) if one[: i + 1] + one[i:] == other), None)
        return say("a digit is doubled, the {one}", one=one[doubled]) if doubled is not None else ""
    return ""


def mistyped(value: int) -> Iterator[int]:
    """Every number that `describe_typo` has words for, given this one is right; of a single digit all others."""
    digits = str(value)
    made = []
    for place, digit in enumerate(digits):
        before, after = digits[:place], digits[place + 1 :]
        made += [before + other + after for other in "0123456789" if other != digit]
        made += [before + after] if before + after else []
        made.append(before + 2 * digit + after)
        if after and after[0] != digit:
            made.append(before + after[0] + digit + after[1:])
    # Nobody begins a number with 0.
    yield from dict.fromkeys(int(text) for text in made if text == "0" or text[0] != "0")


def rounded(value: int, digits: int) -> int:
    """To so many significant digits, half up."""
    places = len(str(value)) - digits
    if places <= 0:
        return value
    return rounded_to(value, 10**places)


def rounded_to(value: int, unit: int) -> int:
    """To a multiple of a unit, half up."""
    return (2 * value + unit) // (2 * unit) * unit
