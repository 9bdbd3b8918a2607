"""A network as a spec in YAML as a person would write it: blocks, repeats, tables of parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archcalc.core.errors import ArchcalcError, UsageError
from archcalc.graph.layer_graph import LayerGraph, Output
from archcalc.interop.structure import find_structure
from archcalc.interop.structure_parts import Block, Body, Item, Structure
from archcalc.passes.analysis import Analysis, Row, analyse
from archcalc.spec.build import build
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from archcalc.spec.write import Written, facts_of, head_of, inline, outputs_of

#: Layers that run between those of a block are in no block if the spec has at most so many times as many lines then.
_LONGER = 1.5


def write_structured(graph: LayerGraph) -> str:
    """The spec of a network, with what is equal written once; what it means is compared with the network.

    Parameters of the network are kept at the values that they had, as numbers. Raises `UsageError` where the spec
    would mean another network: then `archcalc spec` writes it layer by layer.
    """
    return write_noted(graph)[0]


def write_noted(graph: LayerGraph) -> tuple[str, tuple[str, ...]]:
    """The same, and what to say of it: that its blocks run layers in an order with another peak of memory."""
    before = analyse(graph)
    text, peak = _proved(before, find_structure(graph))
    wanted = before.totals.peak_activation_bytes
    if peak == wanted:
        return text, ()
    longer, kept = _proved(before, find_structure(graph, keep_order=True))
    if kept == wanted and longer.count("\n") <= _LONGER * text.count("\n"):
        return longer, ()
    note = "layers of blocks run one after another, in another order than in the network"
    return text, (f"{note}: {peak:,} bytes of maps are alive at the peak, in its order {wanted:,}",)


def _proved(before: Analysis, structure: Structure) -> tuple[str, int]:
    """The spec, and the bytes of maps at its peak. Raises `UsageError` unless it means this network."""
    graph = before.graph
    lines = [*head_of(graph, settings=False), *facts_of(graph)]
    if structure.blocks:
        lines.append("blocks:")
        for block in structure.blocks:
            lines += _block(block)
    lines += ["layers:", *_items(structure.body, None)]
    last = structure.body.items[-1].result
    if graph.outputs != (Output("output", last),):
        lines += outputs_of(graph)
    text = "\n".join([*lines, ""])
    return text, _prove(text, before).totals.peak_activation_bytes


# --- lines


def _block(block: Block) -> Iterator[str]:
    yield f"  {block.name}:"
    if block.parameters:
        declared = {name: _type(block, name) if value is None else value for name, value in block.parameters.items()}
        yield f"    parameters: {inline(declared)}"
    if block.reads_by_name:
        yield f"    inputs: {inline(_inputs(block.body))}"
    yield "    layers:"
    yield from (f"    {line}" for line in _items(block.body, block))


def _type(block: Block, name: str) -> str:
    """The type of a parameter without a default."""
    hole = next(hole for hole, written in block.holes.items() if written == name)
    return "int" if isinstance(block.body.holes[hole], int) else "number"


def _inputs(body: Body) -> list[str]:
    """Names of what a body reads, which no line of it has."""
    taken = {item.name.partition("/")[0] for item in body.items}
    names = ("x", *(f"x{count}" for count in range(2, 2 + len(body.entries) + len(taken))))
    return [name for name in names if name not in taken][: len(body.entries)]


def _items(body: Body, block: Block | None) -> Iterator[str]:
    inputs = _inputs(body)
    place = 0
    while place < len(body.items):
        run = _run(body.items, place) if block is None else 1
        if run > 1:
            yield from _table(body.items[place : place + run])
        else:
            item = body.items[place]
            yield f"  - {item.kind}: {inline(_fields(item, place, block, inputs))}"
        place += run


def _run(items: Sequence[Item], start: int) -> int:
    """How many uses of one block in a row differ in numbers only."""
    first = items[start]
    count = 0
    for item in items[start:]:
        if item.block is None or item.block is not first.block or item.reads is not None or item.series is not None:
            break
        count += 1
    return count if count > 1 and first.settings else 1


def _table(items: Sequence[Item]) -> Iterator[str]:
    """Uses of a block as rows; a column in which all have the default is left out."""
    block = items[0].block
    assert block is not None
    columns = [
        name
        for name, default in block.parameters.items()
        if default is None or any(item.settings[name] != default for item in items)
    ]
    yield f"  - for_each: {inline(['name', *columns])}"
    yield f"    block: {block.name}"
    yield "    rows:"
    yield from (f"      - {inline([item.name, *(item.settings[name] for name in columns)])}" for item in items)


def _fields(item: Item, place: int, block: Block | None, inputs: Sequence[str]) -> dict[str, Any]:
    """What is written of a line."""
    holes = block.holes if block is not None else {}
    fields: dict[str, Any] = {"name": item.name}
    if item.series is not None:
        before, more, after = item.series
        count = "i" if not more else f"i + {more}" if more > 0 else f"i - {-more}"
        fields = {
            "name": f"{before}{{{count}}}{after}",
            "repeat": Written(str(holes.get((place, "repeat"), item.times))),
        }
        fields["as"] = "i"
    if item.reads is not None:
        names = [inputs[int(read[1:])] if read.startswith(":") else read for read in item.reads]
        fields["from"] = names[0] if len(names) == 1 else names
    if item.weights is not None:
        fields["weights"] = item.weights
    if item.frozen:
        fields["frozen"] = True
    own: Mapping[str, Any] = item.block.parameters if item.block is not None else {}
    for name, value in item.settings.items():
        if (place, name) in holes:
            fields[name] = Written(holes[place, name])
        elif item.block is not None:
            if own[name] != value:
                fields[name] = value
        elif name in item.needed:
            fields[name] = value
    return fields | item.fixed


# --- proof


def _prove(text: str, before: Analysis) -> Analysis:
    """What a spec means. Raises `UsageError` unless that is this network: each layer, its inputs, shapes, and numbers.

    Layers may run in another order.
    """
    name = before.graph.name
    try:
        again = analyse(build(spec_of(parse_source(text, "imported.yaml"))))
    except ArchcalcError as error:
        raise UsageError(_SORRY.format(name, str(error).splitlines()[0][:200])) from error
    differing = _difference(before, again)
    if differing:
        raise UsageError(_SORRY.format(name, differing))
    return again


_SORRY = (
    "internal error: the blocks found in {} do not give the same network again ({}); `archcalc spec` writes it flat"
)


def _difference(before: Analysis, after: Analysis) -> str:
    """What first differs between two analyses, layer by layer by name; empty for nothing."""
    if len(before.rows) != len(after.rows):
        return f"{len(before.rows)} layers, then {len(after.rows)}"
    for row in before.rows:
        other = after.by_name.get(row.name)
        if other is None:
            return f"there is no {row.name}"
        if _told(row, before) != _told(other, after):
            return f"{row.name} differs"
    ends = [
        [
            (output.name, one.graph.layers[output.layer].name, output.loss_weight, output.training_only)
            for output in one.graph.outputs
        ]
        for one in (before, after)
    ]
    if ends[0] != ends[1]:
        return "the outputs differ"
    sums = [one.totals._replace(peak_activation_bytes=0, peak_layer="") for one in (before, after)]
    return "the totals differ" if sums[0] != sums[1] else ""


def _told(row: Row, analysis: Analysis) -> tuple[Any, ...]:
    """All of a layer that does not depend on the order of layers, nor on code."""
    return (*row._replace(call=None), analysis.graph.layers[analysis.graph.index[row.name]].frozen)
