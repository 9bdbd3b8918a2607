"""Headings that say whether a multiply-add counts as one operation or as two."""

from __future__ import annotations

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Cell, Verdict
from tests.teach.check.tables import analysis_of

#: Multiplications of AlexNet: 55·55·96·11·11·3, 27·27·256·5·5·96, 9216·4096.
NUMBERS = {"conv1": 105_415_200, "conv2": 447_897_600, "fc6": 37_748_736}
TWO = (
    "GFLOPs (2 per MAC)|FLOPs (2 x MACs)|FLOPs (mult+add)|FLOPs = 2*MACs|FLOPs (1 MAC = 2 FLOPs)|2 x MACs|MACs x 2"
    "|FLOPs, 2 per multiply-add|multiplications and additions|FLOPs (twice the MACs)|FLOPs (two per MAC)"
    "|Операции (2 на умножение)|Operationen (2 pro MAC)|opérations (2 par MAC)|运算量（1次乘加=2）|FLOPs (MACs*2)"
    "|FLOPs (a multiply-add counts as two)|2*MACs|FLOPs 2/MAC|FLOPs, 2/mult-add"
)
ONE = (
    "FLOPs (1 MAC = 1 FLOP)|MACs (2 FLOPs each)|FLOPs (MACs)|FLOPs (1 per MAC)|GFLOPs (=GMACs)|MACs (1 MAC = 2 FLOPs)"
    "|mult-adds|FLOPs (one per multiply-add)|Multiply-adds|MACs, conv2d"
)


def cells(heading: str, factor: int) -> tuple[Cell, ...]:
    size = 10**9 if heading.startswith("G") else 1
    lines = "\n".join(f"{layer}\t{factor * number / size:.12g}" for layer, number in NUMBERS.items())
    return check_answers(
        analysis_of("alexnet"), parse_answers(f"layer\t{heading}\n{lines}\n".encode(), "a.tsv").answers
    ).cells


@pytest.mark.parametrize(
    ("heading", "factor"), [*((one, 2) for one in TWO.split("|")), *((one, 1) for one in ONE.split("|"))]
)
def test_a_heading_says_what_a_multiply_add_counts(heading: str, factor: int) -> None:
    assert [cell.verdict for cell in cells(heading, factor)] == [Verdict.RIGHT] * 3


def test_one_where_the_heading_asks_for_two_and_two_where_it_asks_for_one() -> None:
    says = "Multiply-adds. The heading counts each as two operations: 210,830,400."
    assert cells("FLOPs (2 per MAC)", 1)[0].diagnoses[0].explanation == says
    assert "twice the number" in cells("FLOPs (1 MAC = 1 FLOP)", 2)[0].diagnoses[0].explanation


@pytest.mark.parametrize("heading", ["FLOPs", "operations", "операции"])
def test_a_heading_that_says_nothing_may_mean_either(heading: str) -> None:
    for factor in (1, 2):
        assert [cell.verdict for cell in cells(heading, factor)] == [Verdict.RIGHT] * 3


def test_the_number_that_such_a_column_asks_for_is_named() -> None:
    answers = parse_answers(b"layer,FLOPs (2 per MAC)\nconv1,210830400\nfc6,75497474\n", "a.csv").answers
    cell = check_answers(analysis_of("alexnet"), answers).cells[1]
    assert cell.note == "the column counts each multiply-add as two operations: 75,497,472"
