"""Arithmetic in specs: Python's meaning, exact fractions, and texts with expressions in braces."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from archcalc.spec.evaluate import expressions_in_braces, interpolate
from archcalc.spec.expressions import LONGEST, ExpressionError, parse_expression
from tests.spec.evaluation import VARIABLES, fault, value
from tests.tiers import examples

# --- what it means


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("7", 7),
        ("4*c", 128),
        ("max(1, c // 2)", 16),
        ("min(c, 8, 4)", 4),
        ("c - n - 1", 28),  # to the left
        ("c // 2 * 3", 48),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("2 ** 3 ** 2", 512),  # to the right
        ("-2 ** 2", -4),  # the power binds tighter than the sign
        ("2 ** -1", Fraction(1, 2)),
        ("2 ** -1 ** 2", Fraction(1, 2)),
        ("2 * -3", -6),
        ("- - 3", 3),
        ("-7 // 2", -4),  # floor, as in Python
        ("-7 % 3", 2),
        ("7 // -2", -4),
        ("7 / 2", Fraction(7, 2)),
        ("8 / 2", 4),
        ("7 / 2 * 2", 7),
        ("alpha * c", 24),
        ("0.1 * 3", Fraction(3, 10)),  # no binary fraction
        ("1.5e1", 15),
        ("int(0.714 * 224)", 159),
        ("floor(-0.5)", -1),
        ("ceil(1.2)", 2),
        ("ceil(-1.2)", -1),
        ("round(2.4)", 2),
        ("round(2.5)", 3),  # up, as in school
        ("round(3.5)", 4),
        ("abs(n - c)", 29),
        ("len(rows)", 2),
        ("sum([1, 2, 3])", 6),
        ("max([4, 9, 2])", 9),
        ("units[depth][1]", 4),
        ("units[18]", [2, 2, 2, 2]),
        ("units['50'][3]", 3),
        ("widths[0.5]", 48),
        ("widths[1 / 2]", 48),
        ("widths[2 - 1]", 96),
        ("widths[1.50]", 144),
        ("rows[1][0] / 2", 64),
        ("[n, 2*n]", [3, 6]),
        ("[1, 2] + [3]", [1, 2, 3]),
        ("[]", []),
        ("'conv' + \"_1\"", "conv_1"),
        ("word == 'same'", True),
        ("c if deep else n", 32),
        ("c if not deep else n", 3),
        ("1 if n > 3 else 2 if n > 2 else 3", 2),
        ("1 + 2 if deep else 3", 3),
        ("not n == 4", True),
        ("not not deep", True),
        ("n > 2 and c > 16", True),
        ("n > 5 or c > 16", True),
        ("false or true and false", False),
        ("True and not False", True),
        ("0 or 5", 5),  # the operand, as in Python
        ("3 and 4", 4),
        ("n in [1, 2, 3]", True),
        ("n not in [1, 2]", True),
        ("'18' in units", True),
        ("not n in [4]", True),
        ("1 == 1.0", True),
        ("n != 3", False),
        ("n <= 3", True),
        ("n >= 4", False),
        (" c\n + 1 ", 33),
    ],
)
def test_an_expression_means_what_it_does_in_python(text: str, wanted: Any) -> None:
    result = value(text)
    assert result == wanted
    assert isinstance(result, bool) == isinstance(wanted, bool)


@pytest.mark.parametrize("text", ["8 / 2", "0.75 * 32", "4 ** 2", "2.0 + 1", "alpha * 4", "-(4 / 2)", "7 // 2", "c"])
def test_whole_results_are_ints(text: str) -> None:
    assert type(value(text)) is int


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 < n < 5", True),
        ("1 < n < 3", False),
        ("5 > n > 1", True),
        ("3 > 2 > 1", True),
        ("0 < 5 < 3", False),
        ("n == 3 == 3", True),
        ("1 <= n <= 3 != 4", True),
    ],
)
def test_comparisons_chain_as_in_python(text: str, wanted: bool) -> None:
    assert value(text) is wanted


def test_only_the_branch_that_is_taken_is_evaluated() -> None:
    assert value("1 if n else 1 / 0", n=1) == 1
    assert value("0 and 1 / 0", n=1) == 0
    assert value("1 or nothing", n=1) == 1


# --- against Python itself


def exactly(number: Any) -> Any:
    """True as 1, so that it stays exact where it is divided or raised."""
    return Fraction(number) if isinstance(number, bool) else number


#: Decimals and divisions are exact here, so Python is asked in fractions too.
PYTHON: dict[str, Any] = {
    "F": Fraction,
    "X": exactly,
    "min": min,
    "max": max,
    "abs": abs,
    "a": Fraction(7),
    "b": Fraction(-3, 4),
}
OURS = {"a": 7, "b": -0.75}


def _texts(draw: st.DrawFn, level: int) -> tuple[str, str]:
    """An expression as we write it and as Python must read it: the same, with `F('…')` and `X(…)` around numbers."""

    def sub(down: int = 1) -> tuple[str, str]:
        return _texts(draw, level - down)

    def binary(inner: int, operators: list[str], least: int = 0, most: int = 2) -> tuple[str, str]:
        ours, python = _rung(draw, inner, level)
        for _ in range(draw(st.integers(least, most))):
            operator = draw(st.sampled_from(operators))
            right = _rung(draw, inner, level)
            ours, python = f"{ours} {operator} {right[0]}", f"{python} {operator} {right[1]}"
        return ours, python

    if level <= 0 or draw(st.integers(0, 3)) == 0:
        number = draw(st.sampled_from(["0", "1", "2", "3", "10", "0.5", "2.25", "a", "b"]))
        return (number, number) if number.isalpha() else (number, f"F('{number}')")
    form = draw(st.sampled_from(["arithmetic", "comparison", "logic", "ternary", "call", "group"]))
    if form == "arithmetic":
        return binary(1, ["+", "-"], 1, 3)
    if form == "comparison":
        ours, python = binary(2, ["<", "<=", ">", ">=", "==", "!="], 1, 1)
    elif form == "logic":
        ours, python = binary(3, ["and", "or"], 1, 3)
    elif form == "ternary":
        (yes, yes_), (test, test_), (no, no_) = sub(), sub(), sub()
        ours, python = f"{yes} if {test} else {no}", f"{yes_} if {test_} else {no_}"
    elif form == "call":
        name = draw(st.sampled_from(["min", "max", "abs"]))
        arguments = [sub() for _ in range(1 if name == "abs" else 2)]
        ours, python = (f"{name}({', '.join(side)})" for side in zip(*arguments, strict=True))
        return ours, python
    else:
        ours, python = sub()
    return f"({ours})", f"X({python})"


def _rung(draw: st.DrawFn, rung: int, level: int) -> tuple[str, str]:
    """An operand: of + and − (1), of a comparison (2), of and / or (3)."""
    if rung == 3:
        sign = draw(st.sampled_from(["", "", "not ", "not not "]))
        ours, python = _rung(draw, 2, level)
        if draw(st.booleans()):
            operator = draw(st.sampled_from(["<", ">=", "=="]))
            right = _rung(draw, 2, level)
            ours, python = f"{ours} {operator} {right[0]}", f"{python} {operator} {right[1]}"
        return sign + ours, sign + python
    if rung == 2:
        return _product(draw, level)
    return _product(draw, level)


def _product(draw: st.DrawFn, level: int) -> tuple[str, str]:
    """Factors with signs and powers between * / // and %."""

    def factor() -> tuple[str, str]:
        sign = draw(st.sampled_from(["", "", "", "-", "+", "- -"]))
        ours, python = _texts(draw, level - 2)
        if not ours.replace(".", "").isalnum():
            ours, python = f"({ours})", f"({python})"
        if draw(st.integers(0, 4)) == 0:
            power = draw(st.sampled_from(["0", "1", "2", "3", "-1", "-2"]))
            ours, python = f"{ours} ** {power}", f"{python} ** {power}"
        return sign + ours, sign + python

    ours, python = factor()
    for _ in range(draw(st.integers(0, 2))):
        operator = draw(st.sampled_from(["*", "/", "//", "%"]))
        right = factor()
        ours, python = f"{ours} {operator} {right[0]}", f"{python} {operator} {right[1]}"
    return ours, python


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str]:
    return _texts(draw, 4)


@examples(200)
@given(texts())
@example(("2 ** -1 * 3", "F(2) ** -1 * F(3)"))
def test_random_expressions_are_evaluated_as_python_does(pair: tuple[str, str]) -> None:
    ours, python = pair
    assume(len(ours) <= LONGEST)
    try:
        wanted = eval(python, {"__builtins__": {}}, PYTHON)
    except ZeroDivisionError:
        assert "division by zero" in fault(ours, **OURS).message
        return
    try:
        result = value(ours, **OURS)
    except ExpressionError as error:
        # Only what is bounded may be refused.
        refused = error.message
    else:
        assert result == wanted
        refused = ""
    assert not refused or any(word in refused for word in ("too large", "nested", "exponent", "does not work")), refused


@examples(100)
@given(texts())
def test_names_are_found_where_they_stand(pair: tuple[str, str]) -> None:
    text = pair[0]
    assume(len(text) <= LONGEST)
    names = {(match[0], match.start()) for match in re.finditer(r"\b[ab]\b", text)}
    assert parse_expression(text).names() == names


# --- texts with expressions in braces


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("conv1", "conv1"),
        ("conv{n}", "conv3"),
        ("conv{n}_{n + 1}", "conv3_4"),
        ("{c}x{c}x{n}", "32x32x3"),
        ("{int(alpha * 224)}x{int(alpha * 224)}x3", "168x168x3"),
        ("{alpha}", "0.75"),
        ("{word}", "same"),
        ("{deep}", "True"),
        ("{'a' if deep else 'b'}", "a"),
        ("", ""),
        ("}", "}"),
        ("{", "{"),
    ],
)
def test_braces_are_filled(text: str, wanted: str) -> None:
    assert interpolate(text, VARIABLES) == wanted


@pytest.mark.parametrize(
    ("text", "words", "offset"),
    [
        ("conv{nn}", "'nn' is not known here", 5),
        ("conv{n}_{n + mm}", "'mm' is not known here", 13),
        ("conv{n +}", "found the end", 8),
        ("conv{}", "found the end", 5),
        ("a{c / 0}", "division by zero", 4),
    ],
)
def test_a_fault_in_braces_is_found_at_its_column(text: str, words: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        interpolate(text, VARIABLES)
    assert words in caught.value.message
    assert caught.value.offset == offset


def test_expressions_in_braces_are_listed_with_their_places() -> None:
    assert expressions_in_braces("a{b}c{d + 1}") == [(2, "b"), (6, "d + 1")]
    assert expressions_in_braces("none") == []
