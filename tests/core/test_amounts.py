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


@pytest.mark.parametrize("text", ["", "M", "3X", "1e6", "-3", "nan", "inf", "3.5.1", "9" * 5000, "3 M B", "٣"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(UsageError, match="--params"):
        parse_amount(text, "--params", 1 << 40)
