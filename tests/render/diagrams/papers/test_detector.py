"""Pyramids, compared with Redmon and Farhadi 2018 (YOLOv3), Lin et al. 2017 (FPN, RetinaNet), Liu et al. 2016 (SSD)."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from archcalc.core.errors import UsageError
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import analyse
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.draw import draw
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.papers.pyramid import Pyramid, pyramid_of
from archcalc.render.diagrams.wiring import FOLLOWERS, Wiring
from archcalc.render.diagrams.words import AND
from tests.networks import graph
from tests.render.diagrams.papers.figures import edges, figure, nodes, texts
from tests.render.diagrams.pictures import analysis_of, check_picture

DETECTORS = ["yolov3", "yolov3_tiny", "retinanet_resnet50_fpn", "ssd300_vgg16"]


@cache
def pyramid(name: str) -> Pyramid:
    return pyramid_of(Wiring(analysis_of(name)))


def first_lines(name: str) -> list[str]:
    return [texts([node])[0] for node in nodes(figure("detector", name))]


def sides(name: str, kind: str) -> list[int]:
    return sorted({size[0] for place, size, _ in pyramid(name).parts if place == kind})


def test_the_scales_of_yolov3() -> None:
    """Section 2.3: boxes at three scales; Darknet-53 of table 1 halves the map five times."""
    assert sides("yolov3", "head") == [13, 26, 52]
    assert sides("yolov3", "backbone") == [13, 26, 52, 104, 208, 416]
    # 3 · (4 + 1 + 80) channels at each scale.
    assert {"large · 13×13×255", "medium · 26×26×255", "small · 52×52×255"} < set(first_lines("yolov3"))
    # "We take the feature map from 2 layers previous and upsample it by 2×", twice; then it is concatenated.
    written = texts(edges(figure("detector", "yolov3")))
    assert written == ["conv 1×1, 256", "→ upsample ×2, nearest", "conv 1×1, 128", "→ upsample ×2, nearest"]
    assert [part for line in texts(nodes(figure("detector", "yolov3"))) for part in line.split(AND)].count(
        "concat"
    ) == 2


def test_the_neck_of_yolov3_has_five_convolutions_at_each_scale() -> None:
    """Section 2.3; in yolov3.cfg five convolutions, 1×1 and 3×3 in turn, stand before the two of each head."""
    rows, parts = analysis_of("yolov3").rows, pyramid("yolov3").parts
    counts = {
        (kind, size[0]): sum(rows[index].op.family == "convolution" for index in members)
        for (kind, size, _), members in parts.items() if kind != "backbone"
    }  # fmt: skip
    assert counts == {(kind, side): 5 if kind == "neck" else 2 for kind in ("neck", "head") for side in (13, 26, 52)}


@pytest.mark.parametrize("name", DETECTORS)
def test_an_arrow_leaves_the_end_of_a_part(name: str) -> None:
    """What another part reads is the last map of a part; only what works in place may follow it."""
    found, wiring = pyramid(name), Wiring(analysis_of(name))
    part_of = {index: place for place, members in found.parts.items() for index in members}
    for index, place in part_of.items():
        for read in wiring.inputs[index]:
            source = read
            while source not in part_of:
                source = wiring.inputs[source][0]
            if part_of[source] != place:
                after = [one for one in found.parts[part_of[source]] if one > source]
                assert all(wiring.rows[one].op.family in FOLLOWERS for one in after), (name, wiring.rows[index].name)


def test_darknet_53_is_the_backbone_of_yolov3() -> None:
    rows = analysis_of("yolov3").rows
    parts = pyramid("yolov3").parts
    convolutions = [
        sum(rows[index].op.family == "convolution" for index in members)
        for (kind, _, name), members in parts.items() if kind == "backbone" and not name
    ]  # fmt: skip
    # Table 1: 1, 1 + 2, 1 + 2·2, 1 + 2·8, 1 + 2·8, 1 + 2·4; with the connected layer these are the 53 of its name.
    assert convolutions == [1, 3, 5, 17, 17, 9]


def test_the_levels_of_retinanet() -> None:
    """Section 4: levels P3 to P7 of 256 channels, two subnetworks of four convolutions each and a last one."""
    assert sides("retinanet_resnet50_fpn", "head") == [7, 13, 25, 50, 100]
    found = first_lines("retinanet_resnet50_fpn")
    assert {"C3 · 100×100×512", "C4 · 50×50×1024", "C5 · 25×25×2048"} < set(found)
    assert {"P3 · 100×100×256", "P4 · 50×50×256", "P5 · 25×25×256", "P6 · 13×13×256", "P7 · 7×7×256"} < set(found)
    # Every level is of one kind, and M5, which is enlarged, is no part of P5, which is made of it.
    assert sides("retinanet_resnet50_fpn", "shared") == [7, 13, 25, 50, 100]
    assert {"M3 · 100×100×256", "M4 · 50×50×256", "M5 · 25×25×256"} < set(found)
    shown = [node for node in nodes(figure("detector", "retinanet_resnet50_fpn"))
             if node.title.startswith(("classes", "boxes"))]  # fmt: skip
    heads = [[name, *AND.join(lines).split(AND)] for name, *lines in (texts([node]) for node in shown)]
    assert len(heads) == 10
    # 9 anchors of 91 classes, 9 of 4 numbers.
    assert {lines[2] for lines in heads} == {"conv 3×3, 819", "conv 3×3, 36"}
    assert all(lines[1] == "4 × conv 3×3, 256" for lines in heads)
    # The weights are shared: those of the largest map own them, by the names that the picture has.
    owners = [lines[-1] for lines in heads if lines[-1].startswith("weights of")]
    assert sorted(owners) == ["weights of boxes3"] * 4 + ["weights of classes3"] * 4
    for lines in heads:
        assert lines[-1].removeprefix("weights of ")[:5] == lines[0][:5] or lines[0].startswith(("classes3", "boxes3"))
    # FPN, section 3: "a 1×1 convolutional layer to reduce channel dimensions" on the way across.
    assert texts(edges(figure("detector", "retinanet_resnet50_fpn"))).count("conv 1×1, 256") == 2


def test_the_six_maps_of_ssd() -> None:
    """Figure 2 of the paper: conv4_3, conv7, conv8_2 to conv11_2, without a neck."""
    assert sides("ssd300_vgg16", "head") == [1, 3, 5, 10, 19, 38]
    assert not sides("ssd300_vgg16", "neck")
    channels = [line.rpartition("×")[2] for line in first_lines("ssd300_vgg16") if line.startswith("conv")]
    assert channels[5::-1] == ["512", "1024", "512", "256", "256", "256"]


@pytest.mark.parametrize("name", DETECTORS)
def test_every_layer_is_in_a_part_or_on_a_way(name: str) -> None:
    found = pyramid(name)
    shown = [index for members in found.parts.values() for index in members]
    on_ways = {index for way in found.ways for index in way.rows}
    assert len(shown) == len(set(shown))
    assert sorted({*shown, *on_ways}) == list(range(len(analysis_of(name).rows)))


@pytest.mark.parametrize("name", DETECTORS)
def test_arrows_are_maps_that_are_read(name: str) -> None:
    wiring = Wiring(analysis_of(name))
    found = pyramid(name)
    place_of = {index: place for place, members in found.parts.items() for index in members}
    for way in found.ways:
        chain = [*way.rows]
        end = [i for i in found.parts[way.target] if set(wiring.inputs[i]) & {*(chain[-1:] or found.parts[way.source])}]
        assert end, way
        for before, after in pairwise(chain):
            assert before in wiring.inputs[after]
        assert not chain or place_of[wiring.inputs[chain[0]][0]] == way.source


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_text_lies_over_another(name: str, theme: str) -> None:
    check_picture(draw(analysis_of(name), "svg", Choices(style="detector", fit="16:9", theme=theme)).data.decode())


@pytest.mark.parametrize("name", DETECTORS)
def test_the_input_is_a_box_at_the_foot_of_the_backbone(name: str) -> None:
    drawing = figure("detector", name)
    size = format_shape(analysis_of(name).rows[0].output_shape)
    assert texts(nodes(drawing)[-1:]) == [f"input · {size}"]
    assert sum(edge.title.startswith(f"input · {size} → ") for edge in edges(drawing)) == 1


LEVELS = """\
input: 64x64x3
blocks:
  head:
    shared: {shared}
    layers:
      - conv2d: {{name: t, out_channels: 16, kernel_size: 3, padding: 1}}
      - relu
      - conv2d: {{name: out, out_channels: 9, kernel_size: 1}}
layers:
  - conv2d: {{name: C1, out_channels: 8, kernel_size: 3, stride: 2, padding: 1}}
  - conv2d: {{name: C2, out_channels: 8, kernel_size: 3, stride: 2, padding: 1}}
  - conv2d: {{name: M2, out_channels: 16, kernel_size: 1}}
  - upsample2d: {{name: up, scale: 2}}
  - conv2d: {{name: L1, from: C1, out_channels: 16, kernel_size: 1}}
  - add: {{name: M1, from: [up, L1]}}
{heads}
outputs: {{large: h2, small: h1}}
"""
OWN = "  - conv2d: {{name: P{0}, from: M{0}, out_channels: 16, kernel_size: 3, padding: 1}}\n"
BLOCK = "  - head: {{name: h{0}, from: {1}}}\n"
LAYER = "  - conv2d: {{name: h{0}, out_channels: 9, kernel_size: 1{1}}}\n"
NORM = "  - batch_norm2d: {{name: N{0}, from: M{0}}}\n"


@pytest.mark.parametrize(
    ("shared", "heads", "large", "small"),
    [
        ("true", BLOCK.format(2, "M2") + BLOCK.format(1, "M1"),
         "conv 3×3, 16 · conv 1×1, 9", "conv 3×3, 16 · conv 1×1, 9 · weights of large"),
        ("false", BLOCK.format(2, "M2") + BLOCK.format(1, "M1"),
         "conv 3×3, 16 · conv 1×1, 9", "conv 3×3, 16 · conv 1×1, 9"),
        ("true", OWN.format(2) + BLOCK.format(2, "P2") + OWN.format(1) + BLOCK.format(1, "P1"),
         "2 × conv 3×3, 16 · conv 1×1, 9",
         "conv 3×3, 16 · conv 3×3, 16, weights of large · conv 1×1, 9, weights of large"),
        ("true", NORM.format(2) + BLOCK.format(2, "N2") + NORM.format(1) + BLOCK.format(1, "N1"),
         "conv 3×3, 16 · conv 1×1, 9", "conv 3×3, 16, weights of large · conv 1×1, 9, weights of large"),
        ("true", OWN.format(2) + LAYER.format(2, "") + OWN.format(1) + LAYER.format(1, ", weights: h2"),
         "conv 3×3, 16 · conv 1×1, 9", "conv 3×3, 16 · conv 1×1, 9, weights of large"),
    ],
    ids=["all", "none", "the block", "all but a normalisation", "the last layer"],
)  # fmt: skip
def test_a_head_says_which_of_its_weights_it_shares(shared: str, heads: str, large: str, small: str) -> None:
    found = nodes(drawing_of(analyse(graph(LEVELS.format(shared=shared, heads=heads))), Choices(style="detector"))[0])
    lines = {node[0].partition(AND)[0]: AND.join(node[1:]) for node in (texts([one]) for one in found)}
    assert (lines["large"], lines["small"]) == (large, small)


SHARED_AND_OUTPUT = """\
input: 16x16x2
layers:
  - conv2d: {name: c1, out_channels: 8, kernel_size: 3, padding: 1, stride: 2}
  - conv2d: {name: c2, out_channels: 16, kernel_size: 3, padding: 1, stride: 2}
  - conv2d: {name: h2, out_channels: 4, kernel_size: 1}
  - conv2d: {name: h1, from: c1, out_channels: 4, kernel_size: 1}
  - conv2d: {name: more, out_channels: 4, kernel_size: 3, padding: 1}
outputs: [h1, h2, more]
"""


def test_what_is_read_on_and_an_output_says_so() -> None:
    drawing = drawing_of(analyse(graph(SHARED_AND_OUTPUT)), Choices(style="detector"))[0]
    assert [text for text in texts(nodes(drawing)) if "output" in text] == ["output: h1"]


@pytest.mark.parametrize("name", ["unet", "googlenet@aux", "vgg16"])
def test_what_is_no_detector(name: str) -> None:
    with pytest.raises(UsageError, match="does not give outputs on maps of several sizes; styles that suit: "):
        draw(analysis_of(name), "svg", Choices(style="detector"))
