"""Receptive fields against an independent reference that follows every pixel through a network.

The reference knows nothing of intervals, jumps or phases. For each layer it holds a table of booleans: which position
depends on which input pixel. A layer's table is put together from those of its inputs by what the op does to single
positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops import Op
from archcalc.passes.axis_field import AxisField
from archcalc.passes.receptive_field import receptive_fields
from archcalc.passes.shapes import infer_shapes
from tests.networks import chain, layers, op
from tests.tiers import examples

Table = npt.NDArray[np.bool_]


@dataclass
class Seen:
    """What each position of a map depends on.

    `table` has a row for each position and a column for each pixel, and a last column for what lies outside of some
    map on the way: there a network sees its padding, and the analysis goes on as if the map were larger.
    """

    table: Table

    def reading(self, reads: Sequence[Sequence[int]]) -> Seen:
        """The map whose position o reads the positions reads[o] of this one."""
        table = np.zeros((len(reads), self.table.shape[1]), dtype=np.bool_)
        for position, sources in enumerate(reads):
            for source in sources:
                if 0 <= source < len(self.table):
                    table[position] |= self.table[source]
                else:
                    table[position, -1] = True
        return Seen(table)


def see(layer: Op, axis: int, positions: int, inputs: Sequence[Seen]) -> Seen:
    """The map of a layer, from what its op does to single positions."""
    first = inputs[0]
    size = len(first.table)
    fields = layer.model_dump()
    kind = layer.kind

    def at(field: str) -> int:
        return int(fields[field][axis])

    if kind in ("conv2d", "max_pool2d"):
        reads = [
            [o * at("stride") - at("padding") + tap * at("dilation") for tap in range(at("kernel_size"))]
            for o in range(positions)
        ]
        return first.reading(reads)
    if kind == "conv_transpose2d":
        # Outside of the map too: an analysis of a larger map would find products there.
        products = [
            (i, i * at("stride") - at("padding") + tap * at("dilation"))
            for i in range(-99, size + 99)
            for tap in range(at("kernel_size"))
        ]
        reads = [[i for i, place in products if place == o] for o in range(positions)]
        return first.reading(reads)
    if kind == "adaptive_avg_pool2d":
        # PyTorch: from the floor of i·size/n to before the ceiling of (i + 1)·size/n.
        starts = [o * size // positions for o in range(positions)]
        return first.reading([range(starts[o], -((o + 1) * -size // positions)) for o in range(positions)])
    if kind == "upsample2d":
        scale = at("scale")
        if fields["mode"] == "nearest":
            reads = [[o // scale] for o in range(positions)]
        else:
            # Pixel centres: the value at x is mixed of its two neighbours, unless x is whole.
            centres = [(o + Fraction(1, 2)) / scale - Fraction(1, 2) for o in range(positions)]
            reads = [sorted({x.__floor__(), x.__ceil__()}) for x in centres]
        return first.reading(reads)
    if kind == "crop2d":
        return first.reading([[o + at("margins")] for o in range(positions)])
    if kind == "zero_pad2d":
        return first.reading([[o - at("padding")] for o in range(positions)])
    if kind == "slice2d":
        return first.reading([[at("start") + o * at("step")] for o in range(positions)])
    assert kind in ("relu", "batch_norm2d", "add", "concat")
    return Seen(np.logical_or.reduce([seen.table for seen in inputs]))


def reference(network: LayerGraph, axis: int) -> Iterator[tuple[str, AxisField, Seen]]:
    """Every layer with its field as analysed, and what it really sees."""
    shaped = infer_shapes(network).layers
    maps: list[Seen] = []
    for layer, field in zip(shaped, receptive_fields(shaped), strict=True):
        positions = (*layer.output[1:], 1, 1)[axis]
        if not layer.inputs:
            maps.append(Seen(np.eye(positions, positions + 1, dtype=np.bool_)))
        else:
            maps.append(see(layer.op, axis, positions, [maps[source] for source in layer.layer.inputs]))
        assert field is not None
        yield f"{layer.layer.name} {layer.op.kind}", field.axes[axis], maps[-1]


def compare(network: LayerGraph, axis: int) -> int:
    """Assert that the analysis agrees with the reference; the number of positions where it must agree exactly."""
    exact = 0
    for name, field, seen in reference(network, axis):
        assert field.positions == len(seen.table)
        for position, row in enumerate(seen.table):
            pixels = np.flatnonzero(row[:-1])
            truth = (int(pixels[0]), int(pixels[-1])) if len(pixels) else None
            span = field.span(position)
            where = f"{name}, position {position}: {span}, truly {truth}"
            if not row[-1]:
                assert span == truth, where
                exact += 1
            elif truth is not None:
                assert span is not None, where
                assert span[0] <= truth[0] <= truth[1] <= span[1], where
            if span is not None:
                assert span[1] - span[0] + 1 <= field.size, where
        # The field is no larger than the most that a position sees.
        seen_sizes = [span[1] - span[0] + 1 for position in range(field.positions) if (span := field.span(position))]
        assert field.size == max(seen_sizes, default=0), name
    return exact


def on_axis(axis: int, value: int, other: int) -> list[int]:
    return [value, other] if axis == 0 else [other, value]


@st.composite
def windows(draw: st.DrawFn, axis: int, size: int) -> tuple[str, dict[str, Any]]:
    """An op with one input, and settings that a map of this size accepts."""
    kinds = ["conv2d", "conv2d", "max_pool2d", "relu", "zero_pad2d", "adaptive_avg_pool2d"]
    if size > 4:
        kinds += ["crop2d", "slice2d"]
    if size < 40:
        kinds += ["conv_transpose2d", "upsample2d"]
    kind = draw(st.sampled_from(kinds))
    if kind in ("conv2d", "max_pool2d"):
        kernel = draw(st.integers(1, min(4, size)))
        dilation = draw(st.integers(1, 3)) if (kernel - 1) * 3 + 1 <= size else 1
        before, after = (draw(st.integers(0, kernel - 1)) for _ in range(2))
        fields: dict[str, Any] = {
            "kernel_size": on_axis(axis, kernel, 1),
            "stride": on_axis(axis, draw(st.integers(1, 3)), 1),
            "dilation": on_axis(axis, dilation, 1),
            "padding": [*on_axis(axis, before, 0), *on_axis(axis, after, 0)],
        }
        if kind == "max_pool2d":
            fields["ceil_mode"] = draw(st.booleans())
        else:
            fields["out_channels"] = 1
        return kind, fields
    if kind == "conv_transpose2d":
        stride = draw(st.integers(1, 3))
        kernel, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 4))
        # No more is cut off than the first filter covers.
        margins = [draw(st.integers(0, min(kernel - 1, 2))) for _ in range(2)]
        if stride * (size - 1) + dilation * (kernel - 1) + 1 - sum(margins) < 1:
            margins = [0, 0]
        return kind, {
            "out_channels": 1,
            "kernel_size": on_axis(axis, kernel, 1),
            "stride": on_axis(axis, stride, 1),
            "padding": [*on_axis(axis, margins[0], 0), *on_axis(axis, margins[1], 0)],
            "dilation": on_axis(axis, dilation, 1),
            "output_padding": on_axis(axis, draw(st.integers(0, max(stride, dilation) - 1)), 0),
        }
    if kind == "upsample2d":
        return kind, {
            "scale": on_axis(axis, draw(st.integers(1, 4)), 1),
            "mode": draw(st.sampled_from(["nearest", "bilinear"])),
        }
    if kind == "adaptive_avg_pool2d":
        return kind, {"output_size": on_axis(axis, draw(st.integers(1, size)), 1)}
    if kind == "slice2d":
        return kind, {
            "step": on_axis(axis, draw(st.integers(1, 3)), 1),
            "start": on_axis(axis, draw(st.integers(0, 2)), 0),
        }
    sides = [*on_axis(axis, draw(st.integers(0, 2)), 0), *on_axis(axis, draw(st.integers(0, 2)), 0)]
    return kind, {"crop2d": {"margins": sides}, "zero_pad2d": {"padding": sides}}.get(kind, {})


@st.composite
def networks(draw: st.DrawFn, axis: int) -> LayerGraph:
    """A random network along one axis; branches that end with one size are merged, others cropped to fit."""
    size = draw(st.integers(8, 36))
    parts: list[tuple[Op, list[int]]] = [(op("input", shape=[1, *on_axis(axis, size, 1)]), [])]

    def shapes() -> list[tuple[int, ...]]:
        return [layer.output for layer in infer_shapes(chain(*parts)).layers]

    def add(kind: str, fields: dict[str, Any], inputs: list[int]) -> int:
        parts.append((op(kind, **fields), inputs))
        return len(parts) - 1

    last = 0
    for _ in range(draw(st.integers(1, 7))):
        known = shapes()
        # A layer on the last map, or a branch from an earlier one.
        source = draw(st.one_of(st.just(last), st.integers(0, len(parts) - 1)))
        kind, fields = draw(windows(axis, known[source][axis + 1]))
        if kind not in ("conv2d", "conv_transpose2d") or known[source][0] == 1:
            new = add(kind, fields, [source])
        else:
            new = add(kind, fields, [add("conv2d", {"out_channels": 1, "kernel_size": 1}, [source])])
        known = shapes()
        other = draw(st.integers(0, len(parts) - 1))
        if draw(st.booleans()):
            smaller, larger = sorted((new, other), key=lambda index: known[index][axis + 1])
            if known[smaller][axis + 1] != known[larger][axis + 1]:
                spare = known[larger][axis + 1] - known[smaller][axis + 1]
                top = draw(st.integers(0, spare))
                margins = [*on_axis(axis, top, 0), *on_axis(axis, spare - top, 0)]
                larger = add("crop2d", {"margins": margins}, [larger])
            same = known[smaller][0] == shapes()[larger][0]
            new = add("add" if same and draw(st.booleans()) else "concat", {}, [smaller, larger])
        last = new
    return chain(*parts)


@pytest.mark.parametrize("axis", [0, 1], ids=["height", "width"])
@examples(150)
@given(data=st.data())
def test_fields_are_those_of_the_reference(axis: int, data: st.DataObject) -> None:
    # At the very least the input sees itself, exactly.
    assert compare(data.draw(networks(axis)), axis) >= 8


@pytest.mark.parametrize(
    ("text", "size"),
    [
        # A U-Net of two levels: skip connections over pooling and up-convolution.
        (
            """\
  - conv2d: {name: a, out_channels: 1, kernel_size: 3}
  - max_pool2d: {kernel_size: 2}
  - conv2d: {out_channels: 1, kernel_size: 3}
  - conv_transpose2d: {name: up, out_channels: 1, kernel_size: [2, 2], stride: [2, 2]}
  - crop2d: {name: skip, from: [a, up]}
  - concat: {from: [skip, up]}
  - conv2d: {out_channels: 1, kernel_size: 3}
""",
            "30x30x1",
        ),
        # Strides, dilation and overlapping pools.
        (
            """\
  - conv2d: {out_channels: 1, kernel_size: 7, stride: 2, padding: 3}
  - max_pool2d: {kernel_size: 3, stride: 2, ceil_mode: true}
  - conv2d: {out_channels: 1, kernel_size: 3, dilation: 2, padding: 2}
""",
            "45x45x1",
        ),
        # Factorised reduction as in NASNet: two slices, one of them shifted by a pixel.
        (
            """\
  - branches:
      - [slice2d: {step: 2}]
      - [slice2d: {step: 2, start: 1}]
    merge: concat
  - conv2d: {out_channels: 1, kernel_size: 3}
""",
            "20x20x1",
        ),
        (
            """\
  - conv2d: {out_channels: 1, kernel_size: 3, stride: 3}
  - upsample2d: {scale: 3, mode: bilinear}
  - conv2d: {out_channels: 1, kernel_size: 2, stride: 2}
  - conv_transpose2d: {out_channels: 1, kernel_size: [4, 4], stride: [2, 2], padding: 1}
""",
            "36x36x1",
        ),
        # Stride and dilation with a common factor leave positions that see nothing.
        (
            """\
  - conv2d: {out_channels: 1, kernel_size: 3, stride: 2}
  - conv_transpose2d: {out_channels: 1, kernel_size: 3, stride: 2, dilation: 3, padding: 2, output_padding: 1}
  - conv_transpose2d: {out_channels: 1, kernel_size: 2, stride: 4, dilation: 6}
  - conv2d: {out_channels: 1, kernel_size: 2, dilation: 3}
""",
            "33x33x1",
        ),
    ],
    ids=["u-net", "strides", "nasnet", "resampling", "dilated up"],
)
@pytest.mark.parametrize("axis", [0, 1], ids=["height", "width"])
def test_fields_of_known_designs_are_those_of_the_reference(text: str, size: str, axis: int) -> None:
    assert compare(layers(text, size), axis) > 30
