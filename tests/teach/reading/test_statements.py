"""What a cell says, in every way that people write it."""

from __future__ import annotations

import contextlib
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.explain.derive.notation import TEXT
from archcalc.teach.check.agreement import agrees
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
    ("62M ± 1M", 61000000, 63000000),
    ("62 ± 1M", 61000000, 63000000),
    ("62 357 608 шт.", 62357608, 62357608),
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


#: Calculations in steps: the value, what is calculated last, and whether each step is right.
STEPS = [
    ("11*11*3=363; 363*96+96=34944", 34944, 34944, True),
    ("11*11*3=363;363*96+96", 34944, 34944, True),
    ("5·5·6 = 150, 150 + 1 = 151, 151·16 = 2416", 2416, 2416, True),
    ("5*5*1=25; (25+1)*6=156", 156, 156, True),
    ("5*5*1=25\n(25+1)*6=156", 156, 156, True),
    ("11*11*3=362; 362*96+96=34848", 34848, 34848, False),
    ("11*11*3=364; 363*96+96=34944", 34944, 34944, False),
    ("11*11*3=363; 363*96+96=34945", 34945, 34944, False),
    ("5 × 5 × 6 = 150, 150 × 16 = 2,400, 2,400 + 16 = 2,416", 2416, 2416, True),
]


@pytest.mark.parametrize(("text", "value", "last", "is_right"), STEPS)
def test_a_calculation_in_steps(text: str, value: int, last: int, is_right: bool) -> None:
    (stated,) = read_statement(text, "params")
    assert stated.expression is not None
    assert [stated.value, stated.expression.value, agrees(stated)] == [value, last, is_right]


#: Cells of AlexNet's conv1 (11·11·3·96 + 96 = 34,944) with words, remarks and results in other places.
REMARKED = [
    "96 filters * 364 = 34944", "96 filters × (11×11×3 + 1 bias) = 34,944", "96 × (11·11·3) + 96 = 34,944",
    "34,944 (incl. bias)", "34,944 (11*11*3*96 + 96)", "34,944 (= 364·96)", "34,944 parameters in total",
    "34848 weights + 96 biases", "11*11*3*96 + 96 (bias) = 34944", "34848 (W) + 96 (b)", "34944 weights+biases",
    "(F*F*C+1)*K = (11*11*3+1)*96 = 34,944", "params = 34,944", "params: 34 944", "96*(11*11*3+1) -> 34944",
    "96*(363+1) → 34.944", "34,944 ✓", "'34944'", "34,944 with bias", "34 944 с учётом смещения", "34,944 (≈ 35K)",
    "96 фильтров × 364 = 34 944", "96 filtres × 364 = 34 944", "96 Filter * 364 = 34.944", "96个卷积核*364=34944",
    "34,944 / image",
]  # fmt: skip
#: Cells that hold no answer, and those that say that there are no parameters.
BLANK = ["(none)", "none", "N/A", "n.a.", "--", "—", "нет", "keine", "aucun", "无", "なし", "אין"]
NO_PARAMETERS = [
    "0 (no params)",
    "no parameters",
    "no learnable params",
    "0 params",
    "нет параметров",
    "keine Parameter",
]
#: Words whose meaning is not known, and lines in which a colon is no division.
NOT_READ = ["3 dozen", "3 layers: 590,080", "9.4K (conv), 128 (bn)"]


@pytest.mark.parametrize("text", REMARKED)
def test_a_cell_with_remarks_is_its_number(text: str) -> None:
    (first, *_) = read_statement(text, "params")
    assert first.low is not None
    assert first.high is not None
    assert 34943 < first.low <= 34944 <= first.high < 34945


#: Weights and biases of AlexNet's conv1, 11·11·3·96 and 96, in one cell.
APART = [
    "weights: 34,848, biases: 96",
    "34848 w + 96 b = 34944",
    "W: 34848, b: 96",
    "34,848 weights, 96 biases",
    "w=34848, b=96",
    "34,848 (weights), 96 (biases)",
    "11·11·3·96 weights and 96 biases",
    "weights = 11*11*3*96 = 34848, bias = 96",
    "W=34848 b=96 total=34944",
    "weights: 34,848; biases: 96; total: 34,944",
    "weights 34,848 / biases 96",
    "34848w+96b",
    "bias: 96, weights: 34848",
    "Gewichte: 34.848; Bias: 96",
    "poids : 34 848, biais : 96",
    "веса: 34 848, смещения: 96",
    "משקלים: 34,848, הטיות: 96",
    "权重: 34848, 偏置: 96",
]


@pytest.mark.parametrize("text", APART)
def test_weights_and_biases_apart_are_parameters(text: str) -> None:
    (stated, *_) = read_statement(text, "params")
    assert stated.low == stated.high == 34_944
    assert stated.expression is not None
    assert stated.expression.value == 34_944


@pytest.mark.parametrize("text", ["weights: 34,848, biases: 96", "34848 w + 96 b = 34944"])
def test_of_both_the_one_is_read_that_is_asked_for(text: str) -> None:
    assert [read_statement(text, quantity)[0].value for quantity in ("weights", "biases")] == [34_848, 96]


BRACKETED = [
    ("35.000 (approx)", 34500, 35500), ("35K (34,944)", 34500, 35500), ("96 (11*11*3+1)", 34944, 34944),
    ("4 (3+1)", 4, 4),
    ("93 MB / image (only forward)", 92_500_000, 93_500_000),
]  # fmt: skip


@pytest.mark.parametrize(("text", "low", "high"), BRACKETED)
def test_a_number_before_brackets(text: str, low: int, high: int) -> None:
    quantity = "activation_bytes" if "MB" in text else "params"
    assert any(one.low == low and one.high == high for one in read_statement(text, quantity))


def test_a_margin_may_not_hold_everything() -> None:
    with pytest.raises(StatementError, match="more than a tenth"):
        read_statement("1 ± 1e12", "params")


def test_cells_without_an_answer() -> None:
    assert all(is_empty(text) for text in BLANK)
    assert [read_statement(text, "params")[0].high for text in NO_PARAMETERS] == [0] * len(NO_PARAMETERS)
    for text in NOT_READ:
        with pytest.raises(StatementError):
            read_statement(text, "params")


#: Numbers of VGG-16 and AlexNet with words of many languages.
WITH_WORDS = [
    ("102 764,5 тыс.", 102_764_450, 102_764_550), ("102 764,544 тыс.", 102_764_543.5, 102_764_544.5),
    ("1億276万", 102_755_000, 102_765_000), ("1.2億", 115_000_000, 125_000_000), ("6237万8344", 62_378_344, 62_378_344),
    ("102 млн 764 тыс.", 102_763_500, 102_764_500), ("1 million 327 thousand", 1_326_500, 1_327_500),
    ("1 Mio. 327 Tsd.", 1_326_500, 1_327_500), ("1億276万個", 102_755_000, 102_765_000),
    ("62,4 מיליון", 62_350_000, 62_450_000), ("1,3 միլիոն", 1_250_000, 1_350_000), ("61,1 milliers", 61_050, 61_150),
    ("62,4 millones", 62_350_000, 62_450_000), ("1,02 млрд", 1_015_000_000, 1_025_000_000),
]  # fmt: skip


@pytest.mark.parametrize(("text", "low", "high"), WITH_WORDS, ids=[row[0] for row in WITH_WORDS])
def test_numbers_with_words(text: str, low: float, high: float) -> None:
    stated = read_statement(text, "params")[0]
    assert (stated.low, stated.high) == (Fraction(low), Fraction(high))


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
    ("156 + 2.416 + 48.120 + 61.100.840", 61_151_532, "156 + 2416 + 48,120 + 61,100,840"),
    ("1.5*64 + 2.5*64", 256, None),
    ("34,944 − 96", 34848, "34,944 − 96"),
    ("-5 + 2*7", 9, "−5 + 2·7"),
]


@pytest.mark.parametrize(("text", "value", "written"), CALCULATIONS, ids=[row[0] for row in CALCULATIONS])
def test_calculation(text: str, value: int, written: str | None) -> None:
    (stated,) = read_statement(text, "params")
    assert stated.value == stated.low == stated.high == value
    if written is None:
        return
    assert stated.expression is not None
    assert stated.expression.value == value
    assert TEXT.write(stated.expression) == written


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("35K + 614,656", 649_156, 650_156),
        ("9.2M + 123.6M", 132_700_000, 132_900_000),
        ("3*2.4M + 1K", 7_050_950, 7_351_050),
        # Of a difference the numbers are taken as they are.
        ("9.2M - 1.2M", 8_000_000, 8_000_000),
    ],
)
def test_a_calculation_with_rounded_numbers_reaches_so_far(text: str, low: int, high: int) -> None:
    (stated,) = read_statement(text, "params")
    assert stated.low == low
    assert stated.high == high


@pytest.mark.parametrize(
    "text",
    ["224x224@64", "(224×224)×64", "64×(224×224)", "torch.Size([1, 64, 224, 224])", "224 × 224 × 64 (3,211,264)",
     "224 × 224 × 64 (3.2M)", "TensorShape([None, 224, 224, 64])"],
)  # fmt: skip
def test_shapes_as_programs_and_people_write_them(text: str) -> None:
    assert any(sorted(one.sides) == [64, 224, 224] and not one.printed for one in read_statement(text, "output_shape"))


@pytest.mark.parametrize(
    "text",
    ["1" + " " * 900 + "x1", "(1" + "\t" * 900 + ")", "1 x" + " " * 900 + "1 @", "1,234" + " `" * 490 + "<br>"],
)
def test_long_gaps_are_read_in_few_steps(text: str) -> None:
    for quantity in ("output_shape", "params", "weights", "receptive_field"):
        with contextlib.suppress(StatementError):
            read_statement(text, quantity)


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
    ("lambda: x", "cannot stand"),
    ("open('x')", "cannot stand"),
    ("abs(5)", "cannot stand"),
    ("x = y", "cannot stand"),
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
