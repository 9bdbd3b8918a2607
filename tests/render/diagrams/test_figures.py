"""Volumes, highlighting, and texts on slides: what a picture must not get wrong for the eye."""

from __future__ import annotations

import re
from collections import Counter
from textwrap import indent

import pytest

from archcalc.render.diagrams.arrange import READABLE, arrange
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.compose import compose_blocks, compose_graph
from archcalc.render.diagrams.draw import draw
from archcalc.render.diagrams.drawing import Curve, Rect, Text
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.maps import volumes_of
from archcalc.render.diagrams.only import only
from archcalc.render.diagrams.places import front_of
from archcalc.render.diagrams.solids import Measure, faces, goes_through, solid, window_of
from archcalc.render.diagrams.text import text_width
from archcalc.render.diagrams.theme import LIGHT, PRINT, Theme
from archcalc.render.diagrams.unet import _arrows, find_stops
from archcalc.render.diagrams.volumes import caption_of, grouped
from archcalc.render.diagrams.wiring import Wiring
from tests.networks import numbers
from tests.render.diagrams.pictures import analysis_of, svg_of


def volumes(name: str) -> list[str]:
    wiring = Wiring(analysis_of(name))
    return [volume.label for volume in volumes_of(compose_graph(wiring), wiring, LIGHT)]


def test_lengths_are_in_proportion() -> None:
    wiring = Wiring(analysis_of("alexnet"))
    measure = Measure(volumes_of(compose_graph(wiring), wiring, LIGHT), "linear")
    first, last = (measure.box(shape, 0) for shape in ((3, 227, 227), (256, 6, 6)))
    assert first.height / last.height == pytest.approx(227 / 6, rel=0.15)
    assert first.right / last.right == pytest.approx(227 / 6, rel=0.15)
    drawing, _ = drawing_of(analysis_of("alexnet"), Choices(style="volumes"))
    texts = [shape.text for shape in drawing.shapes() if isinstance(shape, Text)]
    assert any("linear scale; dense layers on a scale of their own" in text for text in texts)


SLABS = "Of three sizes the first is drawn as slabs, one for each position, at most 4."
DEEP = "  - conv3d: {out_channels: 8, kernel_size: 3, padding: 1}\n  - max_pool3d: {kernel_size: [3, 2, 2]}\n"
LEVELS = """  - conv3d: {name: a, out_channels: 8, kernel_size: 3, padding: 1}
  - max_pool3d: {kernel_size: [1, 2, 2]}
  - conv3d: {out_channels: 16, kernel_size: 3, padding: 1}
  - conv_transpose3d: {name: up, out_channels: 8, kernel_size: [1, 2, 2], stride: [1, 2, 2]}
  - concat: {from: [a, up]}
"""


@pytest.mark.parametrize("style", ["volumes", "slabs"])
@pytest.mark.parametrize(
    ("layers", "size", "slabs"),
    [
        (DEEP, "7x16x16x3", [4, 4, 2]),
        (DEEP, "3x16x16x3", [3, 3, 1]),
        (LEVELS, "2x16x16x3", [2, 2, 2, 2, 2]),
        ("  - conv2d: {out_channels: 8, kernel_size: 3}\n", "16x16x3", [1, 1]),
    ],
)
def test_a_map_with_depth_is_a_stack_of_slabs(style: str, layers: str, size: str, slabs: list[int]) -> None:
    drawing, _ = drawing_of(numbers(layers, size), Choices(style=style))
    nodes = [item for item in drawing.items if item.role == "node"]
    # Those of one size touch in the style slabs, where each position of them is a cluster of its own.
    behind = Counter(item.title for item in drawing.items if item.role == "plain")
    faces_of = [
        sum(isinstance(shape, Curve) and shape.closed and shape.thickness == 1 for shape in item.shapes)
        for item in nodes
    ]
    stacks = [count // 3 + behind[item.title] for count, item in zip(faces_of, nodes, strict=True)]
    words = " ".join(shape.text for shape in drawing.shapes() if isinstance(shape, Text))
    assert stacks[: len(slabs)] == slabs
    assert (SLABS in words) == (size.count("x") == 3)


def test_boxes_of_volumes_have_names_of_their_own() -> None:
    labels = volumes("mobilenet")
    assert {"conv2_1/dw", "conv2_1/sep", "conv5_5/sep"} <= set(labels)
    assert len(set(labels)) == len(labels)


def test_what_a_caption_says_is_not_broken() -> None:
    wiring = Wiring(analysis_of("alexnet@grouped"))
    found = [
        text for volume in volumes_of(compose_graph(wiring), wiring, LIGHT) for text, *_ in caption_of([volume]).lines
    ]
    assert found.count("2 groups") == 3


@pytest.mark.parametrize(
    ("name", "names", "text"),
    [
        ("vgg16", "input conv1_1–2 pool1 conv2_1–2 pool2 conv3_1–3 pool3 conv4_1–3 pool4 conv5_1–3 pool5 fc6 fc7 fc8",
         "3 ×"),
        ("vgg16@c", "input conv1_1–2 pool1 conv2_1–2 pool2 conv3_1–2 conv3_3 pool3 conv4_1–2 conv4_3 pool4 conv5_1–2 "
         "conv5_3 pool5 fc6 fc7 fc8", "2 ×"),
        ("lenet5", "input C1 S2 C3 S4 C5 F6 output", ""),
    ],
)  # fmt: skip
def test_equal_layers_that_follow_each_other_have_one_caption(name: str, names: str, text: str) -> None:
    wiring = Wiring(analysis_of(name))
    volumes = volumes_of(compose_graph(wiring), wiring, LIGHT)
    captions = list(grouped(volumes))
    assert [volume for caption in captions for volume in caption.volumes] == volumes
    assert " ".join(caption.lines[0][0] for caption in captions) == names
    for caption in captions:
        assert len({(volume.lines, volume.shape) for volume in caption.volumes}) == 1
    assert any(line[0].startswith(text) for caption in captions for line in caption.lines)


def test_equal_blocks_of_two_layers_have_one_caption() -> None:
    wiring = Wiring(analysis_of("mobilenet"))
    captions = {caption.lines[0][0]: caption for caption in grouped(volumes_of(compose_graph(wiring), wiring, LIGHT))}
    texts = [text for text, *_ in captions["conv5_1–5"].lines[1:]]
    assert texts == ["5 times", "conv 3×3, 512", "depthwise", "→ conv 1×1", "512"]
    assert len(captions["conv5_1–5"].volumes) == 10
    assert "conv5_6/dw" in captions


@pytest.mark.parametrize("theme", [LIGHT, PRINT])
@pytest.mark.parametrize("name", ["unet", "unet@padded"])
def test_the_arrows_of_unet_differ(name: str, theme: Theme) -> None:
    wiring = Wiring(analysis_of(name))
    stops = find_stops(compose_graph(wiring), wiring)
    assert stops
    pens = _arrows(stops, theme)
    assert len(pens) >= 4
    assert len(set(pens.values())) == len(pens)


def test_ways_up_of_two_kinds_have_two_colours() -> None:
    """Dashes cannot be told apart on short arrows."""
    level = (
        "  - conv2d: {{name: c{0}, out_channels: 8, kernel_size: 3, padding: 1}}\n  - max_pool2d: {{kernel_size: 2}}\n"
    )
    analysis = numbers(
        level.format(1) + level.format(2) + """  - conv2d: {out_channels: 16, kernel_size: 3, padding: 1}
  - interpolate: {name: up2, like: c2}
  - concat: {from: [c2, up2]}
  - conv_transpose2d: {name: up1, out_channels: 8, kernel_size: 2, stride: 2}
  - concat: {from: [c1, up1]}
  - conv2d: {out_channels: 8, kernel_size: 3, padding: 1}
""",
    )  # fmt: skip
    wiring = Wiring(analysis)
    stops = find_stops(compose_graph(wiring), wiring)
    assert stops
    ups = [pen.colour for words, pen in _arrows(stops, LIGHT).items() if words.endswith(" up")]
    assert len(set(ups)) == len(ups) == 2


#: Ways up of a U: what enlarges the map is the layer that the arrow up is named after, whatever comes next.
WAYS_UP = {
    "interpolate: {name: up, like: top}": "interpolate to a map, nearest up",
    "upsample2d: {name: up, scale: 2}": "upsample ×2, nearest up",
    "conv_transpose2d: {name: up, out_channels: 8, kernel_size: 2, stride: 2}": "transposed conv 2×2, ×2 up",
    "pixel_shuffle: {name: up, upscale_factor: 2}": "pixel shuffle ×2 up",
}


@pytest.mark.parametrize("up", WAYS_UP)
@pytest.mark.parametrize("between", ["", "  - conv2d: {name: narrow, out_channels: 8, kernel_size: 1}\n"])
@pytest.mark.parametrize(
    "down", ["max_pool2d: {kernel_size: 2}", "conv2d: {out_channels: 8, kernel_size: 2, stride: 2}"]
)
def test_the_key_of_a_u_names_what_is_drawn(up: str, between: str, down: str) -> None:
    analysis = numbers(
        f"""  - conv2d: {{name: top, out_channels: 8, kernel_size: 3, padding: 1}}
  - {down}
  - conv2d: {{name: low, out_channels: 16, kernel_size: 3, padding: 1}}
  - {up}
{between}  - concat: {{name: join, from: [top, {"narrow" if between else "up"}]}}
  - conv2d: {{name: last, out_channels: 8, kernel_size: 3, padding: 1}}
"""
    )
    wiring = Wiring(analysis)
    stops = find_stops(compose_graph(wiring), wiring)
    assert stops
    words = list(_arrows(stops, LIGHT))
    # Each word is that of a layer, which makes a map larger or smaller as it says.
    assert [word for word in words if word.endswith(" up")] == [WAYS_UP[up]]
    assert [word for word in words if word.endswith(" down")] == [
        ("max pool 2×2, /2 down" if "pool" in down else "conv 2×2, /2 down")
    ]
    assert {word for word in words if not word.endswith((" up", " down"))} == {
        "conv 3×3",
        *["conv 1×1"] * bool(between),
    }


@pytest.mark.parametrize(
    ("join", "copied", "words"),
    [("concat", (8 / 24,), "copy (dashed part of a box)"), ("add", (), "copy, to be added")],
)
def test_of_a_box_of_a_u_what_is_copied_is_dashed(join: str, copied: tuple[float, ...], words: str) -> None:
    """As much as comes across; an addition copies nothing."""
    analysis = numbers(
        f"""  - conv2d: {{name: top, out_channels: 8, kernel_size: 3, padding: 1}}
  - max_pool2d: {{kernel_size: 2}}
  - conv2d: {{name: low, out_channels: 16, kernel_size: 3, padding: 1}}
  - conv_transpose2d: {{name: up, out_channels: {16 if copied else 8}, kernel_size: 2, stride: 2}}
  - {join}: {{name: join, from: [top, up]}}
"""
    )
    drawing, _ = drawing_of(analysis, Choices(style="volumes"))
    (box,) = [item for item in drawing.items if item.role == "node" and "join" in (item.layer, *item.layers)]
    found = front_of(box)
    assert found
    spans = [[x for x, _ in shape.points] for shape in box.shapes if isinstance(shape, Curve) and shape.dash]
    shares = [(max(places) - min(places)) / found[1].width for places in spans]
    assert shares == pytest.approx(list(copied))
    assert words in [shape.text for shape in drawing.shapes() if isinstance(shape, Text)]


def test_a_block_that_weighs_channels_is_no_u() -> None:
    for name in ("blocks/squeeze_excitation", "blocks/mbconv"):
        wiring = Wiring(analysis_of(name))
        assert find_stops(compose_graph(wiring), wiring) is None


@pytest.mark.parametrize("style", ["graph", "blocks", "volumes"])
@pytest.mark.parametrize(
    ("size", "layers", "colour"),
    [
        ("16", "  - linear: {out_features: 4}\n", "receptive_field"),
        ("8x8x4", "  - relu\n  - max_pool2d: {kernel_size: 2}\n", "params"),
    ],
)
def test_a_colour_without_numbers_is_said_and_kinds_are_explained(
    style: str, size: str, layers: str, colour: str
) -> None:
    picture = draw(numbers(layers, size), "svg", Choices(style=style, color_by=colour))
    assert [note for note in picture.notes if note.endswith("coloured by kind")]
    assert "linearGradient" not in picture.data.decode()
    assert ">dense<" in picture.data.decode() or ">pooling<" in picture.data.decode()


def test_the_arrows_of_unet_are_those_of_its_figure() -> None:
    """Ronneberger et al. 2015, figure 1: three kinds of arrows, four copies, and the sizes at both of their ends."""
    drawing, _ = drawing_of(analysis_of("unet"), Choices(style="volumes"))
    arrows = [item for item in drawing.items if item.role == "edge"]
    colours = [next(s.line for s in item.shapes if isinstance(s, Curve)) for item in arrows]
    families = ("convolution", "shape", "pooling", "normalisation")
    # 18 convolutions of 3×3 and the last one of 1×1, 4 pools, 4 transposed convolutions, 4 copies.
    pens = [*(LIGHT.families[family].line for family in families), LIGHT.quiet]
    assert [colours.count(colour) for colour in pens] == [18, 1, 4, 4, 4]
    words = [shape.text for item in arrows for shape in item.shapes if isinstance(shape, Text)]
    # Between the lowest ones there is no space for words.
    assert words == [
        "copy and crop 136×136 → 104×104", "copy and crop 280×280 → 200×200", "copy and crop 568×568 → 392×392"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "style", "small"),
    [
        ("alexnet", "volumes", False),
        ("lenet5", "graph", False),
        ("googlenet", "graph", True),
        ("mobilenet", "volumes", False),
        ("vgg16", "volumes", False),
        ("resnet34", "blocks", False),
    ],
)
def test_texts_too_small_for_a_slide_are_said(name: str, style: str, small: bool) -> None:
    drawing, notes = drawing_of(analysis_of(name), Choices(style=style, fit="16:9"))
    smallest = min(shape.size for shape in drawing.shapes() if isinstance(shape, Text))
    points = smallest * 540 / drawing.height
    assert (points < READABLE - 0.05) == small
    assert [f"{points:.1f} pt" in note and "--" in note for note in notes] == [True] * small


def test_the_size_of_the_last_map_is_written() -> None:
    drawing, _ = drawing_of(analysis_of("googlenet"), Choices(only="inception_3a"))
    assert "28×28×256" in [shape.text for shape in drawing.shapes() if isinstance(shape, Text)]
    assert ">1000<" in svg_of("alexnet", "blocks")


@pytest.mark.parametrize("style", ["graph", "blocks"])
def test_what_is_not_highlighted_stands_back_and_nothing_else(style: str) -> None:
    choices = Choices(style=style, depth=0, highlight="conv3_x/unit2/basic/conv1/conv")
    drawing, _ = drawing_of(analysis_of("resnet18"), choices)
    strong = {LIGHT.ink, LIGHT.quiet, LIGHT.edge, LIGHT.accent, *(paint.line for paint in LIGHT.families.values())}

    def colours(place: str, role: str) -> set[str]:
        shapes = [s for item in drawing.items if place in item.title and item.role == role for s in item.shapes]
        assert shapes
        return {s.colour if isinstance(s, Text) else s.line or "" for s in shapes if isinstance(s, Text | Rect | Curve)}

    for pale in ("conv4_x", "conv5_x"):
        for role in ("node", "edge", "block"):
            assert not colours(pale, role) & strong
    # From marked layer to marked layer, the lines that are shared by several edges included.
    assert colours("conv1", "edge") & strong
    assert colours("pool1", "edge") <= strong


SHARED = """\
  - conv_relu: {name: step1, out_channels: 4, kernel_size: 3, padding: 1}
  - conv_relu: {name: step2, out_channels: 4, kernel_size: 3, padding: 1, weights: step1}
  - conv_relu: {name: step3, out_channels: 4, kernel_size: 3, padding: 1, weights: step1}
"""


@pytest.mark.parametrize("style", ["graph", "blocks", "volumes"])
def test_boxes_say_whose_weights_are_used(style: str) -> None:
    drawing, _ = drawing_of(numbers(SHARED), Choices(style=style))
    texts = " ".join(shape.text for shape in drawing.shapes() if isinstance(shape, Text))
    # In blocks step2 and step3 are equal, and are drawn as one.
    assert texts.count("weights of") == (1 if style == "blocks" else 2)
    assert texts.count("148 params") == (0 if style == "volumes" else 1)
    assert ("total 18.4 K" in texts) == (style == "blocks"), texts


TOWERS = """\
  - tower: {name: one}
  - conv2d: {name: end, out_channels: 4, kernel_size: 1}
  - tower: {name: two}
  - concat: {from: [one, end, two]}
"""


def test_folded_blocks_say_whose_weights_are_used() -> None:
    """A block whose uses share weights, with another such block twice in it."""
    tower = "{shared: true, layers: [conv2d: {out_channels: 4, kernel_size: 1}, relu: {}]}"
    heads = f"blocks:\n  tower: {tower}\n  heads:\n    shared: true\n    layers:\n{indent(TOWERS, '    ')}"
    steps = "  - heads: {name: a}\n  - heads: {name: b, from: input}\n  - add: {from: [a, b]}\n"
    drawing, _ = drawing_of(numbers(steps, top=heads), Choices(style="blocks", depth=1))
    texts = [shape.text for shape in drawing.shapes() if isinstance(shape, Text)]
    assert texts.count("weights of a") == 1
    assert " ".join(texts).count("1 with shared weights") == 1


def test_a_block_alone_has_the_numbers_that_it_has_in_the_network() -> None:
    analysis = numbers(SHARED)
    assert only(analysis, "step1").totals.params == 148
    part = only(analysis, "step2")
    assert (part.totals.params, part.totals.multiplications) == (0, 9216)
    assert part["conv"].weights_of == "step1/conv"


def test_weights_inside_a_block_alone() -> None:
    text = "blocks: {unit: {layers: [conv2d: {name: a, %s}, conv2d: {name: b, %s, weights: a}]}}\n"
    fields = "out_channels: 4, kernel_size: 1"
    analysis = numbers("  - unit: {name: one}\n  - unit: {name: two}\n", top=text % (fields, fields))
    part = only(analysis, "two")
    assert [(row.name, row.params, row.weights_of) for row in part.rows[1:]] == [("a", 20, None), ("b", 0, "a")]
    drawing, _ = drawing_of(analysis, Choices(style="blocks", depth=1))
    texts = [shape.text for shape in drawing.shapes() if isinstance(shape, Text)]
    assert any("2 × 20 params" in text for text in texts), texts


@pytest.mark.parametrize(
    ("pattern", "layer", "says"),
    [
        ("784 -> fc10 -> relu -> fc5", "fc1", "what fc1 sees"),
        ("90x2 -> [conv3-1]*2", "conv2", "what conv2 sees: 5 positions of the input"),
        ("32x32x3 -> [conv3-1]*2", "conv2", "what conv2 sees: 5×5 pixels of the input"),
    ],
)
def test_what_a_highlighted_layer_sees_is_said_where_it_is_known(pattern: str, layer: str, says: str) -> None:
    text = draw(analysis_of(pattern), "svg", Choices(style="graph", highlight=layer)).data.decode()
    words = " ".join(re.findall(r">([^<>\n]+)<", text))
    assert f"Marked: {says} " in words.replace("  ", " ")


def test_a_frame_of_several_says_that_its_total_is_that_of_all() -> None:
    block = "blocks:\n  b:\n    layers:\n      - conv2d: {out_channels: 4, kernel_size: 3, padding: 1}\n      - relu\n"
    block += "      - max_pool2d: {kernel_size: 3, stride: 1, padding: 1}\n"
    analysis = numbers("  - b: {repeat: 3}\n", top=block)
    text = draw(analysis, "svg", Choices(style="blocks", depth=2)).data.decode()
    # 3 · (3·3·4 + 1)·4
    assert "444 params in all" in text


def test_what_follows_a_projection_shortcut_belongs_to_the_sum() -> None:
    assert "sum → relu" in svg_of("resnet18", "blocks")


def test_a_norm_leads_into_no_layer() -> None:
    layers = "  - conv1d: {name: a, out_channels: 4, kernel_size: 1}\n  - layer_norm: {name: n}\n"
    layers += "  - linear: {name: c, out_features: 4, per_position: true}\n  - add: {from: [a, c]}\n"
    wiring = Wiring(numbers(layers, "9x4"))
    assert [[wiring.rows[row].name for row in stack] for stack in wiring.stacks][2:4] == [["n"], ["c"]]


@pytest.mark.parametrize(
    ("name", "family", "label"),
    [
        ("facenet", "output", "output"),
        ("vit_b_16", "parameter", "trained array, token, embedding"),
    ],
)
def test_outputs_and_trained_arrays_have_a_legend_of_their_own(name: str, family: str, label: str) -> None:
    drawing, _ = drawing_of(analysis_of(name), Choices(style="blocks"))
    (legend,) = (item for item in drawing.items if item.role == "legend")
    labels = [shape.text for shape in legend.shapes if isinstance(shape, Text)]
    assert labels.count(label) == 1
    paint = LIGHT.families[family]
    fills = {shape.fill for item in drawing.items if item.role == "node" for shape in item.shapes
             if isinstance(shape, Rect)}  # fmt: skip
    assert paint.fill in fills
    assert [other for other, one in LIGHT.families.items() if one.fill == paint.fill] == [family]


def test_the_legend_of_a_slide_stands_next_to_the_title() -> None:
    drawing, _ = drawing_of(analysis_of("alexnet"), Choices(style="blocks", fit="16:9"))
    (key,), (title,) = ([item for item in drawing.items if item.role == role] for role in ("key", "title"))
    ends = [shape.x + text_width(shape.text, shape.size, shape.bold) for shape in title.shapes
            if isinstance(shape, Text)]  # fmt: skip
    assert min(shape.x for shape in key.shapes if isinstance(shape, Rect | Text)) > max(ends)
    assert not any(item.role == "legend" for item in drawing.items)


def test_ways_from_several_inputs_start_on_one_line() -> None:
    diagram = compose_blocks(Wiring(analysis_of("facenet")), 1)
    places = {placed.box.node.id: placed for placed in arrange(diagram).nodes}
    inputs = [places[name] for name in ("anchor", "positive", "negative")]
    assert len({placed.y for placed in inputs}) == 1
    assert [placed.x for placed in inputs] == sorted(placed.x for placed in inputs)


@pytest.mark.parametrize("name", ["c3d", "unet_3d", "alexnet"])
def test_sizes_in_volumes_lie_over_no_other_box(name: str) -> None:
    drawing, _ = drawing_of(analysis_of(name), Choices(style="volumes"))
    nodes = [item for item in drawing.items if item.role == "node"]
    sides = [[shape for shape in item.shapes if isinstance(shape, Curve) and shape.closed] for item in nodes]
    for number, item in enumerate(nodes):
        written = [shape for shape in item.shapes if isinstance(shape, Text) and re.fullmatch(r"[\d×]+", shape.text)]
        for text in written:
            long = text_width(text.text, text.size, text.bold)
            left = text.x - {"start": 0.0, "middle": long / 2, "end": long}[text.anchor]
            for other in range(number):
                for shape in sides[other]:
                    xs, ys = zip(*shape.points, strict=True)
                    beside = left >= max(xs) or left + long <= min(xs)
                    assert beside or text.y <= min(ys) or text.y - text.size * 0.7 >= max(ys), (item.title, text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("vgg16", "volumes"),
        ("unet", "volumes"),
        ("pix2pix_generator", "volumes"),
        ("alexnet@grouped", "towers"),
        ("lenet5", "maps"),
        ("vgg16", "slabs"),
    ],
)
def test_a_larger_font_is_larger_against_the_boxes(name: str, style: str) -> None:
    def share(size: float) -> float:
        """The size of the titles as a share of the largest box in perspective, or map."""
        drawing, _ = drawing_of(analysis_of(name), Choices(style=style, font_size=size))
        shapes = [shape for item in drawing.items if item.role == "node" for shape in item.shapes]
        heights = [s.height for s in shapes if isinstance(s, Rect)]
        heights += [max(y for _, y in s.points) - min(y for _, y in s.points) for s in shapes if isinstance(s, Curve)]
        title = next(
            s.size for item in drawing.items if item.role == "title" for s in item.shapes if isinstance(s, Text)
        )
        return title / max(heights)

    assert share(18) > 1.2 * share(12)
    assert share(9) < share(12)


WINDOWS = {
    # Size, share of the maps before that is read, and from value to value.
    "conv2d: {name: c, out_channels: 8, kernel_size: 3, padding: 1}": (3, 1.0, 1),
    "conv2d: {name: c, out_channels: 8, kernel_size: 3, padding: 1, groups: 2}": (3, 0.5, 1),
    "conv2d: {name: c, out_channels: 8, kernel_size: 3, padding: 1, groups: 8}": (3, 0.125, 1),
    "conv2d: {name: c, out_channels: 8, kernel_size: 3, padding: 2, dilation: 2}": (5, 1.0, 2),
    "conv2d: {name: c, out_channels: 8, kernel_size: 1}": (1, 1.0, 1),
    "max_pool2d: {name: c, kernel_size: 3, stride: 1, padding: 1}": (3, 0.125, 1),
}


@pytest.mark.parametrize("layer", WINDOWS)
def test_windows_of_volumes_are_drawn_as_what_they_are(layer: str) -> None:
    size, share, step = WINDOWS[layer]
    wiring = Wiring(numbers(f"  - {layer}\n", "64x64x8"))
    before, reader = volumes_of(compose_graph(wiring), wiring, LIGHT)
    assert (reader.kernel, reader.share, set(reader.dilation)) == ((size, size), share, {step})
    measure = Measure([before, reader], "linear")
    box = measure.box(before.shape, 0.0)
    window = window_of(box, reader, measure)
    assert window
    shapes = solid(before, box, window, LIGHT, reader)[len(faces(box, before.paint, LIGHT)) :]
    curves = [shape for shape in shapes if isinstance(shape, Curve)]
    # From the window back through the box: as far as the maps reach that are read.
    reach = [curve.points[1][0] - curve.points[0][0] for curve in curves if len(curve.points) == 2]
    assert len(reach) == (4 if goes_through(box, reader) else 0)
    assert all(length == pytest.approx(box.width * share) for length in reach)
    # Of a dilated window the 3 × 3 values that it reads; any other one is one face.
    filled = [curve for curve in curves if curve.fill]
    assert len(filled) == (9 if step > 1 else 1)


def test_what_is_dashed_through_boxes_is_said() -> None:
    for network, wanted in (("vgg16", True), ("mobilenet", False)):
        drawing, _ = drawing_of(analysis_of(network), Choices(style="volumes"))
        texts = " ".join(shape.text for shape in drawing.shapes() if isinstance(shape, Text))
        dashed = any(isinstance(shape, Curve) and shape.dash == (1.5, 2.0) for shape in drawing.shapes())
        assert ("Dashed through a box" in texts) == dashed
        assert dashed or not wanted
