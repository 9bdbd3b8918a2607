"""Every network of the catalogue in the styles that every network has."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import networkx
import pytest

from archcalc.interop.networkx import to_networkx
from archcalc.render.diagrams.arrange import READABLE, READABLE_U
from archcalc.render.diagrams.draw import Choices, draw
from archcalc.render.diagrams.pages import standard_styles
from archcalc.render.diagrams.theme import LIGHT
from tests.networks import one_of_each
from tests.render.diagrams.pictures import (
    SVG,
    Box,
    analysis_of,
    check_picture,
    course,
    groups,
    layers_of,
    parse,
    svg_of,
)
from tests.tiers import slow_but

ALL = one_of_each()
#: Networks whose U has smaller texts than others.
US = {"attention_unet", "pix2pix_generator", "segnet", "unet_3d"}
#: A chain, branches with several outputs, a U.
QUICK = ("lenet5", "googlenet@aux", "unet")
VOLUMES = (
    *("lenet5", "lenet5@1998", "alexnet", "alexnet@grouped", "alexnet@torchvision", "zfnet", "deconvnet", "nin"),
    *(f"vgg{depth}@torchvision" for depth in (11, 13, 16, 19)),
    *("nin@cifar10", "vgg11", "vgg13", "vgg16", "vgg16@bn", "vgg16@c", "vgg19", "plain18", "unet", "unet@padded"),
    *("unet@released", "unet_3d", "pix2pix_generator", "pix2pix_patchgan", "c3d", "dcgan_generator"),
    *("dcgan_discriminator", "espcn", "espcn@pytorch", "fcn32s", "m5", "srcnn_9_1_5", "srcnn_9_3_5", "srcnn_9_5_5"),
    "crnn",
)


@pytest.mark.parametrize("name", slow_but(QUICK, ALL))
def test_graph_shows_every_layer_once_and_nothing_is_cut(name: str) -> None:
    root = check_picture(svg_of(name, "graph"))
    analysis = analysis_of(name)
    shown = [layer for node in groups(root, "node") for layer in layers_of(node)]
    assert sorted(shown) == sorted(row.name for row in analysis.rows)
    for node in groups(root, "node"):
        written = {element.text for element in node.iter(f"{SVG}text")}
        for layer in layers_of(node):
            # The name may be given from the innermost frame on, or, too long for its box, with an ellipsis.
            ends = {"/".join(layer.split("/")[start:]) for start in range(layer.count("/") + 1)}
            assert ends & written or any("…" in (text or "") for text in written), layer


@pytest.mark.parametrize("name", slow_but(QUICK, ALL))
@pytest.mark.parametrize("depth", [None, 1, 2])
def test_blocks_are_readable(name: str, depth: int | None) -> None:
    check_picture(svg_of(name, "blocks", depth))


@pytest.mark.slow
def test_volumes_suit_chains_and_us() -> None:
    found = {name for name in ALL if "volumes" in standard_styles(analysis_of(name)) and not name.startswith("blocks/")}
    assert found == set(VOLUMES) & set(ALL)


@pytest.mark.parametrize(
    "name",
    slow_but(
        ["alexnet", "unet", "unet_3d", "pix2pix_generator"],
        [*VOLUMES, *(name for name in ALL if name.startswith("blocks/conv"))],
    ),
)
@pytest.mark.parametrize("sizes", ["log", "linear"])
def test_volumes_are_readable(name: str, sizes: str) -> None:
    picture = draw(analysis_of(name), "svg", Choices(style="volumes", sizes=sizes))
    root = check_picture(picture.data.decode())
    shown = {layer for node in groups(root, "node") for layer in layers_of(node)}
    kinds = {row.name: row.op.kind for row in analysis_of(name).rows}
    assert shown <= kinds.keys()
    # What is cropped on its way across a U is an arrow.
    assert {kinds[layer] for layer in kinds.keys() - shown} <= {"crop2d", "crop3d"}


@pytest.mark.parametrize(
    ("name", "layer", "style"),
    [
        ("vgg16", "conv3_2", "graph"),
        ("vgg16", "conv3_2", "blocks"),
        ("vgg16", "conv3_2", "volumes"),
        ("googlenet", "inception_4a/3x3/conv/conv", "blocks"),
        ("unet", "expand4/convs/conv1/conv", "volumes"),
    ],
)
def test_what_a_layer_sees_is_marked(name: str, layer: str, style: str) -> None:
    root = check_picture(draw(analysis_of(name), "svg", Choices(style=style, highlight=layer)).data.decode())
    seen = networkx.ancestors(to_networkx(analysis_of(name).graph), layer) | {layer}
    for node in groups(root, "node"):
        marked = any(element.get("stroke") == LIGHT.accent for element in node.iter())
        assert marked == bool(seen & set(layers_of(node))), layers_of(node)


@pytest.mark.parametrize(
    "name", slow_but(["unet"], ["googlenet@aux", "inception_resnet_v2", "nasnet_mobile", "xception", "unet"])
)
@pytest.mark.parametrize("direction", ["fit", "LR"])
def test_every_block_by_itself(name: str, direction: str) -> None:
    for block in dict.fromkeys(row.name.partition("/")[0] for row in analysis_of(name).rows if "/" in row.name):
        choices = Choices(only=block, style="graph", direction=direction)
        check_picture(draw(analysis_of(name), "svg", choices).data.decode())


@pytest.mark.parametrize(
    "name", slow_but(["alexnet", "unet"], ["alexnet", "resnet50", "nasnet_mobile", "unet", "inception_v4"])
)
@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("style", ["graph", "blocks"])
def test_directions(name: str, direction: str, style: str) -> None:
    picture = draw(analysis_of(name), "svg", Choices(style=style, direction=direction))
    root = check_picture(picture.data.decode())
    _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
    if name != "nasnet_mobile":
        assert (width < height) == (direction == "TB")


@pytest.mark.parametrize(
    "color_by", slow_but(["params"], ["params", "multiplications", "activations", "receptive_field"])
)
@pytest.mark.parametrize("style", ["graph", "blocks", "volumes"])
def test_colours_by_number_come_with_a_scale(color_by: str, style: str) -> None:
    picture = draw(analysis_of("vgg16"), "svg", Choices(style=style, color_by=color_by))
    root = check_picture(picture.data.decode())
    assert root.find(f".//{SVG}linearGradient") is not None
    assert len({rect.get("fill") for rect in root.iter() if rect.get("fill")}) > 6


@pytest.mark.parametrize("name", slow_but(["resnet50"], ["googlenet", "resnet50", "nasnet_mobile"]))
def test_the_same_input_gives_the_same_bytes(name: str) -> None:
    for form in ("svg", "dot", "tex", "mmd", "drawio"):
        choices = Choices(style="blocks")
        assert draw(analysis_of(name), form, choices) == draw(analysis_of(name), form, choices)


@pytest.mark.parametrize(
    ("name", "style"),
    # Without a style, layers are folded where all of them are too many for a slide.
    slow_but([("alexnet", "blocks")], [*((name, "blocks") for name in ALL), ("ecg_resnet", None)]),
)
def test_a_slide_has_its_shape_and_readable_text(name: str, style: str | None) -> None:
    picture = draw(analysis_of(name), "svg", Choices(style=style, fit="16:9"))
    # The shape of a U may be worth smaller texts, which a note says.
    readable = READABLE_U if picture.notes and name in US else READABLE
    assert picture.notes == () or name in US
    root = check_picture(picture.data.decode())
    _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
    assert width / height == pytest.approx(16 / 9, rel=1e-3)
    smallest = min(float(text.attrib["font-size"]) for text in root.iter(f"{SVG}text"))
    assert smallest * 540 / height > readable - 0.05  # points on a slide of 7.5 inches


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pix2pix_generator", "deconvnet", "fcn32s", "vgg16", "unet"])
def test_volumes_fill_a_slide_with_readable_text(name: str) -> None:
    picture = draw(analysis_of(name), "svg", Choices(style="volumes", fit="16:9"))
    assert picture.notes == ()
    root = check_picture(picture.data.decode())
    _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
    boxes = [frame for node in groups(root, "node") for frame in outlines(node)]
    across = max(box.right for box in boxes) - min(box.left for box in boxes)
    down = max(box.bottom for box in boxes) - min(box.top for box in boxes)
    assert across > width / 2
    assert down > height / 2


def outlines(node: Element) -> Iterator[Box]:
    """The space of each face of a box."""
    for path in node.iter(f"{SVG}path"):
        points = list(course(path.attrib["d"]))
        xs, ys = [x for x, _ in points], [y for _, y in points]
        yield Box(min(xs), min(ys), max(xs), max(ys))


@pytest.mark.parametrize("name", ["unet", "unet@padded", "unet@released"])
def test_unet_is_a_u(name: str) -> None:
    root = check_picture(draw(analysis_of(name), "svg", Choices(style="volumes")).data.decode())
    layers = {layer for node in groups(root, "node") for layer in layers_of(node)}
    analysis = analysis_of(name)
    assert layers == {row.name for row in analysis.rows if row.op.kind != "crop2d"}
    copied = [edge for edge in groups(root, "edge") if "copied to" in (edge.findtext(f"{SVG}title") or "")]
    assert len(copied) == 4
    assert ("copy and crop" in "".join(root.itertext())) == (name != "unet@padded")


@pytest.mark.parametrize(
    ("name", "block", "depth"),
    slow_but(
        [("googlenet", "inception_3b", None)],
        [
            ("resnet50", "conv4_x/unit3", None),
            ("resnet152", "conv4_x", 1),
            ("googlenet", "inception_3b", None),
            ("nasnet_mobile", "normal_1_3", None),
            ("resnet50", "conv4_x/unit3/bottleneck", 1),
        ],
    ),
)
def test_a_block_opened_next_to_the_others(name: str, block: str, depth: int | None) -> None:
    choices = Choices(style="blocks", expand=block, depth=depth)
    root = check_picture(draw(analysis_of(name), "svg", choices).data.decode())
    whole = parse(svg_of(name, "blocks", depth))
    assert float(root.attrib["width"]) > float(whole.attrib["width"])
    shown = {layer for node in groups(root, "node") for layer in layers_of(node)}
    inside = {row.name.removeprefix(f"{block}/") for row in analysis_of(name).rows if row.name.startswith(block + "/")}
    assert inside <= shown
