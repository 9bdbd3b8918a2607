"""What a changed output of one layer changes in the layers after it."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.core.errors import ShapeError
from archcalc.core.shapes import Shape
from archcalc.passes.analysis import Analysis, Row, row_of


class Followed:
    """The layers after a changed output, each worked out once, however many of them are asked for."""

    def __init__(self, analysis: Analysis, position: Mapping[str, int], source: Row, output: Shape) -> None:
        self._analysis, self._position = analysis, position
        self._shapes: dict[str, Shape] = {source.name: output}
        #: The first layer that was not looked at, and whether all before it fit.
        self._next = position[source.name] + 1
        self._fits = True

    def row(self, target: Row) -> Row | None:
        """The target as it would be; None where it is untouched, or where a layer up to it does not fit."""
        last = self._position[target.name]
        while self._fits and self._next <= last:
            self._go_on(self._analysis.rows[self._next])
        inputs = self._inputs(target)
        if self._next <= last or inputs is None:
            return None
        return row_of(self._analysis, last, inputs, self._shapes[target.name], target.op)

    def _inputs(self, row: Row) -> tuple[Shape, ...] | None:
        if not any(name in self._shapes for name in row.inputs):
            return None
        return tuple([self._shapes.get(name, shape) for name, shape in zip(row.inputs, row.input_shapes, strict=True)])

    def _go_on(self, row: Row) -> None:
        inputs = self._inputs(row)
        if inputs is not None:
            try:
                row.op.check(inputs)
            except ShapeError:
                self._fits = False
                return
            self._shapes[row.name] = row.op.output_shape(inputs)
        self._next += 1
