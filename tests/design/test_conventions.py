"""How other tools count, compared with what they printed."""

from __future__ import annotations

import pytest

from archcalc.core.errors import UsageError
from archcalc.design.conventions import OWN, TOOLS, as_counted, count, tool_named
from tests.docs.pages import analysis_of
from tests.networks import numbers
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


ATTENTION = """\
  - multi_head_attention: {num_heads: 2}
  - global_response_norm
"""


@pytest.mark.parametrize("name", [name for name, tool in TOOLS.items() if tool.rules is not None and name != OWN])
def test_what_a_rule_does_not_name_is_not_zero(name: str) -> None:
    counted = count(numbers(ATTENTION), TOOLS[name], "multiplications")
    assert counted is not None
    assert sum(counted.not_counted.values()) == 2


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
