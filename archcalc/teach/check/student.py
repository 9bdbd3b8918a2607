"""The network as a student has it: everything after a wrong answer calculated again from that answer.

A wrong output shape changes the input of the layers that read it; a wrong receptive field, the layers after it.
The rules are those of the ops, on other shapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.core.conventions import BYTES
from archcalc.core.errors import ShapeError
from archcalc.core.shapes import LARGEST_SIZE, Shape
from archcalc.ops.base import Op
from archcalc.passes.analysis import Analysis, Row, row_of
from archcalc.passes.axis_field import AxisField
from archcalc.passes.receptive_field import ReceptiveField, output_field
from archcalc.passes.shapes import ShapedLayer
from archcalc.teach.check.expected import Value, expected

#: A cell: layer and quantity.
Where = tuple[str, str]
#: Recalculated layers that are kept, over all tables that are checked.
_MOST_KEPT = 20_000


class Follows(NamedTuple):
    """A value that is right given an earlier answer, and the answer that it comes from."""

    value: Value
    source: Where


class Recounter:
    """The parts of an analysis that every check needs, and the layers recalculated before."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.rows = analysis.rows
        self.index = {row.name: index for index, row in enumerate(analysis.rows)}
        self.sources = [layer.inputs for layer in analysis.graph.layers]
        self.names = [row.name for row in analysis.rows]
        self._kept: dict[tuple[int, tuple[Shape, ...], Shape | None], Row | None] = {}

    def recount(self, index: int, inputs: tuple[Shape, ...], output: Shape | None = None) -> Row | None:
        """A layer on other inputs, and with another output than follows from them; None where it does not fit."""
        key = (index, inputs, output)
        if key not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = self._recounted(index, inputs, output)
        return self._kept[key]

    def _recounted(self, index: int, inputs: tuple[Shape, ...], output: Shape | None) -> Row | None:
        layer = self.analysis.graph.layers[index]
        try:
            op = layer.op.resolve(inputs)
            if getattr(op, "exact", False):  # a demand on the network, not on a student's sizes
                op = op.model_copy(update={"exact": False})
            op.check(inputs)
            made = op.output_shape(inputs)
            if output is not None and output != made:
                op = _with_filters(op, made, output)
                op.check(inputs)
                made = output
        except ShapeError:
            return None
        return row_of(self.analysis, index, inputs, made, op)

    def rounded_otherwise(self, index: int, inputs: tuple[Shape, ...]) -> Shape | None:
        """The output of a window with floor for ceil or ceil for floor; None where that matters in the network."""
        row = self.rows[index]
        mode = getattr(row.op, "ceil_mode", None)
        if mode is None:
            return None
        op = self.analysis.graph.layers[index].op.model_copy(update={"ceil_mode": not mode, "exact": False})
        try:
            if op.resolve(row.input_shapes).output_shape(row.input_shapes) != row.output_shape:
                return None
            resolved = op.resolve(inputs)
            resolved.check(inputs)
            return resolved.output_shape(inputs)
        except ShapeError:
            return None


def _with_filters(op: Op, made: Shape, output: Shape) -> Op:
    """The op with as many filters or neurons as the output that was written has channels."""
    if made[0] == output[0]:
        return op
    names = [name for name in ("out_channels", "out_features") if getattr(op, name, None) == made[0]]
    return op.model_copy(update={names[0]: output[0]}) if names else op


@dataclass
class StudentNetwork:
    """The student's network. Layers are entered in order; what is not entered is as the rules have it."""

    network: Recounter
    outputs: dict[int, Shape] = field(default_factory=dict)
    fields: dict[int, ReceptiveField | None] = field(default_factory=dict)
    shape_from: dict[int, Where] = field(default_factory=dict)
    field_from: dict[int, Where] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    row_from: dict[int, Where] = field(default_factory=dict)
    counts: dict[Where, Fraction] = field(default_factory=dict)
    #: Layers whose output is right in the table, though what they read is not: they are printed, or known otherwise.
    settled: set[int] = field(default_factory=set)

    def copy(self) -> StudentNetwork:
        """The same, to go on in another way."""
        kept = {one.name: getattr(self, one.name) for one in fields(self)}
        return StudentNetwork(**{name: one if name == "network" else one.copy() for name, one in kept.items()})

    def output(self, index: int) -> Shape:
        return self.outputs.get(index, self.network.rows[index].output_shape)

    def enter(self, index: int) -> Row | None:
        """The layer on the student's inputs, where they differ from the right ones; its output follows from them."""
        sources = self.network.sources[index]
        source = next((self.shape_from[one] for one in sources if one in self.shape_from), None)
        if source is None:
            return None
        inputs = tuple([self.output(one) for one in sources])
        row = self.network.recount(index, inputs)
        if row is None:
            return None
        self.rows[index], self.row_from[index] = row, source
        if row.output_shape != self.network.rows[index].output_shape:
            self.outputs[index] = row.output_shape
            self.shape_from[index] = source
        return row

    def shapes_of(self, index: int) -> Iterator[Follows]:
        """What follows for an output: by the layer's own rounding, and by the other where the network needs neither."""
        row, source = self.rows.get(index), self.row_from.get(index)
        if row is None or source is None:
            return
        yield Follows(row.output_shape, source)
        other = self.network.rounded_otherwise(index, row.input_shapes)
        if other not in (None, row.output_shape):
            assert other is not None
            yield Follows(other, source)
        # The depth and the sides may follow from different answers: one of them from the right ones.
        right = self.network.rows[index].output_shape
        for made in (row.output_shape, other):
            if made is not None and 1 < len(made) == len(right) and made[0] != right[0] and made[1:] != right[1:]:
                yield Follows((right[0], *made[1:]), self._origin(index, slice(1, None)))
                yield Follows((made[0], *right[1:]), self._origin(index, slice(1)))

    def _origin(self, index: int, part: slice) -> Where:
        """The answer that made this part of a layer's output, its depth or its sides, what it is."""
        source = self.row_from[index]
        while True:
            before = next((one for one in self.network.sources[index] if one in self.shape_from), None)
            if before is None:
                return source
            source, index = self.shape_from[before], before
            row = self.rows.get(index)
            if row is None or len(row.output_shape) == 1 or self.output(index)[part] != row.output_shape[part]:
                return self.network.names[index], "output_shape"

    def write_shape(self, index: int, shape: Shape, source: Where) -> None:
        """The student's answer for an output, and where it comes from: the layers after it read this from now on."""
        row = self.network.rows[index]
        if shape == row.output_shape:
            self.outputs.pop(index, None)
            self.shape_from.pop(index, None)
            own = self.rows.get(index)
            settled = own and self.network.recount(index, own.input_shapes, shape)
            if settled:
                self.rows[index] = settled
                self.settled.add(index)
            return
        usable = len(shape) == len(row.output_shape) and all(1 <= side <= LARGEST_SIZE for side in shape)
        if usable:
            self.outputs[index] = shape
            self.shape_from[index] = source
            now = self.field_of(index)
            if now is not None and len(shape) == len(now.axes) + 1:  # a dense layer after it sees all these positions
                axes = [axis._replace(positions=size) for axis, size in zip(now, shape[1:], strict=True)]
                self.fields[index] = replace(now, axes=tuple(axes))

    def counts_of(self, index: int, quantity: str) -> Iterator[Follows]:
        """What follows for a count of a layer, from its inputs and its output as the student has them."""
        network, row = self.network, self.network.rows[index]
        right = expected(row, network.analysis, quantity)
        sources = network.sources[index]
        inputs = tuple([self.output(one) for one in sources])
        own = self.outputs.get(index)
        seen: set[Any] = {right}
        from_input = next((self.shape_from[one] for one in sources if one in self.shape_from), None)
        origin = self.shape_from.get(index) or from_input
        outputs = [(inputs, own), (inputs, None), (row.input_shapes, own), (inputs, row.output_shape)]
        for shapes, output in dict.fromkeys(outputs[3:] if index in self.settled else outputs):
            changed = from_input if shapes != row.input_shapes else None
            source = origin if output == own and own is not None else changed
            if source is None:
                continue
            found = network.recount(index, shapes, output)
            value = expected(found, network.analysis, quantity) if found is not None else None
            if value is not None and value not in seen:
                seen.add(value)
                yield Follows(value, source)
        if quantity == "activation_bytes" and (stated := self.counts.get((row.name, "activations"))) is not None:
            bytes_stated = stated * BYTES[network.analysis.dtype] * network.analysis.batch
            if bytes_stated.denominator == 1 and bytes_stated not in seen:
                yield Follows(int(bytes_stated), (row.name, "activations"))

    # --- receptive fields

    def field_of(self, index: int) -> ReceptiveField | None:
        return self.fields.get(index, self.network.rows[index].receptive_field)

    def enter_field(self, index: int) -> None:
        """The receptive field of a layer, where something before it is other than it should be."""
        sources = self.network.sources[index]
        source = next((self.field_from[one] for one in sources if one in self.field_from), None)
        source = source or next((self.shape_from[one] for one in sources if one in self.shape_from), None)
        if source is None:
            return
        row = self.rows.get(index, self.network.rows[index])
        shaped = ShapedLayer(
            self.network.analysis.graph.layers[index], row.op, row.input_shapes, row.output_shape, index
        )
        found = output_field(shaped, row.op.windows(row.input_shapes), [self.field_of(one) for one in sources])
        right = self.network.rows[index].receptive_field
        if found is not None and found != right:
            self.fields[index] = found
            self.field_from[index] = source

    def write_field(self, index: int, sides: tuple[int, ...], is_wrong: bool) -> None:
        """The student's answer for a receptive field; its steps and its start stay as they are."""
        right, now = self.network.rows[index].receptive_field, self.field_of(index)
        if right is None or now is None or len(sides) != len(now.axes) or sides == now.size:
            return
        if sides == right.size:
            self.fields.pop(index, None)
            self.field_from.pop(index, None)
            return
        usable = all(1 <= side <= LARGEST_SIZE for side in sides) and all(len(axis.spans) == 1 for axis in now)
        if is_wrong and usable:
            self.fields[index] = replace(now, axes=tuple(map(_resized, now, sides)))
            self.field_from[index] = (self.network.names[index], "receptive_field")


def _resized(axis: AxisField, size: int) -> AxisField:
    return axis._replace(spans=((axis.start, axis.start + size - 1),))
