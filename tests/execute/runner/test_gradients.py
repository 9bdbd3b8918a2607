"""Gradient norms of networks: the loss, the initial weights, and what the textbooks say about both."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from archcalc.core.errors import UsageError
from archcalc.execute.runner.gradients import Measured, measure, norm
from archcalc.execute.runner.initial import InitialWeights
from archcalc.execute.runner.inputs import random_input
from archcalc.execute.runner.loss import cross_entropy, losses
from archcalc.execute.runner.tape import record, rewind
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.cli.runner import Run
from tests.networks import layers


def measured(name: str, batch: int = 2, dtype: str = "float64") -> Measured:
    analysis = analyse(load(name), batch, dtype)
    x = random_input(analysis.graph.input_shape, batch, 0, dtype)
    return measure(analysis, x, InitialWeights(analysis.graph, 0, dtype))


# --- the loss


def test_cross_entropy_by_hand() -> None:
    """Softmax of (0, ln 3): ¼ and ¾."""
    scores = np.array([[0.0, math.log(3)], [math.log(3), 0]])
    value, gradient = cross_entropy(scores, np.array([0, 0]))
    assert value == pytest.approx((math.log(4) + math.log(4 / 3)) / 2)
    np.testing.assert_allclose(gradient, np.array([[-0.75, 0.75], [-0.25, 0.25]]) / 2)


def test_cross_entropy_of_positions_by_differences() -> None:
    draw = np.random.default_rng(0)
    scores, labels = draw.standard_normal((2, 3, 2, 2)), draw.integers(0, 3, (2, 2, 2))
    _, gradient = cross_entropy(scores, labels)
    for place in np.ndindex(scores.shape):
        moved = scores.copy()
        moved[place] += 1e-6
        above = cross_entropy(moved, labels)[0]
        moved[place] -= 2e-6
        assert gradient[place] == pytest.approx((above - cross_entropy(moved, labels)[0]) / 2e-6, abs=1e-8)


def test_large_scores_do_not_overflow() -> None:
    value, gradient = cross_entropy(np.array([[1e4, 0.0]], np.float32), np.array([1]))
    assert value == 1e4
    assert gradient.tolist() == [[1, -1]]


@pytest.mark.slow
def test_auxiliary_losses_weigh_as_the_network_says() -> None:
    """Szegedy et al. 2014, section 5: the losses of the auxiliary classifiers weigh 0.3."""
    plain, aux = measured("googlenet", 1, "float32"), measured("googlenet@aux", 1, "float32")
    assert [(name, weight) for name, weight, _ in aux.losses] == [("output", 1), ("aux1", 0.3), ("aux2", 0.3)]
    assert aux.losses[0] == plain.losses[0]
    assert aux.loss == pytest.approx(sum(weight * value for _, weight, value in aux.losses))
    before = {layer.name: layer.weights for layer in plain.multiplying}
    changed = {layer.name: layer.weights != pytest.approx(before[layer.name], rel=1e-6) for layer in aux.multiplying
               if layer.name in before}  # fmt: skip
    # aux2 reads 4d: what comes after gets nothing of it, what comes before gets more or less.
    assert not any(changed[name] for name in changed if name.startswith(("inception_4e", "inception_5", "classifier")))
    assert all(changed[name] for name in changed if name.startswith(("conv", "inception_3", "inception_4a")))


def test_distances_are_scores_turned_over() -> None:
    """LeNet-5 of 1998: the smallest distance wins, so the right class's distance has a positive gradient."""
    graph = load("lenet5@1998")
    x = random_input(graph.input_shape, 2, 0, "float64")
    tape = record(graph, x, InitialWeights(graph, 0, "float64"))
    (loss,) = losses(graph, tape.maps, 0)
    distances = tape.maps[loss.layer]
    assert ((loss.gradient > 0).sum(axis=1) == 1).all()
    p = np.exp(-distances) / np.exp(-distances).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.abs(loss.gradient)[loss.gradient < 0], (p / 2)[loss.gradient < 0], rtol=1e-9)


def test_one_class_is_refused() -> None:
    graph = layers("  - linear: {out_features: 1}\n")
    tape = record(graph, random_input(graph.input_shape, 1, 0, "float64"), InitialWeights(graph, 0, "float64"))
    with pytest.raises(UsageError, match="one class"):
        losses(graph, tape.maps, 0)


# --- the weights


@pytest.mark.parametrize(("init", "variance"), [("he", 2 / 576), ("glorot", 2 / (576 + 288)), ("0.01", 1e-4)])
def test_initial_weights_spread_as_asked(init: str, variance: float) -> None:
    graph = layers("  - conv2d: {name: c, out_channels: 32, kernel_size: 3}\n  - batch_norm2d: {name: b}\n", "8x8x64")
    weights = InitialWeights(graph, 0, "float64", init)
    made = weights.of("c", {"weight": (32, 64, 3, 3), "bias": (32,)})
    assert made["weight"].var() == pytest.approx(variance, rel=0.03)
    assert not made["bias"].any()
    made = weights.of("b", {"weight": (32,), "bias": (32,)})
    assert (made["weight"] == 1).all()
    assert not made["bias"].any()


@pytest.mark.parametrize("init", ["", "nan", "-1", "0", "big", "1e9", "inf"])
def test_an_unknown_initialisation_is_refused(init: str) -> None:
    with pytest.raises(UsageError, match="--init takes auto, he, glorot or a standard deviation"):
        InitialWeights(load("lenet5"), init=init)


# --- the norms


def test_a_norm_of_tiny_numbers_is_not_0() -> None:
    assert norm(np.full((3, 3), 1e-30, np.float32)) == pytest.approx(3e-30, rel=1e-6)
    big = np.ones((1 << 20) + 7, np.float32)
    assert norm(big) == pytest.approx(math.sqrt(big.size), rel=1e-12)


@pytest.mark.slow
def test_small_weights_shrink_gradients_by_their_deviations() -> None:
    """He et al. 2015 (Delving deep into rectifiers), section 2.2, on VGG's model B with deviation 0.01.

    Without biases a rectified network is linear along a ray of its weights: with the same signs of all weights, the
    gradient after a layer shrinks by exactly the ratio of the deviations, layer by layer. The paper's product for
    conv2 … conv10 is 1/(5.9·4.2²·2.9²·2.1⁴) = 1/(1.7·10⁴), by fan-out; here by fan-in.
    """
    graph = load("vgg13").with_input((3, 32, 32))
    x = random_input(graph.input_shape, 1, 0, "float64")
    convs = [index for index, layer in enumerate(graph) if layer.op.kind == "conv2d"]
    factor, norms = 1.0, []
    for init in ("he", "0.01"):
        tape = record(graph, x, InitialWeights(graph, 0, "float64", init))
        if init == "he":
            for index in convs[1:]:
                factor *= math.sqrt(2 / tape.arrays[index]["weight"][0].size) / 0.01
        steps = {step.layer: step.map for step in rewind(tape, {convs[-1]: np.ones_like(tape.maps[convs[-1]])})}
        back = steps[convs[0]]
        assert back is not None
        norms.append(norm(back))
    assert factor == pytest.approx(5.9**2 * 4.2**2 * 2.9**2 * 2.1**3, rel=0.05)
    assert norms[0] / norms[1] == pytest.approx(factor, rel=1e-7)


def test_deep_sigmoids_vanish_and_rectifiers_do_not() -> None:
    """The derivative of a sigmoid is at most ¼; Glorot & Bengio 2010."""

    def shrink(function: str) -> float:
        result = measured(f"16x16x3 -> [conv3-8 -> {function}]*20 -> fc10")
        first, *_, last = (layer.weights for layer in result.multiplying)
        assert first is not None
        assert last is not None
        return first / last

    assert shrink("sigmoid") < 1e-8
    assert 0.01 < shrink("relu") < 100


def test_layers_behind_the_loss_have_no_gradient() -> None:
    result = measured("lenet5")
    assert result.layers[-1].op.kind == "softmax"
    assert result.layers[-1].map is None
    assert result.layers[-2].map is not None
    assert [layer.name for layer in result.layers] == [row.name for row in result.analysis.rows]


# --- the documentation

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "gradients.md"
ROWS = re.findall(
    r"^\| `(.*?)` \| (?:`(.*?)`)? ?\| (.*?) \| (.*?) \| (.*?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
)


def test_the_table_of_the_documentation_is_found() -> None:
    assert len(ROWS) == 13


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options", "first", "last", "ratio"), ROWS, ids=lambda value: value)
def test_the_documentation_says_what_is_measured(
    archcalc: Run, name: str, options: str, first: str, last: str, ratio: str
) -> None:
    document = archcalc("gradients", name, *options.split(), "-f", "json").json
    found_layers = [layer for layer in document["networks"][0]["layers"] if layer["op"] in ("conv2d", "linear")]
    found = found_layers[0]["weight_gradient"], found_layers[-1]["weight_gradient"]
    assert found == pytest.approx((float(first), float(last)), rel=0.02)
    assert found[0] / found[1] == pytest.approx(float(ratio), rel=0.02)
