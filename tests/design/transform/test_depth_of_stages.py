"""Stages of two blocks next to longer ones."""

from __future__ import annotations

import pytest

import archcalc as ac
from archcalc.design.transform.transform import transform


@pytest.mark.parametrize(
    ("network", "units"),
    [
        ("resnet18", {"conv2_x": 4, "conv3_x": 4, "conv4_x": 4, "conv5_x": 4}),
        ("mobilenet_v2", {"bottleneck2": 4, "bottleneck3": 6, "bottleneck4": 8, "bottleneck5": 6, "bottleneck6": 6}),
    ],
)
def test_every_stage_is_twice_as_deep(network: str, units: dict[str, int]) -> None:
    deeper = ac.transform(network, ("depth", "2")).value.analyse()
    for stage, number in units.items():
        assert len({row.name.split("/")[1] for row in deeper if row.name.startswith(f"{stage}/")}) == number


STAGES = """
name: stages
title: Stages
input: 32x32x3
blocks:
  unit:
    parameters: {w: {type: int}, s: {type: int, default: 1}}
    layers:
      - conv2d: {name: a, out_channels: w, kernel_size: 3, stride: s, padding: 1}
      - relu
layers:
  - conv2d: {name: stem, out_channels: 16, kernel_size: 3, padding: 1}
  - unit: {w: 16, repeat: 2}
  - unit: {w: 32, s: 2}
  - unit: {w: 32}
  - linear: {out_features: 10}
"""


@pytest.mark.parametrize(
    ("factor", "became", "change"),
    # A convolution of 16 to 16 channels has 2,320 parameters, one of 32 to 32 has 9,248.
    [("2", 4, 2 * 2_320 + 2 * 9_248), ("0.5", 1, -2_320 - 9_248)],
)
def test_blocks_that_are_called_alike_are_a_stage_without_a_block_around_them(
    factor: str, became: int, change: int
) -> None:
    network = ac.from_yaml(STAGES)
    done = transform(network.analyse(), [("depth", [factor])])
    assert done.steps[0].rewritten.notes == (
        f"unit1 to unit2: 2 blocks became {became}", f"unit3 to unit4: 2 blocks became {became}"
    )  # fmt: skip
    assert done.after.totals.params - network.analyse().totals.params == change
