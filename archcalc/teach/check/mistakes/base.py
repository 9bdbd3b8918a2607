"""What a mistake consists of: the step that went wrong, and the number that it leads to."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from archcalc.explain.derive.trace import Node


class Mistake(NamedTuple):
    """One thing that was done wrong. `reason` is one or two sentences that follow the calculation and a colon.

    `layer` and `quantity` say where, if not in the cell that is looked at.
    """

    mistake: str
    reason: str
    layer: str = ""
    quantity: str = ""


class Alternative(NamedTuple):
    """A number that mistakes lead to; the lower the cost, the more likely.

    `tree` is the calculation, where one can be shown.
    """

    value: int | Fraction
    steps: tuple[Mistake, ...]
    cost: int
    tree: Node | None = None


class Edit(NamedTuple):
    """A mistake as a change of the right formula; None where it changes nothing."""

    step: Mistake
    cost: int
    apply: Callable[[Node], Node | None]


class Sized(NamedTuple):
    """Height and width that mistakes lead to, with their calculations."""

    sizes: tuple[int, int]
    steps: tuple[Mistake, ...]
    cost: int
    trees: tuple[Node, Node]


#: What two mistakes together cost on top of each.
PAIR = 60
