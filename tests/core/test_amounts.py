"""Amounts with their units, as people type them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archcalc.core.amounts import parse_amount
from archcalc.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "value", "is_bytes"),
    [
        ("55", 55, False), ("2,000,000", 2_000_000, False), ("2_000_000", 2_000_000, False),
        ("300M", 300_000_000, False),
        ("1.5 billion", 1_500_000_000, False), ("4.2k", 4200, False), ("16MB", 16_000_000, True),
        ("16 MiB", 16 << 20, True), ("58.1 MiB", Fraction(581, 10) * (1 << 20), True), ("1 GB", 10**9, True),
        ("12 bytes", 12, True), ("2B", 2 * 10**9, False), ("0.5", Fraction(1, 2), False),
    ],
)  # fmt: skip
def test_an_amount(text: str, value: int | Fraction, is_bytes: bool) -> None:
    assert parse_amount(text, "--params", 1 << 60) == (value, is_bytes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "takes a number, as in 2,000,000"), ("M", "takes a number"), ("nan", "takes a number"),
        ("inf", "takes a number"), ("3.5.1", "takes a number"), ("3 M B", "takes a number"), ("٣", "takes a number"),
        ("3X", "there is no unit 'X'; there are k, M"), ("3bananas", "there is no unit 'bananas'"),
        ("1e6", "without an exponent"), ("1.5E-6 GB", "without an exponent"), ("-3", "cannot be negative: '-3'"),
        ("−.5 GB", "cannot be negative"), ("9" * 5000, "more than 20 digits"), ("2T", "is more than 1,099,511,627,776"),
        ("1,5 GB", "decimals follow a point"), ("1,0000", "a comma stands before three digits"),
    ],
)  # fmt: skip
def test_what_is_no_amount(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"--params.*{message}"):
        parse_amount(text, "--params", 1 << 40)


def test_groups_of_digits() -> None:
    assert parse_amount("12,34,567", "--params", 1 << 40).value == 1_234_567
    assert parse_amount("3", "--flops", 5, "500G").value == 3
    with pytest.raises(UsageError, match="as in 500G, not 'x'"):
        parse_amount("x", "--flops", 5, "500G")
