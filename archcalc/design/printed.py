"""The figures that were published of a network, first those of papers, as one more way of counting."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from archcalc.core.amounts import parse_amount
from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis

#: The convention of what was published: a paper, the code or the model card of its authors, a library.
PAPER = "paper"
#: A number has at most this value.
LARGEST = 10**24


#: A source that is a paper: Howard et al. 2017, table 6.
_OF_PAPER = re.compile(r"[^\W\d][^\d,/]* (?:19|20)\d\d\b")


#: What is counted, after the number: 1.8 GMac, 65.86GFLOPs.
_OPERATIONS = re.compile(r"(?i)(?<=\d)(\s*[kmgbt]?)\s*(?:flops?|macs?|mult-adds?)$")


class Wanted(NamedTuple):
    """A number that somebody has, and how exactly it is written: 4.13G is known to 10 million."""

    value: Fraction
    unit: Fraction
    is_bytes: bool
    #: Whether its last digit may be a 0 of rounding: 110M is known to a million, or to 10 million.
    may_be_coarser: bool = False

    def closeness(self, number: int) -> int | None:
        """How close a number is to the text, as a place in `CLOSENESS`; None for another number."""
        if number == self.value:
            return 0
        if self.unit <= 1 and self.value.denominator == 1:
            return None
        if abs(number - self.value) <= self.unit / 2 and number != self.value + self.unit / 2:
            return 1
        if self.value <= number < self.value + self.unit:
            return 2
        return 3 if self.may_be_coarser and abs(number - self.value) < self.unit * 5 else None


#: How close a number can be to a text, the closest first.
CLOSENESS = ("exact", "rounded", "cut off", "rounded to fewer digits")


def read_number(text: str) -> Wanted:
    """The number of a text such as 4.13G, 1.8 GMac, 25,636,712 or 98 MiB. Raises `UsageError`."""
    text = _OPERATIONS.sub(r"\1", text.strip())
    amount = parse_amount(text, "NUMBER", LARGEST)
    digits = re.match(r"[\d,_]+(?:\.(\d+))?", text.strip())
    places = len(digits[1] or "") if digits else 0
    whole = parse_amount(re.sub(r"^[\d,_.]+", "1", text.strip()), "NUMBER", LARGEST).value
    if not amount.value:
        raise UsageError("NUMBER must be more than 0")
    # Two digits before the zero are the fewest that tell numbers apart.
    may_be_coarser = not places and re.match(r"[\d,_]*\d[,_]?\d[,_]?0(?![\d,_.])", text.strip()) is not None
    return Wanted(amount.value, whole / 10**places, amount.is_bytes, may_be_coarser)


class Printed(NamedTuple):
    """A figure that was published: as printed, as a number, where it stands, and why it may differ."""

    quantity: str
    text: str
    number: Wanted
    source: str
    note: str


def printed(graph: LayerGraph) -> dict[str, Printed]:
    """The params and multiplications that were published, those that are numbers; those of a paper before others."""
    found: dict[str, Printed] = {}
    for one in sorted(graph.reported, key=lambda one: _OF_PAPER.match(one.source) is None):
        if one.quantity in ("params", "multiplications") and one.quantity not in found:
            try:
                number = read_number(str(one.value))
            except UsageError:  # in words, or in another unit
                continue
            if number.value.denominator == 1 and not number.is_bytes:
                found[one.quantity] = Printed(one.quantity, str(one.value), number, one.source, one.note or "")
    return found


def needed(graph: LayerGraph, quantity: str | None = None) -> dict[str, Printed]:
    """The figures that were published. Raises `UsageError` where there is none, or none of the quantity."""
    found = printed(graph)
    if not found or (quantity is not None and quantity not in found):
        what = quantity or "params or multiplications"
        raise UsageError(f"{graph.name} has no convention {PAPER}: no published {what} are known")
    return found if quantity is None else {quantity: found[quantity]}


def difference(figure: Printed, computed: int) -> str:
    """What lies between what archcalc counts and what was published, in words."""
    if figure.number.closeness(computed) is not None:
        return "rounded in print"
    return figure.note or "not explained by the source"


def with_figures(analysis: Analysis) -> Analysis:
    """The analysis, with what was published among its conventions. Raises `UsageError` where nothing was."""
    figures = needed(analysis.graph)
    rules = {}
    for quantity in ("params", "multiplications"):
        rules[quantity] = analysis.conventions.describe()[quantity]
        if one := figures.get(quantity):
            why = difference(one, getattr(analysis.totals, quantity))
            rules[quantity] += f"; {one.source} prints {one.text}: {why}"
    conventions = replace(
        analysis.conventions, params_rule=rules["params"], multiplications_rule=rules["multiplications"]
    )
    return replace(analysis, conventions=conventions)
