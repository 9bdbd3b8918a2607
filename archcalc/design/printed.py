"""The figures that were published of a network, first those of papers, as one more way of counting."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from fractions import Fraction
from math import prod
from typing import NamedTuple

from archcalc.core.amounts import parse_amount
from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.graph.layer_graph import LayerGraph
from archcalc.graph.published import Counts
from archcalc.ops.norm import BatchNorm
from archcalc.passes.analysis import Analysis, Row

#: The convention of what was published: a paper, the code or the model card of its authors, a library.
PAPER = "paper"
#: A number has at most this value.
LARGEST = 10**24


#: A source that is a paper: Howard et al. 2017, table 6.
_OF_PAPER = re.compile(r"[^\W\d][^\d,/]* (?:19|20)\d\d\b")


#: What is counted, after the number: 1.8 GMac, 65.86GFLOPs.
_OPERATIONS = re.compile(r"(?i)(?<=\d)(\s*[kmgbt]?)\s*(?:flops?|macs?|mult-adds?)$")


#: Units of 1,000 bytes.
_DECIMAL_BYTES = re.compile(r"(?i)([kmgt])b$")


class Wanted(NamedTuple):
    """A number that somebody has, and how exactly it is written: 4.13G is known to 10 million."""

    value: Fraction
    unit: Fraction
    is_bytes: bool
    #: Whether its last digit may be a 0 of rounding: 110M is known to a million, or to 10 million.
    may_be_coarser: bool = False
    #: The same in units of 1,024 bytes, as many write MB for MiB, and how that is said.
    binary: Wanted | None = None
    reading: str = ""

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
    found = Wanted(amount.value, whole / 10**places, amount.is_bytes, may_be_coarser)
    decimal = _DECIMAL_BYTES.search(text)
    if decimal is None or not amount.is_bytes:
        return found
    times = Fraction(1024, 1000) ** (1 + "kmgt".index(decimal[1].lower()))
    reading = f"{text[: decimal.start()].strip()} {decimal[0]} read as {decimal[1].upper()}iB"
    return found._replace(binary=found._replace(value=found.value * times, unit=found.unit * times, reading=reading))


class Printed(NamedTuple):
    """A figure that was published: as printed, as a number, where it stands, and why it may differ."""

    quantity: str
    text: str
    number: Wanted
    source: str
    note: str
    counts: Counts


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
                found[one.quantity] = Printed(
                    one.quantity, str(one.value), number, one.source, one.note or "", one.counts or Counts()
                )
    return found


def needed(graph: LayerGraph, quantity: str | None = None) -> dict[str, Printed]:
    """The figures that were published. Raises `UsageError` where there is none, or none of the quantity."""
    found = printed(graph)
    if not found or (quantity is not None and quantity not in found):
        what = quantity or "params or multiplications"
        raise UsageError(f"{graph.name} has no convention {PAPER}: no published {what} are known")
    return found if quantity is None else {quantity: found[quantity]}


class Adjustment(NamedTuple):
    """One thing that a source counts otherwise: in words, and the change of each layer that it concerns."""

    words: str
    changes: Mapping[int, int]

    @property
    def total(self) -> int:
        return sum(self.changes.values())


def adjustments(analysis: Analysis, figure: Printed) -> list[Adjustment]:
    """What leads from archcalc's count to that of the source of a figure, in the order in which it applies.

    Raises `UsageError` where the source leaves out layers that are not there.
    """
    rows, counts = analysis.rows, figure.counts
    now: list[int] = [getattr(row, figure.quantity) or 0 for row in rows]
    found: list[Adjustment] = []

    def change(words: str, changes: Mapping[int, int]) -> None:
        found.append(Adjustment(words, {layer: by for layer, by in changes.items() if by}))
        for layer, by in changes.items():
            now[layer] += by

    for name in counts.without:
        if name == "biases":
            change(say("without biases"), {layer: -min(row.biases, now[layer]) for layer, row in enumerate(rows)})
        elif name == "gamma":
            norms = [layer for layer, row in enumerate(rows) if isinstance(row.op, BatchNorm)]
            change(
                say("without γ of batch normalisation"),
                {layer: -min(rows[layer].weights, now[layer]) for layer in norms},
            )
        else:
            change(say("without {layers}", layers=name), {layer: -now[layer] for layer in _named(rows, name, figure)})
    if counts.running_statistics:
        statistics = {layer: row.params + row.buffers - row.weights - row.biases for layer, row in enumerate(rows)}
        change(say("with running statistics"), statistics)
    for name, times in counts.for_each_value.items():
        values = {layer: times * prod(rows[layer].output_shape) for layer in _named(rows, name, figure)}
        change(say("{count} for each value of {layers}", count=times, layers=name), values)
    if counts.operations > 1:
        change(say("the addition of each multiply-add too"), dict(enumerate(now)))
    return found


def _named(rows: Sequence[Row], name: str, figure: Printed) -> list[int]:
    """The layers of an op, or of a name in which * stands for anything."""
    found = [layer for layer, row in enumerate(rows) if row.op.kind == name or fnmatchcase(row.name, name)]
    if not found:
        raise UsageError(f"reported {figure.quantity} of {figure.source}: counts: there is no layer {name}")
    return found


def difference(figure: Printed, counted: int) -> str:
    """What lies between a count and what was published, in words; the count may be by the rule of the source."""
    close = figure.number.closeness(counted)
    if close is not None:
        return (say("as printed"), say("rounded in print"), say("cut off in print"), say("rounded in print"))[close]
    return say(figure.note) if figure.note else say("not explained by the source")


def with_figures(analysis: Analysis) -> Analysis:
    """The analysis, with params and multiplications as the sources of the published figures count them.

    Raises `UsageError` where none were published.
    """
    figures = needed(analysis.graph)
    rules, rows, stored = analysis.describe_conventions(), list(analysis.rows), analysis.totals.params
    for quantity, figure in figures.items():
        changes = adjustments(analysis, figure)
        for layer in {layer for one in changes for layer in one.changes}:
            rows[layer] = _counted(rows[layer], quantity, sum(one.changes.get(layer, 0) for one in changes))
        if figure.counts.running_statistics:
            rows = [row._replace(buffers=0) for row in rows]
            stored += analysis.totals.buffers
        total = getattr(analysis.totals, quantity) + sum(one.total for one in changes)
        if changes:
            how = ", ".join(one.words for one in changes)
            rules[quantity] += say("; here as the source counts: {changes}", changes=how)
        why = difference(figure, total)
        rules[quantity] += say("; {source} prints {text}: {why}", source=figure.source, text=figure.text, why=why)
    conventions = replace(
        analysis.conventions, params_rule=rules["params"], multiplications_rule=rules["multiplications"]
    )
    return replace(analysis, rows=tuple(rows), conventions=conventions, stored_params=stored)


def _counted(row: Row, quantity: str, change: int) -> Row:
    if quantity == "multiplications":
        return row._replace(multiplications=(row.multiplications or 0) + change)
    params = row.params + change
    return row._replace(params=params, trainable_params=min(row.trainable_params, params))
