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
    graph = ac.from_yaml(network) if network.startswith("\n") else ac.load(network)
    done = transform(analyse(graph, dtype="float64"), [(name, ()) for name in names])
    changes, now = [], done.before
    for step in done.same:
        changes.append(Change(now, step.rewritten.folded, step.rewritten.reshaped))
        now = step.after
    assert difference(done.before, now.graph, changes) <= TOLERANCE


def test_a_network_of_another_function_is_found() -> None:
    first = analyse(ac.load("16x16x3 -> conv3-8 -> relu -> fc5"), dtype="float64")
    other = ac.load("16x16x3 -> conv3-8 -> tanh -> fc5")
    assert difference(first, other, []) > 0.01
