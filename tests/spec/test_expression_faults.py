"""Faulty arithmetic in specs: faults at their column, values that no spec can mean, hostile text that stays bounded."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.spec.evaluate import FUNCTIONS, show
from archcalc.spec.expressions import DEEPEST, KEYWORDS, LONGEST, ExpressionError, parse_expression
from tests.spec.evaluation import fault, value
from tests.steps import at_most_calls
from tests.tiers import examples

# --- faults, at their column


@pytest.mark.parametrize(
    ("text", "words", "offset"),
    [
        ("", "expected a number, a name or '(', found the end", 0),
        ("4 *", "found the end", 3),
        ("4 * (c", "expected ')', found the end", 6),
        ("4 * c)", "expected an operator, found ')'", 5),
        ("4 c", "expected an operator, found 'c'", 2),
        ("* 4", "found '*'", 0),
        ("4 ** * 2", "found '*'", 5),
        ("c = 4", "'=' cannot stand in an expression", 2),
        ("c := 4", "':' cannot stand", 2),
        ("c.bit_length", "'.' cannot stand", 1),
        (".nan", ".nan is no finite number", 0),
        ("-.inf", "-.inf is no finite number", 0),
        (".5", "'.' cannot stand", 0),
        ("c; n", "';' cannot stand", 1),
        ("c @ n", "'@' cannot stand", 2),
        ("`c`", "'`' cannot stand", 0),
        ("{c}", "'{' cannot stand", 0),
        ("'open", "cannot stand", 0),
        ("1 if deep", "expected 'else', found the end", 9),
        ("if deep", "found 'if'", 0),
        ("max(1, 2", "expected ','", 8),
        ("rows[0", "expected ']'", 6),
        ("(1)(2)", "only functions can be called", 3),
        ("kk * 2", "'kk' is not known here", 0),
        ("2 * kk", "'kk' is not known here", 4),
        ("max(1, kk)", "'kk' is not known here", 7),
        ("mux(1, 2)", "there is no function 'mux'; there are abs, ceil", 0),
        ("2 + mux(1)", "there is no function 'mux'", 4),
        ("c(1)", "there is no function 'c'", 0),
        ("c / 0", "division by zero", 2),
        ("n + c // 0", "division by zero", 6),
        ("c % (n - 3)", "division by zero", 2),
        ("0 ** -1", "division by zero", 2),
        ("rows[2]", "there is no item 2: the list has 2, counted from 0", 4),
        ("rows[-1]", "there is no item -1", 4),
        ("rows['a']", "there is no item a", 4),
        ("units[34]", "there is no entry 34; there are 18, 50", 5),
        ("units[1 / 3]", "there is no entry 0.333", 5),
        ("c[0]", "32 has no items", 1),
        ("word * 2", "'*' does not work on 'same' and 2", 5),
        ("c + word", "'+' does not work on 32 and 'same'", 2),
        ("c < word", "'<' does not work on 32 and 'same'", 2),
        ("rows * 2", "'*' does not work on", 5),
        ("-word", "'-' does not work on 'same'", 0),
        ("1 in c", "'in' does not work on 1 and 32", 2),
        ("len(c)", "len(…) does not work on 32", 0),
        ("min()", "min(…) does not work on nothing", 0),
        ("max([])", "max(…) does not work on []", 0),
        ("sum(word)", "sum(…) does not work on 'same'", 0),
        ("round(word)", "round(…) does not work on 'same'", 0),
        ("abs(1, 2)", "abs(…) does not work on 1 and 2", 0),
        ("2 ** 0.5", "an exponent must be a whole number", 2),
        ("2 ** 65", "an exponent must be a whole number of at most 64", 2),
        ("2 ** 64 ** 64", "the result is too large", 8),
        ("(2 ** 64) ** 64", "the result is too large", 10),
        ("2 ** 64 * 2 ** 64 * 2 ** 64 * 2 ** 64 * 2", "the result is too large", 28),
        ("word.format", "'.' cannot stand", 4),
        ("__import__('os')", "there is no function '__import__'", 0),
        ("lambda: 1", "':' cannot stand", 6),
        ("[x for x in rows]", "expected ','", 3),
    ],
)
def test_a_faulty_expression_is_refused_at_its_column(text: str, words: str, offset: int) -> None:
    error = fault(text)
    assert words in error.message
    assert error.offset == offset


def test_an_unknown_name_is_marked_so_that_the_nearest_can_be_suggested() -> None:
    assert fault("2 * kk").unknown == "kk"
    assert fault("2 *").unknown is None


def test_names_are_those_that_are_read() -> None:
    expression = parse_expression("max(c, units[depth][0]) + (n if deep else c)")
    assert sorted(expression.names()) == [("c", 4), ("c", 42), ("deep", 32), ("depth", 13), ("n", 27), ("units", 7)]


@pytest.mark.parametrize("word", sorted(KEYWORDS))
def test_keywords_are_no_names(word: str) -> None:
    try:
        names = parse_expression(word).names()
    except ExpressionError:
        names = set()
    assert names == set()


# --- values that a spec cannot mean


@pytest.mark.parametrize("text", ["x", "x * 2", "x[0]", "-x", "max(x, 1)", "[x]", "1 if x else 2"])
@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_what_is_no_number_is_refused(text: str, number: float) -> None:
    # 1e999 in a YAML file.
    assert fault(text, x=number).message


@pytest.mark.parametrize("text", ["1" * 400 + ".5", "1" * 400, "0." + "1" * 400, "-" + "9" * 490, "1e99", "1e-99"])
def test_a_huge_number_is_shown_or_refused_in_a_few_characters(text: str) -> None:
    try:
        answer = show(value(text))
    except ExpressionError as error:
        answer = error.message
    assert 0 < len(answer) < 100


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3, "3"),
        (True, "true"),
        (Fraction(1, 2), "0.5"),
        ("same", "'same'"),
        ([1, 2], "[1, 2]"),
        ("x" * 100, "'" + "x" * 36 + "…"),
    ],
)
def test_values_are_shown_in_a_few_characters(number: Any, text: str) -> None:
    assert show(number).endswith(text)
    assert len(show(number)) <= 40


# --- hostile text


HOSTILE = [
    "(" * LONGEST,
    "[" * LONGEST,
    "-" * LONGEST,
    "not " * (LONGEST // 4),
    "max(" * (LONGEST // 4),
    "x[" * (LONGEST // 2),
    "1 if " * (LONGEST // 5),
    "1+" * (LONGEST // 2 - 1) + "1",
    "2**" * (LONGEST // 3 - 1) + "2",
    "1<" * (LONGEST // 2 - 1) + "1",
    "9**64**" * 40 + "9",
    "((9**64)**64)**64",
    "9" * LONGEST,
    "9" * (LONGEST + 1),
    "x" * 100_000,
    " " * (LONGEST - 1) + "$",
    "'" * LONGEST,
    "'a' * 1000000000",
    "[0] * 1000000000",
    "rows + rows" + " + rows" * 60,
    "[" + "rows," * 90 + "rows]",
    "rows[0]" + "[0]" * 150,
    "\u0000",
    "\u0661 + \u0662",
    "１ + ２",
    "ᵃ",
    "a" * 400 + "(",
    "1e99 ** 64 ** 64",
    "0.1 ** 64 ** 3",
    "(1/3) ** 64 * (1/7) ** 64",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_answered_in_few_steps(text: str) -> None:
    with at_most_calls(500_000):
        try:
            answer = show(value(text, rows=[[1] * 1000] * 1000))
        except ExpressionError as error:
            answer = error.message
    assert len(answer) < 700


@examples(300)
@given(
    st.lists(
        st.sampled_from(
            [*"0123456789.()[],'\"+-*/%<>=!_ ", "**", "//", "==", "c", "rows", *sorted(KEYWORDS), *FUNCTIONS]
        ),
        max_size=40,
    ).map(" ".join)
)
def test_any_text_gives_a_value_or_an_expression_error(text: str) -> None:
    try:
        result = value(text, c=32, rows=[[64, 3], [128, 4]])
    except ExpressionError as error:
        assert_placed(error, text)
    else:
        assert isinstance(result, (int, Fraction, str, list))


def assert_placed(error: ExpressionError, text: str) -> None:
    """The fault lies in the text."""
    assert error.message
    assert 0 <= error.offset <= max(0, len(text))


def test_nesting_is_bounded_but_not_tight() -> None:
    deep = DEEPEST - 2
    assert value("(" * deep + "1" + ")" * deep) == 1
