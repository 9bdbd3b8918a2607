"""Volumes of networks that branch: the network is read back from the lines and boxes of the drawing alone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest

from archcalc.core.errors import UsageError
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.diagrams.arrange import READABLE
from archcalc.render.diagrams.branched import MOST, SHOWN, SIGN, Arranged, best_arranged, branched_drawing
from archcalc.render.diagrams.choices import RATIO, Choices
from archcalc.render.diagrams.compose import compose_graph, compose_volumes
from archcalc.render.diagrams.dot import dot
from archcalc.render.diagrams.draw import draw
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Point, Text
from archcalc.render.diagrams.fold import EVERYTHING
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.text import LEADING
from archcalc.render.diagrams.theme import LIGHT
from archcalc.render.diagrams.tikz import unrounded
from archcalc.render.diagrams.volumes import is_row_or_u
from archcalc.render.diagrams.wiring import Wiring
from tests.networks import graph, numbers, one_of_each
from tests.render.diagrams.pictures import Box, analysis_of, check_picture
from tests.render.diagrams.reading import check_reading, read_dot

pytest.importorskip("pygraphviz")

NEAR = 2.0


def arranged(name: str, depth: int) -> tuple[Arranged, Drawing]:
    wiring = Wiring(analysis_of(name))
    found = best_arranged(compose_volumes(wiring, depth), wiring, depth, "sqrt", RATIO)
    return found, branched_drawing(found, LIGHT, "sqrt", RATIO, True)


def solid_of(cluster: Cluster) -> Box:
    """The outline of a box in perspective, or of a sign; of an output, which has none, the place above its name."""
    points = [point for shape in cluster.shapes if isinstance(shape, Curve) for point in shape.points]
    if not points:
        name = next(shape for shape in cluster.shapes if isinstance(shape, Text))
        points = [(name.x - SIGN, name.y - 2 * SIGN - name.size * LEADING), (name.x + SIGN, name.y)]
    xs, ys = zip(*points, strict=True)
    return Box(min(xs) - NEAR, min(ys) - NEAR, max(xs) + NEAR, max(ys) + NEAR, cluster.owner)


def holder(solids: list[Box], point: Point) -> str | None:
    return next((box.text for box in solids if box.holds(Box(*point, *point))), None)


def read_lines(drawing: Drawing) -> Iterator[tuple[str, str]]:
    """From box to box, along lines that meet and are lines of one map."""
    solids = [solid_of(item) for item in drawing.items if item.role == "node"]
    lines = [(item.title.partition(" → ")[0], shape.points)
             for item in drawing.items if item.role == "edge" for shape in item.shapes
             if isinstance(shape, Curve)]  # fmt: skip
    for title, points in lines:
        target = holder(solids, points[-1])
        if target is None:
            continue
        first, rest = points[0], [line for line in lines if line[0] == title]
        while (source := holder(solids, first)) is None:
            before = next(line for line in rest if abs(line[1][-1][0] - first[0]) + abs(line[1][-1][1] - first[1]) < 1)
            rest.remove(before)
            first = before[1][0]
        yield source, target


def check(name: str, depth: int) -> None:
    found, drawing = arranged(name, depth)
    check_reading(analysis_of(name), found.diagram, read_dot(dot(found.diagram, LIGHT)), sums=False)
    assert sorted(read_lines(drawing)) == sorted((edge.source, edge.target) for edge in found.diagram.edges)
    boxes = {item.owner: item for item in drawing.items if item.role == "node"}
    assert boxes.keys() == found.diagram.by_id.keys()
    rows = analysis_of(name).by_name
    for owner, plate in found.plates.items():
        part = plate.piece.node.parts[0]
        if part.family == "output":
            continue
        layers = boxes[owner].layers or (boxes[owner].layer,)
        assert {*layers} == {*(part.holds or (part.name,))}
        assert plate.piece.shape in {rows[layer].output_shape for layer in layers}
        if plate.piece.joined:
            assert sum(plate.piece.joined) == plate.piece.shape[0]


@pytest.mark.parametrize(("name", "depth"), [("resnet18", EVERYTHING), ("googlenet", 1), ("mobilenet_v2", 2)])
def test_the_network_is_read_back(name: str, depth: int) -> None:
    check(name, depth)


def branching() -> list[str]:
    return [name for name in one_of_each() if not is_row_or_u(compose_graph(w := Wiring(analysis_of(name))), w)]


@pytest.mark.slow
@pytest.mark.parametrize("name", one_of_each())
def test_the_catalogue_is_read_back(name: str) -> None:
    wiring = Wiring(analysis_of(name))
    if is_row_or_u(compose_graph(wiring), wiring):
        pytest.skip("has volumes in a row or a U")
    for depth in (EVERYTHING, 2, 1):
        if len(compose_volumes(wiring, depth).nodes) <= MOST:
            check(name, depth)


def test_what_is_highlighted_is_strong_to_its_arrow() -> None:
    choices = Choices(style="volumes", depth=0, highlight="conv2_x/unit1/basic/conv1/conv")
    drawing, _ = drawing_of(analysis_of("resnet34"), choices)
    lines = [(item.title, shape) for item in drawing.items if item.role == "edge" for shape in item.shapes]
    strong = [title for title, shape in lines if isinstance(shape, Curve) and shape.line == LIGHT.edge and shape.arrow]
    assert strong[:2] == ["input → conv1/conv", "conv1/conv → pool1"]
    assert all("conv3_x" not in title for title in strong)


def texts(drawing: Drawing) -> list[str]:
    return [shape.text for shape in drawing.shapes() if isinstance(shape, Text)]


@pytest.mark.parametrize("name", ["googlenet", "resnet50"])
def test_texts_lie_over_nothing_else(name: str) -> None:
    check_picture(draw(analysis_of(name), "svg", Choices(style="volumes", fit="16:9")).data.decode())


def test_every_branch_of_googlenet_is_drawn_with_its_width() -> None:
    """Szegedy et al. 2015, table 1: the widths of the first module's branches, and its output."""
    drawing, notes = drawing_of(analysis_of("googlenet"), Choices(style="volumes", fit="16:9"))
    first = [item for item in drawing.items if item.role == "node" and item.layer.startswith("inception_3a/")]
    written = [shape.text for item in first for shape in item.shapes if isinstance(shape, Text)]
    assert written == [
        "1×1, 64", "1×1, 96", "3×3, 128", "1×1, 16", "5×5, 32", "max pool", "3×3", "1×1, 32", "28×28×256", "concat"
    ]  # fmt: skip
    # As small as that, a line says so.
    assert [note for note in notes if "a smaller --depth" in note]


def slabs_of(drawing: Drawing, block: str) -> list[float]:
    """The widths of the fronts of a box, from left to right: each slab is a top, a side and a front."""
    (item,) = (item for item in drawing.items if item.block == block)
    fronts = [shape.points for shape in item.shapes if isinstance(shape, Curve)][2::3]
    return [front[1][0] - front[0][0] for front in fronts]


def test_slabs_are_as_thick_as_branches_have_channels() -> None:
    widths = slabs_of(drawing_of(analysis_of("googlenet"), Choices(style="volumes", depth=1))[0], "inception_3a")
    assert [round(width / sum(widths) * 256) for width in widths] == [64, 128, 32, 32]
    # What comes in, and what each of six layers of growth rate 32 adds (Huang et al. 2017, table 1).
    drawing, _ = drawing_of(analysis_of("densenet121"), Choices(style="volumes"))
    widths = slabs_of(drawing, "dense_block1")
    assert [round(width / sum(widths) * 256) for width in widths] == [64, *[32] * 6]
    assert "Folded, drawn as the map that each gives: 7 blocks." in " ".join(texts(drawing))


def test_shortcuts_of_resnet_are_drawn_as_what_they_are() -> None:
    """He et al. 2016, figure 3: shortcuts that change the width are dotted; conv2_x has none in ResNet-18."""
    found, drawing = arranged("resnet18", EVERYTHING)
    kinds = [edge.kind for edge in found.diagram.edges if found.plates[edge.target].piece.sign]
    assert (kinds.count("identity"), kinds.count("projection")) == (4, 3)
    said = " ".join(texts(drawing))
    assert "A circle with + adds maps." in said
    assert "×N" in said


def test_slides_have_every_line() -> None:
    from pptx import Presentation

    drawing, _ = drawing_of(analysis_of("resnet18"), Choices(style="volumes"))
    lines = [item.title for item in drawing.items if item.role == "edge"]
    data = draw(analysis_of("resnet18"), "pptx", Choices(style="volumes")).data
    (slide,) = Presentation(io.BytesIO(data)).slides
    names = [str(element.get("name")) for element in slide._element.iter("{*}cNvPr")]
    assert {title for title in lines if title not in names} == set()


def test_too_many_boxes_are_refused_and_fewer_are_drawn() -> None:
    with pytest.raises(UsageError, match="185 boxes are too many for the style volumes"):
        drawing_of(analysis_of("densenet121"), Choices(style="volumes", depth=0))


def test_blocks_are_folded_where_texts_would_be_too_small() -> None:
    wiring = Wiring(analysis_of("densenet121"))
    assert best_arranged(compose_volumes(wiring, 2), wiring, 2, "sqrt", RATIO).points < SHOWN
    drawing, notes = drawing_of(analysis_of("densenet121"), Choices(style="volumes", fit="16:9"))
    assert {item.block for item in drawing.items} > {"dense_block1", "transition1"}
    assert not notes


def gated() -> Analysis:
    layers = "  - conv2d: {name: c, out_channels: 4, kernel_size: 3, padding: 1}\n"
    layers += "  - global_avg_pool2d: {name: g}\n  - sigmoid: {name: s}\n"
    return numbers(layers + "  - multiply: {name: m, from: [c, s], broadcast: true}\n", "8x8x3")


def test_products_have_a_sign_of_their_own() -> None:
    drawing, _ = drawing_of(gated(), Choices(style="volumes"))
    assert "A circle with × multiplies." in " ".join(texts(drawing))
    assert re.search(r"\bglobal\b", " ".join(texts(drawing)))


@pytest.mark.parametrize(
    ("name", "layers"),
    [("convnext_tiny", "layer norm, GELU, scale, softmax"), ("alexnet", "ReLU, LRN, dropout, softmax")],
)
def test_layers_without_boxes_of_their_own_are_named(name: str, layers: str) -> None:
    drawing, _ = drawing_of(analysis_of(name), Choices(style="volumes"))
    assert f"Without a box: {layers}." in " ".join(texts(drawing))


TOWERS = """\
inputs: {left: 40x2, right: 40x2}
blocks:
  tower:
    shared: true
    layers:
      - conv_relu: {out_channels: 8, kernel_size: 5, stride: 2}
      - conv_relu: {out_channels: 8, kernel_size: 3, padding: 1, repeat: 2}
      - flatten
      - linear: {name: e, out_features: 4}
layers:
  - tower: {name: tl, from: left}
  - tower: {name: tr, from: right}
  - subtract: {name: d, from: [tl, tr]}
  - linear: {name: score, out_features: 1}
"""
TWO_ENDS = """\
input: 8x8x3
layers:
  - conv2d: {name: h1, out_channels: 4, kernel_size: 3}
  - conv2d: {name: h2, out_channels: 4, kernel_size: 3}
outputs: [h1, h2]
"""


def test_towers_that_share_weights_look_alike_and_say_so_once() -> None:
    drawing, _ = drawing_of(analyse(graph(TOWERS)), Choices(style="volumes"))
    found = texts(drawing)
    assert found.count("×2") == 2
    assert [text for text in found if "weights" in text] == ["weights of tl"]
    assert "reads tl/e, tr/e" in " ".join(found)


def test_an_output_has_one_arrow() -> None:
    drawing, _ = drawing_of(analyse(graph(TWO_ENDS)), Choices(style="volumes"))
    ends = [item for item in drawing.items if item.role == "node" and "h" in item.title and not item.block]
    arrows = [shape for item in drawing.items for shape in item.shapes if isinstance(shape, Curve) and shape.arrow]
    assert len(arrows) == 4  # from the input to h1, to h2, and to both outputs
    assert not any(isinstance(shape, Curve) and shape.arrow for item in ends for shape in item.shapes)


@pytest.mark.parametrize(("name", "same"), [("wavenet", ("stack1", "stack2–5", "conv1"))])
def test_a_folded_block_is_as_thick_as_the_map_that_is_read_on(name: str, same: tuple[str, ...]) -> None:
    found, _ = arranged(name, 1)
    widths = {plate.piece.node.parts[0].label: plate.box.width for plate in found.plates.values()}
    assert len({widths[label] for label in same}) == 1
    assert widths["causal"] < widths[same[0]] / 2


@pytest.mark.parametrize(("text", "size"), [("conv 3, 4", "16x3"), ("3×3, 4", "8x8x3")])
def test_a_window_along_one_axis_is_called_a_convolution(text: str, size: str) -> None:
    rank = size.count("x")
    items = f"[conv{rank}d: {{name: a, out_channels: 4, kernel_size: 3}}, conv{rank}d: {{from: a, out_channels: 4, "
    items += "kernel_size: 3, padding: 1}, add: {from: [a, conv1]}]"
    drawing, _ = drawing_of(analyse(graph(f"input: {size}\nlayers: {items}\n")), Choices(style="volumes"))
    assert text in texts(drawing)


def test_towers_of_few_blocks_can_be_read_on_a_slide() -> None:
    found, _ = arranged("facenet", 1)
    assert found.points >= READABLE


@pytest.mark.parametrize("name", ["resnet18", "attention_unet"])
def test_no_line_goes_back_at_a_sign(name: str) -> None:
    """Its arrow would be turned round, and lie below the sign."""
    drawing = arranged(name, EVERYTHING)[1]
    for line in (shape for item in drawing.items if item.role == "edge" for shape in item.shapes):
        assert isinstance(line, Curve | Text)
        corners = unrounded(line.points)[0] if isinstance(line, Curve) and line.bezier else None
        for (x, y), (u, v), (s, t) in zip(corners or (), (corners or ())[1:], (corners or ())[2:], strict=False):
            assert (u - x) * (s - u) + (v - y) * (t - v) >= 0


def test_a_module_of_many_maps_is_one_box() -> None:
    """The text can be read on a screen, and no map is named twice."""
    found, drawing = arranged("hrnet_w18", 1)
    assert found.points >= SHOWN
    (last,) = [item for item in drawing.items if item.owner == "size2"]
    said = " ".join(shape.text for shape in last.shapes if isinstance(shape, Text))
    assert said.endswith("reads module8/x2 reads size1"), said
