"""A network prepared for checking: right values, the place of a layer, diagnoses; kept for many tables."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence

from archcalc.core import words
from archcalc.core.conventions import BYTES
from archcalc.core.language import language, say
from archcalc.core.quantities import QUANTITIES
from archcalc.core.shapes import Shape
from archcalc.design.conventions import TOOLS, Tool, as_counted
from archcalc.design.tool_calls import FORMS
from archcalc.explain.derive.layer import Derivation
from archcalc.explain.derive.trace import number_node, symbol
from archcalc.ops.base import elements
from archcalc.ops.norm import BatchNorm
from archcalc.passes.analysis import Analysis, Row
from archcalc.passes.no_field import in_words
from archcalc.teach.check.answers.heads import is_of_all
from archcalc.teach.check.diagnose import UNEXPLAINED, Explained, Situation, explained
from archcalc.teach.check.expected import Value, derivations, expected, expected_total
from archcalc.teach.check.match import Matcher
from archcalc.teach.check.model import OF_KERAS, OF_TOOL, PRINTED, TOTAL, Answer, Diagnosis, Match
from archcalc.teach.check.student import Recounter
from archcalc.teach.reading.stated import Stated

_MOST_KEPT = 20_000
#: So much less must an explanation cost to be better than one that takes earlier answers into account.
_CLEARLY = 4


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
        #: How many numbers dense layers read.
        self.features = {elements(row.input_shapes[0]) for row in self.rows if row.op.family == "dense"}
        #: The network on the other inputs that were asked for; None where there is none.
        self.on_other_inputs: dict[Shape, PreparedNetwork | None] = {}
        self._operations: dict[str, dict[str, int | None]] = {}
        self._changes: dict[str, list[int]] = {}
        self._inside: dict[str, list[Row]] = {}
        self._numbers: dict[str, list[int]] = {}
        self._derivations: dict[tuple[str, str], tuple[Derivation, ...]] = {}
        self._diagnoses: dict[tuple[object, ...], Explained] = {}

    def right(self, match: Match, quantity: str) -> Value | None:
        """The right value: of a layer, of a block, of the whole network."""
        if match.layer == TOTAL:
            return expected_total(self.analysis, quantity)
        if match.first and QUANTITIES[quantity].adds_up:
            return _sum([expected(self.analysis[name], self.analysis, quantity) for name in (match.first, match.layer)])
        if not match.is_block:
            return expected(self.analysis[match.layer], self.analysis, quantity)
        if quantity in ("output_shape", "receptive_field"):
            return expected(self.rows[self.ends[match.layer]], self.analysis, quantity)
        return _sum([expected(row, self.analysis, quantity) for row in self.inside(match.layer)])

    def why_unknown(self, match: Match, quantity: str) -> str:
        """Why there is no right value of a layer or a block."""
        rows = self._rows_of(match)
        if quantity != "receptive_field":
            kinds = dict.fromkeys(kind for row in rows for kind in row.not_counted)
            # What a tool counts of these depends on the code.
            kinds = kinds or dict.fromkeys(row.op.kind for row in rows if row.op.family == "attention")
            return say("{kinds} cannot be counted", kinds=", ".join(map(words.line, kinds)))
        row = self.rows[self.ends[match.layer]] if match.is_block else rows[-1]
        if row.name in self.analysis.fields_not_known:
            return in_words([self.analysis.fields_not_known[row.name]])
        return say("the input has no positions")

    def values(self, match: Match, answer: Answer) -> tuple[Value | None, ...]:
        """All that is right for an answer, the usual first.

        Of a column of weights also the parameters, which many call so; of a column of sizes also the values of a layer
        that works in place; in a summary of Keras its parameters include running statistics; of a block that ends with
        a concatenation what it adds to the maps, as a dense layer of DenseNet; of a stage what its pool reads; of a
        column of resolutions those that a layer reads, as the paper of EfficientNet lists them.
        """
        right = self.right(match, answer.quantity)
        row = self.analysis.by_name.get(match.layer)
        if answer.of_input and not match.is_source:
            return (self._input(match),)
        if answer.quantity == "output_shape":
            ends = self._before_end(match.layer) if match.is_block else ()
            return (right, *ends, *(self._resolution(match) if "resolution" in answer.heading else ()))
        if answer.quantity == "weights":
            return (right, self.right(match, "params"))
        if answer.quantity == "multiplications" and answer.heading.startswith(PRINTED):
            tool = answer.heading.removeprefix(OF_TOOL) if answer.heading.startswith(OF_TOOL) else "torchinfo"
            return (right, *self._in_other_forms(match, tool), self._of_tool(match, tool))
        if answer.quantity == "multiplications" and is_of_all(answer.heading):
            return (right, self.right(match, "all_multiplications"))
        if answer.quantity == "params" and answer.heading.startswith(OF_TOOL):
            tool = answer.heading.removeprefix(OF_TOOL)
            bare = _sum([row.params for row in self._rows_of(match) if row.op.kind in _BARE])
            in_modules = [right - bare] if tool == "ptflops" and isinstance(right, int) and bare else []
            return (right, self._params_of_tool(match, TOOLS[tool]), *in_modules)
        if answer.quantity == "params" and answer.heading.endswith(OF_KERAS) and isinstance(right, int):
            return (right, right + self._buffers(match))
        if answer.quantity == "activations" and right == 0 and row is not None and "size" in answer.heading:
            return (right, elements(row.output_shape))
        return (right,)

    def _before_end(self, block: str) -> tuple[Value, ...]:
        """What a block adds to the maps that it reads, or a stage gives to the pool after it."""
        inside = self.inside(block)
        if len(inside) < 2:
            return ()
        before, last = inside[-2:]
        names = {row.name for row in inside}
        is_branch = last.op.kind == "concat" and before.name in last.inputs and not names.issuperset(last.inputs)
        is_pool = block in self.matcher.by_name.stages and last.op.family == "pooling"
        return (before.output_shape,) if is_branch or is_pool else ()

    def _resolution(self, match: Match) -> tuple[Value, ...]:
        """The sides that a layer or a block reads, with the depth that it gives."""
        if match.layer == TOTAL:
            return ()
        rows = self._rows_of(match)
        if not rows[0].input_shapes:
            return ()
        return ((rows[-1].output_shape[0], *rows[0].input_shapes[0][1:]),)

    def _of_tool(self, match: Match, tool: str) -> int | None:
        """The multiply-adds of a layer, a block or the network as a tool counts them."""
        if tool not in self._operations:
            counted = as_counted(self.analysis, TOOLS[tool]).rows
            self._operations[tool] = {row.name: row.multiplications for row in counted}
        return _sum([self._operations[tool][row.name] for row in self._rows_of(match)])

    def _input(self, match: Match) -> Value | None:
        """The shape that a layer or a block reads; None of what reads several or nothing."""
        shapes = self._rows_of(match)[0].input_shapes if match.layer != TOTAL else ()
        return shapes[0] if len(shapes) == 1 else None

    def source(self, match: Match) -> Match:
        """The layer that a layer or a block reads; of several there is none."""
        if not match.layer or match.layer == TOTAL:
            return match
        inputs = self._rows_of(match)[0].inputs
        if len(inputs) != 1:
            return Match(note=say("it reads several maps, or nothing"), is_idle=True)
        return Match(inputs[0], is_source=True)

    def _in_other_forms(self, match: Match, tool: str) -> list[int]:
        """The total of a tool where code calls functions in the place of modules, such as a global pool."""
        own = self._of_tool(match, tool)
        if match.layer != TOTAL or own is None:
            return []
        if tool not in self._changes:
            changes = [TOOLS[tool].change_as(self.analysis, form.call) for form in FORMS]
            self._changes[tool] = [change for change in changes if change]
        return [own + change for change in self._changes[tool]]

    def _params_of_tool(self, match: Match, tool: Tool) -> int | None:
        """The parameters that a tool sees, which may not know the arrays of every class."""
        return _sum([tool.params_of(row) for row in self._rows_of(match)])

    def _rows_of(self, match: Match) -> Sequence[Row]:
        if match.layer == TOTAL:
            return self.rows
        if match.is_block:
            return self.inside(match.layer)
        return [self.analysis[name] for name in (match.first, match.layer) if name]

    def _buffers(self, match: Match) -> int:
        """The running statistics of a layer, a block or the network, with the counters of Keras."""
        rows = self._rows_of(match)
        return sum(row.buffers + (isinstance(row.op, BatchNorm) and row.op.counts_values) for row in rows)

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

    def inside(self, block: str) -> Sequence[Row]:
        """The layers of a block."""
        if block not in self._inside:
            self._inside[block] = self.matcher.by_name.inside(block)
        return self._inside[block]

    def place(self, match: Match) -> int:
        """The index of the layer whose output a match is about; for the total, after all layers."""
        if match.layer == TOTAL:
            return len(self.rows)
        return self.ends[match.layer] if match.is_block else self.recounter.index[match.layer]

    def diagnosed(self, layer: str, quantity: str, rows: Sequence[Row | None], stated: Stated) -> tuple[Diagnosis, ...]:
        """The likeliest diagnosis on these rows, the student's and the right one; of about equal ones the first."""
        found = Explained(UNEXPLAINED, ())
        for row in rows:
            own = (row.input_shapes, row.output_shape, row.receptive_field) if row else None
            key = (layer, quantity, stated, own)
            if key not in self._diagnoses:
                if len(self._diagnoses) >= _MOST_KEPT:
                    self._diagnoses.clear()
                self._diagnoses[key] = explained(Situation(self.analysis, layer, quantity, row), stated)
            latest = self._diagnoses[key]
            if found.cost == UNEXPLAINED or latest.cost + _CLEARLY < found.cost:
                found = latest
            if found.cost <= _CLEARLY:
                break
        return found.diagnoses


def _sum(values: Sequence[Value | None]) -> int | None:
    return None if None in values else sum(value for value in values if isinstance(value, int))


#: Arrays that are no modules of PyTorch: the tree of ptflops leaves them out, its total does not.
_BARE = ("scale", "parameter", "position_embedding", "class_token")
_PREPARED: dict[tuple[int, str], PreparedNetwork] = {}
