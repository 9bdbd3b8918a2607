"""Seeded weights: by name, the same on every machine, and of a good size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archcalc.core.errors import UsageError
from archcalc.execute.kernels import Array
from archcalc.execute.runner import SeededWeights, compare, execute
from archcalc.execute.runner.files import load_weights, save_weights, wanted_arrays
from archcalc.execute.runner.inputs import random_input
from archcalc.execute.runner.memory import needed_bytes
from archcalc.passes.analysis import analyse
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


SHARED = """\
  - conv_bn_relu: {name: a, out_channels: 4, kernel_size: 3, padding: 1}
  - conv_bn_relu: {name: b, out_channels: 4, kernel_size: 3, padding: 1, weights: a}
  - linear: {name: c, out_features: 3}
"""


def test_weights_that_layers_share_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    own = SeededWeights._make

    def noted(self: SeededWeights, layer: str, name: str, size: tuple[int, ...]) -> Array:
        made.append(f"{layer}.{name}")
        return own(self, layer, name, size)

    monkeypatch.setattr(SeededWeights, "_make", noted)
    execution, analysis = run(layers(SHARED), "im2col")
    assert compare(execution, analysis) == []
    assert made == list(wanted_arrays(analysis))
    assert {name.split("/")[0] for name in made} == {"a", "c.weight", "c.bias"}


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_weights_that_layers_share_are_saved_once(tmp_path: Path, suffix: str) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    graph = layers(SHARED)
    analysis, path = analyse(graph), tmp_path / f"weights{suffix}"
    save_weights(path, analysis, SeededWeights(graph, 3))
    loaded = load_weights(path, analysis)
    x = random_input(graph.input_shape, 1, 0, "float32")
    first, second = (execute(graph, x, weights, "im2col") for weights in (SeededWeights(graph, 3), loaded))
    np.testing.assert_array_equal(first.outputs["output"], second.outputs["output"])
    alone = layers(SHARED.replace(", weights: a", ""))
    with pytest.raises(UsageError, match=r"b/conv\.weight"):
        load_weights(path, analyse(alone))


def test_memory_holds_what_is_kept_for_layers_that_share_it() -> None:
    text = "  - linear: {name: a, out_features: 1000}\n  - linear: {name: b, out_features: 1000%s}\n"
    own, shared = (analyse(layers(text % more, "1x1x1000")) for more in ("", ", weights: a"))
    assert needed_bytes(shared) - needed_bytes(own) == 4 * 1_001_000
    assert needed_bytes(shared, keep_weights=True) == needed_bytes(own, keep_weights=True) - 4 * 1_001_000
