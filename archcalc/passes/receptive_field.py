"""Receptive fields: which input pixels an output position can see, exact through branches.

Each position axis of the input is followed by itself, as `AxisField` does; this is what axes do together: places that
they change, axes that become one, values that are put in another shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd, lcm

from archcalc.core.errors import ShapeError, SpecError
from archcalc.core.numbers import product
from archcalc.core.shapes import Shape
from archcalc.graph.shaping import problem_of
from archcalc.ops.base import (
    EVERYTHING,
    POINT,
    POINTS,
    UNKNOWN,
    VALUES,
    AxisReads,
    Reads,
    Spans,
    Turned,
    Windows,
    elements,
)
from archcalc.passes.axis_field import (
    MOST_READS,
    AxisField,
    Span,
    joined,
    only_span,
    seen_whole,
    through,
    union_of,
    with_spans,
)
from archcalc.passes.shapes import ShapedLayer

#: No field may be larger: far above any network, and small enough to be written.
LARGEST_FIELD = 10**15

#: How many positions of one network may have spans of their own, all layers together: some seconds of work.
MOST_WORK = 1 << 22


@dataclass(unsafe_hash=True, slots=True)  # not frozen: a network has thousands, and freezing doubles what they take
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
    def stride(self) -> tuple[int | float | None, ...]:
        """Pixels from one position to the next, along each axis of the input; None where there is no even step."""
        return tuple([axis.stride for axis in self.axes])

    @property
    def start(self) -> tuple[int, ...]:
        """First pixel that the first position sees, along each axis of the input."""
        return tuple([axis.start for axis in self.axes])


def receptive_fields(layers: Sequence[ShapedLayer]) -> list[ReceptiveField | None]:
    """The receptive field of each layer's output; None where they differ in too many ways.

    Pixels are those of the first input; what reads an input of another size has no field, nor has a trained array and
    what depends on nothing else, nor what comes after a layer of which only the shape is known.
    """
    fields: list[ReceptiveField | None] = []
    blind: set[int] = set()
    #: The flat inputs, and what still has their values in their order.
    flat: set[int] = set()
    reads: dict[int, Sequence[Reads]] = {}
    work = 0
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
            if len(layer.output) == 1:
                flat.add(index)
            axes = {size: AxisField(1, ((0, 0),), size) for size in layer.output[1:]}
            fields.append(ReceptiveField(tuple([axes[size] for size in layer.output[1:]])))
        else:
            each, sources = reads[layer.key], layer.layer.inputs
            if len(each) == 1 and each[0] is POINTS:
                fields.append(fields[sources[0]])  # the map stays as it is: most layers
                if sources[0] in flat:
                    flat.add(index)
                continue
            if each[0] == VALUES and fields[sources[0]] == ReceptiveField(()):
                fields.append(_values_read(first[0], layer, sources[0] in flat))
                continue
            if blind and not blind.isdisjoint(sources):
                each = [None if source in blind else read for source, read in zip(sources, each, strict=True)]
            field = output_field(layer, each, [fields[source] for source in sources])
            known: AxisField | None = None
            for axis in field.axes if field is not None else ():
                if axis is not known and axis.size > LARGEST_FIELD:
                    problem = ShapeError(f"its receptive field is larger than {LARGEST_FIELD:,} pixels")
                    raise SpecError([problem_of(layer.layer, problem)])
                known = axis  # the sides of a square are alike
                work += len(axis.spans) - 1
            fields.append(field if work <= MOST_WORK else None)
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
        seen = _seen(EVERYTHING if reads == VALUES else reads, field, shape, layer.output)
        if seen is not None and result is not None and len(seen.axes) == len(result.axes):
            seen = _together(result, seen, layer.output[1:])
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
    if type(reads) is tuple:  # what is read along each axis: most layers
        if (
            all(axis.most is not None for axis in field.axes)
            and reads == (POINT,) * len(counts)
            and counts == shape[1:]
        ):
            return field
        moved = field.along
        axes: list[AxisField | None] = []
        last: tuple[AxisField, AxisReads, int] | None = None
        for index, axis in enumerate(field.axes):
            place = moved[index] if moved else index
            case = axis, reads[place], counts[place]
            axes.append(axes[-1] if case == last else through(*case))  # the sides of a square are alike
            last = case
        return _moving(axes, moved)
    if reads == EVERYTHING:
        return _whole(field, counts)
    if isinstance(reads, Turned):
        return _turned(reads, field, counts)
    return reordered(shape, output, field)


def _whole(field: ReceptiveField, counts: Shape) -> ReceptiveField:
    """The field where every position sees all of the map."""
    along = () if len(counts) in (0, len(field.axes)) else (0,) * len(field.axes)
    spread = [counts[along[index] if along else index] if counts else 1 for index in range(len(field.axes))]
    return ReceptiveField(tuple([seen_whole(*axis) for axis in zip(field.axes, spread, strict=True)]), along)


def _values_read(size: int, layer: ShapedLayer, as_given: bool) -> ReceptiveField | None:
    """What positions see that read a value each of a flat map: one of `size` values, all where they were computed.

    None where the map is an input of another size than the first.
    """
    if not as_given:
        return ReceptiveField((AxisField(0, ((0, size - 1),), layer.output[1]),))
    return ReceptiveField((AxisField(1, ((0, 0),), size),)) if layer.inputs[0] == (size,) else None


def _turned(reads: Turned, field: ReceptiveField, counts: Shape) -> ReceptiveField:
    """The field where axes changed places; what became channels is seen whole by every position."""
    places = [reads.to[index] for index in field.along or range(len(field.axes))]
    first = counts[0] if counts else 1
    pairs = zip(field.axes, places, strict=True)
    axes = tuple([seen_whole(axis, first) if place is None else axis for axis, place in pairs])
    if None in places:
        axes = tuple([axis._replace(most=None) for axis in axes])
    along = tuple([place or 0 for place in places])
    return ReceptiveField(axes, () if along == tuple(range(len(counts))) else along)


def _moving(axes: Sequence[AxisField | None], along: tuple[int, ...] = ()) -> ReceptiveField | None:
    """The field with these axes; None where one of them could not be followed."""
    return None if None in axes else ReceptiveField(tuple(axes), along)  # type: ignore[arg-type]  # none is None


def _together(first: ReceptiveField, second: ReceptiveField, counts: Shape) -> ReceptiveField | None:
    """What two maps together see, as a map with so many positions."""
    if first is second:
        return first
    if first.along != second.along:  # a position of one is no position of the other
        first, second = _whole(first, counts), _whole(second, counts)
    return _moving([union_of(*pair) for pair in zip(first.axes, second.axes, strict=True)], first.along)


def reordered(before: Shape, after: Shape, field: ReceptiveField) -> ReceptiveField | None:
    """What the positions of a map see that holds the values of another in the same order.

    A flat map is one that was flattened, whose sides its field knows. None where that would take too long.
    """
    if not field.axes:  # the input of the network is flat
        return field
    if len(before) == 1:
        sizes = tuple([axis.positions for axis in field.axes])
        # Its axes were in another order, or several maps were flattened and concatenated.
        if field.along or elements(before) % product(sizes):
            return _whole(field, after[1:])
        before = (elements(before) // product(sizes), *sizes)
    seen = _in_order(before, after, field)
    if seen is None or all(axis.size == old.size for axis, old in zip(seen.axes, field.axes, strict=True)):
        return seen
    axes = zip(seen.axes, _most(before, after, field), strict=True)
    return ReceptiveField(tuple([axis._replace(most=most) for axis, most in axes]), seen.along)


def _most(before: Shape, after: Shape, field: ReceptiveField) -> list[int | None]:
    """The most pixels along each axis of the input that a position sees after values were put in another shape.

    None where that is what its spans show.
    """
    if before[0] == after[0]:  # a value of each channel at every position, as before
        return [axis.size for axis in field.axes]
    count, total = product(after[1:]), elements(before)
    if total > MOST_READS or any(axis.most is not None for axis in field.axes):
        return [None] * len(field.axes)
    found: list[int | None] = []
    for axis, old in zip(field.axes, field.along or range(len(before) - 1), strict=True):
        inner, size = product(before[old + 2 :]), before[old + 1]
        spans = [axis.span(position) for position in range(size)]
        most = 0
        for place in range(count):
            seen = [span for index in range(place, total, count) if (span := spans[index // inner % size])]
            if seen:
                most = max(most, max(last for _, last in seen) - min(first for first, _ in seen) + 1)
        found.append(most)
    return found


def _in_order(before: Shape, after: Shape, field: ReceptiveField) -> ReceptiveField | None:
    """What all positions with the same place along an axis see together."""
    if len(before) > 1 and len(after) > 1 and all(axis.jump == 0 and only_span(axis) for axis in field.axes):
        return _whole(field, after[1:])  # all positions see alike
    if elements(before) > MOST_READS and len(before) == len(after) == 3 and not field.along:
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
                spans[new][place] = joined(spans[new][place], axis.span(position))
    # An axis moves along the one that tells most of it, itself where others tell no more.
    along = tuple([
        min(range(rank), key=lambda new, own=own: (_extent(seen[own][new]), new != own))  # type: ignore[misc]  # the default holds the loop's value
        for own in range(len(seen))
    ])  # fmt: skip
    axes = [with_spans(spans[new]) for spans, new in zip(seen, along, strict=True)]
    return _moving(axes, () if along == tuple(range(rank)) else along)


def _extent(spans: Sequence[Span]) -> int:
    """The most that a position sees."""
    return max((span[1] - span[0] for span in spans if span), default=0)


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
