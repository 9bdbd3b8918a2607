"""A detector's parts: backbone, neck and heads at each size of map, found in the graph."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, NamedTuple

from archcalc.ops.merge import Add, Concat
from archcalc.render.diagrams.papers.trunk import Unsuited
from archcalc.render.diagrams.wiring import FOLLOWERS, Wiring

Size = tuple[int, ...]
Kind = Literal["backbone", "neck", "shared", "head"]
#: A part by its kind, the size of its maps and, of a head, its output; an input is a part of its own by its name.
Place = tuple[Kind, Size, str]


class Way(NamedTuple):
    """From a part to another, with the rows on the way that are drawn as an arrow alone."""

    source: Place
    target: Place
    rows: tuple[int, ...]


class Pyramid(NamedTuple):
    """The rows of each part, the ways between parts, and the sizes from large maps to small ones."""

    parts: dict[Place, tuple[int, ...]]
    ways: tuple[Way, ...]
    sizes: tuple[Size, ...]


def pyramid_of(wiring: Wiring) -> Pyramid:
    """The parts of a network. Raises `Unsuited` where it does not give outputs on maps of several sizes."""
    return _Finder(wiring).pyramid()


class _Finder:
    def __init__(self, wiring: Wiring) -> None:
        self.wiring, self.rows, self.inputs = wiring, wiring.rows, wiring.inputs
        self.network = wiring.analysis.graph.name
        self.outputs = [(output.name, output.layer) for output in wiring.analysis.graph.outputs]
        sizes = {self.size(layer) for _, layer in self.outputs}
        if len(sizes) < 2 or any(len(size) < 2 for size in sizes):
            raise Unsuited(f"{self.network} does not give outputs on maps of several sizes")
        self.reach = self._reach()
        #: Rows drawn as arrows: those that enlarge a map, and those from the backbone to a merge.
        self.passing: set[int] = set()
        self.tops: list[int] = []
        self.merges = self._merges()
        self.continued = self._continued()
        #: Rows after the neck that are no head: they lead to no merge.
        self.beyond: set[int] = set()

    def size(self, row: int) -> Size:
        return self.rows[row].output_shape[1:]

    def _reach(self) -> list[frozenset[int]]:
        """The outputs that each row leads to."""
        found: list[set[int]] = [set() for _ in self.rows]
        for number, (_, layer) in enumerate(self.outputs):
            found[layer].add(number)
        for index in range(len(self.rows) - 1, -1, -1):
            for source in self.inputs[index]:
                found[source] |= found[index]
        return [frozenset(one) for one in found]

    def _enlarges(self, row: int) -> bool:
        """Whether a row gives a larger map than the first one that it reads."""
        sources = self.inputs[row]
        return (
            bool(sources)
            and len(self.size(row)) == len(self.size(sources[0]))
            and self.size(row) > self.size(sources[0])
        )

    def _merges(self) -> set[int]:
        """Where an enlarged map meets one of the backbone; finds the rows on the ways to them."""
        found = set()
        for index, sources in enumerate(self.inputs):
            if not isinstance(self.rows[index].op, Add | Concat) or len(sources) != 2:
                continue
            ways = [self._way(source, index) for source in sources]
            enlarged = [any(self._enlarges(row) for row in way) for way in ways]
            if sorted(enlarged) == [False, True]:
                found.add(index)
                self.passing.update(*ways)
                self.tops.append(self.inputs[ways[enlarged.index(True)][-1]][0])
        return found

    def _way(self, row: int, merge: int) -> list[int]:
        """The rows back from a merge that nothing else reads but what gets its size from them."""
        way: list[int] = []
        while self.inputs[row] and (len(self.inputs[row]) == 1 or self._enlarges(row)):
            others = [r for r in self.wiring.consumers[row] if r != merge and r not in way]
            if any(not (self._enlarges(reader) and self.inputs[reader][0] != row) for reader in others):
                break
            if self.size(row) != self.size(merge) and not any(self._enlarges(member) for member in way):
                break
            way.append(row)
            row = self.inputs[row][0]
        return way

    def _chain(self, row: int) -> list[int]:
        """The rows after one, each read by the next alone; the last one is read by several, or by none."""
        found: list[int] = []
        while len(self.wiring.consumers[row]) == 1:
            row = self.wiring.consumers[row][0]
            found.append(row)
        return found

    def _continued(self) -> set[int]:
        """The rows after the last merge that are like those between the merge before it and its head."""
        if len(self.merges) < 2:
            return set()
        *_, before, last = sorted(self.merges)
        pattern, chain = self._chain(before), self._chain(last)

        def kinds(rows: list[int]) -> list[tuple[str, object]]:
            return [(self.rows[row].op.kind, getattr(self.rows[row].op, "kernel_size", None)) for row in rows]

        is_alike = len(chain) > len(pattern) and kinds(pattern) == kinds(chain[: len(pattern)])
        return set(chain[: len(pattern)]) if is_alike else set()

    def pyramid(self) -> Pyramid:
        parts: dict[Place, list[int]] = {}
        place_of: dict[int, Place] = {}
        neck = self._neck()
        self.blocks = self._residual()
        for index in range(len(self.rows)):
            if index in self.passing:
                continue
            place = self._place(index, neck)
            parts.setdefault(place, []).append(index)
            place_of[index] = place
        self._pass_on(parts, place_of)
        ways = self._ways(place_of)
        sizes = dict.fromkeys(size for _, size, _ in parts)
        found = {place: tuple(rows) for place, rows in parts.items()}
        return Pyramid(found, tuple(ways), tuple(sorted(sizes, reverse=True)))

    def _pass_on(self, parts: dict[Place, list[int]], place_of: dict[int, Place]) -> None:
        """What the backbone calculates after the map that a neck or a head reads belongs to the next size."""
        stages = sorted((place for place in parts if place[0] == "backbone"), key=lambda place: place[1], reverse=True)
        for place, after in pairwise(stages):
            taps = [
                index
                for index in parts[place]
                if any(place_of.get(r, ("neck", (), ""))[0] != "backbone" for r in self.wiring.consumers[index])
            ]
            later = [index for index in parts[place] if taps and index > taps[-1]]
            parts[place] = [index for index in parts[place] if index not in later]
            parts[after] = sorted(parts[after] + later)
            place_of.update(dict.fromkeys(later, after))

    def _place(self, index: int, neck: set[int]) -> Place:
        size, reach = self.blocks.get(index, self.size(index)), self.reach[index]
        if not size or not reach:
            raise Unsuited(f"{self.rows[index].name} of {self.network} belongs to no map of an output")
        names = [name for name, layer in self.outputs if self.size(layer) == size]
        own = {number for number, (_, layer) in enumerate(self.outputs) if self.size(layer) == size}
        if not self.inputs[index] and self.rows[index].op.family == "input":
            return "backbone", size, self.rows[index].name
        if index in self.merges or index in self.continued:
            return "neck", size, ""
        if reach <= own and (len(reach) < len(own) or len(own) == 1):
            return "head", size, self.outputs[min(reach)][0]
        if index in self.beyond or (reach == own and not self._enters(index)):
            return "shared", size, ", ".join(names)
        return "neck" if index in neck else "backbone", size, ""

    def _residual(self) -> dict[int, Size]:
        """Of the layers of residual blocks, the size of their sum: a block that halves a map does not do so at once."""
        found: dict[int, Size] = {}
        for index, sources in enumerate(self.inputs):
            if not isinstance(self.rows[index].op, Add) or index in self.merges:
                continue
            for source in sources:
                row = source
                while len(self.inputs[row]) == 1 and len(self.wiring.consumers[row]) == 1:
                    found[row] = self.size(index)
                    row = self.inputs[row][0]
        return found

    def _enters(self, index: int) -> bool:
        """Whether the rows that all outputs of a size need begin with one that reads a map of another size."""
        reach, row = self.reach[index], index
        while True:
            if any(self.size(source) != self.size(row) for source in self.inputs[row]):
                return True
            before = [source for source in self.inputs[row] if self.reach[source] == reach]
            if not before:
                return False
            row = before[0]

    def _neck(self) -> set[int]:
        """The rows from the end of the backbone to the first enlarged map, and all that comes after those."""
        if not self.merges:
            return set()
        row = min(self.tops, key=self.size)
        way: list[int] = []
        while len(self.inputs[row]) == 1 and self.size(self.inputs[row][0]) == self.size(row):
            way.append(row)
            row = self.inputs[row][0]
        while way and self.rows[way[-1]].op.family in FOLLOWERS:
            way.pop()  # changes the values of the backbone's last sum in place
        found = {*way, *self.merges}
        for index, sources in enumerate(self.inputs):
            if not found.isdisjoint(sources):
                found.add(index)
        # What leads to no merge and is no head is what heads read, or gives further sizes.
        leads = set(self.merges)
        for index in range(len(self.rows) - 1, -1, -1):
            if index in leads:
                leads.update(self.inputs[index])
        self.beyond = set(range(len(self.rows))) - leads
        return found

    def _ways(self, place_of: dict[int, Place]) -> list[Way]:
        ways: dict[tuple[Place, Place], Way] = {}
        for index, place in place_of.items():
            for read in self.inputs[index]:
                source = read
                rows: list[int] = []
                while source in self.passing:
                    rows.insert(0, source)
                    source = self.inputs[source][0]
                start = place_of[source]
                if start != place:
                    ways.setdefault((start, place), Way(start, place, tuple(rows)))
        return list(ways.values())
