"""What the positions along one axis see: which pixels of an axis of the input, exact through windows and merges.

Positions are followed as intervals, from the first to the last pixel that they see. Where all positions see alike
(after plain convolutions and pools) one interval is enough, for position 0, with the number of pixels from one
position to the next (Araujo et al. 2019, "Computing receptive fields of convolutional neural networks", equations 2
and 3). After an upsampling the positions differ in turn, so there is an interval for each phase. After a merge of
maps that move at different steps, or a pool whose windows differ, there is an interval for each position.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from math import gcd
from typing import NamedTuple

from archcalc.core.numbers import Number
from archcalc.ops import rules
from archcalc.ops.base import AxisReads, Spans, Window

#: How many positions may have a span of their own, all of them or in turn, and how many reads of positions in any order
#: may be followed.
MOST_LISTED = 1 << 16
MOST_READS = 1 << 18

#: First and last pixel; None sees nothing, as the gaps between the filters of a transposed convolution.
Span = tuple[int, int] | None


class AxisField(NamedTuple):
    """Position o sees the pixels spans[o mod P] + (o div P)·jump, where P is the number of spans; `positions` in all.

    Pixels may lie outside the image: there the network sees its padding. Where `listed`, each position has its own
    span, and a position outside of the map sees nothing. `most` is the largest number of pixels that a position sees,
    where what it sees depends on its place along another axis too: the spans then hold what all of them see.
    """

    jump: int
    spans: tuple[Span, ...]
    positions: int
    listed: bool = False
    most: int | None = None

    @property
    def size(self) -> int:
        """The most pixels that a position sees."""
        if self.most is not None:
            return self.most
        if only := only_span(self):
            return only[1] - only[0] + 1
        return max((span[1] - span[0] + 1 for span in self.spans[: self.positions] if span), default=0)

    @property
    def stride(self) -> int | float | None:
        """Pixels from one position to the next; 0 where all see the same, None where there is no even step."""
        if self.listed and self.positions > 1:
            return None
        jump, phases = self.jump, len(self.spans)
        return jump // phases if jump % phases == 0 else jump / phases

    @property
    def start(self) -> int:
        """First pixel that position 0 sees, or the first position that sees any."""
        return next((span[0] for span in self.spans if span), 0)

    def span(self, position: int) -> Span:
        """First and last pixel of any position."""
        if self.listed:
            return self.spans[position] if 0 <= position < self.positions else None
        period, phase = divmod(position, len(self.spans))
        span = self.spans[phase]
        return (span[0] + period * self.jump, span[1] + period * self.jump) if span else None


def grow(size: Number, jump: Number, window: Window) -> tuple[Number, Number]:
    """Size and jump after a sliding window, where all positions see alike."""
    return rules.receptive_field_size(size, window.size, jump), rules.receptive_field_jump(jump, window.stride)


def through(field: AxisField, read: AxisReads, count: int) -> AxisField | None:
    """The field of `count` positions that read a map along an axis; None where they differ in too many ways."""
    if isinstance(read, Window) and (only := only_span(field)) and not read.transposed:
        low, high = only
        start = rules.receptive_field_start(low, read.before, field.jump)
        size, jump = grow(high - low + 1, field.jump, read)
        return AxisField(jump, ((start, start + size - 1),), count)
    return _followed(field, read, count)


@lru_cache(maxsize=4096)
def _followed(field: AxisField, read: AxisReads, count: int) -> AxisField | None:
    """The same where positions differ, phase by phase or one by one."""
    if not isinstance(read, (Window, Spans)) or (count == 1 and read == Window(field.positions)):
        return seen_whole(field, count)
    phases = len(field.spans)
    # After how many positions the same is read again, and how many positions of the input further on.
    if isinstance(read, Spans):
        period, moves = len(read.spans), read.moves
    else:
        period, moves = (read.stride, 1) if read.transposed else (1, read.stride)
    periods = phases // gcd(phases, moves or 0)
    listed = field.listed or moves is None
    ways = count if listed else period * periods
    if ways > MOST_LISTED:
        return None
    taps = [taps_of(read, position) for position in range(ways)]
    if not _is_ordered(field) and sum(min(len(tap), phases) for tap in taps) > MOST_READS:
        return None
    spans = hulls(field, taps)
    if listed or moves is None:
        return with_spans(spans)
    return _simplified(moves * periods // phases * field.jump, spans, count)


def only_span(field: AxisField) -> Span:
    """The span of position 0, where all positions see alike."""
    return field.spans[0] if len(field.spans) == 1 and not field.listed else None


def taps_of(read: Window | Spans, position: int) -> range:
    """The input positions that an output position reads."""
    if isinstance(read, Spans):
        first, last = read.at(position)
        return range(first, last + 1, read.step)
    size, stride, before, transposed, dilation = read
    if transposed:
        place = position + before
        shared = gcd(stride, dilation)
        if place % shared:
            return range(0)  # between the taps of all filters
        # One input in every `step` has a tap here: place − i·stride is a multiple of the dilation.
        step = dilation // shared
        phase = place // shared * pow(stride // shared, -1, step) % step
        first = -(-(place - size + 1) // stride)
        return range(first + (phase - first) % step, place // stride + 1, step)
    start = rules.window_start(position, stride, before)
    return range(start, start + size, dilation)


@lru_cache(maxsize=4096)
def _is_ordered(field: AxisField) -> bool:
    """Whether neither end moves back from a position to a later one."""
    around = len(field.spans) + (0 if field.listed else len(field.spans))
    seen = [span for position in range(around) if (span := field.span(position))]
    return all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(seen))


def hulls(field: AxisField, taps: Sequence[range]) -> list[Span]:
    """What each of some ranges of positions sees together."""
    ordered = _is_ordered(field)  # looked up once: a field is as long as its spans
    return [_hull(field, tap, ordered) for tap in taps]


def _hull(field: AxisField, positions: range, ordered: bool) -> Span:
    """What some positions see together, from the first pixel of any of them to the last."""
    period = len(field.spans)
    if field.listed:
        first = positions.start if positions.start >= 0 else positions.start % positions.step
        positions = range(first, min(positions.stop, field.positions), positions.step)
    else:
        period //= gcd(period, positions.step)
    # A phase comes lowest where it comes first, and highest where it comes last.
    lows = (span[0] for position in positions[:period] if (span := field.span(position)))
    highs = (span[1] for position in positions[::-1][:period] if (span := field.span(position)))
    if ordered:
        low, high = next(lows, None), next(highs, None)
    else:
        low, high = min(lows, default=None), max(highs, default=None)
    return None if low is None or high is None else (low, high)


def seen_whole(field: AxisField, count: int) -> AxisField:
    """A window as large as the map, as a dense layer is.

    A single position keeps the jump, as if it slid over a larger image; several all see the same.
    """
    if only := only_span(field):
        low, high = only
        size, jump = grow(high - low + 1, field.jump, Window(field.positions))
        span: Span = (low, low + size - 1)
    else:
        (span,) = hulls(field, [range(field.positions)])
        jump = field.jump // len(field.spans) if field.jump % len(field.spans) == 0 else 0
    return AxisField(jump if count == 1 else 0, (span,), count)


def with_spans(spans: Sequence[Span]) -> AxisField | None:
    """The field of positions with these spans: with an even step where they show one, else each with its own."""
    count = len(spans)
    if count > MOST_LISTED:
        return None
    for phases in _periods(spans):
        step = _step(spans, phases)
        if step is not None:
            return AxisField(step, tuple(spans[:phases]), count)
    return AxisField(0, tuple(spans), count, listed=True)


def _periods(spans: Sequence[Span]) -> Iterator[int]:
    """In how many phases spans may repeat, up to half of them, the fewest first: how each moves on repeats as well.

    Source: Knuth, Morris and Pratt 1977, "Fast pattern matching in strings": borders of a sequence give its periods.
    """
    moves = _moves(spans)
    borders = [0] * (len(moves) + 1)
    border = 0
    for index in range(1, len(moves)):
        while border and moves[index] != moves[border]:
            border = borders[border]
        border += moves[index] == moves[border]
        borders[index + 1] = border
    border = len(moves)
    while border:
        border = borders[border]
        if 0 < (period := len(moves) - border) <= len(spans) // 2:
            yield period


def _moves(spans: Sequence[Span]) -> list[tuple[int, int, int] | None]:
    """Of each position after the first that sees something, how far it is from the last one before it that does.

    In positions, and in first and last pixels; None where it sees nothing.
    """
    found: list[tuple[int, int, int] | None] = []
    before, place = None, 0
    for position, span in enumerate(spans):
        if before is not None:
            found.append(span and (position - place, span[0] - before[0], span[1] - before[1]))
        if span is not None:
            before, place = span, position
    return found


def _step(spans: Sequence[Span], phases: int) -> int | None:
    """By how many pixels the spans move from one group of so many to the next; None where they do not do so evenly."""
    step = None
    for first, second in zip(spans, islice(spans, phases, None), strict=False):
        if first is None or second is None:
            if first is not second:
                return None
            continue
        moved = second[0] - first[0]
        if moved < 0 or second[1] - first[1] != moved or step not in (None, moved):
            return None
        step = moved
    return 0 if step is None and not any(spans) else step


def _simplified(jump: int, spans: Sequence[Span], count: int) -> AxisField:
    """The same field with as few phases as possible."""
    phases = len(spans)
    for fewer in range(1, phases):
        if phases % fewer == 0 and jump * fewer % phases == 0:
            step = jump * fewer // phases
            if _step([*spans, *_moved(spans[:fewer], jump)], fewer) == step:
                return AxisField(step, tuple(spans[:fewer]), count)
    return AxisField(jump, tuple(spans), count)


def _moved(spans: Sequence[Span], step: int) -> list[Span]:
    return [(span[0] + step, span[1] + step) if span else None for span in spans]


def union_of(first: AxisField, second: AxisField) -> AxisField | None:
    """What two maps together see."""
    if first == second and first.most is None:
        return first
    count = max(first.positions, second.positions)
    if first.positions != second.positions:  # flat maps, which have no positions of their own
        ends = [hulls(field, [range(field.positions)])[0] for field in (first, second)]
        return AxisField(0, (joined(*ends),), count)
    phases = len(first.spans) * len(second.spans) // gcd(len(first.spans), len(second.spans))
    in_step = first.jump * len(second.spans) == second.jump * len(first.spans)
    if in_step and not first.listed and not second.listed and phases <= MOST_LISTED:
        spans = [joined(first.span(index), second.span(index)) for index in range(phases)]
        return _simplified(first.jump * phases // len(first.spans), spans, count)
    if count > MOST_LISTED:
        return None
    return with_spans([joined(first.span(index), second.span(index)) for index in range(count)])


def joined(first: Span, second: Span) -> Span:
    if first is None or second is None:
        return first or second
    return (min(first[0], second[0]), max(first[1], second[1]))
