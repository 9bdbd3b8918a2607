"""Parameters and inputs of networks: every answer is verified by an analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from archcalc.core.errors import UsageError
from archcalc.explain.solve.network import NetworkSolution, smallest, solve_input, solve_parameter, tell
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load, parameters
from archcalc.spec.document import Parameter
from tests.networks import layers


def parameter(network: str, name: str, measure: str, target: int) -> NetworkSolution:
    def make(values: Mapping[str, Any]) -> LayerGraph:
        return load(network, values)

    return solve_parameter(make, name, parameters(network)[name], measure, target)


def test_the_input_of_unet() -> None:
    # Ronneberger et al. 2015, figure 1: 572 gives 388; the next tiles that fit are 16 away.
    assert [one.value for one in solve_input(load("unet"), "output", 388).exact] == [572]
    answer = solve_input(load("unet"), "output", 389)
    assert answer.exact == ()
    assert (answer.below, answer.above) == ((572, 388), (588, 404))
    assert tell(answer)[0] == "No input gives an output of 389."


def test_the_smallest_input() -> None:
    assert smallest(load("vgg16")) == 32
    assert smallest(load("unet")) == 188


def test_no_input_at_all() -> None:
    with pytest.raises(UsageError, match="accepts no square input"):
        smallest(layers("  - reshape: {shape: 5x1x1}", "3x3x3"))


def test_alpha_for_two_million_parameters() -> None:
    answer = parameter("mobilenet", "alpha", "params", 2_000_000)
    assert answer.exact == ()
    assert answer.below is not None
    assert answer.above is not None
    assert answer.below.value + 0.001 == pytest.approx(answer.above.value)
    for found in (answer.below, answer.above):
        assert analyse(load("mobilenet", {"alpha": found.value})).totals.params == found.result
    assert answer.below.result < 2_000_000 < answer.above.result


@pytest.mark.parametrize(
    ("network", "name", "measure", "value"),
    [
        ("mobilenet", "alpha", "params", 0.5),
        ("mobilenet", "classes", "params", 37),
        ("resnet50", "classes", "params", 10),
        ("lenet5", "classes", "multiplications", 26),
    ],
)
def test_a_value_is_found_again(network: str, name: str, measure: str, value: float) -> None:
    target = getattr(analyse(load(network, {name: value})).totals, measure)
    answer = parameter(network, name, measure, target)
    assert answer.exact[0].value <= value <= answer.exact[-1].value
    for found in answer.exact:
        assert getattr(analyse(load(network, {name: found.value})).totals, measure) == target


def test_choices_are_all_tried() -> None:
    target = analyse(load("mobilenet")).totals.params
    assert [one.value for one in parameter("mobilenet", "padding", "params", target).exact] == [1, "same"]


def test_what_does_not_matter_is_said() -> None:
    with pytest.raises(UsageError, match="does not depend on epsilon"):
        parameter("mobilenet", "epsilon", "params", 3)


@pytest.mark.parametrize("side", [32, 97, 224])
def test_the_input_for_a_total(side: int) -> None:
    graph = load("resnet18")
    target = analyse(graph.with_input((3, side, side))).totals.multiplications
    answer = solve_input(graph, "multiplications", target)
    assert side in [one.value for one in answer.exact]
    for found in answer.exact:
        assert analyse(graph.with_input((3, found.value, found.value))).totals.multiplications == target


def test_ranges_are_reported_as_such() -> None:
    graph = layers("  - conv2d: {out_channels: 4, kernel_size: 3}\n  - global_avg_pool2d")
    answer = solve_input(graph, "output", 1)
    assert answer.whole_range
    assert tell(answer) == ["input = 3×3 to 2048×2048 gives an output of 1."]


@pytest.mark.parametrize(("groups", "width"), [(1, 5), (7, 21), (12, 24), (12, 48), (32, 64), (96, 192)])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_refused_values_between_accepted_ones_are_stepped_over(groups: int, width: int, off: int) -> None:
    """Groups divide the width: 9·width + width the first, 9·width·width/groups + width the second."""

    def make(values: Mapping[str, Any]) -> LayerGraph:
        one, two = ({"out_channels": values["width"], "kernel_size": 3, "groups": count} for count in (1, groups))
        return layers(f"  - conv2d: {one}\n  - conv2d: {two}", "9x9x1")

    def total(number: int) -> int:
        return 9 * number + number + 9 * number * number // groups + number

    accepted = [number for number in range(1, width + 2 * groups + 1) if number % groups == 0]
    target = total(width) + off
    answer = solve_parameter(make, "width", Parameter(type="int", default=width), "params", target)
    assert [one.value for one in answer.exact] == [number for number in accepted if total(number) == target]
    below = [number for number in accepted if total(number) < target]
    assert (answer.below.value if answer.below else None) == (below[-1] if below else None)
    if off:
        assert answer.above is not None
        assert answer.above.value == next(number for number in accepted if total(number) > target)


def test_a_range_with_refused_values_names_the_accepted_ones() -> None:
    def make(values: Mapping[str, Any]) -> LayerGraph:
        heads = values["heads"]
        return layers(f"  - multi_head_attention: {{num_heads: {heads}}}", "8x24")

    target = analyse(make({"heads": 1})).totals.params
    answer = solve_parameter(make, "heads", Parameter(type="int", default=2), "params", target)
    assert [one.value for one in answer.exact] == [1, 2, 3, 4, 6, 8, 12, 24]
    assert not answer.whole_range


def test_a_declared_multiple_is_the_step() -> None:
    declared = Parameter(type="int", default=8, multiple_of=8, minimum=8)
    answer = solve_parameter(
        lambda values: layers(f"  - conv2d: {{out_channels: {values['width']}, kernel_size: 1, bias: false}}", "4x4x3"),
        "width", declared, "params", 3 * 1000,
    )  # fmt: skip
    assert [one.value for one in answer.exact] == [1000]
