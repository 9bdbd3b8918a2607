"""The chart of accuracies: its values are those of the analyses and specs, its labels overlap nothing."""

from __future__ import annotations

import pytest

from archcalc import UsageError
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.accuracy import comparable, measured_elsewhere, of_one_source, top1
from archcalc.render.charts.compare import compare
from archcalc.render.charts.figure import Look
from archcalc.spec.catalogue import load
from tests.render.charts.charts import Spec, analysis_of, words_of

NETWORKS = (
    "alexnet@grouped", "zfnet", "nin", "vgg11", "vgg13", "vgg16", "vgg19", "googlenet", "inception_v2", "inception_v3",
    "inception_v4", "inception_resnet_v2", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "xception",
    "mobilenet", "nasnet_mobile", "nasnet_large",
)  # fmt: skip
#: As the sources print them: https://pytorch.org/vision/stable/models.html, the papers, TF-Slim's README.
PRINTED = {
    "alexnet@grouped": (57.1, 1), "zfnet": (61.6, None), "nin": (59.36, None), "vgg16": (71.592, 1),
    "googlenet": (68.7, 1), "inception_v2": (74.8, 1), "inception_v3": (78.8, 1), "inception_v4": (80.2, 1),
    "inception_resnet_v2": (80.4, 1), "resnet50": (76.13, 1), "resnet152": (78.312, 1), "resnet50@v1": (75.3, 1),
    "xception": (79.0, 1), "mobilenet": (70.9, 1), "nasnet_mobile": (74.0, 1), "nasnet_large": (82.7, 1),
}  # fmt: skip


def chart(*networks: str, look: Look | None = None) -> Spec:
    return compare([analysis_of(name) for name in networks], look)


def bubbles(spec: Spec) -> dict[str, dict[str, object]]:
    found = {}
    for layer in spec["layer"]:
        for row in layer["data"]["values"]:
            if "network" in row:
                found[row["network"]] = row
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", PRINTED)
def test_top1_is_what_the_source_prints(name: str) -> None:
    found = top1(analysis_of(name))
    assert found
    assert (found.percent, found.crops) == PRINTED[name]
    assert found.source


def test_values_are_those_of_the_analyses() -> None:
    found = bubbles(chart(*NETWORKS))
    assert sorted(found) == sorted(NETWORKS)
    for name, row in found.items():
        analysis = analysis_of(name)
        accuracy = top1(analysis)
        assert accuracy
        assert row["multiplications"] == analysis.totals.multiplications
        assert row["params"] == analysis.totals.params
        assert (row["top1"], row["source"], row["measured"]) == (accuracy.percent, accuracy.source, accuracy.protocol)


def test_area_is_in_proportion_to_parameters() -> None:
    found = bubbles(chart(*NETWORKS))
    largest = found["vgg19"]
    for row in found.values():
        # Vega's size is the square around a circle, itself in proportion to the area.
        assert row["size"] / largest["size"] == pytest.approx(row["params"] / largest["params"], rel=1e-3)  # type: ignore[operator]


def test_table_and_footnote_name_every_source() -> None:
    spec = chart(*NETWORKS)
    table = spec["usermeta"]["archcalc"]["table"]
    assert sorted(row[0] for row in table["rows"]) == sorted(NETWORKS)
    footnote = " ".join(words_of(spec).split("\n"))
    for name in NETWORKS:
        accuracy = top1(analysis_of(name))
        assert accuracy
        assert accuracy.source.split(", ")[0] in footnote
        assert any(row[0] == name and accuracy.source in row for row in table["rows"])


def test_other_protocols_are_drawn_otherwise() -> None:
    spec = chart("resnet50", "zfnet", "nin")
    marks = {row["network"]: layer for layer in spec["layer"] for row in layer["data"]["values"] if "network" in row}
    assert marks["zfnet"] is marks["nin"]
    assert marks["zfnet"]["mark"]["strokeDash"] != marks["resnet50"]["mark"]["strokeDash"]
    assert "field" in marks["resnet50"]["encoding"]["fill"]
    assert "value" in marks["zfnet"]["encoding"]["fill"]
    assert "crops not stated" in words_of(spec)
    assert "crops not stated" not in words_of(chart("resnet50", "vgg16"))


def test_several_crops_are_a_protocol_of_their_own() -> None:
    text = """
name: ten
title: Ten crops
input: 8x8x3
layers: [conv2d: {out_channels: 1000, kernel_size: 3}, global_avg_pool2d: {}]
reported: [{quantity: top1_error, value: 40.7%, source: a paper, crops: 10}]
"""
    analysis = analyse_text(text)
    found = top1(analysis)
    assert found is not None
    assert (found.percent, found.source, found.crops) == (59.3, "a paper", 10)
    assert found.protocol == "average of 10 crops"
    assert "several crops" in words_of(compare([analysis, analysis_of("resnet50")]))


def analyse_text(text: str) -> Analysis:
    from archcalc.spec.build import build
    from archcalc.spec.load import spec_of
    from archcalc.spec.source import parse_source

    return analyse(build(spec_of(parse_source(text, "n.yaml"))))


def test_a_figure_of_another_network_is_none_of_this_one() -> None:
    alexnet = analysis_of("alexnet")
    assert top1(alexnet) is None
    ((name, why),) = comparable([alexnet]).missing
    assert name == "alexnet"
    assert "alexnet@grouped" in why
    assert measured_elsewhere([alexnet, analysis_of("resnet50")]) == ["alexnet@grouped"]


def test_only_networks_with_as_many_classes_share_a_chart() -> None:
    found = comparable([analysis_of(name) for name in ("nin", "resnet18", "nin@cifar10", "lenet5")])
    assert [point.analysis.graph.name for point in found.points] == ["nin", "resnet18"]
    assert dict(found.missing) == {
        "lenet5": "no top-1 accuracy in the spec",
        "nin@cifar10": "the top-1 accuracy is on 10 classes, not on 1,000",
    }
    with pytest.raises(UsageError, match="none of these networks"):
        chart("lenet5", "unet")


def test_a_single_crop_goes_before_others_and_one_source_before_several() -> None:
    # Howard et al. do not say how they measured; TF-Slim does.
    assert top1(analysis_of("mobilenet")) == (70.9, "TF-Slim, mobilenet_v1.md", "", 1)
    forms = [analyse(load("mobilenet", {"alpha": alpha})) for alpha in (0.25, 0.5, 0.75, 1)]
    found = of_one_source(forms)
    assert [figure and figure.percent for figure in found] == [50.6, 63.7, 68.4, 70.6]
    assert {figure and figure.source for figure in found} == {"Howard et al. 2017, table 6"}


def test_one_network_alone_has_a_chart() -> None:
    assert list(bubbles(chart("resnet50"))) == ["resnet50"]


def test_names_lose_their_brackets_where_they_stay_different() -> None:
    assert "GoogLeNet\n" in words_of(chart("googlenet", "resnet50")) + "\n"
    both = words_of(chart("googlenet", "googlenet@torchvision"))
    assert {"GoogLeNet", "GoogLeNet (torchvision)"} <= set(both.splitlines())
    # What tells a variant from its network stays, whoever else is there.
    assert "GoogLeNet (torchvision)" in words_of(chart("googlenet@torchvision"))
