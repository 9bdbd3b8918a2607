"""Variants of networks whose layers count channels or positions, and the worksheets of a class."""

from __future__ import annotations

import pytest

from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops.parts import Split
from archcalc.passes.analysis import analyse
from archcalc.teach.exercise.handout import Handout
from archcalc.teach.exercise.variants import is_varied, settings_of, vary
from archcalc.teach.exercise.worksheet import Worksheet, make_worksheet
from tests.networks import graph, layers

SPLITS = """\
  - conv_relu: {name: stem, out_channels: 64, kernel_size: 3, padding: 1}
  - split: {name: left, sizes: 32, index: 0}
  - split: {name: right, from: stem, sizes: [16, 48], index: 1}
  - narrow: {name: last, from: stem, start: 32}
  - narrow: {name: some, from: stem, start: 16, length: 16}
  - concat: {name: all, from: [left, right, last, some]}
  - linear: {out_features: 10}
"""
#: Each branch gets half of a map, so that its width and that of the map can only change together.
HALVES = """\
  - conv_relu: {name: stem, out_channels: 64, kernel_size: 3, padding: 1}
  - split: {name: left, sizes: 32, index: 0}
  - split: {name: right, from: stem, sizes: 32, index: 1}
  - conv_relu: {name: conv, from: right, out_channels: 32, kernel_size: 3, padding: 1}
  - add: {name: sum, from: [left, conv]}
  - linear: {out_features: 10}
"""
TOKENS = """\
  - conv2d: {name: patches, out_channels: 64, kernel_size: 4, stride: 4}
  - tokens: {}
  - class_token: {}
  - position_embedding: {}
  - multi_head_attention: {num_heads: 4}
  - split: {name: patch, sizes: [1, 64], axis: length, index: 1}
  - grid: {name: map, size: [8, 8]}
  - reshape: {name: flat, shape: 4096}
  - linear: {out_features: 10}
"""
SHARED = """\
inputs: {left: 32x32x1, right: 32x32x1}
layers:
  - conv_relu: {name: a, from: left, out_channels: 32, kernel_size: 5, padding: 2}
  - conv_relu: {name: b, from: right, out_channels: 32, kernel_size: 5, padding: 2, weights: a}
  - concat: {from: [a, b]}
  - linear: {out_features: 10}
"""


@pytest.mark.parametrize("text", [SPLITS, HALVES])
def test_parts_of_a_map_follow_its_width(text: str) -> None:
    """They lie as they lay: each begins and ends at the same share of the channels."""
    network = layers(text, "32x32x3")
    widths = set()
    for seed in range(8):
        variant = analyse(vary(network, seed))
        width = variant["stem/conv"].output_shape[0]
        widths.add(width)
        for row in analyse(network).rows:
            if row.op.kind in ("split", "narrow"):
                assert variant[row.name].output_shape[0] * 64 == row.output_shape[0] * width
                assert variant[row.name].op.run(width)[0] * 64 == row.op.run(64)[0] * width  # type: ignore[attr-defined]
    assert len(widths) > 2
    assert 64 not in widths


def test_tokens_follow_the_input() -> None:
    sides = set()
    for seed in range(8):
        variant = analyse(vary(layers(TOKENS, "32x32x3"), seed))
        tokens = variant["tokens1"].output_shape[1]
        split = variant["patch"].op
        assert isinstance(split, Split)
        assert split.sizes == (1, tokens)
        assert variant["flat"].output_shape == (tokens * variant["patches"].output_shape[0],)
        sides.add(tokens)
    assert len(sides) > 2


def test_layers_that_share_weights_change_together() -> None:
    network = graph(SHARED)
    kernels = set()
    for seed in range(8):
        variant = {layer.name: layer.op for layer in vary(network, seed)}
        assert variant["a/conv"] == variant["b/conv"]
        kernels.add((variant["a/conv"].kernel_size, variant["a/conv"].out_channels))  # type: ignore[attr-defined]
    assert len(kernels) > 3


@pytest.mark.parametrize("size", ["256x16x16x2", "768x64", "600"])
def test_inputs_that_are_no_images_vary(size: str) -> None:
    network = layers("  - layer_norm: {}\n  - linear: {out_features: 10}\n", size)
    assert len({vary(network, seed).input_shape for seed in range(8)}) > 3


def sheet_of(network: LayerGraph, seed: str) -> Worksheet:
    return make_worksheet(analyse(network), seed=seed)


def test_no_two_students_have_the_same_numbers() -> None:
    """Of the few variants of a small network nobody gets the one that somebody has."""
    network = layers("  - linear: {out_features: 10}\n", "20")
    handout = Handout(network, sheet_of)
    given = [handout.give(f"student-{number}").variant for number in range(6)]
    assert len({settings_of(variant) for variant in given}) == 6
    assert all(is_varied(network, variant) for variant in given)
    assert len({settings_of(vary(network, f"student-{number}")) for number in range(6)}) < 6
    assert handout.notes == []


def test_too_few_variants_are_told() -> None:
    handout = Handout(layers("  - linear: {out_features: 2}\n", "2"), sheet_of)
    for number in range(3):
        handout.give(f"student-{number}")
    assert handout.notes == ["2 worksheets have the numbers of another, or of net itself: too little in it can change"]


def test_worksheets_that_ask_for_something_else_are_told() -> None:
    network = layers(SPLITS, "32x32x3")
    handout = Handout(network, lambda one, seed: make_worksheet(analyse(one), blank=0.3 if seed == "a" else 0.6))
    for seed in ("a", "b"):
        handout.give(seed)
    assert handout.notes == ["1 worksheet asks for other kinds of steps than the first"]
