"""The blocks of a network, found by equal structure: what a person would write once and use again.

The names of layers make a tree of scopes (`layer1/0/conv1`). From the innermost scopes outwards, scopes that hold the
same layers in the same wiring, whatever their numbers, become uses of one block; the numbers that differ become its
parameters. Equal uses in a row become a repeat.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from archcalc.graph.layer_graph import Layer, LayerGraph
from archcalc.ops import OPS, Op
from archcalc.spec.expressions import KEYWORDS, SIZE_FUNCTIONS, SIZE_NAMES
from archcalc.spec.write import settings_of, short

if TYPE_CHECKING:
    import networkx

#: A scope of fewer lines is written out where it is used.
LEAST_LINES = 3
#: What a name counts by: the 3a of inception_3a.
_COUNTED = re.compile(r"[\d._]+[a-z]?$|[._]+$")
_NUMBER = re.compile(r"(\D*)(\d{1,9})(\D*)")
#: A number of an item: the index of the item in its body, and the setting.
Hole = tuple[int, str]


@dataclass
class Item:
    """A line of a body: a layer, or so many uses of a block in a row; `settings` are its numbers.

    `fixed`: the settings that are no numbers. `reads`: what it reads, by names as they are seen in its body; `:0` is
    the first map that the body reads, `:1` the second. None: what comes before it.
    """

    name: str
    kind: str
    settings: dict[str, Any]
    fixed: dict[str, Any]
    layers: list[int]
    entries: list[int]
    result: int
    block: Block | None = None
    #: The settings that cannot be left out.
    needed: frozenset[str] = frozenset()
    reads: tuple[str, ...] | None = None
    weights: str | None = None
    frozen: bool = False
    times: int = 1
    #: The name of use number `i` of several: text before the number, what is added to i, and text after it.
    series: tuple[str, int, str] | None = None

    @property
    def skeleton(self) -> Hashable:
        """What must be equal in two bodies for them to be one block."""
        block = id(self.block) if self.block else None
        name = self.name if self.series is None else self.series
        fixed = repr(sorted(self.fixed.items()))
        return (name, self.kind, block, fixed, tuple(self.settings), self.reads, self.weights, self.frozen,
                self.series is not None)  # fmt: skip


@dataclass
class Body:
    """The lines of a scope, and the layers outside of it that they read, in the order in which they are named."""

    scope: str
    items: list[Item]
    entries: list[int]

    @property
    def skeleton(self) -> Hashable:
        return (len(self.entries), tuple([item.skeleton for item in self.items]))

    @property
    def holes(self) -> dict[Hole, Any]:
        """The numbers of all its lines."""
        found: dict[Hole, Any] = {}
        for place, item in enumerate(self.items):
            found |= {(place, name): value for name, value in item.settings.items()}
            if item.series is not None:
                found[place, "repeat"] = item.times
        return found


@dataclass
class Block:
    """A body that is used more than once. `holes`: of each number that differs, the expression that stands for it."""

    name: str
    body: Body
    holes: dict[Hole, str] = field(default_factory=dict)
    #: The parameters, each with the value that most uses give; None where there is none.
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def reads_by_name(self) -> bool:
        """Whether a line names what the block reads, so that it must have a name there."""
        named = any(read.startswith(":") for item in self.body.items for read in item.reads or ())
        return named or len(self.body.entries) > 1


@dataclass
class Structure:
    """The lines of a whole network, and its blocks, inner ones first."""

    body: Body
    blocks: list[Block]


class _Scope:
    """A node of the tree of names: layers by index, and scopes, by their own names."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.parts: dict[str, int | _Scope] = {}

    @property
    def layers(self) -> Iterator[int]:
        for part in self.parts.values():
            if isinstance(part, _Scope):
                yield from part.layers
            else:
                yield part


def find_structure(graph: LayerGraph) -> Structure:
    """The blocks of a network."""
    return _Finder(graph).structure()


class _Finder:
    def __init__(self, graph: LayerGraph) -> None:
        self.graph = graph
        self.layers = graph.layers
        self.blocks: list[Block] = []
        self.settings: dict[Op, tuple[dict[str, Any], dict[str, Any], frozenset[str]]] = {}

    def structure(self) -> Structure:
        root = _Scope("")
        for index, layer in enumerate(self.layers):
            if layer.op.kind != "input":
                _place(root, layer.name, index)
        self.order(root)
        by_height: dict[int, list[_Scope]] = {}
        self.heights(root, by_height)
        #: What stands for a scope: a use of a block, or its lines.
        self.done: dict[str, list[Item]] = {}
        for height in sorted(by_height):
            bodies = [self.body(scope) for scope in by_height[height] if scope is not root]
            self.settle(bodies)
        return Structure(self.body(root), self.blocks)

    def order(self, scope: _Scope) -> None:
        """Put the parts of a scope in an order in which each reads only earlier ones; dissolve what cannot be."""
        import networkx

        while True:
            place = {}
            for name, part in scope.parts.items():
                for index in part.layers if isinstance(part, _Scope) else (part,):
                    place[index] = name
            wiring: networkx.DiGraph[str] = networkx.DiGraph()
            wiring.add_nodes_from(scope.parts)
            for index, name in place.items():
                layer = self.layers[index]
                for source in (*layer.inputs, *(() if layer.weights_of is None else (layer.weights_of,))):
                    if source in place and place[source] != name:
                        wiring.add_edge(place[source], name)
            tangled = [part for part in networkx.strongly_connected_components(wiring) if len(part) > 1]
            if not tangled:
                break
            for name in set().union(*tangled):
                inner = scope.parts[name]
                if isinstance(inner, _Scope):
                    del scope.parts[name]
                    start = len(scope.path) + 1 if scope.path else 0
                    scope.parts |= {self.layers[index].name[start:]: index for index in inner.layers}
        first = {name: min(part.layers) if isinstance(part, _Scope) else part for name, part in scope.parts.items()}
        names = networkx.lexicographical_topological_sort(wiring, key=first.__getitem__)
        scope.parts = {name: scope.parts[name] for name in names}
        for part in scope.parts.values():
            if isinstance(part, _Scope):
                self.order(part)

    def heights(self, scope: _Scope, found: dict[int, list[_Scope]]) -> int:
        inner = [self.heights(part, found) for part in scope.parts.values() if isinstance(part, _Scope)]
        height = 1 + max(inner, default=0)
        found.setdefault(height, []).append(scope)
        return height

    # --- bodies

    def body(self, scope: _Scope) -> Body:
        """The lines of a scope, with those of its parts, which are done before it."""
        items: list[Item] = []
        for name, part in scope.parts.items():
            if isinstance(part, _Scope):
                items += [_renamed(item, name) for item in self.done[part.path]]
            else:
                items.append(self.layer(name, part))
        inside = {index for item in items for index in item.layers}
        entries = list(dict.fromkeys(entry for item in items for entry in item.entries if entry not in inside))
        if not scope.path:
            entries = [0]
        self.wire(scope.path, items, entries)
        return Body(scope.path, _folded(items), entries)

    def layer(self, name: str, index: int) -> Item:
        layer = self.layers[index]
        numbers, fixed, needed = self.split(layer)
        entries = list(dict.fromkeys(layer.inputs))
        frozen = layer.frozen and layer.weights_of is None
        return Item(
            name, layer.op.kind, dict(numbers), dict(fixed), [index], entries, index, needed=needed, frozen=frozen
        )

    def split(self, layer: Layer) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
        """The settings of a layer: its numbers, the others, and which of them cannot be left out."""
        op = layer.op
        if op not in self.settings:
            written = settings_of(op)
            numbers: dict[str, Any] = {}
            fixed: dict[str, Any] = {}
            for name in type(op).model_fields:
                value = written.get(name, short(getattr(op, name)))
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    numbers[name] = value
                elif name in written:
                    fixed[name] = written[name]
            self.settings[op] = numbers, fixed, frozenset(written)
        return self.settings[op]

    def wire(self, scope: str, items: list[Item], entries: list[int]) -> None:
        """Say what each line reads, in names that are known in the scope."""
        results = {item.result: item.name for item in items}
        inside = {index for item in items for index in item.layers}
        flow = entries[0] if entries else None

        def named(index: int) -> str:
            if index in results:
                return results[index]
            if index in inside:
                return self.layers[index].name[len(scope) + 1 if scope else 0 :]
            return f":{entries.index(index)}" if scope else self.layers[index].name

        for item in items:
            sources = item.entries if item.block is not None else self.layers[item.layers[0]].inputs
            implicit = list(sources) == [flow] or not sources
            item.reads = None if implicit else tuple([named(source) for source in sources])
            owner = self.layers[item.layers[0]].weights_of if item.block is None else None
            if owner is not None:
                own = self.layers[owner].name
                item.weights = own[len(scope) + 1 if scope else 0 :] if owner in inside else own
            flow = item.result

    # --- blocks

    def settle(self, bodies: Sequence[Body]) -> None:
        """Make blocks of bodies with one skeleton; the others are written out where they are."""
        alike: dict[Hashable, list[Body]] = {}
        for body in bodies:
            alike.setdefault(body.skeleton, []).append(body)
        for group in alike.values():
            has_uses = any(item.block is not None for item in group[0].items)
            if has_uses or (len(group) > 1 and len(group[0].items) >= LEAST_LINES):
                self.make(group)
            else:
                for body in group:
                    self.done[body.scope] = body.items

    def make(self, group: Sequence[Body]) -> None:
        """A block of bodies with one skeleton, and its uses."""
        block = Block(self.free_name(group), group[0])
        columns = {hole: tuple([body.holes[hole] for body in group]) for hole in group[0].holes}
        arguments = _parameters(block, columns)
        for place, item in enumerate(block.body.items):
            item.needed = frozenset().union(*(body.items[place].needed for body in group))
        self.blocks.append(block)
        for number, body in enumerate(group):
            given = {name: column[number] for name, column in arguments.items()}
            layers = [index for item in body.items for index in item.layers]
            use = Item(_last(body.scope), block.name, given, {}, layers, body.entries, body.items[-1].result, block)
            self.done[body.scope] = [use]
        for name, column in arguments.items():
            common = max(dict.fromkeys(column), key=column.count)
            block.parameters[name] = common if 2 * column.count(common) > len(column) else None

    def free_name(self, group: Sequence[Body]) -> str:
        """A name for a block: what its uses are called, as far as they are called the same, without their numbers."""
        names = [_last(body.scope) for body in group]
        stem = "".join(first for first, *rest in takewhile(_are_equal, zip(*names, strict=False)))
        if not re.search("[A-Za-z]", stem):
            stem = f"{_word(group[0].scope.split('/')[:-1])}_unit"
        plain = re.sub(r"\W+", "_", _COUNTED.sub("", stem)).strip("_").lower()
        plain = plain if plain.isidentifier() else "block"
        taken = {*OPS, *_RESERVED, *KEYWORDS, *(block.name for block in self.blocks)}
        candidates = (plain, f"{plain}_block", *(f"{plain}_{count}" for count in range(2, 2 + len(taken))))
        return next(name for name in candidates if name not in taken)


def _are_equal(letters: Sequence[str]) -> bool:
    return len(set(letters)) == 1


def _word(path: Sequence[str]) -> str:
    """The last part of a path that is no number, without numbers at its end."""
    words = [word for part in path if (word := _COUNTED.sub("", part))]
    return words[-1] if words else "block"


_RESERVED = ("input", "repeat", "for_each", "branches", "output")


def _place(scope: _Scope, name: str, index: int) -> None:
    """Put a layer into the tree of names."""
    *path, last = name.split("/")
    for part in path:
        found = scope.parts.setdefault(part, _Scope(f"{scope.path}/{part}" if scope.path else part))
        if not isinstance(found, _Scope):  # a layer has the name of a scope: what is in it stands next to it
            scope.parts[name] = index
            return
        scope = found
    scope.parts[last if last not in scope.parts else name] = index


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _renamed(item: Item, scope: str) -> Item:
    """A line of an inner scope, in the scope around it: layers have paths there."""
    if item.block is not None:
        return item
    return Item(
        f"{scope}/{item.name}", item.kind, item.settings, item.fixed, item.layers, item.entries, item.result,
        needed=item.needed, frozen=item.frozen,
    )  # fmt: skip


def _folded(items: Sequence[Item]) -> list[Item]:
    """The lines, with equal uses in a row, whose names count on, as one."""
    found: list[Item] = []
    for item in items:
        if item.block is None or item.reads is not None:
            found.append(item)
            continue
        before = found[-1] if found else None
        if before is not None and _continues(before, item):
            match = _NUMBER.fullmatch(before.name)
            assert match is not None
            before.series = (match[1], int(match[2]) - 1, match[3])
            before.times += 1
            before.layers = [*before.layers, *item.layers]
            before.result = item.result
        else:
            found.append(replace(item))
    return found


def _continues(before: Item, item: Item) -> bool:
    """Whether a use is one more of those before it."""
    if before.block is not item.block or before.settings != item.settings or before.reads is not None:
        return False
    first, own = _NUMBER.fullmatch(before.name), _NUMBER.fullmatch(item.name)
    if first is None or own is None or (first[1], first[3]) != (own[1], own[3]):
        return False
    if str(int(first[2])) != first[2] or str(int(own[2])) != own[2]:
        return False
    return int(own[2]) == int(first[2]) + before.times


def _parameters(block: Block, columns: Mapping[Hole, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Parameters for the numbers that differ, in the order of the lines.

    Numbers that are equal or multiples in all uses share one, where they are settings that depend on each other:
    widths on widths. A width that is 16 times the stride is so by accident.
    """
    varying = {hole: column for hole, column in columns.items() if len(set(column)) > 1}
    stands_for: dict[Hole, Hole] = {}
    own: list[Hole] = []
    # The smallest numbers first: the others may be multiples of them.
    for hole, column in sorted(varying.items(), key=lambda pair: (not _whole(pair[1]), sum(pair[1]))):
        found = next((known for known in own if _depends(hole, known, _factor(varying[known], column))), hole)
        stands_for[hole] = found
        if found == hole:
            own.append(hole)
    names: dict[Hole, str] = {}
    for hole in varying:
        if hole in own:
            is_only = sum(other[1] == hole[1] for other in own) == 1
            names[hole] = _parameter_name(block, hole, set(names.values()), is_only)
    for hole, column in varying.items():
        factor, name = _factor(varying[stands_for[hole]], column), names[stands_for[hole]]
        block.holes[hole] = name if factor == 1 else f"{factor}*{name}"
    return {name: varying[hole] for hole, name in names.items()}


#: Settings that count channels, or parts of them: one may be a multiple of another.
_WIDTHS = frozenset({"out_channels", "out_features", "hidden_size", "embed_dim", "kdim", "vdim", "groups", "num_groups",
                     "num_heads", "num_parameters"})  # fmt: skip
#: Settings that are equal where a window keeps the size of its map.
_MARGINS = frozenset({"padding", "dilation"})


def _depends(hole: Hole, known: Hole, factor: int) -> bool:
    """Whether a setting that is so many times another one may depend on it."""
    pair = {hole[1], known[1]}
    return pair <= _WIDTHS if factor > 1 else bool(factor) and (len(pair) == 1 or pair <= _WIDTHS or pair <= _MARGINS)


def _whole(column: Sequence[Any]) -> bool:
    return all(isinstance(value, int) for value in column)


def _factor(known: tuple[Any, ...], column: tuple[Any, ...]) -> int:
    """By which whole number a column is a multiple of another one everywhere; 0 where it is none."""
    if known == column:
        return 1
    if not _whole(known) or not _whole(column) or 0 in known:
        return 0
    factor: int = column[0] // known[0]
    same = factor > 1 and all(value == factor * own for value, own in zip(column, known, strict=True))
    return factor if same else 0


def _parameter_name(block: Block, hole: Hole, taken: set[str], is_only: bool) -> str:
    """The name of the setting; where several lines have one of their own, with that of the line before it."""
    place, setting = hole
    item = block.body.items[place]
    if setting == "repeat":
        setting = "units"
    line = re.sub(r"\W+", "_", item.name.partition("/")[0]).strip("_").lower()
    named = f"{line}_{setting}" if line.isidentifier() else f"{setting}_{line}"
    stems = [setting] if is_only else []
    stems += [named, *(f"{named}_{count}" for count in range(2, 2 + len(block.body.items)))]
    return next(name for name in stems if name not in taken and name not in _SIZES)


_SIZES = (*SIZE_NAMES, *SIZE_FUNCTIONS, *KEYWORDS, "i")
