"""A network under all rules, or under some."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.core.suggest import did_you_mean
from archcalc.design.lint import sizes, structure
from archcalc.design.lint.rule import Found, Rule, View
from archcalc.passes.analysis import Analysis

RULES: dict[str, Rule] = {rule.id: rule for rule in (*sizes.RULES, *structure.RULES)}


def lint(
    analysis: Analysis, select: Collection[str] = (), ignore: Collection[str] = (), seen: str | None = None
) -> tuple[Found, ...]:
    """What the rules find, in the order of the layers: those selected (default: all) without those ignored.

    `seen`: the size of an object in the input, `96x96`. Raises `UsageError` for a rule that there is not, and for a
    size that is none.
    """
    for name in (*select, *ignore):
        rule_of(name)
    chosen = [rule for rule in RULES.values() if (not select or rule.id in select) and rule.id not in ignore]
    view = View(analysis, None if seen is None else _sides(analysis, seen))
    return tuple(sorted(_found(view, chosen), key=lambda found: found.finding.layer))


def _sides(analysis: Analysis, text: str) -> Shape:
    """The sides of an object: 96x96, or 96 for all of them."""
    shape = analysis.graph.input_shape
    if len(shape) == 1:
        raise UsageError(
            f"{analysis.graph.name} reads a row of numbers without positions, in which an object has no size"
        )
    sides = re.split("[x×]", text.strip())
    sides = sides * (len(shape) - 1) if len(sides) == 1 else sides
    if len(sides) != len(shape) - 1 or not all(re.fullmatch("[1-9][0-9]{0,8}", side, re.ASCII) for side in sides):
        example = "x".join(["96"] * (len(shape) - 1))
        raise UsageError(f"an object of {analysis.graph.name} has a size such as {example}, not {text[:60]!r}")
    return tuple(map(int, sides))


def _found(view: View, chosen: Iterable[Rule]) -> Iterable[Found]:
    for rule in chosen:
        for finding in rule.find(view):
            layer = view.graph.layers[finding.layer]
            yield Found(rule, finding, layer.name, layer.location)


def rule_of(name: str) -> Rule:
    """A rule by its id. Raises `UsageError` with the nearest."""
    if name not in RULES:
        hint = did_you_mean(name, RULES) or f"; there are {', '.join(RULES)}"
        raise UsageError(f"there is no rule {name[:60]!r}{hint}")
    return RULES[name]
