"""A worksheet: the table of a network in which some cells are blank, and what belongs into them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.core.quantities import QUANTITIES
from archcalc.core.quantities import quantity as quantity_of
from archcalc.core.suggest import did_you_mean
from archcalc.core.words import several
from archcalc.explain.derive.layer import Explanation, explain_row
from archcalc.explain.derive.network import Sum, find_layers, sum_up
from archcalc.passes.analysis import Analysis, Row
from archcalc.render.tables.columns import COLUMNS, Context
from archcalc.teach.check.expected import derivations, expected, expected_total
from archcalc.teach.check.model import TOTAL
from archcalc.teach.exercise.choices import Choices

DEFAULT = ("output_shape", "params", "multiplications")
#: What a worksheet can ask for, and the column of a report that has its text.
ASKED = {
    "output_shape": "output", "params": "params", "multiplications": "multiplications", "activations": "activations",
    "activation_bytes": "stored", "receptive_field": "receptive_field",
}  # fmt: skip


class Line(NamedTuple):
    """A row of the table: the layer, what it does, what it reads, and a cell for each quantity."""

    layer: str
    operation: str
    reads: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Worksheet:
    """A table with blanks. `blanks` holds (layer, quantity); the row of sums is the layer `total`."""

    analysis: Analysis
    quantities: tuple[str, ...]
    rows: tuple[Row, ...]
    has_total: bool
    blanks: frozenset[tuple[str, str]]
    every_layer: bool = False

    @property
    def title(self) -> str:
        return self.analysis.graph.title or self.analysis.graph.name

    @property
    def heads(self) -> tuple[str, ...]:
        reads = (say("reads"),) if self.branches else ()
        asked = (say(QUANTITIES[quantity].headings[0]) for quantity in self.quantities)
        return (say("layer"), say("operation"), *reads, *asked)

    @cached_property
    def branches(self) -> bool:
        """Whether a layer reads another one than that above it, so that the table must say which."""
        return any(line.reads for line in self.lines)

    @cached_property
    def lines(self) -> list[Line]:
        """Every row with all its cells filled in, the total last."""
        context = Context(self.analysis.totals, "hwc")
        shown = _sources(self.analysis.rows, self.every_layer)
        lines = []
        above = ""
        for row in self.rows:
            sources = tuple(shown[source] for source in row.inputs)
            reads = "" if sources in ((above,), ()) or not above else ", ".join(sources)
            cells = tuple(_text(row, quantity, context) for quantity in self.quantities)
            lines.append(Line(row.name, operation(row), reads, cells))
            above = row.name
        if self.has_total:
            totals = tuple(_total(self.analysis, quantity) for quantity in self.quantities)
            lines.append(Line(TOTAL, "", "", totals))
        return lines

    def is_blank(self, layer: str, quantity: str) -> bool:
        return (layer, quantity) in self.blanks

    def solutions(self) -> list[Explanation]:
        """The derivations of what is blank, layer by layer."""
        explained = []
        for row in self.rows:
            asked = [quantity for quantity in self.quantities if self.is_blank(row.name, quantity)]
            if asked:
                found = [one for quantity in asked for one in derivations(row, self.analysis, quantity)]
                explained.append(explain_row(self.analysis, row)._replace(derivations=tuple(found)))
        return explained

    def sums(self) -> list[Sum]:
        """The sums that are blank, term by term."""
        asked = [quantity for quantity in self.quantities if self.is_blank(TOTAL, quantity)]
        return [sum_up(self.analysis, quantity) for quantity in asked]


def operation(row: Row) -> str:
    """All that is needed to calculate a layer: conv 11×11, 96 filters, stride 4, no padding."""
    if row.op.is_input:
        return say("input")
    details = row.op.details(row.input_shapes)
    kept = []
    for part in row.summary.split(", "):
        if part.isdecimal() and row.op.family == "convolution":
            kept.append(several(int(part), "filter"))
        elif not part.lstrip("\u2066").startswith("/") and part not in details:
            kept.append(part)
    return ", ".join([*kept, *details])


def asked_quantity(name: str) -> str:
    """The key of a quantity that can be asked for, by any of its names. Raises `UsageError`."""
    try:
        key = quantity_of(name).key
    except KeyError:
        key = name
    if key not in ASKED:
        raise UsageError(f"there is no quantity {name[:60]!r}{did_you_mean(name, ASKED)}; there are {', '.join(ASKED)}")
    return key


def make_worksheet(
    analysis: Analysis,
    quantities: Sequence[str] = DEFAULT,
    blank: float = 1.0,
    seed: object = 0,
    layer: str | None = None,
    every_layer: bool = False,
) -> Worksheet:
    """Choose the rows and the blank cells.

    `blank` is the share of cells that are left blank, between 0 and 1, as far as it goes the same of each kind of step:
    another `seed` asks for other layers and is as hard, which `difficulty` counts. Layers that work in place change
    nothing and are left out unless `every_layer`. `layer` keeps one block. Raises `UsageError` for a quantity or a
    layer that does not exist, and where nothing would be blank.
    """
    quantities = [asked_quantity(name) for name in quantities]
    if not quantities:
        raise UsageError(f"which quantities? There are {', '.join(ASKED)}")
    if not 0 < blank <= 1:
        raise UsageError(f"the share of blank cells must lie above 0 and at most at 1, not {blank:g}")
    inside = set(find_layers(analysis, layer))
    stands_for = _sources(analysis.rows, every_layer)
    asked = [row for row in analysis.rows if row.inputs and row.name in inside and stands_for[row.name] == row.name]
    # What a block reads is shown above it, filled in.
    shown = {row.name for row in asked} | {stands_for[source] for row in asked for source in row.inputs}
    rows = tuple(row for row in analysis.rows if row.name in shown)
    cells = [
        (row.name, quantity)
        for row in asked
        for quantity in quantities
        if expected(row, analysis, quantity) is not None
    ]
    if not cells:
        raise UsageError(f"{layer or analysis.graph.name} has no layer whose numbers could be asked for")
    blanks = _chosen(analysis, cells, blank, seed)
    totals = {quantity for _, quantity in blanks if expected_total(analysis, quantity) is not None}
    summed = totals if layer is None else set()
    has_total = layer is None and any(QUANTITIES[quantity].adds_up for quantity in quantities)
    return Worksheet(
        analysis,
        tuple(dict.fromkeys(quantities)),
        rows,
        has_total,
        frozenset(blanks) | {(TOTAL, quantity) for quantity in summed},
        every_layer,
    )


def kind_of_step(row: Row, analysis: Analysis, quantity: str) -> str:
    """What a student must do for a cell: output shape of convolution with a stride, params that are 0."""
    value = expected(row, analysis, quantity)
    name = QUANTITIES[quantity].headings[0]
    if value == 0:
        return f"{name} that are 0"
    groups = "grouped " if getattr(row.op, "groups", 1) > 1 else ""
    stride = getattr(row.op, "stride", None) or (1,)
    strided = quantity in ("output_shape", "receptive_field") and max(stride) > 1
    return f"{name} of {groups}{row.op.family}{' with a stride' if strided else ''}"


def difficulty(sheet: Worksheet) -> dict[str, int]:
    """How hard a worksheet is: the number of its blanks by kind of step, the sums as kinds of their own.

    >>> import archcalc as ac
    >>> difficulty(make_worksheet(ac.analyse("lenet5"), ["params"]))
    {'params of convolution': 2, 'params of dense': 3, 'params that are 0': 2, 'sum of params': 1}
    """
    counted: Counter[str] = Counter()
    for layer, quantity in sheet.blanks:
        if layer == TOTAL:
            counted[f"sum of {QUANTITIES[quantity].headings[0]}"] += 1
        else:
            counted[kind_of_step(sheet.analysis[layer], sheet.analysis, quantity)] += 1
    return dict(sorted(counted.items()))


def _chosen(analysis: Analysis, cells: Sequence[tuple[str, str]], share: float, seed: object) -> list[tuple[str, str]]:
    """A share of the cells, of each kind of step as many whatever the seed; which of a kind is the seed's choice."""
    kinds: dict[str, list[tuple[str, str]]] = {}
    for layer, quantity in cells:
        kinds.setdefault(kind_of_step(analysis[layer], analysis, quantity), []).append((layer, quantity))
    wanted = max(1, round(share * len(cells)))
    counts = {kind: int(share * len(inside)) for kind, inside in kinds.items()}
    # What is left of the whole number goes to the kinds of which most is missing.
    order = sorted(kinds, key=lambda kind: (counts[kind] - share * len(kinds[kind]), kind))
    for kind in order[: wanted - sum(counts.values())]:
        counts[kind] += 1
    choices = Choices("blanks", analysis.graph.name, seed)
    chosen = {cell for kind, inside in kinds.items() for cell in choices.shuffled(inside)[: counts[kind]]}
    return [cell for cell in cells if cell in chosen]


def _sources(rows: Sequence[Row], every_layer: bool) -> dict[str, str]:
    """For each layer the one in the table that stands for it: itself, or what it reads where it has no numbers."""
    found: dict[str, str] = {}
    for row in rows:
        counts = row.activations or row.params or row.multiplications
        kept = every_layer or counts or not row.inputs or row.output_shape != row.input_shapes[0]
        found[row.name] = row.name if kept else found[row.inputs[0]]
    return found


def _text(row: Row, quantity: str, context: Context) -> str:
    column = COLUMNS[ASKED[quantity]]
    return "0" if column.value(row, context) == 0 else column.text(row, context)


def _total(analysis: Analysis, quantity: str) -> str:
    text = COLUMNS[ASKED[quantity]].total_text
    return text(analysis.totals) if text else ""
