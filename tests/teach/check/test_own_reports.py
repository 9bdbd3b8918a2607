"""What `report --depth N -f csv` writes of a network is all right to `check`."""

from __future__ import annotations

import pytest

from archcalc.render.tables.csv import render
from archcalc.render.tables.report import make_report
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.networks import one_of_each
from tests.teach.check.tables import analysis_of
from tests.tiers import slow_but

FEW = ["googlenet", "c3d", "wavenet", "alexnet"]


@pytest.mark.parametrize("name", slow_but(FEW, [*FEW, *(name for name in one_of_each() if name not in FEW)]))
def test_a_report_at_every_depth_is_right(name: str) -> None:
    analysis = analysis_of(name)
    accused = []
    for depth in range(1, max(row.name.count("/") for row in analysis.rows) + 2):
        report = make_report(analysis, depth=depth)
        answers = parse_answers(render([report]).encode(), "report.csv").answers
        cells = check_answers(analysis, answers).cells
        assert sum(cell.verdict is Verdict.RIGHT for cell in cells) > len(report.rows)
        accused += [
            (depth, cell.answer.layer, cell.layer, cell.quantity, cell.answer.text, str(cell.verdict))
            for cell in cells
            if cell.verdict not in (Verdict.RIGHT, Verdict.EMPTY)
        ]
    assert accused == []
