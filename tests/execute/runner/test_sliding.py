"""Sliding evaluation: one pass over a larger image equals the crops, exactly where nothing is padded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import ShapeError, SpecError, UsageError
from archcalc.execute.runner import SeededWeights, execute
from archcalc.execute.runner.inputs import random_input
from archcalc.execute.runner.sliding import ReshapedWeights, Slid, crop_origins, slide
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis, analyse
from archcalc.passes.sliding import convert, without_padding
from archcalc.spec.catalogue import load
from tests.networks import layers, op
from tests.tiers import examples

NETWORK = """\
  - conv_relu: {name: c1, out_channels: 4, kernel_size: 3, padding: 1}
  - max_pool2d: {name: p1, kernel_size: 2}
  - conv_bn_relu: {name: c2, out_channels: 5, kernel_size: 3, stride: 2, padding: 1}
  - linear: {name: f1, out_features: 7}
  - relu
  - dropout
  - linear: {name: f2, out_features: 3}
  - softmax
"""


def slid(graph: LayerGraph, height: int, width: int, dtype: str = "float64") -> Slid:
    large = random_input((graph.input_shape[0], height, width), 1, 0, dtype)
    return slide(analyse(graph, 1, dtype), large, SeededWeights(graph, 0, dtype, keep=True))


def test_lenet_on_a_larger_image() -> None:
    """LeNet-5 pads nothing: 5×5 positions on 48×48, four pixels apart, equal to 25 crops."""
    result = slid(load("lenet5"), 48, 48)
    assert result.scores.shape == (10, 5, 5)
    assert result.stride == (4, 4)
    assert result.difference < 1e-12
    assert result.same_class == 25
    assert result.converted.padded == ()
    assert result.multiplications[1] == 25 * 416_520
    assert result.multiplications[0] < result.multiplications[1] / 4


@pytest.mark.slow
def test_vggs_geometry_without_padding() -> None:
    """CS231n, converting FC layers to CONV layers: 384×384, stride 32, 6×6 scores, equal to 36 crops of 224×224.

    The stages of VGG-16 with few channels. With its padding of 1 the shapes are those of the notes, but not the values.
    """
    stages = "".join(
        f"  - conv_relu: {{out_channels: {channels}, kernel_size: 3, padding: 1, repeat: {count}}}\n"
        "  - max_pool2d: {kernel_size: 2}\n"
        for channels, count in ((2, 2), (2, 2), (3, 3), (4, 3), (4, 3))
    )
    vgg = layers(
        stages + "  - linear: {name: fc6, out_features: 6}\n  - relu\n  - linear: {out_features: 10}\n", "224x224x3"
    )
    padded = slid(vgg, 384, 384)
    assert padded.scores.shape == (10, 6, 6)
    assert padded.stride == (32, 32)
    assert padded.converted.reshaped["fc6"] == {"weight": (6, 4 * 7 * 7)}
    assert len(padded.converted.padded) == 13
    assert padded.difference > 1e-3
    bare = slid(without_padding(vgg), 384, 384)
    assert bare.scores.shape == (10, 6, 6)
    assert bare.stride == (32, 32)
    assert bare.difference < 1e-12


@pytest.mark.slow
def test_with_padding_a_position_is_a_window_without_any() -> None:
    """What is exact: where the field of a position lies inside the image, it sees no padding at all.

    There the one pass gives what the same layers without padding give on the pixels of the field alone.
    """
    graph = layers(NETWORK, "16x16x3")
    weights = SeededWeights(graph, 0, "float64", keep=True)
    converted = convert(analyse(graph, 1, "float64"))
    filters = ReshapedWeights(weights, converted.reshaped)
    large = random_input((3, 48, 52), 1, 0, "float64")
    wide = analyse(converted.analysis.graph.with_input((3, 48, 52)))
    (scores,) = execute(wide.graph, large, filters).outputs.values()
    field = wide.rows[-1].receptive_field
    assert field is not None
    inside = 0
    for i in range(scores.shape[2]):
        for j in range(scores.shape[3]):
            rows, columns = field.axes[0].span(i), field.axes[1].span(j)
            assert rows is not None
            assert columns is not None
            (top, bottom), (left, right) = rows, columns
            if top < 0 or left < 0 or bottom >= 48 or right >= 52:
                continue
            inside += 1
            window = np.ascontiguousarray(large[:, :, top : bottom + 1, left : right + 1])
            bare = without_padding(converted.analysis.graph).with_input(window.shape[1:])
            (alone,) = execute(bare, window, filters).outputs.values()
            assert alone.shape == (1, 3, 1, 1)
            np.testing.assert_allclose(scores[0, :, i, j], alone[0, :, 0, 0], rtol=1e-10)
    assert inside > 20
    # And the crops, which have zeros around them, give something else.
    assert slid(graph, 48, 52).difference > 1e-3


@st.composite
def unpadded(draw: st.DrawFn) -> tuple[LayerGraph, int, int]:
    """A network without padding, and how many positions to slide over."""
    text, size, stride = "", draw(st.integers(1, 3)), 1
    # Built from the end, so that the input has just the size that gives maps of `size`.
    kinds = draw(st.lists(st.sampled_from(["conv", "max", "avg", "lrn", "bn", "branch"]), min_size=1, max_size=4))
    for number, kind in enumerate(kinds):
        window, step = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        if kind == "conv":
            item = f"  - conv_relu: {{name: c{number}, out_channels: 3, kernel_size: {window}, stride: {step}}}\n"
        elif kind in ("max", "avg"):
            item = f"  - {kind}_pool2d: {{kernel_size: {window}, stride: {step}}}\n"
        else:
            window = step = 1
            item = {
                "lrn": "  - local_response_norm\n",
                "bn": f"  - batch_norm2d: {{name: b{number}}}\n",
                "branch": f"  - branches: [[conv2d: {{name: l{number}, out_channels: 2, kernel_size: 1}}], []]\n"
                "    merge: concat\n",
            }[kind]
        # Rows that the windows leave unread are allowed.
        size = (size - 1) * step + window + draw(st.integers(0, step - 1))
        stride *= step
        text = item + text
    end = draw(
        st.sampled_from(["  - linear: {out_features: 4}\n", "  - global_avg_pool2d\n  - linear: {out_features: 4}\n"])
    )
    graph = layers(text + end + "  - softmax\n", f"{size}x{size}x2")
    return graph, size + stride * draw(st.integers(0, 3)), size + stride * draw(st.integers(0, 3))


@examples(80)
@given(unpadded())
def test_random_networks_without_padding_are_equal(case: tuple[LayerGraph, int, int]) -> None:
    graph, height, width = case
    result = slid(graph, height, width)
    assert result.converted.padded == ()
    assert result.difference < 1e-10


def test_auxiliary_outputs_are_left_out() -> None:
    converted = convert(analyse(load("googlenet@aux"))).analysis
    assert len(converted.graph.outputs) == 1
    assert [row.name for row in converted.rows] == [row.name for row in analyse(load("googlenet")).rows]
    assert converted.totals.multiplications == analyse(load("googlenet")).totals.multiplications


@pytest.mark.parametrize(
    "name", ["alexnet", "zfnet", "vgg16", "nin", "resnet50", "mobilenet", "inception_v3", "xception"]
)
def test_a_converted_network_is_the_network(name: str) -> None:
    """On its own input it has one position, as many weights, and as many multiplications."""
    analysis = analyse(load(name))
    converted = convert(analysis).analysis
    assert converted.rows[-1].output_shape == (1000, 1, 1)
    assert converted.totals.params == analysis.totals.params
    assert converted.totals.multiplications == analysis.totals.multiplications


def refused(text: str, size: str = "8x8x4") -> Analysis:
    return analyse(layers(text, size))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  - conv2d: {out_channels: 2, kernel_size: 3}\n", "has no dense layer"),
        ("  - linear: {out_features: 3}\n  - rbf: {out_features: 3}\n", r'layer "rbf1" \(rbf, 1×1×3\) cannot slide'),
        ("  - locally_connected2d: {out_channels: 2, kernel_size: 3}\n  - linear: {out_features: 2}\n", "cannot slide"),
        ("  - adaptive_avg_pool2d: {output_size: 3}\n  - linear: {out_features: 2}\n", "cannot slide"),
        ("  - upsample2d\n  - linear: {out_features: 2}\n", "cannot slide"),
        ("  - reshape: {shape: 2x64x2}\n  - linear: {out_features: 2}\n", "cannot slide"),
    ],
)
def test_what_cannot_slide(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        convert(refused(text))


def test_sizes_that_do_not_meet_the_stride() -> None:
    with pytest.raises(UsageError, match="the height 385 is no 224 plus a multiple of the stride 32: 384 or 416 are"):
        crop_origins((3, 224, 224), (385, 384), (32, 32))
    with pytest.raises(UsageError, match="the width 100 is no 224 plus a multiple of the stride 32: 224 or 256 are"):
        crop_origins((3, 224, 224), (224, 100), (32, 32))


def test_without_padding() -> None:
    graph = without_padding(layers("  - max_pool2d: {kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}\n"))
    assert graph.layers[1].op == op("max_pool2d", kernel_size=3, stride=2)
    with pytest.raises((SpecError, ShapeError)):
        analyse(without_padding(load("resnet18")))


def test_the_documentation_counts_what_the_analysis_counts() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "sliding.md").read_text(encoding="utf-8")
    analysis = analyse(load("vgg16"))
    once = analyse(convert(analysis).analysis.graph.with_input((3, 384, 384))).totals.multiplications
    crops = 36 * analysis.totals.multiplications
    assert f"| `vgg16` on 384×384 | {once:,} | {crops:,} | {crops / once:.1f} times |" in page


def test_shared_weights_slide() -> None:
    text = """\
  - conv2d: {name: a, out_channels: 4, kernel_size: 3}
  - conv2d: {name: b, out_channels: 4, kernel_size: 3, weights: a}
  - linear: {name: f1, out_features: 6}
  - linear: {name: f2, out_features: 6}
  - linear: {name: f3, out_features: 6, weights: f2}
"""
    result = slid(layers(text, "8x8x4"), 12, 12)
    assert result.difference < 1e-12
    assert result.converted.analysis.totals.params == 148 + 390 + 42


def test_weights_of_a_layer_that_is_left_out_cannot_slide() -> None:
    text = """\
  - output: aux
    loss_weight: 0.3
    layers: [conv2d: {name: a, out_channels: 4, kernel_size: 3}]
  - conv2d: {name: b, out_channels: 4, kernel_size: 3, weights: aux/a}
  - linear: {name: f, out_features: 6}
"""
    with pytest.raises(UsageError, match='"b" uses the weights of "aux/a", which the main output does not depend on'):
        convert(analyse(layers(text)))
