"""What fills a page: columns and rows, and when there are none."""

from __future__ import annotations

from itertools import pairwise

import pytest

from archcalc.render.diagrams.arrange import arrange
from archcalc.render.diagrams.columns import plan
from archcalc.render.diagrams.compose import compose_graph, compose_volumes
from archcalc.render.diagrams.pack import assemble, make_segments
from archcalc.render.diagrams.trace import corners, ways
from archcalc.render.diagrams.wiring import Wiring
from tests.networks import numbers
from tests.render.diagrams.pictures import analysis_of
from tests.render.diagrams.test_levels import pyramid
from tests.render.diagrams.test_structure import check_layout, covering_in, inside


@pytest.mark.parametrize(("layers", "straight"), [(1, True), (2, True), (3, True), (9, False)])
@pytest.mark.parametrize("slide", [True, False], ids=["slide", "page"])
def test_a_short_chain_stands_straight(layers: int, straight: bool, slide: bool) -> None:
    """In one column, or in one row."""
    text = "".join(
        f"  - conv2d: {{name: c{number}, out_channels: 8, kernel_size: 3, padding: 1}}\n" for number in range(layers)
    )
    layout = arrange(compose_graph(Wiring(numbers(text))), slide=slide)
    middles = [(round(node.x + node.width / 2), round(node.y + node.box.height / 2)) for node in layout.nodes]
    assert (min(map(len, map(set, zip(*middles, strict=True)))) == 1) == straight


@pytest.mark.parametrize("down", [True, False], ids=["columns", "rows"])
@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 150), marks=pytest.mark.slow)], ids=["few", "many"])
def test_every_line_leads_where_it_led_in_any_number_of_columns(seeds: range, down: bool) -> None:
    for seed in seeds:
        diagram = compose_graph(Wiring(pyramid(seed)))
        segments = make_segments(diagram, down, 4)
        one, *others = [assemble(plan(segments, down, n), diagram.leaving) for n in range(1, len(segments) + 1)]
        for layout in others if not any(inside(one, line) for line in one.lines) else ():
            check_layout(diagram, layout)
            assert {*covering_in(diagram, layout)} <= {*covering_in(diagram, one)}, seed


def test_what_no_layer_in_a_row_reads_runs_past_it() -> None:
    """From stage 3 of YOLOv3 to its last concatenation, past the row between them."""
    diagram = compose_volumes(Wiring(analysis_of("yolov3")), 1)
    layout = assemble(plan(make_segments(diagram, False, 4), False, 3), diagram.leaving)
    (way,) = [way for way in ways(diagram, layout) if (way.edge.source, way.edge.target) == ("stage3", "join3")]
    places = corners(layout, way)
    back = sum(max(a[0] - b[0], 0.0) for a, b in pairwise(places))
    assert back <= layout.width


def test_heads_of_one_map_end_next_to_each_other() -> None:
    heads = [
        f"  - conv2d: {{name: {name}, from: trunk, out_channels: 4, kernel_size: 1}}\n" for name in ("a", "b", "c")
    ]
    trunk = "  - conv2d: {name: trunk, out_channels: 8, kernel_size: 3}\n"
    diagram = compose_graph(Wiring(numbers("".join([trunk, *heads]), top="outputs: [a, b, c]\n")))
    layout = arrange(diagram, "TB")
    ends = [placed.y for placed in layout.nodes if placed.box.node.id.startswith("output:")]
    assert len(ends) == 3
    assert len({*map(round, ends)}) == 1
