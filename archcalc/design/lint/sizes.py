"""Rules about sizes: inputs, windows, strides, padding and channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import gcd, lcm, prod

from archcalc.core.errors import ShapeError
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import several
from archcalc.design.lint.rule import Finding, Rule, View, cost_of, saved
from archcalc.design.transform.windows import stack_of
from archcalc.ops import rules
from archcalc.ops.base import Op, by
from archcalc.ops.conv import Conv, ConvTranspose, DepthwiseConv
from archcalc.ops.dense import Linear
from archcalc.ops.pool import Pool
from archcalc.ops.windowed import Axis, Windowed, dilation_in_words, plain
from archcalc.passes.analysis import Row, analyse
from archcalc.passes.params import count_values

_CS231N = "CS231n, convolutional networks: layer sizing patterns"
#: Channels that tensor cores and vector units want a multiple of.
_MULTIPLE = 8
#: Only layers with at least this part of all multiplications are named: the others, as in squeeze and excitation, cost
#: nothing that one would notice.
_SMALLEST_PART = 1000
#: Families whose layers change values alone, no channels and no positions.
_KEEPING = frozenset({"activation", "normalisation", "regularisation"})


def _input_divisible(view: View) -> Iterator[Finding]:
    if len(view.graph.inputs) != 1:
        return
    dropped = list(_pixels_dropped(view))
    lost = len(dropped)
    sides, strides = view.graph.input_shape[1:], _largest_strides(view)
    if not lost or len(strides) != len(sides) or all(map(_divides, strides, sides)):
        return
    nearest = [max(stride, round(side / stride) * stride) for side, stride in zip(sides, strides, strict=True)]
    shape = (view.graph.input_shape[0], *nearest)
    other = analyse(view.graph.with_input(shape), partial=True)
    if not other.problems and sum(1 for _ in _pixels_dropped(View(other))) < lost:
        yield Finding(
            0, f"{by(sides)} becomes {by(strides)} times smaller in all and is not a multiple of that; "
            f"{several(lost, 'layer')} {'drops' if lost == 1 else 'drop'} a border",
            {"values_unread": sum(one.costs["values_unread"] for one in dropped)}, f"an input of {format_shape(shape)}",
        )  # fmt: skip


def _divides(stride: int, side: int) -> bool:
    return side % stride == 0


def _largest_strides(view: View) -> tuple[int, ...]:
    """The input positions between two positions of the smallest map, where they are powers of two."""
    fields = [row.receptive_field.stride for row in view.rows if row.receptive_field and row.receptive_field.stride]
    known = [[int(stride) for stride in field if stride is not None] for field in fields if None not in field]
    strides = max(known, key=prod, default=[])
    return tuple(strides) if all(stride > 0 and stride & (stride - 1) == 0 for stride in strides) else ()


def _large_window(view: View) -> Iterator[Finding]:
    dense = [(index, row, row.op) for index, row in view.of(Conv) if isinstance(row.op, Conv) and row.op.groups == 1]
    for index, row, op in dense[1:]:
        stack = [] if len(set(op.kernel_size)) > 1 or set(op.dilation) != {1} or op.connections else stack_of(op)
        if not stack or any(size <= op.kernel_size[0] for size in row.input_shapes[0][1:]):
            continue  # no larger window, or one over the whole map: a dense layer
        try:
            cost = cost_of(stack, row.input_shapes[0])
        except ShapeError:
            continue
        if cost.params < row.params:
            three = by((3,) * op.rank)
            less = (row.multiplications or 0) - cost.multiplications
            yield Finding(
                index, f"{len(stack)} convolutions of {three} have the field of one of {by(op.kernel_size)}",
                saved({"params": row.params - cost.params, "multiplications": less}),
                f"{len(stack)} layers with kernel_size 3 and an activation after each",
            )  # fmt: skip


def _padding_of_stride_one(view: View) -> Iterator[Finding]:
    for index, row in view.of(Conv, DepthwiseConv):
        op = row.op
        assert isinstance(op, Windowed)
        axes = op.axes(row.input_shapes[0])
        if any(axis.stride != 1 or axis.window == 1 or axis.window >= axis.size for axis in axes):
            continue
        if all(2 * axis.before == axis.window - 1 and axis.before == axis.after for axis in axes):
            continue
        before, after = by(row.input_shapes[0][1:]), by(row.output_shape[1:])
        if before == after or index + 1 == len(view.rows):
            continue
        half = plain([(axis.window - 1) // 2 for axis in axes])
        grown = prod(row.output_shape[1:]) - prod(row.input_shapes[0][1:])
        costs = {"values_lost": -row.output_shape[0] * grown}
        if grown > 0:
            costs = {"multiplications": (row.multiplications or 0) * grown // prod(row.output_shape[1:])}
        yield Finding(
            index, f"with stride 1, {before} becomes {after}; the border is read less often than the middle",
            saved(costs),
            f"padding {half}, which keeps the size" if all(axis.window % 2 for axis in axes) else "an odd kernel_size",
        )  # fmt: skip


def _pool_window(view: View) -> Iterator[Finding]:
    for index, row, op, axes in _windowed(view):
        sizes = {(axis.window, axis.stride) for axis in axes}
        whole = all(size == 1 for size in row.output_shape[1:])
        if isinstance(op, Pool) and not whole and any(window > 3 or stride > 2 for window, stride in sizes):
            yield Finding(
                index, f"a window of {by(op.kernel_size)} with stride {by(op.stride)} loses much at once",
                {"values_lost": prod(row.input_shapes[0]) - prod(row.output_shape)},
                "kernel_size 2 or 3 with stride 2, more than once where the map has to become smaller",
            )  # fmt: skip


def _windowed(view: View) -> Iterator[tuple[int, Row, Windowed, tuple[Axis, ...]]]:
    """The layers with a window, and it along each axis."""
    for index, row in view.of(Windowed):
        if isinstance(row.op, Windowed):
            yield index, row, row.op, row.op.axes(row.input_shapes[0])


def _pixels_dropped(view: View) -> Iterator[Finding]:
    for index, row, op, axes in _windowed(view):
        if any(axis.stride > axis.window for axis in axes):
            continue  # a rule of its own
        lost = [
            max(0, axis.before - rules.padding_for(count, axis.size, axis.window, axis.stride))
            for count, axis in zip(row.output_shape[1:], axes, strict=True)
        ]
        if any(lost):
            shorter = [axis.size - count for axis, count in zip(axes, lost, strict=True)]
            yield Finding(
                index, f"{_last(lost, row)}: {_division(op, row)}",
                {"values_unread": prod(row.input_shapes[0]) - row.input_shapes[0][0] * prod(shorter)},
                f"an input of {by(shorter)}, padding, or ceil_mode of a pool",
            )  # fmt: skip


def _last(lost: Sequence[int], row: Row) -> str:
    """The positions at the end of a map that are never read."""
    along = f"{' along each axis' if len(lost) > 1 else ''} of {by(row.input_shapes[0][1:])}"
    if set(lost) == {1}:
        return f"the last position{along} is never read"
    return f"the last {plain(lost)} positions{along} are never read"


def _division(op: Windowed, row: Row) -> str:
    axis = op.axes(row.input_shapes[0])[0]
    rest = rules.leftover(axis.size, axis.window, axis.stride, axis.padding)
    return f"({axis.size} − {axis.window} + {axis.padding})/{axis.stride} leaves {rest}"


def _stride_over_window(view: View) -> Iterator[Finding]:
    for index, row, op, axes in _windowed(view):
        if any(axis.stride > axis.window for axis in axes):
            seen = prod(min(axis.window, axis.stride) for axis in axes)
            read = prod(map(_positions_read, row.output_shape[1:], axes))
            yield Finding(
                index, f"stride {plain(op.stride)} skips positions: {seen} of {prod(op.stride)} values are read",
                {"values_unread": prod(row.input_shapes[0]) - row.input_shapes[0][0] * read},
                "an average pool before it, as in ResNet-D, or a kernel_size of at least the stride",
            )  # fmt: skip


def _positions_read(count: int, axis: Axis) -> int:
    """The positions along an axis that some window covers."""
    starts = [step * axis.stride - axis.before for step in range(count)]
    return len({place for start in starts for place in range(max(0, start), min(axis.size, start + axis.window))})


def _shrinking_channels(view: View) -> Iterator[Finding]:
    for index, row in view.of(Conv):
        op = row.op
        assert isinstance(op, Conv)
        pooled = _pooled_before(view, index) if set(op.stride) == {1} and set(op.kernel_size) != {1} else None
        before, after = (row if pooled is None else view.rows[pooled]).input_shapes[0], row.output_shape
        shrinks = max(op.stride) > 1 or pooled is not None
        if shrinks and after[0] < before[0] and all(map(int.__lt__, after[1:], before[1:])):
            where = (
                "the map shrinks too" if pooled is None else f"{view.rows[pooled].name} has just made the map smaller"
            )
            yield Finding(
                index, f"channels fall from {before[0]} to {after[0]} where {where}: "
                f"{prod(before):,} values become {prod(after):,}",
                {"values_lost": prod(before) - prod(after)},
                "more channels where positions are lost, or the reduction in a layer of its own",
            )  # fmt: skip


def _pooled_before(view: View, index: int) -> int | None:
    """The pool with a stride whose map a layer alone reads, directly or through layers that keep its shape."""
    before = view.source(index)
    while before is not None and view.only_reader(before) is not None:
        op = view.rows[before].op
        if isinstance(op, Pool):
            return before if max(op.stride) > 1 else None
        if view.rows[before].op.family not in _KEEPING:
            return None
        before = view.source(before)
    return None


def _multiple_of_eight(view: View) -> Iterator[Finding]:
    last = _before_an_end(view)
    whole = sum(row.multiplications or 0 for row in view.rows)
    for index, row in view.of(Conv, Linear):
        channels = row.output_shape[0]
        if not channels % _MULTIPLE or index in last or _is_depthwise(row.op, row.input_shapes[0]):
            continue
        if (row.multiplications or 0) * _SMALLEST_PART >= whole > 0:
            multiple = lcm(_MULTIPLE, row.op.groups) if isinstance(row.op, Conv) else _MULTIPLE
            up = -(-channels // multiple) * multiple
            yield Finding(
                index, f"{several(channels, 'channel')}, not a multiple of {_MULTIPLE}; vector units take as long as "
                f"for {up}", _padded(view, index, up),
                f"{up}{f' or {up - multiple}' if up > multiple else ''} channels",
            )  # fmt: skip


def _is_depthwise(op: Op, shape: Shape) -> bool:
    """Whether a convolution has the channels that it reads, or so many times them."""
    return isinstance(op, Conv) and op.groups == shape[0] > 1


def _padded(view: View, index: int, channels: int) -> dict[str, int]:
    """What a layer and the layer that reads it have and do more with so many channels."""
    row = view.rows[index]
    more = {"params": 0, "multiplications": 0}
    op: Op = _wider(row.op, channels)
    shape = row.input_shapes[0]
    while True:
        row = view.rows[index]
        try:
            op.check([shape])
            output = op.output_shape([shape])
        except ShapeError:
            return saved(more)  # groups that do not share so many channels
        arrays = [array for array in op.param_shapes([shape]) if not array.buffer]
        more["params"] += count_values(arrays) - row.params
        more["multiplications"] += (op.macs([shape], output) or 0) - (row.multiplications or 0)
        reader = view.only_reader(index)
        if shape[0] != row.input_shapes[0][0] and not _follows(row):
            return saved(more)
        if reader is None or view.source(reader) is None:
            return saved(more)
        index, shape, row = reader, output, view.rows[reader]
        op = row.op
        if isinstance(op, Conv) and _follows(row):
            times = op.out_channels // op.groups
            op = op.model_copy(update={"groups": shape[0], "out_channels": shape[0] * times})


def _wider(op: Op, channels: int) -> Op:
    return op.model_copy(update={"out_channels" if isinstance(op, Conv) else "out_features": channels})


def _follows(row: Row) -> bool:
    """Whether a layer gives more channels where it reads more."""
    return _is_depthwise(row.op, row.input_shapes[0]) or not isinstance(row.op, (Conv, Linear))


def _before_an_end(view: View) -> set[int]:
    """The layers between which and an output only layers without parameters lie."""
    found = set(view.ends)
    for index in reversed(range(len(view.rows))):
        reader = view.only_reader(index)
        if reader in found and not view.rows[reader].params:
            found.add(index)
    return found


def _checkerboard(view: View) -> Iterator[Finding]:
    for index, row in view.of(ConvTranspose):
        op = row.op
        assert isinstance(op, ConvTranspose)
        # Taps that lie a factor of the stride apart meet some of the outputs only.
        missed = any(gcd(*axis) > 1 for axis in zip(op.stride, op.dilation, strict=True))
        if missed or any(size % stride for size, stride in zip(op.kernel_size, op.stride, strict=True)):
            stride = max(op.stride)
            settings = [f"stride {plain(op.stride)}", *dilation_in_words(op.dilation)]
            yield Finding(
                index, f"windows of {by(op.kernel_size)} with {' and '.join(settings)} overlap unevenly",
                {"values_uneven": prod(row.output_shape) - row.output_shape[0] * prod(_most_summed(op, row))},
                f"{'dilation 1 and ' if missed else ''}kernel_size {stride} or {2 * stride}, "
                "or an upsampling and a convolution",
            )  # fmt: skip


def _most_summed(op: ConvTranspose, row: Row) -> Iterator[int]:
    """For each axis how many positions sum as many products as any, but for the borders."""
    settings = zip(row.output_shape[1:], op.kernel_size, op.stride, op.dilation, op.cut_off().begins, strict=True)
    for count, size, stride, dilation, cut in settings:
        taps = Counter(tap * dilation % stride for tap in range(size))
        yield sum(taps[(place + cut) % stride] == max(taps.values()) for place in range(count))


RULES = (
    Rule("input-divisible", "the input can be halved as often as the network does it",
         "Sizes that are divisible by 2 many times leave no border that some layers see and others do not.",
         _CS231N, _input_divisible),
    Rule("large-window", "a stack of 3×3 in place of a large window",
         "A stack of small windows has the same receptive field, fewer parameters and more non-linearities.",
         f"{_CS231N}; Simonyan & Zisserman 2014, section 2.3", _large_window),
    Rule("stride-one-padding", "stride 1 keeps the size: P = (F − 1)/2",
         "Without it every layer loses a border, sizes have to be carried through the whole network, and the "
         "border is read less often.", _CS231N, _padding_of_stride_one),
    Rule("pool-window", "pools of 2×2 or 3×3 with stride 2",
         "Larger windows or strides lose too much at once.", f"{_CS231N}, pooling layer", _pool_window),
    Rule("pixels-dropped", "windows tile their input",
         "Where the division leaves a remainder, values at one border are computed or given and never read.",
         "CS231n, convolutional networks: constraints on strides", _pixels_dropped),
    Rule("stride-over-window", "no stride above the window",
         "Values between two windows are never read.", "He et al. 2018 (Bag of tricks), section 4.2",
         _stride_over_window),
    Rule("shrinking-channels", "channels do not fall where the map shrinks",
         "The number of values falls at once in both, which makes a bottleneck of representation.",
         "Szegedy et al. 2015 (Rethinking the Inception architecture), section 2, principle 1", _shrinking_channels),
    Rule("multiple-of-eight", "channels in multiples of 8",
         "Tensor cores and vector units work on 8 values at a time or more; other widths cost as much as the next.",
         "NVIDIA, Deep learning performance guide: convolutional layers, channels in and out", _multiple_of_eight),
    Rule("checkerboard", "the kernel of a transposed convolution is a multiple of its stride",
         "Otherwise some outputs are sums of more products than their neighbours, which shows as a checkerboard.",
         "Odena et al. 2016 (Deconvolution and checkerboard artifacts)", _checkerboard),
)  # fmt: skip
