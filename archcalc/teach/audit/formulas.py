"""Printed formulas that a single other operator would mend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import Expression, ExpressionError
from archcalc.teach.audit.claims import Formula
from archcalc.teach.check.model import Diagnosis

_OPERATORS = ("-", "+", "*", "/")
_NAMES = {"-": "minus", "+": "plus", "*": "times", "/": "divided by"}


def mended_formulas(formula: Formula, points: list[dict[str, Any]], expected: list[Any]) -> tuple[Diagnosis, ...]:
    """The operator that was lost or changed: with it the formula holds at every point."""
    found = []
    for tree, old, new in _changed(formula.printed):
        if all(_value(tree, point) == value for point, value in zip(points, expected, strict=True)):
            sides = tree_at(formula.printed, tree)
            what = f"{_NAMES[new]} stood between {sides} and was lost" if old == "*" else f"{old} stands for {new}"
            found.append(Diagnosis("wrong_operator", "", "formula", f"It holds where {what}."))
    return tuple(found)


def tree_at(old: Expression, new: Expression) -> str:
    """The two operands around the operator that is another, as letters."""
    if old.kind == new.kind == "binary" and old.value != new.value:
        return " and ".join(_letters(part) for part in old.parts)
    for before, after in zip(old.parts, new.parts, strict=True):
        if before != after:
            return tree_at(before, after)
    return ""


def _letters(tree: Expression) -> str:
    if tree.kind == "binary":
        return f"{_letters(tree.parts[0])}{tree.value}{_letters(tree.parts[1])}"
    return str(tree.value)


def _changed(tree: Expression) -> Iterator[tuple[Expression, str, str]]:
    """The tree with one operator replaced, in every way."""
    if tree.kind == "binary" and tree.value in _OPERATORS:
        for other in _OPERATORS:
            if other != tree.value:
                yield tree._replace(value=other), tree.value, other
    for index, part in enumerate(tree.parts):
        for changed, old, new in _changed(part):
            yield tree._replace(parts=(*tree.parts[:index], changed, *tree.parts[index + 1 :])), old, new


def _value(tree: Expression, point: dict[str, Any]) -> Any:
    try:
        return evaluate(tree, point)
    except ExpressionError:
        return None
