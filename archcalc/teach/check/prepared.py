"""A network prepared for checking: right values, the place of a layer, diagnoses; kept for many tables."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence

from archcalc.core.conventions import BYTES
from archcalc.core.language import language
from archcalc.core.quantities import QUANTITIES
from archcalc.explain.derive.layer import Derivation
from archcalc.explain.derive.trace import number_node, symbol
from archcalc.ops.base import elements
from archcalc.passes.analysis import Analysis, Row
from archcalc.teach.check.diagnose import Situation, diagnose
from archcalc.teach.check.expected import Value, derivations, expected, expected_total
from archcalc.teach.check.match import Matcher
from archcalc.teach.check.model import TOTAL, Answer, Diagnosis, Match
from archcalc.teach.check.student import Recounter
from archcalc.teach.reading.stated import Stated

_MOST_KEPT = 20_000


def prepare(analysis: Analysis) -> PreparedNetwork:
    """The prepared network of an analysis; the same as long as the analysis lives, for each language."""
    key = (id(analysis), language())
    if key not in _PREPARED:
        _PREPARED[key] = PreparedNetwork(analysis)
        weakref.finalize(analysis, _PREPARED.pop, key, None)
    return _PREPARED[key]


class PreparedNetwork:
    """A network, prepared for many tables of answers."""

    def __init__(self, analysis: Analysis) -> None:
        # Not the analysis that is asked for: this would keep it alive for ever.
        self.analysis = Analysis(**{name: getattr(analysis, name) for name in analysis.__dataclass_fields__})
        self.recounter = Recounter(self.analysis)
        self.matcher = Matcher(self.analysis)
        self.rows = self.analysis.rows
        self.ends = self.matcher.blocks
        #: Bytes of a value, for all images of the batch.
        self.bytes_of_value = BYTES[analysis.dtype] * analysis.batch
        self._numbers: dict[str, list[int]] = {}
        self._derivations: dict[tuple[str, str], tuple[Derivation, ...]] = {}
        self._diagnoses: dict[tuple[object, ...], tuple[Diagnosis, ...]] = {}

    def right(self, match: Match, quantity: str) -> Value | None:
        """The right value: of a layer, of a block, of the whole network."""
        if match.layer == TOTAL:
            return expected_total(self.analysis, quantity)
        if not match.is_block:
            return expected(self.analysis[match.layer], self.analysis, quantity)
        if quantity in ("output_shape", "receptive_field"):
            return expected(self.rows[self.ends[match.layer]], self.analysis, quantity)
        values = [expected(row, self.analysis, quantity) for row in self.inside(match.layer)]
        if None in values:
            return None
        return sum(value for value in values if isinstance(value, int))

    def values(self, match: Match, answer: Answer) -> tuple[Value | None, ...]:
        """All that is right for an answer, the usual first.

        Of a column of weights also the parameters, which many call so; of a column of sizes also the values of a layer
        that works in place.
        """
        right = self.right(match, answer.quantity)
        row = self.analysis.by_name.get(match.layer)
        if answer.quantity == "weights":
            return (right, self.right(match, "params"))
        if answer.quantity == "activations" and right == 0 and row is not None and "size" in answer.heading:
            return (right, elements(row.output_shape))
        return (right,)

    def numbers(self, quantity: str) -> list[int]:
        """The numbers of all layers for a quantity, and the total, sorted, each once."""
        if quantity not in self._numbers:
            found = [value for row in self.rows if (value := QUANTITIES[quantity].of(row)) is not None]
            self._numbers[quantity] = sorted({*found, sum(found)})
        return self._numbers[quantity]

    def derivations(self, layer: str, quantity: str) -> tuple[Derivation, ...]:
        """How the right value of a layer, or of a block, is calculated."""
        if (layer, quantity) not in self._derivations:
            self._derivations[layer, quantity] = tuple(self._derived(layer, quantity))
        return self._derivations[layer, quantity]

    def _derived(self, layer: str, quantity: str) -> Iterable[Derivation]:
        if layer in self.analysis.by_name:
            return derivations(self.analysis[layer], self.analysis, quantity)
        if not QUANTITIES[quantity].adds_up:
            return derivations(self.rows[self.ends[layer]], self.analysis, quantity)
        block, parts = layer, self._parts(layer, quantity)
        while len(parts) == 1 and (only := f"{block}/{next(iter(parts))}") in self.ends:
            block, parts = only, self._parts(only, quantity)
        terms = [symbol(name, value) for name, value in parts.items()]
        tree = sum(terms[1:], terms[0]).node if terms else number_node(0)
        return [Derivation(quantity, QUANTITIES[quantity].title, tree)]

    def _parts(self, block: str, quantity: str) -> dict[str, int]:
        """What the parts of a block add to a sum, by the next part of their names: the units of a stage."""
        parts: dict[str, int] = {}
        for row in self.inside(block):
            name = row.name.removeprefix(f"{block}/").partition("/")[0]
            parts[name] = parts.get(name, 0) + QUANTITIES[quantity].of(row)
        return {name: value for name, value in parts.items() if value}

    def inside(self, block: str) -> Iterator[Row]:
        return (row for row in self.rows if row.name.startswith(f"{block}/"))

    def place(self, match: Match) -> int:
        """The index of the layer whose output a match is about; for the total, after all layers."""
        if match.layer == TOTAL:
            return len(self.rows)
        return self.ends[match.layer] if match.is_block else self.recounter.index[match.layer]

    def diagnosed(self, layer: str, quantity: str, rows: Sequence[Row | None], stated: Stated) -> tuple[Diagnosis, ...]:
        """The diagnosis on the first row, the student's or the right one, that has more to say than `unknown`."""
        found: tuple[Diagnosis, ...] = ()
        for row in rows:
            own = (row.input_shapes, row.output_shape, row.receptive_field) if row else None
            key = (layer, quantity, stated, own)
            if key not in self._diagnoses:
                if len(self._diagnoses) >= _MOST_KEPT:
                    self._diagnoses.clear()
                self._diagnoses[key] = diagnose(Situation(self.analysis, layer, quantity, row), stated)
            latest = self._diagnoses[key]
            if not found or all(one.mistake == "unknown" for one in found):
                found = latest
            if any(one.mistake != "unknown" for one in found):
                break
        return found


_PREPARED: dict[tuple[int, str], PreparedNetwork] = {}
