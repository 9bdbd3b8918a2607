"""What papers count: by the rule of each source, its printed figure; and plain words where no rule gives it."""

from __future__ import annotations

import pytest

from archcalc.api import from_yaml
from archcalc.core.conventions import BYTES
from archcalc.core.errors import SpecError, UsageError
from archcalc.design.conventions import as_counted, tool_named
from archcalc.design.printed import CLOSENESS, PAPER, adjustments, printed
from archcalc.design.reconcile import bridges
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load, names
from tests.docs.pages import analysis_of
from tests.tiers import slow_but

PAPERS = tool_named(PAPER)


def as_papers_count(name: str) -> Analysis:
    return as_counted(analysis_of(name), PAPERS)


@pytest.mark.parametrize(
    ("network", "quantity", "counted", "close", "rule"),
    [
        ("srcnn_9_1_5", "params", 8_032, "exact", "without biases"),
        ("retinanet_resnet50_fpn", "params", 34_014_999, "exact", "without batch_norm2d"),
        ("inception_v3@keras", "params", 23_851_784, "exact", "with running statistics"),
        # 196,668 running statistics; Zoph et al. print 88.9 M.
        ("nasnet_large", "params", 88_753_150 + 196_668, "rounded", "with running statistics"),
        # 34,112 γ and β; Sandler et al. print 3.4 M, the authors' readme 3.47 M.
        ("mobilenet_v2", "params", 3_504_872 - 34_112, "cut off", "without batch_norm2d"),
        # A head of 1024·1000 weights and 1000 biases.
        ("mixer_l_16", "params", 208_196_168 - 1_025_000, "rounded", "without head"),
        # The convolutions of VGG-16: 14,714,688 parameters.
        ("segnet", "params", 14_714_688, "rounded", "without decoder*, without classes, without batch_norm2d"),
        # A transposed convolution of 64·64 from 21 maps to 21.
        ("fcn32s", "params", 136_152_917 - 64 * 64 * 21 * 21, "rounded", "without upscore"),
        # Zero-padded shortcuts: without 1×1 convolutions from 64 to 128 maps at 28×28, and two of as many products.
        ("resnet34", "multiplications", 3_663_761_408 - 3 * 64 * 128 * 28 * 28, "rounded", "without */projection/*"),
        ("facenet", "multiplications", 4_789_592_064 // 3, "rounded", "without positive_face/*, without negative"),
        ("yolov3", "multiplications", 2 * 32_932_037_632, "rounded", "the addition of each multiply-add too"),
        # What fvcore 0.1.5 counts of the authors' models/convnextv2.py: 4,466,260,224 and 783,206,784.
        ("convnextv2_tiny", "multiplications", 4_466_260_224, "rounded", "5 for each value of */residual/norm"),
        ("convnextv2_femto", "multiplications", 783_206_784, "rounded", "5 for each value of */residual/norm"),
        # As printed without a rule of its own.
        ("mobilenet", "multiplications", 568_740_352, "rounded", ""),
    ],
)  # fmt: skip
def test_columns_and_totals_are_those_of_the_source(
    network: str, quantity: str, counted: int, close: str, rule: str
) -> None:
    analysis = as_papers_count(network)
    assert getattr(analysis.totals, quantity) == counted
    assert sum(getattr(row, quantity) or 0 for row in analysis.rows) == counted
    figure = printed(analysis.graph)[quantity]
    found = figure.number.closeness(counted)
    assert found is not None
    assert CLOSENESS[found] == close
    words = analysis.describe_conventions()[quantity]
    assert rule in words
    how = {"exact": "as printed", "rounded": "rounded in print", "cut off": "cut off in print"}[close]
    assert words.endswith(f"; {figure.source} prints {figure.text}: {how}")


@pytest.mark.parametrize(
    "name", slow_but(["srcnn_9_1_5", "mobilenet_v2", "resnet18", "yolov3_tiny", "mixer_s_16"], names())
)
def test_every_rule_of_the_catalogue_gives_its_figure(name: str) -> None:
    analysis = analysis_of(name)
    for quantity, figure in printed(analysis.graph).items():
        changes = adjustments(analysis, figure)
        total = getattr(analysis.totals, quantity) + sum(one.total for one in changes)
        assert not changes or figure.number.closeness(total) is not None
        # A rule stands only where it is needed, or belongs to a family that needs it.
        assert all(one.total for one in changes)


@pytest.mark.parametrize("alpha", [0.5, 0.75, 1.3, 1.4])
def test_the_rule_of_mobilenet_v2_gives_the_whole_table(alpha: float) -> None:
    analysis = analyse(load("mobilenet_v2", {"alpha": alpha}))
    figure = printed(analysis.graph)["params"]
    total = analysis.totals.params + sum(one.total for one in adjustments(analysis, figure))
    assert figure.number.closeness(total) == CLOSENESS.index("rounded")


@pytest.mark.parametrize(
    ("network", "quantity", "why"),
    [
        ("se_resnet50", "multiplications", "not explained by the source"),
        ("shufflenet_v2_x1_0", "multiplications", "not explained by the source"),
        ("efficientnet_b4", "multiplications", "not explained by the source"),
        ("mobilenet_v3_large", "multiplications", "not explained by the source"),
        ("vit_l_16", "params", "one figure for each size whatever the patches"),
        ("resnet50", "multiplications", "counted with shortcuts A for 18 and 34 layers"),
    ],
)
def test_a_figure_that_no_rule_gives_is_said_not_to_be_explained(network: str, quantity: str, why: str) -> None:
    analysis, plain = as_papers_count(network), analysis_of(network)
    assert f": {why}" in analysis.describe_conventions()[quantity]
    assert getattr(analysis.totals, quantity) == getattr(plain.totals, quantity)


@pytest.mark.parametrize(
    "name", ["srcnn_9_1_5", "mobilenet_v2", "nasnet_large", "facenet", "yolov3_tiny", "convnextv2_atto", "resnet50_d"]
)
@pytest.mark.parametrize("ends", [("archcalc", PAPER), (PAPER, "fvcore"), ("onnx-tool", PAPER)])
def test_bridges_to_the_paper_add_up(name: str, ends: tuple[str, str]) -> None:
    _, found = bridges(load(name), *ends)
    assert found
    for one in found:
        assert one.first.total + sum(item.change for item in one.items) == one.second.total
        assert all(item.change for item in one.items)


def test_memory_is_that_of_all_parameters() -> None:
    plain, counted = analysis_of("retinanet_resnet50_fpn"), as_papers_count("retinanet_resnet50_fpn")
    assert counted.totals.param_bytes == plain.totals.param_bytes == BYTES["float32"] * 34_068_119
    with_statistics = as_papers_count("nasnet_large")
    assert with_statistics.totals.param_bytes == BYTES["float32"] * 88_949_818
    assert with_statistics.totals.buffers == 0


def spec(quantity: str, counts: str) -> str:
    return (
        f"name: n\ntitle: N\ninput: 4x4x3\nlayers:\n  - conv2d: {{out_channels: 2, kernel_size: 1}}\n  - batch_norm2d\n"
        f"reported:\n  - {{quantity: {quantity}, value: 9, source: A 2020, counts: {counts}}}\n"
    )


@pytest.mark.parametrize(
    ("counts", "params"),
    [
        ("{without: [biases]}", 6 + 2),
        ("{without: [gamma]}", 6 + 2 + 2),
        ("{without: [batch_norm2d]}", 6 + 2),
        ("{without: [bn1]}", 6 + 2),
        ("{without: ['*n1', biases]}", 6),
        ("{without: [biases], running_statistics: true}", 6 + 2 + 4),
    ],
)
def test_params_by_hand(counts: str, params: int) -> None:
    analysis = as_counted(analyse(from_yaml(spec("params", counts))), PAPERS)
    assert analysis.totals.params == params


@pytest.mark.parametrize(
    ("counts", "multiplications"),
    [
        ("{operations: 2}", 2 * 96),
        ("{for_each_value: {batch_norm2d: 2}}", 96 + 2 * 32),
        ("{for_each_value: {'bn*': 2}, operations: 2}", 2 * (96 + 2 * 32)),
        ("{without: [conv2d], for_each_value: {batch_norm2d: 1}}", 32),
    ],
)
def test_multiplications_by_hand(counts: str, multiplications: int) -> None:
    analysis = as_counted(analyse(from_yaml(spec("multiplications", counts))), PAPERS)
    assert analysis.totals.multiplications == multiplications


@pytest.mark.parametrize(
    ("quantity", "counts", "message"),
    [
        ("params", "{operations: 2}", "operations does not change params"),
        ("params", "{for_each_value: {relu: 1}}", "for_each_value does not change params"),
        ("multiplications", "{without: [biases]}", "without: biases does not change multiplications"),
        ("multiplications", "{running_statistics: true}", "running_statistics does not change multiplications"),
        ("top1_error", "{operations: 2}", "operations does not change top1_error"),
        ("params", "{without: biases}", "without"),
        ("multiplications", "{operations: 3}", "operations"),
        ("params", "{leave: [x]}", "leave"),
    ],
)
def test_counts_that_cannot_be(quantity: str, counts: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        from_yaml(spec(quantity, counts))


def test_layers_that_are_not_there() -> None:
    analysis = analyse(from_yaml(spec("params", "{without: ['decoder*']}")))
    with pytest.raises(UsageError, match=r"reported params of A 2020: counts: there is no layer decoder\*"):
        as_counted(analysis, PAPERS)
