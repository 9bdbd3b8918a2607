"""From the source of a picture the network can be read back: its layers, who reads whom, and its sums."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.diagrams.compose import compose_blocks, compose_graph
from archcalc.render.diagrams.dot import dot
from archcalc.render.diagrams.fold import EVERYTHING
from archcalc.render.diagrams.mermaid import mermaid
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.only import only
from archcalc.render.diagrams.stack import ANY, stacked
from archcalc.render.diagrams.theme import DARK, LIGHT, Theme
from archcalc.render.diagrams.ushape import find_copies, u_layout
from archcalc.render.diagrams.volumes import suits_volumes
from archcalc.render.diagrams.wiring import Wiring
from tests.networks import graph, numbers, one_of_each, op
from tests.render.diagrams.pictures import analysis_of
from tests.render.diagrams.reading import check_reading, read_dot, read_mermaid
from tests.render.diagrams.sheets import module_of

pytest.importorskip("pygraphviz")

DEPTHS = (None, 1, 2, 3, 4, EVERYTHING)
SHAPE = (4, 8, 8)


def check(analysis: Analysis, depth: int | None, exact: bool = True) -> Diagram:
    wiring = Wiring(analysis)
    diagram = compose_graph(wiring) if depth is None else compose_blocks(wiring, depth)
    check_reading(analysis, diagram, read_dot(dot(diagram, LIGHT)), exact)
    check_reading(analysis, diagram, read_mermaid(mermaid(diagram, LIGHT), diagram), exact)
    return diagram


@pytest.mark.parametrize(
    ("name", "depth"),
    [*((name, depth) for name in ("googlenet@aux", "resnet34", "unet") for depth in DEPTHS), ("nasnet_mobile", 1)],
)
def test_some_networks(name: str, depth: int | None) -> None:
    check(analysis_of(name), depth)


@pytest.mark.slow
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", one_of_each())
def test_the_catalogue(name: str, depth: int | None) -> None:
    check(analysis_of(name), depth)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in one_of_each() if "/" not in name])
def test_a_block_by_itself(name: str) -> None:
    """The pictures of `--only`: maps that enter from other blocks are inputs."""
    block = module_of(analysis_of(name))
    for depth in (None, 1, EVERYTHING) if block else ():
        check(only(analysis_of(name), str(block)), depth)


def test_a_network_of_very_many_blocks_is_put_together() -> None:
    text = "".join(
        f"  - conv2d: {{name: c{n}, out_channels: {4 + n % 2}, kernel_size: 3, padding: 1}}\n" for n in range(200)
    )
    diagram = check(numbers(text), 1, exact=False)
    assert len(diagram.nodes) <= 60


def check_to_fit(analysis: Analysis, most: int, stack: int) -> None:
    """Neighbours put together, and cards in stacks, as on a slide that shows all at a readable size."""
    wiring = Wiring(analysis)
    cards = compose_blocks(wiring, 1, most=most)
    check_reading(analysis, cards, read_dot(dot(cards, LIGHT)), exact=False)
    diagram = stacked(cards, stack)
    # Outputs that stand in a card are no boxes of their own.
    alone = replace(analysis, graph=replace(analysis.graph, outputs=analysis.graph.outputs[:1]))
    check_reading(alone, diagram, read_dot(dot(diagram, LIGHT)), exact=False)
    written = [text for node in diagram.nodes for part in node.parts for text in (part.label, *part.lines)]
    for output in analysis.graph.outputs if len(analysis.graph.outputs) > 1 else ():
        assert any(output.name in text for text in written)


@pytest.mark.parametrize(("most", "stack"), [(6, 1), (10, 3)])
def test_neighbours_put_together_and_stacked(most: int, stack: int) -> None:
    for name in ("googlenet@aux", "unet"):
        check_to_fit(analysis_of(name), most, stack)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bert_base", "edsr_baseline", "retinanet_resnet50_fpn", "segnet"])
def test_networks_put_together_and_stacked(name: str) -> None:
    for most, stack in ((4, 1), (9, 2), (16, ANY), (99, 3)):
        check_to_fit(analysis_of(name), most, stack)


# --- networks of any wiring


@st.composite
def networks(draw: st.DrawFn) -> Analysis:
    """Blocks in blocks, some of them repeated; most layers read the one before, some any other, from inside blocks."""
    layers: list[Layer] = [Layer("input", op("input", shape=SHAPE), ())]
    conv = op("conv2d", out_channels=4, kernel_size=3, padding=1)
    pool = op("max_pool2d", kernel_size=3, stride=1, padding=1)
    ops = [conv, conv, op("relu"), op("batch_norm2d"), pool]

    def layer(path: str, number: int, plan: tuple[int, int]) -> None:
        kind, far = plan
        before = len(layers) - 1
        other = before - far if 0 < far <= before else None
        if other is None:
            layers.append(Layer(f"{path}l{number}", ops[kind], (before,)))
        else:
            layers.append(Layer(f"{path}l{number}", op("add"), (before, other)))

    plans = st.tuples(st.integers(0, len(ops) - 1), st.sampled_from([0, 0, 0, 0, 0, 1, 2, 3, 6]))
    body = st.recursive(plans, lambda inner: st.tuples(st.integers(1, 3), st.lists(inner, min_size=1, max_size=4)))

    def build(path: str, items: list[Any]) -> None:
        for number, item in enumerate(items):
            if isinstance(item[1], list):
                for copy in range(1, item[0] + 1):
                    build(f"{path}b{number}u{copy}/", item[1])
            else:
                layer(path, number, item)

    build("", draw(st.lists(body, min_size=1, max_size=6)))
    last = len(layers) - 1
    outputs = [Output("output", last)]
    for number, place in enumerate(draw(st.lists(st.integers(0, last), max_size=2))):
        weight, aside = draw(st.tuples(st.sampled_from([1.0, 0.3]), st.booleans()))
        outputs.append(Output(f"side{number}", place, weight, aside))
    return analyse(LayerGraph("net", tuple(layers), tuple(outputs), title="A network"))


@given(networks(), st.sampled_from(DEPTHS))
def test_networks_of_any_wiring(analysis: Analysis, depth: int | None) -> None:
    check(analysis, depth)


@given(networks(), st.integers(4, 12), st.integers(1, 4))
def test_networks_of_any_wiring_put_together_and_stacked(analysis: Analysis, most: int, stack: int) -> None:
    check_to_fit(analysis, most, stack)


@st.composite
def cells(draw: st.DrawFn) -> Analysis:
    """Cells that read the two before them, as NASNet's do; some are others, or read others."""
    layers: list[Layer] = [Layer("input", op("input", shape=SHAPE), ()), Layer("stem", op("relu"), (0,))]
    ends = [0, 1]
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from([1, 1, 1, 1, 3]))
        near, far = draw(st.sampled_from([(1, 2), (1, 2), (1, 2), (1, 2), (1, 1), (2, 2), (2, 1), (1, 3)]))
        start = len(layers)
        for name, source in (("left", near), ("right", far)):
            conv = op("conv2d", out_channels=4, kernel_size=kind, padding=kind // 2)
            layers.append(Layer(f"c{number}/{name}", conv, (ends[-min(source, len(ends))],)))
        layers.append(Layer(f"c{number}/add", op("add"), (start, start + 1)))
        ends.append(start + 2)
    for number, away in enumerate(draw(st.lists(st.integers(1, 4), max_size=2))):
        layers.append(Layer(f"t{number}", op("add"), (len(layers) - 1, ends[-min(away, len(ends))])))
    outputs = (
        Output("output", len(layers) - 1),
        *(Output("side", end) for end in draw(st.sampled_from([[], ends[-1:]]))),
    )
    return analyse(LayerGraph("net", tuple(layers), outputs, title="Cells"))


@given(cells())
def test_cells_that_read_the_two_before_them(analysis: Analysis) -> None:
    check(analysis, 1)


def test_cells_of_one_box_are_connected_in_one_way() -> None:
    """The third cell reads the end of the one before it like the second, but what is three before it."""
    layers = [Layer("input", op("input", shape=SHAPE), ()), Layer("stem", op("relu"), (0,))]
    for number, sources in enumerate([(1, 0), (4, 1), (7, 1)]):
        start = len(layers)
        layers += [
            Layer(f"c{number}/{name}", op("conv2d", out_channels=4, kernel_size=1), (source,))
            for name, source in zip(("left", "right"), sources, strict=True)
        ]
        layers.append(Layer(f"c{number}/add", op("add"), (start, start + 1)))
    graph = LayerGraph("net", tuple(layers), (Output("output", len(layers) - 1),), title="Cells")
    assert [node.times for node in check(analyse(graph), 1).nodes if node.id.startswith("c")] == [2, 1]


@pytest.mark.parametrize(
    ("name", "box", "times", "readers"),
    [
        ("nasnet_large", "normal_1_3", 4, {"reduction_2": "normal_1_5 and normal_1_6", "normal_2_1": "normal_1_5"}),
        ("nasnet_mobile", "normal_1_3", 2, {"reduction_2": "normal_1_3 and normal_1_4"}),
    ],
)
def test_equal_cells_of_nasnet_are_one_box(name: str, box: str, times: int, readers: dict[str, str]) -> None:
    diagram = check(analysis_of(name), 1)
    node = diagram.by_id[box]
    assert (node.times, "each reads the 2 before it" in node.parts[0].lines) == (times, True)
    for reader, read in readers.items():
        assert f"reads {read}" in diagram.by_id[reader].parts[0].lines
    assert not any(line.startswith("reads") for line in diagram.by_id["normal_1_2"].parts[0].lines)


# --- cases of their own

UNIT = """input: 32x32x16
blocks:
  unit:
    layers:
      - conv2d: {name: a, out_channels: 16, kernel_size: 3, padding: 1}
      - conv2d: {name: b, out_channels: 16, kernel_size: 3, padding: 1}
layers:
  - unit: {name: u1}
  - unit: {name: u2}
  - unit: {name: u3}
"""
PRE = """input: 8x8x16
layers:
  - branches:
      - []
      - [batch_norm2d, relu, conv2d: {out_channels: 16, kernel_size: 3, padding: 1, bias: false}]
    merge: add
  - batch_norm2d
  - relu
  - global_avg_pool2d
"""
POST = """input: 8x8x16
layers:
  - branches:
      - []
      - [conv2d: {out_channels: 16, kernel_size: 3, padding: 1, bias: false}, batch_norm2d, relu]
    merge: add
  - global_avg_pool2d
  - batch_norm2d
  - relu
"""


def blocks(text: str, depth: int = EVERYTHING) -> Diagram:
    return check(whole(text), depth)


def whole(text: str) -> Analysis:
    return analyse(graph(text))


def texts(diagram: Diagram) -> dict[str, tuple[str, ...]]:
    return {node.id: node.parts[0].lines for node in diagram.nodes}


def test_a_box_lists_its_layers_in_the_order_in_which_they_run() -> None:
    pre, post = ({node.parts[0].label: node.parts[0].lines for node in blocks(text).nodes} for text in (PRE, POST))
    assert pre["conv1"][0] == "batch norm → relu → conv 3×3, 16"
    assert post["conv1"][0] == "conv 3×3, 16 → batch norm → relu"
    assert pre["add1"][0] == "add → batch norm → relu"
    assert post["pool1"][0] == "global average pool → batch norm → relu"


def test_repetitions_of_a_block_of_equal_layers() -> None:
    # Two times 16·(3·3·16 + 1) parameters in each of three units.
    diagram = blocks(UNIT)
    assert [(group.label, group.times, group.note) for group in diagram.groups] == [("u1–3", 3, "13,920 params in all")]
    assert [(node.parts[0].label, node.times) for node in diagram.nodes] == [("input", 1), ("a … b", 2)]


@pytest.mark.parametrize(
    ("read", "together"),
    [
        ("u1/a", ["u1", "u2 u3"]),
        ("u2/a", ["u1", "u2", "u3"]),
        ("u2/b", ["u1 u2", "u3"]),
        ("u3/a", ["u1 u2", "u3"]),
    ],
)
@pytest.mark.parametrize("depth", [1, EVERYTHING])
def test_blocks_fold_only_where_they_are_equally_connected(read: str, together: list[str], depth: int) -> None:
    diagram = blocks(f"{UNIT}  - concat: {{name: mix, from: [u3, {read}]}}\n", depth)
    held = [[name for name in node.parts[0].holds if "/" in name] for node in diagram.nodes]
    found = {" ".join(sorted({name.split("/")[0] for name in names})) for names in held if names}
    assert sorted(found) == together
    # A block that is read from inside is opened, so that the arrow starts at a layer of its own name; or it is named.
    starts = {edge.source for edge in diagram.edges if edge.target == "mix"}
    lines = diagram.by_id["mix"].parts[0].lines
    starts |= {name for line in lines for name in line.removeprefix("reads ").split(" and ")}
    assert (read in starts) == read.endswith("/a")


HEADS = """input: 14x14x64
layers:
  - global_avg_pool2d: {name: features}
  - linear: {name: boxes, out_features: 4}
  - linear: {name: classes, from: features, out_features: 10}
outputs:
  box: boxes
  class: classes
"""


@pytest.mark.parametrize("depth", [None, 1])
def test_outputs_of_one_weight_are_all_main_ones(depth: int | None) -> None:
    diagram = check(whole(HEADS), depth)
    ends = {node.parts[0].label: node for node in diagram.nodes if node.parts[0].family == "output"}
    assert set(ends) == {"box", "class"}
    assert not any(node.auxiliary for node in diagram.nodes)
    assert {edge.kind for edge in diagram.edges} == {"flow"}
    # A smaller weight in the loss makes no output auxiliary: both heads of a detector are there after the training.
    lighter = HEADS.replace("class: classes", "class: {layer: classes, loss_weight: 0.4}")
    diagram = check(whole(lighter), depth)
    assert {"box", "class · loss × 0.4"} <= {node.parts[0].label for node in diagram.nodes}
    assert not any(node.auxiliary for node in diagram.nodes)
    assert not [swatch for swatch in diagram.legend if swatch.edge]
    aside = lighter.replace("loss_weight: 0.4", "training_only: true")
    diagram = check(whole(aside), depth)
    assert {node.id for node in diagram.nodes if node.auxiliary} == {"classes", "output:class"}
    assert [swatch.label for swatch in diagram.legend if swatch.edge] == ["auxiliary output, in training only"]


@pytest.mark.parametrize(
    ("name", "depth", "box", "named"),
    [
        ("zfnet", 1, "conv1", ("conv 7×7, 96, /2",)),
        ("googlenet", 2, "inception_3a/pool", ("max pool 3×3", "conv 1×1")),
        ("mobilenet", 1, "conv3_1", ("depthwise", "batch norm")),
        ("googlenet", 1, "inception_3a", ("6 conv", "max pool", "concat")),
        ("resnet50", 2, "conv2_x/unit1", ("+ shortcut: conv 1×1, 256 → batch norm",)),
    ],
)
def test_a_folded_box_names_what_explains_its_numbers(name: str, depth: int, box: str, named: tuple[str, ...]) -> None:
    text = "\n".join(texts(compose_blocks(Wiring(analysis_of(name)), depth))[box])
    assert [word for word in named if word not in text] == []


def test_blocks_of_several_maps_are_folded_and_their_maps_named() -> None:
    diagram = check(analysis_of("wavenet"), 1)
    lines = {node.id: node.parts[0].lines for node in diagram.nodes}
    assert diagram.by_id["stack2"].times == 4
    assert {"each reads the 2 maps of the one before it", "reads stack1/layer10/sum and stack1/layer10/out"} <= {
        *lines["stack2"]
    }
    assert "reads stack5/layer10/sum" in lines["relu1"]
    assert {edge.size for edge in diagram.edges if edge.source == "stack2"} == {"16000×512"}


def test_towers_that_share_weights_say_whose() -> None:
    diagram = check(analysis_of("facenet"), 1)
    said = {node.id: [line for line in node.parts[0].lines if "weights" in line] for node in diagram.nodes}
    assert said["anchor_face"] == []
    assert said["positive_face"] == said["negative_face"] == ["weights of anchor_face"]


#: A U whose maps are enlarged to the size of the maps that are copied across, and one whose maps are cropped to it.
LIKE = """input: 64x64x3
layers:
  - conv2d: {name: c1, out_channels: 16, kernel_size: 3, padding: 1}
  - max_pool2d: {name: p1, kernel_size: 2}
  - conv2d: {name: c2, out_channels: 32, kernel_size: 3, padding: 1}
  - max_pool2d: {name: p2, kernel_size: 2}
  - conv2d: {name: c3, out_channels: 64, kernel_size: 3, padding: 1}
  - interpolate: {name: u2, like: c2}
  - concat: {name: m2, from: [u2, c2]}
  - conv2d: {name: d2, out_channels: 32, kernel_size: 3, padding: 1}
  - interpolate: {name: u1, like: c1}
  - concat: {name: m1, from: [u1, c1]}
  - conv2d: {name: d1, out_channels: 2, kernel_size: 1}
"""
#: A sum of two ways, one of which is enlarged to the size of a third map.
SUM = """input: 32x32x8
layers:
  - conv2d: {name: a, out_channels: 8, kernel_size: 3, padding: 1}
  - max_pool2d: {name: p, kernel_size: 2}
  - conv2d: {name: b, out_channels: 8, kernel_size: 3, padding: 1}
  - interpolate: {name: u, like: a}
  - conv2d: {name: last, out_channels: 8, kernel_size: 3, padding: 1}
"""

#: A pyramid: the map of the level below enlarged to the size of the one across, to which it is added.
PYRAMID = """input: 32x32x8
layers:
  - conv2d: {name: low, out_channels: 8, kernel_size: 3, padding: 1}
  - max_pool2d: {name: p, kernel_size: 2}
  - conv2d: {name: top, out_channels: 8, kernel_size: 3, padding: 1}
  - conv2d: {name: across, from: low, out_channels: 8, kernel_size: 1}
  - interpolate: {name: u, from: top, like: across}
  - add: {name: sum, from: [across, u]}
  - conv2d: {name: last, out_channels: 8, kernel_size: 3, padding: 1}
"""


@pytest.mark.parametrize("depth", [None, 1])
@pytest.mark.parametrize(
    ("text", "sized"), [(LIKE, {("c2", "u2"), ("c1", "u1")}), (SUM, {("a", "u")}), (PYRAMID, {("across", "u")})]
)
def test_what_gives_its_size_alone_is_no_way_of_data(text: str, sized: set[tuple[str, str]], depth: int | None) -> None:
    diagram = check(whole(text), depth)
    assert {(edge.source, edge.target) for edge in diagram.sized} == sized
    assert not sized & {(edge.source, edge.target) for edge in diagram.edges}
    assert not {edge.kind for edge in diagram.edges if edge.source in {source for source, _ in sized}} - {"flow"}
    for source, target in sized:
        assert f"size of {source}" in diagram.by_id[target].parts[0].lines
        assert re.search(f'"{source}" -> "{target}" .label="size".*style=dotted', dot(diagram, LIGHT))


def test_a_u_is_found_whatever_gives_the_sizes() -> None:
    assert suits_volumes(whole(LIKE))
    diagram = compose_graph(Wiring(whole(LIKE)))
    assert [(copy.source, copy.target) for copy in find_copies(diagram)] == [("c2", "m2"), ("c1", "m1")]
    assert u_layout(diagram)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_edges_and_frames_of_dot_look_as_in_the_drawings(theme: Theme) -> None:
    from pygraphviz import AGraph

    diagram = compose_graph(Wiring(analysis_of("resnet18")))
    read = AGraph(string=dot(diagram, theme))
    looks = {edge.kind: read.get_edge(edge.source, edge.target).attr for edge in diagram.edges}
    assert {kind: look["style"] for kind, look in looks.items()} == {
        "flow": "solid", "identity": "bold", "projection": "dotted"
    }  # fmt: skip
    assert looks["identity"]["color"] == looks["projection"]["color"] == theme.accent
    frames = [part.graph_attr["fillcolor"] for part in read.subgraphs()]
    assert set(frames) == {theme.frame.fill}


@pytest.mark.parametrize("text", [PYRAMID, PYRAMID.replace("like: across", "size: 32")])
def test_a_level_across_a_pyramid_is_no_shortcut(text: str) -> None:
    assert set(Wiring(whole(text)).edge_kinds.values()) <= {"flow"}


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("retinanet_resnet50_fpn", {"identity": 12, "projection": 12}),
        ("se_resnet50", {"identity": 12, "projection": 12}),
        ("attention_unet", {}),
        ("wavenet", {"identity": 50}),  # its skip connections are no projections past its residuals
    ],
)
def test_shortcuts_are_those_past_residuals(name: str, kinds: dict[str, int]) -> None:
    assert Counter(Wiring(analysis_of(name)).edge_kinds.values()) == kinds


def test_a_map_that_nobody_reads_says_so() -> None:
    outputs = {node.id: node.output for node in check(analysis_of("wavenet"), EVERYTHING).nodes}
    assert outputs["stack5/layer10/out"] == "16000×32, not read"
    assert [name for name, output in outputs.items() if "not read" in output] == ["stack5/layer10/out"]


#: Blocks that are equal but for the map whose size they take; and blocks that take the size of a map of their own.
SIZED_OUTSIDE = """input: 16x16x8
layers:
  - conv2d: {name: stem, out_channels: 8, kernel_size: 3, padding: 1}
  - b: {name: u1}
  - b: {name: u2}
  - b: {name: u3}
blocks:
  b:
    layers:
      - max_pool2d: {name: p, kernel_size: 2}
      - interpolate: {name: r, like: stem}
"""
SIZED_INSIDE = SIZED_OUTSIDE.replace("like: stem", "like: c").replace(
    "      - max_pool2d", "      - conv2d: {name: c, out_channels: 8, kernel_size: 1}\n      - max_pool2d"
)


@pytest.mark.parametrize("depth", [None, 1, EVERYTHING])
@pytest.mark.parametrize(("text", "together"), [(SIZED_OUTSIDE, False), (SIZED_INSIDE, True)])
def test_blocks_that_take_the_size_of_another_map_are_read_back(text: str, together: bool, depth: int | None) -> None:
    diagram = check(whole(text), depth)
    times = [node.times for node in diagram.nodes] + [group.times for group in diagram.groups]
    assert max(times) == (3 if together and depth is not None else 1)


@pytest.mark.parametrize("depth", [None, 1])
def test_no_arrow_leaves_an_input_that_gives_its_size_alone(depth: int | None) -> None:
    diagram = check(only(whole(SIZED_OUTSIDE), "u2"), depth)
    node = diagram.by_id["stem"]
    assert "stem" not in diagram.leaving
    assert node.parts[0].suffix == ("16×16×8" if depth is None else "")
