"""The nearest known names for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.core.language import apart, say

#: Letters that are taken for digits.
_LOOK_ALIKE = str.maketrans("lio", "110")


def nearest(word: str, known: Iterable[str], count: int = 3, likeness: float = 0.6) -> list[str]:
    """At most `count` of the known names that look like `word`, best first; `likeness` from 0 to 1 is asked of them."""
    from difflib import SequenceMatcher  # only needed once something is wrong

    word = word.lower()[:80]
    scored = []
    for candidate in dict.fromkeys(known):
        other = candidate.lower()[:80]
        ratio = SequenceMatcher(None, word, other).ratio()
        if word.translate(_LOOK_ALIKE) == other.translate(_LOOK_ALIKE):
            ratio = 1.0
        if ratio >= likeness or (likeness <= 0.6 and len(word) >= 3 and candidate.lower().startswith(word)):
            scored.append((-ratio, candidate))
    return [candidate for _, candidate in sorted(scored)[:count]]


def perhaps(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """The same as `did_you_mean` in the chosen language."""
    close = nearest(word, known, likeness=likeness)
    return say("; did you mean {close}?", close=say(" or ").join(map(apart, close))) if close else ""


def did_you_mean(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """`; did you mean a or b?`, or nothing."""
    close = nearest(word, known, likeness=likeness)
    return f"; did you mean {' or '.join(close)}?" if close else ""
