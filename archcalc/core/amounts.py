"""Amounts as people type them: 2,000,000, 300M, 1.5 billion, 16 MB, 58.1 MiB."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from archcalc.core.errors import UsageError

_THOUSANDS = {"": 0, "k": 1, "thousand": 1, "m": 2, "mio": 2, "million": 2, "g": 3, "b": 3, "bn": 3, "billion": 3,
              "t": 4, "trillion": 4}  # fmt: skip
_BYTES = {"k": 1, "m": 2, "g": 3, "t": 4, "": 0}
_MOST_DIGITS = 20
_AMOUNT = re.compile(
    r"(?P<digits>\d+(?:[,_]\d+)*)(?:\.(?P<places>\d+))?(?P<exponent>e[+-]?\d+)?\s*(?P<unit>[a-z]*)",
    re.IGNORECASE | re.ASCII,
)
#: Three digits after each comma; two in India, but for the last.
_GROUPED = re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}|[\d_]+", re.ASCII)
#: How amounts look, in the messages of options that take any.
EXAMPLES = "2,000,000, 300M or 16 MB"
_UNITS = "k, M, G, T, million, billion, bytes, kB, MB, GB, TB, KiB, MiB, GiB and TiB"
_BYTE_UNIT = re.compile(r"(?P<prefix>[kmgt]?)(?P<binary>i?)b|(?P<word>bytes?)", re.IGNORECASE)


class Amount(NamedTuple):
    """A number, and whether it was given in bytes."""

    value: Fraction
    is_bytes: bool = False


def parse_amount(text: str, option: str, largest: int, examples: str = EXAMPLES) -> Amount:
    """Read an amount. KB, MB and GB are 1000s of bytes, KiB, MiB and GiB 1024s; B alone is a billion.

    `examples` stand in messages. Raises `UsageError` that names the option for what cannot be read or is above
    `largest`.
    """
    said, text = text.strip()[:40], text.strip()
    match = _AMOUNT.fullmatch(text)
    if match is None:
        if re.match(r"[-−]\s*[\d.]", text, re.ASCII):
            raise UsageError(f"{option} cannot be negative: {said!r}; give a number such as {examples}")
        raise UsageError(f"{option} takes a number, as in {examples}, not {said!r}")
    if match["exponent"]:
        raise UsageError(f"{option} takes numbers without an exponent, as in {examples}, not {said!r}")
    if not _GROUPED.fullmatch(match["digits"]):
        raise UsageError(
            f"{option} {said!r}: a comma stands before three digits, decimals follow a point, as in 2,000,000 or 1.5"
        )
    digits, places = re.sub("[,_]", "", match["digits"]), match["places"] or "0"
    if len(digits) > _MOST_DIGITS or len(places) > _MOST_DIGITS:
        raise UsageError(f"{option} {said!r} has more than {_MOST_DIGITS} digits")
    factor = factor_of(match["unit"])
    if factor is None:
        raise UsageError(f"{option} {said!r}: there is no unit {match['unit'][:40]!r}; there are {_UNITS}")
    value = Fraction(f"{digits}.{places}") * factor[0]
    if value > largest:
        raise UsageError(f"{option} {said!r} is more than {largest:,}")
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
