"""Numbers with a history: they count like ints, and what they write down is what was done."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.numbers import Number, ceil_div, maximum, minimum, product
from archcalc.explain.derive.notation import CODE, LATEX, MATHML, TEXT, number
from archcalc.explain.derive.steps import intermediate, substituted
from archcalc.explain.derive.trace import Node, Traced, symbol, traced
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import parse_expression
from tests.tiers import examples

A, B, C = symbol("a", 7), symbol("b", 3), symbol("c", 2)


@pytest.mark.parametrize(
    ("value", "text", "result"),
    [
        (A + B, "a + b", 10),
        (A - (B - C), "a − (b − c)", 6),
        (A - (B + C), "a − (b + c)", 2),
        (A + (B - C), "a + b − c", 8),
        (A * (B + C), "a·(b + c)", 35),
        (2 * A, "2a", 14),
        (A * 2, "a·2", 14),
        (2 * (A * B), "2·a·b", 42),
        ((A + B) // C, "(a + b)/c", 5),
        (A // B, "⌊a/b⌋", 2),
        (A // B + 1, "⌊a/b⌋ + 1", 3),
        (symbol("a", 6) // B * C, "(a/b)·c", 4),
        (A * (symbol("d", 6) // B) * C, "(a·d/b)·c", 28),
        (A % B, "a mod b", 1),
        (7 - B, "7 − b", 4),
        (9 // B, "9/b", 3),
        (-A, "−a", -7),
        (A - -B, "a − (−b)", 10),
        (abs(-A), "a", 7),
        (ceil_div(A, B), "⌈a/b⌉", 3),
        (ceil_div(symbol("a", 6), B), "a/b", 2),
        (minimum(A, B), "min(a, b)", 3),
        (minimum(B, A), "b", 3),
        (maximum(A, B), "a", 7),
        (maximum(B - A, 0), "max(b − a, 0)", 0),
        (minimum(5, A), "5", 5),
        # What a textbook leaves out.
        (1 * A * 1 + 0 - 0, "a", 7),
        (A * 0 + B, "b", 3),
        (A - 1 + 1, "a", 7),
        (A - 1 + 3, "a + 2", 9),
        (A * B // B, "a", 7),
        (product([A, B, C]), "a·b·c", 42),
        (A * (B * C), "a·b·c", 42),
        (traced(12_345) * A, "12,345a", 86_415),
    ],
)
def test_an_expression_is_written_as_it_was_made(value: Traced, text: str, result: int) -> None:
    assert value == result
    assert TEXT.write(value.node) == text


@pytest.mark.parametrize(
    ("value", "steps"),
    [
        ((symbol("W", 227) - 11 + 2 * traced(0)) // symbol("S", 4) + 1, ["216/4 + 1"]),
        (A // B + 1, ["2 + 1"]),
        ((A + B) // (B + C) + 1, ["10/5 + 1"]),
        ((A * (B - 1) + 1) * (C + 1), ["(7·2 + 1)·(2 + 1)", "15·3"]),
        ((A * B) * (B * C), ["21·6"]),
        (A * B + C, []),
        (ceil_div(A, B), []),
    ],
)
def test_steps_go_from_the_inside_to_the_outside(value: Traced, steps: list[str]) -> None:
    assert [TEXT.write(node) for node in intermediate(substituted(value.node))] == steps


@pytest.mark.parametrize(
    ("value", "latex"),
    [
        ((A + B) // C, r"\frac{a + b}{c}"),
        (A // B + 1, r"\left\lfloor \frac{a}{b} \right\rfloor + 1"),
        (ceil_div(A, B), r"\left\lceil \frac{a}{b} \right\rceil"),
        ((A + B) * C, r"(a + b) \cdot c"),
        ((A // B + 1) * C, r"\left( \left\lfloor \frac{a}{b} \right\rfloor + 1 \right) \cdot c"),
        (traced(34_944) + A, r"34{,}944 + a"),
        (minimum(A, B), r"\min\left(a, b\right)"),
        (A % B, r"a \bmod b"),
    ],
)
def test_latex(value: Traced, latex: str) -> None:
    assert LATEX.write(value.node) == latex


def test_mathml_is_well_formed() -> None:
    from xml.etree import ElementTree as Xml

    value = minimum((symbol("H₁", 9, "H_1") + -B) // C * ceil_div(A, B), A) % C
    assert "<msub><mi>H</mi><mn>1</mn></msub>" in MATHML.write(value.node)
    Xml.fromstring(f"<math>{MATHML.write(value.node)}</math>")


def test_numbers_of_four_digits_have_no_comma() -> None:
    assert [number(value) for value in (999, 4096, 9999, 10_000, -34_944)] == [
        "999",
        "4096",
        "9999",
        "10,000",
        "-34,944",
    ]


def test_a_traced_number_is_an_int_to_python() -> None:
    assert list(range(B)) == [0, 1, 2]
    assert {traced(5): 1}[5] == 1  # type: ignore[index]
    assert int(A) == 7
    assert f"{traced(1234):,}" == "1,234"
    assert not traced(0)
    assert repr(A) == "7"
    assert A != "7"
    assert A.__add__("x") is NotImplemented
    with pytest.raises(TypeError):
        A + 1.5
    assert sorted([A, B, C]) == [2, 3, 7]
    assert B <= 3 < A
    assert A >= B


def test_what_stays_the_same_object_is_how_rules_know_symmetry() -> None:
    from archcalc.ops.rules import total_padding

    pad = symbol("P", 2)
    assert TEXT.write(total_padding(pad, pad).node) == "2P"
    assert TEXT.write(total_padding(pad, symbol("Q", 2)).node) == "P + Q"


operators: list[Callable[[Number, Number], Number]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a // (b * b + 1),
    lambda a, b: ceil_div(a, b * b + 1),
    lambda a, b: a % (b * b + 1),
    minimum,
    maximum,
]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> tuple[int, Number]:
    """The same calculation with ints and with traced numbers."""
    if depth == 0 or draw(st.booleans()):
        value = draw(st.integers(0, 50))
        named = draw(st.booleans())
        return value, symbol("x", value) if named else draw(st.sampled_from([value, traced(value)]))
    operator = draw(st.sampled_from(operators))
    (a, traced_a), (b, traced_b) = draw(expressions(depth - 1)), draw(expressions(depth - 1))
    return operator(a, b), operator(traced_a, traced_b)


@given(expressions())
@examples(300)
def test_a_calculation_gives_what_ints_give_and_can_be_calculated_again(pair: tuple[int, Number]) -> None:
    plain, number_ = pair
    value = traced(number_)
    assert value == plain
    numbers = substituted(value.node)
    steps = [numbers, *intermediate(numbers)]
    assert len(steps) < 20
    for node in steps:
        assert _calculated(node) == plain
    for notation in (TEXT, LATEX, MATHML):
        assert notation.write(value.node)


def _calculated(node: Node) -> Fraction:
    return Fraction(evaluate(parse_expression(CODE.write(node)), {}))
