"""Outputs of rewritten networks on random weights."""

from __future__ import annotations

import pytest

import archcalc as ac
from archcalc.design.transform.transform import transform
from archcalc.execute.runner.equivalent import TOLERANCE, Change, difference
from archcalc.passes.analysis import analyse
from tests.tiers import slow_but

TRANSPOSED = """
name: net
title: Net
input: 5x5x4
layers:
  - conv_transpose2d: {out_channels: 6, kernel_size: 3, stride: 2, groups: 2}
  - batch_norm2d: {shift: false}
  - relu
  - depthwise_conv2d: {kernel_size: 3, depth_multiplier: 2, bias: false}
  - batch_norm2d: {scale: false, epsilon: 0.1}
  - linear: {out_features: 7}
  - batch_norm1d
  - relu
  - linear: {out_features: 3}
"""

#: A batch norm after each layer whose weight is stored in another way than a plain convolution's, by what it is.
FOLDS = {
    "weight norm": "conv2d: {name: c, out_channels: 4, kernel_size: 3, weight_norm: true}",
    "weight norm, no bias": "conv2d: {name: c, out_channels: 4, kernel_size: 3, weight_norm: true, bias: false}",
    "weight norm, groups": "conv2d: {name: c, out_channels: 4, kernel_size: 3, groups: 2, weight_norm: true}",
    "weight norm, depthwise": "depthwise_conv2d: {name: c, kernel_size: 3, weight_norm: true}",
    "weight norm, transposed": "conv_transpose2d: {name: c, out_channels: 6, kernel_size: 3, weight_norm: true}",
    "weight norm, dense": "linear: {name: c, out_features: 5, weight_norm: true}",
    "spectral norm": "conv2d: {name: c, out_channels: 4, kernel_size: 3, spectral_norm: true}",
    "spectral norm, transposed": "conv_transpose2d: {name: c, out_channels: 6, kernel_size: 3, groups: 2, "
    "spectral_norm: true}",
    "spectral norm, dense": "linear: {name: c, out_features: 5, spectral_norm: true}",
    "connection table": "conv2d: {name: c, out_channels: 3, kernel_size: 3, connections: [[0], [0, 1, 3], [2, 3]]}",
    "no shared weights": "locally_connected2d: {name: c, out_channels: 3, kernel_size: 3}",
    "no shared weights, no bias": "locally_connected2d: {name: c, out_channels: 3, kernel_size: 3, bias: false}",
}  # fmt: skip

PATTERN = "16x16x3 -> conv3-8 -> bn -> relu -> pool2 -> conv3-4/2 -> bn -> fc10 -> relu -> fc5"


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (TRANSPOSED, ["fold-batch-norm"]),
        (PATTERN, ["fold-batch-norm", "fc-to-conv"]),
        *slow_but([], [("lenet5", ["fc-to-conv"]), ("resnet18", ["fold-batch-norm", "fc-to-conv"])]),
    ],
)  # fmt: skip
def test_outputs_stay_the_same(network: str, names: list[str]) -> None:
    assert _differs(network, names) <= TOLERANCE


@pytest.mark.parametrize("layer", FOLDS.values(), ids=FOLDS)
def test_batch_norm_folds_into_weights_however_they_are_stored(layer: str) -> None:
    rank = 1 if "linear" in layer else 2
    net = f"""
name: net
title: Net
input: 6x6x4
layers:
  - {layer}
  - batch_norm{rank}d: {{name: bn}}
  - linear: {{name: last, out_features: 3}}
"""
    assert _differs(net, ["fold-batch-norm"]) <= TOLERANCE


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
def test_dense_layers_with_normalised_weights_slide(norm: str) -> None:
    net = f"""
name: net
title: Net
input: 6x6x4
layers:
  - linear: {{name: a, out_features: 5, {norm}: true}}
  - linear: {{name: b, out_features: 3, {norm}: true}}
"""
    assert _differs(net, ["fc-to-conv"]) <= TOLERANCE


def _differs(network: str, names: list[str]) -> float:
    """How much the outputs differ once all these rewrites are done."""
    graph = ac.from_yaml(network) if network.startswith("\n") else ac.load(network)
    done = transform(analyse(graph, dtype="float64"), [(name, ()) for name in names])
    assert [step.name for step in done.same] == names
    changes, now = [], done.before
    for step in done.same:
        changes.append(Change(now, step.rewritten.folded, step.rewritten.reshaped))
        now = step.after
    return difference(done.before, now.graph, changes)


def test_a_network_of_another_function_is_found() -> None:
    first = analyse(ac.load("16x16x3 -> conv3-8 -> relu -> fc5"), dtype="float64")
    other = ac.load("16x16x3 -> conv3-8 -> tanh -> fc5")
    assert difference(first, other, []) > 0.01
