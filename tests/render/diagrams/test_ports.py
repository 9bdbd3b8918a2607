"""Lines of several maps that enter one box: told apart, but joined at sums and concatenations."""

from __future__ import annotations

import pytest

from archcalc.render.diagrams.arrange import arrange
from archcalc.render.diagrams.compose import compose_graph
from archcalc.render.diagrams.wiring import Wiring
from tests.networks import numbers

THREE = """  - linear: {name: q, from: input, out_features: 8, per_position: true}
  - linear: {name: k, from: input, out_features: 8, per_position: true}
  - linear: {name: v, from: input, out_features: 8, per_position: true}
"""
TWO = """  - linear: {name: q, from: input, out_features: 8, per_position: true}
  - linear: {name: k, from: input, out_features: 8, per_position: true}
"""


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize(
    ("layers", "ends"),
    [
        (THREE + "  - scaled_dot_product_attention: {name: last, from: [q, k, v]}\n", 3),
        (TWO + "  - matmul: {name: last, from: [q, k], transpose_second: true}\n", 2),
        (THREE + "  - add: {name: last, from: [q, k, v]}\n", 1),
    ],
)
def test_maps_that_enter_a_box_are_told_apart(layers: str, ends: int, direction: str) -> None:
    layout = arrange(compose_graph(Wiring(numbers(layers, "16x4"))), direction)
    (box,) = [placed for placed in layout.nodes if placed.box.node.id == "last"]
    ends_of = [line.points[-1] for line in layout.lines if line.arrow and line.edge.target == "last"]
    found = {(round(x, 2), round(y, 2)) for x, y in ends_of}
    assert len(found) == ends
    for x, y in found:
        assert box.x <= x <= box.x + box.width
        assert box.y <= y <= box.y + box.box.height
