"""Blocks of a network, by the names of their layers: their sums, which of them are equal, and neighbours in one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import TypeVar

from archcalc.core.language import say
from archcalc.core.shapes import Shape
from archcalc.core.words import several
from archcalc.ops.base import Pointwise
from archcalc.passes.analysis import Analysis, Row, sum_operations

Item = TypeVar("Item")


class FoldedBlock(Pointwise):
    """Stands in a row where an op would: so many layers of one block."""

    kind = "block"
    stem = "block"
    family = "block"

    layers: int

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return several(self.layers, "layer")


class SharingBlock(FoldedBlock):
    """A block of which some layers use the weights of others, but not all of them those of one block."""

    sharing: int

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return f"{super().summary()}, {with_shared_weights(self.sharing)}"


def with_shared_weights(count: int) -> str:
    """So many layers of a block that use the weights of others, in words."""
    return say("{count:,} with shared weights", count=count)


def fold(rows: Sequence[Row], depth: int) -> list[Row]:
    """The rows with every block deeper than `depth` levels of names folded into one."""

    def prefix(row: Row) -> str:
        return "/".join(row.name.split("/")[:depth])

    groups = [(name, list(group)) for name, group in groupby(rows, prefix)]
    shown = {row.name: name if len(group) > 1 else row.name for name, group in groups for row in group}
    return [_folded(name, group, shown) for name, group in groups]


def block_of(rows: Sequence[Row], name: str) -> Row | None:
    """The layers of one block as one row under its name: sums, and the shape of its last layer; None without any."""
    inside = [row for row in rows if row.name.startswith(f"{name}/")]
    return _folded(name, inside, {row.name: row.name for row in rows})._replace(name=name) if inside else None


def _folded(name: str, rows: Sequence[Row], shown: Mapping[str, str]) -> Row:
    """One row for several; `shown` says under which name each layer stands in the folded table."""
    if len(rows) == 1:
        return rows[0]._replace(inputs=tuple(shown[source] for source in rows[0].inputs))
    inside = {row.name for row in rows}
    sources = {
        source: shape
        for row in rows
        for source, shape in zip(row.inputs, row.input_shapes, strict=True)
        if source not in inside
    }
    owner = weights_owner(rows, name)
    sharing = 0 if owner else sum(row.weights_of is not None for row in rows)
    layers = len(rows)
    return joined(rows, name)._replace(
        op=SharingBlock(layers=layers, sharing=sharing) if sharing else FoldedBlock(layers=layers),
        inputs=tuple(shown[source] for source in sources),
        input_shapes=tuple(sources.values()),
        weights_of=owner,
    )


def weights_owner(rows: Sequence[Row], block: str) -> str | None:
    """The block whose weights all layers of a block use, each those of its counterpart; None without one.

    A layer that has a counterpart which uses the weights of a third one uses these too: it must be in the same block.
    """
    users = [row for row in rows if row.weights_of is not None or row.params or row.buffers]
    owners = [row.weights_of or "" for row in users]
    inner = [row.name.removeprefix(f"{block}/") for row in users]
    found = {owner[: -len(name) - 1] for owner, name in zip(owners, inner, strict=True) if owner.endswith(f"/{name}")}
    (whole,) = found if len(found) == 1 else (None,)
    return whole if whole is not None and all(owner.startswith(f"{whole}/") for owner in owners) else None


def counterpart(row: Row) -> tuple[str, str]:
    """The block with the weights that a layer uses, and its own: left and right of left/conv1/a and right/conv1/a.

    The layers themselves where they are not called the same.
    """
    own, owner = row.name.split("/"), (row.weights_of or "").split("/")
    equal = 0
    while equal < min(len(own), len(owner)) - 1 and own[-1 - equal] == owner[-1 - equal]:
        equal += 1
    return "/".join(owner[: len(owner) - equal]), "/".join(own[: len(own) - equal])


def joined(rows: Sequence[Row], name: str) -> Row:
    """One row for several: the output of the last one, and the sums of what adds up."""
    layers = sum(row.op.layers if isinstance(row.op, FoldedBlock) else 1 for row in rows)
    return rows[-1]._replace(
        name=name,
        op=FoldedBlock(layers=layers),
        params=sum(row.params for row in rows),
        weights=sum(row.weights for row in rows),
        biases=sum(row.biases for row in rows),
        trainable_params=sum(row.trainable_params for row in rows),
        buffers=sum(row.buffers for row in rows),
        multiplications=sum(row.multiplications or 0 for row in rows),
        operations=sum_operations(rows),
        activations=sum(row.activations for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
        weights_of=None,
        not_counted=tuple([kind for row in rows for kind in row.not_counted]),
        is_weighted=any(row.is_weighted for row in rows),
    )


def neighbours(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """At most so many runs of neighbours, all of one length but the last."""
    each = -(-len(items) // most)
    return [items[start : start + each] for start in range(0, len(items), each)]


class Connections:
    """Who reads whom in an analysis; layers are indices in the order in which they run."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.rows: Sequence[Row] = analysis.rows
        count = len(self.rows)
        self.inputs: list[tuple[int, ...]] = [
            tuple(dict.fromkeys(layer.inputs)) for layer in analysis.graph.layers[:count]
        ]
        self.consumers: list[list[int]] = [[] for _ in range(count)]
        for index, sources in enumerate(self.inputs):
            for source in sources:
                self.consumers[source].append(index)

    @cached_property
    def outputs(self) -> frozenset[int]:
        """The layers whose values leave the network."""
        return frozenset(output.layer for output in self.analysis.graph.outputs if output.layer < len(self.rows))

    def entries(self, members: Sequence[int]) -> list[int]:
        """The layers outside of a block that it reads."""
        inside = set(members)
        return sorted({source for member in members for source in self.inputs[member]} - inside)

    def exits(self, members: Sequence[int]) -> list[int]:
        """The layers of a block that are read outside of it, or by nobody, or that are outputs of the network."""
        inside = set(members)
        return [
            member
            for member in sorted(members)
            if member in self.outputs or not self.consumers[member] or not inside.issuperset(self.consumers[member])
        ]

    def runs(self, blocks: Sequence[Sequence[int]], reach: int = 1, several: bool = False) -> list[list[Sequence[int]]]:
        """The blocks, with equal neighbours that form a chain put together: one of them says what all of them are.

        Each reads the end of the one before it, or, up to `reach`, of several before it, as the cells of NASNet do.
        Blocks that are read at `several` places, each by the next one, are put together if that is asked for.
        """
        exits = [self.exits(block) for block in blocks]
        ends = [found[0] if len(found) == 1 else None for found in exits]
        found: list[list[Sequence[int]]] = []
        for number, block in enumerate(blocks):
            first = number - len(found[-1]) if found else 0
            if found and (
                self._repeats(blocks, ends, number, first, reach)
                or (several and self._passes_on(blocks, exits, number, first))
            ):
                found[-1].append(block)
            else:
                found.append([block])
        return found

    def _repeats(
        self, blocks: Sequence[Sequence[int]], ends: Sequence[int | None], number: int, first: int, reach: int
    ) -> bool:
        """Whether a block is equal to the one before it and equally connected; `first` is the first of its run.

        Each reads the end of the one before it, and only ends of blocks before it, at the same distances. An end that
        the next one would no longer read is read nowhere else.
        """
        before, after = blocks[number - 1], blocks[number]
        if len(before) != len(after) or ends[number - 1] is None or ends[number] is None:
            return False
        distances = {ends[number - away]: away for away in range(min(reach, number), 0, -1)}
        read = [distances.get(entry, 0) for entry in self.entries(after)]
        if 0 in read or 1 not in read or ends[number - 1] in self.outputs:
            return False
        last = number - max(read)
        if last >= first:
            readers = {member for block in blocks[last + 1 : number + 1] for member in block}
            if not readers.issuperset(self.consumers[ends[last] or 0]):
                return False
        # Where a block reads one map alone, the first of a run may read it from anywhere.
        entries = self.entries(before)
        earlier = {ends[number - 1 - away]: away for away in range(min(reach, number - 1), 0, -1)}
        earlier = {entries[0]: 1} if max(read) == 1 == len(entries) else earlier
        return self._content(before, earlier) == self._content(after, distances)

    def _passes_on(
        self, blocks: Sequence[Sequence[int]], exits: Sequence[Sequence[int]], number: int, first: int
    ) -> bool:
        """Whether a block is equal to the one before it and reads all that leaves that one, and nobody else does."""
        before, after = blocks[number - 1], blocks[number]
        ends = exits[number - 1]
        places = [[sorted(block).index(end) for end in own] for block, own in ((before, ends), (after, exits[number]))]
        if len(before) != len(after) or len(ends) < 2 or places[0] != places[1]:
            return False
        readers = {reader for end in ends for reader in self.consumers[end]} - set(before)
        if self.entries(after) != list(ends) or not readers <= set(after) or self.outputs.intersection(ends):
            return False
        # What the first of a run reads from elsewhere stands where the next one reads the end of the one before it.
        roles = {end: place for place, end in enumerate(ends, 1)}
        given = self._roles(before, after, roles)
        earlier = {end: place for place, end in enumerate(exits[number - 2], 1)} if number - 1 > first else given
        known = given == earlier and given.keys() >= set(self.entries(before))
        return known and self._content(before, given) == self._content(after, roles)

    def _roles(self, before: Sequence[int], after: Sequence[int], roles: Mapping[int, int]) -> dict[int, int]:
        """What each map that a block reads is to it: as the map that the next block reads in the same place."""
        return {
            mine: roles[other]
            for own, theirs in zip(sorted(before), sorted(after), strict=True)
            for mine, other in zip(self.inputs[own], self.inputs[theirs], strict=False)
            if other in roles
        }

    def _content(self, members: Sequence[int], distances: Mapping[int, int] | Mapping[int | None, int]) -> Hashable:
        """What is in a block: ops, shapes, numbers and wiring, with distances for what is read outside.

        And whose weights are used.
        """
        members = sorted(members)
        place = {member: position for position, member in enumerate(members)}
        layers = self.analysis.graph.layers
        return tuple(
            (
                self._described[member],
                tuple(place.get(source, -distances.get(source, len(place))) for source in layers[member].inputs),
                (owner := layers[member].weights_of) in place,
                None if owner is None else place[owner] if owner in place else self.owner_of(member, members),
            )
            for member in members
        )

    def owner_of(self, member: int, members: Sequence[int]) -> Hashable:
        """Whose weights a layer of a block uses, for the comparison of blocks."""
        return self.analysis.graph.layers[member].weights_of

    @cached_property
    def _described(self) -> list[Hashable]:
        """What two equal layers have in common: how deep in blocks they lie, the op, shapes and numbers."""
        return [
            (row.name.count("/"), row.op.kind, row.op, *row._replace(receptive_field=None, weights_of=None)[3:])
            for row in self.rows
        ]
