"""Networks side by side: their totals, where these come from, and two networks layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.quantities import quantity_of_network
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import Analysis, Row

#: The totals that are compared, by key.
COMPARED = ("depth", "params", "buffers", "multiplications", "activations", "param_bytes", "peak_activation_bytes")
#: Where these come from is shown by kind of layer.
SHARED_OUT = ("params", "multiplications", "activations")
#: Two networks are aligned in a table of at most so many cells.
MOST_CELLS = 4_000_000

# What a step of the alignment costs. A pair that differs is cheaper than two layers without a counterpart.
_ALONE, _OTHER, _OTHER_NAME = 4, 3, 4


class Total(NamedTuple):
    """A quantity of several networks, and each value divided by that of the first; None where there is none."""

    key: str
    values: tuple[int | None, ...]
    #: Which values are only a lower bound, for layers whose cost cannot be counted.
    at_least: tuple[bool, ...]

    @property
    def ratios(self) -> tuple[float | None, ...]:
        """How many times the first network's value; None where one is missing or a lower bound, or the first is 0."""
        first = self.values[0]
        known = [not self.at_least[0] and not bound for bound in self.at_least]
        return tuple(
            [
                value / first if first and value is not None and is_known else None
                for value, is_known in zip(self.values, known, strict=True)
            ]
        )


class Share(NamedTuple):
    """What the layers of one kind have of a quantity, network by network."""

    kind: str
    values: tuple[int, ...]


class Pair(NamedTuple):
    """A layer of the first network and its counterpart in the second; one of them is None where there is none.

    `changes` names what differs, each with both values; a pair without changes is the same layer in both.
    """

    first: Row | None
    second: Row | None
    changes: tuple[tuple[str, str, str], ...] = ()

    @property
    def status(self) -> str:
        """same, changed, removed (in the first network only) or added (in the second only)."""
        if self.first is None:
            return "added"
        if self.second is None:
            return "removed"
        return "changed" if self.changes else "same"


def totals(analyses: Sequence[Analysis]) -> Iterator[Total]:
    """The totals of the networks, quantity by quantity."""
    for key in COMPARED:
        one = quantity_of_network(key)
        bounds = [one.is_cost and bool(analysis.totals.not_counted) for analysis in analyses]
        yield Total(key, tuple([one.of(analysis) for analysis in analyses]), tuple(bounds))


def shares(analyses: Sequence[Analysis], key: str) -> list[Share]:
    """What each kind of layer has of a quantity, the largest first; kinds that have nothing of it are left out."""
    attribute = quantity_of_network(key).attribute.removeprefix("totals.")
    found = [Counter[str]() for _ in analyses]
    for counts, analysis in zip(found, analyses, strict=True):
        for row in analysis.rows:
            counts[row.op.kind] += getattr(row, attribute) or 0
    kinds = {kind: None for counts in found for kind, value in counts.items() if value}
    made = [Share(kind, tuple([counts[kind] for counts in found])) for kind in kinds]
    return sorted(made, key=lambda share: (-max(share.values), share.kind))


def align(first: Analysis, second: Analysis) -> tuple[Pair, ...]:
    """The layers of two networks in their order, each with its counterpart: an alignment of least cost.

    Only layers of one kind are counterparts. Raises `UsageError` for networks that are too long for it.
    """
    left, right = first.rows, second.rows
    begin = 0
    while begin < min(len(left), len(right)) and _cost(left[begin], right[begin]) == 0:
        begin += 1
    end = 0
    while end < min(len(left), len(right)) - begin and _cost(left[-1 - end], right[-1 - end]) == 0:
        end += 1
    rows, columns = left[begin : len(left) - end], right[begin : len(right) - end]
    if len(rows) * len(columns) > MOST_CELLS:
        raise UsageError(
            f"{first.graph.name} and {second.graph.name} differ in {len(rows):,} and {len(columns):,} layers, too "
            f"many to align"
        )
    middle = _aligned(rows, columns)
    pairs: list[tuple[Row | None, Row | None]] = [
        *zip(left[:begin], right[:begin], strict=True),
        *middle,
        *zip(left[len(left) - end :], right[len(right) - end :], strict=True),
    ]
    counterpart = {row.name: other.name for row, other in pairs if row is not None and other is not None}
    return tuple([Pair(row, other, _changes(row, other, counterpart)) for row, other in pairs])


def _cost(row: Row, other: Row) -> int:
    """What it costs to pair two layers of one kind; 0 for equal ones of one name. Others are never a pair."""
    if row.op.kind != other.op.kind:
        return 2 * _ALONE + 1
    same = row.op == other.op and row.output_shape == other.output_shape
    return (0 if same else _OTHER) + (0 if row.name == other.name else _OTHER_NAME)


def _aligned(rows: Sequence[Row], columns: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    """The pairs of least cost, each list in its order: the recurrence of Needleman and Wunsch (1970)."""
    best = [[_ALONE * column for column in range(len(columns) + 1)]]
    for index, row in enumerate(rows):
        above, line = best[-1], [_ALONE * (index + 1)]
        for column, other in enumerate(columns):
            step = min(above[column + 1], line[column]) + _ALONE
            line.append(min(step, above[column] + _cost(row, other)))
        best.append(line)
    found: list[tuple[Row | None, Row | None]] = []
    index, column = len(rows), len(columns)
    while index or column:
        here = best[index][column]
        if index and column and here == best[index - 1][column - 1] + _cost(rows[index - 1], columns[column - 1]):
            index, column = index - 1, column - 1
            found.append((rows[index], columns[column]))
        elif column and here == best[index][column - 1] + _ALONE:
            column -= 1
            found.append((None, columns[column]))
        else:
            index -= 1
            found.append((rows[index], None))
    return found[::-1]


def _changes(row: Row | None, other: Row | None, counterpart: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    """What differs between two layers: settings, shapes, what they read, whose weights they use."""
    if row is None or other is None:
        return ()
    found = []
    settings = [row.op.model_dump(), other.op.model_dump()]
    if row.op.kind != "input":
        for name in dict.fromkeys([*settings[0], *settings[1]]):
            before, after = (one.get(name) for one in settings)
            if before != after:
                found.append((name, _text(before), _text(after)))
    if row.output_shape != other.output_shape:
        found.append(("output", format_shape(row.output_shape), format_shape(other.output_shape)))
    reads = [counterpart.get(name, name) for name in row.inputs]
    if reads != list(other.inputs):
        found.append(("reads", ", ".join(row.inputs), ", ".join(other.inputs)))
    owner = None if row.weights_of is None else counterpart.get(row.weights_of, row.weights_of)
    if owner != other.weights_of:
        found.append(("weights of", row.weights_of or "its own", other.weights_of or "its own"))
    if not found and row.params != other.params:
        found.append(("params", f"{row.params:,}", f"{other.params:,}"))
    return tuple(found)


def _text(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return "×".join(map(str, value)) if len(set(value)) > 1 else str(value[0]) if value else "none"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
