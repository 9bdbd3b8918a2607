"""Arrays that several layers use count once, in every sum that is printed."""

from __future__ import annotations

import pytest

import archcalc
from archcalc.explain.derive.network import sum_up
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.tables.json import as_dict
from archcalc.teach.exercise.worksheet import make_worksheet
from tests.networks import graph
from tests.tiers import slow_but

SIAMESE = """\
inputs: {left: 16x16x1, right: 16x16x1}
blocks:
  tower:
    shared: true
    layers:
      - conv_relu: {out_channels: 8, kernel_size: 3}
      - batch_norm2d
      - linear: {out_features: 16}
layers:
  - tower: {name: a, from: left}
  - tower: {name: b, from: right}
  - subtract: {from: [a, b]}
  - linear: {out_features: 1}
"""
REPEATED = """\
input: 16x32
blocks:
  encoder:
    shared: true
    layers:
      - multi_head_attention: {num_heads: 4}
      - linear: {out_features: 32, per_position: true}
layers:
  - encoder: {repeat: 4}
  - linear: {name: last, out_features: 4}
"""
SPECS = {"siamese": SIAMESE, "repeated": REPEATED}


def analysed(name: str) -> Analysis:
    return analyse(graph(SPECS[name])) if name in SPECS else archcalc.analyse(name)


@pytest.mark.parametrize("name", slow_but(SPECS, [*SPECS, "gpt2_small", "retinanet_resnet50_fpn", "facenet"]))
def test_every_sum_is_the_total(name: str) -> None:
    analysis = analysed(name)
    totals = analysis.totals
    for quantity, total in (
        ("params", totals.params), ("buffers", totals.buffers), ("multiplications", totals.multiplications),
        ("additions", totals.operations.additions), ("activation_bytes", totals.activation_bytes),
    ):  # fmt: skip
        assert sum_up(analysis, quantity).total == total
    assert sum(one.total for one in make_worksheet(analysis, ["params"]).sums()) == totals.params
    report = as_dict(analysis)
    assert sum(row["params"] for row in report["layers"]) == report["totals"]["params"] == totals.params
    assert sum(row.weights + row.biases for row in analysis.rows) == totals.weights + totals.biases == totals.params
