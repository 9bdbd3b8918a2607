"""The nearest known names for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """At most `count` of the known names that look like `word`, best first."""
    from difflib import SequenceMatcher  # only needed once something is wrong

    word = word.lower()[:80]
    scored = []
    for candidate in dict.fromkeys(known):
        ratio = SequenceMatcher(None, word, candidate.lower()[:80]).ratio()
        if ratio >= 0.6 or (len(word) >= 3 and candidate.lower().startswith(word)):
            scored.append((-ratio, candidate))
    return [candidate for _, candidate in sorted(scored)[:count]]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean a or b?`, or nothing."""
    close = nearest(word, known)
    return f"; did you mean {' or '.join(close)}?" if close else ""
