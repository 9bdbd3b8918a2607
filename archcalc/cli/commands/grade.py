"""`archcalc grade`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from archcalc.cli.options import NetworkChoice, comma_separated, lang_option, network_argument, network_options
from archcalc.cli.output import note, write, write_bytes
from archcalc.cli.progress import Progress
from archcalc.core.errors import UsageError
from archcalc.core.files import check_folder, check_target, make_folder
from archcalc.core.language import say
from archcalc.core.words import several
from archcalc.passes.analysis import Analysis
from archcalc.teach.exercise.people import file_names
from archcalc.teach.exercise.worksheet import ASKED, DEFAULT
from archcalc.teach.grade.changes import read_marks, render_marks, sections_of
from archcalc.teach.grade.feedback import render_feedback, render_gradescope
from archcalc.teach.grade.folder import Task, grade
from archcalc.teach.grade.marks import Marked, make_scheme
from archcalc.teach.grade.overview import Overview, Section, render_grades, render_overview, spread
from archcalc.teach.grade.report import ENDINGS, report
from archcalc.teach.grade.submissions import Submission, find_submissions
from archcalc.teaching import tasks_of

_MOST_MISTAKES = 5
VISIBILITY = ("visible", "hidden", "after_due_date", "after_published")


@click.command("grade")
@network_argument
@click.argument("folder", metavar="DIR")
@click.option("-o", "--output", metavar="DIR|FILE", required=True,
              help="The folder for grades and feedback; or the class's report: .html, .md, .xlsx.")  # fmt: skip
@click.option("--against", metavar="FILE", help="The marks.csv of an earlier run: who gained, who lost, and why.")
@click.option("--worksheet", metavar="FILE", help="The worksheet that was handed out: its empty cells are graded.")
@click.option("--homework", metavar="DIR",
              help="What `archcalc exercise --students` wrote: each student's own network.")  # fmt: skip
@click.option("--quantities", metavar="NAMES",
              help=f"Without a worksheet: the columns to grade, comma-separated; of {', '.join(ASKED)}. "
                   f"Default: {', '.join(DEFAULT)}.")  # fmt: skip
@click.option("--follow-through", type=float, default=1.0, show_default=True, metavar="SHARE",
              help="Share of a point for an answer that is right given an earlier mistake.")  # fmt: skip
@click.option("--partial", type=float, default=0.5, show_default=True, metavar="SHARE",
              help="Share of a point that each known mistake leaves of it: two leave the square.")  # fmt: skip
@click.option("--visibility", type=click.Choice(VISIBILITY), default="visible", show_default=True,
              help="Visibility of the tests in Gradescope's results.json.")  # fmt: skip
@lang_option
@network_options
def command(
    network: NetworkChoice,
    folder: str,
    output: str,
    worksheet: str | None,
    homework: str | None,
    quantities: str | None,
    follow_through: float,
    partial: float,
    visibility: str,
    against: str | None,
) -> int:
    """Grade a folder of submissions: a file for each student, named after them, or a folder for each.

    A point for each cell. Into -o go grades.csv, marks.csv with every cell, overview.md with the most common mistakes,
    and for each student feedback.md and Gradescope's results.json. A file that cannot be read is named there, and does
    not stop the rest; links are never followed. With --against the overview says what a corrected key changed. Exit
    code 1 where nothing could be graded or nobody answered anything.
    """
    if worksheet is not None and homework is not None:
        raise click.UsageError("--worksheet or --homework, not both")
    if quantities is not None and (worksheet or homework):
        raise click.UsageError(
            "the worksheet says which quantities are graded; --quantities is for grading without one"
        )
    scheme = make_scheme(follow_through, partial)
    analysis = network.analyse()
    tasks = tasks_of(analysis, worksheet, homework, comma_separated(quantities))
    old = read_marks(against) if against is not None else None
    submissions = find_submissions(folder)
    ending = Path(output).suffix.lower()
    target = None if ending in ENDINGS else check_folder(output)
    if target is None:
        check_target(output)
    else:
        make_folder(target)
    marked = _graded(submissions, grade(submissions, tasks, scheme), analysis, target, visibility)
    overview = Overview(analysis.graph.title or analysis.graph.name, tuple(marked))
    more = sections_of(overview, old) if old is not None else ()
    if target is None:
        write_bytes(report(overview, ending, more), output)
    else:
        write(render_grades(overview), str(target / "grades.csv"))
        write(render_marks(overview), str(target / "marks.csv"))
        write(render_overview(overview, _plot(overview, target), more), str(target / "overview.md"))
    _print_summary(overview, output if target is None else f"{output.rstrip('/')}/overview.md", more)
    return 0 if overview.is_answered else 1


def _graded(
    submissions: Sequence[Submission],
    results: Iterable[tuple[Marked, Task | None]],
    analysis: Analysis,
    target: Path | None,
    visibility: str,
) -> list[Marked]:
    """The marks of all; where there is a folder, each gets the feedback as soon as it is graded."""
    marked: list[Marked] = []
    stems = file_names([submission.student for submission in submissions])
    with Progress(len(submissions)) as progress:
        for done, (stem, (each, task)) in enumerate(zip(stems, results, strict=True)):
            progress(done, each.student)
            marked.append(each)
            if target is None:
                continue
            make_folder(target / "students" / stem)
            own = task.analysis if task is not None else analysis
            write(render_feedback(each, own), str(target / "students" / stem / "feedback.md"))
            write(render_gradescope(each, visibility), str(target / "students" / stem / "results.json"))
    return marked


def _plot(overview: Overview, target: Path) -> str | None:
    """The picture of the overview; without the library that draws it one line says so."""
    from archcalc.teach.grade.plot import draw_overview

    if not overview.graded:
        return None
    try:
        picture = draw_overview(overview)
    except UsageError as error:
        note(f"no picture of the overview: {error}")
        return None
    write_bytes(picture, str(target / "overview.svg"))
    return "overview.svg"


def _print_summary(overview: Overview, output: str, more: Sequence[Section]) -> None:
    unread = [each for each in overview.marked if each.problem]
    for each in unread:
        note(say("not graded: {student}: {problem}", student=each.student, problem=each.problem))
    graded = len(overview.graded)
    submissions = several(len(overview.marked), "submission")
    done = say("{graded} of {submissions} graded.", graded=graded, submissions=submissions)
    write(f"{done} {spread(overview.shares)}".rstrip() + "\n", None)
    mistakes = [f"{one.text} ({one.students})" for one in overview.mistakes()[:_MOST_MISTAKES]]
    if mistakes:
        write(say("Mistakes, by students who made them: {mistakes}", mistakes=" · ".join(mistakes)) + "\n", None)
    for section in more[:1]:
        write(f"{section.title}: {section.notes[0]}" + "\n", None)
    write(say("See {file}", file=output) + "\n", None)
