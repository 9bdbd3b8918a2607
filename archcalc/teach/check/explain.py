"""Diagnoses in words: the calculation that gives the student's number, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archcalc.core.language import apart, language, say
from archcalc.explain.derive.notation import TEXT, number
from archcalc.explain.derive.steps import substituted
from archcalc.explain.derive.trace import Node
from archcalc.teach.check.mistakes.base import Mistake

#: Languages that are not written in Latin letters.
_OTHER_LETTERS = ("ru", "he", "hy", "zh")


def calculation(tree: Node) -> str:
    """(3·3·256 + 1)·384: the formula with its numbers; nothing where there is no more than a number to show."""
    return TEXT.write(substituted(tree)) if tree.kind != "number" else ""


def sentence(steps: Sequence[Mistake], shown: str, what: str, is_exact: bool = True) -> str:
    """Your number is exactly (3·3·256 + 1)·384: conv3's input depth. … `shown` is empty where there is none."""
    if len(steps) == 1:
        reason = steps[0].reason
        if not shown:
            return capital(reason)
        if is_exact:
            return say("{what} is exactly {shown}: {reason}", what=what, shown=shown, reason=reason)
        return say("{what} is {shown}: {reason}", what=what, shown=shown, reason=reason)
    first, second = (step.reason for step in steps)
    both = say("First: {first} Second: {second}", first=first, second=second)
    if not shown:
        return say("Two mistakes together. {both}", both=both)
    if is_exact:
        return say("{what} is exactly {shown}, by two mistakes. {both}", what=what, shown=shown, both=both)
    return say("{what} is {shown}, by two mistakes. {both}", what=what, shown=shown, both=both)


def capital(text: str) -> str:
    """The text as the beginning of a sentence; the name of a layer stays as it is.

    A name has a digit, _ or / in its first word, or Latin letters in a language that has others.
    """
    first = text.partition(" ")[0]
    is_name = re.search(r"[\d_/]", first) or (first[:1].isascii() and language() in _OTHER_LETTERS)
    return text if is_name else text[:1].upper() + text[1:]


def result(tree: Node) -> str:
    """(27 − 5)/1 + 1 = 23; a bare number stands alone."""
    shown = calculation(tree)
    value = number(tree.value)
    return f"{shown} = {value}" if shown not in ("", value) else value


def all_axes(trees: Sequence[Node]) -> str:
    """The calculation of each side, once where all are the same."""
    sides = [result(tree) for tree in trees]
    return sides[0] if len(set(sides)) == 1 else say(" by ").join(map(apart, sides))


def unknown(right: str, note: str = "", what: str = "") -> str:
    """Nobody is accused. `what` is the part of an answer that nothing explains, where it is not all of it."""
    none = (
        say("None of the usual mistakes gives this {what}.", what=what)
        if what
        else say("None of the usual mistakes gives this number.")
    )
    return " ".join(part for part in (none, right, note) if part)
