"""Sides of the input as symbols of their own: the numbers of reports at random sizes."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

import archcalc as ac
from archcalc.core.errors import SpecError, UsageError
from archcalc.core.shapes import AXES
from archcalc.explain.symbolic.closed import closed_form
from tests.tiers import slow_but

QUANTITIES = ["params", "multiplications", "activations"]
#: Images whose size the parameters follow and others, volumes and a signal.
NETWORKS = slow_but(
    ["lenet5", "resnet18", *(SMALL := ["24x32x3 -> conv3-8/2 -> pool2 -> upconv2-4/2 -> fc10",
                                       "20x9x6x2 -> conv3-4/2 -> pool2 -> fc3", "50x3 -> conv3-4/2 -> fc3"])],
    ["lenet5", "alexnet", "vgg16", "googlenet", "resnet18", "resnet50", "inception_v3", "densenet121", "mobilenet",
     "unet@padded", "vit_b_16", "c3d", *SMALL],
)  # fmt: skip


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("network", NETWORKS)
def test_each_side_is_a_symbol(network: str, quantity: str) -> None:
    graph = ac.load(network)
    channels, *sides = graph.input_shape
    axes = AXES[len(sides)]
    letters = [axis[0].upper() for axis in axes]
    draw = random.Random(f"{network} {quantity}")
    for names in [axes, *([axis] for axis in axes)]:
        form = closed_form(network, quantity, names=names)
        compared = 0
        for _ in range(60):
            step = draw.choice([1, 16])  # U-Net takes multiples of 16
            sizes = [
                step * draw.randint(1, max(1, 2 * side // step)) if axis in names else side
                for axis, side in zip(axes, sides, strict=True)
            ]
            with suppress(SpecError):  # too small for its windows
                report = ac.analyse(graph.with_input((channels, *sizes))).totals
                assert form.at(**dict(zip(letters, sizes, strict=True))) == getattr(report, quantity), sizes
                compared += 1
            if compared == 4:
                break
        assert compared == 4


@pytest.mark.parametrize(
    ("network", "names", "symbols"),
    [
        ("lenet5", ["height"], ("H",)),
        ("lenet5", ["width", "classes"], ("W", "classes")),
        ("lenet5", ["input"], ("s",)),
        ("lenet5", ["input", "height"], ("H", "W")),
        ("mobilenet", ["height", "rho"], ("H", "rho")),
        ("24x32x3 -> conv3-8 -> fc2", ["width"], ("W",)),
    ],
)
def test_only_what_is_named_is_a_symbol(network: str, names: list[str], symbols: tuple[str, ...]) -> None:
    assert closed_form(network, "params" if network != "mobilenet" else "activations", names=names).symbols == symbols


@pytest.mark.parametrize(
    ("network", "names", "message"),
    [
        ("lenet5", ["hight"], "did you mean height.*there are input, height, width, classes"),
        ("64 -> fc10", ["height"], "has no parameter 'height'"),
        (
            "swin_t",
            ["height", "width"],
            "height and width cannot be symbols: one of them decides which layers there are",
        ),
        ("swin_t", ["height"], "height cannot be a symbol: it decides which layers there are"),
    ],
)
def test_what_cannot_be_a_symbol(network: str, names: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        closed_form(network, "params", names=names)
