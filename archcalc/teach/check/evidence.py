"""What speaks for a row being about a layer: how many of its cells are right there, however its columns are meant."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from archcalc.teach.check.agreement import agrees, possible_factors, resembles, scaled
from archcalc.teach.check.expected import Value
from archcalc.teach.check.model import Answer, Group, Match
from archcalc.teach.check.prepared import PreparedNetwork
from archcalc.teach.reading.stated import Stated

#: The quantity of a column, and its heading.
_Column = tuple[str, str]
_LAYERS, _BLOCKS, _PAIRS = range(3)


class _Values(NamedTuple):
    """What is right for layers or blocks in a column, each once, and which of them is that of each."""

    distinct: list[tuple[Value | None, ...]]
    of_each: list[int]


class CellEvidence:
    """The cells of a table compared with layers: equal cells once, and once with all layers of the same value."""

    def __init__(
        self, network: PreparedNetwork, answers: Sequence[Answer], readings: Sequence[tuple[Stated, ...]]
    ) -> None:
        self.network = network
        self.answers = answers
        self.readings = readings
        self._units: dict[_Column, tuple[Fraction, ...]] = {}
        self._values: dict[tuple[_Column, int], _Values] = {}
        self._cells: dict[tuple[_Column, str, int], list[bool]] = {}

    def wrong(self, group: Group, match: Match) -> int:
        """How many answers of a row are wrong where it is about this layer, block or total."""
        positions = [position for position in group.cells if self.readings[position]]
        if not match.layer:
            return len(positions)
        index = None if match.is_block or match.first else self.network.recounter.index.get(match.layer)
        if index is not None:
            return sum(self._is_wrong(position)[index] for position in positions)
        return sum(not self._resembles(one, self.network.values(match, self.answers[one])) for one in positions)

    def wrong_by_layer(self, group: Group) -> list[int]:
        """The same for each layer of the network."""
        return self._wrong(group, _LAYERS)

    def wrong_by_block(self, group: Group) -> list[int]:
        """The same for each block of the network."""
        return self._wrong(group, _BLOCKS)

    def wrong_by_pair(self, group: Group) -> list[int]:
        """The same for each pair of layers that are one row in Keras."""
        return self._wrong(group, _PAIRS)

    def _wrong(self, group: Group, of: int) -> list[int]:
        cells = [self._is_wrong(position, of) for position in group.cells if self.readings[position]]
        return list(map(sum, zip(*cells, strict=True))) if cells else [0] * len(self._matches(of))

    def _matches(self, of: int) -> Sequence[Match]:
        matcher = self.network.matcher
        if of == _BLOCKS:
            return [Match(block.name, is_block=True) for block in matcher.all_blocks]
        return matcher.layers if of == _LAYERS else matcher.costs.separable

    def stated(self, group: Group, quantity: str) -> Fraction | None:
        """What a row says of a quantity, if that is a number."""
        for position in group.cells:
            if self.answers[position].quantity == quantity and self.readings[position]:
                return self.readings[position][0].value
        return None

    def distance(self, match: Match, params: Fraction | None) -> Fraction:
        """How many times other than this number the parameters of a match are."""
        right = self.network.right(match, "params")
        if params is None or not isinstance(right, int):
            return Fraction(0)
        large, small = sorted((params, Fraction(right)), reverse=True)
        return large / max(small, Fraction(1))

    def asked(self, group: Group) -> set[str]:
        """The quantities that a row has answers for."""
        return {self.answers[position].quantity for position in group.cells if self.readings[position]}

    def alike(self, group: Group, one: Match, other: Match) -> bool:
        """Whether all answers of a row have the same right values for two layers."""
        right = self.network.right
        return all(right(one, quantity) == right(other, quantity) for quantity in self.asked(group))

    def _is_wrong(self, position: int, of: int = _LAYERS) -> list[bool]:
        """For each layer or block, whether a cell is wrong there."""
        answer = self.answers[position]
        key = (answer.quantity, answer.heading), answer.text, of
        if key not in self._cells:
            values = self._values_of(answer, of)
            wrong = [not self._resembles(position, one) for one in values.distinct]
            self._cells[key] = [wrong[which] for which in values.of_each]
        return self._cells[key]

    def _resembles(self, position: int, values: tuple[Value | None, ...]) -> bool:
        return resembles(self.answers[position], self.readings[position], values, self._factors(position))

    def _values_of(self, answer: Answer, of: int) -> _Values:
        column = (answer.quantity, answer.heading), of
        if column not in self._values:
            places: dict[tuple[Value | None, ...], int] = {}
            values = [self.network.values(match, answer) for match in self._matches(of)]
            of_each = [places.setdefault(one, len(places)) for one in values]
            self._values[column] = _Values(list(places), of_each)
        return self._values[column]

    def _factors(self, position: int) -> tuple[Fraction, ...]:
        """In which units a cell may be: those in which most numbers of its column are numbers of the network."""
        answer = self.answers[position]
        column = answer.quantity, answer.heading
        if column not in self._units:
            factors = possible_factors(answer, self.network.bytes_of_value)
            if len(factors) > 1:
                counts = [self._known_numbers(column, factor) for factor in factors]
                factors = tuple([one for one, count in zip(factors, counts, strict=True) if count == max(counts)])
            self._units[column] = factors
        return self._units[column]

    def _known_numbers(self, column: _Column, factor: Fraction) -> int:
        """How many cells of a column have the number of some layer."""
        values = self.network.numbers(column[0])
        found = 0
        for answer, readings in zip(self.answers, self.readings, strict=True):
            if (answer.quantity, answer.heading) == column:
                found += any(
                    one.low is not None
                    and one.high is not None
                    and agrees(one)
                    and bisect_left(values, one.low) < bisect_right(values, one.high)
                    for one in (scaled(reading, factor) for reading in readings)
                )
        return found
