"""What a file of claims holds once it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.core.errors import Location
from archcalc.explain.derive.trace import Node
from archcalc.spec.expressions import Expression
from archcalc.teach.reading.claimed import Claimed, read_claimed
from archcalc.teach.reading.stated import Stated


class Calculation(NamedTuple):
    """Something to calculate: a tree, and the names that it may use."""

    tree: Expression
    variables: Mapping[str, Any]


class Formula(NamedTuple):
    """A printed formula, and what it should equal at every one of some points."""

    printed: Expression
    printed_text: str
    equals: Calculation
    points: Mapping[str, tuple[Any, ...]]
    condition: Expression | None


class Printed(NamedTuple):
    """A calculation as the text prints it."""

    text: str
    tree: Node
    #: What it may come to, where its numbers are rounded.
    reach: tuple[Fraction, Fraction]

    def claimed(self) -> Claimed:
        """Its result as a claim."""
        value = self.tree.value
        return read_claimed(value)._replace(numbers=(Stated(self.text, Fraction(value), *self.reach),))

    def agrees(self, claimed: Claimed) -> bool:
        """Whether it gives what is claimed; of a shape it gives a side."""
        low, high = self.reach
        return self.tree.value in claimed.sides or any(
            one.low <= high and low <= one.high
            for one in claimed.numbers
            if one.low is not None and one.high is not None
        )


@dataclass(frozen=True)
class Claim:
    """A statement and what it is checked against: a calculation, a formula, its own arithmetic, or nothing."""

    id: str
    document: str
    topic: str
    text: str
    line: int | None
    value: Claimed | None
    printed: Printed | None
    calculation: Calculation | None = None
    formula: Formula | None = None
    #: The ids of the claims whose values it adds up, with * for any letters.
    adds: str = ""
    reason: str = ""
    #: What else the claim may mean: when, and the claim as it is then.
    readings: tuple[tuple[str, Claim], ...] = ()
    location: Location | None = None
    #: Places of the parts that can turn out wrong when they are calculated.
    places: Mapping[str, Location] = field(default_factory=dict)


class Claims(NamedTuple):
    """A file of claims: its title, the documents by their short names, the claims in the order of the file."""

    file: str
    title: str
    documents: Mapping[str, str]
    claims: tuple[Claim, ...]
