"""An equation in one unknown letter, such as (227 − F + 2·0)/4 + 1 = 55: every whole number that solves it.

The text is read by the parser of the spec language, never by Python or sympy. A polynomial or a quotient of them is
solved exactly; with floors, minima and the like, whole numbers up to a limit are tried.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any, NamedTuple

from archcalc.core.errors import Inline, Location, Problem, SpecError, UsageError
from archcalc.spec.evaluate import DIVISION_BY_ZERO, FUNCTIONS, LARGEST_EXPONENT, evaluate
from archcalc.spec.expressions import Expression, ExpressionError, parse_expression

LONGEST = 400
#: Numbers that are tried where an equation is no quotient of polynomials.
TRIED = 10_000
#: How much work that is worth, in parts of the equation calculated.
WORTH = 200_000
HIGHEST_DEGREE = 12
_SIGNS = str.maketrans(
    {"−": "-", "–": "-", "·": "*", "×": "*", "⋅": "*", "∙": "*", "÷": "/", "∕": "/", "^": "\x01", "[": "(", "]": ")"}
)
_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
Polynomial = tuple[Fraction, ...]  # coefficients, the constant first


class Roots(NamedTuple):
    """What solves an equation. `exact`: whether these are all; else all from 0 to `tried`."""

    letter: str | None
    whole: tuple[int, ...]
    broken: tuple[Fraction, ...]
    exact: bool
    always: bool = False
    tried: int = 0
    #: How many of those that were tried could not be calculated, and why.
    missed: int = 0
    why: str = ""
    #: Where it holds for all numbers: except these, which divide by zero.
    excluded: tuple[Fraction, ...] = ()
    #: Whether a denominator may be 0 for other numbers too, which are no fractions.
    excludes_more: bool = False


class _NotRationalError(Exception):
    """The expression is no quotient of polynomials."""


def is_equation(text: str) -> bool:
    """Whether an argument is an equation rather than a name."""
    return "=" in text


def solve_equation(text: str) -> Roots:
    """Every whole number that solves it. Raises `SpecError` that points into the text, or `UsageError`."""
    left, right = _sides(text)
    letters = sorted({name for side in (left, right) for name, _ in side.names() if name not in FUNCTIONS})
    if len(letters) > 1:
        raise UsageError(f"an equation has one unknown, here are {len(letters)}: {', '.join(letters)[:60]}")
    if not letters:
        return Roots(None, (), (), True, _value(left, {}, text) == _value(right, {}, text))
    (letter,) = letters
    shown = letter if letter in text else letter.translate(_SUBSCRIPTS)
    return _solve(left, right, letter, text)._replace(letter=shown)


def _solve(left: Expression, right: Expression, letter: str, text: str) -> Roots:
    divisors: list[Polynomial] = []
    try:
        (a, b), (c, d) = _quotient(left, divisors), _quotient(right, divisors)
    except _NotRationalError:
        return _tried(left, right, letter, text)
    except ZeroDivisionError:
        raise UsageError("the equation divides by zero") from None
    numerator = _minus(_times(a, d), _times(c, b))
    if not any(numerator):
        return Roots(letter, (), (), True, always=True)._replace(**_zeros(divisors))
    holds = [root for root in _whole_roots(numerator) if all(_at(divisor, root) for divisor in divisors)]
    broken: tuple[Fraction, ...] = ()
    if len(numerator) == 2 and not holds:
        root = -numerator[0] / numerator[1]
        if root.denominator != 1 and all(_at(divisor, root) for divisor in divisors):
            broken = (root,)
    return Roots(letter, tuple(holds), broken, True)


def _sides(text: str) -> tuple[Expression, Expression]:
    if len(text) > LONGEST:
        raise UsageError(f"an equation may have {LONGEST} characters, this one has {len(text):,}")
    if text.count("=") != 1 or re.search(r"[<>!]=", text):
        raise UsageError(f"an equation has one '=', as in (227 - F)/4 + 1 = 55; {text[:60]!r} does not")
    if "min" not in text and "max" not in text:
        # 34,944: the same length, so that places stay right.
        text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "\x02", text)
    left, right = text.split("=")
    return _parsed(left, 0, text), _parsed(right, len(left) + 1, text)


def _parsed(side: str, start: int, text: str) -> Expression:
    plain, places = _plain(side)
    try:
        return parse_expression(plain)
    except ExpressionError as error:
        offset = places[min(error.offset, len(places) - 1)] if places else 0
        raise SpecError([Problem(error.message, Location(Inline("equation", text), 1, start + offset + 1))]) from None


def _plain(side: str) -> tuple[str, list[int]]:
    """Textbook notation as the parser reads it, 2*P for 2P and floor(x) for ⌊x⌋, and where each character was."""
    out: list[str] = []
    places: list[int] = []

    def put(word: str, place: int) -> None:
        out.extend(word)
        places.extend([place] * len(word))

    before = ""
    for place, sign in enumerate(side.translate(_SIGNS).translate(_DIGITS)):
        if sign == "\x02":
            continue
        if sign == "\x01":
            put("**", place)
        elif (power := sign.translate(_POWERS)) != sign:
            put(power if before.translate(_POWERS) != before else f"**{power}", place)
        elif sign in "⌊⌈":
            put({"⌊": "floor(", "⌈": "ceil("}[sign], place)
        elif sign in "⌋⌉":
            put(")", place)
        else:
            number = re.search(r"(?<![\w.])[\d.]+$", "".join(out))
            if ((sign.isalpha() or sign == "(") and number and before.isdigit()) or (sign == "(" and before == ")"):
                put("*", place)
            put(sign, place)
        before = sign
    return "".join(out), places


def _value(side: Expression, variables: dict[str, int], text: str) -> Fraction:
    try:
        value = evaluate(side, variables)
        return Fraction(value)
    except ExpressionError as error:
        raise SpecError([Problem(error.message, Location(Inline("equation", text), 1, 1))]) from None
    except (TypeError, ValueError):
        raise UsageError("both sides of an equation must be numbers") from None


def _tried(left: Expression, right: Expression, letter: str, text: str) -> Roots:
    found = []
    fault: SpecError | None = None
    missed, why = 0, ""
    limit = min(TRIED, WORTH // (_size(left) + _size(right)))
    for value in range(limit + 1):
        try:
            if _value(left, {letter: value}, text) == _value(right, {letter: value}, text):
                found.append(value)
        except SpecError as error:
            fault = fault or error
            # What divides by zero is no solution; of a number that is too large nobody knows.
            if (message := error.problems[0].message) != DIVISION_BY_ZERO:
                missed, why = missed + 1, why or message
            if value == 50 and not found and fault is not None and not _works(left, right, letter, text):
                raise fault from None
    return Roots(letter, tuple(found), (), False, tried=limit, missed=missed, why=why)


def _size(node: Expression) -> int:
    return 1 + sum(_size(part) for part in node.parts)


def _works(left: Expression, right: Expression, letter: str, text: str) -> bool:
    """Whether the equation can be calculated anywhere at all."""
    for value in (1, 2, 7, 11, 64, 1000):
        try:
            _value(left, {letter: value}, text)
            _value(right, {letter: value}, text)
        except SpecError:
            continue
        return True
    return False


# --- quotients of polynomials


def _quotient(node: Expression, divisors: list[Polynomial]) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator; `divisors` collects what must not be 0."""
    one: Polynomial = (Fraction(1),)
    if node.kind == "value" and isinstance(node.value, (int, Fraction)) and not isinstance(node.value, bool):
        return (Fraction(node.value),), one
    if node.kind == "name":
        return (Fraction(0), Fraction(1)), one
    if node.kind == "sign":
        top, bottom = _quotient(node.parts[0], divisors)
        return (tuple(-value for value in top) if node.value == "-" else top), bottom
    if node.kind != "binary" or node.value not in ("+", "-", "*", "/", "**"):
        raise _NotRationalError
    (a, b), (c, d) = (_quotient(part, divisors) for part in node.parts)
    if node.value == "*":
        return _times(a, c), _times(b, d)
    if node.value == "/":
        if not any(c):
            raise ZeroDivisionError
        divisors.append(c)
        return _times(a, d), _times(b, c)
    if node.value == "**":
        return _power(a, b, c, d)
    combine = _plus if node.value == "+" else _minus
    return combine(_times(a, d), _times(c, b)), _times(b, d)


def _power(a: Polynomial, b: Polynomial, c: Polynomial, d: Polynomial) -> tuple[Polynomial, Polynomial]:
    if len(c) > 1 or len(d) > 1:
        raise _NotRationalError
    exponent = c[0] / d[0]
    if exponent.denominator != 1 or not 0 <= exponent <= LARGEST_EXPONENT:
        raise _NotRationalError
    top: Polynomial = (Fraction(1),)
    bottom: Polynomial = (Fraction(1),)
    for _ in range(int(exponent)):
        top, bottom = _times(top, a), _times(bottom, b)
    return top, bottom


def _trimmed(values: Sequence[Fraction]) -> Polynomial:
    end = len(values)
    while end > 1 and not values[end - 1]:
        end -= 1
    if end > HIGHEST_DEGREE + 1 or max(value.numerator.bit_length() for value in values) > 4096:
        raise _NotRationalError
    return tuple(values[:end])


def _plus(a: Polynomial, b: Polynomial) -> Polynomial:
    size = max(len(a), len(b))
    zero = Fraction(0)
    return _trimmed([(a[i] if i < len(a) else zero) + (b[i] if i < len(b) else zero) for i in range(size)])


def _minus(a: Polynomial, b: Polynomial) -> Polynomial:
    return _plus(a, tuple(-value for value in b))


def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    result = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            result[i + j] += left * right
    return _trimmed(result)


def _at(polynomial: Polynomial, x: int | Fraction) -> Fraction:
    value = Fraction(0)
    for coefficient in reversed(polynomial):
        value = value * x + coefficient
    return value


def _whole_roots(polynomial: Polynomial) -> list[int]:
    """Every whole root. Between the whole numbers around its turning points a polynomial only rises or only falls."""
    return [x for x in _near_roots(polynomial) if _at(polynomial, x) == 0]


def _zeros(divisors: Sequence[Polynomial]) -> dict[str, Any]:
    """Where a denominator is 0: every fraction, and whether there may be other numbers."""
    found: set[Fraction] = set()
    more = False
    for divisor in divisors:
        whole = [value * lcm(*(one.denominator for one in divisor)) for value in divisor]
        degree, first = len(whole) - 1, whole[-1]
        # With y = first·x the first coefficient is 1, and every fraction among the roots a whole number.
        monic = tuple(value * first ** (degree - 1 - index) for index, value in enumerate(whole))
        own = {Fraction(root) / first for root in _whole_roots(monic)}
        found |= own
        rest = divisor
        for root in own:
            while len(rest) > 1 and not _at(rest, root):
                rest = _without(rest, root)
        more = more or len(rest) > 1
    return {"excluded": tuple(sorted(found)), "excludes_more": more}


def _without(polynomial: Polynomial, root: Fraction) -> Polynomial:
    """The polynomial divided by x − root."""
    made: list[Fraction] = []
    for coefficient in reversed(polynomial):
        made.append(coefficient + root * (made[-1] if made else 0))
    return tuple(reversed(made[:-1]))


def _near_roots(polynomial: Polynomial) -> list[int]:
    """Whole numbers among which are both neighbours of every real root."""
    degree = len(polynomial) - 1
    if degree < 1:
        return []
    turns = _near_roots(tuple(index * value for index, value in enumerate(polynomial) if index))
    # Cauchy: no root is larger than 1 + max |a_i / a_n|.
    bound = 2 + max(int(abs(value / polynomial[-1])) for value in polynomial[:-1])
    points = sorted({-bound, bound, *turns})
    found = {point for point in points if _at(polynomial, point) == 0}
    found.update(turns)
    for low, high in pairwise(points):
        first = _at(polynomial, low) > 0
        if first == (_at(polynomial, high) > 0):
            continue
        a, b = low, high
        while b - a > 1:
            middle = (a + b) // 2
            if (_at(polynomial, middle) > 0) == first:
                a = middle
            else:
                b = middle
        found.update((a, b))
    return sorted(found)


def tell(roots: Roots) -> list[str]:
    """The solutions in sentences."""
    letter, limit = roots.letter, f"from 0 to {roots.tried:,}"
    missed = [f"{roots.missed:,} of them could not be calculated: {roots.why}."] if roots.missed else []
    if letter is None:
        return ["It holds." if roots.always else "It does not hold: the sides differ."]
    if roots.always:
        but = [f"{letter} = {one}".replace("-", "−") for one in roots.excluded]
        but += ["where a denominator is 0"] * roots.excludes_more
        return [f"It holds for every {letter}{', except ' if but else ''}{', '.join(but)}."]
    if roots.whole:
        shown = ", ".join(str(root).replace("-", "−") for root in roots.whole[:20])
        more = f", … ({len(roots.whole):,} in all)" if len(roots.whole) > 20 else ""
        return [f"{letter} = {shown}{more}", *([] if roots.exact else [f"Whole numbers {limit} were tried."]), *missed]
    if roots.broken:
        (root,) = roots.broken
        value = f"{float(root):g}".replace("-", "−")
        exact = "" if root.denominator in (1, 2, 4, 5, 8, 10) else f", that is {root}"
        return [f"No whole number: {letter} = {value}{exact}."]
    return [f"No whole number{'' if roots.exact else ' ' + limit} solves it.", *missed]


def as_dict(text: str, roots: Roots) -> dict[str, Any]:
    """The solutions as plain data, `archcalc.roots/1`."""
    return {
        "schema": "archcalc.roots/1",
        "equation": text,
        "unknown": roots.letter,
        "solutions": list(roots.whole),
        "fractions": [str(root) for root in roots.broken],
        "all": roots.exact,
        "tried_to": roots.tried,
        "not_calculated": roots.missed,
        "always": roots.always,
        "excluded": [str(one) for one in roots.excluded],
    }
