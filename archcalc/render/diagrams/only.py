"""One block of a network as a network of its own."""

from __future__ import annotations

from dataclasses import replace

from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops.reshape import Input
from archcalc.passes.analysis import Analysis, Row, analyse


def block_names(analysis: Analysis) -> list[str]:
    """Every block, from the outermost to the innermost, in the order of the network."""
    names: dict[str, None] = {}
    for row in analysis.rows:
        parts = row.name.split("/")
        for level in range(1, len(parts)):
            names["/".join(parts[:level])] = None
    return sorted(names, key=lambda name: name.count("/"))


def unknown_block(name: str, analysis: Analysis) -> UsageError:
    """The error for a block that does not exist, with near or some names."""
    from archcalc.core.suggest import did_you_mean

    known = block_names(analysis)
    hint = did_you_mean(name, known)
    if not known:
        return UsageError(f"there is no block {name[:80]!r}: {analysis.graph.name} has no blocks")
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return UsageError(f"there is no block {name[:80]!r}{hint or f'; there are {listed}'}")


def only(analysis: Analysis, block: str) -> Analysis:
    """The analysis of one block; what it reads from outside becomes its input. Raises `UsageError`."""
    block = block.strip("/")
    graph = analysis.graph
    inside = [index for index, row in enumerate(analysis.rows) if row.name.startswith(block + "/")]
    if not inside or not block:
        raise unknown_block(block, analysis)
    outside = dict.fromkeys(source for index in inside for source in graph.layers[index].inputs if source < inside[0])
    between = {source for index in inside for source in graph.layers[index].inputs} - set(inside) - set(outside)
    outside.update(dict.fromkeys(sorted(between)))
    layers: list[Layer] = []
    place: dict[int, int] = {}
    for source in outside:
        row = analysis.rows[source]
        place[source] = len(layers)
        layers.append(Layer(row.name.replace("/", " / "), Input(shape=row.output_shape), ()))
    for index in inside:
        layer, row = graph.layers[index], analysis.rows[index]
        place[index] = len(layers)
        owner = place[layer.weights_of] if layer.weights_of in inside else None
        inputs = tuple(place[source] for source in layer.inputs)
        layers.append(Layer(row.name[len(block) + 1 :], row.op, inputs, owner))
    title = f"{graph.title or graph.name}: {block}"
    # What others read outside, or the network gives, is no map that nobody reads.
    read = {source for index, layer in enumerate(graph.layers) if index not in place for source in layer.inputs}
    read |= {output.layer for output in graph.outputs}
    given = [place[index] for index in inside if index in read] or [len(layers) - 1]
    outputs = tuple(Output(layers[each].name if given[1:] else "output", each) for each in given)
    part: LayerGraph = replace(graph, layers=tuple(layers), outputs=outputs, title=title)
    alone = analyse(part, analysis.batch, analysis.dtype, analysis.conventions)
    # Weights of a layer outside are counted there.
    kept = {
        place[index]: analysis.rows[index] for index in inside if graph.layers[index].weights_of not in (None, *inside)
    }
    rows = [_counted(row, kept[index]) if index in kept else row for index, row in enumerate(alone.rows)]
    return replace(alone, rows=tuple(rows)) if kept else alone


def _counted(row: Row, whole: Row) -> Row:
    """The row of a layer in its block, with the parameters that it has in the whole network."""
    fields = ("params", "weights", "biases", "trainable_params", "buffers", "weights_of")
    return row._replace(**{name: getattr(whole, name) for name in fields})
