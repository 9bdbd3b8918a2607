"""Derivations: figures worked out by hand, and what must hold for every op and setting."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.conventions import Conventions
from archcalc.core.errors import DerivationError, UsageError
from archcalc.core.shapes import AXES
from archcalc.explain.derive.formats import FORMATS, lines, render
from archcalc.explain.derive.layer import Derivation, Explanation, explain_layer, explain_row
from archcalc.explain.derive.lift import AXIS_NAMES
from archcalc.explain.derive.network import SUMS, explain_layers, find_layers, find_quantity, sum_up
from archcalc.explain.derive.notation import CODE, TEXT
from archcalc.explain.derive.steps import substituted
from archcalc.ops.conv import Conv2d
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load, names
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import parse_expression
from archcalc.spec.single import make_op, single_layer
from tests.explain.derive.layers import KINDS, single_layers
from tests.networks import graph, numbers, one_of_each
from tests.tiers import examples

NETWORKS = ("alexnet", "alexnet@grouped", "lenet5@1998", "googlenet@aux", "mobilenet@keras", "unet", "deconvnet")


def layer_of(analysis: Analysis) -> Explanation:
    return explain_layer(analysis, analysis.rows[-1].name)


def derivation(explanation: Explanation, quantity: str) -> Derivation:
    return next(one for one in explanation.derivations if one.quantity == quantity)


def written(explanation: Explanation, quantity: str) -> str:
    """H₂ = (H₁ − F + 2P)/S + 1 = … = 55"""
    found = derivation(explanation, quantity)
    left = [found.symbol.text] if found.symbol else []
    return " = ".join([*left, *(TEXT.write(node) for node in found.chain())])


def single(kind: str, *inputs: tuple[int, ...], **fields: object) -> Explanation:
    return layer_of(analyse(single_layer(make_op(kind, fields), inputs)))


# Worked by hand. Inputs are (C, H, W).
BY_HAND = [
    (single("conv2d", (3, 227, 227), out_channels=96, kernel_size=11, stride=4), {
        "height": "H₂ = (H₁ − F + 2P)/S + 1 = (227 − 11 + 2·0)/4 + 1 = 216/4 + 1 = 55",
        "depth": "D₂ = K = 96",
        "params": "(F·F·D₁ + 1)·K = (11·11·3 + 1)·96 = 364·96 = 34,944",
        "multiplications": "H₂·W₂·K·F·F·D₁ = 55·55·96·11·11·3 = 290,400·363 = 105,415,200",
        "activations": "H₂·W₂·K = 55·55·96 = 290,400",
        "activation_bytes": "V·b = 290,400·4 = 1,161,600",
        "receptive_field_height": "r₂ = r₁ + (F − 1)·j₁ = 1 + (11 − 1)·1 = 1 + 10·1 = 11",
        "receptive_field_stride_height": "j₂ = j₁·S = 1·4 = 4",
        "w_row": "K×(F·F·D₁) = 96×(11·11·3) = 96×363",
        "x_col": "(F·F·D₁)×(H₂·W₂) = (11·11·3)×(55·55) = 363×3025",
    }),
    # 7×7, stride 2, padding 3 on 224: 223 is odd, so the last row is never read.
    (single("conv2d", (3, 224, 224), out_channels=64, kernel_size=7, stride=2, padding=3, bias=False), {
        "height": "H₂ = ⌊(H₁ − F + 2P)/S⌋ + 1 = ⌊(224 − 7 + 2·3)/2⌋ + 1 = ⌊223/2⌋ + 1 = 111 + 1 = 112",
        "params": "F·F·D₁·K = 7·7·3·64 = 9408",
        # a sum of 147 products takes 146 additions
        "additions": "H₂·W₂·K·(F·F·D₁ − 1) = 112·112·64·(7·7·3 − 1) = 112·112·64·146 = 117,211,136",
    }),
    # Dilated by 2: 3 taps span 5. The weights stay 3·3.
    (single("conv2d", (1, 7, 7), out_channels=1, kernel_size=3, dilation=2), {
        "height": "H₂ = (H₁ − (d·(F − 1) + 1) + 2P)/S + 1 = (7 − (2·(3 − 1) + 1) + 2·0)/1 + 1 "
                  "= (7 − (2·2 + 1) + 2·0)/1 + 1 = (7 − 5 + 2·0)/1 + 1 = 2/1 + 1 = 3",
        "params": "(F·F·D₁ + 1)·K = (3·3·1 + 1)·1 = 10·1 = 10",
    }),
    # Krizhevsky et al. 2012: 256 kernels of 5×5×48 on two GPUs.
    (single("conv2d", (96, 27, 27), out_channels=256, kernel_size=5, padding=2, groups=2), {
        "params": "(F·F·D₁/G + 1)·K = (5·5·96/2 + 1)·256 = 1201·256 = 307,456",
        "multiplications": "H₂·W₂·K·F·F·D₁/G = 27·27·256·5·5·96/2 = 186,624·1200 = 223,948,800",
    }),
    # 1×7, padded along the width only.
    (single("conv2d", (2, 4, 6), out_channels=3, kernel_size=[1, 7], padding=[0, 3]), {
        "height": "H₂ = (H₁ − F_h + 2P_h)/S + 1 = (4 − 1 + 2·0)/1 + 1 = 3/1 + 1 = 4",
        "width": "W₂ = (W₁ − F_w + 2P_w)/S + 1 = (6 − 7 + 2·3)/1 + 1 = 5/1 + 1 = 6",
        "params": "(F_h·F_w·D₁ + 1)·K = (1·7·2 + 1)·3 = 15·3 = 45",
    }),
    # TensorFlow's SAME on 224 at stride 2: one pixel, at the bottom and right.
    (single("conv2d", (3, 224, 224), out_channels=32, kernel_size=3, stride=2, padding="same"), {
        "padding_height": "(H₁/S − 1)·S + F − H₁ = (224/2 − 1)·2 + 3 − 224 = 111·2 + 3 − 224 = 1",
        "height": "H₂ = (H₁ − F + P_t + P_b)/S + 1 = (224 − 3 + 0 + 1)/2 + 1 = 222/2 + 1 = 112",
    }),
    (single("max_pool2d", (4, 5, 5), kernel_size=2, ceil_mode=True), {
        "height": "H₂ = ⌈(H₁ − F + 2P)/S⌉ + 1 = ⌈(5 − 2 + 2·0)/2⌉ + 1 = ⌈3/2⌉ + 1 = 2 + 1 = 3",
        "depth": "D₂ = D₁ = 4",
        "params": "0",
        "comparisons": "H₂·W₂·D₁·(F·F − 1) = 3·3·4·(2·2 − 1) = 3·3·4·3 = 108",
    }),
    (single("conv_transpose2d", (1024, 28, 28), out_channels=512, kernel_size=2, stride=2), {
        "height": "H₂ = S·(H₁ − 1) + F − 2P = 2·(28 − 1) + 2 − 2·0 = 2·27 + 2 − 2·0 = 56",
        "params": "(F·F·D₁ + 1)·K = (2·2·1024 + 1)·512 = 4097·512 = 2,097,664",
        "multiplications": "H₁·W₁·D₁·F·F·K = 28·28·1024·2·2·512 = 802,816·2048 = 1,644,167,168",
    }),
    (single("linear", (256, 6, 6), out_features=4096), {
        "size": "N₂ = K = 4096",
        "params": "(H₁·W₁·D₁ + 1)·K = (6·6·256 + 1)·4096 = 9217·4096 = 37,752,832",
    }),
    # M5: 128 filters of 80 samples each, every fourth sample of 16,000.
    (single("conv1d", (1, 16_000), out_channels=128, kernel_size=80, stride=4), {
        "length": "L₂ = (L₁ − F + 2P)/S + 1 = (16,000 − 80 + 2·0)/4 + 1 = 15,920/4 + 1 = 3981",
        "channels": "C₂ = K = 128",
        "params": "(F·C₁ + 1)·K = (80·1 + 1)·128 = 81·128 = 10,368",
        "multiplications": "L₂·K·F·C₁ = 3981·128·80·1 = 509,568·80 = 40,765,440",
        "receptive_field_length": "r₂ = r₁ + (F − 1)·j₁ = 1 + (80 − 1)·1 = 1 + 79·1 = 80",
    }),
    # C3D, conv1a: 64 filters of 3×3×3 on 16 frames of 112×112.
    (single("conv3d", (3, 16, 112, 112), out_channels=64, kernel_size=3, padding=1), {
        "depth": "D₂ = (D₁ − F + 2P)/S + 1 = (16 − 3 + 2·1)/1 + 1 = 15/1 + 1 = 16",
        "params": "(F·F·F·C₁ + 1)·K = (3·3·3·3 + 1)·64 = 82·64 = 5248",
        "multiplications": "D₂·H₂·W₂·K·F·F·F·C₁ = 16·112·112·64·3·3·3·3 = 12,845,056·81 = 1,040,449,536",
    }),
    (single("batch_norm2d", (32, 8, 8)), {"params": "2D₁ = 2·32 = 64", "buffers": "2D₁ = 2·32 = 64"}),
    (single("concat", (64, 28, 28), (128, 28, 28), (32, 28, 28)), {
        "depth": "D = D₁ + D₂ + D₃ = 64 + 128 + 32 = 224", "height": "H = H₁ = 28",
    }),
    (single("global_avg_pool2d", (1024, 7, 7)), {
        "additions": "D₁·(H₁·W₁ − 1) = 1024·(7·7 − 1) = 1024·48 = 49,152",
        "receptive_field_height": "r₂ = r₁ + (H₁ − 1)·j₁ = 1 + (7 − 1)·1 = 1 + 6·1 = 7",
    }),
    (single("local_response_norm", (96, 2, 2), size=5), {
        # 96·5 − 6 squares are summed at each position: three less at each end.
        "additions": "H₁·W₁·(D₁·5 − 6 − D₁) + H₁·W₁·D₁ = 2·2·(96·5 − 6 − 96) + 2·2·96 = 2·2·378 + 2·2·96 = 1896",
    }),
    # Filters of taps 3 apart: of 5·2 products along an axis, those of the last 2 filters' first taps meet others.
    (single("conv_transpose2d", (2, 5, 5), out_channels=3, kernel_size=2, dilation=3, padding=1, bias=False), {
        "height": "H₂ = S·(H₁ − 1) + d·(F − 1) + 1 − 2P = 1·(5 − 1) + 3·(2 − 1) + 1 − 2·1 = 1·4 + 3·1 + 1 − 2·1 = 6",
        "multiplications": "H₁·W₁·D₁·F·F·K = 5·5·2·2·2·3 = 50·12 = 600",
        "additions": "H₁·W₁·D₁·F·F·K − (min(F, S)·(H₁ − d) + F·d)·(min(F, S)·(W₁ − d) + F·d)·K "
                     "= 5·5·2·2·2·3 − (min(2, 1)·(5 − 3) + 2·3)·(min(2, 1)·(5 − 3) + 2·3)·3 "
                     "= 5·5·2·2·2·3 − (1·2 + 2·3)·(1·2 + 2·3)·3 = 50·12 − 8·8·3 = 408",
    }),
]  # fmt: skip


@pytest.mark.parametrize(
    ("explanation", "quantity", "expected"),
    [(one, key, text) for one, texts in BY_HAND for key, text in texts.items()],
    ids=lambda value: value.heading if isinstance(value, Explanation) else None,
)
def test_a_derivation_reads_like_the_textbook(explanation: Explanation, quantity: str, expected: str) -> None:
    assert written(explanation, quantity) == expected


def test_a_layer_without_shared_weights_has_a_filter_for_every_position() -> None:
    # 3·3 positions, 2 filters each, 3·3·3 weights and a bias.
    explanation = single("locally_connected2d", (3, 5, 5), out_channels=2, kernel_size=3)
    assert derivation(explanation, "params").value == 3 * 3 * 2 * 28


def test_im2col_says_how_often_values_are_repeated() -> None:
    explanation = single("conv2d", (3, 227, 227), out_channels=96, kernel_size=11, stride=4)
    found = derivation(explanation, "x_col_values")
    assert found.value == 363 * 3025
    assert found.note == "about 7.1 times the 154,587 values of the input"


@pytest.mark.parametrize(
    ("explanation", "heading"),
    [
        (BY_HAND[0][0], "conv: 96 filters of 11×11×3, stride 4, no padding; input 227×227×3"),
        (BY_HAND[3][0], "conv: 256 filters of 5×5×48, stride 1, padding 2, 2 groups; input 27×27×96"),
        (BY_HAND[6][0], "pool: max pool 2×2, stride 2, no padding, rounded up; input 5×5×4"),
        (BY_HAND[7][0], "upconv: 512 filters of 2×2×1024, transposed, stride 2, no padding; input 28×28×1024"),
        (BY_HAND[8][0], "fc: 4,096 neurons of 9,216 inputs; input 6×6×256"),
        (
            single("adaptive_avg_pool2d", (4, 10, 12), output_size=(7, 6)),
            "pool: adaptive average pool 7×6, windows of 2–3×2; input 10×12×4",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_heading_says_what_the_layer_is(explanation: Explanation, heading: str) -> None:
    assert explanation.heading == heading


def check(explanation: Explanation, analysis: Analysis) -> None:
    """Every number is the analysis's, and its expression, calculated again, gives it."""
    row = analysis[explanation.name]
    values = {one.quantity: one.value for one in explanation.derivations}
    texts = [symbol.text for symbol in explanation.symbols()]
    assert len(texts) == len(set(texts)), "a letter means one thing"
    assert [values[axis.word] for axis in AXIS_NAMES[len(row.output_shape) - 1]] == list(row.output_shape)
    assert values["params"] == row.params
    assert values.get("buffers", 0) == row.buffers
    assert values.get("multiplications") == row.multiplications
    assert values["activations"] == row.activations
    assert values["activation_bytes"] == row.activation_bytes
    for kind, count in (row.operations._asdict() if row.operations is not None else {}).items():
        key = "other_multiplications" if kind == "multiplications" and not row.multiplications else kind
        if "all_multiplications" in values and kind == "multiplications":
            key = "all_multiplications"
        assert values.get(key, 0) == count
    if row.receptive_field is not None and row.inputs:
        for word, axis in zip(AXES[len(row.receptive_field.axes)], row.receptive_field, strict=True):
            assert values[f"receptive_field_{word}"] == axis.size
    symbols: dict[str, int] = {}
    for one in explanation.derivations:
        nodes = one.tree.parts if one.tree.kind == "by" else one.chain()
        for node in nodes:
            text = CODE.write(substituted(node))
            if len(text) < 400:
                assert evaluate(parse_expression(text), {}) == Fraction(node.value), text
        for node in one.tree.walk():
            if node.symbol:
                assert symbols.setdefault(node.symbol.text, node.value) == node.value, "a letter has one value"


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@examples(25, quick=2)
def test_every_op_gives_the_numbers_of_the_analysis(kind: str, data: st.DataObject) -> None:
    analysis = data.draw(single_layers(kind))
    explanation = layer_of(analysis)
    check(explanation, analysis)
    for form in FORMATS:
        assert render([explanation], form)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "conventions", [Conventions(), Conventions(running_statistics=True, in_place=False)], ids=["default", "other"]
)
def test_every_layer_of_a_network(network: str, conventions: Conventions) -> None:
    analysis = analyse(load(network), 4, "float16", conventions)
    for name in analysis.by_name:
        check(explain_layer(analysis, name), analysis)


@pytest.mark.parametrize("network", ["alexnet", "resnet18", "vgg16@bn", "lenet5@1998"])
def test_sums_are_the_totals(network: str) -> None:
    analysis = analyse(load(network))
    totals = analysis.totals
    assert sum_up(analysis, "params").total == totals.params
    assert sum_up(analysis, "buffers").total == totals.buffers
    assert sum_up(analysis, "multiplications").total == totals.multiplications
    assert sum_up(analysis, "activations").total == totals.activations
    assert sum_up(analysis, "activation_bytes").total == totals.activation_bytes
    assert sum_up(analysis, "additions").total == totals.operations.additions


def test_what_does_not_add_up_is_refused() -> None:
    with pytest.raises(UsageError, match="does not add up"):
        sum_up(analyse(load("lenet5")), "height")
    assert "params" in SUMS


def test_layers_are_found_by_name_and_by_block() -> None:
    analysis = analyse(load("resnet18"))
    everything = find_layers(analysis, None)
    assert len(everything) == len(analysis.rows)
    block = everything[5].rpartition("/")[0]
    assert find_layers(analysis, block) == [name for name in everything if name.startswith(block + "/")]
    assert find_layers(analysis, everything[3].upper()) == [everything[3]]
    with pytest.raises(UsageError, match="has no layer 'cnov1'"):
        find_layers(analysis, "cnov1")


@pytest.mark.slow
def test_every_network_of_the_catalogue_has_a_formula_for_every_number_of_params() -> None:
    plain = []
    for network in names():
        analysis = analyse(load(network))
        seen = set()
        for row in analysis.rows:
            key = (row.op, row.input_shapes)
            if row.params and key not in seen:
                seen.add(key)
                found = derivation(explain_layer(analysis, row.name), "params")
                assert found.value == row.params
                if found.tree.kind == "number":
                    plain.append((network, row.name))
    assert plain == []


@pytest.mark.slow
@pytest.mark.parametrize("network", one_of_each())
def test_every_derivation_of_the_catalogue_gives_the_number_of_the_analysis(network: str) -> None:
    # `explain_row` raises where one does not.
    analysis = analyse(load(network), 2, "float16", Conventions(running_statistics=True, in_place=False))
    for row in analysis.rows:
        assert explain_row(analysis, row).derivations


def test_a_derivation_that_gives_another_number_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = analyse(load("alexnet"))
    monkeypatch.setattr(Conv2d, "macs", lambda self, inputs, output: output[1] * output[2])
    with pytest.raises(DerivationError, match="multiplications of layer conv2 gives 729, the analysis 4"):
        explain_layer(analysis, "conv2")


@pytest.mark.parametrize(
    ("kind", "inputs", "fields", "quantity", "text"),
    [
        ("flatten", [(2, 4, 4)], {}, "receptive_field_height", "r₂ = r₁ = 1"),
        ("adaptive_avg_pool2d", [(2, 6, 7)], {"output_size": 3}, "receptive_field_height",
         "r_2h = r₁ + (H₁/N − 1)·j₁ = 1 + (6/3 − 1)·1 = 1 + 1·1 = 2"),
        ("adaptive_avg_pool2d", [(2, 6, 7)], {"output_size": 3}, "receptive_field_width", "r_2w = 3"),
        ("adaptive_avg_pool1d", [(4, 8)], {"output_size": 4}, "additions", "C₁·L₁ − N·C₁ = 4·8 − 4·4 = 16"),
        ("reshape", [(1, 8, 8)], {"shape": "4x8x2"}, "receptive_field_height", "r_2h = 5"),
        ("conv2d", [(24, 8, 8)], {"out_channels": 12, "kernel_size": 3, "groups": 12}, "w_row",
         "(K/G)×(F·F·D₁/G) = (12/12)×(3·3·24/12) = 1×18"),
    ],
)  # fmt: skip
def test_more_derivations(kind: str, inputs: Any, fields: dict[str, Any], quantity: str, text: str) -> None:
    assert written(single(kind, *inputs, **fields), quantity) == text


def test_a_dense_layer_after_flatten_sees_the_whole_map() -> None:
    analysis = analyse(graph("input: 6x6x2\nlayers:\n  - flatten\n  - linear: {name: fc, out_features: 3}\n"))
    assert written(explain_layer(analysis, "fc"), "receptive_field_height") == (
        "r₂ = r₁ + (n₁ − 1)·j₁ = 1 + (6 − 1)·1 = 1 + 5·1 = 6"
    )


@pytest.mark.parametrize("size", [(4, 9, 9), (4, 9, 7)])
def test_a_letter_means_one_thing(size: tuple[int, int, int]) -> None:
    fields = {"step": 2, "start": 3}
    analysis = analyse(single_layer(make_op("slice2d", fields), [size]), 8)
    explanation = layer_of(analysis)
    check(explanation, analysis)
    assert {symbol.text: value for symbol, value in explanation.symbols().items()}["B"] == 8
    assert written(explanation, "height") == "H₂ = (H₁ − O)/S = (9 − 3)/2 = 6/2 = 3"


def test_a_header_is_whole() -> None:
    explanation = single("zero_pad2d", (3, 4, 4), padding=[0, 1, 0, 2])
    assert explanation.heading == "pad: zero pad [0, 1, 0, 2]; input 4×4×3"


def test_a_crop_sees_what_it_crops() -> None:
    explanation = explain_layer(analyse(load("unet")), "expand4/crop")
    assert written(explanation, "receptive_field_height") == "r₂ = r₁ = 68"


def test_a_merge_says_that_it_sees_what_its_inputs_see() -> None:
    explanation = explain_layer(analyse(load("googlenet")), "inception_3a/concat1")
    assert derivation(explanation, "receptive_field_height").note == "what its inputs see together"


def test_shared_weights_are_derived_as_none() -> None:
    text = "  - conv_bn_relu: {name: one, out_channels: 4, kernel_size: 1}\n"
    analysis = numbers(f"{text}  - conv_bn_relu: {{name: two, out_channels: 4, kernel_size: 1, weights: one}}\n")
    for name in ("conv", "bn"):
        found = derivation(explain_layer(analysis, f"two/{name}"), "params")
        assert (found.value, found.note) == (0, f"uses the weights of one/{name}")
        assert all(one.quantity != "buffers" for one in explain_layer(analysis, f"two/{name}").derivations)
    work = [written(explain_layer(analysis, f"{block}/conv"), "multiplications") for block in ("one", "two")]
    assert work[0] == work[1] == "H₂·W₂·K·F·F·D₁ = 8·8·4·1·1·4 = 256·4 = 1024"


def test_several_weights_are_named_as_they_are() -> None:
    note = derivation(single("rnn", (3, 4), hidden_size=2), "params").note
    assert note == "3 of weight_ih_l0, 2 of weight_hh_l0, 1 of bias_ih_l0 and 1 of bias_hh_l0 for each hidden unit"


@pytest.mark.parametrize(
    ("size", "op", "quantity", "values"),
    [
        ("100x4", "conv1d", "receptive_field", {"receptive_field_length": 5}),
        ("100x4", "conv1d", "receptive_field_stride", {"receptive_field_stride_length": 2}),
        ("100x4", "conv1d", "padding", {"padding_length": 3}),
        ("100x4", "conv1d", "length", {"length": 50}),
        ("100x4", "conv1d", "output", {"length": 50, "channels": 8}),
        ("100x4", "conv1d", "channels", {"channels": 8}),
        ("16x20x24x3", "conv3d", "receptive_field",
         {f"receptive_field_{axis}": 5 for axis in ("depth", "height", "width")}),
        ("16x20x24x3", "conv3d", "receptive_field_depth", {"receptive_field_depth": 5}),
        ("16x20x24x3", "conv3d", "padding", {f"padding_{axis}": 3 for axis in ("depth", "height", "width")}),
        ("16x20x24x3", "conv3d", "output", {"depth": 8, "height": 10, "width": 12, "channels": 8}),
        ("16x20x24x3", "conv3d", "depth", {"depth": 8}),
        ("16x20x24x3", "conv3d", "channels", {"channels": 8}),
        ("20x24x3", "conv2d", "channels", {"depth": 8}),
        ("20x24x3", "conv2d", "output", {"height": 10, "width": 12, "depth": 8}),
    ],
)  # fmt: skip
def test_one_quantity_of_a_layer_in_every_rank(size: str, op: str, quantity: str, values: dict[str, int]) -> None:
    """Windows of 5 moved by 2, padded as `same`: (⌈n/2⌉ − 1)·2 + 5 − n = 3 for every even n."""
    fields = "{name: c, out_channels: 8, kernel_size: 5, stride: 2, padding: same}"
    analysis = analyse(graph(f"input: {size}\nlayers:\n  - {op}: {fields}\n"))
    (found,) = explain_layers(analysis, ["c"], find_quantity(quantity))
    assert {one.quantity: one.value for one in found.derivations} == values


def test_the_field_of_every_axis_is_shown_where_they_differ() -> None:
    fields = "{name: c, out_channels: 8, kernel_size: [3, 5, 7]}"
    analysis = analyse(graph(f"input: 16x20x24x3\nlayers:\n  - conv3d: {fields}\n"))
    shown = list(lines(explain_layers(analysis, ["c"], "receptive_field")[0], TEXT))
    assert [line.parts[-1] for line in shown] == ["3", "5", "7"]


def test_additions_of_attention_in_windows_have_a_formula() -> None:
    text = "  - multi_head_attention: {num_heads: 6, window_size: 7, relative_position_bias: true}\n"
    analysis = numbers(text, "14x14x384")
    found = explain_row(analysis, analysis.rows[-1]).derivations
    (tree,) = [one.tree for one in found if one.quantity == "additions"]
    assert tree.kind != "number"
    assert tree.value == 122_962_560


@pytest.mark.parametrize("width", [60, 80, 96, 120])
@pytest.mark.parametrize("size", ["16000x32", "16000x160x3"])
def test_no_line_of_a_text_is_blank(size: str, width: int) -> None:
    """A text without a note has no line for it, however long the formula is."""
    rank = size.count("x")
    items = f"[conv{rank}d: {{out_channels: 4, kernel_size: 2, dilation: 4, padding: {[4, 0] * rank}}}]"
    text = render([layer_of(analyse(graph(f"input: {size}\nlayers: {items}\n")))], "text", width=width)
    assert len(text.splitlines()) > 8
    assert not [line for line in text.splitlines() if line and not line.strip()]
