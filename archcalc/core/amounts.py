"""Amounts as people type them: 2,000,000, 300M, 1.5 billion, 16 MB, 58.1 MiB."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from archcalc.core.errors import UsageError

_THOUSANDS = {"": 0, "k": 1, "thousand": 1, "m": 2, "mio": 2, "million": 2, "g": 3, "b": 3, "bn": 3, "billion": 3,
              "t": 4, "trillion": 4}  # fmt: skip
_BYTES = {"k": 1, "m": 2, "g": 3, "t": 4, "": 0}
_AMOUNT = re.compile(
    r"(?P<digits>\d{1,20}(?:[,_]\d{1,3})*)(?:\.(?P<places>\d{1,20}))?\s*(?P<unit>[a-z]*)", re.IGNORECASE | re.ASCII
)
_BYTE_UNIT = re.compile(r"(?P<prefix>[kmgt]?)(?P<binary>i?)b|(?P<word>bytes?)", re.IGNORECASE)


class Amount(NamedTuple):
    """A number, and whether it was given in bytes."""

    value: Fraction
    is_bytes: bool = False


def parse_amount(text: str, option: str, largest: int) -> Amount:
    """Read an amount. KB, MB and GB are 1000s of bytes, KiB, MiB and GiB 1024s; B alone is a billion.

    Raises `UsageError` that names the option for what cannot be read or is above `largest`.
    """
    match = _AMOUNT.fullmatch(text.strip())
    factor = None if match is None else factor_of(match["unit"])
    if match is None or factor is None:
        raise UsageError(f"{option} takes a number, as in 2,000,000, 300M or 16 MB, not {text[:40]!r}")
    digits = match["digits"].replace(",", "").replace("_", "")
    value = Fraction(f"{digits}.{match['places'] or '0'}") * factor[0]
    if value > largest:
        raise UsageError(f"{option} {text[:40]} is more than {largest:,}")
    return Amount(value, factor[1])


def factor_of(unit: str) -> tuple[int, bool] | None:
    """What a unit multiplies by, and whether it is one of bytes; None where it is no unit."""
    name = unit.lower()
    if name in _THOUSANDS:
        return 1000 ** _THOUSANDS[name], False
    match = _BYTE_UNIT.fullmatch(name)
    if match is None:
        return None
    if match["word"]:
        return 1, True
    base = 1024 if match["binary"] else 1000
    return base ** _BYTES[match["prefix"]], True
