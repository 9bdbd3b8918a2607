"""Ops of a family for other numbers of position axes: conv1d and conv3d next to conv2d."""

from __future__ import annotations

import re

from archcalc.core.shapes import Shape
from archcalc.ops import OPS


def rank_of(kind: str) -> int | None:
    """Position axes that the op slides over; None where its kind names no rank."""
    found = re.search("([123])d$", kind)
    return int(found[1]) if found else None


def plane(kind: str) -> str:
    """The kind of the same family for images."""
    return re.sub("[123]d$", "2d", kind)


#: Kinds for images or for maps of any rank.
PLANE = {kind for kind in OPS if kind == plane(kind)}


def of_rank(shape: Shape, rank: int) -> Shape:
    """A map with so many position axes: the last are left out, or are 1."""
    return (*shape, 1, 1)[: rank + 1]
