"""Numbers that are right elsewhere: of another variant of the network, by another tool's rules, for another input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archcalc.core.errors import ArchcalcError
from archcalc.core.language import say
from archcalc.core.quantities import QUANTITIES
from archcalc.design.conventions import TOOLS, Tool, count
from archcalc.ops.norm import BatchNorm
from archcalc.passes.analysis import Analysis, Row, analyse
from archcalc.render.tables.summaries import summaries
from archcalc.spec.catalogue import key_of, load, variants_in_catalogue
from archcalc.teach.check.mistakes.base import OTHER_NETWORK, Alternative, Mistake
from archcalc.teach.check.mistakes.context import CLASSES, LayerContext, NetworkContext
from archcalc.teach.check.mistakes.sizes import written
from archcalc.teach.check.mistakes.upstream import follow

#: Sides of images that people take for one another.
_SIDES = (28, 32, 224, 227, 299, 331)
MOST_OF_VARIANT = 7
#: The total of a tool is found before one that was rounded the wrong way.
_VARIANT, _OF_KERAS, _TOOL, _SETTING, _NETWORK = 6, 7, 8, 20, OTHER_NETWORK
#: What a tool counts of another variant.
_TOOL_ON_VARIANT = 15
#: A tool that adds nothing of its own only leaves out what people leave out too.
_TOOL_THAT_ADDS_NOTHING = 16
#: Smaller totals are alike by chance.
_TELLING = 10_000


def variants(network: NetworkContext, quantity: str) -> Iterator[Alternative]:
    """The totals of the other variants of a network of the catalogue."""
    own = network.analysis.graph.name
    for name in variants_in_catalogue(own):
        if key_of(name) == key_of(own) or (analysis := _analysed(network, name, {})) is None:
            continue
        value = QUANTITIES[quantity].sum_of(analysis.rows)
        reason = say(
            "that is {name}, {value}. Here it is {own}.", name=name, value=analysis.graph.title or name, own=own
        )
        yield Alternative(value, (Mistake("other_variant", reason),), _VARIANT)
        more = _kept(analysis) if quantity == "params" else 0
        if more and value != QUANTITIES[quantity].sum_of(network.rows):
            steps = Mistake("other_variant", reason), Mistake("counted_running_statistics", _as_keras())
            yield Alternative(value + more, steps, _OF_KERAS)
    kept = _kept(network.analysis)
    if quantity == "params" and kept > sum(row.buffers for row in network.rows):  # a counter besides
        whole = QUANTITIES[quantity].sum_of(network.analysis.rows) + kept
        yield Alternative(whole, (Mistake("counted_running_statistics", _as_keras()),), _OF_KERAS)
    yield from _with_other_settings(network, quantity)


def _as_keras() -> str:
    return say("It counts running mean and variance as parameters, as Keras does.")


def _kept(analysis: Analysis) -> int:
    """The running statistics of a network, with the counters of Keras."""
    return sum(row.buffers + (isinstance(row.op, BatchNorm) and row.op.counts_values) for row in analysis.rows)


def in_variants(context: LayerContext) -> Iterator[tuple[Row, Mistake]]:
    """The row of a layer in the other variants of the network, where it is another."""
    network, own = context.network, context.network.analysis.graph.name
    if context.row is not network.analysis.by_name.get(context.name):
        return
    for name in variants_in_catalogue(own):
        if key_of(name) != key_of(own) and network.variants.get(name) is None:
            found = _analysed(network, name, {})
            network.variants[name] = dict(found.by_name) if found is not None else {}
    for name, rows in network.variants.items():
        row = rows.get(context.name)
        if row is not None and (row.output_shape, row.params, row.multiplications) != (
            context.row.output_shape,
            context.row.params,
            context.row.multiplications,
        ):
            reason = say("right for {layer} of {name}. Here it is {own}.", layer=context.name, name=name, own=own)
            yield row, Mistake("other_variant", reason)


def _with_other_settings(network: NetworkContext, quantity: str) -> Iterator[Alternative]:
    """The totals with a switch of the network set otherwise, and with other numbers of classes."""
    graph = network.analysis.graph
    if not variants_in_catalogue(graph.name):
        return
    for name, current in graph.settings.items():
        others = (not current,) if isinstance(current, bool) else CLASSES if name == "classes" else ()
        for value in others:
            analysis = None if value == current else _analysed(network, graph.name, {**graph.settings, name: value})
            if analysis is not None:
                reason = say(
                    "that is {own} with {name}={value}. Here it is {current}.",
                    own=graph.name,
                    name=name,
                    value=str(value).lower(),
                    current=str(current).lower(),
                )
                total = QUANTITIES[quantity].sum_of(analysis.rows)
                yield Alternative(total, (Mistake("other_variant", reason),), _SETTING)


def with_settings(network: NetworkContext, settings: Mapping[str, int]) -> Mapping[str, Row]:
    """The layers of a network of the catalogue by their names, with other parameters; none where it cannot be built."""
    key = tuple(settings.items())
    if key not in network.altered:
        graph = network.analysis.graph
        is_known = bool(variants_in_catalogue(graph.name))
        found = _analysed(network, graph.name, {**graph.settings, **settings}) if is_known else None
        network.altered[key] = found.by_name if found is not None else {}
    return network.altered[key]


def _analysed(network: NetworkContext, name: str, settings: Mapping[str, Any]) -> Analysis | None:
    own = network.analysis
    try:
        return analyse(load(name, dict(settings)), own.batch, own.dtype, own.conventions)
    except ArchcalcError:
        return None


def other_networks(network: NetworkContext, quantity: str) -> Iterator[Alternative]:
    """The totals of the other networks of the catalogue."""
    own = network.analysis.graph
    known = {key_of(name) for name in (own.name, *variants_in_catalogue(own.name))}
    for one in summaries() if quantity in ("params", "multiplications") else ():
        value: int = getattr(one, quantity)
        if key_of(one.network) not in known and value >= _TELLING:
            title = one.title or one.network
            reason = say("that is {name}, {value}. Here it is {own}.", name=one.network, value=title, own=own.name)
            yield Alternative(value, (Mistake("other_variant", reason),), _NETWORK)


def tools(network: NetworkContext) -> Iterator[Alternative]:
    """The totals of multiplications that other tools print, of this network and of its variants."""
    ours = network.analysis.totals.multiplications
    for tool, total in _counted_by_tools(network.analysis):
        if tool.added:
            how = say("that is the total of {tool}, which adds {added}.", tool=tool.name, added=say(tool.added))
        else:
            how = say("that is the total of {tool}, which counts some layers in another way.", tool=tool.name)
        notes = [f"{tool.name}: {note}." for note in tool.notes_on(network.analysis)]
        own = say("{ours:,} are multiplications.", ours=ours)
        reason = " ".join((how, *notes, own))
        yield Alternative(total, (Mistake("other_tool", reason),), _TOOL if tool.added else _TOOL_THAT_ADDS_NOTHING)
    for _, total, mistake in tools_on_variants(network):
        if total not in (ours, 2 * ours):
            yield Alternative(total, (mistake,), _TOOL_ON_VARIANT)


def tools_on_variants(network: NetworkContext) -> Iterator[tuple[Tool, int, Mistake]]:
    """What each tool counts of the other variants of a network of the catalogue."""
    own = network.analysis.graph.name
    for name in variants_in_catalogue(own):
        analysis = _analysed(network, name, {}) if key_of(name) != key_of(own) else None
        for tool, total in _counted_by_tools(analysis) if analysis is not None else ():
            how = say("that is the total of {tool} for {name}. Here it is {own}.", tool=tool.name, name=name, own=own)
            notes = [f"{tool.name}: {note}." for note in tool.notes_on(analysis)] if analysis is not None else []
            yield tool, total, Mistake("other_tool", " ".join((how, *notes)))


def _counted_by_tools(analysis: Analysis) -> Iterator[tuple[Tool, int]]:
    """What each tool counts that does not count multiplications alone, or twice these, which is another mistake."""
    ours = analysis.totals.multiplications
    for tool in TOOLS.values():
        counted = count(analysis, tool, "multiplications")
        if counted is not None and not counted.not_counted and counted.total not in (ours, 2 * ours):
            yield tool, counted.total


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
    depth, *own = first.output_shape
    for sides in usual_inputs(tuple(own)):
        if context.row is first:
            yield OtherInput(first._replace(output_shape=(depth, *sides)), sides)
        elif (row := follow(network, first, (depth, *sides), context.row)) is not None:
            yield OtherInput(row, sides)


def usual_inputs(own: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The sides of images that are taken for these: 224 for 227."""
    if len(own) == 2 and own[0] == own[1]:
        for side in _SIDES:
            if own[0] != side and 3 * side < 4 * own[0] and 3 * own[0] < 4 * side:
                yield side, side


def without_class_token(context: LayerContext) -> Iterator[tuple[Row, Mistake]]:
    """The row of a layer, were there no class token before the row of tokens."""
    network = context.network
    if context.row is not network.analysis.by_name.get(context.name):
        return
    for source in network.rows[: network.position[context.name] + 1]:
        if source.op.kind != "class_token":
            continue
        channels, patches = source.input_shapes[0]
        row = follow(network, source, (channels, patches), context.row)
        if source is context.row:
            row = source._replace(output_shape=(channels, patches))
        if row is not None and (row.output_shape, row.input_shapes) != (context.row.output_shape, context.inputs):
            reason = say(
                "the class token is missing. {layer} puts it before the {patches:,} others: {tokens:,} tokens.",
                layer=source.name,
                patches=patches,
                tokens=source.output_shape[1],
            )
            yield row, Mistake("repeat_count", reason)


def size_reason(network: NetworkContext, size: tuple[int, ...]) -> str:
    """Right for an input of 224×224. Here it is 227×227."""
    own = written(network.rows[0].output_shape[1:])
    return say("right for an input of {size}. Here it is {own}.", size=written(size), own=own)
