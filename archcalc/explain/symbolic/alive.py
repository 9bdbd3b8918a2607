"""Peak of live values and depth of a structure in which some layers are there under conditions only.

What `archcalc.passes.memory` and `archcalc.passes.depth` decide for one network is an expression here: which layer
reads a map last, and whether an op may work in place, depends on which layers a configuration has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple

from archcalc.core.numbers import maximum
from archcalc.explain.derive.trace import Node
from archcalc.explain.symbolic.choice import Choice
from archcalc.explain.symbolic.paths import Deciding, Path
from archcalc.ops.base import elements
from archcalc.passes.operations import count_operations
from archcalc.passes.shapes import ShapedLayer

#: Expressions of a structure; with more of them its networks are expanded one by one.
MOST_STEPS = 200_000


class TooManyError(Exception):
    """A structure with more conditions than are worth one expression."""


class All(NamedTuple):
    """Conditions that hold together: the nodes of each, and whether it holds or not."""

    literals: frozenset[tuple[int, bool]]
    #: The same as one truth; True where there is no condition.
    truth: Any


class _Part(NamedTuple):
    """Something that is so under conditions: the number of a layer or of a buffer."""

    place: int
    when: All


class _Buffer(NamedTuple):
    """Memory of a map: the layer that needs it first, its values, the layers whose maps lie in it."""

    place: int
    size: Any
    maps: list[_Part]


class Conditions:
    """Conditions of one path, each made once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.always = All(frozenset(), True)
        self._known: dict[frozenset[tuple[int, bool]], All] = {self.always.literals: self.always}
        self._nodes: dict[int, Node] = {}

    def both(self, first: All, second: All) -> All | None:
        """Both; None where they exclude one another."""
        small, large = sorted((first, second), key=lambda one: len(one.literals))
        if small.literals <= large.literals:
            return large
        if any((index, not holds) in large.literals for index, holds in small.literals):
            return None
        literals = small.literals | large.literals
        found = self._known.get(literals)
        if found is None:
            truth = small.truth if large.truth is True else self.path.logical("and", large.truth, small.truth)
            found = self._known[literals] = All(literals, truth)
            if len(self._known) > MOST_STEPS:
                raise TooManyError
        return found

    def of(self, node: Node, holds: bool = True) -> All:
        """One condition, or its opposite."""
        node = self.path.one(node)
        literals = frozenset({(id(node), holds)})
        found = self._known.get(literals)
        if found is None:
            self._nodes[id(node)] = node
            truth = self.path.number(node)
            found = self._known[literals] = All(literals, truth if holds else self.path.logical("not", truth))
        return found

    def guarded(self, guards: Iterable[Node]) -> All:
        """All of these."""
        found = self.always
        for guard in guards:
            both = self.both(found, self.of(guard))
            assert both is not None, "guards of one layer hold together"
            found = both
        return found

    def any(self, ways: Sequence[All]) -> Any:
        """Whether any of them holds, as a truth."""
        different = {way.literals: way for way in ways}
        for literals in list(different):
            for index, holds in literals:
                if (literals - {(index, holds)}) | {(index, not holds)} in different:
                    # It does not depend on this condition.
                    rest = [self.of(self._nodes[one], sign) for one, sign in literals if one != index]
                    whole = reduce(lambda first, other: self.both(first, other) or first, rest, self.always)
                    different[whole.literals] = whole
        if self.always.literals in different:
            return True
        result: Any = False
        for way in different.values():
            result = way.truth if result is False else self.path.logical("or", result, way.truth)
        return result


class Alive:
    """Follows the buffers of a structure in the order of its layers.

    A choice takes the buffer of the map that is chosen over as one of its own; raises `TooManyError` where that map is
    read by others after it.
    """

    def __init__(
        self, layers: Sequence[ShapedLayer], guards: Sequence[Sequence[Node]], outputs: Sequence[int], path: Path
    ) -> None:
        self.layers, self.guards, self.path = layers, guards, path
        self.conditions = Conditions(path)
        self.exists = [self.conditions.guarded(one) for one in guards]
        #: For each layer those that read it, and the end for an output.
        self._readers: list[list[_Part]] = [[] for _ in layers]
        for index, layer in enumerate(layers):
            for source, way in zip(layer.layer.inputs, self._ways(index), strict=True):
                if way is not None:
                    self._readers[source].append(_Part(index, way))
        for output in outputs:
            self._readers[output].append(_Part(len(layers), self.conditions.always))

    def _ways(self, index: int) -> list[All | None]:
        """When a layer reads each of its inputs; None: never."""
        layer = self.layers[index]
        if not isinstance(layer.op, Choice):
            return [self.exists[index]] * len(layer.layer.inputs)
        sides = [self.conditions.of(layer.op.guard.node, holds) for holds in (True, False)]
        return [self.conditions.both(self.exists[index], side) for side in sides]

    def _under(self, parts: Iterable[_Part], condition: All) -> Iterable[_Part]:
        for part in parts:
            both = self.conditions.both(part.when, condition)
            if both is not None:
                yield _Part(part.place, both)

    # --- depth

    def depth(self) -> Any:
        """The most layers that multiply, along any path."""
        longest: list[Any] = []
        deepest: Any = 0
        for index, layer in enumerate(self.layers):
            sources = [longest[source] for source in layer.layer.inputs]
            if isinstance(layer.op, Choice):
                longest.append(self.path.choice(layer.op.guard, *sources))
                continue
            with self.path.under(self.guards[index]):
                multiplies = (count_operations(layer).macs or 0) > 0
            own: Any = 0
            for source in sources:
                own = maximum(own, source)
            longest.append(own + int(multiplies))
            deepest = maximum(deepest, self._where(self.exists[index].truth, longest[-1]))
        return deepest

    # --- memory

    def peak(self) -> Any:
        """The most values that are live at one time, as `measure_memory` counts them with ops in place."""
        buffers: list[_Buffer] = []
        #: The buffers in which the map of each layer lies.
        holders: list[list[_Part]] = []
        for index, layer in enumerate(self.layers):
            own, needed = self._placed(index, holders, buffers)
            both = None if needed is None else self.conditions.both(self.exists[index], needed)
            if needed is not None and both is not None:
                own.append(_Part(len(buffers), needed))
                buffers.append(_Buffer(index, self._where(both.truth, elements(layer.output)), []))
            holders.append(own)
            for buffer in self._under(own, self.exists[index]):
                buffers[buffer.place].maps.append(_Part(index, buffer.when))
        return self._most(buffers)

    def _most(self, buffers: Sequence[_Buffer]) -> Any:
        """The most values that these buffers have at one time."""
        born = {buffer.place: buffer for buffer in buffers}
        dying: dict[int, list[Any]] = {}
        for buffer in buffers:
            for index, truth in self._deaths(buffer):
                dying.setdefault(index, []).append(self._where(truth, buffer.size))
        now: Any = 0
        peak: Any = 0
        for index, layer in enumerate(self.layers):
            if index in born:
                now = now + born[index].size
            if not isinstance(layer.op, Choice):  # there a buffer only changes its name
                peak = maximum(peak, now)
            for size in dying.get(index, ()):
                now = now - size
        return peak

    def _placed(
        self, index: int, holders: Sequence[list[_Part]], buffers: Sequence[_Buffer]
    ) -> tuple[list[_Part], All | None]:
        """The buffers of its input in which the map of a layer lies, and when it needs one of its own; None: never."""
        layer = self.layers[index]
        sources, op = layer.layer.inputs, layer.op
        if isinstance(op, Choice):
            for source, way in zip(sources, self._ways(index), strict=True):
                for buffer in self._under(holders[source], way) if way is not None else ():
                    if self._read_after(index, buffer, buffers):
                        raise TooManyError(f"what {layer.layer.name} chooses is read later")
                if way is not None and not holders[source]:
                    raise TooManyError(f"what {layer.layer.name} chooses may be a parameter")
            return [], self.conditions.always
        if op.shows_parameters:
            return [], None
        # What is in no buffer is a parameter, which no layer overwrites.
        if not sources or not (op.is_view or (op.in_place and holders[sources[0]])):
            return [], self.conditions.always
        if op.is_view:
            return list(holders[sources[0]]), None
        found: list[_Part] = []
        needed: list[All] = []
        for buffer in holders[sources[0]]:
            late = self.conditions.any(self._read_after(index, buffer, buffers))
            if late is False:
                found.append(buffer)
            elif late is True:
                needed.append(buffer.when)
            else:
                found += self._under([buffer], self.conditions.of(late.node, False))
                needed += [part.when for part in self._under([buffer], self.conditions.of(late.node))]
        truth = self.conditions.any(needed)
        if truth is False:
            return found, None
        return found, self.conditions.always if truth is True else self.conditions.of(truth.node)

    def _read_after(self, index: int, buffer: _Part, buffers: Sequence[_Buffer]) -> list[All]:
        """When a layer after this one reads a buffer, where this one has its input there."""
        both = self.conditions.both(buffer.when, self.exists[index])
        return [] if both is None else [
            use.when
            for one in buffers[buffer.place].maps
            for use in self._under(self._under(self._readers[one.place], one.when), both)
            if use.place > index
        ]  # fmt: skip

    def _deaths(self, buffer: _Buffer) -> Iterable[tuple[int, Any]]:
        """The layers after which a buffer is free, and the truth under which that is so of each."""
        uses: dict[int, list[All]] = {}
        for one in buffer.maps:
            for use in (one, *self._under(self._readers[one.place], one.when)):
                uses.setdefault(use.place, []).append(use.when)
        later: Any = False
        seen: set[frozenset[tuple[int, bool]]] = set()
        for index in sorted(uses, reverse=True):
            ways = [way for way in uses[index] if way.literals not in seen]
            seen.update(way.literals for way in ways)
            used = self.conditions.any(ways)
            if index < len(self.layers) and used is not False:
                yield index, self._except(used, later)
            if used is True:
                return
            later = used if later is False else later if used is False else self.path.logical("or", later, used)

    def _where(self, truth: Any, number: Any) -> Any:
        """A number where a truth holds, else 0."""
        return number if truth is True else self.path.choice(truth, number, 0)

    def _except(self, truth: Any, other: Any) -> Any:
        if other is False:
            return truth
        none: Deciding = self.path.logical("not", other)
        return none if truth is True else self.path.logical("and", truth, none)
