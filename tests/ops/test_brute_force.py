"""Counts against loops that do the arithmetic one operation at a time, on tiny sizes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from archcalc.core.shapes import Shape
from archcalc.ops import Operations
from archcalc.passes.operations import count_operations
from archcalc.passes.params import count_params
from tests.networks import op, shape
from tests.tiers import examples

QUICK = examples(60)
tiny = st.integers(1, 4)
pair = st.tuples(st.integers(1, 3), st.integers(1, 3))


@dataclass
class Tally:
    """Counts what is done to numbers, and remembers which weights were used."""

    products: int = 0
    additions: int = 0

    def weighted_sum(self, weights: Sequence[Any], bias: bool) -> None:
        """Multiply each value with its weight and add the products up, then the bias."""
        self.products += len(weights)
        self.additions += len(weights) - 1 + bias

    @property
    def operations(self) -> Operations:
        return Operations(self.additions, self.products)


def windows(size: int, span: int, stride: int, padding: tuple[int, int]) -> Iterator[int]:
    """Where each window starts along an axis, padding counted in."""
    start = 0
    while start + span <= padding[0] + size + padding[1]:
        yield start
        start += stride


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[dict[str, Any], Shape]:
    """Settings of a convolution, and an input that it fits."""
    groups = draw(st.integers(1, 3))
    kernel = draw(pair)
    dilation = draw(pair)
    spans = [dilation[axis] * (kernel[axis] - 1) + 1 for axis in (0, 1)]
    padding = [draw(st.integers(0, 2)) for _ in range(4)]
    size = [draw(st.integers(max(1, spans[axis] - padding[axis] - padding[axis + 2]), 7)) for axis in (0, 1)]
    fields = {
        "out_channels": groups * draw(st.integers(1, 2)),
        "kernel_size": list(kernel),
        "stride": list(draw(pair)),
        "dilation": list(dilation),
        "padding": padding,
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    return fields, (groups * draw(st.integers(1, 2)), size[0], size[1])


@QUICK
@given(convolutions())
def test_a_convolution_counts_what_its_loops_do(drawn: tuple[dict[str, Any], Shape]) -> None:
    fields, source = drawn
    channels, *size = source
    kernel, padding = fields["kernel_size"], fields["padding"]
    spans = [fields["dilation"][axis] * (kernel[axis] - 1) + 1 for axis in (0, 1)]
    rows, columns = (
        list(windows(size[axis], spans[axis], fields["stride"][axis], (padding[axis], padding[axis + 2])))
        for axis in (0, 1)
    )
    tally = Tally()
    weights: set[tuple[int, ...]] = set()
    per_group, depth = fields["out_channels"] // fields["groups"], channels // fields["groups"]
    for filter_, _, _ in itertools.product(range(fields["out_channels"]), rows, columns):
        group = filter_ // per_group
        reads = [
            (filter_, channel, i, j)
            for channel in range(channels)
            if channel // depth == group
            for i in range(kernel[0])
            for j in range(kernel[1])
        ]
        weights |= set(reads)
        tally.weighted_sum(reads, fields["bias"])

    layer = shape(op("conv2d", **fields), source)
    assert layer.output == (fields["out_channels"], len(rows), len(columns))
    assert count_params(layer).params == len(weights) + fields["out_channels"] * fields["bias"]
    assert count_operations(layer) == (tally.products, tally.operations)


@QUICK
@given(convolutions())
def test_a_locally_connected_layer_has_weights_for_each_position(drawn: tuple[dict[str, Any], Shape]) -> None:
    fields, source = drawn
    del fields["groups"]
    shared = shape(op("conv2d", **fields), source)
    layer = shape(op("locally_connected2d", **fields), source)
    positions = layer.output[1] * layer.output[2]
    assert layer.output == shared.output
    assert count_params(layer).params == positions * count_params(shared).params
    assert count_operations(layer) == count_operations(shared)


@QUICK
@given(st.integers(1, 4), st.lists(st.sets(st.integers(0, 3), min_size=1), min_size=1, max_size=4), pair, st.booleans())
def test_a_connection_table_leaves_out_what_is_not_connected(
    extra: int, table: list[set[int]], kernel: tuple[int, int], bias: bool
) -> None:
    source = (3 + extra, 4, 5)
    layer = shape(
        op(
            "conv2d",
            out_channels=len(table),
            kernel_size=list(kernel),
            bias=bias,
            connections=[sorted(row) for row in table],
        ),
        source,
    )
    tally = Tally()
    for row, _, _ in itertools.product(table, range(layer.output[1]), range(layer.output[2])):
        tally.weighted_sum([None] * len(row) * kernel[0] * kernel[1], bias)
    assert count_operations(layer) == (tally.products, tally.operations)
    assert count_params(layer).params == sum(len(row) for row in table) * kernel[0] * kernel[1] + bias * len(table)


@QUICK
@given(pair, pair, pair, st.integers(1, 2), tiny, tiny, st.booleans())
def test_a_transposed_convolution_adds_its_kernel_once_per_input(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
    height: int,
    width: int,
    bias: bool,
) -> None:
    source = (2 * groups, height, width)
    out_channels = 3 * groups
    contributions: dict[tuple[int, int, int], int] = {}
    products = 0
    places = itertools.product(range(source[0]), range(height), range(width), range(kernel[0]), range(kernel[1]))
    for channel, y, x, i, j in places:
        group = channel // 2
        for filter_ in range(3 * group, 3 * group + 3):
            place = (filter_, y * stride[0] + i * dilation[0], x * stride[1] + j * dilation[1])
            contributions[place] = contributions.get(place, 0) + 1
            products += 1
    size = (max(y for _, y, _ in contributions) + 1, max(x for _, _, x in contributions) + 1)

    steps = {"stride": list(stride), "dilation": list(dilation)}
    fields = {"kernel_size": list(kernel), **steps, "groups": groups, "bias": bias}
    layer = shape(op("conv_transpose2d", out_channels=out_channels, **fields), source)
    assert layer.output == (out_channels, *size)
    assert count_params(layer).params == source[0] * 3 * kernel[0] * kernel[1] + bias * out_channels
    additions = sum(count - 1 + bias for count in contributions.values())
    assert count_operations(layer) == (products, Operations(additions, products))


@QUICK
@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 3))
def test_local_response_normalisation_sums_the_squares_in_reach(channels: int, size: int, positions: int) -> None:
    additions = 0
    for channel in range(channels):
        # n channels around this one; where n is even the larger half comes after it.
        reach = [c for c in range(channel - (size - 1) // 2, channel + size // 2 + 1) if 0 <= c < channels]
        additions += len(reach) - 1 + 1  # the sum, and k
    layer = shape(op("local_response_norm", size=size), (channels, positions, 1))
    operations = count_operations(layer).operations
    assert operations is not None
    assert operations.additions == additions * positions


@QUICK
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 9), st.integers(1, 9))
def test_adaptive_pooling_averages_overlapping_windows(height: int, width: int, rows: int, columns: int) -> None:
    def lengths(size: int, count: int) -> list[int]:
        bounds = [(Fraction(i * size, count), Fraction((i + 1) * size, count)) for i in range(count)]
        return [sum(1 for pixel in range(size) if low < pixel + 1 and pixel < high) for low, high in bounds]

    layer = shape(op("adaptive_avg_pool2d", output_size=[rows, columns]), (2, height, width))
    additions = sum(2 * (h * w - 1) for h in lengths(height, rows) for w in lengths(width, columns))
    assert layer.output == (2, rows, columns)
    assert count_operations(layer).operations == Operations(additions=additions, divisions=2 * rows * columns)


@QUICK
@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 6))
def test_a_slice_is_that_of_python(size: int, step: int, start: int) -> None:
    assume(start < size)
    layer = shape(op("slice2d", step=step, start=start), (1, size, size))
    assert layer.output == (1, *[len(range(size)[start::step])] * 2)


@QUICK
@given(st.data())
def test_pooling_windows_are_those_of_brute_force(data: st.DataObject) -> None:
    kernel, stride = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    before, after = data.draw(st.integers(0, kernel - 1)), data.draw(st.integers(0, kernel - 1))
    size = data.draw(st.integers(max(1, kernel - before - after), 12))
    fields = {"kernel_size": kernel, "stride": stride, "padding": [before, 0, after, 0]}
    floored = len(list(windows(size, kernel, stride, (before, after))))
    # Rounded up: windows until every pixel is covered, the padding too.
    covering = 1
    while (covering - 1) * stride + kernel < before + size + after:
        covering += 1
    inside = sum(1 for index in range(covering) if index * stride < before + size)
    modes = [({}, floored), ({"ceil_mode": True}, inside)]
    if (covering - 1) * stride < before + size + after:  # else the last window would read nothing at all
        modes.append(({"ceil_mode": True, "clip_last_window": False}, covering))
    for mode, count in modes:
        assert shape(op("max_pool2d", **fields, **mode), (1, size, kernel)).output[1] == count


@QUICK
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 5), st.integers(1, 3))
def test_padding_same_gives_one_position_for_each_stride(size: int, kernel: int, stride: int, dilation: int) -> None:
    fields = {"kernel_size": kernel, "stride": stride, "dilation": dilation, "padding": "same"}
    layer = shape(op("conv2d", out_channels=1, **fields), (1, size, size))
    assert layer.output == (1, *[len(range(0, size, stride))] * 2)
