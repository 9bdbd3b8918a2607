"""Grading again: who gained, who lost and why; and the report of a class in its forms."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest

import archcalc as ac
from archcalc.core.errors import ArchcalcError
from archcalc.teach.check.model import Check, Verdict
from archcalc.teach.grade.changes import HEAD, changes, read_marks, render_marks, sections_of
from archcalc.teach.grade.marks import Marked, Scheme, mark
from archcalc.teach.grade.overview import Overview
from archcalc.teach.grade.report import ENDINGS, report
from tests.cli.runner import Run
from tests.teach.grade.test_marks import ASKED, a_class, cell

pytestmark = pytest.mark.usefixtures("own_folder")


def old_marks(overview: Overview) -> str:
    Path("old.csv").write_text(render_marks(overview), encoding="utf-8")
    return "old.csv"


def test_the_same_grades_change_nothing() -> None:
    assert changes(a_class(), read_marks(old_marks(a_class()))) == []


def graded(student: str, text: str, verdict: Verdict, key: int, asked: int = 1, mistake: str = "") -> Marked:
    mistakes = (mistake,) if mistake else ()
    return mark(student, Check("x", (cell("conv1", text, verdict, key, *mistakes),)), ASKED[:asked], Scheme())


asked_two = mark(
    "ada", Check("x", tuple(cell(layer, "5", Verdict.RIGHT, 5) for layer, _ in ASKED[:2])), ASKED[:2], Scheme()
)


@pytest.mark.parametrize(
    ("before", "after", "gain", "reason"),
    [
        (graded("ada", "5", Verdict.WRONG, 4), graded("ada", "5", Verdict.RIGHT, 5), 1,
         "conv1 params +1"),
        (graded("ada", "4", Verdict.RIGHT, 4), graded("ada", "4", Verdict.WRONG, 5, 1, "forgot_bias"), Fraction(-1, 2),
         "conv1 params −0.5"),
        (graded("ada", "4", Verdict.WRONG, 5), graded("ada", "5", Verdict.RIGHT, 5), 1,
         "conv1 params: 0 → 1, another answer: 4, now 5"),
        (graded("ada", "4", Verdict.WRONG, 5), graded("ada", "4", Verdict.CARRIED, 5), 1,
         "conv1 params +1"),
        (asked_two, graded("ada", "5", Verdict.RIGHT, 5), -1, "conv2 params: no longer asked, was 1"),
        (graded("ada", "5", Verdict.RIGHT, 5), asked_two, 1, "conv2 params: asked now, 1"),
        (graded("ada", "5", Verdict.RIGHT, 5), graded("bea", "5", Verdict.RIGHT, 5), -1,
         "not among the submissions now"),
        (graded("ada", "5", Verdict.RIGHT, 5), Marked("ada", problem="no table"), -1, "cannot be read now: no table"),
    ],
)  # fmt: skip
def test_why_points_changed(before: Marked, after: Marked, gain: Fraction, reason: str) -> None:
    found = changes(Overview("x", (after,)), read_marks(old_marks(Overview("x", (before,)))))
    ada = next(one for one in found if one.student == "ada")
    assert (ada.gain, ada.reasons) == (gain, (reason,))


def test_changes_are_counted_and_listed() -> None:
    before = Overview("x", (graded("ada", "5", Verdict.WRONG, 4), graded("=bob", "4", Verdict.RIGHT, 4)))
    after = Overview("x", (graded("ada", "5", Verdict.RIGHT, 5), graded("=bob", "4", Verdict.WRONG, 5)))
    cells, students = sections_of(after, read_marks(old_marks(before)))
    assert cells.notes == ("1 gained, 1 lost, 0 have as many points as before.",)
    assert cells.rows == (("conv1 · params", "4", "5", 1, 1),)
    assert students.rows == (("'=bob", "1", "0", "−1", "conv1 params −1"), ("ada", "0", "1", "+1", "conv1 params +1"))


def test_a_cell_that_changed_is_told_once() -> None:
    before = Overview("x", tuple(graded(f"s{number:02}", "5", Verdict.WRONG, 4) for number in range(30)))
    after = Overview("x", tuple(graded(f"s{number:02}", "5", Verdict.RIGHT, 5) for number in range(30)))
    cells, students = sections_of(after, read_marks(old_marks(before)))
    assert cells.rows == (("conv1 · params", "4", "5", 30, 0),)
    assert {row[1:] for row in students.rows} == {("0", "1", "+1", "conv1 params +1")}
    # Another answer is the student's own change, and none of the cell.
    marked_again = Overview("x", (graded("s00", "4", Verdict.RIGHT, 4),))
    cells, students = sections_of(marked_again, read_marks(old_marks(replace(before, marked=before.marked[:1]))))
    assert (cells.heads, cells.rows) == ((), ())
    assert students.rows[0][-1] == "conv1 params: 0 → 1, another answer: 5, now 4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("student,score\nada,1\n", "old.csv:1:1: does not begin with student, layer"),
        (",".join(HEAD) + "\nada,conv1\n", "old.csv:2:1: this line has 2 cells, the first one 7"),
        (",".join(HEAD) + "\nada,conv1,params,nan,right,1,1\n", "old.csv:2:1: 'nan' is no number of points"),
        (",".join(HEAD) + "\nada,conv1,params,1e9999999,right,1,1\n", "is no number of points"),
    ],
)
def test_files_that_are_no_marks(text: str, message: str) -> None:
    Path("old.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ArchcalcError, match=message):
        read_marks("old.csv")


# --- the report


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_report_is_the_same_again_and_safe(ending: str) -> None:
    overview = a_class()
    hostile = Overview("<script>", (replace(overview.marked[0], student="=cmd()|<b>\x00"), *overview.marked[1:]))
    data = report(hostile, ending)
    assert data == report(hostile, ending)
    if ending == ".xlsx":
        book = openpyxl.load_workbook(io.BytesIO(data))
        assert book.sheetnames == ["Grades", "The hardest cells", "Mistakes", "Not graded"]
        rows = list(book["Grades"].iter_rows())
        assert [cell.value for cell in rows[1]] == ["=cmd()|<b>", 2.5, 6, "42 %"]
        assert rows[1][0].data_type != "f"
        assert [cell.value for cell in list(book["Mistakes"].iter_rows())[1]][1:3] == [1, 1]
        return
    text = data.decode()
    assert "filters as deep as the whole input" in text
    assert "<b>" not in text.replace("\\<b\\>", "")
    assert "<script>" not in text.replace("\\<script\\>", "")
    if ending == ".html":
        assert "<svg" in text


def test_a_corrected_key_from_the_command_line_and_in_python(archcalc: Run) -> None:
    """The key had no biases; two students were right all along, one had copied the key."""
    Path("wrong.yaml").write_text(
        "name: a\ntitle: A\ninput: 8x8x3\n"
        "layers:\n  - conv2d: {name: c, out_channels: 4, kernel_size: 3, bias: false}\n"
    )
    Path("right.yaml").write_text(Path("wrong.yaml").read_text().replace(", bias: false", ""))
    Path("in").mkdir()
    for name, params in (("ada", 112), ("bea", 112), ("cy", 108)):
        Path(f"in/{name}.csv").write_text(f"layer,params\nc,{params}\ntotal,{params}\n")
    assert archcalc("grade", "wrong.yaml", "in", "--quantities", "params", "-o", "one").code == 0
    again = ("grade", "right.yaml", "in", "--quantities", "params", "--against", "one/marks.csv")
    shown = archcalc(*again, "-o", "two").out
    assert "Changes: 2 gained, 1 lost, 0 have as many points as before." in shown
    text = Path("two/overview.md").read_text(encoding="utf-8")
    assert "| c · params | 108 | 112 | 2 | 1 |" in text
    assert "| cy | 2 | 1.5 | −0.5 | c params −0.5 |" in text
    assert archcalc(*again, "-o", "class.html").code == 0
    assert "key was" in Path("class.html").read_text(encoding="utf-8")
    result = ac.grade("right.yaml", "in", quantities=["params"], against="one/marks.csv")
    assert "2 gained, 1 lost" in str(result)
    result.save("class.xlsx")
    assert openpyxl.load_workbook("class.xlsx").sheetnames == [
        "Grades",
        "Changes by student",
        "Changes",
        "The hardest cells",
        "Mistakes",
    ]
