"""Shapes, layer by layer; a layer that fails stops its readers, not the others."""

from __future__ import annotations

import pytest

from archcalc.core.errors import Location, SpecError
from archcalc.core.shapes import Shape
from archcalc.passes.analysis import analyse
from archcalc.passes.shapes import infer_shapes
from tests.networks import ALEXNET, FILE, VGG16, chain, graph, layers, op

BROKEN = """\
  - conv2d: {name: fits, out_channels: 8, kernel_size: 3}
  - conv2d: {name: fails, out_channels: 8, kernel_size: 7}
  - relu: {name: reads_it}
  - relu: {name: next_to, from: fits}
  - conv2d: {name: fails_too, out_channels: 6, kernel_size: 1, groups: 3, from: next_to}
"""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # Krizhevsky et al. 2012, figure 2, with 227 for 224.
        (
            ALEXNET,
            {
                "c1/conv": (96, 55, 55),
                "pool1": (96, 27, 27),
                "c2/conv": (256, 27, 27),
                "pool2": (256, 13, 13),
                "c3/conv": (384, 13, 13),
                "c4/conv": (384, 13, 13),
                "c5/conv": (256, 13, 13),
                "pool3": (256, 6, 6),
                "fc1": (4096,),
                "fc3": (1000,),
                "softmax1": (1000,),
            },
        ),
        # Simonyan & Zisserman 2014: five pools from 224 to 7.
        (
            VGG16,
            {
                "pool1": (64, 112, 112),
                "pool2": (128, 56, 56),
                "pool3": (256, 28, 28),
                "pool4": (512, 14, 14),
                "pool5": (512, 7, 7),
                "fc1": (4096,),
            },
        ),
    ],
)
def test_shapes_are_those_of_the_papers(text: str, wanted: dict[str, Shape]) -> None:
    shapes = {layer.layer.name: layer.output for layer in infer_shapes(graph(text)).layers}
    assert {name: shapes[name] for name in wanted} == wanted


def test_every_layer_carries_the_shapes_that_reach_it() -> None:
    shaped = infer_shapes(layers("  - relu: {name: a}\n  - concat: {from: [a, input]}\n")).layers
    assert shaped[2].inputs == ((4, 8, 8), (4, 8, 8))
    assert shaped[2].output == (8, 8, 8)


def test_settings_that_depend_on_the_input_are_filled_in() -> None:
    shaped = infer_shapes(layers("  - depthwise_conv2d: {kernel_size: 3}\n")).layers
    assert shaped[1].op == op("conv2d", out_channels=4, kernel_size=3, groups=4)


def test_all_layers_that_fail_by_themselves_are_reported() -> None:
    result = infer_shapes(layers(BROKEN))
    assert [(problem.layer, problem.message) for problem in result.problems] == [
        ('"fails" (conv2d)', "the window is larger than its input"),
        ('"fails_too" (conv2d)', "groups does not divide the input channels"),
    ]
    assert [problem.location for problem in result.problems] == [Location(FILE, 6, 5), Location(FILE, 9, 5)]


def test_rows_end_before_the_first_layer_that_fails() -> None:
    result = infer_shapes(layers(BROKEN))
    assert [layer.layer.name for layer in result.layers] == ["input", "fits"]


def test_an_analysis_of_part_of_a_network_keeps_what_was_right() -> None:
    analysis = analyse(layers(BROKEN), partial=True)
    assert [row.name for row in analysis.rows] == ["input", "fits"]
    assert len(analysis.problems) == 2
    assert analysis.totals.params == 8 * 4 * 9 + 8
    with pytest.raises(SpecError, match=r'^net\.yaml:6:5: layer "fails"'):
        analyse(layers(BROKEN))


def test_strictly_a_window_that_does_not_tile_is_a_problem() -> None:
    network = layers("  - max_pool2d: {name: odd, kernel_size: 2}\n", size="9x9x4")
    assert infer_shapes(network).problems == ()
    problems = infer_shapes(network, strict=True).problems
    assert [problem.layer for problem in problems] == ['"odd" (max_pool2d)']
    assert "floor gives 4, ceil 5" in problems[0].details[0]


def test_shapes_do_not_depend_on_the_order_of_independent_branches() -> None:
    source = (op("input", shape=(2, 8, 8)), ())
    left, right = op("conv2d", out_channels=3, kernel_size=1), op("conv2d", out_channels=5, kernel_size=1)
    one = infer_shapes(chain(source, (left, [0]), (right, [0]), (op("concat"), [1, 2])))
    other = infer_shapes(chain(source, (right, [0]), (left, [0]), (op("concat"), [2, 1])))
    assert one.layers[3].output == other.layers[3].output == (8, 8, 8)


@pytest.mark.slow
def test_no_shape_needs_more_than_a_pass_over_the_layers() -> None:
    # 10,000 layers: a pass that looked back over all layers before each would not end in reasonable time.
    text = (
        "  - repeat: 5000\n    layers:\n      - conv2d: {out_channels: 4, kernel_size: 3, padding: 1}\n      - relu\n"
    )
    analysis = analyse(layers(text))
    assert len(analysis.rows) == 10_001
    assert analysis.rows[-1].output_shape == (4, 8, 8)
    assert analysis.totals.params == 5000 * (4 * 4 * 9 + 4)
    assert analysis.totals.multiplications == 5000 * 8 * 8 * 4 * 4 * 9
    field = analysis.rows[-1].receptive_field
    assert field is not None
    assert field.axes[0].size == 2 * 5000 + 1
