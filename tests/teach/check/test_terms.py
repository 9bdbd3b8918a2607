"""Sums over the layers on one line, as lecture notes print them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.teach.check.misprint import explain_difference
from archcalc.teach.check.model import TOTAL, Check, Verdict
from archcalc.teach.check.terms import check_total, split_terms
from archcalc.teach.reading.calculation import StatementError, calculate
from archcalc.teach.reading.typos import mistyped
from tests.teach.check.tables import NETWORKS, analysis_of
from tests.tiers import examples

#: From lecture notes on AlexNet: conv4 with conv3's depth, and a printed sum that is 25,344 short.
ALEXNET = (
    "(3*11*11*96+96)+(96*256*5*5+256)+(256*384*3*3+384)*2+(384*3*3*256+256)+(6*6*256*4096+4096)+(4096*4096+4096)"
    "+(4096*1000+1000)"
)
#: The same for VGG-16: two biases and a kernel are wrong.
VGG16 = (
    "(3*3*3*64+64)+(3*3*64*64+64)+(3*3*64*128+128)+(3*3*128*128+128)+(3*3*128*256+256)+(3*3*256*256)*2"
    "+(2*2*256*512+512)+(3*3*512*512+512)*2+(3*3*512*512+512)*3+(7*7*512*4096+4096)+(4096*4096+4096)+(4096*1000+1000)"
)
LENET5 = "(5*5*1+1)*6+(5*5*6+1)*16+(5*5*16+1)*120+(120+1)*84+(84+1)*10"


def verdicts(result: Check) -> dict[str, Verdict]:
    return {cell.layer: cell.verdict for cell in result.cells}


def wrong(result: Check) -> list[str]:
    return [cell.layer for cell in result.cells if cell.verdict is Verdict.WRONG]


def test_sum_of_lecture_notes_on_alexnet() -> None:
    result = check_total(analysis_of("alexnet"), "params", f"{ALEXNET}=61,910,632")
    assert wrong(result) == ["conv4", TOTAL]
    assert [cell.layer for cell in result.cells if cell.verdict is Verdict.RIGHT] == [
        "conv1", "conv2", "conv3", "conv5", "fc6", "fc7", "fc8",
    ]  # fmt: skip
    total = result.cells[-1]
    assert (total.expected, total.carried, total.carried_from) == (62378344, 61935976, ("conv4", "params"))
    (slip,) = total.diagnoses
    assert slip.mistake == "sum_of_parts"
    assert "The terms add up to 61,935,976, not to the 61,910,632 that is printed." in slip.explanation
    # 34,944 less 25,344 is 9,600: an 11 that became a 3.
    assert "conv1: 3·11·3·96 + 96 = 9600 for 3·11·11·96 + 96 = 34,944" in slip.explanation


def test_the_sum_of_wrong_terms_is_right_given_them() -> None:
    for text in (ALEXNET, f"{ALEXNET} = 61,935,976", f"{ALEXNET} ≈ 61.9M"):
        result = check_total(analysis_of("alexnet"), "params", text)
        assert wrong(result) == ["conv4"]
        assert result.cells[-1].verdict is Verdict.CARRIED


def test_sum_of_lecture_notes_on_vgg16() -> None:
    result = check_total(analysis_of("vgg16"), "params", VGG16)
    assert wrong(result) == ["conv3_2", "conv3_3", "conv4_1"]
    assert len(result.cells) == 17
    assert result.cells[-1].verdict is Verdict.CARRIED
    assert result.cells[-1].stated is not None
    assert result.cells[-1].stated.value == 137701672


@pytest.mark.parametrize("text", [LENET5, f"{LENET5} = 61,706", f"= {LENET5} = 61.7K", "156+2416+48120+10164+850"])
def test_right_sum(text: str) -> None:
    result = check_total(analysis_of("lenet5"), "params", text)
    assert result.is_right
    assert len(result.cells) == 6


def test_weights_and_biases_apart() -> None:
    result = check_total(analysis_of("lenet5"), "params", "150+6 + 2400+16 + 48000+120 + 10080+84 + 840+10 = 61,706")
    assert result.is_right
    assert len(result.cells) == 6


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # A number times n stands for n layers, written without brackets and in any order.
        ("vgg16", "1792+36928+73856+147584+295168+590080*2+1180160+2359808*2+2359808*3+102764544+16781312+4097000"),
        ("vgg16", "1792+36928+73856+147584+295168+2×590080+1180160+2359808x5+102764544+16781312+4097000 = 138,357,544"),
        ("lenet5", "850 + 10164 + 48120 + 2416 + 156 = 61706"),
        # Rounded terms: the total is right where it may be that of numbers that round to them.
        ("vgg16", "14.71M + 123.64M = 138.36M"),
        ("vgg16", "14.7M + 123.6M = 138.4M"),
        ("vgg16", "1.8K + 36.9K + 73.9K + 147.6K + 295.2K + 2*590.1K + 1.18M + 5*2.36M + 102.8M + 16.8M + 4.1M = 138M"),
        ("alexnet", "3.7M + 58.6M = 62.4M"),
        ("lenet5", "156 + 2.416 + 48.120 + 10.164 + 850 = 61.706"),
        ("lenet5", "0.2K + 2.4K + 48.1K + 10.2K + 0.9K = 61.7K"),
    ],
)
def test_right_sums_as_people_write_them(name: str, text: str) -> None:
    assert check_total(analysis_of(name), "params", text).is_right


@pytest.mark.parametrize(
    ("name", "text", "layers"),
    [
        ("vgg16", "14.7M + 123.6M = 138.9M", [TOTAL]),
        ("lenet5", "156 + 2.416 + 48.120 + 10.164 + 840 = 61.696", ["output"]),
        ("vgg16", "1792+36928+73856+147584+295168+590080*2+1180160+2359808*5+102764544+16781312+4096000", ["fc8"]),
    ],
)
def test_wrong_sums_as_people_write_them(name: str, text: str, layers: list[str]) -> None:
    assert wrong(check_total(analysis_of(name), "params", text)) == layers


def test_a_layer_that_is_left_out() -> None:
    result = check_total(analysis_of("lenet5"), "params", "156+2416+48120+850 = 51,542")
    total = result.cells[-1]
    assert (wrong(result), [found.mistake for found in total.diagnoses]) == ([TOTAL], ["repeat_count"])
    assert "F6 (10,164)" in total.diagnoses[0].explanation


def test_a_term_too_many() -> None:
    result = check_total(analysis_of("lenet5"), "params", "156+2416+48120+10164+850+99")
    assert wrong(result)[0] == ""
    assert result.cells[-2].note == "this term belongs to no layer"


def test_multiplications() -> None:
    text = "28*28*6*25 + 10*10*16*25*6 + 400*120 + 120*84 + 84*10 = 416,520"
    assert check_total(analysis_of("lenet5"), "multiplications", text).is_right


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("61,706", Verdict.RIGHT), ("61.7K", Verdict.RIGHT), ("60K", Verdict.RIGHT), ("50K", Verdict.WRONG),
     ("60*1000+1706", Verdict.RIGHT),
     ("61,760", Verdict.WRONG)],
)  # fmt: skip
def test_bare_total(text: str, verdict: Verdict) -> None:
    (cell,) = check_total(analysis_of("lenet5"), "params", text).cells
    assert (cell.layer, cell.verdict) == (TOTAL, verdict)


def test_a_sum_of_another_network_is_checked_as_a_whole() -> None:
    (cell,) = check_total(analysis_of("alexnet"), "params", VGG16).cells
    assert (cell.layer, cell.verdict) == (TOTAL, Verdict.WRONG)


@pytest.mark.parametrize("text", ["", "=", "9**9**9+1", "1+", "a+b", "(" * 5000, "1+(2", "1)+2"])
def test_hostile_sums(text: str) -> None:
    with pytest.raises(StatementError):
        check_total(analysis_of("alexnet"), "params", text)


def test_a_long_sum_is_checked_as_a_whole() -> None:
    (cell,) = check_total(analysis_of("alexnet"), "params", "+".join("9" * 6000)).cells
    assert (cell.verdict, cell.answer.text) == (Verdict.WRONG, "54,000")


@examples(40)
@given(data=st.data(), name=st.sampled_from(NETWORKS))
def test_one_wrong_term_is_found_in_the_sum_of_any_network(data: st.DataObject, name: str) -> None:
    rows = [row for row in analysis_of(name).rows if row.params]
    index = data.draw(st.integers(0, len(rows) - 1))
    off = data.draw(st.sampled_from([-1, 1, 7, 1000]))
    values = [row.params + (off if place == index else 0) for place, row in enumerate(rows)]
    others = {row.params for row in rows}
    # A wrong number that is another layer's, or that two neighbours make together, would fit elsewhere.
    sums = {a + b for a, b in pairwise(values)}
    if values[index] in others or sums & others or values[index] <= 0:
        return
    text = "+".join(map(str, values))
    result = check_total(analysis_of(name), "params", text)
    if len(rows) > 2:
        assert wrong(result) == [rows[index].name]


# --- slips


def test_split_terms() -> None:
    assert split_terms("(1+2)*3+4+[5+6]") == ["(1+2)*3", "4", "[5+6]"]
    assert split_terms("-1+2") == ["-1", "2"]
    assert split_terms("1e+2+3") == ["1e+2", "3"]


@pytest.mark.parametrize(
    ("terms", "difference", "found"),
    [
        (["5*7", "3*4"], -12, "It lacks the term of b, 12."),
        (["5*7", "3*4"], 12, "It has the term of b, 12, twice."),
        (["5*7*9", "3*4"], -270, "It fits a slip at a: 5·9 = 45 for 5·7·9 = 315."),
        (["13*7", "4+1"], 126, "It fits a slip at a: 31·7 = 217 for 13·7 = 91."),
    ],
)
def test_explained_difference(terms: list[str], difference: int, found: str) -> None:
    named = [(name, calculate(term)) for name, term in zip("ab", terms, strict=True)]
    assert explain_difference(named, Fraction(difference))[0] == found


def test_no_explanation_is_better_than_a_wrong_one() -> None:
    assert explain_difference([("a", calculate("5*7"))], Fraction(123456789)) == []
    # A number with a point has no digit that was mistyped.
    assert explain_difference([("a", calculate("2.416"))], Fraction(123456789)) == []


def test_mistyped() -> None:
    found = set(mistyped(34))
    assert {43, 3, 4, 334, 344, 35, 44} <= found
    assert 34 not in found
