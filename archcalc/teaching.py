"""What the commands for lectures and homework do, as functions: check, audit, exercise and grade.

A network is given itself, as an analysis, or as `load` takes it. Everything is imported where it is needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial as bound
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc import api
from archcalc.api import AnyNetwork, analysis_of
from archcalc.core.errors import UsageError
from archcalc.core.quantities import quantity
from archcalc.displays import Document, Result
from archcalc.objects import Network
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    from archcalc.teach.check.model import Check
    from archcalc.teach.grade.folder import Homework, SameTask

#: Totals that can be checked by themselves.
TOTALS = ("params", "multiplications", "activations", "memory")


def check(
    network: AnyNetwork,
    answers: str | Path | Mapping[str, Any] | Sequence[Any] | None = None,
    *,
    totals: Mapping[str, str | int] | None = None,
) -> Result:
    """Compare a hand calculation with a network: what is right, what is wrong, and which mistake explains it.

    Args:
        network: The network that was calculated.
        answers: A file (CSV, XLSX, Markdown, YAML, JSON), rows as mappings with a key `layer`, or a mapping of layers
            to their cells.
        totals: Totals in place of answers: `params`, `multiplications`, `activations`, `memory`; a number, or the sum
            that gives it.

    Returns:
        A result with `is_right`; its `value` is the `Check` with a verdict for each cell.

    Raises:
        UsageError: for a file or a total that cannot be read.
        SpecError: for a table that holds no answers.

    >>> import archcalc as ac
    >>> result = ac.check("alexnet", {"conv1": {"output": "55x55x96", "params": 34848}})
    >>> result.is_right, [diagnosis.mistake for cell in result.value.cells for diagnosis in cell.diagnoses]
    (False, ['forgot_bias'])
    >>> ac.check("alexnet", totals={"params": "62,378,344"}).is_right
    True

    """
    from archcalc.teach.check.formats import ENDINGS, render

    if (answers is None) == (not totals):
        raise UsageError("give answers, or totals")
    analysis = analysis_of(network)
    found, notes = checked(analysis, answers, totals or {})
    return Result(found, lambda form: render(found, analysis, form, notes), ENDINGS)


def checked(
    analysis: Analysis,
    answers: str | Path | Mapping[str, Any] | Sequence[Any] | None,
    totals: Mapping[str, str | int],
    kind: str | None = None,
    option: str = "",
) -> tuple[Check, tuple[str, ...]]:
    """The check of answers, or else of totals, and notes on the file that was read.

    `kind` is the format of a file whose name does not give it; `option` stands before the name of a total in errors.
    """
    from archcalc.teach.check.answers import parse_answers, read_answers
    from archcalc.teach.check.asked import read_total, refuse_strangers
    from archcalc.teach.check.check import check_answers
    from archcalc.teach.check.model import Cell, Check
    from archcalc.teach.check.others import meant_for

    if answers is None:
        cells: list[Cell] = []
        for key, text in totals.items():
            if key not in TOTALS:
                raise UsageError(f"there is no total {key[:60]!r}; there are {', '.join(TOTALS)}")
            cells += read_total(analysis, quantity(key).key, str(text), f"{option}{key}").cells
        return Check(analysis.graph.name, tuple(cells)), ()
    if isinstance(answers, (str, Path)):
        read = read_answers(answers, kind)
    else:
        read = parse_answers(json.dumps(answers).encode(), "answers.json")
    found = check_answers(analysis, read.answers)
    found = meant_for(found, bound(check_answers, answers=read.answers))
    refuse_strangers(found, read)
    return found, read.notes


def audit(claims: str | Path) -> Result:
    """Check the claims of a text, a YAML file: each is calculated, and a wrong one is explained.

    Its `value` is the `Audit` with every claim and its verdict. Raises `UsageError` without the file, `SpecError`
    with every fault in it.

    >>> import archcalc as ac
    >>> from pathlib import Path
    >>> Path("claims.yaml").write_text('''
    ... title: A text
    ... claims:
    ...   - {network: alexnet, layer: conv1, quantity: params, value: 34944}
    ... ''') and None
    >>> ac.audit("claims.yaml").is_right
    True
    """
    from archcalc.teach.audit.checker import audit
    from archcalc.teach.audit.formats import ENDINGS, render

    found = audit(Path(claims))
    return Result(found, lambda form: render(found, form), ENDINGS)


@dataclass(frozen=True)
class Exercise:
    """A worksheet and its answer key, and the network that they are about."""

    sheet: Result
    key: Result
    network: Network

    def _repr_markdown_(self) -> str:
        return self.sheet.render("markdown")


def exercise(
    network: AnyNetwork,
    quantities: Sequence[str] | None = None,
    *,
    blank: float = 1.0,
    seed: object = 0,
    layer: str | None = None,
    every_layer: bool = False,
    vary: bool = False,
) -> Exercise:
    """A worksheet: the table of a network with blanks, and its answer key with every calculation.

    Args:
        network: The network.
        quantities: The columns; by default output shape, params and multiplications.
        blank: The share of cells that are left blank, above 0 and at most 1.
        seed: Seed for the choice of blanks and of the variant.
        layer: Only this layer or block.
        every_layer: Layers that work in place too.
        vary: A variant of the network, with another input, kernels and channels.

    Raises:
        UsageError: for a quantity or layer that does not exist.

    >>> import archcalc as ac
    >>> sheet = ac.exercise("lenet5", ["params"], seed=7)
    >>> "61,706" in str(sheet.sheet), "61,706" in str(sheet.key)
    (False, True)

    """
    from archcalc.teach.exercise.formats import ENDINGS, TEXTS, render_sheet, sheet_bytes
    from archcalc.teach.exercise.variants import vary as varied
    from archcalc.teach.exercise.worksheet import DEFAULT, make_worksheet

    analysis = analysis_of(network)
    if vary:
        analysis = api.analyse(varied(analysis.graph, seed))
    sheet = make_worksheet(analysis, quantities or DEFAULT, blank, seed, layer, every_layer)

    binary = {ending: form for ending, form in ENDINGS.items() if form not in TEXTS}
    texts = {ending: form for ending, form in ENDINGS.items() if form in TEXTS}

    def document(key: bool) -> Document:
        def text(form: str) -> str:
            return render_sheet(sheet, "markdown" if form == "text" else form, key=key)

        return Document(sheet, text, texts, bound(sheet_bytes, sheet, key=key), binary)

    return Exercise(
        document(key=False),
        document(key=True),
        Network.of(analysis.graph),
    )


def grade(
    network: AnyNetwork,
    folder: str | Path,
    *,
    worksheet: str | Path | None = None,
    homework: str | Path | None = None,
    quantities: Sequence[str] | None = None,
    follow_through: float = 1.0,
    partial: float = 0.5,
    against: str | Path | None = None,
) -> Result:
    r"""Grade a folder of submissions, a file for each student, a point for each cell.

    Args:
        network: The network that was handed out.
        folder: The submissions.
        worksheet: The worksheet that was handed out: its empty cells are graded.
        homework: The folder of `archcalc exercise --students`, where each student had numbers of their own.
        quantities: Without both: the columns to grade.
        follow_through: Share of a point for an answer that is right given an earlier mistake.
        partial: Share of a point that each known mistake leaves of a wrong number: two leave the square.
        against: The `marks.csv` of an earlier run: the report then says who gained, who lost, and why.

    Returns:
        A result whose `value` is the `Overview` with the marks of every student; it is saved as .md, .csv, .html or
        .xlsx.

    Raises:
        UsageError: for files that are not there. A submission that cannot be read is named in the overview.

    >>> import archcalc as ac
    >>> from pathlib import Path
    >>> Path("submissions").mkdir()
    >>> Path("submissions/ada.csv").write_text("layer,params\nC1,156\nF6,10164\nOUTPUT,850\n") and None
    >>> result = ac.grade("lenet5", "submissions", quantities=["params"])
    >>> [marked.student for marked in result.value.graded]
    ['ada']

    """
    from archcalc.teach.grade.changes import read_marks, sections_of
    from archcalc.teach.grade.folder import grade
    from archcalc.teach.grade.marks import make_scheme
    from archcalc.teach.grade.overview import Overview, render_grades, render_overview
    from archcalc.teach.grade.report import report
    from archcalc.teach.grade.submissions import find_submissions

    if (worksheet is not None) + (homework is not None) + (quantities is not None) > 1:
        raise UsageError("one of worksheet, homework and quantities says what is graded")
    scheme = make_scheme(follow_through, partial)
    analysis = analysis_of(network)
    tasks = tasks_of(analysis, worksheet, homework, quantities)
    marked = grade(find_submissions(str(folder)), tasks, scheme)
    overview = Overview(analysis.graph.title, tuple(one for one, _ in marked))

    more = sections_of(overview, read_marks(str(against))) if against else ()

    def render(form: str) -> str:
        return render_grades(overview) if form == "csv" else render_overview(overview, None, more)

    files = {ending: ending for ending in (".html", ".xlsx")}
    texts = {".md": "markdown", ".csv": "csv"}
    return Document(overview, render, texts, lambda ending: report(overview, ending, more), files)


def tasks_of(
    analysis: Analysis, worksheet: str | Path | None, homework: str | Path | None, quantities: Sequence[str] | None
) -> SameTask | Homework:
    """What each student was asked: the blanks of a worksheet, the folder of a homework, or columns of the table."""
    from archcalc.teach.grade.folder import SameTask, Task, blanks_of, everything, open_homework

    if homework is not None:
        return open_homework(str(homework))
    asked = everything(analysis, quantities or None) if worksheet is None else blanks_of(worksheet, analysis)
    return SameTask(Task(analysis, asked))
