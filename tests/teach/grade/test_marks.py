"""Points, feedback and overview, on tables of answers that were judged by hand."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import UsageError
from archcalc.core.language import use, without_isolates
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load
from archcalc.teach.check.model import TOTAL, Answer, Cell, Check, Diagnosis, Verdict
from archcalc.teach.grade.feedback import render_feedback, render_gradescope
from archcalc.teach.grade.marks import Marked, Scheme, make_scheme, mark, percent, points
from archcalc.teach.grade.overview import Overview, cell_name, render_grades, render_overview
from archcalc.teach.grade.plot import draw_overview
from archcalc.teach.reading.stated import Stated

ASKED = tuple((layer, "params") for layer in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6"))


def cell(layer: str, text: str, verdict: Verdict, expected: int, *mistakes: str) -> Cell:
    found = tuple(Diagnosis(mistake, layer, "params", f"{mistake} at {layer} <b>") for mistake in mistakes)
    carried = ("conv1", "params") if verdict is Verdict.CARRIED else None
    return Cell(Answer(layer, "params", text), layer, "params", verdict, Stated(text), expected, None, carried, found)


def check() -> Check:
    """One cell of each kind; fc6 is missing, pool1 was not asked for."""
    return Check(
        "alexnet",
        (
            cell("conv2", "307456", Verdict.WRONG, 614656, "forgot_groups"),
            cell("conv1", "34944", Verdict.RIGHT, 34944),
            cell("conv3", "1", Verdict.WRONG, 885120, "unknown"),
            cell("conv4", "885120", Verdict.CARRIED, 1327488),
            cell("conv5", "", Verdict.EMPTY, 884992),
            cell("pool1", "0", Verdict.RIGHT, 0),
        ),
    )


@pytest.fixture(scope="module")
def alexnet() -> Analysis:
    return analyse(load("alexnet"))


@pytest.mark.parametrize(
    ("follow_through", "partial", "scores"),
    [(1, 0.5, [1, 0.5, 0, 1, 0, 0]), (0, 0, [1, 0, 0, 0, 0, 0]), (0.25, 1, [1, 1, 0, 0.25, 0, 0])],
)
def test_points_of_each_verdict(follow_through: float, partial: float, scores: list[float]) -> None:
    marked = mark("ada", check(), ASKED, make_scheme(follow_through, partial))
    assert [(item.layer, item.quantity) for item in marked.items] == list(ASKED)
    assert [float(item.score) for item in marked.items] == scores
    assert float(marked.score) == sum(scores)
    assert marked.most == 6


def test_each_step_that_went_wrong_costs_its_share() -> None:
    """Two mistakes that only together give a number leave a quarter; alternatives of one mistake leave a half."""
    together = [Diagnosis(name, "conv1", "params", name, rank=0) for name in ("forgot_bias", "forgot_groups")]
    apart = [Diagnosis(name, "conv1", "params", name, rank=rank) for rank, name in enumerate(("forgot_bias", "unit"))]
    wrong = cell("conv1", "1", Verdict.WRONG, 34944)
    for diagnoses, left in ((together, Fraction(1, 4)), (apart, Fraction(1, 2)), ([], Fraction(0))):
        marked = mark("ada", Check("alexnet", (replace(wrong, diagnoses=tuple(diagnoses)),)), ASKED[:1], Scheme())
        assert marked.score == left


def test_shares_are_exact() -> None:
    scheme = make_scheme(0.1, 0.7)
    assert scheme == Scheme(Fraction(1, 10), Fraction(7, 10))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_share_lies_between_0_and_1(value: float) -> None:
    with pytest.raises(UsageError, match="--partial is a share"):
        make_scheme(1, value)


@pytest.mark.parametrize(
    ("number", "text"),
    [(Fraction(12), "12"), (Fraction(25, 2), "12.5"), (Fraction(1, 3), "0.33"), (Fraction(2, 3), "0.67"), (0, "0")],
)
def test_points_as_text(number: Fraction, text: str) -> None:
    assert points(Fraction(number)) == text


@given(st.fractions(0, 1))
def test_percent_is_100_only_where_all_is_right(share: Fraction) -> None:
    assert (percent(share) == "100 %") == (share == 1)
    assert abs(int(percent(share).split()[0]) - 100 * share) <= 1


def test_feedback_teaches(alexnet: Analysis) -> None:
    text = render_feedback(mark("Ada *L*", check(), ASKED, Scheme()), alexnet)
    assert text.startswith("# Ada \\*L\\* · AlexNet\n")
    assert "**2.5 of 6 points.** 1 right, 1 right given your earlier number, 2 wrong, 2 not answered." in text
    assert "You wrote `307456`; it is **614,656**." in text
    assert "forgot\\_groups at conv2 \\<b\\>" in text
    assert "(5·5·96 + 1)·256" in text
    assert "unknown at" not in text
    assert "With your conv1 params your number is right." in text
    assert "| fc6 · params |  | 0: not answered |" in text


def test_what_a_student_wrote_stays_text(alexnet: Analysis) -> None:
    hostile = cell("conv1", "`<img src=x onerror=alert(1)>`|\n# x", Verdict.WRONG, 34944)
    text = render_feedback(mark("a", Check("alexnet", (hostile,)), ASKED[:1], Scheme()), alexnet)
    assert "You wrote `` `<img src=x onerror=alert(1)>`| # x ``;" in text
    assert "\\<img src=x onerror=alert(1)\\>\\`\\|" in text
    assert "\n# x" not in text


def test_gradescope(alexnet: Analysis) -> None:
    result = json.loads(render_gradescope(mark("ada", check(), ASKED, Scheme()), "after_due_date"))
    assert result["score"] == 2.5 == sum(test["score"] for test in result["tests"])
    first, second = result["tests"][:2]
    assert first == {
        "name": "conv1 · params", "score": 1.0, "max_score": 1.0, "status": "passed", "output": "right",
        "visibility": "after_due_date",
    }  # fmt: skip
    assert second["status"] == "failed"
    assert second["output"] == "wrong\nit is 614,656\nforgot_groups at conv2 <b>"


def a_class() -> Overview:
    good = mark("bea", Check("alexnet", (cell("conv1", "34944", Verdict.RIGHT, 34944),)), ASKED[:1], Scheme())
    return Overview("AlexNet", (mark("ada", check(), ASKED, Scheme()), good, Marked("=cy", problem="no table")))


def test_overview_counts_mistakes_and_cells() -> None:
    overview = a_class()
    assert [(one.name, one.students, one.times) for one in overview.mistakes()] == [
        ("forgot_groups", 1, 1),
        ("unknown", 1, 1),
    ]
    by_layer = {one.layer: one for one in overview.cells()}
    assert (by_layer["conv1"].right, float(by_layer["conv1"].solved)) == (2, 1.0)
    assert (by_layer["conv3"].wrong, float(by_layer["conv3"].solved)) == (1, 0.0)
    assert by_layer["conv4"].carried == 1
    assert sum(one.asked for one in overview.cells()) == 7


def test_the_total_is_in_the_language() -> None:
    use("ru")
    try:
        assert cell_name(TOTAL, "params") == "всего · параметры"
    finally:
        use("en")


def test_overview_as_markdown() -> None:
    text = render_overview(a_class(), "overview.svg")
    assert "Mean 71 %, median 71 %, from 42 % to 100 %." in text
    assert "- =cy: no table" in text
    assert "| filters as deep as the whole input, though there are groups | 1 | 1 | conv2 params |" in text
    assert "| ada | 2.5 | 6 | 42 % |" in text
    assert "| =cy | – | – | not graded |" in text
    assert "(overview.svg)" in text


@pytest.mark.parametrize("language", ["en", "ru", "he"])
def test_the_picture_names_mistakes_in_whole_words(language: str) -> None:
    use(language)
    try:
        overview = a_class()
        drawn = re.findall(r"<text[^>]*>([^<]*)", draw_overview(overview).decode())
        written = "".join(without_isolates("".join(drawn)).split())
        for mistake in overview.mistakes():
            assert "".join(without_isolates(mistake.text).split()) in written
    finally:
        use("en")


def test_grades_as_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(render_grades(a_class()))))
    assert [(row["student"], row["score"], row["max_score"]) for row in rows] == [
        ("ada", "2.5", "6"),
        ("bea", "1", "1"),
        ("'=cy", "0", "0"),
    ]
    assert rows[0]["right"] == "1"
    assert rows[2]["problem"] == "no table"
