"""The deconvnet against unpooling and transposed convolution put together by hand, and against the analysis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import UsageError
from archcalc.execute.kernels import KERNELS, Array
from archcalc.execute.runner import SeededWeights
from archcalc.execute.runner.deconv import RULES, Rule, passed_unchanged, project, strongest
from archcalc.execute.runner.inputs import PRESETS, as_pixels, random_input
from archcalc.execute.runner.tape import record
from archcalc.execute.show.projections import GAP, OUTSIDE, picture
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.networks import layers
from tests.tiers import examples

CHAIN = """\
  - conv2d: {name: c1, out_channels: 6, kernel_size: 3, padding: 1}
  - relu: {name: r1}
  - max_pool2d: {name: p1, kernel_size: 2}
  - conv2d: {name: c2, out_channels: 5, kernel_size: 3, stride: 2}
  - relu: {name: r2}
"""


def projected(graph: LayerGraph, layer: str, images: int = 1, **more: Any) -> tuple[list[Any], Array]:
    x = random_input(graph.input_shape, images, 0, "float64")
    return project(analyse(graph, images, "float64"), x, SeededWeights(graph, 0, "float64"), layer, **more), x


def test_unpool_rectify_filter_by_hand() -> None:
    """Zeiler & Fergus 2013, section 2.1, from the kernels of the deconvnet's own ops."""
    graph = layers(CHAIN, "12x12x3")
    found, x = projected(graph, "r2", top=3)
    weights = SeededWeights(graph, 0, "float64")
    first = weights.of("c1", {"weight": (6, 3, 3, 3), "bias": (6,)})["weight"]
    second = weights.of("c2", {"weight": (5, 6, 3, 3), "bias": (5,)})["weight"]
    maps = record(graph, x, weights).maps
    pool = KERNELS["max_pool2d"].run_with_switches
    assert pool is not None
    _, switches = pool(maps[2], kernel_size=(2, 2), stride=(2, 2))
    assert len(found) > 1
    for each in found:
        signal = np.zeros_like(maps[5])
        signal[each.image, each.channel, each.row, each.column] = each.activation
        assert signal.max() == maps[5][:, each.channel].max()
        pooled = KERNELS["conv_transpose2d"].run(np.maximum(signal, 0), second, stride=(2, 2), output_padding=(1, 1))
        unpooled = KERNELS["max_unpool2d"].run(pooled, pooled, switches=switches, kernel_size=(2, 2))
        pixels = KERNELS["conv_transpose2d"].run(np.maximum(unpooled, 0), first, padding=(1, 1, 1, 1))
        np.testing.assert_allclose(each.pixels, pixels[0], rtol=1e-12, atol=1e-14)


def test_behind_one_convolution_it_is_the_filter() -> None:
    graph = layers("  - conv2d: {name: c, out_channels: 4, kernel_size: 3, stride: 2}\n", "9x9x3")
    found, _ = projected(graph, "c", top=4)
    weight = SeededWeights(graph, 0, "float64").of("c", {"weight": (4, 3, 3, 3), "bias": (4,)})["weight"]
    for each in found:
        top, left, bottom, right = each.region
        assert (top, left, bottom, right) == (2 * each.row, 2 * each.column, 2 * each.row + 2, 2 * each.column + 2)
        np.testing.assert_allclose(
            each.pixels[:, top : bottom + 1, left : right + 1], each.activation * weight[each.channel], rtol=1e-12
        )


@examples(20, quick=3)
@given(st.sampled_from(["conv1", "pool1", "norm1", "conv2", "pool2", "conv3", "conv5"]), st.sampled_from(RULES))
def test_nothing_outside_the_receptive_field(layer: str, rule: Rule) -> None:
    """Two references: the pixels that a signal reaches, and the field that the analysis calculates."""
    graph = load("alexnet", {}, (3, 99, 99))
    found, _ = projected(graph, layer, top=2, rule=rule)
    for each in found:
        outside = each.pixels.copy()
        top, left = max(each.region.top, 0), max(each.region.left, 0)
        outside[:, top : each.region.bottom + 1, left : each.region.right + 1] = 0
        assert not outside.any()
        assert each.pixels.any()


def test_the_gradient_is_that_of_the_activation() -> None:
    graph = layers(CHAIN, "8x8x2")
    (found,), x = projected(graph, "r2", top=1, rule="gradient")
    weights = SeededWeights(graph, 0, "float64")

    def activation(moved: Array) -> float:
        return float(record(graph, moved, weights).maps[5][0, found.channel, found.row, found.column])

    for place in [(0, 0, 0), (1, 3, 4), (0, 2, 3), (1, 4, 2)]:
        step = np.zeros_like(x)
        step[(0, *place)] = 1e-6
        slope = (activation(x + step) - activation(x - step)) / 2e-6
        assert found.pixels[place] == pytest.approx(found.activation * slope, abs=1e-7)


def test_guided_is_both() -> None:
    """Springenberg et al. 2014: where either the signal or the map is below 0, nothing passes."""
    one = "  - conv2d: {name: NAME, out_channels: 8, kernel_size: 1}\n"
    graph = layers(one.replace("NAME", "c") + "  - relu\n" + one.replace("NAME", "d"), "4x4x2")
    results = {rule: projected(graph, "d", top=1, rule=rule) for rule in RULES}
    ((guided,), x) = results["guided"]
    weights = SeededWeights(graph, 0, "float64")
    first = weights.of("c", {"weight": (8, 2, 1, 1), "bias": (8,)})
    second = weights.of("d", {"weight": (8, 8, 1, 1), "bias": (8,)})["weight"]
    before = first["weight"][:, :, 0, 0] @ x[0, :, guided.row, guided.column] + first["bias"]
    signal = np.maximum(guided.activation * second[guided.channel, :, 0, 0], 0) * (before > 0)
    wanted = first["weight"][:, :, 0, 0].T @ signal
    np.testing.assert_allclose(guided.pixels[:, guided.row, guided.column], wanted, rtol=1e-12)
    assert len({result[0][0].pixels.tobytes() for result in results.values()}) == 3


def test_the_strongest_of_each_channel_or_of_one() -> None:
    maps = np.zeros((2, 3, 2, 2))
    maps[1, 2, 0, 1], maps[0, 2, 1, 1], maps[0, 0, 1, 0] = 5, 4, 3
    maps[:, 1] = -1
    assert strongest(maps, 9, None) == [(1, 2, 0, 1), (0, 0, 1, 0)]
    assert strongest(maps, 1, None) == [(1, 2, 0, 1)]
    assert strongest(maps, 9, 2) == [(1, 2, 0, 1), (0, 2, 1, 1)]
    assert strongest(np.array([[1.0, 3, 2]]), 2, None) == [(0, 1), (0, 2)]
    with pytest.raises(UsageError, match="no activation of this layer is above 0"):
        strongest(maps, 9, 1)
    with pytest.raises(UsageError, match="there is no channel 3; the layer has 0 to 2"):
        strongest(maps, 9, 3)


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ("lenet5", "output"),
        ("resnet20_cifar", "fc"),
        *(
            pytest.param(name, layer, marks=pytest.mark.slow)
            for name, layer in [
                ("zfnet", "fc7"),
                ("vgg11", "fc8"),
                ("googlenet", "inception_4a"),
                ("resnet18", "fc"),
            ]
        ),
    ],
)
def test_through_dense_layers_branches_and_shortcuts(network: str, layer: str) -> None:
    graph = load(network)
    if layer not in graph.index:
        layer = next(name for name in reversed(list(graph.index)) if name.startswith(layer))
    (found,), _ = projected(graph, layer, top=1)
    assert found.pixels.any()
    assert found.pixels.shape == graph.input_shape


def test_what_cannot_be_led_back() -> None:
    with pytest.raises(UsageError, match=r'no way back through layer "prob" \(softmax\).*--rule gradient'):
        projected(load("alexnet"), "prob")
    assert projected(load("lenet5"), "softmax1", top=1, rule="gradient")[0][0].pixels.any()
    with pytest.raises(UsageError, match="did you mean conv3"):
        projected(load("alexnet"), "conv33")
    with pytest.raises(UsageError, match="is the input itself"):
        projected(load("alexnet"), "input")


def test_a_factor_is_passed() -> None:
    graph = layers("  - conv2d: {name: c, out_channels: 2, kernel_size: 1}\n  - multiply: {name: m, factor: 0.5}\n")
    half, whole = projected(graph, "m", top=1)[0][0], projected(graph, "c", top=1)[0][0]
    np.testing.assert_allclose(4 * half.pixels, whole.pixels, rtol=1e-12)


def test_what_is_passed_unchanged_is_said() -> None:
    analysis = analyse(load("alexnet"))
    assert passed_unchanged(analysis, "conv3", "deconvnet") == ["norm1", "norm2"]
    assert passed_unchanged(analysis, "conv3", "gradient") == []
    assert passed_unchanged(analysis, "conv1", "deconvnet") == []


# --- the picture


@pytest.mark.parametrize("preset", [*PRESETS, None])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_come_back(preset: str | None, channels: int) -> None:
    from archcalc.execute.runner.inputs import _normalised

    shape = (5, 4, 3) if channels == 3 else (5, 4)
    values = np.random.default_rng(0).integers(0, 256, shape).astype(float)
    back = as_pixels(_normalised(values, channels, preset), preset)
    np.testing.assert_allclose(back[0], values.reshape(5, 4, channels), atol=1e-9)


def test_other_inputs_are_stretched() -> None:
    pixels = as_pixels(np.array([0.0, 1, 2, 4]).reshape(1, 1, 2, 2), image=False)
    np.testing.assert_allclose(pixels[0, :, :, 0], [[0, 63.75], [127.5, 255]])
    assert as_pixels(np.zeros((1, 5, 2, 2)), image=False).shape == (1, 2, 2, 1)


def test_the_picture_shows_fields_next_to_projections() -> None:
    graph = layers("  - conv2d: {name: c, out_channels: 4, kernel_size: 3, padding: 1}\n", "6x6x3")
    found, x = projected(graph, "c", top=4)
    images = as_pixels(x, image=False)
    drawn = picture(found, images)
    # Two squares of 2×2 tiles, each 3 pixels enlarged 37 times.
    tile = 3 * 37
    assert drawn.shape == (2 * (tile + GAP) + GAP, 2 * (2 * (tile + GAP) + GAP) + 24, 3)
    for number, each in enumerate(found):
        row, column = divmod(number, 2)
        top, left = row * (tile + GAP) + GAP, drawn.shape[1] // 2 + 12 + column * (tile + GAP) + GAP
        patch = drawn[top : top + tile : 37, left : left + tile : 37]
        for i in range(3):
            for j in range(3):
                y, z = each.region.top + i, each.region.left + j
                inside = 0 <= y < 6 and 0 <= z < 6
                wanted = images[0, y, z] if inside else np.full(3, float(OUTSIDE))
                np.testing.assert_allclose(patch[i, j], wanted, atol=1)
