"""Text laid out for a terminal: aligned columns, wrapped lines, bold and dim."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence

from archcalc.core.language import direction

GAP = "  "
#: Characters that take one cell: × and –, and all of Latin, Greek and Cyrillic. A set is made faster than a pattern.
_USUAL = frozenset(map(chr, (*range(0x20, 0x300), *range(0x370, 0x483), *range(0x2010, 0x2028))))


def align(table: Sequence[Sequence[str]], right: Sequence[bool], colour: bool) -> list[str]:
    """The lines of a table whose first row is the heading."""
    widths = [max(cells(line[index]) for line in table) for index in range(len(right))]
    lines = [
        GAP.join(pad(cell, widths[index], right[index]) for index, cell in enumerate(line)).rstrip() for line in table
    ]
    return [bold(lines[0], colour), *lines[1:]]


def bold(text: str, colour: bool) -> str:
    return f"\x1b[1m{text}\x1b[0m" if colour else text


def dim(text: str, colour: bool) -> str:
    return f"\x1b[2m{text}\x1b[0m" if colour else text


#: Sets of a few ranges each: one of them all would take long to compile.
#: What moves the cursor, changes colours or the direction of writing: everything but a tab and the end of a line.
_STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|[\u202a-\u202e]|[\u2066-\u2069]|\r(?!\n)")
#: The same but for the signs that set values and cells apart in a text from right to left.
_STEERING_RTL = re.compile(_STEERING.pattern.replace("\u2066-\u2069", "\u2068"))
#: These signs, which take no cell.
_ISOLATES = re.compile("[\u2066-\u2069]")
_COLOUR = re.compile(r"(\x1b\[[0-9;]{1,8}m)")


def printable(text: str, colour: bool = False) -> str:
    """A text without what would steer a terminal; names in a spec or a table of answers may hold anything.

    With `colour` it may change colours and weights of letters.
    """
    steering = _STEERING if direction() == "ltr" else _STEERING_RTL
    if not colour:
        return steering.sub("?", text)
    parts = _COLOUR.split(text)
    return "".join(part if index % 2 else steering.sub("?", part) for index, part in enumerate(parts))


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most so many characters, the later ones indented; long words stay whole."""
    words = " ".join(text.split())
    lines = textwrap.wrap(words, width, subsequent_indent=GAP, break_long_words=False, break_on_hyphens=False)
    return lines or [""]


def cells(text: str) -> int:
    """Terminal cells that a text takes: two for East Asian wide characters, none for combining ones."""
    if text.isascii() or _USUAL.issuperset(text):
        return len(text)
    text = _ISOLATES.sub("", text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def pad(text: str, width: int, right: bool = False) -> str:
    """A text in a column of so many terminal cells, at its left or right."""
    space = " " * (width - cells(text))
    return space + text if right else text + space
