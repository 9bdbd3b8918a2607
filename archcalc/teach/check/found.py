"""A finding: steps that went wrong and that together give what was written."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.explain.derive.trace import Node
from archcalc.teach.check.mistakes.base import Mistake


class Found(NamedTuple):
    """Mistakes that give the number, what they cost, and the words for it."""

    cost: int
    steps: tuple[Mistake, ...]
    explanation: str
    tree: Node | None = None


#: No more alternatives are listed.
MOST_ALTERNATIVES = 5
#: A typo explains many numbers: it comes after all that has a reason.
SLIP = 150
#: Up to this cost an explanation is a rule that many follow; next to one no typo is looked for.
RULE = 26
#: Something that follows from a mistake with an earlier layer that was not asked for.
UPSTREAM = 34
