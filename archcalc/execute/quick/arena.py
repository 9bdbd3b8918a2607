"""The memory of a planned run: maps that are still to be read, and one piece in which each has its place."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from archcalc.execute.kernels import Array
from archcalc.execute.quick.kernels.workspace import aligned_bytes

_ALIGNMENT = 64
#: Bytes from which a piece is asked of the system itself.
_MAPPED = 1 << 18


@dataclass(slots=True, eq=False)
class Memory:
    """A piece of memory, and how often maps in it will still be read. `number`: its index in this run."""

    raw: Array
    readers: int = 0
    number: int = -1


class Map(NamedTuple):
    """A map, channels last (N, H, W, C) or flat (N, D), and the memory it lies in.

    `home`: the concatenation, and the place among its inputs, that it was written for.
    """

    array: Array
    memory: Memory
    home: tuple[int, int] | None = None


class Life(NamedTuple):
    """How large a piece of memory is, and from when to when it is needed, counted in pieces taken and released."""

    nbytes: int
    birth: int
    death: int


class Arena:
    """Gives out memory. Once two runs in a row have asked for the same, every piece has its place in one large one.

    Then nothing is allocated any more. Pieces share a place if they are not needed at the same time.
    """

    def __init__(self) -> None:
        self._live: dict[int, Memory] = {}
        self._clock = 0
        self._lives: list[Life] = []
        self._before: list[Life] = []
        self._places: list[int] = []
        self._whole: Array | None = None

    def start(self) -> None:
        """A run begins."""
        self._live.clear()
        self._clock = 0
        self._lives = []

    def take(self, nbytes: int) -> Memory:
        """So many bytes."""
        number = len(self._lives)
        if self._whole is not None and (
            number >= len(self._places) or self._before[number][:2] != (nbytes, self._clock)
        ):
            # Another batch: what is there is not what is needed.
            self._whole, self._places = None, []
        memory = Memory(fresh(nbytes) if self._whole is None else self._place(number, nbytes), number=number)
        self._live[number] = memory
        self._lives.append(Life(nbytes, self._clock, -1))
        self._clock += 1
        return memory

    def _place(self, number: int, nbytes: int) -> Array:
        assert self._whole is not None
        return self._whole[self._places[number] : self._places[number] + nbytes]

    def release(self, memory: Memory) -> None:
        """Nobody reads it any more."""
        if self._live.pop(memory.number, None) is not None:
            self._lives[memory.number] = self._lives[memory.number]._replace(death=self._clock)
            self._clock += 1

    def live_bytes(self) -> int:
        """Bytes of the maps that are still read."""
        return sum(memory.raw.nbytes for memory in self._live.values())

    def finish(self) -> None:
        """A run is over; what still lives are its results."""
        for number in list(self._live):
            self.release(self._live[number])
        if self._whole is None and self._lives == self._before:
            self._places, size = places(self._lives)
            self._whole = fresh(size)
        self._before = self._lives


def places(lives: Sequence[Life]) -> tuple[list[int], int]:
    """Where each piece begins, and how much there is in all: largest first, each as far to the front as it fits.

    Source: Pisarchyk & Lee 2020, "Efficient Memory Management for Deep Neural Net Inference", greedy by size.
    """
    found = [0] * len(lives)
    placed: list[int] = []
    size = 0
    for number in sorted(range(len(lives)), key=lambda number: -lives[number].nbytes):
        life = lives[number]
        start = 0
        together = [each for each in placed if lives[each].birth < life.death and life.birth < lives[each].death]
        for other in sorted(together, key=found.__getitem__):
            if found[other] - start >= life.nbytes:
                break
            start = max(start, -(-(found[other] + lives[other].nbytes) // _ALIGNMENT) * _ALIGNMENT)
        found[number] = start
        placed.append(number)
        size = max(size, start + life.nbytes)
    return found, size


def fresh(nbytes: int) -> Array:
    """New memory that goes back to the system as soon as it is freed; an allocator would keep it for later."""
    if nbytes < _MAPPED:
        return aligned_bytes(nbytes)
    return np.frombuffer(mmap.mmap(-1, nbytes), np.uint8)
