"""Caffe's prototxt, read back."""

from __future__ import annotations

from pathlib import Path

import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.interop.export.prototxt import to_prototxt
from archcalc.passes.analysis import analyse
from tests import networks
from tests.interop.export.test_torch_code import hostile_network


@pytest.mark.parametrize("name", ["alexnet@grouped", "googlenet", "resnet18", "mobilenet", "lenet5"])
def test_read_back_it_is_the_same_network(name: str, tmp_path: Path) -> None:
    analysis = ac.load(name).analyse()
    file = tmp_path / "deploy.prototxt"
    file.write_text(to_prototxt(analysis), encoding="utf-8")
    again = ac.load(file).analyse()
    assert again.totals.params == analysis.totals.params
    assert again.totals.multiplications == analysis.totals.multiplications
    shapes = [row.output_shape for row in analysis if row.multiplications or "pool" in row.op.kind]
    assert [row.output_shape for row in again if row.multiplications or "pool" in row.op.kind] == shapes


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("hardswish: {name: act}", r'^archcalc writes no hardswish for Caffe \(layer "act"\)$'),
        ("local_response_norm: {name: n, size: 4}", r'^layer "n" \(local_response_norm\): these settings'),
        ("conv2d: {name: c, out_channels: 2, kernel_size: 2, padding: same}", "padding on one side only"),
        (
            "conv_transpose2d: {name: c, out_channels: 2, kernel_size: 3, stride: 2, output_padding: 1}",
            '"c" .conv_transpose2d.: output_padding cannot be written for Caffe',
        ),
        ("max_pool2d: {name: p, kernel_size: 1, stride: 3, ceil_mode: true}", "such rounding of a pool"),
        ("avg_pool2d: {name: p, kernel_size: 3, padding: 1, count_include_pad: false}", "leaves padding out"),
    ],
)
def test_what_caffe_cannot_say(text: str, wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        to_prototxt(analyse(networks.layers(f"  - {text}", "9x9x4")))


def test_names_cannot_be_fields() -> None:
    text = to_prototxt(analyse(hostile_network()))
    names = [line for line in text.splitlines() if line.startswith("  name: ")]
    assert all(line.count('"') == 2 for line in names)
    assert len(set(names)) == len(names) == text.count("layer {")
