"""Modules one below the other, compared with figure 3 of Szegedy et al. 2015, "Going Deeper with Convolutions"."""

from __future__ import annotations

from collections import Counter

import pytest

from archcalc.core.errors import UsageError
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.draw import draw
from archcalc.render.diagrams.drawing import Rect, Text
from archcalc.render.diagrams.from_analysis import drawing_of
from tests.render.diagrams.papers.figures import edges, figure, nodes, texts
from tests.render.diagrams.pictures import analysis_of, check_picture

MODULES = [f"inception_{name}" for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")]


def kinds(name: str) -> Counter[str]:
    return Counter(text.partition(",")[0] for text in texts(nodes(figure("tall", name))))


def test_the_boxes_of_the_figure() -> None:
    """Nine modules of six convolutions, a pool and a concatenation; three convolutions and four pools on the way.

    At the side two classifiers, each with a pool, a convolution, two dense layers and a softmax.
    """
    found = kinds("googlenet@aux")
    assert found["concat"] == 9
    assert sum(count for kind, count in found.items() if kind.startswith("conv")) == 9 * 6 + 3 + 2
    assert found["max pool 3×3"] == 9 + 4
    assert found["LRN"] == 2
    assert sum(count for kind, count in found.items() if kind.startswith("avg pool")) == 3
    assert (found["softmax"], sum(count for kind, count in found.items() if kind.startswith("dense"))) == (3, 5)


def test_modules_are_frames_in_the_order_of_the_network() -> None:
    frames = [item for item in figure("tall", "googlenet@aux").items if item.role == "block"]
    assert [frame.block for frame in frames if frame.block.startswith("inception")] == MODULES
    assert [frame.block for frame in frames if frame.block.startswith("aux")] == ["aux1", "aux2"]


def test_auxiliary_classifiers_read_the_modules_of_the_figure() -> None:
    """The figure has softmax0 at the output of 4a, softmax1 at that of 4d."""
    aside = [edge.title for edge in edges(figure("tall", "googlenet@aux")) if "→ aux" in edge.title]
    found = {title.partition("/")[0] for title in aside if title.startswith("inception")}
    assert found == {"inception_4a", "inception_4d"}


def test_a_classifier_stands_at_the_side_of_its_module() -> None:
    frames = {item.block: next(s for s in item.shapes if isinstance(s, Rect))
              for item in figure("tall", "googlenet@aux").items if item.role == "block"}  # fmt: skip
    for classifier, module in (("aux1", "inception_4b"), ("aux2", "inception_4e")):
        assert frames[classifier].x > frames[module].x + frames[module].width


@pytest.mark.parametrize("name", ["googlenet@aux", "inception_v3", "squeezenet1_0"])
def test_no_text_lies_over_another(name: str) -> None:
    check_picture(draw(analysis_of(name), "svg", Choices(style="tall", fit="210:297")).data.decode())


@pytest.mark.parametrize("name", ["vgg16", "resnet34", "mobilenet_v3_small"])
def test_what_has_no_modules(name: str) -> None:
    with pytest.raises(UsageError, match=r"no branches side by side; styles that suit: .*bars, .*volumes"):
        draw(analysis_of(name), "svg", Choices(style="tall"))


def test_blocks_that_are_called_alike_are_framed_alike() -> None:
    """The first layer of a stack of WaveNet adds nothing to what it gives aside."""
    drawing = drawing_of(analysis_of("wavenet"), Choices(style="tall", only="stack1"))[0]
    assert [item.block for item in drawing.items if item.role == "block"] == [f"layer{n}" for n in range(1, 11)]


def test_whose_weights_a_tower_uses_stands_at_its_frame_alone() -> None:
    assert not any("weights of" in text for text in texts(nodes(figure("tall", "facenet"))))
    frames = [shape.text for item in figure("tall", "facenet").items for shape in item.shapes
              if isinstance(shape, Text) and "weights of" in shape.text]  # fmt: skip
    assert frames == ["weights of anchor_face"] * 2
