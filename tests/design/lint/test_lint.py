"""Each rule finds what it names, with its cost, and not what only looks like it."""

from __future__ import annotations

import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.design.lint.lint import RULES, lint
from archcalc.passes.analysis import Analysis
from tests.networks import one_of_each
from tests.tiers import slow_but

Expected = list[tuple[str, dict[str, int]]]


def found(network: str, rule: str) -> Expected:
    analysis: Analysis = ac.from_yaml(network).analyse() if "\n" in network else ac.analyse(network)
    return [(one.layer, dict(one.finding.costs)) for one in lint(analysis, [rule])]


def spec(*layers: str, size: str = "16x16x8") -> str:
    return f"name: net\ntitle: Net\ninput: {size}\nlayers:\n" + "".join(f"  - {layer}\n" for layer in layers)


CASES: list[tuple[str, str, Expected]] = [
    ("input-divisible", "225x225x3 -> conv3-8/2 -> conv3-8/2 -> pool2 -> fc10",
     [("input", {"values_unread": (57 * 57 - 56 * 56) * 8})]),
    ("input-divisible", "224x224x3 -> conv3-8/2 -> conv3-8/2 -> pool2 -> fc10", []),
    # 227 is no multiple of 32, and every window tiles.
    ("input-divisible", "alexnet", []),
    # 5·5·8·8 + 8 = 1608 against 2·(3·3·8·8 + 8) = 1168.
    ("large-window", "16x16x8 -> conv3-8 -> relu -> conv5-8 -> fc10",
     [("conv2", {"params": 440, "multiplications": 16 * 16 * (1600 - 1152)})]),
    ("large-window", "16x16x8 -> conv5-8 -> relu -> conv3-8 -> fc10", []),
    # From many channels to few the stack has more parameters: 25·64·4 against 9·(64·64 + 64·4) is more.
    ("large-window", "16x16x4 -> conv3-4 -> relu -> conv5-64 -> fc10", []),
    ("large-window", spec("conv2d: {out_channels: 8, kernel_size: 3}",
                          "conv2d: {out_channels: 8, kernel_size: 5, groups: 8}"), []),
    ("stride-one-padding", "16x16x3 -> conv3-8p0 -> relu -> fc10",
     [("conv1", {"values_lost": (16 * 16 - 14 * 14) * 8})]),
    # Each of the positions that are added takes 3·3·3·8 multiplications.
    ("stride-one-padding", "16x16x3 -> conv3-8p2 -> relu -> fc10",
     [("conv1", {"multiplications": (18 * 18 - 16 * 16) * 3 * 3 * 3 * 8})]),
    ("stride-one-padding", "16x16x3 -> conv3-8p1 -> relu -> fc10", []),
    ("stride-one-padding", "16x16x3 -> conv3-8/2p0 -> relu -> fc10", []),
    # A convolution over the whole map is a dense layer.
    ("stride-one-padding", "16x16x3 -> conv16-8p0 -> relu -> fc10", []),
    ("pool-window", "16x16x3 -> conv3-8 -> pool4 -> fc10", [("pool1", {"values_lost": (16 * 16 - 4 * 4) * 8})]),
    ("pool-window", "16x16x3 -> conv3-8 -> pool3/2 -> fc10", []),
    ("pool-window", "16x16x3 -> conv3-8 -> pool16 -> fc10", []),
    # (17 − 2)/2 leaves 1.
    ("pixels-dropped", "17x17x3 -> conv3-8 -> pool2 -> fc10",
     [("pool1", {"values_unread": (17 * 17 - 16 * 16) * 8})]),
    ("pixels-dropped", "16x16x3 -> conv3-8 -> pool2 -> fc10", []),
    # What is not read is padding: (224 − 7 + 6)/2 leaves 1 of the padded positions.
    ("pixels-dropped", "224x224x3 -> conv7-8/2p3 -> fc10", []),
    ("stride-over-window", "16x16x3 -> conv1-8/2 -> relu -> fc10",
     [("conv1", {"values_unread": (16 * 16 - 8 * 8) * 3})]),
    # Windows of 2 at 0, 3, 6 and on, the last of them at 15 and over the border of 16.
    ("stride-over-window", spec("conv2d: {out_channels: 8, kernel_size: 2, stride: 3, padding: 1}"),
     [("conv1", {"values_unread": (16 * 16 - 11 * 11) * 8})]),
    ("stride-over-window", "16x16x3 -> conv2-8/2 -> relu -> fc10", []),
    ("shrinking-channels", "16x16x8 -> conv3-4/2 -> relu -> fc10",
     [("conv1", {"values_lost": 16 * 16 * 8 - 8 * 8 * 4})]),
    ("shrinking-channels", "16x16x8 -> conv3-4 -> relu -> fc10", []),
    # The pool before it makes the map smaller; a 1×1 convolution there is the reduction in a layer of its own.
    ("shrinking-channels", "32x32x64 -> conv3-64 -> relu -> pool2 -> conv3-8 -> relu -> fc10",
     [("conv2", {"values_lost": 32 * 32 * 64 - 16 * 16 * 8})]),
    ("shrinking-channels", "32x32x64 -> conv3-64 -> relu -> pool2 -> conv1-8 -> relu -> fc10", []),
    ("multiple-of-eight", "16x16x3 -> conv3-12 -> relu -> fc10",
     [("conv1", {"params": 4 * 28 + 16 * 16 * 4 * 10, "multiplications": 16 * 16 * 4 * 27 + 16 * 16 * 4 * 10})]),
    # Batch norm and depthwise layers between it and its reader get the channels too.
    ("multiple-of-eight", "16x16x8 -> conv1-12 -> bn -> relu -> dwconv3 -> conv1-8 -> relu -> fc10",
     [("conv1", {"params": 4 * (8 + 1) + 4 * 2 + 4 * (9 + 1) + 4 * 8, "multiplications": 256 * 4 * (8 + 9 + 8)})]),
    # Where two layers read it, its own cost is counted alone.
    ("multiple-of-eight", spec("conv2d: {out_channels: 12, kernel_size: 1}",
                               "branches: [[conv2d: {out_channels: 8, kernel_size: 1}], "
                               "[conv2d: {out_channels: 8, kernel_size: 1}]]\n    merge: concat"),
     [("conv1", {"params": 4 * 9, "multiplications": 256 * 4 * 8})]),
    ("multiple-of-eight", "16x16x3 -> conv3-16 -> relu -> fc10", []),
    ("checkerboard", spec("conv_transpose2d: {out_channels: 8, kernel_size: 3, stride: 2}"),
     [("upconv1", {"values_uneven": (33 * 33 - 17 * 17) * 8})]),
    # Without its first row and column, the uneven ones are 16 of 32 along each axis still.
    ("checkerboard", spec("conv_transpose2d: {out_channels: 8, kernel_size: 3, stride: 2, padding: 1, "
                          "output_padding: 1}"),
     [("upconv1", {"values_uneven": (32 * 32 - 16 * 16) * 8})]),
    ("checkerboard", spec("conv_transpose2d: {out_channels: 8, kernel_size: 4, stride: 2}"), []),
    ("checkerboard", spec("conv_transpose2d: {out_channels: 8, kernel_size: 4, stride: 2, dilation: 2}"),
     [("upconv1", {"values_uneven": (37 * 37 - 19 * 19) * 8})]),
    ("checkerboard", spec("conv_transpose2d: {out_channels: 8, kernel_size: 4, stride: 2, dilation: 3}"), []),
    # fc 64→64→10 without an activation is 640 weights and 10 biases in place of 4160 + 650.
    ("two-linear", "1x1x64 -> fc64 -> fc10", [("fc2", {"params": 4160, "multiplications": 4096})]),
    ("two-linear", "32x32x3 -> conv3-32p1 -> relu -> fc100 -> fc10",
     [("fc2", {"params": 3_276_900 + 1010 - 327_690, "multiplications": 3_276_800 + 1000 - 327_680})]),
    ("two-linear", "1x1x64 -> fc64 -> relu -> fc10", []),
    # A factorisation has fewer weights than the product: 64·4 + 4·64 against 4096.
    ("two-linear", "1x1x64 -> fc4 -> fc64 -> relu", []),
    ("two-linear", "16x16x8 -> conv3-8 -> bn -> conv3-8 -> relu -> fc10", []),
    ("two-linear", "16x16x8 -> conv1-8 -> bn -> conv3-8 -> relu -> fc10",
     [("conv2", {"params": 64 + 8 + 16, "multiplications": 16 * 16 * 64})]),
    # The shift of the batch norm needs a bias after all.
    ("two-linear", spec("conv2d: {out_channels: 8, kernel_size: 1, bias: false}", "batch_norm2d",
                        "conv2d: {out_channels: 8, kernel_size: 1, bias: false}"),
     [("conv2", {"params": 64 + 16 - 8, "multiplications": 16 * 16 * 64})]),
    ("bias-before-norm", "16x16x3 -> conv3-8 -> bn -> relu -> fc10", [("conv1", {"params": 8})]),
    ("bias-before-norm", "16x16x3 -> conv3-8 -> relu -> bn -> fc10", []),
    ("small-field", "32x32x3 -> conv3-8 -> relu -> gap -> fc10", [("pool1", {"positions_unseen": 32 * 32 - 3 * 3})]),
    ("small-field", "resnet50", []),
    # A pool that gates the map it reads is not the end of it.
    ("small-field", "efficientnet_b0", []),
    ("multiple-of-eight", "se_resnet50", []),
    ("softmax-of-one", "4x4x3 -> fc1 -> softmax", [("softmax1", {"values": 1})]),
    ("softmax-of-one", "4x4x3 -> fc2 -> softmax", []),
    # 2 maps of 128·128·8 values and 80 parameters, 4 bytes each.
    ("depthwise-large-map", spec("depthwise_conv2d: {kernel_size: 3, padding: 1}", size="128x128x8"),
     [("conv1", {"bytes": 4 * (2 * 128 * 128 * 8 + 80)})]),
    ("depthwise-large-map", spec("depthwise_conv2d: {kernel_size: 3, padding: 1}", size="64x64x8"), []),
    ("memory-bound", "1x1x64 -> fc64 -> relu", [("fc1", {"bytes": 4 * (64 + 64 * 64 + 64 + 64)})]),
    ("memory-bound", "resnet50", []),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "network", "expected"), CASES)
def test_a_rule_finds_what_it_names(rule: str, network: str, expected: Expected) -> None:
    assert found(network, rule) == expected


@pytest.mark.parametrize(
    ("network", "seen", "layers"),
    [
        # Three 3×3 convolutions see 7×7 positions, the first two of them 5×5.
        ("32x32x3 -> [conv3-8 -> relu] * 3", None, []),
        ("32x32x3 -> [conv3-8 -> relu] * 3", "7x7", []),
        ("32x32x3 -> [conv3-8 -> relu] * 3", "7x8", ["relu3"]),
        ("32x32x3 -> [conv3-8 -> relu] * 3", "8", ["relu3"]),
        # The object takes the place of the input.
        ("32x32x3 -> conv3-8 -> relu -> gap -> fc10", "3", []),
        ("32x32x3 -> conv3-8 -> relu -> gap -> fc10", "4x4", ["pool1"]),
        # A dense layer sees all.
        ("32x32x3 -> conv3-8 -> relu -> fc10", "32", []),
        # The first of two outputs sees 318×318, the second 286×286.
        ("yolov3_tiny", "318", []),
        ("yolov3_tiny", "319", ["layer15"]),
    ],
)
def test_the_field_is_compared_with_an_object(network: str, seen: str | None, layers: list[str]) -> None:
    found = lint(ac.load(network).analyse(), ["small-field"], seen=seen)
    assert [one.layer for one in found] == layers


@pytest.mark.parametrize("seen", ["0x3", "3x4x5", "", "ax4", "-3", "1e3"])
def test_an_object_that_has_no_size(seen: str) -> None:
    with pytest.raises(UsageError, match=r"an object of .* has a size such as 96x96"):
        lint(ac.load("8x8x3 -> conv3-8").analyse(), seen=seen)
    with pytest.raises(UsageError, match="without positions"):
        lint(ac.load("8 -> fc3").analyse(), seen=seen)


def test_every_rule_is_tried_both_ways() -> None:
    tried = {(rule, bool(expected)) for rule, _, expected in CASES} | {("unused-layer", True), ("unused-layer", False)}
    assert tried == {(rule, hit) for rule in RULES for hit in (True, False)}


def test_a_layer_that_nobody_reads() -> None:
    from archcalc.graph.layer_graph import Layer
    from archcalc.spec.single import make_op

    graph = ac.load("16x16x3 -> conv3-8 -> relu -> fc10")
    assert lint(graph.analyse(), ["unused-layer"]) == ()
    spare = Layer("spare", make_op("conv2d", {"out_channels": 4, "kernel_size": 1}), (2,))
    from dataclasses import replace

    (one,) = lint(ac.analyse(replace(graph, layers=(*graph.layers, spare))), ["unused-layer"])
    assert (one.layer, one.finding.costs["params"]) == ("spare", 36)


@pytest.mark.parametrize("name", slow_but(["googlenet@aux", "mobilenet", "unet"], one_of_each()))
def test_every_network_can_be_looked_at(name: str) -> None:
    analysis = ac.analyse(name)
    for one in lint(analysis):
        assert one.finding.message
        assert one.finding.change
        assert one.finding.costs
        assert all(cost > 0 for cost in one.finding.costs.values())
        assert one.layer == analysis.rows[one.finding.layer].name


def test_the_change_of_an_input_helps() -> None:
    (one,) = lint(ac.analyse("225x225x3 -> conv3-8/2 -> conv3-8/2 -> pool2 -> fc10"), ["input-divisible"])
    assert one.finding.change == "an input of 224×224×3"
    assert found("224x224x3 -> conv3-8/2 -> conv3-8/2 -> pool2 -> fc10", "pixels-dropped") == []


def test_what_is_selected_and_ignored() -> None:
    analysis = ac.analyse("17x17x3 -> conv3-12 -> bn -> pool2 -> fc1 -> softmax")
    assert {one.rule.id for one in lint(analysis, ["pixels-dropped", "softmax-of-one"])} == {
        "pixels-dropped", "softmax-of-one",
    }  # fmt: skip
    assert "multiple-of-eight" not in {one.rule.id for one in lint(analysis, (), ["multiple-of-eight"])}
    with pytest.raises(UsageError, match="did you mean pixels-dropped"):
        lint(analysis, ["pixel-dropped"])
