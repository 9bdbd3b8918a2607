"""The blocks of a network, found by equal structure: what a person would write once and use again.

The names of layers make a tree of scopes (`layer1/0/conv1`). From the innermost scopes outwards, scopes that hold the
same layers in the same wiring, whatever their numbers, become uses of one block; the numbers that differ become its
parameters. Equal uses in a row become a repeat. A scope that is like no other, or that is left and entered again, is
written out where it is; what is in it keeps its path.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from archcalc.graph.layer_graph import Layer, LayerGraph
from archcalc.interop.structure_parameters import parameters_of
from archcalc.interop.structure_parts import Block, Body, Item, Structure
from archcalc.ops import OPS, Op
from archcalc.spec.expressions import KEYWORDS
from archcalc.spec.write import settings_of, short

if TYPE_CHECKING:
    import networkx

#: A scope of fewer lines is written out where it is used.
LEAST_LINES = 3
#: What a name counts by: the 3a of inception_3a.
_COUNTED = re.compile(r"[\d._]+[a-z]?$|[._]+$")
_NUMBER = re.compile(r"(\d{1,9})")
_PLURAL = re.compile(r"..([^es]|[^hsxz]e)s$")


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


def find_structure(graph: LayerGraph, keep_order: bool = False) -> Structure:
    """The blocks of a network; with `keep_order` only those whose layers run one after another in it."""
    return _Finder(graph, keep_order).structure()


class _Finder:
    def __init__(self, graph: LayerGraph, keep_order: bool) -> None:
        self.graph = graph
        self.keep_order = keep_order
        self.layers = graph.layers
        self.blocks: list[Block] = []
        #: The names of all layers and scopes.
        self.names = {name for layer in graph.layers for name in (layer.name, *_scopes_of(layer.name))}
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
        """Dissolve the parts of a scope that cannot be put in an order in which each reads only earlier ones."""
        import networkx

        while True:
            names = list(scope.parts)
            wiring = self.wiring(
                [part.layers if isinstance(part, _Scope) else (part,) for part in scope.parts.values()]
            )
            tangled = [part for part in networkx.strongly_connected_components(wiring) if len(part) > 1]
            if not tangled:
                break
            for name in [names[place] for part in tangled for place in part]:
                inner = scope.parts[name]
                if isinstance(inner, _Scope):
                    del scope.parts[name]
                    scope.parts |= {f"{name}/{own}": part for own, part in inner.parts.items()}
        for part in scope.parts.values():
            if isinstance(part, _Scope):
                self.order(part)

    def wiring(self, parts: Iterable[Iterable[int]]) -> networkx.DiGraph[int]:
        """Which of some parts reads which; each is the indices of its layers."""
        import networkx

        place = {index: number for number, part in enumerate(parts) for index in part}
        wiring: networkx.DiGraph[int] = networkx.DiGraph()
        wiring.add_nodes_from(place.values())
        for index, number in place.items():
            layer = self.layers[index]
            for source in (*layer.inputs, *(() if layer.weights_of is None else (layer.weights_of,))):
                if source in place and place[source] != number:
                    wiring.add_edge(place[source], number)
        return wiring

    def in_order(self, items: Sequence[Item]) -> list[Item]:
        """The lines, each after what it reads, and else in the order of the network."""
        import networkx

        wiring = self.wiring([item.layers for item in items])
        order = networkx.lexicographical_topological_sort(wiring, key=lambda place: min(items[place].layers))
        return [items[place] for place in order]

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
        items = self.in_order(items)
        inside = {index for item in items for index in item.layers}
        entries = list(dict.fromkeys(entry for item in items for entry in item.entries if entry not in inside))
        if not scope.path:
            entries = [0]
        self.wire(scope.path, items, entries)
        return Body(scope.path, _folded(items), entries, items)

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
            layers = {index for item in body.items for index in item.layers}
            if self.keep_order and max(layers) - min(layers) >= len(layers):
                self.done[body.scope] = body.unfolded
            else:
                alike.setdefault(body.skeleton, []).append(body)
        for group in alike.values():
            items = group[0].items
            has_uses = len(items) > 1 and any(item.block is not None for item in items)
            if len(group) > 1 and (has_uses or len(items) >= LEAST_LINES):
                self.make(group)
            else:
                for body in group:
                    self.done[body.scope] = body.unfolded

    def make(self, group: Sequence[Body]) -> None:
        """A block of bodies with one skeleton, and its uses."""
        self.share(group)
        block = Block(self.free_name(group), group[0])
        columns = {hole: tuple([body.holes[hole] for body in group]) for hole in group[0].holes}
        arguments = parameters_of(block, columns)
        for place, item in enumerate(block.body.items):
            item.needed = frozenset().union(*(body.items[place].needed for body in group))
        self.blocks.append(block)
        for number, body in enumerate(group):
            given = {name: column[number] for name, column in arguments.items()}
            layers = [index for item in body.items for index in item.layers]
            use = Item("", block.name, given, {}, layers, body.entries, body.items[-1].result, block)
            self.done[body.scope] = [use]
        for name, column in arguments.items():
            common = max(dict.fromkeys(column), key=column.count)
            block.parameters[name] = common if 2 * column.count(common) > len(column) else None

    def share(self, group: Sequence[Body]) -> None:
        """Name what all bodies read at one place, as a table of cosines, instead of handing it over."""
        first = group[0]
        kept = [
            number
            for number, entry in enumerate(first.entries)
            if not number or any(body.entries[number] != entry for body in group) or not self.is_seen(entry, group)
        ]
        names = {f":{number}": self.layers[entry].name for number, entry in enumerate(first.entries)}
        names |= {f":{number}": f":{place}" for place, number in enumerate(kept)}
        for item in first.items:
            item.reads = item.reads and tuple([names.get(read, read) for read in item.reads])
        for body in group:
            body.entries = [body.entries[number] for number in kept]

    def is_seen(self, index: int, group: Sequence[Body]) -> bool:
        """Whether the name of a layer means that layer in all these bodies."""
        name = self.layers[index].name
        inner = (f"{scope}/{name}" for body in group for scope in _scopes_of(f"{body.scope}/"))
        return _INPUT.fullmatch(name) is None and self.names.isdisjoint(inner)

    def free_name(self, group: Sequence[Body]) -> str:
        """A name for a block: what its uses are called, as far as they are called the same, without their numbers."""
        names = [_last(body.scope) for body in group]
        stem = "".join(first for first, *rest in takewhile(_are_equal, zip(*names, strict=False)))
        if not re.search("[A-Za-z]", stem):
            stem = _unit(_word(group[0].scope.split("/")[:-1]))
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


def _unit(word: str) -> str:
    """What a part of several is called: a block of blocks."""
    return word[:-1] if _PLURAL.search(word) else f"{word}_unit"


def _scopes_of(name: str) -> Iterator[str]:
    """The scopes around a layer: of a/b/conv these are a and a/b."""
    return (name[:end] for end, letter in enumerate(name) if letter == "/")


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


#: What an input of a block may be called.
_INPUT = re.compile(r"x\d*")


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _renamed(item: Item, scope: str) -> Item:
    """A line of an inner scope, in the scope around it; a use that is all of its scope has no name in it."""
    return replace(item, name=f"{scope}/{item.name}" if item.name else scope, reads=None, weights=None)


def _folded(items: Sequence[Item]) -> list[Item]:
    """The lines, with equal uses in a row, whose names count on, as one."""
    found: list[Item] = []
    for item in items:
        if item.block is None or item.reads is not None:
            found.append(item)
            continue
        before = found[-1] if found else None
        if before is not None and _continues(before, item):
            before.series = _counted(before.name, item.name, before.times)
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
    series = _counted(before.name, item.name, before.times)
    return series is not None and before.series in (None, series)


def _counted(first: str, later: str, more: int) -> tuple[str, int, str] | None:
    """How names count where one number of the later one is so much larger, as `Item.series`; None where none is."""
    one, other = _NUMBER.split(first), _NUMBER.split(later)
    places = [place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]]
    if len(one) != len(other) or len(places) != 1 or not places[0] % 2:
        return None
    (place,) = places
    number = int(one[place])
    if str(number) != one[place] or str(number + more) != other[place]:
        return None
    return "".join(one[:place]), number - 1, "".join(one[place + 1 :])
