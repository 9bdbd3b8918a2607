"""A network under all rules, or under some."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from archcalc.core.errors import UsageError
from archcalc.core.suggest import did_you_mean
from archcalc.design.lint import sizes, structure
from archcalc.design.lint.rule import Found, Rule, View
from archcalc.passes.analysis import Analysis

RULES: dict[str, Rule] = {rule.id: rule for rule in (*sizes.RULES, *structure.RULES)}


def lint(analysis: Analysis, select: Collection[str] = (), ignore: Collection[str] = ()) -> tuple[Found, ...]:
    """What the rules find, in the order of the layers: those selected (default: all) without those ignored.

    Raises `UsageError` for a rule that there is not.
    """
    for name in (*select, *ignore):
        rule_of(name)
    chosen = [rule for rule in RULES.values() if (not select or rule.id in select) and rule.id not in ignore]
    view = View(analysis)
    return tuple(sorted(_found(view, chosen), key=lambda found: found.finding.layer))


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
