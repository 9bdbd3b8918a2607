"""Numbers that remember the expression they came from, in the order in which it was written.

A `Traced` behaves like the int it stands for: it compares, hashes and indexes by value, so a rule that is called with
it does what it does for ints. What was done to it is kept as a tree of `Node`s, from which `notation` writes the
formula. What a textbook leaves out is left out: factors of 1, terms of 0, a minimum that does not bite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple


class Symbol(NamedTuple):
    """A letter of a formula, as text, in LaTeX and in words."""

    text: str
    latex: str
    meaning: str = ""


class Node(NamedTuple):
    """A part of an expression: a number, a symbol, or an operation on parts."""

    kind: str  # number, symbol, +, -, *, //, %, ceil, min, max, neg, by
    value: int
    parts: tuple[Node, ...] = ()
    symbol: Symbol | None = None

    @property
    def is_atom(self) -> bool:
        return not self.parts

    @property
    def is_exact(self) -> bool:
        """Whether a division leaves nothing over, so that neither ⌊ ⌋ nor ⌈ ⌉ is needed."""
        return self.parts[0].value % self.parts[1].value == 0

    def walk(self) -> Iterator[Node]:
        """The node and all below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.parts)


def number_node(value: int) -> Node:
    return Node("number", value)


def _is(node: Node, value: int) -> bool:
    """Whether the node is this number as it was written in a rule, and no symbol."""
    return node.kind == "number" and node.value == value


def _sum(sign: str, left: Node, right: Node) -> Node:
    value = left.value + right.value if sign == "+" else left.value - right.value
    if _is(right, 0):
        return left
    if sign == "+" and _is(left, 0):
        return right
    if left.kind == right.kind == "number":
        return number_node(value)
    # x − 1 + 1 is x: the rule wrote two constants where one is meant.
    if right.kind == "number" and left.kind in ("+", "-") and left.parts[1].kind == "number":
        first, constant = left.parts[0], left.parts[1].value
        constant = (constant if left.kind == "+" else -constant) + (right.value if sign == "+" else -right.value)
        return _sum("+" if constant >= 0 else "-", first, number_node(abs(constant)))
    return Node(sign, value, (left, right))


def _product(left: Node, right: Node) -> Node:
    if _is(left, 0) or _is(right, 0):
        return number_node(0)
    if _is(left, 1):
        return right
    if _is(right, 1):
        return left
    if left.kind == right.kind == "number":
        return number_node(left.value * right.value)
    return Node("*", left.value * right.value, (left, right))


def _quotient(left: Node, right: Node) -> Node:
    if _is(right, 1) or _is(left, 0):
        return left
    if left.kind == right.kind == "number":
        return number_node(left.value // right.value)
    # H·W·C/C is H·W, where C is the very factor that was multiplied last.
    if right.kind == "symbol" and left.kind == "*" and left.parts[1] == right:
        return left.parts[0]
    return Node("//", left.value // right.value, (left, right))


def _operation(build: Callable[[Node, Node], Node], swapped: bool = False) -> Any:
    def method(self: Traced, other: Any) -> Any:
        node = node_of(other)
        if node is None:
            return NotImplemented
        made = build(node, self.node) if swapped else build(self.node, node)
        return self if made is self.node else type(self)(made)

    return method


def _comparison(compare: Callable[[int, int], bool]) -> Any:
    def method(self: Traced, other: Any) -> Any:
        node = node_of(other)
        return NotImplemented if node is None else compare(self.node.value, node.value)

    return method


class Traced:
    """An int with its history. `value` is the int, `node` the expression."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    @property
    def value(self) -> int:
        return self.node.value

    __add__ = _operation(lambda a, b: _sum("+", a, b))
    __radd__ = _operation(lambda a, b: _sum("+", a, b), swapped=True)
    __sub__ = _operation(lambda a, b: _sum("-", a, b))
    __rsub__ = _operation(lambda a, b: _sum("-", a, b), swapped=True)
    __mul__ = _operation(_product)
    __rmul__ = _operation(_product, swapped=True)
    __floordiv__ = _operation(_quotient)
    __rfloordiv__ = _operation(_quotient, swapped=True)
    __mod__ = _operation(lambda a, b: Node("%", a.value % b.value, (a, b)))
    __rmod__ = _operation(lambda a, b: Node("%", a.value % b.value, (a, b)), swapped=True)

    __eq__ = _comparison(lambda a, b: a == b)
    __lt__ = _comparison(lambda a, b: a < b)
    __le__ = _comparison(lambda a, b: a <= b)
    __gt__ = _comparison(lambda a, b: a > b)
    __ge__ = _comparison(lambda a, b: a >= b)

    def __neg__(self) -> Traced:
        if self.node.kind == "neg":
            return type(self)(self.node.parts[0])
        return type(self)(Node("neg", -self.value, (self.node,)) if self.value else number_node(0))

    def __abs__(self) -> Traced:
        return self if self.value >= 0 else -self

    def __hash__(self) -> int:
        return hash(self.node.value)

    def __bool__(self) -> bool:
        return bool(self.node.value)

    def __index__(self) -> int:
        return self.node.value

    __int__ = __index__

    def __repr__(self) -> str:
        return str(self.node.value)

    def __format__(self, form: str) -> str:
        return format(self.node.value, form)

    # Hooks of `archcalc.core.numbers`. A limit that does not bite is not written down.

    def archcalc_ceil_div(self, other: Any) -> Traced:
        divisor = node_of(other)
        assert divisor is not None
        if _is(divisor, 1):
            return self
        return type(self)(Node("ceil", -(-self.value // divisor.value), (self.node, divisor)))

    def archcalc_minimum(self, other: Any) -> Traced:
        return self._limited("min", other)

    def archcalc_maximum(self, other: Any) -> Traced:
        return self._limited("max", other)

    def _limited(self, kind: str, other: Any) -> Traced:
        limit = node_of(other)
        assert limit is not None
        if self.value <= limit.value if kind == "min" else self.value >= limit.value:
            return self
        if limit.kind == "number" and limit.value:
            return Traced(limit)
        return Traced(Node(kind, limit.value, (self.node, limit)))


def by(rows: Any, columns: Any) -> Traced:
    """The size of a matrix, rows×columns; its value is the number of entries."""
    parts = (traced(rows).node, traced(columns).node)
    return Traced(Node("by", parts[0].value * parts[1].value, parts))


def node_of(value: Any) -> Node | None:
    """The expression of a number; None of what is neither whole nor a fraction."""
    if isinstance(value, Traced):
        return value.node
    if isinstance(value, Fraction):
        return Node("number", value)  # type: ignore[arg-type]  # only `archcalc.explain.symbolic` calculates with fractions
    return number_node(int(value)) if isinstance(value, int) else None


def traced(value: Any) -> Traced:
    """A number with its history; an int's history is itself."""
    if isinstance(value, Traced):
        return value
    return Traced(number_node(int(value)))


def symbol(text: str, value: int, latex: str | None = None, meaning: str = "") -> Traced:
    """A named number."""
    return Traced(Node("symbol", value, (), Symbol(text, text if latex is None else latex, meaning)))
