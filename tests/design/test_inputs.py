"""Inputs that a network accepts: the hint where one does not fit."""

from __future__ import annotations

import pytest

from archcalc.core.errors import Problem, UsageError
from archcalc.core.shapes import parse_shape
from archcalc.design.inputs import accepts, add_input_hints, nearest_inputs, smallest_input
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.foreign import ForeignNetwork, ForeignNode, to_network
from archcalc.passes.shapes import infer_shapes
from archcalc.spec.catalogue import load
from tests.networks import ALEXNET, VGG16, graph, layers

#: Valid 3×3 convolutions and exact pools, as in U-Net: few sizes fit. Source: Ronneberger et al. 2015, section 2.
EXACT = """\
  - conv2d: {out_channels: 1, kernel_size: 3}
  - max_pool2d: {kernel_size: 2, exact: true}
  - conv2d: {out_channels: 1, kernel_size: 3}
"""


def brute_force(network: LayerGraph, strict: bool = False) -> list[int]:
    """Every side up to 64 that works."""
    channels = network.input_shape[0]
    sides = range(1, 65)
    return [side for side in sides if not infer_shapes(network.with_input((channels, side, side)), strict).problems]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "  - relu\n",
        "  - conv2d: {out_channels: 1, kernel_size: 5}\n  - max_pool2d: {kernel_size: 2}\n",
        "  - conv2d: {out_channels: 1, kernel_size: 3, stride: 3}\n",
        "  - max_pool2d: {kernel_size: 4}\n  - conv2d: {out_channels: 1, kernel_size: 5, stride: 2}\n",
        EXACT,
    ],
)
def test_the_smallest_input_is_the_smallest(text: str, strict: bool) -> None:
    network = layers(text)
    assert smallest_input(network, strict) == brute_force(network, strict)[0]


def test_the_smallest_input_of_known_networks() -> None:
    # Five pools of 2.
    assert smallest_input(graph(VGG16)) == 32
    side = smallest_input(graph(ALEXNET))
    assert side is not None
    assert accepts(graph(ALEXNET), (side, side))
    assert not any(accepts(graph(ALEXNET), (smaller, smaller)) for smaller in range(1, side))


def test_a_network_that_fits_no_input_has_no_smallest() -> None:
    network = layers("  - branches: [[], [max_pool2d: {kernel_size: 2}]]\n    merge: add\n")
    assert smallest_input(network) is None


@pytest.mark.parametrize(("side", "sides"), [(9, (8, 10)), (11, (10, 12)), (3, (None, 8))])
def test_the_nearest_inputs(side: int, sides: tuple[int | None, int | None]) -> None:
    network = layers(EXACT, f"{side}x{side}x1")
    good = brute_force(network)
    assert nearest_inputs(network) == tuple(None if one is None else (one, one) for one in sides)
    assert sides == (max((one for one in good if one < side), default=None), min(one for one in good if one > side))


def test_height_and_width_are_asked_apart() -> None:
    network = layers("  - conv2d: {out_channels: 1, kernel_size: [3, 5]}\n")
    assert accepts(network, (3, 5))
    assert not accepts(network, (2, 5))
    assert not accepts(network, (3, 4))


def test_a_hint_stands_under_the_last_problem() -> None:
    network = layers(EXACT, "9x9x1")
    first, last = add_input_hints(network, [Problem("one"), Problem("two", details=("detail",))])
    assert first == Problem("one")
    assert last.details == ("detail", "network inputs near 9×9×1 that work: 8×8×1 and 10×10×1")


@pytest.mark.slow
def test_where_nothing_is_near_the_smallest_is_suggested() -> None:
    network = layers("  - conv2d: {out_channels: 1, kernel_size: 101}\n", "4x4x1")
    (problem,) = add_input_hints(network, [Problem("one")])
    assert problem.details == ("smallest square network input that works: 101×101×1",)


@pytest.mark.slow
def test_where_nothing_works_nothing_is_suggested() -> None:
    network = layers("  - branches: [[], [max_pool2d: {kernel_size: 2}]]\n    merge: add\n")
    assert add_input_hints(network, [Problem("one")]) == [Problem("one")]


@pytest.mark.parametrize(
    ("pattern", "size", "hint"),
    [
        # Six halvings without padding take 127 positions at least; pools without remainder whole multiples of 8.
        ("40x4 -> [conv3-8/2p0]*6 -> fc2", None, "smallest network input that works: 127×4"),
        ("130x4 -> [pool2]*3 -> fc2", 130, "network inputs near 130×4 that work: 128×4 and 136×4"),
        ("20x20x20x1 -> [conv3-2/2p0]*4 -> fc2", None, "network inputs near 20×20×20×1 that work: 31×31×31×1"),
        ("17x8x9x1 -> [pool2]*3 -> fc2", 17, "network inputs near 17×8×9×1 that work: 16×8×8×1 and 24×8×16×1"),
    ],
)
def test_hints_for_rows_and_volumes(pattern: str, size: int | None, hint: str) -> None:
    network = load(pattern)
    strict = size is not None
    problems = infer_shapes(network, strict).problems
    assert problems
    assert hint in add_input_hints(network, problems, strict)[-1].details


SEVERAL = {
    "inputs: {a: 8x4, b: 8x4}\nlayers:\n  - matmul: {from: [a, b]}\n": "--input b=4x4",
    "inputs: {q: 8x4, k: 9x4, v: 8x4}\nlayers:\n  - scaled_dot_product_attention: {from: [q, k, v]}\n":
        "--input k=8x4 or --input v=9x4",
    # Neither alone helps: both are added, halved, doubled and added to the first.
    "inputs: {a: 9x9x4, b: 9x9x2}\nlayers:\n  - concat: {from: [a, b]}\n  - max_pool2d: {kernel_size: 2}\n"
    "  - upsample2d: {name: up}\n  - concat: {from: [up, a]}\n":
        "--input a=8x8x4,b=8x8x2 or --input a=10x10x4,b=10x10x2",
}  # fmt: skip


@pytest.mark.parametrize("text", SEVERAL)
def test_hints_name_which_of_several_inputs_can_change(text: str) -> None:
    network = graph(text)
    *_, hint = add_input_hints(network, infer_shapes(network).problems)[-1].details
    assert hint == f"the network works with {SEVERAL[text]}"
    for option in SEVERAL[text].split(" or "):
        given = dict(part.split("=") for part in option.removeprefix("--input ").split(","))
        shapes = {name: parse_shape(size) for name, size in given.items()}
        assert not infer_shapes(network.with_input(shapes)).problems


def test_of_several_inputs_none_may_fit() -> None:
    network = graph(
        "inputs: {a: 8x4, b: 8x4}\nlayers:\n  - reshape: {shape: 7, from: a}\n  - add: {from: [reshape1, b]}\n"
    )
    assert add_input_hints(network, [Problem("one")]) == [Problem("one")]


def test_a_model_file_that_holds_its_sizes_has_no_hint() -> None:
    """No other input can be tried; what is wrong is said all the same."""

    def again(_: object) -> ForeignNetwork:
        raise UsageError("it was saved for inputs of one size")

    layer = ForeignNode("odd", "opaque", {"of": "odd", "shape": "8x8x3"}, ("x",))
    network = to_network(ForeignNetwork("net", "net", {"x": (3, 8, 8)}, (layer,), {"y": "odd"}), again)
    problems = infer_shapes(network, strict=True).problems
    (problem,) = add_input_hints(network, problems, strict=True)
    assert "cannot be counted" in problem.message
    assert not any("input" in detail for detail in problem.details)
