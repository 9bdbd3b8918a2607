"""Receptive fields of the catalogue: against published values, and against a mask run through the graph.

The mask is the independent reference: for every position of every map the set of input rows that can reach it, followed
layer by layer from the settings of each op alone, without the formulas of the analysis.
"""

from __future__ import annotations

from typing import Any

import pytest

import archcalc
from archcalc.passes.analysis import Analysis

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


def spread(masks: list[Mask], size: int, stride: int, before: int, count: int) -> list[Mask]:
    """Which rows reach each position when every input position is spread by a kernel over the output."""
    result = [0] * count
    for index, mask in enumerate(masks):
        for tap in range(size):
            if 0 <= (position := index * stride + tap - before) < count:
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
        return spread(first, op.kernel_size[0], op.stride[0], op.padding[0], count)
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
