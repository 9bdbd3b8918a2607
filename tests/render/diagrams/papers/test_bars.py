"""Bars, compared with figure 3 of He et al. 2016, "Deep Residual Learning for Image Recognition"."""

from __future__ import annotations

import pytest

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.draw import draw, draw_steps
from archcalc.render.diagrams.drawing import Rect, Text
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.papers.bars import align
from archcalc.render.diagrams.papers.trunk import Unsuited, trunk_of
from archcalc.render.diagrams.theme import LIGHT
from archcalc.render.diagrams.wiring import Wiring
from tests.render.diagrams.papers.figures import edges, figure, nodes, texts
from tests.render.diagrams.pictures import analysis_of, check_picture

INPUT = ["input 224×224×3"]
#: The layers of the three columns of the figure, read from top to bottom.
VGG19 = [
    *INPUT, *["conv 3×3, 64"] * 2, "max pool 2×2, /2", *["conv 3×3, 128"] * 2, "max pool 2×2, /2",
    *["conv 3×3, 256"] * 4, "max pool 2×2, /2", *["conv 3×3, 512"] * 4, "max pool 2×2, /2", *["conv 3×3, 512"] * 4,
    "max pool 2×2, /2", "dense 4096", "dense 4096", "dense 1000",
]  # fmt: skip
PLAIN34 = [
    *INPUT, "conv 7×7, 64, /2", "max pool 3×3, /2", *["conv 3×3, 64"] * 6, "conv 3×3, 128, /2", *["conv 3×3, 128"] * 7,
    "conv 3×3, 256, /2", *["conv 3×3, 256"] * 11, "conv 3×3, 512, /2", *["conv 3×3, 512"] * 5, "global average pool",
    "dense 1000",
]  # fmt: skip


@pytest.mark.parametrize(("name", "layers"), [("vgg19", VGG19), ("plain34", PLAIN34), ("resnet34", PLAIN34)])
def test_the_layers_of_the_figure_in_its_order(name: str, layers: list[str]) -> None:
    assert texts(nodes(figure("bars", name))) == layers


def test_the_shortcuts_of_the_figure() -> None:
    arcs = [edge for edge in edges(figure("bars", "resnet34")) if "shortcut" in edge.title]
    assert len(arcs) == 16
    dotted = [edge.title for edge in arcs if "changes" in edge.title]
    # "The dotted shortcuts increase dimensions": into the first block of 128, 256 and 512 channels.
    assert [title.split(" → ")[0].split("/")[0] for title in dotted] == ["conv2_x", "conv3_x", "conv4_x"]
    assert not [edge for edge in edges(figure("bars", "plain34")) if "shortcut" in edge.title]


def test_networks_next_to_each_other_are_level_by_the_size_of_their_maps() -> None:
    drawing = figure("bars", "vgg19", "plain34", "resnet34")
    assert texts(nodes(drawing)) == [
        text for part in (0, 1) for layers, cut in ((VGG19, 16), (PLAIN34, 17), (PLAIN34, 17))
        for text in (layers[:cut] if part == 0 else layers[cut:])
    ]  # fmt: skip
    tops: dict[str, set[float]] = {}
    for node in nodes(drawing):
        bar = next(shape for shape in node.shapes if isinstance(shape, Rect))
        size = node.title.rpartition("output ")[2]
        tops.setdefault(size, set()).add(bar.y)
    named = {
        shape.text: shape.y for item in drawing.items if item.title == "Sizes" for shape in item.shapes
        if isinstance(shape, Text) and shape.text != "output size"
    }  # fmt: skip
    assert list(named) == ["224×224", "112×112", "56×56", "28×28", "14×14", "7×7", "1"]
    for size in ("112×112", "56×56", "28×28", "14×14", "7×7"):
        # Every network's first bar of a size is level with the number at the side.
        assert min(tops[size]) < named[size] < min(tops[size]) + 30


def test_a_bar_says_what_is_asked_for() -> None:
    choices = Choices(style="bars", labels=("kernel", "params", "macs", "shape", "receptive_field"), names="paper")
    found = texts(nodes(drawing_of(analysis_of("vgg16"), choices)[0]))
    assert found[1] == "conv1_1 · conv 3×3, 64 · 1.79 K params · 86.7 M mult. · 224×224×64 · sees 3×3"
    assert found[0] == "input 224×224×3"


@pytest.mark.parametrize("networks", [("resnet34",), ("vgg19", "resnet34"), ("mobilenet_v3_small",), ("unet@padded",)])
@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_no_text_lies_over_another(networks: tuple[str, ...], theme: str) -> None:
    first, *others = map(analysis_of, networks)
    choices = Choices(style="bars", fit="16:9", theme=theme)
    check_picture(draw_steps(first, "svg", choices, others)[0].data.decode())


@pytest.mark.parametrize("form", ["svg", "pdf", "pptx", "tex", "png", "drawio"])
def test_every_format_that_is_drawn(form: str) -> None:
    assert draw(analysis_of("lenet5"), form, Choices(style="bars")).data


def test_squeeze_and_excitation_is_no_chain_of_its_own() -> None:
    stops = trunk_of(Wiring(analysis_of("mobilenet_v3_small"))).stops
    # Table 2 of Howard et al. 2019: nine of the eleven blocks have one.
    assert sum(stop.gated for stop in stops) == 9


@pytest.mark.parametrize(
    ("name", "reason"),
    [("googlenet", "branches side by side at inception_5b/concat1"), ("yolov3", "has 3 outputs")],
)
def test_what_branches_has_no_bars_and_the_message_says_why(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        draw(analysis_of(name), "svg", Choices(style="bars"))
    assert "styles that suit: " in str(caught.value)
    assert "graph" in str(caught.value)


def test_a_choice_that_figures_do_not_have_is_refused() -> None:
    refused = [
        Choices(style="bars", depth=1),
        Choices(style="bars", highlight="conv1"),
        Choices(style="bars", labels=("param",)),
        Choices(style="graph", names="none"),
        Choices(labels=("params",)),
    ]
    for choices in refused:
        with pytest.raises(UsageError):
            draw(analysis_of("lenet5"), "svg", choices)
    with pytest.raises(UsageError, match="--style bars"):
        draw_steps(analysis_of("lenet5"), "svg", Choices(), [analysis_of("vgg16")])


def test_stages_of_several_networks_need_one_order() -> None:
    assert align([[(8, 8), (4, 4), ()], [(16, 16), (4, 4)]]) == [(16, 16), (8, 8), (4, 4), ()]
    with pytest.raises(Unsuited, match="only shrink"):
        align([[(8, 8), (4, 4)], [(4, 4), (8, 8)]])


@pytest.mark.parametrize(("name", "white"), [
    ("vit_b_16", {"input 224×224×3", "narrow length, 1 from 0", "dense 1000"}),
    ("convnext_tiny", {"input 224×224×3", "global average pool", "dense 1000"}),
    ("vgg16", {"input 224×224×3", "max pool 2×2, /2", "dense 4096", "dense 1000"}),
])  # fmt: skip
def test_layers_with_weights_on_maps_are_coloured(name: str, white: set[str]) -> None:
    bars = nodes(figure("bars", name))
    plain = LIGHT.families["input"].fill
    fills = {item.title: next(shape.fill for shape in item.shapes if isinstance(shape, Rect)) for item in bars}
    found = {text for item, text in zip(bars, texts(bars), strict=True) if fills[item.title] == plain}
    assert found == white
