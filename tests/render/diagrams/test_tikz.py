"""TikZ that a person can edit: boxes are named nodes, and lines go from anchor to anchor."""

from __future__ import annotations

import re

import pytest

from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.draw import draw
from archcalc.render.diagrams.drawing import Drawing
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.places import Places
from tests.render.diagrams.pictures import analysis_of

#: A named node, the place of a scope, a point of a line by an anchor or by its coordinates.
NODE = re.compile(r"\\node\[(net box.*)\] \(([\w-]+)\) at \((\S+),(\S+)\) \{")
SCOPE = re.compile(r"\\begin\{scope\}\[shift=\{\((\S+),(\S+)\)\}\]")
POINT = re.compile(r"\((?:\[shift=\{\((\S+?),(\S+?)\)\}\])?([A-Za-z][\w-]*)\.([a-z ]+)\)|\((-?[\d.]+),(-?[\d.]+)\)")
SIZE = re.compile(r"minimum (?:width|height)=([\d.]+)bp")
#: Style and network.
PICTURES = [
    ("graph", "lenet5"), ("graph", "resnet18"), ("blocks", "googlenet"), ("bars", "resnet18"),
    ("tall", "googlenet"), ("towers", "alexnet@grouped"), ("maps", "lenet5"), ("slabs", "vgg16"),
    ("volumes", "unet"), ("volumes", "vgg16"), ("volumes", "resnet18"), ("detector", "yolov3"),
]  # fmt: skip


def tex(style: str, name: str) -> tuple[Drawing, list[str]]:
    choices = Choices(style=style, theme="light")
    lines = draw(analysis_of(name), "tex", choices).data.decode().split("\n")
    return drawing_of(analysis_of(name), choices, links=True)[0], lines


@pytest.mark.parametrize(("style", "name"), PICTURES)
def test_boxes_are_nodes_and_arrows_go_from_anchor_to_anchor(style: str, name: str) -> None:
    """Where a line ends at no box, as at a fork, it goes with that to which it leads."""
    drawing, lines = tex(style, name)
    boxes: dict[str, tuple[float, float, float, float]] = {}
    origin = (0.0, 0.0)
    glued = open_ends = 0
    for line in lines:
        if found := SCOPE.match(line):
            origin = float(found[1]), float(found[2])
        elif line == r"\end{scope}":
            origin = 0.0, 0.0
        elif found := NODE.match(line):
            assert found[2] not in boxes
            width, height = (float(size) / 0.75 for size in SIZE.findall(found[1]))
            x, y = origin[0] + float(found[3]) - width / 2, origin[1] + float(found[4]) - height / 2
            boxes[found[2]] = x, y, width, height
        elif "net arrow]" in line or "net arrow," in line:
            points = list(POINT.finditer(line.split("] ", 1)[1]))
            # A node is there before a line is drawn from it.
            assert all(point[3] is None or point[3] in boxes for point in points)
            open_ends += (points[0][3] is None) + (points[-1][3] is None)
            glued += 1
        elif line.startswith(r"\path") and any(point[3] for point in POINT.finditer(line)):
            glued += 1
    places = {place.name: place.face for place in Places(drawing).of_item.values()}
    assert places
    for box, face in places.items():
        assert boxes[box] == pytest.approx((face.x, face.y, face.width, face.height), abs=0.05)
    legend = sum(getattr(shape, "arrow", False) for item in drawing.items if item.role in ("legend", "key", "plain")
                 for shape in item.shapes)  # fmt: skip
    assert open_ends == 2 * legend
    lines_drawn = drawing.links or [item for item in drawing.items if item.role == "edge"]
    assert glued - legend >= len(lines_drawn)


def test_names_of_styles_are_what_the_legend_says() -> None:
    """The stages of bars have colours of kinds of layers, which mean nothing there."""
    for style, name, found in (
        ("bars", "resnet18", {"colour", "line", "edge", "accent"}),
        ("graph", "lenet5", {"input", "convolution", "pooling", "dense", "edge"}),
        ("detector", "yolov3", {"backbone", "neck", "head", "edge", "accent"}),
    ):
        text = "\n".join(tex(style, name)[1])
        made = set(re.findall(r"^  net ([a-z ]+?)(?: \d+)?/\.style=\{(?:fill|draw)", text, re.MULTILINE))
        assert found <= made, style
        assert not made & {"normalisation", "recurrent", "block"}, style


def test_texts_beside_each_other_are_not_put_in_one_line_below_the_other() -> None:
    """The name of a repeated block stands beside the number of repetitions, where its box has no text in its middle."""
    _, lines = tex("blocks", "resnet18")
    repeated = [line for line in lines if "(conv2-x-unit1) at" in line]
    assert repeated
    assert all(line.endswith("{};") for line in repeated)
    (single,) = [line for line in lines if "(conv1-conv) at" in line]
    assert "conv1" in single.split(" at ")[1]
