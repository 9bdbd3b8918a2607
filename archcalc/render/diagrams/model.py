"""The diagram model: what a picture shows, without positions and without a format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

EdgeKind = Literal["flow", "identity", "projection", "auxiliary", "size"]


class Part(NamedTuple):
    """One layer of a node, or one folded block: a bold label, words next to it, lines below it."""

    name: str
    label: str
    suffix: str = ""
    lines: tuple[str, ...] = ()
    family: str = "convolution"
    #: The position of its number on the scale, from 0 to 1; None where it has none.
    heat: float | None = None
    #: Whether it belongs to what is highlighted.
    marked: bool = False
    #: Every layer that a folded block stands for, those of its repetitions included; empty for a layer.
    holds: tuple[str, ...] = ()


class Node(NamedTuple):
    """Layers that follow each other without a branch, drawn as one stack, or a folded block.

    `ports` are the two ends: edges enter at the top of the first part and leave below the last one, where the shape
    of the output is written.
    """

    id: str
    parts: tuple[Part, ...]
    #: The blocks around it, from the outermost to the innermost.
    path: tuple[str, ...] = ()
    output: str = ""
    times: int = 1
    auxiliary: bool = False


class Group(NamedTuple):
    """A block that is drawn as a frame. `path` names it and the blocks around it."""

    path: tuple[str, ...]
    label: str
    times: int = 1
    note: str = ""
    auxiliary: bool = False


class Edge(NamedTuple):
    """A feature map on its way from a node to another."""

    source: str
    target: str
    kind: EdgeKind = "flow"
    marked: bool = False
    #: The size of the map, where others of other sizes leave the same box.
    size: str = ""


class Swatch(NamedTuple):
    """A line of the legend: a colour of a family of ops, or a kind of edge."""

    label: str
    family: str = ""
    edge: EdgeKind | None = None


class Scale(NamedTuple):
    """A colour scale: what it shows, and texts along it, from 0 to 1."""

    title: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Diagram:
    """Nodes in the order in which they run, nested groups, edges and a legend."""

    title: str
    subtitle: str
    description: str
    nodes: tuple[Node, ...]
    groups: tuple[Group, ...]
    edges: tuple[Edge, ...]
    legend: tuple[Swatch, ...] = ()
    scale: Scale | None = None
    #: From a map to a node that takes its size and none of its values. Their text says so; they are no way of data.
    sized: tuple[Edge, ...] = ()
    #: What was left out or folded, for the reader of the message, not of the picture.
    notes: tuple[str, ...] = ()
    #: Cards of folded blocks are larger than stacks of layers.
    cards: bool = False
    #: Each card is only as wide as its texts.
    slim: bool = False
    #: Drawn in one piece, however long.
    whole: bool = False

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def read(self) -> frozenset[str]:
        """The nodes whose maps others read."""
        return frozenset(edge.source for edge in self.edges)

    @cached_property
    def leaving(self) -> frozenset[str]:
        """The nodes below which the size of a map stands, at the line that leaves them."""
        return frozenset(node.id for node in self.nodes if node.output)

    @cached_property
    def marked(self) -> bool:
        """Whether something is highlighted, before which all else stands back."""
        return any(part.marked for node in self.nodes for part in node.parts)

    @cached_property
    def order(self) -> Mapping[str, int]:
        return {node.id: position for position, node in enumerate(self.nodes)}

    @cached_property
    def contents(self) -> Mapping[tuple[str, ...], Sequence[Group | Node]]:
        """Frames and nodes directly inside each frame, or outside of all, in the order in which they run."""
        shown = {group.path: group for group in self.groups}
        found: dict[tuple[str, ...], list[Group | Node]] = {(): []}
        for node in self.nodes:
            levels = [node.path[:level] for level in range(1, len(node.path) + 1) if node.path[:level] in shown]
            for outer, path in zip([(), *levels], levels, strict=False):
                if path not in found:
                    found[path] = []
                    found[outer].append(shown[path])
            found[levels[-1] if levels else ()].append(node)
        return found
