"""What a claim says its value is: a number with its rounding, a shape, a list, yes or no, or words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.teach.audit.numbers import value_text
from archcalc.teach.reading.calculation import StatementError, blur
from archcalc.teach.reading.shapes import CROSS
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.statements import read_statement

MOST_ITEMS = 1000
#: A whole number that was written as a decimal one and ends in so many zeros is rounded: 1.33e8.
_FEWEST_ZEROS = 4
LONGEST = 200

#: What YAML has for what is no number.
_NO_NUMBER = re.compile(r"[-+]?\.(?:nan|inf)", re.IGNORECASE)
_ABOUT = re.compile(r"(?:about|around|roughly|nearly|some|ca\.|~|≈)\s*", re.IGNORECASE)
_SIDES = re.compile(
    rf"[(\[]?\s*\d{{1,9}}(?:{CROSS}\d{{1,9}})+\s*[)\]]?|[(\[]\s*\d{{1,9}}(?:\s*[,;]\s*\d{{1,9}})+\s*[)\]]",
    re.IGNORECASE,
)


class Claimed(NamedTuple):
    """A claimed value. Of the fields after `text` the one that the text is about is set.

    `numbers` are the readings of a number: one, or one for each meaning of its unit. `sides` are those of a shape in
    the order of the page. `written` is all of it as it stands in the file.
    """

    text: str
    written: str = ""
    numbers: tuple[Stated, ...] = ()
    sides: tuple[int, ...] = ()
    items: tuple[Claimed, ...] | None = None
    truth: bool | None = None

    @property
    def number(self) -> Fraction | None:
        """The number as written, in its first reading."""
        return self.numbers[0].value if self.numbers else None

    @property
    def in_bytes(self) -> bool:
        return any(one.unit == "bytes" for one in self.numbers)

    @property
    def is_words(self) -> bool:
        return not self.numbers and not self.sides and self.items is None and self.truth is None

    def holds(self, value: Any) -> bool:
        """Whether a calculated value is the claimed one, within its rounding."""
        if self.truth is not None:
            return value is self.truth
        if self.items is not None:
            return (
                isinstance(value, list)
                and len(value) == len(self.items)
                and all(item.holds(part) for item, part in zip(self.items, value, strict=True))
            )
        if isinstance(value, bool):
            return False
        if self.sides:
            return isinstance(value, list) and flat(value) == flat(self.sides)
        if self.numbers:
            if isinstance(value, list):  # 4096 of 1×1×4096
                if any(not isinstance(side, int) for side in value) or len(flat(value)) != 1:
                    return False
                value = flat(value)[0]
            return isinstance(value, (int, Fraction)) and any(one.holds(value) for one in self.numbers)
        return isinstance(value, str) and self.text.casefold() in value.casefold()


def flat(sides: Sequence[Any]) -> tuple[Any, ...]:
    """1×1×4096 is 4096: positions are left out where there is one."""
    return tuple(sides[-1:]) if len(sides) == 3 and all(side == 1 for side in sides[:2]) else tuple(sides)


def read_claimed(value: Any) -> Claimed:
    """A value of a claims file. Raises `ValueError` with what cannot be read."""
    if isinstance(value, str) and _NO_NUMBER.fullmatch(value.strip()):
        raise ValueError(f"{value.strip()} is no number")
    if isinstance(value, bool):
        return Claimed("yes" if value else "no", truth=value)
    return _read(value)._replace(written=_written(value))


def _written(value: Any) -> str:
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, list) else str(value).strip()


def _read(value: Any) -> Claimed:
    if isinstance(value, list):
        if len(value) > MOST_ITEMS:
            raise ValueError(f"a list may have {MOST_ITEMS:,} items, this one has {len(value):,}")
        # A batch of no given size: [null, 55, 55, 96].
        items = tuple(Claimed("None") if item is None else read_claimed(item) for item in value)
        return Claimed(", ".join(item.text for item in items), items=items)
    if isinstance(value, (int, Fraction)):
        number = Fraction(value)
        text = value_text(value)
        return Claimed(text, numbers=(Stated(text, number, number, number),))
    if isinstance(value, float):
        return _read_decimal(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is a number, a shape such as 55x55x96, a list of those, true or false, or words")
    if len(value) > LONGEST:
        raise ValueError(f"may have {LONGEST} characters, this one has {len(value):,}")
    text = " ".join(value.split())
    if _SIDES.fullmatch(text):
        sides = tuple(int(side) for side in re.findall(r"\d+", text))
        return Claimed("×".join(map(str, sides)), sides=sides)
    about = _ABOUT.match(text)
    return Claimed(text, numbers=tuple(_readings(text[about.end() :] if about else text, about is not None)))


def _read_decimal(value: float) -> Claimed:
    """A decimal number: as many of its digits count as are written, and of 1.33e8 those before the e."""
    _, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("is no number")
    number = Fraction(repr(value))
    if exponent >= _FEWEST_ZEROS:
        half = Fraction(10) ** exponent / 2 if len(digits) > 1 else blur(number)
        return Claimed(f"{value:g}", numbers=(Stated(f"{value:g}", number, number - half, number + half),))
    half = Fraction(1, 10**-exponent) / 2 if exponent < 0 else Fraction(0)
    text = value_text(int(value)) if exponent >= 0 else repr(value)
    return Claimed(text, numbers=(Stated(text, number, number - half, number + half),))


def _readings(text: str, is_about: bool) -> Iterator[Stated]:
    """The number that a text is, in each meaning of its unit; none where it is words."""
    number = text.removesuffix("%").rstrip()
    quantity = "params" if number == text else "activation_bytes"  # 93.312 % has a point and no thousands
    try:
        readings = read_statement(f"≈ {number}" if is_about else number, quantity)
    except StatementError:
        return
    yield from (one._replace(text=text) for one in readings)
