"""How wide a text is drawn, and how it is shortened."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

from archcalc.core.language import ISOLATES, balanced, sets_apart

#: Of the size of the font: from the baseline to the top of a capital letter, and between two baselines.
CAPITAL = 0.716
LEADING = 1.3
#: Characters that the font lacks: full-width ones fill a square; others get what is wide for a letter.
FULL, OTHER = 1000, 667
#: The Hebrew hyphen, which the shipped font lacks: it is drawn as a plain one.
MAQAF = "\u05be"
#: The widths of the characters of the shipped font, by weight.
FOLDER = Path(__file__).parent / "fonts"
WIDTHS = FOLDER / "widths.json"
#: The fonts that go into PDF and PNG; a font of the system is taken for what they lack.
FILES = {False: FOLDER / "Arimo-Regular.ttf", True: FOLDER / "Arimo-Bold.ttf"}


@cache
def _widths(bold: bool) -> dict[str, int]:
    table = json.loads(WIDTHS.read_text(encoding="utf-8"))["bold" if bold else "regular"]
    return {character: int(width) for width, text in table.items() for character in text}


def covered(character: str) -> bool:
    """Whether the shipped font has a character."""
    return character in _widths(False)


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn"):
        return 0
    return FULL if unicodedata.east_asian_width(character) in "WF" else OTHER


class Measured(Protocol):
    """A font in place of the shipped one: its name, what says whether two measure alike, and widths of characters."""

    name: str
    key: str

    def width(self, character: str, bold: bool) -> float:
        """In thousandths of the size of the font."""


#: The font that was chosen; None for the shipped one.
FACE: ContextVar[Measured | None] = ContextVar("face", default=None)


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Width of a line of text at a font size."""
    if (face := FACE.get()) is not None:
        found = [face.width(c, bold) if covered(c) else _width(c) for c in text]
        return sum(found) * size / 1000
    return _units(text, bold) * size / 1000


@lru_cache(maxsize=1 << 13)
def _units(text: str, bold: bool) -> float:
    """The width in the shipped font; a network that is being changed has most of its texts again and again."""
    widths = _widths(bold)
    return sum([widths[c] if c in widths else _width(c) for c in text])


def shorten(text: str, width: float, size: float, bold: bool = False) -> str:
    """The text, or as much of its beginning and end as fits into a width, with an ellipsis between.

    A text that has an ellipsis is cut there again, so that it has one still.
    """
    if text_width(text, size, bold) <= width:
        return text
    head, ellipsis, end = text.partition("…")
    if ellipsis:
        while (head or end) and text_width(f"{head}…{end}", size, bold) > width:
            head, end = (head[:-1].rstrip(), end) if len(head) >= 2 * len(end) else (head, end[1:])
        return "…".join(balanced([head, end]))
    low, high = 0, len(text)
    while low < high:  # the most characters that fit
        middle = (low + high + 1) // 2
        if text_width(_cut(text, middle), size, bold) <= width:
            low = middle
        else:
            high = middle - 1
    return _cut(text, low)


def _cut(text: str, keep: int) -> str:
    tail = keep // 3
    head, end = balanced([text[: keep - tail].rstrip(), text[len(text) - tail :] if tail else ""])
    return f"{head}…{end}"


def wrap(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """Words in lines of at most a width; a longer word is shortened."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, size, bold) <= width:
            lines[-1] = joined
        else:
            lines.append(shorten(word, width, size, bold))
    return balanced(lines) if any(sign in text for sign in ISOLATES) else lines


def clean(text: str) -> str:
    """Without control characters, which no picture format can hold, and those that turn the direction of the text."""
    if text.isprintable():
        return text
    kept = ISOLATES if sets_apart(text) else ""
    return "".join(c if c.isprintable() or c in kept or _joins(c) else "�" for c in text)


def _joins(character: str) -> bool:
    """Whether a character is invisible and belongs to its neighbours, as between the parts of an emoji."""
    return unicodedata.category(character) == "Cf" and unicodedata.bidirectional(character) == "BN"


def missing(texts: Iterable[str]) -> set[str]:
    """Characters that the shipped fonts lack; signs of direction are not drawn, and a Hebrew hyphen is drawn as one."""
    seen = {c for text in texts for c in text if c != MAQAF and unicodedata.category(c) != "Cf"}
    return {c for c in seen if not covered(c)}
