"""Modules in the order of the network, one slim box a layer: Szegedy et al. 2015, "Going Deeper", figure 3.

Branches stand side by side, auxiliary classifiers at the side of the module that they read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from archcalc.core.language import say
from archcalc.ops.merge import Add, Concat
from archcalc.passes.analysis import Row
from archcalc.render.diagrams.arrange import arrange, points_on_slide
from archcalc.render.diagrams.columns import plan
from archcalc.render.diagrams.compose import compose_graph
from archcalc.render.diagrams.drawing import Drawing
from archcalc.render.diagrams.frames import Path
from archcalc.render.diagrams.model import Diagram, Group, Node, Part
from archcalc.render.diagrams.pack import MOST_LINES, Layout, assemble, make_segments
from archcalc.render.diagrams.paint import paint
from archcalc.render.diagrams.papers.figure import Request
from archcalc.render.diagrams.papers.labels import label_texts, name_text
from archcalc.render.diagrams.papers.trunk import Unsuited
from archcalc.render.diagrams.steps import Steps
from archcalc.render.diagrams.text import clean
from archcalc.render.diagrams.wiring import Wiring
from archcalc.render.diagrams.words import sharing as sharing_frames

#: More boxes than this are no figure.
MOST = 400


def tall_drawing(request: Request) -> Drawing:
    """The picture. Raises `Unsuited` for a network without branches side by side, or with too many layers."""
    diagram = slim(Wiring(request.analyses[0]), request)
    layout = _columns(diagram, request) if request.direction == "fit" else arrange(diagram, request.direction)
    ratio = request.ratio if request.fill else 0.0
    return paint(diagram, layout, request.theme, Steps(diagram, layout), request.links, ratio)


def _columns(diagram: Diagram, request: Request) -> Layout:
    """From the top to the bottom in as many columns as make the picture largest."""
    segments = make_segments(diagram, True)
    plans = (plan(segments, True, count) for count in range(1, min(len(segments), MOST_LINES) + 1))
    best = max(plans, key=lambda candidate: points_on_slide(candidate.size, request.ratio))
    return assemble(best, diagram.leaving)


def modules_of(wiring: Wiring) -> list[int]:
    """The merges of branches that each have a layer; shortcuts and gates are none."""
    found = []
    for index, sources in enumerate(wiring.inputs):
        shortcuts = [source for source in sources if (source, index) in wiring.edge_kinds]
        own = [source for source in sources if wiring.consumers[source] == [index]]
        if isinstance(wiring.rows[index].op, Add | Concat) and len(own) > 1 and not shortcuts:
            found.append(index)
    return found


def slim(wiring: Wiring, request: Request) -> Diagram:
    """The diagram of every layer with one line a layer, and frames around the outermost blocks alone."""
    network = wiring.analysis.graph.name
    if not modules_of(wiring):
        raise Unsuited(f"{network} has no branches side by side")
    diagram = compose_graph(wiring)
    if len(diagram.nodes) > MOST:
        raise Unsuited(f"{network} has {len(diagram.nodes)} boxes, more than {MOST}")
    outer = Counter(node.path[0] for node in diagram.nodes if node.path)
    branching = {wiring.paths[index][0] for index in modules_of(wiring)}
    # Blocks that are called alike are framed alike: the first of a stack may have nothing to add to.
    stems = {_stem(name) for name in branching}
    kept = {name for name, count in outer.items() if count > 1 and (_stem(name) in stems or _aside(diagram, name))}
    read = {edge.source for edge in diagram.edges if diagram.by_id[edge.target].parts[0].family != "output"}
    last = {node.id for node in diagram.nodes if node.parts[0].family != "output"} - read
    sharing = sharing_frames([(name,) for name in kept], wiring.rows)
    nodes = tuple(_slim(node, wiring, kept, last, sharing, request) for node in diagram.nodes)
    notes = {group.path: group.note for group in diagram.groups if group.path in sharing}
    groups = tuple(
        Group((name,), clean(name), note=notes.get((name,), ""), auxiliary=_aside(diagram, name))
        for name in outer
        if name in kept
    )
    families = {part.family for node in nodes for part in node.parts}
    legend = tuple(swatch for swatch in diagram.legend if swatch.edge or swatch.family in families)
    title = diagram.title if request.title is None else clean(request.title)
    return replace(
        diagram, title=title, subtitle=diagram.subtitle if title else "", nodes=nodes, groups=groups, legend=legend
    )


def _stem(name: str) -> str:
    """The name of a block without its number."""
    return re.sub(r"\d+$", "", name)


def _aside(diagram: Diagram, block: str) -> bool:
    return all(node.auxiliary for node in diagram.nodes if node.path[:1] == (block,))


def _slim(node: Node, wiring: Wiring, kept: set[str], last: set[str], sharing: set[Path], request: Request) -> Node:
    """A node with its main layer, and of those in place what the figure draws: norms without weights, outputs."""
    path = node.path[:1] if node.path and node.path[0] in kept else ()
    rows = wiring.analysis.by_name
    main = next((part for part in node.parts if part.lines), node.parts[0])
    drawn = [part for part in node.parts if part is main or _drawn(part, wiring)]
    others = [rows[part.name] for part in node.parts if part not in drawn]
    parts = [
        _part(part, rows[part.name], others if part is main else [], request, path in sharing)
        if part.name in rows else part
        for part in drawn
    ]  # fmt: skip
    first = rows.get(node.parts[0].name)
    size = node.output if node.id in last or (first is not None and isinstance(first.op, Concat)) else ""
    return node._replace(parts=tuple(parts), path=path, output=size)


def _drawn(part: Part, wiring: Wiring) -> bool:
    index = wiring.analysis.graph.index.get(part.name)
    if index is None:
        return True
    row = wiring.rows[index]
    return index in wiring.outputs or (row.op.family == "normalisation" and not row.params) or row.is_weighted


def _part(part: Part, row: Row, others: Sequence[Row], request: Request, is_said: bool) -> Part:
    if row.op.family == "input":
        return part
    labels = label_texts(row, request.labels or ("kernel",), others, is_said)
    name = name_text(row.name, request.names or "none")
    texts = [text for text in (name, *labels) if text] or [say(row.op.noun)]
    return part._replace(label=clean(texts[0]), suffix=" · ".join(texts[1:]), lines=())
