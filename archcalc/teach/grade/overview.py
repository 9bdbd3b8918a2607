"""What a class got right and wrong: grades, the most common mistakes, the hardest cells."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from archcalc.core import words
from archcalc.core.markup import escape_markdown
from archcalc.render.tables.csv import harmless
from archcalc.teach.check.model import Verdict
from archcalc.teach.grade.marks import UNKNOWN, Marked, percent, points

_MOST = 20


class Mistake(NamedTuple):
    """A kind of mistake: how many students made it, how often, and where most of all."""

    name: str
    students: int
    times: int
    where: tuple[str, ...]


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
                (item.cell.diagnoses[0].mistake, f"{item.layer} {item.quantity.replace('_', ' ')}")
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


def render_overview(overview: Overview, plot: str | None = None) -> str:
    """The class as Markdown; `plot` is the file of the picture, where there is one."""
    graded, unread = overview.graded, [each for each in overview.marked if each.problem]
    out = [f"# {escape_markdown(words.line(overview.title))}: {_several(len(overview.marked), 'submission')}", ""]
    if graded:
        out += [spread(overview.shares), ""]
    if unread:
        out += [
            "## Not graded",
            "",
            *(f"- {escape_markdown(each.student)}: {escape_markdown(each.problem)}" for each in unread),
            "",
        ]
    if plot is not None:
        out += [f"![The most common mistakes and the hardest cells]({plot})", ""]
    mistakes = overview.mistakes()
    if mistakes:
        out += ["## Mistakes", "", "| mistake | students | times | most of all at |", "| :--- | ---: | ---: | :--- |"]
        out += [
            f"| {escape_markdown(one.name)} | {one.students} | {one.times} | {escape_markdown(', '.join(one.where))} |"
            for one in mistakes
        ]
        out.append("")
    hardest = [cell for cell in overview.cells() if cell.solved < 1][:_MOST]
    if hardest:
        out += ["## The hardest cells", "", "| cell | right | right given an earlier mistake | wrong | not answered |"]
        out += ["| :--- | ---: | ---: | ---: | ---: |"]
        for cell in hardest:
            name = escape_markdown(f"{cell.layer} · {cell.quantity.replace('_', ' ')}")
            out.append(f"| {name} | {cell.right} | {cell.carried} | {cell.wrong} | {cell.empty} |")
        out.append("")
    out += ["## Grades", "", "| student | points | of | |", "| :--- | ---: | ---: | ---: |"]
    for each in overview.marked:
        cells = ("–", "–", "not graded") if each.problem else (points(each.score), each.most, percent(each.share))
        out.append(f"| {escape_markdown(words.line(each.student))} | {cells[0]} | {cells[1]} | {cells[2]} |")
    return "\n".join([*out, ""])


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def spread(shares: Sequence[Fraction]) -> str:
    """Mean, median and range of sorted shares; nothing of none."""
    if not shares:
        return ""
    middle = len(shares) // 2
    median = shares[middle] if len(shares) % 2 else (shares[middle - 1] + shares[middle]) / 2
    mean = sum(shares, Fraction()) / len(shares)
    return f"Mean {percent(mean)}, median {percent(median)}, from {percent(shares[0])} to {percent(shares[-1])}."


def render_grades(overview: Overview) -> str:
    """The grades as CSV, a line a student."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    kinds = (Verdict.RIGHT, Verdict.CARRIED, Verdict.WRONG, Verdict.EMPTY, Verdict.UNREADABLE)
    writer.writerow(["student", "score", "max_score", *(kind.value for kind in kinds), "problem"])
    for each in overview.marked:
        counts = [each.count(kind) for kind in kinds]
        writer.writerow([harmless(each.student), points(each.score), each.most, *counts, harmless(each.problem)])
    return out.getvalue()
