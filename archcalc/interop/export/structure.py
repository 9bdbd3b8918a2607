"""A network as classes: its blocks by the names of its layers, those that are equal up to numbers as one.

What a block reads and gives comes from `passes.blocks`; here blocks become trees, and their numbers parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.export.names import identifier, unique
from archcalc.interop.export.spelling import Case, Spelling
from archcalc.passes.analysis import Analysis
from archcalc.passes.blocks import Connections

#: A value of the network: the layer that gives it, and which of its results (1: where the maxima of a pool are).
Value = tuple[int, int]


class Leaf(NamedTuple):
    """A layer inside of its block."""

    layer: int
    attribute: str
    spelling: Spelling
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    frozen: bool
    #: The attribute of the layer of the same block whose part it calls again; empty: it has its own.
    shares: str = ""


@dataclass
class Block:
    """Layers and blocks under one name. `parts` are in the order in which they run."""

    path: str
    attribute: str
    layers: tuple[int, ...]
    parts: list[Part] = field(default_factory=list)
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()
    shares: str = ""
    #: Names under which parts of blocks lie that could not be called as one.
    holders: tuple[str, ...] = ()


Part = Leaf | Block


class Tree:
    """The blocks of an analysed network, with every layer spelt."""

    def __init__(
        self,
        analysis: Analysis,
        spell: Callable[[Case], Spelling],
        reserved: Collection[str] = (),
        open_all: bool = False,
    ) -> None:
        """`reserved`: names that no attribute may have. `open_all`: no block becomes one of its own."""
        self.analysis = analysis
        self.graph: LayerGraph = analysis.graph
        self.links = Connections(analysis)
        self._reserved = reserved
        self._open_all = open_all
        cases = cases_of(analysis)
        self._switches = frozenset(index for index, case in cases.items() if case.switches)
        self.spellings = {index: spell(case) for index, case in cases.items() if case.op.kind != "input"}
        #: Where each layer's part lies: attributes joined by dots.
        self.paths: dict[int, str] = {}
        self.needed: set[Value] = {(each.layer, 0) for each in self.graph.outputs}
        layers = tuple(self.spellings)
        self.top = self._block("", "", layers, 0)
        self._find_paths(self.top, "")

    # --- blocks

    def _block(self, path: str, attribute: str, layers: Sequence[int], depth: int) -> Block:
        """The layers of a block as layers and blocks, each named by what follows in its name."""
        block = Block(path, attribute, tuple(layers))
        taken: dict[str, str] = {}
        groups: dict[str, list[int]] = {}
        for index in layers:
            names = self.graph.layers[index].name.split("/")
            groups.setdefault(names[depth] if len(names) > depth + 1 else f"/{names[-1]}", []).append(index)
        parts: list[Part] = []
        for name, members in groups.items():
            own = unique(identifier(name.lstrip("/"), self._reserved), taken)
            taken[own] = name
            if name.startswith("/"):
                parts.append(self._leaf(members[0], own))
            else:
                inner = f"{path}/{name}" if path else name
                parts.append(self._block(inner, own, members, depth + 1))
        block.parts, block.holders = self._in_order(parts)
        inside = set(layers)
        block.inputs = tuple(dict.fromkeys(
            value for index in layers for value in self._reads(index) if value[0] not in inside
        ))  # fmt: skip
        block.outputs = tuple(value for index in layers for value in self._gives(index) if self._leaves(value, inside))
        return block

    def _leaf(self, index: int, attribute: str) -> Leaf:
        layer = self.graph.layers[index]
        return Leaf(
            index, attribute, self.spellings[index], self._reads(index), self._gives(index),
            layer.frozen and bool(self.analysis.rows[index].params),
        )  # fmt: skip

    def _reads(self, index: int) -> tuple[Value, ...]:
        layer = self.graph.layers[index]
        if not layer.inputs:
            # A map that reads nothing takes the size of the batch from the input.
            return ((0, 0),)
        if not layer.op.kind.startswith("max_unpool"):
            return tuple((source, 0) for source in layer.inputs)
        return ((layer.inputs[0], 0), (layer.inputs[1], 1), *((source, 0) for source in layer.inputs[2:]))

    def _gives(self, index: int) -> tuple[Value, ...]:
        return ((index, 0), (index, 1)) if index in self._switches else ((index, 0),)

    def _leaves(self, value: Value, members: Collection[int]) -> bool:
        """Whether a value is read outside of these layers, or leaves the network."""
        readers = (each for each in self.links.consumers[value[0]] if value in self._reads(each))
        return value in self.needed or any(reader not in members for reader in readers)

    def _in_order(self, parts: list[Part]) -> tuple[list[Part], tuple[str, ...]]:
        """The parts in an order in which they can run; blocks that read one another are opened."""
        import networkx

        holders: list[str] = []
        if self._open_all:
            parts = [inner for part in parts for inner in _opened(part, holders)]
        while True:
            home = {index: number for number, part in enumerate(parts) for index in layers_of(part)}
            graph: networkx.DiGraph[int] = networkx.DiGraph()
            graph.add_nodes_from(range(len(parts)))
            for index, number in home.items():
                sources = {home[source] for source, _ in self._reads(index) if source in home}
                graph.add_edges_from((source, number) for source in sources - {number})
            circles = [each for each in networkx.strongly_connected_components(graph) if len(each) > 1]
            if not circles:
                first = [min(layers_of(part)) for part in parts]
                order = networkx.lexicographical_topological_sort(graph, key=first.__getitem__)
                return [parts[number] for number in order], tuple(holders)
            looped = set().union(*circles)
            parts = [
                inner
                for number, part in enumerate(parts)
                for inner in (_opened(part, holders) if number in looped else [part])
            ]

    def _find_paths(self, block: Block, prefix: str) -> None:
        block.parts = list(self._shared(block.parts))
        homes: dict[str, str] = {}
        for part in block.parts:
            path = homes[part.shares] if part.shares else prefix + part.attribute
            homes[part.attribute] = path
            if isinstance(part, Leaf):
                self.paths[part.layer] = path
            else:
                self._find_paths(part, f"{path}.")

    # --- shared weights

    def _shared(self, parts: Sequence[Part]) -> Iterator[Part]:
        """The parts, those that use the weights of an earlier one, and are equal to it, as a second call of it."""
        before: list[Part] = []
        for part in parts:
            owner = next((each for each in before if not each.shares and self._is_again(part, each)), None)
            if owner is not None:
                again = owner.attribute
                shared = replace(part, shares=again) if isinstance(part, Block) else part._replace(shares=again)
            before.append(part if owner is None else shared)
            yield before[-1]

    def _is_again(self, part: Part, owner: Part) -> bool:
        """Whether a part is the same as an earlier one, with all of its weights."""
        ours, theirs = layers_of(part), layers_of(owner)
        own = [index for index in ours if self.graph.layers[index].weights_of is not None]
        if not own or len(ours) != len(theirs) or type(part) is not type(owner):
            return False
        for mine, his in zip(ours, theirs, strict=True):
            row = self.analysis.rows[mine]
            if row.op.param_shapes(row.input_shapes) and self.graph.layers[mine].weights_of != his:
                return False
            if self.spellings[mine] != self.spellings[his]:
                return False
        return self._wiring(part) == self._wiring(owner)

    def _wiring(self, part: Part) -> Hashable:
        """What each layer of a part reads, and what leaves it, by position."""
        if isinstance(part, Leaf):
            return len(part.inputs)
        place: dict[int, Hashable] = {index: number for number, index in enumerate(part.layers)}
        outside = {value: f"input {number}" for number, value in enumerate(part.inputs)}
        reads = [tuple(outside.get(value, (place.get(value[0]), value[1])) for value in self._reads(index))
                 for index in part.layers]  # fmt: skip
        return tuple(reads), tuple((place[index], which) for index, which in part.outputs)

    @cached_property
    def tied(self) -> list[tuple[int, int]]:
        """Layers with parts of their own that use the weights of another: the layer, and the owner."""
        return [
            (index, layer.weights_of)
            for index, layer in enumerate(self.graph.layers)
            if layer.weights_of is not None and self.paths[index] != self.paths[layer.weights_of]
        ]


def layers_of(part: Part) -> tuple[int, ...]:
    """The layers of a part, by index."""
    return (part.layer,) if isinstance(part, Leaf) else part.layers


def _opened(part: Part, holders: list[str]) -> list[Part]:
    """The parts of a block, under its name and a dot."""
    if isinstance(part, Leaf):
        return [part]
    holders.append(part.attribute)
    holders.extend(f"{part.attribute}.{each}" for each in part.holders)
    found: list[Part] = []
    for inner in part.parts:
        name = f"{part.attribute}.{inner.attribute}"
        found.append(inner._replace(attribute=name) if isinstance(inner, Leaf) else replace(inner, attribute=name))
    return found


def cases_of(analysis: Analysis) -> dict[int, Case]:
    """The layers of a network to be spelt, by index, the inputs included."""
    graph, found = analysis.graph, {}
    pools = _pools_with_switches(graph)
    for index, row in enumerate(analysis.rows):
        pool = graph.layers[index].inputs[1] if row.op.kind.startswith("max_unpool") else None
        pooled = None if pool is None else analysis.rows[pool].input_shapes[0]
        found[index] = Case(row.name, row.op, row.input_shapes, row.output_shape, index in pools, pooled)
    return found


def _pools_with_switches(graph: LayerGraph) -> frozenset[int]:
    """The pools whose places of maxima another layer reads: the second input of an unpooling layer."""
    found = frozenset(layer.inputs[1] for layer in graph if layer.op.kind.startswith("max_unpool"))
    for index in found:
        layer = graph.layers[index]
        if not layer.op.kind.startswith("max_pool"):
            raise UsageError(f'layer "{layer.name}" ({layer.op.kind}) is no max pool, so it has no places of maxima')
    return found
