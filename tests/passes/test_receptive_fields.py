"""Receptive fields of the catalogue: against published values, and against a mask run through the graph.

The mask is the independent reference: for every position of every map the set of input rows that can reach it, followed
layer by layer from the settings of each op alone, without the formulas of the analysis.
"""

from __future__ import annotations

from typing import Any

import pytest

import archcalc
from archcalc.passes.analysis import Analysis
from archcalc.passes.axis_field import Span, with_spans
from tests.networks import numbers

#: A set of input rows as the bits of a whole number.
Mask = int
PUBLISHED = [
    # AlexNet's pools; CS231n and Araujo et al. 2019, table 1 (alexnet 195, vgg_16 212, resnet_v1_50 483).
    ("alexnet", "pool1", 19),
    ("alexnet", "pool2", 67),
    ("alexnet", "pool5", 195),
    ("vgg16", "pool5", 212),
    ("resnet50@v1", "conv5_x", 483),
    ("resnet101@v1", "conv5_x", 1027),
    ("resnet152@v1", "conv5_x", 1507),
    ("mobilenet", "conv6", 315),
]


@pytest.mark.parametrize(("network", "layer", "size"), PUBLISHED)
def test_published_sizes(network: str, layer: str, size: int) -> None:
    analysis = archcalc.analyse(archcalc.load(network))
    row = [row for row in analysis.rows if row.name == layer or row.name.startswith(f"{layer}/")][-1]
    assert row.receptive_field is not None
    assert row.receptive_field.size == (size, size)


def windows(masks: list[Mask], size: int, stride: int, before: int, dilation: int, count: int) -> list[Mask]:
    """Which rows reach each position of a sliding window."""
    result = []
    for position in range(count):
        seen = 0
        for tap in range(size):
            index = position * stride - before + tap * dilation
            if 0 <= index < len(masks):
                seen |= masks[index]
        result.append(seen)
    return result


def spread(masks: list[Mask], size: int, stride: int, before: int, count: int, dilation: int = 1) -> list[Mask]:
    """Which rows reach each position when every input position is spread by a kernel over the output."""
    result = [0] * count
    for index, mask in enumerate(masks):
        for tap in range(size):
            if 0 <= (position := index * stride + tap * dilation - before) < count:
                result[position] |= mask
    return result


def same_padding(size: int, kernel: int, stride: int) -> int:
    """Zeros above the first row that TensorFlow adds."""
    positions = (size + stride - 1) // stride
    return max((positions - 1) * stride + kernel - size, 0) // 2


def follow(op: Any, inputs: list[list[Mask]], count: int) -> list[Mask]:
    """The masks after a layer, along the height."""
    first = inputs[0]
    kind = op.kind
    if kind in ("linear", "global_avg_pool2d", "rbf"):
        everything = 0
        for mask in first:
            everything |= mask
        return [everything]
    if kind == "conv_transpose2d":
        return spread(first, op.kernel_size[0], op.stride[0], op.padding[0], count, op.dilation[0])
    if kind == "max_unpool2d":
        both = [spread(masks, op.kernel_size[0], op.stride[0], op.padding[0], count) for masks in inputs[:2]]
        return [a | b for a, b in zip(*both, strict=True)]
    if kind == "crop2d":
        top = op.margins[0]
        return first[top : top + count]
    if kind == "zero_pad2d":
        return [0] * op.padding[0] + first + [0] * op.padding[2]
    if kind == "slice2d":
        return first[op.start[0] :: op.step[0]]
    if hasattr(op, "kernel_size"):
        before = op.padding[0]
        if op.padding == "same":
            before = same_padding(len(first), op.dilation[0] * (op.kernel_size[0] - 1) + 1, op.stride[0])
        return windows(first, op.kernel_size[0], op.stride[0], before, op.dilation[0], count)
    merged = list(first)
    for masks in inputs[1:]:
        merged = [a | b for a, b in zip(merged, masks, strict=True)]
    return merged


def masks_of(analysis: Analysis) -> list[list[Mask]]:
    """The masks of every layer."""
    height = analysis.graph.input_shape[1]
    maps: list[list[Mask]] = [[1 << row for row in range(height)]]
    for layer, row in zip(analysis.graph.layers[1:], analysis.rows[1:], strict=True):
        count = row.output_shape[1] if len(row.output_shape) == 3 else 1
        maps.append(follow(row.op, [maps[source] for source in layer.inputs], count))
    return maps


@pytest.mark.parametrize(
    "network",
    ["alexnet", "zfnet", "vgg16", "googlenet", "googlenet@aux", "inception_v3", "inception_v4", "inception_resnet_v2",
     "resnet50", "resnet50@v1", "resnet20_cifar", "xception", "mobilenet", "mobilenet@keras", "nasnet_mobile", "unet",
     "deconvnet"],
)  # fmt: skip
def test_masks_through_the_graph(network: str) -> None:
    analysis = archcalc.analyse(archcalc.load(network))
    height = analysis.graph.input_shape[1]
    inside = 0
    for masks, row in zip(masks_of(analysis), analysis.rows, strict=True):
        field = row.receptive_field
        assert field is not None, row.name
        for position, mask in enumerate(masks):
            if not mask:
                continue
            span = field.axes[0].span(position)
            assert span is not None, (row.name, position)
            low, high = span
            first, last = (mask & -mask).bit_length() - 1, mask.bit_length() - 1
            # At the border the network sees padding, so fewer pixels than the field has; inside it is exact.
            assert low <= first, (row.name, position)
            assert last <= high, (row.name, position)
            if low >= 0 and high < height:
                assert (first, last) == (low, high), (row.name, position)
                inside += 1
    assert inside > height, "the test must meet fields that lie inside the image"


def test_ends_that_differ_are_followed_on_long_rows() -> None:
    """A row halved and interpolated back: its ends see less than its middle, so every position has a span."""
    conv = "out_channels: 2, kernel_size: 5, padding: 2"
    down = "  - conv1d: {{name: c{0}, {1}}}\n  - max_pool1d: {{kernel_size: 2}}\n"
    up = "  - interpolate: {{name: u{0}, like: c{0}, mode: linear}}\n  - concat: {{from: [u{0}, c{0}]}}\n"
    text = "".join(down.format(level, conv) for level in range(3))
    text += "".join(up.format(level) + f"  - conv1d: {{{conv}}}\n" for level in (2, 1, 0))
    # The middle of a short row, all of whose positions are followed, sees as much.
    short, long = (numbers(text, f"{length}x2").rows[-1].receptive_field for length in (800, 16_000))
    assert short is not None
    assert long is not None
    assert long.size == short.size


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_spellings_of_one_interpolation_see_the_same(mode: str) -> None:
    after = (
        "  - conv2d: {out_channels: 1, kernel_size: 7}\n  - conv2d: {out_channels: 1, kernel_size: 3, dilation: 2}\n"
    )
    spellings = ["scale_factor: 2", "size: [20, 24]", "scale_factor: 2.0"]
    rows = [numbers(f"  - interpolate: {{{how}, mode: {mode}}}\n{after}", "10x12x4").rows for how in spellings]
    first = [row.receptive_field for row in rows[0]]
    assert [[row.receptive_field for row in each] for each in rows[1:]] == [first, first]
    # PyTorch: nearest 0 is made of pixel 0; linear 0 lies at −1/4, of −1 and 0; bicubic of −2 to 1.
    start = {"nearest": 0, "bilinear": -1, "bicubic": -2}[mode]
    assert first[1] is not None
    assert (first[1].start, first[1].stride) == ((start, start), (0.5, 0.5))


def test_a_row_is_enlarged_in_uneven_steps() -> None:
    text = "  - conv1d: {out_channels: 2, kernel_size: 4, stride: 4}\n  - interpolate: {size: 15, mode: linear}\n"
    rows = numbers(text, "40x1").rows
    field = rows[-1].receptive_field
    assert field is not None
    # 2/3 of a position of 4 pixels, from −1/6 on: of positions −1 and 0, 0 and 1, 1 and 2 (1.17), then the same again.
    assert field.stride == (4 * 10 / 15,)
    assert [field.axes[0].span(place) for place in range(4)] == [(-4, 3), (0, 7), (4, 11), (4, 11)]


def test_copies_of_one_position_see_no_more() -> None:
    text = "  - global_avg_pool2d\n  - interpolate: {SIZE, mode: bilinear}\n"
    for size in ("size: [6, 6]", "scale_factor: 6"):
        field = numbers(text.replace("SIZE", size), "6x6x1").rows[-1].receptive_field
        assert field is not None
        assert field.size == (6, 6)


@pytest.mark.parametrize(
    ("spans", "phases"),
    [
        ([(0, 1), (2, 3), (4, 5), (6, 7)], 1),
        ([(0, 1), (0, 2), (4, 5), (4, 6), (8, 9)], 2),
        ([(0, 1), None, (4, 5), None], 2),
        ([(0, 1), (0, 2), (4, 5), (4, 7)], None),
        ([(0, 0), (1, 1), (1, 2), (2, 2), (3, 3), (3, 4), (4, 4)], 3),
        ([(4, 4), (2, 2), (0, 0)], None),
        ([None, (0, 1), None, (4, 5), None, (8, 9)], 2),
        ([None, None, (0, 1), (2, 2), None, None, (3, 4), (5, 5)], 4),
        ([None, (0, 1), (4, 5), None], None),
        ([(0, 1), None, None, (4, 5), None], None),
    ],
)
def test_spans_that_repeat(spans: list[Span], phases: int | None) -> None:
    found = with_spans(spans)
    assert found is not None
    assert (None if found.listed else len(found.spans)) == phases
    assert [found.span(position) for position in range(len(spans))] == spans


def test_spans_between_long_borders_are_compared_in_few_steps() -> None:
    text = "  - adaptive_avg_pool1d: {output_size: 5}\n  - zero_pad1d: {padding: [30000, 30000]}\n"
    field = numbers(text, "7x1").rows[-1].receptive_field
    assert field is not None
    assert (field.size, field.axes[0].span(30_000)) == ((3,), (0, 1))


def test_positions_that_are_followed_one_by_one_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "  - max_pool1d: {kernel_size: 2}\n  - interpolate: {size: 11, mode: linear}\n"
    assert numbers(text, "12x1").rows[-1].receptive_field is not None
    monkeypatch.setattr("archcalc.passes.receptive_field.MOST_WORK", 8)
    assert numbers(text, "12x1").rows[-1].receptive_field is None
