"""Slabs, compared with table 1 of Simonyan and Zisserman 2015 and table 1 of Howard et al. 2017."""

from __future__ import annotations

from itertools import pairwise

import pytest

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.draw import draw
from archcalc.render.diagrams.drawing import Cluster
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.papers.slabs import convolution_kind, stages_of
from archcalc.render.diagrams.papers.trunk import trunk_of
from archcalc.render.diagrams.wiring import Wiring
from tests.networks import numbers
from tests.render.diagrams.papers.figures import curves, edges, figure, nodes, texts
from tests.render.diagrams.pictures import analysis_of, check_picture


def height(node: Cluster) -> float:
    """Of the front of a slab, which is drawn last of its faces: the third shape."""
    points = curves([node])[2].points
    return points[2][1] - points[1][1]


def captions(name: str) -> list[list[str]]:
    return [texts([item]) for item in figure("slabs", name).items if item.role == "plain"]


def test_the_stages_of_vgg() -> None:
    """Column D: two, two, three, three and three convolutions, each run with a pool, then three dense layers."""
    assert captions("vgg16") == [
        ["input", "224×224 × 3"],
        ["conv1_1–2", "224×224 × 64", "2 × conv 3×3", "max pool 2×2"],
        ["conv2_1–2", "112×112 × 128", "2 × conv 3×3", "max pool 2×2"],
        ["conv3_1–3", "56×56 × 256", "3 × conv 3×3", "max pool 2×2"],
        ["conv4_1–3", "28×28 × 512", "3 × conv 3×3", "max pool 2×2"],
        ["conv5_1–3", "14×14 × 512", "3 × conv 3×3", "max pool 2×2"],
        ["fc6–8", "4096, 1000", "2 × dense 4096", "dense 1000"],
    ]
    assert len(nodes(figure("slabs", "vgg16"))) == 1 + 13 + 5 + 3


def test_slabs_touch_inside_a_stage_and_nowhere_else() -> None:
    fronts = [curves([node])[2].points for node in nodes(figure("slabs", "vgg16"))]
    touching = [abs(after[0][0] - before[1][0]) < 0.01 for before, after in pairwise(fronts)]
    runs = [len(run) for run in stages_of(trunk_of(Wiring(analysis_of("vgg16"))))]
    assert runs == [1, 3, 3, 4, 4, 4, 3]
    ends = {sum(runs[:count]) - 1 for count in range(1, 6)}
    apart = [index for index, touches in enumerate(touching) if not touches]
    # The input, the five runs, and the three dense layers, which stand apart.
    assert apart == sorted({0, *ends, 18, 19, 20})


@pytest.mark.parametrize(("sizes", "ratio"), [("sqrt", 2**0.5), ("linear", 2.0)])
def test_heights_follow_the_scale_that_the_note_names(sizes: str, ratio: float) -> None:
    drawing, _ = drawing_of(analysis_of("vgg16"), Choices(style="slabs", sizes=sizes))
    slabs = nodes(drawing)
    assert height(slabs[1]) / height(slabs[4]) == pytest.approx(ratio)
    words = " ".join(texts([item for item in drawing.items if item.role == "legend"]))
    assert {"sqrt": "square-root scale", "linear": "linear scale"}[sizes] in words


def test_the_convolutions_of_mobilenet_are_what_they_are() -> None:
    """Table 1: a full convolution, 13 depthwise ones, each with one of 1×1; the classifier is one of 1×1 here."""
    kinds = [convolution_kind(stop.main) for stop in trunk_of(Wiring(analysis_of("mobilenet"))).stops]
    assert (kinds.count("depthwise"), kinds.count("1×1")) == (13, 14)
    keys = texts([item for item in figure("slabs", "mobilenet").items if item.role == "legend"])
    assert {"convolution", "convolution, depthwise", "convolution, 1×1"} < set(keys)


def test_shortcuts_are_arcs() -> None:
    arcs = [edge.title for edge in edges(figure("slabs", "resnet50")) if "shortcut" in edge.title]
    # Table 1 of He et al. 2016: 3 + 4 + 6 + 3 blocks, the first of each stage projects.
    assert (len(arcs), sum("changes" in title for title in arcs)) == (16, 4)


def test_a_block_names_its_stage() -> None:
    assert [lines[0] for lines in captions("resnet50")] == [
        "input", "conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "fc",
    ]  # fmt: skip


def test_numbers_of_a_stage() -> None:
    drawing, _ = drawing_of(analysis_of("vgg16"), Choices(style="slabs", labels=("params", "macs"), names="none"))
    found = [texts([item]) for item in drawing.items if item.role == "plain"]
    # 3·3·3·64 + 64 + 3·3·64·64 + 64 = 38,720; 224² · (27 + 576) · 64 = 1,936,392,192.
    assert found[1] == ["38.7 K params", "1.94 G mult."]


@pytest.mark.parametrize("name", ["vgg16", "mobilenet", "efficientnet_b0", "resnet50", "lenet5", "densenet121"])
def test_no_text_lies_over_another(name: str) -> None:
    check_picture(draw(analysis_of(name), "svg", Choices(style="slabs", fit="16:9")).data.decode())


@pytest.mark.parametrize(("name", "reason"), [("googlenet", "side by side"), ("784 -> fc10", "no maps")])
def test_what_has_no_slabs(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        draw(analysis_of(name), "svg", Choices(style="slabs"))


@pytest.mark.parametrize("network", ["16x16x3 -> conv3-8/2p1 -> conv3-8p1 -> fc2", "strides"])
def test_strides_are_drawn_and_not_written(network: str) -> None:
    """Whether all axes move alike or not, a kind is the same with a stride and without."""
    text = "".join(
        f"  - conv3d: {{out_channels: 8, kernel_size: 3, padding: 1, stride: {stride}}}\n"
        for stride in ("[1, 2, 2]", 1, "[2, 1, 1]", 2)
    )
    analysis = numbers(text, "8x16x16x3") if network == "strides" else analysis_of(network)
    drawing, _ = drawing_of(analysis, Choices(style="slabs"))
    written = [line for item in drawing.items if item.role == "plain" for line in texts([item])]
    assert any("conv 3×3" in line for line in written)
    assert not any("/" in line for line in written)
