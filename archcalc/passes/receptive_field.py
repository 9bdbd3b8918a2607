"""Receptive fields: which input pixels an output position can see, exact through branches.

Positions along an axis are followed as intervals. A map whose positions all see alike (every map behind plain
convolutions and pools) needs one interval, for position 0, and the number of pixels from one position to the next
(Araujo et al. 2019, "Computing receptive fields of convolutional neural networks", equations 2 and 3). Behind an
upsampling the positions differ in turn, so there is an interval for each phase.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import gcd
from typing import NamedTuple

from archcalc.core.shapes import spatial
from archcalc.ops import rules
from archcalc.ops.base import EVERYTHING, POINTS, Window, Windows
from archcalc.passes.shapes import ShapedLayer

MOST_PHASES = 4096


class AxisField(NamedTuple):
    """Position o sees the pixels spans[o mod P] + (o div P)·jump, where P is the number of spans; `positions` in all.

    Pixels may lie outside the image: there the network sees its padding.
    """

    jump: int
    spans: tuple[tuple[int, int], ...]
    positions: int

    @property
    def size(self) -> int:
        """Pixels that a position sees at the most."""
        return max(high - low for low, high in self.spans) + 1

    @property
    def stride(self) -> int | float:
        """Pixels from one position to the next."""
        jump, phases = self.jump, len(self.spans)
        return jump // phases if jump % phases == 0 else jump / phases

    @property
    def start(self) -> int:
        """First pixel that position 0 sees."""
        return self.spans[0][0]

    def span(self, position: int) -> tuple[int, int]:
        """First and last pixel of any position."""
        period, phase = divmod(position, len(self.spans))
        low, high = self.spans[phase]
        return low + period * self.jump, high + period * self.jump


class ReceptiveField(NamedTuple):
    """The receptive field along height and width."""

    height: AxisField
    width: AxisField


def receptive_fields(layers: Sequence[ShapedLayer]) -> list[ReceptiveField | None]:
    """The receptive field of each layer's output; None where the positions differ in more than 4,096 ways."""
    fields: list[ReceptiveField | None] = []
    windows: dict[int, Sequence[Windows | str | None]] = {}
    for layer in layers:
        if layer.key not in windows:
            windows[layer.key] = layer.op.windows(layer.inputs)
        if not layer.inputs:
            height, width = spatial(layer.output)
            fields.append(ReceptiveField(AxisField(1, ((0, 0),), height), AxisField(1, ((0, 0),), width)))
        else:
            fields.append(field_behind(layer, windows[layer.key], [fields[source] for source in layer.layer.inputs]))
    return fields


def field_behind(
    layer: ShapedLayer, each: Sequence[Windows | str | None], inputs: Sequence[ReceptiveField | None]
) -> ReceptiveField | None:
    """The field of a layer's output; `each` is what its op says of the windows on each input."""
    result: ReceptiveField | None = None
    sizes = spatial(layer.output) if len(layer.output) == 3 else None
    for windows, field in zip(each, inputs, strict=True):
        if windows is POINTS and len(each) == 1:
            return field  # the map moves as it is: most layers
        if windows is None:
            continue
        if field is None:
            return None
        if windows == EVERYTHING:
            rows, columns = sizes or (1, 1)
            seen = ReceptiveField(_everything(field.height, rows), _everything(field.width, columns))
        else:
            counts = sizes or (field.height.positions, field.width.positions)
            height = through_window(field.height, windows[0], counts[0])
            width = through_window(field.width, windows[1], counts[1])
            if height is None or width is None:
                return None
            seen = ReceptiveField(height, width)
        if result is not None and result != seen:
            seen = ReceptiveField(_union(result.height, seen.height), _union(result.width, seen.width))
        result = seen
    return result


def _everything(field: AxisField, count: int) -> AxisField:
    """A window as large as the map, as a dense layer is.

    A single position keeps the jump, as if it slid over a larger image; several all see the same.
    """
    spans = [field.span(position) for position in range(min(field.positions, len(field.spans)))]
    last = [field.span(field.positions - 1 - position) for position in range(min(field.positions, len(field.spans)))]
    jump = field.jump
    if jump % len(field.spans) == 0:
        jump //= len(field.spans)
    span = (min(low for low, _ in spans), max(high for _, high in last))
    return AxisField(jump if count == 1 else 0, (span,), count)


@lru_cache(maxsize=65536)
def through_window(field: AxisField, window: Window, count: int) -> AxisField | None:
    """The field behind a window; None where it has too many phases."""
    if window.transposed:
        return _through_transposed(field, window, count)
    size, stride, before, _ = window
    jump, phases = field.jump, len(field.spans)
    if phases == 1:
        ((low, high),) = field.spans
        start = rules.receptive_field_start(low, before, jump)
        seen = rules.receptive_field_size(high - low + 1, size, jump)
        return AxisField(rules.receptive_field_jump(jump, stride), ((start, start + seen - 1),), count)
    new_phases = phases // gcd(phases, stride)
    spans = []
    for position in range(new_phases):
        first, last = position * stride - before, position * stride - before + size - 1
        # Ends never move backwards from one position to the next.
        spans.append((field.span(first)[0], field.span(last)[1]))
    return _simplified(stride * new_phases // phases * jump, spans, count)


def _through_transposed(field: AxisField, window: Window, count: int) -> AxisField | None:
    size, stride, before, _ = window
    phases = len(field.spans) * stride
    if phases > MOST_PHASES:
        return None
    spans = []
    for position in range(phases):
        first = -(-(position + before - size + 1) // stride)
        last = (position + before) // stride
        # Between the stamps of a kernel smaller than its stride nothing is read: the nearest stamp stands in.
        first = min(first, last)
        spans.append((field.span(first)[0], field.span(last)[1]))
    return _simplified(field.jump, spans, count)


def _simplified(jump: int, spans: Sequence[tuple[int, int]], count: int) -> AxisField:
    """The same field with as few phases as possible."""
    phases = len(spans)
    for fewer in range(1, phases):
        if phases % fewer or jump * fewer % phases:
            continue
        step = jump * fewer // phases
        if all(
            spans[index]
            == (spans[index % fewer][0] + index // fewer * step, spans[index % fewer][1] + index // fewer * step)
            for index in range(phases)
        ):
            return AxisField(step, tuple(spans[:fewer]), count)
    return AxisField(jump, tuple(spans), count)


def _union(first: AxisField, second: AxisField) -> AxisField:
    """What two maps together see. Maps that do not move in step are taken as a whole."""
    phases = len(first.spans) * len(second.spans) // gcd(len(first.spans), len(second.spans))
    in_step = first.positions == second.positions and phases <= MOST_PHASES
    if in_step and first.jump * len(second.spans) == second.jump * len(first.spans):
        pairs = [(first.span(index), second.span(index)) for index in range(phases)]
        spans = [(min(a[0], b[0]), max(a[1], b[1])) for a, b in pairs]
        return _simplified(first.jump * phases // len(first.spans), spans, first.positions)
    ends = [field.span(position) for field in (first, second) for position in (0, field.positions - 1)]
    count = max(first.positions, second.positions)
    return AxisField(0, ((min(low for low, _ in ends), max(high for _, high in ends)),), count)
