"""The ops of a family, one for each number of position axes."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from archcalc.ops.base import Op

_OpClass = TypeVar("_OpClass", bound=Op)


class Ranks(Mapping[int, type[_OpClass]]):
    """The ops of a family by their number of position axes, of the kinds `stem`1d, `stem`2d and `stem`3d.

    Each is made when it is first asked for: a network needs few of them, and making all would be a third of the start.
    """

    #: Two axes first: that is what a word without a rank means.
    RANKS = (2, 1, 3)

    def __init__(self, base: type[_OpClass], stem: str) -> None:
        self.base, self.stem = base, stem
        self._made: dict[int, type[_OpClass]] = {}

    def __getitem__(self, rank: int) -> type[_OpClass]:
        if rank not in self.RANKS:
            raise KeyError(rank)
        if rank not in self._made:
            base = self.base
            fields = {
                "kind": f"{self.stem}{rank}d",
                "rank": rank,
                "__module__": base.__module__,
                "__doc__": base.__doc__,
            }
            name = f"{base.__name__}{rank}d"
            self._made[rank] = types.new_class(name, (base,), exec_body=lambda body: body.update(fields))
        return self._made[rank]

    def __contains__(self, rank: object) -> bool:
        return rank in self.RANKS

    def __iter__(self) -> Iterator[int]:
        return iter(self.RANKS)

    def __len__(self) -> int:
        return len(self.RANKS)


def class_of_rank(module: Mapping[str, Any]) -> Callable[[str], Any]:
    """The `__getattr__` of a module of ops: `Conv2d` is the class for two axes of its family with the base `Conv`."""

    def find(name: str) -> Any:
        for family in module.values():
            if isinstance(family, Ranks) and name[:-2] == family.base.__name__ and name[-2:] in ("1d", "2d", "3d"):
                return family[int(name[-2])]
        raise AttributeError(f"module {module['__name__']!r} has no attribute {name!r}")

    return find
