"""Networks over signals and volumes: runs, gradients and pictures; what is for images alone says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from archcalc.core.errors import UsageError
from archcalc.core.shapes import format_shape
from archcalc.execute.runner import SeededWeights, compare
from archcalc.execute.runner.deconv import check_layer
from archcalc.execute.runner.execute import Algorithm
from archcalc.execute.runner.gradients import measure
from archcalc.execute.runner.initial import InitialWeights
from archcalc.execute.runner.inputs import random_input
from archcalc.execute.runner.sliding import slide
from archcalc.execute.show.feature_maps import feature_maps, save_picture
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops import Op
from archcalc.passes.analysis import analyse
from tests.execute.runner.runs import run
from tests.networks import chain, op

#: A layer of every family that slides, with what a plan does between them.
NETWORK = """\
  - conv{r}d: {{name: c1, out_channels: 6, kernel_size: 3, padding: same, stride: 2}}
  - batch_norm{r}d
  - relu: {{name: first}}
  - conv{r}d: {{name: c2, out_channels: 6, kernel_size: 3, padding: 1, groups: 2}}
  - add: {{from: [c2, first]}}
  - relu
  - depthwise_conv{r}d: {{kernel_size: 3, padding: 1, dilation: 1}}
  - batch_norm{r}d: {{name: bn}}
  - max_pool{r}d: {{name: p1, kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}}
  - conv_transpose{r}d: {{name: up, out_channels: 4, kernel_size: 2, stride: 2}}
  - upsample{r}d: {{scale: 2}}
  - zero_pad{r}d: {{padding: 1}}
  - crop{r}d: {{name: wide, margins: 1}}
  - slice{r}d: {{step: 2}}
  - avg_pool{r}d: {{kernel_size: 2, stride: 1, count_include_pad: false, padding: 1}}
  - local_response_norm
  - tanh: {{name: t}}
  - concat: {{from: [t, t]}}
  - lp_pool{r}d: {{kernel_size: 2}}
  - subsampling{r}d: {{kernel_size: 2, stride: 1}}
  - adaptive_avg_pool{r}d: {{output_size: 2}}
  - locally_connected{r}d: {{out_channels: 3, kernel_size: 2, padding: 1}}
  - adaptive_max_pool{r}d: {{output_size: 2}}
  - global_max_pool{r}d
  - dropout
  - flatten
  - linear: {{name: fc, out_features: 5}}
  - softmax
"""
#: Channels and positions of the input.
SHAPES = {1: (2, 32), 2: (2, 16, 14), 3: (2, 8, 12, 10)}
every_rank = pytest.mark.parametrize("rank", SHAPES)


def network(rank: int) -> LayerGraph:
    places: dict[str, int] = {}
    made: list[tuple[Op, Sequence[int]]] = [(op("input", shape=SHAPES[rank]), ())]
    for item in yaml.safe_load(NETWORK.format(r=rank)):
        kind, fields = (item, {}) if isinstance(item, str) else next(iter(item.items()))
        given = dict(fields or {})
        places[given.pop("name", "")] = len(made)
        sources = [places[name] for name in given.pop("from", [])] or [len(made) - 1]
        made.append((op(kind, **given), sources))
    return chain(*made)


@every_rank
@pytest.mark.parametrize(("algorithm", "count"), [("im2col", True), ("loops", True), ("fast", False), ("auto", False)])
def test_runs_agree_with_the_analysis(rank: int, algorithm: Algorithm, count: bool) -> None:
    execution, analysis = run(network(rank), algorithm, count, batch=2)
    assert compare(execution, analysis, memory=count) == []
    (out,) = execution.outputs.values()
    np.testing.assert_allclose(out.sum(axis=1), 1, rtol=1e-5)


@every_rank
def test_all_algorithms_give_the_same(rank: int) -> None:
    made = network(rank)
    found = [
        next(iter(run(made, algorithm, False, dtype="float64")[0].outputs.values()))
        for algorithm in ("im2col", "loops", "fast")
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-9)


@every_rank
def test_a_plan_has_the_values_of_the_plain_kernels(rank: int) -> None:
    execution, analysis = run(network(rank), "fast", False, compare_values=True)
    assert execution.values is not None
    assert len(execution.values.compared) >= 4
    assert compare(execution, analysis) == []


@every_rank
def test_gradients_are_measured(rank: int) -> None:
    analysis = analyse(network(rank), 2, "float64")
    x = random_input(analysis.graph.input_shape, 2, 0, "float64")
    result = measure(analysis, x, InitialWeights(analysis.graph, 0, "float64"))
    assert math.isfinite(result.loss)
    for layer in result.multiplying:
        assert layer.weights is not None
        assert layer.weights > 0, layer.name


@pytest.mark.parametrize("rank", [1, 3])
def test_what_is_for_images_says_so(rank: int) -> None:
    analysis = analyse(network(rank))
    size = format_shape(SHAPES[rank])
    with pytest.raises(UsageError, match=f"a projection to the pixels is for images; .* is {size}"):
        check_layer(analysis, "1", "deconvnet")
    x = random_input(analysis.graph.input_shape, 1, 0, "float32")
    with pytest.raises(UsageError, match=f"sliding is for images; .* is {size}"):
        slide(analysis, x, SeededWeights(analysis.graph))


@pytest.mark.parametrize(
    ("shape", "height", "width"),
    [
        pytest.param((4, 32), 4, 32, id="signal: the channels are the rows"),
        pytest.param((4, 32, 40), 2 * 32, 2 * 40, id="image: four tiles"),
        pytest.param((2, 3, 32, 40), 2 * 32, 3 * 40, id="volume: six slices"),
    ],
)
def test_pictures_of_maps(tmp_path: Path, shape: tuple[int, ...], height: int, width: int) -> None:
    path = tmp_path / "maps.png"
    save_picture(path, feature_maps(np.random.default_rng(0).standard_normal(shape)))
    with Image.open(path) as picture:
        # Between and around the tiles there are lines of 2 pixels.
        assert 0 < picture.height - height <= 2 * 4
        assert 0 < picture.width - width <= 2 * 4
