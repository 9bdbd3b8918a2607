"""The very name of a layer or a block says what its row is about, in any order and next to any other name."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest

import archcalc
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.expected import Value
from archcalc.teach.check.model import Answer, Match, Place, Verdict
from archcalc.teach.check.prepared import prepare
from tests.networks import one_of_each

#: Rows in an order that is not the network's, or with names that no layer has, and those that are right.
TABLES = [
    ("convnext_tiny", {"res4/block1": 1_201_920, "down3": 74_112, "head": 769_000}, ["res4/block1", "down3", "head"]),
    ("convnext_tiny", {"stem": 4704, "res3": 918_144, "down3": 74_112, "classifier": 769_000},
     ["stem", "res3", "down3"]),
    ("vit_b_16", {"norm": 1536, "positions": 151_296, "classifier": 769_000}, ["norm", "positions", "classifier"]),
    ("resnet50", {"conv3_x": 1_219_584, "conv2_x": 215_808, "xyz": 3}, ["conv3_x", "conv2_x"]),
    ("yolov3", {"neck5": 11_017_216, "stage2": 238_592, "head": 1}, ["neck5", "stage2"]),
]  # fmt: skip


@cache
def analysed(name: str) -> Analysis:
    return archcalc.analyse(archcalc.load(name))


def verdicts(analysis: Analysis, rows: list[tuple[str, str]], quantity: str = "params") -> dict[str, Verdict]:
    answers = [Answer(label, quantity, text, Place("a.csv", at, 2), quantity) for at, (label, text) in enumerate(rows)]
    return {cell.answer.layer: cell.verdict for cell in check_answers(analysis, answers).cells}


@pytest.mark.parametrize(("network", "table", "right"), TABLES)
def test_names_of_the_network_next_to_others(network: str, table: dict[str, int], right: list[str]) -> None:
    found = verdicts(analysed(network), [(label, str(value)) for label, value in table.items()])
    assert [label for label, verdict in found.items() if verdict is Verdict.RIGHT] == right
    assert {found[label] for label in table if label not in right} <= {Verdict.UNREADABLE}


def test_a_wrong_number_stays_with_its_name() -> None:
    """2,359,296 is the number of conv1 in the same unit, and of no layer of that name."""
    rows = [("conv5_x", "14964736"), ("fc", "2049001"), ("xyz", "3"), ("conv3_x", "215808")]
    found = verdicts(analysed("resnet50"), rows)
    assert [str(found[label]) for label in ("conv5_x", "fc", "conv3_x")] == ["right", "wrong", "wrong"]


def test_names_that_count_in_another_way_are_not_those_of_the_network() -> None:
    """FC3 and FC4 follow two convolutions: the first two of four dense layers."""
    network = archcalc.analyse("28x28x1 -> conv3-4 -> conv3-8 -> fc120 -> fc84 -> fc60 -> fc10")
    params = [40, 296, 28 * 28 * 8 * 120 + 120, 121 * 84, 85 * 60, 61 * 10]
    labels = ["CONV1", "CONV2", "FC3", "FC4", "FC5", "FC6"]
    found = verdicts(network, [(label, str(value)) for label, value in zip(labels, params, strict=True)])
    assert set(found.values()) == {Verdict.RIGHT}


@pytest.mark.parametrize("wrong", [[], [0], [2], [4], [5], [7], [5, 6]])
def test_a_table_that_counts_in_another_way_has_its_own_mistakes_only(wrong: list[int]) -> None:
    network = archcalc.analyse("28x28x1 -> conv3-4 -> pool2 -> conv3-8 -> pool2 -> fc120 -> fc84 -> fc60 -> fc10")
    params = [40, 0, 296, 0, 7 * 7 * 8 * 120 + 120, 121 * 84, 85 * 60, 61 * 10]
    labels = ["CONV1", "POOL1", "CONV2", "POOL2", "FC3", "FC4", "FC5", "FC6"]
    rows = [
        (label, str(value + 1000 * (at in wrong))) for at, (label, value) in enumerate(zip(labels, params, strict=True))
    ]
    found = verdicts(network, rows)
    assert [at for at, label in enumerate(labels) if found[label] is not Verdict.RIGHT] == wrong


@pytest.mark.parametrize(
    ("network", "layer"), [("alexnet", "drop7"), ("resnet110_cifar", "prob"), ("alexnet", "input")]
)
def test_a_wrong_number_of_a_layer_without_weights_is_wrong_next_to_an_unknown_name(network: str, layer: str) -> None:
    found = verdicts(analysed(network), [("foo", "1"), (layer, "7")])
    assert found[layer] is Verdict.WRONG


UNKNOWN = ("head", "classifier", "xyz", "stem", "foo", "embedding", "output layer", "block1", "conv")
#: Tables in all, and in the quick tier.
MANY, FEW = 3000, 100


def written(value: Value | None) -> str:
    return "x".join(map(str, (*value[1:], value[0]))) if isinstance(value, tuple) else str(value)


def accused(seed: int, networks: list[str]) -> list[tuple[object, ...]]:
    """Rows with the very names of layers and blocks that are not right, next to a row with another name."""
    rng = Random(f"exact {seed}")
    analysis = analysed(rng.choice(networks))
    network = prepare(analysis)
    names = network.matcher.by_name
    blocks = [
        name for name in names.blocks if name not in names.lists and "…" not in name and name not in analysis.by_name
    ]
    known = [Match(row.name) for row in analysis.rows] + [Match(name, is_block=True) for name in blocks]
    outer = [match for match in known if "/" not in match.layer]
    quantity = rng.choice(("params", "params", "multiplications", "output_shape"))
    chosen = rng.sample(outer if rng.random() < 0.7 else known, min(len(outer), rng.randint(1, 4)))
    rights = [(match.layer, network.right(match, quantity)) for match in chosen]
    rows = [(name, written(right)) for name, right in rights if right is not None]
    label = rng.choice(UNKNOWN)
    if label not in {match.layer for match in known}:
        other = written(network.right(Match(rng.choice(analysis.rows).name), quantity))
        rows.insert(rng.randint(0, len(rows)), (label, rng.choice(("3", other))))
    found = verdicts(analysis, rows, quantity)
    return [
        (seed, analysis.graph.name, quantity, rows, name, str(found[name]))
        for name, right in rights
        if right is not None and found[name] is not Verdict.RIGHT
    ]


def test_the_very_names_are_right_in_any_order() -> None:
    networks = [*(row[0] for row in TABLES), "c3d", "unet_3d", "googlenet", "segnet"]
    assert [one for seed in range(FEW) for one in accused(seed, networks)] == []


@pytest.mark.slow
def test_the_very_names_of_every_network() -> None:
    assert [one for seed in range(FEW, MANY) for one in accused(seed, list(one_of_each()))] == []
