"""Stages of two blocks next to longer ones."""

from __future__ import annotations

import pytest

import archcalc as ac


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
