"""What a spec with blocks consists of: lines, the bodies that they make, and blocks of equal bodies."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

#: A number of an item: the index of the item in its body, and the setting.
Hole = tuple[int, str]


@dataclass
class Item:
    """A line of a body: a layer, or so many uses of a block in a row; `settings` are its numbers.

    `fixed`: the settings that are no numbers. `reads`: what it reads, by names as they are seen in its body; `:0` is
    the first map that the body reads, `:1` the second. None: what comes before it.
    """

    name: str
    kind: str
    settings: dict[str, Any]
    fixed: dict[str, Any]
    layers: list[int]
    entries: list[int]
    result: int
    block: Block | None = None
    #: The settings that cannot be left out.
    needed: frozenset[str] = frozenset()
    reads: tuple[str, ...] | None = None
    weights: str | None = None
    frozen: bool = False
    times: int = 1
    #: The name of use number `i` of several: text before the number, what is added to i, and text after it.
    series: tuple[str, int, str] | None = None

    @property
    def skeleton(self) -> Hashable:
        """What must be equal in two bodies for them to be one block."""
        block = id(self.block) if self.block else None
        name = self.name if self.series is None else self.series
        fixed = repr(sorted(self.fixed.items()))
        return (name, self.kind, block, fixed, tuple(self.settings), self.reads, self.weights, self.frozen,
                self.series is not None)  # fmt: skip


@dataclass
class Body:
    """The lines of a scope, and the layers outside of it that they read, in the order in which they are named."""

    scope: str
    items: list[Item]
    entries: list[int]
    #: Its lines with every use by itself.
    unfolded: list[Item]

    @property
    def skeleton(self) -> Hashable:
        return (len(self.entries), tuple([item.skeleton for item in self.items]))

    @property
    def holes(self) -> dict[Hole, Any]:
        """The numbers of all its lines."""
        found: dict[Hole, Any] = {}
        for place, item in enumerate(self.items):
            found |= {(place, name): value for name, value in item.settings.items()}
            if item.series is not None:
                found[place, "repeat"] = item.times
        return found


@dataclass
class Block:
    """A body that is used more than once. `holes`: of each number that differs, the expression that stands for it."""

    name: str
    body: Body
    holes: dict[Hole, str] = field(default_factory=dict)
    #: The parameters, each with the value that most uses give; None where there is none.
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def reads_by_name(self) -> bool:
        """Whether a line names what the block reads, so that it must have a name there."""
        named = any(read.startswith(":") for item in self.body.items for read in item.reads or ())
        return named or len(self.body.entries) > 1


@dataclass
class Structure:
    """The lines of a whole network, and its blocks, inner ones first."""

    body: Body
    blocks: list[Block]
