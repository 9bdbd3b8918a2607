"""Pictures for pages: what is found in them, and their colours."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from archcalc.render.diagrams.draw import Choices, draw
from archcalc.render.diagrams.pages import colours, page_picture, standard_picture, standard_styles
from archcalc.render.diagrams.theme import DARK, LIGHT
from tests.networks import numbers
from tests.render.diagrams.pictures import SVG, analysis_of, groups, layers_of, parse
from tests.tiers import slow_but


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "styles"),
    [
        ("alexnet", "blocks graph volumes"),
        ("unet", "blocks graph volumes"),
        ("googlenet@aux", "blocks graph"),
        ("resnet50", "blocks graph"),
    ],
)
def test_each_network_has_the_pictures_that_suit_it(name: str, styles: str) -> None:
    assert standard_styles(analysis_of(name)) == tuple(styles.split())
    for style in styles.split():
        text = standard_picture(analysis_of(name), style)
        assert text.encode() == draw(analysis_of(name), "svg", Choices(style=style, theme="light")).data


@pytest.mark.parametrize(
    "name",
    slow_but(["googlenet@aux"], ["googlenet@aux", "resnet50", "inception_v4", "nasnet_mobile", "unet", "alexnet"]),
)
@pytest.mark.parametrize(("style", "depth"), [("blocks", None), ("blocks", 1), ("blocks", 2), ("graph", None)])
def test_every_layer_is_found_once(name: str, style: str, depth: int | None) -> None:
    root = parse(page_picture(analysis_of(name), Choices(style=style, depth=depth), ""))
    found = [layer for node in groups(root, "node") for layer in layers_of(node)]
    assert sorted(found) == sorted(row.name for row in analysis_of(name).rows)
    for node in groups(root, "node"):
        block, layer = node.get("data-block"), node.get("data-layer")
        if block:
            assert layers_of(node)[0].startswith(block + "/")
        elif layer:
            assert layer in layers_of(node)
        else:
            assert name == "googlenet@aux"  # an auxiliary output is no layer


def test_equal_blocks_at_two_levels_are_found() -> None:
    unit = "    layers:\n      - unit: {name: a}\n      - unit: {name: b}\n      - unit: {name: c}\n"
    block = "  unit:\n    layers:\n      - conv2d: {out_channels: 4, kernel_size: 1}\n      - relu\n"
    top = f"blocks:\n{block}  stage:\n{unit}"
    stages = "".join(f"  - stage: {{name: s{number}}}\n" for number in (1, 2, 3))
    analysis = numbers(stages + "  - conv2d: {name: last, out_channels: 7, kernel_size: 1}", top=top)
    root = parse(page_picture(analysis, Choices(style="blocks", depth=2), ""))
    found = [layers_of(node) for node in groups(root, "node")]
    assert [len(layers) for layers in found] == [1, 18, 1]
    assert sorted(layer for layers in found for layer in layers) == sorted(row.name for row in analysis.rows)
    assert len(groups(root, "edge")) >= 2


def test_ids_start_as_asked() -> None:
    text = page_picture(analysis_of("vgg16"), Choices(style="blocks", color_by="params"), "p1-")
    ids = re.findall(r' id="([^"]*)"', text)
    assert sorted(ids) == ["p1-desc", "p1-ramp1", "p1-title"]
    assert 'aria-labelledby="p1-title p1-desc"' in text
    assert "url(#p1-ramp1)" in text
    assert '"p&quot;&gt;title"' in page_picture(analysis_of("lenet5"), Choices(), 'p">')


@pytest.mark.slow
@pytest.mark.parametrize("style", ["blocks", "graph", "volumes"])
def test_a_style_sheet_chooses_the_colours(style: str) -> None:
    choices = Choices(style=style, color_by="params", highlight="conv3_1")
    text = page_picture(analysis_of("vgg16"), choices, "")
    light, dark = colours([text])
    for declared, theme in ((light, LIGHT), (dark, DARK)):
        values = dict(re.findall(r"(--c-[0-9a-f]{6}-[0-9a-f]{6}):(#[0-9a-f]{6});", declared))
        shown = text
        for variable, value in values.items():
            shown = shown.replace(f"var({variable})", value)
        root = parse(shown)
        plain = parse(draw(analysis_of("vgg16"), "svg", replace(choices, theme=theme.name)).data.decode())
        assert [node.get("fill") for node in root.iter(f"{SVG}text")] == [
            node.get("fill") for node in plain.iter(f"{SVG}text")
        ]
    assert not re.search(r'="#[0-9a-f]{6}"', text)
