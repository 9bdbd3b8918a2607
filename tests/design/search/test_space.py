"""The language of spaces: what it says, and every fault with its column."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archcalc as ac
from archcalc.core.errors import ArchcalcError, SpecError, UsageError
from archcalc.design.search import space
from archcalc.design.search.space import count_configurations, decimal, parse_space
from tests.design.search.spaces import family


def test_networks_with_ranges_and_lists() -> None:
    first, second = parse_space(
        "mobilenet alpha=0.25..1.5 step 0.05, resolution=96..320 step 32; resnet depth=18,34,50"
    )
    assert [(axis.name, len(axis.values)) for axis in first.axes] == [("alpha", 26), ("resolution", 8)]
    assert tuple(first.axes[0].values[:3]) == (Fraction(1, 4), Fraction(3, 10), Fraction(7, 20))
    assert tuple(first.axes[1].values) == (96, 128, 160, 192, 224, 256, 288, 320)
    assert (first.count, second.count, second.axes[0].values) == (208, 3, (18, 34, 50))


def test_the_last_parameter_changes_fastest() -> None:
    one = family("mobilenet alpha=0.5,1, classes=10,20,30")
    expected = [{"alpha": alpha, "classes": classes} for alpha, classes in product((Fraction(1, 2), 1), (10, 20, 30))]
    assert [one.values(index) for index in range(one.count)] == expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1..4", (1, 2, 3, 4)),
        ("1..2 step 0.5", (1, Fraction(3, 2), 2)),
        ("0.1..0.3 step 0.1", (Fraction(1, 10), Fraction(1, 5), Fraction(3, 10))),
        ("1, 3..5, 8", (1, 3, 4, 5, 8)),
        ("1..6 step 2", (1, 3, 5)),
    ],
)
def test_values(text: str, values: tuple[object, ...]) -> None:
    assert tuple(family(f"mobilenet alpha={text}").axes[0].values) == values


def test_words_and_files(tmp_path: Path) -> None:
    (tmp_path / "my net.yaml").write_text(
        "name: mine\ntitle: Mine\ninput: 8x8x3\nparameters: {k: 4, deep: false, kind: {default: a, choices: [a, b]}}\n"
        "layers:\n  - conv2d: {out_channels: k, kernel_size: 3}\n  - relu: {when: deep}\n"
    )
    one = family(f"'{tmp_path}/my net.yaml' k=1..3, deep=false,true, kind=a,b, height=8,16")
    assert [(axis.name, axis.is_number) for axis in one.axes] == [
        ("deep", False), ("kind", False), ("k", True), ("height", True),
    ]  # fmt: skip
    assert one.count == 24
    assert one.sizes({"k": 1, "deep": True, "kind": "a", "height": 16}) == (3, 16, 8)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("mobilnet", 1, "did you mean mobilenet"),
        ("mobilenet alfa=1", 11, "did you mean alpha?"),
        ("mobilenet alpha=2..1", 17, "the range from 2 to 1 is empty"),
        ("mobilenet alpha=1..inf", 20, "a space is finite"),
        ("mobilenet alpha=inf", 17, "a space is finite"),
        ("mobilenet alpha=0.5..1", 17, "needs a step"),
        ("mobilenet alpha=1..2 step 0", 27, "greater than 0"),
        ("mobilenet alpha=0", 11, "must be greater than 0"),
        ("mobilenet alpha=", 17, "expected a value, found the end"),
        ("mobilenet alpha", 11, "expected NAME=VALUES"),
        ("mobilenet alpha=1 classes=2", 19, "expected , or ;"),
        ("mobilenet alpha=1, alpha=2", 20, "alpha is given twice"),
        ("mobilenet alpha=1,1", 17, "a value is given twice"),
        ("mobilenet alpha = 1..3, 2", 19, "a value is given twice"),
        ("mobilenet classes=1..99999999", 19, "may take 1,000,000"),
        ("mobilenet alpha=1234567890123456", 17, "15 digits"),
        ("mobilenet alpha=__import__('os')", 17, "is no number and no word"),
        ("mobilenet alpha=(1+1)", 17, "is no number and no word"),
        ("mobilenet alpha=1e5", 17, "is no number and no word"),
        ("mobilenet resolution=0", 11, "a whole number from 1"),
        ("mobilenet resolution=32, height=32", 26, "the same side twice"),
        ("resnet depth=19", 8, "depth can be 18, 34, 50"),
        ("mobilenet 'x", 11, "a quote is not closed"),
        ("model.onnx", 1, "there is no network"),
        ("py:os:system", 1, "there is no network"),
    ],
)
def test_faults_have_a_column(text: str, column: int, message: str) -> None:
    with pytest.raises(SpecError, match=f"space:1:{column}: ") as error:
        parse_space(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the space is empty"),
        (" ; ", "the space is empty"),
        ("mobilenet;" * 201, "200 networks"),
        ("mobilenet " + "a" * 10_000, "10,000 characters"),
        (
            "mobilenet alpha=1..9999, classes=1..9999, rho=1..9999, resolution=1..9999, epsilon=1..9999",
            "more than 10,000,000,000,000",
        ),
    ],
)  # fmt: skip
def test_spaces_that_are_empty_or_too_large(text: str, message: str) -> None:
    with pytest.raises(ArchcalcError, match=message):
        parse_space(text)


def test_a_large_space_is_refused_before_its_values_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    large = "mobilenet alpha=0.000001..1 step 0.000001, resolution=32..1100; resnet depth=18,34"
    assert count_configurations(large) == 10**6 * 1069 + 2
    monkeypatch.setattr(space, "_family", None)
    with pytest.raises(UsageError, match=r"has 1,069,000,002 configurations, more than 1,000,000,000; --large"):
        ac.search(large)
    with pytest.raises(UsageError, match="more than 10,000,000,000,000"):
        parse_space("mobilenet alpha=1..1000000, classes=1..1000000, resolution=1..1000")


@given(text=st.text(alphabet="mobilenet resolution=alpha0123456789.,;'\"[]step-\n", max_size=60))
def test_any_text_is_a_space_or_one_error(text: str) -> None:
    try:
        found = parse_space(f"mobilenet {text}")
    except ArchcalcError:
        return
    assert all(one.count >= 1 for one in found)


@given(digits=st.integers(-(10**12), 10**12), places=st.integers(0, 9))
def test_decimals_are_written_exactly(digits: int, places: int) -> None:
    value = Fraction(digits, 10**places)
    assert Fraction(decimal(value)) == value
