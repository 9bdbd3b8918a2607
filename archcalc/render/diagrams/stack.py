"""Cards that follow each other without a branch put together to one stack, which leaves space for larger texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from archcalc.core.language import apart, say
from archcalc.render.diagrams.measure import SMALL
from archcalc.render.diagrams.model import Diagram, Node, Part
from archcalc.render.diagrams.text import text_width

#: Parts of a stack never are more than this.
ANY = 99


def stacked(diagram: Diagram, most: int = ANY, widest: float = 240.0) -> Diagram:
    """The diagram with chains of cards as stacks of up to `most` parts, and with outputs below what only they read.

    Inside of a stack the size of each map stands in the part that gives it, in lines of at most `widest`.
    """
    read: dict[str, list[str]] = {node.id: [] for node in diagram.nodes}
    readers: dict[str, list[str]] = {node.id: [] for node in diagram.nodes}
    for edge in diagram.edges:
        read[edge.target].append(edge.source)
        readers[edge.source].append(edge.target)
    sizes = {edge.target: edge.size for edge in diagram.edges if edge.size}
    nodes = diagram.by_id
    read_on = {edge.source for edge in diagram.edges if not _is_output(nodes[edge.target])}
    stacks: dict[str, list[Node]] = {}
    #: By each node the first one of its stack.
    first: dict[str, str] = {}
    for node in diagram.nodes:
        before = nodes[read[node.id][0]] if len(read[node.id]) == 1 else None
        if (
            before is None
            or (_is_output(node) and before.id in read_on)
            or not _joins(before, node, [nodes[name] for name in readers[before.id]])
        ):
            first[node.id], stacks[node.id] = node.id, [node]
            continue
        top = first[before.id]
        ends = _is_output(node)
        if not ends and (len(stacks[top]) >= most or stacks[top][-1].id != before.id):
            first[node.id], stacks[node.id] = node.id, [node]
            continue
        first[node.id] = top
        stacks[top].append(node)
    made = tuple(_joined(stack, sizes, widest) for stack in stacks.values())
    edges, sized = (
        {
            (first[edge.source], first[edge.target]): edge._replace(
                source=first[edge.source], target=first[edge.target]
            )
            for edge in between
            if first[edge.source] != first[edge.target]
        }
        for between in (diagram.edges, diagram.sized)
    )
    slim = diagram.slim or len(made) < len(nodes)
    return replace(diagram, nodes=made, edges=tuple(edges.values()), sized=tuple(sized.values()), slim=slim)


def _joins(before: Node, node: Node, readers: Sequence[Node]) -> bool:
    """Whether a card may stand right below the one that it reads."""
    if before.path != node.path or before.auxiliary or node.auxiliary or before.parts[0].family == "input":
        return False
    if node.parts[0].family == "output":
        return True
    return len(readers) == 1 and before.times == node.times == 1


def _is_output(node: Node) -> bool:
    return node.parts[0].family == "output"


def _joined(stack: Sequence[Node], sizes: Mapping[str, str], widest: float) -> Node:
    """One node for all of them."""
    if len(stack) == 1:
        return stack[0]
    parts: list[Part] = []
    last = [node for node in stack if not _is_output(node)][-1]
    for number, node in enumerate(stack):
        *others, part = node.parts
        if _is_output(node):
            size = sizes.get(node.id, "") or last.output
            part = part._replace(lines=(), suffix=size)
        elif node is not last and (number == 0 or node.output != stack[number - 1].output):
            part = _sized(part, node.output, widest)
        parts += [*others, part]
    return Node(
        stack[0].id,
        tuple(parts),
        stack[0].path,
        "" if _is_output(stack[-1]) else last.output,
        last.times,
        last.auxiliary,
    )


def _sized(part: Part, size: str, widest: float) -> Part:
    """A part that says what size its map has."""
    if not size:
        return part
    if not part.lines:
        return part._replace(suffix=f"{part.suffix} · {apart(size)}" if part.suffix else size)
    gives = say("gives {size}", size=size)
    line = f"{part.lines[-1]} · {gives}"
    if text_width(line, SMALL) <= widest:
        return part._replace(lines=(*part.lines[:-1], line))
    return part._replace(lines=(*part.lines, gives))
