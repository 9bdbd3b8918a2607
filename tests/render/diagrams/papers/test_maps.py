"""Stacks of maps, compared with figure 2 of LeCun et al. 1998, "Gradient-Based Learning"."""

from __future__ import annotations

import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.draw import draw
from archcalc.render.diagrams.drawing import Curve, Rect, Text
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.maps import sheets_read
from tests.render.diagrams.papers.figures import edges, figure, nodes, texts
from tests.render.diagrams.pictures import analysis_of, check_picture

#: What stands above the maps in the figure: INPUT 32×32, C1 6@28×28 … OUTPUT 10.
FIGURE = [
    ("input", "1@32×32"), ("C1", "6@28×28"), ("S2", "6@14×14"), ("C3", "16@10×10"), ("S4", "16@5×5"), ("C5", "120"),
    ("F6", "84"), ("output", "10"),
]  # fmt: skip
ROWS = """
name: rows
title: Rows
input: 16x40x1
layers:
  - conv2d: {out_channels: 8, kernel_size: 3, padding: 1}
  - max_pool2d: {kernel_size: [16, 1]}
  - tokens
  - conv1d: {out_channels: 6, kernel_size: 3, padding: 1}
  - lstm: {hidden_size: 5}
"""
KINDS = "64x64x8 -> conv3-8p2d2 -> conv3-8p1g8 -> conv1-16 -> conv3-16p1g2 -> conv3-8p1 -> pool2"


def test_the_maps_of_the_figure_in_its_order() -> None:
    plain = [tuple(texts([item])) for item in figure("maps", "lenet5@1998").items if item.role == "plain"]
    assert [lines for lines in plain if lines in FIGURE] == FIGURE
    # "Convolutions, subsampling, convolutions, subsampling, convolutions, full connection, Gaussian connections".
    words = [lines[0].split()[0] for lines in plain if lines not in FIGURE]
    assert words == ["conv", "subsampling", "conv", "subsampling", "conv", "dense", "RBF"]


def test_a_row_is_a_strip_and_lines_end_at_sheets() -> None:
    drawing = drawing_of(ac.from_yaml(ROWS).analyse(), Choices(style="maps"))[0]
    boxes = [next(shape for shape in node.shapes if isinstance(shape, Rect)) for node in nodes(drawing)]
    assert len(boxes) == 5
    pool, row, lstm = boxes[2:]
    assert (row.width, row.height) == (lstm.width, lstm.height) == (pool.width, pool.height)
    assert row.width > 4 * row.height
    # A window on the map of the pool, and from the row to the LSTM two lines, to both ends of the first sheet.
    window, fan = edges(drawing)[2:]
    assert any(isinstance(shape, Rect) for shape in window.shapes)
    assert [shape.points[-1] for shape in fan.shapes if isinstance(shape, Curve)] == [
        (lstm.x, lstm.y), (lstm.x, lstm.y + lstm.height)
    ]  # fmt: skip


def test_as_many_sheets_as_maps() -> None:
    sheets = [sum(isinstance(shape, Rect) for shape in node.shapes) for node in nodes(figure("maps", "lenet5@1998"))]
    assert sheets == [1, 6, 6, 16, 16, 1, 1, 1]


@pytest.mark.parametrize(
    ("layer", "read"), [("conv1", 8), ("conv2", 1), ("conv3", 8), ("conv4", 8), ("conv5", 16), ("pool1", 1)]
)
def test_a_window_reads_as_many_sheets_as_its_layer(layer: str, read: int) -> None:
    row = analysis_of(KINDS)[layer]
    assert len(sheets_read(row, min(row.input_shapes[0][0], 16))) == read


def test_the_last_map_of_c3_reads_all_of_s2() -> None:
    """Table I of the paper: the last column has a cross in every row."""
    assert sheets_read(analysis_of("lenet5@1998")["C3"], 6) == range(6)


def test_a_dilated_window_shows_the_values_that_it_reads() -> None:
    first, second, *_ = edges(drawing_of(analysis_of(KINDS), Choices(style="maps"))[0])

    def squares(item: object) -> int:
        return sum(isinstance(shape, Rect) for shape in item.shapes)  # type: ignore[attr-defined]

    # 3×3 values, the outline of the window, its outline on the first sheet, the value that it gives.
    assert squares(first) == 9 + 3
    # One window on one sheet, and the value.
    assert squares(second) == 2


@pytest.mark.parametrize("name", ["lenet5@1998", "alexnet", "vgg16", KINDS])
@pytest.mark.parametrize("fit", ["16:9", "210:297"])
def test_no_text_lies_over_another(name: str, fit: str) -> None:
    check_picture(draw(analysis_of(name), "svg", Choices(style="maps", fit=fit)).data.decode())


@pytest.mark.parametrize(
    ("name", "reason"),
    [("resnet18", "ways past its layers"), ("googlenet", "side by side"), ("784 -> fc10", "no maps"),
     ("mobilenet", "30 maps in a row")],
)  # fmt: skip
def test_what_has_no_stacks(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        draw(analysis_of(name), "svg", Choices(style="maps"))


def test_maps_on_an_upright_sheet_stand_in_rows_whose_texts_can_be_read() -> None:
    drawing, notes = drawing_of(analysis_of("lenet5@1998"), Choices(style="maps", fit="210:297"))
    assert notes == ()
    sizes = [shape.size for shape in drawing.shapes() if isinstance(shape, Text)]
    # A sheet of A4 is 842 points high.
    assert min(sizes) * 842 / drawing.height >= 9
