"""The roofline as a picture: names hide neither points nor the roof, and stay in the plot."""

from __future__ import annotations

import pytest

import archcalc as ac
from archcalc.design.devices import device
from archcalc.design.estimate import estimate
from archcalc.render.charts.labels import COVERED, Box, Disc, _through
from archcalc.render.charts.roofline import roofline
from tests.render.charts.charts import check_chart


@pytest.mark.parametrize("network", ["resnet50", "alexnet", "mobilenet_v2"])
def test_names_hide_nothing(network: str) -> None:
    spec = roofline(estimate(ac.analyse(network), device("a100-40gb")))
    check_chart(spec)
    boxes = [
        Box(*(layer["encoding"][side]["value"] for side in ("x", "y", "x2", "y2")))
        for layer in spec["layer"] if layer["mark"]["type"] == "rect"
    ]  # fmt: skip
    values = [value for layer in spec["layer"] for value in layer["data"]["values"]]
    discs = [Disc(value["x"], value["y"], value["size"] ** 0.5 / 2) for value in values if "intensity" in value]
    roof = next(layer["data"]["values"] for layer in spec["layer"] if layer["mark"]["type"] == "rule")
    assert len(boxes) >= 5
    assert len(roof) == 2
    for box in boxes:
        assert 0 <= box.left < box.right <= spec["width"]
        assert all(box.cuts(disc) <= COVERED for disc in discs)
        assert not any(_through((one["x"], one["y"], one["x2"], one["y2"]), box) for one in roof)
