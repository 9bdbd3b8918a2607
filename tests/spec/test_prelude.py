"""The blocks that every spec may use, against the published counts of the networks that are made of them."""

from __future__ import annotations

import pytest

from archcalc.passes.operations import count_operations
from archcalc.passes.params import count_params
from archcalc.passes.shapes import infer_shapes
from tests.networks import graph, names, numbers, problems

DENSENET121 = """\
input: 224x224x3
layers:
  - conv_bn_relu: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3}
  - max_pool2d: {kernel_size: 3, stride: 2, padding: 1}
  - for_each: [units, last]
    rows: [[6, false], [12, false], [24, false], [16, true]]
    layers:
      - dense_layer: {growth: 32, repeat: units}
      - dense_transition: {when: not last}
  - batch_norm2d
  - relu
  - global_avg_pool2d
  - linear: {out_features: 1000}
"""

MOBILENET_V2 = """\
input: 224x224x3
layers:
  - conv_bn: {out_channels: 32, kernel_size: 3, stride: 2, padding: 1}
  - relu6
  - for_each: [t, c, n, s]
    rows: [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]]
    layers:
      - repeat: n
        as: i
        layers: [inverted_residual: {out_channels: c, expansion: t, stride: s if i == 1 else 1}]
  - conv_bn: {out_channels: 1280, kernel_size: 1}
  - relu6
  - global_avg_pool2d
  - linear: {out_features: 1000}
"""

EFFICIENTNET_B0 = """\
input: 224x224x3
layers:
  - conv_bn: {out_channels: 32, kernel_size: 3, stride: 2, padding: 1}
  - silu
  - for_each: [t, c, n, s, k]
    rows:
      - [1, 16, 1, 1, 3]
      - [6, 24, 2, 2, 3]
      - [6, 40, 2, 2, 5]
      - [6, 80, 3, 2, 3]
      - [6, 112, 3, 1, 5]
      - [6, 192, 4, 2, 5]
      - [6, 320, 1, 1, 3]
    layers:
      - repeat: n
        as: i
        layers: [mbconv: {out_channels: c, kernel_size: k, expansion: t, stride: s if i == 1 else 1}]
  - conv_bn: {out_channels: 1280, kernel_size: 1}
  - silu
  - global_avg_pool2d
  - linear: {out_features: 1000}
"""

SWIN_T = """\
input: 224x224x3
layers:
  - conv2d: {out_channels: 96, kernel_size: 4, stride: 4}
  - layer_norm
  - for_each: [depth, heads, last]
    rows: [[2, 3, false], [2, 6, false], [6, 12, false], [2, 24, true]]
    layers:
      - repeat: depth // 2
        layers:
          - swin_block: {num_heads: heads}
          - swin_block: {num_heads: heads, shift: 3 if height > 7 else 0}
      - pixel_unshuffle: {downscale_factor: 2, when: not last}
      - layer_norm: {when: not last}
      - conv2d: {out_channels: in_channels // 2, kernel_size: 1, bias: false, when: not last}
  - layer_norm
  - global_avg_pool2d
  - linear: {out_features: 1000}
"""

VIT_B_16 = """\
input: 224x224x3
layers:
  - conv2d: {out_channels: 768, kernel_size: 16, stride: 16}
  - tokens
  - class_token
  - position_embedding
  - transformer_encoder: {num_heads: 12, repeat: 12}
  - layer_norm
  - narrow: {axis: length, length: 1}
  - linear: {out_features: 1000}
"""


@pytest.mark.parametrize(
    ("text", "params", "millions"),
    [
        # torchvision's tables of weights: num_params, and GFLOPS (multiply-adds) of densenet121, mobilenet_v2,
        # efficientnet_b0, swin_t, vit_b_16.
        (DENSENET121, 7_978_856, 2834),
        (MOBILENET_V2, 3_504_872, 301),
        (EFFICIENTNET_B0, 5_288_548, 386),
        (SWIN_T, 28_288_354, 4491),
        (VIT_B_16, 86_567_656, 17564),
    ],
)
def test_published_counts(text: str, params: int, millions: int) -> None:
    shaped = infer_shapes(graph(text))
    assert shaped.problems == ()
    assert sum(count_params(layer).params for layer in shaped.layers) == params
    assert round(sum(count_operations(layer).macs or 0 for layer in shaped.layers) / 10**6) == millions


def test_squeeze_and_excitation_by_hand() -> None:
    analysis = numbers("  - squeeze_excitation: {name: se, reduction: 4}\n", "6x5x16")
    assert [(row.name, row.output_shape, row.params) for row in analysis.rows[1:]] == [
        ("se/pool", (16, 1, 1), 0),
        ("se/reduce", (4, 1, 1), 16 * 4 + 4),
        ("se/relu1", (4, 1, 1), 0),
        ("se/restore", (16, 1, 1), 4 * 16 + 16),
        ("se/gate", (16, 1, 1), 0),
        ("se/multiply1", (16, 6, 5), 0),
    ]


@pytest.mark.parametrize(
    ("step", "last"),
    [
        ("inverted_residual: {out_channels: 4}", "add1"),
        ("inverted_residual: {out_channels: 8}", "bn"),
        ("inverted_residual: {out_channels: 4, stride: 2}", "bn"),
        ("mbconv: {out_channels: 4, expansion: 1, gate: hardsigmoid, activation: hardswish}", "add1"),
    ],
)
def test_the_input_is_added_where_it_fits(step: str, last: str) -> None:
    network = numbers(f"  - {step}\n").graph
    assert names(network)[-1].rpartition("/")[2] == last


def test_dense_layers_grow() -> None:
    rows = numbers("  - dense_layer: {growth: 3, repeat: 2}\n  - dense_transition\n").rows
    assert [row.output_shape for row in rows if row.op.kind == "concat"] == [(7, 8, 8), (10, 8, 8)]
    assert rows[-1].output_shape == (5, 4, 4)
    plain = numbers("  - dense_layer: {name: d, growth: 3, bottleneck: 0}\n")
    assert [row.name for row in plain.rows[1:]] == ["d/norm2", "d/relu2", "d/conv2", "d/concat1"]


def test_a_setting_that_a_block_does_not_take() -> None:
    (problem,) = problems("input: 8x8x4\nlayers:\n  - squeeze_excitation: {gate: softmax}\n")
    assert problem.message == "gate can be 'sigmoid', 'hardsigmoid', not 'softmax'"


@pytest.mark.parametrize(
    ("channels", "units", "params"),
    # The summary that YOLOv5s prints of its layers 2, 4, 6 and 8: C3 [64, 64, 1], and so on.
    [(64, 1, 18_816), (128, 2, 115_712), (256, 3, 625_152), (512, 1, 1_182_720)],
)
def test_csp_has_the_parameters_that_yolov5_prints(channels: int, units: int, params: int) -> None:
    step = f"  - csp: {{name: c, out_channels: {channels}, units: {units}}}\n"
    analysis = numbers(step, f"8x8x{channels}")
    assert analysis.totals.params == params
    assert analysis.rows[-1].output_shape == (channels, 8, 8)


@pytest.mark.parametrize(("rank", "size"), [(1, "9x4"), (3, "5x7x9x4")])
def test_blocks_around_a_convolution_for_signals_and_volumes(rank: int, size: str) -> None:
    blocks = f"""\
  - conv_bn_relu{rank}d: {{name: a, out_channels: 6, kernel_size: 3, padding: 1}}
  - conv_bn{rank}d: {{name: b, out_channels: 6, kernel_size: 1}}
  - conv_relu{rank}d: {{name: c, out_channels: 6, kernel_size: 1}}
  - separable_conv{rank}d: {{name: d, out_channels: 5, kernel_size: 3, padding: 1}}
"""
    rows = {row.name: row for row in numbers(blocks, size).rows[1:]}
    assert {name: row.params for name, row in rows.items() if row.params} == {
        "a/conv": 4 * 6 * 3**rank,
        "a/bn": 12,
        "b/conv": 36,
        "b/bn": 12,
        "c/conv": 42,
        "d/depthwise": 6 * 3**rank,
        "d/pointwise": 30,
    }
    assert {len(row.output_shape) - 1 for row in rows.values()} == {rank}
    assert {row.op.kind for name, row in rows.items() if name[-2:] == "bn"} == {f"batch_norm{rank}d"}


@pytest.mark.parametrize("name", ["conv_relu", "conv_bn", "conv_bn_relu"])
def test_blocks_around_a_convolution_have_their_rank_in_the_name_in_every_rank(name: str) -> None:
    for rank in (1, 2, 3):
        analysis = numbers(f"  - {name}{rank}d: {{out_channels: 2, kernel_size: 1}}\n", "x".join(["8"] * rank + ["4"]))
        assert analysis.rows[1].op.kind == f"conv{rank}d"
    settings = "{name: u, out_channels: 2, kernel_size: 1}"
    plain, named = (numbers(f"  - {each}: {settings}\n") for each in (name, f"{name}2d"))
    assert plain.graph.layers == named.graph.layers


@pytest.mark.parametrize(("rank", "size"), [(1, "9x8"), (2, "9x8x8"), (3, "5x7x9x8")])
def test_blocks_take_maps_of_any_rank(rank: int, size: str) -> None:
    blocks = """\
  - squeeze_excitation: {name: se, reduction: 4}
  - inverted_residual: {name: ir, out_channels: 8, expansion: 2}
  - mbconv: {name: mb, out_channels: 8, expansion: 2, kernel_size: 5}
  - dense_layer: {name: dense, growth: 3, bottleneck: 2}
  - csp: {name: csp, out_channels: 6, units: 2}
  - conv_relu: {name: relu, out_channels: 8, kernel_size: 3, padding: 1}
  - swin_block: {name: swin, num_heads: 2, window_size: 1}
  - dense_transition: {name: half}
"""
    analysis = numbers(blocks, size)
    params: dict[str, int] = {}
    for row in analysis.rows[1:]:
        block = row.name.partition("/")[0]
        params[block] = params.get(block, 0) + row.params
    squeeze = 16 * 2 + 2 + 2 * 16 + 16  # of the 16 maps in mbconv, through 8 // 4
    assert params == {
        "se": 8 * 2 + 2 + 2 * 8 + 8,
        "ir": 8 * 16 + 32 + 16 * 3**rank + 32 + 16 * 8 + 16,
        "mb": 8 * 16 + 32 + 16 * 5**rank + 32 + squeeze + 16 * 8 + 16,
        "dense": 16 + 8 * 6 + 12 + 6 * 3 * 3**rank,
        "csp": 2 * (11 * 3 + 6) + 2 * (3 * 3 + 6 + 3 * 3 * 3**rank + 6) + 6 * 6 + 12,
        "relu": 6 * 8 * 3**rank + 8,
        "swin": 16 + (8 * 24 + 24 + 8 * 8 + 8 + 2) + 16 + (8 * 32 + 32 + 32 * 8 + 8),
        "half": 16 + 8 * 4,
    }
    assert analysis.rows[-1].output_shape[1:] == tuple(side // 2 for side in analysis.rows[0].output_shape[1:])


def test_the_rank_of_a_block_is_that_of_the_map_that_it_reads() -> None:
    steps = """\
  - conv_relu: {name: image, out_channels: 4, kernel_size: 3}
  - tokens
  - gelu
  - conv_relu: {name: row, out_channels: 5, kernel_size: 3}
  - conv_relu: {name: again, from: image, out_channels: 6, kernel_size: 3}
  - reshape: {shape: 2x2x4x6}
  - conv_relu: {name: volume, out_channels: 2, kernel_size: 1}
"""
    kinds = [row.op.kind for row in numbers(steps, "8x8x3").rows if "conv" in row.op.kind]
    assert kinds == ["conv2d", "conv1d", "conv2d", "conv3d"]


def test_a_block_with_a_rank_in_its_name_takes_no_other() -> None:
    for name, wanted in (("conv_relu2d", "height, width"), ("conv_relu3d", "depth, height, width")):
        (problem,) = problems(f"input: 8x4\nlayers:\n  - {name}: {{out_channels: 2, kernel_size: 1}}\n")
        assert problem.message.startswith(f"needs {wanted} and channels")
