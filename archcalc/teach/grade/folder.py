"""What was asked of whom, and the marks of a folder of submissions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from archcalc.core.errors import ArchcalcError, UsageError
from archcalc.core.language import say
from archcalc.core.suggest import perhaps
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load
from archcalc.teach.check.answers.read import ENDINGS, read_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import TOTAL, Verdict
from archcalc.teach.exercise.people import file_name, names_of
from archcalc.teach.exercise.worksheet import DEFAULT, make_worksheet
from archcalc.teach.grade.marks import Marked, Scheme, mark
from archcalc.teach.grade.submissions import Submission


class Task(NamedTuple):
    """What a student was asked: the network, and the cells in the order of the table."""

    analysis: Analysis
    asked: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SameTask:
    """The same task for everybody."""

    task: Task

    def of(self, submission: Submission) -> Task:
        return self.task


@dataclass(frozen=True)
class Homework:
    """Tasks of their own: a folder that `archcalc exercise` wrote, with `networks` and `worksheets`."""

    folder: Path
    #: The names of the students' files, without their endings.
    stems: tuple[str, ...]

    @cached_property
    def _by_name(self) -> dict[object, list[str]]:
        """The files by what a student may be called, from the name of the file itself to its letters in one word."""
        found: dict[object, list[str]] = {}
        for stem in self.stems:
            for name in names_of(stem):
                found.setdefault(name, []).append(stem)
        return found

    @cached_property
    def _sheets(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for file in sorted((self.folder / "worksheets").glob("*")):
            found.setdefault(file.stem, []).append(file)
        return found

    def stem_of(self, submission: Submission) -> str:
        """The name of a student's files. Raises `UsageError` for one who has none, or who may be one of several."""
        student = submission.student
        stems: list[str] = next((self._by_name[name] for name in names_of(student) if name in self._by_name), [])
        if submission.number:  # a platform knows nothing of the numbers that tell John_Smith from John_Smith-2
            stems = [one for one in self.stems if one in stems or re.sub(r"-\d+$", "", one) in stems]
        if len(stems) > 1:
            stems = [stem for stem in stems if _bare(stem) == _bare(student)] or stems
        if len(stems) > 1 and submission.number:
            stems = [stem for stem in stems if stem.endswith(f"_{submission.number}")] or stems
        if not stems:
            hint = perhaps(student, self.stems)
            raise UsageError(
                say(
                    "{folder} has no network for {student!r}{hint}", folder=self.folder, student=student[:80], hint=hint
                )
            )
        if len(stems) > 1:
            listed = ", ".join(sorted(stems)[:5])
            raise UsageError(
                say(
                    "{student!r} may be one of {names}; a roster with a column of ids tells them apart",
                    student=student[:80],
                    names=listed,
                )
            )
        return stems[0]

    def of(self, submission: Submission) -> Task:
        """The task of a student. Raises `ArchcalcError` for one who has none."""
        stem = self.stem_of(submission)
        analysis = analyse(load(str(self.folder / "networks" / f"{stem}.yaml")))
        sheets = self._sheets.get(stem, [])
        if not sheets:
            raise UsageError(say("{folder} has no worksheet for {name}", folder=self.folder, name=stem))
        readable = [file for file in sheets if file.suffix.lower() in ENDINGS]
        asked = blanks_of(readable[0], analysis) if readable else everything(analysis)
        return Task(analysis, asked)


def _bare(name: str) -> str:
    """The name of a file without the number that tells two of one name apart."""
    return re.sub(r"[-_]\d+$", "", file_name(name).casefold())


def open_homework(folder: str) -> Homework:
    """The folder of an exercise with variants. Raises `UsageError` where it is none."""
    path = Path(folder)
    networks = sorted(path.glob("networks/*.yaml"))
    if not networks:
        raise UsageError(
            say("{folder} has no networks/*.yaml; archcalc exercise --students writes them", folder=folder)
        )
    return Homework(path, tuple(file.stem for file in networks))


def everything(analysis: Analysis, quantities: Sequence[str] | None = None) -> tuple[tuple[str, str], ...]:
    """Every cell of a worksheet without numbers, in the order of the table; none of flatten, which few tables have."""
    sheet = make_worksheet(analysis, quantities or DEFAULT)
    layers = [*(row.name for row in sheet.rows if row.op.kind != "flatten"), TOTAL]
    return tuple(
        (layer, quantity) for layer in layers for quantity in sheet.quantities if (layer, quantity) in sheet.blanks
    )


def blanks_of(path: str | Path, analysis: Analysis) -> tuple[tuple[str, str], ...]:
    """The cells that are empty in a worksheet. Raises `ArchcalcError` where it cannot be read or asks for nothing."""
    check = check_answers(analysis, read_answers(path).answers)
    asked = dict.fromkeys(
        (cell.layer, cell.quantity)
        for cell in check.cells
        if cell.verdict is Verdict.EMPTY and cell.expected is not None
    )
    if not asked:
        raise UsageError(say("{file} has no empty cells: it is no worksheet to fill in", file=path))
    return tuple(asked)


def grade(
    submissions: Sequence[Submission],
    tasks: SameTask | Homework,
    scheme: Scheme,
) -> Iterator[tuple[Marked, Task | None]]:
    """Each submission with its marks; one that cannot be read has a problem and does not stop the others."""
    for submission in submissions:
        task = None
        try:
            if submission.file is None:
                raise UsageError(submission.problem)
            task = tasks.of(submission)
            read = read_answers(submission.file)
            check = check_answers(task.analysis, read.answers)
            marked = mark(submission.student, check, task.asked, scheme)
            yield replace(marked, notes=read.notes, number=submission.number), task
        except ArchcalcError as error:
            problem = "; ".join(" ".join(one.split()) for one in str(error).splitlines())
            yield Marked(submission.student, problem=problem, number=submission.number), task
