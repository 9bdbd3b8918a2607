"""Receptive fields: which input pixels an output position can see, exact through branches.

Positions along an axis are followed as intervals, from the first to the last pixel that they see. Where all positions
see alike (after plain convolutions and pools) one interval is enough, for position 0, with the number of pixels from
one position to the next (Araujo et al. 2019, "Computing receptive fields of convolutional neural networks", equations
2 and 3). After an upsampling the positions differ in turn, so there is an interval for each phase. After a merge of
maps that move at different steps, or a pool whose windows differ, there is an interval for each position.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import gcd, lcm
from typing import NamedTuple

from archcalc.core.errors import ShapeError, SpecError
from archcalc.core.numbers import Number, product
from archcalc.core.shapes import Shape
from archcalc.graph.shaping import problem_of
from archcalc.ops import rules
from archcalc.ops.base import (
    EVERYTHING,
    POINT,
    POINTS,
    UNKNOWN,
    AxisReads,
    Reads,
    Spans,
    Turned,
    Window,
    Windows,
    elements,
)
from archcalc.passes.shapes import ShapedLayer

#: No field may be larger: far above any network, and small enough to be written.
LARGEST_FIELD = 10**15

#: In how many ways positions may differ, and how many reads may be followed to find out what they see.
MOST_PHASES = 4096
MOST_READS = 1 << 18

#: First and last pixel; None sees nothing, as the gaps between the filters of a transposed convolution.
Span = tuple[int, int] | None


class AxisField(NamedTuple):
    """Position o sees the pixels spans[o mod P] + (o div P)·jump, where P is the number of spans; `positions` in all.

    Pixels may lie outside the image: there the network sees its padding. Where `listed`, each position has its own
    span, and a position outside of the map sees nothing.
    """

    jump: int
    spans: tuple[Span, ...]
    positions: int
    listed: bool = False

    @property
    def size(self) -> int:
        """The most pixels that a position sees."""
        return max((span[1] - span[0] + 1 for span in self.spans[: self.positions] if span), default=0)

    @property
    def stride(self) -> int | float:
        """Pixels from one position to the next; 0 where all see the same, or there is no even step."""
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


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The receptive field along each position axis of the input: (height, width) of an image.

    `along` names the position axis of the map with which each of them moves, where that is not the axis of the same
    index: the tokens of an image are one axis, and both height and width move along it.
    """

    axes: tuple[AxisField, ...]
    along: tuple[int, ...] = ()

    def __iter__(self) -> Iterator[AxisField]:
        return iter(self.axes)

    @property
    def size(self) -> tuple[int, ...]:
        """The most pixels that a position sees, along each axis of the input."""
        return tuple([axis.size for axis in self.axes])

    @property
    def stride(self) -> tuple[int | float, ...]:
        """Pixels from one position to the next, along each axis of the input."""
        return tuple([axis.stride for axis in self.axes])

    @property
    def start(self) -> tuple[int, ...]:
        """First pixel that the first position sees, along each axis of the input."""
        return tuple([axis.start for axis in self.axes])


def grow(size: Number, jump: Number, window: Window) -> tuple[Number, Number]:
    """Size and jump after a sliding window, where all positions see alike."""
    return rules.receptive_field_size(size, window.size, jump), rules.receptive_field_jump(jump, window.stride)


def receptive_fields(layers: Sequence[ShapedLayer]) -> list[ReceptiveField | None]:
    """The receptive field of each layer's output; None where the positions differ in more than 4,096 ways.

    Pixels are those of the first input; what reads an input of another size has no field, nor has a trained array and
    what depends on nothing else, nor what comes after a layer of which only the shape is known.
    """
    fields: list[ReceptiveField | None] = []
    blind: set[int] = set()
    reads: dict[int, Sequence[Reads]] = {}
    for index, layer in enumerate(layers):
        if layer.key not in reads:
            reads[layer.key] = layer.op.windows(layer.inputs)
        first = layers[0].output
        if not layer.op.is_input and blind.issuperset(layer.layer.inputs):
            blind.add(index)
            fields.append(None)
        elif not layer.inputs and layer.output[1:] != first[1:]:
            fields.append(None)  # pixels are those of the first input
        elif not layer.inputs:
            fields.append(ReceptiveField(tuple([AxisField(1, ((0, 0),), size) for size in layer.output[1:]])))
        else:
            each = reads[layer.key]
            if len(each) == 1 and each[0] is POINTS:
                fields.append(fields[layer.layer.inputs[0]])  # the map stays as it is: most layers
                continue
            if not blind.isdisjoint(layer.layer.inputs):
                each = [
                    None if source in blind else read for source, read in zip(layer.layer.inputs, each, strict=True)
                ]
            field = output_field(layer, each, [fields[source] for source in layer.layer.inputs])
            if field is not None and max(field.size, default=0) > LARGEST_FIELD:
                problem = ShapeError(f"its receptive field is larger than {LARGEST_FIELD:,} pixels")
                raise SpecError([problem_of(layer.layer, problem)])
            fields.append(field)
    return fields


def output_field(
    layer: ShapedLayer, each: Sequence[Reads], inputs: Sequence[ReceptiveField | None]
) -> ReceptiveField | None:
    """The field of a layer's output; `each` is what its op says that it reads of each input.

    Of inputs that see different inputs of the network, with other axes, the first counts.
    """
    result: ReceptiveField | None = None
    for reads, field, shape in zip(each, inputs, layer.inputs, strict=True):
        if reads is POINTS and len(each) == 1:
            return field
        if reads is None:
            continue
        if field is None or reads == UNKNOWN:
            return None
        seen = _seen(reads, field, shape, layer.output)
        if seen is not None and result is not None and len(seen.axes) == len(result.axes):
            seen = _together(result, seen)
        elif result is not None:
            seen = result
        if seen is None:
            return None
        result = seen
    return result


def _seen(reads: Windows | Turned | str, field: ReceptiveField, shape: Shape, output: Shape) -> ReceptiveField | None:
    """What the positions of the output see through one input of this shape."""
    counts = output[1:]
    if reads is POINTS:
        if not counts:
            return field
        reads = (POINT,) * len(counts)
    if reads == EVERYTHING:
        along = () if len(counts) in (0, len(field.axes)) else (0,) * len(field.axes)
        spread = [counts[along[index] if along else index] if counts else 1 for index in range(len(field.axes))]
        return ReceptiveField(tuple([_everything(*axis) for axis in zip(field.axes, spread, strict=True)]), along)
    if isinstance(reads, Turned):
        return _turned(reads, field, counts)
    if not isinstance(reads, tuple):
        return reordered(shape, output, field)
    moved = field.along or range(len(field.axes))
    return _moving(
        [through(axis, reads[index], counts[index]) for axis, index in zip(field.axes, moved, strict=True)], field.along
    )


def _turned(reads: Turned, field: ReceptiveField, counts: Shape) -> ReceptiveField:
    """The field where axes changed places; what became channels is seen whole by every position."""
    places = [reads.to[index] for index in field.along or range(len(field.axes))]
    first = counts[0] if counts else 1
    pairs = zip(field.axes, places, strict=True)
    axes = tuple([_everything(axis, first) if place is None else axis for axis, place in pairs])
    along = tuple([place or 0 for place in places])
    return ReceptiveField(axes, () if along == tuple(range(len(counts))) else along)


def _moving(axes: Sequence[AxisField | None], along: tuple[int, ...] = ()) -> ReceptiveField | None:
    """The field with these axes; None where one of them could not be followed."""
    known = tuple([axis for axis in axes if axis is not None])
    return ReceptiveField(known, along) if len(known) == len(axes) else None


def _together(first: ReceptiveField, second: ReceptiveField) -> ReceptiveField | None:
    """What two maps together see."""
    if first.along != second.along:  # a position of one is no position of the other
        whole = [[_everything(axis, axis.positions) for axis in field.axes] for field in (first, second)]
        first, second = (ReceptiveField(tuple(axes)) for axes in whole)
    return _moving([_union(*pair) for pair in zip(first.axes, second.axes, strict=True)], first.along)


@lru_cache(maxsize=65536)
def through(field: AxisField, read: AxisReads, count: int) -> AxisField | None:
    """The field of `count` positions that read a map along an axis; None where they differ in too many ways."""
    if not isinstance(read, (Window, Spans)):
        return _everything(field, count)
    if isinstance(read, Spans):
        if count > MOST_PHASES:
            return None
        taps = [range(first, last + 1, read.step) for first, last in read.spans]
        return _listed([_hull(field, tap) for tap in taps])
    if (only := only_span(field)) and not read.transposed:
        low, high = only
        start = rules.receptive_field_start(low, read.before, field.jump)
        size, jump = grow(high - low + 1, field.jump, read)
        return AxisField(jump, ((start, start + size - 1),), count)
    phases = len(field.spans)
    ways = phases * read.stride if read.transposed else phases // gcd(phases, read.stride)
    if field.listed:
        ways = count
    if ways > MOST_PHASES:
        return None
    taps = [_taps(read, position) for position in range(ways)]
    if not _is_ordered(field) and sum(min(len(tap), phases) for tap in taps) > MOST_READS:
        return None
    spans = [_hull(field, tap) for tap in taps]
    if field.listed:
        return _listed(spans)
    jump = field.jump if read.transposed else read.stride * ways // phases * field.jump
    return _simplified(jump, spans, count)


def only_span(field: AxisField) -> Span:
    """The span of position 0, where all positions see alike."""
    return field.spans[0] if len(field.spans) == 1 and not field.listed else None


def _taps(window: Window, position: int) -> range:
    """The input positions that an output position reads."""
    size, stride, before, transposed, dilation = window
    if transposed:
        return range(-(-(position + before - size + 1) // stride), (position + before) // stride + 1)
    start = rules.window_start(position, stride, before)
    return range(start, start + size, dilation)


@lru_cache(maxsize=4096)
def _is_ordered(field: AxisField) -> bool:
    """Whether neither end moves back from a position to a later one."""
    around = len(field.spans) + (0 if field.listed else len(field.spans))
    seen = [span for position in range(around) if (span := field.span(position))]
    return all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(seen))


def _hull(field: AxisField, positions: range) -> Span:
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
    if _is_ordered(field):
        low, high = next(lows, None), next(highs, None)
    else:
        low, high = min(lows, default=None), max(highs, default=None)
    return None if low is None or high is None else (low, high)


def _everything(field: AxisField, count: int) -> AxisField:
    """A window as large as the map, as a dense layer is.

    A single position keeps the jump, as if it slid over a larger image; several all see the same.
    """
    if only := only_span(field):
        low, high = only
        size, jump = grow(high - low + 1, field.jump, Window(field.positions))
        span: Span = (low, low + size - 1)
    else:
        span = _hull(field, range(field.positions))
        jump = field.jump // len(field.spans) if field.jump % len(field.spans) == 0 else field.jump
    return AxisField(jump if count == 1 else 0, (span,), count)


def reordered(before: Shape, after: Shape, field: ReceptiveField) -> ReceptiveField | None:
    """What the positions of a map see that holds the values of another in the same order.

    A flat map is one that was flattened, whose sides its field knows. None where that would take too long.
    """
    if not field.axes:  # the input of the network is flat
        return field
    if len(before) == 1:
        sizes = tuple([axis.positions for axis in field.axes])
        if elements(before) % product(sizes):  # several maps were flattened and concatenated
            return _seen(EVERYTHING, field, before, after)
        before = (elements(before) // product(sizes), *sizes)
    if len(before) > 1 and len(after) > 1 and all(axis.jump == 0 and only_span(axis) for axis in field.axes):
        return _seen(EVERYTHING, field, before, after)  # all positions see alike
    if len(before) == len(after) == 3 and not field.along:
        read = _reordered_image(before[1:], after)
        counts = after[1:]
        return read and _moving([through(*axis) for axis in zip(field.axes, read, counts, strict=True)])
    return _reordered_positions(before, after, field)


def _reordered_positions(before: Shape, after: Shape, field: ReceptiveField) -> ReceptiveField | None:
    """The same for any number of axes, position by position."""
    if before[0] == after[0]:  # every channel is reordered by itself, and all in the same way
        before, after = (1, *before[1:]), (1, *after[1:])
    if elements(before) > MOST_READS:
        return None
    rank = len(after) - 1
    # For every axis of the input and every axis after: what each position along it sees.
    seen: list[list[list[Span]]] = [[[None] * count for count in after[1:]] for _ in field.axes]
    for axis, old, spans in zip(field.axes, field.along or range(len(before) - 1), seen, strict=True):
        for new in range(rank):
            for position, place in _met(before, old + 1, after, new + 1):
                spans[new][place] = _both(spans[new][place], axis.span(position))
    along = tuple([min(range(rank), key=lambda new, spans=spans: _extent(spans[new])) for spans in seen])  # type: ignore[misc]  # the default holds the loop's value
    return _moving([_listed(spans[new]) for spans, new in zip(seen, along, strict=True)], along)


def _extent(spans: Sequence[Span]) -> int:
    return sum(span[1] - span[0] for span in spans if span)


def _met(before: Shape, old: int, after: Shape, new: int) -> Iterator[tuple[int, int]]:
    """Which position along an axis and which along another after the reshape some value has, in order of memory."""
    inner, moved = product(before[old + 1 :]), product(after[new + 1 :])
    # Neither changes within a step of both, and together they start again after a common multiple.
    for index in range(0, lcm(inner * before[old], moved * after[new]), gcd(inner, moved)):
        yield index // inner % before[old], index // moved % after[new]


def _reordered_image(sizes: tuple[int, int], after: Shape) -> tuple[Spans, Spans] | None:
    """What the rows and columns of an image read of one of other sides."""
    height, width = sizes
    channels, rows, columns = after
    shared = gcd(columns, width)
    cycle = width // shared
    if channels * rows > MOST_READS or (channels * rows < cycle and channels * rows * columns > MOST_READS):
        return None
    return (
        Spans(tuple([_rows(row, channels, rows, columns, height, width) for row in range(rows)])),
        Spans(
            tuple(
                [
                    (column % shared, column % shared + width - shared)
                    if channels * rows >= cycle
                    else _ends([(column + line * columns) % width for line in range(channels * rows)])
                    for column in range(columns)
                ]
            )
        ),
    )


def _rows(row: int, channels: int, rows: int, columns: int, height: int, width: int) -> tuple[int, int]:
    """The rows of the old map that a row of the new one reads, over all channels."""
    found: list[int] = []
    for channel in range(channels):
        start = (channel * rows + row) * columns
        first, last = start // width, (start + columns - 1) // width
        if first // height != last // height:
            return (0, height - 1)
        found += (first % height, last % height)
    return _ends(found)


def _ends(numbers: Sequence[int]) -> tuple[int, int]:
    return (min(numbers), max(numbers))


def _listed(spans: Sequence[Span]) -> AxisField | None:
    """The field of positions with these spans: with an even step where they show one, else each with its own."""
    count = len(spans)
    if count > MOST_PHASES:
        return None
    for phases in range(1, count // 2 + 1):
        step = _step(spans, phases)
        if step is not None:
            return AxisField(step, tuple(spans[:phases]), count)
    return AxisField(0, tuple(spans), count, listed=True)


def _step(spans: Sequence[Span], phases: int) -> int | None:
    """By how many pixels the spans move from one group of so many to the next; None where they do not do so evenly."""
    step = None
    for first, second in zip(spans, spans[phases:], strict=False):
        if first is None or second is None:
            if first is not second:
                return None
            continue
        moved = second[0] - first[0]
        if second[1] - first[1] != moved or step not in (None, moved):
            return None
        step = moved
    return step if step is not None and step >= 0 else (0 if not any(spans) else None)


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


def _union(first: AxisField, second: AxisField) -> AxisField | None:
    """What two maps together see."""
    if first == second:
        return first
    count = max(first.positions, second.positions)
    if first.positions != second.positions:  # flat maps, which have no positions of their own
        ends = [_hull(field, range(field.positions)) for field in (first, second)]
        return AxisField(0, (_both(*ends),), count)
    phases = len(first.spans) * len(second.spans) // gcd(len(first.spans), len(second.spans))
    in_step = first.jump * len(second.spans) == second.jump * len(first.spans)
    if in_step and not first.listed and not second.listed and phases <= MOST_PHASES:
        spans = [_both(first.span(index), second.span(index)) for index in range(phases)]
        return _simplified(first.jump * phases // len(first.spans), spans, count)
    if count > MOST_PHASES:
        return None
    return _listed([_both(first.span(index), second.span(index)) for index in range(count)])


def _both(first: Span, second: Span) -> Span:
    if first is None or second is None:
        return first or second
    return (min(first[0], second[0]), max(first[1], second[1]))
