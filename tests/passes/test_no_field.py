"""Why a layer has no receptive field: in reports, explanations and audits."""

from __future__ import annotations

from archcalc.explain.derive.layer import explain_layer
from archcalc.passes.analysis import Analysis, analyse
from archcalc.passes.no_field import in_words
from archcalc.render.tables.report import make_report
from archcalc.spec.catalogue import load
from tests.networks import graph, numbers

TWO_SIZES = """
inputs: {image: 8x8x3, mask: 4x4x1}
layers:
  - conv2d: {name: features, out_channels: 2, kernel_size: 3, padding: 1}
  - conv2d: {name: gate, from: mask, out_channels: 2, kernel_size: 1}
  - interpolate: {name: large, like: features}
  - multiply: {name: gated, from: [features, large]}
"""
OTHER_INPUT = "an input of another size than image, in whose positions it is measured (mask)"


def why(analysis: Analysis, name: str) -> str:
    """The reason of a layer, in words."""
    return in_words([analysis.fields_not_known[name]])


def test_an_input_of_another_size() -> None:
    analysis = analyse(graph(TWO_SIZES))
    assert list(analysis.fields_not_known) == ["mask", "gate", "large", "gated"]
    assert {why(analysis, name) for name in analysis.fields_not_known} == {OTHER_INPUT}
    assert make_report(analysis).conventions()[-1] == f"Receptive field “?”: {OTHER_INPUT}."
    assert explain_layer(analysis, "gated").heading.endswith(f"; no receptive field: {OTHER_INPUT}")
    assert (
        explain_layer(analysis, "features").heading == "features: 2 filters of 3×3×3, stride 1, padding 1; input 8×8×3"
    )


def test_what_is_made_of_a_trained_array_alone_reads_no_input() -> None:
    analysis = numbers(
        "  - parameter: {name: query, shape: 2x3}\n"
        "  - layer_norm: {name: norm}\n"
        "  - multi_head_attention: {name: pooled, from: [norm, input], num_heads: 1}\n"
        "  - add: {name: sum, from: [norm, pooled]}\n",
        "5x3",
    )
    assert {name: why(analysis, name) for name in analysis.fields_not_known} == {
        "query": "no input is read (query)",
        "norm": "no input is read (query)",
    }


def test_an_embedding_of_a_flat_input_of_another_size() -> None:
    text = """
inputs: {meta: 7, words: 20}
layers:
  - linear: {from: meta, out_features: 2}
  - embedding: {name: table, from: words, num_embeddings: 9, embedding_dim: 2}
"""
    reason = "an input of another size than meta, in whose positions it is measured (words)"
    assert why(analyse(graph(text)), "table") == reason


def test_only_the_shape_of_a_layer_is_known() -> None:
    analysis = numbers("  - opaque: {name: strange, of: nms, shape: 4x4x3}\n  - relu: {name: after}\n", "8x8x3")
    assert why(analysis, "after") == "only the shape of the output is known (strange)"


def test_positions_that_differ_in_too_many_ways() -> None:
    # Of windows of every 2nd position after steps of 3, 5, 7, … no two see alike: 255,255 ways.
    steps = "".join(
        f"  - conv_transpose1d: {{out_channels: 1, kernel_size: 1, stride: {stride}, name: s{stride}}}\n"
        for stride in (3, 5, 7, 11, 13, 17)
    )
    analysis = numbers(steps, "2x1")
    assert why(analysis, "s17") == "positions see parts of the input in too many ways (s17)"


def test_many_layers_are_not_all_named() -> None:
    lines = "".join(f"  - parameter: {{name: p{index}, shape: 3}}\n" for index in range(5))
    analysis = numbers(lines, "3")
    assert in_words(analysis.fields_not_known.values()) == "no input is read (p0, p1, p2, …)"


def test_nothing_is_said_where_every_field_is_known() -> None:
    analysis = analyse(load("alexnet"))
    assert analysis.fields_not_known == {}
    assert "?" not in make_report(analysis).conventions()[-1]
