"""Towers, compared with figure 2 of Krizhevsky et al. 2012, "ImageNet Classification with Deep CNNs"."""

from __future__ import annotations

import pytest

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.draw import draw
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.papers.figure import Request
from archcalc.render.diagrams.papers.towers import floors_of, links_between
from archcalc.render.diagrams.theme import LIGHT
from archcalc.render.diagrams.wiring import Wiring
from tests.render.diagrams.papers.figures import edges, figure, nodes, texts
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


@pytest.mark.parametrize("name", ["alexnet@grouped", THREE])
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
