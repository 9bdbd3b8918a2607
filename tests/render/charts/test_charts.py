"""Every plot of many networks: nothing is cut, no text lies over another, in every theme and at several sizes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archcalc import UsageError
from archcalc.core.language import use
from archcalc.core.quantities import quantity
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.bars import Bar, Panel, bar_panels
from archcalc.render.charts.catalogue import compared, families, timeline_size
from archcalc.render.charts.compare import compare
from archcalc.render.charts.figure import Look
from archcalc.render.charts.memory import memory
from archcalc.render.charts.profile import profile
from archcalc.render.charts.receptive_field import has_fields, receptive_field
from archcalc.render.charts.sweep import sweep
from archcalc.render.charts.timeline import timeline
from archcalc.render.decks.network import SlideLook, chart_look
from archcalc.render.diagrams.theme import LIGHT, THEMES
from archcalc.spec.catalogue import load
from tests.networks import numbers, one_of_each
from tests.render.charts.charts import Spec, analysis_of, check_chart, data_of, words_of
from tests.tiers import slow_but

Plot = Callable[[Analysis, Look], Spec]
ALONE: tuple[Plot, ...] = (profile, memory, receptive_field)
SIZES = ((960, 540), (640, 480), (1600, 900))


@pytest.mark.parametrize("plot", ALONE)
@pytest.mark.parametrize(
    "name", slow_but(["alexnet", "resnet50", "unet"], [name for name in one_of_each() if name != "nasnet_large"])
)
def test_every_network_is_readable(plot: Plot, name: str) -> None:
    analysis = analysis_of(name)
    if plot is receptive_field and not has_fields(analysis):
        with pytest.raises(UsageError, match=r"receptive field that is known|no common axis"):
            plot(analysis, Look())
    else:
        check_chart(plot(analysis, Look()))


@pytest.mark.slow
@pytest.mark.parametrize("plot", ALONE)
@pytest.mark.parametrize("theme", slow_but(["light"], THEMES))
@pytest.mark.parametrize("size", [SIZES[0], *(pytest.param(size, marks=pytest.mark.slow) for size in SIZES[1:])])
def test_every_theme_and_size_is_readable(plot: Plot, theme: str, size: tuple[int, int]) -> None:
    for name in ("lenet5", "vgg16", "googlenet", "resnet152"):
        root = check_chart(plot(analysis_of(name), Look(theme, *size)))
        assert root.attrib["viewBox"] == f"0 0 {size[0]} {size[1]}"


@pytest.mark.parametrize("plot", ALONE)
@pytest.mark.parametrize(
    "pattern", ["8x8x3 -> conv3-4", "32x32x3 -> [conv3-64 -> relu] * 2 -> pool2 -> fc10", "16x4x1 -> conv3-2 -> fc3"]
)
def test_patterns_are_networks_too(plot: Plot, pattern: str) -> None:
    check_chart(plot(analyse(load(pattern)), Look()))


@pytest.mark.slow
def test_five_thousand_layers_are_drawn_in_groups_and_it_says_so() -> None:
    analysis = numbers("  - conv2d: {out_channels: 2, kernel_size: 1, repeat: 4999}")
    assert len(analysis.rows) == 5000
    words = words_of(profile(analysis, Look()))
    assert "4,999 layers, a bar for each" in words
    assert "the highest of each 4 layers" in words_of(memory(analysis, Look()))
    for plot in ALONE:
        check_chart(plot(analysis, Look()))


@pytest.mark.slow
@pytest.mark.parametrize("plot", ALONE)
def test_strange_names_are_shown_as_they_are_and_shortened(plot: Plot) -> None:
    graph = load("8x8x3 -> conv3-4 -> fc3")
    long = '<b>&"quoted"\'</b> ' + "x" * 500
    for title in (long, "שלום עולם", "مرحبا", "卷积神经网络", "a\x00b\nc\u2028d", "\\1 \\g<0> %s {x}"):
        layers = (graph.layers[0], graph.layers[1]._replace(name=title), *graph.layers[2:])
        strange = type(graph)(title, layers, graph.outputs, title=title)
        root = check_chart(plot(analyse(strange), Look()))
        shown = "".join(root.itertext())
        if title == long:
            assert '<b>&"quoted"\'</b> ' in shown
            assert "x" * 200 not in "".join(
                element.text or "" for element in root.iter() if element.tag.endswith("}text")
            )
        assert "\x00" not in shown


def test_a_title_of_ones_own_or_none() -> None:
    analysis = analysis_of("lenet5")
    assert "Mine & yours" in words_of(profile(analysis, Look(title="Mine & yours")))
    none = profile(analysis, Look(title=""))
    # A screen reader says what the plot shows, title or not.
    assert none["usermeta"]["archcalc"]["title"] == profile(analysis)["usermeta"]["archcalc"]["title"]
    assert "LeNet-5: parameters" not in words_of(none)
    assert none["height"] > profile(analysis, Look())["height"]
    check_chart(none)


@pytest.mark.slow
@pytest.mark.parametrize("theme", slow_but(["light"], THEMES))
@pytest.mark.parametrize("size", [SIZES[0], *(pytest.param(size, marks=pytest.mark.slow) for size in SIZES[1:])])
def test_compare_and_timeline_of_the_catalogue_are_readable(theme: str, size: tuple[int, int]) -> None:
    some = families()
    check_chart(compare(some, Look(theme, *size)))
    if size[0] > 960:
        check_chart(timeline(some, Look(theme, *size)))
    else:
        with pytest.raises(UsageError, match="a larger --width"):
            timeline(some, Look(theme, *size))


@pytest.mark.slow
@pytest.mark.parametrize("everything", [False, True])
def test_the_timeline_has_the_size_that_it_needs(everything: bool) -> None:
    width, height = timeline_size(everything)
    root = check_chart(timeline(families(everything), Look(width=width, height=height)))
    assert root.attrib["viewBox"] == f"0 0 {width} {height}"
    shown = {element.text for element in root.iter() if element.tag.endswith("}text")}
    assert {"GoogLeNet", "EfficientNet", "ConvNeXt"} <= shown
    assert ("GPT-2" in shown) == everything


@pytest.mark.slow
def test_a_small_comparison_keeps_its_legend_off_the_data() -> None:
    spec = compare(compared(), Look(width=640, height=360))
    check_chart(spec)
    words = words_of(spec)
    assert {"VGG", "ResNet", "NASNet-A", "other", "crops not stated"} <= set(words.split("\n"))
    # The legend lies above the plotting area, which keeps at least a third of the picture.
    said = ("VGG", "other", "crops not stated")
    marks = [layer["mark"] for layer in spec["layer"] if layer["mark"].get("text") in said]
    assert len(marks) == 3
    assert all(mark["y"] < 0 for mark in marks)
    assert spec["height"] >= 120


def test_a_sweep_of_a_family_is_called_after_it() -> None:
    depths = ("18", "34", "50", "101", "152")
    analyses = [analyse(load("resnet18", {"depth": int(depth)})) for depth in depths]
    spec = sweep(analyses, "depth", depths, ["params", "multiplications", "top1"])
    check_chart(spec)
    words = words_of(spec)
    assert "ResNet over depth" in words
    # Every point has its number, and the three panels stand in one row.
    assert all(text in words for text in ("11.7 M", "21.8 M", "25.6 M", "44.5 M", "60.2 M", "69.8 %", "78.3 %"))
    titles = [layer["mark"] for layer in spec["layer"] if layer["mark"].get("fontWeight") == "bold"]
    assert len({mark["y"] for mark in titles if mark["text"] in ("parameters", "top-1 accuracy, as reported")}) == 1


def test_names_of_unet_are_whole() -> None:
    layers = memory(analysis_of("unet"))["layer"]
    names = [row["name"] for layer in layers for row in layer["data"]["values"] if "name" in row]
    assert "expand4/convs/conv1/conv" in names
    assert not [name for name in names if "…" in name]


@pytest.mark.parametrize("language", ["ru", "he", "hy"])
@pytest.mark.parametrize("plot", ALONE)
def test_longer_words_of_other_languages_lie_over_nothing(language: str, plot: Plot) -> None:
    """At the size that a chart has on a slide, where the title of an axis may be longer than the axis."""
    use(language)
    try:
        check_chart(plot(analysis_of("alexnet"), chart_look(SlideLook(LIGHT, False))))
    finally:
        use("en")


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (
            ["LeNet-5", "Network in Network", "NASNet-A Mobile"],
            {"LeNet-5", "Network in", "Network", "NASNet-A", "Mobile"},
        ),
        (["a_name_without_space", "b c"], {"a_name_without_space", "b c"}),
    ],
)
def test_names_of_several_words_stand_in_lines_below_bars(names: list[str], lines: set[str]) -> None:
    bars = [Bar(name, "block", (10**place,) * 3) for place, name in enumerate(names * 4)]
    spec = bar_panels("bars", Look(), "Bars", "", "", bars, [Panel("parameters", quantity("params"))] * 3)
    check_chart(spec)
    assert {row["name"] for row in data_of(spec, "name") + data_of(spec, "y") if "y" in row} >= lines
