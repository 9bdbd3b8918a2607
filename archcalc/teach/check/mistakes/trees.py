"""Edits of a formula: the tree of a derivation with a symbol replaced, a factor left out, rounding changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archcalc.core.numbers import ceil_div, maximum, minimum
from archcalc.explain.derive.trace import Node, Symbol, Traced, number_node

Replace = Callable[[Node], Node | None]
ONE = number_node(1)


def combine(kind: str, parts: tuple[Node, ...]) -> Node:
    """The operation on these parts, with its value, and without factors of 1 and terms of 0."""
    first = Traced(parts[0])
    if kind == "neg":
        return (-first).node
    second = Traced(parts[1])
    made: Traced = {
        "+": lambda: first + second,
        "-": lambda: first - second,
        "*": lambda: first * second,
        "//": lambda: first // second,
        "%": lambda: first % second,
        "ceil": lambda: ceil_div(first, second),
        "min": lambda: minimum(first, second),
        "max": lambda: maximum(first, second),
    }[kind]()
    return made.node


def rebuild(node: Node, replace: Replace) -> Node:
    """The tree with every part that `replace` has an answer for replaced, and the values calculated again."""
    found = replace(node)
    if found is not None:
        return found
    if node.is_atom:
        return node
    parts = tuple([rebuild(part, replace) for part in node.parts])
    if all(new is old for new, old in zip(parts, node.parts, strict=True)):
        return node
    return combine(node.kind, parts)


def put(node: Node, values: Mapping[str, Node]) -> Node:
    """The tree with these letters replaced."""
    return rebuild(node, lambda part: values.get(part.symbol.text) if part.symbol is not None else None)


def put_once(node: Node, letter: str, value: Node, which: int = 0) -> Node:
    """The tree with one occurrence of a letter replaced, counted from the left."""
    seen = -1

    def replace(part: Node) -> Node | None:
        nonlocal seen
        if part.symbol is None or part.symbol.text != letter:
            return None
        seen += 1
        return value if seen == which else None

    return rebuild(node, replace)


def letters(node: Node) -> dict[str, Node]:
    """Every symbol of the tree by its letter."""
    return {part.symbol.text: part for part in node.walk() if part.symbol is not None}


def count(node: Node, letter: str) -> int:
    """How often a letter occurs."""
    return sum(part.symbol is not None and part.symbol.text == letter for part in node.walk())


def named(like: Node, value: int) -> Node:
    """The same letter with another value."""
    return like._replace(value=value)


def quantity(letter: str, value: int) -> Node:
    """A number with a name, which stays as it is where a bare number would be worked into its neighbours."""
    return Node("symbol", value, (), Symbol(letter, letter))


def times(*factors: Node) -> Node:
    """The product in the order given."""
    result = ONE
    for factor in factors:
        result = combine("*", (result, factor))
    return result


def plus(first: Node, second: Node) -> Node:
    return combine("+", (first, second))


def without_division_by(node: Node, letter: str) -> Node:
    """D/G as D."""

    def replace(part: Node) -> Node | None:
        divides = part.kind in ("//", "ceil") and part.parts[1].symbol is not None
        if not divides or part.parts[1].symbol.text != letter:  # type: ignore[union-attr]  # checked the line before
            return None
        return without_division_by(part.parts[0], letter)

    return rebuild(node, replace)


def without_cancelled(node: Node) -> Node:
    """D/D as 1."""

    def replace(part: Node) -> Node | None:
        return ONE if part.kind == "//" and part.parts[0] == part.parts[1] else None

    return rebuild(node, replace)


def without_last_one(node: Node) -> Node | None:
    """(…)/S + 1 as (…)/S; None where no 1 is added or taken off at the end of a sum."""
    if node.kind in ("+", "-") and node.parts[1] == ONE:
        return node.parts[0]
    return None


def without_any_one(node: Node) -> Node:
    """Every + 1 and − 1 left out."""
    return rebuild(node, lambda part: without_any_one(kept) if (kept := without_last_one(part)) is not None else None)


def rounded_otherwise(node: Node) -> Node:
    """⌊ ⌋ as ⌈ ⌉, and the other way round, wherever something is cut off."""

    def replace(part: Node) -> Node | None:
        if part.kind not in ("//", "ceil") or part.is_exact:
            return None
        return combine("ceil" if part.kind == "//" else "//", part.parts)

    return rebuild(node, replace)


def is_uneven(node: Node) -> bool:
    """Whether a division in it leaves something over."""
    return any(part.kind in ("//", "ceil") and not part.is_exact for part in node.walk())
