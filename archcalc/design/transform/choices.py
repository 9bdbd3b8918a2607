"""Which channels a layer can lose: as many of each part that layers divide them into, in the order of shuffles."""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm

from archcalc.ops.arrange import ChannelShuffle
from archcalc.ops.attention import ScaledDotProductAttention
from archcalc.ops.conv import Conv
from archcalc.ops.parts import Chunk
from archcalc.passes.analysis import Analysis, Row


def choices(analysis: Analysis, made: int, count: int) -> Iterator[frozenset[int]]:
    """Which channels a layer may lose: the last of equal parts, or those that a shuffle and groups after it allow."""
    for parts in sorted(divisions(analysis)):
        fewer = count // parts
        if count % parts == 0 and fewer < made // parts:
            ends = [made * part // parts for part in range(1, parts + 1)]
            yield frozenset(end - 1 - one for end in ends for one in range(fewer))
    grouped = sorted(_groups(analysis))
    for rows in sorted(row.op.groups for row in analysis.rows if isinstance(row.op, ChannelShuffle)):
        for groups in grouped:
            if not any(number % one for number in (made, made - count) for one in (rows, groups)):
                places = _between(made // groups, (made - count) // groups, rows, groups)
                if places is not None:
                    yield frozenset(place % rows * (made // rows) + place // rows for place in places)


def _between(each: int, stay: int, rows: int, groups: int) -> set[int] | None:
    """The places to lose after a shuffle of so many rows, where groups read `each` channels and are to read `stay`.

    Each group keeps a run of them that begins with the row after that of the last one before: those that stay come from
    all rows in turn, as a shuffle of them gives them. None where that is more than a group has.
    """
    starts = [group * (stay - each) % rows for group in range(groups)]
    if max(starts) + stay > each:
        return None
    runs = [range(group * each + start, group * each + start + stay) for group, start in enumerate(starts)]
    return set(range(each * groups)).difference(*runs)


def divisions(analysis: Analysis) -> set[int]:
    """Into how many parts, of which each may have to lose as many channels, layers divide theirs; 1 for none."""
    ops = [row.op for row in analysis.rows]
    heads = {op.num_heads for op in ops if isinstance(op, ScaledDotProductAttention)}
    chunks = {op.chunks for op in ops if isinstance(op, Chunk) and op.axis == "channels"}
    shuffled = {op.groups for op in ops if isinstance(op, ChannelShuffle)}
    apart = {1, *_groups(analysis), *shuffled, *heads, *chunks}
    both = {lcm(one, other) for one in apart for other in apart}
    return both | {one * other for one in chunks for other in heads}


def _groups(analysis: Analysis) -> set[int]:
    """The numbers of groups of convolutions, but for depthwise ones."""
    return {row.op.groups for row in analysis.rows if isinstance(row.op, Conv) and not is_depthwise(row)}


def is_depthwise(row: Row) -> bool:
    """Whether a layer is a convolution of each channel by itself."""
    return isinstance(row.op, Conv) and row.op.groups == row.input_shapes[0][0] > 1
