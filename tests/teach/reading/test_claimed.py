"""Claimed values as they are written, and what they accept."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archcalc.teach.reading.claimed import read_claimed

ACCEPTED: list[tuple[Any, Any]] = [
    (34944, 34944),
    ("34,944", 34944),
    ("34 944", 34944),
    ("138M", 138_357_544),
    ("138 million", 138_357_544),
    ("60M", 62_378_344),
    ("140M", 138_357_544),
    ("100M", 102_760_448),
    ("12.4M", 12_443_648),
    ("about 60,000", 61_706),
    ("about 150K", 150_528),
    ("about 800K", 802_816),
    ("about 100M", 102_760_448),
    ("≈ 10", Fraction(153632, 15920)),
    ("about 150", 152),
    ("93 MB", 93 * 10**6),
    ("93 MB", 93 * 2**20),
    ("58.1 MiB", 60_950_432),
    (54.25, Fraction(217, 4)),
    (0.1, Fraction(1, 10)),
    ("7.3%", Fraction(73, 10)),
    ("55x55x96", [55, 55, 96]),
    ("55×55×96", [55, 55, 96]),
    ("1x1x4096", [4096]),
    (4096, [4096]),
    (4096, [1, 1, 4096]),
    ("363x3025", [363, 3025]),
    (True, True),
    ("CVPR 2015", "CVPR 2015, arXiv:1409.4842"),
    ([1, "2x2"], [1, [2, 2]]),
    ([55, 27], [55, 27]),
    (1.33e8, 132_863_336),
    (1.3836e8, 138_357_544),
    (61706.0, 61706),
    (1e308, 10**308),
    (93.312, Fraction(93312, 1000)),
    ("93.312%", Fraction(93312, 1000)),
    ("55х55х96", [55, 55, 96]),
    ("[363, 3025]", [363, 3025]),
]
REFUSED: list[tuple[Any, Any]] = [
    (34944, 34943),
    ("138M", 138_500_001),
    ("138M", 137_499_999),
    ("60.0M", 62_378_344),
    ("61M", 62_378_344),
    ("60M", 64_000_000),
    ("about 60M", 64_000_000),
    ("12.4M", 12_451_000),
    ("93 MB", 96 * 10**6),
    ("93 MiB", 93 * 10**6),
    ("55x55x96", [96, 55, 55]),
    ("55x55x96", [55, 55]),
    (4096, [4096, 1]),
    (True, False),
    (True, 1),
    (1, True),
    (1, "1"),
    ("CVPR 2015", "ICLR 2015"),
    ([1, 2], [1]),
    ([1, 2], [2, 1]),
    (1.33e8, 133_500_001),
    (1.33e8, 132_499_999),
    (40.0, 41),
    (93.312, 93312),
]


@pytest.mark.parametrize(("written", "value"), ACCEPTED)
def test_accepts(written: Any, value: Any) -> None:
    assert read_claimed(written).holds(value)


@pytest.mark.parametrize(("written", "value"), REFUSED)
def test_refuses(written: Any, value: Any) -> None:
    assert not read_claimed(written).holds(value)


@pytest.mark.parametrize("written", [None, "", "  ", {"a": 1}, "9" * 300, [1] * 2000])
def test_cannot_be_read(written: Any) -> None:
    with pytest.raises(ValueError, match=r"is a number|may have"):
        read_claimed(written)


@given(st.integers(0, 10**12))
def test_a_number_in_full_is_exact(number: int) -> None:
    claimed = read_claimed(f"{number:,}")
    assert claimed.holds(number)
    assert not claimed.holds(number + 1)


@given(st.integers(1, 10**12), st.sampled_from("KMG"))
def test_a_rounded_number_accepts_what_rounds_to_it(number: int, letter: str) -> None:
    power = {"K": 3, "M": 6, "G": 9}[letter]
    rounded = round(Fraction(number, 10**power), 1)
    assume(rounded)  # 0.0M is no answer to anything but 0
    assert read_claimed(f"{float(rounded):.1f}{letter}").holds(number)


@given(st.integers(100, 10**12))
def test_about_reaches_no_further_than_a_twentieth(number: int) -> None:
    claimed = read_claimed(f"about {number}")
    assert claimed.holds(number)
    assert not claimed.holds(number + number // 20 + 1)
    assert not claimed.holds(number - number // 20 - 1)
