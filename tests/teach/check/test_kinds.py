"""Rows of a kind are about layers of this kind, whatever other layers have their values."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import archcalc
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.teach.check.tables import analysis_of

#: A plain convolution has what the depthwise one would have without groups.
DEPTHWISE = "60x60x4 -> conv3-16d3p0 -> relu -> conv3-16s2p1 -> pool2 -> dw3 -> conv1-30 -> gap -> fc5"
GROUPED = "16x16x8 -> conv3-8 -> relu -> conv3-8g2 -> relu -> conv3-8d2 -> conv1-8 -> gap -> fc5"

#: Network, the name of a row, its parameters, and the layer that it is about; none where there is no such layer.
ALONE = [
    *((DEPTHWISE, name, value, "conv3")
      for name in ("dw1", "dw", "depthwise", "depthwise conv", "DWConv", "conv (depthwise)", "conv3 (dw)")
      for value in (160, 2320)),
    (DEPTHWISE, "deconv", 2320, ""),
    (DEPTHWISE, "transposed conv", 592, ""),
    (DEPTHWISE, "pointwise conv", 2320, "conv4"),
    (DEPTHWISE, "dilated conv", 2320, "conv1"),
    ("vgg16", "depthwise conv", 36928, ""),
    (GROUPED, "grouped conv", 296, "conv2"),
    (GROUPED, "grouped conv", 584, "conv2"),
    (GROUPED, "dilated conv", 296, "conv3"),
    (GROUPED, "dilated conv 1", 584, "conv3"),
    (GROUPED, "atrous conv3", 584, "conv3"),
    (GROUPED, "1x1 pointwise conv", 584, "conv4"),
]  # fmt: skip


def layers(network: str, rows: Sequence[tuple[str, object]]) -> tuple[Analysis, list[tuple[str, Verdict]]]:
    """What the rows of parameters are about, and what becomes of them."""
    analysis = analysis_of(network)
    table = "layer,params\n" + "".join(f"{name},{value}\n" for name, value in rows)
    check = check_answers(analysis, parse_answers(table.encode(), "a.csv").answers)
    return analysis, [(cell.layer, cell.verdict) for cell in check.cells]


@pytest.mark.parametrize(("network", "name", "value", "layer"), ALONE)
def test_a_row_is_about_a_layer_of_its_kind(network: str, name: str, value: int, layer: str) -> None:
    analysis, found = layers(network, [(name, value)])
    verdict = Verdict.UNREADABLE
    if layer:
        verdict = Verdict.RIGHT if analysis[layer].params == value else Verdict.WRONG
    assert found == [(layer, verdict)]


@pytest.mark.parametrize("name", ["dw1", "dw conv", "depthwise"])
def test_in_a_full_table_a_depthwise_row_is_wrong_without_groups(name: str) -> None:
    rows = [("conv1", 592), ("conv2", 2320), ("pool", 0), (name, 2320), ("conv 1x1", 510), ("fc", 155)]
    assert layers(DEPTHWISE, rows)[1][3] == ("conv3", Verdict.WRONG)


#: Network, its layer that enlarges the map, what it gives, and another size.
DETECTOR = """\
name: detector
title: Detector
input: 128x128x3
layers:
  - conv_bn_relu: {name: s8, out_channels: 32, kernel_size: 3, stride: 4, padding: 1}
  - conv_bn_relu: {name: s16, out_channels: 64, kernel_size: 3, stride: 2, padding: 1}
  - conv2d: {name: lat, out_channels: 32, kernel_size: 1}
  - interpolate: {name: up, like: s8}
  - add: {name: p3, from: [s8, up]}
"""
UPSAMPLING = ["upsample", "upsampling", "UpSampling2D", "up_sampling2d", "nn upsampling", "bilinear upsampling",
              "Upsample x2", "upsample (×2)", "nearest upsample", "resize"]  # fmt: skip


@pytest.mark.parametrize("name", UPSAMPLING)
def test_upsampling_may_be_an_interpolation(name: str) -> None:
    analysis = archcalc.analyse(archcalc.from_yaml(DETECTOR))
    for size, verdict in (("32x32x32", Verdict.RIGHT), ("16x16x32", Verdict.WRONG)):
        answers = parse_answers(f"layer,output\n{name},{size}\n".encode(), "a.csv").answers
        (cell,) = check_answers(analysis, answers).cells
        assert (cell.layer, cell.verdict) == ("up", verdict)


def test_the_word_of_a_kind_may_mean_any_layer_of_it() -> None:
    for size, layer in (("520x520x21", "score"), ("65x65x256", "aspp/pooling/upsample")):
        answers = parse_answers(f"layer,output\nupsample,{size}\n".encode(), "a.csv").answers
        (cell,) = check_answers(analysis_of("deeplabv3_resnet50"), answers).cells
        assert (cell.layer, cell.verdict) == (layer, Verdict.RIGHT)
