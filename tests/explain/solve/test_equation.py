"""Equations in one unknown: exact where they can be, bounded where they cannot, and never run as code."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import ArchcalcError, SpecError, UsageError
from archcalc.explain.solve.equation import as_dict, is_equation, solve_equation, tell
from tests.steps import at_most_calls
from tests.tiers import examples


@pytest.mark.parametrize(
    ("text", "letter", "whole"),
    [
        ("(227 - F + 2*0)/4 + 1 = 55", "F", (11,)),
        ("(227 − 11 + 2P)/4 + 1 = 55", "P", (0,)),
        ("(W − 11)/4 + 1 = 55", "W", (227,)),
        ("(H₁ − 11)/4 + 1 = 55", "H₁", (227,)),
        ("55 = (227-11)/S + 1", "S", (4,)),
        ("(F·F·3 + 1)·96 = 34,944", "F", (-11, 11)),
        ("x^3 - 6x^2 + 11x = 6", "x", (1, 2, 3)),
        ("2(x + 1) = 8", "x", (3,)),
        ("(x+1)(x-1) = 0", "x", (-1, 1)),
        ("-x = 5", "x", (-5,)),
        ("1/x = 0", "x", ()),
        ("x = 10**18", "x", (10**18,)),
        ("x*x = 2", "x", ()),
        ("x/x = 1 + 0*x - x + 3", "x", (3,)),
    ],
)
def test_polynomials_and_quotients_are_solved_exactly(text: str, letter: str, whole: tuple[int, ...]) -> None:
    roots = solve_equation(text)
    assert (roots.letter, roots.whole, roots.exact) == (letter, whole, True)


def test_a_fraction_is_reported() -> None:
    assert solve_equation("(224 − 11 + 2P)/4 + 1 = 55").broken == (Fraction(3, 2),)


def test_floors_are_tried() -> None:
    roots = solve_equation("⌊(224 − 11 + 2P)/4⌋ + 1 = 55")
    assert (roots.whole, roots.exact) == ((2, 3), False)
    assert solve_equation("ceil(x/3) = 2").whole == (4, 5, 6)
    assert solve_equation("floor(x/(x - 3)) = 2").whole == (5, 6)


def test_what_is_too_large_to_calculate_is_said() -> None:
    roots = solve_equation("1/(10**30*x**64 + 1) = 1/(10**30*x**64 + 1)")
    assert (roots.whole, roots.missed) == ((0, 1, 2, 3, 4, 5), roots.tried - 5)
    assert tell(roots)[-1] == f"{roots.missed:,} of them could not be calculated: the result is too large."
    assert as_dict("", roots)["not_calculated"] == roots.missed
    # What divides by zero is no solution, and nothing is missed.
    assert solve_equation("floor(x/(x - 3)) = 2").missed == 0


def test_without_an_unknown_it_holds_or_not() -> None:
    assert solve_equation("2 + 2 = 4").always
    assert not solve_equation("2 + 2 = 5").always
    assert solve_equation("x + 1 = 1 + x").always


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a + b = 3", "one unknown, here are 2: a, b"),
        ("x = 3 = 4", "one '='"),
        ("x == 4", "one '='"),
        ("x/0 = 3", "divides by zero"),
        ("1" * 500 + " = x", "400 characters"),
        ("'a' = x", "must be numbers"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        solve_equation(text)


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("x = ^(1 + ", "expected"),
        ("(F·F·3 ^)) = x", "expected an operator"),
        ("2P + ^§ = 3", "cannot stand in an expression"),
        ("^__import__('os') = x", "there is no function"),
    ],
)
def test_errors_point_into_the_equation(marked: str, message: str) -> None:
    with pytest.raises(SpecError) as refusal:
        solve_equation(marked.replace("^", ""))
    (problem,) = refusal.value.problems
    assert message in problem.message
    assert problem.location is not None
    if "1 +" not in marked and ")) " not in marked:
        assert problem.location.column == marked.index("^") + 1


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9 = x",
        "x = 9**9**9**9",
        "x**9**9 = 3",
        "__import__('os').system('true') = x",
        "(" * 190 + "x" + ")" * 190 + " = 1",
        "[x]*99999999 = 1",
        "x*" * 150 + "x = 1",
        "x**12**12 = 1",
        "max(x, 'a') = 2",
        "floor('a' + x) = 3",
        "=",
        "= 3",
        "x =",
        pytest.param("((x+1)**12 - 3)**12 = 0", marks=pytest.mark.slow),
        pytest.param("floor(x)" + "+floor(x)" * 40 + " = 3", marks=pytest.mark.slow),
    ],
)
def test_hostile_equations_are_bounded(text: str) -> None:
    with at_most_calls(20_000_000):
        try:
            solve_equation(text)
        except ArchcalcError as error:
            assert len(str(error)) < 800  # noqa: PT017 # either outcome is good


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=4), st.integers(1, 9))
@examples(100)
def test_the_roots_of_a_product_are_found(roots: list[int], factor: int) -> None:
    text = f"{factor}*" + "*".join(f"(x - ({root}))" for root in roots) + " = 0"
    assert solve_equation(text).whole == tuple(sorted(set(roots)))


@given(st.integers(1, 500), st.integers(1, 11), st.integers(1, 5), st.integers(0, 5))
@examples(50)
def test_the_textbook_equation_gives_back_its_numbers(size: int, kernel: int, stride: int, padding: int) -> None:
    value = Fraction(size - kernel + 2 * padding, stride) + 1
    right = f"({value.numerator})/({value.denominator})"
    assert size in solve_equation(f"(W − {kernel} + 2·{padding})/{stride} + 1 = {right}").whole
    assert kernel in solve_equation(f"({size} − F + 2·{padding})/{stride} + 1 = {right}").whole
    assert padding in solve_equation(f"({size} − {kernel} + 2P)/{stride} + 1 = {right}").whole


def test_what_is_an_equation() -> None:
    assert is_equation("F = 3")
    assert not is_equation("alexnet")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("(227 − F) ÷ 4 + 1 = 55", (11,)),
        ("[(224 - 11 + 2P)/4] + 1 = 55", ()),
        ("floor[(224 − 11 + 2P)/4] + 1 = 55", (2, 3)),
        ("ceil[(55 − F) ÷ 2] + 1 = 27", (3, 4)),
        ("x² = 4", (-2, 2)),
        ("2x³ + 3² = 25", (2,)),
        ("x¹⁰ = 1024", (-2, 2)),
        # A divisor is 0 at the only root of what is left once the fractions are cleared.
        ("4*47/(32/(X + 1) + 1) = 0", ()),
        ("(x**2 - 1)/(x - 1) = 2", ()),
        ("1/(x/(x - 3)) = 0", ()),
    ],
)
def test_signs_of_textbooks_and_divisors(text: str, whole: tuple[int, ...]) -> None:
    roots = solve_equation(text)
    assert roots.whole == whole
    assert not roots.always


def test_random_quotients_against_every_whole_number() -> None:
    for a, b, c in product(range(-3, 4), repeat=3):
        text = f"({a}*x + {b})/(x/(x + {c}) + 1) = 0"
        defined = [x for x in range(-9, 10) if x + c and Fraction(x, x + c) != -1]
        true = [x for x in defined if (a * x + b) / (Fraction(x, x + c) + 1) == 0]
        roots = solve_equation(text)
        if roots.always:
            assert a == b == 0
        else:
            assert [root for root in roots.whole if abs(root) < 10] == true, text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("X/X = 1", "It holds for every X, except X = 0."),
        ("0/X = 0", "It holds for every X, except X = 0."),
        ("2/(X-1) = 2/(X-1)", "It holds for every X, except X = 1."),
        ("(X*X-1)/(X+1) = X-1", "It holds for every X, except X = −1."),
        ("1/(2*X-3)/X = 1/X/(2*X-3)", "It holds for every X, except X = 0, X = 3/2."),
        ("1/(X*X-5*X+6) = 1/((X-2)*(X-3))", "It holds for every X, except X = 2, X = 3."),
        ("1/(X*X-2)/X = 1/X/(X*X-2)", "It holds for every X, except X = 0, where a denominator is 0."),
        ("(X+1)/2 = X/2 + 1/2", "It holds for every X."),
    ],
)
def test_numbers_that_divide_by_zero_solve_nothing(text: str, says: str) -> None:
    assert tell(solve_equation(text)) == [says]
