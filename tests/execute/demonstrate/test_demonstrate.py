"""Demonstrations: each number is computed again in plain Python, from what the page shows and nothing else."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from archcalc.core.demonstration import Cell, Demonstration
from archcalc.core.errors import UsageError
from archcalc.execute.demonstrate.demonstrate import KINDS, demonstrate
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.tiers import slow_but


def shown(kind: str, network: str, layer: str | None = None, **more: Any) -> Demonstration:
    return demonstrate(kind, analyse(load(network)), layer, **more)


def values(demonstration: Demonstration) -> dict[Cell, float]:
    """What stands in the cells before the first step."""
    return {
        Cell(number, i, j): value
        for number, grid in enumerate(demonstration.grids())
        for i, row in enumerate(grid.values)
        for j, value in enumerate(row)
        if value is not None
    }


def at_the_end(demonstration: Demonstration) -> dict[Cell, float]:
    found = values(demonstration)
    for step in demonstration.steps:
        found |= {one.cell: one.value for one in step.written}
    return found


CONVOLUTIONS = {
    "the notes' figure": ("5x5x3 -> conv3-2/2p1", None),
    "no padding": ("6x6x2 -> conv3-2p0", None),
    "a signal": ("9x2 -> conv3-2/2p1", None),
    "a large window": ("zfnet", "conv1"),
    "groups": ("alexnet@grouped", "conv2"),
    "depthwise": ("6x6x3 -> dw3", None),
    "no bias": ("resnet18", None),
    "1×1": ("googlenet", "inception_3a/1x1/conv/conv"),
}


@pytest.mark.parametrize("name", slow_but(["the notes' figure", "a signal", "groups", "no bias"], CONVOLUTIONS))
@pytest.mark.parametrize("kind", ["conv", "dilated"])
def test_a_convolution_is_the_sum_of_what_is_marked(name: str, kind: str) -> None:
    network, layer = CONVOLUTIONS[name]
    demonstration = shown(kind, network, layer)
    known = values(demonstration)
    assert demonstration.steps
    for step in demonstration.steps:
        pixels, weights = [known[cell] for cell in step.read], [known[cell] for cell in step.weights]
        bias = weights.pop() if len(weights) > len(pixels) else 0.0
        (written,) = step.written
        assert written.value == sum(a * b for a, b in zip(pixels, weights, strict=True)) + bias
        assert step.lines[-1].endswith(f"= {written.value:g}".replace("-", "−"))
    # Every value of the output is written once.
    outputs = [one.cell for step in demonstration.steps for one in step.written]
    empty = sum(value is None for grid in demonstration.grids() for row in grid.values for value in row)
    assert len(outputs) == len(set(outputs)) == empty


def test_lines_can_be_calculated_again() -> None:
    for step in shown("conv", "5x5x3 -> conv3-2/2p1").steps:
        for line in step.lines:
            left, right = line.partition(": ")[2].replace("−", "-").replace("·", "*").split(" = ")
            assert re.fullmatch(r"[-+*() \d]+", left)
            total = 0
            for term in left.split(" + "):
                product = 1
                for factor in term.split("*"):
                    product *= int(factor.strip("()"))
                total += product
            assert total == int(right)


def test_the_example_of_the_notes_in_one_dimension() -> None:
    numbers = {"input": np.array([[1.0, 2, -1, 1, -3]]), "weight": np.array([[[1.0, 0, -1]]]), "bias": np.array([0.0])}
    for pattern, wanted in (("5x1 -> conv3-1p1", [-2, 2, 1, 2, 1]), ("5x1 -> conv3-1/2p1", [-2, 1, 1])):
        demonstration = shown("conv", pattern, given=numbers)
        assert [step.written[0].value for step in demonstration.steps] == wanted


def test_the_figure_of_the_notes_has_its_shapes() -> None:
    demonstration = shown("conv", "5x5x3 -> conv3-2/2p1")
    sizes = [(grid.name, len(grid.values), len(grid.values[0])) for grid in demonstration.grids()]
    assert sizes[:5] == [
        ("x[:,:,0]", 7, 7),
        ("x[:,:,1]", 7, 7),
        ("x[:,:,2]", 7, 7),
        ("w0[:,:,0]", 3, 3),
        ("w0[:,:,1]", 3, 3),
    ]
    assert sizes[-2:] == [("o[:,:,0]", 3, 3), ("o[:,:,1]", 3, 3)]
    assert demonstration.notes == (
        "Stride 2: the window moves by 2 pixels; 5×5 pixels give 3×3 positions.",
        "Padding 1×1: 5×5 pixels become 7×7; what is added is 0.",
    )


@pytest.mark.parametrize(
    ("network", "layer", "function"),
    [("alexnet", "pool1", max), ("lenet5", "S2", lambda found: sum(found) / len(found))],
)
def test_a_pool(network: str, layer: str, function: Any) -> None:
    demonstration = shown("pool", network, layer)
    known = values(demonstration)
    for step in demonstration.steps:
        assert step.written[0].value == function([known[cell] for cell in step.read])


def test_a_pool_with_padding_leaves_the_padding_out_of_its_words() -> None:
    demonstration = shown("pool", "5x5x1 -> maxpool3/2p1")
    assert demonstration.steps[0].lines[0].count(",") == 3
    grid = demonstration.grids()[0]
    assert (len(grid.values), grid.inner) == (7, (1, 1, 5, 5))


def test_im2col_is_a_product_of_matrices() -> None:
    demonstration = shown("im2col", "5x5x3 -> conv3-2/2p1")
    known = at_the_end(demonstration)
    plain = at_the_end(shown("conv", "5x5x3 -> conv3-2/2p1"))
    grids = demonstration.grids()
    w_row, x_col, result = 3, 4, 5
    assert [grids[at].name for at in (w_row, x_col, result)] == ["W_row", "X_col", "O"]
    assert (len(grids[x_col].values), len(grids[x_col].values[0])) == (27, 9)
    bias = [plain[Cell(at, 0, 0)] for at in (6, 10)]
    for k in range(2):
        for column in range(9):
            sum_ = sum(known[Cell(w_row, k, tap)] * known[Cell(x_col, tap, column)] for tap in range(27))
            assert known[Cell(result, k, column)] == sum_ + bias[k]
            assert known[Cell(result, k, column)] == plain[Cell(11 + k, column // 3, column % 3)]
    for column, step in enumerate(demonstration.steps):
        window = [known[cell] for cell in step.read if cell.grid < 3]
        assert window == [known[cell] for cell in step.read if cell.grid == x_col]
        assert {cell.column for cell in step.read if cell.grid == x_col} == {column}
    first = "row 0 · column 0: 0·(−1) + 0·(−1) + 0·1 + 0·0 + 0·1 + "
    assert demonstration.steps[0].lines[1].startswith(first)


@pytest.mark.parametrize(
    ("kind", "sides"), [("im2col", {"x[:,:,0]": (13, 13), "X_col": (25, 9)}), ("matrix", {"W": (8, 81)})]
)
def test_a_large_window_becomes_smaller_in_a_matrix(kind: str, sides: dict[str, tuple[int, int]]) -> None:
    """AlexNet's first layer has 363 numbers in a window, more than a slide can show; its stride stays."""
    demonstration = shown(kind, "alexnet", "conv1")
    found = {grid.name: (len(grid.values), len(grid.values[0])) for grid in demonstration.grids()}
    assert {name: found[name] for name in sides} == sides
    assert "1 of 3 channels, 2 of 96 filters, a window of 5×5 in place of 11×11" in demonstration.notes[-1]
    assert "Stride 4" in demonstration.notes[0]
    whole = shown(kind, "11x11x1 -> conv7-1")
    assert "window" not in whole.notes[-1]


def test_a_convolution_is_a_dense_layer_with_zeros() -> None:
    demonstration = shown("matrix", "5x5x1 -> conv3-1p0")
    known = at_the_end(demonstration)
    plain = at_the_end(shown("conv", "5x5x1 -> conv3-1p0"))
    bias = plain[Cell(2, 0, 0)]
    for row in range(9):
        total = sum(known[Cell(0, row, column)] * known[Cell(1, column, 0)] for column in range(25))
        assert known[Cell(2, row, 0)] == total + bias == plain[Cell(3, row // 3, row % 3)]
        assert len(demonstration.steps[row].read) == len(demonstration.steps[row].weights) == 9
    assert "16 of 25 weights are 0 whatever the filter" in demonstration.steps[0].lines[0]


@pytest.mark.parametrize("network", ["unet", "3x3x2 -> upconv3-2/2", "3x3x2 -> upconv2-2d3",
    "3x3x1 -> deconv3-1", "4x4x1 -> deconv2-1", "2x2x1 -> deconv4-1"])  # fmt: skip
def test_a_transposed_convolution_adds_up(network: str) -> None:
    demonstration = shown("transposed", network)
    end, known = at_the_end(demonstration), values(demonstration)
    total: dict[Cell, float] = {}
    first = {one.cell for step in demonstration.steps for one in step.written}
    for step in demonstration.steps:
        (pixel,) = step.read
        weights = [known[cell] for cell in step.weights]
        added = sum(one.value for one in step.written) - sum(
            total.get(one.cell, known[one.cell]) for one in step.written
        )
        assert added == known[pixel] * sum(weights)
        total |= {one.cell: one.value for one in step.written}
    assert all(end[cell] == total[cell] for cell in first)


@pytest.mark.parametrize(
    ("network", "layer"), [("5x5x2 -> conv3-2/2p1", None), ("5x5x1 -> conv3-1p0", None), ("alexnet", "pool1")]
)
def test_gradients_are_those_of_differences(network: str, layer: str | None) -> None:
    """The loss that has these gradients is the sum of gradient times output, computed by plain loops."""
    demonstration = shown("backward", network, layer)
    end = at_the_end(demonstration)
    names = {grid.name: number for number, grid in enumerate(demonstration.grids())}
    kind = "pool" if "pool" in str(layer) else "conv"
    forward = shown(kind, network, layer)
    known = values(forward)

    def loss(changed: Cell | None) -> float:
        total = 0.0
        for step in forward.steps:
            cells = [known[cell] + (1e-3 if cell == changed else 0) for cell in step.read]
            if kind == "pool":
                value = max(cells)
            else:
                weights = [known[cell] for cell in step.weights]
                bias = weights.pop() if len(weights) > len(cells) else 0.0
                value = sum(a * b for a, b in zip(cells, weights, strict=True)) + bias
            out = step.written[0].cell
            name = forward.grids()[out.grid].name.replace("o[", "do[")
            total += value * end[Cell(names[name], out.row, out.column)]
        return total

    for number, grid in enumerate(forward.grids()):
        if not grid.name.startswith("x["):
            continue
        top, left, height, width = grid.inner
        for i in range(height):
            for j in range(width):
                slope = (loss(Cell(number, top + i, left + j)) - loss(None)) / 1e-3
                found = end[Cell(names[f"d{grid.name}"], i, j)]
                # Several largest numbers: the first takes all, and a change of another has a slope too.
                if kind == "conv" or found:
                    assert found == pytest.approx(slope, abs=1e-6) or kind == "pool"
    if kind == "pool":
        given = sum(end[cell] for cell in end if demonstration.grids()[cell.grid].name.startswith("do["))
        sent = sum(end[cell] for cell in end if demonstration.grids()[cell.grid].name.startswith("dx["))
        assert given == sent


@pytest.mark.parametrize(
    ("network", "layer", "sizes"),
    [("vgg16", "conv2_2", [3, 5, 6, 10, 14]), ("resnet18", "pool1", [7, 11]), ("alexnet", "pool1", [11, 19])],
)
def test_a_field_is_what_a_change_reaches(network: str, layer: str, sizes: list[int]) -> None:
    demonstration = shown("receptive-field", network, layer)
    assert [len(step.read) for step in demonstration.steps] == [size * size for size in sizes]
    assert [step.written[0].value for step in demonstration.steps] == [size * size for size in sizes]
    assert demonstration.steps[-1].lines[1] == f"receptive field by the formula: {sizes[-1]}×{sizes[-1]}"


def test_the_biases_of_a_transposed_convolution_are_shown() -> None:
    grids = {grid.name: np.array(grid.values) for grid in shown("transposed", "3x3x2 -> deconv3-2/2p1").grids()}
    assert [name for name in grids if name.startswith("b")] == ["b0", "b1"]
    for k in range(2):
        assert (grids[f"o[:,:,{k}]"] == grids[f"b{k}"]).all()


def test_padding_of_a_transposed_convolution_cuts_off_the_edges() -> None:
    demonstration = shown("transposed", "3x3x1 -> deconv3-1/2p1")
    x, w, b, o = (np.array(grid.values) for grid in demonstration.grids())
    assert (o == b).all()
    whole = np.zeros((7, 7))  # (3 - 1)*2 + 3
    for i, j in np.ndindex(3, 3):
        whole[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += x[i, j] * w
    made = o.copy()
    for cell, value in at_the_end(demonstration).items():
        if cell.grid == 3:
            made[cell.row, cell.column] = value
    assert (made - o == whole[1:-1, 1:-1]).all()


@pytest.mark.parametrize("kind", ["conv", "im2col", "pool"])
def test_a_map_that_is_narrow_along_one_axis_is_shown(kind: str) -> None:
    """It is not wider than the network has it, though the result has few positions there."""
    network = "2x20x1 -> pool2" if kind == "pool" else "2x20x1 -> conv2-1p0"
    # A window of 2 over 2 rows has 1 position; three along the other axis need 4 columns, or 6 in steps of 2.
    grids = shown(kind, network).grids()
    assert (len(grids[0].values), len(grids[0].values[0])) == ((2, 6) if kind == "pool" else (2, 4))
    if kind != "im2col":
        assert len(grids[-1].values) == 1
        assert len(grids[-1].values[0]) >= 3


@pytest.mark.parametrize(
    ("kind", "network", "layer", "remarks"),
    [
        ("conv", "alexnet", "conv1", "2 of 96 filters and 19×19 pixels in place of 227×227"),
        ("conv", "lenet5", "C3", "3 of 6 channels, 2 of 16 filters and 7×7 pixels in place of 14×14"),
        ("matrix", "lenet5", "C3", "1 of 6 channels, 2 of 16 filters and 7×7 pixels in place of 14×14"),
        ("pool", "14x14x6 -> avgpool2", None, "3 of 6 channels and 6×6 pixels in place of 14×14"),
        ("conv", "alexnet@grouped", "conv2", "4 of 96 channels, 2 of 256 filters and 5×5 pixels in place of 27×27"),
        ("conv", "4x4x8 -> conv3-8p1g4", None, "4 of 8 channels, 2 of 4 groups and 2 of 8 filters"),
        (
            "conv", "lenet5@1998", "C3",
            "3 of 6 channels, filters without the table of connections, 2 of 16 filters "
            "and 7×7 pixels in place of 14×14",
        ),
        (
            "matrix", "20x20x1 -> conv11-1p5", None,
            "a window of 5×5 in place of 11×11, padding 2 in place of 5 and 5×5 pixels in place of 20×20",
        ),
        ("matrix", "60x1 -> conv3-1p1", None, "3 pixels in place of 60"),
        (
            "receptive-field", "alexnet", None,
            "one channel in every layer (its field does not depend on channels) and 21×21 pixels in place of 227×227",
        ),
    ],
)  # fmt: skip
def test_what_is_smaller_is_said(kind: str, network: str, layer: str | None, remarks: str) -> None:
    assert shown(kind, network, layer).notes[-1] == f"Not as in the network: {remarks}."


@pytest.mark.parametrize(("kind", "network"), [("conv", "5x5x3 -> conv3-2/2p1"), ("matrix", "6x1 -> conv3-1p1")])
def test_what_is_small_stays_as_it_is(kind: str, network: str) -> None:
    assert not any("Not as in" in note for note in shown(kind, network).notes)


def test_a_dilation_is_said() -> None:
    assert "dilation 2 in place of 1" in shown("dilated", "vgg16").notes[-1]


def test_the_same_seed_gives_the_same_numbers() -> None:
    first = shown("conv", "5x5x3 -> conv3-2/2p1")
    assert first == shown("conv", "5x5x3 -> conv3-2/2p1")
    assert first != shown("conv", "5x5x3 -> conv3-2/2p1", seed=1)


@pytest.mark.parametrize(
    ("kind", "network", "layer"),
    [
        ("dilated", "alexnet", "conv2"),  # 21 pixels, moved by 4, fit in no map that is shown
        ("dilated", "nin", "mlpconv2/conv"),
        ("transposed", "deconvnet", "deconv2/filter"),
        ("im2col", "12x12x4 -> conv3-4g2 -> conv3-4", "conv2"),
        ("conv", "alexnet", "conv1"),
    ],
)
def test_the_default_is_the_first_layer_that_can_be_shown(kind: str, network: str, layer: str) -> None:
    assert f", {layer}: " in shown(kind, network).title


NUMBERS = {"input": np.zeros((1, 5, 4))}


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("cnv", "alexnet"), "there is no demonstration 'cnv'; did you mean conv?"),
        (("conv", "alexnet", "conv9"), "alexnet has no layer 'conv9'; did you mean"),
        (("conv", "alexnet", "pool1"), "pool1 is a max_pool2d; conv is shown on conv, depthwise_conv"),
        (("transposed", "alexnet"), "alexnet has no layer for transposed"),
        (("receptive-field", "alexnet", "conv5"), "conv5 sees 163×163 pixels, and at most 32 are shown"),
        (("im2col", "alexnet@grouped", "conv2"), "conv2 has groups"),
        (("conv", "c3d"), "a demonstration is of signals and images"),
        (("matrix", "60x60x3 -> conv3-2", None, 0, {"input": np.zeros((3, 60, 60))}), "the matrix would have"),
        (("conv", "15x15x1 -> conv3-1", None, 0, {"input": np.zeros((1, 15, 15))}), "225 steps"),
        (("conv", "5x5x1 -> conv3-1", None, 0, NUMBERS), "input has the shape (1, 5, 4), and (1, 5, 5) is wanted"),
        (("conv", "5x5x1 -> conv3-1", None, 0, {"wieght": np.zeros(1)}), "conv1 has no 'wieght'"),
        (("receptive-field", "alexnet", "conv1", 0, NUMBERS), "does not depend on numbers"),
    ],
)
def test_what_cannot_be_shown(arguments: tuple[Any, ...], wanted: str) -> None:
    kind, network, *rest = arguments
    with pytest.raises(UsageError) as caught:
        demonstrate(kind, analyse(load(network)), *rest)
    assert wanted in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", ["lenet5", "alexnet", "googlenet", "resnet50", "mobilenet", "unet", "m5", "c3d"])
def test_every_kind_on_real_networks_or_an_error_that_says_why(kind: str, network: str) -> None:
    found = ""
    try:
        count = len(shown(kind, network).steps)
    except UsageError as error:
        count, found = 1, str(error)
    assert 1 <= count <= 100
    assert not found or re.search(r"has no layer|has groups|too large|at most|of signals|needs a map of", found)
