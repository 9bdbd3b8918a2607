"""Maps in rows by their size: the figures of U-Net++ and of feature pyramids, and heads next to the trunk."""

from __future__ import annotations

import random

import pytest

from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.branched import Arranged, best_arranged
from archcalc.render.diagrams.choices import RATIO, Choices
from archcalc.render.diagrams.compose import compose_graph, compose_volumes
from archcalc.render.diagrams.drawing import main_box
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.heads import with_heads_at_their_maps
from archcalc.render.diagrams.levels import Levels
from archcalc.render.diagrams.measure import measure
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.pack import Layout, assemble
from archcalc.render.diagrams.segments import Placed
from archcalc.render.diagrams.wiring import Wiring
from tests.networks import numbers, one_of_each
from tests.render.diagrams.pictures import analysis_of
from tests.render.diagrams.test_structure import check_layout, covering_in

pytest.importorskip("pygraphviz")


def arranged(name: str, depth: int) -> Arranged:
    wiring = Wiring(analysis_of(name))
    return best_arranged(compose_volumes(wiring, depth), wiring, depth, "sqrt", RATIO)


def places(found: Arranged) -> dict[str, Placed]:
    return {placed.box.node.id: placed for placed in found.layout.nodes}


def axis(found: Arranged, name: str) -> float:
    """How far down the middle of a map stands."""
    return places(found)[name].y + found.plates[name].above


def test_unet_plus_plus_is_the_triangle_of_its_paper() -> None:
    """Zhou et al. 2018, figure 1a: node X(i, j) stands in row i, between X(i − 1, j) and X(i − 1, j + 1)."""
    found = arranged("unet_plus_plus", 1)
    middle = {name: placed.x + placed.width / 2 for name, placed in places(found).items()}
    nodes = {(i, j): f"X{i}_{j}" for i in range(5) for j in range(5 - i)}
    rows = [{round(axis(found, nodes[i, j])) for j in range(5 - i)} for i in range(5)]
    assert [len(row) for row in rows] == [1] * 5
    assert [row.pop() for row in rows] == sorted(round(axis(found, nodes[i, 0])) for i in range(5))
    for i, j in nodes:
        if i:
            assert middle[nodes[i - 1, j]] < middle[nodes[i, j]] < middle[nodes[i - 1, j + 1]]


def test_a_feature_pyramid_stands_next_to_the_backbone() -> None:
    """Lin et al. 2017, figure 3 of the pyramid: each lateral map is as high as what it is added to."""
    found = arranged("retinanet_resnet50_fpn", 1)
    for backbone, *others in (("C3", "M3", "P3", "head3"), ("C4", "M4", "P4", "head4"), ("C5", "M5", "P5", "head5")):
        assert {round(axis(found, name)) for name in others} == {round(axis(found, backbone))}
    levels = [axis(found, name) for name in ("P3", "P4", "P5", "P6", "P6_relu")]
    assert levels == sorted(levels)


def test_heads_stand_below_the_maps_that_they_read() -> None:
    """Liu et al. 2016, figure 2: the classifiers of SSD hang from the maps of its trunk."""
    drawing, _ = drawing_of(analysis_of("ssd300_vgg16"), Choices(style="volumes", fit="16:9"))
    frames = {item.title: box for item in drawing.items if item.role == "block" and (box := main_box(item))}
    for number in (8, 9, 10):
        trunk, following, head = (frames[name] for name in (f"conv{number}", f"conv{number + 1}", f"head{number}"))
        assert trunk.x + trunk.width < head.x < following.x + following.width
        assert max(trunk.y + trunk.height, following.y + following.height) < head.y


def test_heads_follow_what_they_read() -> None:
    diagram = compose_volumes(Wiring(analysis_of("ssd300_vgg16")), 1)
    order = list(with_heads_at_their_maps(diagram).order)
    assert sorted(order) == sorted(diagram.order)
    assert all(order.index(edge.source) < order.index(edge.target) for edge in diagram.edges)
    assert [order[order.index(f"conv{number}") + 1] for number in (8, 9, 10)] == ["head8", "head9", "head10"]
    trunk = [name for name in order if name.startswith(("conv", "pool"))]
    assert trunk == [name for name in diagram.order if name in trunk]


def layouts(diagram: Diagram, analysis: Analysis) -> list[Layout]:
    """The layouts by levels, of which everything holds that holds of others."""
    sizes = {node.id: () if node.parts[0].family == "output" else analysis.by_name[node.parts[-1].name].output_shape[1:]
             for node in diagram.nodes}  # fmt: skip
    levels = Levels(diagram, sizes)
    plans = [grid.plan() for grid in levels.grids(measure(diagram, down=False))] if levels.suit else []
    found = [assemble(plan, diagram.leaving) for plan in plans if plan]
    for layout in found:
        check_layout(diagram, layout)
    return found


def pyramid(seed: int) -> Analysis:
    """Maps of several sizes; each layer halves, doubles or keeps one, or joins two of one size."""
    rng = random.Random(seed)
    maps, lines = [("input", 0)], []
    for number in range(rng.randrange(8, 24)):
        name = f"l{number}"
        source, level = maps[-1] if rng.random() < 0.7 else rng.choice(maps)
        same = [other for other, its in maps if its == level and other != source]
        kind = rng.choice(["down", "up", "conv", "join", "join"])
        if kind == "down" and level < 4:
            lines.append(f"  - max_pool2d: {{name: {name}, from: {source}, kernel_size: 2}}")
            level += 1
        elif kind == "up" and level:
            lines.append(f"  - upsample2d: {{name: {name}, from: {source}}}")
            level -= 1
        elif kind == "join" and same:
            lines.append(f"  - add: {{name: {name}, from: [{rng.choice(same)}, {source}]}}")
        else:
            lines.append(f"  - conv2d: {{name: {name}, from: {source}, out_channels: 4, kernel_size: 1}}")
        maps.append((name, level))
    return numbers("\n".join(lines) + "\n", "32x32x4")


@pytest.mark.parametrize(
    "seeds", [range(12), pytest.param(range(12, 300), marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_any_pyramid_is_drawn_without_crossing_a_box(seeds: range) -> None:
    drawn = 0
    for analysis in map(pyramid, seeds):
        diagram = compose_graph(Wiring(analysis))
        for layout in layouts(diagram, analysis):
            assert covering_in(diagram, layout) == []
            drawn += 1
    assert drawn >= len(seeds) / 4


@pytest.mark.slow
@pytest.mark.parametrize("name", one_of_each())
def test_levels_of_the_catalogue(name: str) -> None:
    layouts(compose_graph(Wiring(analysis_of(name))), analysis_of(name))
