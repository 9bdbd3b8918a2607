"""A diagram in the language of Graphviz, so that it can be laid out differently."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.core.language import say
from archcalc.render.diagrams.measure import LABEL, WIDEST
from archcalc.render.diagrams.model import Diagram, Edge, EdgeKind, Node
from archcalc.render.diagrams.strokes import edge_colour
from archcalc.render.diagrams.text import shorten
from archcalc.render.diagrams.theme import Theme, heat, readable

_STYLES: dict[EdgeKind, str] = {
    "flow": "solid",
    "identity": "bold",
    "projection": "dotted",
    "auxiliary": "dashed",
    "size": "dotted",
}


def quote(text: str) -> str:
    """A quoted string of DOT."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def short(label: str) -> str:
    """A name that is not wider than in the drawings."""
    return shorten(label, WIDEST, LABEL, True)


def ending(diagram: Diagram, node: Node) -> list[str]:
    """The size of a map that no arrow carries further."""
    return [] if node.id in diagram.read or not node.output else [say("output {size}", size=node.output)]


def repeated(label: str, times: int) -> str:
    """A name with the sign that it repeats."""
    return f"{label} ×{times}" if times > 1 else label


def edge_text(diagram: Diagram, edge: Edge) -> str:
    """What stands at an arrow: the size of its map, or that the size is all that is taken."""
    return say("size") if edge.kind == "size" else edge.size or diagram.by_id[edge.source].output


def label_lines(diagram: Diagram, node: Node) -> list[str]:
    """The lines in a box."""
    lines = []
    for part in node.parts:
        lines += [f"{repeated(short(part.label), node.times)}  {part.suffix}".rstrip(), *part.lines]
    return lines + ending(diagram, node)


def dot(diagram: Diagram, theme: Theme, direction: str = "TB") -> str:
    """The diagram as a digraph; parts of a stack are rows of one label."""
    return "\n".join(_lines(diagram, theme, direction)) + "\n"


def _lines(diagram: Diagram, theme: Theme, direction: str) -> Iterator[str]:
    yield f"digraph {quote(diagram.title)} {{"
    title = quote("\n".join(filter(None, (diagram.title, diagram.subtitle)))).replace("\n", "\\n")
    yield f"  graph [rankdir={direction}, label={title}, labelloc=t, fontname=Helvetica,"
    yield f'    bgcolor="{theme.background}", fontcolor="{theme.ink}"];'
    yield '  node [shape=box, style="rounded,filled", height=0.35,'
    yield f'    fontname="Helvetica", fontsize=12, fontcolor="{theme.ink}"];'
    yield f'  edge [fontname="Helvetica", fontsize=10, arrowsize=0.7, color="{theme.edge}", fontcolor="{theme.quiet}"];'
    yield from _inside(diagram, (), theme, "  ")
    for edge in (*diagram.edges, *diagram.sized):
        label = edge_text(diagram, edge)
        more = "" if edge.kind == "flow" else f', color="{edge_colour(edge.kind, theme)}"'
        if edge.kind == "size":
            # No level depends on what gives its size alone.
            more += ", penwidth=0.6, arrowhead=open, constraint=false"
        style = f"[label={quote(label)}{more}, style={_STYLES[edge.kind]}]"
        yield f"  {quote(edge.source)} -> {quote(edge.target)} {style};"
    yield "}"


def _inside(diagram: Diagram, path: tuple[str, ...], theme: Theme, indent: str) -> Iterator[str]:
    for item in diagram.contents.get(path, ()):
        if isinstance(item, Node):
            yield f"{indent}{quote(item.id)} [{_attributes(diagram, item, theme)}];"
            continue
        yield f"{indent}subgraph {quote('cluster_' + '/'.join(item.path))} {{"
        label = quote(repeated(item.label, item.times))
        frame = theme.frame if len(item.path) % 2 else theme.inner_frame
        look = f'style="rounded,filled", fontsize=12, fillcolor="{frame.fill}", color="{frame.line}"'
        yield f"{indent}  graph [label={label}, labeljust=l, {look}];"
        yield from _inside(diagram, item.path, theme, indent + "  ")
        yield f"{indent}}}"


def _attributes(diagram: Diagram, node: Node, theme: Theme) -> str:
    main = max(node.parts, key=lambda part: (len(part.lines), part.heat or 0))
    paint = theme.families["input" if diagram.scale and main.heat is None else main.family]
    fill, ink = paint.fill, theme.ink
    if main.heat is not None:
        fill = heat(theme, main.heat)
        ink = readable(fill)
    label = "\\n".join(quote(line)[1:-1] for line in label_lines(diagram, node))
    style = ', style="rounded,filled,dashed"' if node.auxiliary else ""
    sides = ", peripheries=2" if node.times > 1 else ""
    return f'label="{label}", fillcolor="{fill}", color="{paint.line}", fontcolor="{ink}"{style}{sides}'
