"""Reading a network back from the Graphviz or Mermaid source of its picture."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from archcalc.passes.analysis import Analysis, Row
from archcalc.render.diagrams.model import Diagram

Pair = tuple[str, str]
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class Shown(NamedTuple):
    """What a picture shows: its boxes with their texts and how often each runs, the arrows, and the frames."""

    texts: dict[str, str]
    times: dict[str, int]
    arrows: frozenset[Pair]
    #: The boxes of each frame, and how often it is repeated.
    frames: tuple[tuple[int, frozenset[str]], ...]

    def repeats(self, boxes: Iterable[str]) -> int:
        """How often the frames that hold all of these boxes run."""
        product = 1
        for times, inside in self.frames:
            if times > 1 and inside.issuperset(boxes):
                product *= times
        return product

    def params(self) -> int:
        """The sum over the boxes."""
        return sum(
            int(number.replace(",", "")) * self.times[box]
            for box, text in self.texts.items()
            for number in re.findall(r"([\d,]+) params", text)
        )

    def multiplications(self) -> float:
        """The sum over the boxes, each of which shows three digits."""
        return sum(
            float(number) * UNITS[unit] * self.times[box]
            for box, text in self.texts.items()
            for number, unit in re.findall(r"([\d.]+) ?([KMGT]?) mult\.", text)
        )


def _times(label: str) -> int:
    found = re.search(r" ×(\d+)(?:  .*)?$", label)
    return int(found[1]) if found else 1


def read_dot(text: str) -> Shown:
    """Parsed by Graphviz itself."""
    from pygraphviz import AGraph

    graph = AGraph(string=text)
    frames: list[tuple[int, frozenset[str]]] = []

    def walk(part: Any) -> None:
        for inner in part.subgraphs():
            frames.append((_times(inner.graph_attr["label"]), frozenset(map(str, inner.nodes()))))
            walk(inner)

    walk(graph)
    texts = {str(node): str(node.attr["label"]).replace("\\n", "\n") for node in graph.nodes()}
    return _shown(texts, {(str(a), str(b)) for a, b in graph.edges()}, frames)


def read_mermaid(text: str, diagram: Diagram) -> Shown:
    """Parsed line by line; the boxes come in the order of the diagram's nodes."""
    names = {f"n{number}": node.id for number, node in enumerate(diagram.nodes)}
    texts: dict[str, str] = {}
    arrows: set[Pair] = set()
    frames: list[tuple[int, frozenset[str]]] = []
    stack: list[tuple[int, set[str]]] = []
    for line in text.split("\n"):
        if node := re.match(r'\s*(n\d+)\["(.*)"\]:::', line):
            texts[names[node[1]]] = node[2].replace("<br/>", "\n")
            for _, inside in stack:
                inside.add(names[node[1]])
        elif frame := re.match(r'\s*subgraph g\d+ \["(.*)"\]', line):
            stack.append((_times(frame[1]), set()))
        elif line.strip() == "end":
            times, inside = stack.pop()
            frames.append((times, frozenset(inside)))
        elif arrow := re.match(r"\s*(n\d+) .*> (n\d+)$", line):
            arrows.add((names[arrow[1]], names[arrow[2]]))
    return _shown(texts, arrows, frames)


def _shown(texts: dict[str, str], arrows: set[Pair], frames: list[tuple[int, frozenset[str]]]) -> Shown:
    shown = Shown(texts, {}, frozenset(arrows), tuple(frames))
    for box, text in texts.items():
        shown.times[box] = _times(text.split("\n")[0]) * shown.repeats([box])
    return shown


def copies_of(analysis: Analysis, names: list[str], times: int) -> list[list[Row]]:
    """The layers that a box stands for, repetition by repetition."""
    rows = [analysis.by_name[name] for name in names]
    each = len(rows) // times
    return [rows[start : start + each] for start in range(0, len(rows), each or 1)]


def check_reading(analysis: Analysis, diagram: Diagram, shown: Shown, exact: bool = True, sums: bool = True) -> None:
    """Every layer lies in one box, the arrows are the readers of the network, and the boxes add up to the totals.

    With `exact` an arrow carries one map: it starts at the end of its box. Without `sums` boxes have no numbers.
    """
    box_of: dict[str, str] = {}
    last_of: dict[str, str] = {}
    for node in diagram.nodes:
        names = [name for part in node.parts for name in (part.holds or (part.name,)) if name]
        # As many as the box has layers, as often as it runs.
        assert len(names) % shown.times[node.id] == 0
        assert not box_of.keys() & set(names)
        box_of.update(dict.fromkeys(names, node.id))
        last_of[node.id] = names[-1] if names else ""
    assert box_of.keys() == {row.name for row in analysis.rows}

    leaving = {source for row in analysis.rows for source in row.inputs if box_of[source] != box_of[row.name]}
    leaving |= {analysis.rows[output.layer].name for output in analysis.graph.outputs}
    ends_of: dict[str, set[str]] = {}
    for box, times in shown.times.items():
        names = [name for name, place in box_of.items() if place == box]
        last_copy = names[-(len(names) // times) :] if times == shown.times[box] else names
        ends_of[box] = leaving.intersection(last_copy)
    readers: dict[Pair, set[str]] = {}
    for row in analysis.rows:
        for source in row.inputs:
            if box_of[source] != box_of[row.name]:
                readers.setdefault((box_of[source], box_of[row.name]), set()).add(source)
    ends = {box for box in shown.texts if box.startswith("output:")}
    arrows = {arrow for arrow in shown.arrows if arrow[1] not in ends}
    again: set[Pair] = set()
    for times, inside in shown.frames:
        if times > 1:
            # From the end of a repetition to the start of the next one.
            last = {a for a, b in shown.arrows if a in inside and b not in inside}
            first = {b for a, b in arrows if b in inside and a not in inside}
            last |= {box for box in inside if not any(a == box for a, _ in shown.arrows)}
            again |= {(a, b) for a in last for b in first} - {(box, box) for box in inside}
    assert arrows | again == set(readers)
    for source, target in arrows if exact else ():
        read = readers[source, target]
        # A box of which several maps are read is read by their names.
        kept = ends_of[source]
        if len(kept) > 1:
            named_maps = [name for line in re.findall(r"^reads (.*)$", shown.texts[target], re.MULTILINE)
                          for name in line.split(" and ")]  # fmt: skip
            # In each copy that the box stands for, the layers in the places of those that are named.
            layers = [layer for layer, box in box_of.items() if box == source]
            place_of = {layer: number % (len(layers) // shown.times[source]) for number, layer in enumerate(layers)}
            named_places = {place_of[name] for name in named_maps if name in place_of}
            assert {place_of[layer] for layer in read} == named_places, (source, target)
            assert len(read) == len(named_places) * shown.repeats((source, target)), (source, target)
            continue
        # A box of several equal blocks is read at the end of the last one, unless its reader names others.
        lines = re.findall(r"^reads (.*)$", shown.texts[target], re.MULTILINE)
        layers = [layer for layer, box in box_of.items() if box == source]
        named = [
            name
            for line in lines
            for name in line.split(" and ")
            if any(f"/{name}/" in f"/{layer}/" for layer in layers)
        ]
        if named and shown.times[source] > shown.repeats([source]):
            assert all(any(f"/{name}/" in f"/{layer}/" for name in named) for layer in read), (source, target)
            assert len(read) == len(named) * shown.repeats((source, target))
        elif shown.times[source] > 1 == shown.repeats([source]):
            assert read == {last_of[source]}, (source, target)
        else:
            assert len(read) == shown.repeats((source, target)), (source, target)
    for box, text in shown.texts.items():
        each = re.search(r"^each reads the (\d+) before it$", text, re.MULTILINE)
        maps = re.search(r"^each reads the (\d+) maps of the one before it$", text, re.MULTILINE)
        copies = copies_of(analysis, [name for name in box_of if box_of[name] == box], shown.times[box])
        outside = [{source for row in copy for source in row.inputs} - {row.name for row in copy} for copy in copies]
        if shown.times[box] > 1 == shown.repeats([box]):
            if maps:
                given = [{row.name for row in copy} & read for copy, read in zip(copies, outside[1:], strict=False)]
                assert given == outside[1:]
                assert {len(read) for read in given} == {int(maps[1])}
                continue
            count = int(each[1]) if each else 1
            assert all(len(read) == count for read in outside)
            finals = [copy[-1].name for copy in copies]
            for number in range(1, len(copies)):
                own = set(finals[max(number - count, 0) : number])
                assert own <= outside[number]
                assert outside[number] - own <= outside[number - 1] | set(finals)
        elif shown.times[box] == 1:
            assert each is None
    outputs = [box_of[analysis.rows[output.layer].name] for output in analysis.graph.outputs]
    if len(outputs) > 1:
        assert sorted(a for a, b in shown.arrows if b in ends) == sorted(outputs)

    assert not sums or shown.params() == analysis.totals.params
    if diagram.cards and sums:
        work = analysis.totals.multiplications
        assert abs(shown.multiplications() - work) <= 0.006 * work
