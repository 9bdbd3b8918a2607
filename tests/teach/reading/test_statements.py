"""What a cell says, in every way that people write it."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.explain.derive.notation import TEXT
from archcalc.teach.check.model import CHECKED
from archcalc.teach.reading.calculation import StatementError, calculate
from archcalc.teach.reading.statements import is_empty, read_statement, split_result
from tests.steps import at_most_calls

#: Text, low, high.
NUMBERS = [
    ("34944", 34944, 34944),
    ("34,944", 34944, 34944),
    ("34 944", 34944, 34944),
    ("34\u00a0944", 34944, 34944),
    ("34\u2009944", 34944, 34944),
    ("34\u202f944", 34944, 34944),
    ("34'944", 34944, 34944),
    ("34.944", 34944, 34944),
    ("1.327.488", 1327488, 1327488),
    ("1,327,488", 1327488, 1327488),
    ("$34{,}944$", 34944, 34944),
    ("`34,944`", 34944, 34944),
    ("= 34944", 34944, 34944),
    ("35K", 34500, 35500),
    ("35 k", 34500, 35500),
    ("34.9k", 34850, 34950),
    ("34,9k", 34850, 34950),
    ("1.2M", 1150000, 1250000),
    ("1.2 million", 1150000, 1250000),
    ("1,2 млн", 1150000, 1250000),
    ("35 тыс.", 34500, 35500),
    ("0.6B", 550000000, 650000000),
    ("0.60G", 595000000, 605000000),
    ("105 MMACs", 104500000, 105500000),
    ("105M multiplications", 104500000, 105500000),
    ("1e6", 500000, 1500000),
    ("1.05e8", 104500000, 105500000),
    ("1.05 · 10^8", 104500000, 105500000),
    ("1.05×10⁸", 104500000, 105500000),
    ("≈ 62,400,000", 62350000, 62450000),
    ("~35,000", 34500, 35500),
    ("62.4", Fraction("62.35"), Fraction("62.45")),
    ("34944.0", Fraction("34943.95"), Fraction("34944.05")),
    ("−5", -5, -5),
]


@pytest.mark.parametrize(("text", "low", "high"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_number(text: str, low: int | Fraction, high: int | Fraction) -> None:
    stated, *others = read_statement(text, "params")
    assert (stated.low, stated.high, stated.unit, stated.expression) == (low, high, "", None)
    assert stated.value == (Fraction(low) + Fraction(high)) / 2
    assert others == []


KIB, MIB = 1 << 10, 1 << 20
#: Text, the nominal number of bytes, half of what the last digit is worth; another reading where there is one.
BYTES = [
    ("1161600", 1161600, 0, None),
    ("1,161,600 bytes", 1161600, 0, None),
    ("60 MB", 60 * 10**6, 3 * 10**6, None),
    ("60MB", 60 * 10**6, 3 * 10**6, None),
    ("60 МБ", 60 * 10**6, 3 * 10**6, None),
    ("61 KB", 61000, 500, None),
    ("61 kB", 61000, 500, None),
    ("61 KiB", 61 * KIB, KIB // 2, None),
    ("58.1 MiB", Fraction(581, 10) * MIB, Fraction(MIB, 20), None),
    ("0.5 GiB", Fraction(MIB * 512), Fraction(MIB * 1024, 20), None),
    ("2 megabytes", 2 * 10**6, 5 * 10**5, None),
    ("5 B", 5, 0, None),
    ("1.327 MB", 1327000, 500, 1327 * 10**6),
    ("1,327 MB", 1327 * 10**6, 5 * 10**5, 1327000),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value", "half", "other"), BYTES, ids=[row[0] for row in BYTES])
def test_bytes(text: str, value: Fraction, half: Fraction, other: int | None) -> None:
    stated, *others = read_statement(text, "activation_bytes")
    assert (stated.value, stated.low, stated.high) == (value, value - half, value + half)
    assert stated.unit == ("bytes" if any(letter in text for letter in "BБb") else "")
    assert [one.value for one in others if one.value in (other, value)] == ([] if other is None else [other])


@pytest.mark.parametrize(("text", "decimal", "binary"), [("60 MB", 60 * 10**6, 60 * MIB), ("61 kB", 61000, 61 * KIB)])
def test_a_unit_of_memory_has_two_meanings(text: str, decimal: int, binary: int) -> None:
    assert [one.value for one in read_statement(text, "activation_bytes")] == [decimal, binary]


#: Text, value, the tree as it is written.
CALCULATIONS = [
    ("(11*11*3+1)*96", 34944, "(11·11·3 + 1)·96"),
    ("96*(11²·3+1)", 34944, "96·(11·11·3 + 1)"),
    ("96×(11^2×3+1)", 34944, "96·(11·11·3 + 1)"),
    ("96(11**2*3+1)", 34944, "96·(11·11·3 + 1)"),
    ("(11x11x3 + 1) x 96", 34944, "(11·11·3 + 1)·96"),
    ("(11х11х3+1)х96", 34944, "(11·11·3 + 1)·96"),
    ("=(11*11*3+1)*96", 34944, "(11·11·3 + 1)·96"),
    ("11·11·3·96 + 96", 34944, "11·11·3·96 + 96"),
    ("[3·(11·11) + 1]·96", 34944, "(3·11·11 + 1)·96"),
    ("$(11 \\cdot 11 \\cdot 3 + 1) \\times 96$", 34944, "(11·11·3 + 1)·96"),
    ("(227−11)÷4+1", 55, "(227 − 11)/4 + 1"),
    ("(227-11+2*0)/4 + 1", 55, "(227 − 11 + 2·0)/4 + 1"),
    ("⌊217/4⌋ + 1", 55, "⌊217/4⌋ + 1"),
    ("ceil(217/4) + 1", 56, "⌈217/4⌉ + 1"),
    ("35K + 614,656", 649656, "35,000 + 614,656"),
    ("34,944 − 96", 34848, "34,944 − 96"),
    ("-5 + 2*7", 9, "−5 + 2·7"),
]


@pytest.mark.parametrize(("text", "value", "written"), CALCULATIONS, ids=[row[0] for row in CALCULATIONS])
def test_calculation(text: str, value: int, written: str) -> None:
    (stated,) = read_statement(text, "params")
    assert stated.value == stated.low == stated.high == value
    assert stated.expression is not None
    assert stated.expression.value == value
    assert TEXT.write(stated.expression) == written


def test_a_calculation_that_does_not_come_out_has_no_tree() -> None:
    (stated,) = read_statement("(224-11)/4+1", "params")
    assert (stated.value, stated.expression) == (Fraction("54.25"), None)


@pytest.mark.parametrize(
    ("text", "printed", "calculated"),
    [
        ("(11*11*3+1)*96 = 34,944", 34944, 34944),
        ("(11*11*3+1)*96 = 364*96 = 34,494", 34494, 34944),
        ("(11*11*3)*96 ≈ 35K", 35000, 34848),
        ("11*11*3*96+96 = 34.9K params", 34900, 34944),
    ],
)
def test_result_behind_a_calculation(text: str, printed: int, calculated: int) -> None:
    (stated,) = read_statement(text, "params")
    assert stated.expression is not None
    assert stated.value == printed
    assert stated.expression.value == calculated


#: Text, sides as written, shape as if height×width×channels.
SHAPES = [
    ("55x55x96", (55, 55, 96), (96, 55, 55)),
    ("55×54×96", (55, 54, 96), (96, 55, 54)),
    ("55 x 54 x 96", (55, 54, 96), (96, 55, 54)),
    ("55*54*96", (55, 54, 96), (96, 55, 54)),
    ("55 by 54 by 96", (55, 54, 96), (96, 55, 54)),
    ("55х54х96", (55, 54, 96), (96, 55, 54)),
    ("(55, 54, 96)", (55, 54, 96), (96, 55, 54)),
    ("[55,54,96]", (55, 54, 96), (96, 55, 54)),
    ("55 54 96", (55, 54, 96), (96, 55, 54)),
    ("(1, 55, 54, 96)", (55, 54, 96), (96, 55, 54)),
    ("[-1, 55, 54, 96]", (55, 54, 96), (96, 55, 54)),
    ("(None, 55, 54, 96)", (55, 54, 96), (96, 55, 54)),
    ("96@55x54", (96, 55, 54), (96, 55, 54)),
    ("96 maps of 55x54", (96, 55, 54), (96, 55, 54)),
    ("4096", (4096,), (4096,)),
    ("4,096", (4096,), (4096,)),
    ("(4096,)", (4096,), (4096,)),
    ("1000 neurons", (1000,), (1000,)),
    ("1x1x4,096", (1, 1, 4096), (4096, 1, 1)),
    ("55x55", (55, 55), (55, 55)),
    ("(227-11)/4+1", (55,), (55,)),
    ("(227-11)/4+1 = 55", (55,), (55,)),
]


@pytest.mark.parametrize(("text", "sides", "shape"), SHAPES, ids=[row[0] for row in SHAPES])
def test_shape(text: str, sides: tuple[int, ...], shape: tuple[int, ...]) -> None:
    (stated,) = read_statement(text, "output_shape")
    assert (stated.sides, stated.shape) == (sides, shape)


@pytest.mark.parametrize(
    ("text", "sides", "value"),
    [("11", (), 11), ("11 px", (), 11), ("11x12", (11, 12), None), ("(11, 12)", (11, 12), None), ("5 + 6", (), 11)],
)
def test_receptive_field(text: str, sides: tuple[int, ...], value: int | None) -> None:
    (stated,) = read_statement(text, "receptive_field")
    assert (stated.sides, stated.value) == (sides, value)


@pytest.mark.parametrize("text", ["", " ", "-", "–", "—", "?", "n/a", "N/A", "none", "…", "null"])
def test_empty(text: str) -> None:
    assert is_empty(text)


#: What is refused, and a part of the reason.
HOSTILE = [
    ("9**9**9", "exponent"),
    ("9^9^9^9", "exponent"),
    ("2**64**64", "too large"),
    ("10**64*10**64*10**64", "too large"),
    ("__import__('os').system('touch pwned')", "cannot stand"),
    ("().__class__.__bases__[0]", "cannot stand"),
    ("lambda: 0", "cannot stand"),
    ("open('x')", "cannot stand"),
    ("abs(5)", "cannot stand"),
    ("x = 5", "expected"),
    ("1 if 1 else 2", "cannot stand"),
    ("(" * 500 + "1" + ")" * 400, "deep"),
    ("(" * 100_000, "100,000"),
    ("-" * 900 + "1", "deep"),
    ("1" * 900, "digits"),
    ("*".join("1" * 400), "operations in a row"),
    ("1/0", "division by zero"),
    ("5 % 3", "cannot stand"),
    ("1,2,3,4", "cannot stand"),
    ("=SUM(B2:B9)", "other cells"),
    ("=B2*4", "other cells"),
    ("= $C$7 + 1", "other cells"),
    ("=cmd|' /C calc'!A0", "other cells"),
    ("many", "cannot stand"),
    ("\x00", "cannot stand"),
    ("\ud800", "cannot stand"),
    ("34944 34944", "expected an operator"),
    ("2K3", "expected an operator"),
    ("==", "no number"),
    ("``", "nothing"),
]


@pytest.mark.parametrize(
    ("text", "reason"), HOSTILE, ids=[row[0][:30].replace("\x00", "nul").replace("\ud800", "half") for row in HOSTILE]
)
def test_hostile_cell_is_refused_in_few_steps(text: str, reason: str) -> None:
    with pytest.raises(StatementError) as refusal, at_most_calls(50_000):
        read_statement(text, "params")
    assert reason in refusal.value.message
    assert 0 <= refusal.value.offset <= len(text)


@given(text=st.text(max_size=300), quantity=st.sampled_from(CHECKED))
def test_any_text_is_read_or_refused(text: str, quantity: str) -> None:
    with suppress(StatementError):
        found = read_statement(text, quantity)
        assert found
        assert all(one.text == text for one in found)


@given(text=st.text("0123456789+-*/()^. ,=xKM²", max_size=80), quantity=st.sampled_from(CHECKED))
def test_any_calculation_is_read_or_refused(text: str, quantity: str) -> None:
    try:
        found = read_statement(text, quantity)
    except StatementError:
        return
    for one in found:
        assert one.value is None or (one.low is not None and one.high is not None and one.low <= one.value <= one.high)
        if one.expression is not None:
            TEXT.write(one.expression)


@given(first=st.integers(0, 10**6), second=st.integers(1, 10**6), third=st.integers(0, 10**6))
def test_arithmetic(first: int, second: int, third: int) -> None:
    tree = calculate(f"({first} + {second})·{third} − {second}²")
    assert tree.value == (first + second) * third - second**2
    assert calculate(f"{first}/{second}").value == Fraction(first, second)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("1+2=3", ("1+2", "3")), ("=1+2", ("1+2", None)), ("1+2 = 2+1 = 3", ("1+2", "3")), ("61,706", ("61,706", None))],
)
def test_split_result(text: str, parts: tuple[str, str | None]) -> None:
    assert split_result(text) == parts
