"""What `report` writes of a network is all right to `check`, at every depth, with every column, as a page."""

from __future__ import annotations

import pytest

from archcalc.render.pages import report as pages
from archcalc.render.tables.csv import render
from archcalc.render.tables.report import make_report
from archcalc.teach.check.answers import Answers, parse_answers
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


@pytest.mark.parametrize("name", ["m5", "alexnet"])
def test_all_multiplications_next_to_multiplications_are_named_as_not_checked(name: str) -> None:
    report = make_report(analysis_of(name), "all")
    found = parse_answers(render([report]).encode(), "report.csv")
    assert "all_multiplications" in found.notes[0]
    assert verdicts(name, found) <= {Verdict.RIGHT, Verdict.EMPTY}


@pytest.mark.parametrize("name", ["m5", "alexnet", "convnext_tiny"])
def test_all_multiplications_alone_are_judged_as_such(name: str) -> None:
    text = render([make_report(analysis_of(name), "layer,all_multiplications")])
    assert verdicts(name, parse_answers(text.encode(), "report.csv")) == {Verdict.RIGHT}
    total = text.split()[-1]
    spoiled = parse_answers(text.replace(total, f"{total}7").encode(), "report.csv")
    assert Verdict.WRONG in verdicts(name, spoiled)


@pytest.mark.parametrize("name", ["alexnet", "m5"])
def test_published_figures_on_a_page_are_no_layers(name: str) -> None:
    report = make_report(analysis_of(name))
    assert analysis_of(name).graph.reported
    found = parse_answers(pages.render([report]).text.encode(), "report.html")
    assert {answer.layer for answer in found.answers} <= {row.name for row in report.rows} | {"total"}
    assert verdicts(name, found) <= {Verdict.RIGHT, Verdict.EMPTY}


def verdicts(name: str, found: Answers) -> set[Verdict]:
    """The verdicts on the cells of a file."""
    return {cell.verdict for cell in check_answers(analysis_of(name), found.answers).cells}
