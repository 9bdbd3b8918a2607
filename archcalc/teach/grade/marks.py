"""Points: what each cell of a submission is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.teach.check.model import Cell, Check, Verdict

UNKNOWN = "unknown"


class Scheme(NamedTuple):
    """Shares of a cell's point, between 0 and 1.

    `follow_through`: for what is right given an earlier mistake, which has cost its own point already. `partial`: what
    each step that went wrong leaves of a point, where known mistakes give the number exactly: a half after one, a
    quarter after two.
    """

    follow_through: Fraction = Fraction(1)
    partial: Fraction = Fraction(1, 2)


def make_scheme(follow_through: float, partial: float) -> Scheme:
    """Shares as exact numbers. Raises `UsageError` for one that is no share."""
    for name, value in (("follow-through", follow_through), ("partial", partial)):
        if not 0 <= value <= 1:
            raise UsageError(f"--{name} is a share of a point, between 0 and 1, not {value:g}")
    return Scheme(Fraction(str(follow_through)), Fraction(str(partial)))


class Item(NamedTuple):
    """A cell that was asked for, and its points. `cell` is None where the submission has no such cell."""

    layer: str
    quantity: str
    score: Fraction
    cell: Cell | None

    @property
    def verdict(self) -> Verdict:
        return self.cell.verdict if self.cell is not None else Verdict.EMPTY


@dataclass(frozen=True)
class Marked:
    """A submission with its points; `problem` says why it could not be read, and then there are no items."""

    student: str
    items: tuple[Item, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    #: What a platform calls the student, where the name of a file says it.
    number: str = ""

    @property
    def score(self) -> Fraction:
        return sum((item.score for item in self.items), Fraction())

    @property
    def most(self) -> int:
        """Points that could be had."""
        return len(self.items)

    @property
    def share(self) -> Fraction:
        return self.score / self.most if self.most else Fraction()

    def count(self, verdict: Verdict) -> int:
        return sum(item.verdict is verdict for item in self.items)


def mark(student: str, check: Check, asked: Iterable[tuple[str, str]], scheme: Scheme) -> Marked:
    """Points for each cell that was asked for, in the order of `asked`; what else a submission holds earns nothing."""
    cells: dict[tuple[str, str], Cell] = {}
    for cell in check.cells:
        cells.setdefault((cell.layer, cell.quantity), cell)
    items = []
    for layer, quantity in asked:
        found = cells.get((layer, quantity))
        items.append(Item(layer, quantity, _points(found, scheme), found))
    return Marked(student, tuple(items))


def _points(cell: Cell | None, scheme: Scheme) -> Fraction:
    if cell is None:
        return Fraction()
    if cell.verdict is Verdict.RIGHT:
        return Fraction(1)
    if cell.verdict is Verdict.CARRIED:
        return scheme.follow_through
    steps = wrong_steps(cell)
    return scheme.partial**steps if steps else Fraction()


def wrong_steps(cell: Cell) -> int:
    """How many steps went wrong in a wrong cell, by its best explanation; 0 where none is known."""
    ranks = [found.rank for found in cell.diagnoses if found.mistake != UNKNOWN]
    return ranks.count(min(ranks)) if ranks and cell.verdict is Verdict.WRONG else 0


def points(number: Fraction) -> str:
    """12, 12.5 or 12.33: points with two digits at most, rounded half up."""
    hundredths = (200 * number.numerator + number.denominator) // (2 * number.denominator)
    whole, rest = divmod(hundredths, 100)
    return f"{whole}" if not rest else f"{whole}.{rest:02d}".rstrip("0")


def percent(share: Fraction) -> str:
    """83 %; rounded half up, but 100 only where all is right."""
    rounded = (200 * share.numerator + share.denominator) // (2 * share.denominator)
    return f"{min(rounded, 99) if share < 1 else rounded} %"
