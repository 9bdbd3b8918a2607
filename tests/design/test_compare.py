"""Networks side by side: totals, shares, and the layers that two of them do not have in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.design import compare
from archcalc.design.compare import Pair, align, shares, totals
from archcalc.passes import analysis as passes
from tests.tiers import examples, slow_but

BODY = "32x32x3 -> conv3-8 -> relu -> pool2 -> conv3-16 -> relu -> pool2 -> fc10"


def differing(first: str | passes.Analysis, second: str | passes.Analysis) -> list[Pair]:
    left, right = (ac.analyse(one) if isinstance(one, str) else one for one in (first, second))
    return [pair for pair in align(left, right) if pair.status != "same"]


def test_ratios_are_to_the_first() -> None:
    found = {total.key: total for total in totals([ac.analyse("resnet18"), ac.analyse("resnet50")])}
    assert list(found["params"].values) == [11_689_512, 25_557_032]  # torchvision
    assert list(found["params"].ratios) == [1, 25_557_032 / 11_689_512]
    assert list(found["depth"].values) == [18, 50]


def test_nothing_is_divided_by_zero() -> None:
    found = {total.key: total for total in totals([ac.analyse("vgg16"), ac.analyse("vgg16@bn")])}
    assert found["buffers"].ratios == (None, None)
    assert found["buffers"].values == (0, 8448)


OPAQUE = """
name: n
title: N
input: 8x8x4
layers:
  - opaque: {of: Foo, shape: 8x8x4, params: 7}
  - linear: {out_features: 2}
"""


def test_what_cannot_be_counted_has_no_ratio() -> None:
    analyses = [ac.analyse("8x8x4 -> fc2"), ac.from_yaml(OPAQUE).analyse()]
    found = {total.key: total for total in totals(analyses)}
    assert list(found["multiplications"].ratios) == [1, None]
    assert list(found["params"].values) == [514, 521]
    assert "≥ 512" in ac.compare(*analyses).render("text")


@pytest.mark.parametrize("key", compare.SHARED_OUT)
@pytest.mark.parametrize("name", slow_but(["alexnet"], ["alexnet", "googlenet", "unet", "mobilenet"]))
def test_shares_add_up_to_the_total(name: str, key: str) -> None:
    analysis = ac.analyse(name)
    assert sum(share.values[0] for share in shares([analysis], key)) == getattr(analysis.totals, key)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (BODY, []),
        (BODY.replace("conv3-16", "conv5-16"), [("changed", "conv2", "conv2")]),
        (BODY.replace("conv3-16 -> relu", "conv3-16 -> bn -> relu"), [("added", None, "bn1"),
         ("changed", "relu2", "relu2")]),
        (BODY.replace("-> relu -> pool2 -> fc10", "-> pool2 -> fc10"), [("removed", "relu2", None),
         ("changed", "pool2", "pool2")]),
        (BODY.replace("fc10", "fc100"), [("changed", "fc1", "fc1")]),
    ],
    ids=["equal", "a setting", "one more", "one less", "the end"],
)  # fmt: skip
def test_only_what_differs_is_found(other: str, expected: list[tuple[str, str | None, str | None]]) -> None:
    found = [
        (pair.status, pair.first and pair.first.name, pair.second and pair.second.name)
        for pair in differing(BODY, other)
    ]
    assert found == expected


def test_every_setting_that_differs_is_named_with_both_values() -> None:
    (pair,) = differing("8x8x3 -> conv3-4/2p1", "8x8x3 -> conv5-6/2p2")
    assert pair.changes == (
        ("kernel_size", "3", "5"), ("padding", "1", "2"), ("out_channels", "4", "6"), ("output", "4×4×4", "4×4×6"),
    )  # fmt: skip


SHORTCUT = """
name: net
title: Net
input: 8x8x4
layers:
  - conv2d: {name: a, out_channels: 4, kernel_size: 1}
  - conv2d: {name: b, out_channels: 4, kernel_size: 1, from: input}
  - add: {name: sum, from: [b, PLACE]}
"""


def test_another_wiring_is_a_difference() -> None:
    first, second = (ac.from_yaml(SHORTCUT.replace("PLACE", place)).analyse() for place in ("a", "input"))
    (pair,) = differing(first, second)
    assert pair.changes == (("reads", "b, a", "b, input"),)


def test_the_same_settings_on_other_channels_are_a_difference() -> None:
    found = differing("8x8x3 -> conv3-4 -> conv3-4", "8x8x5 -> conv3-4 -> conv3-4")
    assert [(pair.first and pair.first.name, pair.changes) for pair in found] == [
        ("input", (("output", "8×8×3", "8×8×5"),)),
        ("conv1", (("params", "112", "184"),)),
    ]


def test_weights_of_another_are_a_difference() -> None:
    text = SHORTCUT.replace("PLACE", "a")
    other = text.replace("from: input}", "from: input, weights: a}")
    (pair,) = differing(ac.from_yaml(text).analyse(), ac.from_yaml(other).analyse())
    assert pair.changes == (("weights of", "its own", "a"),)


LAYERS = st.lists(st.sampled_from(["conv3-4", "conv5-4", "relu", "bn", "conv1-4"]), min_size=1, max_size=9)


@given(LAYERS, LAYERS)
@examples(300)
def test_an_alignment_keeps_both_networks_whole(left: list[str], right: list[str]) -> None:
    first, second = (ac.analyse(" -> ".join(["8x8x4", *layers])) for layers in (left, right))
    pairs = align(first, second)
    assert tuple(pair.first for pair in pairs if pair.first) == first.rows
    assert tuple(pair.second for pair in pairs if pair.second) == second.rows
    assert all(pair.first is None or pair.second is None or pair.first.op.kind == pair.second.op.kind for pair in pairs)
    assert (left == right) == all(pair.status == "same" for pair in pairs)


def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "MOST_CELLS", 3)
    with pytest.raises(UsageError, match="too many to align"):
        differing(BODY, "32x32x3 -> pool2 -> conv3-8 -> fc10")


def test_layers_of_one_name_are_counterparts_though_all_their_numbers_differ() -> None:
    wider = ac.transform("alexnet", ("width", "1.5")).value.analyse()
    pairs = differing("alexnet", wider)
    assert {pair.status for pair in pairs} == {"changed"}
    assert all(pair.first and pair.second and pair.first.name == pair.second.name for pair in pairs)
