"""What a student writes between the formula with its numbers and the result: brackets first, from the inside."""

from __future__ import annotations

from archcalc.explain.derive.trace import Node, number_node

_SUMS = ("+", "-", "neg")


def substituted(node: Node) -> Node:
    """The expression with every symbol replaced by its number."""
    if node.kind == "symbol":
        return number_node(node.value)
    return node._replace(parts=tuple([substituted(part) for part in node.parts])) if node.parts else node


def intermediate(node: Node) -> list[Node]:
    """The expressions between a substituted one and its value."""
    found = []
    while level := _depth(node):
        node = _reduced(node, level)
        found.append(node)
    return found


def _is_group(parent: Node, index: int) -> bool:
    """Whether a part stands in brackets, above a fraction line, or in a product that was written as one factor."""
    part = parent.parts[index]
    if part.is_atom:
        return False
    if part.kind in ("min", "max") or (part.kind in ("//", "ceil") and not part.is_exact):
        return True
    if parent.kind in ("//", "ceil", "%", "min", "max", "by"):
        return True
    if parent.kind == "*":
        return part.kind in _SUMS or (parent.parts[1].kind == "*" and part.kind == "*")
    return parent.kind == "neg" or (parent.kind == "-" and index == 1 and part.kind in _SUMS)


def _depth(node: Node) -> int:
    """How deep groups are nested."""
    return max((_depth(part) + _is_group(node, index) for index, part in enumerate(node.parts)), default=0)


def _reduced(node: Node, level: int) -> Node:
    """The expression with the groups of this level as numbers."""
    parts = []
    for index, part in enumerate(node.parts):
        group = _is_group(node, index)
        parts.append(number_node(part.value) if group and level == 1 else _reduced(part, level - group))
    return node._replace(parts=tuple(parts))
