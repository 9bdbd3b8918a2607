"""Which single slip in one term explains that a printed sum is not the sum of its terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from archcalc.core.language import say
from archcalc.explain.derive.notation import TEXT, number
from archcalc.explain.derive.trace import Node, number_node
from archcalc.teach.reading.typos import mistyped

#: Edits that are tried in all.
_MOST_EDITS = 200_000
_MOST_FOUND = 3


def explain_difference(terms: Sequence[tuple[str, Node]], difference: Fraction) -> list[str]:
    """Sentences, the likeliest first; `terms` have the names of their layers."""
    for name, tree in terms:
        if tree.value == -difference:
            return [say("It lacks the term of {name}, {value}.", name=name, value=number(tree.value))]
        if tree.value == difference:
            return [say("It has the term of {name}, {value}, twice.", name=name, value=number(tree.value))]
    numbers = sorted({node.value for _, tree in terms for node in tree.walk() if node.is_atom})
    found: dict[str, tuple[int, str]] = {}  # by the layer: of edits of one term that give the same, the likeliest
    budget = _MOST_EDITS
    for name, tree in terms:
        own = {node.value for node in tree.walk() if node.is_atom}
        for cost, edited in _edits(tree, own, numbers):
            budget -= 1
            if edited.value - tree.value == difference:
                text = say(
                    "It fits a slip at {name}: {edited} = {value} for {tree}",
                    name=name,
                    edited=TEXT.write(edited),
                    value=number(edited.value),
                    tree=TEXT.write(tree),
                )
                one = (cost, f"{text} = {number(tree.value)}.")
                found[name] = min(found.get(name, one), one)
        if budget < 0:
            break
    return [text for _, text in sorted(found.values())][:_MOST_FOUND]


def _edits(tree: Node, own: set[int], others: Sequence[int]) -> Iterator[tuple[int, Node]]:
    """The term with one number exchanged, mistyped or left out; the lower the cost, the more likely."""
    if tree.is_atom:
        if tree.kind == "number":
            for value in others:
                if value != tree.value:
                    yield 0 if value in own else 2, number_node(value)
            if isinstance(tree.value, int):  # 2.416 is a fraction
                for value in mistyped(tree.value):
                    yield 2, number_node(value)
        return
    for index, part in enumerate(tree.parts):
        for cost, edited in _edits(part, own, others):
            yield cost, _with_part(tree, index, edited)
        if tree.kind in ("*", "+") and part.is_atom:
            yield 1, tree.parts[1 - index]


def _with_part(tree: Node, index: int, part: Node) -> Node:
    parts = (*tree.parts[:index], part, *tree.parts[index + 1 :])
    if tree.kind == "+":
        return Node("+", parts[0].value + parts[1].value, parts)
    if tree.kind == "*":
        return Node("*", parts[0].value * parts[1].value, parts)
    if tree.kind == "-":
        return Node("-", parts[0].value - parts[1].value, parts)
    return tree  # divisions are rare in a count
