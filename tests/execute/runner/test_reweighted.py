"""Weights that are made of other arrays: what a network does with them, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest

from archcalc.execute.kernels.reweighted import made, power_method
from archcalc.execute.runner import SeededWeights, compare, execute
from archcalc.execute.runner.inputs import random_input
from archcalc.execute.runner.sliding import slide
from archcalc.execute.runner.tape import record, rewind
from archcalc.passes.analysis import analyse
from tests.execute.runner.runs import outputs, run
from tests.networks import layers

EVERY = """\
  - conv2d: {name: a, out_channels: 4, kernel_size: 2, weight_norm: true}
  - conv2d: {name: b, out_channels: 4, kernel_size: 2, groups: 2, spectral_norm: true, bias: false}
  - depthwise_conv2d: {name: c, kernel_size: 2, spectral_norm: true}
  - conv_transpose2d: {name: d, out_channels: 3, kernel_size: 2, stride: 2, weight_norm: true}
  - conv_transpose2d: {name: e, out_channels: 2, kernel_size: 2, spectral_norm: true}
  - linear: {name: f, out_features: 3, per_position: true, weight_norm: true}
  - linear: {name: g, out_features: 2, spectral_norm: true}
"""


def test_execution_equals_the_analysis() -> None:
    for algorithm in ("loops", "im2col"):
        execution, analysis = run(layers(EVERY, "5x4x2"), algorithm)
        assert compare(execution, analysis) == []


def test_the_planned_run_is_the_same() -> None:
    graph = layers(EVERY, "5x4x2")
    x, weights = random_input(graph.input_shape, 2, 0, "float64"), SeededWeights(graph, 0, "float64", keep=True)
    wanted, fast = (outputs(execute(graph, x, weights, each))[0] for each in ("loops", "fast"))
    np.testing.assert_allclose(fast, wanted, rtol=1e-9, atol=1e-12)


def test_every_filter_has_its_length() -> None:
    v, g = np.arange(1.0, 25).reshape(2, 3, 2, 2), np.array([3.0, 5.0]).reshape(2, 1, 1, 1)
    arrays = made({"original0": g, "original1": v, "bias": np.zeros(2)})
    assert set(arrays) == {"weight", "bias"}
    weight = arrays["weight"].reshape(2, -1)
    assert np.sqrt((weight**2).sum(axis=1)) == pytest.approx([3, 5])
    np.testing.assert_allclose(weight / v.reshape(2, -1), np.repeat(weight[:, :1] / v.reshape(2, -1)[:, :1], 12, 1))


@pytest.mark.parametrize("axis", [0, 1])
def test_the_largest_singular_value_becomes_one(axis: int) -> None:
    draw = np.random.default_rng(0)
    weight = draw.standard_normal((5, 4, 3))
    start = np.asarray(draw.standard_normal(weight.shape[axis]))
    u, v = power_method(weight, start, axis, steps=500)
    whole = made({"weight": weight, "_u": u, "_v": v}, axis)["weight"]
    matrix = np.moveaxis(whole, axis, 0).reshape(weight.shape[axis], -1)
    assert np.linalg.svd(matrix, compute_uv=False)[0] == pytest.approx(1)


def test_finite_differences() -> None:
    graph = layers(EVERY, "5x4x2")
    x, weights = random_input(graph.input_shape, 2, 0, "float64"), SeededWeights(graph, 0, "float64", keep=True)
    tape = record(graph, x, weights)
    last = len(graph) - 1
    seed = np.random.default_rng(0).standard_normal(tape.maps[last].shape)

    def loss() -> float:
        return float((record(graph, x, weights).maps[last] * seed).sum())

    names = set()
    for step in rewind(tape, {last: seed}):
        kept = weights.kept(graph.layers[step.layer].name)
        for name, found in step.arrays.items():
            names.add(name)
            array = kept[name]
            wanted = np.zeros_like(array)
            for place in np.ndindex(array.shape):
                value = array[place]
                array[place] = value + 1e-6
                above = loss()
                array[place] = value - 1e-6
                wanted[place] = (above - loss()) / 2e-6
                array[place] = value
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * max(np.abs(wanted).max(), 1))
    assert names == {"weight", "original0", "original1", "bias"}


def test_a_normalised_dense_layer_slides() -> None:
    text = "  - conv2d: {out_channels: 2, kernel_size: 2}\n  - linear: {out_features: 3, weight_norm: true}\n"
    analysis = analyse(layers(text, "4x4x1"), 1, "float64")
    weights = SeededWeights(analysis.graph, 0, "float64", keep=True)
    slid = slide(analysis, random_input((1, 6, 5), 1, 0, "float64"), weights)
    assert slid.scores.shape == (3, 3, 2)
    assert slid.difference < 1e-12
