"""What the pictures need to know of a network's graph: stacks of layers, shortcuts, side branches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.ops.merge import Add
from archcalc.passes.analysis import Analysis, Row
from archcalc.passes.blocks import Connections, counterpart
from archcalc.render.diagrams.model import EdgeKind

#: Families whose layers only change the values of the map before them, and are drawn below it.
FOLLOWERS = frozenset({"activation", "normalisation", "regularisation"})
#: A projection is a short way round: skip pixels, pad channels, convolve, normalise.
LONGEST_PROJECTION = 4

Path = tuple[str, ...]


class Ending(NamedTuple):
    """An output of the network: its layer, what it is called in a picture, and whether it serves the training alone."""

    layer: int
    label: str
    auxiliary: bool


class Wiring(Connections):
    """Who reads whom in an analysis, and what a picture makes of it: stacks of layers, shortcuts, side branches."""

    def __init__(self, analysis: Analysis) -> None:
        super().__init__(analysis)
        # An input stands in no block: that of a block by itself is named after the layer that it comes from.
        self.paths: list[Path] = [(row.name,) if row.op.is_input else tuple(row.name.split("/")) for row in self.rows]
        #: The layer whose size a layer takes, and nothing else of it: no map on its way, in no picture.
        self.sized: dict[int, int] = {}
        for index, row in enumerate(self.rows):
            if row.op.sized_by_second and len(self.inputs[index]) > 1:
                first, second = self.inputs[index]
                self.inputs[index] = (first,)
                self.consumers[second].remove(index)
                self.sized[index] = second
        self.sizes: Mapping[Path, int] = Counter(path[:level] for path in self.paths for level in range(1, len(path)))

    def _content(self, members: Sequence[int], distances: Mapping[int, int] | Mapping[int | None, int]) -> Hashable:
        """What is in a block; one that takes the size of a map outside is like no other one."""
        inside = set(members)
        outside = [member for member in members if self.sized.get(member, member) not in inside]
        return super()._content(members, distances), tuple(outside)

    @cached_property
    def endings(self) -> list[Ending]:
        """The outputs of a network that has several; those that are there for the training alone are auxiliary."""
        outputs = [output for output in self.analysis.graph.outputs if output.layer in self.outputs]
        if len(outputs) < 2:
            return []
        most = max(output.loss_weight for output in outputs)
        return [
            Ending(
                output.layer,
                output.name
                if output.loss_weight == most
                else say("{output} · loss × {weight:g}", output=output.name, weight=output.loss_weight),
                output.training_only,
            )
            for output in outputs
        ]

    @cached_property
    def side(self) -> frozenset[int]:
        """Layers that only auxiliary outputs need."""
        needed = {ending.layer for ending in self.endings if not ending.auxiliary}
        if not needed:
            return frozenset()
        for index in range(len(self.rows) - 1, -1, -1):
            if index in needed:
                needed.update(self.inputs[index])
        return frozenset(range(len(self.rows))) - needed

    @cached_property
    def stacks(self) -> list[tuple[int, ...]]:
        """Each layer with those that only change its values in place."""
        stacks: list[list[int]] = []
        #: The blocks that the layers of each stack stand in.
        blocks: list[set[Path]] = []
        stack_of: dict[int, int] = {}
        for index in range(len(self.rows)):
            place = self._place_to_join(index, stacks, stack_of)
            block = self.paths[index][:-1]
            # A long stack in one block need not be looked through again.
            if place is None or not (blocks[place] == {block} or self._same_blocks([*stacks[place], index])):
                place = len(stacks)
                stacks.append([])
                blocks.append(set())
            stacks[place].append(index)
            blocks[place].add(block)
            stack_of[index] = place
        return [tuple(stack) for stack in stacks]

    def _place_to_join(self, index: int, stacks: list[list[int]], stack_of: dict[int, int]) -> int | None:
        row, sources = self.rows[index], self.inputs[index]
        if len(sources) != 1 or self.consumers[sources[0]] != [index] or self.rows[sources[0]].op.family == "input":
            return None
        if sources[0] in self.outputs:
            return None
        place = stack_of[sources[0]]
        stack = stacks[place]
        leads = row.op.family in ("convolution", "dense", "pooling") and self._leads(stack)
        follows = row.op.family in FOLLOWERS and row.output_shape == self.rows[sources[0]].output_shape
        return place if follows or (leads and self.paths[index][:-1] == self.paths[stack[0]][:-1]) else None

    def _leads(self, stack: list[int]) -> bool:
        """Whether a stack is an activation that comes before a layer, as in Xception."""
        families = {self.rows[member].op.family for member in stack}
        return families <= FOLLOWERS and "activation" in families

    def _same_blocks(self, stack: list[int]) -> bool:
        """Whether every block that holds a layer of the stack, but not all of it, lies wholly inside."""
        common = self.common(stack)
        for member in stack:
            path = self.paths[member]
            for level in range(len(common) + 1, len(path)):
                block = path[:level]
                if sum(self.paths[other][:level] == block for other in stack) != self.sizes[block]:
                    return False
        return True

    def owner_of(self, member: int, members: Sequence[int]) -> Hashable:
        """The same; where what is around the block has a counterpart, the weights are those of the layer's own.

        So blocks of a tower that uses the weights of another one are as equal as those are.
        """
        owner, own = counterpart(self.rows[member])
        is_around = owner != self.rows[member].weights_of and own.count("/") + 1 < len(self.common(members))
        return (owner, own) if is_around else super().owner_of(member, members)

    def common(self, members: Sequence[int]) -> Path:
        """The blocks that hold all of these layers."""
        first = self.paths[members[0]][:-1]
        for member in members[1:]:
            path = self.paths[member]
            # Nearly always the layers of a stack lie in the same blocks.
            if path[: len(first)] == first and len(path) > len(first):
                continue
            length = 0
            while length < min(len(first), len(path) - 1) and first[length] == path[length]:
                length += 1
            first = first[:length]
        return first

    @cached_property
    def edge_kinds(self) -> Mapping[tuple[int, int], EdgeKind]:
        """Shortcuts past a residual: unchanged ones, and every edge of those that change width or size."""
        kinds: dict[tuple[int, int], EdgeKind] = {}
        for index, sources in enumerate(self.inputs):
            if not isinstance(self.rows[index].op, Add) or len(sources) < 2:
                continue
            found = self._shortcut(sources)
            if found is None:
                continue
            way, fork = found
            kind: EdgeKind = "projection" if way else "identity"
            for before, after in zip([fork, *reversed(way)], [*reversed(way), index], strict=True):
                kinds[before, after] = kind
        for index in self.side:
            for source in self.inputs[index]:
                kinds[source, index] = "auxiliary"
        return kinds

    @cached_property
    def projections(self) -> list[Row]:
        """The layers on shortcuts that change width or size; the addition at their end is none."""
        ends = {after for (_, after), kind in self.edge_kinds.items() if kind == "projection"}
        return [self.rows[end] for end in sorted(ends) if not isinstance(self.rows[end].op, Add)]

    def _shortcut(self, sources: tuple[int, ...]) -> tuple[list[int], int] | None:
        """The layers of the shortest way round, from the last to the first, and the layer where it forks off."""
        for source in sources:
            others = [other for other in sources if other != source]
            way: list[int] = []
            place = source
            while len(way) <= LONGEST_PROJECTION:
                found = next(((end, seen) for end in others if (seen := self._between(place, end))), None)
                if found:
                    end, between = found
                    shorter = not way or self._weighted(way) < self._weighted(between)
                    if shorter and not (way and (self._leaks(between, end) or self._descends(between, place, end))):
                        return way, place
                    break
                # A map that others read too is no mere way round.
                alone = len(self.inputs[place]) == len(self.consumers[place]) == 1
                if not alone or self._weighted([*way, place]) > 1:
                    break
                way.append(place)
                place = self.inputs[place][0]
        return None

    def _leaks(self, between: Sequence[int], end: int) -> bool:
        """Whether others read what lies between a fork and the end of the longer way: then that is no residual alone.

        So the skip connections of WaveNet add what each layer gives on its way to the next one.
        """
        inside = set(between)
        residual = inside - {end}
        return not residual.isdisjoint(self.outputs) or any(
            not inside.issuperset(self.consumers[member]) for member in residual
        )

    def _descends(self, members: Sequence[int], start: int, end: int) -> bool:
        """Whether all ways between two layers pass smaller maps than the last one gives.

        What runs past them is a level across a pyramid, and no shortcut.
        """
        sizes = self.rows[end].output_shape[1:]
        queue, reached = [end], {end}
        while queue:
            for before in self.inputs[queue.pop()]:
                if before == start:
                    return False
                shape = self.rows[before].output_shape[1:]
                smaller = any(size < last for size, last in zip(shape, sizes, strict=False))
                if before in members and before not in reached and not smaller:
                    reached.add(before)
                    queue.append(before)
        return True

    def _weighted(self, members: Sequence[int]) -> int:
        return sum(self.rows[member].is_weighted for member in members)

    def _between(self, start: int, end: int) -> list[int]:
        """The layers on the ways from one layer to another; empty where there is none."""
        reached: set[int] = set()
        queue = [end]
        found = False
        while queue:
            index = queue.pop()
            if index == start:
                found = True
            elif index > start and index not in reached:
                reached.add(index)
                queue.extend(self.inputs[index])
        return sorted(reached) if found else []
