"""How other tools count, compared with what they printed."""

from __future__ import annotations

import re

import pytest

from archcalc.core.conventions import BYTES
from archcalc.core.errors import UsageError
from archcalc.core.words import size
from archcalc.design.conventions import OWN, TOOLS, as_counted, calculates, count, tool_named
from archcalc.design.printed import PAPER
from archcalc.design.tool_calls import FUNCTIONS
from archcalc.explain.derive.network import explain_layers
from archcalc.graph.layer_graph import Call
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.tables.report import make_report
from tests.docs.pages import analysis_of
from tests.networks import chain, numbers, op
from tests.ops.rows import ROWS, Row
from tests.tiers import slow_but

#: What the tools printed for the implementations of torchvision and timm (fvcore 0.1.5, torchinfo 1.8, ptflops 0.7,
#: thop 0.1.1, calflops 0.3.2, deepspeed 0.19, FlopCounterMode of PyTorch 2.14 with gradients);
#: the layers of these are modules, as ptflops and thop need it.
PRINTED = [
    ("lenet5", {"fvcore": 416_520, "torchinfo": 423_038, "ptflops": 435_646, "thop": 418_096}),
    (
        "alexnet@torchvision",
        {"fvcore": 714_197_696, "torchinfo": 714_682_664, "ptflops": 716_441_128, "thop": 714_206_912},
    ),
    (
        "resnet18",
        {"fvcore": 1_819_065_856, "torchinfo": 1_814_083_944, "ptflops": 1_825_313_768, "thop": 1_824_033_792},
    ),
    (
        "resnet50",
        {"fvcore": 4_111_512_576, "torchinfo": 4_089_238_376, "ptflops": 4_132_436_968, "thop": 4_133_742_592},
    ),
    ("mobilenet_v3_large", {"ptflops": 231_316_416}),
    ("efficientnet_b0", {"ptflops": 410_196_896}),
    ("regnet_y_400mf", {"ptflops": 418_388_672}),
    (
        "vit_b_16",
        {"fvcore": 16_867_412_736, "torchinfo": 173_232_616, "ptflops": 17_606_030_584, "thop": 11_286_254_592,
         "calflops": 16_848_500_736, "deepspeed": 17_563_828_224, "flop-counter": 33_697_001_472},
    ),
    (
        "swin_t",
        {"fvcore": 4_509_232_128, "torchinfo": 34_368_232, "ptflops": 3_128_183_416,
         "thop": 2_978_099_712, "calflops": 4_490_566_656, "deepspeed": 4_490_566_656,
         "flop-counter": 8_981_133_312, "onnx-tool": 4_811_374_154},
    ),
    ("maxvit_t", {"flop-counter": 11_116_093_440, "onnx-tool": 6_834_849_909}),
    # onnx-tool 1.0.1 on the ONNX that archcalc writes.
    ("convnextv2_atto", {"onnx-tool": 652_026_855}),
    ("gpt2_small", {"onnx-tool": 113_423_113_216}),
    ("pspnet_resnet50", {"onnx-tool": 166_222_241_144}),
    ("facenet", {"onnx-tool": 5_094_875_019, "thop": 4_789_595_136}),
    ("alexnet", {"ptflops": 1_140_195_600}),
    ("googlenet", {"ptflops": 1_601_439_480}),
    ("yolov3_tiny", {"ptflops": 2_811_646_003}),
    (
        "unet",
        {"fvcore": 150_428_424_448, "torchinfo": 167_456_910_112, "ptflops": 150_867_255_072, "thop": 167_322_556_672},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("network", "printed"), slow_but(PRINTED[:4], PRINTED), ids=str)
def test_totals_that_tools_printed(network: str, printed: dict[str, int]) -> None:
    for name, total in printed.items():
        assert count(analysis_of(network), TOOLS[name], "multiplications") == (total, {}), name


@pytest.mark.parametrize(
    ("network", "tool", "params"),
    [
        ("resnet50@keras", "keras", 25_636_712),
        ("resnet50", "torchvision", 25_557_032),
        # The table of the lecture notes leaves biases out: 138,357,544 less 4,224 of convolutions and 9,192 others.
        ("vgg16", "cs231n", 138_344_128),
        ("vgg16", "caffe", 138_357_544),
        ("alexnet@grouped", "caffe", 60_965_224),
        ("googlenet", "caffe", 6_998_552),
        # The sum of net.params in pycaffe: mean, variance and one factor of each BatchNorm next to γ and β of Scale.
        ("resnet50", "caffe", 25_610_205),
        ("resnet101@v1", "caffe", 44_549_160 + 105_344 + 104),
        # What thop prints for torchvision's: it does not see attention, and its layer norms are PyTorch's.
        ("swin_t", "thop", 19_621_192),
        ("swin_t", "ptflops", 28_288_354),
    ],
)
def test_params(network: str, tool: str, params: int) -> None:
    assert count(analysis_of(network), TOOLS[tool], "params") == (params, {})


def test_own_totals_are_those_of_the_analysis() -> None:
    analysis = analysis_of("resnet18")
    for quantity in ("params", "multiplications"):
        assert count(analysis, TOOLS[OWN], quantity) == (getattr(analysis.totals, quantity), {})
    assert as_counted(analysis, TOOLS[OWN]) is analysis


def test_some_tools_count_no_multiplications() -> None:
    assert {name for name in TOOLS if count(analysis_of("lenet5"), TOOLS[name], "multiplications") is None} == {
        "keras",
        "caffe",
        "cs231n",
    }


RULED = [name for name, tool in TOOLS.items() if tool.rules is not None and name != OWN]


@pytest.mark.parametrize("name", RULED)
def test_what_a_rule_leaves_open_is_not_zero(name: str) -> None:
    counted = count(numbers("  - rbf: {out_features: 3}\n", "4"), TOOLS[name], "multiplications")
    assert counted == (0, {"RBF": 1})


def alone(row: Row) -> Analysis:
    """The network of one op, and a second that calculates nothing, for a softmax at the end is part of the loss."""
    inputs = [(op("input", shape=shape), ()) for shape in row.inputs or ((4, 8, 8),)]
    return analyse(
        chain(*inputs, (op(row.kind, **row.fields), range(len(row.inputs))), (op("identity"), [len(inputs)]))
    )


@pytest.mark.parametrize("name", RULED)
def test_every_op_has_an_answer(name: str) -> None:
    tool, kinds = TOOLS[name], set()
    assert tool.rules is not None
    for row in ROWS:
        if row.kind in ("input", "opaque"):
            continue
        analysis = alone(row)
        layer = analysis.rows[-2]
        counted = count(analysis, tool, "multiplications")
        assert counted is not None
        if calculates(layer) or counted.total or counted.not_counted:  # some tools count what only moves values
            kinds.add(re.sub("[123]d$", "", layer.op.kind))
            assert counted.total >= 0
            assert counted.not_counted in ({}, {layer.op.noun: 1})
    assert kinds == set(tool.rules), (
        "a rule or None for each kind that calculates, or that the tool counts, and for no other"
    )


#: Small ops worked by hand from the tools' sources, and what the tools printed for them.
BY_HAND = [
    # 2·4·6 values; bilinear 4 and 11 for each, nearest 1.
    ("  - upsample2d\n", "2x3x2", {"fvcore": 48, "thop": 48, "ptflops": 96, "onnx-tool": 0, "deepspeed": 0}),
    ("  - upsample2d: {mode: bilinear}\n", "2x3x2", {"fvcore": 192, "thop": 528, "ptflops": 96, "onnx-tool": 192}),
    ("  - interpolate: {size: [1, 2], mode: bilinear, antialias: true}\n", "3x4x2", {"fvcore": 0, "thop": 0}),
    # 48 values without γ and β.
    ("  - batch_norm2d: {scale: false, shift: false}\n", "4x4x3", {"fvcore": 48, "thop": 96, "onnx-tool": 1488}),
    # 4 input channels in 2 groups, 4 filters of 1×1: each output value times 2 filters of a group, and a bias.
    ("  - conv_transpose2d: {out_channels: 4, kernel_size: 1, groups: 2}\n", "2x2x4",
     {"fvcore": 32, "onnx-tool": 16 * 2 + 16, "flop-counter": 64}),
    # 10 values: 36 instructions each; 3·10 − 1.
    ("  - softmax\n  - identity\n", "10", {"onnx-tool": 360, "thop": 29, "ptflops": 10, "fvcore": 0}),
    ("  - scale: {bias: true}\n", "3x4", {"onnx-tool": 24, "fvcore": 0, "thop": 0, "torchvision": 0}),
    # Squares, their products with α, and k: 1 each; a pool reads 4 channels and 4 of padding at 64 positions.
    ("  - local_response_norm: {size: 5}\n", "8x8x4", {"ptflops": 3 * 256 + 8 * 64, "thop": 0}),
    ("  - local_response_norm: {size: 4}\n", "6x5", {"ptflops": 3 * 30 + 8 * 6}),
    # A pool that reads 256 values, and ReLU and a product of 64.
    ("  - lp_pool2d: {kernel_size: 2}\n", "8x8x4", {"ptflops": 256 + 2 * 64, "thop": 0}),
    # 16 windows of 9 for each of 4 channels; the second has 5 by 5 windows, of which some go on beyond the map.
    ("  - avg_pool2d: {kernel_size: 3, stride: 2, padding: 1, count_include_pad: false}\n", "8x8x4",
     {"onnx-tool": 576}),
    ("  - avg_pool2d: {kernel_size: 3, stride: 2, padding: 1, count_include_pad: false, ceil_mode: true}\n", "8x8x4",
     {"onnx-tool": 900}),
    # Windows that tile the map read each of 256 values once; of volumes one side of the window counts.
    ("  - adaptive_avg_pool2d: {output_size: 4}\n", "8x8x4", {"onnx-tool": 256}),
    ("  - adaptive_max_pool2d: {output_size: [1, 4]}\n", "8x8x4", {"onnx-tool": 256}),
    ("  - adaptive_avg_pool3d: {output_size: [1, 7, 7]}\n", "4x14x14x2", {"onnx-tool": 2 * 49 * 4}),
    # 32 for a power of 256 values and a root of 64, 4 of a window and a product for each; odd norms have magnitudes.
    ("  - lp_pool2d: {kernel_size: 2, norm_type: 2}\n", "8x8x4", {"onnx-tool": 32 * 256 + (4 + 1 + 32) * 64}),
    ("  - lp_pool2d: {kernel_size: 2, norm_type: 3}\n", "8x8x4", {"onnx-tool": 33 * 256 + (4 + 1 + 32) * 64}),
    ("  - lp_pool2d: {kernel_size: 3, stride: 2, norm_type: 1}\n", "8x8x4", {"onnx-tool": 256 + (9 + 1) * 36}),
    # A square, a sum and 4 of a division for each value; 24 of a root and a comparison for each position.
    ("  - l2_norm\n", "9x4", {"onnx-tool": 6 * 36 + 25 * 9}),
    # A square, a sum, two products and an addition for each of 240 values; for each of 5 channels a root, a mean, a
    # division and a product; one addition.
    ("  - global_response_norm\n", "6x8x5", {"onnx-tool": 5 * 240 + (24 + 1 + 4 + 1) * 5 + 1}),
    # Each of 7 numbers is rounded and taken modulo the row.
    ("  - embedding: {num_embeddings: 10, embedding_dim: 3}\n", "7", {"onnx-tool": 14}),
    # 4·12·12 weights at 5 positions and 2·25·12 products, 48 biases at 5, 60 scaled queries, 36 for 3·25 scores.
    ("  - multi_head_attention: {num_heads: 3}\n", "5x12", {"onnx-tool": 2880 + 600 + 240 + 60 + 36 * 75}),
    ("  - multi_head_attention: {num_heads: 3, bias: false, is_causal: true}\n", "5x12",
     {"onnx-tool": 2880 + 600 + 60 + 37 * 75}),
    ("  - multi_head_attention: {num_heads: 3, window_size: 4, shift_size: 2, relative_position_bias: true}\n",
     "8x8x12", {"onnx-tool": 64 * 576 + 2 * 4 * 256 * 12 + 64 * 48 + 64 * 12 + 38 * 3 * 4 * 256}),
]  # fmt: skip


def test_onnx_tool_stays_open_where_other_nodes_are_written() -> None:
    for layer in (
        "avg_pool2d: {kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}",
        "adaptive_avg_pool2d: {output_size: 3}",
    ):
        counted = count(numbers(f"  - {layer}\n", "8x8x4"), TOOLS["onnx-tool"], "multiplications")
        assert counted is not None
        assert counted.not_counted


#: Fvcore has rules for the pools and resizing of images (`aten::adaptive_avg_pool2d`), and none for rows and volumes.
OF_IMAGES = ("global_avg_pool{}d", "adaptive_avg_pool{}d: {{output_size: 2}}", "upsample{}d")


@pytest.mark.parametrize("layer", OF_IMAGES)
@pytest.mark.parametrize(("rank", "size"), [(1, "8x4"), (2, "8x8x4"), (3, "8x8x8x4")])
def test_fvcore_counts_pools_and_resizing_of_images_only(layer: str, rank: int, size: str) -> None:
    found = count(numbers(f"  - {layer.format(rank)}\n", size), TOOLS["fvcore"], "multiplications")
    images = 4 * 16 * 16 if "upsample" in layer else 4 * 8 * 8
    assert found == (images if rank == 2 else 0, {})


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ("padding: same, stride: 1", 2 * 5 * 5 * 3), ("padding: 1", 2 * 5 * 5 * 3),
        # PyTorch's pool does not pad on one side, so that another layer does: 6 by 6 positions are read.
        ("padding: [0, 0, 1, 1]", 2 * 6 * 6 * 3), ("padding: same, stride: 1, kernel_size: 2", 2 * 6 * 6 * 3),
        ("padding: [0, 0, 1, 1], ceil_mode: true", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["max_pool2d", "avg_pool2d"])
def test_ptflops_counts_what_a_pool_reads(kind: str, fields: str, counted: int | None) -> None:
    window = "" if "kernel_size" in fields else "kernel_size: 3, "
    found = count(numbers(f"  - {kind}: {{{window}{fields}}}\n", "5x5x3"), TOOLS["ptflops"], "multiplications")
    assert found is not None
    assert found.total == (counted or 0)
    assert bool(found.not_counted) == (counted is None)


@pytest.mark.parametrize(("layer", "size", "printed"), BY_HAND)
def test_ops_worked_by_hand(layer: str, size: str, printed: dict[str, int]) -> None:
    for name, total in printed.items():
        assert count(numbers(layer, size), TOOLS[name], "multiplications") == (total, {}), name


def test_numbers_that_a_file_stores_are_ready_for_a_gather() -> None:
    """Computed ones are rounded and taken modulo the row: 2 for each. Of both the gather itself counts nothing."""
    gather = "  - index_select: {from: [input, numbers]}\n"
    stored = numbers("  - parameter: {name: numbers, shape: '5', buffer: true}\n" + gather, "9x4")
    computed = numbers("  - linear: {name: numbers, out_features: 5}\n" + gather, "9x4")
    assert count(stored, TOOLS["onnx-tool"], "multiplications") == (0, {})
    assert count(computed, TOOLS["onnx-tool"], "multiplications") == (36 * 5 + 5 + 2 * 5, {})


#: What the tools printed for `nn.LSTM(4, 3)` and the like over 5 steps; None: not known, or the tool stops.
RECURRENT = [
    ("lstm", "", {"torchinfo": 540, "ptflops": 690, "thop": 660, "fvcore": 0, "flop-counter": 0, "calflops": 0,
                  "deepspeed": 0, "onnx-tool": 3240}),
    ("lstm", ", bias: false", {"torchinfo": 420, "ptflops": 570, "thop": 540, "onnx-tool": None}),
    ("lstm", ", num_layers: 2, bidirectional: true",
     {"torchinfo": 2400, "ptflops": 3000, "thop": 2880, "flop-counter": 0, "onnx-tool": 7800}),
    ("lstm", ", single_bias: true", {"torchinfo": None, "ptflops": None, "thop": None, "onnx-tool": 3240}),
    ("gru", "", {"torchinfo": 405, "ptflops": 510, "thop": 510, "fvcore": 0, "flop-counter": 630, "calflops": 0,
                 "deepspeed": 0, "onnx-tool": 2055}),
    ("gru", ", num_layers: 2, bidirectional: true",
     {"torchinfo": 1800, "ptflops": 2220, "thop": 2220, "flop-counter": 2880, "onnx-tool": 5100}),
    ("rnn", "", {"torchinfo": 135, "ptflops": 150, "thop": 150, "fvcore": 0, "flop-counter": 210, "calflops": 0,
                 "deepspeed": 0, "onnx-tool": None}),
    ("rnn", ", num_layers: 2, bidirectional: true",
     {"torchinfo": 600, "ptflops": 660, "thop": 660, "flop-counter": 960}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "settings", "printed"), RECURRENT)
@pytest.mark.parametrize("last", [False, True])
def test_recurrent_layers(kind: str, settings: str, printed: dict[str, int | None], last: bool) -> None:
    settings += f", last: {str(last).lower()}"
    analysis = numbers(f"  - {kind}: {{hidden_size: 3{settings}}}\n", "5x4")
    for name, total in printed.items():
        expected = (0, {analysis.rows[-1].op.noun: 1}) if total is None else (total, {})
        assert count(analysis, TOOLS[name], "multiplications") == expected, name


@pytest.mark.parametrize(
    ("layer", "keras", "onnx"),
    [
        # 4 gates of 3 units: 4·3·(4 + 3) weights, 12 biases in Keras, 24 in PyTorch and in a file.
        ("lstm: {hidden_size: 3}", 96, 108),
        ("lstm: {hidden_size: 3, single_bias: true}", 96, 108),
        ("lstm: {hidden_size: 3, bias: false}", 84, 84),
        # A GRU that resets after the product has both in Keras too.
        ("gru: {hidden_size: 3}", 81, 81),
        ("gru: {hidden_size: 3, single_bias: true}", 72, 81),
        ("rnn: {hidden_size: 3}", 24, 27),
    ],
)
def test_biases_of_gates(layer: str, keras: int, onnx: int) -> None:
    analysis = numbers(f"  - {layer}\n", "5x4")
    assert count(analysis, TOOLS["keras"], "params") == (keras, {})
    assert count(analysis, TOOLS["onnx-tool"], "params") == (onnx, {})


@pytest.mark.parametrize(
    ("name", "tool", "change"),
    [
        # Three average pools of transitions, and the global one: its values as read and given.
        ("densenet121", "thop", -(175_616 + 50_176 + 1_024)),
        ("shufflenet_v2", "thop", -(50_176 + 1_024)),
        ("googlenet", "thop", -1_024),
        # ReLU and pools count twice as modules and once as functions.
        ("googlenet", "ptflops", -(6_452_320 + 5_751_424 + 100_352) // 2),
        ("googlenet", "fvcore", 0),
        ("lenet5", "torchvision", 0),
    ],
)
def test_what_calls_of_functions_would_change(name: str, tool: str, change: int) -> None:
    analysis = analysis_of(name)
    assert TOOLS[tool].change_as(analysis, FUNCTIONS.call) == change
    said = [note for note in TOOLS[tool].notes_on(analysis) if "layers without parameters" in note]
    assert [f"changes by −{-change:,}" in note for note in said] == [True] * bool(change)


@pytest.mark.parametrize(("overload", "counted"), [("", True), ("padding", False)])
def test_fvcore_counts_no_convolution_whose_padding_is_a_word(overload: str, counted: bool) -> None:
    analysis = analysis_of("32x32x3 -> conv3-4")
    call = Call("conv2d", "builtin", "torch.nn.modules.conv.Conv2d", "torch.nn.modules.conv.Conv2d", overload=overload)
    row = analysis.rows[1]._replace(call=call)
    assert TOOLS["fvcore"].multiplications(row) == (row.multiplications if counted else 0)
    assert any("padding is a word" in note.text and note.concerns(row) for note in TOOLS["fvcore"].notes) != counted


#: The module of attention in parts: a projection, q, k and v cut from it, attention, and the last projection.
PARTS_OF_ATTENTION = """
  - linear: {name: qkv, out_features: 24, per_position: true}
  - chunk: {name: q, chunks: 3}
  - chunk: {name: k, from: qkv, chunks: 3, index: 1}
  - chunk: {name: v, from: qkv, chunks: 3, index: 2}
  - scaled_dot_product_attention: {name: attention, from: [q, k, v], num_heads: 2}
  - linear: {name: out, out_features: 8, per_position: true}
"""


@pytest.mark.parametrize(
    ("tool", "known", "not_known"),
    [
        ("ptflops", [], ["qkv", "attention", "out"]),
        ("fvcore", ["qkv", "out"], []),
        ("flop-counter", ["qkv", "out"], []),
    ],
)
def test_a_module_of_attention_in_parts_counts_or_is_not_known(
    tool: str, known: list[str], not_known: list[str]
) -> None:
    module = "torch.nn.modules.activation.MultiheadAttention"
    call = Call("multi_head_attention_forward", "function", module, module, inner=True)
    rows = [row._replace(call=call) for row in numbers(PARTS_OF_ATTENTION, "8x16").rows[1:]]
    found = {row.name: TOOLS[tool].multiplications(row) for row in rows}
    assert [name for name, counted in found.items() if counted] == known
    assert [name for name, counted in found.items() if counted is None] == not_known


def test_a_global_pool_that_is_written_as_a_mean() -> None:
    assert any("x.mean((2, 3))" in note for note in TOOLS["fvcore"].notes_on(analysis_of("shufflenet_v2")))
    assert not any("x.mean((2, 3))" in note for note in TOOLS["fvcore"].notes_on(analysis_of("lenet5")))


def test_only_notes_on_layers_that_are_there() -> None:
    lstm, conv = numbers("  - lstm: {hidden_size: 3}\n", "5x4"), analysis_of("lenet5")
    assert TOOLS["fvcore"].notes_on(lstm) == ("a known gap: recurrent layers count nothing",)
    assert TOOLS["fvcore"].notes_on(conv) == ()
    rule = as_counted(lstm, TOOLS["thop"]).conventions.multiplications_rule
    assert rule is not None
    assert "those of convolution and dense layers and of recurrent layers" in rule


def test_thop_sees_no_arrays_of_a_group_norm() -> None:
    analysis = numbers("  - group_norm: {num_groups: 2}\n  - conv2d: {out_channels: 2, kernel_size: 1}\n")
    assert count(analysis, TOOLS["thop"], "params") == (10, {})
    assert as_counted(analysis, TOOLS["thop"]).totals.param_bytes == 4 * 18
    assert count(analysis, TOOLS["fvcore"], "params") == (18, {})


@pytest.mark.parametrize(
    ("layer", "size", "known", "missing"),
    [
        # A layer norm over the channels of an image is a class of torchvision's own, which thop does not know.
        ("layer_norm", "4x4x3", 0, {"layer norm": 1}),
        ("layer_norm", "7x3", 6, {}),
        ("conv2d: {out_channels: 2, kernel_size: 1, weight_norm: true}", "4x4x3", 0, {"conv": 1}),
        ("locally_connected2d: {out_channels: 1, kernel_size: 4}", "4x4x3", 0, {"local": 1}),
        ("conv2d: {out_channels: 2, kernel_size: 1}", "4x4x3", 8, {}),
    ],
)
def test_thop_may_not_see_the_arrays_of_classes_that_libraries_have(
    layer: str, size: str, known: int, missing: dict[str, int]
) -> None:
    analysis = numbers(f"  - {layer}\n", size)
    assert count(analysis, TOOLS["thop"], "params") == (known, missing)
    rule = as_counted(analysis, TOOLS["thop"]).conventions.params_rule
    assert ("at least, for it may not see those of 1 ×" in (rule or "")) == bool(missing)
    whole = count(analysis, TOOLS["ptflops"], "params")
    assert whole is not None
    assert not whole.not_counted


def test_thop_params_of_convnext_are_a_lower_bound() -> None:
    found = count(analysis_of("convnext_tiny"), TOOLS["thop"], "params")
    assert found is not None
    # thop counts 28,579,432 of torchvision's, in which 18 of the 23 are nn.LayerNorm.
    assert found.total < 28_579_432
    assert found.not_counted == {"layer norm": 23}


def test_a_report_of_the_paper_says_what_it_prints() -> None:
    analysis = as_counted(analysis_of("mobilenet"), tool_named(PAPER))
    assert analysis.totals.multiplications == 568_740_352
    assert "Howard et al. 2017, table 6 prints 569 M: rounded in print" in analysis.conventions.multiplications_rule
    with pytest.raises(UsageError, match="unet has no convention paper"):
        as_counted(analysis_of("unet"), tool_named(PAPER))


def test_what_archcalc_cannot_count_is_not_zero() -> None:
    analysis = numbers("  - opaque: {of: grid_sample, shape: 8x8x4}\n")
    for tool in TOOLS.values():
        counted = count(analysis, tool, "multiplications")
        assert counted is None or counted.not_counted == {"grid_sample": 1}


@pytest.mark.parametrize("name", TOOLS)
def test_a_report_has_the_totals_of_the_tool(name: str) -> None:
    analysis, tool = analysis_of("resnet18"), TOOLS[name]
    totals = as_counted(analysis, tool).totals
    params, macs = (count(analysis, tool, quantity) for quantity in ("params", "multiplications"))
    assert params is not None
    assert totals.params == params.total
    assert totals.multiplications == (analysis.totals.multiplications if macs is None else macs.total)
    assert not totals.not_counted


@pytest.mark.parametrize(
    ("network", "tool", "counted", "in_memory"),
    [
        # LeNet-5 by hand: 150 + 2,400 + 48,000 + 10,080 + 840 weights, 6 + 16 + 120 + 84 + 10 biases.
        ("lenet5", "archcalc", 61_706, 61_706),
        ("lenet5", "cs231n", 61_470, 61_706),
        ("lenet5", "keras", 61_706, 61_706),
        ("resnet18", "cs231n", 11_683_712, 11_689_512),
        ("resnet18", "fvcore", 11_689_512, 11_689_512),
        # What counts running statistics as parameters has their bytes among those of the parameters.
        ("resnet18", "keras", 11_699_112, 11_699_112),
        ("resnet18", "onnx-tool", 11_699_112, 11_699_112),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_memory_of_the_parameters_is_that_of_all(
    network: str, tool: str, counted: int, in_memory: int, dtype: str
) -> None:
    analysis = as_counted(analyse(analysis_of(network).graph, dtype=dtype), tool_named(tool))
    assert (analysis.totals.params, analysis.totals.param_bytes) == (counted, in_memory * BYTES[dtype])
    notes = " ".join(make_report(analysis).notes())
    assert f"Parameters take {size(in_memory * BYTES[dtype])}" in notes
    assert (f"Their memory is that of all parameters ({in_memory:,})" in notes) == (counted != in_memory)


@pytest.mark.parametrize("name", [name for name in TOOLS if name != "paper"])
@pytest.mark.parametrize(("network", "depth"), [("lenet5", 5), ("resnet18", 18)])
def test_depth_and_derivations_are_those_of_the_network_whatever_a_tool_counts(
    name: str, network: str, depth: int
) -> None:
    counted = as_counted(analysis_of(network), TOOLS[name])
    assert counted.depth == depth
    for row, explained in zip(counted.rows, explain_layers(counted, counted.by_name), strict=True):
        values = {one.quantity: one.value for one in explained.derivations}
        for quantity in ("params", "multiplications"):
            if quantity in values:  # what a tool counts in its own way has no derivation
                assert values[quantity] == getattr(row, quantity)


def test_unknown_conventions_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean keras"):
        tool_named("kers")


def test_blobs_of_caffe() -> None:
    """32×32×3, a convolution with 8 filters, batch norm, a dense layer: 216 + 8 + 2·8 + (2·8 + 1) + 81,930."""
    analysis = numbers("  - conv2d: {out_channels: 8, kernel_size: 3, padding: 1}\n  - batch_norm2d\n  - relu\n"
                       "  - linear: {out_features: 10}\n", "32x32x3")  # fmt: skip
    assert count(analysis, TOOLS["caffe"], "params") == (82_187, {})
    assert "one factor of each batch normalisation" in TOOLS["caffe"].describe_params()
    assert "learnable" in " ".join(TOOLS["caffe"].notes_on(analysis))


def test_torchinfo_counts_a_module_for_each_call() -> None:
    """Two dense layers of one matrix have their 8·8 + 8 parameters once, and count them twice."""
    layers = "  - linear: {name: one, out_features: 8}\n  - linear: {name: two, out_features: 8, weights: one}\n"
    analysis = numbers(layers, "8")
    assert count(analysis, TOOLS["torchinfo"], "multiplications") == (2 * 72, {})
    assert count(analysis, TOOLS["torchinfo"], "params") == (72, {})
