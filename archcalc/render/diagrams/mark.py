"""A layer and everything that it sees, marked in a diagram."""

from __future__ import annotations

from dataclasses import replace

from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.wiring import Wiring


def mark(diagram: Diagram, wiring: Wiring, layer: str) -> Diagram:
    """The diagram with a layer and the layers of its receptive field marked. Raises `UsageError`."""
    from archcalc.core.suggest import did_you_mean

    index = wiring.analysis.graph.index.get(layer)
    if index is None:
        known = [row.name for row in wiring.rows]
        listed = f"; `archcalc report {wiring.analysis.graph.name}` lists all"
        raise UsageError(f"there is no layer {layer[:80]!r}{did_you_mean(layer, known) or listed}")
    seen = {index}
    for place in range(index, -1, -1):
        if place in seen:
            seen.update(wiring.inputs[place])
    names = {wiring.rows[place].name for place in seen}
    nodes = tuple(
        node._replace(
            parts=tuple(part._replace(marked=not names.isdisjoint(part.holds or (part.name,))) for part in node.parts)
        )
        for node in diagram.nodes
    )
    on = {node.id for node in nodes if any(part.marked for part in node.parts)}
    edges = tuple(edge._replace(marked=edge.source in on and edge.target in on) for edge in diagram.edges)
    field = wiring.rows[index].receptive_field
    size = ""
    if field is not None and field.axes:
        size = "×".join(map(str, field.size))
    if not size:
        subtitle = say("Marked: what {layer} sees", layer=layer)
    elif field is not None and len(field.axes) == 2:
        subtitle = say("Marked: what {layer} sees: {size} pixels of the input", layer=layer, size=size)
    else:
        subtitle = say("Marked: what {layer} sees: {size} positions of the input", layer=layer, size=size)
    return replace(diagram, nodes=nodes, edges=edges, subtitle=f"{diagram.subtitle} · {subtitle}")
