"""Bridges between counts, and the search for a number."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from archcalc.core.errors import SpecError, UsageError
from archcalc.design import reconcile
from archcalc.design.conventions import TOOLS
from archcalc.design.printed import read_number
from archcalc.design.reconcile import (
    QUANTITIES,
    Item,
    Side,
    as_it_is,
    bridge,
    bridges,
    describe,
    explain_number,
    implementation,
)
from archcalc.passes.analysis import analyse
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


@pytest.mark.parametrize(("start", "end", "more"), [("archcalc", "torchinfo", 30), ("fvcore", "ptflops", 0),
                                                    ("calflops", "thop", -30)])  # fmt: skip
def test_parameters_that_inference_does_not_use_are_an_item(start: str, end: str, more: int) -> None:
    graph = replace(load("lenet5"), unused={"aux2": 10, "aux1": 20})
    _, (found,) = bridges(graph, start, end, "params")
    assert found.second.total - found.first.total == more
    item = Item("parameters that inference does not use: aux1 and aux2", more, 0)
    assert found.items == ((item,) if more else ())
    wanted = str(analyse(load("lenet5")).totals.params + 30)
    best = explain_number(graph, read_number(wanted)).matches[0]
    assert best.tools == ("fvcore", "torchinfo", "ptflops", "calflops", "deepspeed")


def test_the_bridge_of_the_published_numbers() -> None:
    (first, second), (params,) = bridges(load("resnet50"), "torchvision", "keras")
    assert (first.analysis.graph.name, second.analysis.graph.name) == ("resnet50", "resnet50@keras")
    assert (params.first.total, params.second.total) == (25_557_032, 25_636_712)
    assert [item.change for item in params.items] == [53_120, 26_560]


@pytest.mark.parametrize(
    ("network", "start", "end", "totals", "last"),
    [
        # He et al. 2015, table 1: 3.8 billion; 3,857,973,248 with the stride on the first 1×1.
        ("resnet50@v1", "paper", "archcalc", (3_800_000_000, 3_857_973_248), "cut off in print (He et al. 2015"),
        ("resnet50", "archcalc", "paper", (4_089_184_256, 3_800_000_000), "counted with shortcuts A for 18"),
        ("resnet18", "archcalc", "paper", (1_814_073_344, 1_800_000_000), "without */projection/*"),
        ("facenet", "paper", "archcalc", (1_600_000_000, 4_789_592_064), "without positive_face/*"),
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


@pytest.mark.parametrize(
    ("network", "text", "words"),
    [
        ("resnet50", "3.8G", "multiplications as He et al. 2015, table 1 prints them"),
        ("resnet50_v2", "25613800", "params as keras 3.15.1, keras.applications prints them, of resnet50_v2@keras"),
        ("yolov3", "65.86G", "multiplications as pjreddie.com/darknet/yolo (FLOPS, YOLOv3-416) prints them"),
        # The paper before the code of others.
        ("vgg16", "138M", "params as Simonyan & Zisserman 2014, Table 2 prints them"),
    ],
)  # fmt: skip
def test_the_source_of_a_published_figure_is_named(network: str, text: str, words: str) -> None:
    graph = load(network)
    found = explain_number(graph, read_number(text))
    assert words in [describe(match, graph) for match in found.matches]


#: What `keras.applications` prints (Keras 3.15.1).
OF_KERAS = {
    "efficientnet_b0": 5_330_571, "efficientnet_b1": 7_856_239, "resnet50": 25_636_712, "resnet101": 44_707_176,
    "resnet152": 60_419_944, "resnet50_v2": 25_613_800, "resnet101_v2": 44_675_560, "resnet152_v2": 60_380_648,
    "mobilenet_v2": 3_538_984, "densenet121": 8_062_504, "xception": 22_910_480, "efficientnet_v2_s": 21_612_360,
}  # fmt: skip


@pytest.mark.parametrize("network", slow_but(["efficientnet_b0", "resnet50_v2"], OF_KERAS))
def test_the_number_that_keras_prints_is_found(network: str) -> None:
    graph = load(network)
    best = explain_number(graph, read_number(str(OF_KERAS[network]))).matches
    assert any("keras" in match.tools and match.value == OF_KERAS[network] for match in best)
    (_, end), (found,) = bridges(graph, "archcalc", "keras", "params")
    assert found.second == (OF_KERAS[network], {})
    assert found.first.total + sum(item.change for item in found.items) == OF_KERAS[network]
    assert end.analysis.graph.name.partition("@")[0] == network


def test_only_what_both_ends_count_is_bridged() -> None:
    _, (one,) = bridges(load("mobilenet"), "keras", "paper")
    assert one.quantity == "params"
    with pytest.raises(UsageError, match="keras counts no multiplications"):
        bridges(load("mobilenet"), "keras", "paper", "multiplications")


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
        # What specs say of Caffe's own; truth/layers/*-caffe*.csv have their totals.
        ("alexnet", "caffe", "torchvision", "alexnet@grouped"),
        ("alexnet@torchvision", "caffe", "torchvision", "alexnet@grouped"),
        ("googlenet", "caffe", "torchvision", "googlenet"),
        ("googlenet@aux", "caffe", "archcalc", "googlenet@aux"),
        ("resnet101", "caffe", "torchvision", "resnet101@v1"),
        ("resnet50", "caffe", "torchvision", "resnet50"),
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
        ("110M", 109_482_240, 3),
        ("340M", 335_141_888, 3),
        ("110M", 104_999_999, None),
        ("110M", 115_000_000, None),
        ("60M", 61_100_840, None),
        ("11.0G", 11_400_000_000, None),
        ("5,300M", 5_288_000_000, None),
        ("5,300M", 5_296_000_000, 3),
        ("1.8GMac", 1_814_073_344, 1),
        ("1.82 GMacs", 1_819_065_856, 1),
        ("65.86GFLOPs", 65_860_000_000, 0),
        ("416520 FLOPs", 416_520, 0),
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
        # 64 positions, 4 filters of 6 weights.
        ("50x2 -> conv3-4", "1,536", "archcalc", (2, 64), 1, 1),
        # Two rows of 128 numbers, tokens and segments.
        ("bert_base", "11,174,215,680", "archcalc", (128,), 1, 1),
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


@pytest.mark.parametrize(
    ("network", "text", "value"),
    # LeCun et al. 1998: 60,000 trainable parameters; 240 KB of float32.
    [("lenet5", "60000", 60_000), ("lenet5@1998", "60,000", 60_000), ("lenet5@1998", "240 KB", 240_000)],
)
def test_trainable_params_alone_are_tried(network: str, text: str, value: int) -> None:
    graph = load(network)
    best = explain_number(graph, read_number(text)).matches[0]
    assert (best.network, best.quantity, best.value, best.closeness) == ("lenet5@1998", "trainable_params", value, 0)
    assert describe(best, graph).startswith("trainable params")


def test_networks_without_fixed_params_have_no_trainable_ones_apart() -> None:
    found = explain_number(load("lenet5"), read_number("61,706")).matches
    assert "trainable_params" not in {match.quantity for match in found}


@pytest.mark.parametrize(
    ("network", "tool", "said"),
    [
        ("regnet_y_400mf", "keras", "keras: regnet_y_400mf as it is, for the catalogue has no variant of keras; "
         "its own may differ"),
        ("resnet50@keras", "keras", ""), ("resnet50", "torchvision", ""), ("resnet50", "fvcore", ""),
        ("googlenet", "caffe", ""), ("vgg16", "caffe", ""), ("alexnet@grouped", "caffe", ""), ("nin", "caffe", ""),
        ("vgg11", "caffe", "its own may differ"), ("resnet50@v1", "caffe", "its own may differ"),
        ("32x32x3 -> conv3-4", "keras", ""),
    ],
)  # fmt: skip
def test_a_library_may_have_another_network(network: str, tool: str, said: str) -> None:
    found = as_it_is(Side(analyse(load(network)), TOOLS[tool]))
    assert found.endswith(said)
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    ("network", "text", "words"),
    [
        ("resnet50", "25,610,205", "params as caffe counts"),
        # torchvision's has an adaptive pool of 7×7×512 values before the dense layers.
        ("vgg16", "15,470,289,408", "multiplications as fvcore counts, of vgg16@torchvision"),
        # Megabytes of 1,024² bytes, as libraries print the sizes of their files.
        ("vgg16", "528MB", "params, 4 bytes each; 528 MB read as MiB"),
        ("vgg16", "527.8 mb", "params, 4 bytes each; 527.8 mb read as MiB"),
        ("resnet50", "97.8MB", "params as keras and onnx-tool count, 4 bytes each, of resnet50@keras; "
         "97.8 MB read as MiB"),
        ("resnet50", "102.2MB", "params, 4 bytes each"),
        ("resnet50", "97.5MiB", "params, 4 bytes each"),
        # Tools run on torchvision's networks, whose last pool is a function or a mean.
        ("mobilenet_v2", "327,486,720", "multiplications as thop counts, with the global pool as a function"),
        ("densenet121", "2,897,007,104", "multiplications as thop counts, with the global pool as a function"),
        ("shufflenet_v2_x1_0", "148,808,392",
         "multiplications as fvcore counts, with the global pool as x.mean((2, 3))"),
    ],
)  # fmt: skip
def test_numbers_that_people_have(network: str, text: str, words: str) -> None:
    graph = load(network)
    assert words in [describe(match, graph) for match in explain_number(graph, read_number(text)).matches]


def test_bytes_as_they_are_written_come_first() -> None:
    readings = [match.reading for match in explain_number(load("resnet50"), read_number("102MB")).matches]
    assert readings == sorted(readings)
    assert readings[0] == ""


def test_how_code_calls_layers_is_tried_for_exact_numbers_alone() -> None:
    found = explain_number(load("mobilenet_v2"), read_number("327.49M")).matches
    assert not [match for match in found if match.form]


def test_a_variant_is_found() -> None:
    best = explain_number(load("alexnet"), read_number("60,965,224")).matches[0]
    assert best.network == "alexnet@grouped"


def test_a_network_without_numbers_is_an_error() -> None:
    with pytest.raises(SpecError, match="the window is larger than its input"):
        explain_number(load("lenet5", {}, (1, 3, 3)), read_number("5"))


def test_none_gives_the_number() -> None:
    found = explain_number(load("lenet5"), read_number("123,456,789"))
    assert (found.matches, found.is_complete) == ((), True)
    assert found.tried > 20


def test_the_search_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "MOST_LAYERS", 20)
    assert not explain_number(load("lenet5"), read_number("5")).is_complete
