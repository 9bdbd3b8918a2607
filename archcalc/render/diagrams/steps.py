"""A series of drawings that reveals a network part by part."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.render.diagrams.drawing import Drawing
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.pack import Layout
from archcalc.render.diagrams.trace import ways

#: More steps than this are put together: a series repeats what it showed before.
MOST = 60


class Steps:
    """In which step each part of a laid-out diagram appears; the first is 1."""

    def __init__(self, diagram: Diagram, layout: Layout) -> None:
        self.of_node = node_steps(diagram)
        lines = [0] * len(layout.lines)
        for way in ways(diagram, layout):
            step = max(self.of_node[way.edge.source], self.of_node[way.edge.target])
            for number in way.lines:
                lines[number] = min(lines[number] or step, step)
        self.of_line = lines

    def of_group(self, path: tuple[str, ...], layout: Layout) -> int:
        """A frame appears with the first box in it."""
        inside = [node.box.node for node in layout.nodes if node.box.node.path[: len(path)] == path]
        return min((self.of_node[node.id] for node in inside), default=1)


def node_steps(diagram: Diagram) -> Mapping[str, int]:
    """Each outermost block, and each layer outside of blocks, is a step; an auxiliary output comes with its source."""
    numbers: dict[str, int] = {}
    steps: dict[str, int] = {}
    reads = {edge.target: edge.source for edge in diagram.edges}
    for node in diagram.nodes:
        source = reads.get(node.id)
        if node.parts[0].family == "output" and source in steps:
            steps[node.id] = steps[source]
        else:
            part = node.path[0] if node.path else node.id.partition("/")[0]
            steps[node.id] = numbers.setdefault(part, len(numbers) + 1)
    return steps


def reveal(drawing: Drawing) -> tuple[list[Drawing], tuple[str, ...]]:
    """One drawing a step, all of one size: each shows one part more, or several where there are very many.

    And what there is to say about it.
    """
    last = max((item.step for item in drawing.items), default=1)
    count = min(max(last, 1), MOST)
    found: list[Drawing] = []
    for number in range(1, count + 1):
        step = -(-last * number // count)
        items = tuple(item for item in drawing.items if item.step <= step)
        links = tuple(link for link in drawing.links if link.step <= step)
        if not found or len(items) > len(found[-1].items):
            found.append(drawing._replace(items=items, links=links))
    notes = (f"{last:,} parts are revealed in {len(found)} steps",) if last > MOST else ()
    return found, notes
