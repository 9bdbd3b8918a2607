"""Ops that cannot be executed are named; kernels, gradients and quick forms can be registered from outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archcalc.core.errors import UsageError
from archcalc.execute.kernels import KERNELS, Array, kernel
from archcalc.execute.kernels.backward import BACKWARD, Gradients, backward
from archcalc.execute.quick.registry import FORMS
from archcalc.execute.runner import Plan, SeededWeights, compare, execute
from archcalc.execute.runner.gradients import measure
from archcalc.execute.runner.inputs import random_input
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops import Op
from archcalc.ops.base import Pointwise
from archcalc.passes.analysis import analyse
from tests.cli.runner import Run
from tests.execute.runner.runs import outputs
from tests.networks import chain, op


class Leaky(Pointwise):
    """max(x, slope·x), which the package does not have."""

    kind = "leaky_for_tests"
    stem = "leaky"
    family = "activation"
    in_place = True

    slope: float = 0.1


def network(layer: Op) -> LayerGraph:
    conv = op("conv2d", out_channels=4, kernel_size=3)
    return chain((op("input", shape=(2, 6, 6)), ()), (conv, (0,)), (layer, (1,)), (op("linear", out_features=3), (2,)))


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch) -> LayerGraph:
    """A network with an op from outside, whose kernel and gradient are registered as anybody would."""
    monkeypatch.setitem(KERNELS, "leaky_for_tests", KERNELS["relu"])
    monkeypatch.setitem(BACKWARD, "leaky_for_tests", BACKWARD["relu"])

    @kernel("leaky_for_tests")
    def run(x: Array, *, slope: float, out: Array | None = None) -> Array:
        return np.asarray(np.maximum(x, slope * x, out=out))

    @backward("leaky_for_tests")
    def back(grad: Array, x: Array, *, slope: float) -> Gradients:
        return Gradients((grad * np.where(x > 0, 1, slope),))

    return network(Leaky(slope=0.25))


@pytest.mark.parametrize("algorithm", ["auto", "loops", "im2col", "fast"])
def test_a_kernel_from_outside_runs(leaky: LayerGraph, algorithm: Any) -> None:
    x = random_input(leaky.input_shape, 2, 0, "float64")
    maps: dict[int, Array] = {}
    execution = execute(
        leaky,
        x,
        SeededWeights(leaky, dtype="float64"),
        algorithm,
        observe=lambda index, array: maps.update({index: array.copy()}),
    )
    assert compare(execution, analyse(leaky, 2, "float64")) == []
    np.testing.assert_array_equal(maps[2], np.where(maps[1] > 0, maps[1], maps[1] * 0.25))


def test_a_gradient_from_outside_runs(leaky: LayerGraph) -> None:
    analysis = analyse(leaky, 2, "float64")
    x = random_input(leaky.input_shape, 2, 0, "float64")
    result = measure(analysis, x, SeededWeights(leaky, dtype="float64"))
    assert all(layer.weights and np.isfinite(layer.weights) for layer in result.multiplying)


@pytest.mark.parametrize("algorithm", ["auto", "loops", "im2col", "fast"])
def test_an_op_without_a_kernel_cannot_be_executed(algorithm: Any) -> None:
    graph = network(Leaky())
    message = r'layer "2" \(leaky_for_tests\) cannot be executed: leaky_for_tests has no kernel'
    with pytest.raises(UsageError, match=message):
        execute(graph, random_input(graph.input_shape, 1, 0, "float32"), SeededWeights(graph), algorithm)
    with pytest.raises(UsageError, match=message):
        Plan(graph, SeededWeights(network(op("relu"))))


def test_an_op_without_a_quick_form_runs_as_its_plain_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network(op("relu"))
    weights = SeededWeights(graph, keep=True)
    x = random_input(graph.input_shape, 2, 0, "float32")
    (wanted,) = outputs(Plan(graph, weights).run(x))
    for kind in list(FORMS):
        monkeypatch.delitem(FORMS, kind)
    plan = Plan(graph, weights)
    assert [group.layers for group in plan.groups] == [(0,), (1,), (2,), (3,)]
    np.testing.assert_allclose(outputs(plan.run(x))[0], wanted, rtol=0, atol=1e-5)


#: Commands, and what they need of the op tanh or sigmoid of LeNet-5.
COMMANDS = {
    "run": ("run", "lenet5"),
    "fast": ("run", "lenet5", "--algorithm", "im2col", "--save-activations", "maps"),
    "gradients": ("gradients", "lenet5"),
    "deconv": ("deconv", "lenet5", "--layer", "C3"),
    "sliding": ("sliding", "lenet5", "--input", "48x48x1"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_program_says_what_cannot_be_executed(
    refuses: Run, monkeypatch: pytest.MonkeyPatch, command: str, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(KERNELS, "sigmoid")
    message = refuses(*COMMANDS[command]).err
    assert 'layer "sigmoid1" (sigmoid) cannot be executed: sigmoid has no kernel' in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["gradients", "deconv"])
def test_the_program_says_what_has_no_gradient(refuses: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.delitem(BACKWARD, "sigmoid")
    message = refuses(*COMMANDS[command]).err
    assert 'layer "sigmoid1" (sigmoid) has no gradient: sigmoid defines none' in message
