"""A rounded number that was calculated on with."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.core.language import say
from archcalc.explain.derive.trace import Node
from archcalc.teach.check.mistakes.base import Alternative, Mistake
from archcalc.teach.check.mistakes.trees import quantity, times
from archcalc.teach.reading.typos import rounded


def factors(node: Node) -> list[Node]:
    """The factors of a product as they stand from left to right."""
    return [*factors(node.parts[0]), *factors(node.parts[1])] if node.kind == "*" else [node]


def rounded_factors(tree: Node) -> Iterator[Alternative]:
    """A product whose first or last factors were multiplied and rounded to 2 or 3 digits on the way."""
    parts = factors(tree)
    for cut in range(1, len(parts)):
        for first in (True, False):
            group = times(*(parts[:cut] if first else parts[cut:]))
            if group.is_atom:
                continue  # a setting, not a result
            for digits in (3, 2):
                near = rounded(group.value, digits)
                if near == group.value:
                    continue
                short = quantity("≈", near)
                made = times(short, *parts[cut:]) if first else times(*parts[:cut], short)
                reason = say(
                    "{value:,} was rounded to {near:,} on the way. Round the result alone.",
                    value=group.value,
                    near=near,
                )
                yield Alternative(made.value, (Mistake("rounded_inputs", reason),), 34 - 2 * digits, made)
