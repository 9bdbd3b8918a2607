"""Diagnoses in words: the calculation that gives the student's number, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.explain.derive.notation import TEXT, number
from archcalc.explain.derive.steps import substituted
from archcalc.explain.derive.trace import Node
from archcalc.teach.check.mistakes.base import Mistake


def calculation(tree: Node) -> str:
    """(3·3·256 + 1)·384: the formula with its numbers; nothing where there is no more than a number to show."""
    return TEXT.write(substituted(tree)) if tree.kind != "number" else ""


def sentence(steps: Sequence[Mistake], shown: str, what: str, is_exact: bool = True) -> str:
    """Your number is exactly (3·3·256 + 1)·384: conv3's input depth. … `shown` is empty where there is none."""
    if len(steps) == 1:
        reason = steps[0].reason
        if not shown:
            return capital(reason)
        return f"{what} is {'exactly ' if is_exact else ''}{shown}: {reason}"
    numbered = [f"{word} {step.reason}" for word, step in zip(("First:", "Second:"), steps, strict=True)]
    both = " ".join(numbered)
    if not shown:
        return f"Two mistakes together. {both}"
    return f"{what} is {'exactly ' if is_exact else ''}{shown}, by two mistakes. {both}"


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def result(tree: Node) -> str:
    """(27 − 5)/1 + 1 = 23; a bare number stands alone."""
    shown = calculation(tree)
    value = number(tree.value)
    return f"{shown} = {value}" if shown not in ("", value) else value


def all_axes(trees: Sequence[Node]) -> str:
    """The calculation of each side, once where all are the same."""
    sides = [result(tree) for tree in trees]
    return sides[0] if len(set(sides)) == 1 else " by ".join(sides)


def unknown(right: str, note: str = "") -> str:
    """Nobody is accused."""
    return " ".join(part for part in ("None of the usual mistakes gives this number.", right, note) if part)
