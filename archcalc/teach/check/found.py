"""A finding: steps that went wrong and that together give what was written."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.explain.derive.trace import Node
from archcalc.teach.check.mistakes.base import Mistake


class Found(NamedTuple):
    """Mistakes that give the number, how dear they are, and the words for it."""

    cost: int
    steps: tuple[Mistake, ...]
    explanation: str
    tree: Node | None = None


#: No more rivals are listed.
MOST_RIVALS = 5
#: A slip of a digit explains many numbers: it stands behind all that has a reason.
SLIP = 150
#: Something that follows from a mistake with an earlier layer that was not asked for.
UPSTREAM = 34
