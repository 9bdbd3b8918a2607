"""Series of drawings: each shows one part more, none shows a line without its ends."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.draw import Choices, draw, draw_steps
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.steps import reveal
from tests.networks import numbers
from tests.render.diagrams.pictures import analysis_of, check_picture, groups, layers_of, parse
from tests.tiers import slow_but

SERIES = [
    ("alexnet", {"style": "graph"}, 12),
    ("alexnet", {"style": "volumes"}, 12),
    ("resnet50", {"style": "blocks"}, 9),
    ("resnet18", {"style": "graph"}, 9),
    ("googlenet@aux", {"style": "blocks"}, 21),
    ("unet", {"style": "graph"}, 17),
    ("unet", {"style": "volumes"}, 28),
    ("resnet50", {"style": "blocks", "expand": "conv4_x/unit3"}, 9),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "choices", "count"), SERIES)
def test_parts_appear_one_after_the_other(name: str, choices: dict[str, Any], count: int) -> None:
    pictures = draw_steps(analysis_of(name), "svg", Choices(**choices, steps=True))
    assert len(pictures) == count
    roots = [check_picture(picture.data.decode()) for picture in pictures]
    shown = [[layer for node in groups(root, "node") for layer in layers_of(node)] for root in roots]
    assert shown[0] == ["input"]
    for fewer, more in pairwise(shown):
        assert set(fewer) <= set(more)
    sizes = {(root.attrib["width"], root.attrib["height"]) for root in roots}
    assert len(sizes) == 1
    assert pictures[-1].data == draw(analysis_of(name), "svg", Choices(**choices)).data


@pytest.mark.parametrize(("name", "choices", "count"), [entry for entry in SERIES if entry[1]["style"] != "volumes"])
def test_no_line_without_its_ends(name: str, choices: dict[str, Any], count: int) -> None:
    for drawing in reveal(drawing_of(analysis_of(name), Choices(**choices, steps=True), links=True)[0])[0]:
        there = {item.owner for item in drawing.items if item.owner}
        for link in drawing.links:
            assert {link.source, link.target} <= there


@pytest.mark.parametrize(
    "name",
    slow_but(["resnet18", "unet"], ["resnet18", "googlenet@aux", "unet", "deconvnet", "nasnet_mobile", "xception"]),
)
@pytest.mark.parametrize("style", ["graph", "blocks"])
def test_the_ways_of_edges_use_every_line(name: str, style: str) -> None:
    drawing = drawing_of(analysis_of(name), Choices(style=style, steps=True))[0]
    lines = [item for item in drawing.items if item.linked and not item.owner]
    assert lines
    assert all(item.step for item in lines)


@pytest.mark.slow
def test_a_document_has_a_page_for_each_step() -> None:
    (picture,) = draw_steps(analysis_of("lenet5"), "pdf", Choices(style="graph", steps=True))
    assert picture.data.count(b"/Type /Page\n") + picture.data.count(b"/Type /Page ") == 8


@pytest.mark.parametrize("form", ["dot", "mmd", "drawio"])
def test_sources_have_no_steps(form: str) -> None:
    with pytest.raises(UsageError, match="no steps"):
        draw(analysis_of("lenet5"), form, Choices(steps=True))


def test_steps_of_one_block() -> None:
    pictures = draw_steps(analysis_of("googlenet"), "svg", Choices(only="inception_3a", style="graph", steps=True))
    last = parse(pictures[-1].data.decode())
    assert len(pictures) > 3
    assert len(groups(last, "node")) > 12


@pytest.mark.slow
def test_very_many_parts_come_in_some_steps() -> None:
    analysis = numbers("  - conv_relu: {out_channels: 4, kernel_size: 1, repeat: 130}")
    pictures = draw_steps(analysis, "svg", Choices(style="graph", steps=True))
    assert len(pictures) == 60
    assert "131 parts are revealed in 60 steps" in pictures[0].notes
    counts = [len(groups(parse(picture.data.decode()), "node")) for picture in pictures]
    assert counts == sorted(set(counts))
    assert counts[-1] == 261
