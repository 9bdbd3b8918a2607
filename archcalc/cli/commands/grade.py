"""`archcalc grade`."""

from __future__ import annotations

from pathlib import Path

import click

from archcalc.cli.names import file_names
from archcalc.cli.options import NetworkChoice, comma_separated, lang_option, network_argument, network_options
from archcalc.cli.output import note, write, write_bytes
from archcalc.cli.progress import Progress
from archcalc.core.errors import UsageError
from archcalc.core.files import check_folder, make_folder
from archcalc.teach.exercise.worksheet import ASKED, DEFAULT
from archcalc.teach.grade.feedback import render_feedback, render_gradescope
from archcalc.teach.grade.folder import grade
from archcalc.teach.grade.marks import Marked, make_scheme
from archcalc.teach.grade.overview import Overview, render_grades, render_overview, spread
from archcalc.teach.grade.submissions import find_submissions
from archcalc.teaching import tasks_of

_MOST_MISTAKES = 5
VISIBILITY = ("visible", "hidden", "after_due_date", "after_published")


@click.command("grade")
@network_argument
@click.argument("folder", metavar="DIR")
@click.option("-o", "--output", metavar="DIR", required=True, help="The folder for grades, overview and feedback.")
@click.option("--worksheet", metavar="FILE", help="The worksheet that was handed out: its empty cells are graded.")
@click.option("--homework", metavar="DIR",
              help="What `archcalc exercise --students` wrote: each student's own network.")  # fmt: skip
@click.option("--quantities", metavar="NAMES",
              help=f"Without a worksheet: the columns to grade, comma-separated; of {', '.join(ASKED)}. "
                   f"Default: {', '.join(DEFAULT)}.")  # fmt: skip
@click.option("--follow-through", type=float, default=1.0, show_default=True, metavar="SHARE",
              help="Share of a point for an answer that is right given an earlier mistake.")  # fmt: skip
@click.option("--partial", type=float, default=0.5, show_default=True, metavar="SHARE",
              help="Share of a point for a wrong number that one known mistake explains.")  # fmt: skip
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
) -> int:
    """Grade a folder of submissions: a file for each student, named after them, or a folder for each.

    A point for each cell. Into -o go grades.csv, overview.md with the most common mistakes, and for each student
    feedback.md and Gradescope's results.json. A file that cannot be read is named there, and does not stop the rest;
    links are never followed. Exit code 1 where nothing could be graded.
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
    submissions = find_submissions(folder)
    target = check_folder(output)
    stems = file_names([submission.student for submission in submissions])
    make_folder(target)
    marked: list[Marked] = []
    with Progress(len(submissions)) as progress:
        for stem, (each, task) in zip(stems, grade(submissions, tasks, scheme, progress), strict=True):
            marked.append(each)
            make_folder(target / "students" / stem)
            own = task.analysis if task is not None else analysis
            write(render_feedback(each, own), str(target / "students" / stem / "feedback.md"))
            write(render_gradescope(each, visibility), str(target / "students" / stem / "results.json"))
    overview = Overview(analysis.graph.title or analysis.graph.name, tuple(marked))
    write(render_grades(overview), str(target / "grades.csv"))
    write(render_overview(overview, _plot(overview, target)), str(target / "overview.md"))
    _print_summary(overview, output)
    return 0 if overview.graded else 1


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


def _print_summary(overview: Overview, output: str) -> None:
    unread = [each for each in overview.marked if each.problem]
    for each in unread:
        note(f"not graded: {each.student}: {each.problem}")
    graded = len(overview.graded)
    write(f"{graded} of {len(overview.marked)} submissions graded. {spread(overview.shares)}".rstrip() + "\n", None)
    mistakes = [f"{one.name} ({one.students})" for one in overview.mistakes()[:_MOST_MISTAKES]]
    if mistakes:
        write(f"Mistakes, by students who made them: {', '.join(mistakes)}" + "\n", None)
    write(f"See {output.rstrip('/')}/overview.md" + "\n", None)
