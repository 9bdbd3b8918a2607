"""The diagram model: folding, shortcuts, frames, side branches."""

from __future__ import annotations

import pytest

from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.compose import compose_blocks, compose_graph
from archcalc.render.diagrams.fold import fold
from archcalc.render.diagrams.frames import crossings, cut
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.stack import stacked
from archcalc.render.diagrams.wiring import Wiring
from archcalc.render.diagrams.words import figure, span
from tests.networks import numbers
from tests.render.diagrams.pictures import analysis_of


def blocks(name: str, depth: int) -> Diagram:
    return compose_blocks(Wiring(analysis_of(name)), depth)


def graph(analysis: Analysis) -> Diagram:
    return compose_graph(Wiring(analysis))


# --- folding


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("resnet50", (2, 3, 5, 2)),
        ("resnet101", (2, 3, 22, 2)),
        ("resnet152", (2, 7, 35, 2)),
        ("resnet34", (3, 3, 5, 2)),
    ],
)
def test_equal_units_become_one_with_their_number(name: str, counts: tuple[int, ...]) -> None:
    # Table 1 of the paper, less the first unit of a stage where it changes size or width.
    found = tuple(node.times for node in blocks(name, 2).nodes if node.times > 1)
    assert found == counts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("inception_v4", {"inception_a": 4, "inception_b": 7, "inception_c": 3}),
        ("inception_resnet_v2", {"inception_resnet_a": 10, "inception_resnet_b": 20, "inception_resnet_c": 9}),
        ("xception", {"middle_flow": 8}),
        ("mobilenet", {"conv5_": 5}),
        # The first two cells of a stack read maps of other widths.
        ("nasnet_mobile", {"normal_1_": 2, "normal_2_": 2, "normal_3_": 2}),
    ],
)
def test_repeated_blocks_of_the_papers(name: str, expected: dict[str, int]) -> None:
    found = {
        node.parts[0].label.split("–")[0].rstrip("0123456789"): node.times
        for node in blocks(name, 1).nodes
        if node.times > 1
    }
    assert found == expected


@pytest.mark.parametrize(
    ("name", "block", "line"),
    [
        ("mobilenet_v3_large", "bneck4", "4 conv · conv /2 · 3 batch norm · global pool"),
        ("inception_v4", "reduction_a", "2 conv · 2 conv /2 · 4 batch norm · max pool /2"),
        ("ghostnet", "bneck2", "5 conv · 2 conv /2 · 7 batch norm · 2 concat · add"),
    ],
)
def test_a_count_of_layers_names_strides(name: str, block: str, line: str) -> None:
    assert blocks(name, 1).by_id[block].parts[0].lines[0] == line


def test_outputs_of_a_card_that_others_read_too() -> None:
    cards = compose_blocks(Wiring(analysis_of("yolov3")), 1, most=9)
    diagram = stacked(cards)
    host = next(node for node in diagram.nodes if any("… large" in part.label for part in node.parts))
    assert host.output == "13×13×512 and 13×13×255"
    assert [part.suffix for part in diagram.by_id["output:large"].parts] == ["13×13×255"]


def test_an_embedding_is_no_dense_layer() -> None:
    families = {part.name: part.family for node in graph(analysis_of("bert_base")).nodes for part in node.parts}
    assert families["token_embedding"] == families["position_embedding"] == "parameter"


def test_frames_repeat_too() -> None:
    groups = {group.label: group.times for group in blocks("inception_v4", 2).groups}
    assert groups["inception_a1–4"] == 4
    assert groups["inception_b1–7"] == 7
    assert groups["reduction_a"] == 1


@pytest.mark.parametrize("name", ["googlenet@aux", "resnet110_cifar", "inception_v4", "nasnet_large", "unet", "vgg16"])
@pytest.mark.parametrize("depth", [1, 2, 3, 9])
def test_folding_loses_nothing(name: str, depth: int) -> None:
    network = Wiring(analysis_of(name))
    folding = fold(network, depth)
    layers = params = work = 0
    for unit in folding.units:
        times = unit.times
        for level in range(1, len(unit.path) + 1):
            times *= folding.repeats.get(unit.path[:level], (1, ""))[0]
        layers += times * len(unit.rows)
        params += times * sum(network.rows[row].params for row in unit.rows)
        work += times * sum(network.rows[row].multiplications or 0 for row in unit.rows)
    totals = network.analysis.totals
    assert (layers, params, work) == (len(network.rows), totals.params, totals.multiplications)


def test_different_neighbours_stay_apart() -> None:
    text = """
  - conv_relu: {name: a1, out_channels: 4, kernel_size: 3, padding: 1}
  - conv_relu: {name: a2, out_channels: 4, kernel_size: 3, padding: 1}
  - conv_relu: {name: a3, out_channels: 4, kernel_size: 3, padding: 1}
  - conv_relu: {name: b, out_channels: 4, kernel_size: 1}
"""
    diagram = compose_blocks(Wiring(numbers(text)), 1)
    assert [(node.parts[0].label, node.times) for node in diagram.nodes] == [
        ("input", 1), ("a1–3", 3), ("b", 1)
    ]  # fmt: skip
    assert [(edge.source.split("/")[0], edge.target.split("/")[0]) for edge in diagram.edges] == [
        ("input", "a1"), ("a1", "b")
    ]  # fmt: skip


@pytest.mark.slow
def test_a_deep_chain_of_equal_layers_is_one_box() -> None:
    text = "  - conv_relu: {out_channels: 4, kernel_size: 3, padding: 1, repeat: 2499}"
    diagram = compose_blocks(Wiring(numbers(text)), 1)
    assert [node.times for node in diagram.nodes] == [1, 2499]


# --- shortcuts, side branches, frames


def kinds(diagram: Diagram) -> dict[str, int]:
    return {kind: sum(edge.kind == kind for edge in diagram.edges) for kind in ("identity", "projection", "auxiliary")}


@pytest.mark.parametrize(
    ("name", "identity", "projection"),
    [
        ("resnet18", 5, 3), ("resnet34", 13, 3), ("resnet50", 12, 4), ("resnet152", 46, 4), ("plain34", 0, 0),
        ("inception_resnet_v1", 21, 0), ("googlenet", 0, 0), ("unet", 0, 0), ("xception", 8, 4),
    ],
)  # fmt: skip
def test_shortcuts(name: str, identity: int, projection: int) -> None:
    found = kinds(graph(analysis_of(name)))
    # Into the projection and out of it again.
    assert (found["identity"], found["projection"]) == (identity, 2 * projection)


def test_parameter_free_shortcuts_of_cifar_are_projections_by_padding() -> None:
    found = kinds(graph(analysis_of("resnet20_cifar")))
    assert found["identity"] == 7
    assert found["projection"] > 0


def test_auxiliary_outputs_are_marked() -> None:
    diagram = graph(analysis_of("googlenet@aux"))
    ends = [node for node in diagram.nodes if node.parts[0].family == "output"]
    assert [end.parts[0].label for end in ends] == ["aux1 · loss × 0.3", "aux2 · loss × 0.3", "output"]
    assert [end.auxiliary for end in ends] == [True, True, False]
    assert {edge.target for edge in diagram.edges if edge.source.startswith("aux1/")} >= {ends[0].id}
    assert not any(node.auxiliary for node in graph(analysis_of("googlenet")).nodes)


def test_layers_in_place_are_drawn_in_one_box() -> None:
    stacks = [[part.name for part in node.parts] for node in graph(analysis_of("alexnet")).nodes]
    assert stacks[:3] == [["input"], ["conv1", "relu1", "norm1"], ["pool1"]]
    assert stacks[-1] == ["fc8", "prob"]


def test_frames_are_nested_and_name_the_rest_of_the_way() -> None:
    diagram = graph(analysis_of("googlenet"))
    assert ("inception_3a",) in {group.path for group in diagram.groups}
    labels = {part.name: part.label for node in diagram.nodes for part in node.parts}
    assert labels["inception_3a/3x3/reduce/conv"] == "reduce/conv"
    assert labels["inception_3a/1x1/conv/conv"] == "1x1/conv/conv"
    assert labels["pool1"] == "pool1"


def test_edges_run_forwards_between_nodes_that_exist() -> None:
    for name in ("nasnet_mobile", "inception_resnet_v2", "unet", "deconvnet"):
        for diagram in (graph(analysis_of(name)), blocks(name, 1), blocks(name, 2)):
            order = diagram.order
            assert all(order[edge.source] < order[edge.target] for edge in diagram.edges)
            reached = {edge.target for edge in diagram.edges}
            assert [node.id for node in diagram.nodes if node.id not in reached] == ["input"]


# --- small pieces


def test_crossings_and_cuts() -> None:
    edges = [(0, 1), (1, 2), (2, 3), (1, 3), (3, 4)]
    assert [sorted(nodes) for nodes in crossings(5, edges)] == [[], [0], [1], [1, 2], [3]]
    assert [list(segment) for segment in cut([()] * 5, edges)] == [[0], [1], [2, 3], [4]]
    # Ways from two inputs stay together until they meet, or to the end.
    assert [list(part) for part in cut([()] * 6, [(0, 2), (1, 3), (2, 4), (3, 4), (4, 5)])] == [[0, 1, 2, 3, 4], [5]]
    assert [list(part) for part in cut([()] * 6, [(0, 2), (1, 3), (2, 4), (3, 5)])] == [[0, 1, 2, 3, 4, 5]]
    streams = [(0, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7)]
    assert cut([()] * 8, streams, 3) == [range(8)]
    assert cut([()] * 10, [*streams, (4, 8), (7, 8), (8, 9)], 3) == [range(9), range(9, 10)]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1.00 K"), (70400, "70.4 K"), (999_499, "999 K"), (999_500, "1.00 M"),
     (4_089_184_256, "4.09 G"), (10**13, "10.0 T")],
)  # fmt: skip
def test_figures_have_three_digits(number: int, text: str) -> None:
    assert figure(number) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [("unit2", "unit4", "unit2–4"), ("a9", "a10", "a9–10"), ("conv", "conv", "conv"), ("x1a", "x2a", "x1a … x2a"),
     ("normal_1_3", "normal_1_6", "normal_1_3–6")],
)  # fmt: skip
def test_names_of_runs(first: str, last: str, text: str) -> None:
    assert span(first, last) == text
