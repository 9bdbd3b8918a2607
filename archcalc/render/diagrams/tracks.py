"""Tracks between two layers of boxes: where each line turns to the side and back, so that few of them cross."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from archcalc.render.diagrams.section import MERGE, SAME

#: In front of the first track, between two tracks, and how near two lines may come to each other.
HEAD, TRACK, NEAR = 9.0, 7.0, 4.0
#: Two maps on one line are worse than lines that cross.
COVERS = 10


class Wire(NamedTuple):
    """A line from one layer to the next: the map, where it goes, and where both ends are across."""

    source: Hashable
    target: Hashable
    start: float
    end: float


class _Net(NamedTuple):
    """Lines that share a track: those of one map, or those that meet at one reader."""

    starts: frozenset[float]
    ends: frozenset[float]
    low: float
    high: float

    def meets(self, other: _Net) -> bool:
        return self.low - NEAR < other.high and other.low - NEAR < self.high


def turns_of(wires: Sequence[Wire]) -> tuple[list[float], float]:
    """How far from the first layer each line turns, and how far the layers are apart: 0 where all lines are straight.

    A straight line has no turn; the number for it means nothing.
    """
    bent = [wire for wire in wires if abs(wire.start - wire.end) >= SAME]
    if not bent:
        return [0.0] * len(wires), 0.0
    shared = Counter(wire.source for wire in wires)
    keys = [(wire.source, None) if shared[wire.source] > 1 else (None, wire.target) for wire in wires]
    members: dict[Hashable, list[Wire]] = {}
    for key, wire in zip(keys, wires, strict=True):
        if wire in bent:
            members.setdefault(key, []).append(wire)
    nets = {key: _net(inside) for key, inside in members.items()}
    order = _ordered(list(nets.values()))
    level: dict[_Net, int] = {}
    for net in order:
        level[net] = max((level[other] + 1 for other in level if other.meets(net)), default=0)
    turns = [HEAD + TRACK * level[nets[key]] if key in nets else 0.0 for key in keys]
    return turns, HEAD + TRACK * max(level.values()) + MERGE


def ordered(wires: Sequence[Wire]) -> list[Wire]:
    """Lines of different maps from the one that turns first to the last, so that they cross seldom."""
    nets = {_net([wire]): wire for wire in wires}
    return [nets[net] for net in _ordered(list(nets))]


def _net(wires: Sequence[Wire]) -> _Net:
    starts, ends = frozenset(wire.start for wire in wires), frozenset(wire.end for wire in wires)
    return _Net(starts, ends, min(starts | ends), max(starts | ends))


def _ordered(nets: list[_Net]) -> list[_Net]:
    """From the first track to the last, so that lines cross seldom: by comparison, then by swaps of neighbours."""
    balance = {net: sum(_cost(net, other) - _cost(other, net) for other in nets if other != net) for net in nets}
    nets = sorted(nets, key=lambda net: (balance[net], net.low, net.high))
    for _ in nets:
        swapped = False
        for place in range(1, len(nets)):
            first, second = nets[place - 1 : place + 1]
            if _cost(first, second) > _cost(second, first):
                nets[place - 1 : place + 1] = [second, first]
                swapped = True
        if not swapped:
            break
    return nets


def _cost(first: _Net, second: _Net) -> int:
    """What it costs that one turns before the other: lines that cross, and lines that lie on each other."""
    crossed = sum(first.low < start < first.high for start in second.starts)
    crossed += sum(second.low < end < second.high for end in first.ends - second.ends)
    covered = sum(abs(start - end) < NEAR for start in second.starts for end in first.ends)
    return crossed + COVERS * covered
