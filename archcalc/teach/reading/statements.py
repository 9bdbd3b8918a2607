"""What a cell says: shapes, numbers, rounded numbers, units and calculations, in every way that people write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from archcalc.teach.reading.calculation import GAP, StatementError, calculate, is_whole, scaled
from archcalc.teach.reading.stated import Stated

#: Characters of a cell.
LONGEST_CELL = 1000
#: What stands where nothing is answered.
_NOTHING = {"", "-", "–", "—", "−", "?", "…", "...", "n/a", "na", "none", "null", "nan", "nil", "~"}

_BYTES = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30}
_CYRILLIC = str.maketrans("КкМмГгБбИи", "KKMMGGBBII")
_WORDS = {
    "thousand": 1, "thousands": 1, "million": 2, "millions": 2, "mio": 2, "billion": 3, "billions": 3, "bn": 3,
    "тыс": 1, "млн": 2, "млрд": 3,
}  # fmt: skip
#: Words behind a number that say what is counted, and nothing about how much.
_COUNTED = (
    r"params?|parameters?|weights?|values?|numbers?|floats?|activations?|neurons?|units?|pixels?|px|"
    r"macs?|madds?|mult[- ]?adds?|multiply[- ]?adds?|mults?|muls?|multiplications?|multiplies|flops?|ops|operations?"
)
_NUMBER = re.compile(
    rf"(?P<about>≈|~|ca\.?|about|approx\.?)?\s*(?P<sign>[-−+])?\s*"
    rf"(?P<digits>\d{{1,3}}(?:{GAP}\d{{3}})+(?:\.\d+)?|\d+(?:[.,]\d+)*|[.,]\d+)"
    rf"\s*(?:(?:[eE]|\s*[·×x*]\s*10\s*(?:\^|\*\*))\s*(?P<exponent>[-+−]?\d{{1,2}})"
    r"|[·×x*]\s*10(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}))?"
    rf"\s*(?:(?P<word>{'|'.join(_WORDS)})\.?)?"
    rf"\s*(?:(?P<bytes>(?:[KkMmGgКкМмГг](?:[iIиИ])?)?[BБ](?:ytes?|YTES?)?|[KkMmGg]?b|(?:kilo|mega|giga|kibi|mebi|gibi)?bytes?|байта?)"
    rf"|(?P<letter>[KkMmGgBКкМм])?\s*(?P<counted>{_COUNTED})?)",
    re.IGNORECASE,
)
_FULL_WORDS = {"kilo": "K", "mega": "M", "giga": "G", "kibi": "KI", "mebi": "MI", "gibi": "GI"}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
#: What stands around a cell in Markdown and LaTeX.
_MARKS = "`*$ \t\r\n\u00a0\u2009\u202f"
#: Digits of a number.
_MOST_DIGITS = 40
#: A formula of a spreadsheet that reads other cells: =SUM(B2:B9), =B2*4.
_OTHER_CELLS = re.compile(r"(?<!\w)\$?[A-Z]{1,3}\$?\d|[A-Z]{2,}\(")
_EQUALS = re.compile(r"[=≈≃≅]|~=")


def is_empty(text: str) -> bool:
    """Whether a cell holds no answer."""
    return len(text) <= LONGEST_CELL and text.strip().lower() in _NOTHING


@lru_cache(maxsize=16384)
def read_statement(text: str, quantity: str) -> tuple[Stated, ...]:
    """The readings of a cell about a quantity of `archcalc.teach.check.model.QUANTITIES`, the likeliest first.

    There are several where a notation is ambiguous: 1.327 MB is a decimal here and a thousand there. Raises
    `StatementError` for what cannot be read.
    """
    if len(text) > LONGEST_CELL:
        raise StatementError(f"a cell may have {LONGEST_CELL:,} characters, this one has {len(text):,}")
    if text.startswith("=") and _OTHER_CELLS.search(text):
        raise StatementError("this formula reads other cells; write its result, or the calculation in numbers")
    cleaned = text.strip(_MARKS).replace("\\times", "×").replace("\\cdot", "·").removeprefix("=").strip()
    if not cleaned:
        raise StatementError("nothing to read")
    if quantity == "output_shape":
        return _shapes(text, cleaned)
    if quantity == "receptive_field" and (sides := _sides(cleaned)) and len(sides) == 2:
        return (Stated(text, sides=sides),)
    return _numbers(text, cleaned, quantity)


def split_result(text: str) -> tuple[str, str | None]:
    """A calculation, and the result behind its =, where there is one. Raises `StatementError` for nothing."""
    cleaned = text.strip(_MARKS).removeprefix("=").strip()
    if not cleaned:
        raise StatementError("nothing to read")
    return _split(cleaned)


# --- numbers


def _numbers(text: str, cleaned: str, quantity: str) -> tuple[Stated, ...]:
    written, result = _split(cleaned)
    if result is None:
        if found := tuple(_read_number(text, written, quantity, _is_about(cleaned))):
            return found
        return (_calculated(text, written),)
    found = tuple(_read_number(text, result, quantity, _is_about(cleaned)))
    if not found:
        found = (_calculated(text, result),)
    if tuple(_read_number(text, written, quantity)):  # 60 MB = 61,440,000 bytes: no calculation stands before it
        return found
    tree = calculate(_without_unit(written))
    return tuple([one._replace(expression=tree if is_whole(tree) else None) for one in found])


def _split(cleaned: str) -> tuple[str, str | None]:
    """What stands before the first = and behind the last; all of it where there is none."""
    parts = [part.strip() for part in _EQUALS.split(cleaned) if part.strip()]
    if not parts:
        raise StatementError("there is no number beside the =")
    return (parts[0], parts[-1]) if len(parts) > 1 else (_EQUALS.sub("", cleaned).strip(), None)


def _is_about(cleaned: str) -> bool:
    return any(mark in cleaned for mark in "≈≃≅~")


def _without_unit(written: str) -> str:
    return re.sub(rf"\s*(?:bytes|{_COUNTED})$", "", written, flags=re.IGNORECASE)


def _calculated(text: str, written: str) -> Stated:
    match = re.search(r"(?<=[\d)])\s*bytes?$", written, re.IGNORECASE)
    tree = calculate(_without_unit(written))
    value = Fraction(tree.value)
    whole = tree if is_whole(tree) and tree.parts else None
    return Stated(text, value, value, value, "bytes" if match else "", expression=whole)


def _read_number(text: str, written: str, quantity: str, about: bool = False) -> Iterator[Stated]:
    """The readings of a single number with its unit; none where it is no single number."""
    match = _NUMBER.fullmatch(written)
    if match is None:
        return
    if len(match["digits"]) > _MOST_DIGITS:
        raise StatementError(f"a number may have {_MOST_DIGITS} digits")
    factor = Fraction(1)
    exponent = match["exponent"] or (match["raised"] or "").translate(_RAISED)
    if exponent:
        factor *= Fraction(10) ** int(exponent.replace("−", "-"))
    if match["word"]:
        factor *= 1000 ** _WORDS[match["word"].lower()]
    unit = match["bytes"] or ""
    letter = match["letter"] or ""
    if unit == "B" and quantity != "memory":  # 0.6B parameters: billions
        unit, letter = "", "B"
    if unit:
        factor *= _bytes(unit)
    elif letter:
        factor *= scaled("1", letter)
    is_scaled = bool(letter or match["word"] or exponent or (unit and factor != 1))
    sign = -1 if match["sign"] in ("-", "−") else 1
    rough = about or bool(match["about"])
    for digits, decimals in _decimals(match["digits"], is_scaled or quantity == "memory"):
        value = Fraction(digits) * factor
        step = factor / 10**decimals
        if rough and not decimals and not is_scaled:  # ≈ 62,400,000
            step *= 10 ** (len(digits) - len(digits.rstrip("0") or "0"))
        # A number that is written in full is meant exactly.
        half = step / 2 if decimals or is_scaled or rough else Fraction(0)
        low, high = sorted((sign * (value - half), sign * (value + half)))
        yield Stated(text, sign * value, low, high, "bytes" if unit else "")


def _bytes(unit: str) -> int:
    plain = unit.translate(_CYRILLIC)
    lower = plain.lower()
    if lower.startswith("байт"):
        return 1
    for word, prefix in _FULL_WORDS.items():
        if lower.startswith(word):
            return _BYTES[prefix]
    prefix = re.sub(r"B(YTES?)?$", "", plain.upper())
    return _BYTES[prefix]


def _decimals(digits: str, may_be_decimal: bool) -> Iterator[tuple[str, int]]:
    """A number in plain digits, and how many of them are decimals. 34.944 and 34,944 may be read in two ways."""
    plain = re.sub(GAP, ",", digits)
    points, commas = plain.count("."), plain.count(",")
    groups = re.fullmatch(r"\d{1,3}([.,]\d{3})+", plain) is not None
    if points and commas:  # the later sign is the decimal one: 1,327.5 or 1.327,5
        point = max(plain.rfind("."), plain.rfind(","))
        whole, part = re.sub("[.,]", "", plain[:point]), plain[point + 1 :]
        yield (f"{whole}.{part}", len(part)) if part else (whole, 0)
        return
    if not points and not commas:
        yield plain, 0
        return
    if points + commas > 1:
        if groups:
            yield re.sub("[.,]", "", plain), 0
        return
    whole, part = re.split("[.,]", plain)
    decimal = (f"{whole or '0'}.{part}", len(part))
    if not groups:
        yield decimal
    elif not may_be_decimal:  # a count is whole: 34.944 can only be thousands
        yield whole + part, 0
    elif commas:
        yield whole + part, 0
        yield decimal
    else:
        yield decimal
        yield whole + part, 0


# --- shapes

_BETWEEN = r"\s*(?:[x×*·хX]|by|\\times)\s*"
_SIDE = rf"\d{{1,3}}(?:{GAP}\d{{3}})+|\d+"
_CROSSED = re.compile(rf"(?:{_SIDE})(?:{_BETWEEN}(?:{_SIDE}))+", re.IGNORECASE)
_LISTED = re.compile(r"(?:(?:-1|None|N|B|\?)\s*[,;]\s*)?\d+(?:\s*[,;]\s*\d+)*\s*[,;]?", re.IGNORECASE)
_MAPS = re.compile(rf"({_SIDE})\s*(?:@|maps?\s+of|channels?\s+of)\s*(\d+){_BETWEEN}(\d+)", re.IGNORECASE)
_MOST_SIDES = 4
_LARGEST_SIDE = 12  # digits


def _shapes(text: str, cleaned: str) -> tuple[Stated, ...]:
    if match := _MAPS.fullmatch(cleaned):
        channels, height, width = (_side(part) for part in match.groups())
        return (Stated(text, shape=(channels, height, width), sides=(channels, height, width)),)
    last = cleaned.rsplit("=", 1)[-1].strip()  # (227 − 11)/4 + 1 = 55
    sides = _sides(last)
    if sides is None:
        try:
            tree = calculate(cleaned)
        except StatementError:
            wanted = "write 55x55x96, (96, 55, 55), or a number for a flat one"
            raise StatementError(f"cannot be read as a shape; {wanted}") from None
        if not is_whole(tree) or tree.value < 0:
            raise StatementError("is no whole number, as a size is")
        return (Stated(text, shape=(tree.value,), sides=(tree.value,), expression=tree),)
    # A batch stands before the three sides of an image: (1, 96, 55, 55).
    sides = sides[1:] if len(sides) == _MOST_SIDES and sides[0] == 1 else sides
    shape = (sides[2], sides[0], sides[1]) if len(sides) == 3 else sides
    return (Stated(text, shape=shape, sides=sides),)


def _sides(cleaned: str) -> tuple[int, ...] | None:
    """The sides as they are written; None of what is no shape."""
    inner = cleaned
    bracketed = False
    if len(cleaned) > 1 and cleaned[0] in "([{" and cleaned[-1] in ")]}":
        inner, bracketed = cleaned[1:-1].strip(), True
    inner = re.sub(r"\s*(?:neurons?|units?|values?|px|pixels?)$", "", inner, flags=re.IGNORECASE)
    if _CROSSED.fullmatch(inner):
        parts = re.split(_BETWEEN, inner, flags=re.IGNORECASE)
    elif not bracketed and re.fullmatch(_SIDE, inner):
        parts = [inner]
    elif _LISTED.fullmatch(inner):
        parts = [part for part in re.split(r"\s*[,;]\s*", inner) if part]
        parts = parts[1:] if not parts[0].isdigit() else parts
    elif re.fullmatch(r"\d+(?: \d+)+", inner):
        parts = inner.split()
    else:
        return None
    if len(parts) > _MOST_SIDES:
        return None
    return tuple([_side(part) for part in parts])


def _side(part: str) -> int:
    digits = re.sub(GAP, "", part)
    if len(digits) > _LARGEST_SIDE:
        raise StatementError("a side is too large")
    return int(digits)
