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
from tests.teach.check.written import written_table
from tests.tiers import slow

#: Networks with few layers, in which most tables are written; every sixth is of any network of the catalogue.
SMALL = (
    "lenet5", "lenet5@1998", "alexnet", "alexnet@grouped", "zfnet", "nin", "nin@cifar10", "vgg11", "vgg16", "vgg16@bn",
    "resnet18", "resnet20_cifar", "mobilenet", "unet",
    "32x32x3 -> conv5-6p0 -> relu -> pool2 -> conv5-16p0 -> relu -> pool2 -> fc120 -> relu -> fc84 -> relu -> fc10",
    "28x28x1 -> conv3-32p0 -> pool2 -> conv3-64p0 -> pool2 -> flatten -> fc128 -> fc10",
)  # fmt: skip
#: So many tables are checked in each test; in all 1,500.
EACH, TESTS = 60, 25


@cache
def analysed(name: str) -> Analysis:
    return archcalc.analyse(archcalc.load(name))


def accused(seed: int) -> list[tuple[object, ...]]:
    """The cells of a right table that are called wrong, or that cannot be read."""
    rng = Random(f"written {seed}")
    names = SMALL if not slow() or seed % 6 else tuple(archcalc.names())
    analysis = analysed(rng.choice(names))
    table = written_table(rng, analysis)
    check = check_answers(analysis, parse_answers(table.text.encode(), "table.csv").answers)
    assert check.cells
    return [
        (seed, *table.how, cell.answer.layer, cell.layer, cell.quantity, cell.answer.text, cell.note)
        for cell in check.cells
        if cell.verdict in (Verdict.WRONG, Verdict.CARRIED)
        or (cell.verdict is Verdict.UNREADABLE and "could be any of" not in cell.note)
    ]


@pytest.mark.parametrize("block", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, TESTS))])
def test_right_tables_are_right(block: int) -> None:
    assert [one for seed in range(block * EACH, (block + 1) * EACH) for one in accused(seed)] == []
