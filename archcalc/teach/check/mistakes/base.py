"""What a mistake consists of: the step that went wrong, and the number that it leads to."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from archcalc.explain.derive.trace import Node


class Mistake(NamedTuple):
    """One thing that was done wrong. `reason` is one or two sentences that follow the calculation and a colon.

    `layer` and `quantity` say where, if not in the cell that is looked at; `called` is the unit that it was taken for.
    """

    mistake: str
    reason: str
    layer: str = ""
    quantity: str = ""
    called: str = ""


class Alternative(NamedTuple):
    """A number that mistakes lead to; the lower the cost, the more likely.

    `tree` is the calculation, where one can be shown.
    """

    value: int | Fraction
    steps: tuple[Mistake, ...]
    cost: int
    tree: Node | None = None


#: A formula of its own that mistakes lead to, with what they cost.
Base = tuple[tuple[Mistake, ...], int, Node]


class Edit(NamedTuple):
    """A mistake as a change of the right formula; None where it changes nothing."""

    step: Mistake
    cost: int
    apply: Callable[[Node], Node | None]


class MistakenSize(NamedTuple):
    """The sides of a map that mistakes lead to, with their calculations."""

    sizes: tuple[int, ...]
    steps: tuple[Mistake, ...]
    cost: int
    trees: tuple[Node, ...]


class Explanation(NamedTuple):
    """Steps that went wrong and that together give what was written, what they cost, and the words for it."""

    cost: int
    steps: tuple[Mistake, ...]
    explanation: str
    tree: Node | None = None


#: What two mistakes together cost on top of each.
PAIR = 60
#: No more alternatives are listed.
MOST_ALTERNATIVES = 5
#: A typo explains many numbers: it comes after all that has a reason.
SLIP = 150
#: From this cost on an explanation is only given where there is no other. Next to a cheaper one no typo is looked for.
LAST_RESORT = 60
#: `called` of a layer that is counted together with the next, which has a row of its own.
TOGETHER = "together"
#: `called` of a way to count that is kept in all layers.
HABIT = "habit"
#: The total of another network. Of a rounded number there are many that fit.
OTHER_NETWORK = 30
#: Something that follows from a mistake with an earlier layer that was not asked for.
UPSTREAM = 34
