"""Seeded weights: by name, the same on every machine, and of a good size."""

from __future__ import annotations

import numpy as np
import pytest

from archcalc.execute.kernels import Array
from archcalc.execute.runner import SeededWeights
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import run, smaller
from tests.networks import layers


def test_a_layer_has_the_same_weights_whatever_is_next_to_it() -> None:
    alone = layers("  - conv2d: {name: c, out_channels: 4, kernel_size: 3}\n  - relu\n")
    after = layers("  - relu\n  - conv2d: {name: c, out_channels: 4, kernel_size: 3}\n  - relu\n")
    sizes = {"weight": (4, 4, 3, 3), "bias": (4,)}
    first, second = (SeededWeights(graph, 3).of("c", sizes) for graph in (alone, after))
    for name in sizes:
        np.testing.assert_array_equal(first[name], second[name])
    assert not np.array_equal(first["weight"], SeededWeights(alone, 4).of("c", sizes)["weight"])


def test_weights_are_the_same_on_every_machine() -> None:
    """Uniform numbers from Philox are bits, shifted and scaled: no machine's mathematics library has a say."""
    graph = layers("  - conv2d: {name: c, out_channels: 4, kernel_size: 3}\n")
    weight = SeededWeights(graph).of("c", {"weight": (4, 4, 3, 3)})["weight"]
    assert weight.dtype == np.float32
    np.testing.assert_array_equal(weight.ravel()[:3], np.array(FIRST_WEIGHTS, np.float32))
    double = SeededWeights(graph, dtype="float64").of("c", {"weight": (4, 4, 3, 3)})["weight"]
    np.testing.assert_array_equal(double, weight.astype(np.float64))


FIRST_WEIGHTS = (-0.0828266590833664, -0.14107069373130798, -0.07286164164543152)


def test_weights_spread_as_he_and_glorot_say() -> None:
    text = "  - conv2d: {name: c, out_channels: 64, kernel_size: 3, padding: 1}\n"
    sizes = {"weight": (64, 64, 3, 3)}
    rectified = SeededWeights(layers(text + "  - relu\n", "8x8x64")).of("c", sizes)["weight"]
    plain = SeededWeights(layers(text + "  - tanh\n", "8x8x64")).of("c", sizes)["weight"]
    assert rectified.var() == pytest.approx(2 / (64 * 9), rel=0.02)
    assert plain.var() == pytest.approx(2 / (64 * 9 + 64 * 9), rel=0.02)


@pytest.mark.parametrize(
    "name",
    [
        "resnet20_cifar",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("resnet152", "inception_resnet_v2", "plain34", "vgg19", "xception", "resnet110_cifar")
        ),
    ],
)
def test_activations_neither_vanish_nor_explode(name: str) -> None:
    spreads: list[float] = []

    def observe(index: int, array: Array) -> None:
        spreads.append(float(np.sqrt(np.mean(np.square(array)))))

    run(smaller(load(name)), count=False, observe=observe)
    # The softmax at the end makes small numbers by its nature.
    assert min(spreads[:-1]) > 1e-2
    assert max(spreads) < 100
