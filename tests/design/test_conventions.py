"""How other tools count, compared with what they printed."""

from __future__ import annotations

import re

import pytest

from archcalc.core.errors import UsageError
from archcalc.design.conventions import OWN, TOOLS, as_counted, calculates, count, tool_named
from archcalc.design.printed import PAPER
from archcalc.passes.analysis import Analysis, analyse
from tests.docs.pages import analysis_of
from tests.networks import chain, numbers, op
from tests.ops.rows import ROWS, Row
from tests.tiers import slow_but

#: What the tools printed for the implementations of torchvision and timm (fvcore 0.1.5, torchinfo 1.8, ptflops 0.7,
#: thop 0.1.1); the layers of these are modules, as ptflops and thop need it.
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
        "unet",
        {"fvcore": 150_428_424_448, "torchinfo": 167_456_910_112, "ptflops": 150_867_255_072, "thop": 167_322_556_672},
    ),
]


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
    counted = count(numbers("  - lstm: {hidden_size: 3}\n", "5x4"), TOOLS[name], "multiplications")
    assert counted == ((0, {"LSTM": 1}) if name != "fvcore" else (0, {}))  # fvcore's gap is among its notes


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
        if calculates(layer) or counted.total:  # some tools count what only moves values
            kinds.add(re.sub("[123]d$", "", layer.op.kind))
            assert counted.total >= 0
            assert counted.not_counted in ({}, {layer.op.noun: 1})
        else:
            assert not counted.not_counted, row.kind
    assert kinds == set(tool.rules), (
        "a rule or None for each kind that calculates, or that the tool counts, and for no other"
    )


#: Small ops worked by hand from the tools' sources, and what the tools printed for them.
BY_HAND = [
    # 2·4·6 values; bilinear 4 and 11 for each, nearest 1.
    ("  - upsample2d\n", "2x3x2", {"fvcore": 48, "thop": 48, "ptflops": 96, "onnx-tool": 0, "deepspeed": 0}),
    ("  - upsample2d: {mode: bilinear}\n", "2x3x2", {"fvcore": 192, "thop": 528, "ptflops": 96, "onnx-tool": 192}),
    # 48 values without γ and β.
    ("  - batch_norm2d: {scale: false, shift: false}\n", "4x4x3", {"fvcore": 48, "thop": 96, "onnx-tool": 1488}),
    # 4 input channels in 2 groups, 4 filters of 1×1: each output value times 2 filters of a group, and a bias.
    ("  - conv_transpose2d: {out_channels: 4, kernel_size: 1, groups: 2}\n", "2x2x4",
     {"fvcore": 32, "onnx-tool": 16 * 2 + 16, "flop-counter": 64}),
    # 10 values: 36 instructions each; 3·10 − 1.
    ("  - softmax\n  - identity\n", "10", {"onnx-tool": 360, "thop": 29, "ptflops": 10, "fvcore": 0}),
    ("  - scale: {bias: true}\n", "3x4", {"onnx-tool": 24, "fvcore": 0, "thop": 0, "torchvision": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "size", "printed"), BY_HAND)
def test_ops_worked_by_hand(layer: str, size: str, printed: dict[str, int]) -> None:
    for name, total in printed.items():
        assert count(numbers(layer, size), TOOLS[name], "multiplications") == (total, {}), name


def test_thop_sees_no_arrays_of_a_group_norm() -> None:
    analysis = numbers("  - group_norm: {num_groups: 2}\n  - conv2d: {out_channels: 2, kernel_size: 1}\n")
    assert count(analysis, TOOLS["thop"], "params") == (10, {})
    assert count(analysis, TOOLS["fvcore"], "params") == (18, {})


def test_a_report_of_the_paper_says_what_it_prints() -> None:
    analysis = as_counted(analysis_of("mobilenet"), tool_named(PAPER))
    assert analysis.totals.multiplications == 568_740_352
    assert "prints 569 M (Howard et al. 2017, table 6): rounded in print" in analysis.conventions.multiplications_rule
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


def test_unknown_conventions_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean keras"):
        tool_named("kers")
