"""The maps of a chain of layers, as the figures of LeNet and VGG show them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.ops.base import Window
from archcalc.passes.analysis import Row
from archcalc.render.diagrams import words
from archcalc.render.diagrams.model import Diagram, Node, Part
from archcalc.render.diagrams.text import clean
from archcalc.render.diagrams.theme import Paint, Theme, heat, mix
from archcalc.render.diagrams.wiring import FOLLOWERS, Wiring

#: More boxes than this are no figure.
MOST = 150


class Volume(NamedTuple):
    """A feature map: height, width and channels of it, and the window that reads it next."""

    node: Node
    family: str
    paint: Paint
    #: Whether it stands back before what is highlighted.
    faded: bool
    label: str
    lines: tuple[str, ...]
    shape: tuple[int, ...]
    #: The kernel of the layer that made it, by axes; None where it reads everything.
    kernel: tuple[int, ...] | None
    #: Whether the window is what a value is spread to, as in a transposed convolution, and not what it is read from.
    spread: bool
    #: From one value that the window reads to the next, by axes.
    dilation: tuple[int, ...] = ()
    #: The share of the maps before that one value is computed from: those of a group, or one map alone.
    share: float = 1.0
    #: The layers of the node that are drawn with another, in this box.
    beside: tuple[Row, ...] = ()


def is_chain(diagram: Diagram) -> bool:
    """Whether every node reads the one before it; unpooling also reads where a pool found its maxima."""
    before = {node.id: earlier.id for earlier, node in pairwise(diagram.nodes)}
    return (
        all(
            before[edge.target] == edge.source or diagram.by_id[edge.target].parts[0].family == "pooling"
            for edge in diagram.edges
        )
        and len({edge.target for edge in diagram.edges}) == len(diagram.nodes) - 1
    )


def volumes_of(diagram: Diagram, wiring: Wiring, theme: Theme) -> list[Volume]:
    """The maps of a chain of layers. Raises `UsageError` where they are too many."""
    rows = wiring.analysis.by_name
    if len(diagram.nodes) > MOST:
        raise UsageError(f"{len(diagram.nodes):,} boxes are too many for the style volumes: take the style blocks")
    volumes = []
    for node in _with_followers(diagram, wiring):
        main = next((part for part in node.parts if part.lines), node.parts[0])
        row, last = rows[main.name], rows[node.parts[-1].name]
        reads = row.op.windows(row.input_shapes)
        first = reads[0] if reads and isinstance(reads[0], tuple) else ()
        windows = [read for read in first if isinstance(read, Window)]
        kernel = tuple(int(window.size) for window in windows) or None
        spread = kernel is not None and windows[0].transposed
        paint, faded = look(diagram, node.parts, main.family, theme)
        label = _name(main.name, node, wiring)
        lines = [line for line in main.lines if line != words.params(row.params)] + _places(node, diagram)
        dilation = tuple(window.dilation for window in windows)
        channels = row.input_shapes[0][0] if row.input_shapes else 1
        share = len(sheets_read(row, channels)) / channels
        beside = tuple([rows[part.name] for part in node.parts if part is not main])
        volumes.append(
            Volume(
                node, main.family, paint, faded, label, tuple(lines), last.output_shape, kernel, spread, dilation,
                share, beside,
            )
        )  # fmt: skip
    return volumes


def groups_of(row: Row) -> int:
    """In how many groups a convolution works; one for any other layer."""
    return int(getattr(row.op, "groups", 1))


def sheets_read(row: Row, sheets: int) -> range:
    """Which sheets of the stack before a layer the map in front of its own stack is computed from, the last one."""
    groups = groups_of(row)
    channels = row.input_shapes[0][0] if row.input_shapes else 1
    table = getattr(row.op, "connections", None)
    if table:
        return range(table[-1][0] * sheets // channels, -(-(table[-1][-1] + 1) * sheets // channels))
    if groups >= channels or row.op.family != "convolution":
        return range(sheets - 1, sheets)
    return range(sheets - max(sheets // groups, 1), sheets)


def look(diagram: Diagram, parts: Sequence[Part], family: str, theme: Theme) -> tuple[Paint, bool]:
    """The fill and the line of a map, by its kind or its number, and whether it stands back before others."""
    paint = theme.families[family]
    heats = [part.heat for part in parts if part.heat is not None]
    if diagram.scale:
        paint = paint._replace(fill=heat(theme, max(heats)) if heats else theme.families["input"].fill)
    if not diagram.marked:
        return paint, False
    if any(part.marked for part in parts):
        return paint._replace(line=theme.accent), False
    return Paint(mix(paint.fill, theme.background, 0.75), mix(paint.line, theme.background, 0.65)), True


def _with_followers(diagram: Diagram, wiring: Wiring) -> list[Node]:
    """The nodes, each with the layers after it that only change the values of its map."""
    nodes: list[Node] = []
    rows = wiring.analysis.by_name
    for node in diagram.nodes:
        follows = all(part.family in FOLLOWERS for part in node.parts)
        if follows and nodes and nodes[-1].parts[-1].family not in ("input", "output"):
            before, after = (rows[one.parts[-1].name].output_shape for one in (nodes[-1], node))
            if before == after:
                nodes[-1] = nodes[-1]._replace(parts=nodes[-1].parts + node.parts)
                continue
        nodes.append(node)
    return nodes


def _name(layer: str, node: Node, wiring: Wiring) -> str:
    """What a box is called, with the blocks around it. A block that is all in the box gives it its name."""
    path = tuple(layer.split("/"))
    names = [tuple(part.name.split("/")) for part in node.parts]
    while len(path) > 1 and wiring.sizes[path[:-1]] <= sum(name[: len(path) - 1] == path[:-1] for name in names):
        path = path[:-1]
    return clean("/".join(path))


def _places(node: Node, diagram: Diagram) -> list[str]:
    """Where an unpooling layer puts its values: where the pool found its maxima."""
    sources = [edge.source for edge in diagram.edges if edge.target == node.id]
    pools = [source for source in sources if len(sources) > 1 and diagram.by_id[source].parts[0].family == "pooling"]
    return [say("to the places of {pool}", pool=clean(source)) for source in pools]
