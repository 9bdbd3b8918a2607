"""The table of mistakes in docs/reference/mistakes.md: each example is checked, and each mistake has one."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import archcalc
from archcalc.passes.analysis import Analysis
from archcalc.spec.build import build
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.mistakes import MISTAKES
from archcalc.teach.check.model import Answer

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "mistakes.md"


class Example(NamedTuple):
    """A row of the table: what is written in a cell, and the feedback on it."""

    mistake: str
    network: str
    cell: str
    written: str
    explanation: str


def rows(columns: int) -> list[list[str]]:
    """The rows of the page's tables with so many columns, without their heads."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip(" `").replace("\\*", "*") for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if len(row) == columns and row[0] not in ("mistake", "network", ":---")]


@cache
def analysed(name: str) -> Analysis:
    """A network of the catalogue, or the one that stands on the page."""
    if not name.endswith(".yaml"):
        return archcalc.analyse(archcalc.load(name))
    block = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    return archcalc.analyse(build(spec_of(parse_source(block[1], name))))


def answer(cell: str, written: str) -> Answer:
    layer, quantity = cell.rsplit(" ", 1)
    return Answer(layer, {"output": "output_shape", "memory": "activation_bytes"}.get(quantity, quantity), written)


EXAMPLES = [Example(*row) for row in rows(5)]


def test_every_mistake_has_an_example() -> None:
    assert list(dict.fromkeys(one.mistake for one in EXAMPLES)) == [
        name for name in MISTAKES if name != "carried_forward"
    ]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.mistake}-{one.network}")
def test_example(example: Example) -> None:
    check = check_answers(analysed(example.network), [answer(example.cell, example.written)])
    best = check.cells[0].diagnoses[0]
    assert (best.mistake, best.explanation) == (example.mistake, example.explanation)


def test_carried_forward() -> None:
    lines = rows(4)
    network = analysed(lines[0][0])
    check = check_answers(network, [answer(cell, written) for _, cell, written, _ in lines])
    assert [cell.diagnoses[0].mistake for cell in check.cells] == [verdict for *_, verdict in lines]


def test_words_for_every_mistake() -> None:
    for name, words in MISTAKES.items():
        assert re.fullmatch(r"[a-z_]+", name)
        assert words == words.strip()
        assert not words.endswith(".")
