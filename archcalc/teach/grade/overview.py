"""What a class got right and wrong: grades, the most common mistakes, the hardest cells."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from archcalc.core import words
from archcalc.core.cells import harmless
from archcalc.core.language import apart, mark, say
from archcalc.core.markup import escape_markdown
from archcalc.teach.check.mistakes import MISTAKES
from archcalc.teach.check.model import TOTAL, Verdict
from archcalc.teach.grade.marks import UNKNOWN, Marked, percent, points

_MOST = 20
NOT_GRADED = mark("Not graded")
#: How a cell may be answered.
ANSWERS = (mark("right"), mark("right given an earlier mistake"), mark("wrong"), mark("not answered"))


class Mistake(NamedTuple):
    """A kind of mistake: how many students made it, how often, and where most of all."""

    name: str
    students: int
    times: int
    where: tuple[str, ...]

    @property
    def text(self) -> str:
        """What it is, in the chosen language."""
        return say(MISTAKES[self.name])


class CellResults(NamedTuple):
    """A cell that was asked for, and how the students did."""

    layer: str
    quantity: str
    right: int
    carried: int
    wrong: int
    empty: int

    @property
    def asked(self) -> int:
        return self.right + self.carried + self.wrong + self.empty

    @property
    def solved(self) -> Fraction:
        return Fraction(self.right + self.carried, self.asked)


@dataclass(frozen=True)
class Overview:
    """A class: its submissions in the order of their names."""

    title: str
    marked: tuple[Marked, ...]

    @cached_property
    def graded(self) -> tuple[Marked, ...]:
        return tuple(each for each in self.marked if not each.problem)

    @property
    def is_answered(self) -> bool:
        """Whether anybody answered anything."""
        return any(item.verdict is not Verdict.EMPTY for each in self.graded for item in each.items)

    @cached_property
    def shares(self) -> list[Fraction]:
        return sorted(each.share for each in self.graded)

    def mistakes(self) -> list[Mistake]:
        """The mistakes by how many students made them; of alternative explanations the best one counts."""
        students: Counter[str] = Counter()
        times: Counter[str] = Counter()
        places: dict[str, Counter[str]] = {}
        for each in self.graded:
            found = [
                (item.cell.diagnoses[0].mistake, cell_name(item.layer, item.quantity, " "))
                for item in each.items
                if item.verdict is Verdict.WRONG and item.cell is not None and item.cell.diagnoses
            ]
            times.update(name for name, _ in found)
            students.update({name for name, _ in found})
            for name, place in found:
                places.setdefault(name, Counter())[place] += 1
        order = sorted(students, key=lambda name: (name == UNKNOWN, -students[name], -times[name], name))
        return [Mistake(name, students[name], times[name], _commonest(places[name])) for name in order]

    def cells(self) -> list[CellResults]:
        """Every cell that was asked for, the hardest first."""
        counts: dict[tuple[str, str], Counter[Verdict]] = {}
        for each in self.graded:
            for item in each.items:
                counts.setdefault((item.layer, item.quantity), Counter())[item.verdict] += 1
        asked = [
            CellResults(
                layer, quantity, found[Verdict.RIGHT], found[Verdict.CARRIED],
                found[Verdict.WRONG] + found[Verdict.UNREADABLE], found[Verdict.EMPTY],
            )
            for (layer, quantity), found in counts.items()
        ]  # fmt: skip
        return sorted(asked, key=lambda one: one.solved)


def _commonest(places: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(places, key=lambda place: (-places[place], place))[:3])


def cell_name(layer: str, quantity: str, between: str = " · ") -> str:
    """A cell by its layer and its quantity, in the chosen language."""
    name = say(TOTAL) if layer == TOTAL else apart(layer)
    return f"{name}{between}{say(quantity.replace('_', ' '))}"


class Section(NamedTuple):
    """A part of the report: lines of text and a table, with the indices of its columns of numbers."""

    title: str
    notes: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str | int, ...], ...] = ()
    numbers: tuple[int, ...] = ()


def sections(overview: Overview) -> Iterator[Section]:
    """The class: what could not be graded, the mistakes by kind, the hardest cells, the grades."""
    unread = [each for each in overview.marked if each.problem]
    if unread:
        yield Section(say(NOT_GRADED), tuple(f"{each.student}: {each.problem}" for each in unread))
    mistakes = overview.mistakes()
    if mistakes:
        rows = [(one.text, one.students, one.times, ", ".join(one.where)) for one in mistakes]
        heads = (say("mistake"), say("students"), say("times"), say("most of all at"))
        yield Section(say("Mistakes"), (), heads, tuple(rows), (1, 2))
    hardest = [cell for cell in overview.cells() if cell.solved < 1][:_MOST]
    if hardest:
        cells = [
            (cell_name(cell.layer, cell.quantity), cell.right, cell.carried, cell.wrong, cell.empty) for cell in hardest
        ]
        columns = (say("cell"), *map(say, ANSWERS))
        yield Section(say("The hardest cells"), (), columns, tuple(cells), (1, 2, 3, 4))
    grades = [
        (each.student, "–", "–", say("not graded")) if each.problem else
        (each.student, points(each.score), each.most, apart(percent(each.share)))
        for each in overview.marked
    ]  # fmt: skip
    yield Section(say("Grades"), (), (say("student"), say("points"), say("of"), ""), tuple(grades), (1, 2, 3))


def heading(overview: Overview) -> str:
    """The title of the report."""
    submissions = words.several(len(overview.marked), "submission")
    return say("{title}: {submissions}", title=words.line(overview.title), submissions=submissions)


def render_overview(overview: Overview, plot: str | None = None, more: Sequence[Section] = ()) -> str:
    """The class as Markdown; `plot` is the file of the picture, where there is one, `more` comes before the grades."""
    out = [f"# {escape_markdown(heading(overview))}", ""]
    if overview.graded:
        out += [spread(overview.shares), ""]
    about = say("The most common mistakes and the hardest cells")
    picture = [f"![{about}]({plot})", ""] if plot is not None else []
    for section in in_order(overview, more):
        if section.title != say(NOT_GRADED):
            out += picture
            picture = []
        out += [f"## {section.title}", ""]
        out += [f"- {escape_markdown(note)}" for note in section.notes] + ([""] if section.notes else [])
        if section.heads:
            rules = ["---:" if at in section.numbers else ":---" for at in range(len(section.heads))]
            rows = [[escape_markdown(words.line(str(cell))) for cell in row] for row in section.rows]
            out += [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in [section.heads, rules, *rows]] + [""]
    return "\n".join(out)


def in_order(overview: Overview, more: Sequence[Section]) -> list[Section]:
    """All parts of a report, the grades last."""
    own = list(sections(overview))
    return [*own[:-1], *more, own[-1]]


def spread(shares: Sequence[Fraction]) -> str:
    """Mean, median and range of sorted shares; nothing of none."""
    if not shares:
        return ""
    middle = len(shares) // 2
    median = shares[middle] if len(shares) % 2 else (shares[middle - 1] + shares[middle]) / 2
    mean = sum(shares, Fraction()) / len(shares)
    return say(
        "Mean {mean}, median {median}, from {least} to {most}.",
        mean=percent(mean), median=percent(median), least=percent(shares[0]), most=percent(shares[-1]),
    )  # fmt: skip


def render_grades(overview: Overview) -> str:
    """The grades as CSV, a line a student; with the numbers that a platform gave them, where it gave any."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    kinds = (Verdict.RIGHT, Verdict.CARRIED, Verdict.WRONG, Verdict.EMPTY, Verdict.UNREADABLE)
    has_numbers = any(each.number for each in overview.marked)
    writer.writerow(
        ["student", "score", "max_score", *(kind.value for kind in kinds), "problem", *["id"] * has_numbers]
    )
    for each in overview.marked:
        cells = [harmless(each.student), points(each.score), each.most, *map(each.count, kinds), harmless(each.problem)]
        writer.writerow([*cells, *[each.number] * has_numbers])
    return out.getvalue()
