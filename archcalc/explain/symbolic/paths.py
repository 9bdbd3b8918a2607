"""Numbers that remember every decision: what was calculated holds wherever the same decisions are taken.

A network is expanded and analysed once, at one configuration of a design space, with `Deciding` numbers in the place of
its parameters. They keep every operation, as `Recorded` does; and wherever the code asks whether one is smaller than
another, or which number it is, the answer is noted as a condition. The totals are right for every configuration that
gives the same answers: those on the
same path (King 1976, "Symbolic execution and program testing", section 2).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from archcalc.explain.derive.trace import Node, Symbol, node_of
from archcalc.explain.symbolic.record import Recorded

#: Kinds of nodes that are true or false.
LOGICAL: Mapping[str, Callable[..., bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
    "whole": lambda a: Fraction(a).denominator == 1,
}


class UndecidedError(TypeError):
    """A decision that no condition can be noted of."""


class Condition(NamedTuple):
    """A decision: `test` came out as `holds` while all of `guards` held."""

    test: Node
    holds: bool
    guards: tuple[Node, ...] = ()


class Path:
    """The decisions of one expansion. Equal expressions are one node, so that identity tells them apart."""

    def __init__(self) -> None:
        self.conditions: dict[tuple[int, bool, tuple[int, ...]], Condition] = {}
        self.guards: list[Node] = []
        self._nodes: dict[tuple[Any, ...], Node] = {}
        self._known: dict[int, Node] = {}
        #: The numbers of this path; each operation on one gives another of the same class.
        self.number: type[Deciding] = type("Deciding", (Deciding,), {"path": self, "__slots__": ()})

    def symbol(self, name: str, value: int | Fraction) -> Deciding:
        """A parameter that has this value in the configuration at hand."""
        return self.number(Node("symbol", value, (), Symbol(name, name)))  # type: ignore[arg-type]

    def one(self, node: Node) -> Node:
        """The node that stands for this expression."""
        if self._known.get(id(node)) is node:
            return node
        parts = tuple([self.one(part) for part in node.parts])
        leaf = (node.value, node.symbol) if not parts else None
        key = (node.kind, leaf, *map(id, parts))
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = node if parts == () else node._replace(parts=parts)
            self._known[id(found)] = found
        return found

    def logical(self, kind: str, *parts: Any) -> Deciding:
        """A comparison, or a connection of comparisons, of which nothing is decided yet."""
        nodes = [_node(part) for part in parts]
        return self.number(Node(kind, LOGICAL[kind](*(node.value for node in nodes)), tuple(nodes)))

    def choice(self, condition: Deciding, yes: Any, no: Any) -> Deciding:
        """One of two numbers, by a condition of which nothing is decided."""
        parts = (condition.node, _node(yes), _node(no))
        return self.number(Node("choice", parts[1 if condition.node.value else 2].value, parts))

    def decide(self, test: Node) -> bool:
        """Whether a condition holds here, which is noted."""
        test = self.one(test)
        holds = bool(test.value)
        key = (id(test), holds, tuple(map(id, self.guards)))
        self.conditions.setdefault(key, Condition(test, holds, tuple(self.guards)))
        return holds

    @contextmanager
    def guarded(self, guard: Node) -> Iterator[None]:
        """What is decided inside matters only where the guard holds."""
        self.guards.append(self.one(guard))
        try:
            yield
        finally:
            self.guards.pop()

    @contextmanager
    def under(self, guards: Sequence[Node]) -> Iterator[None]:
        """The same for these guards and no others."""
        outer, self.guards = self.guards, list(guards)
        try:
            yield
        finally:
            self.guards = outer


def _node(value: Any) -> Node:
    node = node_of(value)
    assert node is not None, value
    return node


def _compared(kind: str, swapped: bool = False, negated: bool = False) -> Any:
    def method(self: Deciding, other: Any) -> Any:
        node = node_of(other)
        if node is None:
            return NotImplemented
        node = self.path.one(node)
        if node is self.node:
            return (kind != "<") ^ negated
        parts = (node, self.node) if swapped else (self.node, node)
        return self.path.decide(Node(kind, LOGICAL[kind](parts[0].value, parts[1].value), parts)) ^ negated

    return method


class Deciding(Recorded):
    """A number whose every decision is noted in its path."""

    __slots__ = ()
    path: ClassVar[Path]

    def __init__(self, node: Node) -> None:
        self.node = self.path.one(node)

    __eq__ = _compared("==")
    __ne__ = _compared("==", negated=True)
    __lt__ = _compared("<")
    __gt__ = _compared("<", swapped=True)
    __le__ = _compared("<=")
    __ge__ = _compared("<=", swapped=True)

    def __hash__(self) -> int:
        """Sets and mappings tell numbers apart without asking, so that no decision could be noted. Raises."""
        if self.node.kind == "number":
            return hash(self.node.value)
        raise UndecidedError("a number that varies is looked up in a set or a mapping")

    def __bool__(self) -> bool:
        if self.node.kind in LOGICAL:
            return self.path.decide(self.node)
        return bool(self != 0)

    def __index__(self) -> int:
        return int(self.settled())

    __int__ = __index__

    def __neg__(self) -> Deciding:
        return self.path.number(Node("neg", -self.value, (self.node,)))

    def __abs__(self) -> Deciding:
        negative = self.path.logical("<", self, 0)
        return self.path.choice(negative, -self, self)

    def settled(self) -> Any:
        """The number itself: from here on the path is one of this number only."""
        if self.node.kind in LOGICAL:
            return self.path.decide(self.node)
        if self.node.kind != "number":
            self.path.decide(Node("==", True, (self.node, Node("number", self.node.value))))
        return exact_of(self)

    def _limited(self, kind: str, other: Any) -> Any:
        limit = self.path.one(_node(other))
        choose = min if kind == "min" else max
        if limit is self.node:
            return self
        return self.path.number(Node(kind, choose(self.value, limit.value), (self.node, limit)))

    def archcalc_isqrt(self) -> Deciding:
        return self.path.number(super().archcalc_isqrt().node)

    def divided_by(self, other: Any, swapped: bool = False) -> Deciding:
        return self.path.number(_quotient(self.node, _node(other), swapped))

    def rounded(self, how: str) -> Deciding:
        value = -(-self.value // 1) if how == "ceil" else self.value // 1
        return self.path.number(Node("floor" if how == "floor" else "ceiling", value, (self.node,)))

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole number whatever the parameters are, as far as its form says."""
        return _is_whole(self.node)


def _quotient(own: Node, other: Node, swapped: bool) -> Node:
    parts = (other, own) if swapped else (own, other)
    value: Any = Fraction(parts[0].value) / parts[1].value
    return Node("/", value, parts)


def _is_whole(node: Node) -> bool:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.kind in ("number", "symbol"):
            # A parameter that need not be whole is expanded with a fraction.
            value: Any = one.value
            if isinstance(value, Fraction):
                return False
        elif one.kind == "/":
            return False
        elif one.kind not in ("//", "ceil", "floor", "ceiling", "isqrt"):
            waiting += one.parts[1:] if one.kind == "choice" else one.parts
    return True


def exact_of(value: Any) -> Any:
    """The plain number, a fraction where it is none that is whole; lists item by item."""
    if isinstance(value, Recorded):
        if value.node.kind in LOGICAL:
            return bool(value.value)
        found = Fraction(value.value)
        return int(found) if found.denominator == 1 else found
    if isinstance(value, list):
        return [exact_of(item) for item in value]
    if isinstance(value, tuple):
        return tuple([exact_of(item) for item in value])
    return value


def deciding(values: Any) -> Deciding | None:
    """A number in a value, or in a list of values, that decisions depend on; None where there is none."""
    if isinstance(values, Deciding):
        return values
    if isinstance(values, (list, tuple)):
        return next((found for item in values if (found := deciding(item)) is not None), None)
    if isinstance(values, Mapping):
        return deciding(list(values.values()))
    return None


def settle(value: Any) -> Any:
    """The plain value of numbers that now decide."""
    if isinstance(value, Deciding):
        return value.settled()
    if isinstance(value, (list, tuple)):
        return type(value)([settle(item) for item in value])
    return value
