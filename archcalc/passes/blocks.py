"""Blocks as one row: the layers of a block, to a given depth of names, added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from archcalc.core.shapes import Shape
from archcalc.ops.base import Operations, Pointwise
from archcalc.passes.analysis import Row


class FoldedBlock(Pointwise):
    """Stands in a row where an op would: so many layers of one block."""

    kind = "block"
    stem = "block"
    family = "block"

    layers: int

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return f"{self.layers} layers"


def fold(rows: Sequence[Row], depth: int) -> list[Row]:
    """The rows with every block deeper than `depth` levels of names folded into one."""

    def prefix(row: Row) -> str:
        return "/".join(row.name.split("/")[:depth])

    groups = [(name, list(group)) for name, group in groupby(rows, prefix)]
    shown = {row.name: name if len(group) > 1 else row.name for name, group in groups for row in group}
    return [_folded(name, group, shown) for name, group in groups]


def block_of(rows: Sequence[Row], name: str) -> Row | None:
    """The layers of one block as one row under its name: sums, and the shape of its last layer; None without any."""
    inside = [row for row in rows if row.name.startswith(f"{name}/")]
    return _folded(name, inside, {row.name: row.name for row in rows})._replace(name=name) if inside else None


def _folded(name: str, rows: Sequence[Row], shown: Mapping[str, str]) -> Row:
    """One row for several; `shown` says under which name each layer stands in the folded table."""
    if len(rows) == 1:
        return rows[0]._replace(inputs=tuple(shown[source] for source in rows[0].inputs))
    inside = {row.name for row in rows}
    sources = {
        source: shape
        for row in rows
        for source, shape in zip(row.inputs, row.input_shapes, strict=True)
        if source not in inside
    }
    return rows[-1]._replace(
        name=name,
        op=FoldedBlock(layers=len(rows)),
        inputs=tuple(shown[source] for source in sources),
        input_shapes=tuple(sources.values()),
        params=sum(row.params for row in rows),
        weights=sum(row.weights for row in rows),
        biases=sum(row.biases for row in rows),
        trainable_params=sum(row.trainable_params for row in rows),
        buffers=sum(row.buffers for row in rows),
        multiplications=sum(row.multiplications for row in rows),
        operations=Operations(*(sum(column) for column in zip(*(row.operations for row in rows), strict=True))),
        activations=sum(row.activations for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
    )
