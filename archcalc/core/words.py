"""Numbers and names as people read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from archcalc.core.language import ISOLATES, mark, say_many, sets_apart

NONE = "–"
NOT_COUNTED = mark("not counted")
AT_LEAST = "≥ "
#: Characters that cannot be seen: marks of direction, spaces without a width, soft hyphens, byte order marks. Joiners
#: count among them except between letters of scripts that need them, such as Persian.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
    "|(?<![^\x00-\u02ff])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u02ff])"
)


def count(number: int) -> str:
    """34,944; an en dash for none."""
    return f"{number:,}" if number else NONE


def size(number: int, more: int = 0) -> str:
    """Bytes in KiB, MiB or GiB with three digits, or some more: 604 KiB."""
    if not number:
        return NONE
    value = float(number)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < (1000 if unit == "bytes" else 999.5) or unit == "GiB":
            break
        value /= 1024
    if unit == "bytes":
        return several(number, "byte")
    digits = (2 if value < 9.995 else 1 if value < 99.95 else 0) + more
    return f"{value:,.{digits}f} {unit}"


def distinct_sizes(*numbers: int) -> list[str]:
    """Sizes next to each other, with as many digits as tell unequal ones apart: 12.00 GiB, 11.97 GiB."""
    for more in range(7):
        written = [size(number, more) for number in numbers]
        if len(set(written)) == len(set(numbers)):
            return written
    return [f"{number:,} bytes" for number in numbers]


def duration(seconds: float) -> str:
    """A time with three digits: 1.23 ms, 456 µs, 12.0 s."""
    if not seconds:
        return NONE
    value, unit = seconds, "s"
    for smaller in ("ms", "µs", "ns"):
        if value >= 0.9995:
            break
        value, unit = value * 1000, smaller
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{digits}f} {unit}" if value >= 0.01 else "<0.01 ns"


def visible(text: str) -> str:
    """A text that somebody wrote without the characters that cannot be seen."""
    return text if text.isascii() else _UNSEEN.sub("", text)


def line(text: str) -> str:
    """Text of a spec on one line, without what would steer a terminal or break a table."""
    kept = ISOLATES if sets_apart(text) else ""
    return " ".join("".join(letter if letter.isprintable() or letter in kept else " " for letter in text).split())


def document_property(text: str) -> str:
    """As much of a text as a title or a subject of Office documents may have: 255 characters."""
    return text if len(text) <= 255 else text[:254] + "…"


def share(part: int, whole: int) -> str:
    """A percentage with one digit; a small one that is not zero is written <0.1 %."""
    if not part or not whole:
        return NONE
    tenths = (2000 * part + whole) // (2 * whole)  # rounded half up, without floats
    return f"{tenths // 10}.{tenths % 10} %" if tenths else "<0.1 %"


def number(value: int | float | Fraction) -> str:
    """A stride: whole where it is."""
    return f"{float(value):g}" if value != int(value) else str(int(value))


_PLURALS = {"bias": "biases"}


def several(count: int, noun: str) -> str:
    """1 bias, 96 biases, 363 weights."""
    return say_many(*forms(noun), count)


def forms(noun: str) -> tuple[str, str]:
    """The messages of `several` for one and for many."""
    before, space, last = noun.rpartition(" ")
    return f"{{count:,}} {noun}", f"{{count:,}} {before}{space}{_PLURALS.get(last, last + 's')}"


def listed(parts: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


#: What belongs to a surname before its last part: van den Oord, de Freitas, Le Folgoc.
_PARTICLES = frozenset(
    {"van", "von", "der", "den", "de", "del", "della", "di", "da", "du", "dos", "das", "la", "le", "ten", "ter", "zu"}
    | {"Van", "De", "Le"}
)


def _surname(parts: Sequence[str]) -> str:
    """The last part of a name, with the particles before it."""
    start = len(parts) - 1
    while start > 1 and parts[start - 1] in _PARTICLES:
        start -= 1
    return " ".join(parts[start:])


def people(authors: Sequence[str]) -> str:
    """Krizhevsky, Sutskever & Hinton; more than four: Szegedy et al."""
    names = [_surname(author.split()) for author in authors if author.split()]
    if len(names) > 4:
        return f"{names[0]} et al."
    return " & ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def merged(lists: Sequence[Sequence[str]]) -> list[str]:
    """The names of several lists in one; a new one comes after the one that it follows in its own list."""
    found: list[str] = []
    for names in lists:
        place = 0
        for name in names:
            if name in found:
                place = found.index(name) + 1
            else:
                found.insert(place, name)
                place += 1
    return found
