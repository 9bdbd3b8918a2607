"""Numbers that are right elsewhere: of another variant of the network, by another tool's rules, for another input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archcalc.core.errors import ArchcalcError
from archcalc.core.language import say
from archcalc.core.quantities import QUANTITIES
from archcalc.design.conventions import TOOLS, count
from archcalc.passes.analysis import Analysis, Row, analyse
from archcalc.spec.catalogue import key_of, load, variants_in_catalogue
from archcalc.teach.check.mistakes.base import Alternative, Mistake
from archcalc.teach.check.mistakes.context import LayerContext, NetworkContext
from archcalc.teach.check.mistakes.sizes import written
from archcalc.teach.check.mistakes.upstream import follow

#: Sides of images that people take for one another.
_SIDES = (28, 32, 224, 227, 299, 331)
_VARIANT, _TOOL = 6, 10


def variants(network: NetworkContext, quantity: str) -> Iterator[Alternative]:
    """The totals of the other variants of a network of the catalogue."""
    own = network.analysis.graph.name
    for name in variants_in_catalogue(own):
        if key_of(name) == key_of(own):
            continue
        try:
            analysis = analyse(load(name), network.analysis.batch, network.analysis.dtype, network.analysis.conventions)
        except ArchcalcError:
            continue
        value = QUANTITIES[quantity].sum_of(analysis.rows)
        reason = say(
            "that is {name}, {value}. Here it is {own}.", name=name, value=analysis.graph.title or name, own=own
        )
        yield Alternative(value, (Mistake("other_variant", reason),), _VARIANT)


def tools(analysis: Analysis) -> Iterator[Alternative]:
    """The totals of multiplications that other tools print."""
    ours = analysis.totals.multiplications
    for tool in TOOLS.values():
        counted = count(analysis, tool, "multiplications")
        # Twice the multiplications is a mistake of its own.
        if counted is not None and not counted.not_counted and counted.total not in (ours, 2 * ours):
            if tool.added:
                how = say("that is the total of {tool}, which adds {added}.", tool=tool.name, added=say(tool.added))
            else:
                how = say("that is the total of {tool}, which counts some layers in another way.", tool=tool.name)
            reason = f"{how} {say('{ours:,} are multiplications.', ours=ours)}"
            yield Alternative(counted.total, (Mistake("other_tool", reason),), _TOOL)


class OtherInput(NamedTuple):
    """The row of a layer, had the network's input another size."""

    row: Row
    size: tuple[int, ...]


def other_inputs(context: LayerContext) -> Iterator[OtherInput]:
    """The row for images of the sizes that are taken for that of this network: 224 for 227."""
    network = context.network
    first = network.rows[0]
    if context.row is not network.analysis.by_name.get(context.name) or len(first.output_shape) != 3 or first.inputs:
        return
    depth, height, width = first.output_shape
    for side in _SIDES:
        near = height == width != side and 3 * side < 4 * height and 3 * height < 4 * side
        if near and (row := follow(network, first, (depth, side, side), context.row)) is not None:
            yield OtherInput(row, (side, side))


def size_reason(network: NetworkContext, size: tuple[int, ...]) -> str:
    """Right for an input of 224×224; this network reads 227×227."""
    own = written(network.rows[0].output_shape[1:])
    return say(
        "right for an input of {size}. {layer} reads {own}.",
        size=written(size),
        layer=network.analysis.graph.name,
        own=own,
    )
