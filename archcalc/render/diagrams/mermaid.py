"""A diagram in the language of Mermaid, which many Markdown viewers draw."""

from __future__ import annotations

from collections.abc import Iterator
from json import dumps

from archcalc.render.diagrams.dot import edge_text, label_lines, repeated
from archcalc.render.diagrams.model import Diagram, EdgeKind, Node
from archcalc.render.diagrams.theme import Theme, heat, readable

#: Mermaid's settings maxEdges and maxTextSize, unless raised.
MOST_EDGES, MOST_TEXT = 500, 50_000
#: A line without a label and the two halves of one with a label.
_LINES: dict[EdgeKind, tuple[str, str, str]] = {
    "flow": ("-->", "--", "-->"),
    "identity": ("==>", "==", "==>"),
    "projection": ("-.->", "-.", ".->"),
    "auxiliary": ("-.->", "-.", ".->"),
    "size": ("-.->", "-.", ".->"),
}


def limits(text: str) -> tuple[str, ...]:
    """What there is to say of a source that Mermaid does not draw as it is set up."""
    arrows = tuple(f"{end} n" for _, _, end in _LINES.values())
    edges = sum(line.startswith("  n") and any(arrow in line for arrow in arrows) for line in text.split("\n"))
    if edges < MOST_EDGES and len(text) <= MOST_TEXT:
        return ()
    return (
        f"this has {edges:,} edges and {len(text):,} characters; Mermaid draws less than {MOST_EDGES} and up to "
        f"{MOST_TEXT:,} unless its settings maxEdges and maxTextSize are raised; --style blocks is shorter",
    )


def quote(text: str) -> str:
    """A text in quotes; Mermaid writes special characters as entities with # for &."""
    entities = {'"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "#": "#35;", ";": "#59;", "\\": "#92;"}
    return '"' + "".join(entities.get(character, character) for character in text) + '"'


def mermaid(diagram: Diagram, theme: Theme, direction: str = "TB") -> str:
    """The diagram as a flowchart."""
    return "\n".join(_flowchart(diagram, theme, direction)) + "\n"


def _flowchart(diagram: Diagram, theme: Theme, direction: str) -> Iterator[str]:
    yield "---"
    yield f"title: {dumps(diagram.title, ensure_ascii=False)}"
    yield "---"
    yield f"flowchart {direction}"
    names = {node.id: f"n{number}" for number, node in enumerate(diagram.nodes)}
    groups = {group.path: f"g{number}" for number, group in enumerate(diagram.groups)}
    yield from _inside(diagram, (), names, groups, "  ")
    for edge in (*diagram.edges, *diagram.sized):
        plain, start, end = _LINES[edge.kind]
        shape = edge_text(diagram, edge)
        arrow = f"{start} {quote(shape)} {end}" if shape else plain
        yield f"  {names[edge.source]} {arrow} {names[edge.target]}"
    for family in dict.fromkeys(_main(node) for node in diagram.nodes):
        paint = theme.families[family]
        yield f"  classDef {family} fill:{paint.fill},stroke:{paint.line},color:{theme.ink}"
    for node in diagram.nodes:
        hottest = max((part.heat for part in node.parts if part.heat is not None), default=None)
        if hottest is not None:
            fill = heat(theme, hottest)
            yield f"  style {names[node.id]} fill:{fill},color:{readable(fill)}"
        elif diagram.scale:
            yield f"  style {names[node.id]} fill:{theme.families['input'].fill}"


def _main(node: Node) -> str:
    return max(node.parts, key=lambda part: len(part.lines)).family


def _inside(
    diagram: Diagram, path: tuple[str, ...], names: dict[str, str], groups: dict[tuple[str, ...], str], indent: str
) -> Iterator[str]:
    for item in diagram.contents.get(path, ()):
        if isinstance(item, Node):
            label = '"' + "<br/>".join(quote(line)[1:-1] for line in label_lines(diagram, item)) + '"'
            yield f"{indent}{names[item.id]}[{label}]:::{_main(item)}"
            continue
        yield f"{indent}subgraph {groups[item.path]} [{quote(repeated(item.label, item.times))}]"
        yield from _inside(diagram, item.path, names, groups, indent + "  ")
        yield f"{indent}end"
