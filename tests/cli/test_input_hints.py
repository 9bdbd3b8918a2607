"""The inputs that an error names, against trying them all."""

from __future__ import annotations

import re
from itertools import product

import pytest

from archcalc.core.conventions import Conventions
from archcalc.core.errors import Problem
from archcalc.design import inputs as sizes
from archcalc.design.inputs import accepts, add_input_hints, nearest_inputs, smallest_input
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.passes.shapes import Shapes, infer_shapes
from archcalc.spec.catalogue import load
from tests.networks import chain, graph, layers, op
from tests.tiers import slow_but

#: Chains and branches whose sizes are all, some or none of the whole numbers.
CASES = {
    "any size": "  - relu\n",
    "a valid convolution": "  - conv2d: {out_channels: 1, kernel_size: 5}\n",
    "lenet": "  - conv2d: {out_channels: 1, kernel_size: 5}\n  - max_pool2d: {kernel_size: 2}\n" * 2,
    "pools that want even sizes": "  - max_pool2d: {kernel_size: 2, exact: true}\n" * 3,
    "pools that want multiples of three": "  - max_pool2d: {kernel_size: 3, stride: 3, exact: true}\n",
    "never a power of two": "  - conv2d: {out_channels: 1, kernel_size: 7, stride: 8, exact: true}\n"
    "  - max_pool2d: {kernel_size: 3, exact: true}\n",
    "a pool that is too large": "  - max_pool2d: {kernel_size: 37}\n",
    "shapes that add up sometimes": "  - branches:\n"
    "      - [max_pool2d: {kernel_size: 2}]\n"
    "      - [max_pool2d: {kernel_size: 3, stride: 2, ceil_mode: true}]\n"
    "    merge: add\n",
    "depths that never add up": "  - branches: [[conv2d: {out_channels: 2, kernel_size: 1}], []]\n    merge: add\n",
    "one size only": "  - reshape: {shape: 4x7x7}\n",
    "padding the same": "  - conv2d: {out_channels: 3, kernel_size: 3, stride: 2, padding: same}\n" * 4,
}
STRICT = (False, True)
EVERY = list(product(CASES, STRICT))
LIMIT = 150


def network(name: str) -> LayerGraph:
    return layers(CASES[name])


def fits(net: LayerGraph, height: int, width: int, strict: bool) -> bool:
    """Whether the whole analysis finds nothing wrong."""
    given = net.with_input((net.input_shape[0], height, width))
    return not analyse(given, conventions=Conventions(strict=strict), partial=True).problems


@pytest.mark.parametrize(("name", "strict"), EVERY)
def test_the_smallest_input_is_the_first_that_fits(name: str, strict: bool) -> None:
    net = network(name)
    first = next((side for side in range(1, LIMIT) if fits(net, side, side, strict)), None)
    assert smallest_input(net, strict) == first


@pytest.mark.parametrize(("name", "strict"), EVERY)
@pytest.mark.parametrize(("height", "width"), slow_but([(30, 23)], [(4, 4), (30, 23), (1, 9), (64, 64)]))
def test_the_nearest_inputs_are_the_next_that_fit(name: str, strict: bool, height: int, width: int) -> None:
    shape = (height, width)
    net = network(name).with_input((4, height, width))
    below, above = nearest_inputs(net, strict)
    for sign, found in ((-1, below), (1, above)):
        if found is None:
            steps = [sign * n for n in range(64) if n < min(shape) or sign > 0]
            assert not any(fits(net, height + step, width + step, strict) for step in steps)
            continue
        rows, columns = (sign * (side - now) for side, now in zip(found, shape, strict=True))
        assert fits(net, found[0], found[1], strict)
        assert (rows, columns) != (0, 0)
        # Nothing nearer fits, neither in one side nor in both.
        nearer = [(i, j) for i in range(rows + 1) for j in range(columns + 1) if 0 < i + j < rows + columns]
        assert not any(fits(net, height + sign * i, width + sign * j, strict) for i, j in nearer[:60])


@pytest.mark.parametrize("strict", STRICT)
def test_accepts(strict: bool) -> None:
    net = network("pools that want even sizes")
    assert [side for side in range(1, 40) if accepts(net, (side, side), strict)] == [8, 16, 24, 32]
    assert accepts(net, (8, 24), strict)
    assert not accepts(net, (8, 12), strict)


def test_the_original_is_not_touched() -> None:
    net = network("lenet")
    smallest_input(net)
    nearest_inputs(net)
    assert net.input_shape == (4, 8, 8)
    assert net.layers == network("lenet").layers


@pytest.mark.parametrize(
    ("name", "smallest"), [("lenet5", 16), ("vgg16", 32), ("alexnet@torchvision", 63), ("unet", 188)]
)
def test_smallest_inputs_of_real_networks(name: str, smallest: int) -> None:
    net = load(name)
    assert smallest_input(net) == smallest
    assert fits(net, smallest, smallest, False)
    assert not any(fits(net, side, side, False) for side in range(max(1, smallest - 40), smallest))


# --- in words


def hints(net: LayerGraph, strict: bool = False) -> tuple[str, ...]:
    first, *others = add_input_hints(net, [Problem("first", details=("a",))], strict)
    assert others == []
    assert (first.message, first.details[0]) == ("first", "a")
    return first.details[1:]


def sizes_in(hint: str) -> list[tuple[int, int, int]]:
    found = re.findall(r"(\d+)×(\d+)×(\d+)", hint)
    return [(int(height), int(width), int(channels)) for height, width, channels in found]


@pytest.mark.parametrize(("name", "strict"), slow_but(EVERY[:12], EVERY))
def test_the_inputs_that_are_named_work(name: str, strict: bool) -> None:
    net = network(name).with_input((4, 5, 6))
    given = hints(net, strict)
    assert len(given) <= 1
    for hint in given:
        *_, last = shapes = sizes_in(hint)
        tried = [last] if "smallest" in hint else [shape for shape in shapes if shape != (5, 6, 4)]
        assert tried
        assert all(channels == 4 and fits(net, height, width, strict) for height, width, channels in tried)
    possible = any(fits(net, side, side, strict) for side in range(1, LIMIT))
    assert bool(given) == possible


SEGNET = """\
  - max_pool2d: {name: p1, kernel_size: 2, ceil_mode: true}
  - max_pool2d: {name: p2, kernel_size: 2, ceil_mode: true}
  - max_pool2d: {name: p3, kernel_size: 2, ceil_mode: true}
  - max_pool2d: {name: p4, kernel_size: 2, ceil_mode: true}
  - max_unpool2d: {name: u4, from: [p4, p4], kernel_size: 2}
  - max_unpool2d: {name: u3, from: [u4, p3], kernel_size: 2}
  - max_unpool2d: {name: u2, from: [u3, p2], kernel_size: 2}
"""


@pytest.mark.parametrize(
    ("net", "size", "named"),
    [
        # Valid convolutions and four halvings: 188 + 16·n on each side.
        (load("unet"), (1, 500, 375), "492×364×1 and 508×380×1"),
        # 360 halves to 45, and 23 doubles to 46; 365 halves to 46. 480 is a multiple of 16.
        (layers(SEGNET, "360x480x3"), (3, 360, 480), "352×480×3 and 365×480×3"),
        (layers("  - conv2d: {out_channels: 1, kernel_size: [3, 7], stride: [1, 4], exact: true}\n"), (4, 9, 9),
         "9×7×4 and 9×11×4"),
    ],
)  # fmt: skip
def test_each_side_moves_to_its_own_nearest(net: LayerGraph, size: tuple[int, int, int], named: str) -> None:
    (hint,) = hints(net.with_input(size))
    assert hint.endswith(f"that work: {named}")


@pytest.mark.slow
def test_near_inputs_come_before_the_smallest() -> None:
    pools = network("pools that want even sizes")
    assert hints(pools.with_input((3, 30, 30))) == ("network inputs near 30×30×3 that work: 24×24×3 and 32×32×3",)
    assert hints(pools.with_input((3, 5, 5))) == ("network inputs near 5×5×3 that work: 8×8×3",)
    large = layers("  - max_pool2d: {kernel_size: 99}\n")
    assert hints(large) == ("smallest square network input that works: 99×99×4",)
    assert hints(network("depths that never add up")) == ()


def test_a_hint_is_no_long_work(monkeypatch: pytest.MonkeyPatch) -> None:
    # A large network that nothing fits: the trials are counted, not timed.
    shaped = 0

    def counted(tried: LayerGraph, strict: bool = False) -> Shapes:
        nonlocal shaped
        shaped += len(tried)
        return infer_shapes(tried, strict)

    monkeypatch.setattr(sizes, "infer_shapes", counted)
    relu = op("relu")
    for length in (10, 1_000, 4_000):
        shaped = 0
        never = (op("conv2d", out_channels=2, kernel_size=1, groups=2), [0])
        net = chain((op("input", shape=(3, 8, 8)), []), never, *((relu, [index]) for index in range(1, length)))
        assert hints(net) == ()
        assert 0 < shaped <= 3 * sizes.BUDGET


def test_strict_hints_are_strict() -> None:
    text = "input: 10x10x1\nlayers: [conv2d: {out_channels: 1, kernel_size: 3, stride: 2}]"
    assert hints(graph(text), strict=True) == ("network inputs near 10×10×1 that work: 9×9×1 and 11×11×1",)
