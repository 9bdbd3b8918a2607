"""Receptive fields: figures from papers, and figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.ops import Op
from archcalc.passes.analysis import analyse
from archcalc.passes.axis_field import AxisField
from archcalc.passes.receptive_field import ReceptiveField
from archcalc.spec.catalogue import load
from tests.networks import ALEXNET, VGG16, chain, graph, layers, op
from tests.tiers import examples

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
    assert field == ReceptiveField((AxisField(1, ((0, 0),), 5), AxisField(1, ((0, 0),), 7)))


def test_height_and_width_are_followed_apart() -> None:
    field = field_of("  - conv2d: {out_channels: 1, kernel_size: [1, 7], stride: [1, 2], padding: [0, 3]}\n", "conv1")
    assert (field.axes[0].size, field.axes[0].stride, field.axes[0].start) == (1, 1, 0)
    assert (field.axes[1].size, field.axes[1].stride, field.axes[1].start) == (7, 2, -3)


def test_dilation_widens_the_field() -> None:
    # Yu & Koltun 2016, figure 1: dilations 1, 2, 4 see 3, 7, 15.
    text = "".join(f"  - conv2d: {{out_channels: 1, kernel_size: 3, dilation: {d}}}\n" for d in (1, 2, 4))
    assert [field_of(text, f"conv{count}").axes[0].size for count in (1, 2, 3)] == [3, 7, 15]


def test_branches_together_see_what_the_widest_sees() -> None:
    text = """\
  - branches:
      - [conv2d: {out_channels: 1, kernel_size: 1}]
      - [conv2d: {out_channels: 1, kernel_size: 5, padding: 2}]
      - [conv2d: {out_channels: 1, kernel_size: 3, padding: [0, 0, 2, 2]}]
    merge: concat
"""
    assert field_of(text, "concat1").axes[0].span(10) == (8, 12)


def test_dense_layers_and_global_pools_see_the_whole_map() -> None:
    text = "  - conv2d: {out_channels: 1, kernel_size: 3}\n  - global_avg_pool2d: {name: all}\n"
    assert field_of(text, "all").axes[0].span(0) == (0, 31)
    text += "  - linear: {name: dense, from: conv1, out_features: 2}\n  - softmax: {name: s}\n"
    assert field_of(text, "dense").axes[0].span(0) == (0, 31)
    assert field_of(text, "s").axes[1].span(0) == (0, 31)


def test_positions_behind_an_upsampling_differ_in_turn() -> None:
    text = "  - upsample2d: {scale: 2, name: up}\n  - conv2d: {name: c, out_channels: 1, kernel_size: 3, padding: 1}\n"
    up, conv = field_of(text, "up").axes[0], field_of(text, "c").axes[0]
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
    field = field_of(text, "concat1").axes[0]
    # Every position sees its own block of four pixels.
    assert [field.span(position) for position in range(8)] == [(0, 3)] * 4 + [(4, 7)] * 4


def test_a_field_with_too_many_phases_is_left_out() -> None:
    analysis = analyse(layers("  - upsample2d: {scale: 64, repeat: 3}\n"))
    found = [row.receptive_field is None for row in analysis.rows]
    assert found == [False, False, False, True], "64·64·64 phases are too many; all the other numbers are there"
    assert analysis.rows[-1].output_shape == (4, 8 << 18, 8 << 18)


# --- ops whose outputs see everything although they have several positions


def spans(text: str, layer: str, size: str) -> list[tuple[int, int]]:
    field = field_of(text, layer, size).axes[0]
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


def test_a_grid_does_not_see_what_lies_between_its_positions() -> None:
    rolled = "  - roll: {shifts: 1}\n  - multi_head_attention: {num_heads: 1, window_size: 2, partition: grid}\n"
    field = analyse(layers(rolled, "8x4")).rows[-1].receptive_field
    assert field is not None
    # Position i reads i mod 4 and four further on, which were one position earlier before the roll; 0 was the last.
    assert [field.axes[0].span(place) for place in range(8)] == [(3, 7), (0, 4), (1, 5), (2, 6)] * 2


def test_adaptive_pooling_that_divides_is_pooling() -> None:
    text = "  - adaptive_avg_pool2d: {name: pool, output_size: 3}\n"
    assert spans(text, "pool", "6x6x4") == [(0, 1), (2, 3), (4, 5)]


@pytest.mark.parametrize(
    ("size", "count", "step"),
    [
        (10, 7, None),  # windows start at ⌊10i/7⌋: 0, 1, 2, 4, 5, 7, 8
        (10, 5, 2),
        (10, 1, 1),  # as a window of 10 that slides
        (5, 2, 2),  # [0, 3) and [2, 5)
    ],
)
def test_the_step_of_adaptive_windows_is_told_where_it_is_even(size: int, count: int, step: int | None) -> None:
    rows = analyse(layers(f"  - adaptive_avg_pool1d: {{output_size: {count}}}\n", f"{size}x4")).rows
    assert rows[-1].receptive_field is not None
    assert rows[-1].receptive_field.stride == (step,)


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
        # The same values in the same places, or in others, one at each.
        ("  - reshape: {name: last, shape: 8x8x1}\n", "last", "8x8x1", (1, 1)),
        ("  - flatten\n  - reshape: {name: last, shape: 8x8x1}\n", "last", "8x8x1", (1, 1)),
        ("  - reshape: {name: last, shape: 4x16x1}\n", "last", "8x8x1", (1, 1)),
        ("  - reshape: {name: last, shape: 16x4x1}\n", "last", "8x8x1", (1, 1)),
        ("  - reshape: {shape: 4x16x1}\n  - relu\n  - reshape: {name: last, shape: 8x8x1}\n", "last", "8x8x1", (1, 1)),
        # Columns 7, 0 and 1 of two rows lie side by side.
        ("  - reshape: {shape: 4x16x1}\n  - conv2d: {name: last, out_channels: 1, kernel_size: [1, 3]}\n",
         "last", "8x8x1", (2, 8)),
        # Value 16d + 4r + c of channel d is pixel 4(r mod 2) + c of row 2d + ⌊r/2⌋: one column, rows 0 to 6.
        ("  - reshape: {name: last, shape: 4x4x4}\n", "last", "8x8x1", (7, 1)),
        ("  - reshape: {name: last, shape: 4x8x2}\n", "last", "8x8x1", (5, 1)),
        ("  - reshape: {name: last, shape: 64x1x1}\n", "last", "8x8x1", (1, 1)),
        # Columns that become a row of positions, under any number of axes: all rows, and the columns of the window.
        *((f"  - conv2d: {{out_channels: 4, kernel_size: 3}}\n  - reshape: {{name: last, shape: {shape}}}\n",
           "last", "27x19x1", (27, 3)) for shape in ("17x100", "17x1x100", "1x17x100", "17x1x1x100")),
        ("  - linear: {out_features: 16}\n  - reshape: {name: last, shape: 4x4x1}\n", "last", "8x8x1", (8, 8)),
    ],
)  # fmt: skip
def test_fields_worked_out_by_hand(text: str, layer: str, size: str, sides: tuple[int, int]) -> None:
    field = field_of(text, layer, size)
    assert field.size == sides


def test_alexnet_of_torchvision_on_a_larger_image() -> None:
    # 256×256: the adaptive pool joins two of 7 positions, 32 pixels apart, of 195 each.
    analysis = analyse(load("alexnet@torchvision", input_shape=(3, 256, 256)))
    field = analysis["avgpool"].receptive_field
    assert field is not None
    assert (field.axes[0].size, field.axes[0].stride) == (195 + 32, 32)


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
    for axis, (found, moved) in enumerate(zip(field, field.along or (0, 1), strict=True)):
        read = places[axis + 1].reshape(after)
        sides = {}
        for new in (0, 1):
            lines = np.moveaxis(read, new + 1, 0).reshape(after[new + 1], -1)
            sides[new] = 1 + int((lines.max(axis=1) - lines.min(axis=1)).max())
            if new == moved:
                ends = zip(lines.min(axis=1).tolist(), lines.max(axis=1).tolist(), strict=True)
                assert [found.span(position) for position in range(after[new + 1])] == list(ends)
        assert sides[moved] == min(sides.values()), "it moves along the axis that tells most of it"
        lines = read.reshape(channels, -1)
        assert found.size == 1 + int((lines.max(axis=0) - lines.min(axis=0)).max())


@pytest.mark.parametrize("before", ["", "  - upsample2d\n", "  - max_pool2d: {kernel_size: 2}\n"])
def test_pools_of_whole_maps_agree(before: str) -> None:
    """Means over all positions are global pools under other names: what they see, and the step to the next."""
    pools = (
        "global_avg_pool2d: {", "global_max_pool2d: {",
        "mean: {axes: [height, width], ", "amax: {axes: [height, width], ",
        "adaptive_avg_pool2d: {output_size: 1, ", "adaptive_max_pool2d: {output_size: 1, ",
    )  # fmt: skip
    conv = "  - conv2d: {out_channels: 4, kernel_size: 3, padding: 1}\n"
    assert len({field_of(f"{before}{conv}  - {pool}name: last}}\n", "last", "8x8x3") for pool in pools}) == 1


@pytest.mark.parametrize(
    ("pad", "first", "last"),
    [("reflection_pad", (1, 3), (16, 18)), ("replication_pad", (0, 0), (19, 19)), ("circular_pad", (17, 19), (0, 2))],
)
def test_borders_see_the_pixels_that_they_repeat(pad: str, first: tuple[int, int], last: tuple[int, int]) -> None:
    text = f"  - {pad}: {{padding: 3}}\n  - conv1d: {{out_channels: 1, kernel_size: 3}}\n"
    field = analyse(layers(text, "20x1")).rows[-1].receptive_field
    assert field is not None
    axis = field.axes[0]
    assert [axis.span(place) for place in (0, 10, 23)] == [first, (7, 9), last]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", [(0, 0), (1, 1), (2, 2), (3, 3)]),
        ("  - multi_head_attention: {num_heads: 1, is_causal: true}\n", [(0, 0), (0, 1), (0, 2), (0, 3)]),
        ("  - multi_head_attention: {num_heads: 1}\n", [(0, 3)] * 4),
        ("  - conv1d: {out_channels: 1, kernel_size: 3}\n", [(0, 2), (1, 3)]),
    ],
)
@pytest.mark.parametrize("before", ["", "  - dropout\n"])
def test_an_embedding_of_a_flat_input_sees_a_number_at_each_position(
    text: str, spans: list[tuple[int, int]], before: str
) -> None:
    table = "  - embedding: {num_embeddings: 9, embedding_dim: 4}\n"
    field = analyse(layers(before + table + text, "4")).rows[-1].receptive_field
    assert field is not None
    (axis,) = field.axes
    assert [axis.span(place) for place in range(axis.positions)] == spans


def test_an_embedding_of_what_was_computed_sees_the_whole_flat_input() -> None:
    text = "  - linear: {out_features: 3}\n  - embedding: {num_embeddings: 9, embedding_dim: 2}\n"
    field = analyse(layers(text, "4")).rows[-1].receptive_field
    assert field is not None
    assert [field.axes[0].span(place) for place in range(3)] == [(0, 3)] * 3
