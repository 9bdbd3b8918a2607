"""Segments laid out by their structure: what a reader may expect of every picture of that kind."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import accumulate, combinations, pairwise, product

import pytest

from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.diagrams.arrange import arrange
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.columns import plan
from archcalc.render.diagrams.compose import compose_blocks, compose_graph
from archcalc.render.diagrams.drawing import Curve, Point, Rect, Text, main_box
from archcalc.render.diagrams.frames import kept_frames
from archcalc.render.diagrams.from_analysis import diagram_of, drawing_of
from archcalc.render.diagrams.layers import KINK
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.only import only
from archcalc.render.diagrams.pack import Layout, assemble, make_segments
from archcalc.render.diagrams.paint import paint
from archcalc.render.diagrams.segments import SHADOW, Line, Placed
from archcalc.render.diagrams.strokes import edge_colour
from archcalc.render.diagrams.theme import LIGHT
from archcalc.render.diagrams.trace import Way, corners, ways
from archcalc.render.diagrams.wiring import Wiring
from archcalc.spec.build import build
from archcalc.spec.catalogue import load
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from tests.networks import numbers, one_of_each
from tests.render.diagrams.pictures import analysis_of

QUICK = ("googlenet@aux", "resnet18", "unet", "inception_v3", "inception_resnet_v1", "alexnet@grouped")
HEADER = "name: n\ntitle: N\ninput: 8x8x4\nlayers:\n"


def made(layers: str) -> Diagram:
    """Every layer of a small network, as a diagram in one segment."""
    text = HEADER + "".join(f"  - {line}\n" for line in layers.strip().splitlines())
    return compose_graph(Wiring(analyse(build(spec_of(parse_source(text, "n.yaml"))))))


def square(line: Line) -> bool:
    """Whether a line has right angles alone."""
    points = line.points
    places = [points[0], *(points[index] for index in range(3, len(points), 3))]
    steps = [(abs(bx - ax), abs(by - ay)) for (ax, ay), (bx, by) in pairwise(places)]
    # A round corner moves both ways by its radius.
    return all(min(dx, dy) < 0.6 or (abs(dx - dy) < 0.6 and dx <= 8.6) for dx, dy in steps)


def last_segment(diagram: Diagram) -> Layout:
    """The last segment by itself."""
    return assemble(plan(make_segments(diagram, True)[-1:], True, 1), diagram.leaving)


def inside(segment: Layout, line: Line) -> list[str]:
    """The boxes that a line runs through, its own two aside."""
    found = []
    places = [line.points[0], *(line.points[index] for index in range(3, len(line.points), 3))]
    for placed in segment.nodes:
        if placed.box.node.id in (line.edge.source, line.edge.target):
            continue
        left, right = placed.x + 1, placed.x + placed.width - 1
        top, bottom = placed.y + 1, placed.y + placed.box.height - 1
        for (ax, ay), (bx, by) in pairwise(places):
            if min(ax, bx) < right and left < max(ax, bx) and min(ay, by) < bottom and top < max(ay, by):
                found.append(f"{line.edge.source} → {line.edge.target or '…'} through {placed.box.node.id}")
    return found


def overlapping(segment: Layout) -> list[tuple[str, str]]:
    boxes = [(n.box.node.id, n.x, n.y, n.x + n.width, n.y + n.box.height) for n in segment.nodes]
    return [
        (a[0], b[0])
        for a, b in combinations(boxes, 2)
        if a[1] < b[3] - 0.5 and b[1] < a[3] - 0.5 and a[2] < b[4] - 0.5 and b[2] < a[4] - 0.5
    ]


def leaving_frames(segment: Layout) -> list[str]:
    """Boxes that are not inside the frames of their blocks, or inside those of others."""
    wrong = []
    for frame in segment.frames:
        path = frame.group.path
        for placed in segment.nodes:
            belongs = placed.box.node.path[: len(path)] == path
            left, right = placed.x >= frame.x - 0.5, placed.x + placed.width <= frame.x + frame.width + 0.5
            above = placed.y >= frame.y - 0.5
            below = placed.y + placed.box.height <= frame.y + frame.height + 0.5
            apart = (
                placed.x + placed.width < frame.x + 0.5
                or placed.x > frame.x + frame.width - 0.5
                or placed.y + placed.box.height < frame.y + 0.5
                or placed.y > frame.y + frame.height - 0.5
            )
            if belongs and not (left and right and above and below):
                wrong.append(f"{placed.box.node.id} leaves {'/'.join(path)}")
            if not belongs and not apart:
                wrong.append(f"{placed.box.node.id} stands in {'/'.join(path)}")
    return wrong


def on_edge(point: Point, placed: Placed) -> bool:
    """Whether a place lies on the outline of a box, or of the shadow of a repeated one."""
    x, y = point
    right, bottom = placed.x + placed.width, placed.y + placed.box.height
    shadow = 9.0 if placed.box.badge else 1.0
    inside = placed.x - 1 <= x <= right + shadow and placed.y - 1 <= y <= bottom + shadow
    deep = placed.x + 1 < x < right - 1 and placed.y + 1 < y < bottom - 1
    return inside and not deep


def elsewhere(diagram: Diagram, layout: Layout) -> Iterator[str]:
    """Lines that enter another part of a box than that which reads the map, or leave another than that which gives it.

    A box is entered at the first of its parts and left at the last one, as in `reading.check_reading`.
    """
    drawing = paint(diagram, layout, LIGHT, links=True)
    boxes: dict[str, list[Rect]] = {}
    for item in drawing.items:
        if item.role == "node" and (box := main_box(item)):
            boxes.setdefault(item.owner, []).append(box)
    for link in drawing.links:
        given = [part for part in diagram.by_id[link.source].parts if part.family != "output"]
        ends = (link.points[0], link.source, len(given) - 1), (link.points[-1], link.target, 0)
        for (x, y), node, place in ends:
            box = boxes[node][place]
            dx = max(box.x - x, x - box.x - box.width)
            dy = max(box.y - y, y - box.y - box.height)
            shadow = 2 * SHADOW if diagram.by_id[node].times > 1 else 0.0
            if not -1 < max(dx, dy) < 1 + shadow:
                yield f"{link.source} → {link.target} at {diagram.by_id[node].parts[place].label}"


def check(diagram: Diagram, down: bool) -> None:
    """Everything that holds of a picture laid out by structure."""
    check_layout(diagram, arrange(diagram, "TB" if down else "LR"))


def check_layout(diagram: Diagram, layout: Layout) -> None:
    """Boxes stand apart and in their frames, and lines with right angles lead from box to box through no other one."""
    assert overlapping(layout) == []
    assert leaving_frames(layout) == []
    assert [through for line in layout.lines for through in inside(layout, line)] == []
    assert [line.edge for line in layout.lines if not square(line)] == []
    assert [*elsewhere(diagram, layout)] == []
    found = ways(diagram, layout)
    assert [way.edge for way in found] == list(diagram.edges)
    for way in found:
        places = corners(layout, way)
        assert all(min(abs(bx - ax), abs(by - ay)) < 0.01 for (ax, ay), (bx, by) in pairwise(places)), way.edge
        assert on_edge(places[0], way.source), way.edge
        assert on_edge(places[-1], way.target), way.edge


def covering(diagram: Diagram, down: bool) -> list[tuple[str, str]]:
    """Lines of two maps to two readers that lie on each other: as if each reader had read both."""
    return covering_in(diagram, arrange(diagram, "TB" if down else "LR"))


def covering_in(diagram: Diagram, layout: Layout) -> list[tuple[str, str]]:
    """The same in a layout."""
    stretches: dict[tuple[int, float], list[tuple[float, float, Way]]] = {}
    for way in ways(diagram, layout):
        for (ax, ay), (bx, by) in pairwise(corners(layout, way)):
            across = int(abs(bx - ax) < 0.01)
            at, ends = (ax, (ay, by)) if across else (ay, (ax, bx))
            stretches.setdefault((across, round(at)), []).append((min(ends), max(ends), way))
    return [
        (f"{a.edge.source} → {a.edge.target}", f"{b.edge.source} → {b.edge.target}")
        for group in stretches.values()
        for (low, high, a), (start, end, b) in combinations(group, 2)
        if a.edge.source != b.edge.source and a.edge.target != b.edge.target and min(high, end) - max(low, start) > 1
    ]


@pytest.mark.parametrize("down", [True, False], ids=["down", "right"])
@pytest.mark.parametrize("name", QUICK)
def test_a_network_is_drawn_without_crossing_a_box(name: str, down: bool) -> None:
    diagram = compose_blocks(Wiring(analyse(load(name))), 2)
    check(diagram, down)
    assert covering(diagram, down) == []


def _own(merge: str) -> Analysis:
    """A U-Net without blocks that have names."""
    conv, pool = "{{name: {}, out_channels: {}, kernel_size: 3, padding: 1}}", "{{name: {}, kernel_size: 2, stride: 2}}"
    rows = [("conv_relu", conv.format(name, channels)) for name, channels in (("down1a", 32), ("down1b", 32))]
    rows += [("max_pool2d", pool.format("pool1"))]
    rows += [("conv_relu", conv.format(name, channels)) for name, channels in (("down2a", 64), ("down2b", 64))]
    rows += [("max_pool2d", pool.format("pool2"))]
    rows += [("conv_relu", conv.format(name, channels)) for name, channels in (("deep_a", 128), ("deep_b", 128))]
    for level, channels in ((2, 64), (1, 32)):
        rows += [("conv_transpose2d", f"{{name: up{level}, out_channels: {channels}, kernel_size: 2, stride: 2}}")]
        rows += [(merge, f"{{name: join{level}, from: [down{level}b, up{level}]}}")]
        rows += [("conv_relu", conv.format(f"up{level}{part}", channels)) for part in "ab"]
    return numbers("".join(f"  - {op}: {fields}\n" for op, fields in rows), "128x128x3")


US = ("attention_unet", "deconvnet", "pix2pix_generator", "segnet", "unet@padded", "unet@released", "unet_3d")


@pytest.mark.parametrize("network", ["concat", "add", "unet", *(pytest.param(n, marks=pytest.mark.slow) for n in US)])
@pytest.mark.parametrize("style", ["graph", "blocks"])
def test_on_a_slide_lines_of_a_u_lead_to_what_reads_them(network: str, style: str) -> None:
    analysis = _own(network) if network in ("concat", "add") else analysis_of(network)
    diagram, layout = diagram_of(analysis, Choices(style=style, fit="16:9"))
    assert layout is not None
    check_layout(diagram, layout)


@pytest.mark.slow
@pytest.mark.parametrize("down", [True, False], ids=["down", "right"])
@pytest.mark.parametrize("name", one_of_each())
def test_the_whole_catalogue(name: str, down: bool) -> None:
    network = Wiring(analyse(load(name)))
    check(compose_graph(network), down)
    for depth in (1, 2, 3):
        check(compose_blocks(network, depth), down)


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_the_shadow_of_a_repeated_frame_lies_in_the_frame_around_it(direction: str) -> None:
    layout = arrange(compose_blocks(Wiring(analysis_of("resnet50_v2")), 3), direction)
    frames = {frame.group.path: frame for frame in layout.frames}
    repeated = [frame for frame in layout.frames if frame.group.times > 1]
    assert repeated
    for inner in repeated:
        outer = frames[inner.group.path[:-1]]
        assert inner.x + inner.width + 2 * SHADOW <= outer.x + outer.width
        assert inner.y + inner.height + 2 * SHADOW <= outer.y + outer.height


def test_branches_stand_in_the_order_of_the_spec() -> None:
    layers = ["conv2d: {name: a, out_channels: 4, kernel_size: 1}"]
    layers += [f"conv2d: {{name: b{n}, from: a, out_channels: 4, kernel_size: {2 * n + 1}, padding: {n}}}"
               for n in (3, 1, 2)]  # fmt: skip
    layers.append("concat: {name: all, from: [b3, b1, b2]}")
    segment = last_segment(made("\n".join(layers)))
    places = {placed.box.node.id: placed for placed in segment.nodes}
    middle = {name: placed.x + placed.width / 2 for name, placed in places.items()}
    assert middle["b3"] < middle["b1"] < middle["b2"]
    # Split and merge stand over the middle of the branches.
    assert middle["all"] == pytest.approx((middle["b3"] + middle["b2"]) / 2)
    assert len({round(places[name].y, 3) for name in ("b3", "b1", "b2")}) == 1


def test_a_skip_runs_in_a_lane_and_enters_from_the_side() -> None:
    layers = """
conv2d: {name: a, out_channels: 4, kernel_size: 1}
conv2d: {name: b, out_channels: 4, kernel_size: 1}
add: {name: sum, from: [b, a]}
"""
    segment = last_segment(made(layers))
    (line,) = (line for line in segment.lines if line.edge.source == "a" and line.edge.target == "sum")
    places = {placed.box.node.id: placed for placed in segment.nodes}
    x, y = line.points[-1]
    assert x == pytest.approx(places["sum"].x + places["sum"].width)
    assert y == pytest.approx(places["sum"].y + places["sum"].box.parts[0].height / 2)
    assert max(x for x, _ in line.points) > places["b"].x + places["b"].width


def test_a_line_steps_to_the_side_by_much_or_not_at_all() -> None:
    # The gate reads two maps, one of which is weighed too: no structure of chains and branches.
    diagram = compose_graph(Wiring(only(analyse(load("attention_unet")), "gate4")))
    layout = arrange(diagram, "TB")
    ways_of = {(way.edge.source, way.edge.target): corners(layout, way) for way in ways(diagram, layout)}
    assert len(ways_of) == len(diagram.edges)
    steps = [abs(bx - ax) for places in ways_of.values() for (ax, _), (bx, _) in pairwise(places)]
    assert [step for step in steps if 0.01 < step < KINK] == []
    assert len(ways_of["sum", "psi/conv"]) == 2


def _nested(count: int) -> str:
    layers = ["conv2d: {name: l0, out_channels: 4, kernel_size: 1}"]
    for number in range(1, count):
        sources = ", ".join(f"l{source}" for source in range(number))
        layers.append(f"concat: {{name: k{number}, from: [{sources}]}}" if number > 1 else "identity: {name: k1}")
        layers.append(f"conv2d: {{name: l{number}, out_channels: 4, kernel_size: 1}}")
    return "\n".join(layers)


@pytest.mark.parametrize("down", [True, False], ids=["down", "right"])
@pytest.mark.parametrize("count", [3, 6])
def test_every_layer_may_read_all_before_it(count: int, down: bool) -> None:
    """Lanes of a dense block (Huang et al. 2017) lie next to each other, and none on another."""
    diagram = made(_nested(count))
    check(diagram, down)


def test_heads_stand_next_to_each_other() -> None:
    layers = """
global_avg_pool2d: {name: features}
linear: {name: boxes, out_features: 4}
linear: {name: classes, from: features, out_features: 10}
"""
    segment = last_segment(made(layers))
    places = {placed.box.node.id: placed for placed in segment.nodes}
    assert places["boxes"].y == places["classes"].y
    assert places["boxes"].x + places["boxes"].width < places["classes"].x


def test_what_has_no_such_structure_is_laid_out_in_layers() -> None:
    layers = """
conv2d: {name: a, out_channels: 4, kernel_size: 1}
conv2d: {name: b, out_channels: 4, kernel_size: 1, from: input}
add: {name: c, from: [a, b]}
multiply: {name: d, from: [a, b]}
concat: {name: e, from: [c, d]}
"""
    assert len(make_segments(made(layers), True)) == 2
    segment = last_segment(made(layers))
    assert {placed.box.node.id for placed in segment.nodes} == {"a", "b", "c", "d", "e"}
    assert overlapping(segment) == []
    assert sorted({line.edge.target for line in segment.lines}) == ["a", "b", "c", "d", "e"]
    check(made(layers), True)
    check(made(layers), False)


@pytest.mark.parametrize("depth", [None, 1])
@pytest.mark.parametrize(("name", "aside"), [("googlenet@aux", ("aux1", "aux2")), ("inception_v3@aux", ("aux",))])
def test_a_branch_at_the_side_leaves_no_gap_in_the_trunk(name: str, aside: tuple[str, ...], depth: int | None) -> None:
    """The trunk goes on next to an auxiliary classifier, however long that is."""
    wiring = Wiring(analysis_of(name))
    diagram = compose_graph(wiring) if depth is None else compose_blocks(wiring, depth)
    blocks = make_segments(diagram, True)
    trunk = [
        (at - box.height / 2, at + box.height / 2)
        for block, start in zip(blocks, accumulate([0.0, *(block.length for block in blocks)]), strict=False)
        for box, along, _ in block.nodes
        if box.node.id.split("/")[0] not in aside and not box.node.id.startswith("output:")
        for at in (along + start,)
    ]
    ends = [max(end for _, end in trunk[: place + 1]) for place in range(len(trunk))]
    gaps = [after[0] - end for end, after in zip(ends, trunk[1:], strict=False)]
    assert max(gaps) < 120


def test_inputs_of_a_block_by_itself_stand_in_no_block() -> None:
    diagram = compose_graph(Wiring(only(analysis_of("ecg_resnet"), "unit2")))
    inputs = [node for node in diagram.nodes if node.parts[0].family == "input"]
    assert [node.parts[0].label for node in inputs] == ["unit1 / drop", "unit1 / sum / add1"]
    assert {node.path for node in inputs} == {()}
    assert all(group.path[0] != "unit1 " for group in diagram.groups)


def test_a_long_body_with_a_shortcut_past_it_is_no_single_row() -> None:
    """The frame round the body of EDSR is opened, so that its blocks stand in several rows."""
    drawing, _ = drawing_of(analysis_of("edsr_baseline"), Choices(style="graph", fit="16:9"))
    sizes = [shape.size for shape in drawing.shapes() if isinstance(shape, Text)]
    assert min(sizes) * 540 / drawing.height > 3.5


DECODER = """\
name: n
title: N
inputs: {tgt: 32x10, memory: 32x7}
blocks:
  unit:
    inputs: [x, m]
    layers:
      - multi_head_attention: {name: own, from: x, num_heads: 4}
      - add: {name: sum, from: [x, own]}
      - multi_head_attention: {name: cross, from: [sum, m], num_heads: 4}
      - add: {name: sum_2, from: [sum, cross]}
  decoder:
    inputs: [x, m]
    layers:
      - unit: {name: first, from: [x, m]}
      - unit: {name: second, from: [first, m]}
      - add: {name: past, from: [x, second]}
layers:
  - linear: {name: a, from: tgt, out_features: 32, per_position: true}
  - linear: {name: b, from: memory, out_features: 32, per_position: true}
  - decoder: {name: dec, from: SOURCES}
"""


@pytest.mark.parametrize("down", [True, False], ids=["down", "right"])
@pytest.mark.parametrize("sources", ["[a, b]", "[b, a]"])
def test_two_inputs_of_a_block_enter_its_frame_apart(sources: str, down: bool) -> None:
    # Two networks that differ in which map is the memory: each picture shows its own.
    graph = build(spec_of(parse_source(DECODER.replace("SOURCES", sources), "n.yaml")))
    wiring = Wiring(analyse(graph))
    for diagram in (compose_graph(wiring), compose_blocks(wiring, 1), compose_blocks(wiring, 2)):
        check(diagram, down)
        assert covering(diagram, down) == []


#: The second block reads two maps of the first one.
TWO_MAPS = """  - conv2d: {name: a/early, out_channels: 4, kernel_size: 1}
  - conv2d: {name: a/late, out_channels: 4, kernel_size: 3, padding: 1}
  - conv2d: {name: a/end, out_channels: 4, kernel_size: 1}
  - conv2d: {name: b/first, from: ORDER, out_channels: 4, kernel_size: 1}
  - conv2d: {name: b/second, from: OTHER, out_channels: 4, kernel_size: 1}
  - add: {name: b/sum, from: [b/first, b/second]}
"""


@pytest.mark.parametrize("down", [True, False], ids=["down", "right"])
@pytest.mark.parametrize(("first", "second"), [("a/end", "a/early"), ("a/early", "a/end")])
def test_two_maps_go_on_to_the_next_block_without_a_detour(first: str, second: str, down: bool) -> None:
    diagram = compose_graph(Wiring(numbers(TWO_MAPS.replace("ORDER", first).replace("OTHER", second))))
    check(diagram, down)
    assert covering(diagram, down) == []
    layout = arrange(diagram, "TB" if down else "LR")
    along = 1 if down else 0
    one, other = layout.frames
    end, start = (one.y + one.height, other.y) if down else (one.x + one.width, other.x)
    between = [line.points for line in layout.lines if end - 1 < line.points[0][along] < start - 1]
    assert len(between) == 2
    for points in between:
        across = [point[1 - along] for point in points]
        assert max(across) - min(across) == pytest.approx(abs(across[0] - across[-1]))


def _with_skips(seed: int) -> str:
    """A chain of layers; some are sums with maps from before, which come straight or through a layer of their own."""
    rng = random.Random(seed)
    names, lines = ["input"], []
    for number in range(rng.randrange(4, 16)):
        last, name = names[-1], f"l{number}"
        if len(names) < 3 or rng.random() < 0.55:
            lines.append(f"  - conv2d: {{name: {name}, from: {last}, out_channels: 4, kernel_size: 3, padding: 1}}")
        else:
            before = rng.choice(names[:-1])
            for place in range(rng.randrange(4)):
                lines.append(
                    f"  - conv2d: {{name: side{number}_{place}, from: {before}, out_channels: 4, kernel_size: 1}}"
                )
                before = f"side{number}_{place}"
            lines.append(f"  - add: {{name: {name}, from: [{last}, {before}]}}")
        names.append(name)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("down", [True, False], ids=["down", "right"])
@pytest.mark.parametrize(
    "seeds", [range(5, 8), pytest.param(range(8, 40), marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_lines_of_different_maps_share_no_stretch(seeds: range, down: bool) -> None:
    found = {seed: covering(compose_graph(Wiring(numbers(_with_skips(seed)))), down) for seed in seeds}
    assert {seed: lines for seed, lines in found.items() if lines} == {}


def _in_frame(inner: str, found: re.Match[str]) -> str:
    """A layer in a frame; those in the middle in another one inside of it."""
    return f"u/{inner if 2 < int(found[2]) < 9 else ''}{found[1]}"


@pytest.mark.parametrize("down", [True, False], ids=["down", "right"])
@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 60), marks=pytest.mark.slow)], ids=["few", "many"])
def test_long_chains_stand_in_columns(seeds: range, down: bool) -> None:
    """In frames, and in frames of frames; every line leads where it led."""
    shorter = 0
    for seed, inner in product(seeds, ("", "v/")):
        text = re.sub(r"\b((?:l|side)(\d+)\w*)", partial(_in_frame, inner), _with_skips(seed))
        diagram = compose_graph(Wiring(numbers(text)))
        long = assemble(plan(make_segments(diagram, down), down, 1), diagram.leaving)
        for share, depth in product((2, 3, 5), (1, 2)):
            most = (max(long.width, long.height) / share,) * depth
            layout = assemble(plan(make_segments(diagram, down, most=most), down, 1), diagram.leaving)
            check_layout(diagram, layout)
            assert {*covering_in(diagram, layout)} <= {*covering_in(diagram, long)}
            shorter += max(layout.width, layout.height) < max(long.width, long.height)
    assert shorter > len(seeds)


@pytest.mark.parametrize(
    ("name", "block", "points"),
    [("mobilenet_v3_large", "bneck5", 9.0), ("ghostnet", "bneck4", 8.5), ("resnest50", "conv3_x/unit1", 6.0)],
)
def test_a_module_fills_a_slide(name: str, block: str, points: float) -> None:
    drawing, _ = drawing_of(analysis_of(name), Choices(style="graph", only=block, fit="16:9"))
    assert min(shape.size for shape in drawing.shapes() if isinstance(shape, Text)) * 540 / drawing.height >= points


def test_a_shortcut_runs_above_the_columns() -> None:
    """It does not go down each column and up again."""
    diagram = replace(compose_graph(Wiring(only(analysis_of("mobilenet_v3_large"), "bneck5"))), whole=True)
    layout = arrange(diagram, ratio=16 / 9, slide=True)
    (way,) = [way for way in ways(diagram, layout) if way.edge.kind == "identity"]
    heights = [y for _, y in corners(layout, way)]
    assert max(heights) <= way.target.y + way.target.box.height


@pytest.mark.parametrize("name", ["ecg_resnet", "edsr_baseline", "googlenet@aux"])
def test_all_lines_of_a_shortcut_have_its_colour(name: str) -> None:
    diagram = compose_graph(Wiring(analysis_of(name)))
    layout = arrange(diagram)
    drawn = [item for item in paint(diagram, layout, LIGHT).items if item.role == "edge"][: len(layout.lines)]
    colours = [shape.line for item in drawn for shape in item.shapes if isinstance(shape, Curve)]
    found = ways(diagram, layout)
    for way in found:
        others = {number for other in found if other.edge.kind != way.edge.kind for number in other.lines}
        own = {colours[number] for number in way.lines if number not in others}
        assert own <= {edge_colour(way.edge.kind, LIGHT)}, way.edge


def test_equal_towers_are_framed_alike() -> None:
    """No map of the others runs past the last, which alone would be a chain of its parts."""
    inputs, length = 3, 14
    paths: list[tuple[str, ...]] = []
    edges = []
    for tower in range(inputs):
        begin = len(paths)
        paths += [(f"input{tower}",), *((f"tower{tower}", f"layer{index}") for index in range(length))]
        edges += [(begin + index, begin + index + 1) for index in range(length)]
    # Every tower but the last is read by the loss at the end.
    edges += [((length + 1) * (tower + 1) - 1, len(paths)) for tower in range(inputs)]
    paths.append(("loss",))
    assert kept_frames(paths, edges) == {(f"tower{tower}",) for tower in range(inputs)}
    assert kept_frames(paths[: length + 1], edges[:length]) == set()


@pytest.mark.parametrize(("network", "block", "outputs"), [
    ("wavenet", "stack1", {"layer10/sum": "layer10/sum", "layer10/out": "layer10/out"}),
    ("wavenet", "stack5", {"output": "layer10/sum"}),
    ("resnet18", "conv2_x", {"output": "unit2/relu1"}),
])  # fmt: skip
def test_a_block_gives_the_maps_that_are_read_outside(network: str, block: str, outputs: dict[str, str]) -> None:
    graph = only(analysis_of(network), block).graph
    assert {output.name: graph.layers[output.layer].name for output in graph.outputs} == outputs
