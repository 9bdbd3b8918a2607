"""A table that was made for another network of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache

from archcalc.core.language import say
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.tables.summaries import Summary, summaries
from archcalc.spec.catalogue import key_of, load
from archcalc.teach.check.model import TOTAL, Cell, Check, Verdict
from archcalc.teach.reading.calculation import StatementError
from archcalc.teach.reading.statements import is_empty, read_statement

#: Fewer answers, and fewer wrong ones, are those of a person who errs.
_FEWEST, _FEWEST_WRONG = 6, 4
#: How many networks are tried, those first whose totals are nearest to the table's, and how large they may be.
_MOST_TRIED, _MOST_LAYERS = 40, 400
#: Smaller numbers are alike by chance.
_TELLING = 1000
_COUNTED = ("params", "multiplications")
#: A quantity, and a number or the sides of a shape.
Told = tuple[str, object]


def meant_for(check: Check, check_with: Callable[[Analysis], Check]) -> Check:
    """The check; of a table that is nearly all right for another network it says so, and explains no cell."""
    answered = [cell for cell in check.cells if not is_empty(cell.answer.text)]
    wrong = check.count(Verdict.WRONG) + check.count(Verdict.UNREADABLE)
    right = check.count(Verdict.RIGHT)
    if len(answered) < _FEWEST or wrong < _FEWEST_WRONG or 5 * right >= 3 * len(answered):
        return check
    told = [one for cell in answered for one in _told(cell)]
    for network in _candidates(check, told) if len(told) >= _FEWEST_WRONG else ():
        known = _known(network.network)
        if 10 * sum(one in known for one in told) < 9 * len(told):
            continue
        found = check_with(analyse(load(network.network)))
        fitting = found.count(Verdict.RIGHT)
        if fitting > right and 10 * fitting >= 9 * len(answered):
            note = say(
                "The table fits {network}: {right} of {answered} answers are right there. Check it against {network}.",
                network=network.network, right=fitting, answered=len(answered),
            )  # fmt: skip
            cells = tuple(cell.without_reasons() for cell in check.cells)
            return Check(check.network, cells, (note, *check.notes), network.network)
    return check


def _told(cell: Cell) -> Iterator[Told]:
    """What a cell says that few layers have: a shape, or a large number of parameters or multiplications."""
    if cell.answer.layer.lower() == TOTAL:
        return
    try:
        stated = read_statement(cell.answer.text, cell.quantity)[0]
    except StatementError:
        return
    if cell.quantity == "output_shape" and len(stated.sides) > 1:
        yield cell.quantity, tuple(sorted(stated.sides))
    elif cell.quantity in _COUNTED and stated.value is not None and stated.value >= _TELLING:
        yield cell.quantity, stated.value


@lru_cache(maxsize=4 * _MOST_TRIED)
def _known(network: str) -> frozenset[Told]:
    """All that the layers of a network of the catalogue tell in this way."""
    found: set[Told] = set()
    for row in analyse(load(network)).rows:
        found |= {("params", row.params), ("multiplications", row.multiplications)}
        found.add(("output_shape", tuple(sorted(row.output_shape))))
    return frozenset(found)


def _candidates(check: Check, told: Sequence[Told]) -> Iterator[Summary]:
    """Networks that may have these numbers, those of the nearest totals first."""
    sums = dict.fromkeys(_COUNTED, 0)
    for quantity, value in told:
        if isinstance(value, Fraction):
            sums[quantity] += int(value)
    rows = len({cell.answer.layer for cell in check.cells})

    def distance(network: Summary) -> tuple[Fraction, int]:
        totals = {"params": network.params, "multiplications": network.multiplications}
        ratios = [
            Fraction(max(totals[one], value), max(min(totals[one], value), 1)) for one, value in sums.items() if value
        ]
        return max(ratios, default=Fraction(0)), abs(network.layers - rows)

    known = [one for one in summaries() if one.layers <= _MOST_LAYERS and not one.network.startswith("blocks/")]
    known = [one for one in known if key_of(one.network) != key_of(check.network)]
    yield from sorted(known, key=distance)[:_MOST_TRIED]
