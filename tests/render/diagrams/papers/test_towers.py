"""Towers, compared with figure 2 of Krizhevsky et al. 2012, "ImageNet Classification with Deep CNNs"."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.draw import draw
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.papers.figure import Request
from archcalc.render.diagrams.papers.towers import floors_of, links_between
from archcalc.render.diagrams.theme import LIGHT
from archcalc.render.diagrams.wiring import Wiring
from tests.render.diagrams.papers.figures import curves, edges, figure, nodes, texts
from tests.render.diagrams.pictures import analysis_of, check_picture

THREE = "64x64x3 -> conv3-33p1 -> relu -> conv3-33p1g3 -> relu -> pool2 -> conv1-66p0g3 -> fc10"


def test_the_parts_of_the_figure() -> None:
    shown = [node.title.rpartition(": ")[2] for node in nodes(figure("towers", "alexnet@grouped"))]
    # "The number of neurons in the network's remaining layers": 48, 128, 192, 192, 128 kernels and 2048 neurons each.
    parts = ["55×55×48", "27×27×128", "13×13×192", "13×13×192", "13×13×128", "2048", "2048"]
    assert shown == ["227×227×3", *(size for size in parts for _ in range(2)), "1000"]


def test_lines_cross_where_the_figure_has_them_cross() -> None:
    """Section 3.5: layers 2, 4 and 5 read maps on their own GPU only, layer 3 and the dense layers all maps."""
    crossing = {
        edge.title.partition("crosses to ")[2].split(",")[0]
        for edge in edges(figure("towers", "alexnet@grouped")) if "crosses" in edge.title
    }  # fmt: skip
    assert crossing == {"conv3", "fc6", "fc7"}


def test_pools_are_named_where_they_follow() -> None:
    """Section 3.5: max pooling follows the first, the second and the fifth convolution."""
    analysis = analysis_of("alexnet@grouped")
    floors = floors_of(Wiring(analysis), Request((analysis,), LIGHT, 16 / 9))
    assert [floor.volume.label for floor in floors if floor.pools] == ["conv1", "conv2", "conv5"]
    assert [floor.groups for floor in floors] == [1, 1, 2, 1, 2, 2, 1, 1, 1]
    items = [item for item in figure("towers", "alexnet@grouped").items if item.role == "plain"]
    assert texts(items).count("→ max pool 3×3, /2") == 3


def test_three_towers_read_their_own_part() -> None:
    analysis = analysis_of(THREE)
    floors = floors_of(Wiring(analysis), Request((analysis,), LIGHT, 16 / 9))
    assert [floor.parts for floor in floors] == [1, 3, 3, 3, 1]
    assert links_between(floors[1], floors[2]) == [(0, 0), (1, 1), (2, 2)]
    assert links_between(floors[0], floors[1]) == [(0, 0), (0, 1), (0, 2)]
    assert links_between(floors[3], floors[4]) == [(0, 0), (1, 0), (2, 0)]
    assert not [edge for edge in edges(drawing_of(analysis, Choices(style="towers"))[0]) if "crosses" in edge.title]


@pytest.mark.parametrize(("net", "parts", "links"), [
    # (parts of each map, links into each layer)
    ("32x32x4 -> conv3-16g4 -> conv3-16g4 -> fc10", [4, 4, 4, 1], [4, 4, 4]),
    ("32x32x4 -> conv3-16 -> conv3-16g4 -> fc10", [1, 4, 4, 1], [4, 4, 4]),
    ("32x32x4 -> conv3-16 -> conv3-16g2 -> conv3-16g2", [1, 2, 2, 2], [2, 2, 2]),
    ("32x32x4 -> conv3-16 -> conv3-16g2 -> conv3-16", [1, 2, 2, 1], [2, 2, 2]),
    # Every channel by itself: none crosses. In three groups, two halves share the one in the middle.
    ("32x32x4 -> conv3-16 -> conv3-16g16 -> conv3-16g2 -> fc10", [1, 2, 2, 2, 1], [2, 2, 2, 2]),
    ("32x32x3 -> conv3-6g3 -> conv3-6g2 -> fc10", [3, 2, 2, 1], [4, 2, 2]),
    ("32x32x4 -> conv3-16g2 -> conv3-16g4 -> fc10", [2, 4, 4, 1], [4, 4, 4]),
])  # fmt: skip
def test_a_layer_reads_the_parts_of_its_groups(net: str, parts: list[int], links: list[int]) -> None:
    analysis = analysis_of(net)
    floors = floors_of(Wiring(analysis), Request((analysis,), LIGHT, 16 / 9))
    assert [floor.parts for floor in floors] == parts
    assert [len(links_between(*pair)) for pair in pairwise(floors)] == links


def test_a_window_is_drawn_as_what_it_is() -> None:
    """Of a dilated window the values are drawn that it reads: nine, in each part of the map before."""
    net = "32x32x4 -> conv3-16 -> {} -> fc10"
    counts = [
        [len([curve for curve in curves([node]) if curve.line is None and curve.fill]) for node in nodes(drawing)]
        for drawing in (figure("towers", net.format(layer)) for layer in ("conv5-16g2", "conv3-16g2d2"))
    ]
    assert counts == [[0, 0, 0, 0, 0, 0], [0, 9, 9, 0, 0, 0]]


@pytest.mark.parametrize("layer", ["conv1-16", "conv3-16", "relu -> conv1-16"])
def test_lines_that_cross_have_their_entry_in_the_legend(layer: str) -> None:
    drawing = figure("towers", f"32x32x4 -> conv3-16 -> {layer} -> conv3-16g2 -> fc10")
    assert any("crosses to" in edge.title for edge in edges(drawing))
    assert "reads the other towers too" in texts([item for item in drawing.items if item.role == "legend"])


@pytest.mark.parametrize("name", ["alexnet@grouped", THREE, "32x32x4 -> conv3-16g4 -> conv3-16g4d2 -> fc10"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_text_lies_over_another(name: str, theme: str) -> None:
    check_picture(draw(analysis_of(name), "svg", Choices(style="towers", fit="16:9", theme=theme)).data.decode())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("alexnet", "alexnet has no grouped convolution; styles that suit: .*bars"),
        ("mobilenet", "mobilenet has no grouped convolution"),
        ("googlenet", "googlenet branches"),
        ("32x32x16 -> conv3-16g8 -> conv3-16", "in 8 groups, not in 2 to 4"),
    ],
)
def test_a_network_without_groups_has_no_towers(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        draw(analysis_of(name), "svg", Choices(style="towers"))


def test_layers_without_a_box_are_named_in_the_note() -> None:
    """Section 3.3: response normalisation follows the first and the second convolution."""
    shown = draw(analysis_of("alexnet@grouped"), "svg", Choices(style="towers")).data.decode()
    assert "Without a box: LRN, dropout." in " ".join(re.sub("<[^>]*>", " ", shown).split())
