"""Choices that are the same on every machine and with every version of Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """Picks by a digest of the seed and of what is chosen, so that one choice does not move the others.

    >>> Choices(7).pick("abc", "letter") == Choices(7).pick("abc", "letter")
    True
    """

    def __init__(self, *seed: object) -> None:
        self.seed = "\0".join(map(str, seed))

    def number(self, *what: object) -> int:
        """A number of 64 bits for this choice."""
        text = "\0".join([self.seed, *map(str, what)])
        return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")

    def pick(self, options: Sequence[T], *what: object) -> T:
        """One of the options."""
        return options[self.number(*what) % len(options)]

    def shuffled(self, items: Iterable[T], *what: object) -> list[T]:
        """The items in an order of this seed's own; equal items stay in theirs."""
        return sorted(items, key=lambda item: self.number(*what, item))
