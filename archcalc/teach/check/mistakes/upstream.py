"""Numbers that are right for a wrong input: a mistake with the size of an earlier map, carried down to a layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archcalc.core.shapes import Shape
from archcalc.passes.analysis import Row
from archcalc.teach.check.mistakes.base import MistakenSize
from archcalc.teach.check.mistakes.context import LayerContext, NetworkContext
from archcalc.teach.check.mistakes.sizes import sized

#: How many layers with windows before a layer are looked at, and how dear a mistake there may be.
MOST_LAYERS = 12
MOST_COST = 24


class Carried(NamedTuple):
    """A row as it would be after a mistake with the size of an earlier layer's output."""

    row: Row
    source: Row
    mistake: MistakenSize


def carried(context: LayerContext) -> Iterator[Carried]:
    """The row on every input that one usual mistake before it leads to."""
    network = context.network
    if context.row is not network.analysis.by_name.get(context.name):
        return  # already a row that follows from another mistake
    for source in _before(network, context.row):
        for one in sized(network.context(source)):
            output = source.output_shape
            both = all(wrong != right for wrong, right in zip(one.sizes, output[1:], strict=True))
            if len(one.steps) == 1 and one.cost <= MOST_COST and both:
                row = follow(network, source, (output[0], *one.sizes), context.row)
                if row is not None:
                    yield Carried(row, source, one)


def _before(network: NetworkContext, row: Row) -> list[Row]:
    """Layers before that have a window, the nearest first."""
    waiting = {network.position[name] for name in row.inputs}
    found: list[Row] = []
    while waiting and len(found) < MOST_LAYERS:
        index = max(waiting)
        waiting.remove(index)
        other = network.rows[index]
        waiting |= {network.position[name] for name in other.inputs}
        if getattr(other.op, "stride", None) is not None:
            found.append(other)
    return found


def follow(network: NetworkContext, source: Row, output: Shape, target: Row) -> Row | None:
    """The target's row when the source gives this output; None where it is untouched or a layer does not fit."""
    return network.followed(source, output).row(target)
