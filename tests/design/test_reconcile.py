"""Bridges between counts, and the search for a number."""

from __future__ import annotations

from itertools import product

import pytest

from archcalc.core.errors import UsageError
from archcalc.design import reconcile
from archcalc.design.conventions import TOOLS
from archcalc.design.printed import read_number
from archcalc.design.reconcile import QUANTITIES, Side, bridge, bridges, explain_number, implementation
from archcalc.spec.catalogue import load
from tests.docs.pages import analysis_of
from tests.tiers import slow_but

NETWORKS = ["lenet5", "unet", "mobilenet_v3_large", "densenet121", "resnet50@keras", "convnext_tiny", "vit_b_16"]


@pytest.mark.parametrize("network", slow_but(["lenet5"], NETWORKS))
def test_items_add_up_between_all_conventions(network: str) -> None:
    analysis = analysis_of(network)
    for quantity in QUANTITIES:
        tools = [tool for tool in TOOLS.values() if quantity == "params" or tool.rules is not None]
        for first, second in product(tools, tools):
            found = bridge(Side(analysis, first), Side(analysis, second), quantity)
            assert found.first.total + sum(item.change for item in found.items) == found.second.total
            assert first is not second or not found.items


def test_the_bridge_of_the_published_numbers() -> None:
    (first, second), (params,) = bridges(load("resnet50"), "torchvision", "keras")
    assert (first.analysis.graph.name, second.analysis.graph.name) == ("resnet50", "resnet50@keras")
    assert (params.first.total, params.second.total) == (25_557_032, 25_636_712)
    assert [item.change for item in params.items] == [53_120, 26_560]


@pytest.mark.parametrize(
    ("network", "start", "end", "totals", "last"),
    [
        # He et al. 2015, table 1: 3.8 billion; 3,857,973,248 with the stride on the first 1×1.
        ("resnet50@v1", "paper", "archcalc", (3_800_000_000, 3_857_973_248), "rounded in print (He et al. 2015"),
        ("resnet50", "archcalc", "paper", (4_089_184_256, 3_800_000_000), "counted with shortcuts A for 18"),
        ("mobilenet", "fvcore", "paper", (578_875_904, 569_000_000), "rounded in print (Howard et al. 2017, table 6)"),
    ],
)  # fmt: skip
def test_a_bridge_to_the_paper(network: str, start: str, end: str, totals: tuple[int, int], last: str) -> None:
    _, found = bridges(load(network), start, end, "multiplications")
    (one,) = found
    assert (one.first.total, one.second.total) == totals
    assert one.first.total + sum(item.change for item in one.items) == one.second.total
    assert any(item.words.startswith(last) for item in one.items)


def test_the_figure_of_a_paper_is_found() -> None:
    best = explain_number(load("resnet50"), read_number("3.8G")).matches[0]
    assert (best.tools, best.network, best.value) == (("paper",), "resnet50", 3_800_000_000)


def test_a_network_whose_paper_prints_none_is_refused() -> None:
    with pytest.raises(UsageError, match="unet has no convention paper"):
        bridges(load("unet"), "archcalc", "paper")


def test_networks_that_differ_add_up_too() -> None:
    for quantity in QUANTITIES:
        sides = Side(analysis_of("lenet5"), TOOLS["ptflops"]), Side(analysis_of("resnet18"), TOOLS["thop"])
        found = bridge(*sides, quantity)
        assert found.first.total + sum(item.change for item in found.items) == found.second.total


@pytest.mark.parametrize(
    ("network", "tool", "other", "used"),
    [
        ("resnet50", "keras", "archcalc", "resnet50@keras"),
        ("resnet50@keras", "torchvision", "keras", "resnet50"),
        ("resnet50@v1", "torchvision", "keras", "resnet50@v1"),
        ("resnet50@keras", "fvcore", "keras", "resnet50@keras"),
        ("32x32x3 -> conv3-4", "keras", "torchvision", "pattern"),
    ],
)
def test_libraries_have_their_own_variants(network: str, tool: str, other: str, used: str) -> None:
    assert implementation(load(network), TOOLS[tool], TOOLS[other]).name == used


@pytest.mark.parametrize("quantity", ["multiplications"])
def test_a_tool_that_counts_none_is_refused(quantity: str) -> None:
    with pytest.raises(UsageError, match="keras counts no multiplications"):
        bridges(load("lenet5"), "keras", "fvcore", quantity)


@pytest.mark.parametrize(
    ("text", "number", "closeness"),
    [
        ("4.13G", 4_132_436_968, 1),
        ("4.13G", 4_130_000_000, 0),
        ("4.13G", 4_138_000_000, 2),
        ("4.13G", 4_140_000_000, None),
        ("4.13G", 4_124_999_999, None),
        ("25,636,712", 25_636_712, 0),
        ("25,636,712", 25_636_713, None),
        ("528MiB", 553_430_176, 1),
        ("1.5", 2, None),
    ],
)
def test_how_close_a_number_is(text: str, number: int, closeness: int | None) -> None:
    assert read_number(text).closeness(number) == closeness


@pytest.mark.parametrize("text", ["many", "0", "-3", "9" * 40, "", "4.13 parsecs"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(UsageError, match=r"NUMBER|more than"):
        read_number(text)


@pytest.mark.parametrize(
    ("network", "text", "tools", "shape", "batch", "factor"),
    [
        ("lenet5", "61,706", "archcalc", (1, 32, 32), 1, 1),
        ("lenet5", "435,646", "ptflops", (1, 32, 32), 1, 1),
        ("lenet5", "833,040", "flop-counter", (1, 32, 32), 1, 1),
        ("lenet5", "3,332,160", "archcalc", (1, 32, 32), 8, 1),
        ("lenet5", "246,824 bytes", "archcalc", (1, 32, 32), 1, 4),
        # 32·32 positions, 4 filters of 27 weights, and 4·10 of the dense layer.
        ("16x16x3 -> conv3-4 -> gap -> fc10", "110,632", "archcalc", (3, 32, 32), 1, 1),
    ],
)
def test_numbers_that_are_found(
    network: str, text: str, tools: str, shape: tuple[int, ...], batch: int, factor: int
) -> None:
    found = explain_number(load(network), read_number(text))
    best = found.matches[0]
    assert (best.shape, best.batch, best.factor, best.closeness) == (shape, batch, factor, 0)
    assert tools in best.tools
    assert found.is_complete


def test_a_variant_is_found() -> None:
    best = explain_number(load("alexnet"), read_number("60,965,224")).matches[0]
    assert best.network == "alexnet@grouped"


def test_none_gives_the_number() -> None:
    found = explain_number(load("lenet5"), read_number("123,456,789"))
    assert (found.matches, found.is_complete) == ((), True)
    assert found.tried > 20


def test_the_search_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "MOST_LAYERS", 20)
    assert not explain_number(load("lenet5"), read_number("5")).is_complete
