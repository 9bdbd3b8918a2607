"""Lines of several maps that enter one box: told apart, but joined at sums and concatenations."""

from __future__ import annotations

import pytest

from archcalc.render.diagrams.arrange import arrange
from archcalc.render.diagrams.branched import best_arranged, branched_drawing
from archcalc.render.diagrams.choices import RATIO
from archcalc.render.diagrams.compose import compose_graph, compose_volumes
from archcalc.render.diagrams.drawing import Curve
from archcalc.render.diagrams.theme import LIGHT
from archcalc.render.diagrams.wiring import Wiring
from tests.networks import numbers

THREE = """  - linear: {name: q, from: input, out_features: 8, per_position: true}
  - linear: {name: k, from: input, out_features: 8, per_position: true}
  - linear: {name: v, from: input, out_features: 8, per_position: true}
"""
TWO = """  - linear: {name: q, from: input, out_features: 8, per_position: true}
  - linear: {name: k, from: input, out_features: 8, per_position: true}
"""


ENDS = (
    (THREE + "  - scaled_dot_product_attention: {name: last, from: [q, k, v]}\n", 3),
    (TWO + "  - matmul: {name: last, from: [q, k], transpose_second: true}\n", 2),
    (THREE + "  - add: {name: last, from: [q, k, v]}\n", 1),
)


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize(("layers", "ends"), ENDS)
def test_maps_that_enter_a_box_are_told_apart(layers: str, ends: int, direction: str) -> None:
    layout = arrange(compose_graph(Wiring(numbers(layers, "16x4"))), direction)
    (box,) = [placed for placed in layout.nodes if placed.box.node.id == "last"]
    ends_of = [line.points[-1] for line in layout.lines if line.arrow and line.edge.target == "last"]
    found = {(round(x, 2), round(y, 2)) for x, y in ends_of}
    assert len(found) == ends
    for x, y in found:
        assert box.x <= x <= box.x + box.width
        assert box.y <= y <= box.y + box.box.height


@pytest.mark.parametrize(("layers", "ends"), ENDS)
def test_maps_that_enter_a_volume_are_told_apart(layers: str, ends: int) -> None:
    wiring = Wiring(numbers(layers, "16x4"))
    arranged = best_arranged(compose_volumes(wiring, 1), wiring, 1, "sqrt", RATIO)
    drawing = branched_drawing(arranged, LIGHT, "sqrt", RATIO, False)
    (box,) = [item for item in drawing.items if item.owner == "last"]
    corners = [point for shape in box.shapes if isinstance(shape, Curve) for point in shape.points]
    lines = [shape.points for item in drawing.items if item.role == "edge" for shape in item.shapes
             if isinstance(shape, Curve) and item.title.endswith("→ last")]  # fmt: skip
    assert len(lines) == layers.count("name") - 1
    found = {(round(x, 2), round(y, 2)) for *_, (x, y) in lines}
    assert len(found) == ends
    for x, y in found:
        assert abs(x - min(corner[0] for corner in corners)) < 2
        assert min(corner[1] for corner in corners) < y < max(corner[1] for corner in corners)


FLAT = """  - linear: {name: q, out_features: 4}
  - linear: {name: k, from: input, out_features: 4}
"""


@pytest.mark.parametrize(
    ("last", "says"),
    [
        ("subtract: {name: last, from: [k, q]}", ["reads k, q"]),
        ("add: {name: last, from: [k, q]}", []),
        ("concat: {name: last, from: [k, q]}", []),
    ],
)
def test_a_volume_too_flat_for_several_maps_names_them(last: str, says: list[str]) -> None:
    wiring = Wiring(numbers(f"{FLAT}  - {last}\n  - linear: {{out_features: 1000}}\n", "100"))
    found = best_arranged(compose_volumes(wiring, 1), wiring, 1, "sqrt", RATIO)
    assert [text for text, _ in found.plates["last"].piece.below if text.startswith("reads")] == says


def test_parallel_maps_stand_next_to_each_other() -> None:
    text = THREE.replace("from: input", "from: stem")
    text = "  - linear: {name: stem, out_features: 64, per_position: true}\n" + text
    text += "  - scaled_dot_product_attention: {name: att, from: [q, k, v]}\n"
    wiring = Wiring(numbers(text, "49x64"))
    layout = best_arranged(compose_volumes(wiring, 1), wiring, 1, "sqrt", RATIO).layout
    middles = {round(node.x + node.width / 2, 1) for node in layout.nodes if node.box.node.id in ("q", "k", "v")}
    assert len(middles) == 1
