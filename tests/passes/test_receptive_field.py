"""Receptive fields: figures from papers, and an independent reference that follows every pixel through a network.

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

from archcalc.core.shapes import spatial
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops import Op
from archcalc.passes.analysis import analyse
from archcalc.passes.receptive_field import AxisField, ReceptiveField, receptive_fields
from archcalc.passes.shapes import infer_shapes
from archcalc.spec.catalogue import load
from tests.networks import ALEXNET, VGG16, chain, graph, layers, op
from tests.tiers import examples

Table = npt.NDArray[np.bool_]

# --- figures from papers

#: Araujo et al. 2019, "Computing receptive fields of convolutional neural networks", table in the section "Receptive
#: fields of modern networks"; there padding is counted as positive. Up to the last convolutional or pooling layer.
ALEXNET_V2 = """\
input: 231x231x3
layers:
  - conv2d: {out_channels: 64, kernel_size: 11, stride: 4}
  - max_pool2d: {kernel_size: 3, stride: 2}
  - conv2d: {out_channels: 192, kernel_size: 5, padding: same}
  - max_pool2d: {kernel_size: 3, stride: 2}
  - conv2d: {out_channels: 384, kernel_size: 3, padding: same, repeat: 2}
  - conv2d: {out_channels: 256, kernel_size: 3, padding: same}
  - max_pool2d: {name: last, kernel_size: 3, stride: 2}
"""
#: As in TF-slim: the last unit of a stage has the stride. The shortcuts see less than the parallel branches.
RESNET50 = """\
input: 225x225x3
blocks:
  unit:
    parameters: {c: int, stride: 1}
    layers:
      - branches:
          - - conv2d: {out_channels: c, kernel_size: 1}
            - conv2d: {out_channels: c, kernel_size: 3, padding: 1, stride: stride}
            - conv2d: {out_channels: 4 * c, kernel_size: 1}
          - - conv2d: {out_channels: 4 * c, kernel_size: 1, stride: stride}
        merge: add
layers:
  - conv2d: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3}
  - max_pool2d: {kernel_size: 3, stride: 2, padding: 1}
  - for_each: [c, count, s]
    rows:
      - [64, 3, 2]
      - [128, 4, 2]
      - [256, 6, 2]
      - [512, 3, 1]
    layers:
      - unit: {c: c, repeat: count - 1}
      - unit: {c: c, stride: s}
  - relu: {name: last}
"""


@pytest.mark.parametrize(
    ("text", "layer", "size", "stride", "start"),
    [
        (ALEXNET_V2, "last", 195, 32, -64),
        (VGG16, "pool5", 212, 32, -90),
        (RESNET50, "last", 483, 32, -241),
        # CS231n: three 3×3 convolutions see 7×7.
        ("input: 9x9x1\nlayers: [conv2d: {name: c, out_channels: 1, kernel_size: 3, repeat: 1}]", "c", 3, 1, 0),
        ("input: 9x9x1\nlayers: [conv2d: {out_channels: 1, kernel_size: 3, repeat: 3}]", "conv3", 7, 1, 0),
        # AlexNet by hand: 11, + 2·4, + 4·8, + 2·8, + 3·2·16, + 2·16.
        (ALEXNET, "c1/relu", 11, 4, 0),
        (ALEXNET, "pool1", 19, 8, 0),
        (ALEXNET, "c2/relu", 51, 8, -16),
        (ALEXNET, "pool2", 67, 16, -16),
        (ALEXNET, "c5/relu", 163, 16, -64),
        (ALEXNET, "pool3", 195, 32, -64),
    ],
)
def test_receptive_fields_are_those_of_the_papers(text: str, layer: str, size: int, stride: int, start: int) -> None:
    field = analyse(graph(text))[layer].receptive_field
    assert field is not None
    for axis in field:
        assert (axis.size, axis.stride, axis.start) == (size, stride, start)


def field_of(text: str, layer: str, size: str = "32x32x4") -> ReceptiveField:
    field = analyse(layers(text, size))[layer].receptive_field
    assert field is not None
    return field


def test_the_input_sees_itself() -> None:
    field = field_of("  - relu\n", "input", "5x7x4")
    assert field == ReceptiveField(AxisField(1, ((0, 0),), 5), AxisField(1, ((0, 0),), 7))


def test_height_and_width_are_followed_apart() -> None:
    field = field_of("  - conv2d: {out_channels: 1, kernel_size: [1, 7], stride: [1, 2], padding: [0, 3]}\n", "conv1")
    assert (field.height.size, field.height.stride, field.height.start) == (1, 1, 0)
    assert (field.width.size, field.width.stride, field.width.start) == (7, 2, -3)


def test_dilation_widens_the_field() -> None:
    # Yu & Koltun 2016, figure 1: dilations 1, 2, 4 see 3, 7, 15.
    text = "".join(f"  - conv2d: {{out_channels: 1, kernel_size: 3, dilation: {d}}}\n" for d in (1, 2, 4))
    assert [field_of(text, f"conv{count}").height.size for count in (1, 2, 3)] == [3, 7, 15]


def test_branches_together_see_what_the_widest_sees() -> None:
    text = """\
  - branches:
      - [conv2d: {out_channels: 1, kernel_size: 1}]
      - [conv2d: {out_channels: 1, kernel_size: 5, padding: 2}]
      - [conv2d: {out_channels: 1, kernel_size: 3, padding: [0, 0, 2, 2]}]
    merge: concat
"""
    assert field_of(text, "concat1").height.span(10) == (8, 12)


def test_dense_layers_and_global_pools_see_the_whole_map() -> None:
    text = "  - conv2d: {out_channels: 1, kernel_size: 3}\n  - global_avg_pool2d: {name: all}\n"
    assert field_of(text, "all").height.span(0) == (0, 31)
    text += "  - linear: {name: dense, from: conv1, out_features: 2}\n  - softmax: {name: s}\n"
    assert field_of(text, "dense").height.span(0) == (0, 31)
    assert field_of(text, "s").width.span(0) == (0, 31)


def test_positions_behind_an_upsampling_differ_in_turn() -> None:
    text = "  - upsample2d: {scale: 2, name: up}\n  - conv2d: {name: c, out_channels: 1, kernel_size: 3, padding: 1}\n"
    up, conv = field_of(text, "up").height, field_of(text, "c").height
    assert [up.span(position) for position in range(4)] == [(0, 0), (0, 0), (1, 1), (1, 1)]
    assert up.stride == 0.5
    # Position 2 reads 1, 2 and 3, that is pixels 0, 1 and 1; position 3 reads 2, 3 and 4, that is 1, 1 and 2.
    assert [conv.span(position) for position in range(4)] == [(-1, 0), (0, 1), (0, 1), (1, 2)]
    assert conv.size == 2


def test_down_and_up_again_is_in_step_with_what_stayed() -> None:
    text = """\
  - branches:
      - []
      - - max_pool2d: {kernel_size: 4}
        - upsample2d: {scale: 4}
    merge: concat
"""
    field = field_of(text, "concat1").height
    # Every position sees its own block of four pixels.
    assert [field.span(position) for position in range(8)] == [(0, 3)] * 4 + [(4, 7)] * 4


def test_a_field_with_too_many_phases_is_left_out() -> None:
    analysis = analyse(layers("  - upsample2d: {scale: 64, repeat: 3}\n"))
    found = [row.receptive_field is None for row in analysis.rows]
    assert found == [False, False, False, True], "64·64·64 phases are too many; all the other numbers are there"
    assert analysis.rows[-1].output_shape == (4, 8 << 18, 8 << 18)


# --- ops whose outputs see everything although they have several positions


def spans(text: str, layer: str, size: str) -> list[tuple[int, int]]:
    field = field_of(text, layer, size).height
    return [span for position in range(field.positions) if (span := field.span(position))]


def test_a_gate_lets_every_position_see_the_whole_image() -> None:
    # Squeeze and excitation, Hu et al. 2017: the gate depends on all pixels, and so does every gated position.
    text = """\
  - conv2d: {name: maps, out_channels: 4, kernel_size: 3, padding: 1}
  - global_avg_pool2d
  - conv2d: {out_channels: 4, kernel_size: 1}
  - sigmoid: {name: gate}
  - multiply: {name: gated, from: [maps, gate]}
  - conv2d: {name: after, out_channels: 4, kernel_size: 3, padding: 1}
"""
    for layer in ("gated", "after"):
        found = spans(text, layer, "6x6x4")
        assert len(found) == 6
        assert all(low <= 0 and high >= 5 for low, high in found), f"{layer}: {found}"


def test_a_flat_gate_lets_every_position_see_the_whole_image() -> None:
    text = """\
  - linear: {name: gate, out_features: 4}
  - multiply: {name: gated, from: [input, gate]}
"""
    assert all(low <= 0 and high >= 5 for low, high in spans(text, "gated", "6x6x4"))


def test_a_map_made_of_features_sees_the_whole_image_everywhere() -> None:
    # Features reshaped to a map, as in DeconvNet: every position depends on every pixel.
    text = """\
  - linear: {out_features: 16}
  - reshape: {name: map, shape: 4x4x1}
  - conv_transpose2d: {name: up, out_channels: 1, kernel_size: [2, 2], stride: [2, 2]}
  - conv2d: {name: after, out_channels: 1, kernel_size: 3, padding: 1}
"""
    for layer in ("map", "up", "after"):
        assert all(low <= 0 and high >= 5 for low, high in spans(text, layer, "6x6x4")), layer


def test_a_map_of_one_position_enlarged_sees_the_whole_image_everywhere() -> None:
    text = "  - global_avg_pool2d\n  - upsample2d: {name: up, scale: 6}\n  - add: {name: sum, from: [up, input]}\n"
    for layer in ("up", "sum"):
        found = spans(text, layer, "6x6x4")
        assert len(found) == 6
        assert all(low <= 0 and high >= 5 for low, high in found), f"{layer}: {found}"


def test_adaptive_pooling_that_does_not_divide_covers_its_windows() -> None:
    # PyTorch: windows [0, 3) and [2, 5).
    found = spans("  - adaptive_avg_pool2d: {name: pool, output_size: 2}\n", "pool", "5x5x4")
    assert len(found) == 2
    assert found[0][0] <= 0
    assert found[0][1] >= 2
    assert found[1][0] <= 2
    assert found[1][1] >= 4


def test_adaptive_pooling_that_divides_is_pooling() -> None:
    text = "  - adaptive_avg_pool2d: {name: pool, output_size: 3}\n"
    assert spans(text, "pool", "6x6x4") == [(0, 1), (2, 3), (4, 5)]


# --- the reference


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
            (i, i * at("stride") - at("padding") + tap)
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
        positions = spatial(layer.output)[axis]
        if not layer.inputs:
            maps.append(Seen(np.eye(positions, positions + 1, dtype=np.bool_)))
        else:
            maps.append(see(layer.op, axis, positions, [maps[source] for source in layer.layer.inputs]))
        assert field is not None
        yield f"{layer.layer.name} {layer.op.kind}", field[axis], maps[-1]


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
        kernel = draw(st.integers(1, 5))
        # No more is cut off than the first filter covers.
        margins = [draw(st.integers(0, min(kernel - 1, 2))) for _ in range(2)]
        if stride * (size - 1) + kernel - sum(margins) < 1:
            margins = [0, 0]
        return kind, {
            "out_channels": 1,
            "kernel_size": on_axis(axis, kernel, 1),
            "stride": on_axis(axis, stride, 1),
            "padding": [*on_axis(axis, margins[0], 0), *on_axis(axis, margins[1], 0)],
            "output_padding": on_axis(axis, draw(st.integers(0, stride - 1)), 0),
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
    ],
    ids=["u-net", "strides", "nasnet", "resampling"],
)
@pytest.mark.parametrize("axis", [0, 1], ids=["height", "width"])
def test_fields_of_known_designs_are_those_of_the_reference(text: str, size: str, axis: int) -> None:
    assert compare(layers(text, size), axis) > 30


# --- figures worked out by hand


@pytest.mark.parametrize(
    ("text", "layer", "size", "sides"),
    [
        # Windows [0, 2), [1, 3), … of 7 rows to 6: two rows each. One axis does not spoil the other.
        ("  - adaptive_avg_pool2d: {name: last, output_size: 6}\n", "last", "7x7x1", (2, 2)),
        ("  - adaptive_avg_pool2d: {name: last, output_size: [6, 7]}\n", "last", "7x7x1", (2, 1)),
        ("  - adaptive_avg_pool2d: {name: last, output_size: [3, 4]}\n", "last", "6x6x1", (2, 2)),
        ("  - adaptive_avg_pool2d: {name: last, output_size: 3}\n", "last", "7x8x1", (3, 4)),
        # A filter of 1 at stride 3 fills one row of three: a window of 2 meets one of them at most.
        (
            "  - conv_transpose2d: {out_channels: 1, kernel_size: 1, stride: 3}\n"
            "  - conv2d: {name: last, out_channels: 1, kernel_size: 2}\n",
            "last", "20x20x1", (1, 1),
        ),
        (
            "  - conv_transpose2d: {out_channels: 1, kernel_size: 1, stride: 3}\n"
            "  - conv2d: {name: last, out_channels: 1, kernel_size: 4}\n",
            "last", "20x20x1", (2, 2),
        ),
        # Position o sees the pixels 2o and o + 2: 0 and 2, 2 and 3, 4, 6 and 5.
        (
            "  - slice2d: {name: a, step: 2}\n  - crop2d: {name: b, from: input, margins: 2}\n"
            "  - add: {name: last, from: [a, b]}\n",
            "last", "8x8x1", (3, 3),
        ),
        # A convolution of 3 at stride 2 next to a crop that keeps its size, 32 pixels: 2o … 2o + 2 and o + 8, for o
        # up to 14: most at o = 0, pixels 0 to 8, and at o = 14, pixels 22 to 30.
        (
            "  - conv2d: {name: a, out_channels: 1, kernel_size: 3, stride: 2}\n"
            "  - crop2d: {name: b, from: input, margins: [8, 8, 9, 9]}\n  - add: {name: last, from: [a, b]}\n",
            "last", "32x32x1", (9, 9),
        ),
        # The same values in the same places; rows of 8 put together in pairs see two rows and every column.
        ("  - reshape: {name: last, shape: 8x8x1}\n", "last", "8x8x1", (1, 1)),
        ("  - flatten\n  - reshape: {name: last, shape: 8x8x1}\n", "last", "8x8x1", (1, 1)),
        ("  - reshape: {name: last, shape: 4x16x1}\n", "last", "8x8x1", (2, 1)),
        ("  - reshape: {name: last, shape: 4x8x2}\n", "last", "8x8x1", (5, 1)),
        ("  - reshape: {name: last, shape: 64x1x1}\n", "last", "8x8x1", (1, 8)),
        ("  - linear: {out_features: 16}\n  - reshape: {name: last, shape: 4x4x1}\n", "last", "8x8x1", (8, 8)),
    ],
)  # fmt: skip
def test_fields_worked_out_by_hand(text: str, layer: str, size: str, sides: tuple[int, int]) -> None:
    field = field_of(text, layer, size)
    assert (field.height.size, field.width.size) == sides


def test_alexnet_of_torchvision_on_a_larger_image() -> None:
    # 256×256: the adaptive pool joins two of 7 positions, 32 pixels apart, of 195 each.
    analysis = analyse(load("alexnet@torchvision", input_shape=(3, 256, 256)))
    field = analysis["avgpool"].receptive_field
    assert field is not None
    assert (field.height.size, field.height.stride) == (195 + 32, 32)


@examples(60)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)),
    st.permutations([0, 1, 2]), st.booleans(), st.data(),
)  # fmt: skip
def test_a_reshape_keeps_the_order_of_the_values(
    before: tuple[int, int, int], order: list[int], flat: bool, data: st.DataObject
) -> None:
    total = before[0] * before[1] * before[2]
    divisors = [n for n in range(1, total + 1) if total % n == 0]
    channels = data.draw(st.sampled_from(divisors))
    rows = data.draw(st.sampled_from([n for n in divisors if total // channels % n == 0]))
    after = (channels, rows, total // channels // rows)
    places = np.indices(before).reshape(3, -1)
    parts: list[tuple[Op, list[int]]] = [(op("input", shape=list(before)), [])]
    if flat:
        parts.append((op("flatten"), [0]))
    parts.append((op("reshape", shape=after), [len(parts) - 1]))
    field = analyse(chain(*parts)).rows[-1].receptive_field
    assert field is not None
    for axis, found in enumerate(field):
        read = places[axis + 1].reshape(after)
        for position in range(after[axis + 1]):
            lines = np.take(read, position, axis=axis + 1)
            assert found.span(position) == (lines.min(), lines.max())
