"""A spec that is well formed: its document, and its layers and blocks read into items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archcalc.spec.document import Block, Document
from archcalc.spec.items import Item
from archcalc.spec.source import MarkedDict, Source


@dataclass(frozen=True)
class BlockSpec:
    """A block: its declaration and its body."""

    declared: Block
    body: tuple[Item, ...]
    file: str
    raw: MarkedDict
    #: Of a block that takes maps of any rank: its body for signals and for volumes, by the number of position axes.
    by_rank: Mapping[int, tuple[Item, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """A spec file that is well formed; whether its layers fit together shows when it is built."""

    source: Source
    document: Document
    body: tuple[Item, ...]
    blocks: dict[str, BlockSpec]
    #: The layers of networks and variants that bring their own, by section and name.
    own_bodies: dict[tuple[str, str], tuple[Item, ...]]

    @property
    def file(self) -> str:
        return self.source.file

    def body_of(self, member: str, variant: str | None) -> tuple[Item, ...]:
        """The layers of a network: its variant's own, its own, or those of the file."""
        own = self.own_bodies
        return own.get(("variants", variant or ""), own.get(("networks", member), self.body))
