"""Numbers that are right for a wrong input: a mistake with the size of an earlier map, carried down to a layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
            if len(one.steps) == 1 and one.cost <= MOST_COST and _is_consistent(source, one.sizes):
                row = follow(network, source, (output[0], *one.sizes), context.row)
                if row is not None:
                    yield Carried(row, source, one)


def _is_consistent(source: Row, sizes: Sequence[int]) -> bool:
    """Whether all axes differ, but for those with other settings: a time that is not padded as its pictures are."""
    settings = source.op.model_dump()
    kept = [settings[key] for key in ("kernel_size", "stride", "padding", "dilation") if settings.get(key) is not None]
    axes = [
        (side, *(each[at] for each in kept if isinstance(each, tuple) and at < len(each)))
        for at, side in enumerate(source.input_shapes[0][1:])
    ]
    differs = [wrong != right for wrong, right in zip(sizes, source.output_shape[1:], strict=True)]
    changed = {axis for axis, is_other in zip(axes, differs, strict=True) if is_other}
    return all(
        is_other or (axis not in changed and len(axes) > 2) for axis, is_other in zip(axes, differs, strict=True)
    )


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


def strided_before(network: NetworkContext, row: Row) -> list[Row]:
    """The nearest layers before that move by more than 1."""
    return [other for other in _before(network, row) if set(other.op.model_dump()["stride"]) != {1}]


def follow(network: NetworkContext, source: Row, output: Shape, target: Row) -> Row | None:
    """The target's row when the source gives this output; None where it is untouched or a layer does not fit."""
    return network.followed(source, output).row(target)
