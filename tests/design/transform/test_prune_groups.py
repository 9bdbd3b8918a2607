"""Pruning through grouped convolutions: the executor gives the same numbers as with these channels at zero."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.design.transform.prune import follow
from archcalc.design.transform.transform import transform
from archcalc.execute.kernels import Array, Sizes
from archcalc.execute.runner import SeededWeights
from archcalc.execute.runner.execute import execute

GROUPED = """
name: net
title: Net
input: 6x6x3
layers:
  - conv2d: {name: a, out_channels: 8, kernel_size: 3, padding: 1}
  - batch_norm2d: {name: norm}
  - relu
  - conv2d: {name: b, out_channels: 12, kernel_size: 3, groups: 4}
  - relu
  - conv2d: {name: c, out_channels: 6, kernel_size: 1, groups: 2}
  - linear: {name: end, out_features: 5}
"""
SHUFFLED = GROUPED.replace("  - conv2d: {name: c,", "  - channel_shuffle: {groups: 2}\n  - conv2d: {name: c,")
#: Three groups of eight channels: the groups after the shuffle begin in the middle of its rows of three.
ACROSS = (
    SHUFFLED.replace("out_channels: 12, kernel_size: 3, groups: 4", "out_channels: 24, kernel_size: 3, groups: 3")
    .replace("out_channels: 8", "out_channels: 6")
    .replace("groups: 2", "groups: 3")
)


class Given:
    """Weights by the names of layers and arrays."""

    def __init__(self, arrays: Mapping[str, Mapping[str, Array]]) -> None:
        self.arrays = arrays

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        found = self.arrays[layer]
        assert {name: array.shape for name, array in found.items()} == dict(sizes)
        return found


def without(array: Array, out: list[int], lost: frozenset[int], groups: int, channels: int) -> Array:
    """Weights (outputs, inputs of a group, …) without some outputs, and without the inputs that are lost."""
    each, made = channels // groups, len(array) // groups
    parts = []
    for group in range(groups):
        own = [channel - group * each for channel in sorted(lost) if channel // each == group]
        rows = [row - group * made for row in out if row // made == group]
        part = array[group * made : (group + 1) * made]
        # A dense layer reads the positions of a channel one after the other.
        spread = part.reshape(made, each, -1, *part.shape[2:])
        kept = np.delete(np.delete(spread, rows, axis=0), own, axis=1)
        parts.append(kept.reshape(made - len(rows), -1, *part.shape[2:]))
    return np.concatenate(parts)


#: The network, a layer, how many of its channels, and how many are left.
CASES = [
    *((network, *case) for network in (GROUPED, SHUFFLED) for case in
      [("a", 4, 4), ("b", 4, 8), ("b", 8, 4), ("c", 2, 4)]),
    *((ACROSS, *case) for case in [("a", 3, 3), ("b", 6, 18), ("b", 9, 15), ("b", 12, 12),
      ("b", 15, 9), ("b", 18, 6), ("b", 21, 3), ("c", 3, 3)]),
]  # fmt: skip


@pytest.mark.parametrize(("network", "layer", "count", "makes"), CASES)
def test_pruned_groups_give_what_zeroed_channels_give(network: str, layer: str, count: int, makes: int) -> None:
    before = ac.from_yaml(network).analyse()
    index = before.graph.index[layer]
    pruning = follow(before, index, count)
    seeded = SeededWeights(before.graph, 0, "float64", keep=True)
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 6))
    execute(before.graph, x, seeded, "loops")

    zeroed: dict[str, dict[str, Array]] = {}
    pruned: dict[str, dict[str, Array]] = {}
    for place, row in enumerate(before.rows):
        arrays = seeded.kept(row.name)
        if not arrays:
            continue
        sources = before.graph.layers[place].inputs
        own, read = sorted(pruning.lost[place]), pruning.lost[sources[0]]
        zeroed[row.name] = {name: array.copy() for name, array in arrays.items()}
        for name in ("weight", "bias"):  # of the channels that are lost, those of the batch norm too
            zeroed[row.name][name][own] = 0
        if row.op.kind == "batch_norm2d":
            pruned[row.name] = {name: np.delete(array, own, axis=0) for name, array in arrays.items()}
        else:
            groups = getattr(row.op, "groups", 1)
            pruned[row.name] = {
                "weight": without(arrays["weight"], own, read, groups, row.input_shapes[0][0]),
                "bias": np.delete(arrays["bias"], own, axis=0),
            }
    after = transform(before, [("prune", [layer, str(count)])]).after
    assert after.by_name[layer].output_shape[0] == makes
    expected = execute(before.graph, x, Given(zeroed), "loops").outputs
    found = execute(after.graph, x, Given(pruned), "loops").outputs
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-12, atol=1e-12)
        assert np.abs(values).max() > 1e-3


def test_groups_lose_as_many_channels_each() -> None:
    before = ac.from_yaml(GROUPED).analyse()
    assert follow(before, before.graph.index["a"], 4).lost[1] == {1, 3, 5, 7}
    with pytest.raises(UsageError, match="has 4 groups, which would read unequal numbers of channels"):
        follow(before, before.graph.index["a"], 2)
    with pytest.raises(UsageError, match="unequal numbers of channels"):
        follow(before, before.graph.index["b"], 2)


def test_a_shuffle_loses_the_same_places_in_each_of_its_groups() -> None:
    before = ac.from_yaml(SHUFFLED).analyse()
    lost = follow(before, before.graph.index["b"], 4).lost
    # Of 2 rows of 6 channels the third and the last: in the order of columns 4, 5, 10 and 11.
    assert lost[before.graph.index["b"]] == {2, 5, 8, 11}
    assert lost[before.graph.index["c"] - 1] == {4, 5, 10, 11}


def test_channels_between_groups_are_spread_over_the_groups_of_both() -> None:
    before = ac.from_yaml(ACROSS).analyse()
    lost = follow(before, before.graph.index["b"], 12).lost
    # Of 24 columns each group reads 8 and keeps 4 in a row, from rows 0 1 2 0, then 1 2 0 1, then 2 0 1 2.
    kept = [0, 1, 2, 3, 10, 11, 12, 13, 17, 18, 19, 20]
    assert [place % 3 for place in kept] == [place % 3 for place in range(12)]
    places = set(range(24)).difference(kept)
    assert lost[before.graph.index["c"] - 1] == places
    assert lost[before.graph.index["b"]] == {place % 3 * 8 + place // 3 for place in places}


FIRST, FIRST_READER = "stage2/unit1/residual/body/gconv1/conv", "stage2/unit1/residual/body/gconv2/conv"
SECOND = "stage2/unit2/residual/body/gconv1/conv"


def in_order(stay: int) -> bool:
    """Whether each third of 60 columns can keep so many, those that stay of rows 0, 1, 2, 0, … in turn."""
    kept: list[int] = []
    for column in range(60):
        if len(kept) < (column // 20 + 1) * stay and column % 3 == len(kept) % 3:
            kept.append(column)
    return [len([one for one in kept if one // 20 == third]) for third in range(3)] == [stay] * 3


def test_all_numbers_of_shuffled_channels_that_keep_their_order_can_be_pruned() -> None:
    before = ac.analyse("shufflenet_x1_0")
    index = before.graph.index[SECOND]
    fitting = set()
    for count in range(3, 60, 3):
        with suppress(UsageError):
            lost = follow(before, index, count).lost[index]
            assert [len([one for one in lost if one // 20 == row]) for row in range(3)] == [count // 3] * 3
            fitting.add(count)
    assert fitting == {count for count in range(3, 60, 3) if in_order(20 - count // 3)}
    assert 3 not in fitting
    assert {6, 9} <= fitting


@pytest.mark.parametrize(
    ("network", "layer", "count", "obstacle", "fix"),
    [
        ("shufflenet_x1_0", FIRST, "1", FIRST_READER, "prune 6 instead"),
        ("shufflenet_x1_0", FIRST, "3", FIRST_READER, "prune 6 instead"),
        ("shufflenet_x1_0", FIRST, "20", FIRST, "prune 21 instead"),
        ("shufflenet_x1_0", SECOND, "10", SECOND, "prune 9 instead"),
        ("shufflenet_x1_0", "conv1/conv", "1", SECOND, f"is {FIRST}, by 6 channels"),
        ("alexnet@grouped", "conv1", "3", "conv2", "prune 2 instead"),
    ],
)
def test_the_fix_that_is_named_works(network: str, layer: str, count: str, obstacle: str, fix: str) -> None:
    before = ac.analyse(network)
    with pytest.raises(UsageError, match=rf'layer "[^"]*{obstacle}" .*{fix}') as caught:
        transform(before, [("prune", [layer, count])])
    words = str(caught.value)
    instead, nearest = re.search(r"prune (\d+) instead", words), re.search(r"is (\S+), by (\d+) channels", words)
    assert instead or nearest
    for name, number in ([(layer, instead[1])] if instead else []) + ([(nearest[1], nearest[2])] if nearest else []):
        after = transform(before, [("prune", [name, number])]).after
        assert after.by_name[name].output_shape[0] == before.by_name[name].output_shape[0] - int(number)
        assert after.totals.params < before.totals.params


@pytest.mark.parametrize(
    ("count", "said"),
    [
        ("2", "unequal numbers of channels; the nearest layer that can be pruned is b, by 4 channels"),
        ("4", "would lose channels, and what becomes of them cannot be followed"),
    ],
)
def test_the_reason_is_not_what_was_given(count: str, said: str) -> None:
    network = GROUPED.replace(
        "- linear", "- conv_transpose2d: {out_channels: 4, kernel_size: 2, groups: 2}\n  - linear"
    )
    network = network.replace(
        "out_channels: 6, kernel_size: 1, groups: 2", "out_channels: 8, kernel_size: 1, groups: 4"
    )
    with pytest.raises(UsageError, match=said):
        transform(ac.from_yaml(network).analyse(), [("prune", ["c", count])])


def test_alexnet_on_two_graphics_cards() -> None:
    before = ac.analyse("alexnet@grouped")
    after = transform(before, [("prune", ["conv1", "2"])]).after
    # 11·11·3 weights and a bias of two filters; 5·5 weights of one channel less in each half of 256 filters.
    assert before.totals.params - after.totals.params == 2 * (363 + 1) + 25 * 256
