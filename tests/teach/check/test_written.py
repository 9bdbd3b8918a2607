"""A right answer is never called wrong: right tables of every network, in the ways that people write them."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest

import archcalc
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.networks import one_of_each
from tests.teach.check.written import written_table
from tests.tiers import slow

#: Networks with few layers, in which most tables are written. Every sixth is of the catalogue: first each network
#: once, then those with many layers seldom.
SMALL = (
    "lenet5", "lenet5@1998", "alexnet", "alexnet@grouped", "zfnet", "nin", "nin@cifar10", "vgg11", "vgg16", "vgg16@bn",
    "resnet18", "resnet20_cifar", "mobilenet", "unet",
    "32x32x3 -> conv5-6p0 -> relu -> pool2 -> conv5-16p0 -> relu -> pool2 -> fc120 -> relu -> fc84 -> relu -> fc10",
    "28x28x1 -> conv3-32p0 -> pool2 -> conv3-64p0 -> pool2 -> flatten -> fc128 -> fc10",
)  # fmt: skip
#: So many tables are checked in each test; in all 10,000.
EACH, TESTS = 400, 25
#: Tables of the quick test.
FEW = 40


@cache
def analysed(name: str) -> Analysis:
    return archcalc.analyse(archcalc.load(name))


@cache
def catalogue() -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Networks of images, and how often tables are written in them: seldom where there are many layers.

    Tables are written as people write those of images: rows of tokens, volumes and several inputs have no such form.
    """
    names = tuple([name for name in one_of_each() if is_of_images(analysed(name))])
    return names, tuple(1 / (50 + len(analysed(name).rows)) for name in names)


def is_of_images(analysis: Analysis) -> bool:
    """Whether every map is an image or flat, of a network with one input and no shared weights."""
    rows = analysis.rows
    return len(analysis.graph.inputs) == 1 and all(
        len(row.output_shape) in (1, 3) and row.weights_of is None for row in rows
    )


def network_of(rng: Random, seed: int) -> str:
    if seed % 6 or not slow():
        return rng.choice(SMALL)
    names, weights = catalogue()
    turn = seed // 6
    return names[turn] if turn < len(names) else rng.choices(names, weights)[0]


def accused(seed: int) -> list[tuple[object, ...]]:
    """The cells of a right table that are called wrong, or that cannot be read."""
    rng = Random(f"written {seed}")
    analysis = analysed(network_of(rng, seed))
    table = written_table(rng, analysis)
    check = check_answers(analysis, parse_answers(table.text.encode(), "table.txt").answers)
    assert check.cells
    return [
        (seed, *table.how, cell.answer.layer, cell.layer, cell.quantity, cell.answer.text, cell.note)
        for cell in check.cells
        if cell.verdict in (Verdict.WRONG, Verdict.CARRIED)
        or (cell.verdict is Verdict.UNREADABLE and "could be any of" not in cell.note)
    ]


def test_right_tables_are_right() -> None:
    assert [one for seed in range(FEW) for one in accused(seed)] == []


@pytest.mark.slow
@pytest.mark.parametrize("block", range(TESTS))
def test_ten_thousand_right_tables_are_right(block: int) -> None:
    assert [one for seed in range(block * EACH, (block + 1) * EACH) for one in accused(seed)] == []
