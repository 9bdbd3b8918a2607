"""The figures that a network's own paper prints, as one more way of counting."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from archcalc.core.amounts import parse_amount
from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis

#: The convention of the network's own paper.
PAPER = "paper"
#: A number has at most this value.
LARGEST = 10**24


class Wanted(NamedTuple):
    """A number that somebody has, and how exactly it is written: 4.13G is known to 10 million."""

    value: Fraction
    unit: Fraction
    is_bytes: bool

    def closeness(self, number: int) -> int | None:
        """0 for the number itself, 1 where it is written rounded, 2 where it is cut off; None for another number."""
        if number == self.value:
            return 0
        if self.unit <= 1 and self.value.denominator == 1:
            return None
        lowest = self.value - self.unit / 2
        if lowest <= number < lowest + self.unit:
            return 1
        return 2 if self.value <= number < self.value + self.unit else None


def read_number(text: str) -> Wanted:
    """The number of a text such as 4.13G, 25,636,712 or 98 MiB. Raises `UsageError`."""
    amount = parse_amount(text, "NUMBER", LARGEST)
    digits = re.match(r"[\d,_]+(?:\.(\d+))?", text.strip())
    places = len(digits[1] or "") if digits else 0
    whole = parse_amount(re.sub(r"^[\d,_.]+", "1", text.strip()), "NUMBER", LARGEST).value
    if not amount.value:
        raise UsageError("NUMBER must be more than 0")
    return Wanted(amount.value, whole / 10**places, amount.is_bytes)


class Printed(NamedTuple):
    """A figure of a paper: as printed, as a number, where it stands, and why it may differ."""

    quantity: str
    text: str
    number: Wanted
    source: str
    note: str


def printed(graph: LayerGraph) -> dict[str, Printed]:
    """The params and multiplications that the paper prints, those that are numbers; none where it prints none."""
    found: dict[str, Printed] = {}
    for one in graph.reported:
        if one.quantity in ("params", "multiplications") and one.quantity not in found:
            try:
                number = read_number(str(one.value))
            except UsageError:  # in words, or in another unit
                continue
            if number.value.denominator == 1 and not number.is_bytes:
                found[one.quantity] = Printed(one.quantity, str(one.value), number, one.source, one.note or "")
    return found


def needed(graph: LayerGraph, quantity: str | None = None) -> dict[str, Printed]:
    """The figures of the paper. Raises `UsageError` where there is none, or none of the quantity."""
    found = printed(graph)
    if not found or (quantity is not None and quantity not in found):
        what = quantity or "params or multiplications"
        raise UsageError(f"{graph.name} has no convention {PAPER}: no {what} that its paper prints are known")
    return found if quantity is None else {quantity: found[quantity]}


def difference(figure: Printed, computed: int) -> str:
    """What lies between what archcalc counts and what the paper prints, in words."""
    if figure.number.closeness(computed) is not None:
        return "rounded in print"
    return figure.note or "not explained by the paper"


def with_figures(analysis: Analysis) -> Analysis:
    """The analysis, with what the paper prints among its conventions. Raises `UsageError` where it prints nothing."""
    figures = needed(analysis.graph)
    rules = {}
    for quantity in ("params", "multiplications"):
        rules[quantity] = analysis.conventions.describe()[quantity]
        if one := figures.get(quantity):
            why = difference(one, getattr(analysis.totals, quantity))
            rules[quantity] += f"; the paper prints {one.text} ({one.source}): {why}"
    conventions = replace(
        analysis.conventions, params_rule=rules["params"], multiplications_rule=rules["multiplications"]
    )
    return replace(analysis, conventions=conventions)
